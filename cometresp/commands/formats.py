"""Which format an answer is printed in, decided before anything is read or sent."""

from cometresp.errors import UsageError
from cometresp.options import OutputOptions
from cometresp.terminal import Terminal


def kind_of(output: OutputOptions, terminal: Terminal) -> str:
    """The format that the flags name; `auto` is Markdown on a terminal, else text. Raises UsageError."""
    named = {"json"} if output.json else set()
    named |= {"events"} if output.events else set()
    named |= {output.format} if output.format != "auto" else set()
    if len(named) > 1:
        raise UsageError(f"one format at a time: {' and '.join(sorted(named))} were asked for")
    if named:
        return named.pop()
    return "markdown" if terminal.stdout_tty and output.output is None else "text"
