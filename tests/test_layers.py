"""The layers of the package: imports run downward only, foreign libraries enter in one place, starting loads little."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

import cometresp
from cometresp.cli import COMMANDS
from tests.conftest import Command

PACKAGE = Path(cometresp.__file__).parent
_EXTRACT = str(PACKAGE.parent / "docs/templates/extract.toml")

# What each file or package at the first level may import of ours, at any depth of its code, top to bottom as in
# docs/architecture.md. A name with a dot is one file of a package.
_BELOW_TURNS = {
    "answer",
    "calls",
    "catalogue",
    "client",
    "config",
    "config_file",
    "deadline",
    "editor",
    "errors",
    "functions",
    "mcp",
    "nearest",
    "options",
    "pager",
    "paths",
    "render",
    "report",
    "request",
    "runtime",
    "schema",
    "settings",
    "signals",
    "sinks",
    "state",
    "templates",
    "terminal",
    "text",
    "wire",
}
_ANYWHERE = {"tuples"}  # it stands for a part of the standard library
ALLOWED: dict[str, set[str]] = {
    "errors": {"text"},
    "text": set(),
    "tuples": set(),
    "deadline": set(),
    "paths": set(),
    "console": set(),
    "locks": set(),
    "signals": {"errors"},
    "questions": {"console", "signals"},
    "terminal": {"console", "errors", "questions", "text"},
    "sinks": {"errors", "signals", "terminal", "text"},
    "report": {"", "calls", "catalogue.price", "errors", "sinks", "terminal", "text", "wire"},
    "foreground": {"signals"},
    "pager": {"foreground", "terminal", "text"},
    "editor": {"console", "errors", "foreground", "terminal", "text"},
    "nearest": set(),
    "config_file": {"errors", "nearest", "paths"},
    "config": {"config_file", "errors", "paths", "wire"},
    "reading": {"deadline", "errors", "paths", "terminal", "text", "wire"},
    "settings": {
        "config",
        "config_file",
        "deadline",
        "errors",
        "locks",
        "mcp.tables",
        "nearest",
        "options",
        "paths",
        "reading",
        "request.rules",
        "signals",
        "terminal",
        "text",
        "wire",
    },  # mcp.tables and request.rules: pure checks of what a setting may be
    "wire": {"errors", "nearest", "text"},
    "schema": {"deadline", "errors", "text", "wire"},
    "answer": {"errors", "text", "wire"},
    "functions": {"errors", "paths", "schema", "signals", "text", "wire"},
    "mcp": {"", "config", "errors", "functions", "nearest", "text", "wire"},
    "calls": {"answer", "errors", "text", "wire"},
    "state": {"config", "config_file", "errors", "locks", "text", "wire"},
    "render": {"answer", "errors", "signals", "terminal", "text", "wire"},
    "completion": {
        "emulator",
        "help.words",
        "request",
        "templates",
        "text",
    },  # the same words are flags as on the command line
    "options": {
        "catalogue.price",
        "deadline",
        "errors",
        "catalogue.suggestions",
        "state.suggestions",
        "terminal",
        "text",
        "wire",
    },  # the suggestions only when a shell completes
    "help": {"errors", "nearest", "options.everyday", "pager", "settings", "templates", "terminal", "text"},
    "templates": {"config_file", "errors", "nearest", "paths", "request", "schema", "settings", "text", "wire"},
    "request": {"errors", "options", "paths", "schema", "terminal", "text", "wire"},
    "client": {"", "deadline", "errors", "paths", "wire"},
    "catalogue": {
        "client",
        "config",
        "config_file",
        "errors",
        "state.suggestions",
        "text",
        "wire",
    },  # suggestions: models once used
    "emulator": set(),
    # It listens as the emulator does, and passes requests on as the client does.
    "recording": {
        "client",
        "emulator.errors",
        "emulator.listening",
        "errors",
        "paths",
        "request.secrets",
        "text",
        "wire",
    },
    "runtime": {
        "settings.key_command",
        "client",
        "config",
        "config_file",
        "deadline",
        "emulator",
        "errors",
        "options",
        "paths",
        "reading",
        "report",
        "state",
        "terminal",
        "text",
        "wire",
    },
    "turns": _BELOW_TURNS,
    "doctor": _BELOW_TURNS | {"", "turns"},
    # It sends by the client, as turns/ does, and isn't above it.
    "batch": (_BELOW_TURNS - {"calls", "functions", "mcp", "editor", "pager"}) | {"", "calls.conversation", "locks"},
    "commands": _BELOW_TURNS - {"calls", "client", "deadline", "functions", "mcp", "report", "signals", "sinks"}
    | {"", "batch", "doctor", "emulator", "help", "recording", "turns"},
    "bugs": {"", "config", "config_file", "text", "wire"},
    "cli": {
        "",
        "bugs",
        "commands",
        "completion",
        "errors",
        "help",
        "options",
        "report",
        "pager",
        "settings",
        "signals",
        "terminal",
        "text",
    },
    "__main__": {"", "bugs", "cli"},
    "": set(),
}
LIBRARIES = {
    "httpx": {"client"},
    "httpx_sse": {"client"},
    "rich": {"render"},
    "markdown_it": {"answer.extract", "render"},
    "pygments": {"render"},
    "jsonschema": {"schema.check"},
    "mcp": {"mcp.host"},
    "mcp_types": {"mcp.host"},
    "referencing": {"schema.check"},
    "sqlite3": {"emulator", "state"},
    "tomlkit": {"settings.document"},
    "typer": {"cli", "commands", "help", "options"},
}


def modules() -> dict[str, Path]:
    """Every module by its dotted name below the package, whose own is ""."""
    return {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").removesuffix("."): path
        for path in sorted(PACKAGE.rglob("*.py"))
    }


MODULES = modules()


def imported(path: Path) -> Iterator[str]:
    """Every module that the code names in an import, wherever it stands; ours as in MODULES, behind a colon."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            source = str(node.module)
            if source.partition(".")[0] != "cometresp":
                yield source
                continue
            inner = source.removeprefix("cometresp").removeprefix(".")
            for alias in node.names:
                name = f"{inner}.{alias.name}".removeprefix(".")
                yield f":{name if name in MODULES else inner}"


