"""The tables of docs/flags.md: `python -m tests.docs.flags` says whether they are stale, `--write` writes them.

A table stands between `<!-- flags: NAME -->` and `<!-- end -->`. NAME is a heading of `cometresp ask --help-all`, or
`batch`, or `others` (the flags that only some commands have). The rows are those of the help pages.
"""

import re
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from cometresp.options.fields import option_of
from cometresp.options.tables import ChainOptions, RequestOptions, wire_paths
from tests.docs.examples import ROOT
from tests.docs.helped import pages

PATH = ROOT / "docs/flags.md"

# What docs/ says of a flag behind the words of its help; of one command only, where that stands before the flag.
NOTES: dict[str, str] = {
    "--file": "[files.md](files.md)",
    "--template": "[templates.md](templates.md)",
    "--schema": "See below.",
    "--tool": "[tools.md](tools.md)",
    "--functions": "[tools.md](tools.md)",
    "--mcp": "[mcp.md](mcp.md)",
    "--approve": "[tools.md](tools.md#which-calls-may-run)",
    "--background": "[background.md](background.md)",
    "--count-tokens": "See below.",
    "--conversation": "[chains.md](chains.md)",
    "--replay": "[chains.md](chains.md)",
    "--fallback-model": "[chains.md](chains.md#another-model-in-its-place)",
    "--output": "[files.md](files.md#what-is-written)",
    "--select": "[ci.md](ci.md)",
    "--summary-file": "[ci.md](ci.md)",
    "--github": "[ci.md](ci.md)",
    "--usage": "On a terminal also the time to the first text, the service tier and the whole id. [cost.md](cost.md)",
    "--max-cost": "[cost.md](cost.md)",
    "--price": "[cost.md](cost.md)",
    "--profile": "[settings.md](settings.md)",
    "--header": "See below.",
    "--fault": "[emulator.md](emulator.md#faults)",
    "usage --by": "[cost.md](cost.md)",
    "models --sort": "[models.md](models.md)",
    "doctor --probe": "[settings.md](settings.md)",
    "batch merge --requests": "[batch.md](batch.md)",
    "batch submit --inline": "[batch-provider.md](batch-provider.md)",
    "emulator --record": "[record-replay.md](record-replay.md)",
    "emulator --replay": "[record-replay.md](record-replay.md)",
}

# Field of the options -> field of the body, where the value isn't sent as it was typed.
FIELDS: dict[str, str] = {
    "model": "model",
    "instructions": "instructions",
    "file": "input",
    "input": "input",
    "schema": "text.format",
    "schema_multi": "text.format",
    "json_object": "text.format",
    "tool": "tools",
    "tool_choice": "tool_choice",
    "background": "background",
    "prompt_cache_retention": "prompt_cache_retention",
    "metadata": "metadata",
    "include": "include",
    "context_management": "context_management",
    "prompt_var": "prompt.variables",
    "no_stream": "stream",
    "previous_response_id": "previous_response_id",
    "conversation": "conversation",
    "store": "store",
}


class Flag(NamedTuple):
    """A row of a help page: `shown` are its names, as in `-m, --model MODEL`."""

    command: str
    shown: str
    text: str

    @property
    def name(self) -> str:
        """Its first long name."""
        return str(re.findall(r"--[\w-]+", self.shown)[0])

    @property
    def about(self) -> str:
        note = NOTES.get(f"{self.command} {self.name}", NOTES.get(self.name, ""))
        return f"{self.text} {note}".rstrip().replace("|", "\\|")

    @property
    def names(self) -> str:
        return ", ".join(f"`{name}`" for name in self.shown.replace("|", "\\|").strip().split(", "))


def table(name: str) -> str:
    """The table of that name."""
    if name == "others":
        return "| flag | of | what it does |\n|---|---|---|\n" + "".join(_others())
    of = "batch" if name == "batch" else "ask"
    [sections] = [sections for command, sections in pages() if command == of]
    [rows] = [one.rows for one in sections if one.title == ("Flags" if name == "batch" else name)]
    flags = [Flag(of, *row) for row in rows if "--help" not in row[0]]
    if of == "batch" or not any(_field(flag.name) for flag in flags):
        return "| flag | what it does |\n|---|---|\n" + "".join(f"| {one.names} | {one.about} |\n" for one in flags)
    lines = [f"| {one.names} | {one.about} | {_field(one.name)} |\n" for one in flags]
    return "| flag | what it does | field |\n|---|---|---|\n" + "".join(lines)


def _field(name: str) -> str:
    """The field of the body that a flag sets, as code; nothing if it sets none."""
    for options in (RequestOptions, ChainOptions):
        for field, path in (FIELDS | wire_paths(options)).items():
            declared = options.__annotations__.get(field)
            if declared and any(name in str(names).split("/") for names in _declared(option_of(declared))):
                return f"`{path}`"
    return ""


def _declared(option: Any) -> tuple[Any, ...]:
    return (option.default, *(option.param_decls or ()))


def _others() -> Iterator[str]:
    """A row for each flag that a command has for itself, with all commands where it is the same."""
    commands: dict[tuple[str, str], list[Flag]] = {}
    for command, sections in pages():
        for section in sections:
            if command == "batch" or section.title not in ("Flags", "Other flags"):
                continue
            for row in section.rows:
                if "--help" not in row[0]:
                    commands.setdefault(row, []).append(Flag(command, *row))
    for flags in commands.values():
        yield f"| {flags[0].names} | {', '.join(f'`{flag.command}`' for flag in flags)} | {flags[0].about} |\n"


def made(text: str) -> str:
    """The page with the tables that the code has now."""
    pattern = r"(<!-- flags: ([\w -]+) -->\n).*?(<!-- end -->\n)"
    return re.sub(pattern, lambda found: f"{found[1]}\n{table(found[2])}\n{found[3]}", text, flags=re.DOTALL)


def main(words: list[str]) -> int:
    text = PATH.read_text()
    new = made(text)
    if "--write" in words:
        PATH.write_text(new)
        return 0
    if new != text:
        print("docs/flags.md is stale: python -m tests.docs.flags --write")
    return int(new != text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
