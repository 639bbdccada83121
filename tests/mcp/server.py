"""An MCP server, written with the SDK, to be run as a program: `server.py stdio`, `sse` or `http`."""

import base64
import os
import struct
import sys
import time
import zlib
from pathlib import Path

from mcp import MCPError
from mcp.server.mcpserver import Image, MCPServer
from mcp_types import (
    AudioContent,
    CallToolResult,
    EmbeddedResource,
    ResourceLink,
    TextContent,
    TextResourceContents,
    ToolAnnotations,
)

server = MCPServer("little", log_level="ERROR")


@server.tool()
def add(a: int, b: int = 1) -> str:
    """The sum of two numbers."""
    return str(a + b)


@server.tool(name="what is there?", annotations=ToolAnnotations(read_only_hint=True))
def look() -> Image:
    """A red pixel."""
    return Image(data=PIXEL, format="png")


@server.tool()
def mixed() -> CallToolResult:
    data = base64.b64encode(b"RIFF").decode()
    resource = TextResourceContents(uri="memo://1", mime_type="text/plain", text="remember")
    return CallToolResult(
        content=[
            TextContent(type="text", text="first"),
            AudioContent(type="audio", data=data, mime_type="audio/wav"),
            EmbeddedResource(type="resource", resource=resource),
            ResourceLink(type="resource_link", name="notes", uri="memo://2", description="all notes"),
        ]
    )


@server.tool()
def fail(why: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=why)], is_error=True)


@server.tool()
def refuse(code: int) -> str:
    """Answers with an error of the protocol, not with a result."""
    raise MCPError(code=code, message="wait 5 s")


@server.tool()
def die() -> str:
    print("last words", file=sys.stderr, flush=True)
    os._exit(3)


@server.tool()
def hang() -> str:
    Path("hanging").write_text(f"{os.getpid()}\n")
    time.sleep(1000)
    return "never"


@server.tool()
def environment() -> str:
    return " ".join(sorted(os.environ))


@server.tool()
def show(name: str) -> str:
    print(f"asked for {name}\x1b[31m", file=sys.stderr, flush=True)
    return os.environ.get(name, "nothing")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


PIXEL = b"\x89PNG\r\n\x1a\n" + b"".join(
    (
        _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)),
        _chunk(b"IDAT", zlib.compress(b"\0\xff\0\0")),
        _chunk(b"IEND", b""),
    )
)


def over_http(transport: str) -> None:
    """Serve on a free port of this machine, which is printed."""
    import socket

    import uvicorn

    app = server.sse_app() if transport == "sse" else server.streamable_http_app()
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[listener])


if __name__ == "__main__":
    if sys.argv[1] == "stdio":
        server.run("stdio")
    else:
        over_http(sys.argv[1])
