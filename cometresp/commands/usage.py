"""`cometresp usage`: what recorded turns used and cost, summed. Offline: only the record and cached prices are read."""

import re
import time
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cometresp.errors import UsageError
from cometresp.help.command import Command
from cometresp.options.arguments import AsJson, InColor, StateOptions
from cometresp.options.spread import spread
from cometresp.options.tables import ConnectionOptions, OutputOptions
from cometresp.runtime import Runtime, telling
from cometresp.text import escape_line, quoted, to_bytes
from cometresp.tuples import NamedTuple
from cometresp.turns.cost import REFRESH, Prices, old_prices
from cometresp.turns.listing import tell_empty

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cometresp.state.sums import Group

By = Literal["day", "model", "chain", "profile"]

_AGE = re.compile(r"([1-9]\d{0,4})([hdw])")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_LONG = 100_000  # a number from which on it is shown in thousands or more
_UNITS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))

app = typer.Typer(add_completion=False)


class Sums(NamedTuple):
    by: By
    since: str | None
    as_json: bool


class Used(NamedTuple):
    """What the turns of one day, model, chain or profile used; `key` is None where they have none.

    `cost` is in USD, without that of `without_cost` turns, for which it isn't known.
    """

    key: str | None
    turns: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    cost: float = 0.0
    without_cost: int = 0

    @property
    def known(self) -> float | None:
        """The cost, None where that of no turn is known."""
        return None if self.without_cost == self.turns else self.cost


@app.command(
    cls=Command,
    short_help="Sum what recorded turns used and cost.",
    epilog="""
    cometresp usage --since 7d
    cometresp usage --by model --since 2026-11-01
    cometresp usage --json | jq 'map(.cost // 0) | add'
    """,
)
@spread
def usage(
    *,
    by: Annotated[
        By,
        typer.Option("--by", help="What is summed: a day, model, chain or profile.", metavar="day|model|chain|profile"),
    ] = "day",
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            help="Only turns since then: today, yesterday, 7d, 12h, 4w or a date such as 2026-11-01.",
            metavar="WHEN",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
    color: InColor = "auto",
    place: StateOptions,
) -> None:
    """Sum the tokens of recorded turns, and what they cost by list prices (docs/cost.md)."""
    run(Sums(by, since, as_json), Runtime(ConnectionOptions(**place._asdict()), OutputOptions(color=color)))


@telling
def run(options: Sums, runtime: Runtime) -> None:
    since = 0.0 if options.since is None else since_of(options.since, time.time())
    state = runtime.open_state(create=False)
    groups = state.turns.sums(options.by, since) if state else []
    prices = Prices(runtime)
    rows = _rows(options.by, groups, prices)
    if options.as_json:
        runtime.terminal.print_json([_as_dict(row, options.by) for row in rows])
    elif not runtime.terminal.stdout_tty:
        runtime.terminal.write(to_bytes("".join(map(_line, rows))))
    elif rows:
        _print_table(runtime, options.by, rows)
        _tell_of_prices(runtime, groups, prices)
    elif options.since is None:
        tell_empty(runtime, "no turn is recorded yet")
    else:
        runtime.terminal.note("no turn is recorded since then")


def since_of(text: str, now: float) -> float:
    """A time as --since gives it. Days begin at midnight, where the clock of this machine is set: 1d is today."""
    today = date.fromtimestamp(now)  # noqa: DTZ012 - the user's days
    age = _AGE.fullmatch(text)
    try:
        if text in ("today", "yesterday"):
            return _midnight(today - timedelta(days=text == "yesterday"))
        if age is not None and age[2] == "h":
            return now - 3600 * int(age[1])
        if age is not None:
            return _midnight(today - timedelta(days=int(age[1]) * (7 if age[2] == "w" else 1) - 1))
        if _DATE.fullmatch(text):
            return _midnight(date.fromisoformat(text))
    except (ValueError, OverflowError, OSError):
        pass
    raise UsageError(f"--since: {quoted(text)} is not a time", hint="today, 12h, 7d, 4w or a date such as 2026-11-01")


def _midnight(day: date) -> float:
    return datetime(day.year, day.month, day.day).timestamp()  # noqa: DTZ001


# rows ---------------------------------------------------------------------------------------------------------------


def _rows(by: By, groups: "Iterable[Group]", prices: Prices) -> list[Used]:
    """One for each key: days in their order, others by what they cost and used."""
    found: dict[str | None, Used] = {}
    for group in groups:
        found[group.key] = _plus(found.get(group.key, Used(group.key)), _priced(group, prices))
    rows = list(found.values())
    if by != "day":
        rows.sort(key=lambda row: (row.cost, row.input_tokens + row.output_tokens), reverse=True)
    return rows


