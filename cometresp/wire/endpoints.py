"""The requests of every endpoint (API 1) as values. The client sends them; --dry-run, --curl and --debug print them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from cometresp.tuples import NamedTuple
from cometresp.wire.json import Json
from cometresp.wire.payload import Content
from cometresp.wire.urls import joined, root_of

if TYPE_CHECKING:
    from cometresp.wire.form import Form

PAGE = 100  # the most items in a page (API 1, #5, #10)
NEW = "new"  # what --conversation takes in place of an id
# The fields of a request whose tokens are counted (API 1, #6).
_COUNTED = (
    *("model", "instructions", "input", "previous_response_id", "conversation", "tools", "tool_choice"),
    *("parallel_tool_calls", "text", "reasoning", "truncation", "personality"),
)
_JSON = {"Accept": "application/json"}
_JSON_BODY = {**_JSON, "Content-Type": "application/json"}
_STREAM = {"Accept": "text/event-stream", "Cache-Control": "no-store"}


class Request(NamedTuple):
    """A request, relative to the base URL.

    `path` is percent-encoded, `query` isn't. `headers` are those of the endpoint; the client adds the key and the
    user's headers. `body` is sent as JSON, `form` as a form. One that is `public` is relative to the base URL without
    its `/v1`, and sent without keys.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = {}
    body: Json | None = None
    public: bool = False
    form: "Form | None" = None

    def url(self, base_url: str) -> str:
        """The whole URL."""
        return joined(root_of(base_url) if self.public else base_url, self.target)

    @property
    def target(self) -> str:
        """Path and query, as in `/responses/resp_1?stream=true`."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path


def create(body: Json) -> Request:
    accept = "text/event-stream" if body.get("stream") else "application/json"
    headers = {"Accept": accept, "Content-Type": "application/json", "Cache-Control": "no-store"}
    return Request("POST", "/responses", headers=headers, body=body)


def count_tokens(body: Json) -> Request:
    """The number of input tokens of the request with this body, whose other fields are left out (API 1, #6).

    A conversation that is yet to be created is left out too: it is empty.
    """
    counted = {name: value for name, value in body.items() if name in _COUNTED}
    if counted.get("conversation") == NEW:
        del counted["conversation"]
    return Request("POST", "/responses/input_tokens", headers=_JSON_BODY, body=counted)


def compact(body: Json) -> Request:
    """Items in place of those of a conversation (API 1, #7)."""
    return Request("POST", "/responses/compact", headers=_JSON_BODY, body=body)


def create_conversation() -> Request:
    """A new conversation, without items (API 1, #8)."""
    return Request("POST", "/conversations", headers=_JSON_BODY, body={})


def get(response_id: str, include: Sequence[str] = ()) -> Request:
    return Request("GET", _path(response_id), _include(include), _JSON)


def follow(response_id: str, after: int | None = None, include: Sequence[str] = ()) -> Request:
    """The response as a stream of the events numbered above `after` (API 7.5)."""
    query = (("stream", "true"), *_include(include))
    if after is not None:
        query = (*query, ("starting_after", str(after)))
    return Request("GET", _path(response_id), query, _STREAM)


def cancel(response_id: str) -> Request:
    return Request("POST", _path(response_id, "/cancel"), headers=_JSON)


def delete(stored_id: str) -> Request:
    """Delete a response or a conversation (API 1, #3, #9)."""
    return Request("DELETE", _path(stored_id), headers=_JSON)


def items(
    stored_id: str, *, order: str = "asc", limit: int = PAGE, after: str | None = None, include: Sequence[str] = ()
) -> Request:
    """One page of the input items of a response, or of the items of a conversation (API 1, #5, #10)."""
    query = (("order", order), ("limit", str(limit)), *_include(include))
    if after is not None:
        query = (*query, ("after", after))
    return Request("GET", _path(stored_id, "/items" if is_conversation(stored_id) else "/input_items"), query, _JSON)


def catalogue() -> Request:
    """CometAPI's list of all models, with prices (API 1, #12)."""
    return Request("GET", "/api/models", headers=_JSON, public=True)


def models() -> Request:
    """The models that the key can use (API 1, #11)."""
    return Request("GET", "/models", headers=_JSON)


# files and batches --------------------------------------------------------------------------------------------------

BATCH_URL = "/v1/responses"  # of each line of a batch, and of the batch (API 13.1)


def upload(filename: str, file: Content, purpose: str = "batch") -> Request:
    """Upload the input of a batch (API 1, #13)."""
    from cometresp.wire.form import Form

    form = Form.of((("purpose", purpose),), filename, file)
    return Request("POST", "/files", headers={**_JSON, "Content-Type": form.content_type}, form=form)


def content(file_id: str) -> Request:
    """The bytes of a file (API 1, #14)."""
    return Request("GET", f"/files/{quote(file_id, safe='')}/content", headers={"Accept": "*/*"})


def create_batch(body: Json) -> Request:
    """A new batch (API 1, #16)."""
    return Request("POST", "/batches", headers=_JSON_BODY, body=body)


def batch(batch_id: str) -> Request:
    """A batch as it is now (API 1, #17)."""
    return Request("GET", f"/batches/{quote(batch_id, safe='')}", headers=_JSON)


def cancel_batch(batch_id: str) -> Request:
    return Request("POST", f"/batches/{quote(batch_id, safe='')}/cancel", headers=_JSON)


def batches(limit: int, after: str | None = None) -> Request:
    """A page of the batches, the newest first (API 1, #19)."""
    query = (("limit", str(limit)), *((("after", after),) if after is not None else ()))
    return Request("GET", "/batches", query, _JSON)


def is_conversation(stored_id: str) -> bool:
    """Whether an id is that of a conversation, by its prefix (API 1, #8)."""
    return stored_id.startswith("conv_")


def _path(stored_id: str, suffix: str = "") -> str:
    kind = "conversations" if is_conversation(stored_id) else "responses"
    return f"/{kind}/{quote(stored_id, safe='')}{suffix}"


def _include(names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    return tuple(("include[]", name) for name in names)
