"""A runner of jobs, as small as the jobs of docs/ci.md and the action need: steps, their variables and outputs."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent.parent
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
BASH = ["bash", "--noprofile", "--norc", "-eo", "pipefail"]  # as runners call it

# What the action and the jobs call: a Python whose pip installs nothing but the command of this folder.
_PYTHON = """#!/bin/sh
case "$2" in
  venv) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
  pip) shift 3; echo "$@" >> "$INSTALLED"; cp "$COMMAND" "$(dirname "$0")/cometresp" ;;
esac
"""


@dataclass
class Step:
    """How a step ended: its exit code, what its log has, and the files that it wrote."""

    code: int
    log: str
    outputs: dict[str, str]
    summary: str


@dataclass
class Runner:
    """Runs steps in one folder, with variables of the job."""

    folder: Path
    environ: dict[str, str]
    contexts: dict[str, str] = field(default_factory=dict)  # what an expression such as secrets.KEY is

    def __post_init__(self) -> None:
        self._programs = self.folder / ".programs"
        self._programs.mkdir()
        command = self._program("cometresp", f'#!/bin/sh\nexec {sys.executable} -m cometresp "$@"\n')
        self._program("pip", '#!/bin/sh\necho "$@" >> "$INSTALLED"\n')
        self.python = self._program("stand-in-python", _PYTHON)
        self.temp = self.folder / ".temp"
        self.temp.mkdir()
        self.environ |= {"INSTALLED": str(self.temp / "installed"), "COMMAND": str(command)}
        self.environ |= {"RUNNER_TEMP": str(self.temp), "CI": "true", "GITHUB_ACTIONS": "true"}
        self._path: list[str] = []
        self._steps = 0

    @property
    def installed(self) -> list[str]:
        return (self.temp / "installed").read_text().splitlines()

    def bash(self, script: str, env: dict[str, str] | None = None, *, with_command: bool = True) -> Step:
        """Run a script as a step; `with_command`: cometresp is installed already."""
        self._steps += 1
        names = ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_PATH")
        files = {name: self.temp / f"{name.lower()}-{self._steps}" for name in names}
        for path in files.values():
            path.touch()
        (self.temp / "script.sh").write_text(script)
        found = [*self._path, *([str(self._programs)] if with_command else []), os.environ["PATH"]]
        done = subprocess.run(
            [*BASH, str(self.temp / "script.sh")],
            env={**self.environ, **{name: str(path) for name, path in files.items()}, **(env or {})}
            | {"PATH": os.pathsep.join(found)},
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=60,
            check=False,
        )
        self._path += files["GITHUB_PATH"].read_text().splitlines()
        outputs = _outputs(files["GITHUB_OUTPUT"].read_text())
        return Step(done.returncode, done.stdout.decode(), outputs, files["GITHUB_STEP_SUMMARY"].read_text())

    def action(self, env: dict[str, str] | None = None, **inputs: str) -> Step:
        """Use the action: its steps one after the other, until one fails. The log and the summary are those of all."""
        given = {name: given.get("default", "") for name, given in ACTION["inputs"].items()}
        given |= {"python": str(self.python)} | inputs
        known = {f"inputs.{name}": value for name, value in given.items()} | {"github.action_path": str(ROOT)}
        whole, steps = Step(0, "", {}, ""), {}
        for step in ACTION["runs"]["steps"]:
            variables = {name: resolved(value, known) for name, value in step["env"].items()}
            done = self.bash(step["run"], {**(env or {}), **variables}, with_command=False)
            steps[f"steps.{step.get('id')}.outputs"] = done.outputs
            whole = Step(done.code, whole.log + done.log, {}, whole.summary + done.summary)
            if done.code:
                break
        found = {f"{place}.{name}": value for place, values in steps.items() for name, value in values.items()}
        whole.outputs = {name: resolved(value["value"], found) for name, value in ACTION["outputs"].items()}
        return whole

    def job(self, job: dict[str, Any]) -> list[Step]:
        """Run the steps of a job; those that use another action than ours are left out."""
        done: list[Step] = []
        known = dict(self.contexts)
        self.environ |= {name: resolved(value, known) for name, value in job.get("env", {}).items()}
        for step in job["steps"]:
            variables = {name: resolved(value, known) for name, value in step.get("env", {}).items()}
            if "run" in step:
                done.append(self.bash(step["run"], variables))
            elif step["uses"].startswith("OWNER/cometresp@"):
                inputs = {name: resolved(value, known) for name, value in step.get("with", {}).items()}
                done.append(self.action(variables, **inputs))
            else:
                continue
            known |= {f"steps.{step.get('id')}.outputs.{name}": value for name, value in done[-1].outputs.items()}
        return done

    def _program(self, name: str, script: str) -> Path:
        path = self._programs / name
        path.write_text(script)
        path.chmod(0o755)
        return path


def resolved(value: str, known: dict[str, str]) -> str:
    """A value with its expressions replaced: names of contexts, the first of them that isn't empty."""

    def of(match: re.Match[str]) -> str:
        return next(filter(None, (known.get(name.strip(), "") for name in match[1].split("||"))), "")

    return re.sub(r"\$\{\{(.*?)\}\}", of, str(value))


def _outputs(text: str) -> dict[str, str]:
    """The outputs in the file of GITHUB_OUTPUT: `NAME=VALUE`, or `NAME<<END`, lines, `END`."""
    found, lines = {}, iter(text.split("\n"))
    for line in lines:
        if match := re.fullmatch(r"(\w+)<<(.+)", line):
            name, end = match.groups()
            value: list[str] = []
            while (part := next(lines)) != end:
                value.append(part)
            found[name] = "\n".join(value)
        elif line:
            name, _, rest = line.partition("=")
            found[name] = rest
    return found
