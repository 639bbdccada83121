"""The items of an answer, found by their index, their id, or as the one that was opened last (API 7.3.2, 12.2).

Each look-up takes the same time however many items there are.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import Self

from cometresp.answer.items import Item
from cometresp.wire.items import distinct, fuller, id_of_item, identity, type_of
from cometresp.wire.json import Json


class Items:
    """The items by their output index, and which of them an event refers to.

    An item is told apart by its type and id (API 12.15). `by_index` also has the indexes at which an item was repeated;
    `order` are those of each item, `messages` those of each message. `changed` are the items that were opened or ended
    since it was emptied, and `latest` is the one that was opened or referred to last.
    """

    def __init__(self) -> None:
        self.by_index: dict[int, Item] = {}
        self.order: list[int] = []
        self.messages: list[int] = []
        self.changed: dict[Item, None] = {}
        self.latest: Item | None = None
        self._next = 0  # an index above all others
        self._open: dict[Item, None] = {}  # not complete, in the order in which they were opened
        self._open_ids: dict[str, dict[Item, None]] = {}
        self._complete_ids: dict[str, Item] = {}
        self._twins: dict[tuple[str, str], Item] = {}  # the first item of each identity

    @classmethod
    def of_terminal(cls, output: list[Json], before: "Items") -> Self:
        """The items of a terminal response: each is the earlier one with its id, else the one at its position."""
        output, old = distinct(output), list(before)
        by_id = {item.id: item for item in reversed(old) if item.id}
        found = [by_id.pop(id_of_item(json), None) for json in output]
        taken = set(found)
        items = cls()
        for n, json in enumerate(output):
            item = found[n]
            if item is None and n < len(old) and old[n] not in taken and old[n].accepts(type_of(json, "message")):
                item = old[n]
            item = item or Item("message")
            item.repeats = None
            items._add(n, item)
            items._take(item, json)
        return items

    def __bool__(self) -> bool:
        return bool(self.order)

    def __iter__(self) -> Iterator[Item]:
        """The items in the order of the output."""
        return map(self.by_index.__getitem__, self.order)

    def open(self) -> Iterator[Item]:
        """The items that aren't complete, the last opened first."""
        return reversed(self._open)

    # applying events -------------------------------------------------------------------------------------------------

    def start(self, json: Json, index: int | None) -> None:
        """Apply `output_item.added`: a new item, unless it was added before or its first events came earlier."""
        item_id, kind = id_of_item(json), type_of(json, "message")
        item = self._open_with(item_id) if index is None else self.by_index.get(index)
        if (
            item is None
            or item.is_complete
            or not item.accepts(kind)
            or (item.was_added and not (item_id and item.id == item_id))
        ):
            item = self._new(index, kind)
            item.repeats = self._twin(json)
        self._forget(item)
        item.start(json)
        self._remember(item)
        self.latest = item

    def complete(self, json: Json, index: int | None) -> Item:
        """Apply `output_item.done`: to the item with its id, or the open one at its index, or the last of its type."""
        item_id, kind = id_of_item(json), type_of(json, "message")
        at = None if index is None else self.by_index.get(index)
        item = self._open_with(item_id) if at is None or at.is_complete or at.id != item_id or not item_id else at
        if item is None and at is not None and not at.is_complete and at.accepts(kind):
            item = at
        if item is None and (index is None or at is not None):
            item = next((other for other in self._accepting(kind) if other.type == kind), None)
        twin = self._twin(json)
        if twin is not None and (full := fuller(twin.as_dict(), json)) is not None:
            if item is not None and item is not twin:
                self._drop(item, twin)
            elif item is None and index is not None:
                self.by_index[index] = twin
            item, json = twin, full
        elif item is None and twin is None and at is not None and item_id and at.id == item_id and at.accepts(kind):
            item = at  # its full value again
        item = item or self._new(index, kind)
        item.repeats = None
        self._take(item, json)
        return item

    def settle_repeats(self) -> None:
        """No more events come: what repeats another item is dropped, unless it says something of its own."""
        for item in [item for item in self.open() if item.repeats is not None][::-1]:
            twin, item.repeats = item.repeats, None
            again = item.as_dict()
            if twin is None or (full := fuller(twin.as_dict(), again)) is None:
                continue
            self._drop(item, twin)
            if full is again and not twin.is_complete:
                self._take(twin, full)

    def close(self) -> None:
        """Close the items that are still open."""
        self.settle_repeats()
        for item in self.open():
            self.changed[item] = None
            item.close()

    def find(self, index: int | None, item_id: str, kind: str, *, more: bool) -> Item:
        """The item for an event whose index, id or both may be missing or wrong; made if it was not added (API 12.4).

        A known id decides, because some servers send index 0 for every item. An unknown id is ignored, because gateways
        change ids between events. A complete item can't be extended, but an event with a late full value may refer to
        it. `more`: the event extends the item.
        """
        at = None if index is None else self.by_index.get(index)
        item = self._open_with(item_id) if at is None or at.id != item_id or at.is_complete else at
        if item is not None and item.accepts(kind):
            return item
        if not more:
            late = at if at is not None and item_id in ("", at.id) else self._complete_ids.get(item_id)
            if late is not None and late.is_complete:
                return late
        if at is not None and not at.is_complete and at.accepts(kind):
            return at
        if index is None or at is not None:
            last = next(self._accepting(kind), None)
            if last is not None and (not item_id or not last.id or last.was_added):
                return last
        item = self._new(index, kind)
        item.id = item_id
        self._remember(item)
        return item

    # the indexes -----------------------------------------------------------------------------------------------------

    def _open_with(self, item_id: str) -> Item | None:
        """The item with this id that isn't complete."""
        return next(iter(self._open_ids.get(item_id, ())), None) if item_id else None

    def _accepting(self, kind: str) -> Iterator[Item]:
        """The items that an event of this kind can extend, the last opened first."""
        return (item for item in self.open() if item.accepts(kind))

    def _twin(self, json: Json) -> Item | None:
        """The item that has the identity of this one, complete or not."""
        key = identity(json)
        return None if key is None else self._twins.get(key)

    def _new(self, index: int | None, kind: str) -> Item:
        if index is None or index in self.by_index:
            index = self._next
        item = Item(kind)
        self._add(index, item)
        self._remember(item)
        return item

    def _add(self, index: int, item: Item) -> None:
        item.index = index
        self.by_index[index] = item
        self._next = max(self._next, index + 1)
        insort(self.order, index)

    def _drop(self, item: Item, twin: Item) -> None:
        """An item turned out to be another one again; events that name its index refer to that one from now on."""
        self._forget(item)
        self.changed.pop(item, None)
        for indexes in (self.order, self.messages):
            n = bisect_left(indexes, item.index)
            if n < len(indexes) and indexes[n] == item.index:
                del indexes[n]
        self.by_index[item.index] = twin

    def _take(self, item: Item, json: Json) -> None:
        """Complete an item."""
        self._forget(item)
        item.complete(json)
        self._remember(item)

    def _forget(self, item: Item) -> None:
        """Take an item out of the look-ups whose keys are about to change."""
        self._open.pop(item, None)
        if ids := self._open_ids.get(item.id):
            ids.pop(item, None)

    def _remember(self, item: Item) -> None:
        self.changed[item] = None
        if item.type == "message":
            n = bisect_left(self.messages, item.index)
            if n == len(self.messages) or self.messages[n] != item.index:
                self.messages.insert(n, item.index)
        if item.json and (key := identity(item.json)):
            self._twins.setdefault(key, item)
        if item.is_complete:
            self._complete_ids.setdefault(item.id, item)
            return
        self._open[item] = None
        if item.id:
            self._open_ids.setdefault(item.id, {})[item] = None
