"""The tools that a template's JSON brings: none may name a variable of the environment (`env:NAME`). Pure.

Its value would be sent to whatever server the template names.
"""

from typing import Any

from cometresp.errors import UsageError
from cometresp.request.secrets import names_variables
from cometresp.wire.json import Json, parse_json

BRINGING = {"tool", "tool_choice", "body", "input"}  # the fields of the options whose JSON may bring tools
_IN_THE_BODY = ("tools", "tool_choice", "input")
_MAY_BE_WORDS = ("tool", "tool_choice")


def check_json(where: str, field: str, text: str) -> None:
    """Raises UsageError for the JSON of a flag, as it is or from a file, that names a variable or is wrong."""
    value = parse_json(where, text)
    if names_variables(_body(field, value)):
        raise UsageError(f"{where}: a template can't send variables of the environment (env:NAME); type it")


def check_text(where: str, field: str, text: str) -> str:
    """The text of a flag, which may be JSON, a word or @FILE. Raises UsageError for JSON as `check_json` does."""
    if field in _MAY_BE_WORDS:
        text = text.strip()
    if field in BRINGING and text.lstrip().startswith(("{", "[")):
        check_json(where, field, text)
    if field in BRINGING - {"input"} and text == "@-":
        raise UsageError(f"{where}: a template reads standard input in its prompt only, by {{stdin}}")
    if field == "param" and (name := text.partition("=")[0].partition(".")[0]) in _IN_THE_BODY:
        raise UsageError(f"{where}: {name}: a template sets it by its own flag, not by param")
    return text


def _body(field: str, value: Any) -> Json:
    """A body with the tools that the flag's JSON brings."""
    if field == "body":
        return value if isinstance(value, dict) else {}
    if field == "input":
        return {"input": value if isinstance(value, list) else [value]}
    return {"tools" if field == "tool" else field: value}
