"""The program of the child process: it speaks with one server, by the official SDK (`mcp`).

    python -P -u -X utf8 host.py

The messages are JSON objects, one per line, on the pipes that are standard input and output at the start. They are
moved to other descriptors at once, which the server doesn't inherit. What the server prints on standard error is what
this process prints there.

  down  {"call": 0, "command": [...], "environ": {...}, "version": text}
        or {"call": 0, "url": text, "headers": {...}, "version": text}
  up    {"call": 0, "tools": [...]}   or {"call": 0, "error": text, "reason": text}
  down  {"call": n, "tool": name, "arguments": {...}}
  up    {"call": n, "result": {...}}   or {"call": n, "error": text, "last": bool}
  up    {"noise": text}                                the first line of the server that isn't MCP

Tools and results are as in the protocol of MCP. A `reason` is "missing" (the SDK), "absent" (the command), "noise" (it
doesn't speak MCP), "key" (it wants one) or "". When the parent ends, and with it the pipe down, so do the server and
this process. It also ends when the server does, or the connection to it is lost, after the `last` error of a call; the
parent starts another one.
"""

import asyncio
import json
import logging
import os
import re
import shutil
import signal
import sys
import threading
from contextlib import AsyncExitStack, suppress
from typing import Any
from urllib.parse import urljoin

_is_missing = False
try:
    import anyio
    import httpx2
    import mcp_types
    from mcp import Client, MCPError
    from mcp.client.sse import sse_client
    from mcp.client.streamable_http import streamable_http_client
    from mcp.shared.message import SessionMessage
    from pydantic import ValidationError
except ImportError:  # it is missing, or older than what is needed: the parent reports it
    _is_missing = True

_LONGEST_MESSAGE = 33_554_432  # bytes of a message of the server
_MOST_NOISE = 100_000  # bytes of it before the first message
_MOST_PAGES = 100  # of the list of tools
_GRACE = 0.5  # seconds that a server has to end when its input does
_LONGEST_END = 1.0  # seconds for the end of all
_LONGEST_CONNECT = 30.0
_NOT_MCP = "the server sent a message that isn't MCP"
# The number of a request in an answer that isn't JSON: servers write it at the start or at the end.
_ANSWERED = re.compile(
    rb'^\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*(\d{1,15})\b|"id"\s*:\s*(\d{1,15})\s*\}\s*$'
)
_SAYS_CLOSED = "Connection closed"  # the words of the SDK, which has no class for it
_SAYS_NOT_MCP = "Failed to parse "  # over HTTP; its words about what is wrong follow
_NO_ACCESS = (401, 403)
_NO_SESSION = (404, 410)


class Pipes:
    """The pipes from and to the parent."""

    def __init__(self) -> None:
        self._down, self._up = os.dup(0), os.dup(1)  # the server doesn't inherit these
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        self.has_ended = False
        self.messages: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        threading.Thread(target=self._receive, args=(asyncio.get_running_loop(),), daemon=True).start()

    def _receive(self, loop: asyncio.AbstractEventLoop) -> None:
        with os.fdopen(self._down, "rb") as lines:
            for line in lines:
                loop.call_soon_threadsafe(self.messages.put_nowait, json.loads(line))
        self.has_ended = True
        threading.Timer(_LONGEST_END, end_group).start()
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(self.messages.put_nowait, None)

    def send(self, message: dict[str, Any]) -> None:
        rest = memoryview(json.dumps(message).encode() + b"\n")
        try:
            while rest:
                rest = rest[os.write(self._up, rest) :]
        except OSError:
            end_group()


def end_group() -> None:
    if sys.platform != "win32" and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


