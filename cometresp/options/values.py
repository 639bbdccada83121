"""Which format an answer is printed in, decided before anything is read or sent."""

from cometresp.errors import UsageError
from cometresp.options.tables import OutputOptions
from cometresp.terminal import Terminal


def kind_of(output: OutputOptions, terminal: Terminal) -> str:
    """The format that the flags name; `auto` is Markdown on a terminal, else text. Raises UsageError.

    With --extract it is "nothing": that prints a part of the answer by itself.
    """
    named = {"json"} if output.json else set()
    named |= {"events"} if output.events else set()
    named |= {output.format} if output.format != "auto" else set()
    if output.extract or output.extract_last:
        flag = "--extract" if output.extract else "--extract-last"
        if output.extract and output.extract_last:
            raise UsageError("--extract and --extract-last exclude each other")
        if named:
            raise UsageError(f"{flag} prints the code alone: it excludes --json, --events and --format")
        return "nothing"
    if len(named) > 1:
        raise UsageError(f"one format at a time: {' and '.join(sorted(named))} were asked for")
    if named:
        return named.pop()
    return "markdown" if terminal.stdout_tty and output.output is None else "text"
