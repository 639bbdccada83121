"""A request as one curl command for a POSIX shell."""

import re
from collections.abc import Mapping
from itertools import starmap

from cometresp.request.secrets import ENV_PREFIX, secrets, with_copied_tools
from cometresp.wire.endpoints import Request
from cometresp.wire.headers import is_secret_header
from cometresp.wire.json import Json
from cometresp.wire.payload import Payload
from cometresp.wire.urls import joined

KEY = "Bearer $COMETAPI_KEY"  # marks the header of the API key in a command


def curl(request: Request, base_url: str, headers: Mapping[str, str | None], *, proxy_free: bool = False) -> str:
    """One POSIX shell command that makes the same request. Secrets are variables: the key is `$COMETAPI_KEY`.

    A header that is None is one that must not be sent.
    """
    first = "curl -sS"
    if request.method not in ("GET", "POST") or (request.method == "POST" and request.body is None):
        first += f" -X {request.method}"
    first += " --no-buffer" if request.headers.get("Accept") == "text/event-stream" else ""
    first += " --noproxy '*'" if proxy_free else ""
    first += " --globoff" if re.search(r"[][{}]", joined(base_url, request.target)) else ""
    lines = [f"{first} {_url(base_url, request.target)}", *starmap(_header, headers.items())]
    if request.body is None:
        return " \\\n  ".join(lines) + "\n"
    document, expands = _document(request.body)
    end = "END"
    while end in document:
        end += "_"
    lines.append(f"--data-binary @- <<{end if expands else _quoted(end)}")
    return " \\\n  ".join(lines) + f"\n{document}\n{end}\n"


def _url(base_url: str, target: str) -> str:
    """The URL as one word; the values in the query of the base URL are variables: `'https://h/v1?a='"$QUERY_A"`."""
    base, _, base_query = base_url.partition("?")
    path, _, query = target.partition("?")
    word, literal = "", f"{base}{path}"
    for parameter in filter(None, base_query.split("&")):
        name, equals, value = parameter.partition("=")
        literal += "&" if word or "?" in literal else "?"
        if equals and not value:
            literal += parameter
            continue
        word += _quoted(literal + (f"{name}=" if equals else "")) + f'"$QUERY_{_variable(name if equals else "value")}"'
        literal = ""
    if query:
        literal += ("&" if base_query else "?") + query
    return word + _quoted(literal) if literal or not word else word


def _header(name: str, value: str | None) -> str:
    if value == KEY:
        return f'-H "{name}: Bearer $COMETAPI_KEY"'
    if not value:  # curl's syntax for a header that isn't sent, and for an empty one
        return f"-H {_quoted(f'{name}:' if value is None else f'{name};')}"
    if is_secret_header(name):
        return f'-H {_quoted(f"{name}: ")}"${_variable(name)}"'
    return f"-H {_quoted(f'{name}: {value}')}"


def _document(body: Json) -> tuple[str, bool]:
    """The here-document, and whether it contains variables; then every other `$`, backtick and backslash is escaped."""
    shown = with_copied_tools(body)
    places = list(secrets(shown.get("tools")))
    if not places:
        return _json(body), False
    mark = "SECRET"
    while mark in _json(body):
        mark += "_"
    names: list[str] = []
    for place, key in places:
        names.append(_secret_variable(place[key], key, names))
        place[key] = f"{mark}:{len(names)}:"
    document = re.sub(r"([\\$`])", r"\\\1", _json(shown))
    for number, name in enumerate(names, 1):
        document = document.replace(f"{mark}:{number}:", f"${name}")
    return document, True


def _json(body: Json) -> str:
    return b"".join(Payload(body, compact=False)).decode()


def _secret_variable(value: str, key: str, taken: list[str]) -> str:
    """The variable that `env:` names; a new one, not in `taken`, for a secret given as text."""
    if value.startswith(ENV_PREFIX):
        given = value.removeprefix(ENV_PREFIX)
        return given if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", given) else _variable(given)
    name = _variable(f"mcp_{key}")
    return name if name not in taken else f"{name}_{len(taken) + 1}"


def _variable(name: str) -> str:
    """A name made into that of a shell variable."""
    variable = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")
    return f"_{variable}" if not variable or variable[0].isdecimal() else variable


def _quoted(text: str) -> str:
    """The text quoted for a POSIX shell."""
    return "'" + text.replace("'", "'\\''") + "'"
