"""Exceptions that nobody expected: what the user is told, and the private file about them.

A bug is made by a module that Python itself loads at its start (`sitecustomize`), so the program knows of no test.
"""

import json
import os
import re
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from cometresp import __version__
from tests.conftest import Command, Result
from tests.scripted import Wire, text_stream
from tests.summaries import GOOD, NO_ERROR, UNSENT, summary_in

KEY = "sk-a1b2c3d4e5f6g7h8"
HEADER = "h3ad3r-s3cr3t-value"
PROMPT = "my private prompt"
WORDS = ["ask", PROMPT, "-m", "private-model", "-H", f"X-Token: {HEADER}", "--timeout=5", "--", "--json"]
# What is loaded at Python's start: the code runs once the module is there in which it puts a bug.
SHIM = """
import sys
from importlib.abc import MetaPathFinder
from importlib.util import find_spec

class Finder(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name != {module!r}:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(name)
        execute = spec.loader.exec_module
        def loaded(module):
            execute(module)
            module.__dict__["broken"] = broken
            exec({code!r}, module.__dict__)
        spec.loader.exec_module = loaded
        return spec

def broken(error):
    def fails(*args, **kwargs):
        password = "a local value"
        raise error
    return fails

sys.meta_path.insert(0, Finder())
"""


@dataclass
class Broken:
    """The command with a bug in it."""

    command: Command
    state: Path
    temporary: Path

    def __call__(self, code: str, *words: str, module: str = "cometresp.turns.run") -> Result:
        with self.broken(code, module):
            return self.command(*(words or WORDS))

    @contextmanager
    def broken(self, code: str, module: str = "cometresp.turns.run") -> Iterator[None]:
        """The bug is there for so long."""
        (self.command.home / "sitecustomize.py").write_text(SHIM.format(module=module, code=code))
        path = self.command.environ["PYTHONPATH"]
        self.command.environ["PYTHONPATH"] = f"{self.command.home}{os.pathsep}{path}"
        yield
        self.command.environ["PYTHONPATH"] = path

    def reports(self, folder: Path | None = None) -> list[Path]:
        return sorted((folder or self.state).glob("cometresp-bug-*.txt"))

    def report(self) -> str:
        (path,) = self.reports()
        return path.read_text()


@pytest.fixture
def bug(run: Command, tmp_path: Path) -> Broken:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    state = run.home / "state"
    run.environ |= {"COMETAPI_KEY": KEY, "COMETAPI_BASE_URL": "http://127.0.0.1:1/v1"}
    run.environ |= {"COMETRESP_STATE_DIR": str(state), "TMPDIR": str(temporary)}
    return Broken(run, state, temporary)


def told(what: str, path: object) -> str:
    hint = f"please report it; the details are in {path}"
    return f"cometresp: error: a bug in cometresp {__version__}: {what}\nhint: {hint}\n"


def test_a_bug_is_one_line_and_names_a_private_file(bug: Broken) -> None:
    result = bug("prepare = broken(LookupError('of words'))")
    (path,) = bug.reports()
    assert list(result) == [70, "", told("LookupError: of words", path)]
    assert [stat.S_IMODE(entry.stat().st_mode) for entry in (bug.state, path)] == [0o700, 0o600]


def test_the_file_says_where_it_happened_but_not_what_was_asked(bug: Broken) -> None:
    bug("prepare = broken(LookupError('of words'))")
    version, system, command, error, blank, *traceback = bug.report().splitlines()
    assert (version, blank) == (f"cometresp {__version__}", "")
    assert re.fullmatch(r"Python 3\.\d+\.\d+\w* \(\w+\), \S+", system)
    assert command == "command: cometresp ask -m -H --timeout"
    assert error == "error: LookupError: of words"
    assert (traceback[0], traceback[-1]) == ("Traceback (most recent call last):", "LookupError: of words")
    assert any(line.startswith('  File "') and line.endswith(", in fails") for line in traceback)
    for private in (PROMPT, "private-model", HEADER, KEY, "a local value", "X-Token", "--json"):
        assert private not in bug.report()


def test_secrets_in_its_messages_are_masked_and_long_ones_cut(bug: Broken) -> None:
    text = f"{KEY} {HEADER} {'x' * 500}"
    code = f"""
def prepare(*_, **__):
    try:
        {{}}[{text!r}]
    except KeyError as error:
        raise LookupError({text!r}) from error
"""
    result = bug(code)
    message = f"*** *** {'x' * 191}…"
    assert list(result) == [70, "", told(f"LookupError: {message}", bug.reports()[0])]
    assert bug.report().splitlines()[-1] == f"LookupError: {message}"
    assert re.search(r"^KeyError: '\*\*\* \*\*\* x+…$", bug.report(), re.MULTILINE)
    assert not [secret for secret in (KEY, HEADER, KEY[:12], HEADER[:12]) if secret in bug.report()]


