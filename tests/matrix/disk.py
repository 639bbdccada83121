"""Files that can't be written."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.matrix.fault import HALF, Fault
from tests.scripted import STREAM_HEAD, Wire, json_reply, message, response, text_stream

GOOD = text_stream("whole")
CUT = STREAM_HEAD + HALF
PICTURE = json_reply(
    response(message("whole"), {"type": "image_generation_call", "id": "ig_1", "result": "no base64!"})
)


@contextmanager
def old(home: Path, _: Wire) -> Iterator[None]:
    (home / "out").write_text("old")
    yield


@contextmanager
def no_part(home: Path, _: Wire) -> Iterator[None]:
    (home / "out").write_text("old")
    (home / "out.part").write_text("earlier")
    yield


@contextmanager
def loop(home: Path, _: Wire) -> Iterator[None]:
    (home / "out").symlink_to(home / "out")
    yield


FAULTS = [
    Fault("-o in a folder that isn't there", GOOD, flags="-o none/out"),
    Fault("-o of a folder", GOOD, flags="-o ."),
    Fault("-o of a link to itself", GOOD, flags="-o out", around=loop),
    Fault("-o on a full disk", GOOD, flags="-o /dev/full"),
    Fault("--id-file in a folder that isn't there", GOOD, flags="--id-file none/id"),
    Fault("--id-file on a full disk", GOOD, flags="--id-file /dev/full"),
    Fault("-o of a stream that is cut", CUT, flags="-o out", around=old),
    Fault("-o of a stream that is cut, beside an earlier part", CUT, flags="-o out", around=no_part),
    Fault("--save-images of what is no image", PICTURE, flags="--save-images images"),
    Fault("--save-images in a folder that can't be made", PICTURE, flags="--save-images tools.toml/images"),
    Fault("standard output on a full disk", GOOD, stdout="/dev/full"),
    Fault("the reader of standard output has gone", GOOD, stdout="closed"),
]
