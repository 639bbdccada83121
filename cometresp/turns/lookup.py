"""What commands about one response or conversation share: which one is meant, and what a server's refusal means."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from cometresp.errors import (
    Cause,
    CometrespError,
    DamagedError,
    Hint,
    Next,
    OutputError,
    RequestRefusedError,
    UsageError,
)
from cometresp.runtime import Runtime
from cometresp.state.names import chain_name
from cometresp.state.records import COMPACTED
from cometresp.text import escape_line, shell_arguments, shell_flag
from cometresp.wire.endpoints import is_conversation
from cometresp.wire.ids import abridged_id, is_plain_id

if TYPE_CHECKING:
    from cometresp.client.client import Client
    from cometresp.state.records import Turn
    from cometresp.state.state import State

_MOST_STDIN = 100_000  # bytes
_DIGITS = 9  # of N in @CHAIN~N
_MOST_LISTED = 10  # ids that begin with what was typed


def resolve(given: str, runtime: Runtime, *, conversations: bool = False) -> str:
    """The id that an argument names, for a request: see `find`, and `-` (standard input).

    An id that isn't recorded is returned as it is: the server may know it. Raises UsageError for the id of a
    conversation where the command isn't about `conversations` too.
    """
    given = id_from_stdin(runtime) if given == "-" else recorded_id(given, runtime, "ID")
    if not is_plain_id(given):
        raise UsageError(f"ID: {given[:80]!r} is not a response id")
    if is_conversation(given) and not conversations:
        name = escape_line(given)
        hint: Hint = (Next("items", (shell_arguments(given),)), " lists its items")
        raise UsageError(f"ID: {name} is a conversation, not a response", hint=hint)
    return given


def recorded_id(given: str, runtime: Runtime, argument: str) -> str:
    """The id of the recorded response that was meant (see `find`); one that isn't recorded as it is."""
    if given.partition("~")[0] == "last" or given.startswith("@"):
        state = runtime.open_state(create=False, required=True)
        if state is None:
            raise _nothing(given, argument)
        with state:
            turn = find(state, given, argument)
            return turn.id if turn else given
    try:
        with runtime.patience.briefly():  # the record is no condition here
            state = runtime.open_state(create=False)
            if state is None:
                return given
            with state:
                turn = find(state, given, argument)
    except DamagedError as error:
        if not runtime.connection.only_shows:  # it was set aside: whatever needs the record finds a new one
            runtime.terminal.warn(error.message)
        return given
    except OutputError:  # whatever needs the record will say so
        return given
    return turn.id if turn else given


def find(state: "State", given: str, argument: str) -> "Turn | None":
    """The recorded turn that an argument names, None for an id that isn't recorded.

    It is the id itself, a start of it that is unique in the record, `last` (the newest), or `@CHAIN` (its head, else
    the turn that is to become it); with `~N` behind it, N turns before that. Raises UsageError, which starts with the
    `argument`, where nothing is recorded for one of these words, and for the start of several ids.
    """
    turn = _named(state, given, argument)
    base, tilde, count = given.rpartition("~")
    if turn is None and tilde and base and len(count) <= _DIGITS and (count.isdecimal() or not count):
        turn = _named(state, base, argument)
        if turn is None:
            raise _nothing(given, argument)
        return _before(state, turn, int(count or 1), given, argument)
    if turn is None and (given == "last" or given.startswith("@")):
        raise _nothing(given, argument)
    return turn


def _named(state: "State", given: str, argument: str) -> "Turn | None":
    """The turn of an id, the start of one, `last` or `@CHAIN`, as it is: ids and names may end in `~N` themselves."""
    if given == "last":
        return next(iter(state.turns.newest(limit=1)), None)
    if given.startswith("@"):
        chain = state.chains.get(chain_name(given[1:], argument))
        return chain.last if chain else None
    return state.turns.get(given) or _only(state, given, argument) if is_plain_id(given) else None


def _before(state: "State", turn: "Turn", count: int, given: str, argument: str) -> "Turn":
    found, reached = state.turns.back(turn, count)
    if found is None:
        length = reached + 1
        hint: Hint = (Next("log", (shell_flag("--chain", turn.chain),)), " lists them")
        recorded = f"{length} turn{'' if length == 1 else 's'}"
        raise UsageError(f"{argument}: {given} goes too far back: {recorded} recorded", hint=hint)
    return found


def _only(state: "State", start: str, argument: str) -> "Turn | None":
    """The only response whose id begins so. Raises UsageError, which lists them, where there are several."""
    turns = state.turns.meant(start, limit=_MOST_LISTED + 1)
    if len(turns) <= 1:
        return turns[0] if turns else None
    from cometresp.state.transcript import words_of

    count = f"{len(turns)}" if len(turns) <= _MOST_LISTED else f"more than {_MOST_LISTED}"
    listed = [f"  {escape_line(state.turns.shown_id(turn.id))}  {words_of(turn)}" for turn in turns[:_MOST_LISTED]]
    raise UsageError("\n".join([f"{argument}: {start} is the start of {count} recorded ids", *listed]))


