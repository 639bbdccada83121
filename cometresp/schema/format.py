"""`--schema` and `--schema-multi` -> `text.format` (API 5.1). Pure: files are read by the caller's `read`."""

import re
from pathlib import PurePath
from typing import Any

from cometresp.errors import UsageError
from cometresp.text import Read
from cometresp.wire.json import Json, parse_json

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")

_DRIVE = re.compile(r"[A-Za-z]:[\\/]")


def json_schema_format(
    spec: str, name: str | None, read: Read, *, strict: bool, multi: bool = False, flag: str = "--schema"
) -> Json:
    """The format of a spec: fields (`name, age int`), inline JSON, `@FILE`, or a name that ends in `.json`.

    `multi`: for a list of them, under `items`. `strict` closes the schema and requires all of it; otherwise JSON is
    sent untouched. `flag` is what messages name. Raises UsageError.
    """
    if name is not None and not _NAME.fullmatch(name):
        raise UsageError(f"--schema-name: {name!r} must be 1 to 64 letters, digits, _ or -")
    schema, source = _given(flag, spec, read)
    given = schema
    if strict:
        from cometresp.schema.strict import strict_schema

        several = "--multi" if flag == "SPEC" else "--schema-multi"
        schema = strict_schema(flag, schema, root="" if multi else several)
    if multi:
        from cometresp.schema.strict import listed_schema

        schema = listed_schema(schema)
    return {
        "type": "json_schema",
        "name": name or _name_of(given.get("title")) or _name_of(source) or "answer",
        "schema": schema,
        "strict": strict,
    }


def _given(flag: str, spec: str, read: Read) -> tuple[Json, str]:
    """The schema as it was given, and the stem of the file that it came from, "" where there was none."""
    word = spec.strip()
    path = word[1:] if word.startswith("@") else word if _names_file(word) else ""
    text = read(flag, f"@{path}" if path or word == "@" else spec)
    if text.lstrip().startswith(("{", "[")) or path.endswith(".json"):
        schema = parse_json(flag, text)
        if not isinstance(schema, dict):
            raise UsageError(f"{flag}: a schema is a JSON object")
        from cometresp.schema.check import schema_fault

        if fault := schema_fault(schema):
            raise UsageError(f"{flag}: {fault}")
    else:
        from cometresp.schema.fields import from_fields

        schema = from_fields(flag, text)
    return schema, PurePath(path).stem if path not in ("", "-") and not path.startswith("@") else ""


def _names_file(word: str) -> bool:
    """No field's name holds a dot, so that only a description can end in one of a file's."""
    text = _DRIVE.sub("", word, count=1) if _DRIVE.match(word) else word
    return word.endswith(".json") and not word.startswith(("{", "[")) and ":" not in text and "\n" not in text


def _name_of(text: Any) -> str:
    """A valid name made of a title or a file's name, or ""."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", text).strip("_")[:64] if isinstance(text, str) else ""
