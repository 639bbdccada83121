"""The file of a recording, as someone may have edited it: it is read, or refused with the line at fault.

What is read can be found and sent again: it has a digest, and its headers and its body are bytes.
"""

import json

from cometresp.recording.document import Recorded, WrongDocumentError, read
from cometresp.recording.nearest import nearest
from tests.fuzz.target import Target


def check(data: bytes) -> None:
    read_or_line = _read(data)
    if isinstance(read_or_line, int):
        assert 1 <= read_or_line <= data.count(b"\n") + 1, f"line {read_or_line}"
        return
    asked, reply = read_or_line
    assert len(asked.digest) == 64
    assert asked.prompt is None or json.loads(asked.prompt)
    found = nearest(asked, [("name", asked)])
    assert found == ("name", []), f"a recording differs from itself in {found}"
    sent = b"".join(f"{name}: {value}\r\n".encode("latin-1") for name, value in reply.headers.items()) + reply.body
    assert isinstance(sent, bytes)


def _read(data: bytes) -> Recorded | int:
    """The recording, or the line at fault."""
    try:
        return read(data)
    except WrongDocumentError as error:
        return error.line


# what to start from -------------------------------------------------------------------------------------------------

_REQUEST = (
    '"request": {"method": "POST", "path": "/v1/responses", "query": "a=1&b", "headers": {"a": "***"}, "json": '
    '{"model": "m", "input": [{"role": "user", "content": [{"type": "input_text", "text": "Hi"}]}, '
    '{"type": "function_call_output", "call_id": "c", "output": "o"}], "stream": true}}'
)
_REPLIES = (
    '"reply": {"status": 200, "headers": {"content-type": "text/event-stream"}, "seconds": 0.1, "layout": "spaced", '
    '"ended": "cut",\n"events": [\n[0.1, {"type": "a", "n": 1.0}],\n[0.2, ": x\\n\\n"],\n[0.3, "base64", "/w=="]\n]}',
    '"reply": {"status": 404, "seconds": 1, "length": 9, "json": {"error": {"message": "m"}}, "layout": "indented"}',
    '"reply": {"status": 500, "headers": {}, "text": "<html>"}',
    '"reply": {"status": 204, "base64": "AA=="}',
)

TARGET = Target(
    check=check,
    seeds=tuple(f'{{"recording": 1,\n{_REQUEST},\n{reply}}}\n'.encode() for reply in _REPLIES),
    words=tuple(
        word.encode(errors="surrogatepass")
        for word in (
            *(
                '"\\ud800"',
                '"\\r\\n"',
                '"é"',
                '"\u20ac"',
                "null",
                "true",
                "-1",
                "1e999",
                "NaN",
                "1.5",
                "[]",
                "{}",
                "9" * 5000,
            ),
            *(
                '"events": [[0, 1]]',
                '"events": {}',
                '"json": null',
                '"text": 1',
                '"base64": "é"',
                '"input": "x"',
                "[" * 3000,
            ),
            *(
                '"status": true',
                '"status": 99',
                '"recording": 2',
                '"layout": "x"',
                '"seconds": "1"',
                "\ufeff",
                "\ud800",
                ",",
                ":",
            ),
        )
    ),
    separator=b" ",
)
