"""The images of `--save-images DIR`: decoded, and saved under names that are free."""

import re
from binascii import Error, a2b_base64
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from cometresp.errors import OutputError
from cometresp.text import Say, escape_line
from cometresp.wire.json import Json

_MOST_NAMES = 1000


class _BrokenError(Exception):
    """An image that can't be decoded or saved; the message says why."""


def image_folder(path: str) -> Path:
    """The folder of `--save-images`, made where it isn't."""
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise OutputError(f"--save-images: {escape_line(path)} can't be made: {why}") from error
    return Path(path)


def save_images(output: Iterable[Json], folder: Path, note: Say, warn: Say) -> None:
    """Save each image of an output; a file that is there is never written over.

    One that can't be saved is warned about, and the others are saved before OutputError is raised.
    """
    images = broken = 0
    for number, item in enumerate(output, 1):
        result = item.get("result")
        if item.get("type") != "image_generation_call" or not isinstance(result, str):
            continue
        if not result and item.get("status") != "completed":
            continue
        images += 1
        name = re.sub(r"[^A-Za-z0-9_-]+", "_", str(item.get("id") or "")).lstrip("-")[:80] or f"image-{number}"
        try:
            data = decoded(result)
            note(f"image saved: {escape_line(str(_write_new(folder, name, _ending_of(data), data)))}")
        except _BrokenError as error:
            broken += 1
            warn(f"--save-images: the image of item {number} {error}")
    if broken:
        which = "the image" if images == 1 else f"{broken} of {images} images"
        raise OutputError(f"--save-images: {which} could not be saved")


def decoded(base64: str) -> bytes:
    """The bytes of Base64 as servers write it: also a data URL, with line breaks, in the alphabet of URLs, unpadded."""
    if re.match(r"data:[^,]{0,200};base64,", base64, re.IGNORECASE):
        base64 = base64.partition(",")[2]
    digits = "".join(base64.split()).translate(str.maketrans("-_", "+/")).rstrip("=")
    try:
        data = a2b_base64(digits + "=" * (-len(digits) % 4), strict_mode=True)
    except (Error, ValueError) as error:
        raise _BrokenError("is not valid Base64") from error
    if not data:
        raise _BrokenError("is empty")
    return data


def _ending_of(data: bytes) -> str:
    from cometresp.request.magic import image_of

    if image := image_of(data):
        return image.ending
    return ".svg" if data.startswith(b"<svg") else ".bin"


def _write_new(folder: Path, name: str, ending: str, data: bytes) -> Path:
    for again in range(1, _MOST_NAMES):
        path = folder / (name + (f"-{again}" if again > 1 else "") + ending)
        try:
            file = path.open("xb")
        except FileExistsError:
            continue
        except OSError as error:
            raise _BrokenError(f"can't be saved in {escape_line(str(folder))}: {error.strerror}") from error
        try:
            with file:
                file.write(data)
        except OSError as error:
            with suppress(OSError):  # half an image is none
                path.unlink()
            raise _BrokenError(f"can't be saved as {escape_line(str(path))}: {error.strerror}") from error
        return path
    raise _BrokenError(f"can't be saved: {escape_line(str(folder))} holds a thousand files named {name}")
