"""A request as one curl command for a POSIX shell."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, starmap

from cometresp.request.secrets import with_changed_tools
from cometresp.text import to_bytes
from cometresp.wire.endpoints import Request
from cometresp.wire.form import Form
from cometresp.wire.headers import is_secret_header
from cometresp.wire.payload import Payload
from cometresp.wire.tool_secrets import ENV_PREFIX, Secret
from cometresp.wire.urls import root_of

KEY = "Bearer $COMETAPI_KEY"  # marks the header of the API key in a command

_END = "END"  # of the here-document


def curl(
    request: Request,
    base_url: str,
    headers: Mapping[str, str | None],
    *,
    proxy_free: bool = False,
    variables: "Variables | None" = None,
) -> Iterator[bytes]:
    """One POSIX shell command that makes the same request, in pieces of whole characters.

    Secrets are variables: the key is `$COMETAPI_KEY`. A header that is None is one that must not be sent. Files are
    read while the command is written. `variables` stand in the body, or in the file of the form, already.
    """
    variables = variables or Variables()
    first = "curl -sS"
    if request.method not in ("GET", "POST") or (
        request.method == "POST" and request.body is None and request.form is None
    ):
        first += f" -X {request.method}"
    first += " --no-buffer" if request.headers.get("Accept") == "text/event-stream" else ""
    first += " --noproxy '*'" if proxy_free else ""
    first += " --globoff" if re.search(r"[][{}]", request.url(base_url)) else ""
    base_url = root_of(base_url) if request.public else base_url
    if request.form is not None:  # curl makes a boundary of its own
        headers = {name: value for name, value in headers.items() if name.lower() != "content-type"}
    lines = [f"{first} {_url(base_url, request.target)}", *starmap(_header, headers.items())]
    document: Iterable[bytes] = ()
    if request.form is not None:
        lines += _form(request.form)
        document = request.form.file.pieces()
    elif request.body is not None:
        lines.append("--data-binary @-")
        document = chain(Payload(with_changed_tools(request.body, variables.of_secret), compact=False), [b"\n"])
    if document:
        lines[-1] += f" <<{_END if variables else _quoted(_END)}"
    yield to_bytes(" \\\n  ".join(lines) + "\n")
    if document:
        yield from map(variables.expanded, document)
        yield f"{_END}\n".encode()


def _form(form: Form) -> list[str]:
    """The parts of a form; its file, whose last line has an end, is standard input."""
    filename = form.filename.replace("\\", "\\\\").replace('"', '\\"')
    parts = [f"{name}={value}" for name, value in form.fields]
    return [f"-F {_quoted(part)}" for part in (*parts, f'file=@-;filename="{filename}";type={form.kind}')]


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


class Variables:
    """The shell variables of a here-document: marks in its text that become `$NAME`.

    A document with any expands them: then every other `$`, backtick and backslash is escaped. Its lines are JSON, which
    never are the line that ends it.
    """

    def __init__(self) -> None:
        self._marks: dict[bytes, bytes] = {}
        self._names: list[str] = []
        self._mark = os.urandom(16).hex()  # random, so that it can't occur in the text

    def __bool__(self) -> bool:
        return bool(self._names)

    def of_secret(self, secret: Secret) -> str:
        """The mark of a secret."""
        return self.named(_secret_variable(secret, self._names))

    def named(self, name: str) -> str:
        """A mark that becomes the variable of this name."""
        self._names.append(name)
        mark = f"{self._mark}:{len(self._names)}:"
        self._marks[mark.encode()] = f"${name}".encode()
        return mark

    def expanded(self, piece: bytes) -> bytes:
        if not self._names:
            return piece
        for special in (b"\\", b"$", b"`"):
            piece = piece.replace(special, b"\\" + special)
        for mark, variable in self._marks.items():
            piece = piece.replace(mark, variable)
        return piece


def _secret_variable(secret: Secret, taken: list[str]) -> str:
    """The variable that `env:` names; a new one, not in `taken`, for a secret given as text."""
    if secret.is_looked_up:
        given = secret.value.removeprefix(ENV_PREFIX)
        return given if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", given) else _variable(given)
    name = _variable(f"mcp_{secret.name}")
    return name if name not in taken else f"{name}_{len(taken) + 1}"


def _variable(name: str) -> str:
    """A name made into that of a shell variable."""
    variable = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")
    return f"_{variable}" if not variable or variable[0].isdecimal() else variable


def _quoted(text: str) -> str:
    """The text quoted for a POSIX shell."""
    return "'" + text.replace("'", "'\\''") + "'"
