"""A page of help -> text: no boxes, no colour, so that a pipe and a terminal get the same words."""

from collections.abc import Callable
from textwrap import wrap

from cometresp.help.page import Page, Section
from cometresp.terminal import Terminal, terminal_size
from cometresp.text import to_bytes

_INDENT = 2
_GAP = 2
_WIDEST_LEFT = 28  # columns; what is longer has its text on the next line
_LEAST_RIGHT = 20
_LEAST_COLUMNS = 20


def show(page: Page, *, use_pager: bool = True) -> None:
    """Print a page on stdout: in a pipe plain text; on a terminal with bold headings, a long one through the pager."""
    terminal = Terminal.of_process()
    columns, lines = terminal_size((1,))
    heading = terminal.bold if terminal.stdout_tty else str
    text = laid_out(page, max(columns, _LEAST_COLUMNS), heading=heading)
    if use_pager and terminal.stdout_tty and text.count("\n") >= lines:
        from cometresp.pager import page as paged

        paged(terminal, text)
        return
    terminal.write(terminal.encode(text) if terminal.stdout_tty else to_bytes(text))


def laid_out(page: Page, columns: int, *, heading: Callable[[str], str] = str) -> str:
    """The text of a page, no line longer than the columns where its words allow that."""
    usage = f"{heading('Usage:')} {page.usage}" if page.usage else ""
    about = "\n\n".join(_wrapped(" ".join(part.split()), columns) for part in page.about.split("\n\n"))
    left = _left_column(page.sections, columns)
    sections = ["\n".join([heading(f"{one.title}:"), *_rows(one, left, columns)]) for one in page.sections]
    ending = "\n".join(_wrapped(line, columns) for line in page.ending.splitlines())
    return "\n\n".join(part for part in (about, usage, *sections, ending) if part) + "\n"


def _left_column(sections: list[Section], columns: int) -> int:
    widest = min(_WIDEST_LEFT, columns // 2)
    fitting = [len(left) for section in sections for left, right in section.rows if right and len(left) <= widest]
    return max(fitting, default=0)


def _rows(section: Section, left: int, columns: int) -> list[str]:
    lines: list[str] = []
    indent = " " * _INDENT
    start = _INDENT + left + _GAP
    for name, text in section.rows:
        if not text:
            lines.append(f"{indent}{name}" if name else "")
        elif columns - start < _LEAST_RIGHT:
            lines += [f"{indent}{name}", *wrap(text, max(columns, 20), initial_indent="    ", subsequent_indent="    ")]
        else:
            first, *rest = wrap(text, columns - start, break_long_words=False, break_on_hyphens=False)
            if len(name) > left:
                lines.append(f"{indent}{name}")
                name = ""  # noqa: PLW2901
            lines += [f"{indent}{name:{left + _GAP}}{first}", *(" " * start + line for line in rest)]
    return lines


def _wrapped(text: str, columns: int) -> str:
    return "\n".join(wrap(text, columns, break_long_words=False, break_on_hyphens=False))
