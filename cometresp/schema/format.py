"""`--schema` and `--schema-multi` -> `text.format` (API 5.1). Pure: files are read by the caller's `read`."""

import re
from pathlib import PurePath

from cometresp.errors import UsageError
from cometresp.text import Read
from cometresp.wire.json import Json, parse_json, text

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")


def json_schema_format(
    spec: str, name: str | None, read: Read, *, strict: bool, multi: bool = False, flag: str = "--schema"
) -> Json:
    """The format for a spec: fields (`name, age int`), inline JSON, `@FILE`, or a name that ends in `.json`.

    `multi`: the schema of a list of such values, under `items`. `strict` makes the schema strict; otherwise JSON is
    sent unchanged. `flag` is the name in error messages. Raises UsageError.
    """
    if name is not None and not _NAME.fullmatch(name):
        raise UsageError(f"--schema-name: {name!r} must be 1 to 64 letters, digits, _ or -")
    schema, source = _given(flag, spec, read)
    given = schema
    if strict:
        from cometresp.schema.strict import strict_schema

        multi_flag = "--multi" if flag == "SPEC" else "--schema-multi"
        schema = strict_schema(flag, schema, multi_flag="" if multi else multi_flag)
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
    """The schema as the user gave it, and the stem of its file name, or ""."""
    word = spec.strip()
    path = word[1:] if word.startswith("@") else word if names_file(word) else ""
    content = read(flag, f"@{path}" if path or word == "@" else spec)
    if content.lstrip().startswith(("{", "[")) or path.endswith(".json"):
        schema = parse_json(flag, content)
        if not isinstance(schema, dict):
            raise UsageError(f"{flag}: a schema must be a JSON object")
        from cometresp.schema.check import schema_error

        if error := schema_error(schema):
            raise UsageError(f"{flag}: {error}")
    else:
        from cometresp.schema.fields import from_fields

        schema = from_fields(flag, content)
    return schema, PurePath(path).stem if path not in ("", "-") and not path.startswith("@") else ""


def names_file(word: str) -> bool:
    """Whether a spec is the name of a JSON file. Fields have no dot in their names, only in descriptions."""
    path = _DRIVE.sub("", word, count=1) if _DRIVE.match(word) else word
    return word.endswith(".json") and not word.startswith(("{", "[")) and ":" not in path and "\n" not in path


def _name_of(title: object) -> str:
    """A valid name made from a title or a file name, or ""."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", text(title)).strip("_")[:64]
