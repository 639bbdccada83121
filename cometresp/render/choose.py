"""The renderer for a view. Modules that import rich are only loaded for a terminal or Markdown."""

from cometresp.render.screen import Beside, Nothing, Screen, Sink, View
from cometresp.terminal import Terminal


def choose(view: View, sink: Sink, terminal: Terminal) -> Screen:
    """The renderer for a view, with an aside if anything may be shown there."""
    if view.redraw:
        from cometresp.render.live import LiveView

        text = view.kind == "markdown" and view.to_terminal
        region = LiveView(sink, terminal, view, text=text)
        return region if text else Beside(region, _answer_screen(view, sink, terminal))
    answer = _answer_screen(view, sink, terminal)
    if not (view.reasoning or terminal.stderr_tty or terminal.verbose):
        return answer
    from cometresp.render.aside import Aside

    return Beside(Aside(terminal, reasoning=view.reasoning, runs_here=view.runs_here), answer)


def _answer_screen(view: View, sink: Sink, terminal: Terminal) -> Screen:
    match view.kind:
        case "nothing":
            return Nothing()
        case "json":
            from cometresp.render.document import Document

            return Document(sink, to_terminal=view.to_terminal)
        case "events":
            from cometresp.render.lines import Lines

            return Lines(sink, to_terminal=view.to_terminal)
        case "markdown":
            from cometresp.render.markdown import Markdown

            structured = view.structured if view.to_terminal else False
            return Markdown(
                sink, terminal, to_terminal=view.to_terminal, streaming=view.streaming, structured=structured
            )
    from cometresp.render.plain import Plain

    return Plain(sink, terminal, streaming=view.streaming, to_terminal=view.to_terminal)
