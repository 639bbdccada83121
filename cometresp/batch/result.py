"""How one request of a batch ended, and the line of the output that says so."""

import json
from collections.abc import Mapping
from types import MappingProxyType

from cometresp.errors import CometrespError, ExitCode
from cometresp.text import escape_line, json_bytes, valid_json
from cometresp.tuples import NamedTuple
from cometresp.wire.json import Json

_LONGEST = 2000  # characters of a message


class Result(NamedTuple):
    """`error` is what its exit code is of. `body` is the response, or the body of an error; None where none came.

    A response that ends with a call is an answer: nothing here would run the call.
    """

    number: int
    custom_id: str
    error: CometrespError | None = None
    status: int | None = None
    request_id: str | None = None
    body: object = None
    text: str = ""
    usage: Mapping[str, object] = MappingProxyType({})
    cost: float | None = None
    response_id: str = ""

    @property
    def exit_code(self) -> int:
        return ExitCode.COMPLETED if self.error is None else self.error.exit_code

    @property
    def failed(self) -> bool:
        return self.exit_code not in (ExitCode.COMPLETED, ExitCode.CALL_OPEN)

    def line(self, *, as_text: bool) -> bytes:
        """The line of the output."""
        document = json.dumps(self._text() if as_text else self._response(), ensure_ascii=False)
        return json_bytes(valid_json(document)) + b"\n"

    def _response(self) -> Json:
        """As the lines of OpenAI's Batch API; an error has the exit code that `ask` would have had, too."""
        answered = self.status is not None
        response = {"status_code": self.status, "request_id": self.request_id, "body": self.body}
        return {
            "id": f"batch_req_{self.response_id or self.number}",
            "custom_id": self.custom_id,
            "response": response if answered else None,
            "error": self._error(),
        }

    def _text(self) -> Json:
        line: Json = {
            "custom_id": self.custom_id,
            "text": self.text,
            "exit": int(self.exit_code),
            "usage": dict(self.usage) or None,
            "cost": None if self.cost is None else round(self.cost, 12),
        }
        if (error := self._error()) is not None:
            line["error"] = error["message"]
        return line

    def _error(self) -> Json | None:
        error = self.error
        if error is None or not self.failed:
            return None
        code = error.details.code or error.exit_code.name.lower()
        return {"code": code, "message": escape_line(error.message, _LONGEST), "exit_code": int(error.exit_code)}
