"""Rows of measurements, each with its budget, as a Markdown table."""

from typing import NamedTuple

from benchmarks.measure import Spread, ratios, spread

HEAD = (
    "| what | measured | beside | ratio | at most | met |\n"
    "|---|---|---|---|---|---|"
)  # fmt: skip


class Row(NamedTuple):
    """One line. Numbers are medians, with their quartiles in brackets; a `bound` is of the ratio, if there is one."""

    what: str
    measured: Spread | None
    unit: str = ""
    beside: str = ""
    ratio: Spread | None = None
    bound: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the median is within the budget; None where there is none."""
        if self.bound is None or self.measured is None:
            return None
        return (self.ratio or self.measured).median <= self.bound

    def line(self, *, judged: bool = True) -> str:
        """The row as Markdown; the budget is only judged if the sizes are those that it is for."""
        unit = "" if self.ratio else f" {self.unit}"
        cells = (
            self.what,
            f"{_shown(self.measured)} {self.unit}" if self.measured else self.note,
            self.beside,
            _shown(self.ratio) if self.ratio else "",
            "" if self.bound is None else f"{self.bound:g}{unit}",
            {None: "", True: "yes", False: "**no**"}[self.met if judged else None],
        )
        return f"| {' | '.join(cells)} |"


def compared(
    what: str, ours: list[float], theirs: list[float], name: str, *, bound: float | None = None, unit: str = "ms"
) -> Row:
    """A row of pairs that ran one after the other: ours, theirs, and the ratios of the pairs."""
    beside = f"{name}: {_shown(spread(theirs))} {unit}"
    return Row(what, spread(ours), unit, beside, ratios(ours, theirs), bound)


def alone(what: str, values: list[float], unit: str, *, bound: float | None = None, beside: str = "") -> Row:
    """A row of values that are judged by themselves."""
    return Row(what, spread(values), unit, beside, None, bound)


def skipped(what: str, why: str) -> Row:
    """A row that isn't measured, and why."""
    return Row(what, None, note=f"skipped: {why}")


def _shown(found: Spread) -> str:
    low, middle, high = (_number(value) for value in found)
    return middle if low == high else f"{middle} ({low}-{high})"


def _number(value: float) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    digits = next(digits for digits, least in ((0, 100), (1, 10), (2, 0)) if abs(value) >= least)
    return f"{value:,.{digits}f}"
