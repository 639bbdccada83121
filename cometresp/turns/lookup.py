"""What the commands about one response share: which one is meant, and what a server's refusal says about it."""

from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from cometresp.errors import CometrespError, DamagedError, OutputError, UsageError
from cometresp.runtime import Runtime
from cometresp.state.names import chain_name
from cometresp.state.transcript import Passage
from cometresp.text import escape_line, to_bytes
from cometresp.wire.replies import knows_no_path

if TYPE_CHECKING:
    from cometresp.state.records import Turn

_MAX_ID = 500

Query = Sequence[tuple[str, str]]


def resolve(given: str, runtime: Runtime) -> str:
    """The id that the word names: itself, what standard input holds, `last`, or the head of `@CHAIN`."""
    if given == "-" and runtime.config.no_stdin:
        raise UsageError("ID: standard input is not read, because of COMETRESP_NO_STDIN")
    if given == "-":
        stream = runtime.terminal.stdin
        words = stream.read().decode(errors="replace").split() if stream and not runtime.terminal.stdin_tty else []
        if len(words) != 1:
            raise UsageError(f"ID: standard input must hold one id, not {len(words)} words")
        given = words[0]
    elif given == "last" or given.startswith("@"):
        state = runtime.open_state(create=False, needed=True)
        turns = state.turns(limit=1) if state and given == "last" else []
        row = state.chain(chain_name(given[1:])) if state and given != "last" else None
        turn = turns[0] if turns else (row.head or row.pending) if row else None
        if turn is None:
            raise UsageError(f"ID: nothing is recorded for {given}", hint="cometresp chains lists what is")
        given = turn.id
    if not given or len(given) > _MAX_ID or not given.isprintable() or " " in given or not given.strip("."):
        raise UsageError(f"ID: {given[:80]!r} is not a response id")
    return given


def recorded(runtime: Runtime, response_id: str, *, anywhere: bool = False) -> "Turn | None":
    """The turn of this server, or of any, that has the id."""
    try:
        state = runtime.open_state(create=False)
        if state is None:
            return None
        with closing(state):
            return state.turn(response_id, base_url=None if anywhere else runtime.base_url)
    except DamagedError as error:  # who writes to it finds a new one
        runtime.terminal.warn(error.message)
        return None
    except OutputError:  # who writes to it will say so
        return None


def only_shows(
    runtime: Runtime, command: str, method: str, response_id: str, below: str = "", query: Query = ()
) -> bool:
    """Whether --dry-run asks for the request line alone, which is then printed."""
    if runtime.connection.curl:
        raise UsageError(f"--curl shows what ask, stream and continue send; {command} sends no body")
    if not runtime.connection.dry_run:
        return False
    path = f"/responses/{quote(response_id, safe='')}{below}"
    words = f"?{urlencode(query, safe='[]', quote_via=quote)}" if query else ""
    runtime.terminal.write(to_bytes(f"{method} {runtime.base_url}{path}{words}\n"))
    return True


def is_missing(error: CometrespError) -> bool:
    """Whether the server has no such endpoint, or no such response: the two can look alike (API 10.2)."""
    return knows_no_path(error) or error.said.status == 404  # noqa: PLR2004 - known by its number


def explained(runtime: Runtime, error: CometrespError, response_id: str, deed: str) -> CometrespError:
    """The error, with what is known of its cause: a gateway may not offer `deed` at all (API 10.2).

    An id that is recorded for this very server isn't wrong.
    """
    name = escape_line(response_id)
    if not is_missing(error):
        return error
    turn = recorded(runtime, response_id)
    reason = error.message.removeprefix("not the Responses API: ")
    if turn is not None:
        what = f"doesn't offer to {deed} responses"
        if not knows_no_path(error):
            gone = f"keeps {name} no longer"
            what = f"{gone}, or {what}" if response_id in error.message else f"{what}, or {gone}"
        error.message = f"the server {what}: {reason}"
        text = turn.input is not None or turn.output is not None
        error.hint = f"cometresp log {name} shows what is recorded of it" if text else ""
    elif (other := recorded(runtime, response_id, anywhere=True)) is not None:
        error.hint = f"{name} is recorded for another server: --base-url {other.base_url}"
    else:
        error.hint = f"the server doesn't know {name}, or doesn't offer to {deed} responses at all"
    return error


def print_passages(runtime: Runtime, found: list[Passage]) -> None:
    """Markdown into a pipe, rendered on a terminal."""
    terminal = runtime.terminal
    if terminal.stdout_tty:
        from cometresp.render.transcript import transcript

        terminal.write(terminal.encode(transcript(found, terminal)))
        return
    terminal.write(to_bytes("\n\n".join(passage.as_markdown() for passage in found) + "\n"))
