"""`--resume`: what the output has already, and whether it is of this input."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import BinaryIO

from cometresp.batch.asked import Asked
from cometresp.batch.budget import Prices
from cometresp.batch.checks import Checked
from cometresp.batch.digests import Digests, digest
from cometresp.batch.output import (
    Output,
    Side,
    code_in,
    is_failed,
    model_in,
    read_side,
    usage_in,
    write_side,
)
from cometresp.batch.output_lines import output_lines
from cometresp.batch.shard import Shard
from cometresp.batch.source import Source
from cometresp.errors import UsageError
from cometresp.tuples import NamedTuple


class Earlier(NamedTuple):
    """The ids that earlier runs have written, None for none; the failed of them by exit code; their cost, if known."""

    ids: Digests | None = None
    done: int = 0  # how many of them are ids of this input
    failed: Mapping[int, int] = MappingProxyType({})
    spent: float | None = None
    longest: int | None = None  # the most output tokens that one of them had

    def has(self, custom_id: str) -> bool:
        return self.ids is not None and digest(custom_id) in self.ids


def open_output(
    asked: Asked,
    output: Output,
    given: tuple[Source, Checked, Shard | None],
    prices: Prices,
    warn: Callable[[str], None],
) -> Earlier:
    """Open the output. Raises UsageError where it is another run's, or there without --resume."""
    source, checked, shard = given
    output.open()
    if not output.is_regular:
        if asked.batch.resume:
            raise UsageError(f"--resume: {output.shown} is no regular file")
        return Earlier()
    if output.has_content and not asked.batch.resume:
        raise UsageError(
            f"--output: {output.shown} is there already",
            hint="--resume continues its run; another name, or removing that file, starts a new run",
        )
    side = Side(checked.mark, str(shard or ""), asked.batch.text)
    earlier = Earlier()
    if asked.batch.resume and output.has_content:
        _check_side(asked, output, source, checked, side, warn)
        earlier = _read(asked, output, checked, shard, prices)
    write_side(output.side_path, side)
    return earlier


def _check_side(
    asked: Asked, output: Output, source: Source, checked: Checked, side: Side, warn: Callable[[str], None]
) -> None:
    """Raises UsageError where the output isn't of this input, part and form."""
    try:
        given, how = read_side(output.side_path), "missing"
    except ValueError:
        given, how = None, "damaged"
    if given is None:
        unknown = f"{output.shown_side} is {how}, so whether {output.shown} is of this input isn't known"
        if checked.unnamed and not asked.batch.input_changed:
            raise UsageError(
                f"--resume: {unknown}",
                hint="some lines have no custom_id: their numbers are their ids. --input-changed goes on all the same",
            )
        if how == "damaged":
            warn(f"{unknown}: it is written again")
        return
    if given.as_text != side.as_text:
        had = "with" if given.as_text else "without"
        raise UsageError(f"--resume: {output.shown} was begun {had} --text")
    if given.shard != side.shard:
        had = f"--shard {given.shard}" if given.shard else "no --shard"
        raise UsageError(f"--resume: {output.shown} was begun with {had}")
    if given.mark == side.mark:
        return
    has_grown = given.mark.size < side.mark.size and source.mark(given.mark.size) == given.mark
    if has_grown:
        return  # lines were added at its end: those before are what they were
    if not asked.batch.input_changed:
        how = "is another" if given.mark.size == side.mark.size else "has other lines"
        raise UsageError(
            f"--resume: {source.shown} {how} than the input that {output.shown} was begun with",
            hint="--input-changed goes on all the same: what has an answer keeps it, by its custom_id",
        )
    if checked.unnamed:
        raise UsageError(
            f"--input-changed: lines of {source.shown} have no custom_id, and their numbers may be others now",
            hint="another -o starts a new run",
        )


def _read(asked: Asked, output: Output, checked: Checked, shard: Shard | None, prices: Prices) -> Earlier:
    """What the output has. With --retry-failed the lines of failed requests are taken out of it."""
    ids, count, spent, fails, longest = Digests(), 0, None, Counter[int](), None
    retries = asked.batch.retry_failed
    has_failed = False
    for line in output.lines(known=os.path.exists(output.side_path)):  # noqa: PTH110
        if ("exit" in line) != asked.batch.text:
            raise UsageError(f"--resume: {output.shown} was begun {'without' if asked.batch.text else 'with'} --text")
        failed = is_failed(line)
        has_failed |= failed
        number = digest(line["custom_id"])
        is_asked = checked.ids is None or (number in checked.ids and (shard is None or shard.has(line["custom_id"])))
        if failed and is_asked:
            fails[code_in(line)] += 1
        usage = usage_in(line)
        if isinstance(tokens := usage.get("output_tokens"), int):
            longest = max(longest or 0, tokens)
        cost = line.get("cost") if "exit" in line else prices.cost(usage, model_in(line))
        if isinstance(cost, int | float):
            spent = (spent or 0.0) + cost
        if not (failed and retries) and ids.add(number):
            count += is_asked
    if has_failed and retries:
        output.replace(_good_lines)
        fails.clear()
    else:
        output.keep_lines()
    return Earlier(ids, count, fails, spent, longest)


def _good_lines(file: BinaryIO) -> Iterator[bytes]:
    return (data for data, line in output_lines(file, "", known=True) if not is_failed(line))
