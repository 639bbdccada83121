"""A line for each item that isn't a message, and its details (API 6.3)."""

from collections.abc import Callable

from cometresp.answer.answer import Answer
from cometresp.answer.items import Item
from cometresp.terminal import Terminal
from cometresp.text import escape_line
from cometresp.wire.items import arguments_of, label_of_call
from cometresp.wire.json import Json, listed, obj, text

_WIDE = 100  # characters of a text within a line


def describe(item: Json) -> str:
    """An item on one line, without its status: `name(arguments)`, a search with its query, else `[type]`."""
    kind = str(item.get("type"))
    return _DESCRIPTIONS.get(kind, _other)(item)


def code_of(item: Json) -> str:
    return str(item.get("code") or "") if item.get("type") == "code_interpreter_call" else ""


def details(item: Json, *, code: bool = True) -> str:
    """The lines that `--verbose` adds: sources, hits, code and logs, outputs, arguments in full."""
    kind = item.get("type")
    if kind == "web_search_call":
        lines = [str(source.get("url")) for source in listed(obj(item.get("action")).get("sources"))]
    elif kind == "file_search_call":
        lines = [f"{hit.get('filename')}: {hit.get('text') or ''}" for hit in listed(item.get("results"))]
    elif kind == "code_interpreter_call":
        logs = [f"-> {out.get('logs') or out.get('url')}" for out in listed(item.get("outputs"))]
        lines = [*(code_of(item).splitlines() if code else ()), *logs]
    elif kind == "mcp_list_tools":
        lines = [f"{tool.get('name')}: {tool.get('description') or ''}" for tool in listed(item.get("tools"))]
    else:
        lines = [arguments_of(item), text(item.get("output"))]
    return "".join(f"    {escape_line(line)}\n" for line in lines if line)


def outcome(item: Json, status: str) -> str:
    """How an item ended, "" if it succeeded."""
    error = item.get("error")
    if error:
        message = error.get("message") or error.get("content") if isinstance(error, dict) else error
        return f"failed: {escape_line(str(message or error), _WIDE)}"
    return escape_line(status.replace("_", " ")) if status != "completed" else ""


def _call(item: Json) -> str:
    return f"{escape_line(label_of_call(item))}({escape_line(arguments_of(item), _WIDE)})"


def _web_search(item: Json) -> str:
    action = obj(item.get("action"))
    queries = action.get("queries")
    words = "; ".join(map(str, queries)) if isinstance(queries, list) else action.get("query") or action.get("url")
    sources = len(listed(action.get("sources")))
    return _labelled("web search", words, _counted(sources, "source"))


def _file_search(item: Json) -> str:
    queries, results = item.get("queries"), item.get("results")
    words = "; ".join(map(str, queries)) if isinstance(queries, list) else ""
    return _labelled("file search", words, f"{len(results)} hits" if isinstance(results, list) else "")


def _code(item: Json) -> str:
    code = code_of(item)
    first = next((line for line in code.splitlines() if line.strip()), "")
    count = code.count("\n") + 1
    return _labelled("code interpreter", first, f"{count} lines" if count > 1 else "")


def _mcp_list(item: Json) -> str:
    tools = listed(item.get("tools"))
    names = ", ".join(str(tool.get("name")) for tool in tools)
    return _labelled(f"mcp {item.get('server_label') or ''}".rstrip(), names, _counted(len(tools), "tool"))


def _shell(item: Json) -> str:
    action = obj(item.get("action"))
    commands = action.get("commands") or action.get("command")
    return _labelled("[shell_call]", "; ".join(map(str, commands)) if isinstance(commands, list) else "", "")


def _patch(item: Json) -> str:
    operation = obj(item.get("operation"))
    words = f"{operation.get('type')} {operation.get('path')}" if operation else ""
    return _labelled("[apply_patch_call]", words, "")


def _other(item: Json) -> str:
    return f"[{escape_line(str(item.get('type')))}]"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number > 1 else ''}" if number else ""


def _labelled(label: str, words: object, count: str) -> str:
    text = f"{escape_line(label)}: {escape_line(str(words), _WIDE)}" if words else escape_line(label)
    return f"{text} · {count}" if count else text


_DESCRIPTIONS: dict[str, Callable[[Json], str]] = {
    "function_call": _call,
    "custom_tool_call": _call,
    "mcp_call": _call,
    "mcp_approval_request": lambda item: f"approval asked: {_call(item)}",
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
    """The items that aren't text, with their times: which are running, and which have just ended.

    `runs_here` returns whether this program runs a call; `Running` prints the line of such a call.
    """

    SILENT = frozenset({"message", "reasoning"})

    def __init__(
        self, clock: Callable[[], float], terminal: Terminal, runs_here: Callable[[Json], bool] = lambda _: False
    ) -> None:
        self._clock = clock
        self._runs_here = runs_here
        self._good, self._bad = "✓✗" if terminal.encoding == "utf-8" else "+x"
        self._started: dict[Item, float] = {}
        self._ended: set[Item] = set()
        self.images = 0  # partial images of the running call

    def ended(self, answer: Answer) -> list[tuple[str, Json]]:
        """A line for each item that ended since the last call, in the order of the output, and the item's JSON."""
        ended = []
        for item in answer.take_changed_items():
            if item.type in self.SILENT:
                continue
            started = self._started.setdefault(item, self._clock())
            if item.is_closed and item not in self._ended:
                self._ended.add(item)
                self.images = 0
                whole = item.as_dict()
                if self._runs_here(whole):
                    continue
                problem = outcome(whole, item.status)
                words = (describe(whole), problem, f"{self._clock() - started:.1f} s")
                mark = self._bad if problem else self._good
                ended.append((f"{mark} " + " · ".join(word for word in words if word) + "\n", whole))
        return ended

    def running(self, answer: Answer) -> list[str]:
        """A line for each item that is still running."""
        lines = []
        for item in answer.open_items:
            if item.type not in self.SILENT:
                started = self._started.setdefault(item, self._clock())
                images = f" · {self.images} partial images" if self.images else ""
                lines.append(f"{describe(item.as_dict())}{images} · {self._clock() - started:.0f} s")
        return lines
