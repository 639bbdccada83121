"""The API page's limits on what is sent (API 9): a warning with the number, never a refusal. Pure.

Other servers have other limits; the limits that all servers share are errors, in `rules.check`.
"""

from cometresp.request.content import FencedText
from cometresp.text import Say
from cometresp.wire.json import Json, listed, obj
from cometresp.wire.payload import Content, megabytes

_MB = 1_000_000
_FILE = _FILES = 50 * _MB
_IMAGES, _IMAGE_COUNT = 512 * _MB, 1500
_TEXT = 10_485_760  # characters of an input string, or of a tool's output
_OUTPUT_IMAGE, _OUTPUT_FILE, _ENCRYPTED = 20_971_520, 73_400_320, 20_971_520  # characters
_CALL_ID, _FUNCTION_NAME, _THRESHOLD, _FILE_IDS, _SKILLS = 64, 128, 1000, 50, 200


def warn_over_limits(body: Json, warn: Say) -> None:
    """Warn about each limit that a body exceeds."""
    given = body.get("input")
    if isinstance(given, str):
        _at_most(len(given), _TEXT, "the prompt", "characters", warn)
    items = listed(given)
    _check_files([part for item in items for part in listed(item.get("content"))], warn)
    for item in items:
        _check_item(item, warn)
    for tool in listed(body.get("tools")):
        _check_tool(tool, warn)
    for entry in listed(body.get("context_management")):
        threshold = entry.get("compact_threshold")
        if isinstance(threshold, int) and threshold < _THRESHOLD:
            warn(f"--context-management: compact_threshold is {threshold}; the API page's minimum is {_THRESHOLD}")


def _check_files(parts: list[Json], warn: Say) -> None:
    files = {index: size for index, part in enumerate(parts) if (size := _size(part.get("file_data"))) is not None}
    for index, size in files.items():
        if size >= _FILE:
            name = parts[index].get("filename") or "a file"
            warn(f"--file: {name} is {megabytes(size)}; the API page's limit is less than {_FILE // _MB} MB each")
    if len(files) > 1 and sum(files.values()) > _FILES:
        together = megabytes(sum(files.values()))
        warn(f"--file: the files are {together} together; the API page's limit is {_FILES // _MB} MB a request")
    images = [part for part in parts if part.get("type") == "input_image"]
    _at_most(len(images), _IMAGE_COUNT, "--file", "images a request", warn)
    size = sum(_size(part.get("image_url")) or 0 for part in images)
    if size > _IMAGES:
        warn(
            f"--file: the images are {megabytes(size)} together; the API page's limit is {_IMAGES // _MB} MB a request"
        )
    for part in parts:
        text = part.get("text")
        if part.get("type") == "input_text" and (isinstance(text, str | FencedText)):
            length = len(text) if isinstance(text, str) else text.characters
            _at_most(length, _TEXT, "a text" if isinstance(text, str) else text.source.shown, "characters", warn)


def _size(data: object) -> int | None:
    """The number of bytes that a data URL encodes; None for anything else."""
    if isinstance(data, Content):
        return data.size
    if isinstance(data, str) and data.startswith("data:"):
        encoded = data.partition(",")[2]
        return len(encoded) * 3 // 4 - encoded[-2:].count("=")
    return None


def _check_item(item: Json, warn: Say) -> None:
    call_id = item.get("call_id")
    if isinstance(call_id, str) and not 1 <= len(call_id) <= _CALL_ID:
        warn(f"call_id has {len(call_id)} characters; the API page's limit is 1 to {_CALL_ID}")
    if isinstance(encrypted := item.get("encrypted_content"), str):
        _at_most(len(encrypted), _ENCRYPTED, "encrypted_content", "characters", warn)
    output = item.get("output")
    if isinstance(output, str):
        _at_most(len(output), _TEXT, "--tool-output: the output", "characters", warn)
    for part in listed(output):
        for key, limit in (("text", _TEXT), ("image_url", _OUTPUT_IMAGE), ("file_data", _OUTPUT_FILE)):
            if isinstance(part.get(key), str):
                _at_most(len(part[key]), limit, f"{key} of a tool output", "characters", warn)


def _check_tool(tool: Json, warn: Say) -> None:
    if isinstance(name := tool.get("name"), str):
        _at_most(len(name), _FUNCTION_NAME, f"--tool: the name {name[:20]}…", "characters", warn)
    for where in ("container", "environment"):  # of the code interpreter, of the shell
        place = obj(tool.get(where))
        for key, limit, what in (("file_ids", _FILE_IDS, "files"), ("skills", _SKILLS, "skills")):
            if isinstance(place.get(key), list):
                _at_most(len(place[key]), limit, f"--tool: the {where}", what, warn)


def _at_most(number: int, limit: int, what: str, unit: str, warn: Say) -> None:
    if number > limit:
        warn(f"{what} has {number} {unit}; the API page's limit is {limit}")