class Command:
    """A server that is a program: a transport for the SDK.

    The program is in the process group of this process, and ends with it; the SDK's own transport gives it a session.
    """

    def __init__(self, words: list[str], environ: dict[str, str], pipes: Pipes) -> None:
        self._words = words
        self._environ = environ
        self._pipes = pipes
        self._noise = 0
        self._is_known = False  # it has sent a message
        self.has_closed = False  # its standard output, by itself
        self._is_to_end = False
        self.is_too_long = False  # its last message
        self.listed: Any = None  # the tools in its last answer that had some, as they came
        self._outcome = ""

    async def __aenter__(self) -> Any:
        self._process = await asyncio.create_subprocess_exec(
            *_startable(self._words, self._environ),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=self._environ,
        )
        received, read_stream = anyio.create_memory_object_stream[Any](0)
        write_stream, to_send = anyio.create_memory_object_stream[Any](0)
        self._tasks = [asyncio.create_task(self._read(received)), asyncio.create_task(self._write(to_send))]
        return read_stream, write_stream

    async def __aexit__(self, *_: object) -> None:
        await self.outcome()
        self._is_to_end = True
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._ends()
        for task in self._tasks:
            task.cancel()

    async def _ends(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), _GRACE)

    async def outcome(self) -> str:
        """How it ended by itself: `exit 2`, or as in `ended by SIGKILL`; "" if it didn't."""
        if self.has_closed and not (self._is_to_end or self._outcome):
            await self._ends()
            self._outcome = _words_for(self._process.returncode)
        return self._outcome

    @property
    def is_nonsense(self) -> bool:
        """Whether what it prints is not MCP."""
        return self._noise >= _MOST_NOISE

    async def _read(self, received: Any) -> None:
        """Pass on the messages of the server, until there are no more."""
        assert self._process.stdout is not None
        line = bytearray()
        async with received:
            with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
                while not self.is_nonsense and len(line) <= _LONGEST_MESSAGE:
                    if not (data := await self._process.stdout.read(65_536)):
                        break
                    line += data
                    if b"\n" in data:
                        *lines, line = line.split(b"\n")
                        for each in lines:
                            await self._pass_on(bytes(each), received)
        if line:
            self._note_noise(bytes(line))
        self.is_too_long = len(line) > _LONGEST_MESSAGE
        self.has_closed = not self._is_to_end
        self._pipes.messages.put_nowait(None)

    async def _pass_on(self, line: bytes, received: Any) -> None:
        if not line.strip():
            return
        if (message := message_of(line)) is None:
            self._note_noise(line)
            return
        self._is_known = True
        if isinstance(result := getattr(message, "result", None), dict) and "tools" in result:
            self.listed = result["tools"]
        await received.send(SessionMessage(message))

    def _note_noise(self, line: bytes) -> None:
        """Count a line that isn't MCP, and pass on the first: some servers greet the user on standard output."""
        if not self._is_known:
            if not self._noise:
                self._pipes.send({"noise": line[:200].decode(errors="replace").strip()})
            self._noise += len(line) + 1

    async def _write(self, to_send: Any) -> None:
        assert self._process.stdin is not None
        async with to_send:
            with suppress(OSError):  # it has ended, as `_read` sees
                async for sent in to_send:
                    text = sent.message.model_dump_json(by_alias=True, exclude_unset=True)
                    self._process.stdin.write(text.encode() + b"\n")
                    await self._process.stdin.drain()


def _startable(words: list[str], environ: dict[str, str]) -> list[str]:
    """The words with the path of the program: Windows by itself finds no `npx.cmd` where the word is `npx`."""
    found = shutil.which(words[0], path=environ.get("PATH")) if os.name == "nt" else None
    return [found or words[0], *words[1:]]


def message_of(line: bytes) -> Any:
    """The message in a line of a server, None if there is none.

    A lone surrogate, which JavaScript writes for half an emoji, becomes U+FFFD. An answer that isn't MCP becomes an
    error: without one, its request would wait for the end of its time.
    """
    with suppress(ValueError):
        return mcp_types.jsonrpc_message_adapter.validate_json(line, by_name=False)
    number = None
    try:
        found = json.loads(line.decode(errors="replace"))
        if not (isinstance(found, dict) and "jsonrpc" in found):
            return None
        number = None if "method" in found else found.get("id")
        mended = re.sub("[\ud800-\udfff]", "\ufffd", json.dumps(found, ensure_ascii=False))
        with suppress(ValueError):
            return mcp_types.jsonrpc_message_adapter.validate_json(mended, by_name=False)
    except (ValueError, RecursionError):
        if ids := b'"jsonrpc"' in line and _ANSWERED.search(line):
            number = int(ids[1] or ids[2])
    if not isinstance(number, int | str):
        return None
    error = mcp_types.ErrorData(code=mcp_types.PARSE_ERROR, message=_NOT_MCP)
    return mcp_types.JSONRPCError(jsonrpc="2.0", id=number, error=error)


