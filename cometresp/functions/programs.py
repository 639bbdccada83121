"""A `.toml` or `.json` file of functions: programs of any language, run without a shell.

  [[tool]]                                     in JSON: {"tool": [{...}, ...]}
  name = "recent_commits"
  description = "The latest commits of this repository"
  command = ["git", "log", "--max-count={count}"]
  parameters = {type = "object", properties = {count = {type = "integer"}}}

The arguments of a call are checked against `parameters`, put into the words (see `words`), and written as one JSON
object to standard input. Standard output is the result; an exit code other than 0 makes it an error. Processes that the
command leaves in its process group are ended with it. `cwd`, and a command with a slash in it, are relative to the
file; a command without a slash is looked up in PATH.
"""

import errno
import json
import os
import re
import threading
from pathlib import Path
from typing import Any

from cometresp.errors import UsageError
from cometresp.functions import environment, words
from cometresp.functions.children import Capture, Child
from cometresp.functions.definitions import definition
from cometresp.functions.processes import Processes
from cometresp.functions.results import LIMIT, Function, Result, Tool, failure, success
from cometresp.paths import read_file
from cometresp.schema.check import mismatch, schema_error
from cometresp.text import escape_line, json_bytes, quoted
from cometresp.wire.json import Json, parse_json

_KEYS: dict[str, tuple[type | tuple[type, ...], str]] = {
    "name": (str, "a string"),
    "description": (str, "a string"),
    "command": (list, "a list of strings"),
    "parameters": (dict, "a JSON Schema"),
    "cwd": (str, "a string"),
    "env": (list, "a list of names"),
    "timeout": ((int, float), "a number of seconds"),
    "read_only": (bool, "true or false"),
    "parallel": (bool, "true or false"),
    "allow_dash": ((bool, list), "true, or a list of parameters"),
}

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")  # the API allows 128 characters, other servers 64 (API 4.1)
_TIMEOUT = 60.0
_LONGEST_TIMEOUT = 86_400
_OVERLAP = 8  # calls of the parallel tools of a file at the same time
_KEPT = 1_048_576  # bytes of a result that are kept; LIMIT characters are always fewer bytes
_MOST_BYTES = 10_000_000  # of a file of functions
_SETTLE = 1.0  # seconds to wait for the last output of a command


def load(path: str, processes: Processes, environ: Any, names: list[str]) -> list[Tool]:
    """The tools of a file. `names` are variables that all tools get. Raises UsageError."""
    entries = _entries(path)
    alone, together = threading.Semaphore(1), threading.Semaphore(_OVERLAP)
    loaded = []
    for number, entry in enumerate(entries, 1):
        name = entry.get("name") if isinstance(entry, dict) else None
        where = f"--functions: {escape_line(path)}: tool {escape_line(name, 64) if isinstance(name, str) else number}"
        command = _Command(where, path, _checked(where, entry), processes)
        command.environ = environment.allowed(environ, [*names, *command.env])
        gate = together if command.function.parallel else alone
        loaded.append(Tool(command.function, gate, command.call))
    return loaded


def _entries(path: str) -> list[Any]:
    flag = f"--functions: {escape_line(path)}"
    try:
        text = read_file(path, _MOST_BYTES).decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"{flag}: it can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{flag}: it isn't UTF-8") from error
    if path.lower().endswith(".json"):
        document = parse_json(flag, text)
    else:
        import tomllib

        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise UsageError(f"{flag}: not valid TOML: {escape_line(str(error))}") from error
        except (ValueError, RecursionError) as error:  # what Python's parser can't take
            raise UsageError(f"{flag}: not valid TOML: a number is too long, or it is nested too deeply") from error
    tools = document.get("tool") if isinstance(document, dict) else None
    if not isinstance(tools, list) or not tools:
        raise UsageError(f"{flag}: it has no tool", hint='as in [[tool]], in JSON {"tool": [{…}]}')
    for key in document:
        if key != "tool":
            raise UsageError(f"{flag}: unknown key {quoted(key)}", hint="the keys of a tool go below [[tool]]")
    return tools


def _checked(where: str, entry: Any) -> Json:
    if not isinstance(entry, dict):
        raise UsageError(f"{where}: must be a table")
    for key, value in entry.items():
        if key not in _KEYS:
            raise UsageError(f"{where}: unknown key {quoted(key)}", hint=f"the keys are {', '.join(_KEYS)}")
        types, what = _KEYS[key]
        if not isinstance(value, types) or (isinstance(value, bool) and key == "timeout"):
            raise UsageError(f"{where}: {key} must be {what}")
        if isinstance(value, list) and not all(isinstance(item, str) for item in value):
            raise UsageError(f"{where}: {key} must be {what}")
    for key in ("name", "description", "command"):
        if not entry.get(key):
            raise UsageError(f"{where}: {key} is missing")
    if not _NAME.fullmatch(entry["name"]):
        raise UsageError(f"{where}: name must be 1 to 64 letters, digits, _ or -")
    if not 0 < entry.get("timeout", _TIMEOUT) <= _LONGEST_TIMEOUT:
        raise UsageError(f"{where}: timeout must be more than 0 and at most {_LONGEST_TIMEOUT} seconds")
    return entry


