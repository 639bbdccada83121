"""Notices about a run: one dim line each, which fits the window."""

from collections.abc import Sequence

from cometresp.terminal import Terminal, terminal_size
from cometresp.text import escape_line


def print_notice(terminal: Terminal, *forms: str) -> None:
    """Print the first of these forms that fits the window, else the last one, cut; no notice with --quiet.

    Off a terminal, with --verbose, it is the first one.
    """
    if terminal.quiet or not terminal.stderr_tty:
        terminal.note(escape_line(forms[0]))
        return
    print_dim(terminal, first_that_fits([escape_line(form) for form in forms], terminal_size((2,))[0]))


def print_dim(terminal: Terminal, line: str) -> None:
    """Print an escaped line on stderr; dim on a terminal that can be redrawn."""
    terminal.write_line(f"{terminal.dim(line) if terminal.redraws else line}\n")


def first_that_fits(forms: Sequence[str], width: int) -> str:
    """The first of these lines that isn't wider, else the last one, cut."""
    from rich.cells import cell_len, set_cell_size

    line = next((form for form in forms if cell_len(form) <= width), forms[-1])
    return line if cell_len(line) <= width else set_cell_size(line, max(width - 1, 0)).rstrip() + "…"
