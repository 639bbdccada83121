"""`--json`: the response object, of a stream the final one."""

import json
from dataclasses import dataclass

from cometresp.answer import Answer
from cometresp.events import Event
from cometresp.render import Sink
from cometresp.terminal import escape_json, json_bytes


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
        if "output_text" not in response:  # the one field that is added (design, promise 4)
            response["output_text"] = answer.text
        if self.to_terminal:
            document = escape_json(json.dumps(response, ensure_ascii=False, indent=2))
        else:
            document = json.dumps(response, ensure_ascii=False)
        self.sink.write(json_bytes(document + "\n"))
