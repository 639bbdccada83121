"""What the commands that list and show recorded turns share."""

from typing import TYPE_CHECKING

from cometresp.errors import Next
from cometresp.runtime import Runtime
from cometresp.text import to_bytes

if TYPE_CHECKING:
    from cometresp.state.state import State
    from cometresp.state.transcript import Passage, Shown


def tell_empty(runtime: Runtime, message: str) -> None:
    """On a terminal, that a list is empty, and what fills it."""
    fills = runtime.hint("; ", Next("ask", "…"), " starts a chain") if runtime.config.record != "none" else ""
    runtime.terminal.note(message + (fills or "; COMETRESP_RECORD=none records nothing"))


def print_json(runtime: Runtime, value: object, path: str | None = None, *, what: str = "the list") -> None:
    """Print a value as JSON, or the fields of it at the `path` of --select. `what` it is, for the error of that (8)."""
    if path is None:
        runtime.terminal.print_json(value)
        return
    from cometresp.wire.select import printed, select

    values = select(value, path, what)
    runtime.terminal.write(printed(values, to_terminal=runtime.terminal.stdout_tty))


def print_passages(runtime: Runtime, found: "list[Passage]", *, use_pager: bool = True) -> None:
    """Markdown into a pipe; on a terminal rendered, through the pager."""
    terminal = runtime.terminal
    if terminal.stdout_tty:
        from cometresp.pager import page
        from cometresp.render.transcript import transcript

        page(terminal, transcript(found, terminal), use_pager=use_pager and not runtime.plain)
        return
    terminal.write(to_bytes("\n\n".join(passage.as_markdown() for passage in found) + "\n"))


def shown_in(runtime: Runtime, state: "State") -> "Shown":
    """How ids are written in a transcript: short on a terminal if they are very long, always whole into a pipe."""
    return state.turns.shown_if_long if runtime.terminal.stdout_tty else str
