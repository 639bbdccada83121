"""A form as the body of a request (RFC 7578): fields of text, and a file that is read while it is sent."""

import os
import re
from collections.abc import Callable, Iterator

from cometresp.tuples import NamedTuple
from cometresp.wire.payload import Content

_ESCAPED = r'[\r\n"]'  # in a name; escaped as browsers do it


class Form(NamedTuple):
    """Fields by name, and the file in the field `file`. `boundary` must not occur in any of them."""

    fields: tuple[tuple[str, str], ...]
    filename: str
    file: Content
    boundary: str
    kind: str = "application/jsonl"  # of the file

    @classmethod
    def of(cls, fields: tuple[tuple[str, str], ...], filename: str, file: Content) -> "Form":
        """A form with a boundary of its own."""
        return cls(fields, filename, file, f"cometresp-{os.urandom(16).hex()}")

    @property
    def content_type(self) -> str:
        return f"multipart/form-data; boundary={self.boundary}"


class FormPayload:
    """A form as bytes, as `Payload` is a body as JSON: its length, and an iterable of its pieces."""

    def __init__(self, form: Form, on_upload: Callable[[int, int], None] | None = None) -> None:
        self._form = form
        self._on_upload = on_upload or (lambda *_: None)
        parts = [f"{_head(form, name)}\r\n\r\n{value}\r\n" for name, value in form.fields]
        named = f'{_head(form, "file")}; filename="{_escaped(form.filename)}"'
        self._start = "".join([*parts, f"{named}\r\nContent-Type: {form.kind}\r\n\r\n"]).encode()
        self._end = f"\r\n--{form.boundary}--\r\n".encode()
        self.length = len(self._start) + form.file.length + len(self._end)

    def check(self) -> None:
        """Raises UsageError if the file has changed since the form was made."""
        self._form.file.check()

    def __iter__(self) -> Iterator[bytes]:
        sent = 0
        self._on_upload(0, self.length)
        for piece in self._pieces():
            yield piece
            sent += len(piece)
            self._on_upload(sent, self.length)

    def _pieces(self) -> Iterator[bytes]:
        yield self._start
        yield from self._form.file.pieces()
        yield self._end


def _head(form: Form, name: str) -> str:
    return f'--{form.boundary}\r\nContent-Disposition: form-data; name="{_escaped(name)}"'


def _escaped(name: str) -> str:
    return re.sub(_ESCAPED, lambda found: f"%{ord(found[0]):02X}", name)
