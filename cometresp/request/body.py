"""Options and items -> the body of POST /responses (API 2). Pure: nothing is read and nothing is sent here."""

import re
from collections.abc import Sequence
from typing import Any

from cometresp.errors import UsageError
from cometresp.options.tables import RequestOptions, wire_paths
from cometresp.request.rules import check, warn_unknown
from cometresp.text import Read, Say
from cometresp.tuples import NamedTuple
from cometresp.wire.json import Json, listed, obj, parse_json

_WIRE = wire_paths(RequestOptions)
_SURROGATES = "[\udc80-\udcff]"  # how Python represents bytes that aren't UTF-8
_LOGPROBS = "message.output_text.logprobs"


class TurnFields(NamedTuple):
    """What the turn adds to a conversation, and what it inherits from it. Empty fields are not sent."""

    text: str = ""
    parts: Sequence[Json] = ()
    outputs: Sequence[Json] = ()  # of tool calls; sent first
    model: str | None = None  # the default, if neither the flag nor the chain names one
    instructions: str | None = None
    tools: list[Json] | None = None
    functions: Sequence[Json] = ()  # definitions of --functions, added to the tools
    store: bool | None = None
    previous_response_id: str | None = None
    conversation: str | None = None
    base: Json | None = None  # of a turn that is sent again: its body, which flags then change


def build(options: RequestOptions, turn: TurnFields, read: Read, warn: Say, *, stream: bool = True) -> Json:
    """The body: `--body` or an earlier one, then the flags, then `--param`, then the checks. Raises UsageError."""
    _refuse_empty(options, turn)
    body = _base(options, read) if turn.base is None else turn.base
    named = {name: getattr(options, name) for name in _WIRE}
    for name, value in named.items():
        if value is not None:
            _put(body, _WIRE[name], value, f"--{name.replace('_', '-')}")
    if (model := options.model or (None if "model" in body or options.prompt_id else turn.model)) is not None:
        body["model"] = model
    _put_input(body, options, turn, read)
    _put_chain(body, options, turn, read)
    if options.tool or turn.tools or turn.functions or options.tool_choice is not None:
        _put_tools(body, options, turn, read, warn)
    _put_format(body, options, read)
    _put_service(body, options, read, warn)
    if options.no_stream:
        body.pop("stream", None)
    elif stream:
        body["stream"] = True
    for assignment in options.param or ():
        _param(body, assignment, read)
    body = _valid_text(body, warn)
    check(body, warn)
    warn_unknown(options, warn)
    return dict(sorted(body.items(), key=lambda entry: _ORDER.get(entry[0], 1)))


_ORDER = {"model": -3, "instructions": -2, "input": -1, "stream": 2}  # the order that a reader of --dry-run expects


def names_stdin(options: RequestOptions) -> bool:
    """Whether a flag that takes `@FILE` names standard input, which is then not part of the prompt."""
    alone = (options.instructions, options.input, options.schema, options.schema_multi, options.body)
    params = (assignment.partition("=")[2] for assignment in options.param or ())
    return "@-" in (*alone, options.context_management, options.tool_choice, *(options.tool or ()), *params)


def _refuse_empty(options: RequestOptions, turn: TurnFields) -> None:
    """Raises UsageError for an empty name: an unset variable of a script must not select the default."""
    named = {"--model": options.model, "--prompt-id": options.prompt_id}
    for flag, value in (named | {"--previous-response-id": turn.previous_response_id}).items():
        if value is not None and not value.strip():
            raise UsageError(f"{flag}: must not be empty")


def _base(options: RequestOptions, read: Read) -> Json:
    if options.body is None:
        return {}
    body = parse_json("--body", read("--body", options.body))
    if not isinstance(body, dict):
        raise UsageError("--body: the body must be a JSON object")
    return body


def _put_input(body: Json, options: RequestOptions, turn: TurnFields, read: Read) -> None:
    """`input`: a string if there is only text, else items: those of --input, tool outputs, files and prompt."""
    items: list[Json] = []
    if options.input is not None:
        given = parse_json("--input", read("--input", options.input))
        if isinstance(given, str):
            given = {"role": "user", "content": given}
        items += given if isinstance(given, list) else [given]
        if not all(isinstance(item, dict) for item in items):
            raise UsageError("--input: input items are JSON objects, one or an array of them")
    items += turn.outputs
    if turn.parts:
        text = [{"type": "input_text", "text": turn.text}] if turn.text else []
        items.append({"role": "user", "content": [*turn.parts, *text]})
    elif turn.text and items:
        items.append({"role": "user", "content": turn.text})
    elif turn.text:
        body["input"] = turn.text
    if items or (options.input is not None and not turn.text):
        body["input"] = items


def _put_chain(body: Json, options: RequestOptions, turn: TurnFields, read: Read) -> None:
    if options.instructions is not None:
        body["instructions"] = read("--instructions", options.instructions)
    elif turn.instructions is not None:
        body.setdefault("instructions", turn.instructions)
    if turn.store is not None:
        body["store"] = turn.store
    if turn.previous_response_id is not None:
        body["previous_response_id"] = turn.previous_response_id
    if turn.conversation is not None:
        body["conversation"] = turn.conversation
    if options.background:
        body["background"] = True


def _put_tools(body: Json, options: RequestOptions, turn: TurnFields, read: Read, warn: Say) -> None:
    from cometresp.request.tools import merged_tools, tool, tool_choice

    if options.tool:
        body["tools"] = [entry for spec in options.tool for entry in tool(spec, read, warn)]
    elif turn.tools:
        body.setdefault("tools", turn.tools)
    if turn.functions:
        given = body.get("tools") or []
        if not isinstance(given, list) or not all(isinstance(entry, dict) for entry in given):
            raise UsageError("--body: tools must be an array of objects, since --functions and --mcp add their own")
        body["tools"] = merged_tools(given, turn.functions)
    if options.tool_choice is not None:
        body["tool_choice"] = tool_choice(options.tool_choice, listed(body.get("tools")), read)


