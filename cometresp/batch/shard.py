"""`--shard`: which part of the input one machine of several takes."""

import re
from collections.abc import Mapping

from cometresp.batch.digests import digest
from cometresp.errors import UsageError
from cometresp.text import quoted
from cometresp.tuples import NamedTuple

_MOST = 1_000_000
_SLURM = "SLURM_ARRAY_TASK_"


class Shard(NamedTuple):
    """Part `part` (from 1) of `parts`."""

    part: int
    parts: int

    def has(self, custom_id: str) -> bool:
        """Whether a request belongs to it: by its id alone, so that lines may be added, removed and sorted."""
        return digest(custom_id) % self.parts == self.part - 1

    def __str__(self) -> str:
        return f"{self.part}/{self.parts}"


def shard_of(given: str | None, environ: Mapping[str, str]) -> Shard | None:
    """The part that `--shard` names, None for the whole input. Raises UsageError."""
    if given is None:
        return None
    if given.strip().lower() == "slurm":
        return _of_slurm(environ)
    found = re.fullmatch(r"(\d{1,7})/(\d{1,7})", given.strip(), re.ASCII)
    if found is None:
        raise UsageError(f"--shard: {quoted(given)} must be I/N, as in 1/4, or slurm")
    index, count = int(found[1]), int(found[2])
    if not 1 <= index <= count <= _MOST:
        raise UsageError(f"--shard: the part must be between 1 and {count or 'N'}, not {index}")
    return Shard(index, count)


def _of_slurm(environ: Mapping[str, str]) -> Shard:
    """The part of this task of a job array, whose ids may start anywhere and leave gaps of one size."""
    given = {name: environ.get(_SLURM + name, "") for name in ("ID", "COUNT", "MIN", "STEP")}
    for name in ("ID", "COUNT"):
        if not given[name].isdecimal():
            raise UsageError(
                f"--shard slurm: {_SLURM}{name} is not set", hint="it is in a job array: sbatch --array=1-N …"
            )
    task, count = int(given["ID"]), int(given["COUNT"])
    least, step = (int(given[name]) if given[name].isdecimal() else 1 for name in ("MIN", "STEP"))
    index = (task - least) // max(step, 1) + 1
    if not 1 <= index <= count:
        raise UsageError(f"--shard slurm: task {task} is not one of {count} from {least} on")
    return Shard(index, count)
