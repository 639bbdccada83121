"""Which of the user's own tools the emulator calls, and with what (sections 4.1, 4.2 and 6.3 of the API reference).

Without a command a tool is called once where the prompt names it. The commands (`emulate:call` and its kin) plan a
number of calls, so many in each response; how many were made is read off the conversation itself, so that it goes the
same way by `previous_response_id` and with every item sent again.
"""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from cometresp.emulator.context import Context, NewId
from cometresp.emulator.rules import Json
from cometresp.emulator.structured import instance
from cometresp.emulator.wording import COMMAND, without_commands

UNKNOWN_TOOL = "no_such_function"
_COMMANDS = frozenset({"call", "calls", "call_chain", "unknown_call", "broken_call", "endless_call"})
_PAIR = 2
_CHAIN = 3
_MOST = 100
_BRACE = re.compile(r"\s*\{")
_decode = json.JSONDecoder().raw_decode


class _Wish(NamedTuple):
    """A call that the prompt speaks of: the tool, where the prompt names it, and the JSON object given for it."""

    tool: Json | None
    start: int = 0
    end: int = 0
    given: str | None = None


class _Plan(NamedTuple):
    """`number` calls in all (None: without end), `at_once` of them in a response."""

    number: int | None
    at_once: int


def tool_calls(request: Json, context: Context, new_id: NewId) -> list[Json]:
    """The calls to make in place of an answer.

    A tool that is merely named is called once; one that `tool_choice` demands is called whatever came before, tool
    outputs too, as real servers do: only `auto` ends a tool loop.
    """
    offered, must = _offer(request)
    words = context.words()
    if "broken_call" in words:
        offered = [tool for tool in offered if tool["type"] == "function"]  # other tools' input has no form to break
    if not offered:
        return []
    wishes = list(_wishes(context.prompt(), offered))
    named = _each_once(wishes)
    wanted: list[_Wish] = []
    if _COMMANDS & words.keys():
        unnamed = [_Wish(tool) for tool in offered]
        wanted = _next(_plan(words), wishes or unnamed, context.calls_made())
    elif not context.calls_made() and not context.after_outputs():
        wanted = named
    if must and not wanted:
        wanted = named or [_Wish(offered[0])]
    if request.get("parallel_tool_calls") is False:
        wanted = wanted[:1]
    return [_call(wish, wish.tool or offered[0], context, new_id) for wish in wanted]


def _offer(request: Json) -> tuple[list[Json], bool]:
    """The tools that may be called, and whether one of them has to be (API 4.2)."""
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


def _next(plan: _Plan, wishes: list[_Wish], made: int) -> list[_Wish]:
    """The calls of this response: the wishes in turn, over again when they run out."""
    if plan.number is None:
        return wishes[:1] * plan.at_once
    end = made - made % plan.at_once + plan.at_once  # a pair that had to come one by one is finished first
    return [wishes[number % len(wishes)] for number in range(made, min(end, plan.number))]


def _each_once(wishes: list[_Wish]) -> list[_Wish]:
    """The first wish for each tool that is named."""
    firsts: dict[str, _Wish] = {}
    for wish in wishes:
        if wish.tool is not None:
            firsts.setdefault(wish.tool["name"], wish)
    return list(firsts.values())


def _wishes(prompt: str, offered: list[Json]) -> Iterator[_Wish]:
    """The tools that the prompt names as words of their own; objects right behind a name or a command are arguments."""
    tools = {tool["name"]: tool for tool in reversed(offered)}
    names = "|".join(re.escape(name) for name in sorted(tools, key=len, reverse=True))
    place = 0
    for found in re.finditer(rf"{COMMAND}|(?<![\w-])(?P<name>{names})(?![\w-])", prompt):
        if found.start() < place:
            continue  # inside of an object
        objects, place = _objects(prompt, found.end())
        tool = tools.get(found["name"])
        if tool is not None and not objects:
            yield _Wish(tool, *found.span())
        for given in objects:
            yield _Wish(tool, *found.span(), given)


def _objects(prompt: str, place: int) -> tuple[list[str], int]:
    """The JSON objects that stand at a place, as they are written, and where they end."""
    objects: list[str] = []
    while brace := _BRACE.match(prompt, place):
        start = brace.end() - 1
        try:
            _, place = _decode(prompt, start)
        except (ValueError, RecursionError):
            break
        objects.append(prompt[start:place])
    return objects, place


def _call(wish: _Wish, tool: Json, context: Context, new_id: NewId) -> Json:
    words, prompt = context.words(), context.prompt()
    # What follows the tool's name is most likely meant for it: "get_weather Oslo".
    said = without_commands(f"{prompt[wish.end :]} {prompt[: wish.start]}")
    call = {"call_id": new_id("call"), "name": tool["name"]}
    if tool["type"] == "custom" and "unknown_call" not in words:
        written = said.strip() if wish.given is None else wish.given
        return {"id": new_id("ctc"), "type": "custom_tool_call", "status": "completed", **call, "input": written}
    text = wish.given
    if text is None:
        schema = tool.get("parameters") or {"type": "object"}
        text = json.dumps(instance(schema, said, "tools"), ensure_ascii=False, separators=(",", ":"))
    if "broken_call" in words:
        text = text[:-1]  # the closing brace
    if "unknown_call" in words:
        call["name"] = UNKNOWN_TOOL
    return {"id": new_id("fc"), "type": "function_call", "status": "completed", **call, "arguments": text}
