"""`--json`: the response object; for a stream, the final one."""

import json
import re
from dataclasses import dataclass

from cometresp.answer.answer import Answer
from cometresp.render.screen import Sink
from cometresp.text import escape_json, json_bytes
from cometresp.wire.events import Event

_STRING_OR_INFINITY = re.compile(r'("(?:[^"\\]|\\.)*")|(-?)Infinity')


@dataclass(slots=True)
class Document:
    r"""One line into a pipe; indented on a terminal, where control characters become `\u` escapes."""

    sink: Sink
    to_terminal: bool

    def show(self, event: Event, answer: Answer) -> None:
        pass

    def finish(self, answer: Answer) -> None:
        if not answer.response and not answer.items:
            return
        response = answer.as_response()
        if "output_text" not in response:  # the only field that is added
            response["output_text"] = answer.text
        document = _dumped(response, indent=2 if self.to_terminal else None)
        self.sink.write(json_bytes((escape_json(document) if self.to_terminal else document) + "\n"))


def _dumped(value: object, indent: int | None) -> str:
    """The value as JSON. For a number too large for a float Python writes Infinity, which is replaced by 1e999."""
    try:
        return json.dumps(value, ensure_ascii=False, indent=indent, allow_nan=False)
    except ValueError:
        document = json.dumps(value, ensure_ascii=False, indent=indent)
        return _STRING_OR_INFINITY.sub(lambda found: found[1] or f"{found[2]}1e999", document)