class Connection:
    """A connection to one server, and what is known of it."""

    def __init__(self, given: dict[str, Any], pipes: Pipes) -> None:
        self._given = given
        self._command = Command(given["command"], given["environ"], pipes) if "command" in given else None
        self.statuses: list[int] = []  # of HTTP, those of errors that have no message
        self._leads_to = ""  # the redirect that came last
        self._has_lost_session = False

    async def connect(self, stack: AsyncExitStack) -> Any:
        """A client of the SDK, entered. A URL is tried as streamable HTTP first, then as SSE."""
        if self._command is not None:
            return await stack.enter_async_context(self._client(self._command))
        url, headers = self._given["url"], self._given["headers"]
        try:
            http = await stack.enter_async_context(self._http(headers))
            return await stack.enter_async_context(self._client(_streamable(url, http)))
        except Exception:
            if not self._may_be_sse:
                raise
            statuses = list(self.statuses)
            try:
                transport = sse_client(url, headers=headers, httpx_client_factory=self._http)
                return await stack.enter_async_context(self._client(transport))
            except Exception:  # noqa: BLE001 - the first error is reported
                self.statuses = statuses
            raise

    def _http(self, headers: Any = None, timeout: Any = None, auth: Any = None) -> Any:  # noqa: ARG002 - as the SDK calls it
        """A client of HTTP. The parent decides how long a call may take."""
        return httpx2.AsyncClient(
            headers=headers,
            timeout=httpx2.Timeout(_LONGEST_CONNECT, read=None),
            follow_redirects=False,
            event_hooks={"response": [self._note_status]},
        )

    def _client(self, transport: Any) -> Any:
        info = mcp_types.Implementation(name="cometresp", version=self._given["version"])
        return Client(transport, client_info=info, cache=None)

    async def _note_status(self, response: Any) -> None:
        if self._leads_to and str(response.request.url) == self._leads_to:  # the SDK does follow it, to the same host
            self.statuses.pop()
        self._leads_to = ""
        if not (response.is_error or response.has_redirect_location):
            return
        status, request = response.status_code, response.request
        if status in _NO_SESSION and request.method == "POST" and "mcp-session-id" in request.headers:
            self._has_lost_session = True
        if status in _NO_ACCESS or not await _has_message(response):
            self.statuses.append(status)
            with suppress(ValueError):
                if response.has_redirect_location:
                    self._leads_to = urljoin(str(request.url), response.headers["location"])

    @property
    def _may_be_sse(self) -> bool:
        """Whether it has refused a request as a server does that knows only the older transport."""
        return bool(self.statuses) and self.statuses[-1] in (400, 404, 405, 406, 415)

    async def why(self, error: BaseException) -> tuple[str, str]:
        """What is wrong, in words, and a word for the parent."""
        if isinstance(error, BaseExceptionGroup):
            return await self.why(error.exceptions[0])
        if self._command is not None:
            if isinstance(error, FileNotFoundError):
                return "the command isn't found", "absent"
            if isinstance(error, OSError):
                return f"the command can't be run: {error.strerror}", ""
            if self._command.is_too_long:
                return f"its message is longer than {_LONGEST_MESSAGE >> 20} MiB", ""
            if outcome := await self._command.outcome():
                return f"it ended: {outcome}", ""
            if self._command.is_nonsense:
                return "", "noise"
        elif isinstance(error, httpx2.TransportError):
            return f"it can't be reached: {described(error)}", ""
        elif self.statuses:
            status = self.statuses[-1]
            url = re.sub("//[^/]*@", "//", re.split("[?#]", self._leads_to)[0])  # may have secrets
            leads = f", a redirect to {url}, which isn't followed" if url else ""
            return f"it answered with HTTP {status}{leads}", "key" if status in _NO_ACCESS else ""
        if isinstance(error, ValidationError):
            return _invalid(error, self._command.listed if self._command else None), ""
        return "it closed the connection" if self.is_closed(error) else described(error), ""

    def is_closed(self, error: BaseException) -> bool:
        """Whether the server has closed the connection. Its own errors may have the code that the SDK has for that."""
        if self._command is not None:
            return self._command.has_closed
        is_code = isinstance(error, MCPError) and error.code == mcp_types.CONNECTION_CLOSED
        return is_code and str(error) == _SAYS_CLOSED

    def is_lost(self, error: BaseException) -> bool:
        """Whether the error of a call means that there is no connection, or no session, any more."""
        if isinstance(error, BaseExceptionGroup):
            return any(map(self.is_lost, error.exceptions))
        of_transport = (httpx2.TransportError, anyio.ClosedResourceError, anyio.BrokenResourceError, OSError)
        return self.is_closed(error) or self._has_lost_session or isinstance(error, of_transport)


