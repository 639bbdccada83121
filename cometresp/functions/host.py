"""The program of the child process: it loads one `.py` file, reports its functions, and runs calls of them.

    python -P -u -X utf8 host.py FILE

The messages are JSON objects, one per line, on the pipes that are standard input and output at the start. They are
moved to other descriptors at once, which programs that a tool starts don't inherit. The tool's standard input is empty,
and what it prints on either stream goes to standard error, which the parent captures.

  up    {"functions": [...], "timeout": s, "parallel": bool}   or {"error": text, "line": n}
  down  {"call": name, "arguments": {...}, "limit": n, "mark": text}
  up    {"output": text, "size": n, "mark": text}   or {"error": text, "mark": text}

`mark` is different for each call. It is also printed at the end of the call, so that the parent knows when it has read
all that the call printed. When the parent ends, and with it the pipe down, the whole process group is killed, even
during a call.

A script that needs only the standard library: it has to start wherever Python runs, without adding this program to the
user's `sys.path`.
"""

import asyncio
import importlib.util
import inspect
import json
import os
import queue
import signal
import sys
import threading
import types
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cometresp.functions import hints

_TIMEOUT = 60.0
_LONGEST_TIMEOUT = 86_400


class _LoadError(Exception):
    """The file loads, but can't be used."""


class Pipes:
    """The pipes from and to the parent."""

    def __init__(self) -> None:
        self._down, self._up = os.dup(0), os.dup(1)  # programs that a tool starts don't inherit these
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        self.calls: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        threading.Thread(target=self._receive, daemon=True).start()

    def _receive(self) -> None:
        with os.fdopen(self._down, "rb") as lines:
            for line in lines:
                self.calls.put(json.loads(line))
        _end_group()

    def send(self, message: dict[str, Any]) -> None:
        rest = memoryview(json.dumps(message).encode() + b"\n")
        try:
            while rest:
                rest = rest[os.write(self._up, rest) :]
        except OSError:
            _end_group()


def _end_group() -> None:
    if sys.platform != "win32" and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def load(path: str) -> tuple[dict[str, Any], dict[str, "hints.Callee"]]:
    """The message about the file, and its functions."""
    try:
        module = _run(path)
        found = {name: hints.callee(name, function) for name, function in _public(module)}
        if not found:
            raise _LoadError("it has no public function")  # noqa: TRY301 - one handler reports them all
        parallel = getattr(module, "PARALLEL_SAFE", False)
        if not isinstance(parallel, bool):
            raise _LoadError("PARALLEL_SAFE must be True or False")  # noqa: TRY301
        settings = {"timeout": _timeout(module), "parallel": parallel}
    except (hints.HintError, _LoadError) as error:
        return {"error": str(error)}, {}
    except BaseException as error:  # noqa: BLE001 - any error of the user's file is reported to the parent
        return {"error": described(error), "line": line_in(error, path)}, {}
    return {"functions": [callee.tool for callee in found.values()], **settings}, found


def _run(path: str) -> types.ModuleType:
    """The file as a module, under its own name unless another module has it. No bytecode file is written."""
    name = Path(path).stem
    if name in sys.modules or name in sys.stdlib_module_names:
        name = f"_{name}"
    module = types.ModuleType(name)
    module.__file__ = path
    sys.modules[name] = module
    exec(compile(Path(path).read_bytes(), path, "exec", dont_inherit=True), module.__dict__)  # noqa: S102 - the user asked for it
    return module


def _public(module: types.ModuleType) -> list[tuple[str, Any]]:
    """The functions in `__all__`; without one, those that the file defines, except names that start with `_`."""
    if (names := getattr(module, "__all__", None)) is not None:
        for name in names:
            if not _is_function(getattr(module, name, None)):
                raise _LoadError(f"__all__ names {name}, which is not a function in it")
        return [(name, getattr(module, name)) for name in names]
    found: dict[int, tuple[str, Any]] = {}
    for name, value in vars(module).items():
        is_local = getattr(value, "__module__", None) == module.__name__
        if is_local and not name.startswith("_") and _is_function(value):
            found.setdefault(id(value), (name, value))
    return list(found.values())


def _is_function(value: Any) -> bool:
    return inspect.isroutine(value) or (hasattr(value, "__wrapped__") and not inspect.isclass(value))


def _timeout(module: types.ModuleType) -> float:
    timeout = getattr(module, "TOOL_TIMEOUT", _TIMEOUT)
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 < timeout <= _LONGEST_TIMEOUT:
        raise _LoadError(f"TOOL_TIMEOUT must be more than 0 and at most {_LONGEST_TIMEOUT} seconds")
    return timeout


def run_call(callee: "hints.Callee", request: dict[str, Any], path: str) -> dict[str, Any]:
    """Run a call and return its outcome."""
    try:
        result = callee.call(request["arguments"])
        if inspect.isawaitable(result):
            result = asyncio.run(_awaited(result))
    except hints.ArgumentError as error:
        return {"error": str(error)}
    except BaseException as error:  # noqa: BLE001 - any error of a tool is reported to the model, also sys.exit
        line = line_in(error, path)
        return {"error": described(error) + (f" ({Path(path).name}, line {line})" if line else "")}
    try:
        text = result if isinstance(result, str) else json.dumps(result, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        return {"error": f"the result can't be JSON: {described(error)}"}
    return {"output": text[: request["limit"]], "size": len(text)}


async def _awaited(result: Any) -> Any:
    return await result


def described(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"it called sys.exit({error.code!r})"
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg}"
    try:
        text = str(error)[:1_000]
    except Exception:  # noqa: BLE001 - __str__ of an exception may fail
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def line_in(error: BaseException, path: str) -> int | None:
    """The line of the file that caused the error: the innermost one in the traceback."""
    if isinstance(error, SyntaxError) and error.filename == path:
        return error.lineno
    line, place = None, error.__traceback__
    while place is not None:
        if place.tb_frame.f_code.co_filename == path:
            line = place.tb_lineno
        place = place.tb_next
    return line


def main(path: str) -> None:
    pipes = Pipes()
    sys.argv = [path]
    sys.path.insert(0, str(Path(path).resolve().parent))
    message, found = load(path)
    pipes.send(message)
    while True:
        request = pipes.calls.get()
        reply = run_call(found[request["call"]], request, path)
        for stream in (sys.stdout, sys.stderr):
            with suppress(AttributeError, OSError, ValueError):  # the tool closed or replaced it
                stream.flush()
        os.write(2, request["mark"].encode())
        pipes.send(reply | {"mark": request["mark"]})


if not TYPE_CHECKING:  # hints.py in this folder, under a name that hides no module of the user
    spec = importlib.util.spec_from_file_location("cometresp_hints", Path(__file__).with_name("hints.py"))
    hints = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hints)

if __name__ == "__main__":
    main(sys.argv[1])
