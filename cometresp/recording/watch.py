"""A client that disconnects while it is waiting."""

import selectors
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def watched(client: socket.socket, gone: Callable[[], None]) -> Iterator[None]:
    """The block in which a thread calls `gone` once the client closes its connection."""
    wake, woken = socket.socketpair()
    thread = threading.Thread(target=_watch, args=(client, woken, gone), name="watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        wake.close()
        thread.join()
        woken.close()


def _watch(client: socket.socket, woken: socket.socket, gone: Callable[[], None]) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(client, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        ready = {key.fileobj for key, _ in selector.select()}
    if woken in ready:
        return
    try:
        closed = not client.recv(1, socket.MSG_PEEK)  # what a client sends ahead is read later
    except OSError:
        closed = True
    if closed:
        gone()
