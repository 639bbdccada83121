import re

import pytest

from cometresp.mcp.names import name_of_command, name_of_url, server_name, tool_names


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("npx -y @modelcontextprotocol/server-everything@1.2.3", "everything"),
        ("uvx mcp-server-time", "time"),
        ("uvx mcp-server-git==1.0 --repository .", "git"),
        ("/usr/local/bin/github-mcp-server stdio", "github"),
        ("python3.12 -m weather", "weather"),
        ("node ./build/index.js", "index"),
        ("python tools/mcp-notes.py", "notes"),
        ("pipx run notes-mcp", "notes"),
        ("docker run -i --rm mcp/time", "docker"),
        ("npx", "npx"),
        ("server", "server"),
    ],
)
def test_a_server_is_called_as_its_program(words: str, name: str) -> None:
    assert name_of_command(words.split()) == name


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://mcp.example.com/sse", "example"),
        ("https://example.com", "example"),
        ("http://localhost:8000/mcp", "localhost"),
        ("http://127.0.0.1:8000/mcp", "127.0.0.1"),
        ("http://[::1]/", "::1"),
    ],
)
def test_a_server_is_called_as_its_host(url: str, name: str) -> None:
    assert name_of_url(url) == name


def test_no_two_servers_have_a_name() -> None:
    assert [
        server_name(*given) for given in (("a b", ()), ("time", {"time", "time_2"}), ("__", ()), ("x" * 99, ()))
    ] == [
        "a_b",
        "time_3",
        "mcp",
        "x" * 32,
    ]


def test_tools_have_names_that_the_api_takes_each_another() -> None:
    tools = ["read", "read file", "read/file", "é", "n" * 80, "n" * 81, ""]
    names = tool_names("fs", tools, {"fs__read"})
    assert names[1] == "fs__read_file"
    assert names[0] != "fs__read"
    assert all(re.fullmatch(r"fs__[A-Za-z0-9_-]{0,60}", name) and len(name) <= 64 for name in names)
    assert len({*names, "fs__read"}) == len(tools) + 1
    assert names == tool_names("fs", tools, {"fs__read"})
