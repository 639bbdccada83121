"""Whether a tool may run: by the flags, or by the user's answer at the terminal."""

from collections.abc import Callable
from typing import Literal

from cometresp.calls.arguments import shown_arguments
from cometresp.calls.names import ToolName
from cometresp.text import escape_line

Mode = Literal["ask", "always", "refuse"]

Decision = Literal["run", "no", "refused", "stop"]

_KEYS: dict[str, Decision | Literal["always", "view"]] = {
    "y": "run",
    "yes": "run",
    "o": "run",
    "once": "run",
    "a": "always",
    "always": "always",
    "v": "view",
    "view": "view",
    "n": "no",
    "no": "no",
    "s": "stop",
    "stop": "stop",
    "q": "stop",
}


class Approval:
    """Decides by `mode`, the patterns of `--allow-tool` in `allowed`, and the user.

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
        self._always: set[ToolName] = set()
        self.why_not = "--approve refuse" if mode == "refuse" else nobody

    def decide(self, tool: ToolName, arguments: str, source: str, *, read_only: bool) -> Decision:
        """Whether a call may run. `no` is the user's answer, `refused` needed no answer, and `stop` ends the run.

        A call may only be allowed once all of its arguments were shown.
        """
        if read_only or tool in self._always or any(tool.matches(pattern) for pattern in self._allowed):
            return "run"
        if self._mode != "ask":
            return "run" if self._mode == "always" else "refused"
        remote = tool.label is not None
        name = escape_line(tool.written)
        shown = shown_arguments(arguments, remote=remote)
        question = f"the model calls {name} ({escape_line(source)}) with\n{shown.text}\n"
        whole = shown.whole
        while True:
            may = f"run it? [y]es, [a]lways {name}, " if whole else "not all of it is shown: [v]iew it, "
            typed = self._ask(f"{question}{may}[n]o, [s]top: ")
            if typed is None:
                return "refused"
            key = _KEYS.get(typed.strip().lower(), None if typed else "stop")  # "" is the end of the input
            question = ""
            if key == "view" and not whole:
                question, whole = shown_arguments(arguments, remote=remote, whole=True).text + "\n", True
            elif key == "always" and whole:
                self._always.add(tool)
                return "run"
            elif key in ("no", "stop") or (key == "run" and whole):
                return key
