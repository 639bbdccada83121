"""The man pages, one for each command, made from the same pages as its help.

`python -m release.man` writes them to man/; they change with the help of a command and with the version.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from textwrap import wrap
from typing import Any

from typer.main import get_command

from cometresp import __version__
from cometresp.cli import app
from cometresp.commands.help import commands_of, context_of
from cometresp.help.page import Page, Section, page_of
from cometresp.help.root import GROUPS, root_page
from cometresp.help.topics import ENVIRONMENT, EXIT_CODES

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "man"
_COLUMNS = 76  # of a line in the source of a page
_SPECIAL = {"\\": r"\e", "-": r"\-", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti"}
_PLACEHOLDER = re.compile(r"[A-Z][A-Z_]*…?")


def pages() -> dict[str, str]:
    """The name of each man page, such as `cometresp-chains-show.1`, and its source."""
    root: Any = get_command(app).make_context("cometresp", [], resilient_parsing=True)
    found = {"cometresp.1": _source(["cometresp"], _about(root), _root_parts(root), _see_also(root, []))}
    for words, context in _contexts(root, []):
        about = context.command.get_short_help_str(200)
        found[f"{_name(words)}.1"] = _source(_path(words), about, _parts(context), _see_also(root, words))
    return found


def _contexts(context: Any, words: list[str]) -> Iterator[tuple[list[str], Any]]:
    """The words and Typer's context of every command below this one."""
    for name in commands_of(context.command):
        inner, _ = context_of(name, context)
        yield [*words, name], inner
        yield from _contexts(inner, [*words, name])


def _root_parts(context: Any) -> list[str]:
    page = root_page(context)
    examples = [section for section in page.sections if section.title == "Examples"]
    commands = [section for section in page.sections if section.title in GROUPS]
    return [
        _heading("SYNOPSIS"),
        _synopsis("cometresp COMMAND …"),
        _heading("DESCRIPTION"),
        _text(page.about),
        ".PP",
        _text(
            "Each command has a page of its own, such as cometresp-ask(1). cometresp help COMMAND prints a short one."
        ),
        _heading("COMMANDS"),
        *_lists(commands, "COMMANDS", _bold),
        *_examples(examples),
        _heading("EXIT STATUS"),
        *_list(EXIT_CODES, _bold),
        _heading("ENVIRONMENT"),
        *_list(ENVIRONMENT, _bold),
    ]


def _parts(context: Any) -> list[str]:
    page = page_of(context, everything=True)
    named = {title: [one for one in page.sections if one.title == title] for title in ("Arguments", "Commands")}
    flags = [one for one in page.sections if one.title not in {*named, "Examples"}]
    return [
        _heading("SYNOPSIS"),
        _synopsis(page.usage),
        _heading("DESCRIPTION"),
        *_paragraphs(page),
        *([_heading("ARGUMENTS"), *_lists(named["Arguments"], "Arguments", _italic)] if named["Arguments"] else []),
        *([_heading("COMMANDS"), *_lists(named["Commands"], "Commands", _bold)] if named["Commands"] else []),
        _heading("OPTIONS"),
        *_lists(flags, "Flags", _flag),
        *_examples([one for one in page.sections if one.title == "Examples"]),
        _heading("EXIT STATUS"),
        _text("The exit codes of all commands are listed in cometresp(1), and so are the variables."),
    ]


def _paragraphs(page: Page) -> list[str]:
    texts = [_text(" ".join(part.split())) for part in page.about.split("\n\n")]
    return "\n.PP\n".join(texts).split("\n")


def _source(path: list[str], about: str, parts: list[str], see_also: list[str]) -> str:
    name = "-".join(path)
    title = f'.TH {_escaped(name.upper())} 1 "{_released()}" "cometresp {__version__}" "cometresp"'
    top = [title, ".nh", ".ad l", _heading("NAME"), _filled(rf"{_escaped(name)} \- {_escaped(about.rstrip('.'))}")]
    return "\n".join([*top, *parts, _heading("SEE ALSO"), *see_also]) + "\n"


