"""`config`: what is set and from where, and changes of the config file."""

import json
import re
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Command, Forker
from tests.jobs import job
from tests.waiting import until

DEFAULTS = """\
model\tgpt-5.4\tdefault
chain\tdefault\tdefault
approve\task\tdefault
max_turns\t10\tdefault
format\tauto\tdefault
color\tauto\tdefault
base_url\thttps://api.cometapi.com/v1\tdefault
timeout\t600\tdefault
max_reply_size\t256M\tdefault
retries\t2\tdefault
jobs\t8\tdefault
record\tfull\tdefault
"""
FILE = """\
# mine
model = "fast"  # the alias
effort = "low"
header = ["X-A: 1", "Authorization: Bearer sk-header"]
tool = ['{"type": "mcp", "server_label": "a", "authorization": "sk-tool"}', "web_search"]
key_command = ["pass", "show", "comet"]

[aliases]
fast = "gpt-5.4-mini"

# work
[profile.work]
base_url = "https://h/v1?code=sk-query"
key = "sk-work"
record = "ids"

[keys]
"https://h/v1" = "sk-listed"

[mcp.files]
command = "npx"
env = { TOKEN = "sk-env", SEEN = "env:SEEN" }
"""


def written(command: Command, text: str) -> Path:
    path = command.home / ".config/cometresp/config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def table(text: str) -> list[tuple[str, ...]]:
    return [tuple(line.split("\t")) for line in text.splitlines()]


def test_path_names_the_file_whether_or_not_it_is_there(forker: Forker, run: Command) -> None:
    path = f"{run.home}/.config/cometresp/config.toml"
    assert tuple(forker.run(run, ["config", "path"])) == (0, f"{path}\n", "")
    written(run, "damaged")
    assert tuple(forker.run(run, ["config", "path"])) == (0, f"{path}\n", "")
    named = {"COMETRESP_CONFIG": "~/a b.toml"}
    assert tuple(forker.run(run, ["config", "path"], env=named)) == (0, f"{run.home}/a b.toml\n", "")


def test_show_has_the_defaults_where_nothing_is_set(forker: Forker, run: Command) -> None:
    expected = DEFAULTS  # other commands' flags may add rows
    result = forker.run(run, ["config", "show"])
    assert (result.code, result.err) == (0, "")
    assert [row for row in table(result.text) if row in table(expected)] == table(expected)
    assert {row[2] for row in table(result.text)} == {"default"}
    everything = forker.run(run, ["config", "--all", "--json"])
    names = {one["name"]: one["value"] for one in json.loads(everything.out)}
    assert (names["temperature"], names["json"], names["store"]) == (None, False, None)


def test_show_has_every_value_with_its_source_and_no_secret(forker: Forker, run: Command) -> None:
    path = str(written(run, FILE))
    env = {"COMETRESP_PLAIN": "yes", "COMETRESP_PROFILE": "work", "COMETAPI_KEY": "sk-of-env"}
    result = forker.run(run, ["config", "show"], env=env)
    assert (result.code, result.err, "sk-" in result.text) == (0, "", False)
    defaults = [row[0] for row in table(DEFAULTS)]
    assert [row for row in table(result.text) if row[2] != "default" or row[0] not in defaults] == [
        ("model", "fast", path),
        ("reasoning_effort", "low", path),
        (
            "tool",
            '["{\\"type\\": \\"mcp\\", \\"server_label\\": \\"a\\", \\"authorization\\": \\"***\\"}", "web_search"]',
            path,
        ),
        ("plain", "true", "COMETRESP_PLAIN"),
        ("base_url", "https://h/v1?code=***", f"{path}, profile work"),
        ("header", '["X-A: ***", "Authorization: ***"]', path),
        ("record", "ids", f"{path}, profile work"),
        ("key_command", '["pass", "show", "comet"]', path),
        ("default_profile", "work", "COMETRESP_PROFILE"),
        ("key", "***", "COMETAPI_KEY"),
        ("aliases.fast", "gpt-5.4-mini", path),
        ('keys."https://h/v1"', "***", path),
        ("mcp.files.command", "npx", path),
        ("mcp.files.env.TOKEN", "***", path),
        ("mcp.files.env.SEEN", "env:SEEN", path),
        ("profile.work.base_url", "https://h/v1?code=***", path),
        ("profile.work.key", "***", path),
        ("profile.work.record", "ids", path),
    ]
    plain = forker.run(run, ["config", "show", "--json"])
    rows = {one["name"]: (one["value"], one["source"]) for one in json.loads(plain.out)}
    assert (rows["effort" if "effort" in rows else "reasoning_effort"], rows["record"]) == (
        ("low", path),
        ("full", "default"),
    )
    assert "sk-" not in plain.text


