"""A model comments on what it does before it answers: a message with `phase: commentary` isn't the answer."""

from tests.replies.case import Run, Shows, added, b1, everywhere, finished, once
from tests.scripted import call, created, delta, ended, json_reply, message, sse

SEEN = "gpt-5.3-codex and later; openai/codex, reports of schemas that fail"

_COMMENT = message("Looking that up.", id="msg_1", phase="commentary")
_ANSWER = message('{"name":"Ada","age":36}', id="msg_2", phase="final_answer")
_TEXT = '{"name":"Ada","age":36}\n'
_WHOLE = b1(_COMMENT, _ANSWER)
_STREAM = sse(
    created("resp_b1"),
    added({**_COMMENT, "content": []}, 0),
    delta("Looking ", 0),
    delta("that up.", 0),
    finished(_COMMENT, 0),
    added({**_ANSWER, "content": []}, 1),
    delta('{"name":"Ada",', 1),
    delta('"age":36}', 1),
    finished(_ANSWER, 1),
    ended(_WHOLE),
)
_CODE = message("```\nls\n```", id="msg_2")

RUNS = {
    **everywhere(sse(ended(_WHOLE)), _TEXT, schema=Shows(_TEXT)),
    "streamed": once(_STREAM, _TEXT, line="stream hi"),
    "schema": once(_STREAM, _TEXT, line="stream --schema 'name, age int' hi"),
    "shown as reasoning": once(_STREAM, _TEXT, err="Looking that up.\n", line="stream --show-reasoning hi"),
    "shown of a whole reply": once(
        json_reply(_WHOLE), _TEXT, err="Looking that up.\n", line="ask --no-stream --show-reasoning hi"
    ),
    "code": once(sse(ended(b1(_COMMENT, _CODE))), "ls\n", line="ask -x hi"),
    "nothing else": once(sse(ended(b1(_COMMENT))), "Looking that up.\n"),
    "several and nothing else": once(
        sse(ended(b1(_COMMENT, message("Found.", id="msg_2", phase="commentary")))), "Looking that up.\nFound.\n"
    ),
    "the phase is in the first event alone": once(
        sse(
            created("resp_b1"),
            added({**_COMMENT, "content": []}, 0),
            delta("Looking that up.", 0),
            finished(message("Looking that up.", id="msg_1"), 0),
            added({**_ANSWER, "content": []}, 1),
            finished(_ANSWER, 1),
            ended(b1()),
        ),
        _TEXT,
        line="stream hi",
    ),
    "an empty answer beside it": once(sse(ended(b1(_COMMENT, message("", id="msg_2")))), "Looking that up.\n"),
    "before a call": Run(
        [("ask --functions tools.toml --approve always hi", Shows("done\n"))],
        [
            sse(ended(b1(_COMMENT, call("note", "call_1", '{"line":"a"}')))),
            sse(ended(b1(message("done", id="msg_3")))),
        ],
        notes="a\n",
    ),
}
