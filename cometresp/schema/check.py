"""Whether a schema is valid, and whether an answer matches it. jsonschema is loaded only here, and only when needed.

Nothing is fetched: a `$ref` to anything but the schema itself and the published meta-schemas is an error.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from cometresp.deadline import alarm
from cometresp.errors import CometrespError, ExitCode, TurnError
from cometresp.text import Say, escape_line
from cometresp.wire.json import Json, no_constant, obj, text

if TYPE_CHECKING:
    from referencing import Resource

_NAME = re.compile(r"[^\W\d][\w-]*")
_SHOWN_ERRORS = 10
_LONGEST_VALUE, _LONGEST_LINE = 60, 200
_MOST_DIGITS = 4000  # Python's limit is a little higher


def where(path: Sequence[str | int]) -> str:
    """A path in JSON as in jq, without the first dot: `items[0].name`, `["odd name"]`."""
    shown = ""
    for step in path:
        if isinstance(step, str) and _NAME.fullmatch(step):
            shown += f".{step}" if shown else step
        else:
            shown += f"[{json.dumps(step, ensure_ascii=False)}]"
    return escape_line(shown, _LONGEST_LINE)


def schema_error(schema: Json) -> str:
    """What is wrong with a schema by its meta-schema, or with its references; "" if nothing is.

    The meta-schema is that of 2020-12, unless `$schema` names another.
    """
    from jsonschema.exceptions import best_match

    validator = _validator(schema)
    try:
        error = best_match(validator(validator.META_SCHEMA, registry=_published()).iter_errors(schema))
        if error is None:
            return _broken_reference(schema)
    except RecursionError:
        return "the schema is nested too deeply to be checked"
    path = [*error.absolute_path]
    if path[-1:] == ["type"] and error.validator == "anyOf":
        return f"{where(path)}: {_json(error.instance)} is not a type of JSON Schema"
    return _line(path, error.message, error.instance, "the schema")


def mismatch(
    text_format: object, name: str, document: str, warn: Say, *, seconds: float = 10.0
) -> CometrespError | None:
    """The error of an answer that doesn't match the schema in its `text.format`; None if it matches or has no schema.

    A pattern can take very long: a check that takes more than `seconds` is abandoned, with a warning.
    """
    schema = obj(text_format).get("schema")
    if obj(text_format).get("type") != "json_schema" or not isinstance(schema, dict):
        return None
    try:
        value = parsed(document)
    except ValueError as error:
        return TurnError(ExitCode.MISMATCH, f"{name} is not JSON, as the schema requires: {error}")
    errors, count = _errors(schema, value, warn, seconds)
    if not errors:
        return None
    message = f"{name} doesn't match the schema: {errors[0]}"
    if count > 1:
        more = [f"and {count - len(errors)} more"] if count > len(errors) else []
        message = "\n  ".join([f"{name} doesn't match the schema:", *errors, *more])
    return TurnError(ExitCode.MISMATCH, message)


def parsed(document: str) -> Any:
    """The value of a JSON text. Raises ValueError, also for what only Python accepts, such as NaN.

    A key that occurs twice is an error, because parsers differ in which value they use (RFC 8259, section 4).
    """
    if not document.strip():
        raise ValueError("it is empty")
    try:
        return json.loads(document, parse_constant=no_constant, parse_int=_int, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        raise ValueError(f"line {error.lineno} column {error.colno}: {error.msg}") from error
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _int(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"a number of {len(digits)} digits is too long")
    return int(digits)


def _object(pairs: list[tuple[str, object]]) -> Json:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {_json(twice)} occurs twice in an object")
    return made


def _errors(schema: Json, value: object, warn: Say, seconds: float) -> tuple[list[str], int]:
    """The first mismatches as lines of text, and the number of all of them.

    A schema that can't be used is only a warning, because the answer may be right: the schema can be a server's wrong
    copy, or have a pattern that Python doesn't support.
    """
    import warnings

    found: list[str] = []
    count = 0
    try:
        if wrong := schema_error(schema):
            warn(f"the answer was not checked: {wrong}")
            return [], 0
        with warnings.catch_warnings(), alarm(seconds, lambda: TimeoutError(f"it took more than {seconds:g} s")):
            warnings.simplefilter("ignore")  # about the syntax of patterns
            for line in _mismatches(schema, value, warn):
                count += 1
                if count <= _SHOWN_ERRORS:
                    found.append(line)
    except RecursionError:
        return [*found, "it can't be checked: the answer or the schema is nested too deeply"], count + 1
    except (re.error, ArithmeticError, TimeoutError) as error:
        warn(f"the answer was not checked completely: {error}")
    return found, count


def _mismatches(schema: Json, value: object, warn: Say) -> Iterator[str]:
    from jsonschema.exceptions import ValidationError, best_match
    from jsonschema.validators import extend

    strict = _validator(schema)
    check_pattern = strict.VALIDATORS["pattern"]
    warned: set[str] = set()

    def pattern(validator: Any, given: str, instance: object, parent: Json) -> Iterator[ValidationError]:
        try:
            yield from check_pattern(validator, given, instance, parent)
        except re.error as error:
            if given not in warned:
                warned.add(given)
                warn(f"pattern {_json(given)} was not checked, because Python doesn't support it: {error}")

    lenient = extend(strict, {"pattern": pattern})
    for error in lenient(schema, registry=_published()).iter_errors(value):
        best = best_match(iter([error])) or error
        yield _line([*best.absolute_path], best.message, best.instance, "the answer")


def _line(path: list[str | int], message: str, instance: object, root: str) -> str:
    """`items[0].age: "x" is not of type 'integer'`, with the value as JSON, and shortened."""
    if message.startswith(repr(instance)):
        message = _json(instance) + message[len(repr(instance)) :]
    return f"{where(path) or root}: {escape_line(message, _LONGEST_LINE)}"


def _json(value: object) -> str:
    return escape_line(json.dumps(value, ensure_ascii=False), _LONGEST_VALUE)


def _published() -> Any:
    from jsonschema.validators import SPECIFICATIONS

    return SPECIFICATIONS  # the meta-schemas; this registry fetches nothing


def _validator(schema: Json) -> Any:
    from jsonschema.validators import Draft202012Validator, validator_for

    name = schema.get("$schema")
    try:
        return validator_for({"$schema": name} if isinstance(name, str) else {}, default=Draft202012Validator)
    except ValueError:  # not a valid URL
        return Draft202012Validator


def _broken_reference(schema: Json) -> str:
    from referencing.jsonschema import DRAFT202012, specification_with

    specification = specification_with(text(schema.get("$schema")), default=DRAFT202012)
    resource = specification.create_resource(schema)
    base = resource.id() or ""
    return next(_broken_references(_published().with_resource(base, resource).resolver(base), resource), "")


def _broken_references(resolver: Any, resource: "Resource[Any]") -> Iterator[str]:
    """A message for each reference that can't be resolved."""
    from referencing.exceptions import Unresolvable

    contents = resource.contents
    for key in ("$ref", "$dynamicRef"):
        if isinstance(contents, dict) and isinstance(target := contents.get(key), str):
            try:
                resolver.lookup(target)
            except (Unresolvable, ValueError, LookupError, TypeError, AttributeError):
                yield f"{key} {_json(target)} is not in the schema, and nothing is fetched"
    for inner in resource.subresources():
        yield from _broken_references(resolver.in_subresource(inner), inner)
