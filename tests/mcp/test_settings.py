from typing import Any

import pytest

from cometresp.errors import CometrespError
from cometresp.mcp.settings import McpServer, offered, servers
from cometresp.wire.masking import Secrets

ENVIRON = {
    "PATH": "/bin",
    "HOME": "/home/me",
    "COMETAPI_KEY": "sk-1",
    "TOKEN": "t0ken-of-mine",
    "EMPTY": "",
    "LINES": "Bearer abcdefgh\n",
    "OTHER": "o",
}


def made(
    *given: str,
    tables: dict[str, Any] | None = None,
    env_names: list[str] | None = None,
    secrets: Secrets | None = None,
) -> list[McpServer]:
    entries = {name: (table, "config.toml") for name, table in (tables or {}).items()}
    return servers(list(given), entries, ENVIRON, secrets or Secrets(), env_names or [])


def test_a_word_is_the_name_of_a_table_a_url_or_a_command() -> None:
    secrets = Secrets()
    env = {"KEY": "env:TOKEN", "LEVEL": "debug"}
    tables = {
        "notes": {"command": "npx -y notes", "args": ["--dir", "a b"], "env": env, "tools": ["a*"]},
        "far": {
            "url": "https://mcp.example.com/mcp",
            "headers": {"Authorization": "env:TOKEN", "A": " b "},
            "timeout": 90,
        },
    }
    basic = {"PATH": "/bin", "HOME": "/home/me", "OTHER": "o"}
    hint = "--mcp takes a command, a URL, or the name of a server of the settings (notes, far)"
    given = ("notes", "uvx 'notes' --x", "far", "http://[::1]:80/sse")
    assert made(*given, tables=tables, env_names=["OTHER"], secrets=secrets) == [
        McpServer(
            "notes",
            "notes",
            ("npx", "-y", "notes", "--dir", "a b"),
            environ=basic | {"KEY": "t0ken-of-mine", "LEVEL": "debug"},
            tools=("a*",),
        ),
        McpServer("notes_2", "uvx 'notes' --x", ("uvx", "notes", "--x"), environ=basic, hint=hint),
        McpServer(
            "far",
            "far",
            url="https://mcp.example.com/mcp",
            headers={"Authorization": "t0ken-of-mine", "A": "b"},
            timeout=90.0,
            start_timeout=90.0,
        ),
        McpServer("1", "http://[::1]:80/sse", url="http://[::1]:80/sse", hint=hint),
    ]
    assert secrets.message("t0ken-of-mine, debug") == "***, debug"


def test_a_server_that_is_named_twice_is_one() -> None:
    assert len(made("a", "a", "b", tables={"a": {"command": ["x"]}})) == 2


HERE = "config.toml: mcp.s:"
COMMAND = {"command": "x"}
URL = {"url": "https://h/"}


@pytest.mark.parametrize(
    ("word", "table", "code", "message", "hint"),
    [
        ("", None, 2, "--mcp: must not be empty", "a command, a URL, or the name of a table [mcp.NAME]"),
        ("a 'b", None, 2, '--mcp: "a \'b" is no command: no closing quotation', ""),
        ("ftp://h/", None, 2, "--mcp: ftp://h/: a server is reached by https:// or http://, not by ftp://", ""),
        ("http:///mcp", None, 2, "--mcp: http:///mcp: it is not an address", ""),
        ("http://h:99999/", None, 2, "--mcp: http://h:99999/: it is not an address", ""),
        (
            "https://me:secret@h/",
            None,
            2,
            "--mcp: https://h/: a URL has no user and password here",
            "headers in a table [mcp.NAME] can have them",
        ),
        (
            "http://h/?api_key=abc",
            None,
            2,
            "--mcp: http://h/?api_key=***: its secrets would go over plain http",
            "use https",
        ),
        (
            "s",
            {"url": "http://h/", "headers": {"X-Key": "v"}},
            2,
            "--mcp: s: its secrets would go over plain http",
            "use https",
        ),
        ("s", {"comand": "x"}, 78, f"{HERE} unknown key 'comand'", "did you mean command?"),
        ("s", COMMAND | URL, 78, f"{HERE} must have either command or url", ""),
        ("s", {"tools": []}, 78, f"{HERE} must have either command or url", ""),
        ("s", {"command": 1}, 78, f"{HERE} command must be a string, or a list of strings", ""),
        ("s", {"command": []}, 78, f"{HERE} command must not be empty", ""),
        ("s", {"command": "x --token 'sk-1"}, 78, f"{HERE} command is no command: no closing quotation", ""),
        ("s", {"command": " "}, 78, f"{HERE} command must not be empty", ""),
        ("s", {"command": "a\0b"}, 78, f"{HERE} command has a NUL character", ""),
        ("s", COMMAND | {"args": "x"}, 78, f"{HERE} args must be a list of strings", ""),
        ("s", COMMAND | {"env": {"A": 1}}, 78, f"{HERE} env must be a table of strings", ""),
        ("s", COMMAND | {"headers": {}}, 78, f"{HERE} headers goes with url", ""),
        ("s", COMMAND | {"timeout": True}, 78, f"{HERE} timeout must be a number of seconds", ""),
        ("s", COMMAND | {"timeout": 0}, 78, f"{HERE} timeout must be more than 0 and at most 86400 seconds", ""),
        (
            "s",
            COMMAND | {"env": {"A": "env:NOT_SET"}},
            2,
            f"{HERE} env.A names NOT_SET, which is not set in the environment",
            "",
        ),
        ("s", COMMAND | {"env": {"COMETAPI_KEY": "x"}}, 2, f"{HERE} env: COMETAPI_KEY is never given to a tool", ""),
        (
            "s",
            COMMAND | {"env": {"A": "env:COMETAPI_KEY"}},
            2,
            f"{HERE} env.A: COMETAPI_KEY is never given to a tool",
            "",
        ),
        (
            "s",
            URL | {"headers": {"X-Key": "env:LINES"}},
            2,
            f"{HERE} headers.X-Key names LINES, whose value has a character that headers don't allow",
            "",
        ),
        ("s", URL | {"headers": {"A": "\x7f"}}, 78, f"{HERE} headers.A has a character that headers don't allow", ""),
        ("s", URL | {"headers": {"A b": "x"}}, 78, f"{HERE} headers.A b has a character that headers don't allow", ""),
    ],
)
def test_what_cant_be_a_server_is_named_with_the_rule(
    word: str, table: dict[str, Any] | None, code: int, message: str, hint: str
) -> None:
    with pytest.raises(CometrespError) as caught:
        made(word, tables={} if table is None else {"s": table})
    assert (caught.value.exit_code, caught.value.message, caught.value.hint) == (code, message, hint)


def test_tables_whose_tools_would_have_the_same_names_exclude_each_other() -> None:
    tables = {"a b": COMMAND, "a_b": COMMAND}
    with pytest.raises(CometrespError) as caught:
        made(*tables, tables=tables)
    assert caught.value.message == "--mcp: the tools of a b and a_b would have the same names"


def test_the_tools_of_a_table_are_those_that_are_offered() -> None:
    server = McpServer("fs", "fs", tools=("read_*", "stat"))
    assert offered(server, ["write", "stat", "read_a", "read_b"]) == ["stat", "read_a", "read_b"]
    with pytest.raises(CometrespError) as caught:
        offered(server, ["read_a", "write"])
    assert (caught.value.message, caught.value.hint) == (
        "--mcp: fs: tools: 'stat' fits none of its tools",
        "they are read_a, write",
    )
