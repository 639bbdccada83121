"""The facts of a run, gathered while it runs. Its end writes them, where flags ask for that (`report.ending`)."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from cometresp.errors import CometrespError
from cometresp.tuples import NamedTuple

if TYPE_CHECKING:
    from cometresp.report.workflow import Workflow
    from cometresp.sinks import FileSink
    from cometresp.terminal import Terminal
    from cometresp.wire.json import Json

    class ClientCounters(Protocol):
        """What a client knows of the requests that it sent."""

        @property
        def request_ids(self) -> list[str]: ...

        @property
        def retried(self) -> int: ...


class CallEnd(NamedTuple):
    """A call of the model that was answered here: `LABEL/TOOL` is the name of an MCP tool, whose use was decided."""

    name: str
    ok: bool
    seconds: float


class End(NamedTuple):
    """How a command line ended. `error` is what the exit code is of; None where the run was good."""

    code: int
    error: CometrespError | None = None


class EndFlags(NamedTuple):
    """The flags about the end of a run."""

    error_format: str | None = None
    debug: bool = False
    summary_file: str | None = None
    github: bool = False

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> "EndFlags":
        """Those of parsed flags, by name, of which any may be missing."""
        given = {name: params.get(name) for name in cls._fields}
        return cls(given["error_format"], given["debug"] is True, given["summary_file"], given["github"] is True)

    @property
    def writes(self) -> bool:
        """Whether a file is written at the end."""
        return self.summary_file is not None or self.github

    def error_format_in(self, environ: Mapping[str, str]) -> str:
        """How errors are printed: as annotations in a job with `--github`, unless `--error-format` says otherwise."""
        return self.error_format or ("github" if self._is_job(environ) else "text")

    def workflow_in(self, environ: Mapping[str, str]) -> "Workflow | None":
        """How the streams are written for GitHub Actions; None where they aren't."""
        guards, annotates = self._is_job(environ), self.error_format_in(environ) == "github"
        if not (guards or annotates):
            return None
        from cometresp.report.workflow import Workflow

        return Workflow(guards=guards, annotates=annotates)

    def _is_job(self, environ: Mapping[str, str]) -> bool:
        return self.github and bool(environ.get("GITHUB_OUTPUT"))


class Report:
    """The facts of a run so far; what isn't known is None, or an empty list.

    `model` was asked for, `model_used` is the response's. `status` is that of the last response, "cut" or
    "interrupted". `place` is the chain in which the turn is recorded, and its number there. `text` is the answer, or
    the part of it that is printed; `language` that of its code ("" where it isn't known), None for Markdown.
    """

    def __init__(self, flags: EndFlags) -> None:
        self.flags = flags
        self.started = time.monotonic()
        self.terminal: Terminal | None = None
        self.sink: FileSink | None = None  # of --summary-file, where it is written through
        self.unwritable: set[str] = set()  # flags whose files can't be written, as the error of the run says
        self.model: str | None = None
        self.model_used: str | None = None
        self.status: str | None = None
        self.response_ids: list[str] = []
        self.turns = 0
        self.usages: list[Json] = []
        self.calls: list[CallEnd] = []
        self.clients: list[ClientCounters] = []
        self.first_text_seconds: float | None = None
        self.place: tuple[str, int] | None = None
        self.costs: list[float | None] = []  # of the turns, in US dollars
        self.text = ""
        self.language: str | None = None

    def on_response_id(self, response_id: str) -> None:
        if response_id and response_id not in self.response_ids:
            self.response_ids.append(response_id)

    def on_turn(self, status: str, response: "Json", usage: "Json", cost: float | None) -> None:
        """A turn of which something came has ended."""
        self.turns += 1
        self.status = status
        self.usages.append(usage)
        self.costs.append(cost)
        model = response.get("model")
        self.model_used = model if isinstance(model, str) and model else self.model_used


of_runs: list[Report] = []  # of this command line
