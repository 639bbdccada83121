"""`--max-cost` over a whole batch: what was spent, and what those in flight may cost. Costs are estimates."""

from collections.abc import Collection, Mapping

from cometresp.catalogue.cache import cache_folder, read_header
from cometresp.catalogue.price import Price, cost_of, given_price
from cometresp.catalogue.prices import known
from cometresp.errors import Next, UsageError
from cometresp.runtime import Runtime
from cometresp.text import escape_line
from cometresp.wire.json import Json, text

_SHOWN = 80


class Prices:
    """The prices of the models of a run: that of --price, else the cached ones; None for one that isn't known."""

    def __init__(self, runtime: Runtime) -> None:
        given = runtime.output.price
        self._given = None if given is None else given_price(given)
        folder = cache_folder(runtime.terminal.environ)
        self._header = None if given else read_header(folder, runtime.base_url)
        self._known: dict[str, Price | None] = {}

    def of(self, model: str) -> Price | None:
        if self._given is not None:
            return self._given
        if model not in self._known:
            self._known[model] = known(self._header, model).price if model else None
        return self._known[model]

    def cost(self, usage: Json, model: str) -> float | None:
        price = self.of(model) if usage else None
        return None if price is None else cost_of(usage, price)

    def check(self, models: Collection[str]) -> None:
        """Raises UsageError where the price of a model isn't known, but --max-cost needs it."""
        for model in sorted(models):
            if self.of(model) is None:
                shown = escape_line(model, _SHOWN) if model else "a request without a model"
                hint = ("--price IN,OUT gives it; ", Next("models", "--refresh"), " fetches the prices")
                raise UsageError(f"--max-cost: the price of {shown} is not known", hint=hint)


class Budget:
    """`spent` starts with what earlier runs of the same output have spent. Its caller holds a lock.

    `longest` are the most output tokens that an answer had so far, None where there was none.
    """

    def __init__(self, most: float, prices: Prices, spent: float = 0.0, longest: int | None = None) -> None:
        self.most = most
        self.spent = spent
        self.held = 0.0
        self._prices = prices
        self._longest = longest

    def estimate(self, body: Mapping[str, object], tokens: int) -> float:
        """What a request costs at most: with all the output that it allows, or else the most that any had so far."""
        price = self._prices.of(text(body.get("model")))
        if price is None:
            return 0.0
        allowed = body.get("max_output_tokens")
        output = allowed if isinstance(allowed, int) and allowed > 0 else self._longest or 0
        return price.of_tokens(input_tokens=tokens, cached_tokens=0, output_tokens=output)

    def is_blind(self, body: Mapping[str, object]) -> bool:
        """Whether nothing is known of the output that a request may have: it is sent alone, so that something is."""
        return self._longest is None and not isinstance(body.get("max_output_tokens"), int)

    def fits(self, cost: float) -> bool:
        return self.spent + self.held + cost <= self.most

    def hold(self, cost: float) -> None:
        self.held += cost

    def settle(self, held: float, cost: float | None, usage: Mapping[str, object]) -> None:
        """A request ended. One that may have cost something, but isn't known to, counts as it was estimated."""
        self.held = max(self.held - held, 0.0)
        self.spent += held if cost is None else cost
        made = usage.get("output_tokens")
        if isinstance(made, int):
            self._longest = max(self._longest or 0, made)
        elif cost is None:  # a server that doesn't count: nothing more will be known
            self._longest = self._longest or 0
