"""A request about a conversation, sent once more with the recorded items where the server refuses the response id."""

from collections.abc import Callable, Sequence

from cometresp.errors import CometrespError, ProtocolError, RequestRefusedError
from cometresp.runtime import Runtime
from cometresp.state.records import Turn
from cometresp.turns.lookup import offers_no_such_path
from cometresp.turns.replay import conversation_items, with_items
from cometresp.wire.json import Json
from cometresp.wire.refusals import refuses_previous

REPLAYED = "the server takes no response id: the recorded turns were sent in its place"


def posted(
    post: Callable[[Json], Json], body: Json, runtime: Runtime, parent: Turn | None, new_items: Sequence[Json] = ()
) -> Json:
    """The reply to a body which continues `parent` with these items, where it continues anything.

    Raises the server's refusal of the id where the record of the conversation isn't complete, or is refused too.
    """
    try:
        return post(body)
    except CometrespError as error:
        if parent is None or "previous_response_id" not in body or not refuses_previous(error):
            raise
        try:
            reply = post(replayed_after(error, body, runtime, parent, new_items))
        except (RequestRefusedError, ProtocolError) as second:
            if offers_no_such_path(second):  # whatever the first said of the request
                raise
            raise error from second
    runtime.terminal.warn(REPLAYED)
    return reply


def replayed_after(
    error: CometrespError, body: Json, runtime: Runtime, parent: Turn, new_items: Sequence[Json]
) -> Json:
    """The body with the recorded items in place of the id that was refused by `error`.

    Raises that error, with what is missing, where the record of the conversation isn't complete.
    """
    try:
        earlier = conversation_items(runtime, parent, body.get("model"))
    except RequestRefusedError as gap:
        raise RequestRefusedError(f"{error.message}; {gap.message}", hint=gap.hint, details=error.details) from gap
    return with_items(body, [*earlier, *new_items])
