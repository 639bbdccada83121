"""What the turns of a run cost, by list prices. The server is never asked for them here: see `catalogue.prices`."""

from typing import TYPE_CHECKING

from cometresp.answer.answer import Answer
from cometresp.errors import Next
from cometresp.runtime import Runtime
from cometresp.text import escape_line
from cometresp.wire.json import text

if TYPE_CHECKING:
    from cometresp.catalogue.cache import Header
    from cometresp.catalogue.prices import Known
    from cometresp.state.records import Turn

REFRESH: tuple[Next, str] = (Next("models", "--refresh"), " fetches the prices")
_SHOWN = 80  # characters of a model's name


class Prices:
    """The cached prices of models. The cache of each server is read once, when it is first needed."""

    def __init__(self, runtime: Runtime) -> None:
        from cometresp.catalogue.cache import cache_folder

        self._folder = cache_folder(runtime.terminal.environ)
        self._headers: dict[str, Header | None] = {}
        self._known: dict[tuple[str, str], Known] = {}

    def known(self, base_url: str, model: str) -> "Known":
        """The price of a model, None where it isn't known, and how old the cache of its server is."""
        from cometresp.catalogue.cache import read_header
        from cometresp.catalogue.prices import known

        if (base_url, model) not in self._known:
            if base_url not in self._headers:
                self._headers[base_url] = read_header(self._folder, base_url)
            self._known[base_url, model] = known(self._headers[base_url], model)
        return self._known[base_url, model]

    def cost(self, turn: "Turn") -> float | None:
        """What a recorded turn cost: as it was recorded, else by the cached price; None where that isn't known."""
        if turn.cost is not None or not turn.usage or not turn.model:
            return turn.cost
        from cometresp.catalogue.price import cost_of

        price = self.known(turn.base_url, turn.model).price
        return None if price is None else cost_of(turn.usage, price)


class Costs:
    """What the turns of a run cost. A price is looked up only where something tells of it.

    `recorded` is the model of a response that is fetched, if it is known. `limited`: by --max-cost, which has told of
    an old list already.
    """

    def __init__(self, runtime: Runtime, recorded: str | None = None, *, limited: bool = False) -> None:
        output, terminal = runtime.output, runtime.terminal
        asked_for = output.usage or output.price is not None or output.max_cost is not None
        asked_for = asked_for or runtime.report.flags.writes
        self._told = asked_for or (terminal.stderr_tty and not terminal.quiet)
        self._runtime = runtime
        self._recorded = recorded
        self._limited = limited
        self._known: dict[str, Known] = {}

    def of(self, answer: Answer, model: str | None) -> float | None:
        """What an answer of this model cost, in USD; None where that isn't known, or nothing tells of it."""
        if not self._told or not answer.usage:
            return None
        from cometresp.catalogue.price import cost_of

        price = self._price(model or self._recorded or text(answer.response.get("model"))).price
        return None if price is None else cost_of(answer.usage, price)

    def notice(self, model: str | None) -> str:
        """Why --usage has no cost, or an old one, with the command that helps; "" where there is nothing to say."""
        known = self._price(model) if model and self._told else None
        if known is None or known.cache == "fresh":
            return ""
        if known.price is None:
            return self._runtime.hint(f"{unpriced(model)}; ", *REFRESH)
        return "" if self._limited else old_prices(self._runtime)

    def _price(self, model: str) -> "Known":
        if model not in self._known:
            self._known[model] = price_of(self._runtime, model)
        return self._known[model]


def price_of(runtime: Runtime, model: str | None) -> "Known":
    """The price of the model of a run: that of --price, else the cached one."""
    from cometresp.catalogue.prices import Known

    if runtime.output.price is not None:
        from cometresp.catalogue.price import given_price

        return Known(given_price(runtime.output.price), "fresh")
    return Prices(runtime).known(runtime.base_url, model) if model else Known(None, "fresh")


def unpriced(model: str | None) -> str:
    """`the price of gpt-5.4 is not known`."""
    return f"the price of {escape_line(model, _SHOWN) if model else 'a request without a model'} is not known"


def old_prices(runtime: Runtime) -> str:
    """That the cached prices are old, with the command that fetches them."""
    return runtime.hint("the list of prices is more than a day old; ", *REFRESH)
