"""Files of functions, and toolboxes made from them."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from cometresp.errors import UsageError
from cometresp.functions.toolbox import Toolbox

Make = Callable[..., Toolbox]


@pytest.fixture
def toolbox(tmp_path: Path) -> Iterator[Make]:
    """Makes a toolbox of the files given as name=text (`a_py` is a.py); it is closed after the test."""
    with ExitStack() as stack:

        def make(
            *,
            env_names: tuple[str, ...] = (),
            environ: dict[str, str] | None = None,
            load_seconds: float = 30.0,
            **files: str,
        ) -> Toolbox:
            paths = []
            for name, text in files.items():
                path = tmp_path / ".".join(name.rsplit("_", 1))
                path.write_text(dedent(text))
                paths.append(str(path))
            seen = {"PATH": os.environ["PATH"], **(environ or {})}
            made = Toolbox(paths, env_names=list(env_names), environ=seen, load_seconds=load_seconds)
            return stack.enter_context(made)

        yield make


def refusal(toolbox: Make, folder: Path, **given: Any) -> str:
    """The message about files that can't be used, without its start and the name of the folder."""
    with pytest.raises(UsageError) as caught:
        toolbox(**given)
    return caught.value.message.removeprefix("--functions: ").replace(f"{folder}/", "")


def error_of(box: Toolbox, name: str, /, **arguments: Any) -> dict[str, str]:
    """The error result of a call."""
    result = box.run(name, json.dumps(arguments))
    assert not result.ok
    assert len(result.output) <= 4_000
    error: dict[str, str] = json.loads(str(result.output))
    return error


def output_of(box: Toolbox, name: str, /, **arguments: Any) -> str:
    result = box.run(name, json.dumps(arguments))
    assert result.ok, result.output
    return str(result.output)
