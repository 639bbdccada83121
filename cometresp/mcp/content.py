"""The result of a tool, in MCP's parts -> an output that the API takes. Pure.

Text is sent as it is, images as `input_image`. What the API doesn't take is named in its place, such as audio and
binary resources, so that the model knows of it. Structured content is sent where there is no other:
servers repeat it as text. A result that says `isError` is an error for the model.
"""

import json

from cometresp.functions.results import Result, failure, success
from cometresp.text import to_bytes
from cometresp.wire.json import Json, listed, obj, text

_IMAGES = {"image/png", "image/jpeg", "image/gif", "image/webp"}
_MOST_IMAGES = 20_971_520  # characters of all data URLs; the API's limit for each one (API 9)


def result_of(reply: Json) -> Result:
    """The result of a call, by the `CallToolResult` of the server."""
    parts = [_part(block) for block in listed(reply.get("content"))]
    if not parts and reply.get("structuredContent") is not None:
        parts = [_text(json.dumps(reply["structuredContent"], ensure_ascii=False))]
    words = "\n".join(part["text"] for part in parts if "text" in part)
    if reply.get("isError"):
        return failure(words or "the tool failed, and didn't say why")
    whole = success(words)
    images = sum(len(part["image_url"]) for part in parts if "image_url" in part)
    if not whole.ok or not images:
        return whole
    if images > _MOST_IMAGES:
        return failure(
            f"the images have {images} characters in Base64; at most {_MOST_IMAGES} are accepted", head=words
        )
    return whole._replace(output=[part for part in parts if part.get("text") != ""])


def _part(block: Json) -> Json:
    match block.get("type"):
        case "text":
            return _text(text(block.get("text")))
        case "image":
            return _image(text(block.get("mimeType")), text(block.get("data")), "image")
        case "audio":
            return _left_out("audio", text(block.get("mimeType")), text(block.get("data")))
        case "resource":
            return _resource(obj(block.get("resource")))
        case "resource_link":
            return _link(block)
    return _text(f"[{text(block.get('type')) or 'a part'}: not sent]")


def _resource(resource: Json) -> Json:
    uri, kind = text(resource.get("uri")), text(resource.get("mimeType"))
    if isinstance(words := resource.get("text"), str):
        return _text(f"[resource {uri}]\n{words}")
    return _image(kind, text(resource.get("blob")), f"resource {uri}")


def _link(block: Json) -> Json:
    facts = [text(block.get(name)) for name in ("title", "name", "mimeType", "description")]
    known = ", ".join(dict.fromkeys(filter(None, facts)))
    return _text(f"[link to the resource {text(block.get('uri'))}{': ' if known else ''}{known}]")


def _image(kind: str, data: str, what: str) -> Json:
    """An image, or what it is called where the API doesn't take it."""
    if kind.lower() not in _IMAGES or not _is_base64(data):
        return _left_out(what, kind, data)
    return {"type": "input_image", "image_url": f"data:{kind.lower()};base64,{data}", "detail": "auto"}


def _is_base64(data: str) -> bool:
    from binascii import Error, a2b_base64

    try:
        return bool(a2b_base64(data, strict_mode=True))
    except (Error, ValueError):
        return False


def _left_out(what: str, kind: str, data: str) -> Json:
    size = len(data.rstrip("=")) * 3 // 4
    return _text(f"[{', '.join(filter(None, (what, kind, f'{size} bytes')))}: not sent]")


def _text(words: str) -> Json:
    return {"type": "input_text", "text": words if words.isascii() else to_bytes(words).decode()}
