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
        self._lines.append(event.raw)
        if not event.more:
            self.finish(answer)

    def finish(self, answer: Answer) -> None:  # noqa: ARG002 - the signature of Screen
        if lines := self._lines:
            self._lines = []
            text = "\n".join([*lines, ""])
            if "\r" in text or text.count("\n") > len(lines):  # one was sent as several lines
                text = "".join(line.replace("\r", " ").replace("\n", " ") + "\n" for line in lines)
            self.sink.write(json_bytes(escape_json(text) if self.to_terminal else text))