def _priced(group: "Group", prices: Prices) -> Used:
    known = prices.known(group.base_url, group.model).price if group.base_url and group.model else None
    cost = group.cost
    if known is not None:
        cost += known.of_tokens(
            input_tokens=group.unpriced_input,
            cached_tokens=group.unpriced_cached,
            output_tokens=group.unpriced_output,
            requests=group.unpriced,
        )
    return Used(
        group.key,
        group.turns,
        group.input_tokens,
        group.cached_tokens,
        group.output_tokens,
        group.reasoning_tokens,
        cost,
        group.unknown + (group.unpriced if known is None else 0),
    )


def _plus(one: Used, other: Used) -> Used:
    return one._replace(**{name: getattr(one, name) + getattr(other, name) for name in Used._fields[1:]})


# what is printed ----------------------------------------------------------------------------------------------------


def _as_dict(row: Used, by: By) -> dict[str, object]:
    """`{"day": "2026-11-26", "turns": 3, …, "cost": 0.0012, "without_cost": 0}`; the cost is null if it isn't known."""
    rest = row._asdict()
    return {by: rest.pop("key"), **rest, "cost": None if row.known is None else round(row.known, 12)}


def _line(row: Used) -> str:
    """The fields as plain text, between tabs; `?` for what isn't known."""
    cost = "?" if row.known is None else f"{row.known:.9f}".rstrip("0").rstrip(".")
    cells = (row.key or "-", *map(str, row[1:6]), cost, str(row.without_cost))
    return "\t".join(map(escape_line, cells)) + "\n"


def _print_table(runtime: Runtime, by: By, rows: list[Used]) -> None:
    from cometresp.render.tables import Column, table

    terminal = runtime.terminal
    at_least = "≥" if terminal.encoding == "utf-8" else ">="
    of_tokens = not any(row.cost for row in rows)
    sizes = [float(row.input_tokens + row.output_tokens) if of_tokens else row.cost for row in rows]
    most = max(sizes) or 1.0
    cells = [_cells(row, at_least, f"{size / most:.4f}") for row, size in zip(rows, sizes, strict=True)]
    if len(rows) > 1:
        total = rows[0]._replace(key="total")
        for row in rows[1:]:
            total = _plus(total, row)
        cells.append(_cells(total, at_least, "0"))
    for row_cells, cost in zip(cells, in_line([row_cells[6] for row_cells in cells]), strict=True):
        row_cells[6] = cost
    columns = (
        Column(by.upper(), "whole" if by == "day" else "fold"),
        Column("TURNS", spare=3, right=True),
        Column("INPUT", spare=1, right=True),
        Column("CACHED", spare=4, right=True),
        Column("OUTPUT", spare=2, right=True),
        Column("REASONING", spare=5, right=True),
        Column("COST"),
        Column("", "bar"),
    )
    terminal.write(terminal.encode(table(columns, cells, terminal)))


def in_line(costs: list[str]) -> list[str]:
    """Sums with blanks around them, so that their points stand below each other."""
    parts = [cost.partition(".") for cost in costs]
    before = max(len(whole) for whole, _, _ in parts)
    after = max(len(rest) for _, _, rest in parts)
    return [whole.rjust(before) + (point or " ") + rest.ljust(after) for whole, point, rest in parts]


def _cells(row: Used, at_least: str, share: str) -> list[str]:
    from cometresp.catalogue.price import written

    if row.known is None:
        cost = "?"
    elif row.without_cost:
        cost = written(row.cost, sign=at_least) if row.cost else "?"
    else:
        cost = written(row.cost)
    return [escape_line(row.key or "-"), *map(_short, row[1:6]), cost, share]


def _short(number: int) -> str:
    """`99999`, `123k`, `1.23M`."""
    for unit, letter in _UNITS:
        if number >= max(_LONG, unit):
            digits = f"{number / unit:.3g}"
            return (f"{number / unit:.0f}" if "e" in digits else digits) + letter
    return str(number)


def _tell_of_prices(runtime: Runtime, groups: "Iterable[Group]", prices: Prices) -> None:
    """Once: which prices of this server are missing or old, with the command that helps."""
    ours = [group for group in groups if group.unpriced and group.base_url == runtime.base_url and group.model]
    caches = {prices.known(group.base_url or "", group.model or "").cache for group in ours}
    if "missing" in caches:
        count = sum(group.unpriced for group in ours)
        turns = f"{count} turn{'' if count == 1 else 's'}"
        runtime.terminal.note(runtime.hint(f"the price of {turns} is not known; ", *REFRESH))
    elif "old" in caches and (line := old_prices(runtime)):
        runtime.terminal.note(line)
