"""The body of a reply as it comes: as bytes, whole or in pieces, and as the text of a stream (API 7.1, 12.1).

The first bytes and the content type decide together what it is: what begins as JSON is read whole, what begins as a
field of server-sent events is a stream, whatever the type says; anything else goes by the type. A whole reply and one
event of a stream are read up to a limit, what is no answer up to a MiB.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from itertools import chain

import httpx

from cometresp.client.encoding import BrokenError, decoded, unreadable
from cometresp.errors import Cause, CometrespError, ProtocolError
from cometresp.tuples import NamedTuple
from cometresp.wire import replies
from cometresp.wire.masking import Secrets
from cometresp.wire.replies import Reply

STREAM_TYPE = "text/event-stream"
_BOM = b"\xef\xbb\xbf"
_LEAD = re.compile(rb"(?:\xef\xbb\xbf|\s)+")  # what says nothing
_NAMES = (b"data:", b"event:", b"retry:", b"id:", b":")
_FIELD = re.compile(r"(data|event|id|retry)?(:|$)")  # a line of a stream
# The line of a name that the data has, too.
_NAME = re.compile(r'event: (?<![^\n]event: )(response\.[a-z_.]+)\n(?=data: \{"type": ?"\1")')
_LINE_END = re.compile(r"\r\n|\r|\n")
_NEAR = 8  # events
_KEPT = 4096  # characters at the start and at the end of a stream that are looked at if it ends too early
_NO_ANSWER = 1 << 20  # bytes that are read of what is no answer
_LINE_COST = 64  # bytes of memory for each line of an event beside its text


def _silent(_: str) -> None:
    return


class Opened(NamedTuple):
    """A reply whose body hasn't been read.

    `watch` limits each wait for it; `broken` maps httpx's exceptions; `debug` gets a body that isn't an answer.
    `secrets` are masked in what is read. `limit` is the most bytes of a whole reply, or of one event.
    """

    reply: httpx.Response
    watch: Callable[[], AbstractContextManager[None]]
    broken: Callable[[httpx.TransportError], CometrespError]
    secrets: Secrets
    limit: int
    debug: Callable[[str], None] = _silent


def not_the_api(reply: httpx.Response, whole: Reply) -> ProtocolError:
    """The exception for a 2xx reply that holds neither a response nor an error."""
    return replies.not_the_api(whole, f"{reply.request.method} {reply.request.url.path}", kind_of(reply))


def kind_of(reply: httpx.Response) -> str:
    kind: str = reply.headers.get("content-type", "")
    return kind.partition(";")[0].strip().lower()


class Body:
    """The bytes of a reply, of which the first are read to see what they are."""

    def __init__(self, opened: Opened) -> None:
        self.opened = opened
        self._chunks = decoded(opened.reply)
        self._start = b""
        self._blanks = 0  # before the first byte that says something
        self._ended = False

    def is_stream(self) -> bool:
        """Whether it is a stream. Raises ProtocolError where it is compressed in a way that can't be read."""
        looks = self._looks()
        if looks != "other":
            return looks == "stream"
        if kind_of(self.opened.reply) != STREAM_TYPE:
            return False
        if why := unreadable(self.opened.reply, self._start):
            raise not_the_api(self.opened.reply, self._reply(b"", why))
        return True

    def is_json(self) -> bool:
        return self._looks() == "json"

    def watched(self) -> Iterator[bytes]:
        """All bytes as they come, each waited for as `watch` allows. Raises UnreachableError and ProtocolError."""
        chunk = self._start
        while chunk or not self._ended:
            yield chunk
            chunk = self._next()

    def chunks(self) -> Iterator[bytes]:
        """All bytes as they come. Raises httpx's exceptions and BrokenError."""
        return chain([self._start] if self._start else [], self._chunks)

    def whole(self) -> Reply:
        """The whole reply; of what isn't JSON at most a MiB."""
        is_json = self._looks() == "json"
        limit = self.opened.limit if is_json else _NO_ANSWER
        rest = bytearray(self._start)
        while not self._ended and len(rest) <= limit:
            rest += self._next()
        if is_json and len(rest) > limit:
            raise replies.too_large("the reply", limit)
        del rest[limit:]
        why = unreadable(self.opened.reply, rest)
        return self._reply(b"" if why else self.opened.secrets.body(bytes(rest)), why)

    def _looks(self) -> str:
        """`json`, `stream` or `other`, by the first bytes that aren't blank; blanks may come first."""
        while True:
            if lead := _LEAD.match(self._start):
                self._blanks += lead.end()
                self._start = self._start[lead.end() :]
            if self._blanks > self.opened.limit:
                raise replies.too_large("the reply", self.opened.limit)
            looks = _looks_like(self._start, ended=self._ended)
            if looks is not None:
                return looks
            self._start += self._next()

    def _reply(self, body: bytes, why: str) -> Reply:
        return Reply(self.opened.reply.status_code, self.opened.reply.headers, body, why)

    def _next(self) -> bytes:
        """The next bytes, b"" at the end."""
        try:
            with self.opened.watch():
                chunk = next(self._chunks, None)
        except httpx.TransportError as error:
            raise self.opened.broken(error) from error
        except BrokenError as error:
            raise ProtocolError(f"the reply's compression is broken: {error}", cause=Cause.PATH) from error
        self._ended = chunk is None
        return chunk or b""