SECRETS = """\
param = ["tools.0.authorization=sk-1", "tools.0.headers.X-A=sk-2", "tools.0.api_key=env:KEY", "reasoning.mode=pro"]
var = ["token=sk-3", "name=x"]
tool = ["mcp:docs=https://me:sk-4@h/?api_key=sk-5&page=2"]
mcp_server = ["https://h/mcp?api_key=sk-6&x=sk-7", "npx a --token sk-8 --api-key=sk-9 'b c'", "npx 'sk-10"]
key_command = ["op", "read", "--session-token", "sk-11"]
[keys]
"https://h/v1?code=sk-12" = "sk-13"
[mcp.far]
url = "https://h/mcp?api_key=***&x=sk-14"
[mcp.near]
command = "docker run -e GITHUB_TOKEN=sk-15 -e LEVEL=1 --header 'Authorization: Bearer sk-16' --password"
args = ["--client-secret", "sk-17", "--dir", "/tmp", "--auth=env:AUTH"]
[mcp.bare]
command = ["x", "--key", "sk-18", "sk-shown", "--header=X-A: sk-20"]
[profile.work.mcp.near]
command = ["x", "--key", "sk-19"]
"""
MASKED = {
    "param": ["tools.0.authorization=***", "tools.0.headers.X-A=***", "tools.0.api_key=env:KEY", "reasoning.mode=pro"],
    "var": ["token=***", "name=x"],
    "tool": ["mcp:docs=https://***@h/?api_key=***&page=2"],
    "mcp_server": ["https://h/mcp?api_key=***&x=***", "npx a --token *** --api-key=*** 'b c'", "***"],
    "key_command": ["op", "read", "--session-token", "***"],
    'keys."https://h/v1?code=***"': "***",
    "mcp.far.url": "https://h/mcp?api_key=***&x=***",
    "mcp.near.command": "docker run -e GITHUB_TOKEN=*** -e LEVEL=1 --header 'Authorization: ***' --password",
    "mcp.near.args": ["--client-secret", "***", "--dir", "/tmp", "--auth=env:AUTH"],
    "mcp.bare.command": ["x", "--key", "***", "sk-shown", "--header=X-A: ***"],
    "profile.work.mcp.near.command": ["x", "--key", "***"],
}


def test_secrets_in_urls_commands_and_pairs_are_never_shown(forker: Forker, run: Command) -> None:
    written(run, SECRETS)
    rows = json.loads(forker.run(run, ["config", "show", "--json"]).out)
    assert {row["name"]: row["value"] for row in rows if row["name"] in MASKED} == MASKED
    for name, text in [
        ("keys", '{"https://h/v1?code=***": "***"}'),
        ("mcp.far", '{"url": "https://h/mcp?api_key=***&x=***"}'),
        ("mcp.bare", '{"command": ["x", "--key", "***", "sk-shown", "--header=X-A: ***"]}'),
    ]:
        assert forker.run(run, ["config", "get", name]).text == f"{text}\n"
    everything = forker.run(run, ["doctor", "--json"]).text + forker.run(run, ["doctor"]).text
    assert [f"sk-{n}" for n in range(1, 21) if re.search(rf"sk-{n}\b", everything)] == []


