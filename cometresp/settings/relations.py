"""Which flags exclude each other, and which need another one, by their fields. Pure.

Typed flags that contradict each other are an error (`options.asked`, `options.values`, `request.body`). A configured
value that doesn't fit the command line is left out: `wait = true` has a meaning for `--background` alone.
"""

from collections.abc import Mapping
from typing import Any

_CONTINUING = {"continue_", "from_", "command continue"}
_CODE = {"extract", "extract_last"}

# Of each of these at most one can be given. `command NAME` is the command itself.
_ONE_OF: tuple[set[str], ...] = (
    {"format", "json", "events", *_CODE},
    {"format", "events", "select", *_CODE},
    {"schema", "schema_multi", "json_object"},
    {"previous_response_id", "conversation"},
    {"continue_", "from_"},
    {"base_url", "offline"},
    {"dry_run", "curl"},
    {"fail_fast", "max_failures"},
    {"instructions", "no_instructions"},
    {"tool", "no_tools"},
)
# Each of the first excludes each of the second.
_PAIRS: tuple[tuple[set[str], set[str]], ...] = (
    (_CODE, {"schema", "schema_multi", "json_object", "only the id"}),
    (_CONTINUING, {"previous_response_id", "conversation"}),
    ({"no_stream"}, {"command stream", "include_obfuscation"}),
    ({"no stream of the request"}, {"include_obfuscation"}),
    ({"count_tokens"}, {"output", "select", "events", "save_images", "id_file", *_CODE}),
    ({"command doctor"}, {"dry_run", "curl"}),
)
# The first is without a meaning unless one of the second is given.
_NEEDS: dict[str, set[str]] = {
    "wait": {"background"},
    "var": {"template"},
    "file_as": {"file"},
    "schema_name": {"schema", "schema_multi"},
    "no_strict": {"schema", "schema_multi"},
    "prompt_version": {"prompt_id"},
    "prompt_var": {"prompt_id"},
    "replay": _CONTINUING,
    "fault": {"offline"},
}


def is_given(field: str, value: Any) -> bool:
    """Whether a configured value gives its flag: `json = false` doesn't."""
    return value is not None and ((value is not False and value != []) or field == "include_obfuscation")


def continues(values: Mapping[str, Any], command: str) -> bool:
    """Whether the turn continues a chain or a recorded response."""
    return bool(_facts(values, command) & _CONTINUING)


def excluded(field: str, value: Any, given: Mapping[str, Any], command: str) -> bool:
    """Whether a value contradicts flags that are `given`."""
    before, after = _facts(given, command), _facts({**given, field: value}, command)
    new = after - before
    return (
        any(new & family and before & family for family in _ONE_OF)
        or any((new & one and before & two) or (new & two and before & one) for one, two in _PAIRS)
        or (_share_a_file({**given, field: value}) and not _share_a_file(given))
    )


def lacks(field: str, values: Mapping[str, Any], command: str) -> bool:
    """Whether none of the flags is given that a field needs."""
    needed = _NEEDS.get(field)
    return needed is not None and not needed & _facts(values, command)


def _facts(values: Mapping[str, Any], command: str) -> set[str]:
    """The fields, and what several of them amount to. `values` are those of given flags only."""
    facts = {*values, f"command {command}"}
    if values.get("format") == "events":
        facts.add("events")
    if "background" in values and command != "stream":
        facts.add("no stream of the request")
        if "wait" not in values:
            facts.add("only the id")
    return facts


def _share_a_file(values: Mapping[str, Any]) -> bool:
    """Whether the summary would be written to the file of the answer or of the id."""
    path = values.get("summary_file")
    return path is not None and path in (values.get("output"), values.get("id_file"))