def _looks_like(start: bytes, *, ended: bool) -> str | None:
    """`json`, `stream` or `other`, by the first bytes of a body; None where more are needed."""
    if not ended and _BOM.startswith(start):
        return None
    if start.startswith((b"{", b"[")):
        return "json"
    if start.startswith(_NAMES):
        return "stream"
    return None if not ended and any(name.startswith(start) for name in _NAMES) else "other"


class Text:
    """Takes the place of the reply in httpx-sse, and adds what that leaves out (API 7.1).

    UTF-8 whatever the content type says, no BOM, and a blank line at the end, so that a last event without one is not
    dropped. `cut` is set once the bytes have ended; `kept` characters of the start and of the end are kept.
    `is_suspect` is set once a secret may have come: looking into each chunk is cheaper than into each frame.
    `more` is set while events are read that another one follows in the same bytes.
    """

    def __init__(self, body: Body, chunks: Iterator[bytes], kept: int = _KEPT) -> None:
        self._opened = body.opened
        self._chunks = chunks
        self._kept = kept
        self._head = self._tail = ""
        self._held = 0  # bytes of memory for the event that hasn't ended
        self.headers = {"content-type": STREAM_TYPE}
        self.cut = False
        self.is_suspect = False
        self.more = False

    def iter_text(self) -> Iterator[str]:
        from codecs import getincrementaldecoder

        decoder = getincrementaldecoder("utf-8")("replace")
        chunks, kept = self._chunks, self._kept
        broken: httpx.TransportError | None = None
        first = True
        while True:
            try:
                with self._opened.watch():
                    chunk = next(chunks, None)
            except httpx.TransportError as error:
                broken, chunk = error, None
            except BrokenError as error:
                raise ProtocolError(f"the stream's compression is broken: {error}", cause=Cause.PATH) from error
            if chunk is None:
                break
            text = decoder.decode(chunk)
            if first and text:
                text, first = text.removeprefix("\ufeff"), False
            if text:
                is_too_large = self._is_too_large(text)
                if not self.is_suspect:
                    self.is_suspect = self._opened.secrets.may_stand_in(self._tail + text)
                if (missing := kept - len(self._head)) > 0:
                    self._head += text[:missing]
                is_within_line = self._tail[-1:] not in ("", "\n")
                self._tail = text[-kept:] if len(text) >= kept else (self._tail + text)[-kept:]
                if not is_within_line or not text.startswith("event: "):
                    text = _NAME.sub("", text)
                last = _last_delta(text)
                if last:
                    self.more = True
                    yield text[:last]
                    self.more = False
                yield text[last:]  # also where it is too large, since whole events may be in it
                if is_too_large:
                    raise replies.too_large("an event of the stream", self._opened.limit)
        self.cut = True
        yield decoder.decode(b"", final=True) + "\n\n"
        if broken:
            raise self._opened.broken(broken) from broken

    def _is_too_large(self, text: str) -> bool:
        """Whether the event that hasn't ended by the end of this text is larger than the limit."""
        text = self._tail[-3:] + text
        end = text.rfind("\n\n")
        if "\r" in text:
            end = max(end, text.rfind("\r\r"), text.rfind("\r\n\r\n"))
        if end >= 0:
            text, self._held = text[end:], 0
        self._held += len(text) + _LINE_COST * (text.count("\n") + text.count("\r"))
        return self._held > self._opened.limit

    def stray(self, *, at_end: bool) -> str:
        """The lines at the start or at the end of the stream that are no fields of it."""
        lines = _LINE_END.split(self._tail if at_end else self._head)
        if at_end and len(self._tail) == self._kept:
            lines[0] = ""  # it may be the end of a long line
        if any(name.startswith(lines[-1].encode(errors="replace")) for name in _NAMES):
            lines[-1] = ""  # the bytes ended within a field
        return "\n".join(line for line in lines if line.strip() not in ("", "[DONE]") and not _FIELD.match(line))


def _last_delta(text: str) -> int:
    """Where the last delta begins among the events that these bytes of a stream have whole; 0 if it isn't near the end.

    So what comes before the end of an answer is written before that is known, however the bytes are cut.
    """
    end = text.rfind("\n\n")
    for _ in range(_NEAR):
        begin = text.rfind("\n\n", 0, max(end, 0)) + 2
        if begin <= 1:
            break
        has_data = text.startswith("data: {", begin) or text.find("\ndata: {", begin, end) > 0
        if has_data and text.find('.delta"', begin, end) > 0:
            return begin
        end = begin - 2
    return 0