def test_control_characters_of_a_message_are_escaped(bug: Broken) -> None:
    result = bug("prepare = broken(LookupError('a\\n\\x1b]0;b\\x07\\u202ec'))")
    assert list(result) == [70, "", told(r"LookupError: a\n\x1b]0;b\x07\u202ec", bug.reports()[0])]
    assert "\x1b" not in bug.report()


def test_as_json_it_is_one_object(bug: Broken) -> None:
    code, out, err = bug("prepare = broken(LookupError('of words'))", "ask", "--error-format", "json", "hi")
    facts = json.loads(err)["error"]
    assert (code, out) == (70, "")
    assert (facts["exit_code"], facts["message"]) == (70, f"a bug in cometresp {__version__}: LookupError: of words")
    assert facts["hint"].endswith(f" are in {bug.reports()[0]}")


def test_with_debug_the_traceback_is_on_stderr_too(bug: Broken) -> None:
    err = bug("prepare = broken(LookupError('of words'))", "ask", "--debug", PROMPT).err
    traceback = bug.report().partition("\n\n")[2]
    assert err == traceback + told("LookupError: of words", bug.reports()[0])


def test_the_newest_ten_files_are_kept_and_those_of_others_left(bug: Broken) -> None:
    bug.state.mkdir()
    for number in range(12):
        path = bug.state / f"cometresp-bug-{number:02}.txt"
        path.write_text("")
        os.utime(path, (number, number))
    other = bug.state / "notes.txt"
    other.write_text("")
    bug("prepare = broken(LookupError())")
    assert [path.name for path in bug.reports()[:9]] == [f"cometresp-bug-{number:02}.txt" for number in range(3, 12)]
    assert (len(bug.reports()), other.exists()) == (10, True)


def test_without_a_state_folder_the_file_is_in_the_temporary_one(bug: Broken) -> None:
    bug.state.write_text("a file")
    result = bug("prepare = broken(LookupError())")
    (path,) = bug.reports(bug.temporary)
    assert list(result) == [70, "", told("LookupError", path)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_without_any_place_for_the_file_the_error_is_told(bug: Broken) -> None:
    bug.state.write_text("a file")
    nowhere = "import tempfile\ndef none():\n    raise FileNotFoundError\ntempfile.gettempdir = none\n"
    result = bug(f"{nowhere}prepare = broken(LookupError('of words'))")
    message = f"cometresp: error: a bug in cometresp {__version__}: LookupError: of words\n"
    assert list(result) == [70, "", f"{message}hint: please report it; --debug shows where it happened\n"]


@pytest.mark.parametrize(
    "fails",
    [
        "bugs.report = broken(RecursionError())",
        "bugs.escape_line = broken(MemoryError())",
        "bugs._lines = broken(TypeError())",
        "cli._print_error = broken(OSError())",
        "cli._report_of = broken(ValueError())",
    ],
)
def test_a_failure_of_the_report_leaves_the_first_error_on_one_line(bug: Broken, fails: str) -> None:
    result = bug(f"from cometresp import bugs, cli\n{fails}\nprepare = broken(LookupError('of words'))")
    assert list(result) == [70, "", f"cometresp: error: a bug in cometresp {__version__}: LookupError\n"]


def test_a_report_that_can_t_be_printed_leaves_the_exit_code_and_the_file(bug: Broken) -> None:
    with bug.broken("import os\nos.close(2)\nprepare = broken(LookupError('of words'))"):
        process = bug.command.popen(*WORDS, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert process.wait(timeout=60) == 70
    assert len(bug.reports()) == 1


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("def prepare(*args):\n    prepare(*args)", "RecursionError: maximum recursion depth exceeded"),
        ("prepare = broken(MemoryError())", "MemoryError"),
        (
            "class OddError(Exception):\n    def __str__(self):\n        return 1 / 0\nprepare = broken(OddError())",
            "OddError: (it has no readable message)",
        ),
        ("prepare = broken(OSError(5000, 'odd'))", "OSError: [Errno 5000] odd"),
        ("prepare = broken(ExceptionGroup('both', [ValueError('a')]))", "ExceptionGroup: both (1 sub-exception)"),
    ],
)
def test_any_exception_is_reported(bug: Broken, code: str, what: str) -> None:
    result = bug(code)
    (path,) = bug.reports()
    assert list(result) == [70, "", told(what, path)]
    assert len(bug.report()) < 50_000


