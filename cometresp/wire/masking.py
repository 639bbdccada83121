"""The secrets of one run, and text and JSON with a mask in their place. Pure.

Whatever leaves the program passes through one `Secrets`: replies of a server as they are read, then what is printed on
stderr, in JSON, in the state file and on stdout. Servers repeat what they were sent, in errors above all.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from cometresp.text import json_bytes
from cometresp.wire.headers import MASK, names_key
from cometresp.wire.tool_secrets import Secret, with_changed_fields

# A value is masked wherever it stands from _LONG characters on, as a word of its own from _SHORT on. One that isn't
# known to be a key is masked in messages alone, since it may be an ordinary word; from _RANDOM characters on it isn't.
_SHORT, _LONG, _RANDOM = 4, 8, 20

Mask = Callable[[str], str]


class Secrets:
    """The values that must not be shown. `add` and its like are called before the value is first sent."""

    def __init__(self) -> None:
        self._certain = _Forms()  # masked in everything
        self._any = _Forms()  # masked in messages

    # what is secret -------------------------------------------------------------------------------------------------

    def add(self, value: str, *, certain: bool = True) -> bool:
        """A secret; `certain` if it is a key or a password, and not a word that an answer may contain by chance.

        Returns whether it will be masked wherever it stands.
        """
        value = value.strip()
        if len(value) < _SHORT:
            return False
        self._any.add(value)
        if not (certain and (len(value) >= _LONG or not value.isalpha())) and len(value) < _RANDOM:
            return False
        self._certain.add(value)
        return True

    def add_key(self, key: str) -> None:
        if key and not self.add(key):
            self.add(f"Bearer {key}")

    def add_header(self, name: str, value: str) -> None:
        """The value of a header, and the credentials in it: those after `Bearer`, in `Basic`, in a cookie."""
        certain = names_key(name)
        scheme, _, rest = value.strip().partition(" ")
        if not (scheme.isalpha() and rest and " " not in rest and self.add(rest, certain=certain)):
            self.add(value, certain=certain)
        parts = [part for part in re.split(r"[\s,;]+", value) if not part.isalpha()]
        parts += [part.partition("=")[2].strip('"') for part in parts]
        if scheme.lower() == "basic" and (user := _decoded(rest)):
            parts += [user, user.partition(":")[2]]
        for part in parts:
            self.add(part, certain=certain)

    def add_tool_secret(self, secret: Secret) -> str:
        """A secret of a tool that is sent; returns it."""
        if not secret.in_url:
            self.add_header(secret.name, secret.value)
            return secret.value
        from urllib.parse import unquote

        for value in (secret.value, unquote(secret.value)):
            self.add(value)
            if secret.name == "user":
                self.add(value.partition(":")[2])
        return secret.value

    # what is shown --------------------------------------------------------------------------------------------------

    def message(self, text: str) -> str:
        """A message for the user: an error, a warning, a line of --debug."""
        return self._any.masked(text)

    def output(self, data: bytes) -> bytes:
        """Bytes for stdout."""
        return data if len(data) < self._certain.shortest else self._certain.masked_bytes(data)

    def answer(self, text: str) -> str:
        """Text of an answer. Its events are masked one by one: only a value that was split over them can be in it."""
        return self._certain.masked(text) if self._certain.values_stand_in(text) else text

    def split(self, texts: list[str]) -> list[str]:
        """Texts that follow one another, with a mask where a value stands in them together."""
        whole = "".join(texts)
        if not self._certain.values_stand_in(whole):
            return texts
        spans, masked, start = self._certain.spans(whole), [], 0
        for text in texts:
            at, end, kept = start, start + len(text), ""
            for first, last in spans:
                if first < end and last > start:
                    kept += whole[at : max(first, at)] + (MASK if first >= start else "")
                    at = min(last, end)
            masked.append(kept + whole[at:end])
            start = end
        return masked

    @property
    def firsts(self) -> str:
        """The first characters of the secrets: a text without any of them has none, and begins none."""
        return self._certain.firsts

    def begun_at_end(self, text: str) -> int:
        """How many characters at the end of a text that goes on may be the start of a secret."""
        return self._certain.begun_at_end(text)

    def error(self, value: Any) -> Any:
        """JSON that describes an error, its texts as messages."""
        return _walk(value, self._any.masked)

    def value(self, value: Any) -> Any:
        """JSON for the state file. Secrets of MCP tools in it are masked too, even if this run doesn't know them."""
        try:
            return _walk(value, self._certain.masked)
        except RecursionError:  # nested too deeply
            import json

            return json.loads(self._certain.masked(json.dumps(value, ensure_ascii=False)))

    # what is read ---------------------------------------------------------------------------------------------------

    def may_stand_in(self, text: str) -> bool:
        """Whether `frame` may change JSON that is in this text."""
        return self._certain.stand_in(text) or '"mcp"' in text or '"domain_secrets"' in text

    def frame(self, text: str) -> str:
        """The JSON of a reply or an event as it came, or the same with masks."""
        with_tools = ('"mcp"' in text and '"tools"' in text) or '"domain_secrets"' in text
        if not with_tools and not self._certain.stand_in(text):
            return text
        import json

        try:
            data = json.loads(text)
            masked = _walk(data, self._certain.masked)
        except (ValueError, RecursionError):
            return self._certain.masked(text)
        return text if masked == data else json.dumps(masked, ensure_ascii=False)

    def body(self, data: bytes) -> bytes:
        """The body of a reply as it came, or the same with masks."""
        text = data.decode("utf-8-sig", "replace")
        masked = self.frame(text)
        return data if masked is text else json_bytes(masked)


