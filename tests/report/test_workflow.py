"""Jobs of GitHub Actions: annotations, outputs, summaries, and lines of an answer that are no commands."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometresp.report.github import SUMMARY_LIMIT, outputs, step_summary
from cometresp.report.workflow import Workflow, annotation
from tests.conftest import Command, Forker
from tests.scripted import Wire, created, delta, error_reply, json_reply, message, response, sse, text_stream
from tests.summaries import GOOD, UNSENT
from tests.summaries import error as failed

# What a runner takes for a command: the first sign at the start of a line, the second anywhere.
COMMAND = re.compile("(?m)^[^\\S\r\n]*::|##\\[")
ATTACK = "see:\n::add-mask::x\n  ::set-env name=A::b\r\t::stop-commands::t\n\ufeff::c::\nsome ##[error]y\n###[group]\n"
SAFE = (
    "see:\n:\u200b:add-mask::x\n  :\u200b:set-env name=A::b\r\t:\u200b:stop-commands::t\n\ufeff:\u200b:c::\n"
    "some ##\u200b[error]y\n###\u200b[group]\n"
)
LEFT = "a :: b\n:x: [#] # [a] #[b] std::vector\n: :\n"


def runner_reads(data: bytes) -> dict[str, str]:
    """The outputs that a runner finds in the file of GITHUB_OUTPUT."""
    found, lines = {}, iter(data.decode().split("\n"))
    for line in lines:
        if not line:
            continue
        name, end = line.split("<<")
        value = []
        for part in lines:
            if part == end:
                break
            value.append(part)
        found[name] = "\n".join(value)
    return found


# lines that are no commands -----------------------------------------------------------------------------------------


def test_the_signs_of_commands_are_broken_and_nothing_else_changes() -> None:
    job = Workflow(guards=True, annotates=False)
    assert (job.stdout((ATTACK + LEFT).encode()).decode(), job.stderr(ATTACK + LEFT)) == (SAFE + LEFT, SAFE + LEFT)
    assert COMMAND.search(SAFE.replace("\ufeff", "").replace("\r", "\n")) is None


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_signs_are_broken_whatever_pieces_they_come_in(size: int) -> None:
    job = Workflow(guards=True, annotates=False)
    text = ATTACK + LEFT
    assert "".join(job.stderr(text[at : at + size]) for at in range(0, len(text), size)) == SAFE + LEFT


@given(st.text(alphabet=":#[]\n\r \t\ufeff\u3000a\u200b", max_size=30), st.integers(1, 5))
def test_no_text_is_a_command_and_only_signs_are_broken(text: str, size: int) -> None:
    job = Workflow(guards=True, annotates=False)
    shown = "".join(job.stderr(text[at : at + size]) for at in range(0, len(text), size))
    lines = [line.lstrip("\ufeff\u3000 \t") for line in re.split("\r\n|[\r\n]", shown)]
    assert [line for line in lines if line.startswith("::") or "##[" in line] == []
    assert shown.replace(":\u200b:", "::").replace("##\u200b[", "##[") == text.replace(":\u200b:", "::").replace(
        "##\u200b[", "##["
    )


@given(st.lists(st.text(alphabet="\ufeff \t\u3000\n", max_size=4), min_size=1, max_size=3), st.integers(1, 4))
def test_no_blanks_before_a_sign_hide_it_whatever_bytes_they_come_in(blanks: list[str], size: int) -> None:
    job = Workflow(guards=True, annotates=False)
    before = "".join(blanks).encode()
    parts = [*(before[at : at + size] for at in range(0, len(before), size)), b":", b":x\n"]
    assert b"".join(map(job.stdout, parts)) == before + ":\u200b:x\n".encode()


@given(st.text(max_size=20), st.text(max_size=20))
def test_any_values_are_read_back(first: str, second: str) -> None:
    assert runner_reads(outputs({"a": first, "b": second})) == {"a": first, "b": second}


def test_bytes_that_are_no_text_and_json_stay_what_they_are() -> None:
    job = Workflow(guards=True, annotates=False)
    document = json.dumps({"text": ATTACK})
    assert json.loads(job.stdout(document.encode()))["text"] == ATTACK.replace("##[", "##\u200b[")
    assert [job.stdout(data) for data in (b"\xff\x00\xc3", b"", b"\xbc\xe2", b"\x82", b"x")] == [
        b"\xff\x00\xc3",
        b"",
        b"\xbc\xe2",
        b"\x82",
        b"x",
    ]
    assert Workflow(guards=False, annotates=True).stdout(ATTACK.encode()) == ATTACK.encode()


def test_an_annotation_is_a_line_of_its_own() -> None:
    assert annotation("error", "a: b, 5%", "50%\r\nof: it") == "::error title=a%3A b%2C 5%25::50%25%0D%0Aof: it\n"
    job = Workflow(guards=True, annotates=True)
    job.stderr("thinking")
    assert job.annotation("warning", "t", "m") == "\n::warning title=t::m\n"


# the files of a step ------------------------------------------------------------------------------------------------


def test_outputs_are_read_back_whatever_is_in_them() -> None:
    values = {"id": "resp_1", "text": "a\n\nname<<end\nend_0\n", "cost": ""}
    first, second = outputs(values), outputs(values)
    assert (runner_reads(first), runner_reads(second), first == second) == (values, values, False)


def test_a_summary_is_cut_to_the_room_that_is_left() -> None:
    good = {
        **GOOD,
        "seconds": 1.25,
        "model_used": "m`1",
        "cost": 0.0012,
        "usage": {"input_tokens": 1, "output_tokens": 2},
    }
    head = "**cometresp ask** · `completed` · `m'1` · 1 → 2 tokens · ~$0.0012 · 1.2 s\n\n"
    notice = "_This answer is longer than the summary of a step may be: it is cut._\n\n"
    whole = [step_summary(good, "a", None, 1000), step_summary(good, "", None, 1000)]  # type: ignore[arg-type]
    assert [data.decode() for data in whole] == [f"{head}a\n\n", head]
    cut = step_summary(good, "ä" * 1000, None, 1000).decode()  # type: ignore[arg-type]
    left = cut.removeprefix(head + notice)
    assert (len(cut.encode()) <= 1000, left, len(left) > 200) == (True, "ä" * (len(left) - 2) + "\n\n", True)
    fenced = step_summary(good, "```\n" * 1000, "json", 1000).decode()  # type: ignore[arg-type]
    assert fenced.startswith(f"{head}{notice}````json\n```\n")
    assert fenced.endswith("\n````\n\n")
    assert step_summary(good, "a" * 1000, None, 100) == b""  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("```py\nx", "```py\nx\n```"),
        ("~~~~\n~~~\n```", "~~~~\n~~~\n```\n~~~~"),
        ("```\nx\n```\nand `code`", "```\nx\n```\nand `code`"),
        ("``` a`b\nx", "``` a`b\nx"),
    ],
)
def test_a_block_of_code_is_closed_in_the_summary(text: str, shown: str) -> None:
    run = {**UNSENT, "seconds": 1.0}
    data = step_summary(run, text, None, 1000).decode()  # type: ignore[arg-type]
    assert data == f"**cometresp ask** · `exit code 0` · 1.0 s\n\n{shown}\n\n"


def test_an_error_is_code_in_the_summary() -> None:
    run = {**UNSENT, "seconds": 1.0, **failed(65, "no ```<b>", hint="look")}
    assert step_summary(run, "", None, 1000).decode() == (  # type: ignore[arg-type]
        "**cometresp ask** · `exit code 65` · 1.0 s\n\n````text\nexit code 65: no ```<b>\nhint: look\n````\n\n"
    )


# the command --------------------------------------------------------------------------------------------------------


@pytest.fixture
def job(ask: Command) -> Command:
    """The command in a step of a job."""
    ask.environ |= {"GITHUB_OUTPUT": str(ask.home / "output"), "GITHUB_STEP_SUMMARY": str(ask.home / "summary")}
    ask.environ |= {"CI": "true", "GITHUB_ACTIONS": "true"}
    return ask


def step(job: Command) -> tuple[dict[str, str], str]:
    """The outputs and the summary of the step, with its seconds replaced; both files are emptied."""
    files = [job.home / "output", job.home / "summary"]
    data, summary = [path.read_bytes() for path in files]
    for path in files:
        path.unlink()
    return runner_reads(data), re.sub(r"\d+\.\d s", "… s", summary.decode())


def test_a_step_has_the_outputs_and_the_summary_of_the_run(job: Command, wire: Wire) -> None:
    wire.answer(text_stream(ATTACK, "end", model="m-1"))
    result = job("stream", "--github", "--price", "1,2", "hi")
    assert list(result) == [0, SAFE + "end\n", ""]
    assert step(job) == (
        {"id": "resp_1", "text": ATTACK + "end", "status": "completed", "exit": "0", "cost": "0.000003"},
        f"**cometresp stream** · `completed` · `m-1` · 1 → 1 tokens · ~$0.0000030 · … s\n\n{ATTACK}end\n\n",
    )


def test_files_have_the_text_as_it_came_and_what_leads_to_the_log_has_not(job: Command, wire: Wire) -> None:
    wire.answer(text_stream(ATTACK))
    with (job.home / "stdout").open("wb") as stdout:
        for words in ([], ["-o", "file"], ["-o", "/dev/stderr"], ["-o", "/dev/fd/1"]):
            process = job.popen("ask", "--github", *words, "hi", stdout=stdout)
            _, err = process.communicate(timeout=60)
            assert (process.returncode, err.decode()) == (0, SAFE if "/dev/stderr" in words else "")
    assert [(job.home / name).read_bytes().decode() for name in ("stdout", "file")] == [ATTACK * 2, ATTACK]


def test_a_part_of_the_answer_is_the_text_of_the_step(job: Command, wire: Wire, forker: Forker) -> None:
    wire.answer(text_stream("x\n```sh\nls\n```\n"))
    told = []
    for words in (["-x"], ["--select", "status"], ["--select", "nope"], ["--json"]):
        forker.run(job, ["ask", "--github", *words, "hi"])
        outputs, summary = step(job)
        told.append((outputs["text"], summary.partition("\n\n")[2]))
    assert told == [
        ("ls", "```\nls\n```\n\n"),
        ("completed", "```\ncompleted\n```\n\n"),
        (
            "",
            "```text\nexit code 8: --select: resp_1 has no nope\nhint: it has id, object, status, output, usage,"
            " output_text\n```\n\n",
        ),
        ("x\n```sh\nls\n```\n", "x\n```sh\nls\n```\n\n"),
    ]


def test_every_end_of_a_run_is_told_to_the_step(job: Command, wire: Wire, forker: Forker) -> None:
    wire.answer(error_reply(400, "no\n::add-mask::x"))
    refused = forker.run(job, ["ask", "--github", "hi"])
    nothing = {"id": "", "text": "", "status": "", "cost": ""}
    line = "HTTP 400: no ::add-mask::x"
    assert list(refused) == [65, "", f"::error title=cometresp%3A exit code 65::{line}\n"]
    assert step(job) == (
        nothing | {"exit": "65"},
        f"**cometresp ask** · `exit code 65` · `m` · … s\n\n```text\nexit code 65: {line}\n```\n\n",
    )
    wrong = forker.run(job, ["ask", "--github", "--nope", "hi"])
    hint = "%0Ahint: see cometresp ask --help"
    assert list(wrong) == [2, "", f"::error title=cometresp%3A exit code 2::no such flag: --nope{hint}\n"]
    assert step(job)[0] == nothing | {"exit": "2"}
    wire.answer(sse(created(), delta("half")))
    cut = forker.run(job, ["ask", "--github", "--no-stream", "--retries", "0", "hi"])
    assert (cut.code, cut.text, step(job)[0]) == (
        69,
        "half\n",
        {"id": "resp_1", "text": "half", "status": "cut", "exit": "69", "cost": ""},
    )


def test_errors_and_warnings_are_annotations(ask: Command, wire: Wire, forker: Forker) -> None:
    wire.answer(json_reply(response(message("::a::"))))
    result = forker.run(ask, ["ask", "--no-stream", "--error-format", "github", "--user", "u", "hi"])
    deprecated = "--user is deprecated: --safety-identifier and --prompt-cache-key replace it"
    assert list(result) == [0, "::a::\n", f"::warning title=cometresp::{deprecated}\n"]
    result = forker.run(ask, ["cancel", "--error-format", "github", "no such id"])
    assert (result.code, result.err.partition("::HTTP")[0].partition("%0A")[0].count("::error title=")) == (2, 1)


def test_the_format_of_errors_can_be_another_one(job: Command, wire: Wire, forker: Forker) -> None:
    wire.answer(error_reply(400, "##[error]"))
    text, as_json = [
        forker.run(job, ["ask", "--github", "--error-format", form, "hi"]).err for form in ("text", "json")
    ]
    assert (text, json.loads(as_json)["error"]["message"]) == (
        "cometresp: error: HTTP 400: ##\u200b[error]\n",
        "HTTP 400: ##\u200b[error]",
    )


def test_settings_of_the_file_count(job: Command, wire: Wire, forker: Forker, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('github = true\nsummary_file = "s.json"\n')
    wire.answer(error_reply(400, "no"))
    result = forker.run(job, ["ask", "hi"], env={"COMETRESP_CONFIG": str(config)})
    assert list(result) == [65, "", "::error title=cometresp%3A exit code 65::HTTP 400: no\n"]
    assert (step(job)[0]["exit"], json.loads((job.home / "s.json").read_text())["exit_code"]) == ("65", 65)
    wrong = forker.run(job, ["ask", "--nope", "hi"], env={"COMETRESP_CONFIG": str(config)})
    assert (wrong.code, wrong.err.partition("::no")[0]) == (2, "::error title=cometresp%3A exit code 2")
    assert (step(job)[0]["exit"], json.loads((job.home / "s.json").read_text())["exit_code"]) == ("2", 2)


def test_it_needs_a_job(ask: Command, wire: Wire, forker: Forker) -> None:
    words = ["ask", "--github", "hi"]
    told = [list(forker.run(ask, words)), list(forker.run(ask, words, env={"GITHUB_OUTPUT": "no/where"}))]
    assert (told, wire.requests) == (
        [
            [
                2,
                "",
                "cometresp: error: --github: GITHUB_OUTPUT is not set\n"
                "hint: GitHub Actions sets it: leave --github out elsewhere\n",
            ],
            [
                73,
                "",
                "::error title=cometresp%3A exit code 73::--github: the file of GITHUB_OUTPUT can't be written: "
                "No such file or directory\n",
            ],
        ],
        [],
    )


def test_a_full_summary_is_warned_about(job: Command, wire: Wire, forker: Forker) -> None:
    wire.answer(text_stream("a"))
    (job.home / "summary").write_bytes(b"x" * SUMMARY_LIMIT)
    full = forker.run(job, ["ask", "--github", "hi"])
    warning = "::warning title=cometresp::GITHUB_STEP_SUMMARY is full: nothing is added to it\n"
    assert (list(full), (job.home / "summary").stat().st_size) == ([0, "a\n", warning], SUMMARY_LIMIT)
