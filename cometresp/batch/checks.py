"""The first pass over the input: every bad line and every duplicate id is found before anything is sent."""

from collections.abc import Callable, Iterator

from cometresp.batch.bodies import Bodies, Entry
from cometresp.batch.digests import Digests, digest
from cometresp.batch.lines import read_lines
from cometresp.batch.shard import Shard
from cometresp.batch.source import Mark, Source
from cometresp.errors import UsageError
from cometresp.text import escape_line, quoted
from cometresp.tuples import NamedTuple
from cometresp.wire.json import text

_MOST_SHOWN = 20
_SHOWN = 300  # characters of a message about a line


class Checked(NamedTuple):
    """What the first pass found: `lines` are those that can be sent, `models` those that they name.

    `bad` are messages, the first of the `bad_count`. `unnamed` is whether some lines have no id of their own.
    `good` counts the lines of all parts that can be sent, `ids` are their ids; None where they aren't needed any more.
    """

    mark: Mark
    lines: int
    models: frozenset[str]
    unnamed: bool
    bad: tuple[str, ...]
    bad_count: int
    ids: Digests | None = None
    good: int = 0


def check(source: Source, bodies: Bodies, shard: Shard | None) -> Checked:
    """Read the whole input once. `lines` and `models` are those of the shard; bad lines are bad in all of them."""
    seen = Digests()
    models: set[str] = set()
    bad: list[str] = []
    lines, good, bad_count, unnamed = 0, 0, 0, False
    mark = source.mark()
    for line in read_lines(source.rewound(), source.form, mark.size):
        try:
            entry = bodies.entry(line)
            _check_new(entry, seen)
            bodies.add_secrets(entry.body)
        except UsageError as error:
            bad_count += 1
            if len(bad) < _MOST_SHOWN:
                bad.append(escape_line(f"line {line.number}: {_with_hint(error)}", _SHOWN))
            continue
        good += 1
        unnamed |= not entry.has_own_id
        if shard is None or shard.has(entry.custom_id):
            lines += 1
            models.add(text(entry.body.get("model")))
    return Checked(mark, lines, frozenset(models), unnamed, tuple(bad), bad_count, seen, good)


def entries(source: Source, bodies: Bodies, shard: Shard | None, checked: Checked) -> Iterator[Entry]:
    """The requests, in the second pass. Raises UsageError where the input isn't what it was in the first one."""
    seen = Digests() if checked.bad_count else None  # a duplicate is skipped in this pass, too
    for line in read_lines(source.rewound(), source.form, checked.mark.size):
        try:
            entry = bodies.entry(line)
        except UsageError as error:
            if not checked.bad_count:
                raise UsageError(f"{source.shown} has changed since it was checked: line {line.number}") from error
            continue
        if seen is not None and not seen.add(digest(entry.custom_id)):
            continue
        if shard is None or shard.has(entry.custom_id):
            yield entry


def tell_bad(checked: Checked, source: Source, warn: Callable[[str], None] | None) -> None:
    """Warn of the bad lines, which are left out. Without `warn` they aren't: raises UsageError."""
    message = _bad_lines(checked, source)
    if warn is None:
        more = "; --skip-bad goes on without them" if checked.good else ""
        raise UsageError(message, hint=f"nothing was sent{more}")
    warn(message.replace("can't be sent", "can't be sent, and left out (--skip-bad)", 1))


def _bad_lines(checked: Checked, source: Source) -> str:
    """The message about the lines that can't be sent, each on a line of its own."""
    count = checked.bad_count
    head = f"{source.shown}: {count} line{'s' if count != 1 else ''} can't be sent"
    more = [f"… and {count - len(checked.bad)} more"] if count > len(checked.bad) else []
    return "\n  ".join([head, *checked.bad, *more])


def _check_new(entry: Entry, seen: Digests) -> None:
    """Raises UsageError for an id that an earlier line has."""
    if not seen.add(digest(entry.custom_id)):
        what = f"custom_id {quoted(entry.custom_id)}"
        raise UsageError(
            f"{what} is an earlier line's, too" if entry.has_own_id else f"{what}, its number, is another line's id"
        )


def _with_hint(error: UsageError) -> str:
    return f"{error.message} ({error.hint})" if error.hint else error.message
