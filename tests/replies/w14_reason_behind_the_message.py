"""A gateway's generic message, with the provider's reason in a field of its own."""

import json

from tests.replies.case import Run, Shows, data
from tests.scripted import STREAM_HEAD, ended, json_reply, response

SEEN = "OpenRouter, LiteLLM, gateways of many providers"
RAW = {"message": "Provider returned error", "code": 400, "metadata": {"raw": "input too long", "provider_name": "P"}}
JSON = {**RAW, "metadata": {"raw": json.dumps({"error": {"message": "input too long", "code": "too_long"}})}}
PREFIXED = "BadRequestError: P - " + json.dumps({"error": {"message": "input too long", "code": "too_long"}})
SHOWN = "Provider returned error: input too long"
FAILED = ended(response(response_id="resp_b1", status="failed", error=RAW))


def _document(message: str, exit_code: int, status: int | None, code: str, body: object) -> Shows:
    """What `--error-format json` prints."""
    facts = {"message": message, "hint": None, "exit_code": exit_code, "status": status, "code": code}
    return Shows(
        "", exit_code, json.dumps({"error": {**facts, "param": None, "request_id": None, "body": body}}) + "\n"
    )


def _run(reply: bytes, shown: str, document: Shows) -> Run:
    """The error as a line, as a document, and whole in --debug."""
    whole = Shows("", document.code, lambda err: '"provider_name": "P"' in err or "too_long" in err)
    text = Shows("", document.code, f"cometresp: error: {shown}\n")
    return Run([("ask hi", text), ("ask --error-format json hi", document), ("ask --debug hi", whole)], [reply])


RUNS = {
    "http": _run(
        json_reply({"error": RAW, "user_id": "u"}, 400),
        f"HTTP 400: {SHOWN}",
        _document(f"HTTP 400: {SHOWN}", 65, 400, "400", {"error": RAW, "user_id": "u"}),
    ),
    "json in it": _run(
        json_reply({"error": JSON}, 400),
        f"HTTP 400 too_long: {SHOWN}",
        _document(f"HTTP 400 too_long: {SHOWN}", 65, 400, "too_long", {"error": JSON}),
    ),
    "in the message": _run(
        json_reply({"error": {"message": PREFIXED}}, 400),
        "HTTP 400 too_long: BadRequestError: P - input too long",
        _document(
            "HTTP 400 too_long: BadRequestError: P - input too long",
            65,
            400,
            "too_long",
            {"error": {"message": PREFIXED}},
        ),
    ),
    "event": _run(
        STREAM_HEAD + data({"type": "error", "error": RAW}),
        f"the response failed (400): {SHOWN}",
        _document(f"the response failed (400): {SHOWN}", 1, None, "400", RAW),
    ),
    "failed response": _run(
        STREAM_HEAD + data(FAILED),
        f"resp_b1 failed (400): {SHOWN}",
        _document(f"resp_b1 failed (400): {SHOWN}", 1, None, "400", RAW),
    ),
    "failed whole response": _run(
        json_reply(FAILED["response"]),
        f"resp_b1 failed (400): {SHOWN}",
        _document(f"resp_b1 failed (400): {SHOWN}", 1, None, "400", RAW),
    ),
}
