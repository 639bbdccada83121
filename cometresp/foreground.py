"""A child that has the terminal for a while: a pager, an editor."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cometresp.signals import deferred

if TYPE_CHECKING:
    from subprocess import Popen


@contextmanager
def foreground(
    words: list[str], *, on_interrupt: Callable[[], object] = lambda: None, **how: Any
) -> Iterator["Popen[bytes]"]:
    """A child process. In the block an interrupt is a key for it, and only calls `on_interrupt` in this program.

    It is waited for; a signal that ends the block ends the child, too. Raises OSError or ValueError if it can't be
    started.
    """
    import signal
    from subprocess import Popen

    names = [name for name in ("SIGINT", "SIGQUIT") if hasattr(signal, name)]
    # No SIG_IGN, which the child would inherit.
    before = {name: signal.signal(getattr(signal, name), lambda *_: on_interrupt()) for name in names}
    process = None
    try:
        with deferred():
            process = Popen(words, **how)
        yield process
        process.wait()
    finally:
        if process is not None and process.poll() is None:
            process.terminate()
            process.wait()
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)
