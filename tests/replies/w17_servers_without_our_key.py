"""Servers that want another header than Authorization, or none; each answers with the headers that it got."""

import json

from tests.replies.case import Run, Shows
from tests.scripted import Request, json_reply, message, response

SEEN = "Azure OpenAI (api-key), llama.cpp and vLLM on loopback (no key), gateways that refuse a second key"
WATCHED = ("authorization", "api-key", "accept", "x-empty")


def _reply(request: Request) -> bytes:
    got = {name: value for name, value in sorted(request.headers.items()) if name in WATCHED}
    return json_reply(response(message(json.dumps(got))))


def _got(**headers: str) -> Shows:
    shown = {name.replace("_", "-"): value for name, value in sorted(headers.items())}
    return Shows(json.dumps(shown) + "\n")


STREAM = "text/event-stream"
RUNS = {
    "without a key": Run(
        [
            ("ask hi", _got(accept=STREAM)),
            ("ask -H 'api-key: k' hi", _got(accept=STREAM, api_key="k")),
            ("ask -H 'Authorization:' hi", _got(accept=STREAM)),
            ("ask -H 'Accept:' -H 'X-Empty;' hi", _got(x_empty="")),
        ],
        by=_reply,
        env={"COMETAPI_KEY": ""},
    ),
    "with a key": Run(
        [
            ("ask hi", _got(accept=STREAM, authorization="Bearer ***")),
            ("ask -H 'api-key: k' -H 'authorization:' hi", _got(accept=STREAM, api_key="k")),
        ],
        by=_reply,
        env={"COMETAPI_KEY": "sk-test-2"},
    ),
}
