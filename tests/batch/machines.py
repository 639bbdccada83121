"""Machines for GNU parallel: each an `sshd` on a port of loopback, with keys, a home and settings of its own."""

import os
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import Command
from tests.scripted import Wire, serving
from tests.waiting import until

_ROOT = Path(__file__).parent.parent.parent
_SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


@dataclass
class Machine:
    """One machine: `wire` is the server that its settings name."""

    name: str
    folder: Path
    wire: Wire
    sshd: "subprocess.Popen[bytes]"
    port: int

    def kill(self) -> None:
        """End all that runs on it at once, as a loss of power does: SSH's side first, so that nobody says goodbye."""
        while pids := _below(self.sshd.pid) + _marked(self.folder):
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, 9)
            self.sshd.wait()


class Machines(NamedTuple):
    """Two of them; `environ` is what a shell needs in which `parallel` can log in there as host-a and host-b."""

    a: Machine
    b: Machine
    environ: dict[str, str]


@contextmanager
def machines(command: Command, *, key_by_ssh: bool = True) -> Iterator[Machines]:
    """Two machines that run the command; SSH passes the key on, if it is to. Skips where there can't be any."""
    environ = shell_environ(command)
    _ssh_needed()
    folder = command.home.parent / "machines"
    programs = Path(environ["PATH"].partition(":")[0])
    folder.mkdir()
    _key(folder / "user")
    with ExitStack() as stack:
        a, b = (
            stack.enter_context(_machine(folder / name, stack.enter_context(serving()), programs, key_by_ssh))
            for name in ("host-a", "host-b")
        )
        (folder / "ssh.conf").write_text(
            "".join(f"Host {one.name}\nPort {one.port}\n" for one in (a, b))
            + f"Host *\nHostName 127.0.0.1\nIdentityFile {folder}/user\nIdentitiesOnly yes\nIdentityAgent none\n"
            + ("SendEnv COMETAPI_KEY\n" if key_by_ssh else "")
            + f"BatchMode yes\nStrictHostKeyChecking no\nUserKnownHostsFile {folder}/known\nLogLevel ERROR\n"
        )
        yield Machines(a, b, environ | {"PARALLEL_SSH": f"ssh -F {folder}/ssh.conf"})


def shell_environ(command: Command) -> dict[str, str]:
    """What a shell needs that finds the command by its name. Skips where `parallel` is missing."""
    for tool in ("bash", "parallel"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    version = subprocess.run(["parallel", "--version"], env=command.environ, capture_output=True, check=False).stdout
    if not version.startswith(b"GNU parallel"):
        pytest.skip("parallel is another program of this name, not GNU's")
    programs = command.home.parent / "programs"
    programs.mkdir()
    (programs / "cometresp").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m cometresp "$@"\n')
    (programs / "cometresp").chmod(0o755)
    return command.environ | {"PATH": f"{programs}:{command.environ['PATH']}"}


def _ssh_needed() -> None:
    if sys.platform != "linux":
        pytest.skip("processes are found in /proc, which only Linux has")
    for tool in ("ssh", "ssh-keygen"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    if _SSHD is None:
        pytest.skip("sshd is not installed")
    separated = Path("/run/sshd")
    if os.geteuid() == 0 and not separated.is_dir():
        try:
            separated.mkdir(mode=0o755)
        except OSError as error:
            pytest.skip(f"sshd needs {separated}: {error.strerror}")


def _key(path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True, stdin=subprocess.DEVNULL)


@contextmanager
def _machine(folder: Path, wire: Wire, programs: Path, key_by_ssh: bool) -> Iterator[Machine]:
    for part in ("home", "tmp"):
        (folder / part).mkdir(parents=True)
    _key(folder / "key")
    settings = {
        "HOME": folder / "home",
        "TMPDIR": folder / "tmp",
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": _ROOT,
        "COMETAPI_BASE_URL": wire.url,
        "COMETRESP_STATE_DIR": folder / "state",
    }
    lines = (
        f"HostKey {folder}/key",
        f"AuthorizedKeysFile {folder.parent}/user.pub",
        "PidFile none",
        "StrictModes no",
        "UsePAM no",
        "PermitRootLogin prohibit-password",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "SetEnv " + " ".join(f'"{name}={value}"' for name, value in settings.items()),
        *(["AcceptEnv COMETAPI_KEY"] if key_by_ssh else []),
    )
    (folder / "sshd.conf").write_text("\n".join(lines) + "\n")
    sshd, port = _listening(folder)
    machine = Machine(folder.name, folder, wire, sshd, port)
    try:
        yield machine
    finally:
        machine.kill()


def _listening(folder: Path) -> "tuple[subprocess.Popen[bytes], int]":
    """An sshd and its port. A port that another program takes meanwhile is no failure."""
    for _ in range(5):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        words = ["-D", "-f", f"{folder}/sshd.conf", "-E", f"{folder}/log", "-p", str(port)]
        sshd = subprocess.Popen([str(_SSHD), *words, "-o", "ListenAddress=127.0.0.1"])
        until(partial(_listens_or_ended, sshd, folder))
        if sshd.poll() is None:
            return sshd, port
    raise AssertionError(_log(folder))


def _listens_or_ended(sshd: "subprocess.Popen[bytes]", folder: Path) -> bool:
    return "Server listening" in _log(folder) or sshd.poll() is not None


def _log(folder: Path) -> str:
    return (folder / "log").read_text() if (folder / "log").exists() else ""


# processes ----------------------------------------------------------------------------------------------------------


def command_lines() -> list[bytes]:
    """Those of all processes."""
    return [line for path in Path("/proc").glob("[0-9]*/cmdline") if (line := _read(path))]


def _below(pid: int) -> list[int]:
    """A process and its descendants, parents first; none where it has ended."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        state, parent = (_read(path).rpartition(b")")[2].split() or [b"X", b"0"])[:2]
        if state not in b"ZX":
            parents[int(path.parent.name)] = int(parent)
    found = [pid] if pid in parents else []
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def _marked(folder: Path) -> list[int]:
    """Processes that have the settings of the machine in this folder."""
    mark = f"TMPDIR={folder}/tmp".encode()
    return [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/environ") if mark in _read(path).split(b"\0")]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it has ended, or is another user's
        return b""
