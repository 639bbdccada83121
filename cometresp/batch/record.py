"""`--record`: the responses of a batch in the state file. They are in no chain's history, and move no head."""

import threading
from typing import Any

from cometresp.answer.answer import Answer
from cometresp.batch.bodies import Entry
from cometresp.errors import OutputError
from cometresp.request.secrets import masked_body
from cometresp.runtime import Runtime
from cometresp.state.records import Ending, NewTurn, Settings
from cometresp.wire.items import input_items
from cometresp.wire.json import Json, text
from cometresp.wire.payload import Content

CHAIN = "batch"  # what `log` shows of them; no chain is made


class Recording:
    """Records one response after the other; threads may call it. A state file that can't be written is told once."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._lock = threading.Lock()
        self._off = runtime.config.record == "none"
        self._with_text = runtime.config.record == "full"

    def __call__(self, entry: Entry, answer: Answer, cost: float | None) -> None:
        with self._lock:
            if self._off or not answer.id:
                return
            try:
                state = self._runtime.open_state()
                assert state is not None
                with state:
                    n, _ = state.turns.begin(self._new(masked_body(entry.body)), answer.id)
                    state.turns.finish(n, self._ending(answer, cost), good=False)
            except OutputError as error:
                self._off = True
                self._runtime.terminal.warn(f"responses are not recorded any more: {error.message}")

    def _new(self, body: Json) -> NewTurn:
        masked = self._runtime.secrets.value
        items = input_items(body)
        kept = self._with_text and not _has_file(items)
        return NewTurn(
            chain=CHAIN,
            base_url=self._runtime.base_url,
            model=text(body.get("model")) or None,
            settings=Settings(masked(body.get("instructions")), masked(body.get("tools")), body.get("store")),
            input=masked(items) if kept else None,
            restarts=False,
            previous_id=text(body.get("previous_response_id")) or None,
            profile=self._runtime.config.file.profile or None,
        )

    def _ending(self, answer: Answer, cost: float | None) -> Ending:
        masked = self._runtime.secrets.value
        return Ending(
            "cut" if answer.was_cut else answer.status,
            answer.usage,
            masked(answer.output) if self._with_text else None,
            answer.last_sequence,
            answer.id,
            masked(answer.request_id),
            masked(answer.given_reason),
            cost,
        )


def _has_file(value: Any) -> bool:
    """Whether there is a file in it that is read only while it is sent."""
    if isinstance(value, dict):
        value = list(value.values())
    return isinstance(value, Content) or (isinstance(value, list) and any(map(_has_file, value)))
