"""The examples and keys in docs/tools.md are right."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from cometresp.errors import UsageError
from cometresp.functions.toolbox import Toolbox
from tests.functions.conftest import Make, output_of

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "docs" / "tools.md").read_text()
WRITING = TEXT[TEXT.index("## Writing tools") :]


def example(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", WRITING, re.DOTALL)
    assert found
    return found[1]


def test_the_docs_have_every_key_of_a_tool_and_no_other(toolbox: Make) -> None:
    with pytest.raises(UsageError) as caught:
        toolbox(a_json='{"tool": [{"unknown": 1}]}')
    known = caught.value.hint.removeprefix("the keys are ").split(", ")
    section = WRITING[WRITING.index("### TOML and JSON") : WRITING.index("**The words.**")]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == known


def test_the_python_example_runs(toolbox: Make) -> None:
    box = toolbox(tools_py=example("python"))
    assert output_of(box, "weather", city="Oslo", unit=None) == '{"city": "Oslo", "degrees": 21, "unit": "C"}'


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")
def test_the_toml_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tools.toml").write_text(example("toml"))
    (tmp_path / "a").write_text("one\n-two\n")
    for words in (["init", "-q"], ["add", "a"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True, timeout=60)
    monkeypatch.chdir(tmp_path)
    with Toolbox(["tools.toml"], env_names=[], environ=os.environ) as box:
        assert output_of(box, "find_text", text="-two", most=1) == "a:2:-two\n"
