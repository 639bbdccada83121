"""TAB in bash, zsh and fish, each on a terminal of its own: what the shell then has on its line."""

import fcntl
import os
import pty
import shutil
import signal
import struct
import sys
import termios
import threading
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.conftest import Command, Forker
from tests.waiting import LONGEST, until

SCRIPTS = Path(__file__).parents[2] / "completions"
CHAINS = ["my chain", 'q"uote', "it's", "dollar$x", "back\\slash", "ex!claim", "co:lon", "[brackets]"]

# What is read when a shell starts: `show` records the words that it is called with.
STARTS = {
    "bash": """PS1='READY '; bind 'set enable-bracketed-paste off'
show() { printf '%s\\n' "$@" END >> "$HOME/shown"; echo SHOWN; }
source "$SCRIPTS/cometresp.bash"
""",
    "zsh": """PS1='READY '; unset zle_bracketed_paste; autoload -Uz compinit; compinit -D -u
show() { printf '%s\\n' "$@" END >> "$HOME/shown"; echo SHOWN; }
source "$SCRIPTS/_cometresp"
""",
    "fish": """function fish_prompt; echo -n 'READY '; end; function fish_title; end
function show; printf '%s\\n' $argv END >> "$HOME/shown"; echo SHOWN; end
source "$SCRIPTS/cometresp.fish"
""",
}

# The same, where the shell looks for the script itself, in the folder that the package installs it to.
SHARE = Path(sys.prefix, "share")
LOADER = Path("/usr/share/bash-completion/bash_completion")
FINDS = {
    "bash": STARTS["bash"].replace("$SCRIPTS/cometresp.bash", str(LOADER)),
    "zsh": f'fpath=("{SHARE}/zsh/site-functions" $fpath); ' + STARTS["zsh"].replace('source "$SCRIPTS/_cometresp"', ""),
    "fish": STARTS["fish"].replace('source "$SCRIPTS/cometresp.fish"', ""),
}
FILES = {"bash": "start.sh", "zsh": ".zshrc", "fish": "start.fish"}
PROGRAMS = {
    "bash": ["bash", "--noprofile", "--rcfile", FILES["bash"], "-i"],
    "zsh": ["zsh", "-d", "-i"],
    "fish": ["fish", "--private", "--no-config", "--init-command", f"source {FILES['fish']}", "-i"],
}

# What is typed before TAB, and the words behind `ask` (or the whole line) that it becomes in every shell.
TYPED = {
    "cometresp str": ["cometresp", "stream"],
    "cometresp ask --effort hi": ["cometresp", "ask", "--effort", "high"],
    "cometresp ask --effort=hi": ["cometresp", "ask", "--effort=high"],
    "VAR=1 cometresp ask --trunc": ["VAR=1", "cometresp", "ask", "--truncation"],
    "cometresp ask --offline -m em": ["cometresp", "ask", "--offline", "-m", "emulator"],
    "cometresp get --offline @ba": ["cometresp", "get", "--offline", "@back\\slash"],
    "cometresp get --offline las": ["cometresp", "get", "--offline", "last"],
    "cometresp ask -s @not": ["cometresp", "ask", "-s", "@notes.txt"],
    'cometresp ask -s "@my': ["cometresp", "ask", "-s", "@my file.txt"],
    "cometresp ask -P a=@my": ["cometresp", "ask", "-P", "a=@my file.txt"],
    "cometresp ask -f no": ["cometresp", "ask", "-f", "notes.txt"],
    "cometresp ask --file=no": ["cometresp", "ask", "--file=notes.txt"],
    **{
        f"cometresp chains show --offline {quote}{start}": ["cometresp", "chains", "show", "--offline", name]
        for name, start, quotes in (
            ("my chain", "my", ["", "'", '"']),
            ("my chain", "my\\ c", [""]),
            ("my chain", "my c", ['"', "'"]),
            ('q"uote', "q", ["", '"']),
            ("it's", "it", ["", "'"]),
            ("dollar$x", "doll", ["", '"']),
            ("back\\slash", "ba", ["", "'", '"']),
            ("ex!claim", "ex", ["", '"']),
            ("co:lon", "co:l", ["", '"']),
            ("[brackets]", "\\[br", [""]),
        )
        for quote in quotes
    },
}


