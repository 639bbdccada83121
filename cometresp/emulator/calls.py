"""The calls of the user's own tools: which tools, with which arguments (API 4.1, 4.2 and 6.3).

Without an `emulate:` word a tool is called once, if the prompt names it. The words `emulate:call`, `emulate:calls` and
so on set the number of calls in each response and in all. How many were made is counted in the conversation itself, so
that the result is the same with `previous_response_id` and with every item sent again.
"""

import json
import re
from collections.abc import Iterator

from cometresp.emulator.context import Context, NewId
from cometresp.emulator.rules import Json
from cometresp.emulator.structured import instance
from cometresp.emulator.wording import COMMAND, without_commands
from cometresp.tuples import NamedTuple

UNKNOWN_TOOL = "no_such_function"
_COMMANDS = frozenset({"call", "calls", "call_chain", "unknown_call", "broken_call", "endless_call"})
_PAIR = 2
_CHAIN = 3
_MOST = 100
_BRACE = re.compile(r"\s*\{")
_decode = json.JSONDecoder().raw_decode


class _Mention(NamedTuple):
    """A call that the prompt asks for: the tool, the position of its name, and the JSON object given as arguments."""

    tool: Json | None
    start: int = 0
    end: int = 0
    given: str | None = None


class _Plan(NamedTuple):
    """`number` calls in all (None: no limit), `at_once` of them in each response."""

    number: int | None
    at_once: int


def tool_calls(request: Json, context: Context, new_id: NewId) -> list[Json]:
    """The calls to make in place of an answer.

    A tool that is only named in the prompt is called once. A tool that `tool_choice` demands is called in every
    response, also after tool outputs, as real servers do: only `auto` ends a tool loop.
    """
    offered, required = _offer(request)
    words = context.words()
    if "broken_call" in words:
        offered = [tool for tool in offered if tool["type"] == "function"]  # the input of custom tools is free text
    if not offered:
        return []
    mentions = list(_mentions(context.prompt(), offered))
    named = _each_once(mentions)
    chosen: list[_Mention] = []
    if _COMMANDS & words.keys():
        unnamed = [_Mention(tool) for tool in offered]
        chosen = _next(_plan(words), mentions or unnamed, context.calls_made())
    elif not context.calls_made() and not context.after_outputs():
        chosen = named
    if required and not chosen:
        chosen = named or [_Mention(offered[0])]
    if request.get("parallel_tool_calls") is False:
        chosen = chosen[:1]
    return [_call(mention, mention.tool or offered[0], context, new_id) for mention in chosen]


def _offer(request: Json) -> tuple[list[Json], bool]:
    """The tools that may be called, and whether a call is required (API 4.2)."""
    choice = request.get("tool_choice") or "auto"
    offered = [tool for tool in request.get("tools") or [] if tool["type"] in ("function", "custom")]
    if choice == "none":
        return [], False
    if not isinstance(choice, dict):
        return offered, choice == "required"
    if choice["type"] == "allowed_tools":
        names = [tool.get("name") for tool in choice["tools"]]
        return [tool for tool in offered if tool["name"] in names], choice.get("mode") == "required"
    return [tool for tool in offered if (tool["type"], tool["name"]) == (choice["type"], choice.get("name"))], True


def _plan(words: dict[str, int]) -> _Plan:
    at_once = min(words["calls"] or _PAIR, _MOST) if "calls" in words else 1
    if "endless_call" in words:
        return _Plan(None, at_once)
    rounds = min(words["call_chain"] or _CHAIN, _MOST) if "call_chain" in words else 1
    return _Plan(rounds * at_once, at_once)


def _next(plan: _Plan, mentions: list[_Mention], made: int) -> list[_Mention]:
    """The calls of this response: the mentioned ones in their order, repeated from the start when they run out."""
    if plan.number is None:
        return mentions[:1] * plan.at_once
    end = made - made % plan.at_once + plan.at_once  # without parallel calls the rest of a group comes first
    return [mentions[number % len(mentions)] for number in range(made, min(end, plan.number))]


def _each_once(mentions: list[_Mention]) -> list[_Mention]:
    """The first mention of each tool that is named."""
    firsts: dict[str, _Mention] = {}
    for mention in mentions:
        if mention.tool is not None:
            firsts.setdefault(mention.tool["name"], mention)
    return list(firsts.values())


def _mentions(prompt: str, offered: list[Json]) -> Iterator[_Mention]:
    """The tools that the prompt names as whole words; JSON objects right after a name or a command are arguments."""
    tools = {tool["name"]: tool for tool in reversed(offered)}
    names = "|".join(re.escape(name) for name in sorted(tools, key=len, reverse=True))
    place = 0
    for found in re.finditer(rf"{COMMAND}|(?<![\w-])(?P<name>{names})(?![\w-])", prompt):
        if found.start() < place:
            continue  # inside an object
        objects, place = _objects(prompt, found.end())
        tool = tools.get(found["name"])
        if tool is not None and not objects:
            yield _Mention(tool, *found.span())
        for given in objects:
            yield _Mention(tool, *found.span(), given)


def _objects(prompt: str, place: int) -> tuple[list[str], int]:
    """The JSON objects at a position, as they are written, and the position after them."""
    objects: list[str] = []
    while brace := _BRACE.match(prompt, place):
        start = brace.end() - 1
        try:
            _, place = _decode(prompt, start)
        except (ValueError, RecursionError):
            break
        objects.append(prompt[start:place])
    return objects, place


def _call(mention: _Mention, tool: Json, context: Context, new_id: NewId) -> Json:
    words, prompt = context.words(), context.prompt()
    # What follows the tool's name is most likely meant for it: "get_weather Oslo".
    words_left = without_commands(f"{prompt[mention.end :]} {prompt[: mention.start]}")
    call = {"call_id": new_id("call"), "name": tool["name"]}
    if tool["type"] == "custom" and "unknown_call" not in words:
        written = words_left.strip() if mention.given is None else mention.given
        return {"id": new_id("ctc"), "type": "custom_tool_call", "status": "completed", **call, "input": written}
    text = mention.given
    if text is None:
        schema = tool.get("parameters") or {"type": "object"}
        text = json.dumps(instance(schema, words_left, "tools"), ensure_ascii=False, separators=(",", ":"))
    if "broken_call" in words:
        text = text[:-1]  # the closing brace
    if "unknown_call" in words:
        call["name"] = UNKNOWN_TOOL
    return {"id": new_id("fc"), "type": "function_call", "status": "completed", **call, "arguments": text}
