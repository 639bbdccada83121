"""`--events`: one event a line, as it comes and as the server wrote it."""

from dataclasses import dataclass

from cometresp.answer import Answer
from cometresp.events import Event
from cometresp.render import Sink
from cometresp.terminal import escape_json, json_bytes


@dataclass(slots=True)
class Lines:
    sink: Sink
    to_terminal: bool

    def show(self, event: Event, answer: Answer) -> None:  # noqa: ARG002 - a line tells one event
        line = event.raw.replace("\r", " ").replace("\n", " ")
        self.sink.write(json_bytes((escape_json(line) if self.to_terminal else line) + "\n"))

    def finish(self, answer: Answer) -> None:
        pass