def test_a_long_traceback_is_cut_in_the_middle(bug: Broken) -> None:
    bug("def prepare(n, *_):\n    n = n if isinstance(n, int) else 500\n    return prepare(n - 1) if n else 1 / 0")
    assert re.search(r"^  \(\d{3} calls are left out\)$", bug.report(), re.MULTILINE)
    assert bug.report().endswith("ZeroDivisionError: division by zero\n")


def test_an_exception_in_a_thread_is_reported_and_the_run_goes_on(bug: Broken) -> None:
    code = """
original = prepare
def prepare(*given):
    import threading
    thread = threading.Thread(target=broken(LookupError("of words")))
    thread.start()
    thread.join()
    return original(*given)
"""
    result = bug(code, "ask", "--dry-run", "-m", "m", "hi")
    assert (result.code, json.loads(result.text)["input"]) == (70, "hi")
    assert result.err == told("LookupError: of words", bug.reports()[0])


def test_secrets_in_messages_of_a_thread_are_masked_too(bug: Broken) -> None:
    code = f"""
original = prepare
def prepare(*given):
    import threading
    prepared = original(*given)
    thread = threading.Thread(target=broken(LookupError("{KEY} {HEADER}")))
    thread.start()
    thread.join()
    return prepared
"""
    (bug.command.home / "config.toml").write_text(f"[keys]\n'{bug.command.environ['COMETAPI_BASE_URL']}' = '{KEY}'\n")
    bug.command.environ |= {"COMETAPI_KEY": "", "COMETRESP_CONFIG": str(bug.command.home / "config.toml")}
    result = bug(code, "ask", "--dry-run", "-m", "m", "-H", f"X-Token: {HEADER}", "hi")
    assert (result.code, result.err) == (70, told("LookupError: *** ***", bug.reports()[0]))
    assert not [secret for secret in (KEY, HEADER) if secret in bug.report()]


def test_a_key_is_masked_as_it_is_sent_before_the_command_runs_too(bug: Broken) -> None:
    bug.command.environ["COMETAPI_KEY"] = f"\ufeff{KEY}\n"
    result = bug(f"broken(LookupError({KEY!r}))()", module="cometresp.commands.ask")
    assert list(result) == [70, "", told("LookupError: ***", bug.reports()[0])]
    assert KEY not in bug.report()


def test_an_exception_before_the_command_runs_is_reported(bug: Broken) -> None:
    for module, code in (("cometresp.commands.ask", "1 / 0"), ("cometresp.errors", "1 / 0")):
        result = bug(code, module=module)
        (path,) = bug.reports()
        assert list(result) == [70, "", told("ZeroDivisionError: division by zero", path)]
        path.unlink()


def test_without_typer_the_program_says_so(bug: Broken) -> None:
    packages = bug.command.home / "typer"
    packages.mkdir()
    (packages / "__init__.py").write_text("raise ModuleNotFoundError(\"No module named 'typer'\")")
    result = bug("", module="nothing")
    assert list(result) == [70, "", told("ModuleNotFoundError: No module named 'typer'", bug.reports()[0])]


def test_a_command_without_a_bug_writes_no_file(bug: Broken) -> None:
    assert bug.command("ask", "--dry-run", "-m", "m", "hi").code == 0
    assert bug.command("ask", "--no-such-flag").code == 2
    assert not bug.state.exists() or bug.reports() == []


# what a script reads of it ------------------------------------------------------------------------------------------


def test_a_bug_is_in_the_summary_file(bug: Broken) -> None:
    result = bug("prepare = broken(LookupError('of words'))", "ask", "hi", "--summary-file", "s.json")
    summary = summary_in((bug.command.home / "s.json").read_text())
    told = {"message": f"a bug in cometresp {__version__}: LookupError: of words"}
    assert {**summary["error"], "hint": None} == NO_ERROR | told | {"exit_code": 70}
    assert (result.code, {**summary, "error": None}) == (70, UNSENT | {"exit_code": 70})


def test_a_bug_in_a_thread_is_in_the_summary_file(bug: Broken, wire: Wire) -> None:
    wire.answer(text_stream("a"))
    bug.command.environ |= {"COMETAPI_BASE_URL": wire.url, "CI": "1"}
    code = "import threading; threading.Thread.run = broken(LookupError('of words'))"
    result = bug(code, "ask", "-m", "m", "hi", "--summary-file", "s.json", module="cometresp.turns.turn")
    summary = summary_in((bug.command.home / "s.json").read_text())
    assert (result.code, result.text, {**summary, "error": None}) == (70, "a\n", GOOD | {"exit_code": 70})
