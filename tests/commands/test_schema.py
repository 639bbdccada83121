"""`schema`: the schema that would be sent."""

import json

from tests.conftest import Command
from tests.schema.shapes import TEXT, closed
from tests.terminals import on_terminal


def test_the_schema_command_prints_what_would_be_sent(run: Command) -> None:
    sent = json.loads(run("ask", "--dry-run", "-m", "m", "--schema", "a, b int", "hi").out)["text"]["format"]["schema"]
    code, out, err = run("schema", "a, b int")
    assert (code, json.loads(out), out.count("\n"), err) == (0, sent, 1, "")
    assert json.loads(run("schema", "--multi", "@-", stdin=b"a\nb int\n").out) == closed(
        items={"type": "array", "items": sent}
    )
    (run.home / "s.json").write_text('{"type": "array"}')
    assert json.loads(run("schema", "--no-strict", "s.json").out) == {"type": "array"}
    hint = "hint: --multi takes the schema of one element, and requests a list of them\n"
    error = "cometresp: error: SPEC: a strict schema must have type 'object' at its root, not 'array'\n"
    assert list(run("schema", "s.json")) == [2, "", error + hint]
    assert json.loads(on_terminal(run, "schema", "a")[1]) == closed(a=TEXT)
