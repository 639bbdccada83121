"""Typer's errors -> errors that say what to type instead.

Values of flags are quoted only where the flag is known and holds no secret.
"""

import re
from collections.abc import Sequence
from typing import Any

from cometresp.errors import CometrespError, Next, UsageError
from cometresp.help import foreign
from cometresp.help.page import usage_of
from cometresp.help.phrases import about, metavar, shown_words
from cometresp.help.words import flags_of
from cometresp.nearest import nearest
from cometresp.text import escape_line, quoted

_LONGEST = 40  # characters of a wrong flag
_LONGEST_VALUE = 60
_NUMBERS = {"int": "whole number", "integer": "whole number", "float": "number"}


def explain(error: Any, argv: Sequence[str], commands: Sequence[str]) -> CometrespError:
    """The error for one of Typer's. `commands` are those of the program, `argv` is the whole command line."""
    context = getattr(error, "ctx", None)
    if (name := getattr(error, "option_name", None)) is not None:
        if hasattr(error, "possibilities"):
            return _no_such_flag(name, context, argv, commands)
        return UsageError(f"{name} needs a value")
    param = getattr(error, "param", None)
    if param is not None:
        return _missing(param, context) if hasattr(error, "param_type") else _bad_value(error, param)
    message = str(error.format_message()).rstrip(".") or "no command"
    if found := re.fullmatch(r"Got unexpected extra argument\(s\) \((.*)\)", message, re.DOTALL):
        return UsageError(f"unexpected argument: {quoted(found[1])}", hint=f"usage: {usage_of(context)}")
    return UsageError(message[:1].lower() + message[1:], hint=_see(context))


def no_command(words: Sequence[str], commands: Sequence[str], path: str) -> UsageError:
    """The error where the first word is none of the commands: one that is near, one of other programs, or a prompt."""
    word = words[0]
    known = nearest(word, commands)
    if path != "cometresp":
        of_group = {"cometresp chains": foreign.CHAINS, "cometresp config": foreign.CONFIG}
        advice = of_group.get(path, {}).get(word.lower())
        hint = advice or (f"did you mean {path} {known}?" if known else f"see {path} --help")
        return UsageError(f"no such command: {path} {escape_line(word, _LONGEST)}", hint=hint)
    first = word.split(maxsplit=1)[:1]
    if first and first[0] in commands:  # "ask hi" in quotes
        return UsageError(f"no such command: {quoted(word)}", hint=f"without the quotes: cometresp {first[0]} …")
    advice = foreign.COMMANDS.get(word.lower())
    message = f"no such command: {escape_line(word, _LONGEST)}"
    if known and (len(word) > 2 or not advice):  # noqa: PLR2004
        return UsageError(message, hint=f"did you mean cometresp {known}?")
    if advice:
        return UsageError(message, hint=advice)
    return UsageError(message, hint=f"to ask it: cometresp ask {shown_words(words)}")


def _see(context: Any) -> str:
    return f"see {context.command_path if context is not None else 'cometresp'} --help"


def _no_such_flag(name: str, context: Any, argv: Sequence[str], commands: Sequence[str]) -> UsageError:
    name = name.split(maxsplit=1)[0] if name.split() else name
    shown = escape_line(name, _LONGEST)
    flags = flags_of(context.command.get_params(context))
    path = context.command_path
    if path == "cometresp":
        return _before_command(name, shown, argv, commands, context)
    if name in flags:  # "--model gpt-5.4" in quotes
        return UsageError(f"{shown} and its value are one word", hint="they are two, without quotes around both")
    hint = advice_on(name, flags)
    if name[1:].isdigit() and "-n" in flags:
        hint = "-n N limits the list"
    elif name[1:2].isdigit() and path == "cometresp config set":
        hint = "a value that begins with - stands behind --"
    if not hint and any(" " in word and word.startswith(name) for word in argv):
        hint = "words of a prompt stand behind --"
    return UsageError(f"no such flag: {shown}", hint=hint or f"see {path} --help")


def advice_on(name: str, flags: Any) -> str:
    """What to type instead of a flag that isn't known; "" where there is nothing to say."""
    advice = foreign.FLAGS.get(name) or foreign.FLAGS.get(name.lower().replace("_", "-") if len(name) > 2 else name)  # noqa: PLR2004
    shown = {flag for flag, option in flags.items() if not option.hidden}
    if advice and (not advice.flag or advice.flag in flags):
        return advice.text
    known = nearest(name, shown)
    return f"did you mean {known}?" if known else ""


def _before_command(name: str, shown: str, argv: Sequence[str], commands: Sequence[str], context: Any) -> UsageError:
    """A flag of a command stands before the command, or there is no command."""
    command = next((word for word in argv if word in commands), "")
    target = context.command.get_command(context, command or "ask")
    flags = flags_of(target.get_params(context))
    if name in flags:
        verb = command or "ask"
        rest = f"{name} {metavar(flags[name])}" if not flags[name].is_flag else name
        return UsageError(
            f"{shown} stands before the command",
            hint=Next(verb, f"{rest} …") if command else ("to ask: ", Next(verb, f'{rest} "…"')),
        )
    return UsageError(
        f"no such flag: {shown}",
        hint=advice_on(name, flags | flags_of(context.command.get_params(context))) or "see cometresp --help",
    )


def _missing(param: Any, context: Any) -> UsageError:
    if param.param_type_name == "option":
        return UsageError(f"{param.opts[0]} is missing", hint=f"usage: {usage_of(context)}")
    return UsageError(f"{param.human_readable_name.upper()} is missing", hint=f"usage: {usage_of(context)}")


def _bad_value(error: Any, param: Any) -> UsageError:
    name = next((name for name in param.opts if name.startswith("--")), param.human_readable_name.upper())
    message = str(error.message).rstrip(".")
    value = re.match(r"('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")", message)
    shown = (
        "the value" if not value else value[0] if len(value[0]) <= _LONGEST_VALUE else value[0][:_LONGEST_VALUE] + "…"
    )
    choices = getattr(param.type, "choices", None)
    if choices:
        words = [str(getattr(choice, "value", choice)) for choice in choices]
        known = nearest(shown.strip("'\""), words)
        hint = f"did you mean {known}?" if known else _see(error.ctx)
        return UsageError(f"{name}: {shown} is not one of {', '.join(words)}", hint=hint)
    if kind := _NUMBERS.get(param.type.name):
        return UsageError(f"{name}: {shown} is not a {kind}", hint=about(param))
    return UsageError(f"{name}: {message[:1].lower() + message[1:]}", hint=about(param))
