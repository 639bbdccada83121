"""The flags of `batch` alone: how the input is read, how many requests are made at once, what ends or resumes a run."""

from typing import Annotated, Any

from typer import Option

from cometresp.errors import UsageError
from cometresp.tuples import NamedTuple

_MOST_JOBS = 1000


def _flag(text: str, *names: str, **more: Any) -> Any:
    return Option(*names, help=text, show_default=False, **more)


# fmt: off
# One field per line, however long: the table is read by column.
# ruff: noqa: E501


class BatchOptions(NamedTuple):
    """None means that the flag wasn't given."""

    jobs: Annotated[int, _flag("Requests at once, at most [default: 8].", "--jobs", "-j", metavar="N")] = 8
    rpm: Annotated[float | None, _flag("Requests per minute that the key allows.", "--rpm", metavar="N")] = None
    tpm: Annotated[float | None, _flag("Tokens per minute that the key allows.", "--tpm", metavar="N")] = None
    lines: Annotated[bool, _flag("Each line of the input is a prompt.", "--lines")] = False
    csv: Annotated[bool, _flag("The input is CSV: columns are variables of --template, or one is named prompt [default: by the ending .csv].", "--csv")] = False
    tsv: Annotated[bool, _flag("The same with tabs between the columns [default: by the ending .tsv].", "--tsv")] = False
    text: Annotated[bool, _flag("Write custom_id, text, exit, usage and cost of each response, not the whole of it.", "--text")] = False
    ordered: Annotated[bool, _flag("Write in the order of the input, not in that of completion.", "--ordered")] = False
    resume: Annotated[bool, _flag("Continue the run that wrote the file of -o: requests that have a line in it aren't sent again.", "--resume")] = False
    retry_failed: Annotated[bool, _flag("With --resume: send failed requests again.", "--retry-failed")] = False
    input_changed: Annotated[bool, _flag("With --resume: the input was edited since; ids that have an answer keep it.", "--input-changed")] = False
    skip_bad: Annotated[bool, _flag("Leave out lines that can't be sent, with a warning.", "--skip-bad")] = False
    fail_fast: Annotated[bool, _flag("End the run after the first response that failed.", "--fail-fast")] = False
    max_failures: Annotated[int | None, _flag("End the run after N failed responses.", "--max-failures", metavar="N")] = None
    shard: Annotated[str | None, _flag("Take part I of N of the input, by custom_id; slurm: the part that SLURM_ARRAY_TASK_ID says.", "--shard", metavar="I/N|slurm")] = None
    record: Annotated[bool, _flag("Record the responses, without a chain.", "--record")] = False
    store: Annotated[bool | None, _flag("Whether the server keeps the responses [default: the server decides].", "--store/--no-store")] = None

# fmt: on

SETTABLE = ("jobs", "rpm", "tpm", "ordered", "max_failures")  # which the config file has defaults for


def check_batch(options: BatchOptions) -> None:
    """Raises UsageError for a value that its flag doesn't take."""
    if not 1 <= options.jobs <= _MOST_JOBS:
        raise UsageError(f"--jobs: must be between 1 and {_MOST_JOBS}, not {options.jobs}")
    for flag, value in (("--rpm", options.rpm), ("--tpm", options.tpm)):
        if value is not None and not 0 < value <= 1e12:  # noqa: PLR2004
            raise UsageError(f"{flag}: must be more than 0, not {value:g}")
    if options.max_failures is not None and options.max_failures < 1:
        raise UsageError(f"--max-failures: must be at least 1, not {options.max_failures}")
