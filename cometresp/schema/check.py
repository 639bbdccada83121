"""Whether a schema is one, and whether an answer fits it. jsonschema is loaded only here, and only when asked.

Nothing is ever fetched: a `$ref` leads into the schema itself or to the published meta-schemas, or it is an error.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from cometresp.deadline import alarm
from cometresp.errors import CometrespError, ExitCode, TurnError
from cometresp.text import Say, escape_line
from cometresp.wire.json import Json

_NAME = re.compile(r"[^\W\d][\w-]*")

_SHOWN_FAULTS = 10

_WIDEST_VALUE, _WIDEST_FAULT = 60, 200

_MOST_DIGITS = 4000  # Python reads not many more


def where(path: Sequence[str | int]) -> str:
    """A place in JSON, as jq writes it without the first dot: `items[0].name`, `["odd name"]`."""
    place = ""
    for step in path:
        if isinstance(step, str) and _NAME.fullmatch(step):
            place += f".{step}" if place else step
        else:
            place += f"[{json.dumps(step, ensure_ascii=False)}]"
    return escape_line(place, _WIDEST_FAULT)


def schema_fault(schema: Json) -> str:
    """What is wrong with a schema, by its meta-schema and in its references; "" where nothing is.

    The meta-schema is that of 2020-12, unless `$schema` names another.
    """
    from jsonschema.exceptions import best_match

    kind = _validator(schema)
    try:
        fault = best_match(kind(kind.META_SCHEMA, registry=_published()).iter_errors(schema))
        if fault is None:
            return _lost_reference(schema)
    except RecursionError:
        return "the schema is nested too deeply to be checked"
    path = [*fault.absolute_path]
    if path[-1:] == ["type"] and fault.validator == "anyOf":
        return f"{where(path)}: {_json(fault.instance)} is not a type of JSON Schema"
    return _line(path, fault.message, fault.instance, "the schema")


def mismatch(shape: Any, name: str, text: str, warn: Say, *, seconds: float = 10.0) -> CometrespError | None:
    """The error of an answer that doesn't fit the `text.format` it was asked for, None where it fits or had none.

    A pattern can take for ever: a check that takes longer than `seconds` is given up, with a warning.
    """
    if not isinstance(shape, dict) or shape.get("type") != "json_schema" or not isinstance(shape.get("schema"), dict):
        return None
    try:
        value = parsed(text)
    except ValueError as error:
        return TurnError(ExitCode.MISMATCH, f"{name} is not JSON, as the schema asks: {error}")
    faults, count = _faults(shape["schema"], value, warn, seconds)
    if not faults:
        return None
    message = f"{name} doesn't match the schema: {faults[0]}"
    if count > 1:
        more = [f"and {count - len(faults)} more"] if count > len(faults) else []
        message = "\n  ".join([f"{name} doesn't match the schema:", *faults, *more])
    return TurnError(ExitCode.MISMATCH, message)


def parsed(text: str) -> Any:
    """The value of a JSON text. Raises ValueError for what isn't JSON, though Python takes it.

    Nor may a key stand twice: which of the two counts differs from reader to reader (RFC 8259, section 4).
    """
    if not text.strip():
        raise ValueError("it is empty")
    try:
        return json.loads(text, parse_constant=_no_constant, parse_int=_whole, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        raise ValueError(f"line {error.lineno} column {error.colno}: {error.msg}") from error
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _whole(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"a number of {len(digits)} digits is too long to be read")
    return int(digits)


def _object(pairs: list[tuple[str, Any]]) -> Json:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {_json(twice)} stands twice in an object")
    return made


def _faults(schema: Json, value: object, warn: Say, seconds: float) -> tuple[list[str], int]:
    """The first mismatches in words, and how many there are.

    A schema that can't be used is warned about: it isn't the answer that is at fault, but a server's echo, or a pattern
    that only other languages know.
    """
    import warnings

    found: list[str] = []
    count = 0
    try:
        if fault := schema_fault(schema):
            warn(f"the answer was not checked: {fault}")
            return [], 0
        with warnings.catch_warnings(), alarm(seconds, lambda: TimeoutError(f"it took more than {seconds:.0f} s")):
            warnings.simplefilter("ignore")  # of the patterns' spelling
            for error in _errors(schema, value, warn):
                count += 1
                if count <= _SHOWN_FAULTS:
                    found.append(error)
    except RecursionError:
        return [*found, "it can't be checked: the answer or the schema is nested too deeply"], count + 1
    except (re.error, ArithmeticError, TimeoutError) as error:
        warn(f"the answer was not checked to its end: {error}")
    return found, count


def _errors(schema: Json, value: Any, warn: Say) -> Iterator[str]:
    from jsonschema.exceptions import best_match
    from jsonschema.validators import extend

    kind = _validator(schema)
    known = kind.VALIDATORS["pattern"]
    unknown: set[str] = set()

    def pattern(validator: Any, given: str, instance: Any, holder: Any) -> Iterator[Any]:
        try:
            yield from known(validator, given, instance, holder)
        except re.error as error:
            if given not in unknown:
                unknown.add(given)
                warn(f"pattern {_json(given)} was not checked, since Python doesn't know it: {error}")

    lenient = extend(kind, {"pattern": pattern})
    for error in lenient(schema, registry=_published()).iter_errors(value):
        best = best_match(iter([error])) or error
        yield _line([*best.absolute_path], best.message, best.instance, "the answer")


def _line(path: list[str | int], message: str, instance: Any, root: str) -> str:
    """`items[0].age: "x" is not of type 'integer'`; the value as JSON, and cut."""
    told = repr(instance)
    if message.startswith(told):
        message = _json(instance) + message[len(told) :]
    return f"{where(path) or root}: {escape_line(message, _WIDEST_FAULT)}"


def _json(value: Any) -> str:
    return escape_line(json.dumps(value, ensure_ascii=False), _WIDEST_VALUE)


def _published() -> Any:
    from jsonschema.validators import SPECIFICATIONS

    return SPECIFICATIONS  # the meta-schemas; it retrieves nothing


def _validator(schema: Json) -> Any:
    from jsonschema.validators import Draft202012Validator, validator_for

    named = schema.get("$schema")
    try:
        return validator_for({"$schema": named} if isinstance(named, str) else {}, default=Draft202012Validator)
    except ValueError:  # not an address at all
        return Draft202012Validator


def _lost_reference(schema: Json) -> str:
    from referencing.jsonschema import DRAFT202012, specification_with

    named = schema.get("$schema")
    specification = specification_with(named if isinstance(named, str) else "", default=DRAFT202012)
    resource = specification.create_resource(schema)
    base = resource.id() or ""
    return next(_lost(_published().with_resource(base, resource).resolver(base), resource), "")


def _lost(resolver: Any, resource: Any) -> Iterator[str]:
    """The references that lead nowhere, by asking for each."""
    from referencing.exceptions import Unresolvable

    contents = resource.contents
    for key in ("$ref", "$dynamicRef"):
        if isinstance(contents, dict) and isinstance(target := contents.get(key), str):
            try:
                resolver.lookup(target)
            except (Unresolvable, ValueError, LookupError, TypeError, AttributeError):
                yield f"{key} {_json(target)} leads nowhere in the schema, and nothing is fetched"
    for inner in resource.subresources():
        yield from _lost(resolver.in_subresource(inner), inner)
