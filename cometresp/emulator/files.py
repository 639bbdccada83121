"""Uploaded files (API 1, #13 to #15): the input of batches, and the output that is made of it."""

from collections.abc import Callable
from dataclasses import dataclass

from cometresp.emulator.context import NewId
from cometresp.emulator.errors import ApiError, invalid
from cometresp.emulator.form import Field
from cometresp.emulator.query import Query, page
from cometresp.emulator.rules import Json
from cometresp.emulator.store import File, Store

BATCH, OUTPUT = "batch", "batch_output"
_PURPOSES = ("assistants", BATCH, "fine-tune", "vision", "user_data", "evals")


@dataclass(frozen=True, slots=True)
class Files:
    """The files of a store. Each method raises ApiError for what doesn't exist."""

    store: Store
    clock: Callable[[], float]
    new_id: NewId

    def create(self, fields: dict[str, Field]) -> Json:
        for name in ("file", "purpose"):
            if name not in fields:
                raise invalid(name, f"Missing required parameter: '{name}'.", "missing_required_parameter")
        purpose = fields["purpose"].data.decode("utf-8", "replace")
        if purpose not in _PURPOSES:
            raise invalid("purpose", f"Invalid value: '{purpose}'. Supported values are: {', '.join(_PURPOSES)}.")
        given = fields["file"]
        file_id = self.new_id("file").replace("_", "-")
        made = File(file_id, given.filename or "upload", purpose, int(self.clock()), len(given.data))
        self.store.add_file(made, given.data)
        return _object(made)

    def get(self, file_id: str) -> Json:
        return _object(self.found(file_id))

    def content(self, file_id: str) -> bytes:
        self.found(file_id)
        return self.store.content(file_id)

    def delete(self, file_id: str) -> Json:
        self.found(file_id)
        self.store.delete_file(file_id)
        return {"id": file_id, "object": "file", "deleted": True}

    def page(self, query: Query) -> Json:
        purpose = query.get("purpose")
        return page([_object(each) for each in self.store.files() if purpose in (None, each.purpose)], query)

    def found(self, file_id: str, param: str = "id") -> File:
        if (found := self.store.file(file_id)) is None:
            raise ApiError(404, f"No such File object: {file_id}", param=param, code="not_found")
        return found


def _object(file: File) -> Json:
    return {
        "id": file.id,
        "object": "file",
        "bytes": file.size,
        "created_at": file.created,
        "filename": file.name,
        "purpose": file.purpose,
        "status": "processed",
        "expires_at": None,
        "status_details": None,
    }