async def _has_message(response: Any) -> bool:
    """Whether the body of an error is one of JSON-RPC, which the SDK passes on."""
    if not response.headers.get("content-type", "").lower().startswith("application/json"):
        return False
    with suppress(ValueError, RecursionError, httpx2.TransportError):
        body = json.loads(await response.aread())
        return isinstance(body, dict) and "jsonrpc" in body and isinstance(body.get("error"), dict)
    return False


def _streamable(url: str, http: Any) -> Any:
    from inspect import signature

    more: dict[str, Any] = {"max_sse_event_size": _LONGEST_MESSAGE}  # not known to every version
    known = signature(streamable_http_client).parameters
    return streamable_http_client(url, http_client=http, **{name: more[name] for name in more if name in known})


def _words_for(code: int | None) -> str:
    if code is None or code >= 0:
        return "" if code is None else f"exit {code}"
    with suppress(ValueError):
        return f"ended by {signal.Signals(-code).name}"
    return f"ended by signal {-code}"


def described(error: BaseException) -> str:
    text = str(error)[:1_000].strip()
    if text.startswith(_SAYS_NOT_MCP) and "validation error" in text:
        return _NOT_MCP
    return text or type(error).__name__


def _invalid(error: Any, listed: Any) -> str:
    """What is wrong with an answer that isn't as in the protocol. `listed` are the tools of the server, if known."""
    found = error.errors(include_url=False)[0]
    match found["loc"]:
        case ["tools", int(index), *fields]:
            pass
        case [first, int(index), *_]:
            return f"its answer isn't valid MCP, in {first}[{index}]"
        case where:
            return "its answer isn't valid MCP" + (f", in {where[0]}" if where else "")
    tool = listed[index] if isinstance(listed, list) and index < len(listed) else found["input"]
    name = tool.get("name") if isinstance(tool, dict) else None
    which = f"its tool {name!r}" if isinstance(name, str) else f"its tool number {index + 1}"
    return f"{which} has no valid {fields[0]}" if fields else f"{which} is no object"


def plain(model: Any) -> Any:
    return model.model_dump(by_alias=True, mode="json", exclude_none=True)


async def tools_of(client: Any) -> list[Any]:
    """All tools that a server has."""
    if client.server_capabilities.tools is None:
        return []
    tools: list[Any] = []
    cursor = None
    for _ in range(_MOST_PAGES):
        page = await client.list_tools(cursor=cursor)
        tools += map(plain, page.tools)
        if not (cursor := page.next_cursor):
            break
    return tools


async def call(client: Any, connection: Connection, pipes: Pipes, request: dict[str, Any]) -> None:
    number = request["call"]
    connection.statuses.clear()
    try:
        result = await client.call_tool(request["tool"], request["arguments"])
        pipes.send({"call": number, "result": plain(result)})
    except Exception as error:  # noqa: BLE001 - any error is one of the tool, for the model
        why, _ = await connection.why(error)
        is_lost = connection.is_lost(error)
        pipes.send({"call": number, "error": why, "last": is_lost})
        if is_lost:
            pipes.messages.put_nowait(None)


async def serve(pipes: Pipes, connection: Connection) -> None:
    """Connect to the server and run its tools until it ends, or the parent does."""
    async with AsyncExitStack() as stack:
        try:
            client = await connection.connect(stack)
            pipes.send({"call": 0, "tools": await tools_of(client)})
        except Exception as error:  # noqa: BLE001 - any error is reported to the parent
            why, reason = await connection.why(error)
            pipes.send({"call": 0, "error": why, "reason": reason})
            return
        running: set[asyncio.Task[None]] = set()
        while (request := await pipes.messages.get()) is not None:
            running.add(asyncio.create_task(call(client, connection, pipes, request)))
            running = {task for task in running if not task.done()}
        if pipes.has_ended and running:
            end_group()
        if running:
            await asyncio.wait(running)


async def main() -> None:
    pipes = Pipes()
    if _is_missing:
        pipes.send({"call": 0, "error": _installed_version(), "reason": "missing"})
        return
    logging.disable()
    if (given := await pipes.messages.get()) is not None:
        await serve(pipes, Connection(given, pipes))


def _installed_version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("mcp")
    except PackageNotFoundError:
        return ""


if __name__ == "__main__":
    asyncio.run(main())
