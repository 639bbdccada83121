"""The layers of the package: imports run downward only, foreign libraries enter in one place, starting loads little."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Command

PACKAGE = Path(__file__).parent.parent / "cometresp"

# What each module may import of ours, at any depth of its code; a package stands for all its modules.
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "events": set(),
    "items": set(),
    "answer": {"events", "items"},
    "records": set(),
    "terminal": {"errors"},
    "output": {"errors"},
    "config": {"errors"},
    "tools": {"errors"},
    "checking": {"errors", "terminal"},
    "extract": set(),
    "fields": {"errors"},
    "strict": {"checking", "errors"},
    "schema": {"checking", "errors", "fields", "strict", "tools"},
    "content": {"errors"},
    "limits": {"content"},
    "masking": {"content", "errors", "tools"},
    "attachments": {"content", "errors", "terminal"},
    "inputs": {"attachments", "content", "errors", "terminal"},
    "options": {"errors", "commands.completion"},  # completion is asked only when a shell completes
    "spread": set(),
    "request": {"errors", "limits", "options", "schema", "tools"},
    "migrations": set(),
    "statefile": {"migrations"},
    "retention": set(),
    "state": {"errors", "records", "retention", "statefile"},
    "chain": {
        "answer",
        "attachments",
        "content",
        "errors",
        "items",
        "masking",
        "records",
        "state",
        "terminal",
        "toolloop",
        "tools",
    },
    "replies": {"errors", "events"},
    "approval": {"terminal"},
    "toolloop": {"approval", "errors", "exchange", "items", "request", "terminal"},
    "client": {"", "client", "content", "errors", "events", "replies"},
    "render": {"answer", "content", "errors", "events", "items", "render", "terminal"},
    "fetching": {"errors", "events", "replies"},
    "resuming": {"answer", "events", "items", "records"},
    "exchange": {"answer", "errors", "events", "items", "replies", "terminal"},
    "emulator": {"emulator"},
    "functions": {"checking", "errors", "functions", "strict", "terminal", "tools"},
    "cli": {"", "errors", "terminal"},
    "__main__": {"", "cli"},
    "__init__": set(),
}
LIBRARIES = {
    "httpx": {"client"},
    "httpx_sse": {"client"},
    "rich": {"render"},
    "markdown_it": {"extract", "render"},
    "jsonschema": {"checking"},
    "referencing": {"checking"},
    "sqlite3": {"migrations", "retention", "state", "statefile", "emulator"},
}


def modules() -> list[tuple[str, Path]]:
    return [
        (".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"), path)
        for path in sorted(PACKAGE.rglob("*.py"))
    ]


def imported(path: Path, module: str) -> Iterator[str]:
    """Every module that the code names in an import, wherever it stands."""
    package = ("cometresp." + module).split(".")
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + (path.name == "__init__.py")] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{source}.{alias.name}"
                place = PACKAGE.parent / inner.replace(".", "/")
                yield inner if place.with_suffix(".py").exists() or place.is_dir() else source


@pytest.mark.parametrize(("module", "path"), modules(), ids=[name for name, _ in modules()])
def test_a_module_imports_only_from_the_layers_below_it(module: str, path: Path) -> None:
    top = module.partition(".")[0]
    for name in imported(path, module):
        library = name.partition(".")[0]
        if library != "cometresp":
            assert top in LIBRARIES.get(library, {top}), f"{module} imports {library}"
            continue
        ours = name.removeprefix("cometresp").removeprefix(".")
        if top == "commands":
            assert ours.partition(".")[0] != "cli"
        else:
            assert ours in ALLOWED[top] or ours.partition(".")[0] in ALLOWED[top], f"{module} imports {name}"


@pytest.mark.parametrize(
    ("words", "absent"),
    [
        (
            ["ask", "--dry-run", "hi"],
            "pydantic click rich httpx asyncio importlib.metadata sqlite3 http.server jsonschema cometresp.state",
        ),
        (["ask", "--offline", "hi"], "pydantic click rich asyncio jsonschema importlib.metadata"),
        (["--version"], "typer dataclasses typing inspect json re"),
        (["completion", "bash"], "pydantic click rich httpx sqlite3"),
    ],
)
def test_a_command_loads_only_what_it_needs(run: Command, words: list[str], absent: str) -> None:
    process = subprocess.run(
        [sys.executable, "-I", "-c", _MAIN, *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=run.environ | {"ROOT": str(PACKAGE.parent)},
        timeout=60,
        check=True,
    )
    loaded = set(process.stderr.decode().split())
    assert {name for name in absent.split() if name in loaded} == set()


# The program, made to say at its end what it has loaded.
_MAIN = """
import atexit, os, sys
os._exit = sys.exit
atexit.register(lambda: sys.stderr.write(" ".join(sys.modules)))
sys.path.insert(0, os.environ["ROOT"])
from cometresp.__main__ import main
main()
"""
