"""The answer rendered as Markdown, once, when it is whole. What a terminal shows before that is the aside's tail."""

from dataclasses import dataclass

from cometresp.answer import Answer
from cometresp.events import Event
from cometresp.render import Sink
from cometresp.terminal import Terminal, escape, to_bytes

_PIPE_WIDTH = 80


@dataclass(slots=True)
class Markdown:
    sink: Sink
    terminal: Terminal
    to_terminal: bool

    def show(self, event: Event, answer: Answer) -> None:
        pass

    def finish(self, answer: Answer) -> None:
        text = answer.take()
        if not text:
            return
        from io import StringIO

        from rich.console import Console
        from rich.markdown import Markdown as RichMarkdown

        out = StringIO()
        console = Console(
            file=out,
            force_terminal=self.to_terminal,
            width=None if self.to_terminal else _PIPE_WIDTH,
            no_color=None if self.to_terminal else True,
            color_system="auto" if self.to_terminal else None,
            legacy_windows=False,
        )
        console.print(RichMarkdown(escape(text)))
        rendered = out.getvalue()
        if not self.to_terminal:
            rendered = "".join(line.rstrip() + "\n" for line in rendered.splitlines())
        self.sink.write(to_bytes(rendered))
