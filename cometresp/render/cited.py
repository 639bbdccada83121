"""Citations in an answer: their numbers within the text, and the notes below it that the numbers refer to (API 6.4).

Pure. The numbers go into the Markdown on its way to the renderer, never into the answer itself. While an answer
streams, a citation may come after its text: its number is put in as long as that part of the text isn't printed yet.
"""

import re
from collections.abc import Iterable
from typing import Protocol

from cometresp.answer.answer import Answer
from cometresp.render.source import Source
from cometresp.text import escape_line
from cometresp.tuples import NamedTuple
from cometresp.wire.events import Event
from cometresp.wire.items import answer_parts, part_text
from cometresp.wire.json import Json, listed, obj, text

_WIDE = 100  # characters of a label
_MOST_WORK = 20_000_000  # characters looked through for one answer; after that no more numbers are put in
_PER_MESSAGE, _PER_NOTE = 1000, 200  # characters that a message and a citation count as
_PER_PARSED = 10  # that one counts as which is parsed
_FIRST_IDEOGRAPH = "\u2e80"  # from here on, words aren't separated
_NEAR = 2000  # characters before and behind a place in which code, links and addresses are looked for
_NO_PROSE = re.compile(r" {0,3}(?:`{3,}|~{3,}|\[[^\]\n]+\]:)|[-=|:*_+>\s]*\n?$")  # a line that a number would change
_CODE_OR_LINK = re.compile(r"(`+)(?:(?!\1)[^\n])+\1|!?\[[^\[\]\n]*\]\([^)\n]{0,500}\)|<[^<>\s]*>")
_URL = re.compile(r"(?<![(<])https?://")
_ENDS_URL = re.compile(r"[\s)>]")
_BRINGS = ("response.content_part.done", "response.output_item.done")


class Note(NamedTuple):
    """What is cited: a title or file name, and a web address or ""."""

    label: str
    address: str


class Splitter(Protocol):
    """Takes text as it comes; `insert` puts text before the end of what it was fed with, if that isn't printed yet."""

    def feed(self, text: str) -> None: ...

    def insert(self, text: str, *, before: str) -> bool: ...


class Cited:
    """Adds the numbers of citations to the text of one answer, on its way to a splitter of Markdown."""

    def __init__(self) -> None:
        self._numbers: dict[Note, int] = {}
        self._seen: set[tuple[int, int]] = set()  # (place, number) of what was put in, or came too late
        self._marks: dict[int, str] = {}  # what was put in, by its place in the text
        self._read = 0  # characters of the answer's text that were read
        self._next = -1  # the first place of which the text hasn't come, -1 for none
        self._work = 0
        self._source = Source()

    def feed(self, splitter: Splitter, new: str, event: Event | None, answer: Answer) -> None:
        """Pass on text that was read, with the numbers that belong there, or into what was passed on before.

        `event` is what the text came with, None at the end.
        """
        begin, self._read = self._read, self._read + len(new)
        if (_may_cite(event, answer) or 0 <= self._next <= self._read) and self._work < _MOST_WORK:
            new = self._marked(splitter, begin, new, answer)
        if new:
            splitter.feed(new)

    def notes(self, answer: Answer) -> list[Note]:
        """The notes of all citations, by their number."""
        self._count(note for _, note in places_in(_messages(answer))[1])
        return list(self._numbers)

    def _marked(self, splitter: Splitter, begin: int, new: str, answer: Answer) -> str:
        """The new text with its numbers; those of the text before `begin` are inserted."""
        messages = _messages(answer)
        whole, found = places_in(messages)
        self._work += len(whole) + _PER_MESSAGE * len(messages) + _PER_NOTE * len(found)
        self._count(note for _, note in found)
        self._next = -1
        if whole[begin : self._read] != new:  # secrets are masked, or another run showed the text before
            return new
        fresh: dict[int, str] = {}
        for place, number in sorted((place, self._numbers[note]) for place, note in found if place is not None):
            if place > self._read or (place == self._read and not answer.ended and whole[place - 1].isalnum()):
                self._next = max(place, self._read + 1)  # the word may go on
                break
            if (place, number) in self._seen or self._work > _MOST_WORK:
                continue
            self._seen.add((place, number))
            parsed = self._source.parsed
            at = fitting(whole, place, self._read, self._source)
            self._work += place + _PER_PARSED * (self._source.parsed - parsed)
            if at is None:
                continue
            mark = _mark(whole, at, number, again=at in self._marks or at in fresh)
            if at >= begin:
                fresh[at] = fresh.get(at, "") + mark
            elif splitter.insert(mark, before=_joined(whole, self._marks, at, begin)):
                self._marks[at] = self._marks.get(at, "") + mark
        self._marks |= fresh
        return fresh.pop(begin, "") + _joined(whole, fresh, begin, self._read)

    def _count(self, notes: Iterable[Note]) -> None:
        for note in notes:
            self._numbers.setdefault(note, len(self._numbers) + 1)


