"""Exit codes and the exception tree. Nothing here knows how an error is shown.

CometrespError
├── UsageError            2  found before anything was sent
├── TurnError             1, 3-8  the response ended, but not in a plain answer
├── RequestRefusedError  65
├── UnreachableError     69
│   └── SilenceError     69  the connection holds, but nothing comes
├── OutputError          73
│   └── DamagedError     73  the state file can't be read for what it is
├── RateLimitedError     75
├── ProtocolError        76
├── KeyProblemError      77
├── ConfigError          78
├── PipeClosedError     141
└── StoppedError        129, 130, 143
"""

from enum import IntEnum
from typing import Any, NamedTuple


class ExitCode(IntEnum):
    COMPLETED = 0
    FAILED = 1
    USAGE = 2
    INCOMPLETE = 3
    FILTERED = 4
    CALL_OPEN = 5
    CANCELLED = 6
    PENDING = 7
    MISMATCH = 8
    REFUSED = 65
    UNREACHABLE = 69
    BUG = 70
    OUTPUT = 73
    RATE_LIMITED = 75
    PROTOCOL = 76
    KEY = 77
    CONFIG = 78
    HUNG_UP = 129
    INTERRUPTED = 130
    PIPE_CLOSED = 141
    TERMINATED = 143


class ServerSaid(NamedTuple):
    """What a server's error reply holds, whichever shape it came in: HTTP status, code, request id, field."""

    status: int | None = None
    code: str | None = None
    request_id: str | None = None
    param: str | None = None


class CometrespError(Exception):
    """An error that has a message for the user. `hint` says what to do next; both are plain text.

    `passing`: it came from outside, and the same request may succeed later.
    """

    exit_code: ExitCode = ExitCode.BUG
    passing = False

    def __init__(self, message: str, *, hint: str = "", said: ServerSaid | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.said = said or ServerSaid()

    def as_dict(self) -> dict[str, Any]:
        """Shape of `--error-format json`; absent facts are null, so that a script can rely on the keys."""
        return {
            "error": {
                "message": self.message,
                "hint": self.hint or None,
                "exit_code": int(self.exit_code),
                "status": self.said.status,
                "code": self.said.code,
                "param": self.said.param,
                "request_id": self.said.request_id,
            }
        }


class UsageError(CometrespError):
    exit_code = ExitCode.USAGE


class TurnError(CometrespError):
    """The exchange itself worked; the response's status is what the exit code tells (design: exit codes 1, 3-8)."""

    def __init__(self, exit_code: ExitCode, message: str, *, hint: str = "", said: ServerSaid | None = None) -> None:
        super().__init__(message, hint=hint, said=said)
        self.exit_code = exit_code


class RequestRefusedError(CometrespError):
    exit_code = ExitCode.REFUSED


class UnreachableError(CometrespError):
    exit_code = ExitCode.UNREACHABLE


class SilenceError(UnreachableError):
    """Nothing came for as long as was to be waited."""


class OutputError(CometrespError):
    exit_code = ExitCode.OUTPUT


class DamagedError(OutputError):
    """The state file is damaged; the message says where it is now."""


class RateLimitedError(CometrespError):
    exit_code = ExitCode.RATE_LIMITED


class ProtocolError(CometrespError):
    exit_code = ExitCode.PROTOCOL


class KeyProblemError(CometrespError):
    exit_code = ExitCode.KEY


class ConfigError(CometrespError):
    exit_code = ExitCode.CONFIG


class PipeClosedError(CometrespError):
    """Who read standard output has gone: the program ends silently."""

    exit_code = ExitCode.PIPE_CLOSED

    def __init__(self) -> None:
        super().__init__("standard output was closed")


class StoppedError(CometrespError):
    """A signal ended the run: SIGHUP, SIGINT or SIGTERM (129, 130, 143)."""

    def __init__(self, exit_code: ExitCode, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.exit_code = exit_code
