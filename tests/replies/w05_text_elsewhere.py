"""The text stands where the API has none: content as a string, `output_text` beside an empty output."""

from tests.replies.case import b1, everywhere, once
from tests.scripted import created, delta, ended, json_reply, sse

SEEN = "gateways that translate other APIs; reports of empty answers to several clients"

_MESSAGE = {"type": "message", "id": "msg_1", "role": "assistant"}
_EMPTY = "cometresp: warning: resp_b1 completed without an answer: no text, call or image"


def _whole(*output: object, **more: object) -> bytes:
    return json_reply({**b1(usage=None), "output": list(output), **more})


RUNS = {
    **everywhere(json_reply(b1({**_MESSAGE, "content": "Hello world"})), "Hello world\n"),
    "output_text": once(_whole(output_text="Hello world"), "Hello world\n"),
    "output_text of a stream": once(
        sse(created("resp_b1"), ended(b1(output_text="Hello world"))), "Hello world\n", line="stream hi"
    ),
    "output_text beside reasoning": once(
        _whole({"type": "reasoning", "id": "rs_1", "summary": []}, output_text="Hello world"), "Hello world\n"
    ),
    "one part without a list": once(
        _whole({**_MESSAGE, "content": {"type": "output_text", "text": "Hello world"}}), "Hello world\n"
    ),
    "parts of strings": once(_whole({**_MESSAGE, "content": ["Hello ", "world"]}), "Hello world\n"),
    "the part of another API": once(
        _whole({**_MESSAGE, "content": [{"type": "text", "text": "Hello world"}]}), "Hello world\n"
    ),
    "output that is a string": once(json_reply({**b1(), "output": "Hello world"}), "Hello world\n"),
    "a part without a message": once(_whole({"type": "output_text", "text": "Hello world"}), "Hello world\n"),
    "the rest in output_text": once(
        sse(created("resp_b1"), delta("Hello "), ended(b1(output_text="Hello world"))),
        "Hello world\n",
        line="stream hi",
    ),
    "a search alone": once(
        _whole({"type": "web_search_call", "id": "ws_1", "status": "completed"}), "", err=f"{_EMPTY}\n"
    ),
    "no text at all": once(json_reply(b1(usage=None)), "", err=f"{_EMPTY}\n"),
    "no text for tokens": once(
        json_reply(b1(usage={"input_tokens": 3, "output_tokens": 7, "total_tokens": 10})),
        "",
        err=f"{_EMPTY}, though it used 7 output tokens\n",
    ),
    "reasoning alone": once(
        _whole({"type": "reasoning", "id": "rs_1", "summary": []}), "", err=f"{_EMPTY}\n", line="stream hi"
    ),
    "no text for a schema": once(
        json_reply(b1(usage=None)),
        "",
        8,
        "cometresp: error: resp_b1 is not JSON, as the schema requires: it is empty\n",
        line="ask --schema 'a int' hi",
    ),
    "no text to extract from": once(
        json_reply(b1(usage=None)),
        "",
        8,
        "cometresp: error: resp_b1 has no fenced code block to extract\n",
        line="ask -x hi",
    ),
}
