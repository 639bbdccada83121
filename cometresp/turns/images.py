"""Generated images: `--save-images DIR` saves them under names that are free; without it, how to keep them is said."""

import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from cometresp.answer.answer import Answer
from cometresp.errors import Next, OutputError
from cometresp.text import Say, escape_line, shell_arguments
from cometresp.wire.images import BrokenImageError, decoded, generated_images, image_of
from cometresp.wire.json import Json

_MOST_NAMES = 1000
_DEVICE = re.compile(r"(?i)con|prn|aux|nul|com\d|lpt\d")  # on Windows, with any ending


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
    for number, item, result in generated_images(output):
        images += 1
        name = re.sub(r"[^A-Za-z0-9_-]+", "_", str(item.get("id") or "")).lstrip("-")[:80]
        if not name or _DEVICE.fullmatch(name):
            name = f"image-{number}"
        try:
            data = decoded(result)
            note(f"image saved: {escape_line(str(_write_new(folder, name, _ending_of(data), data)))}")
        except BrokenImageError as error:
            broken += 1
            warn(f"--save-images: the image of item {number} {error}")
    if broken:
        which = "the image" if images == 1 else f"{broken} of {images} images"
        raise OutputError(f"--save-images: {which} could not be saved")


def how_to_keep(answer: Answer) -> tuple[str | Next, ...]:
    """A hint for an answer with generated images, which only --save-images keeps as files; () for any other."""
    count = sum(bool(result) for _, _, result in generated_images(answer.output))
    if not count:
        return ()
    if not answer.id or answer.response.get("store") is False:
        return (f"--save-images DIR keeps {'a generated image' if count == 1 else 'generated images'}",)
    fetched = Next("get", (shell_arguments(answer.id), "--save-images DIR"))
    return (f"--save-images DIR keeps {'it' if count == 1 else 'them'}: ", fetched)


def _ending_of(data: bytes) -> str:
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
            raise BrokenImageError(f"can't be saved in {escape_line(str(folder))}: {error.strerror}") from error
        try:
            with file:
                file.write(data)
        except OSError as error:
            with suppress(OSError):  # half an image is none
                path.unlink()
            raise BrokenImageError(f"can't be saved as {escape_line(str(path))}: {error.strerror}") from error
        return path
    raise BrokenImageError(f"can't be saved: {escape_line(str(folder))} holds a thousand files named {name}")
