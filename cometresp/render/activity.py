"""What happens beside the text, in words: a line for each item that isn't a message, and its details (API 6.3)."""

from collections.abc import Callable
from typing import Any

from cometresp.answer.answer import Answer
from cometresp.answer.items import Item
from cometresp.terminal import Terminal
from cometresp.text import escape_line
from cometresp.wire.json import listed

_WIDE = 100

Frame = dict[str, Any]


def describe(frame: Frame) -> str:
    """An item on one line, without its state: `name(arguments)`, a search with its words, else `[type]`."""
    kind = str(frame.get("type"))
    return _WORDS.get(kind, _other)(frame)


def code_of(frame: Frame) -> str:
    return str(frame.get("code") or "") if frame.get("type") == "code_interpreter_call" else ""


def details(frame: Frame, *, code: bool = True) -> str:
    """What `--verbose` adds, on lines of their own: sources, hits, code and logs, outputs, arguments in full."""
    kind = frame.get("type")
    if kind == "web_search_call" and isinstance(frame.get("action"), dict):
        lines = [str(source.get("url")) for source in listed(frame["action"].get("sources"))]
    elif kind == "file_search_call":
        lines = [f"{hit.get('filename')}: {hit.get('text') or ''}" for hit in listed(frame.get("results"))]
    elif kind == "code_interpreter_call":
        logs = [f"-> {out.get('logs') or out.get('url')}" for out in listed(frame.get("outputs"))]
        lines = [*(code_of(frame).splitlines() if code else ()), *logs]
    elif kind == "mcp_list_tools":
        lines = [f"{tool.get('name')}: {tool.get('description') or ''}" for tool in listed(frame.get("tools"))]
    else:
        lines = [str(frame[key]) for key in ("arguments", "input", "output") if isinstance(frame.get(key), str)]
    return "".join(f"    {escape_line(line)}\n" for line in lines if line)


def outcome(frame: Frame, status: str) -> str:
    """How an item ended: nothing to say where it went well."""
    error = frame.get("error")
    if error:
        said = error.get("message") or error.get("content") if isinstance(error, dict) else error
        return f"failed: {escape_line(str(said or error), _WIDE)}"
    return escape_line(status.replace("_", " ")) if status != "completed" else ""


def footnotes(answer: Answer) -> list[tuple[str, str]]:
    """(label, address) of every citation, in order, each once; the address is "" where a file is cited."""
    found: dict[tuple[str, str], None] = {}
    for item in answer.output:
        for part in listed(item.get("content")):
            for note in listed(part.get("annotations")):
                url = str(note.get("url") or "")
                address = url if url.startswith(("https://", "http://")) and url.isascii() and url.isprintable() else ""
                label = str(note.get("title") or note.get("filename") or note.get("file_id") or url)
                if label:
                    found[escape_line(label, _WIDE), address] = None
    return list(found)


def _call(frame: Frame) -> str:
    name = frame.get("name") or "?"
    label = f"{frame['server_label']}/{name}" if frame.get("server_label") else str(name)
    arguments = frame.get("arguments") or frame.get("input") or ""
    return f"{escape_line(label)}({escape_line(str(arguments), _WIDE)})"


def _web_search(frame: Frame) -> str:
    action = frame.get("action")
    action = action if isinstance(action, dict) else {}
    queries = action.get("queries")
    words = "; ".join(map(str, queries)) if isinstance(queries, list) else action.get("query") or action.get("url")
    sources = len(listed(action.get("sources")))
    return _labelled("web search", words, _counted(sources, "source"))


def _file_search(frame: Frame) -> str:
    queries, results = frame.get("queries"), frame.get("results")
    words = "; ".join(map(str, queries)) if isinstance(queries, list) else ""
    return _labelled("file search", words, f"{len(results)} hits" if isinstance(results, list) else "")


def _code(frame: Frame) -> str:
    code = code_of(frame)
    first = next((line for line in code.splitlines() if line.strip()), "")
    count = code.count("\n") + 1
    return _labelled("code interpreter", first, f"{count} lines" if count > 1 else "")


def _mcp_list(frame: Frame) -> str:
    tools = listed(frame.get("tools"))
    names = ", ".join(str(tool.get("name")) for tool in tools)
    return _labelled(f"mcp {frame.get('server_label') or ''}".rstrip(), names, _counted(len(tools), "tool"))


def _shell(frame: Frame) -> str:
    action = frame.get("action")
    commands = action.get("commands") or action.get("command") if isinstance(action, dict) else None
    return _labelled("[shell_call]", "; ".join(map(str, commands)) if isinstance(commands, list) else "", "")


def _patch(frame: Frame) -> str:
    operation = frame.get("operation")
    words = f"{operation.get('type')} {operation.get('path')}" if isinstance(operation, dict) else ""
    return _labelled("[apply_patch_call]", words, "")


def _other(frame: Frame) -> str:
    return f"[{escape_line(str(frame.get('type')))}]"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number > 1 else ''}" if number else ""


def _labelled(label: str, words: Any, count: str) -> str:
    text = f"{escape_line(label)}: {escape_line(str(words), _WIDE)}" if words else escape_line(label)
    return f"{text} · {count}" if count else text


_WORDS: dict[str, Callable[[Frame], str]] = {
    "function_call": _call,
    "custom_tool_call": _call,
    "mcp_call": _call,
    "mcp_approval_request": lambda frame: f"approval asked: {_call(frame)}",
    "mcp_list_tools": _mcp_list,
    "web_search_call": _web_search,
    "file_search_call": _file_search,
    "code_interpreter_call": _code,
    "image_generation_call": lambda _: "image generation",
    "shell_call": _shell,
    "local_shell_call": _shell,
    "apply_patch_call": _patch,
}


class Timeline:
    """The items that aren't text, with their times: which are running, and which have just ended."""

    SILENT = frozenset({"message", "reasoning"})

    def __init__(
        self, clock: Callable[[], float], terminal: Terminal, ours: Callable[[Frame], bool] = lambda _: False
    ) -> None:
        """`ours`: calls that run here, whose lines stand there when they are done."""
        self._clock = clock
        self._ours = ours
        self._good, self._bad = "✓✗" if terminal.encoding == "utf-8" else "+x"
        self._begun: dict[str, float] = {}
        self._told: set[str] = set()
        self.images = 0  # partial images of the call that runs

    def ended(self, answer: Answer) -> list[tuple[str, Frame]]:
        """A line for each item that ended since the last call, in the order of the output, and the item itself."""
        ended = []
        for n, item in self._items(answer):
            began = self._begun.setdefault(n, self._clock())
            if item.done and n not in self._told:
                self._told.add(n)
                self.images = 0
                frame = item.as_dict()
                if self._ours(frame):
                    continue
                fault = outcome(frame, item.status)
                words = (describe(frame), fault, f"{self._clock() - began:.1f} s")
                mark = self._bad if fault else self._good
                ended.append((f"{mark} " + " · ".join(word for word in words if word) + "\n", frame))
        return ended

    def running(self, answer: Answer) -> list[str]:
        lines = []
        for n, item in self._items(answer):
            began = self._begun.setdefault(n, self._clock())
            if not item.done:
                images = f" · {self.images} partial images" if self.images else ""
                lines.append(f"{describe(item.as_dict())}{images} · {self._clock() - began:.0f} s")
        return lines

    def _items(self, answer: Answer) -> list[tuple[str, Item]]:
        """The items by what they are known by: the place of one may change when the final output comes."""
        return [(item.id or str(n), item) for n, item in enumerate(answer.items) if item.type not in self.SILENT]