def _parameters(where: str, given: Json) -> Json:
    """The schema of a tool as it is in its file, checked to be valid and of an object."""
    if not given:
        return {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    try:
        json.dumps(given, allow_nan=False)
    except (TypeError, ValueError) as error:  # TOML has dates and infinities
        raise UsageError(f"{where}: parameters can't be JSON: {error}") from error
    if wrong := schema_error(given):
        raise UsageError(f"{where}: parameters are no valid JSON Schema: {wrong}")
    if given.get("type", "object") != "object":
        raise UsageError(f"{where}: parameters must be the schema of an object", hint='type = "object"')
    return {"type": "object"} | given


class _Command:
    """One tool."""

    def __init__(self, where: str, path: str, entry: Json, processes: Processes) -> None:
        self._processes = processes
        self._timeout: float = entry.get("timeout", _TIMEOUT)
        self.env = environment.checked(f"{where}: env", entry.get("env", []))
        self.environ: dict[str, str] = {}
        given = _parameters(where, entry.get("parameters", {}))
        tool = definition(entry["name"], entry["description"], given)
        self._schema = tool["parameters"]
        self.function = Function(
            entry["name"],
            tool,
            parallel=entry.get("parallel", False),
            read_only=entry.get("read_only", False),
            source=path,
        )
        known = list(given.get("properties", {}))
        self._required = given.get("required", [])
        # The strict schema requires null for a parameter that is optional in the file.
        self._optional = [name for name in known if name not in self._required] if tool["strict"] else []
        folder = Path(os.path.abspath(path)).parent  # noqa: PTH100 - resolve() would leave the folder that the user sees
        self._words = _words(where, entry["command"], known, folder)
        self._folder = _folder(where, entry.get("cwd"), folder)
        allowed = entry.get("allow_dash", [])
        for name in allowed if isinstance(allowed, list) else ():
            if name not in known:
                raise UsageError(f"{where}: allow_dash names {quoted(name)}, which is not a parameter")
        self._dashed: list[str] = known if allowed is True else allowed or []

    def call(self, arguments: Json) -> Result:
        if wrong := self._argument_error(arguments):
            return failure(wrong)
        try:
            command = words.fill(self._words, arguments, self._dashed)
            child = self._processes.start(_encoded(command), self.environ, self._folder)
        except words.WordError as error:
            return failure(str(error))
        except OSError as error:
            return failure(_not_started(error))
        return self._finish(child, json_bytes(json.dumps(arguments, ensure_ascii=False)))

    def _argument_error(self, arguments: Json) -> str:
        """How the arguments differ from the schema, or ""."""
        if missing := [name for name in self._required if name not in arguments]:
            return f"argument {missing[0]!r} is missing"
        known = self._schema.get("properties", {})
        if self._schema.get("additionalProperties") is False:
            for name in arguments.keys() - known.keys():
                takes = f"it takes {', '.join(known)}" if known else "it takes none"
                return f"argument {quoted(name)} is unknown; {takes}"
        text = json.dumps(dict.fromkeys(self._optional) | arguments)
        text_format = {"type": "json_schema", "schema": self._schema}
        error = mismatch(text_format, "the call", text, lambda _: None)
        return error.message if error else ""

    def _finish(self, child: Child, data: bytes) -> Result:
        result, printed = Capture(child.stdout, _KEPT), Capture(child.stderr)
        child.feed(data)
        child.feed(None)
        try:
            in_time = self._processes.ends_within(child, self._timeout)
        finally:
            self._processes.end_child(child)
        tails = {"stderr": printed.tail(_SETTLE), "stdout": result.tail(_SETTLE)}
        if not in_time:
            return failure(f"timed out after {self._timeout:g} s", **tails)
        if child.returncode != 0:
            return failure(child.how_it_ended(), **tails)
        text = result.head().decode(errors="replace")
        if result.size > _KEPT:
            return failure(f"the result has {result.size} bytes; at most {LIMIT} characters are accepted", head=text)
        return success(text)


def _words(where: str, command: list[str], known: list[str], folder: Path) -> list[words.Word]:
    parsed = []
    for number, word in enumerate(command):
        try:
            parsed.append(words.parse(word))
        except words.WordError as error:
            raise UsageError(f"{where}: command: word {quoted(word)} {error}") from error
        for name in words.places(parsed[-1]):
            if number == 0:
                raise UsageError(f"{where}: command: the program can't be an argument")
            if name not in known:
                raise UsageError(
                    f"{where}: command: {quoted(name)} is not a parameter",
                    hint=f"the parameters are {escape_line(', '.join(known))}" if known else "define it in parameters",
                )
    program = "".join(map(str, parsed[0]))
    if not program:
        raise UsageError(f"{where}: command: the program is missing")
    if os.name == "nt" and program.lower().endswith((".bat", ".cmd")):
        raise UsageError(f"{where}: command: a batch file would run in a shell, which reads arguments as commands")
    if os.path.dirname(program):  # noqa: PTH120 - a Path has no "./"
        program = str(folder / program)
    return [[program], *parsed[1:]]


def _folder(where: str, given: str | None, folder: Path) -> str | None:
    """The folder in which the command runs; None for the current one."""
    if given is None:
        return None
    place = folder / os.path.expanduser(given)  # noqa: PTH111 - Path's raises for an unknown user
    if not place.is_dir():
        raise UsageError(f"{where}: cwd: {str(place)!r} is not a folder")
    return str(place)


def _encoded(command: list[str]) -> list[Any]:
    """The words in UTF-8, whatever the locale; Windows uses text."""
    return command if os.name == "nt" else [os.fsencode(command[0]), *(word.encode() for word in command[1:])]


def _not_started(error: OSError) -> str:
    if error.errno == errno.E2BIG:
        return "the arguments are too long for a command line"
    if isinstance(error, FileNotFoundError):
        return f"the command can't be run: {os.fsdecode(error.filename)!r} is not found"
    return f"the command can't be run: {error.strerror}"
