"""A request as it is recorded and compared: without secrets, its parts named, with a digest. Pure."""

import json
from hashlib import sha256
from typing import Any

from cometresp.recording.bodies import DEEPEST, form_of
from cometresp.recording.exchange import Request
from cometresp.recording.masks import Masks, masked_query
from cometresp.tuples import NamedTuple
from cometresp.wire.items import content_texts, input_items
from cometresp.wire.json import Json, is_deeper_than, listed

_LONGEST = 100_000  # characters of a string that is kept as it is
_SHOWN = 60


class RecordedRequest(NamedTuple):
    """What counts of a request: its headers don't, nor do the order of keys in its JSON and of parameters.

    `form` stands for the body as in bodies.py; a very long string in it, such as a file, is replaced by its digest.
    """

    method: str
    path: str
    query: str
    form: Json

    @property
    def digest(self) -> str:
        """64 hexadecimal digits, the same for requests that are the same."""
        value = [self.method, self.path, sorted(filter(None, self.query.split("&"))), self.form]
        return sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()

    @property
    def body(self) -> Json:
        """The body if it is a JSON object, else {}."""
        value = self.form.get("json")
        return value if isinstance(value, dict) else {}

    @property
    def prompt(self) -> str | None:
        """What counts with --loose, as text; None for a request without an input.

        It is the text of the last message of the user and the outputs behind it, and whether a stream is asked for.
        Earlier turns don't count, whether their items are sent or an id stands for them.
        """
        if self.method != "POST" or "input" not in self.body:
            return None
        outputs: list[str] = []
        message = ""
        for item in reversed(listed(input_items(self.body))):
            if item.get("role") == "user":
                message = "".join(content_texts(item.get("content")))
                break
            if item.get("role") is None and "output" in item and str(item.get("type")).endswith("_output"):
                outputs.append(json.dumps(item["output"], sort_keys=True))
        return json.dumps([self.path, bool(self.body.get("stream")), message, outputs[::-1]])


def recorded_request(request: Request, masks: Masks) -> RecordedRequest:
    """The request without its secrets, as it is recorded."""
    value = json_of(request.body)
    form = {"json": masks.body(_shortened(value))} if value is not None else _form_of(request.body, masks)
    return RecordedRequest(request.method, masks.path(request.path), masked_query(request.query), form)


def _form_of(body: bytes, masks: Masks) -> Json:
    return form_of(body, masks.body, masks.text)


def json_of(body: bytes) -> Any:
    """The value of a JSON body; None for any other, and for one that is nested too deeply."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return None if is_deeper_than(DEEPEST, value) else value


def _shortened(value: Any) -> Any:
    if isinstance(value, str) and len(value) > _LONGEST:
        digest = sha256(value.encode(errors="surrogatepass")).hexdigest()
        return f"{value[:_SHOWN]}… ({len(value)} characters, sha256 {digest})"
    if isinstance(value, list):
        return [_shortened(entry) for entry in value]
    if isinstance(value, dict):
        return {name: _shortened(entry) for name, entry in value.items()}
    return value
