"""The tools that the server runs itself, and their items (API 4.1 and 6.3).

Such a tool runs when it is offered and the prompt has its `emulate:` word, or when `tool_choice` forces it. Its results
are made up and say so. An MCP call needs an approval first, unless the tool's `require_approval` says otherwise.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from cometresp.emulator.context import Context, NewId
from cometresp.emulator.rules import Json
from cometresp.emulator.wording import one_line, without_commands

PAGE = "https://emulator.invalid/page"
FILE_ID = "file-emulator"
# One pixel, one bit, white.
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABAQAAAAA3bvkkAAAACklEQVR42mNoAAAAggCB2kUIOwAAAABJRU5ErkJggg=="
_KINDS = ("web_search", "file_search", "code_interpreter", "image_generation", "mcp")
_QUERY = 100


@dataclass(frozen=True, slots=True)
class Hosted:
    """The additions of hosted tools to a response: items before the message, lines of its text, citations."""

    items: list[Json] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    citations: list[Json] = field(default_factory=list)

    def needs_approval(self) -> bool:
        """Whether the response ends with a request for approval."""
        return any(item["type"] == "mcp_approval_request" for item in self.items)


def run_hosted(request: Json, context: Context, new_id: NewId) -> Hosted:
    result = Hosted()
    for approval in context.approvals():
        _resume_mcp(approval, context, new_id, result)
    if context.approvals():
        return result
    runner = _Runner(request, one_line(without_commands(context.prompt()), _QUERY), new_id, result)
    limit = request.get("max_tool_calls")
    for tool in _chosen(request, context)[:limit]:
        runner.run(tool)
    return result


def _kind(tool_type: str) -> str:
    return "web_search" if tool_type.startswith("web_search") else tool_type


def _chosen(request: Json, context: Context) -> list[Json]:
    """The hosted tools to run, one of each kind, in the order of `_KINDS`."""
    choice = request.get("tool_choice")
    if choice == "none":
        return []
    words = context.words()
    forced = _kind(choice["type"]) if isinstance(choice, dict) else None
    offered = {_kind(tool["type"]): tool for tool in reversed(request.get("tools") or [])}
    chosen = [kind for kind in _KINDS if kind in offered and (kind in words or kind == forced)]
    return [offered[kind] for kind in chosen]


@dataclass(frozen=True, slots=True)
class _Runner:
    request: Json
    query: str
    new_id: NewId
    result: Hosted

    def run(self, tool: Json) -> None:
        match _kind(tool["type"]):
            case "web_search":
                self._web_search()
            case "file_search":
                self._file_search()
            case "code_interpreter":
                self._code_interpreter(tool)
            case "image_generation":
                self._image_generation()
            case "mcp":
                self._mcp(tool)

    def _includes(self, name: str) -> bool:
        return name in (self.request.get("include") or [])

    def _add(self, prefix: str, kind: str, **fields: Any) -> None:
        self.result.items.append({"id": self.new_id(prefix), "type": kind, **fields})

    def _web_search(self) -> None:
        action: Json = {"type": "search", "query": self.query, "queries": [self.query]}
        if self._includes("web_search_call.action.sources"):
            action["sources"] = [{"type": "url", "url": PAGE}]
        self._add("ws", "web_search_call", status="completed", action=action)
        self.result.lines.append(f"A made-up page was found: {PAGE}")
        self.result.citations.append({"type": "url_citation", "url": PAGE, "title": "A made-up page"})

    def _file_search(self) -> None:
        found = {
            "file_id": FILE_ID,
            "filename": "made-up.txt",
            "score": 0.5,
            "text": f"Made up for: {self.query}",
            "attributes": {},
        }
        results = [found] if self._includes("file_search_call.results") else None
        self._add("fs", "file_search_call", status="completed", queries=[self.query], results=results)
        self.result.lines.append("A made-up file was found: made-up.txt")
        self.result.citations.append({"type": "file_citation", "file_id": FILE_ID, "filename": "made-up.txt"})

    def _code_interpreter(self, tool: Json) -> None:
        outputs = None
        if self._includes("code_interpreter_call.outputs"):
            outputs = [{"type": "logs", "logs": self.query + "\n"}]
        container = tool["container"] if isinstance(tool["container"], str) else "cntr_emulator"
        code = f"prompt = {self.query!r}\nprint(prompt)"
        fields = {"container_id": container, "code": code, "outputs": outputs}
        self._add("ci", "code_interpreter_call", status="completed", **fields)
        self.result.lines.append("Code was shown, though none was run.")

    def _image_generation(self) -> None:
        fields = {"revised_prompt": self.query, "output_format": "png", "result": PNG}
        self._add("ig", "image_generation_call", status="completed", **fields)
        self.result.lines.append("An image of one pixel was made.")

    def _mcp(self, tool: Json) -> None:
        allowed = tool.get("allowed_tools")
        names = allowed.get("tool_names") if isinstance(allowed, dict) else allowed
        name = names[0] if names else "echo"
        label = tool["server_label"]
        schema = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
        listed = {
            "name": name,
            "description": "Answers with its text",
            "input_schema": schema,
            "annotations": {"read_only": True},
        }
        self._add("mcpl", "mcp_list_tools", server_label=label, tools=[listed])
        arguments = json.dumps({"text": self.query}, ensure_ascii=False)
        if _needs_approval(tool.get("require_approval"), name):
            self._add("mcpr", "mcp_approval_request", server_label=label, name=name, arguments=arguments)
            return
        self.result.items.append(_mcp_call(self.new_id, label, name, arguments, None))
        self.result.lines.append(f"The MCP tool `{name}` of `{label}` was emulated.")


def _needs_approval(rule: Any, name: str) -> bool:
    """Whether a call needs approval. The default is "always"; with filters, `never` has to name it and `always` not."""
    if not isinstance(rule, dict):
        return bool(rule != "never")
    always, never = (((rule.get(key) or {}).get("tool_names") or []) for key in ("always", "never"))
    return name in always or name not in never


def _resume_mcp(approval: Json, context: Context, new_id: NewId, result: Hosted) -> None:
    request_id = approval["approval_request_id"]
    asked = context.find("mcp_approval_request", request_id)
    if asked is None:
        return
    name, label = asked["name"], asked["server_label"]
    if approval["approve"]:
        result.items.append(_mcp_call(new_id, label, name, asked["arguments"], request_id))
        result.lines.append(f"The MCP tool `{name}` of `{label}` was approved and emulated.")
    else:
        reason = f" ({one_line(approval['reason'], _QUERY)})" if approval.get("reason") else ""
        result.lines.append(f"The MCP tool `{name}` of `{label}` was refused{reason}, so it wasn't called.")


def _echoed(arguments: str) -> str:
    """The text in the arguments of `echo`, or all of arguments that the emulator didn't write."""
    try:
        text = json.loads(arguments)["text"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return arguments
    return text if isinstance(text, str) else arguments


def _mcp_call(new_id: NewId, label: str, name: str, arguments: str, approval: str | None) -> Json:
    return {
        "id": new_id("mcp"),
        "type": "mcp_call",
        "status": "completed",
        "server_label": label,
        "name": name,
        "arguments": arguments,
        "output": _echoed(arguments),
        "error": None,
        "approval_request_id": approval,
    }
