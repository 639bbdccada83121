"""The emulator's exception, and its JSON in the form of CometAPI's gateway."""

from traceback import format_exception
from typing import Any

_LONGEST_LINE = 500


class ApiError(Exception):
    """An HTTP error reply (API 8.1).

    Its body has the gateway's form for every status. `param` names the field at fault; the gateway leaves it empty.
    """

    def __init__(self, status: int, message: str, *, param: str = "", code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.param = param
        self.code = code

    def body(self, request_id: str) -> dict[str, Any]:
        return {
            "error": {
                "message": f"{self.message} (request id: {request_id})",
                "type": "comet_api_error",
                "param": self.param,
                "code": self.code,
            }
        }


def invalid(param: str, message: str, code: str = "invalid_value") -> ApiError:
    return ApiError(400, message, param=param, code=code)


def not_found(response_id: str) -> ApiError:
    return ApiError(404, f"Response with id '{response_id}' not found.", param="response_id", code="not_found")


def traceback_text(error: BaseException) -> str:
    """The traceback of a bug for a terminal: its messages may have text of a request, so lines are escaped and cut."""
    lines = "".join(format_exception(error)).splitlines()
    return "".join(line.encode("unicode_escape").decode()[:_LONGEST_LINE] + "\n" for line in lines)
