"""An exhausted allowance as a 429 or a 500, named by the type where there is no code: not sent again, exit code 77."""

from typing import Any

from tests.replies.case import Run, Shows
from tests.scripted import json_reply

SEEN = "OpenAI, ChatGPT plans, new-api"
HINT = "hint: the quota or balance is spent\n"


def _run(error: dict[str, Any], shown: str, status: int = 429) -> Run:
    step = ("ask hi", Shows("", 77, f"cometresp: error: HTTP {status}{shown}\n{HINT}"))
    return Run([step], [json_reply({"error": error}, status, retry_after_ms="1")], requests=1)


LIMIT = {"type": "usage_limit_reached", "message": "The usage limit has been reached"}
SHOWN = " usage_limit_reached: The usage limit has been reached; it resets"
RUNS = {
    "type": _run({"message": "no", "type": "insufficient_quota", "code": None}, " insufficient_quota: no"),
    "number": _run({"message": "no", "type": "insufficient_quota", "code": 429}, ": no"),
    "seconds": _run({**LIMIT, "resets_in_seconds": 7500}, f"{SHOWN} in 2 h 5 min"),
    "moment": _run({**LIMIT, "resets_at": 1764167400}, f"{SHOWN} at 2025-11-26 14:30 UTC"),
    "both": _run(
        {**LIMIT, "resets_in_seconds": 200_000, "resets_at": 1764167400}, f"{SHOWN} in 2 d 7 h (2025-11-26 14:30 UTC)"
    ),
    "500": _run({"message": "no", "code": "insufficient_user_quota"}, " insufficient_user_quota: no", 500),
    "500 type": _run(
        {"message": "no", "type": "pre_consume_token_quota_failed"}, " pre_consume_token_quota_failed: no", 500
    ),
}
