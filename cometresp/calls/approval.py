"""Whether a tool may run: by the flags, or by the user's answer at the terminal."""

import json
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Literal

from cometresp.text import escape, escape_line

Mode = Literal["ask", "always", "refuse"]

Decision = Literal["run", "no", "refused", "stop"]

_SHOWN, _SHOWN_END = 20_000, 4_000  # characters of arguments in a question, and how many of them are from the end

_KEYS: dict[str, Decision | Literal["always"]] = {
    "y": "run",
    "yes": "run",
    "o": "run",
    "once": "run",
    "a": "always",
    "always": "always",
    "n": "no",
    "no": "no",
    "s": "stop",
    "stop": "stop",
    "q": "stop",
}


class Approval:
    """Decides by `mode`, the globs of `--allow-tool` in `allowed`, and the user.

    `ask` asks the user a question; it returns None if nobody can be asked, for the reason in `nobody`.
    """

    def __init__(
        self,
        mode: Mode,
        allowed: list[str],
        ask: Callable[[str], str | None],
        nobody: str = "there is no terminal to ask on",
    ) -> None:
        self._mode = mode
        self._allowed = list(allowed)
        self._ask = ask
        self._always: set[str] = set()
        self.why_not = "--approve refuse" if mode == "refuse" else nobody

    def decide(self, name: str, arguments: str, source: str, *, read_only: bool) -> Decision:
        """Whether a call may run. `no` is the user's answer, `refused` needed no answer, and `stop` ends the run."""
        if read_only or name in self._always or any(_matches(name, pattern) for pattern in self._allowed):
            return "run"
        if self._mode != "ask":
            return "run" if self._mode == "always" else "refused"
        question = f"the model calls {escape_line(name)} ({escape_line(source)}) with\n{shown_arguments(arguments)}\n"
        while True:
            typed = self._ask(f"{question}run it? [y]es, [a]lways {escape_line(name)}, [n]o, [s]top: ")
            if typed is None:
                return "refused"
            key = _KEYS.get(typed.strip().lower(), None if typed else "stop")  # "" is the end of the input
            if key == "always":
                self._always.add(name)
                return "run"
            if key is not None:
                return key
            question = ""


def _matches(name: str, pattern: str) -> bool:
    """Whether a glob matches. One without a slash never matches a tool of an MCP server, LABEL/TOOL."""
    return ("/" in name) == ("/" in pattern) and fnmatchcase(name, pattern)


def shown_arguments(arguments: str) -> str:
    """Arguments to show to the user: indented if they are JSON, escaped, and shortened if they are long."""
    try:
        text = json.dumps(json.loads(arguments), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        text = arguments
    shown = escape(text)
    if len(shown) > _SHOWN:
        left_out = len(shown) - _SHOWN
        shown = f"{shown[: _SHOWN - _SHOWN_END]}\n… ({left_out} characters left out) …\n{shown[-_SHOWN_END:]}"
    return "\n".join(f"  {line}" for line in shown.splitlines()) or "  nothing"
