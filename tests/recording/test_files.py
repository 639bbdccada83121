"""The files of recordings: any bytes survive, what is damaged is named with its line."""

import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometresp.errors import UsageError
from cometresp.recording.document import Recorded, read, written
from cometresp.recording.exchange import Exchange, Piece, Reply, Request
from cometresp.recording.folder import Folder, load
from cometresp.recording.masks import Masks
from cometresp.recording.nearest import nearest
from cometresp.recording.requests import json_of, recorded_request

ASK = Request("POST", "/v1/responses", "", {"Authorization": "Bearer sk-secret-1"}, b'{"input":"Hi","stream":true}')
STREAM = {"content-type": "text/event-stream"}
DELTA = '{"type":"response.output_text.delta","delta":"Grüße"}'


def kept(request: Request, reply: Reply) -> tuple[str, Recorded]:
    """The text of an exchange's file, and what is read from it."""
    masks = Masks(request.headers, json_of(request.body), request.query)
    data = written(
        Exchange(request, reply, "2026-05-17T09:30:00Z", "https://x/v1"), recorded_request(request, masks), masks
    )
    return data.decode(), read(data)


def test_a_stream_is_written_one_event_a_line_with_its_seconds() -> None:
    frame = f"event: response.output_text.delta\ndata: {DELTA}\n\n".encode()
    pieces = (Piece(0.25, frame[:9]), Piece(0.5, frame[9:] + b": ping\r\n\r\ndata: [DONE]"), Piece(0.75004, b"\xff"))
    text, again = kept(ASK, Reply(200, STREAM, 0.1251, pieces, "cut"))
    assert again.reply.body == b"".join(piece.data for piece in pieces)
    assert (
        text
        == """{
  "recording": 1,
  "at": "2026-05-17T09:30:00Z",
  "upstream": "https://x/v1",
  "request": {
    "method": "POST",
    "path": "/v1/responses",
    "headers": {
      "Authorization": "***"
    },
    "json": {
      "input": "Hi",
      "stream": true
    }
  },
  "reply": {
    "status": 200,
    "headers": {
      "content-type": "text/event-stream"
    },
    "seconds": 0.125,
    "ended": "cut",
    "events": [
      [0.5, {"type": "response.output_text.delta", "delta": "Grüße"}],
      [0.5, ": ping\\r\\n\\r\\n"],
      [0.75, "base64", "ZGF0YTogW0RPTkVd/w=="]
    ]
  }
}
"""
    )


def test_a_secret_that_was_split_over_deltas_is_masked() -> None:
    def frame(delta: str, place: int = 0) -> bytes:
        event = {"type": "response.output_text.delta", "output_index": place, "delta": delta}
        return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()

    split = ["a key: sk-", "secret", "", "-1, and sk-", "other, sk-secret-1", " sk-secret-", "1"]
    data = b"".join([*map(frame, split[:2]), frame("secret", 1), *map(frame, split[2:])])
    _, again = kept(ASK, Reply(200, STREAM, 0.0, (Piece(0.0, data),)))
    masked = ["a key: ***", "", "", ", and sk-", "other, ***", " ***", ""]
    assert again.reply.body == b"".join([*map(frame, masked[:2]), frame("secret", 1), *map(frame, masked[2:])])


@pytest.mark.parametrize(
    ("value", "text", "shown"),
    [
        ("ab12cd34ef", "<p>ab12cd34ef</p>\nab12cd34ef7", "<p>***</p>\n***7"),
        ("sk%2Dab12%2Fcd34", "?sub=sk%2Dab12%2Fcd34: sk-ab12/cd34", "?sub=***: ***"),
        ("preview", "a preview", "a preview"),
        ("2024-10", "2024-10", "2024-10"),
    ],
)
def test_a_parameter_that_may_be_a_key_is_masked_in_text(value: str, text: str, shown: str) -> None:
    reply = Reply(200, {}, 0.0, (Piece(0.0, text.encode()),))
    _, again = kept(ASK._replace(query=f"sub={value}"), reply)
    assert (again.request.query, again.reply.body.decode()) == ("sub=***", shown)


LONG = "You are a careful reviewer of changes. "  # 39 characters


@pytest.mark.parametrize(
    ("there", "here", "words"),
    [
        ("a b", "a  b", '"a b" there, "a ·b" here'),
        ("a b", "a\u00a0b", '"a b" there, "a\\u00a0b" here'),
        ("a\nb", "a b", '"a\\nb" there, "a b" here'),
        (LONG + "Be short.", LONG + "Be long.", '…changes. Be short." there, …changes. Be long." here'),
        (LONG, LONG + "x" * 60, f'…of changes. " there, …of changes. {"x" * 26}… here'),
        (LONG + "x" * 60, 7, '"You are a careful reviewer of changes.… there, 7 here'),
        ("x" * 50 + "\n" * 9, "x" * 50 + "\n" * 8, r'…xxxx\n\n\n\n\n\n\n\n\n" there, …xxxx\n\n\n\n\n\n\n\n" here'),
    ],
    ids=["blanks", "no-break-space", "line-break", "far", "longer", "another-type", "line-breaks"],
)
def test_what_is_different_is_shown_around_its_first_character(there: str, here: object, words: str) -> None:
    one, other = (
        recorded_request(ASK._replace(body=json.dumps({"input": value}).encode()), Masks({}, {}))
        for value in (there, here)
    )
    assert nearest(other, [("0001", one)]) == ("0001", [f"input ({words})"])


