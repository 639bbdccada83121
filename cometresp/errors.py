"""Exit codes, the exception tree, and what an error tells the user to do next. How it is printed is decided elsewhere.

CometrespError
├── UsageError            2  found before anything was sent
├── TurnError             1, 3-8  the response ended, but not in a plain answer
├── CostLimitError        9  the run would cost more than --max-cost
├── RequestRefusedError  65
├── UnreachableError     69
│   └── SilenceError     69  the connection is open, but no data comes
├── OutputError          73
│   ├── DamagedError     73  the state file is damaged
│   ├── LockedError      73  another process holds the state file
│   └── RecordError      73  one record in the state file is damaged
├── RateLimitedError     75
├── ProtocolError        76
├── KeyProblemError      77
├── ConfigError          78
├── PipeClosedError     141
└── StoppedError        129, 130, 131, 143
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum, IntEnum
from typing import TYPE_CHECKING, Any, Self

from cometresp.text import shell_flag
from cometresp.tuples import NamedTuple


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
    COST_LIMIT = 9
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
    QUIT = 131
    PIPE_CLOSED = 141
    TERMINATED = 143


class Cause(Enum):
    """Why a server refused, where the code that handles the error has to know."""

    PATH = "the server has no such endpoint"
    PREVIOUS = "the server doesn't take this previous_response_id"


class ErrorDetails(NamedTuple):
    """The facts of a server's error reply, whatever its shape: HTTP status, code, request id, field.

    `body` is the whole reply, or the error in it: JSON as its value, anything else as text.
    """

    status: int | None = None
    code: str | None = None
    request_id: str | None = None
    param: str | None = None
    body: object = None


# what to do next ----------------------------------------------------------------------------------------------------


class Flags(NamedTuple):
    """The flags of a command line that decide which server, state and chain a further command is about."""

    offline: bool = False
    base_url: str | None = None
    chain: str | None = None
    functions: tuple[str, ...] = ()  # the files of --functions
    mcp: tuple[str, ...] = ()  # the servers of --mcp
    profile: str | None = None

    def for_tools(self) -> list[str | None]:
        """The flags that bring the functions of the run; None for one that can't be typed."""
        files = [shell_flag("--functions", file) for file in self.functions]
        return [*files, *(shell_flag("--mcp", server) for server in self.mcp)]

    def for_command(self, verb: str) -> list[str | None]:
        """The flags that another command needs to be about the same things; None for one that can't be typed."""
        name = verb.partition(" ")[0]
        given: list[str | None] = []
        if name in _WITH_CHAIN and self.chain is not None:
            given.append(shell_flag("--chain", self.chain))
        stores_key = verb == "config set-key"
        if self.profile is not None and (name in _WITH_STATE + _WITH_SERVER or (stores_key and not self.base_url)):
            given.append(shell_flag("--profile", self.profile))
        if self.offline and name in _WITH_STATE + _WITH_SERVER:
            given.append("--offline")
        elif self.base_url is not None and (name in _WITH_SERVER or stores_key):
            given.append(shell_flag("--base-url", self.base_url))
        return given


_WITH_CHAIN = ("ask", "continue", "again")
_WITH_SERVER = ("ask", "continue", "again", "batch", "get", "cancel", "delete", "items", "models")
_WITH_STATE = ("chains", "log", "usage")


class Next(NamedTuple):
    """A command to type next, as in `Next("get", (shell_arguments(answer.id), "--wait"))`.

    Every word that isn't ours is made by `text.shell_flag` or `shell_arguments`: it ends up in a shell. A word that is
    None can't be typed, and neither can the command. `resumes` a run: it needs the functions of the run again, with
    `--functions` and `--mcp`.
    """

    verb: str
    words: str | tuple[str | None, ...] = ""
    resumes: bool = False

    def typed(self, flags: Flags) -> str:
        """`cometresp get --offline resp_1 --wait`: with the flags of this run; "" where a word can't be typed."""
        words = (self.words,) if isinstance(self.words, str) else self.words
        tools = flags.for_tools() if self.resumes else []
        given = ["cometresp", self.verb, *flags.for_command(self.verb), *tools, *words]
        found = [word for word in given if word]
        return "" if None in given else " ".join(sorted(found, key=lambda word: word.startswith("-- ")))


Hint = str | Next | tuple[str | Next, ...]  # a sentence; the commands in it are of type Next


def typed_hint(hint: Hint, flags: Flags) -> str:
    """A hint with its commands as they are typed; "" where one of them can't be."""
    parts = hint if isinstance(hint, tuple) and not isinstance(hint, Next) else (hint,)
    typed = [part if isinstance(part, str) else part.typed(flags) for part in parts]
    return "".join(typed) if all(typed) else ""


