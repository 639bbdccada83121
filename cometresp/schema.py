"""`--schema` -> `text.format` (API 5.1). Pure: files are read by the caller's `read`."""

import re
from pathlib import PurePath
from typing import Any

from cometresp.errors import UsageError
from cometresp.tools import Read, parse_json

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def json_schema_format(spec: str, name: str | None, read: Read, *, strict: bool) -> dict[str, Any]:
    """The format of `--schema`: `@FILE`, a name that ends in `.json`, or inline JSON."""
    flag = "--schema"
    spec = spec.strip()
    if spec.endswith(".json") and not spec.startswith(("{", "@")):
        spec = f"@{spec}"
    if not spec.startswith(("{", "@", "[")):
        raise UsageError(
            f"{flag}: {spec!r} is neither a JSON Schema nor a file of one", hint="as in --schema @person.json"
        )
    schema = parse_json(flag, read(flag, spec))
    if not isinstance(schema, dict):
        raise UsageError(f"{flag}: a schema is a JSON object")
    if name is not None and not _NAME.fullmatch(name):
        raise UsageError(f"--schema-name: {name!r} must be 1 to 64 letters, digits, _ or -")
    source = PurePath(spec[1:]).stem if spec.startswith("@") and spec != "@-" else ""
    return {
        "type": "json_schema",
        "name": name or _name_of(schema.get("title")) or _name_of(source) or "answer",
        "schema": schema,
        "strict": strict,
    }


def _name_of(text: Any) -> str:
    """A valid name made of a title or a file's name, or ""."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", text).strip("_")[:64] if isinstance(text, str) else ""
