"""The functions of all `--functions` files by name, and the running of calls.

    with Toolbox(files, env_names=[], environ=os.environ) as toolbox:
        result = toolbox.run("get_weather", '{"city": "Oslo"}')

`run` may be called from several threads. It sees to it that a call of a tool which its file doesn't mark as safe for
that overlaps no other such call of the file; whether calls of different tools may overlap is for who calls to decide,
by `Function.parallel`. What a tool or a model does wrong is a result, never an exception.
"""

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from cometresp.errors import UsageError
from cometresp.functions import environment
from cometresp.functions.processes import Processes
from cometresp.functions.results import Function, Result, Tool, failure
from cometresp.text import escape_line
from cometresp.wire.json import Json, parse_json

_STOPPED = failure("stopped by the user")


class Toolbox:
    """`functions` is in the order of definition. `env_names` are variables that every tool may see (`--tool-env`).

    `load_seconds` is how long a Python file may take to load.
    Raises UsageError for files that can't be used, duplicate names and the key's variable.
    """

    def __init__(
        self, files: list[str], *, env_names: list[str], environ: Mapping[str, str], load_seconds: float = 30.0
    ) -> None:
        self.functions: dict[str, Function] = {}
        self._tools: dict[str, Tool] = {}
        self._processes = Processes()
        self._load_seconds = load_seconds
        names = environment.checked("--tool-env", env_names)
        try:
            for path in files:
                for tool in self._load(path, environ, names):
                    self._add(tool)
        except BaseException:
            self.close()
            raise

    def _load(self, path: str, environ: Mapping[str, str], names: list[str]) -> list[Tool]:
        suffix = path.lower()
        if suffix.endswith(".py"):
            from cometresp.functions import python

            return python.load(path, self._processes, environment.cut(environ, names), self._load_seconds)
        if suffix.endswith((".toml", ".json")):
            from cometresp.functions import programs

            return programs.load(path, self._processes, environ, names)
        raise UsageError(f"--functions: {escape_line(path)}: the name must end in .py, .toml or .json")

    def _add(self, tool: Tool) -> None:
        function = tool.function
        if earlier := self.functions.get(function.name):
            there = escape_line(earlier.source) if earlier.source != function.source else "the same file"
            raise UsageError(
                f"--functions: {escape_line(function.source)}: {function.name} is defined in {there} already"
            )
        self.functions[function.name] = function
        self._tools[function.name] = tool

    def run(self, name: str, arguments: str) -> Result:
        """Call a function with the JSON text that the model sent."""
        tool = self._tools.get(name)
        if tool is None:
            known = f"known are {', '.join(self.functions)}" if self.functions else "there is none"
            return failure(f"no function is called {name[:100]!r}; {known}")
        try:
            values = _parsed(arguments)
        except UsageError as error:
            return failure(error.message)
        with tool.gate:
            if self._processes.has_stopped():
                return _STOPPED
            began = time.monotonic()
            result = tool.call(values)
            if self._processes.has_stopped() and not result.ok:
                result = _STOPPED
            return result._replace(seconds=time.monotonic() - began)

    def stop(self) -> None:
        """End the process groups of all running calls, within about half a second; nothing runs afterwards.

        May be called from a signal handler and from any thread.
        """
        self._processes.stop()

    def close(self) -> None:
        self._processes.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _parsed(arguments: str) -> Json:
    """A function without parameters is sent nothing by some models. Raises UsageError."""
    values = parse_json("arguments", arguments) if arguments.strip() else {}
    if not isinstance(values, dict):
        raise UsageError(f"arguments: must be a JSON object, not {type(values).__name__}")
    return values
