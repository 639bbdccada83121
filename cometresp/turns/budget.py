"""`--max-cost`: a run ends before it would cost more. Costs are estimates, by list prices."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cometresp.catalogue.price import Price, dearest, exactly, written
from cometresp.errors import CostLimitError, Hint, Next, UsageError
from cometresp.request.estimate import earlier_tokens, estimated_tokens
from cometresp.runtime import Runtime
from cometresp.text import shell_flag
from cometresp.tuples import NamedTuple
from cometresp.turns.cost import REFRESH, old_prices, price_of, unpriced
from cometresp.turns.turn import Finished
from cometresp.wire.endpoints import NEW
from cometresp.wire.json import Json, text

if TYPE_CHECKING:
    from cometresp.state.records import Turn


class Budget(NamedTuple):
    """What a run may cost, in USD; the price of its model; the output tokens that each of its requests allows, or 0.

    `flags` are those that a command which resumes the run needs.
    """

    most: float
    price: Price
    allowed: int = 0
    flags: tuple[str | None, ...] = ()

    def check_request(self, body: Json, parent: "Turn | None") -> str:
        """What the estimate of the first request is without, or "". Raises CostLimitError where it costs too much."""
        if body.get("conversation") == NEW:
            body = {name: value for name, value in body.items() if name != "conversation"}
        earlier = earlier_tokens(body, parent.id, parent.usage) if parent is not None else None
        tokens, left_out = estimated_tokens(body, earlier)
        self._check_first(tokens)
        if body.get("prompt") is not None:
            left_out = (*left_out, "the prompt of --prompt-id")
        return " and ".join(left_out)

    def _check_first(self, tokens: int) -> None:
        cost = self._of_turn(tokens)
        if cost > self.most:
            output = f" and the {self.allowed} output tokens that it allows" if self.allowed else ""
            verb = "cost" if self.allowed else "costs"
            price = f"{verb} {written(cost)}, more than --max-cost {exactly(self.most)}"
            fits = cost - self._of_output() <= self.most
            raise CostLimitError(
                f"not sent: its input (about {tokens} tokens){output} {price}",
                hint=("a lower --max-output-tokens costs less, " if fits else "") + "a higher --max-cost allows it",
            )

    def check_next(self, done: Finished, turns: int, outputs: Sequence[Json] = (), *, names: str = "") -> None:
        """Raises CostLimitError where one more turn would cost more in all than the run may.

        Its input is what `done` had and made, and the `outputs` of calls; `names` are the functions that run before it.
        """
        count = f"{turns} turn{'s' if turns > 1 else ''}"
        stopped = f"stopped after {count} (--max-cost)" + (f" before {names} ran" if names else "")
        used = done.answer.usage
        if done.cost is None:
            reason = "the server reported no usage, so what was spent isn't known"
            raise CostLimitError(f"{stopped}: {reason}", hint=self._resume())
        tokens, _ = estimated_tokens({"input": list(outputs)}, used["input_tokens"] + used["output_tokens"])
        cost = self._of_turn(tokens)
        if done.cost + cost > self.most:
            spent = f"{written(done.cost)} of {exactly(self.most)} spent"
            raise CostLimitError(
                f"{stopped}: {spent}, and the next turn would cost {written(cost)}", hint=self._resume()
            )

    def _of_output(self) -> float:
        return self.price.of_tokens(input_tokens=0, cached_tokens=0, output_tokens=self.allowed, requests=0)

    def _of_turn(self, tokens: int) -> float:
        return self.price.of_tokens(input_tokens=tokens, cached_tokens=0, output_tokens=self.allowed)

    def _resume(self) -> Hint:
        return Next("continue", (*self.flags, "--max-cost USD"), resumes=True), " resumes the run"


def budget_of(most: float, runtime: Runtime, body: Json, fallbacks: Sequence[str] = ()) -> Budget:
    """What --max-cost allows, at the price of the dearest model that may be asked.

    Raises UsageError where the price of one isn't known.
    """
    prices, is_old = [], False
    for model in (text(body.get("model")), *fallbacks):
        known = price_of(runtime, model)
        if known.price is None:
            hint = ("--price IN,OUT gives it",) if known.cache == "fresh" else ("--price IN,OUT gives it; ", *REFRESH)
            raise UsageError(f"--max-cost: {unpriced(model)}", hint=hint)
        prices.append(known.price)
        is_old = is_old or known.cache == "old"
    if is_old and (line := old_prices(runtime)):
        runtime.terminal.note(f"--max-cost: {line}")
    allowed = body.get("max_output_tokens")
    given = runtime.output.price
    return Budget(
        most,
        dearest(prices),
        allowed if isinstance(allowed, int) and allowed > 0 else 0,
        (shell_flag("--price", given),) if given is not None else (),
    )
