"""The definition of a function for the model (API 4.1): strict if its schema can be."""

from cometresp.errors import UsageError
from cometresp.schema.strict import strict_schema
from cometresp.wire.json import Json

# The keywords of JSON Schema that strict calls support. A server refuses the whole request for any other, so a schema
# with more than these is not made strict.
_KEYWORDS = {
    *("type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf", "$ref", "$defs"),
    *("title", "description", "pattern", "format", "multipleOf", "minItems", "maxItems"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
}

_KINDS = {"type", "enum", "const", "anyOf", "$ref"}


def definition(name: str, description: str, parameters: Json) -> Json:
    """The flat function tool; without a `description` if that is empty."""
    strict = _strict(parameters)
    return {
        "type": "function",
        "name": name,
        **({"description": description} if description else {}),
        "parameters": parameters if strict is None else strict,
        "strict": strict is not None,
    }


def _strict(schema: Json) -> Json | None:
    if not _is_plain(schema):
        return None
    try:
        return strict_schema("parameters", schema)
    except UsageError:  # such as an object with any keys
        return None


def _is_plain(schema: object) -> bool:
    if not isinstance(schema, dict) or not schema.keys() <= _KEYWORDS or not schema.keys() & _KINDS:
        return False
    kind = schema.get("type")
    if "items" not in schema and "array" in (kind if isinstance(kind, list) else [kind]):
        return False
    inner = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values(), *schema.get("anyOf", [])]
    return all(_is_plain(part) for part in [*inner, *([schema["items"]] if "items" in schema else [])])
