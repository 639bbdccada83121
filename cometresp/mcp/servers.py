"""The servers of a run: started at the same time, their tools as functions."""

import threading
from collections.abc import Collection, Mapping
from functools import partial

from cometresp.config import is_loopback
from cometresp.errors import UsageError
from cometresp.functions import environment
from cometresp.functions.processes import Processes
from cometresp.functions.results import Function, Tool
from cometresp.mcp.names import tool_names
from cometresp.mcp.session import Say, Session
from cometresp.mcp.settings import McpServer, offered
from cometresp.wire.json import Json, obj, text

_OVERLAP = 8  # calls of tools that only read, of one server at the same time
# What decides about the way to a server with a URL; one on this machine is never behind a proxy.
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


class Servers:
    """The servers of `--mcp`, a `Source` for a toolbox. `say` gets each line they print, behind a name."""

    def __init__(self, servers: list[McpServer], environ: Mapping[str, str], say: "Say | None" = None) -> None:
        self._servers = servers
        self._environ = environ
        self._say = say
        self._sessions: list[Session] = []

    def start(self, processes: Processes, taken: Collection[str]) -> list[Tool]:
        """The tools of all servers; their names are none of those `taken`. Raises UsageError."""
        self._sessions = [
            Session(server, processes, self._environ_of(server), partial(self._tell, server))
            for server in self._servers
        ]
        for session in self._sessions:
            session.begin()
        names = set(taken)
        tools = []
        for session in self._sessions:
            tools += _tools_of(session, names)
            names |= {tool.function.name for tool in tools}
        return tools

    def _environ_of(self, server: McpServer) -> dict[str, str]:
        """The environment of the process that speaks with a server."""
        proxies = () if is_loopback(server.url) else (*_PROXIES, *map(str.lower, _PROXIES))
        return environment.allowed(self._environ, (*_CERTIFICATES, *proxies) if server.url else ())

    def _tell(self, server: McpServer, line: str) -> None:
        if self._say is not None:
            self._say(f"{server.name}: {line}")

    def close(self) -> None:
        """End the servers as their protocol asks for: their input ends first."""
        for session in self._sessions:
            session.end_input()
        for session in self._sessions:
            session.wait_for_end()


def _tools_of(session: Session, taken: Collection[str]) -> list[Tool]:
    server, found = session.server, {str(tool["name"]): tool for tool in session.tools()}
    kept = offered(server, found)
    if not kept:
        raise UsageError(f"--mcp: {server.shown}: it has no tools")
    alone, together = threading.Semaphore(1), threading.Semaphore(_OVERLAP)
    tools = []
    for name, real in zip(tool_names(server.name, kept, taken), kept, strict=True):
        tool = found[real]
        # A server's own claim lets its calls overlap, but never run without the user's approval.
        parallel = obj(tool.get("annotations")).get("readOnlyHint") is True
        function = Function(
            name, _definition(name, tool), parallel=parallel, read_only=False, source=f"the MCP server {server.shown}"
        )
        tools.append(Tool(function, together if parallel else alone, partial(session.call, real)))
    return tools


def _definition(name: str, tool: Json) -> Json:
    """The function tool (API 4.1), with the server's own schema: a strict one would have null where it takes none."""
    description = text(tool.get("description")) or text(tool.get("title"))
    schema = obj(tool.get("inputSchema"))
    return {
        "type": "function",
        "name": name,
        **({"description": description} if description else {}),
        "parameters": schema | {"type": "object", "properties": obj(schema.get("properties"))},
        "strict": False,
    }
