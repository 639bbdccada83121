"""`--json`: the response object; for a stream, the final one."""

import json
from dataclasses import dataclass

from cometresp.answer.answer import Answer
from cometresp.render.screen import Sink
from cometresp.text import escape_json, json_bytes, valid_json
from cometresp.wire.events import Event
from cometresp.wire.json import Json


def document_of(answer: Answer) -> Json:
    """The response with the one field that is added: `output_text`, where the server left it out."""
    response = answer.as_response()
    if "output_text" not in response:
        response["output_text"] = answer.text
    return response


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
        document = valid_json(
            json.dumps(document_of(answer), ensure_ascii=False, indent=2 if self.to_terminal else None)
        )
        self.sink.write(json_bytes((escape_json(document) if self.to_terminal else document) + "\n"))
