"""Files that `batch` must not harm: its input, files of other programs, and an output that another run writes."""

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.batch.asked import answering, lines_of, requests_in
from tests.conftest import Command, Result
from tests.scripted import Wire, error_reply, json_reply, reply

GOOD = '{"id": "batch_req_%s", "custom_id": "%s", "response": {"status_code": 200, "body": {}}, "error": null}\n'
NAMED = [{"prompt": name, "custom_id": name} for name in "ab"]


def good(*names: str) -> str:
    return "".join(GOOD % (name, name) for name in names)


def test_the_input_is_never_the_output(ask: Command, batch: Callable[..., Result]) -> None:
    source = requests_in(ask.home, *NAMED)
    before = (ask.home / source).read_bytes()
    (ask.home / "link").symlink_to(source)
    os.link(ask.home / source, ask.home / "hard")
    (ask.home / "out").write_text(good("a"))
    commands = [[source, "-o", name, "--resume", "--retry-failed"] for name in ("./in.jsonl", "link", "hard")]
    commands += [["merge", "out", "--requests", source, "-o", "link"], ["submit", source, "--wait", "-o", "hard"]]
    for words in commands:
        name = words[words.index("-o") + 1]
        assert list(batch(*words)) == [2, "", f"cometresp: error: --output: {name} is the input\n"]
    assert (ask.home / source).read_bytes() == before


