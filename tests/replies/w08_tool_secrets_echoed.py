"""A response that repeats the tools of the request with the secrets of an MCP server."""

import json
from typing import Any

from tests.replies.case import Run, Shows
from tests.scripted import Request, created, ended, json_reply, message, response, sse

SEEN = "OpenAI's API up to 2025 (openai-python #2433), vLLM, OGX: response.tools as it was sent"
TOOL: dict[str, Any] = {
    "type": "mcp",
    "server_label": "d",
    "server_url": "https://x/",
    "authorization": "env:MCP_TOKEN",
}
TOOL |= {"headers": {"X-Tenant": "blue", "X-Api-Key": "k3y-of-the-server"}}
MASKED = TOOL | {"authorization": "***", "headers": {"X-Tenant": "***", "X-Api-Key": "***"}}


def _whole(tools: list[Any]) -> dict[str, Any]:
    return response(message("done")) | {"tools": tools}


def _with_text(whole: dict[str, Any]) -> str:
    return json.dumps(whole | {"output_text": "done"}) + "\n"


def _reply(request: Request) -> bytes:
    if request.method == "GET":  # another program's response, whose secrets this one doesn't know
        return json_reply(_whole([TOOL | {"authorization": "s3cret", "headers": {"X-Api-Key": "k"}}]))
    tools = request.json()["tools"]
    return sse(created(tools=tools), ended(_whole(tools)))


STREAMED = created(tools=[MASKED])["response"] | _whole([MASKED])  # with the fields in the order in which they came
SHOWN = _with_text(STREAMED)
FETCHED = _with_text(_whole([MASKED | {"headers": {"X-Api-Key": "***"}}]))
EVENTS = "".join(json.dumps(event) + "\n" for event in (created(tools=[MASKED]), ended(_whole([MASKED]))))
RUNS = {
    "masked": Run(
        [
            (f"ask -t '{json.dumps(TOOL)}' --json hi", Shows(SHOWN, whole=True)),
            (f"ask -t '{json.dumps(TOOL)}' --events hi", Shows(EVENTS)),
            ("get --json resp_1", Shows(FETCHED, whole=True)),
        ],
        by=_reply,
        env={"MCP_TOKEN": "a-token-of-its-own"},
    )
}
