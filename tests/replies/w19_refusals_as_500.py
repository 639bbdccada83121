"""A 5xx whose code or type says that the request is at fault, or the key: not sent again."""

from tests.replies.case import Run, Shows
from tests.scripted import json_reply

SEEN = "CometAPI, new-api"
ACCESS = "hint: the key may not use this model, or the balance is spent\n"


def _run(name: str, key: str, exit_code: int, hint: str = "", status: int = 500) -> Run:
    reply = json_reply({"error": {"message": "no", "code": None, key: name}}, status, retry_after_ms="1")
    step = ("ask hi", Shows("", exit_code, f"cometresp: error: HTTP {status} {name}: no\n{hint}"))
    return Run([step], [reply], requests=1)


MODEL = "hint: -m MODEL names another model; cometresp models lists those of the server\n"
REQUEST = (
    "invalid_request",
    "sensitive_words_detected",
    "prompt_blocked",
    "bad_request_body",
    "convert_request_failed",
)
RUNS = {
    **{f"{key} {name}": _run(name, key, 65) for key in ("code", "type") for name in REQUEST},
    "access": _run("access_denied", "code", 77, ACCESS),
    "access type": _run("access_denied", "type", 77, ACCESS, 503),
    "model": _run(
        "model_not_found",
        "type",
        65,
        MODEL,
        503,
    ),
}
