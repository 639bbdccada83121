import base64
import json
from typing import Any

import pytest

from cometresp.functions.results import LIMIT
from cometresp.mcp.content import result_of

PNG = base64.b64encode(b"an image").decode()
PICTURE = {"type": "image", "mimeType": "image/PNG", "data": PNG}
SENT = {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}", "detail": "auto"}


def words(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


@pytest.mark.parametrize(
    ("reply", "output"),
    [
        ({"content": [words("one"), words("two")]}, "one\ntwo"),
        ({"content": []}, ""),
        ({}, ""),
        ({"content": [], "structuredContent": {"a": 1}}, '{"a": 1}'),
        ({"content": [words('{"a":1}')], "structuredContent": {"a": 1}}, '{"a":1}'),
        ({"content": [words("see"), PICTURE, words("")]}, [{"type": "input_text", "text": "see"}, SENT]),
        ({"content": [PICTURE | {"mimeType": "image/tiff"}]}, "[image, image/tiff, 8 bytes: not sent]"),
        ({"content": [PICTURE | {"data": "no Base64"}]}, "[image, image/PNG, 6 bytes: not sent]"),
        (
            {"content": [{"type": "audio", "mimeType": "audio/wav", "data": PNG}]},
            "[audio, audio/wav, 8 bytes: not sent]",
        ),
        ({"content": [{"type": "resource", "resource": {"uri": "memo://1", "text": "hi"}}]}, "[resource memo://1]\nhi"),
        (
            {"content": [{"type": "resource", "resource": {"uri": "x://1", "mimeType": "image/png", "blob": PNG}}]},
            [SENT],
        ),
        (
            {"content": [{"type": "resource", "resource": {"uri": "x://1", "mimeType": "a/b", "blob": PNG}}]},
            "[resource x://1, a/b, 8 bytes: not sent]",
        ),
        (
            {"content": [{"type": "resource_link", "uri": "x://1", "name": "notes", "description": "all of them"}]},
            "[link to the resource x://1: notes, all of them]",
        ),
        (
            {"content": [{"type": "hologram", "data": 1}, {"text": "?"}, "no part"]},
            "[hologram: not sent]\n[a part: not sent]",
        ),
        ({"content": [words("\ud800"), PICTURE]}, [{"type": "input_text", "text": "\ufffd"}, SENT]),
    ],
)
def test_a_result_is_what_the_api_takes(reply: dict[str, Any], output: Any) -> None:
    result = result_of(reply)
    assert (result.ok, result.output) == (True, output)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        ({"isError": True, "content": [words("no such file")]}, {"error": "no such file"}),
        ({"isError": True, "content": [PICTURE]}, {"error": "the tool failed, and didn't say why"}),
        (
            {"content": [PICTURE | {"data": PNG[:8] * 4_000_000}]},
            {"error": "the images have 32000022 characters in Base64; at most 20971520 are accepted"},
        ),
    ],
)
def test_an_error_is_one_for_the_model(reply: dict[str, Any], error: Any) -> None:
    result = result_of(reply)
    assert (result.ok, json.loads(str(result.output))) == (False, error)


def test_a_result_that_is_too_long_is_an_error_with_its_start() -> None:
    error = json.loads(str(result_of({"content": [words("x" * LIMIT), PICTURE, words("y")]}).output))
    assert (error["error"], set(error["head"])) == (
        "the result has 100002 characters; at most 100000 are accepted",
        {"x"},
    )
