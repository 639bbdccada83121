"""The secrets of an exchange: found in its request, masked in all of it before anything is written."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from cometresp.request.secrets import add_secrets, masked_body
from cometresp.wire.headers import MASK, is_secret_header, names_key
from cometresp.wire.json import Json
from cometresp.wire.masking import Secrets
from cometresp.wire.urls import shown_url

# Parameters of the API's own endpoints (API 1). The values of all others are masked: gateways take keys in them.
_OF_API = "after before include include[] include_obfuscation limit order starting_after stream"
_PARAMETERS = frozenset(_OF_API.split())
_LOCATIONS = ("location", "content-location")
_PLACE = ("type", "item_id", "output_index", "content_index", "summary_index")  # of a delta (API 7.3)
_SHORTEST_KEY = 8  # characters of a parameter's value that may be a key, though its name doesn't say so
_OF_CLIENTS = re.compile(r"(x-stainless-|sec-)", re.IGNORECASE)  # facts about a client, short words all of them


class Masks:
    """What is masked in one exchange: the secrets of its request, and the `known` ones, which these are added to."""

    def __init__(self, headers: Mapping[str, str], body: Any, query: str = "", *, known: Secrets | None = None) -> None:
        self._secrets = known or Secrets()
        self._parameters = Secrets()
        for name, value in headers.items():
            if is_secret_header(name) and not _OF_CLIENTS.match(name):
                self._secrets.add_header(name, value)
        self._add_query(query)
        if isinstance(body, dict):
            add_secrets(body, self._secrets)

    def _add_query(self, query: str) -> None:
        for name, value in _pairs(query):
            if name not in _PARAMETERS:
                self._secrets.add(unquote(value), certain=names_key(name))
                self._add_parameter(value)

    def _add_parameter(self, value: str) -> None:
        if len(value) >= _SHORTEST_KEY and any(map(str.isdigit, value)):
            self._parameters.add(value)
            self._parameters.add(unquote(value))

    def body(self, value: Any) -> Any:
        """The JSON of a request or of a reply, of one event too."""
        masked = self._secrets.value(value)
        if not isinstance(masked, dict):
            return masked
        if isinstance(response := masked.get("response"), dict):
            masked["response"] = masked_body(response)
        return masked_body(masked)

    def error(self, value: Any) -> Any:
        """The JSON of an error, in which short secrets are masked too."""
        return self._secrets.error(self.body(value))

    def text(self, text: str) -> str:
        """What isn't JSON as a whole; the JSON of events in it is masked as such.

        Values of parameters are masked in it that JSON may have for other reasons, such as a version.
        """
        lines = re.split(r"(?<=\n)|(?<=\r)(?!\n)", self._secrets.frame(text))
        masked = self._secrets.output("".join(map(self._line, lines)).encode()).decode()
        return self._parameters.message(masked)

    def message(self, text: str) -> str:
        return self._secrets.message(self.text(text))

    def deltas(self, rows: list[list[Any]]) -> None:
        """Mask what was split over the deltas of a stream, whose events are rows as in bodies.py."""
        follow: dict[tuple[Any, ...], list[Json]] = {}
        for row in rows:
            if isinstance(event := row[1], dict) and isinstance(event.get("delta"), str):
                follow.setdefault(tuple(map(str, map(event.get, _PLACE))), []).append(event)
        for events in follow.values():
            texts = [event["delta"] for event in events]
            for event, delta in zip(events, self._secrets.split(texts), strict=True):
                event["delta"] = delta

    def request_headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        return {name: MASK if is_secret_header(name) and value else value for name, value in headers.items()}

    def reply_headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """The headers of a reply. A cookie is a secret of its server, as are values in the query of a redirect.

        The secrets in them are known to what is masked afterwards: the body of a redirect repeats its address.
        """
        masked = {
            name: self._location(value) if name.lower() in _LOCATIONS else value for name, value in headers.items()
        }
        return {name: MASK if names_key(name) else self._secrets.message(value) for name, value in masked.items()}

    def _location(self, url: str) -> str:
        """A URL without user and password, the values of its query and of its fragment masked."""
        rest, fragment_mark, fragment = url.partition("#")
        address, query_mark, query = rest.partition("?")
        self._add_query(query)
        self._add_query(fragment)
        shown = f"{shown_url(address)}{query_mark}{masked_query(query)}"
        return f"{shown}{fragment_mark}{masked_query(fragment)}"

    def path(self, path: str) -> str:
        return self._secrets.message(path)

    def _line(self, line: str) -> str:
        found = re.fullmatch(r"(data: ?)?([\[{].*[\]}])(\r\n|\n|\r)?", line, re.DOTALL)
        return f"{found[1] or ''}{self._secrets.frame(found[2])}{found[3] or ''}" if found else line


def masked_query(query: str) -> str:
    """A query whose values are masked but for those of the API's own parameters."""
    return "&".join(
        f"{name}={value if name in _PARAMETERS else MASK}" if value else name for name, value in _pairs(query)
    )


def _pairs(query: str) -> list[tuple[str, str]]:
    split = (parameter.partition("=") for parameter in query.split("&") if parameter)
    return [(unquote(name), value) for name, _, value in split]
