"""A line of the input -> the parts that make a request of it: its id, its prompt or body, the flags that it sets. Pure.

    {"custom_id": "a", "method": "POST", "url": "/v1/responses", "body": {"model": "m", "input": "Hi"}}
    {"model": "m", "input": "Hi"}
    {"prompt": "Hi", "temperature": 0, "custom_id": "a"}
    "Hi"

What a line holds is data: nothing in it is looked up, neither a file behind an `@` nor a variable of the environment.
"""

import json
from typing import Any

from cometresp.batch.lines import Line
from cometresp.errors import CometrespError, UsageError
from cometresp.nearest import nearest
from cometresp.settings.flags import checked, settings
from cometresp.text import escape_line, quoted
from cometresp.tuples import NamedTuple
from cometresp.wire.json import Json

_LONGEST_ID = 512
_SHOWN = 80
_ENDPOINTS = ("/v1/responses", "/responses")
# Flags of a prompt that a line may set, by the fields of the options; the others are about the run as a whole.
_SETTABLE = {
    *("model", "instructions", "file", "file_as", "image_detail", "input", "temperature", "top_p", "top_logprobs"),
    *("max_output_tokens", "truncation", "reasoning_effort", "reasoning_summary", "schema", "schema_multi"),
    *("schema_name", "no_strict", "json_object", "verbosity", "tool", "tool_choice", "max_tool_calls"),
    *("parallel_tool_calls", "service_tier", "prompt_cache_key", "prompt_cache_retention", "safety_identifier"),
    *("user", "metadata", "include", "context_management", "prompt_id", "prompt_version", "prompt_var", "param"),
}
# Fields of the request (API 2) that have no flag of their name.
_OF_BODY = {"tools", "reasoning", "text", "previous_response_id", "conversation", "store", "stream_options"}
_OF_CHAT = "input takes the place of messages, and max_output_tokens that of max_tokens and max_completion_tokens"
_OTHER_BODIES = {"chat/completions": _OF_CHAT, "completions": "input takes the place of prompt"}
_LISTS = ("tools", "include")
_MERGED = ("reasoning", "text", "metadata", "stream_options")


class Parts(NamedTuple):
    """`prompt` is None where the body has its own input. `flags` are by the fields of the options, `row` by columns."""

    custom_id: str
    prompt: str | None
    body: Json
    flags: dict[str, Any]
    row: dict[str, str]
    has_own_id: bool


def parts_of(line: Line, *, templated: bool = False) -> Parts:
    """The parts of a line. Raises UsageError for one that is no request. `templated`: columns are its variables."""
    if line.fault:
        raise UsageError(line.fault)
    value = line.value
    default = f"line-{line.number}"
    if isinstance(value, str):
        if not value.strip():
            raise UsageError("the prompt is empty")
        return Parts(default, value, {}, {}, {}, has_own_id=False)
    if not isinstance(value, dict):
        raise UsageError("it must be a JSON object or a string", hint="jq -c '.[]' makes lines of an array")
    fields = dict(value)
    own = "custom_id" in fields
    custom_id = _id(fields.pop("custom_id")) if own else default
    if isinstance(fields.get("body"), dict) and "prompt" not in fields:
        return Parts(custom_id, None, _checked_body(_batch_body(fields)), {}, {}, own)
    if isinstance(fields.get("prompt"), str) or "vars" in fields:
        prompt, row = fields.pop("prompt", None), _row(fields.pop("vars", None))
        return _with_flags(custom_id, prompt, fields, row, own=own)
    if templated:
        row = _row(fields)
        return Parts(custom_id, row.get("prompt") or row.get("input"), {}, {}, row, own)
    return Parts(custom_id, None, _checked_body(fields), {}, {}, own)


def row_parts(line: Line, *, templated: bool) -> Parts:
    """The parts of a row of CSV. Without a template, its column `prompt` is the prompt."""
    if line.fault:
        raise UsageError(line.fault)
    row: dict[str, str] = line.value
    given = row.get("custom_id", "").strip()
    custom_id = _id(given) if given else f"line-{line.number}"
    prompt = row.get("prompt") or row.get("input")
    if not templated and not (prompt or "").strip():
        if "prompt" not in row and "input" not in row:
            raise UsageError(
                "there is no column called prompt", hint="--template NAME makes a prompt of the other columns"
            )
        raise UsageError("the prompt is empty")
    return Parts(custom_id, prompt, {}, {}, row, bool(given))


def merged(base: Json, own: Json) -> Json:
    """A body with a line's own fields over it. Objects such as `reasoning` are merged field by field."""
    both = {**base, **own}
    for name in _MERGED:
        if isinstance(base.get(name), dict) and isinstance(own.get(name), dict):
            both[name] = {**base[name], **own[name]}
    return both


