"""Conversations (API 1, #8 to #10): items that the server keeps, and adds to the input of responses."""

from collections.abc import Callable
from dataclasses import dataclass

from cometresp.emulator.context import NewId, normalise
from cometresp.emulator.errors import ApiError, invalid
from cometresp.emulator.input_rules import check_input
from cometresp.emulator.query import Query, listed, page
from cometresp.emulator.rules import Json, expect
from cometresp.emulator.store import Conversation, Store
from cometresp.emulator.validation import check_metadata

_MOST = 20


@dataclass(frozen=True, slots=True)
class Conversations:
    """The conversations of a store. Each method raises ApiError for what doesn't exist."""

    store: Store
    clock: Callable[[], float]
    new_id: NewId

    def create(self, request: Json) -> Json:
        made = Conversation(self.new_id("conv"), self.clock(), _metadata(request))
        self.store.add_conversation(made, self._new_items(request.get("items")))
        return _object(made)

    def get(self, conversation_id: str) -> Json:
        return _object(self._found(conversation_id))

    def update(self, conversation_id: str, request: Json) -> Json:
        self._found(conversation_id)
        if "metadata" not in request:
            text = "Missing required parameter: 'metadata'."
            raise invalid("metadata", text, "missing_required_parameter")
        self.store.set_metadata(conversation_id, _metadata(request))
        return self.get(conversation_id)

    def delete(self, conversation_id: str) -> Json:
        self._found(conversation_id)
        self.store.delete_conversation(conversation_id)
        return {"id": conversation_id, "object": "conversation.deleted", "deleted": True}

    def items(self, conversation_id: str, param: str = "conversation_id") -> list[Json]:
        """All items of a conversation, oldest first."""
        self._found(conversation_id, param)
        return self.store.items_of(conversation_id, self.clock())

    def page(self, conversation_id: str, query: Query) -> Json:
        return page(self.items(conversation_id), query)

    def add(self, conversation_id: str, request: Json) -> Json:
        self._found(conversation_id)
        if request.get("items") is None:
            raise invalid("items", "Missing required parameter: 'items'.", "missing_required_parameter")
        items = self._new_items(request["items"])
        self.store.add_items(conversation_id, items, self.clock())
        return listed(items)

    def item(self, conversation_id: str, item_id: str) -> Json:
        found = (item for item in self.items(conversation_id) if item["id"] == item_id)
        if (item := next(found, None)) is None:
            text = f"Item with id '{item_id}' not found in conversation '{conversation_id}'."
            raise ApiError(404, text, param="item_id", code="not_found")
        return item

    def delete_item(self, conversation_id: str, item_id: str) -> Json:
        self.item(conversation_id, item_id)
        self.store.delete_item(conversation_id, item_id)
        return self.get(conversation_id)

    def resolved(self, value: str | list[Json] | None) -> list[Json]:
        """The items of an input in their full form, with the items that `item_reference`s name in their place."""
        return [self._referred(item) for item in normalise(value, self.new_id)]

    def _referred(self, item: Json) -> Json:
        if item["type"] != "item_reference":
            return item
        if (found := self.store.item(item["id"], self.clock())) is None:
            text = f"Item with id '{item['id']}' not found. Items are not persisted when 'store' is false."
            raise ApiError(404, text, param="input", code="not_found")
        return found

    def _new_items(self, value: list[Json] | None) -> list[Json]:
        if value is None:
            return []
        expect(value, "items", list)
        if len(value) > _MOST:
            text = f"Invalid 'items': array too long. Expected at most {_MOST}, but got {len(value)}."
            raise invalid("items", text, "array_above_max_length")
        check_input(value, "items")
        return self.resolved(value)

    def _found(self, conversation_id: str, param: str = "conversation_id") -> Conversation:
        if (found := self.store.conversation(conversation_id)) is None:
            text = f"Conversation with id '{conversation_id}' not found."
            raise ApiError(404, text, param=param, code="not_found")
        return found


def _metadata(request: Json) -> Json:
    metadata: Json = request.get("metadata") or {}
    check_metadata(metadata, "metadata")
    return metadata


def _object(conversation: Conversation) -> Json:
    return {
        "id": conversation.id,
        "object": "conversation",
        "created_at": int(conversation.created),
        "metadata": conversation.metadata,
    }
