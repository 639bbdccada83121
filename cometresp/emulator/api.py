"""The endpoints (API 1) without HTTP: a request in, JSON or a stream of events out."""

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from cometresp.emulator import catalogue
from cometresp.emulator.batches import Batches
from cometresp.emulator.conversations import Conversations
from cometresp.emulator.errors import ApiError, invalid
from cometresp.emulator.files import Files
from cometresp.emulator.form import parse_form
from cometresp.emulator.lifecycle import Reply, Responses
from cometresp.emulator.query import Query, flag, page, parse, whole
from cometresp.emulator.rules import Json
from cometresp.emulator.store import Store


def _new_id(prefix: str) -> str:
    return f"{prefix}_{os.urandom(16).hex()}"


def _sleep(seconds: float) -> bool:
    time.sleep(seconds)
    return True


@dataclass(frozen=True, slots=True)
class Api:
    """The endpoints over one store.

    `wait` waits for a number of seconds and returns whether to continue; `delay` is the pause between streamed deltas,
    in seconds.
    """

    store: Store
    delay: float = 0.0
    clock: Callable[[], float] = time.time
    wait: Callable[[float], bool] = field(default=_sleep)

    def handle(
        self,
        method: str,
        path: str,
        query: Query,
        body: bytes = b"",
        forced: frozenset[str] = frozenset(),
        *,
        content_type: str = "",
    ) -> Reply:
        """The reply to a request. Raises ApiError.

        `forced` are `emulate:` words for a created response (Context), or `batch=WORD` for a batch. `content_type` is
        that of the body, where it isn't JSON.
        """
        allowed = set()
        for route_method, pattern, endpoint in _ROUTES:
            if found := re.fullmatch(pattern, path):
                if route_method == method:
                    return endpoint(self._call(found.groups(), query, body, forced, content_type))
                allowed.add(route_method)
        if allowed or method not in ("GET", "POST", "DELETE"):
            raise ApiError(405, f"Method {method} is not allowed for {path}", code="method_not_allowed")
        raise ApiError(404, f"Invalid URL ({method} {path})", code="not_found")

    def _call(
        self, parts: tuple[str, ...], query: Query, body: bytes, forced: frozenset[str], content_type: str
    ) -> "Call":
        conversations = Conversations(self.store, self.clock, _new_id)
        responses = Responses(self.store, conversations, self.delay, self.clock, self.wait, _new_id)
        files = Files(self.store, self.clock, _new_id)
        batches = Batches(self.store, files, responses, self.clock, _new_id)
        return Call(responses, conversations, files, batches, parts, query, body, forced, content_type)


@dataclass(frozen=True, slots=True)
class Call:
    """One request to an endpoint: the parts of its path, its query, its body and the forced `emulate:` words."""

    responses: Responses
    conversations: Conversations
    files: Files
    batches: Batches
    parts: tuple[str, ...]
    query: Query
    body: bytes
    forced: frozenset[str]
    content_type: str

    def json(self) -> Json:
        return parse(self.body)


def _retrieve(call: Call) -> Reply:
    record = call.responses.stored(call.parts[0])
    if not flag(call.query, "stream"):
        return call.responses.view(record)
    if not record.streamed:
        text = f"Response with id '{record.id}' cannot be streamed because it was not created with stream=true."
        raise invalid("stream", text)
    after = whole(call.query, "starting_after", -1)
    return call.responses.follow(record, after, obfuscated=flag(call.query, "include_obfuscation"))


_RESPONSE = r"/v1/responses/([^/]+)"
_CONVERSATION = r"/v1/conversations/([^/]+)"
_ITEM = _CONVERSATION + "/items/([^/]+)"
_FILE = r"/v1/files/([^/]+)"
_BATCH = r"/v1/batches/([^/]+)"
_ROUTES: tuple[tuple[str, str, Callable[[Call], Reply]], ...] = (
    ("POST", r"/v1/responses", lambda call: call.responses.create(call.json(), call.forced)),
    ("POST", r"/v1/responses/input_tokens", lambda call: call.responses.count(call.json())),
    ("POST", r"/v1/responses/compact", lambda call: call.responses.compact(call.json())),
    ("GET", _RESPONSE, _retrieve),
    ("DELETE", _RESPONSE, lambda call: call.responses.delete(call.responses.stored(call.parts[0]))),
    ("POST", _RESPONSE + "/cancel", lambda call: call.responses.cancel(call.responses.stored(call.parts[0]))),
    ("GET", _RESPONSE + "/input_items", lambda call: page(call.responses.stored(call.parts[0]).items, call.query)),
    ("POST", r"/v1/conversations", lambda call: call.conversations.create(call.json() if call.body else {})),
    ("GET", _CONVERSATION, lambda call: call.conversations.get(*call.parts)),
    ("POST", _CONVERSATION, lambda call: call.conversations.update(call.parts[0], call.json())),
    ("DELETE", _CONVERSATION, lambda call: call.conversations.delete(*call.parts)),
    ("GET", _CONVERSATION + "/items", lambda call: call.conversations.page(call.parts[0], call.query)),
    ("POST", _CONVERSATION + "/items", lambda call: call.conversations.add(call.parts[0], call.json())),
    ("GET", _ITEM, lambda call: call.conversations.item(*call.parts)),
    ("DELETE", _ITEM, lambda call: call.conversations.delete_item(*call.parts)),
    ("POST", r"/v1/files", lambda call: call.files.create(parse_form(call.body, call.content_type))),
    ("GET", r"/v1/files", lambda call: call.files.page(call.query)),
    ("GET", _FILE, lambda call: call.files.get(*call.parts)),
    ("DELETE", _FILE, lambda call: call.files.delete(*call.parts)),
    ("GET", _FILE + "/content", lambda call: call.files.content(*call.parts)),
    ("POST", r"/v1/batches", lambda call: call.batches.create(call.json(), call.forced)),
    ("GET", r"/v1/batches", lambda call: call.batches.page(call.query)),
    ("GET", _BATCH, lambda call: call.batches.get(*call.parts)),
    ("POST", _BATCH + "/cancel", lambda call: call.batches.cancel(*call.parts)),
    ("GET", r"/v1/models", lambda _: catalogue.list_models()),
    ("GET", r"/v1/models/(.+)", lambda call: catalogue.get_model(call.parts[0])),
    ("GET", r"/api/models", lambda _: catalogue.list_catalogue()),
)