def test_show_on_a_terminal_is_a_table_and_names_the_file_once(forker: Forker, run: Command) -> None:
    written(run, 'model = "a"\n[profile.w]\nbell = true\n')
    result = forker.run(run, ["config", "show", "--profile", "w"], terminal=True, env={"NO_COLOR": "1"})
    lines = [line.rstrip() for line in result.text.replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines()]
    assert (result.code, lines[0].split(), lines[-1]) == (
        0,
        ["SETTING", "VALUE", "FROM"],
        f"file: {run.home}/.config/cometresp/config.toml",
    )
    assert [line.split() for line in lines if "file" in line or "profile" in line][:3] == [
        ["model", "a", "file"],
        ["bell", "true", "profile", "w"],
        ["profile.w.bell", "true", "file"],
    ]


GET = [
    (["model"], 0, "fast\n", ""),
    (["reasoning-effort"], 0, "low\n", ""),
    (["effort"], 0, "low\n", ""),
    (["aliases.fast"], 0, "gpt-5.4-mini\n", ""),
    (["aliases"], 0, '{"fast": "gpt-5.4-mini"}\n', ""),
    (["key_command"], 0, '["pass", "show", "comet"]\n', ""),
    (["header"], 0, '["X-A: ***", "Authorization: ***"]\n', ""),
    (["keys"], 0, '{"https://h/v1": "***"}\n', ""),
    (["base_url"], 0, "https://api.cometapi.com/v1\n", ""),
    (["base_url", "--profile", "work"], 0, "https://h/v1?code=***\n", ""),
    (["profile.work.record"], 0, "ids\n", ""),
    (["mcp.files.env"], 0, '{"TOKEN": "***", "SEEN": "env:SEEN"}\n', ""),
    (["temperature"], 2, "", "temperature is not set\nhint: cometresp config show lists what is"),
    (["aliases.slow"], 2, "", "aliases.slow is not set\nhint: cometresp config show lists what is"),
    (["modle"], 2, "", "NAME: unknown setting 'modle'\nhint: did you mean model?"),
    (["alias.fast"], 2, "", "NAME: unknown setting 'alias'\nhint: did you mean aliases?"),
    (["model", "--profile", "wrok"], 2, "", "--profile: {path} has no profile 'wrok'\nhint: did you mean work?"),
    (["a b"], 2, "", "NAME: 'a b' can't be the name of a setting\nhint: names are separated by dots; one with other"
     " signs needs quotes, as in 'aliases.\"my model\"'"),
]  # fmt: skip


def test_get_prints_a_string_as_it_is_and_anything_else_as_json(forker: Forker, run: Command) -> None:
    path = written(run, FILE)
    for words, code, out, err in GET:
        result = forker.run(run, ["config", "get", *words])
        shown = f"cometresp: error: {err.format(path=path)}\n" if err else ""
        assert tuple(result) == (code, out, shown), words


SET: list[tuple[Sequence[str], str]] = [
    (["reasoning_effort", "low"], 'reasoning_effort = "low"'),
    (["top-p", "1"], "top_p = 1"),
    (["timeout", "1.5"], "timeout = 1.5"),
    (["bell", "true"], "bell = true"),
    (["chain", "7"], 'chain = "7"'),
    (["model", '"true"'], 'model = "true"'),
    (["instructions", "Be brief.\n"], 'instructions = "Be brief.\\n"'),
    (["include", '["a", "b"]'], 'include = ["a", "b"]'),
    (["mcp_server", "npx a"], 'mcp_server = ["npx a"]'),
    (["tool", "web_search"], 'tool = ["web_search"]'),
    (["key_command", '["pass", "x"]'], 'key_command = ["pass", "x"]'),
    (["record", "ids"], 'record = "ids"'),
    (["aliases.fast", "5"], '[aliases]\nfast = "5"'),
    (['aliases."a.b"', "c"], '"a.b" = "c"'),
    (["--profile", "work", "base_url", "https://h"], '[profile.work]\nbase_url = "https://h"'),
    (["profile.work.retries", "0"], "retries = 0"),
    (["mcp.files.command", "npx"], '[mcp.files]\ncommand = "npx"'),
    (["default_profile", "work"], 'default_profile = "work"'),
]


def test_set_writes_what_the_setting_takes_and_keeps_the_rest(forker: Forker, run: Command) -> None:
    path = written(run, "# mine\n\n# last\n")
    path.chmod(0o640)
    for words, line in SET:
        assert tuple(forker.run(run, ["config", "set", *words])) == (0, "", ""), words
        assert line in path.read_text(), words
    assert path.read_text().startswith("# mine\n\n# last\nreasoning_effort")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert forker.run(run, ["config", "show", "--json"]).code == 0


