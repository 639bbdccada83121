"""The workflows for GitHub: what they run is fixed, they may do little, and have no checks of their own."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
ACTION = re.compile(r"[\w.-]+(/[\w.-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
CHECKS = re.compile(r'\.ci/run|pipx run nox [\w" $.-]*', re.ASCII)
PREPARES = re.compile(r"sudo apt-get .*|printf 'sbom=.*|gh release create .*")


def jobs(path: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text())["jobs"]
    return found


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_named_by_the_digest_of_its_commit_and_by_its_version(path: Path) -> None:
    used = re.findall(r"^ *(?:- )?uses: (.+)$", path.read_text(), re.MULTILINE)
    foreign = [name for name in used if not name.startswith("$/")]  # of this repository, at the same commit
    assert (foreign != [], [name for name in foreign if not ACTION.fullmatch(name)]) == (True, [])


def test_an_action_has_the_same_digest_wherever_it_is_used() -> None:
    used = {name for path in WORKFLOWS for name in re.findall(r"uses: ([^$].+)$", path.read_text(), re.MULTILINE)}
    names = [name.partition("@")[0] for name in used]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_runs_the_checks_that_everybody_can_run(path: Path) -> None:
    steps = [step for job in jobs(path).values() for step in job.get("steps", [])]
    commands = [step["run"] for step in steps if "run" in step]
    checks = [command for command in commands if CHECKS.fullmatch(command)]
    others = [command for command in commands if command not in checks and not PREPARES.fullmatch(command)]
    assert (checks != [], others) == (True, [])


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_the_sessions_that_a_workflow_runs_are_those_of_the_noxfile(path: Path) -> None:
    sessions = set(re.findall(r"^def (\w+)\(session", (ROOT / "noxfile.py").read_text(), re.MULTILINE))
    lists = re.findall(r'nox [^\n]*?-s ([\w" $-]+?)(?: -- .*)?$', path.read_text(), re.MULTILINE)
    named = {name.strip('"').partition("-$")[0] for words in lists for name in words.split()}
    assert (named != set(), named - sessions) == (True, set())


def test_what_a_job_may_do_is_said_job_by_job() -> None:
    given = {(path.stem, name): job["permissions"] for path in WORKFLOWS for name, job in jobs(path).items()}
    reading = {"contents": "read"}
    assert given == {
        ("ci", "all"): reading,
        ("ci", "tests"): reading,
        ("ci", "install"): reading,
        ("release", "checks"): reading,
        ("release", "build"): reading,
        ("release", "attest"): {"id-token": "write", "attestations": "write"},
        ("release", "publish"): {"id-token": "write"},
        ("release", "announce"): {"contents": "write"},
    }
    assert [yaml.safe_load(path.read_text())["permissions"] for path in WORKFLOWS] == [{}] * len(WORKFLOWS)


def test_the_python_versions_of_the_classifiers_are_those_that_are_tested() -> None:
    classified = re.findall(r"Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text())
    tested = [
        job["strategy"]["matrix"]["python"]
        for job in jobs(ROOT / ".github/workflows/ci.yml").values()
        if "strategy" in job
    ]
    sessions = re.findall(r"^@nox.session\(python=(\[.*\])\)$", (ROOT / "noxfile.py").read_text(), re.MULTILINE)
    assert [*tested, *map(yaml.safe_load, sessions)] == [classified] * (len(tested) + len(sessions))
    assert len(tested) == len(sessions) == 2
