"""The versions, the files and the server as it is set. Nothing is sent."""

import os
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cometresp import __version__
from cometresp.config import state_dir
from cometresp.config_file import config_path
from cometresp.doctor.facts import Fact, Section
from cometresp.errors import CometrespError, DamagedError, Next, OutputError, StoppedError
from cometresp.runtime import Runtime
from cometresp.terminal import Terminal
from cometresp.wire.payload import megabytes
from cometresp.wire.urls import shown_url

if TYPE_CHECKING:
    from cometresp.catalogue.cache import Header

_LIBRARIES = ("typer", "rich", "httpx", "httpx-sse", "platformdirs", "jsonschema", "tomlkit", "mcp")
_NETWORK = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")


def versions() -> Section:
    """The section about what the program runs on."""
    return Section(
        "versions",
        [
            Fact("cometresp", __version__),
            Fact("python", platform.python_version(), f"{platform.python_version()} ({sys.executable})"),
            Fact("platform", platform.platform()),
            *(Fact(name, version, version or "not installed") for name in _LIBRARIES for version in [_version(name)]),
        ],
    )


def _version(name: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(name)
    except PackageNotFoundError:
        return None


def files(terminal: Terminal, faults: Sequence[CometrespError], *, url: str | None, offline: bool) -> Section:
    """The section about the config file, the state file and the cache of the server at `url`, if that is known."""
    path = config_path(os.environ)[0]
    state, broken = _state(terminal, offline=offline)
    return Section("files", [_config_file(path, len(faults)), state, _cache(url)], (*faults, *broken))


def _config_file(path: Path, faults: int) -> Fact:
    exists = path.exists()
    words = f"{path} · {_count(faults, 'fault')}" if faults else str(path) if exists else f"{path} · not there yet"
    return Fact("config", {"path": str(path), "exists": exists, "faults": faults}, words)


def _state(terminal: Terminal, *, offline: bool) -> tuple[Fact, list[CometrespError]]:
    from cometresp.state.soundness import examine

    with terminal.waiting("reading the state file"):
        found = examine(state_dir(os.environ, offline=offline))
    value = {
        "path": str(found.path),
        "bytes": found.size,
        "chains": found.chains,
        "turns": found.turns,
        "fault": found.fault or None,
    }
    if found.fault:
        damaged = found.fault == "it is damaged"
        hint = (Next("ask", "…"), " sets it aside") if damaged else ""
        problem = (DamagedError if damaged else OutputError)(f"the state file {found.path}: {found.fault}", hint=hint)
        return Fact("state", value, f"{found.path} · {found.fault}"), [problem]
    if found.size is None:
        return Fact("state", value, f"{found.path} · not there yet"), []
    counts = f"{_count(found.chains, 'chain')}, {_count(found.turns, 'turn')}"
    words = f"{found.path} · {_size(found.size)} · {counts} · sound"
    return Fact("state", value, words), []


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")


def _size(size: int) -> str:
    return f"{size / 1000:.0f} kB" if size < 1_000_000 else megabytes(size)  # noqa: PLR2004


def _cache(url: str | None) -> Fact:
    from cometresp.catalogue.cache import cache_folder, read_header

    folder = cache_folder(os.environ)
    header = read_header(folder, url) if url else None
    lists = [path for path in (folder / "models").glob("*.json") if path.is_file()]
    size = sum(path.stat().st_size for path in lists)
    value = {
        "path": str(folder),
        "bytes": size,
        "servers": len(lists),
        "prices": None if header is None else len(header.prices),
        "fetched": None if header is None else header.fetched,
    }
    known = f"{_count(len(lists), 'server')}, {_size(size)}" if lists else "empty"
    return Fact("cache", value, f"{folder} · {known} · {_models_of(header)}")


def _models_of(header: "Header | None") -> str:
    if header is None:
        return "no list of this server"
    days = (time.time() - header.fetched) / 86400
    return f"{_count(len(header.prices), 'model')} of this server, {'of today' if days < 1 else f'{days:.0f} days old'}"


# the server ---------------------------------------------------------------------------------------------------------


def server(runtime: Runtime) -> Section:
    """The section about the server: where it is, with which key and model, and what it was seen to refuse."""
    config, problems = runtime.config, _connection_faults(runtime)

    def in_short(source: str) -> str:
        return source.replace(str(config.file.path), "file")

    refused = _refused(runtime)
    network = {name: shown_url(os.environ[name]) for name in _NETWORK if os.environ.get(name)}
    model = config.model
    facts = [
        Fact(
            "base_url",
            runtime.base_url,
            "the emulator" if runtime.offline else f"{runtime.base_url} ({in_short(config.base_url.source)})",
        ),
        Fact("key", *_key(runtime)),
        Fact("model", model and model.value, f"{model.value} ({in_short(model.source)})" if model else "none is set"),
        Fact("profile", config.file.profile or None),
        Fact("previous_response_id", "refused" if refused else None, refused or "not seen to be refused"),
        Fact("network", network, " ".join(f"{name}={value}" for name, value in network.items()) or "no proxy is set"),
    ]
    return Section("server", facts, tuple(problems))


def _connection_faults(runtime: Runtime) -> list[CometrespError]:
    """What would keep a request from being sent: no key, a proxy or a certificate that can't be used."""
    if runtime.offline:  # a client would start the emulator, and make its memory
        return []
    found: list[CometrespError] = []
    if runtime.lacks_key:
        found.append(runtime.no_key())
    try:
        with runtime.client(key_required=False):
            pass
    except StoppedError:
        raise
    except CometrespError as error:
        found.append(error)
    return found


def _key(runtime: Runtime) -> tuple[str | None, str]:
    """Where the key comes from; the command that prints it isn't run."""
    config = runtime.config
    if runtime.offline:
        return None, "none: the emulator needs none"
    if runtime.key_is_given:
        return "header", "given by -H, or removed"
    if config.key:
        return config.key.source, f"*** ({config.key.source})"
    if config.key_command:
        return "key_command", f"key_command ({config.key_command.source})"
    return None, "none" if runtime.lacks_key else "none: the server is on this machine"


def _refused(runtime: Runtime) -> str:
    """When the server was seen to take no previous_response_id; "" where it wasn't, or the state can't be read."""
    try:
        state = runtime.open_state(create=False, mend=False)
        seen = dict(state.servers.without_previous()) if state else {}
    except OutputError:
        return ""
    if runtime.base_url not in seen:
        return ""
    from cometresp.render.tables import ago

    return f"refused {ago(seen[runtime.base_url])}: for seven days it gets the recorded turns in its place"
