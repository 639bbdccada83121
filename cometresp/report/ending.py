"""The files that are written at the end of a run, whatever its end: `--summary-file`, `--github`."""

import json
import os
from contextlib import suppress

from cometresp.errors import CometrespError, OutputError, UsageError
from cometresp.report import github
from cometresp.report.facts import End, Report
from cometresp.report.summary import Summary, summary_of
from cometresp.sinks import FileSink
from cometresp.terminal import Terminal
from cometresp.text import json_bytes, valid_json

_FLAG, _GITHUB = "--summary-file", "--github"
_STDOUT = "-"


def check_files(report: Report, terminal: Terminal) -> None:
    """Raises OutputError for a file that can't be written at the end, UsageError where a flag names none.

    What isn't a regular file is opened here. A regular one is made at the end: a run that is killed leaves nothing.
    """
    flags = report.flags
    for flag, is_given, check in (
        (_FLAG, flags.summary_file not in (None, _STDOUT), _check_summary_file),
        (_GITHUB, flags.github, _check_files_of_github),
    ):
        try:
            if is_given:
                check(report, terminal)
        except CometrespError:
            report.unwritable.add(flag)
            raise


def _check_summary_file(report: Report, terminal: Terminal) -> None:
    sink = FileSink(report.flags.summary_file or "", terminal, _FLAG)
    if sink.is_through:
        report.sink = sink
    else:
        sink.discard()


def _check_files_of_github(_: Report, terminal: Terminal) -> None:
    if not terminal.environ.get(github.OUTPUTS):
        raise UsageError(
            f"{_GITHUB}: {github.OUTPUTS} is not set", hint=f"GitHub Actions sets it: leave {_GITHUB} out elsewhere"
        )
    for name in (github.OUTPUTS, github.STEP_SUMMARY):
        if path := terminal.environ.get(name):
            _append(name, path, b"")


def write(report: Report, command: str, end: End, terminal: Terminal) -> list[CometrespError]:
    """Write the files that the flags name; returns what can't be written."""
    problems: list[CometrespError] = []
    summary = summary_of(report, command, end)
    flags = report.flags
    if flags.summary_file and _FLAG not in report.unwritable:
        try:
            _write_summary(report, flags.summary_file, summary, terminal)
        except CometrespError as error:
            problems.append(error)
            summary["exit_code"] = summary["exit_code"] or error.exit_code
    if flags.github and terminal.environ.get(github.OUTPUTS) and _GITHUB not in report.unwritable:
        for write_file in (_write_outputs, _write_step_summary):
            try:
                write_file(report, summary, terminal)
            except CometrespError as error:
                problems.append(error)
    return problems


def _write_summary(report: Report, path: str, summary: Summary, terminal: Terminal) -> None:
    data = json_bytes(valid_json(json.dumps(summary, ensure_ascii=False)) + "\n")
    if path == _STDOUT:
        terminal.write(data)
        return
    sink = report.sink or FileSink(path, terminal, _FLAG)
    try:
        sink.write(data)
    except CometrespError:
        sink.discard()
        raise
    sink.commit()


def _write_outputs(report: Report, summary: Summary, terminal: Terminal) -> None:
    data = github.outputs(github.values_of(summary, report.text))
    _append(github.OUTPUTS, terminal.environ[github.OUTPUTS], terminal.masked(data))


def _write_step_summary(report: Report, summary: Summary, terminal: Terminal) -> None:
    path = terminal.environ.get(github.STEP_SUMMARY)
    if not path:
        return
    size = 0
    with suppress(OSError):
        size = os.stat(path).st_size  # noqa: PTH116 - as the runner wrote it
    data = github.step_summary(summary, report.text, report.language, github.SUMMARY_LIMIT - size)
    if data:
        _append(github.STEP_SUMMARY, path, terminal.masked(data))
    else:
        terminal.warn(f"{github.STEP_SUMMARY} is full: nothing is added to it")


def _append(name: str, path: str, data: bytes) -> None:
    try:
        with open(path, "ab") as file:  # noqa: PTH123
            file.write(data)
    except OSError as error:
        raise OutputError(f"{_GITHUB}: the file of {name} can't be written: {error.strerror}") from error