def _id(given: object) -> str:
    if not isinstance(given, str):
        raise UsageError("custom_id must be a string")
    if not given:
        raise UsageError("custom_id must not be empty")
    if len(given) > _LONGEST_ID:
        raise UsageError(f"custom_id has {len(given)} characters, and at most {_LONGEST_ID} are allowed")
    return given


def _batch_body(fields: Json) -> Json:
    """The body of a line as OpenAI's Batch API takes it."""
    method, url = fields.get("method", "POST"), fields.get("url", _ENDPOINTS[0])
    if method != "POST":
        raise UsageError(f"method must be POST, not {quoted(str(method))}")
    if url not in _ENDPOINTS:
        path = str(url).strip("/").removeprefix("v1/")
        raise UsageError(f"url must be {_ENDPOINTS[0]}, not {quoted(str(url))}", hint=_OTHER_BODIES.get(path, ""))
    return dict(fields["body"])


def _checked_body(body: Json) -> Json:
    _leave_out(body)
    _check_kinds(body)
    if not any(body.get(name) for name in ("input", "prompt")):
        near = nearest("input", [str(name) for name in body]) or nearest("prompt", [str(name) for name in body])
        hint = f"did you mean input by {escape_line(near, _SHOWN)}?" if near else ""
        hint = _OF_CHAT if "messages" in body else hint
        raise UsageError("it has neither input nor prompt", hint=hint)
    return body


def _leave_out(body: Json, of: str = "") -> None:
    """Remove what says how a response is sent, where it says nothing. Raises UsageError where it does."""
    for name, reason in (("stream", "each response is streamed anyway"), ("background", "each response is waited for")):
        if body.pop(name, None):
            raise UsageError(f"{of}{name} must be left out: {reason}")


def _check_kinds(body: Json) -> None:
    """Raises UsageError for a list or an object in whose place a text stands: nothing is read for it."""
    for name in _LISTS + _MERGED:
        kind, words = (list, "a list") if name in _LISTS else (dict, "an object")
        if body.get(name) is not None and not isinstance(body[name], kind):
            raise UsageError(f"{name} must be {words}, not {quoted(str(body[name]))}")


def _row(given: object) -> dict[str, str]:
    """The variables of a template: strings and numbers."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise UsageError("vars must be an object")
    return {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in given.items()
    }


def _with_flags(custom_id: str, prompt: object, fields: Json, row: dict[str, str], *, own: bool) -> Parts:
    """A prompt with the flags that its line sets."""
    if prompt is not None and not isinstance(prompt, str):
        raise UsageError("prompt must be a string")
    if prompt is not None and not prompt.strip() and not row:
        raise UsageError("the prompt is empty")
    flags: dict[str, Any] = {}
    body: Json = {}
    _leave_out(fields)
    for name, value in fields.items():
        setting = settings().get(name.replace("-", "_"))
        if name == "body" and isinstance(value, dict):
            body = merged(body, value)
        elif name in _OF_BODY:
            body[name] = value
        elif setting is not None and setting.field in _SETTABLE:
            flags[setting.field] = _flag(name, setting.field, value)
        else:
            raise _unknown(name)
    _leave_out(body, "body.")
    _check_kinds(body)
    return Parts(custom_id, prompt, body, flags, row, own)


def _flag(name: str, field: str, value: Any) -> Any:
    """The value of a flag, as it would be typed: objects as JSON, those of pairs as pairs."""
    if field in ("metadata", "prompt_var") and isinstance(value, dict):
        value = [f"{key}={inner if isinstance(inner, str) else json.dumps(inner)}" for key, inner in value.items()]
    elif field in ("schema", "schema_multi", "input", "context_management", "tool_choice") and not isinstance(
        value, str
    ):
        value = json.dumps(value, ensure_ascii=False)
    elif field == "tool" and isinstance(value, list | dict):
        tools = value if isinstance(value, list) else [value]
        value = [one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in tools]
    try:
        given = checked(name.replace("-", "_"), value, "")
    except CometrespError as error:
        raise UsageError(error.message.removeprefix(": ")) from error
    if field == "file":
        _check_remote(given)
    return given


def _check_remote(specs: list[str]) -> None:
    """Raises UsageError for a file of this machine: a line of data must not name one."""
    import re

    for spec in specs:
        if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://|file-[A-Za-z0-9_-]{6,}$", spec):
            raise UsageError(f"file: {quoted(spec)} names a file of this machine: a line may name a URL or a file-… id")


def _unknown(name: str) -> UsageError:
    known = {"custom_id", "body", "vars", "prompt", *_OF_BODY}
    known |= {other for other, setting in settings().items() if setting.field in _SETTABLE}
    near = nearest(name.replace("_", "-"), [other.replace("_", "-") for other in known])
    hint = f"did you mean {near.replace('-', '_')}?" if near else "body has the fields that have no flag"
    return UsageError(f"unknown field {quoted(name)}", hint=hint)
