"""Calls, and functions that record that they were called."""

from typing import Any

from cometresp.calls.settle import Call, Outcome


class Fake:
    """Functions `read` (needs no approval) and `write`, which record their calls."""

    def __init__(self) -> None:
        self.ran: list[str] = []

    def knows(self, name: str) -> bool:
        return name in ("read", "write")

    def is_read_only(self, name: str) -> bool:
        return name == "read"

    def source(self, name: str) -> str:
        return f"{name}.toml"

    def run(self, calls: list[Call]) -> list[Outcome]:
        self.ran += [call.name for call in calls]
        return [Outcome(call, f"{call.name} done", self.knows(call.name)) for call in calls]


def function_call(name: str, n: int = 1, **more: Any) -> dict[str, Any]:
    return {"type": "function_call", "id": f"fc_{n}", "call_id": f"call_{n}", "name": name, "arguments": "{}", **more}