of_runs: list[Secrets] = []  # of the runs of this process, for reports of bugs, which may come from any thread


def _walk(value: Any, mask: Mask) -> Any:
    """A copy of the JSON value with its strings masked."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, list):
        return [_walk(entry, mask) for entry in value]
    if not isinstance(value, dict):
        return value
    walked = {mask(name): _walk(entry, mask) for name, entry in value.items()}
    return with_changed_fields(walked, lambda secret: secret.masked)


# the forms of a value -----------------------------------------------------------------------------------------------


class _Forms:
    """The forms in which values may be written, each to be masked where it stands."""

    def __init__(self) -> None:
        self._forms: dict[str, str] = {}  # form -> its pattern
        self._values: dict[str, None] = {}
        self.firsts = ""
        self._bytes: list[bytes] = []
        self.shortest = 0
        self._pattern: re.Pattern[str] | None = None

    def add(self, value: str) -> None:
        found = len(self._forms)
        self._values[value] = None
        self.firsts += "" if value[0] in self.firsts else value[0]
        for form in _forms(value):
            word = (r"(?<![\w-])", r"(?![\w-])") if len(value) < _LONG else ("", "")
            self._forms.setdefault(form, re.escape(form).join(word))
        if len(self._forms) > found:
            # without digits alone, which may be a JSON number
            self._bytes = [form.encode(errors="replace") for form in self._forms if not form.isdigit()]
            self.shortest = min(map(len, self._bytes), default=0)
            self._pattern = None

    def stand_in(self, text: str) -> bool:
        """Whether a form may stand in the text."""
        for form in self._forms:  # once per event: a generator takes twice as long  # noqa: SIM110
            if form in text:
                return True
        return False

    def values_stand_in(self, text: str) -> bool:
        """Whether a value stands in the text as it is."""
        for value in self._values:  # once per event: a generator takes twice as long  # noqa: SIM110
            if value in text:
                return True
        return False

    def begun_at_end(self, text: str) -> int:
        """The length of the longest end of the text with which a value begins; a value that is whole doesn't count."""
        longest = 0
        for value in self._values:
            at = text.find(value[0], max(0, len(text) - len(value) + 1))
            while at >= 0 and not value.startswith(text[at:]):
                at = text.find(value[0], at + 1)
            if at >= 0:
                longest = max(longest, len(text) - at)
        return longest

    def stand_in_bytes(self, data: bytes) -> bool:
        if len(data) < self.shortest:
            return False
        return any(form in data for form in self._bytes)

    def masked(self, text: str) -> str:
        return self._compiled().sub(MASK, text) if self.stand_in(text) else text

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where forms stand in the text: their starts and ends."""
        return [found.span() for found in self._compiled().finditer(text)]

    def _compiled(self) -> re.Pattern[str]:
        if self._pattern is None:
            longest_first = sorted(self._forms, key=len, reverse=True)
            self._pattern = re.compile("|".join(self._forms[form] for form in longest_first))
        return self._pattern

    def masked_bytes(self, data: bytes) -> bytes:
        if not self.stand_in_bytes(data):
            return data
        return self.masked(data.decode(errors="surrogateescape")).encode(errors="surrogateescape")


def _forms(value: str) -> list[str]:
    """A value as it is, in JSON (also inside a string of JSON), in a URL, in HTML, in Base64."""
    from json import dumps
    from urllib.parse import quote

    in_json = dumps(value)[1:-1]
    in_url = [quote(value, safe=safe, errors="replace") for safe in ("", "/")]
    forms = [value, in_json, dumps(in_json)[1:-1], in_json.replace("/", "\\/")]
    forms += [*in_url, *(re.sub(r"%..", _lower, form) for form in in_url if "%" in form)]
    forms.append("".join(_IN_HTML.get(character, character) for character in value))
    forms.append("".join(f"\\u{ord(character):04x}" if character in _IN_HTML else character for character in in_json))
    if len(value) >= _LONG:
        forms += _in_base64(value.encode(errors="replace"))
    return list(dict.fromkeys(forms))


_IN_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}


def _lower(found: re.Match[str]) -> str:
    return found[0].lower()


def _in_base64(data: bytes) -> Iterator[str]:
    """What Base64 makes of the bytes inside a longer text, wherever they begin there; with both alphabets."""
    from binascii import b2a_base64

    for before in range(3):
        encoded = b2a_base64(bytes(before) + data, newline=False).decode()
        first, last = (before * 8 + 5) // 6, (before + len(data)) * 8 // 6
        inner = encoded[first:last]
        yield inner
        yield inner.replace("+", "-").replace("/", "_")


def _decoded(base64: str) -> str:
    from binascii import Error, a2b_base64

    try:
        return a2b_base64(base64).decode()
    except (Error, ValueError):
        return ""
