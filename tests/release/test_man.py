"""The man pages: one for each command, up to date, and accepted by the programs that show them."""

import os
import shutil
import subprocess

import pytest

from cometresp.cli import COMMANDS
from release.man import FOLDER, pages

PAGES = sorted(FOLDER.glob("*.1"))

SET_KEY = r"""
.nh
.ad l
.SH NAME
cometresp\-config\-set\-key \- Store a key in the config file: it is asked
for, or read from standard input
.SH SYNOPSIS
\fBcometresp\fR \fBconfig\fR \fBset\-key\fR [\fIFLAGS\fR]
.SH DESCRIPTION
Store a key in the config file: it is asked for, or read from standard
input.
.SH OPTIONS
.TP
\fB\-\-profile\fR \fINAME\fR
Use [profile.NAME] of the config file.
.TP
\fB\-\-base\-url\fR \fIURL\fR
Base URL of the server that gets the key.
.TP
\fB\-h\fR, \fB\-\-help\fR
Print this help.
.SH EXAMPLES
.nf
cometresp config set\-key
pass show comet | cometresp config set\-key \-\-profile work
.fi
.SH EXIT STATUS
The exit codes of all commands are listed in \fBcometresp\fR(1), and so are
the variables.
.SH SEE ALSO
.BR cometresp (1),
.BR cometresp\-config (1),
.BR cometresp\-config\-show (1),
.BR cometresp\-config\-path (1),
.BR cometresp\-config\-get (1),
.BR cometresp\-config\-set (1),
.BR cometresp\-config\-unset (1),
.BR cometresp\-config\-edit (1)
"""


def test_the_pages_in_the_repository_are_those_of_the_commands_as_they_are() -> None:
    stored = {path.name: path.read_text(encoding="ascii") for path in PAGES}
    assert stored == pages(), "python -m release.man writes them"


def test_each_command_has_a_page_and_so_has_each_command_of_a_group() -> None:
    names = {path.stem for path in PAGES}
    assert {"cometresp", "cometresp-chains-show", *(f"cometresp-{name}" for name in COMMANDS)} - names == set()


def test_a_page_has_the_flags_and_the_examples_of_its_command_and_names_the_pages_near_it() -> None:
    title, _, rest = (FOLDER / "cometresp-config-set-key.1").read_text(encoding="ascii").partition("\n")
    assert (title.split(" ")[1], "\n" + rest) == (r"COMETRESP\-CONFIG\-SET\-KEY", SET_KEY)


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not installed")
def test_mandoc_finds_nothing_to_say_about_the_pages() -> None:
    assert output("mandoc", "-Tlint", *PAGES) == (0, "", "")


@pytest.mark.skipif(shutil.which("groff") is None or shutil.which("man") is None, reason="man is not installed")
def test_man_shows_the_pages_without_a_warning() -> None:
    code, shown, warnings = output("man", "--warnings", "-E", "UTF-8", "-l", *PAGES)
    assert (code, shown.split("\n").count("NAME"), warnings) == (0, len(PAGES), "")


def output(*words: object) -> tuple[int, str, str]:
    """The exit code of a program, and what it writes to stdout and stderr."""
    environ = {**os.environ, "LANG": "C.UTF-8", "MANWIDTH": "80", "MAN_KEEP_FORMATTING": ""}
    command = [str(word) for word in words]
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, env=environ, check=False, timeout=240)
    return done.returncode, done.stdout.decode(), done.stderr.decode()
