"""The values of flags: words, names of files, and text behind an `@`. The words are those that the code checks by."""

import os
from collections.abc import Iterator, Sequence

from cometresp.text import escape_line
from cometresp.tuples import NamedTuple

_MOST_FILES = 2000


class Offer(NamedTuple):
    """A value, and what is said about it."""

    value: str
    help: str = ""


FILE_FLAGS = {"--file", "--output", "--functions", "--ca-file", "--id-file", "--memory", "--summary-file"}
DIRECTORY_FLAGS = {"--save-images", "--record", "--replay"}
AT_FLAGS = {  # which read a file behind an `@`
    "--instructions",
    "--input",
    "--schema",
    "--schema-multi",
    "--body",
    "--context-management",
    "--tool",
    "--tool-choice",
}
SCHEMA_FLAGS = {"--schema", "--schema-multi"}  # which take the name of a file without an `@`, too
KEYED_FILES = {"--tool-output-file": "", "--param": "@", "--var": "@"}  # KEY=FILE and KEY=@FILE


def words_of(flag: str) -> Sequence[Offer] | None:
    """The words that a flag knows; None for a flag without such a list."""
    match flag:
        case "--tool":
            return _tools()
        case "--tool-choice":
            from cometresp.request.tools import CHOICE_TYPES

            return [Offer(word) for word in ("auto", "none", "required", *CHOICE_TYPES)]
        case "--fault":
            from cometresp.emulator.faults import KINDS

            return [Offer(kind) for kind in KINDS]
        case "--conversation":
            return [Offer("new", "create a conversation")]
        case "--since":
            return [Offer("today"), Offer("yesterday"), Offer("7d", "seven days, today included"), Offer("30d")]
    from cometresp.request.rules import KNOWN

    known = KNOWN.get(flag.removeprefix("--").replace("-", "_"))
    return None if known is None else [Offer(word) for word in known.split()]


def _tools() -> list[Offer]:
    """The types of tools that can be named alone, and the beginnings of those that need a value."""
    from cometresp.request.tool_types import REQUIRED, form_of

    found = []
    for name, required in REQUIRED.items():
        form = form_of(name)
        if not required or name == "code_interpreter":
            found.append(Offer(name, "" if form == name else form))
        elif form != name:
            found.append(Offer(f"{name}:", form))
    return found


def templates(typed: str) -> list[Offer]:
    """The templates that are kept, the TOML files, and the folders."""
    from cometresp.templates.suggestions import template_names

    kept = [Offer(*found) for found in template_names(typed)]
    here = files(typed)
    folders = [offer for offer in here if offer.value.endswith("/")]
    return [*kept, *(offer for offer in here if offer.value.endswith(".toml")), *folders]


def variables(template: str | None, typed: str) -> list[Offer]:
    """`NAME=` for the variables of the template on the line."""
    from cometresp.templates.suggestions import variable_names

    return [Offer(*found) for found in variable_names(template, typed)] if template else []


def files(typed: str, before: str = "", *, only_directories: bool = False, tilde: bool = False) -> list[Offer]:
    """The files whose paths begin with what was typed, each behind `before`; a directory ends in a slash.

    A shell expands a `~` (`tilde`) only at the start of a word. Names that can't be shown on one line are left out.
    """
    folder, _, start = typed.rpartition("/")
    folder = f"{folder}/" if "/" in typed else ""
    found = []
    opened = os.path.expanduser(folder) if tilde else folder  # noqa: PTH111 - keeps the slash
    for name, is_directory in _entries(opened or "."):
        hidden = name.startswith(".") and not start.startswith(".")
        if name.startswith(start) and not hidden and (is_directory or not only_directories):
            found.append(Offer(f"{before}{folder}{name}{'/' if is_directory else ''}"))
    return sorted(found)[:_MOST_FILES]


def _entries(folder: str) -> Iterator[tuple[str, bool]]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if escape_line(entry.name) == entry.name:
                    yield entry.name, entry.is_dir()
    except OSError:
        return
