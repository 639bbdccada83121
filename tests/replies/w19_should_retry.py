"""`x-should-retry` says whether a request is sent again, whatever the status."""

from tests.replies.case import Run, Shows
from tests.scripted import error_reply

SEEN = "OpenAI and its SDKs"

LATER = "hint: the server is overloaded or down: try again later\n"


def _run(status: int, header: str, exit_code: int, requests: int) -> Run:
    reply = error_reply(status, "no", x_should_retry=header, retry_after_ms="1")
    step = (
        "ask --retries 1 hi",
        Shows("", exit_code, f"cometresp: error: HTTP {status}: no\n{LATER if status == 503 else ''}"),
    )
    return Run([step], [reply], requests=requests)


RUNS = {
    "429 false": _run(429, "false", 75, 1),
    "503 False": _run(503, " False", 69, 1),
    "400 true": _run(400, "true", 65, 2),
    "404 true": _run(404, "true", 65, 2),
    "429 other": _run(429, "maybe", 75, 2),
}
