"""Faults in every command: how each case ends, and what is kept of it."""

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Forker
from tests.matrix import page, table
from tests.matrix.fault import COMMANDS, FETCHING, Fault
from tests.matrix.rig import Rig
from tests.scripted import serving

CASES = [(kind, fault, command) for kind in table.KINDS for fault in table.faults_of(kind) for command in COMMANDS]
OUTCOMES = {case: outcome for kind in table.KINDS for case, outcome in table.read(kind).items()}


@pytest.fixture(scope="session")
def rig(tmp_path_factory: pytest.TempPathFactory, forker: Forker) -> Iterator[Rig]:
    folder = tmp_path_factory.mktemp("matrix")
    with serving() as wire:
        rig = Rig.of(wire, forker, folder)
        rig.prepare()
        yield rig


@pytest.mark.parametrize(
    ("kind", "fault", "command"), CASES, ids=[f"{kind}-{fault.name}-{command}" for kind, fault, command in CASES]
)
def test_a_fault_ends_as_its_table_says(rig: Rig, tmp_path: Path, kind: str, fault: Fault, command: str) -> None:
    expected = OUTCOMES[kind, fault.name, command]
    for seconds in (1, 8, 40) if fault.limit else (1,):  # a busy machine needs more for what comes before the fault
        outcome = rig.run(fault, command, tmp_path / f"home{seconds}", seconds)
        if outcome == expected:
            break
    assert outcome == expected


def test_no_case_is_a_bug_of_the_program() -> None:
    assert [case for case, ended in OUTCOMES.items() if ended.code == 70] == []


def test_a_case_exits_with_0_just_where_it_prints_no_error() -> None:
    silent = (0, 141, *(-number for number in signal.valid_signals()))  # a closed pipe and signals say nothing
    wrong = [
        case
        for case, ended in OUTCOMES.items()
        if case[0] != "signals" and (ended.code in silent) == ("cometresp: error: " in ended.err + ended.out)
    ]
    assert wrong == []


def test_what_is_printed_is_kept_unless_the_state_file_is_at_fault() -> None:
    lost = [
        case for case, ended in OUTCOMES.items()
        if case[0] in ("network", "http", "stream", "disk")
        and case[2] not in FETCHING  # the server has it
        and ended.out.strip()
        and repr(ended.out.strip()) not in ended.kept
        and "the final text differs" not in ended.err
    ]  # fmt: skip
    assert lost == []


def test_no_case_lets_a_control_sequence_through() -> None:
    raw = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\U000e0000-\U000e007f]")
    assert [case for case, ended in OUTCOMES.items() if raw.search(ended.out + ended.err)] == []


def test_the_page_is_made_from_the_outcomes() -> None:
    assert page.PATH.read_text() == page.made()
