"""`--events`: one event per line, as it comes and as the server wrote it."""

from dataclasses import dataclass, field

from cometresp.answer.answer import Answer
from cometresp.render.screen import Sink
from cometresp.text import escape_json, json_bytes
from cometresp.wire.events import Event


@dataclass(slots=True)
class Lines:
    sink: Sink
    to_terminal: bool
    _lines: list[str] = field(default_factory=list, init=False)  # of events that came together

    def show(self, event: Event, answer: Answer) -> None:
        line = event.raw
        if "\n" in line or "\r" in line:
            line = line.replace("\r", " ").replace("\n", " ")
        self._lines.append(escape_json(line) if self.to_terminal else line)
        if not event.more:
            self.finish(answer)

    def finish(self, answer: Answer) -> None:  # noqa: ARG002 - the signature of Screen
        if lines := self._lines:
            self._lines = []
            self.sink.write(json_bytes("\n".join([*lines, ""])))