NOT_SET = [
    (["modle", "x"], "NAME: unknown setting 'modle'\nhint: did you mean model?"),
    (["profile", "x"], "NAME: profile is a table\nhint: profile.NAME is a value in it"),
    (["profile.w", "x"], "NAME: profile.w is a table\nhint: profile.w.NAME is a value in it"),
    (["model.x", "x"], "NAME: model is no table"),
    (["aliases.gpt.5", "x"], "NAME: aliases.gpt.5: a name with dots needs quotes\nhint: as in 'aliases.\"gpt.5\"'"),
    (["temperature", "hot"], "VALUE: temperature must be a number"),
    (["max_turns", "1.5"], "VALUE: max_turns must be a whole number"),
    (["bell", "yes"], "VALUE: bell must be true or false"),
    (["include", "[1]"], "VALUE: include must be a list of strings"),
    (["approve", "sometimes"], "VALUE: approve must be ask, always or refuse"),
    (["record", "some"], "VALUE: record must be full, ids or none, not 'some'"),
    (["key_command", "pass x"], "VALUE: key_command must be a list"),
    (["key_command", "[]"], 'VALUE: key_command must be a list of strings, as in ["pass", "show", "comet"]'),
    (["base_url", "h"], "VALUE: 'h' is not a web address; it must start with https:// or http://"
     "\nhint: as in https://api.cometapi.com/v1"),
    (["max_cost", "-1"], "no such flag: -1\nhint: a value that begins with - stands behind --"),
    (["max_cost", "--", "-1"], "VALUE: max_cost: must be more than 0 and at most 1000000 USD, not -1"),
    (["timeout", "nan"], "VALUE: timeout: must be more than 0 and at most 10000000 seconds, not nan"),
    (["retries", "--", "-1"], "VALUE: retries: must be at least 0, not -1"),
    (["temperature", "inf"], "VALUE: temperature: must be between 0 and 2, not inf"),
    (["max_output_tokens", "3"], "VALUE: max_output_tokens: must be at least 16, not 3"),
    (["max_turns", "0"], "VALUE: max_turns: must be at least 1, not 0"),
    (["max_reply_size", "lots"], "VALUE: max_reply_size: 'lots' must be a number of bytes, such as 500000, 10M or 1G"),
    (["price", "abc"], "VALUE: price: 'abc' must be IN,OUT or IN,OUT,CACHED: USD for a million tokens, such as 2.5,10"),
    (["header", "X"], "VALUE: header: '…' must be 'NAME: VALUE'"),
    (["fallback_model", "a,,b"], "VALUE: fallback_model: must be MODEL or MODEL,MODEL: a name is empty"),
    (["mcp.z.comand", '["b"]'], "VALUE: mcp.z: unknown key 'comand'\nhint: did you mean command?"),
    (["mcp.z.timeout", "5"], "VALUE: mcp.z: must have either command or url"),
    (["mcp.z.command", "x --token 'sk-1"], "VALUE: mcp.z: command is no command: no closing quotation"),
    (["aliases.a", "a"], "VALUE: aliases in a circle: a -> a"),
    (["default_profile", "x"], "VALUE: default_profile: {path} has no profile 'x'"),
    (["profile.w.keys.x", "y"], "NAME: keys stands at the top of the file only"),
    (["key", "sk-1"], "NAME: a key is no argument, since the list of processes would show it: key"
     "\nhint: cometresp config set-key asks for it"),
    (["--profile", "", "model", "m"], "--profile: must not be empty"),
    (["keys.x", "sk-1"], "NAME: a key is no argument, since the list of processes would show it: keys"
     "\nhint: cometresp config set-key asks for it"),
    (["profile.a b.key", "sk-1"], "NAME: 'profile.a b.key' can't be the name of a setting\nhint: names are separated by"
     " dots; one with other signs needs quotes, as in 'aliases.\"my model\"'"),
    (["--profile", "a b", "key", "sk-1"], "NAME: a key is no argument, since the list of processes would show it:"
     " profile.\"a b\"\nhint: cometresp config set-key --profile 'a b' asks for it"),
]  # fmt: skip


