"""`--events`: one event per line, as it comes and as the server wrote it."""

from dataclasses import dataclass

from cometresp.answer.answer import Answer
from cometresp.render.screen import Sink
from cometresp.text import escape_json, json_bytes
from cometresp.wire.events import Event


@dataclass(slots=True)
class Lines:
    sink: Sink
    to_terminal: bool

    def show(self, event: Event, answer: Answer) -> None:  # noqa: ARG002 - the signature of Screen
        line = event.raw.replace("\r", " ").replace("\n", " ")
        self.sink.write(json_bytes((escape_json(line) if self.to_terminal else line) + "\n"))

    def finish(self, answer: Answer) -> None:
        pass