def with_numbers(message: Json) -> tuple[str, list[Note]]:
    """The whole text of a message with the numbers of its citations, and the notes by number."""
    whole, found = places_in(answer_parts([message], completed=True))
    numbers = {note: n for n, note in enumerate(dict.fromkeys(note for _, note in found), 1)}
    marks: dict[int, str] = {}
    source = Source()
    for place, number in sorted({(place, numbers[note]) for place, note in found if place is not None}):
        if place <= len(whole) and (at := fitting(whole, place, len(whole), source)) is not None:
            marks[at] = marks.get(at, "") + _mark(whole, at, number, again=at in marks)
    return _joined(whole, marks, 0, len(whole)), list(numbers)


def places_in(messages: list[list[Json]]) -> tuple[str, list[tuple[int | None, Note]]]:
    """The text of messages, given by their parts, as it is printed, and each citation with its place in that text.

    The place is None where it isn't known. That of the last part may be beyond the text so far.
    """
    pieces: list[str] = []
    found: list[tuple[int | None, Note]] = []
    length = 0
    for n, parts in enumerate(messages):
        if pieces and not pieces[-1].endswith("\n"):  # each message starts a line
            pieces.append("\n")
            length += 1
        for m, part in enumerate(parts):
            piece = part_text(part)
            is_last = n == len(messages) - 1 and m == len(parts) - 1
            for annotation in listed(part.get("annotations")):
                if note := _note(annotation):
                    place = _end(annotation)
                    known = place is not None and (is_last or place <= len(piece))
                    found.append((length + place if known and place is not None else None, note))
            if piece:
                pieces.append(piece)
                length += len(piece)
    return "".join(pieces), found


def fitting(whole: str, place: int, end: int, source: Source) -> int | None:
    """Where a number can stand that belongs at `place` in the first `end` characters; None where it would do harm.

    That is within code or a word, and in lines that are Markdown alone. Within a link it stands after it.
    """
    at = len(whole[:place].rstrip())
    start = whole.rfind("\n", 0, at) + 1
    stop = whole.find("\n", at, end)
    line = whole[start : end if stop < 0 else stop]
    if not at or _NO_PROSE.match(line) or source.has(whole, at, end):
        return None
    near = max(start, at - _NEAR)
    for match in _CODE_OR_LINK.finditer(line[: at + _NEAR - start], near - start):
        if match.start() < at - start < match.end():
            if match[1]:
                return None
            at = start + match.end()
    if line.lstrip().startswith("|"):  # the end of a row: within its last cell
        at = max(start + 1, start + len(whole[start:at].rstrip("| ")))
    if at < end and whole[at - 1].isalnum() and whole[at].isalnum() and whole[at - 1] < _FIRST_IDEOGRAPH:
        return None
    return at


def _messages(answer: Answer) -> list[list[Json]]:
    return answer_parts(answer.output, completed=answer.status == "completed")


def _may_cite(event: Event | None, answer: Answer) -> bool:
    """Whether there may be citations that weren't there before the event."""
    if event is None or answer.ended or event.type == "response.output_text.annotation.added":
        return True
    if event.type not in _BRINGS:
        return False
    parts = [obj(event.data.get("part")), *listed(obj(event.data.get("item")).get("content"))]
    return any(part.get("annotations") for part in parts)


def _note(annotation: Json) -> Note | None:
    url = text(annotation.get("url"))
    address = url if url.startswith(("https://", "http://")) and url.isascii() and url.isprintable() else ""
    label = str(annotation.get("title") or annotation.get("filename") or annotation.get("file_id") or url)
    return Note(escape_line(label, _WIDE), address) if label else None


def _end(annotation: Json) -> int | None:
    """The place in the part's text that a citation belongs to: after the cited characters, or the index of a file."""
    place = annotation.get("end_index", annotation.get("index"))
    return place if type(place) is int and place > 0 else None


def _mark(whole: str, at: int, number: int, *, again: bool) -> str:
    """A number as Markdown that is no link; a blank keeps it out of an address."""
    word = _ENDS_URL.split(whole[max(at - _NEAR, 0) : at])[-1]
    blank = " " if not again and _URL.search(word) else ""
    return rf"{blank}\[{number}\]"


def _joined(whole: str, marks: dict[int, str], begin: int, end: int) -> str:
    """The text from `begin` to `end` with the marks after `begin`."""
    made, last = [], begin
    for at in sorted(at for at in marks if begin < at <= end):
        made += [whole[last:at], marks[at]]
        last = at
    return "".join([*made, whole[last:end]])
