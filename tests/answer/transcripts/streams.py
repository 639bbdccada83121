"""Whole streams in the documented order of events (API 7.2, 7.3), one for each kind of item."""

from collections.abc import Iterator
from itertools import chain, zip_longest
from typing import Any

from tests.answer.transcripts.build import Json, added, ev, finished, msg, part

USAGE = {
    "input_tokens": 9,
    "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 2},
    "total_tokens": 14,
}
Events = list[Json]


def stream(*items: Events, interleaved: bool = False, output: Any = ..., **ending: Any) -> Events:
    """The events of a response: its items in sequence or interleaved. `output` replaces that of the last event."""
    started = {"id": "resp_1", "object": "response", "created_at": 1772611588, "model": "gpt-5.4"}
    started |= {"status": "in_progress", "error": None, "incomplete_details": None, "instructions": None, "output": []}
    started |= {"parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "metadata": {}, "temperature": 1.0}
    whole = [event["item"] for events in items for event in events if event["type"].endswith("output_item.done")]
    last = started | {"status": "completed", "usage": USAGE, "output": whole if output is ... else output} | ending
    turns = chain.from_iterable(zip_longest(*items)) if interleaved else chain.from_iterable(items)
    events = [ev("created", response=started), ev("in_progress", response=started), *filter(None, turns)]
    return [event | {"sequence_number": n} for n, event in enumerate([*events, ev(str(last["status"]), response=last)])]


def halves(text: str) -> tuple[str, str]:
    return text[: len(text) // 2], text[len(text) // 2 :]


def message(n: int, *contents: Json, status: str = "completed") -> Events:
    name = f"msg_{n}"
    inner = chain.from_iterable(
        _part(content, item_id=name, output_index=n, content_index=c) for c, content in enumerate(contents)
    )
    return _item(n, msg(*contents, name=name, status=status), {"content": []}, inner)


def _item(n: int, whole: Json, started: Json, inner: Any) -> Events:
    if "status" in whole:
        started = {"status": "in_progress", **started}
    return [added(whole | started, output_index=n), *inner, finished(whole, output_index=n)]


def _part(content: Json, **where: Any) -> Iterator[Json]:
    kind, key = content["type"], "refusal" if content["type"] == "refusal" else "text"
    odds: Json = {"logprobs": []} if kind == "output_text" else {}
    yield ev("content_part.added", part={**content, key: "", **({"annotations": []} if odds else {})}, **where)
    for delta in halves(content[key]):
        yield ev(f"{kind}.delta", delta=delta, **odds, **where)
    for k, note in enumerate(content.get("annotations", ())):
        yield ev("output_text.annotation.added", annotation_index=k, annotation=note, **where)
    yield ev(f"{kind}.done", **{key: content[key]}, **odds, **where)
    yield ev("content_part.done", part=content, **where)


def reasoning(n: int, *texts: str, encrypted: str | None = None) -> Events:
    name, parts = f"rs_{n}", [{"type": "summary_text", "text": text} for text in texts]
    sealed = {} if encrypted is None else {"encrypted_content": encrypted}
    whole = {"id": name, "type": "reasoning", "summary": parts, **sealed}

    def inner() -> Iterator[Json]:
        for s, summary in enumerate(parts):
            where = {"item_id": name, "output_index": n, "summary_index": s}
            yield ev("reasoning_summary_part.added", part=summary | {"text": ""}, **where)
            for delta in halves(summary["text"]):
                yield ev("reasoning_summary_text.delta", delta=delta, **where)
            yield ev("reasoning_summary_text.done", text=summary["text"], **where)
            yield ev("reasoning_summary_part.done", part=summary, **where)

    return _item(n, whole, {"summary": [], **{key: value[:2] for key, value in sealed.items()}}, inner())


def function_call(n: int, arguments: str) -> Events:
    name = f"fc_{n}"
    whole = {"id": name, "type": "function_call", "call_id": f"call_{n}", "name": "weather", "arguments": arguments}
    inner = _field("function_call_arguments", "arguments", arguments, item_id=name, output_index=n)
    return _item(n, whole | {"status": "completed"}, {"arguments": ""}, inner)


def _field(kind: str, key: str, text: str, **where: Any) -> Iterator[Json]:
    for delta in halves(text):
        yield ev(f"{kind}.delta", delta=delta, **where)
    yield ev(f"{kind}.done", **{key: text}, **where)


def hosted(n: int, kind: str, *steps: str | Iterator[Json], started: Json | None = None, **more: Any) -> Events:
    """A call that the server runs: `steps` are its statuses, and the events between them."""
    name = f"{kind}_{n}"
    inner = [
        event
        for step in steps
        for event in ([ev(f"{kind}.{step}", item_id=name, output_index=n)] if isinstance(step, str) else step)
    ]
    return _item(n, {"id": name, "type": kind, **more}, started or {}, inner)


def web_search(n: int) -> Events:
    steps = ("in_progress", "searching", "completed")
    action = {"type": "search", "query": "tides", "sources": [{"type": "url", "url": "https://example.org"}]}
    return hosted(n, "web_search_call", *steps, status="completed", action=action)


def file_search(n: int) -> Events:
    steps = ("in_progress", "searching", "completed")
    found = [{"file_id": "file_1", "filename": "a.md", "score": 0.5, "text": "tide", "attributes": {"k": "v"}}]
    return hosted(
        n, "file_search_call", *steps, started={"results": None}, status="completed", queries=["tide"], results=found
    )


def code_interpreter(n: int) -> Events:
    where = {"item_id": f"code_interpreter_call_{n}", "output_index": n}
    code = _field("code_interpreter_call_code", "code", "print(6 * 7)", **where)
    steps = ("in_progress", code, "interpreting", "completed")
    outputs = [{"type": "logs", "logs": "42\n"}]
    started = {"code": "", "outputs": None}
    whole = {"code": "print(6 * 7)", "container_id": "cntr_1", "outputs": outputs, "status": "completed"}
    return hosted(n, "code_interpreter_call", *steps, started=started, **whole)


def image_generation(n: int) -> Events:
    where = {"item_id": f"image_generation_call_{n}", "output_index": n}
    previews = (
        ev("image_generation_call.partial_image", partial_image_index=k, partial_image_b64="aGFs", **where)
        for k in (0, 1)
    )
    steps = ("in_progress", "generating", previews, "completed")
    return hosted(n, "image_generation_call", *steps, started={"result": None}, status="completed", result="d2hvbGU=")


def mcp_list(n: int) -> Events:
    tools = [{"name": "roll", "description": None, "input_schema": {"type": "object"}, "annotations": None}]
    return hosted(
        n, "mcp_list_tools", "in_progress", "completed", started={"tools": []}, server_label="dice", tools=tools
    )


def mcp_call(n: int, end: str = "completed") -> Events:
    arguments = _field("mcp_call_arguments", "arguments", '{"sides":6}', item_id=f"mcp_call_{n}", output_index=n)
    failure = {"type": "mcp_tool_execution_error", "content": [{"type": "text", "text": "no dice"}]}
    result = {"output": "4", "error": None} if end == "completed" else {"output": None, "error": failure}
    whole = {"server_label": "dice", "name": "roll", "arguments": '{"sides":6}', "status": end, **result}
    started = {"arguments": "", "output": None, "error": None}
    return hosted(n, "mcp_call", "in_progress", arguments, end, started=started, **whole)


def mcp_approval(n: int) -> Events:
    return hosted(n, "mcp_approval_request", server_label="dice", name="roll", arguments='{"sides":6}')


_NOTE = {"type": "url_citation", "url": "https://example.org", "title": "T", "start_index": 0, "end_index": 5}
CITED = part("Tides turn.", annotations=[_NOTE])
REFUSED = {"type": "refusal", "refusal": "I can't help with that."}
STREAMS: dict[str, tuple[tuple[Events, ...], Json]] = {
    "text": ((message(0, part("Four.")),), {}),
    "several parts": ((message(0, CITED, part(" And turn."), REFUSED),), {}),
    "refusal": ((message(0, REFUSED),), {}),
    "reasoning": ((reasoning(0, "First.", "Then.", encrypted="gAAAA"), message(1, part("So."))), {}),
    "function calls": ((reasoning(0), function_call(1, '{"city":"Oslo"}'), function_call(2, "{}")), {}),
    "web search": ((web_search(0), message(1, CITED)), {}),
    "file search": ((file_search(0), message(1, part("Found."))), {}),
    "code interpreter": ((code_interpreter(0), message(1, part("42"))), {}),
    "image generation": ((image_generation(0), message(1, part("Done."))), {}),
    "mcp": ((mcp_list(0), mcp_call(1), mcp_call(2, "failed"), message(3, part("You rolled a 4."))), {}),
    "mcp approval": ((mcp_list(0), mcp_approval(1)), {}),
    "interleaved": (
        (message(0, part("One.")), reasoning(1, "Hm."), web_search(2), function_call(3, "{}"), message(4, CITED)),
        {"interleaved": True},
    ),
    "incomplete": (
        (message(0, part("Cut o"), status="incomplete"),),
        {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
    ),
    "failed": (
        (message(0, part("Half"), status="incomplete"),),
        {"status": "failed", "error": {"code": "server_error", "message": "boom"}, "usage": None},
    ),
}