OTHERS = {
    "requests": (json.dumps({"custom_id": "x", "prompt": "x"}) + "\n", "line 1 is a request, and no line"),
    "mixed": (good("a") + '{"custom_id": "x", "body": {"input": "x"}}\n', "line 2 is a request, and no line"),
    "one": ('{"custom_id": "x", "input": "x"}', "line 1 is a request, and no line"),
    "object": (good("a") + '{"custom_id": "x"}\n', "line 2 is no line"),
    "other": ('{"custom_id": "x"}\n', "line 1 is no line"),
    "notes": ("my notes", "line 1 is no line"),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_a_file_of_something_else_is_refused_and_left_as_it_is(
    ask: Command, batch: Callable[..., Result], kind: str
) -> None:
    source = requests_in(ask.home, *NAMED)
    content, reason = OTHERS[kind]
    (ask.home / "x").write_text(content)
    told = f"cometresp: error: x: {reason} of a batch's output\n"
    assert list(batch(source, "-o", "x", "--resume", "--retry-failed")) == [2, "", told]
    assert list(batch("merge", "x", "-o", "all")) == [2, "", told]
    assert ((ask.home / "x").read_text(), sorted(path.name for path in ask.home.glob("*"))) == (
        content,
        ["in.jsonl", "x"],
    )


def test_merge_replaces_outputs_alone(ask: Command, batch: Callable[..., Result]) -> None:
    (ask.home / "out").write_text(good("a"))
    (ask.home / "notes").write_text("my notes\n")
    told = "cometresp: error: --output: notes is there already, and is no output of a batch\n"
    assert list(batch("merge", "out", "-o", "notes")) == [2, "", told]
    (ask.home / "all").write_text(good("z"))
    for name in ("all", "out"):
        assert list(batch("merge", "out", "-o", name)) == [0, "", ""]
        assert (ask.home / name).read_text() == good("a")


def test_an_output_that_a_run_writes_is_not_replaced(ask: Command, wire: Wire, batch: Callable[..., Result]) -> None:
    begun, go_on = threading.Event(), threading.Event()
    results = reply(200, good("a"), "application/octet-stream")
    ended = {"id": "batch_1", "status": "completed", "output_file_id": "file-2", "request_counts": {"total": 1}}

    def script(request: object, connection: object) -> None:
        begun.set()
        go_on.wait(30)
        answering(request, connection)  # type: ignore[arg-type]

    wire.answer(script, json_reply(ended), results)
    source = requests_in(ask.home, "a")
    (ask.home / "other").write_text(good("a"))
    with ask.popen("batch", source, "-o", "out") as run:
        assert begun.wait(30)
        told = "cometresp: error: --output: another run is writing to out\n"
        found = [list(batch("merge", "other", "-o", "out")), list(batch("fetch", "batch_1", "-o", "out"))]
        go_on.set()
        run.communicate()
    assert (found, run.returncode) == ([[73, "", told]] * 2, 0)
    assert [line["custom_id"] for line in lines_of(ask.home / "out")] == ["line-1"]


@pytest.mark.parametrize("how", ["removed", "replaced"])
def test_a_run_whose_output_is_taken_away_says_so_and_keeps_what_came(ask: Command, wire: Wire, how: str) -> None:
    def script(request: object, connection: object) -> None:
        (ask.home / "out").unlink()
        if how == "replaced":
            (ask.home / "out").write_text("x")
        answering(request, connection)  # type: ignore[arg-type]

    wire.answer(script)
    found = ask("batch", requests_in(ask.home, "a"), "-o", "out")
    part = ask.home / "out.part"
    assert (found.code, found.err.splitlines()[0]) == (
        73,
        f"cometresp: error: --output: out was removed or replaced while it was written; what came is kept as {part}",
    )
    assert [line["custom_id"] for line in lines_of(part)] == ["line-1"]
    assert Path(ask.home / "out").exists() == (how == "replaced")


def test_lines_that_are_none_are_left_out_and_named_and_the_others_kept(
    ask: Command, wire: Wire, batch: Callable[..., Result]
) -> None:
    wire.answer(answering)
    source = requests_in(ask.home, *NAMED, {"prompt": "c", "custom_id": "c"})
    content = good("a") + "\x00\x00garbage\n" + good("b")[:30] + "\n" + good("b").rstrip("\n")
    for name in ("out", "torn"):
        (ask.home / name).write_text(content)
    told = "2 lines are none of a batch's output, and are left out: 2, 3\n"
    assert list(batch("merge", "out")) == [0, good("a", "b"), f"cometresp: warning: out: {told}"]
    assert list(batch(source, "-o", "out", "--resume")) == [0, "", f"cometresp: warning: out: {told}"]
    assert (ask.home / "out").read_text().startswith(good("a", "b"))
    assert [body["input"] for body in wire.bodies()] == ["c"]


def test_ids_of_another_input_are_no_progress_of_this_one(
    ask: Command, wire: Wire, batch: Callable[..., Result]
) -> None:
    wire.answer(answering)
    source = requests_in(ask.home, *NAMED)
    (ask.home / "out").write_text(good("a", "x", "y"))
    found = batch(source, "-o", "out", "--resume", "--usage")
    assert (found.code, found.err.splitlines()[0]) == (0, "2 of 2 done · 1 by earlier runs · 0 tried again")


def test_a_damaged_record_beside_the_output_is_told(ask: Command, wire: Wire, batch: Callable[..., Result]) -> None:
    wire.answer(error_reply(500))
    named = requests_in(ask.home, {"prompt": "a", "custom_id": "a"})
    unnamed = requests_in(ask.home, "a", name="unnamed.jsonl")
    (ask.home / "out").write_text(good("a", "line-1"))
    unknown = "out.batch.json is damaged, so whether out is of this input isn't known"
    for content in ("", "{", "[]", '{"input": 1}'):
        (ask.home / "out.batch.json").write_text(content)
        found = batch(unnamed, "-o", "out", "--resume")
        assert (found.code, found.err.splitlines()[0]) == (2, f"cometresp: error: --resume: {unknown}")
        told = f"cometresp: warning: {unknown}: it is written again\n"
        assert list(batch(named, "-o", "out", "--resume")) == [0, "", told]
    assert json.loads((ask.home / "out.batch.json").read_text())["form"] == "responses"


def test_a_run_whose_output_is_taken_away_asks_for_nothing_more(ask: Command, wire: Wire) -> None:
    stopped = threading.Event()

    def script(request: object, connection: object) -> None:
        if len(wire.requests) == 1:
            (ask.home / "out").unlink()
            stopped.wait(30)  # longer than the run waits for it
        answering(request, connection)  # type: ignore[arg-type]

    wire.answer(script)
    found = ask("batch", requests_in(ask.home, *"abcdef"), "-o", "out", "--jobs", "1")
    stopped.set()
    assert (found.code, len(wire.requests)) == (73, 1)