def test_set_refuses_what_the_setting_does_not_take(forker: Forker, run: Command) -> None:
    path = written(run, 'model = "m"\n')
    for words, message in NOT_SET:
        result = forker.run(run, ["config", "set", *words])
        assert tuple(result) == (2, "", f"cometresp: error: {message.format(path=path)}\n"), words
    assert path.read_text() == 'model = "m"\n'


def test_a_fault_that_is_there_hides_no_new_one(forker: Forker, run: Command) -> None:
    faulty = """[aliases]
a = "a"
[keys]
"h" = "k"
[mcp.s]
comand = "x"
url = "https://h"
[profile.p]
keys = {}
mcp = { t = 1 }
"""
    path = written(run, faulty)
    for words, message in [
        (["aliases.b", "b"], "aliases in a circle: b -> b"),
        (["mcp.s.urls", "x"], "mcp.s: unknown key 'urls'\nhint: did you mean url?"),
        (["mcp.s.timeout", "0"], "mcp.s: timeout must be more than 0 and at most 86400 seconds"),
        (["profile.p.bell", "3"], "profile p: bell must be true or false"),
    ]:
        result = forker.run(run, ["config", "set", *words])
        assert tuple(result) == (2, "", f"cometresp: error: VALUE: {message}\n"), words
    assert path.read_text() == faulty
    shown = forker.run(run, ["config", "show"])
    assert [line for line in shown.err.splitlines() if not line.startswith("hint:")] == [
        f"cometresp: error: {path}: aliases in a circle: a -> a",
        f"cometresp: error: {path}: 'h' is not a web address; it must start with https:// or http://",
        f"cometresp: error: {path}: mcp.s: unknown key 'comand'",
        f"cometresp: error: {path}, profile p: keys stands at the top of the file only",
        f"cometresp: error: {path}, profile p: mcp.t must be a table, as in [mcp.t]",
    ]


FAULTY = """\
modle = "x"
temperature = "hot"
model = "m"
aliases = 3
base_url = "ftp://x"
[profile.a]
record = "some"
[keys]
"h" = "k"
"""


def test_a_file_with_faults_can_be_shown_and_mended(forker: Forker, run: Command) -> None:
    path = written(run, FAULTY)
    result = forker.run(run, ["config", "show"])
    assert (result.code, ("model", "m", str(path)) in table(result.text)) == (78, True)
    assert [line for line in result.err.splitlines() if not line.startswith("hint:")] == [
        f"cometresp: error: {path}: unknown setting 'modle'",
        f"cometresp: error: {path}: temperature must be a number",
        f"cometresp: error: {path}: aliases must be a table, as in [aliases]",
        f"cometresp: error: {path}: 'ftp://x' is not a web address; it must start with https:// or http://",
        f"cometresp: error: {path}: 'h' is not a web address; it must start with https:// or http://",
        f"cometresp: error: {path}, profile a: record must be full, ids or none, not 'some'",
    ]
    for name in ("modle", "temperature", "aliases", "base_url", "profile.a.record", "keys"):
        assert tuple(forker.run(run, ["config", "unset", name])) == (0, "", ""), name
    assert path.read_text() == 'model = "m"\n[profile.a]\n'
    gone = forker.run(run, ["config", "unset", "temperature"])
    assert tuple(gone) == (2, "", f"cometresp: error: temperature is not set in {path}\n")


def test_a_stored_key_that_is_named_otherwise_is_not_removed_but_told(forker: Forker, run: Command) -> None:
    path = written(run, '[keys]\n"http://127.0.0.1/v1" = "sk-a1b2c3d4e5"\n')
    error = f"cometresp: error: key is not set in {path}\n"
    hint = "hint: cometresp config unset 'keys.\"http://127.0.0.1/v1\"' removes the key of that server\n"
    assert tuple(forker.run(run, ["config", "unset", "key"])) == (2, "", error + hint)
    assert tuple(forker.run(run, ["config", "unset", 'keys."http://127.0.0.1/v1"'])) == (0, "", "")


