"""Helpers for tests of attached files."""

import base64
from typing import Any


def sent_part(body: Any, item: int = 0) -> Any:
    return body["input"][item]["content"][0]


def decoded(data_url: str) -> bytes:
    return base64.b64decode(data_url.partition(",")[2])