if TYPE_CHECKING:  # only types: making them would cost time at every start
    from typing import TypedDict

    class ErrorFacts(TypedDict):
        message: str
        hint: str | None
        exit_code: int
        status: int | None
        code: str | None
        param: str | None
        request_id: str | None
        body: object

    class ErrorDocument(TypedDict):
        """What `--error-format json` prints. Unknown facts are null, so that scripts can rely on the keys."""

        error: ErrorFacts


# the tree -----------------------------------------------------------------------------------------------------------


class CometrespError(Exception):
    """An error that has a message for the user; plain text, as is the hint.

    `passing`: the same request may succeed later. `cause` is set where other code decides by it.
    """

    exit_code: ExitCode = ExitCode.BUG

    def __init__(
        self,
        message: str,
        *,
        hint: Hint = "",
        details: ErrorDetails | None = None,
        cause: Cause | None = None,
        passing: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.details = details or ErrorDetails()
        self.cause = cause
        self.passing = passing
        self._hints: tuple[Hint, ...] = (hint,)
        self._flags = Flags()

    @property
    def hint(self) -> str:
        """What to do next, "" where there is nothing to say. Its commands have the flags that `for_run` was given."""
        return "; ".join(filter(None, (typed_hint(hint, self._flags) for hint in self._hints)))

    def with_hint(self, hint: Hint) -> Self:
        """The same error with this hint in place of its own."""
        self._hints = (hint,)
        return self

    def and_hint(self, hint: Hint) -> Self:
        """The same error with one more thing to do next."""
        self._hints = (*self._hints, hint)
        return self

    def with_message(self, message: str, hint: Hint = "") -> Self:
        """The same error with another message and hint."""
        self.message = message
        return self.with_hint(hint)

    def for_run(self, flags: Flags) -> Self:
        """The same error, whose hint names the server, state and chain of this run."""
        self._flags = flags
        return self

    def masked(self, mask: Callable[[Any], Any]) -> Self:
        """The same error, with `mask` applied to all that is shown of it."""
        self.message, self._hints = mask(self.message), (mask(self.hint),)
        self.details = ErrorDetails(*map(mask, self.details))
        return self

    def as_dict(self) -> "ErrorDocument":
        return {
            "error": {
                "message": self.message,
                "hint": self.hint or None,
                "exit_code": int(self.exit_code),
                "status": self.details.status,
                "code": self.details.code,
                "param": self.details.param,
                "request_id": self.details.request_id,
                "body": self.details.body,
            }
        }


class UsageError(CometrespError):
    exit_code = ExitCode.USAGE


class TurnError(CometrespError):
    """The request worked; the exit code says how the response ended (1, 3-8)."""

    def __init__(
        self, exit_code: ExitCode, message: str, *, hint: Hint = "", details: ErrorDetails | None = None
    ) -> None:
        super().__init__(message, hint=hint, details=details)
        self.exit_code = exit_code


class CostLimitError(CometrespError):
    """A further request would cost more than --max-cost: it wasn't sent."""

    exit_code = ExitCode.COST_LIMIT


class RequestRefusedError(CometrespError):
    exit_code = ExitCode.REFUSED


class UnreachableError(CometrespError):
    exit_code = ExitCode.UNREACHABLE


class SilenceError(UnreachableError):
    """No data came for the seconds of `--timeout`."""


class OutputError(CometrespError):
    exit_code = ExitCode.OUTPUT


class DamagedError(OutputError):
    """The state file is damaged; the message says where it is now."""


class LockedError(OutputError):
    """Another process still holds the state file after the time that a run waits for it."""


class RecordError(OutputError):
    """One record in the state file is damaged; the message says which one."""


class RateLimitedError(CometrespError):
    exit_code = ExitCode.RATE_LIMITED


class ProtocolError(CometrespError):
    exit_code = ExitCode.PROTOCOL


class KeyProblemError(CometrespError):
    exit_code = ExitCode.KEY


class ConfigError(CometrespError):
    exit_code = ExitCode.CONFIG


class PipeClosedError(CometrespError):
    """The reader of standard output has closed it: the program ends silently."""

    exit_code = ExitCode.PIPE_CLOSED

    def __init__(self) -> None:
        super().__init__("standard output was closed")


class StoppedError(CometrespError):
    """A signal ended the run: SIGHUP, SIGINT, SIGQUIT or SIGTERM (129, 130, 131, 143)."""

    def __init__(self, exit_code: ExitCode, message: str, *, hint: Hint = "") -> None:
        super().__init__(message, hint=hint)
        self.exit_code = exit_code


@contextmanager
def named_in_errors(what: str, hint: str = "") -> Iterator[None]:
    """The block in which `what` is done, such as "waiting for standard input"; the error of a signal says so."""
    try:
        yield
    except StoppedError as stopped:
        raise stopped.with_message(f"{stopped.message} while {what}", stopped.hint or hint) from None
