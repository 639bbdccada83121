"""A folder of recordings: read whole, added to. Files are named `0001-post-responses-1f2e3d4c.json`."""

import os
import re
import threading
from pathlib import Path
from tempfile import TemporaryFile, mkstemp

from cometresp.errors import OutputError, UsageError
from cometresp.paths import read_file
from cometresp.recording.document import WrongDocumentError, read
from cometresp.recording.exchange import Reply
from cometresp.recording.requests import RecordedRequest
from cometresp.tuples import NamedTuple

_MOST_BYTES = 1_000_000_000  # of one file
_NUMBER = re.compile(r"([0-9]{1,9})-")
_LONGEST_SEGMENT = 12  # characters of an id in a name


class Recording(NamedTuple):
    name: str
    request: RecordedRequest
    reply: Reply


def load(folder: Path) -> list[Recording]:
    """The recordings in a folder, in the order of their numbers. Raises UsageError."""
    try:
        names = _names(folder)
    except OSError as error:
        raise UsageError(f"--replay: can't read the folder {folder}: {error.strerror}") from error
    if not names:
        raise UsageError(
            f"--replay: {folder} has no recordings",
            hint="cometresp emulator --record DIR --upstream URL makes them",
        )
    return [_loaded(folder / name) for name in sorted(names, key=lambda name: (_number(name), name))]


def _loaded(path: Path) -> Recording:
    try:
        recorded = read(read_file(str(path), _MOST_BYTES, only_regular=True))
    except OSError as error:
        raise UsageError(f"--replay: can't read {path}: {error.strerror}") from error
    except WrongDocumentError as error:
        raise UsageError(f"--replay: {path}:{error.line}: {error}") from None
    return Recording(path.name, *recorded)


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.suffix == ".json" and not path.name.startswith(".")]


def _number(name: str) -> int:
    found = _NUMBER.match(name)
    return int(found[1]) if found else 10**9  # a file without a number comes last


class Folder:
    """A folder that recordings are added to; it is made if it isn't there. Raises OutputError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._last = max((_number(name) for name in _names(path) if _NUMBER.match(name)), default=0)
            with TemporaryFile(dir=path):  # whether it can be written to, before anything is sent
                pass
        except OSError as error:
            raise OutputError(f"--record: can't write to the folder {path}: {error.strerror}") from error

    def next_number(self) -> int:
        """The number of a request that has come: recordings are ordered by the time of their requests."""
        with self._lock:
            self._last += 1
            return self._last

    def add(self, number: int, request: RecordedRequest, data: bytes) -> str:
        """Write a recording, whole or not at all, for this user alone; its name. Raises OSError."""
        with self._lock:
            descriptor, name = mkstemp(prefix=".", dir=self.path)
            waiting = Path(name)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(data)
                while not _placed(waiting, path := self.path / f"{number:04}-{_slug(request)}.json"):
                    self._last += 1  # another recorder has made one of this name
                    number = self._last
            finally:
                waiting.unlink(missing_ok=True)
        return path.name


def _placed(waiting: Path, path: Path) -> bool:
    """Give a file its name; False where there is one of that name. Raises OSError."""
    try:
        os.link(waiting, path)
    except FileExistsError:
        return False
    except OSError:  # a file system without links
        if os.path.lexists(path):
            return False
        waiting.replace(path)
    return True


def _slug(request: RecordedRequest) -> str:
    """`post-responses-1f2e3d4c`: method, path and the start of the digest."""
    segments = request.path.removeprefix("/v1").strip("/").split("/")
    words = [request.method, *(re.sub(r"[^A-Za-z0-9_]+", "-", segment)[:_LONGEST_SEGMENT] for segment in segments[:4])]
    return "-".join([*filter(None, words), request.digest[:8]]).lower()