def test_the_query_of_where_a_redirect_leads_is_masked_as_that_of_a_request() -> None:
    headers = {
        "Location": "http://u:pw@x/a?key=LOCSECRET&stream=true&v=1&flag#token=FRAGMENT-1",
        "content-location": "/files/a",
    }
    page = b'<a href="http://x/a?key=LOCSECRET">FRAGMENT-1</a>'
    _, again = kept(ASK, Reply(307, headers, 0.0, (Piece(0.0, page),)))
    assert again.reply.headers == {
        "Location": "http://x/a?key=***&stream=true&v=***&flag#token=***",
        "content-location": "/files/a",
    }
    assert again.reply.body == b'<a href="http://x/a?key=***">***</a>'


@pytest.mark.parametrize(
    "body",
    [
        f"event: response.output_text.delta\r\ndata: {DELTA}\r\n\r\n",
        f"event: response.output_text.delta\ndata: {DELTA}",
        f"event: response.output_text.delta\ndata: {DELTA.replace(':', ': ')}\n\n",
        f"event: other\ndata: {DELTA}\n\n",
        f"event: response.output_text.delta\nid: 1\ndata: {DELTA}\n\n\n\n",
        f"data:{DELTA}\r\rdata: \r\r\n\n: {DELTA}\n",
        'event: a\ndata: {"type":"a","n":1.0,"n":1e3}\n\nevent: a\ndata: {"type":"a","n":NaN}\n\n',
        'event: a\ndata: {"type":"a","x":"\\ud800","y":"\\u00fc"}\n\n',
        "event: a\ndata: " + "[" * 5000 + "\n\n",
        '\ufeffevent: a\ndata: {"type":"a"}\n\n',
        '{"EVENTS": []}',
    ],
)
def test_odd_streams_keep_their_bytes(body: str) -> None:
    data = body.encode()
    for cut in (0, 1, len(data) // 2, len(data) - 1):
        pieces = (Piece(0.1, data[:cut]), Piece(0.2, data[cut:]))
        assert kept(ASK, Reply(200, STREAM, 0.1, pieces))[1].reply.body == data


@pytest.mark.parametrize(
    "body",
    [
        '{"id":"resp_1","n":[1.0,-0.0,1e-7],"t":"Grüße"}',
        '{"id": "resp_1", "n": []}',
        '{\n  "id": "resp_1",\n  "EVENTS": []\n}',
        '{\n\t"id": "resp_1"\n}\n',
        '{"n":' + "9" * 5000 + "}",
        '{"n":1e999}',
        '{"n":' + "[" * 900 + "]" * 900 + "}",
        "null",
        "",
        "<html>\r\n</html>",
    ],
)
def test_whole_replies_keep_their_bytes(body: str) -> None:
    reply = Reply(200, {"content-type": "application/json"}, 0.5, (Piece(0.5, body.encode()),) if body else ())
    assert kept(ASK, reply)[1].reply == reply


_TEXT = st.sampled_from(
    ["event: a", "data: ", '{"type":"a"}', "\n", "\r\n", "\r", "\n\n", ": x", "é", "\ud800", "{", " "]
)
_BYTES = st.one_of(
    st.binary(max_size=40),
    st.lists(_TEXT, max_size=20).map(lambda words: "".join(words).encode(errors="surrogatepass")),
)


@given(
    pieces=st.lists(st.tuples(st.floats(0, 1e5), _BYTES), max_size=5),
    kind=st.sampled_from(["text/event-stream", "application/json", ""]),
    status=st.sampled_from([200, 404, 500]),
    body=_BYTES,
)
def test_any_bytes_survive_a_file(pieces: list[tuple[float, bytes]], kind: str, status: int, body: bytes) -> None:
    given = tuple(Piece(*piece) for piece in sorted(pieces, key=lambda piece: piece[0]))
    reply = Reply(status, {"content-type": kind} if kind else {}, 0.0, given)
    request = ASK._replace(body=body)
    _, again = kept(request, reply)
    assert again.reply.body == reply.body
    assert again.request == recorded_request(request, Masks({}, json_of(body)))
    assert [piece.at for piece in again.reply.pieces] == sorted(piece.at for piece in again.reply.pieces)


def test_the_order_of_keys_and_parameters_does_not_count_and_headers_do_not() -> None:
    one = Request(
        "POST", "/v1/responses", "a=1&stream=true", {"X": "1"}, b'{"a": [1, {"b": 2, "c": 3}], "d": "\\u00fc"}'
    )
    other = Request("POST", "/v1/responses", "stream=true&a=2", {}, '{"d":"ü","a":[1,{"c":3,"b":2}]}'.encode())
    masks = Masks({}, {})
    assert recorded_request(one, masks).digest == recorded_request(other, masks).digest
    for changed in (
        one._replace(method="GET"),
        one._replace(path="/v1/responses/x"),
        one._replace(query="a=1&stream=false"),
        one._replace(body=b'{"a": [{"b": 2, "c": 3}, 1], "d": "\\u00fc"}'),
    ):
        assert recorded_request(changed, masks).digest != recorded_request(one, masks).digest


def test_a_file_in_a_request_is_recorded_by_its_digest() -> None:
    data = json.dumps({"input": "x" * 5_000_000}).encode()
    text, again = kept(ASK._replace(body=data), Reply(200, {}, 0.0, ()))
    assert len(text) < 1000
    assert again.request == recorded_request(ASK._replace(body=data), Masks({}, {}))
    assert again.request != recorded_request(ASK._replace(body=data.replace(b'x"', b'y"')), Masks({}, {}))


GOOD = """{"recording": 1,
 "request": {"method": "POST", "path": "/v1/responses", "json": {"reply": {"status": 7}}},
 "reply": {
  "status": 200,
  "seconds": 0.1,
  "events": [
   [0.1, {"type": "a"}],
   [0.2, "text"]
  ]}}
"""


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ('0.2, "text"', '0.2 "text"', 8, "not valid JSON: Expecting ',' delimiter"),
        (
            '"text"]',
            "7]",
            8,
            'reply.events[1]: must be [SECONDS, {"type": …}], [SECONDS, "text"] or [SECONDS, "base64", "…"]',
        ),
        (
            '"text"]',
            '"base64", "é"]',
            8,
            "reply.events[1]: not Base64: string argument should contain only ASCII characters",
        ),
        ("[0.1, {", '["1", {', 7, "reply.events[0]: the seconds must be a number from 0"),
        ("200", "2000", 4, "reply.status: must be a number from 100 to 599"),
        ('"seconds": 0.1', '"ended": "early"', 5, 'reply.ended: must be "cut" or "client", or left out'),
        (
            '"seconds": 0.1',
            '"headers": {"a": "b\\r\\nc: d"}',
            5,
            "reply.headers: must be an object of strings without line ends, in Latin-1",
        ),
        ('"seconds": 0.1', '"layout": "wide"', 5, "reply.layout: must be compact, spaced, indented"),
        ('"method": "POST", ', "", 2, "request.method: must be a string"),
        ('"recording": 1', '"recording": 2', 1, "recording: must be 1; a later version of cometresp may have made it"),
        (GOOD, "[]", 1, 'not a recording: it has no "recording": 1'),
        (GOOD, "", 1, "not valid JSON: Expecting value"),
        ("text", "\ud800", 8, "not UTF-8"),
    ],
)
def test_a_damaged_file_is_named_with_its_line(tmp_path: Path, old: str, new: str, line: int, what: str) -> None:
    path = tmp_path / "0001-x.json"
    path.write_bytes(GOOD.replace(old, new).encode(errors="surrogatepass"))
    with pytest.raises(UsageError) as caught:
        load(tmp_path)
    assert caught.value.message == f"--replay: {path}:{line}: {what}"


def test_no_file_of_another_recorder_is_replaced_and_no_other_user_reads_them(tmp_path: Path) -> None:
    request, folder = recorded_request(ASK, Masks({}, {})), tmp_path / "recordings"
    recorders = [Folder(folder), Folder(folder)]
    slug = f"post-responses-{request.digest[:8]}.json"
    (folder / f"0002-{slug}").symlink_to("nothing")  # as one that came after it was looked for
    names = [each.add(each.next_number(), request, data) for each, data in zip(recorders, (b"1", b"2"), strict=True)]
    assert names == [f"0001-{slug}", f"0003-{slug}"]
    assert sorted(path.name for path in folder.iterdir()) == [names[0], f"0002-{slug}", names[1]]
    assert [(folder / name).read_bytes() for name in names] == [b"1", b"2"]
    assert {stat.S_IMODE((folder / name).stat().st_mode) for name in names} == {0o600}


def test_files_are_read_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for name in ("10000-b.json", "0002-c.json", "by-hand.json", ".0001-hidden.json", "notes.txt"):
        (tmp_path / name).write_text(GOOD)
    assert [recording.name for recording in load(tmp_path)] == ["0002-c.json", "10000-b.json", "by-hand.json"]
