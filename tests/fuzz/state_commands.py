"""A damaged state file, read by whole commands: none fails with a bug, and `ask` always prints its answer.

An input is as of state_file, with a line `$ log --json` for the command that reads the file. Without one it depends on
the length.
"""

from tests.fuzz import forks, state_file
from tests.fuzz.command_lines import CODES
from tests.fuzz.forks import BrokenError

_FILE = ".local/state/cometresp/offline/state.db"
_ASK = "ask --offline hi"
_LINES = (
    *(_ASK, "chains", "chains --json", "chains show default", "chains head default", "chains set c resp_2"),
    *("chains rename b c", "chains rm b", "chains prune --older-than 1d", "log", "log --json", "log resp_3"),
    *("log resp_3 --json", "log --chain b", "continue more", "continue --replay more", "ask --from resp_1 more"),
    *("get last --dry-run", "items last --dry-run", "cancel last --dry-run", "delete @b --dry-run", "get @default"),
    *("continue --tool-output call_1=x", "chains compact default", "continue --dry-run more", "usage"),
    *("usage --by chain --json --since 7d", "ask --max-cost 1 --price 1,2 hi"),
)


def check(data: bytes) -> None:
    named = [line[2:].decode() for line in data.split(b"\n") if line[:2] == b"$ " and line[2:].isascii()]
    line = next((line for line in named if line in _LINES), _LINES[len(data) % len(_LINES)])
    words = line.split() if "--offline" in line else [*line.split(), "--offline"]
    with forks.folder({_FILE: state_file.changed(data)}) as (home, env):
        ran = forks.run(words, home, env)
    forks.check_ran(ran, CODES)
    if line == _ASK and (ran.code, b"hi" in ran.out) != (0, True):
        raise BrokenError("the answer isn't printed", "", ran)


TARGET = state_file.TARGET._replace(
    check=check,
    words=(*state_file.TARGET.words, *(f"\n$ {line}\n".encode() for line in _LINES)),
    is_guided=False,
)