MENDS = "hint: cometresp config edit opens it in an editor"


def test_a_damaged_file_is_told_by_every_command_and_stays_as_it_is(forker: Forker, run: Command) -> None:
    path = written(run, "a = \n")
    message = f"cometresp: error: {path}: not valid TOML: Invalid value (at line 1, column 5)\n{MENDS}\n"
    for words in (["show"], ["get", "model"], ["set", "model", "m"], ["unset", "model"], ["set-key"]):
        result = forker.run(run, ["config", *words], stdin=b"sk-1\n")
        assert (result.code, result.err) == (78, message), words
    result = forker.run(run, ["ask", "--offline", "--profile", "work", "hi"])
    assert (result.code, result.err) == (78, message)
    assert path.read_text() == "a = \n"


# keys ---------------------------------------------------------------------------------------------------------------

URL = "https://api.cometapi.com/v1"
STORED: list[tuple[list[str], bytes, dict[str, str], Any]] = [
    ([], b"sk-1\n", {}, {"keys": {URL: "sk-1"}}),
    ([], b"\xef\xbb\xbf  sk-2 \r\nmore\n", {}, {"keys": {URL: "sk-2"}}),
    ([], b"sk-3", {"COMETAPI_BASE_URL": "https://h/?a=b"}, {"keys": {URL: "sk-2", "https://h/v1": "sk-3"}}),
    (["--base-url", "https://h/v1/responses"], b"sk-4", {}, {"keys": {URL: "sk-2", "https://h/v1": "sk-4"}}),
]


def test_a_key_from_standard_input_is_stored_for_its_base_url(forker: Forker, run: Command) -> None:
    import tomllib

    path = written(run, "# mine\n")
    path.chmod(0o644)
    for words, stdin, env, expected in STORED:
        result = forker.run(run, ["config", "set-key", *words], stdin=stdin, env=env)
        assert tuple(result) == (0, "", ""), words
        assert tomllib.loads(path.read_text()) == expected
    assert (stat.S_IMODE(path.stat().st_mode), path.read_text()[:7]) == (0o600, "# mine\n")
    path.write_text('[keys]\n"https://api.cometapi.com/" = "old"\n[profile.work]\nbase_url = "https://w"\n')
    assert forker.run(run, ["config", "set-key"], stdin=b"new").code == 0
    assert forker.run(run, ["config", "--profile", "work", "set-key"], stdin=b"worker").code == 0
    assert forker.run(run, ["config", "set-key", "--profile", "a b"], stdin=b"other").code == 0
    assert tomllib.loads(path.read_text()) == {
        "keys": {"https://api.cometapi.com/": "new"},
        "profile": {"work": {"base_url": "https://w", "key": "worker"}, "a b": {"key": "other"}},
    }


@pytest.mark.parametrize(
    ("words", "stdin", "message"),
    [
        ([], b"", "no key: standard input is empty"),
        ([], b"\nsk-1\n", "no key: standard input is empty"),
        ([], b"sk 1", "the key contains a character that headers don't allow: nothing was stored"),
        ([], b"sk-\x1b[200~1", "the key contains a character that headers don't allow: nothing was stored"),
        ([], "sk-ü".encode(), "the key contains a character that headers don't allow: nothing was stored"),
        ([], b"\xff\xfe", "the key contains a character that headers don't allow: nothing was stored"),
        ([], b"k" * 10_001, "a key has at most 10000 characters"),
        (["sk-typed"], b"", "a key is no argument, since the list of processes would show it"
         "\nhint: without it, cometresp config set-key asks for the key"),
        (["--profile", "new"], b"", "no key: standard input is empty"),
        (["--base-url", "h"], b"sk-1", "--base-url: 'h' is not a web address; it must start with https:// or http://"
         "\nhint: as in https://api.cometapi.com/v1"),
        (["--base-url", "https://h", "--profile", "work"], b"sk-1",
         "--profile and --base-url exclude each other: a key is stored for one of them"),
    ],
    ids=range(11),
)  # fmt: skip
def test_what_is_no_key_is_not_stored_and_never_shown(
    forker: Forker, run: Command, words: list[str], stdin: bytes, message: str
) -> None:
    path = written(run, "[profile.work]\n")
    result = forker.run(run, ["config", "set-key", *words], stdin=stdin)
    assert tuple(result) == (2, "", f"cometresp: error: {message.format(path=path)}\n")
    assert path.read_text() == "[profile.work]\n"


