"""A conversation that a run creates on the server before its first turn: `--conversation new` (API 1, #8)."""

from typing import TYPE_CHECKING

from cometresp.answer.answer import Answer
from cometresp.errors import CometrespError, Next
from cometresp.runtime import Runtime
from cometresp.text import escape_line, shell_arguments
from cometresp.turns.lookup import not_offered, offers_no_such_path
from cometresp.turns.record import Recorder
from cometresp.turns.send import Sender
from cometresp.turns.turn import OnId, Send

if TYPE_CHECKING:
    from cometresp.render.screen import Screen


def in_new_conversation(sender: Sender, recorder: Recorder, runtime: Runtime) -> Send:
    """`sender.first`, which sends the turn in a conversation that is created before."""

    def send(answer: Answer, screen: "Screen", on_response_id: OnId) -> None:
        try:
            conversation_id = sender.begin_conversation()
        except CometrespError as error:
            if offers_no_such_path(error):
                raise not_offered(error, "offers no conversations") from error
            raise
        _tell(runtime, escape_line(conversation_id), recorded=recorder.in_conversation(conversation_id))
        try:
            sender.first(answer, screen, on_response_id)
        except CometrespError:
            if not answer.id:
                name = escape_line(conversation_id)
                delete = runtime.hint(": ", Next("delete", (shell_arguments(conversation_id),)), " deletes it")
                runtime.terminal.warn(f"the new conversation {name} has no response{delete}")
            raise

    return send


def _tell(runtime: Runtime, name: str, *, recorded: bool) -> None:
    """A notice of the id; a warning where nothing is recorded that would name the conversation later."""
    if recorded:
        runtime.terminal.note(f"conversation {name} was created")
    else:
        runtime.terminal.warn(f"conversation {name} was created; it isn't recorded here: note the id")