def within(name: str, places: set[str]) -> bool:
    """Whether a module is one of the places, or in one of them."""
    return name in places or name.partition(".")[0] in places


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_from_the_layers_below_it(module: str) -> None:
    top = module.partition(".")[0]
    for name in imported(MODULES[module]):
        if name.startswith(":"):
            ours = name[1:]
            assert ours.partition(".")[0] == top or within(ours, ALLOWED[top] | _ANYWHERE), f"{module} imports {ours}"
        else:
            library = name.partition(".")[0]
            assert library not in LIBRARIES or within(module, LIBRARIES[library]), f"{module} imports {name}"


def circles(arrows: dict[str, set[str]]) -> list[list[str]]:
    """The circles that are left when all is taken away that leads to none."""
    left = dict(arrows)
    while ends := [name for name, targets in left.items() if not targets & left.keys()]:
        for name in ends:
            del left[name]
    return [[name, *sorted(targets & left.keys())] for name, targets in left.items()]


def test_no_files_and_no_packages_import_each_other_in_a_circle() -> None:
    files = {
        module: {name[1:] for name in imported(path) if name.startswith(":")} - {module}
        for module, path in MODULES.items()
    }
    packages: dict[str, set[str]] = {}
    for module, targets in files.items():
        top = module.partition(".")[0]
        packages.setdefault(top, set()).update({target.partition(".")[0] for target in targets} - {top})
    assert circles(files) == []
    assert circles(packages) == []


def test_the_commands_are_the_files_of_their_folder() -> None:
    assert set(COMMANDS.values()) == {path.stem for path in (PACKAGE / "commands").glob("[!_]*.py")}


@pytest.mark.parametrize("package", sorted(path.parent for path in PACKAGE.glob("*/__init__.py")), ids=lambda p: p.name)
def test_a_package_lists_its_files_and_imports_nothing(package: Path) -> None:
    tree = ast.parse((package / "__init__.py").read_text())
    assert [type(node) for node in tree.body] == [ast.Expr]
    listed = (ast.get_docstring(tree) or "").split("\n\n")[1].splitlines()
    rows = dict(line.split(None, 1) for line in listed if not line.startswith(" "))
    assert sorted(rows) == sorted(path.stem for path in package.glob("[!_]*.py"))
    assert all(len(sentence) > 10 for sentence in rows.values())


@pytest.mark.parametrize(
    ("words", "absent"),
    [
        (
            ["ask", "--dry-run", "hi"],
            "pydantic click rich httpx asyncio tomlkit importlib.metadata sqlite3 http.server jsonschema"
            " cometresp.state.state"
            " cometresp.bugs cometresp.state.transcript cometresp.turns.attention cometresp.turns.display"
            " cometresp.report.ending cometresp.wire.select"
            " cometresp.turns.lookup cometresp.turns.cost cometresp.catalogue.cache cometresp.mcp cometresp.answer"
            " cometresp.settings.flags",
        ),
        (
            ["ask", "--offline", "hi"],
            "pydantic click rich asyncio jsonschema importlib.metadata cometresp.turns.budget cometresp.catalogue.cache"
            " cometresp.catalogue.entries",
        ),
        (
            ["ask", "--dry-run", "-m", "m", "--template", _EXTRACT, "hi"],
            "pydantic click rich httpx asyncio importlib.metadata sqlite3 tomlkit mcp cometresp.state.state",
        ),
        (["--version"], "typer dataclasses typing inspect json re"),
        (["completion", "bash"], "pydantic click rich httpx sqlite3"),
        (["config", "show"], "pydantic click rich httpx sqlite3 tomlkit"),
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
    if find_spec("click"):  # where both are installed, httpx imports them
        loaded -= {"click", "rich"}
    assert {name for name in absent.split() if name in loaded} == set()


def test_completion_loads_no_renderer_and_no_client(run: Command) -> None:
    for line in ("cometresp ", "cometresp ask --eff", "cometresp get ", "cometresp ask --fault ", "cometresp ask -m "):
        process = subprocess.run(
            [sys.executable, "-I", "-c", _MAIN],
            capture_output=True,
            env=run.environ | {"ROOT": str(PACKAGE.parent), "_COMETRESP_COMPLETE": "fish", "_COMETRESP_LINE": line},
            timeout=60,
            check=True,
        )
        assert process.stdout.startswith((b"words\n", b"files\n"))
        assert {"rich", "httpx", "asyncio", "jsonschema", "pydantic"} & set(process.stderr.decode().split()) == set()


# The program, made to say at its end what it has loaded.
_MAIN = """
import atexit, os, sys
os._exit = sys.exit
atexit.register(lambda: sys.stderr.write(" ".join(sys.modules)))
sys.path.insert(0, os.environ["ROOT"])
from cometresp.__main__ import main
main()
"""
