"""`--fault` on the command line, with `--offline` and with `cometresp emulator`."""

import re
from pathlib import Path

import pytest

from cometresp.emulator.faults import KINDS
from tests.conftest import Command

from .talk import request


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ("refusal", 4),
        ("incomplete", 3),
        ("failed", 1),
        ("401", 77),
        ("400", 65),
        ("html", 76),
        ("cut", 69),
        ("429=200", 75),
    ],
)
def test_a_fault_has_its_exit_code_offline(run: Command, spec: str, code: int) -> None:
    assert run("ask", "--offline", "--fault", spec, "Hello").code == code


def test_each_kind_is_in_the_docs() -> None:
    page = (Path(__file__).parents[2] / "docs" / "emulator.md").read_text()
    rows = page.partition("## Faults")[2].splitlines()
    listed = re.findall(r"`([a-z_]+)[\[`]", " ".join(row.split("|")[1] for row in rows if row.startswith("| `")))
    assert sorted(listed) == sorted(KINDS)


def test_each_offline_command_counts_from_1_and_counts_retries(run: Command) -> None:
    words = ["ask", "--offline", "--fault", "429=0@1", "Hello"]
    assert [run(*words).code, run(*words).code, run(*words, "--retries", "0").code] == [0, 0, 75]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["ask", "--fault", "html", "Hello"],
            "--fault: needs --offline\nhint: only the built-in emulator makes faults on request\n",
        ),
        (
            ["ask", "--offline", "--fault", "boom", "Hello"],
            f"--fault: 'boom': no such kind; there are {', '.join(KINDS)} and the statuses 400 to 599\n"
            "hint: docs/emulator.md says what each kind does\n",
        ),
        (
            ["emulator", "--fault", "cut=x"],
            "--fault: 'cut=x': cut takes a whole number of bytes, not 'x'\n"
            "hint: docs/emulator.md says what each kind does\n",
        ),
    ],
)
def test_an_invalid_fault_is_a_usage_error(run: Command, words: list[str], message: str) -> None:
    assert list(run(*words)) == [2, "", f"cometresp: error: {message}"]


def test_the_emulator_command_takes_faults(run: Command) -> None:
    process = run.popen("emulator", "--fault", "503@1", "--fault", "redirect@2", "--fault-seed", "5")
    assert process.stdout is not None
    assert process.stderr is not None
    base_url = process.stdout.readline().decode().split()[-1]
    replies = [request(base_url, "POST", "/responses", {"model": "m", "input": "Hello"}).status for _ in range(3)]
    process.terminate()
    process.wait(60)
    process.stdout.close()
    process.stderr.close()
    assert replies == [503, 301, 200]
