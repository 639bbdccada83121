"""Options and items -> the body: what each flag sends, what is refused, what is warned about."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometresp.errors import UsageError
from cometresp.options.fields import facts_of
from cometresp.options.tables import RequestOptions
from cometresp.request.body import TurnFields, build, names_stdin
from cometresp.request.tools import merged_tools
from tests.api import validator
from tests.conftest import Command

PERSON: dict[str, Any] = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
PERSON |= {"additionalProperties": False}


def read(flag: str, value: str) -> str:
    """Replaces Inputs.text_of: the content of each @FILE."""
    if value.startswith("@"):
        return {"@person.json": json.dumps(PERSON), "@list": '["a"]', "@text": "plain [x]"}[value]
    assert flag.startswith("--")
    return value


def body_of(turn: TurnFields | None = None, **flags: Any) -> tuple[dict[str, Any], list[str]]:
    """The body without model and stream, and the warnings."""
    warnings: list[str] = []
    body = build(RequestOptions(**flags), turn or TurnFields(text="hi", model="m"), read, warnings.append, stream=False)
    return {name: value for name, value in body.items() if value != "m"}, warnings


def sent(turn: TurnFields | None = None, **flags: Any) -> dict[str, Any]:
    """What flags add to a plain request; there must be no warning."""
    body, warnings = body_of(turn, **flags)
    assert (warnings, body.pop("input", None)) == ([], "hi")
    return body


def refusal(**flags: Any) -> str:
    with pytest.raises(UsageError) as caught:
        body_of(**flags)
    return caught.value.message


TEXT_PART = {"type": "input_text", "text": "t"}
ONE_FLAG: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"instructions": "be brief"}, {"instructions": "be brief"}),
    ({"instructions": ""}, {"instructions": ""}),
    ({"temperature": 0.0}, {"temperature": 0.0}),
    ({"top_p": 0.5}, {"top_p": 0.5}),
    ({"top_logprobs": 0}, {"top_logprobs": 0, "include": ["message.output_text.logprobs"]}),
    ({"max_output_tokens": 16}, {"max_output_tokens": 16}),
    ({"truncation": "auto"}, {"truncation": "auto"}),
    ({"reasoning_effort": "none"}, {"reasoning": {"effort": "none"}}),
    ({"reasoning_summary": "concise"}, {"reasoning": {"summary": "concise"}}),
    ({"verbosity": "low"}, {"text": {"verbosity": "low"}}),
    ({"json_object": True}, {"text": {"format": {"type": "json_object"}}}),
    ({"max_tool_calls": 0}, {"max_tool_calls": 0}),
    ({"parallel_tool_calls": False}, {"parallel_tool_calls": False}),
    ({"background": True}, {"background": True}),
    ({"service_tier": "flex"}, {"service_tier": "flex"}),
    ({"prompt_cache_key": "k"}, {"prompt_cache_key": "k"}),
    ({"prompt_cache_retention": "24h"}, {"prompt_cache_retention": "24h"}),
    ({"safety_identifier": "s" * 64}, {"safety_identifier": "s" * 64}),
    ({"metadata": ["a=b=c", "d="]}, {"metadata": {"a": "b=c", "d": ""}}),
    ({"include": ["reasoning.encrypted_content"]}, {"include": ["reasoning.encrypted_content"]}),
    ({"context_management": '[{"type":"compaction"}]'}, {"context_management": [{"type": "compaction"}]}),
    (
        {"prompt_id": "p", "prompt_version": "2", "prompt_var": ["a=b", f"c={json.dumps(TEXT_PART)}", 'd={"x":1}']},
        {"prompt": {"id": "p", "version": "2", "variables": {"a": "b", "c": TEXT_PART, "d": '{"x":1}'}}},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("flags", "fields"), ONE_FLAG, ids="+".join)
def test_a_flag_sets_its_field_and_no_other(flags: dict[str, Any], fields: dict[str, Any]) -> None:
    body, warnings = body_of(**flags)
    assert (body, warnings) == ({"input": "hi", **fields}, [])


EVERY = (
    "-s be -f https://x/a.png --image-detail low --input {'role':'user','content':'before'} --top-p 0.5"
    " --top-logprobs 2 --max-output-tokens 99 --truncation auto --effort low --reasoning-summary auto"
    " --schema {'type':'object'} --schema-name n --no-strict --verbosity low -t web_search_preview -t file_search:vs_1"
    " -t code_interpreter -t image_generation -t mcp:l=https://x --tool-choice l --max-tool-calls 3"
    " --parallel-tool-calls --service-tier flex --prompt-cache-key k --safety-identifier s"
    " --metadata a=b --include reasoning.encrypted_content --context-management [{'type':'compaction'}]"
    " --prompt-id p --prompt-version 1 --prompt-var v=x --store --no-stdin"
)
REST = (
    ("--temperature 1 --json-object --include-obfuscation --previous-response-id r --file-as image -f https://x", 0),
    ("--background --wait --no-stream --conversation c --no-store", 0),
    ("--count-tokens", 0),
    ("-P reasoning.mode=pro --body {'metadata':{'x':'y'}}", 0),
    ("--user u --prompt-cache-retention 24h --schema-multi name", 1),  # deprecated: one warning
)


def test_every_flag_at_once_makes_a_request_that_the_apis_schema_allows(run: Command) -> None:
    used = set()
    for flags, warnings in ((EVERY, 0), *REST):
        words = flags.replace("'", '"').split()
        result = run("ask", "--dry-run", "-m", "m", *words, "hi")
        assert (result.code, result.err.count("\n")) == (0, warnings), result.err
        validator("create_response").validate(json.loads(result.out))
        used |= {word.removeprefix("--no-").strip("-").replace("-", "_") for word in words if word.startswith("-")}
    short = {"s": "instructions", "f": "file", "t": "tool", "P": "param", "effort": "reasoning_effort"}
    named = {short.get(name, name) for name in used} | {"model", "no_stream", "no_strict", "no_stdin", "edit"}
    named |= {"fallback_model", "template", "var"}  # no fields of the body
    assert set(RequestOptions.__annotations__) - named == set()


@pytest.mark.parametrize(
    ("flags", "item"),
    [
        ({}, "hi"),
        ({"input": '"before"'}, [{"role": "user", "content": "before"}, {"role": "user", "content": "hi"}]),
        ({"input": '{"type":"x"}'}, [{"type": "x"}, {"role": "user", "content": "hi"}]),
        ({"input": "[]"}, "hi"),
        ({"body": '{"input":"base"}'}, "hi"),
    ],
)  # fmt: skip
def test_input_items_go_before_the_prompt(flags: dict[str, Any], item: Any) -> None:
    assert body_of(**flags) == ({"input": item}, [])


def test_outputs_and_parts_go_before_the_text() -> None:
    output, part = {"type": "function_call_output", "call_id": "c", "output": "o"}, {"type": "input_text", "text": "f"}
    turn = TurnFields(text="hi", parts=[part], outputs=[output], model="m")
    content = [part, {"type": "input_text", "text": "hi"}]
    assert body_of(turn) == ({"input": [output, {"role": "user", "content": content}]}, [])
    assert body_of(TurnFields(model="m"), input="[]") == ({"input": []}, [])


BASE = '{"input":"base","model":"b","stream":true,"metadata":{"a":"1"},"reasoning":{"effort":"low","x":1},"novel":null}'


def test_flags_change_a_base_body_and_leave_the_rest_of_it() -> None:
    options = RequestOptions(body=BASE, reasoning_effort="high", metadata=["b=2"], no_stream=True)
    assert build(options, TurnFields(model="m"), read, print) == {
        "model": "b",
        "input": "base",
        "metadata": {"a": "1", "b": "2"},
        "reasoning": {"effort": "high", "x": 1},
        "novel": None,
    }
    assert build(RequestOptions(body=BASE, model="mine"), TurnFields(), read, print) == json.loads(BASE) | {
        "model": "mine"
    }


@pytest.mark.parametrize(
    ("assignment", "added"),
    [
        ("reasoning.mode=pro", {"reasoning": {"mode": "pro"}}),
        ("a=1", {"a": 1}),
        ("a=null", {"a": None}),
        ("a=true", {"a": True}),
        ("a=True", {"a": "True"}),
        ("a=", {"a": ""}),
        ("a=x=y", {"a": "x=y"}),
        ("a=1e999", {"a": "1e999"}),
        ("a=NaN", {"a": "NaN"}),
        ('a="1"', {"a": "1"}),
        ('a.b.c={"d":[1]}', {"a": {"b": {"c": {"d": [1]}}}}),
        ("a=@list", {"a": ["a"]}),
        ("a=@text", {"a": "plain [x]"}),
        ("tools.0.x=1", {"tools": [{"type": "t", "x": 1}, 2]}),
        ("tools.1=3", {"tools": [{"type": "t"}, 3]}),
        ("model=other", {"model": "other"}),
    ],
)
def test_a_parameter_sets_the_field_at_its_path(assignment: str, added: dict[str, Any]) -> None:
    base = '{"tools":[{"type":"t"},2]}' if assignment.startswith("tools") else "{}"
    assert body_of(body=base, param=[assignment]) == ({"input": "hi", **added}, [])


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("a", "--param: 'a' must be PATH=VALUE, as in reasoning.mode=pro"),
        ("=1", "--param: '…' must be PATH=VALUE, as in reasoning.mode=pro"),
        ("a..b=1", "--param: 'a..b…' must be PATH=VALUE, as in reasoning.mode=pro"),
        ("input.x=1", "--param: input.x: input is not an object"),
        ("l.2=1", "--param: l.2: 2 is not a position in that list of 2"),
        ("l.-1=1", "--param: l.-1: -1 is not a position in that list of 2"),
        ("l.x.y=1", "--param: l.x.y: x is not a position in that list of 2"),
        ("l.0.y=1", "--param: l.0.y: 0 is not an object"),
        ("l.1.y=1", "--param: l.1.y: 1 is not an object"),
        ("a={x", "--param a: not valid JSON: line 1 column 2: Expecting property name enclosed in double quotes"),
        ("a=[1e999]", "--param a: not valid JSON: 1e999 is too large a number"),
        ("a=[NaN]", "--param a: not valid JSON: NaN is not JSON"),
        ("a=" + "[" * 200 + "]" * 200, "--param a: the JSON is nested too deeply"),
    ],
)
def test_a_parameter_that_cant_be_set_is_refused(assignment: str, message: str) -> None:
    assert refusal(body='{"l":["x",null]}', param=[assignment]) == message


WEB_SEARCH, IMAGE, CODE = ({"type": name} for name in ("web_search", "image_generation", "code_interpreter"))
IN_BONN = {"user_location": {"type": "approximate", "country": "DE", "city": "Bonn"}}
FILES = {"file_ids": ["a", "b"], "memory_limit": "4g"}


@pytest.mark.parametrize(
    ("spec", "tools"),
    [
        ("web_search", [{"type": "web_search"}]),
        ("web_search_preview", [{"type": "web_search_preview"}]),
        ("image_generation", [{"type": "image_generation"}]),
        ("shell", [{"type": "shell"}]),
        ("apply_patch", [{"type": "apply_patch"}]),
        ("web_search_2025_08_26", [{"type": "web_search_2025_08_26"}]),
        ("web_search:domains=a.com, b.com", [WEB_SEARCH | {"filters": {"allowed_domains": ["a.com", "b.com"]}}]),
        ("web_search:context=low,country=DE,city=Bonn", [WEB_SEARCH | {"search_context_size": "low", **IN_BONN}]),
        ("web_search_preview:context=high", [{"type": "web_search_preview", "search_context_size": "high"}]),
        ("image_generation:size=1x1,format=webp", [IMAGE | {"size": "1x1", "output_format": "webp"}]),
        ("code_interpreter", [{"type": "code_interpreter", "container": {"type": "auto"}}]),
        ("code_interpreter:cntr_1", [{"type": "code_interpreter", "container": "cntr_1"}]),
        ("code_interpreter:files=a,b,memory=4g", [CODE | {"container": {"type": "auto", **FILES}}]),
        ("file_search:vs_1,max=5", [{"type": "file_search", "vector_store_ids": ["vs_1"], "max_num_results": 5}]),
        ("file_search:vs_1, vs_2,", [{"type": "file_search", "vector_store_ids": ["vs_1", "vs_2"]}]),
        ("mcp:l=https://x/?a=b", [{"type": "mcp", "server_label": "l", "server_url": "https://x/?a=b"}]),
        ('\n{"type":"novel"}', [{"type": "novel"}]),
        ('[{"type":"a"},{"type":"b"}]', [{"type": "a"}, {"type": "b"}]),
        ("@person.json", [PERSON]),
    ],
)
def test_a_tool_is_a_shorthand_or_json(spec: str, tools: list[Any]) -> None:
    assert sent(tool=[spec]) == {"tools": tools}
    assert sent(tool=[spec, "web_search"]) == {"tools": [*tools, {"type": "web_search"}]}


NESTED = "function tools are flat: name, parameters and strict belong next to type (API 4.1)"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        *((spec, f"{spec!r} is not a tool") for spec in ("", "Web", "-t")),
        ("a b", "'a…' is not a tool"),
        ("shell:x=1", "'shell:…' is not a tool"),
        ("novel:a=b", "'novel:…' is not a tool"),
        *((spec, "file_search needs the ids of vector stores") for spec in ("file_search", "file_search:,")),
        *((spec, "mcp:LABEL=URL needs a label and a web address") for spec in ("mcp", "mcp:x")),
        ("web_search:domain=a.com", "'domain=…' is nothing that web_search takes"),
        ("web_search:a.com", "'a.com' is nothing that web_search takes"),
        ("web_search:context=low,high", "'high' is nothing that web_search takes"),
        ("web_search:domains=", "'domains=' is nothing that web_search takes"),
        ("web_search_preview:domains=a.com", "'domains=…' is nothing that web_search_preview takes"),
        ("file_search:vs_1,max=few", "max must be a number, not 'few'"),
        ("code_interpreter:cntr_1,memory=1g", "'memory=1g' can't be combined with what stands before it"),
        ("image_generation:size=1x1,size=2x2", "'size=2x2' can't be combined with what stands before it"),
        ("mcp:l=x.org", "mcp:LABEL=URL needs a label and a web address"),
        ("mcp:=https://x", "mcp:LABEL=URL needs a label and a web address"),
        ("[1]", "a tool is a JSON object with a type"),
        ('{"name":"x"}', "a tool is a JSON object with a type"),
        ('{"type":"function","function":{}}', NESTED),
    ],
)
def test_an_invalid_tool_is_refused(spec: str, message: str) -> None:
    assert refusal(tool=[spec]) == f"--tool: {message}"


@pytest.mark.parametrize(
    ("spec", "warning"),
    [
        ("x_search", "'x_search' is not a type that the API page lists; it is sent unchanged"),
        (
            "openrouter:web_search",
            "'openrouter:web_search' is not a type that the API page lists; it is sent unchanged",
        ),
        (
            "web_serach",
            "'web_serach' is not a type that the API page lists; it is sent unchanged; did you mean web_search?",
        ),
        (
            "computer_use_preview",
            "computer_use_preview is sent without its required environment and display_width and display_height:"
            " JSON or @FILE can give them",
        ),
    ],
)
def test_a_tool_of_another_type_is_sent_with_a_warning(spec: str, warning: str) -> None:
    given = {"tools": [{"type": spec}], "tool_choice": {"type": spec}}
    assert body_of(tool=[spec], tool_choice=spec) == ({"input": "hi", **given}, [f"--tool: {warning}"])


def test_tools_of_a_base_body_that_functions_cannot_join_are_refused() -> None:
    turn = TurnFields(text="hi", model="m", functions=[{"type": "function", "name": "a"}])
    for tools in ('["x"]', '"x"', '{"type":"x"}', '[{"type":"x"},null]'):
        with pytest.raises(UsageError) as caught:
            body_of(turn, body=f'{{"tools":{tools}}}')
        assert (
            caught.value.message
            == "--body: tools must be an array of objects, since --functions and --mcp add their own"
        )
    assert sent(turn, body='{"tools":null}') == {"tools": turn.functions}


def test_a_function_replaces_its_recorded_definition_but_not_a_custom_tool_of_its_name() -> None:
    old, new = {"type": "function", "name": "a", "description": "old"}, {"type": "function", "name": "a"}
    custom, other = {"type": "custom", "name": "b"}, {"type": "web_search"}
    assert merged_tools([other, old, custom], [new, {"type": "function", "name": "b"}]) == [other, custom, new]


OFFERED = '{"tools":["x",{"name":"bare"},{"type":"custom","name":"c"},{"type":"mcp","server_label":"l"}]}'


@pytest.mark.parametrize(
    ("value", "choice"),
    [
        *((word, word) for word in ("auto", "none", "required")),
        ("c", {"type": "custom", "name": "c"}),
        ("l", {"type": "mcp", "server_label": "l"}),
        ("bare", {"type": "function", "name": "bare"}),
        ("weather", {"type": "function", "name": "weather"}),
        ("file_search", {"type": "file_search"}),
        ('{"type":"x"}', {"type": "x"}),
        ('"auto"', "auto"),
        ("@person.json", PERSON),
    ],
)
def test_a_tool_choice_is_a_word_a_name_or_json(value: str, choice: Any) -> None:
    assert sent(body=OFFERED, tool_choice=value) == json.loads(OFFERED) | {"tool_choice": choice}


@pytest.mark.parametrize(
    ("spec", "name", "expected"),
    [
        ("@person.json", None, "person"),
        ("person.json", None, "person"),
        ("person.json", "mine", "mine"),
        (f" {json.dumps(PERSON)}", None, "answer"),
        (json.dumps(PERSON | {"title": "A täble!"}), None, "A_t_ble"),
        (json.dumps(PERSON | {"title": "!"}), None, "answer"),
    ],
)
def test_a_schema_has_a_name(spec: str, name: str | None, expected: str) -> None:
    shape = {"type": "json_schema", "name": expected, "strict": True}
    schema = PERSON if "person" in spec else json.loads(spec)
    assert sent(schema=spec, schema_name=name) == {"text": {"format": shape | {"schema": schema}}}


ADVICE = "--temperature and --top-p together: the API advises to change one of them"
SPELLING = "--prompt-cache-retention: in-memory is sent as in_memory, the spelling that servers accept"


@pytest.mark.parametrize(
    ("flags", "fields", "warning"),
    [
        ({"user": "u"}, {"user": "u"}, "--user is deprecated: --safety-identifier and --prompt-cache-key replace it"),
        ({"temperature": 1.0, "top_p": 1.0}, {"temperature": 1.0, "top_p": 1.0}, ADVICE),
        ({"prompt_cache_retention": "in-memory"}, {"prompt_cache_retention": "in_memory"}, SPELLING),
        ({"prompt_cache_retention": ""}, {"prompt_cache_retention": ""}, ""),
        ({"reasoning_effort": "huge"}, {"reasoning": {"effort": "huge"}}, ""),
        ({"truncation": ""}, {"truncation": ""}, ""),
        ({"service_tier": "x y"}, {"service_tier": "x y"}, ""),
        ({"verbosity": "LOW"}, {"text": {"verbosity": "LOW"}}, ""),
        ({"include": ["novel"]}, {"include": ["novel"]}, ""),
    ],
)
def test_values_that_servers_may_refuse_are_sent_with_a_warning(
    flags: dict[str, Any], fields: dict[str, Any], warning: str
) -> None:
    [(name, value)] = list(flags.items())[:1]
    value = value[0] if isinstance(value, list) else value
    unknown = f"--{name.replace('_', '-')}: {value!r} is not a value that the API page lists; it is sent unchanged"
    assert body_of(**flags) == ({"input": "hi", **fields}, [warning or unknown])


def test_invalid_bytes_are_replaced_with_one_warning() -> None:
    flags: dict[str, Any] = {"instructions": "a\udcff", "metadata": ["k\udcfe=v\udcff"], "tool": ['{"type":"\udcff"}']}
    body = {"instructions": "a\ufffd", "metadata": {"k\ufffd": "v\ufffd"}, "tools": [{"type": "\ufffd"}]}
    warning = "the command line is not valid UTF-8; invalid bytes were replaced"
    assert body_of(**flags) == ({"input": "hi", **body}, [warning])


def test_a_flag_that_takes_a_file_may_name_standard_input() -> None:
    named: list[dict[str, Any]] = [{"tool": ["web_search", "@-"]}, {"param": ["a=@-"]}]
    alone = ("instructions", "input", "schema", "schema_multi", "body", "context_management", "tool_choice")
    for flags in (*named, *({name: "@-"} for name in alone)):
        assert names_stdin(RequestOptions(**flags))
    assert not names_stdin(RequestOptions(instructions="-", file=["-"], metadata=["a=@-"], param=["a=@@-"]))


def options_of(kind: object) -> list[str]:
    return [name for name, annotation in RequestOptions.__annotations__.items() if facts_of(annotation)[0] == kind]


TEXTS, LISTS = options_of(str | None), options_of(list[str] | None)
# Python and the kernel give arguments whose surrogates stand alone; two that form a pair are one character.
ARGUMENTS = st.text(
    st.characters() | st.characters(categories=["Cs"]) | st.sampled_from('{}[]":=,.-0e@'), max_size=20
).map(lambda text: text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass"))


@given(
    texts=st.dictionaries(st.sampled_from(TEXTS), ARGUMENTS, max_size=5),
    lists=st.dictionaries(st.sampled_from(LISTS), st.lists(ARGUMENTS | ARGUMENTS.map("a={}".format), max_size=3)),
)
def test_any_text_of_a_flag_is_sent_as_valid_json_or_refused_by_name(
    texts: dict[str, str], lists: dict[str, list[str]]
) -> None:
    flags = RequestOptions(**texts, **lists)  # type: ignore[arg-type]
    try:
        body = build(flags, TurnFields(text="hi", model="m"), lambda _, value: value, lambda _: None)
    except UsageError as error:
        message = error.message
    else:
        assert json.loads(json.dumps(body, allow_nan=False)) == body
        message = ""
    assert message.startswith("--") or not message
