"""Bodies of type `multipart/form-data` (RFC 7578): the fields of a form, one of which may be a file."""

from email.message import Message
from email.parser import BytesHeaderParser

from cometresp.emulator.errors import ApiError
from cometresp.tuples import NamedTuple


class Field(NamedTuple):
    """The value of a field as bytes; `filename` is "" where it isn't a file."""

    data: bytes
    filename: str


def parse_form(body: bytes, content_type: str) -> dict[str, Field]:
    """The fields of a form by their names. Raises ApiError for what isn't one."""
    head = Message()
    head["Content-Type"] = content_type
    boundary = head.get_boundary()
    if head.get_content_type() != "multipart/form-data" or not boundary:
        raise _bad("Expected a body of type multipart/form-data.")
    _, *parts = (b"\r\n" + body).split(b"\r\n--" + boundary.encode("latin-1", "replace"))
    if not parts or not parts[-1].startswith(b"--"):
        raise _bad("The form doesn't end with its boundary.")
    fields: dict[str, Field] = {}
    for part in parts[:-1]:
        lines, blank, data = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        headers = BytesHeaderParser().parsebytes(lines + b"\r\n\r\n")
        name = headers.get_param("name", header="content-disposition")
        if not blank or not isinstance(name, str):
            raise _bad("A part of the form has no name.")
        fields[name] = Field(data, headers.get_filename() or "")
    return fields


def _bad(text: str) -> ApiError:
    return ApiError(400, text, code="bad_request_body")
