"""Names of servers and of their tools, as the API takes them. Pure.

A tool is offered as `SERVER__TOOL`. A name has at most 64 characters, letters, digits, `_` and `-` (API 4.1), and no
two tools have the same: a name that had to be shortened, or that another tool has, ends with a digest of the real one.
"""

import re
from collections.abc import Collection, Iterable
from hashlib import sha256
from ipaddress import ip_address
from urllib.parse import urlsplit

_LONGEST = 64
_LONGEST_SERVER = 32
_DIGEST = 6
_RUNNERS = {
    "npx",
    "bunx",
    "uvx",
    "pnpx",
    "node",
    "bun",
    "deno",
    "uv",
    "pipx",
    "pnpm",
    "yarn",
    "python",
    "py",
    "sh",
    "bash",
}
_VERBS = {"run", "exec", "dlx", "x", "tool"}
_USUAL = re.compile(r"^(?:@?mcp-)?(?:server-)?(.+?)(?:-mcp)?(?:-server)?$")


def server_name(wanted: str, taken: Collection[str]) -> str:
    """A name that no other server has; the second `time` is `time_2`."""
    name = first = _plain(wanted, _LONGEST_SERVER) or "mcp"
    number = 1
    while name in taken:
        number += 1
        name = f"{first}_{number}"
    return name


def name_of_command(words: list[str]) -> str:
    """`time` for `uvx mcp-server-time`, `everything` for `npx -y @modelcontextprotocol/server-everything@1.2`."""
    program = _base(words[0])
    if re.sub(r"[\d.]+$", "", program) in _RUNNERS:
        named = (word for word in words[1:] if not word.startswith("-") and word not in _VERBS)
        program = _base(next(named, program))
    found = _USUAL.fullmatch(program)
    return found[1] if found else program


def _base(word: str) -> str:
    """The last part of a path or a package, without its version and its ending."""
    name = re.split(r"[/\\]", word.rstrip("/\\"))[-1]
    name = name[:1] + name[1:].partition("@")[0].partition("==")[0]
    return re.sub(r"\.(?:py|js|mjs|cjs|ts|exe|sh|cmd|bat)$", "", name)


def name_of_url(url: str) -> str:
    """`example` for https://mcp.example.com/sse, the host itself where it is an address or one word."""
    host = urlsplit(url).hostname or ""
    try:
        ip_address(host)
    except ValueError:
        labels = host.split(".")
        return labels[-2] if len(labels) > 1 else host
    return host


def tool_names(server: str, tools: Iterable[str], taken: Collection[str]) -> list[str]:
    """The names under which the tools of a server are offered, in their order; none of those `taken`."""
    names: list[str] = []
    for tool in tools:
        name = f"{server}__{_plain(tool)}"
        if len(name) > _LONGEST or name in taken or name in names:
            digest = sha256(f"{server}\0{tool}\0{len(names) if name in names else ''}".encode(errors="replace"))
            name = f"{name[: _LONGEST - _DIGEST - 1]}_{digest.hexdigest()[:_DIGEST]}"
        names.append(name)
    return names


def _plain(text: str, longest: int | None = None) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", text)[:longest].strip("_" if longest else "")
