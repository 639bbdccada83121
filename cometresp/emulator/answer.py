"""The answer to a request: output items and an outcome, computed from the request and its context.

The same conversation gets the same text; only the ids differ.
"""

import base64
import json
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from cometresp.emulator.calls import tool_calls
from cometresp.emulator.context import Context, NewId, describe_output
from cometresp.emulator.errors import invalid
from cometresp.emulator.hosted import Hosted, run_hosted
from cometresp.emulator.rules import Json
from cometresp.emulator.structured import instance
from cometresp.emulator.wording import CHARS_PER_TOKEN, excerpt, one_line, pieces, tokens

_QUOTE = 600
_SHORT_QUOTE = 200
_MOST_LINES = 100_000
_FAILURE = "The emulator failed because {} asked it to."
_COMMENTARY = "The emulator looks at the prompt first."
_REFUSAL = "The emulator refuses because {} asked it to."


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a response: `status` and its details (API 6.2), and whether a stream ends with an `error` event."""

    output: list[Json]
    status: str = "completed"
    reason: str | None = None
    error: Json | None = None
    error_event: bool = False
    reasoning_tokens: int = 0


def check_json_mode(request: Json, context: Context) -> None:
    """Raise ApiError for JSON mode without the word JSON (API 5.1)."""
    shape: Json = (request.get("text") or {}).get("format") or {}
    if shape.get("type") == "json_object" and "json" not in context.text().lower():
        text = "'input' must contain the word 'json' in some form, to use 'text.format' of type 'json_object'."
        raise invalid("input", text)


def answer(request: Json, context: Context, new_id: NewId) -> Outcome:
    """The output and the outcome of a request."""
    words = context.words()
    reasoning = _reasoning(request, context, new_id)
    spent = tokens(reasoning[0]["summary"][0]["text"]) if reasoning else 0
    commentary = _commentary(context, new_id)
    if not context.forced and (calls := tool_calls(request, context, new_id)):
        return Outcome(reasoning + commentary + calls, reasoning_tokens=spent)
    hosted = Hosted() if context.forced else run_hosted(request, context, new_id)
    before = reasoning + commentary + hosted.items
    phase = "final_answer" if commentary else None
    if hosted.needs_approval():
        return Outcome(before, reasoning_tokens=spent)
    if "refusal" in words:
        refusal = {"type": "refusal", "refusal": _REFUSAL.format(context.steered_by())}
        return Outcome([*before, _message(new_id, refusal, phase=phase)], reasoning_tokens=spent)
    text = _text(request, context, hosted)
    limit = request.get("max_output_tokens")
    kept, status, reason = _cut(text, words, limit, spent + (tokens(_COMMENTARY) if commentary else 0))
    part = {"type": "output_text", "text": kept, "annotations": _annotations(kept, hosted), "logprobs": []}
    message = _message(new_id, part, "completed" if status == "completed" else "incomplete", phase)
    error = _error(context) if status == "failed" else None
    return Outcome(
        output=[*before, message] if kept else before,
        status=status,
        reason=reason,
        error=error,
        error_event="error" in words,
        reasoning_tokens=spent,
    )


def _error(context: Context) -> Json:
    # `type` and `param` are optional (API 8.4), but some clients refuse an error without a type.
    message = _FAILURE.format(context.steered_by())
    return {"code": "server_error", "message": message, "type": "server_error", "param": None}


def _message(new_id: NewId, part: Json, status: str = "completed", phase: str | None = None) -> Json:
    message = {"id": new_id("msg"), "type": "message", "role": "assistant", "status": status, "content": [part]}
    return message | ({"phase": phase} if phase else {})


def _commentary(context: Context, new_id: NewId) -> list[Json]:
    if "commentary" not in context.words():
        return []
    part: Json = {"type": "output_text", "text": _COMMENTARY, "annotations": [], "logprobs": []}
    return [_message(new_id, part, phase="commentary")]


def _reasoning(request: Json, context: Context, new_id: NewId) -> list[Json]:
    requested = (request.get("reasoning") or {}).get("summary") is not None
    if not requested and "reasoning" not in context.words():
        return []
    text = f"**Thinking of nothing**\n\nThe emulator reads the prompt: {one_line(context.prompt(), _SHORT_QUOTE)}"
    item: Json = {"id": new_id("rs"), "type": "reasoning", "summary": [{"type": "summary_text", "text": text}]}
    if "reasoning.encrypted_content" in (request.get("include") or []):
        item["encrypted_content"] = "emulated-" + base64.b64encode(text.encode(errors="replace")).decode()
    return [item]


def _cut(text: str, words: dict[str, int], limit: int | None, spent: int) -> tuple[str, str, str | None]:
    """The text to send, with the response's status and reason. Reasoning counts towards the limit (API 2)."""
    parts = pieces(text)
    half = "".join(parts[: -(-len(parts) // 2)])
    if "failed" in words or "error" in words:
        return half, "failed", None
    if "content_filter" in words:
        return half, "incomplete", "content_filter"
    if "incomplete" in words:
        return half, "incomplete", "max_output_tokens"
    if "length" in words:
        return half, "incomplete", "length"
    if limit is not None and tokens(text) + spent > limit:
        sizes = accumulate(len(part) for part in parts)
        fitting = sum(1 for size in sizes if size <= (limit - spent) * CHARS_PER_TOKEN)
        return "".join(parts[:fitting]), "incomplete", "max_output_tokens"
    return text, "completed", None


def _annotations(text: str, hosted: Hosted) -> list[Json]:
    """The citations of what is in the text, each with its position (API 6.4)."""
    placed = []
    for citation in hosted.citations:
        found = text.find(citation["url"] if "url" in citation else citation["filename"])
        if found < 0:
            continue
        if citation["type"] == "url_citation":
            placed.append({**citation, "start_index": found, "end_index": found + len(citation["url"])})
        else:
            placed.append({**citation, "index": found + len(citation["filename"])})
    return placed


def _text(request: Json, context: Context, hosted: Hosted) -> str:
    shape: Json = (request.get("text") or {}).get("format") or {}
    if shape.get("type") == "json_schema":
        return _dump(instance(shape["schema"], context.prompt()))
    if shape.get("type") == "json_object":
        return _dump({"emulator": True, "prompt": excerpt(context.prompt(), _QUOTE)})
    return _prose(request, context, hosted)


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _prose(request: Json, context: Context, hosted: Hosted) -> str:
    words = context.words()
    blocks = ["This is the **emulator**: no model was asked."]
    if context.prompts():
        quoted = "\n".join(f"> {line}".rstrip() for line in excerpt(context.prompt(), _QUOTE).splitlines())
        blocks.append(f"You said:\n\n{quoted or '> (nothing)'}")
    if prompt := request.get("prompt"):
        blocks.append(f"The stored prompt is `{prompt['id']}`, with {_dump(prompt.get('variables') or {})}.")
    if context.instructions:
        blocks.append(f"Your instructions: {one_line(context.instructions, _SHORT_QUOTE)}")
    if attached := context.attachments():
        blocks.append(_list("Attached:", attached))
    if earlier := context.prompts()[:-1]:
        numbered = "\n".join(f"{n}. {one_line(prompt, _SHORT_QUOTE)}" for n, prompt in enumerate(earlier, 1))
        blocks.append(f"Earlier you said:\n\n{numbered}")
    if outputs := context.outputs():
        entries = [f"`{item['call_id']}`: {one_line(describe_output(item), _QUOTE)}" for item in outputs]
        blocks.append(_list("The tools answered:", entries))
    if hosted.lines:
        blocks.append(_list("Emulated tools:", hosted.lines))
    if "code" in words:
        blocks.append('```python\nprint("first block")\n```\n\nand\n\n```sh\necho "last block"\n```')
    if lines := min(words.get("long", 0), _MOST_LINES):
        blocks.append("\n".join(f"Line {n} of {lines}." for n in range(1, lines + 1)))
    return "\n\n".join(blocks)


def _list(title: str, entries: list[str]) -> str:
    return "\n".join([title, "", *(f"- {entry}" for entry in entries)])
