"""What a command can touch, made when it is first asked for: the terminal, the settings, the server, the state."""

import gc
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cometresp.config import Config, is_loopback, load
from cometresp.errors import DamagedError, KeyProblemError, OutputError, UsageError
from cometresp.options.tables import ConnectionOptions, OutputOptions
from cometresp.terminal import Terminal
from cometresp.text import escape_line
from cometresp.wire.headers import with_headers

if TYPE_CHECKING:
    from cometresp.client.client import Client
    from cometresp.state.state import State

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

_FRAMING = ("content-length", "transfer-encoding", "connection", "host", "upgrade", "te", "trailer")

_LONGEST = 10_000_000  # seconds; what sockets and timers can take is not much more

_EMULATOR_URL = "http://127.0.0.1:0/v1"  # stands for the emulator in records and in --dry-run


class Runtime:
    def __init__(self, connection: ConnectionOptions, output: OutputOptions | None = None) -> None:
        self.connection = connection
        self.output = output or OutputOptions()
        for name in ("timeout", "max_time"):
            value = getattr(connection, name)
            if value is not None and not 0 < value <= _LONGEST:
                flag = f"--{name.replace('_', '-')}"
                raise UsageError(f"{flag}: must be more than 0 and at most {_LONGEST:.0f} seconds, not {value:g}")
        for flag, path in (
            ("--ca-file", connection.ca_file),
            ("--output", self.output.output),
            ("--id-file", self.output.id_file),
            ("--save-images", self.output.save_images),
        ):
            if path == "":
                raise UsageError(f"{flag}: must not be empty")
        if connection.fault and not connection.offline:
            raise UsageError("--fault: needs --offline", hint="only the built-in emulator misbehaves on purpose")
        self.given_headers = _headers(connection.header or [])
        if connection.retries is not None and connection.retries < 0:
            raise UsageError(f"--retries: must be at least 0, not {connection.retries}")

    @cached_property
    def terminal(self) -> Terminal:
        terminal = Terminal.of_process()
        terminal.quiet, terminal.verbose = self.output.quiet, self.output.verbose
        return terminal

    @cached_property
    def config(self) -> Config:
        return load(os.environ, base_url=self.connection.base_url, offline=self.connection.offline)

    @property
    def plain(self) -> bool:
        return self.output.plain or self.config.plain

    # the server ----------------------------------------------------------------------------------------------------

    @property
    def base_url(self) -> str:
        """The base URL as records name it; the emulator's port changes with every command."""
        return _EMULATOR_URL if self.connection.offline else self.config.base_url.value

    @cached_property
    def headers(self) -> dict[str, str]:
        """Authorization and the headers of `-H`; those win."""
        key = {"Authorization": f"Bearer {self.config.key.value}"} if self.config.key else {}
        return with_headers(key, self.given_headers)

    def check_sendable(self) -> None:
        """That a request may leave: a key is there, and isn't sent in the open (design section 3)."""
        if self.connection.offline:
            return
        carries_secret = any(name.lower() == "authorization" for name in self.headers)
        if not carries_secret:
            raise KeyProblemError(
                f"no key for {self.base_url}: COMETAPI_KEY is not set",
                hint="export COMETAPI_KEY=… or try without one: cometresp ask --offline …",
            )
        insecure = self.connection.insecure_http or self.config.insecure_http
        if self.base_url.startswith("http:") and not is_loopback(self.base_url) and not insecure:
            raise UsageError(
                f"{self.config.base_url.source}: the key would go over plain http to {self.base_url}",
                hint="use https, or --insecure-http where the network is trusted",
            )

    @contextmanager
    def client(self) -> Iterator["Client"]:
        """The server of this command; with --offline the emulator, started for as long as it is needed."""
        self.check_sendable()
        if not self.connection.offline:
            with self._client(self.base_url) as client:
                _end_start()
                yield client
            return
        from cometresp.emulator.server import Emulator

        try:
            emulator = Emulator(memory=self.config.state_dir / "emulator.db", faults=self.connection.fault or ())
        except ValueError as error:
            raise UsageError(f"--fault: {error}", hint="docs/emulator.md says what each kind does") from error
        except OSError as error:
            raise OutputError(f"the emulator's memory in {self.config.state_dir} can't be used: {error}") from error
        with emulator, self._client(emulator.base_url) as client:
            _end_start()
            yield client

    def _client(self, base_url: str) -> "Client":
        from cometresp.client.client import Client
        from cometresp.client.connection import Connection

        given = self.connection
        return Client(
            Connection(
                base_url=base_url,
                headers=self.headers,
                timeout=given.timeout if given.timeout is not None else 600.0,
                max_time=given.max_time,
                retries=given.retries if given.retries is not None else 2,
                ca_file=given.ca_file,
                loopback=is_loopback(base_url),
                say=self.terminal.note,
                debug=self._debug if given.debug else None,
            )
        )

    def _debug(self, line: str) -> None:
        """A line of --debug; the values of secret headers are masked."""
        from cometresp.wire.headers import MASK, is_secret_header

        name, colon, _ = line[2:].partition(": ")
        if colon and is_secret_header(name):
            line = f"{line[:2]}{name}: {MASK}"
        self.terminal.aside(escape_line(line) + "\n")

    # the state -----------------------------------------------------------------------------------------------------

    def open_state(self, *, create: bool = True, needed: bool = False, mend: bool = True) -> "State | None":
        """The state file, None where there is none and none is to be made. Raises OutputError (73).

        A damaged one is set aside with a warning; where what it held is `needed`, that is the error. Without `mend`,
        and where a request is only shown, it stays where it is, and DamagedError says that.
        """
        from cometresp.state.state import State

        only_shows = self.connection.dry_run or self.connection.curl
        state = State.open(self.config.state_dir, create=create, mend=mend and not only_shows)
        for report in state.reports if state else ():
            if state and needed:
                state.close()
                raise DamagedError(report, hint="cometresp ask … begins anew")
            self.terminal.warn(report)
        return state

    @cached_property
    def chain(self) -> str:
        """The name of the chain where no flag gives one."""
        return self.config.chain.value

    def print_json(self, value: Any) -> None:
        """A document on stdout: one line into a pipe, indented on a terminal."""
        import json

        from cometresp.text import escape_json, json_bytes

        tty = self.terminal.stdout_tty
        document = json.dumps(value, ensure_ascii=False, indent=2 if tty else None)
        self.terminal.write(json_bytes((escape_json(document) if tty else document) + "\n"))


def _end_start() -> None:
    """From here on garbage is looked for: the last large library is loaded, and what is loaded stays."""
    gc.enable()
    gc.freeze()


def _headers(given: list[str]) -> dict[str, str]:
    """The headers of `-H`. Raises UsageError for a malformed one."""
    headers: dict[str, str] = {}
    for line in given:
        name, colon, value = line.partition(":")
        value = value.strip(" \t")
        if name.lower() in _FRAMING:
            raise UsageError(f"--header: {name} belongs to the connection and can't be given")
        if not colon or not _TOKEN.fullmatch(name):
            raise UsageError(f"--header: {line!r} must be 'NAME: VALUE'")
        if not (value.isprintable() and value.isascii()):
            raise UsageError(f"--header: the value of {name} holds a character that can't stand in a header")
        headers = with_headers(headers, {name: value})
    return headers
