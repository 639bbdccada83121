"""Items as they are recorded, and the recorded conversation sent in place of a response id."""

from cometresp.errors import Next, OutputError, RequestRefusedError, UsageError
from cometresp.paths import Reading
from cometresp.runtime import Runtime
from cometresp.state.records import COMPACTED, Turn
from cometresp.text import escape_line
from cometresp.wire.events import GOOD
from cometresp.wire.ids import abridged_id
from cometresp.wire.items import distinct, sent_back
from cometresp.wire.json import Json, obj, text

STAND_IN = "cometresp_stand_in"  # in a recorded part whose bytes were not: where they are, and what they were
_NO_REPLAY = "the conversation can't be replayed: "
# Where the bytes of a part are, by the part's type (API 3.1).
_BYTES_KEY = {"input_file": "file_data", "input_image": "image_url", "input_text": "text"}


# the record ---------------------------------------------------------------------------------------------------------


def recorded_items(items: list[Json]) -> list[Json]:
    """Items as they are kept: large attachments by path, size and digest."""
    return [
        {**item, "content": [_kept_part(part) for part in item["content"]]}
        if isinstance(item.get("content"), list)
        else item
        for item in items
    ]


def _kept_part(part: object) -> object:
    key = _BYTES_KEY.get(str(obj(part).get("type")))
    if not isinstance(part, dict) or key is None:
        return part
    from cometresp.request import content
    from cometresp.wire.payload import HELD_BYTES

    value = part.get(key)
    if isinstance(value, str) and key != "text" and value.startswith("data:"):  # given in --input or --body
        if len(value) * 3 // 4 > HELD_BYTES and (shorter := content.given_stand_in(value)) != value:
            return {**part, key: shorter, STAND_IN: {}}
    elif isinstance(value, content.DataUrl | content.FencedText):
        source = value.source
        if source.size <= HELD_BYTES:
            return {**part, key: content.whole_text(value)}
        kept = {"path": source.path, "size": source.size, "sha256": source.sha256}
        return {**part, key: content.with_stand_ins(value), STAND_IN: kept}
    return part


def sent_items(turn: Turn, reading: Reading) -> list[Json]:
    """The recorded input of a turn as it was sent. Raises RequestRefusedError (65) for a file that isn't the same."""
    try:
        return [_restored(item, turn, reading) for item in turn.input or ()]
    except RequestRefusedError as error:
        raise error.with_message(error.message.replace(_NO_REPLAY, "the turn can't be sent again: ", 1)) from None


def _restored(item: Json, turn: Turn, reading: Reading) -> Json:
    """A recorded item as it was sent: large attachments are read from their files again."""
    parts = item.get("content")
    if not isinstance(parts, list) or not any(STAND_IN in obj(part) for part in parts):
        return item
    return {**item, "content": [_restored_part(part, turn, reading) for part in parts]}


def _restored_part(part: object, turn: Turn, reading: Reading) -> object:
    if not isinstance(part, dict) or STAND_IN not in part:
        return part
    kept, source_turn = obj(part[STAND_IN]), abridged_id(turn.id)
    path, file = text(kept.get("path")), escape_line(str(part.get("filename") or part.get("type")))
    key = _BYTES_KEY.get(text(part.get("type")))
    if not path or key is None or not isinstance(part.get(key), str):
        raise _incomplete(f"an attachment of {source_turn} ({file}) was too large to record, and came from no file")
    from cometresp.request import attachments
    from cometresp.request.files import open_file

    try:
        with reading(path):
            source = open_file("--file", path)
            if (source.size, source.sha256) != (kept.get("size"), kept.get("sha256")):
                raise _incomplete(f"{source.shown}, attached to {source_turn}, has changed since")
            again = attachments.replayed(source, part[key], lambda _: None)
    except UsageError as error:
        raise _incomplete(f"an attachment of {source_turn}: {error.message.removeprefix('--file: ')}") from error
    return {**{name: value for name, value in part.items() if name != STAND_IN}, key: again}


# the replay ---------------------------------------------------------------------------------------------------------


def conversation_items(runtime: Runtime, last: Turn, model: object) -> list[Json]:
    """The items of the recorded conversation up to and with a turn, from its last compaction on.

    Raises RequestRefusedError (65) where the record isn't complete. Reasoning is left out where it isn't encrypted, or
    came from another model or server (API 3.3). Another server can't read a compaction: it gets the turns before it.
    """
    state = runtime.open_state(create=False)
    if state is None:
        raise OutputError("the state file is gone: the conversation can't be replayed")
    with state:
        lineage = state.turns.lineage(last)
    items: list[Json] = []
    for turn in _replayed_turns(lineage, runtime.base_url):
        name = abridged_id(turn.id)
        if turn.input is None or turn.output is None:
            raise _incomplete(f"the text of {name} was not recorded, or is older than what is kept")
        if turn.status not in (*GOOD, COMPACTED):
            raise _incomplete(f"{name} ended as {turn.status}: what is recorded of it is not a whole answer")
        same = turn.base_url == runtime.base_url and turn.model == model
        items += [_restored(item, turn, runtime.reading) for item in turn.input]
        items += [item for item in sent_back(distinct(turn.output)) if same or item.get("type") != "reasoning"]
    return items


def _replayed_turns(lineage: list[Turn], base_url: str) -> list[Turn]:
    """The turns from the last compaction by this server on; where there is none, all but the compactions of others."""
    compactions = [n for n, turn in enumerate(lineage) if turn.status == COMPACTED and turn.base_url == base_url]
    if compactions:
        return lineage[compactions[-1] :]
    root = lineage[0]
    if root.previous_id is not None or root.settings.conversation is not None or root.parent is not None:
        before = root.previous_id or root.settings.conversation or "its beginning"
        raise _incomplete(f"what came before {root.id} ({before}) was not recorded here")
    return [turn for turn in lineage if turn.status != COMPACTED]


def with_items(body: Json, items: list[Json]) -> Json:
    """The body with these items as its input, and without a response id."""
    return {name: value for name, value in body.items() if name != "previous_response_id"} | {"input": items}


def _incomplete(what: str) -> RequestRefusedError:
    hint = ("start a new chain with: ", Next("ask", "…"))
    return RequestRefusedError(f"{_NO_REPLAY}{what}", hint=hint)