@pytest.fixture
def home(run: Command, forker: Forker) -> Path:
    """A home with the program, files, and recorded chains whose prompts look like markup."""
    folder = run.home / "bin"
    folder.mkdir()
    program = folder / "cometresp"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cometresp "$@"\n')
    program.chmod(0o755)
    for name in ("notes.txt", "my file.txt"):
        (run.home / name).write_text("x")
    run.environ |= {"COMETRESP_STATE_DIR": str(run.home / "state")}
    for name in CHAINS:
        assert forker.run(run, ["ask", "--offline", "--chain", name, "path [/etc/hosts] of dict[key]"]).code == 0
    return run.home


class Shell:
    """A shell on a terminal, and all that it has written there."""

    def __init__(self, name: str, run: Command, start: str, leaving_out: str = "") -> None:
        (run.home / FILES[name]).write_text(start)
        self._process, self._ours = pty.fork()
        if not self._process:
            os.chdir(run.home)
            path = f"{run.home / 'bin'}:{run.environ['PATH']}"
            own = {"PATH": path, "ZDOTDIR": str(run.home), "SCRIPTS": str(SCRIPTS), "TERM": "xterm"}
            own |= {"XDG_DATA_DIRS": f"{SHARE}:/usr/share"}
            os.execvpe(name, [word for word in PROGRAMS[name] if word != leaving_out], run.environ | own)
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 200, 0, 0))
        self._data = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with suppress(OSError):  # how Linux says that it was closed
            while data := os.read(self._ours, 65_536):
                self._data += data

    def type(self, keys: str) -> None:
        """Type at a prompt, and wait until `show` has run."""
        until(lambda: self._data.rfind(b"READY") > self._data.rfind(b"SHOWN"))
        before = self._data.count(b"SHOWN")
        os.write(self._ours, keys.encode())
        until(lambda: self._data.count(b"SHOWN") > before)

    def close(self) -> None:
        os.kill(self._process, signal.SIGKILL)
        until(lambda: os.waitpid(self._process, os.WNOHANG)[0])
        self._reader.join(LONGEST)
        os.close(self._ours)


@pytest.mark.slow
@pytest.mark.parametrize("name", STARTS)
def test_tab_completes_to_the_word_that_is_meant_whatever_is_in_it(run: Command, home: Path, name: str) -> None:
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    with closing(Shell(name, run, STARTS[name])) as shell:
        for typed in TYPED:
            shell.type(f"{typed}\t\x01show \x05\n")  # Ctrl-A and Ctrl-E: to the start and the end
    lines = (home / "shown").read_text().split("END\n")
    assert dict(zip(TYPED, [line.splitlines() for line in lines], strict=False)) == TYPED


@pytest.mark.parametrize("name", FINDS)
def test_a_shell_finds_the_script_where_the_package_installs_it(run: Command, home: Path, name: str) -> None:
    if shutil.which(name) is None or (name == "bash" and not LOADER.is_file()):
        pytest.skip(f"{name} is not installed, or lacks bash-completion")
    if not (SHARE / "bash-completion/completions/cometresp").is_file():
        pytest.skip("the package was installed before it brought completions")
    (home / ".local/share/fish/generated_completions").mkdir(parents=True)  # else fish makes them, of all man pages
    with closing(Shell(name, run, FINDS[name], leaving_out="--no-config")) as shell:  # with it fish looks nowhere
        shell.type("cometresp ask --effort hi\t\x01show \x05\n")
    assert (home / "shown").read_text() == "cometresp\nask\n--effort\nhigh\nEND\n"