def test_a_key_that_is_typed_is_not_echoed(run: Command) -> None:
    path = run.home / ".config/cometresp/config.toml"
    asked = f"key for {URL} (not shown): "
    with job(["config", "set-key"], run.environ, run.home) as typed:
        typed.shows(asked)
        typed.type("sk-tpyed\x7f\x7f\x7f\x7fyped\n")  # with a mistake that is taken back
        assert typed.ended() == 0
        assert typed.screen == f"{asked}\nthe key for {URL} is stored in {path}\n"
    assert path.read_text() == f'[keys]\n"{URL}" = "sk-typed"\n'


def test_asking_for_a_key_can_be_stopped_continued_and_ended(run: Command) -> None:
    asked = f"key for {URL} (not shown): "
    with job(["config", "set-key"], run.environ, run.home) as typed:
        after = typed.shows(asked)
        typed.type("sk-1\x1a")
        assert "stopped" in typed.stopped_or_ended()
        assert until(lambda: typed.echoes)
        typed.proceed()
        typed.shows(asked, after=after)
        assert until(lambda: not typed.echoes)
        typed.type("\x03")
        assert typed.ended() == 130
        assert typed.echoes
        assert "sk-1" not in typed.screen
        assert typed.screen.endswith("\ncometresp: error: interrupted\n")
    with job(["config", "set-key"], run.environ, run.home) as ended:
        ended.shows(asked)
        ended.type("\x04")
        assert ended.ended() == 2
        assert ended.screen == f"{asked}\ncometresp: error: no key: what was typed is empty\n"
    assert list(run.home.iterdir()) == []


# the editor ---------------------------------------------------------------------------------------------------------


def editing(command: Command, script: str) -> None:
    """An editor that does this with the file's `text`."""
    path = command.home / "editor.py"
    path.write_text(
        "import sys\nfrom pathlib import Path\n"
        f"file = Path(sys.argv[1])\ntext = file.read_text()\n{script}\nfile.write_text(text)\n"
    )
    command.environ["EDITOR"] = f"{sys.executable} {path}"


def test_edit_opens_the_file_and_checks_what_is_saved(forker: Forker, run: Command) -> None:
    path = run.home / ".config/cometresp/config.toml"
    editing(run, "pass")
    assert tuple(forker.run(run, ["config", "edit"])) == (0, "", "")
    assert not path.exists()  # the comments of a new file alone are none
    editing(run, "assert text.startswith('# Settings of cometresp')\ntext = 'bell = true\\n'")
    assert tuple(forker.run(run, ["config", "edit"])) == (0, "", "")
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("bell = true\n", 0o600)
    editing(run, "text += 'modle = 1\\nplain = 2\\n'")
    result = forker.run(run, ["config", "edit"])
    assert tuple(result) == (
        78,
        "",
        f"cometresp: error: {path}: unknown setting 'modle'\nhint: did you mean model?\n"
        f"cometresp: error: {path}: plain must be true or false\n",
    )
    assert path.read_text() == "bell = true\nmodle = 1\nplain = 2\n"
    editing(run, "text = 'a ='")
    assert forker.run(run, ["config", "edit"]).code == 78
    assert path.read_text() == "a ="
    run.environ["EDITOR"] = "false"
    assert tuple(forker.run(run, ["config", "edit"])) == (2, "", "cometresp: error: config edit: false ended with 1\n")


def test_a_file_with_a_fault_can_be_edited_again_at_once(run: Command) -> None:
    path = written(run, "bell = 1\n")
    editing(run, "text = 'bell = true\\n' if (file.parent / 'once').exists() else text\n(file.parent / 'once').touch()")
    with job(["config", "edit"], run.environ, run.home) as edited:
        edited.shows(f"{path}: bell must be true or false\nedit it again? [Y/n] ")
        edited.type("\n")
        assert edited.ended() == 0
    assert path.read_text() == "bell = true\n"
