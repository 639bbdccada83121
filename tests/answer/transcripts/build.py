"""Short functions for events and items as the API sends them, and for what the reducer makes of them."""

import json
from typing import Any

from cometresp.answer.answer import Answer
from cometresp.wire.events import Event

Json = dict[str, Any]


def ev(kind: str, **data: Any) -> Json:
    return {"type": kind if kind in ("error", "keepalive") else f"response.{kind}", **data}


def text(delta: Any, **where: Any) -> Json:
    return ev("output_text.delta", delta=delta, **where)


def at(n: int, **more: Any) -> Json:
    return {"output_index": n, "content_index": 0, **more}


def part(value: str, **more: Any) -> Json:
    return {"type": "output_text", "text": value, "annotations": [], **more}


def msg(*parts: Json, name: str = "msg", **more: Any) -> Json:
    return {"id": name, "type": "message", "role": "assistant", "status": "completed", "content": list(parts), **more}


def opened(name: str, **more: Any) -> Json:
    return msg(name=name, status="in_progress", **more)


def added(item: Json, **where: Any) -> Json:
    return ev("output_item.added", item=item, **where)


def finished(item: Json, **where: Any) -> Json:
    return ev("output_item.done", item=item, **where)


def end(*output: Json, status: str = "completed", **more: Any) -> Json:
    return ev(status, response={"id": "r", "status": status, "output": list(output), **more})


FULL = ("text", "part", "item", "response")


def full(kind: str, content: Json) -> Json:
    """The event with the full value of the first part: as text, as a part, in its item or in the response."""
    match kind:
        case "text":
            return ev(f"{content['type']}.done", **at(0), **{k: v for k, v in content.items() if k != "type"})
        case "part":
            return ev("content_part.done", part=content, **at(0))
        case "item":
            return finished(msg(content), output_index=0)
        case _:
            return end(msg(content))


def fed(*events: Json) -> Answer:
    answer = Answer()
    for data in events:
        answer.apply(Event(data.get("type", "message"), data, json.dumps(data)))
    return answer


def shown(*events: Json) -> tuple[list[str], bool]:
    """The new text after each event, without empty ones, and whether the final text contradicted it."""
    answer, texts = Answer(), []
    for data in events:
        answer.apply(Event(data.get("type", "message"), data, json.dumps(data)))
        texts.append(answer.read_new_text())
    answer.close(cut=False)
    return [text for text in [*texts, answer.read_new_text()] if text], answer.contradicted
