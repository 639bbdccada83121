"""The action and the jobs of docs/ci.md, run by a small runner against the emulator."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cometresp.emulator.server import Emulator
from tests.conftest import Command
from tests.report.runner import ACTION, ROOT, Runner
from tests.summaries import summary_in

PAGE = (ROOT / "docs/ci.md").read_text()
JOBS: list[Any] = [
    yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
]
INJECTED = "$(touch injected) `touch injected` \"; touch injected; '\n::add-mask::x"


@pytest.fixture
def runner(run: Command, tmp_path: Path) -> Iterator[Runner]:
    """A runner whose server is the emulator."""
    with Emulator(memory=tmp_path / "emulator.db") as emulator:
        environ = run.environ | {"COMETAPI_BASE_URL": emulator.base_url, "COMETAPI_DEFAULT_MODEL": "emulator"}
        yield Runner(run.home, environ)


def answer(text: str) -> str:
    quoted = "\n".join(f"> {line}".rstrip() for line in text.split("\n"))
    return f"This is the **emulator**: no model was asked.\n\nYou said:\n\n{quoted}\n"


# the action ---------------------------------------------------------------------------------------------------------


def test_no_input_is_code_of_a_script() -> None:
    for step in ACTION["runs"]["steps"]:
        assert (step["shell"], "${{" in step["run"]) == ("bash", False)
    for job in (JOBS[0]["jobs"]["review"], JOBS[1]["jobs"]["triage"]):
        assert [step for step in job["steps"] if "${{" in step.get("run", "")] == []
    used = " ".join(value for step in ACTION["runs"]["steps"] for value in step["env"].values())
    assert set(re.findall(r"inputs\.([\w-]+)", used)) == set(ACTION["inputs"])


def test_the_action_installs_asks_and_has_outputs(runner: Runner) -> None:
    first = runner.action(prompt="hello", model="emulator-1", args="--price=1,2\n--instructions\n")
    assert (first.code, first.outputs["exit"]) == (2, "2")  # the last word lacks its value
    done = runner.action(
        prompt="hello", model="emulator-1", instructions="Be short.", args="  --price=1,2 \n\n--no-save"
    )
    summary = summary_in(Path(done.outputs.pop("summary")).read_text())
    assert (done.code, done.outputs) == (
        0,
        {
            "id": summary["response_ids"][0],
            "text": done.log.removesuffix("\n"),
            "status": "completed",
            "exit": "0",
            "cost": f"{summary['cost']:.6f}",
        },
    )
    assert done.log.startswith("This is the **emulator**: no model was asked.\n")
    assert (summary["command"], summary["model"], summary["chain"]) == ("ask", "emulator-1", None)
    assert done.summary.startswith("**cometresp ask** · `completed` · `emulator-1` · ")
    assert runner.installed == [f"--quiet --disable-pip-version-check {ROOT}"]  # once in a job


def test_inputs_of_the_action_are_text(runner: Runner) -> None:
    done = runner.action(prompt=INJECTED, instructions=INJECTED, args="--metadata=a=$(touch injected)", source="a; b")
    assert (done.code, list(runner.folder.glob("injected"))) == (0, [])
    assert done.outputs["text"].count("\n> ::add-mask::x") == 1
    assert runner.installed == ["--quiet --disable-pip-version-check a; b"]


def test_a_failed_run_fails_the_step_unless_it_may_fail(runner: Runner) -> None:
    prompt = "emulate:incomplete"
    strict, lenient = runner.action(prompt=prompt, fail="True"), runner.action(prompt=prompt, fail="false")
    told = [(done.code, done.outputs["exit"], done.outputs["status"]) for done in (strict, lenient)]
    assert told == [(3, "3", "incomplete"), (0, "3", "incomplete")]
    assert strict.log.count("::error title=cometresp%3A exit code 3::") == 1


# the jobs of the page -----------------------------------------------------------------------------------------------


def in_git(folder: Path) -> str:
    """Two commits; returns the first."""
    if shutil.which("git") is None:
        pytest.skip("there is no git")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main"]
    for words in (["init", "-q"], ["add", "file"], ["commit", "-qm", "one"], ["commit", "-qam", "two"]):
        (folder / "file").write_text(words[-1])
        subprocess.run([*git, *words], cwd=folder, check=True)
    return subprocess.check_output([*git, "rev-parse", "HEAD~1"], cwd=folder, text=True).strip()


def test_the_job_with_the_action_runs(runner: Runner) -> None:
    in_git(runner.folder)
    runner.contexts["secrets.COMETAPI_KEY"] = "sk-a1b2c3d4e5f6g7h8"
    steps = runner.job(JOBS[0]["jobs"]["review"])
    assert [step.code for step in steps] == [0, 0, 0]
    review = (runner.folder / "review.md").read_text()
    assert (review, "+two" in review) == (steps[1].outputs["text"] + "\n", True)


def test_the_job_with_a_script_runs(runner: Runner) -> None:
    runner.contexts |= {"github.event.issue.body": INJECTED, "vars.COMETRESP_SOURCE": "cometresp.whl"}
    steps = runner.job(JOBS[1]["jobs"]["triage"])
    assert ([step.code for step in steps], runner.installed) == ([0, 0, 0], ["install --quiet cometresp.whl"])
    assert (steps[1].outputs["status"], list(runner.folder.glob("injected"))) == ("completed", [])
    assert steps[2].log == f"{steps[1].outputs['text']}, for  dollars\n"


@pytest.mark.parametrize(("fault", "code"), [("", 0), ("incomplete", 3)])
def test_the_job_of_gitlab_runs(fault: str, code: int, runner: Runner) -> None:
    job = JOBS[2]["review"]
    base = in_git(runner.folder)
    variables = job["variables"] | {"CI_MERGE_REQUEST_DIFF_BASE_SHA": base}
    if fault:
        job = json.loads(json.dumps(job).replace("Review this change.", f"emulate:{fault}"))
    done = runner.bash("\n".join(job["script"]), {**variables, "COMETAPI_DEFAULT_MODEL": "emulator"})
    run = summary_in((runner.folder / "run.json").read_text())
    assert (done.code, run["exit_code"], run["model"]) == (code, code, "emulator")
    assert done.log.splitlines()[-1] == f"{run['status']} {run['usage']} None"
    assert ((runner.folder / "review.md").exists(), runner.installed) == (
        code == 0,
        [f"install --quiet {job['variables']['COMETRESP_SOURCE']}"],
    )


def test_the_object_on_the_page_is_one() -> None:
    block = re.search(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert block is not None
    assert summary_in(block[1])["status"] == "completed"
