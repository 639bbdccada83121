"""The request bodies of a run whose calls are answered turn by turn, and the sum of their usage."""

from cometresp.wire.items import input_items, sent_back
from cometresp.wire.json import Json, obj


class Conversation:
    """The requests of one run. `stateless`: the server stores nothing, so each sends all items in place of an id."""

    def __init__(self, body: Json, *, stateless: bool) -> None:
        self.stateless = stateless or body.get("store") is False
        self._base = body
        self._items = list(input_items(body))
        self._last: tuple[str, list[Json]] = ("", [])

    def follow(self, response: Json, output: list[Json], outputs: list[Json]) -> Json:
        """The body that continues a response with the outputs of its calls."""
        if response.get("store") is False:  # the server decides, whatever was requested
            self.stateless = True
        self._items += sent_back(output)
        self._items += outputs
        self._last = (str(response.get("id") or ""), outputs)
        return self.body()

    def give_up_ids(self, earlier: list[Json]) -> None:
        """Send all items from now on; `earlier` are those that came before this run."""
        self.stateless = True
        self._items = earlier + self._items
        self._base = {name: value for name, value in self._base.items() if name != "previous_response_id"}

    def body(self) -> Json:
        """The body of the last turn again, as `stateless` requires it now."""
        response_id, outputs = self._last
        body = dict(self._base)
        if "tool_choice" in body:
            body["tool_choice"] = without_force(body["tool_choice"])
        if body.get("conversation") is not None:  # the server has all earlier items
            return body | {"input": outputs}
        if self.stateless or not response_id:
            return body | {"input": list(self._items)}
        return body | {"previous_response_id": response_id, "input": outputs}


def without_force(choice: object) -> object:
    """The `tool_choice` once there is a result: a choice that demands a call would demand one in every turn."""
    if isinstance(choice, dict) and choice.get("type") == "allowed_tools":
        return choice | {"mode": "auto"}
    return choice if choice == "none" else "auto"


_LARGEST = 1e18  # what is more is no count


def add_usage(usage: Json, more: Json) -> Json:
    """The sum of two usages. All numbers are added, also those that only one server has (API 6.1)."""
    total = dict(usage)
    for name, value in more.items():
        before = total.get(name)
        if isinstance(value, dict):
            total[name] = add_usage(obj(before), value)
        elif isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LARGEST:
            total[name] = value + (before if isinstance(before, int | float) and abs(before) < _LARGEST else 0)
        else:
            total.setdefault(name, value)
    return total