def _put_format(body: Json, options: RequestOptions, read: Read) -> None:
    shapes = {"--schema": options.schema, "--schema-multi": options.schema_multi}
    given = [(flag, spec) for flag, spec in shapes.items() if spec is not None]
    flags = [flag for flag, _ in given] + (["--json-object"] if options.json_object else [])
    if len(flags) > 1:
        raise UsageError(f"{flags[0]} and {flags[1]} exclude each other")
    for flag, spec in given:
        multi, strict = flag == "--schema-multi", not options.no_strict
        from cometresp.schema.format import json_schema_format

        shape = json_schema_format(spec, options.schema_name, read, strict=strict, multi=multi, flag=flag)
        _put(body, "text.format", shape, flag)
    if not given and (options.schema_name is not None or options.no_strict):
        raise UsageError(f"{'--no-strict' if options.schema_name is None else '--schema-name'} goes with --schema")
    if options.json_object:
        _put(body, "text.format", {"type": "json_object"}, "--json-object")


def _put_service(body: Json, options: RequestOptions, read: Read, warn: Say) -> None:
    if options.metadata:
        body["metadata"] = {**obj(body.get("metadata")), **_pairs("--metadata", options.metadata)}
    if options.prompt_var:
        variables = {name: _variable(value) for name, value in _pairs("--prompt-var", options.prompt_var).items()}
        _put(body, "prompt.variables", variables, "--prompt-var")
    if (options.prompt_version is not None or options.prompt_var) and not obj(body.get("prompt")).get("id"):
        raise UsageError(
            f"{'--prompt-var' if options.prompt_version is None else '--prompt-version'} goes with --prompt-id"
        )
    if options.context_management is not None:
        flag = "--context-management"
        body["context_management"] = parse_json(flag, read(flag, options.context_management))
    if (retention := options.prompt_cache_retention) is not None:
        if retention == "in-memory":  # the API page's spelling, which the server refuses (API 2)
            warn("--prompt-cache-retention: in-memory is sent as in_memory, the spelling that servers accept")
            retention = "in_memory"
        body["prompt_cache_retention"] = retention
    include = [*(options.include or ())]
    if options.top_logprobs is not None and _LOGPROBS not in include:
        include.append(_LOGPROBS)
    if include:
        given = body.get("include")
        before = given if isinstance(given, list) else []
        body["include"] = [*before, *(entry for entry in dict.fromkeys(include) if entry not in before)]
    if options.user is not None:
        warn("--user is deprecated: --safety-identifier and --prompt-cache-key replace it")


def _variable(value: str) -> Any:
    """The value of a prompt variable: text, or a content part given as JSON."""
    if value.startswith("{"):
        part = parse_json("--prompt-var", value)
        if obj(part).get("type") in ("input_text", "input_image", "input_file"):
            return part
    return value


def _pairs(flag: str, given: list[str]) -> dict[str, str]:
    pairs = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise UsageError(f"{flag}: {pair!r} must be KEY=VALUE")
        pairs[name] = value
    return pairs


def _put(body: Json, path: str, value: Any, flag: str) -> None:
    """Set the field at a dotted path. Missing objects are created; a number is the index of an existing list."""
    *steps, last = path.split(".")
    place: Any = body
    for step in steps:
        if isinstance(place, list):
            place = place[_position(place, step, path, flag)]
        else:
            if place.get(step) is None:
                place[step] = {}
            place = place[step]
        if not isinstance(place, dict | list):
            raise UsageError(f"{flag}: {path}: {step} is not an object")
    if isinstance(place, list):
        place[_position(place, last, path, flag)] = value
    else:
        place[last] = value


def _position(place: list[Any], step: str, path: str, flag: str) -> int:
    if step.isdecimal() and int(step) < len(place) and len(step) < 10:  # noqa: PLR2004
        return int(step)
    raise UsageError(f"{flag}: {path}: {step} is not a position in that list of {len(place)}")


def _param(body: Json, assignment: str, read: Read) -> None:
    path, equals, value = assignment.partition("=")
    flag = "--param"
    if not equals or not all(path.split(".")):
        shown = re.match(r"[\w.]{,60}", path)  # what follows may be a secret
        start = shown[0] if shown else ""
        more = "…" if start != assignment else ""
        raise UsageError(f"{flag}: {start + more!r} must be PATH=VALUE, as in reasoning.mode=pro")
    text = read(flag, value)
    if text.lstrip().startswith(("{", "[", '"')):
        _put(body, path, parse_json(f"{flag} {path}", text), flag)
        return
    try:
        parsed: Any = parse_json(flag, text)
    except UsageError:
        parsed = text
    _put(body, path, parsed, flag)


def _valid_text(body: Json, warn: Say) -> Json:
    """The body with U+FFFD for the bytes of the command line that aren't UTF-8: JSON can't represent them."""
    found = False

    def replaced(value: Any) -> Any:
        nonlocal found
        if isinstance(value, str) and not value.isascii() and re.search(_SURROGATES, value):
            found = True
            return re.sub(_SURROGATES, "\ufffd", value)
        if isinstance(value, dict):
            return {replaced(name): replaced(inner) for name, inner in value.items()}
        return [replaced(inner) for inner in value] if isinstance(value, list) else value

    body = {name: replaced(value) for name, value in body.items()}
    if found:
        warn("the command line is not valid UTF-8; invalid bytes were replaced")
    return body
