"""The functions of all `--functions` files, and of another source, by name; it runs their calls.

    with Toolbox(files, env_names=[], environ=os.environ) as toolbox:
        result = toolbox.run("get_weather", '{"city": "Oslo"}')

`run` may be called from several threads. A call of a tool that its file doesn't mark as parallel never overlaps another
such call of the file. The caller decides by `Function.parallel` whether calls of different tools may overlap. An error
of a tool or of the model is a result, never an exception.
"""

import time
from collections.abc import Collection, Mapping
from contextlib import nullcontext
from types import TracebackType
from typing import Protocol, Self

from cometresp.errors import UsageError
from cometresp.functions import environment
from cometresp.functions.processes import Processes
from cometresp.functions.results import Function, Result, Tool, failure
from cometresp.paths import Reading
from cometresp.text import escape_line
from cometresp.wire.json import Json, parse_json

_STOPPED = failure("stopped by the user")


class Source(Protocol):
    """More tools, which run in `processes`; `close` ends politely what `processes` would end at once."""

    def start(self, processes: Processes, taken: Collection[str]) -> list[Tool]: ...

    def close(self) -> None: ...


class Toolbox:
    """`functions` is in the order of definition. `env_names` are variables that every tool gets (`--tool-env`).

    `load_seconds` is how long a Python file may take to load; the others are read in a block of `reading`. Raises
    UsageError for a file that can't be used, a duplicate name, and the variable of the API key.
    """

    def __init__(
        self,
        files: list[str],
        *,
        env_names: list[str],
        environ: Mapping[str, str],
        load_seconds: float = 30.0,
        reading: Reading = nullcontext,
        more: Source | None = None,
    ) -> None:
        self.functions: dict[str, Function] = {}
        self._tools: dict[str, Tool] = {}
        self.processes = Processes()
        self._load_seconds = load_seconds
        self._reading = reading
        self._more = more
        names = environment.checked("--tool-env", env_names)
        try:
            for path in files:
                for tool in self._load(path, environ, names):
                    self._add(tool)
            for tool in more.start(self.processes, self.functions) if more else ():
                self._add(tool)
        except BaseException:
            self.processes.close()
            raise

    def _load(self, path: str, environ: Mapping[str, str], names: list[str]) -> list[Tool]:
        suffix = path.lower()
        if suffix.endswith(".py"):
            from cometresp.functions import python

            return python.load(path, self.processes, environment.allowed(environ, names), self._load_seconds)
        if suffix.endswith((".toml", ".json")):
            from cometresp.functions import programs

            with self._reading(path):
                return programs.load(path, self.processes, environ, names)
        raise UsageError(f"--functions: {escape_line(path)}: the name must end in .py, .toml or .json")

    def _add(self, tool: Tool) -> None:
        function = tool.function
        if earlier := self.functions.get(function.name):
            place = escape_line(earlier.source) if earlier.source != function.source else "the same file"
            raise UsageError(
                f"--functions: {escape_line(function.source)}: {function.name} is already defined in {place}"
            )
        self.functions[function.name] = function
        self._tools[function.name] = tool

    def run(self, name: str, arguments: str) -> Result:
        """Call a function with the JSON text that the model sent."""
        tool = self._tools.get(name)
        if tool is None:
            known = f"the functions are {', '.join(self.functions)}" if self.functions else "there are none"
            return failure(f"there is no function {name[:100]!r}; {known}")
        try:
            values = _parsed(arguments)
        except UsageError as error:
            return failure(error.message)
        with tool.gate:
            if self.processes.has_stopped():
                return _STOPPED
            started = time.monotonic()
            result = tool.call(values)
            if self.processes.has_stopped() and not result.ok:
                result = _STOPPED
            return result._replace(seconds=time.monotonic() - started)

    def stop(self) -> None:
        """End the process groups of all running calls, within about half a second; nothing runs afterwards.

        May be called from a signal handler and from any thread.
        """
        self.processes.stop()

    def close(self) -> None:
        try:
            if self._more is not None and not self.processes.has_stopped():
                self._more.close()
        finally:
            self.processes.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _parsed(arguments: str) -> Json:
    """The arguments as an object. Some models send nothing if there are no parameters. Raises UsageError."""
    values = parse_json("arguments", arguments) if arguments.strip() else {}
    if not isinstance(values, dict):
        raise UsageError(f"arguments: must be a JSON object, not {type(values).__name__}")
    return values
