"""What one command line of `batch` asks for."""

from cometresp.options.batch import BatchOptions
from cometresp.options.tables import ConnectionOptions, OutputOptions, RequestOptions
from cometresp.tuples import NamedTuple


class Asked(NamedTuple):
    """The parsed options and the argument of one command line.

    `typed` are the fields of flags that were typed, rather than configured; `words` is the command line behind `batch`.
    """

    file: str
    batch: BatchOptions
    request: RequestOptions
    output: OutputOptions
    connection: ConnectionOptions
    typed: frozenset[str] = frozenset()
    words: tuple[str, ...] = ()


class Merged(NamedTuple):
    """What is merged. `source` is the input that the outputs are of, None where that isn't asked."""

    outputs: tuple[str, ...]
    source: str | None
    batch: BatchOptions
    output: str | None
