"""Words and environment variables of a command line that runs offline: it never fails with a bug, and stays offline.

An input is the words, with zero bytes between them. Those like `NAME=value` before the command are environment
variables. `--offline` or `--dry-run` is put behind the command, where no flag can take it for its value.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from cometresp.cli import COMMANDS
from cometresp.errors import ExitCode
from cometresp.options.fields import option_of
from cometresp.options.tables import ChainOptions, ConnectionOptions, LoopOptions, OutputOptions, RequestOptions
from tests.fuzz import forks
from tests.fuzz.forks import BrokenError
from tests.fuzz.target import Target

_VARIABLE = re.compile(rb"[A-Z][A-Z_]{2,30}=")
_OURS = (b"COMET", b"LANG", b"LC_", b"TERM", b"COLUMNS", b"NO_COLOR", b"CI", b"TZ", b"_COMETRESP")
_SHOWS = (b"--dry-run", b"--curl")
_LONGEST = 20_000  # bytes of words
# `chains` has commands of its own; the flag stands behind them.
_CHAINS = (b"show", b"head", b"set", b"rename", b"rm", b"prune", b"compact")
CODES = frozenset(int(code) for code in ExitCode) - {ExitCode.BUG, ExitCode.INTERRUPTED, ExitCode.TERMINATED}
FILES = {
    "a.txt": b"some text\n",
    "a.json": b'{"type": "object", "properties": {"a": {"type": "string"}}}',
    "items.json": b'[{"role": "user", "content": "hi"}]',
    "a.png": b"\x89PNG\r\n\x1a\n" + bytes(60),
    "nul.bin": bytes(range(256)),
    "empty": b"",
    "tools.toml": b'[[tool]]\nname = "note"\ndescription = "n"\ncommand = ["true"]\nparameters = { type = "object" }\n',
    "dir/inner.txt": b"x",
}


def check(data: bytes) -> None:
    env, words, stdin = parsed(data)
    with forks.folder({**FILES, **_state()}) as (home, own):
        ran = forks.run(words, home, {**own, **env}, stdin)
    forks.check_ran(ran, CODES)
    if ran.sent:
        raise BrokenError("something was sent elsewhere", "", ran)


def parsed(data: bytes) -> tuple[dict[str, str], list[str], bytes]:
    """Environment, words and standard input of an input."""
    parts = data[:_LONGEST].split(b"\0")
    env = {}
    while parts and _VARIABLE.match(parts[0]):
        name, _, value = parts.pop(0).partition(b"=")
        if name.startswith(_OURS):
            env[name.decode()] = _text(value)
    place = 2 if parts[:1] == [b"chains"] and parts[1:2] and parts[1] in _CHAINS else 1
    shows = bool(parts[1:]) and len(data) % 3 == 0
    parts[place:place] = [_SHOWS[len(data) % 2]] if shows and parts[0] != b"chains" else [b"--offline"]
    if parts[:1] == [b"emulator"]:
        parts += [b"--port", b"-1"]  # else it would serve for ever
    stdin = b"" if len(data) % 5 else data[:100]
    return env, [_text(part) for part in parts], stdin


def _text(word: bytes) -> str:
    return word.decode("utf-8", "surrogateescape")


@cache
def _state() -> dict[str, bytes]:
    """The state of some offline turns."""
    with forks.folder({}) as (home, env):
        for line in ("ask hi", "continue more", "ask --chain b --background later", "ask emulate:call=f"):
            verb, *rest = line.split()
            forks.run([verb, "--offline", *rest], home, env)
        return {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()}


# what to start from -------------------------------------------------------------------------------------------------


def _flags() -> Iterator[str]:
    """Every flag of the shared options, and those that only some commands have."""
    for group in (RequestOptions, ChainOptions, LoopOptions, OutputOptions, ConnectionOptions):
        for annotation in group.__annotations__.values():
            option: Any = option_of(annotation)
            yield from (name for given in (option.default, *option.param_decls) for name in str(given).split("/"))
    yield from ("--help", "--version", "-V", "--starting-after", "--older-than", "--limit", "-n", "--delay", "--memory")


_FLAGS = tuple(dict.fromkeys(flag for flag in _flags() if flag.startswith("-")))
_VALUES = (
    *("", "-", "--", "@a.txt", "@missing", "@-", "@@a", "@dir", "a.txt", "a.json", "a.png", "nul.bin", "empty", "dir"),
    *("tools.toml", "/dev/null", "/dev/full", "out.txt", "dir/out.txt", "~", "last", "@default", "@default~1", "@b"),
    *("0", "1", "-1", "0.5", "nan", "inf", "1e400", "9" * 30, "9" * 5000, "\uff11", "true", "auto", "json", "markdown"),
    *("{}", "[]", '{"a":1}', "[" * 3000, '{"type":"function","name":"f"}', '"\\ud800"', "name, age int", "null"),
    *("a=b", "a.b=c", "=", "a=", "a.b.c=@a.txt", "input=[]", "tools=[{}]", "call_1=x", "metadata.a=1", "stream=1"),
    *("A: b", "Authorization: x", "A;", "A:", ": x", "A\n: b", "http://127.0.0.1:9/v1", "https://h", "http://[", "//"),
    *("mcp:a=https://h", "web_search", "file_search:v", "code_interpreter", "shell", "image_generation:size=1", "12h"),
    *("503@1", "refusal", "cut=10", "failed", "html", "429=0", "drop", "empty@2", "twin", "nan", "broken_json"),
    *("emulate:call=f", "emulate:failed", "emulate:json", "\x1b[2J", "\u202e", "\udcff", "\ud83d\ude00", "x" * 300),
    *("resp_x", "conv_1", "new", "tty", ".", "default", "b", "bash", "fish", "ask", "always", "refuse"),
)
_ENVIRONMENT = (
    *("COMETAPI_KEY=k", "COMETAPI_DEFAULT_MODEL=m", "COMETRESP_CHAIN=tty", "COMETRESP_RECORD=none", "LANG=C"),
    *("COMETRESP_NO_STDIN=1", "COMETRESP_PLAIN=1", "COMETRESP_STATE_DIR=a.txt", "COMETRESP_CONFIG=dir", "COLUMNS=x"),
    *("COMETRESP_RECORD=ids", "COMETRESP_CHAIN=\udcff", "_COMETRESP_COMPLETE=complete_fish", "CI=1", "NO_COLOR=1"),
)
_LINES = (
    *("ask|hi", "ask|--json|hi", "ask|-s|@a.txt|-f|a.png|-f|a.txt|hi", "ask|--schema|name, age int|--offline|hi"),
    *("ask|--input|@items.json|--tool|web_search|--tool-choice|auto|hi", "stream|--events|hi", "stream|-x|hi"),
    *("continue|more", "continue|--replay|more", "ask|--from|last|-o|out.txt|hi", "ask|--background|hi"),
    *('ask|-P|a.b=1|--body|{"x":1}|--metadata|a=b|hi', "ask|--functions|tools.toml|--approve|always|hi"),
    *("get|last", "get|last|--wait", "get|last|--stream|--starting-after|1", "get|@default|--json", "cancel|last"),
    *("delete|last", "items|last|--json", "items|@default|--limit|2", "log", "log|last|--json", "log|-n|2|--chain|b"),
    *("usage", "usage|--by|model|--since|7d|--json", "ask|--max-cost|0.001|--price|2,8|hi"),
    *("chains", "chains|--json", "chains|show|default", "chains|head|b", "chains|set|c|resp_x", "chains|rename|b|c"),
    *(
        "chains|rm|b",
        "chains|prune|--older-than|1d",
        "chains|compact|default",
        "schema|name, age int",
        "schema|a.json",
    ),
    *("completion|bash", "emulator|--delay|1", "--version", "--help", "ask|--help", "ask|--count-tokens|hi", "ask"),
    *("COMETAPI_KEY=k|ask|--curl|-H|A: b|hi", "ask|--fault|503@1|--debug|--retries|1|hi", "chains|wat", "wat|hi"),
    *("ask|--conversation|new|hi", "continue|--tool-output|call_1=x|more", "ask|--schema-multi|a.json|--verbose|hi"),
    *("ask|--save-images|dir|--tool|image_generation|emulate:image", "ask|--id-file|out.txt|-u|hi", "get|resp_x"),
    *("ask|--error-format|json|--temperature|9|hi", "ask|--file|https://h/a.png|--file-as|image|hi", "ask|-"),
)

TARGET = Target(
    check=check,
    seeds=tuple(line.encode().replace(b"|", b"\0") for line in _LINES),
    words=tuple(
        word.encode("utf-8", "surrogatepass" if "\ud83d" in word else "surrogateescape")
        for word in (*_FLAGS, *_VALUES, *_ENVIRONMENT, *COMMANDS, *(f"{flag}=" for flag in _FLAGS[::5]))
    ),
    separator=b"\0",
    is_guided=False,
)
