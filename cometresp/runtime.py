"""What a command can touch, made when it is first asked for: the terminal, the settings, the server, the state."""

import gc
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property, wraps
from typing import TYPE_CHECKING, TypeVar

from cometresp.config import Config, is_loopback, load
from cometresp.config_file import clean
from cometresp.deadline import DEFAULT_TIMEOUT
from cometresp.errors import (
    CometrespError,
    DamagedError,
    Flags,
    KeyProblemError,
    Next,
    OutputError,
    UsageError,
    typed_hint,
)
from cometresp.options.tables import ConnectionOptions, OutputOptions
from cometresp.options.values import check, headers_of, reply_size_of, retries_of
from cometresp.reading import FileReading
from cometresp.report.facts import EndFlags, Report
from cometresp.report.facts import of_runs as reports
from cometresp.terminal import Terminal, is_pipe
from cometresp.text import escape_line
from cometresp.wire.headers import MASK, is_secret_header, names_key, with_headers
from cometresp.wire.masking import Secrets, of_runs
from cometresp.wire.urls import EMULATOR_URL, query_of, shown_url

if TYPE_CHECKING:
    from cometresp.client.client import Client
    from cometresp.state.patience import Patience
    from cometresp.state.state import State


Options = TypeVar("Options")


class Runtime:
    """`chain` is the name that a flag gives, None where none does."""

    def __init__(
        self, connection: ConnectionOptions, output: OutputOptions | None = None, *, chain: str | None = None
    ) -> None:
        self.started = time.monotonic()
        self.connection = connection
        self.output = output or OutputOptions()
        shown = None if connection.base_url is None else shown_url(connection.base_url)
        self.flags = Flags(connection.offline, shown, chain, profile=connection.profile)
        self.reading = FileReading(lambda: self.terminal, connection.max_time)
        self.secrets = Secrets()
        self.secrets.add_key(clean(os.environ.get("COMETAPI_KEY")))
        of_runs.append(self.secrets)
        self.report = Report(EndFlags.of(connection._asdict() | self.output._asdict()))
        reports.append(self.report)

    @cached_property
    def terminal(self) -> Terminal:
        output, flags = self.output, self.report.flags
        terminal = Terminal.of_process(
            quiet=output.quiet, verbose=output.verbose, masks=self.secrets, color=output.color
        )
        terminal.job = flags.workflow_in(terminal.environ)
        self.report.terminal = terminal
        return terminal

    @cached_property
    def config(self) -> Config:
        given = self.connection
        config = load(
            os.environ, base_url=given.base_url, offline=given.offline, profile=given.profile, reading=self.reading
        )
        if config.key:
            self.secrets.add_key(config.key.value)
        for name, value in query_of(config.base_url.value):
            self.secrets.add(value, certain=names_key(name))
        return config

    @property
    def chain(self) -> str:
        """The chain as a flag or a setting names it."""
        return self.flags.chain if self.flags.chain is not None else self.config.chain.value

    @property
    def offline(self) -> bool:
        return self.connection.offline or self.config.offline

    @property
    def plain(self) -> bool:
        return self.output.plain or self.config.plain

    def check_report_files(self) -> None:
        """Raises OutputError for a file about the run that can't be written at its end."""
        if self.report.flags.writes:
            from cometresp.report.ending import check_files

            with self.reading.within_max_time("opening the output files"):
                check_files(self.report, self.terminal)

    def hint(self, *parts: str | Next) -> str:
        """A hint whose commands have the flags of this run that they need; "" where one of them can't be typed."""
        return typed_hint(parts, self.flags)

    # the server -----------------------------------------------------------------------------------------------------

    @property
    def base_url(self) -> str:
        """The base URL as it is shown and recorded, without the values of its query.

        That of the emulator is always the same, though its port changes with every command.
        """
        return shown_url(self.url)

    @property
    def url(self) -> str:
        """The base URL with its query."""
        return EMULATOR_URL if self.offline else self.config.base_url.value

    @cached_property
    def given_headers(self) -> dict[str, str | None]:
        """The headers of `-H`; one that is removed is None."""
        headers = headers_of(self.connection)
        for name, value in headers.items():
            if value and is_secret_header(name):
                self.secrets.add_header(name, value)
        return headers

    @cached_property
    def headers(self) -> dict[str, str | None]:
        """Authorization and the headers of `-H`, which replace those of the same name. `key_command` is run here."""
        command = self.config.key_command
        if command is None or not self.has_key_command:
            return self._headers_with(self.config.key and self.config.key.value)
        from cometresp.settings.key_command import key_from

        with self.reading.within_max_time("waiting for key_command"):
            return self._headers_with(key_from(command.words, command.source, self.terminal, self.secrets.add_key))

    def _headers_with(self, key: str | None) -> dict[str, str | None]:
        own: dict[str, str | None] = {"Authorization": f"Bearer {key}"} if key else {}
        return with_headers(own, self.given_headers)

    @property
    def key_is_given(self) -> bool:
        """Whether `-H` gives a key or removes Authorization."""
        given = self.given_headers
        removed = any(name.lower() == "authorization" for name in given)
        return removed or any(value and names_key(name) for name, value in given.items())

    @property
    def needs_key(self) -> bool:
        """Whether requests need COMETAPI_KEY: not on loopback, nor where `-H` gives a key or removes Authorization."""
        return not (self.key_is_given or is_loopback(self.url))

    @property
    def has_key_command(self) -> bool:
        """Whether a command prints the key; it is set for this base URL, so it is needed on loopback, too."""
        config = self.config
        return not (self.offline or config.key or self.key_is_given) and config.key_command is not None

    @property
    def lacks_key(self) -> bool:
        return not self.offline and self.needs_key and not self.config.key and not self.config.key_command

    def no_key(self) -> KeyProblemError:
        """The error where the server needs a key, and none is set."""
        return KeyProblemError(
            f"no key for {self.base_url}: COMETAPI_KEY is not set",
            hint=(
                *("export COMETAPI_KEY=…, store one with ", Next("config set-key")),
                ", or try without one: cometresp ask --offline …",
            ),
        )

    def check_sendable(self, *, key_required: bool = True) -> None:
        """Raises an error where there is no key though it is `key_required`, or where it would be sent in the open."""
        if self.offline:
            return
        if key_required and self.lacks_key:
            raise self.no_key()
        has_key = self.config.key or (key_required and self.has_key_command)
        shown = self._headers_with("key" if has_key else None)
        keys = [name for name, value in [*shown.items(), *query_of(self.url)] if value and names_key(name)]
        insecure = self.connection.insecure_http
        if keys and self.url.startswith("http:") and not is_loopback(self.url) and not insecure:
            raise UsageError(
                f"{self.config.base_url.source}: the key would go over plain http to {self.base_url}",
                hint="use https, or --insecure-http where the network is trusted",
            )
        if key_required:
            _ = self.headers  # a command that can't print the key ends the run before anything of it is shown

    @contextmanager
    def client(self, *, key_required: bool = True, shared: bool = False) -> Iterator["Client"]:
        """The server of this command; with --offline the emulator, started for as long as it is needed.

        `shared`: several threads make requests, each with a sibling of this client, and try again by themselves.
        """
        self.check_sendable(key_required=key_required)
        if not self.offline:
            headers = self.headers if key_required else self._headers_with(self.config.key and self.config.key.value)
            with self._client(self.url, headers, shared=shared) as client:
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
        with emulator, self._client(emulator.base_url, self.headers, shared=shared) as client:
            _end_start()
            yield client

    def _client(self, base_url: str, headers: dict[str, str | None], *, shared: bool = False) -> "Client":
        from cometresp.client.client import Client
        from cometresp.client.connection import ServerConfig
        from cometresp.wire.replies import DEFAULT_LIMIT

        given = self.connection
        config = ServerConfig(
            base_url=base_url,
            headers=headers,
            timeout=DEFAULT_TIMEOUT if given.timeout is None else given.timeout,
            max_time=given.max_time,
            max_reply_size=reply_size_of(given) or DEFAULT_LIMIT,
            retries=0 if shared else retries_of(given),
            ca_file=given.ca_file,
            loopback=is_loopback(base_url),
            say=self.terminal.note,
            debug=self._debug if given.debug else None,
            secrets=self.secrets,
            source=self.config.base_url.source,
            is_shared=shared,
        )
        path = given.ca_file or os.environ.get("SSL_CERT_FILE", "")
        with self.reading(path):
            client = Client(config._replace(spent=FileReading.spent))
        self.report.clients.append(client)
        return client

    def expect_request(self) -> None:
        """Begin to load what a request takes, where that is ready sooner: over https, or while input is waited for."""
        secure = self.url.startswith("https:")
        waits = self.terminal.stdin is not None and is_pipe(self.terminal.stdin)
        if not self.offline and (secure or waits):
            from cometresp.client.early import begin

            def load() -> None:
                from cometresp.client.client import Client  # noqa: F401

            begin(load, secure=secure and not (self.connection.ca_file or os.environ.get("SSL_CERT_FILE")))

    def _debug(self, line: str) -> None:
        """A line of --debug; the values of secret headers are masked, whatever they are."""
        name, colon, _ = line[2:].partition(": ")
        given = line.startswith("> ") and name.lower() in map(str.lower, self.given_headers)
        if colon and (names_key(name) or (given and is_secret_header(name))):
            line = f"{line[:2]}{name}: {MASK}"
        self.terminal.aside(escape_line(line) + "\n")

    # the state ------------------------------------------------------------------------------------------------------

    @cached_property
    def patience(self) -> "Patience":
        """How long this run waits for other processes that hold the state file, in all."""
        from cometresp.state.patience import Patience

        return Patience(say=self.terminal.note)

    def open_state(self, *, create: bool = True, required: bool = False, mend: bool = True) -> "State | None":
        """The state file, None where there is none and none is to be made. Raises OutputError (73).

        Another process that holds it is waited for as long as the `patience` of the run lasts (LockedError).

        A damaged one is set aside with a warning; where its contents are `required`, that is the error. Without `mend`,
        and where a request is only shown, it is left where it is, and DamagedError is raised.
        """
        from cometresp.state.state import State

        mend = mend and not self.connection.only_shows
        state = State.open(self.config.state_dir, create=create, mend=mend, patience=self.patience)
        for report in state.reports if state else ():
            if state and required:
                state.close()
                raise DamagedError(report, hint=(Next("ask", "…"), " starts a new chain"))
            self.terminal.warn(report)
        return state


def telling(run: Callable[[Options, Runtime], None]) -> Callable[[Options, Runtime], None]:
    """A command's `run`: its flags are checked first; hints of its errors name its server, state and chain.

    Everything in errors is masked that is a secret of the run.
    """

    @wraps(run)
    def checked(options: Options, runtime: Runtime) -> None:
        try:
            check(runtime.connection, runtime.output)
            _ = runtime.given_headers  # their values are secrets from here on
            runtime.check_report_files()
            run(options, runtime)
        except CometrespError as error:
            error.for_run(runtime.flags).masked(runtime.secrets.error)
            raise

    return checked


def _end_start() -> None:
    """Collect garbage from here on: the last large library is loaded, and loaded modules are never freed."""
    gc.enable()
    gc.freeze()