def _released() -> str:
    """The day of this version, from the changelog: one that doesn't change with each build."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    found = re.search(rf"^## \[{re.escape(__version__)}\] - (\d{{4}}-\d\d-\d\d)$", changelog, re.MULTILINE)
    if found is None:
        raise SystemExit(f"CHANGELOG.md has no day for version {__version__}")
    return found[1]


def _about(context: Any) -> str:
    return root_page(context).about.partition(":")[0]


def _see_also(root: Any, words: list[str]) -> list[str]:
    """References to the page above, those beside, and those below."""
    if not words:
        near = [[name] for name in commands_of(root.command)]
    elif len(words) == 1:
        beside = next(names for names in GROUPS.values() if words[0] in names)
        context, _ = context_of(words[0], root)
        near = [[], *([name] for name in beside), *([*words, name] for name in commands_of(context.command))]
    else:
        context, _ = context_of(words[0], root)
        near = [[], words[:1], *([words[0], name] for name in commands_of(context.command))]
    names = [_name(one) for one in near if one != words]
    return [f".BR {_escaped(name)} (1){',' if name != names[-1] else ''}" for name in names]


def _path(words: list[str]) -> list[str]:
    return ["cometresp", *words]


def _name(words: list[str]) -> str:
    return "-".join(_path(words))


# roff ---------------------------------------------------------------------------------------------------------------


def _heading(title: str) -> str:
    return f".SH {title}"


def _synopsis(usage: str) -> str:
    """`cometresp get [FLAGS] ID`, the words that are typed in bold, what stands for others in italics."""
    parts = re.split(r"([\[\]|. ]+)", usage)
    return "".join(
        _italic(part)
        if _PLACEHOLDER.fullmatch(part)
        else _bold(part)
        if part[:1].isalpha() or part[:1] == "-"
        else _escaped(part)
        for part in parts
    )


def _lists(sections: Iterable[Section], whole: str, shown: Any) -> Iterator[str]:
    """The rows of sections, each below its title, if that isn't what the list as a whole is called."""
    for section in sections:
        if section.title != whole:
            yield f".SS {_escaped(section.title)}"
        yield from _list(section.rows, shown)


def _list(rows: Iterable[tuple[str, str]], shown: Any) -> Iterator[str]:
    for name, text in rows:
        yield ".TP"
        yield shown(name.strip())
        yield _text(text)


def _examples(sections: list[Section]) -> Iterator[str]:
    for section in sections:
        yield _heading("EXAMPLES")
        yield from (".nf", *(_line(_escaped(line)) for line, _ in section.rows), ".fi")


def _flag(names: str) -> str:
    r"""`-m, --model MODEL`: names in bold, the value in italics."""
    return re.sub(
        r"(-[^\s,/=]+)|([^\s,/=][^\s]*)|([\s,/=]+)",
        lambda match: _bold(match[1]) if match[1] else _italic(match[2]) if match[2] else match[3],
        names,
    )


def _bold(text: str) -> str:
    return rf"\fB{_escaped(text)}\fR"


def _italic(text: str) -> str:
    return rf"\fI{_escaped(text)}\fR"


def _text(text: str) -> str:
    """A paragraph; references such as cometresp(1) in bold."""
    return _filled(re.sub(r"(cometresp\S*)\(1\)", r"\\fB\1\\fR(1)", _escaped(text)))


def _filled(escaped: str) -> str:
    lines = wrap(escaped, _COLUMNS, break_long_words=False, break_on_hyphens=False)
    return "\n".join(_line(line) for line in lines)


def _line(escaped: str) -> str:
    """A line that is no request, whatever it begins with."""
    return rf"\&{escaped}" if escaped.startswith((".", "'")) or not escaped else escaped


def _escaped(text: str) -> str:
    return "".join(_SPECIAL.get(one) or (one if one.isascii() else rf"\[u{ord(one):04X}]") for one in text)


def main() -> None:
    """Write the pages, and remove those of commands that are gone."""
    made = pages()
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.1"):
        if path.name not in made:
            path.unlink()
    for name, source in made.items():
        (FOLDER / name).write_text(source, encoding="ascii", newline="\n")
    sys.stdout.write(f"{len(made)} pages in man/\n")


if __name__ == "__main__":
    main()
