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


_MEANINGS = {
    "y": "run it this time",
    "a": "run it, and {name} without asking for the rest of this run",
    "v": "show all of it",
    "n": "don't run it, and tell the model so",
    "s": "stop: nothing is run or sent, and the call stays open",
}
_LONGEST_KEY = 20  # characters of a wrong answer that are repeated


class Approval:
    """Decides by `mode`, the patterns of `--allow-tool` in `allowed`, and the user.

    `ask` asks the user a question; it returns None if nobody can be asked, for the reason in `nobody`. `stressed` sets
    the name of a tool off from the text around it.
    """

    def __init__(
        self,
        mode: Mode,
        allowed: list[str],
        ask: Callable[[str], str | None],
        nobody: str = "there is no terminal to ask on",
        stressed: Callable[[str], str] = str,
    ) -> None:
        self._mode = mode
        self._allowed = list(allowed)
        self._ask = ask
        self._stressed = stressed
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
        name = self._stressed(escape_line(tool.written))
        shown = shown_arguments(arguments, remote=remote)
        whole = shown.whole
        question = (
            f"\nthe model calls {name} ({escape_line(source)}) with\n{shown.text}\n{_meanings(name, whole=whole)}"
        )
        while True:
            may = "run it? [y]es, [a]lways, " if whole else "not all of it is shown: [v]iew it, "
            typed = self._ask(f"{question}{may}[n]o, [s]top: ")
            if typed is None:
                return "refused"
            key = _KEYS.get(typed.strip().lower(), None if typed else "stop")  # "" is the end of the input
            if key == "view" and not whole:
                text, whole = shown_arguments(arguments, remote=remote, whole=True).text, True
                question = f"{text}\n{_meanings(name, whole=True)}"
            elif key == "always" and whole:
                self._always.add(tool)
                return "run"
            elif key in ("no", "stop") or (key == "run" and whole):
                return key
            else:
                question = _rejected(typed.strip(), "yans" if whole else "vns", unseen=key in ("run", "always"))


def _meanings(name: str, *, whole: bool) -> str:
    """What each key does, a line each."""
    return "".join(f"  {key}  {_MEANINGS[key].format(name=name)}\n" for key in ("yans" if whole else "vns"))


def _rejected(typed: str, keys: str, *, unseen: bool) -> str:
    """A line about an answer that isn't taken."""
    if unseen:
        return "it can be allowed once all of it was shown: v shows it\n"
    what = f"{escape_line(typed, _LONGEST_KEY)} is no answer" if typed else "that is no answer"
    return f"{what}: type {', '.join(keys[:-1])} or {keys[-1]}\n"
