"""Whether a server answered a turn without those before it, although it was given the id of the last one (API 12.8)."""

from cometresp.answer.answer import Answer
from cometresp.turns.plan import Plan, settings_of
from cometresp.wire.items import CLIENT_CALLS, type_of
from cometresp.wire.json import Json


def amnesia(answer: Answer, before: Json, body: Json, plan: Plan | None) -> str:
    """The sign that the answer was made without the earlier turns, "" where there is none.

    A turn whose server remembers has no fewer input tokens than the one before, whose usage is `before`, unless
    something else explains it. Only without token counts does the previous id in the reply tell. `plan` is None for a
    turn that answers the calls of another one in this run: a server that had forgotten those would have refused it.
    """
    had, has = _input_tokens(before), _input_tokens(answer.usage)
    if had is not None and has is not None:
        return "" if has >= had or _explained(answer, body, plan) else f"it counts {has} input tokens, {had} before"
    sent = body["previous_response_id"]
    named = answer.response.get("previous_response_id", None if plan and has is None else sent)
    return "" if named == sent else f"its reply doesn't name {sent}"


def _input_tokens(usage: Json) -> int | None:
    """Some servers report 0 where they don't count."""
    count = usage.get("input_tokens")
    return int(count) if isinstance(count, int | float) and count > 0 else None


def _explained(answer: Answer, body: Json, plan: Plan | None) -> bool:
    """Whether the request or the answer gives another reason for fewer input tokens."""
    if body.get("truncation") == "auto" or answer.response.get("truncation") == "auto":
        return True
    parent = plan.parent if plan else None
    before = parent.output or [] if parent else []
    if body.get("context_management") or any(type_of(item, "") == "compaction" for item in (*answer.output, *before)):
        return True
    if any(type_of(item, "").endswith("_call") and item["type"] not in CLIENT_CALLS for item in before):
        return True  # what a search or a program on the server found counts for that turn alone
    if parent is None:
        return False
    now, then = settings_of(body), parent.settings
    return (now.instructions, now.tools, body.get("model")) != (then.instructions, then.tools, parent.wanted_model)
