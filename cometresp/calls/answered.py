"""The calls of a conversation that have an output: a function runs at most once per call id."""

import json

from cometresp.calls.settle import Call, Outcome
from cometresp.wire.items import CLIENT_CALLS, arguments_of, id_answered, id_of_call, type_of
from cometresp.wire.json import Json, listed, text


class Answered:
    """Calls and their outputs, by call id; of several calls with one id the first counts."""

    def __init__(self) -> None:
        self._calls: dict[str, Json] = {}
        self._outputs: dict[str, Json] = {}

    def add(self, items: list[Json]) -> None:
        """Add calls, and items that answer them; those that are known stay as they are."""
        for item in items:
            kind = type_of(item, "")
            if kind in CLIENT_CALLS:
                self._calls.setdefault(id_of_call(item), item)
            elif kind in CLIENT_CALLS.values():
                self._outputs.setdefault(id_answered(item), item)

    def __contains__(self, call: Call) -> bool:
        return call.id in self._outputs

    def outcome(self, call: Call) -> Outcome:
        """The outcome of a call that has the id of an earlier one: that one's output, if it is the same call again."""
        output, first = self._outputs[call.id], self._calls.get(call.id, call.item)
        if (first.get("name"), arguments_of(first)) != (call.item.get("name"), arguments_of(call.item)):
            reason = f"the call id {call.id} was used for another call before, so this one was not run"
            return Outcome(call, reason if call.approval else json.dumps({"error": reason}), ok=False)
        if call.approval:
            return Outcome(call, text(output.get("reason")), ok=output.get("approve") is True)
        said = output.get("output")
        return Outcome(call, said if isinstance(said, str) else listed(said), ok=True)
