"""The text of an answer as it comes: in the order of the output, each message on a line of its own, nothing twice."""

from bisect import bisect_left
from io import StringIO

from cometresp.answer.index import Items
from cometresp.answer.items import Item, Part
from cometresp.text import join_surrogates
from cometresp.wire.items import ANSWER_PARTS
from cometresp.wire.masking import Secrets


class Reader:
    """Collects the new text of the messages until it is taken: `unread`; that of commentary apart.

    `current` is the part whose deltas are shown as they come; an item waits for those before it. With `rest_only`,
    earlier events were shown by another run, and are not known here.
    """

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self.rest_only = False
        self.current: Part | None = None
        self.unread = StringIO()
        self._position = (-1, -1)  # the indexes of the current item and part, or of what comes after
        self._shown: Item | None = None  # the message that the text shown last is from
        self._last = ""  # last character of the text that was taken
        self._commentary = StringIO()
        self._commented: Item | None = None

    # the answer ------------------------------------------------------------------------------------------------------

    def take(self) -> str:
        """The text that is new since the last call, without secrets.

        Half of a surrogate pair, or of what may become a secret, is kept until the other half comes.
        """
        new = self.unread.getvalue()
        if not new:
            return ""
        self.unread = StringIO()
        for first in self._secrets.firsts:
            if first in new:
                break
        else:
            if new.isascii():  # nearly always
                self._last = new[-1]
                return new
        kept = self._secrets.begun_at_end(new)
        if not new.isascii():
            new = join_surrogates(new)
            kept = kept or int("\ud800" <= new[-1] <= "\udbff")
        if kept:
            self.unread.write(new[-kept:])
            new = new[:-kept]
        self._last = new[-1:] or self._last
        return self._secrets.answer(new)

    def move(self, items: Items) -> None:
        """Make the next part with text the current one, after those that are closed."""
        messages = items.messages
        for at in range(bisect_left(messages, self._position[0]), len(messages)):
            item = items.by_index[messages[at]]
            if not item.is_commentary and (
                item.repeats is not None or not self._move_within(item) or not item.is_closed
            ):
                return
            self._position = (item.index + 1, 0)

    def _move_within(self, item: Item) -> bool:
        """The same among the parts of one message; whether it is past all of them."""
        for c, part in sorted(item.parts.get("content", {}).items()):
            if (item.index, c) < self._position or part.type not in ANSWER_PARTS:
                continue
            if part is not self.current:
                if not part.is_closed and not part.streamed.tell():
                    return False
                self._position, self.current = (item.index, c), part
                self._show(part.streamed.getvalue(), item)
            if not part.is_closed:
                return False
            rest = part.unstreamed()
            if item.was_added or not self.rest_only:
                part.streamed.write(rest)
                self._show(rest, item)
            self._position = (item.index, c + 1)
        return True

    def _show(self, new: str, item: Item) -> None:
        """Text of a message; a further message starts a line."""
        if not new:
            return
        if self._shown not in (None, item) and (_last_of(self.unread) or self._last) != "\n":
            self.unread.write("\n")
        self._shown = item
        self.unread.write(new)

    # commentary ------------------------------------------------------------------------------------------------------

    @property
    def has_commentary(self) -> bool:
        return self._commentary.tell() > 0

    def take_commentary(self) -> str:
        """The commentary that is new since the last call; each message of it starts a line."""
        new, self._commentary = self._commentary.getvalue(), StringIO()
        return join_surrogates(new)

    def comment(self, item: Item, new: str) -> None:
        """New text of a message that is commentary."""
        if self._commented not in (None, item):
            self._commentary.write("\n")
        self._commented = item
        self._commentary.write(new)

    def comment_whole(self, item: Item) -> None:
        """What the full value of a message has beyond its deltas, if it is commentary."""
        if item.type != "message" or not item.is_commentary:
            return
        for _, part in sorted(item.parts.get("content", {}).items()):
            if part.type in ANSWER_PARTS and (rest := part.unstreamed()):
                part.streamed.write(rest)
                self.comment(item, rest)


def _last_of(written: StringIO) -> str:
    """The last character of a text to which characters are only added."""
    length = written.tell()
    if not length:
        return ""
    written.seek(length - 1)
    return written.read(1)
