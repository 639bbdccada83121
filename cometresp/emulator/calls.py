"""Which of the user's own tools the emulator calls, and with what (sections 4.1, 4.2 and 6.3 of the API reference)."""

import json
import re

from cometresp.emulator.context import Context, NewId
from cometresp.emulator.rules import Json
from cometresp.emulator.structured import instance
from cometresp.emulator.wording import without_commands


def tool_calls(request: Json, context: Context, new_id: NewId) -> list[Json]:
    """The calls to make in place of an answer; after tool outputs there are none, so that a tool loop ends."""
    choice = request.get("tool_choice") or "auto"
    offered = [tool for tool in request.get("tools") or [] if tool["type"] in ("function", "custom")]
    must = choice == "required"
    if isinstance(choice, dict):
        offered, must = _allowed(choice, offered)
    if choice == "none" or not offered or context.after_outputs():
        return []
    prompt = without_commands(context.prompt())
    places = {tool["name"]: _place(tool["name"], prompt) for tool in offered}
    named = sorted((tool for tool in offered if places[tool["name"]] >= 0), key=lambda tool: places[tool["name"]])
    wanted = named or (offered[:1] if must else [])
    if request.get("parallel_tool_calls") is False:
        wanted = wanted[:1]
    return [_call(tool, prompt, places[tool["name"]], new_id) for tool in wanted]


def _allowed(choice: Json, offered: list[Json]) -> tuple[list[Json], bool]:
    if choice["type"] == "allowed_tools":
        names = [tool.get("name") for tool in choice["tools"]]
        return [tool for tool in offered if tool["name"] in names], choice.get("mode") == "required"
    forced = [tool for tool in offered if (tool["type"], tool["name"]) == (choice["type"], choice.get("name"))]
    return forced, True


def _place(name: str, prompt: str) -> int:
    """Where the prompt names the tool, as a word of its own; -1 where it doesn't."""
    found = re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", prompt)
    return found.start() if found else -1


def _call(tool: Json, prompt: str, place: int, new_id: NewId) -> Json:
    # What follows the tool's name is most likely meant for it: "get_weather Oslo".
    said = prompt if place < 0 else f"{prompt[place + len(tool['name']) :]} {prompt[:place]}"
    call = {"call_id": new_id("call"), "name": tool["name"]}
    if tool["type"] == "custom":
        return {"id": new_id("ctc"), "type": "custom_tool_call", "status": "completed", **call, "input": said.strip()}
    arguments = instance(tool.get("parameters") or {"type": "object"}, said, "tools")
    text = json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))
    return {"id": new_id("fc"), "type": "function_call", "status": "completed", **call, "arguments": text}