def _nothing(given: str, argument: str) -> UsageError:
    return UsageError(f"{argument}: nothing is recorded for {given}", hint=(Next("chains"), " lists what is"))


def id_from_stdin(runtime: Runtime) -> str:
    if runtime.config.no_stdin:
        raise UsageError("ID: standard input is not read, because of COMETRESP_NO_STDIN")
    stream = runtime.terminal.stdin
    words = []
    if stream and not runtime.terminal.stdin_tty:
        with runtime.terminal.waiting("waiting for standard input to end"):
            words = stream.read(_MOST_STDIN).decode(errors="replace").split()
    if len(words) != 1:
        raise UsageError(f"ID: standard input must hold one id, not {len(words)} words")
    return words[0]


def shown_id(runtime: Runtime, response_id: str) -> str:
    """The short id where the response is recorded, else the whole one."""
    with runtime.patience.briefly(), suppress(OutputError):
        if (state := runtime.open_state(create=False)) is not None:
            with state:
                return state.turns.shown_id(response_id)
    return response_id


def recorded_turn(runtime: Runtime, response_id: str, *, anywhere: bool = False) -> "Turn | None":
    """The turn of this server, or of any, that has the id."""
    try:
        state = runtime.open_state(create=False)
        if state is None:
            return None
        with state:
            return state.turns.get(response_id, base_url=None if anywhere else runtime.base_url)
    except DamagedError as error:  # whatever writes to it finds a new one
        runtime.terminal.warn(error.message)
        return None
    except OutputError:  # whatever writes to it will say so
        return None


@contextmanager
def client_for(runtime: Runtime, stored_id: str, verb: str) -> Iterator["Client"]:
    """The client for one request about a response or conversation; its errors say what is known of their cause."""
    runtime.check_sendable()
    with runtime.client() as client:
        try:
            yield client
        except CometrespError as error:
            explained(runtime, error, stored_id, verb)
            raise


def is_missing(error: CometrespError) -> bool:
    """Whether the server has no such endpoint, or no such response: the two can look alike (API 10.2)."""
    return error.cause is Cause.PATH or error.details.status == 404  # noqa: PLR2004 - known by its number


def offers_no_such_path(error: CometrespError) -> bool:
    """Whether the server has no such endpoint, where the path names no response that could be missing (API 10.2).

    A 404 about the model or a field of the body comes from the endpoint itself.
    """
    about_the_body = error.cause is Cause.PREVIOUS or error.details.param or error.details.code == "model_not_found"
    return is_missing(error) and not about_the_body


def of_the_server(error: CometrespError, what: str, hint: Hint = "") -> CometrespError:
    """The error with `what` the server does before its reason: `the server offers no compaction: HTTP 404 …`."""
    from cometresp.wire.replies import bare_message

    reason = bare_message(error)
    return error.with_message(f"the server {what}: {reason}", hint)


def not_offered(error: CometrespError, what: str) -> CometrespError:
    """The error of a server that lacks an endpoint: a refusal (65), also where it says so by a page or a redirect."""
    said = of_the_server(error, what, error.hint)
    if (said.details.status or 0) < 300:  # noqa: PLR2004 - a reply that isn't the API's
        return said
    return RequestRefusedError(said.message, hint=said.hint, details=said.details, cause=Cause.PATH)


def explained(runtime: Runtime, error: CometrespError, response_id: str, verb: str) -> CometrespError:
    """The error, with what is known of its cause: a gateway may not offer to `verb` responses at all (API 10.2).

    An id that is recorded for this very server isn't wrong.
    """
    name = abridged_id(response_id)
    if not is_missing(error):
        return error
    if is_conversation(response_id):
        if error.cause is Cause.PATH:
            return of_the_server(error, f"doesn't offer to {verb} conversations", error.hint)
        return error.with_hint(f"the server doesn't know {name}, or doesn't offer to {verb} conversations at all")
    turn = recorded_turn(runtime, response_id)
    look: Hint = ""
    if turn is not None:
        look = (Next("log", (shell_arguments(shown_id(runtime, response_id)),)), " shows what is recorded of it")
    if turn is not None and turn.status == COMPACTED:
        return error.with_message(f"{name} is a compaction, not a response of the server: {error.message}", look)
    if turn is not None:
        what = f"doesn't offer to {verb} responses"
        if error.cause is not Cause.PATH:
            gone = f"keeps {name} no longer"
            what = f"{gone}, or {what}" if response_id in error.message else f"{what}, or {gone}"
        has_text = turn.input is not None or turn.output is not None
        return of_the_server(error, what, look if has_text else "")
    if (other := recorded_turn(runtime, response_id, anywhere=True)) is not None:
        url = shell_flag("--base-url", other.base_url)
        return error.with_hint(f"{name} is recorded for another server" + (f": {url}" if url else ""))
    return error.with_hint(f"the server doesn't know {name}, or doesn't offer to {verb} responses at all")
