"""The threads of a batch: each takes a request, waits for its turn, asks, and hands the result on.

The rules of trying again are those of `client/requests.py`; what they wait for is shared: one server that limits the
rate makes all of them pause.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from cometresp.batch.bodies import Entry
from cometresp.batch.budget import Budget
from cometresp.batch.exchange import Exchange, NotAnsweredError, failed
from cometresp.batch.gate import Gate
from cometresp.batch.result import Result
from cometresp.batch.tally import Tally
from cometresp.deadline import backoff
from cometresp.errors import CometrespError, CostLimitError, ExitCode, KeyProblemError, RateLimitedError
from cometresp.request.estimate import estimated_tokens
from cometresp.request.fallback import Fallbacks, for_model
from cometresp.tuples import NamedTuple

if TYPE_CHECKING:
    from cometresp.wire.json import Json

_MOST_LIMITED = 30  # times that one request is limited, though others aren't
_LONGEST_WAIT = 3600.0  # a server that asks for a longer pause ends the run
_HOPELESS = (ExitCode.UNREACHABLE, ExitCode.RATE_LIMITED, ExitCode.PROTOCOL, ExitCode.KEY)
_FORBIDDEN = 403


class Limits(NamedTuple):
    """How often a request is tried again, and what ends a run early: failures in all, hopeless ones in a row, cost.

    `tpm`: the tokens of a minute, to which the gate keeps. `window`: so many more requests are taken
    than are written, at most.
    """

    retries: int
    most_failures: int | None
    in_a_row: int
    budget: Budget | None = None
    tpm: float | None = None
    window: int | None = None


class Turn(NamedTuple):
    """A request that may be sent now: what the gate and the budget know of it."""

    epoch: int
    tokens: int
    held: float


class Engine:
    """Threads call `run`; the main thread calls everything else."""

    def __init__(
        self,
        entries: Iterator[Entry],
        gate: Gate,
        tally: Tally,
        write: Callable[[int, Result], int],
        limits: Limits,
        fallbacks: "Callable[[Json], Fallbacks | None]" = lambda _: None,
        warn: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`write` gets each result with its place among those that were taken, and returns how many are written."""
        self.gate = gate
        self.tally = tally
        self.error: Exception | None = None  # why the run ended early
        self.stopping = False
        self._entries = enumerate(entries)
        self._write = write
        self._limits = limits
        self._budget = limits.budget
        self._counts_tokens = limits.tpm is not None or limits.budget is not None
        self._warn = warn
        self._is_told = False
        self._window = limits.window
        self._fallbacks = fallbacks
        self._written = 0
        self._good = 0
        self._taking = threading.Lock()
        self._change = threading.Condition()  # of the gate, the budget, and what was written
        self._at_work = 0
        self._ended = threading.Event()

    # the main thread ------------------------------------------------------------------------------------------------

    def start(self, exchanges: list[Exchange]) -> None:
        self._at_work = len(exchanges)
        for exchange in exchanges:
            threading.Thread(target=self.run, args=(exchange,), daemon=True).start()

    def wait(self, seconds: float) -> bool:
        """Wait so long for the end; whether it has come.

        Threads aren't joined: Python takes one for ended whose `join` is left by the error of a signal.
        """
        return self._ended.wait(seconds)

    def stop(self, error: Exception | None = None) -> None:
        """Take no more requests; those in flight may end."""
        with self._change:
            self.stopping = True
            self.error = self.error or error
            self._change.notify_all()

    # the threads ----------------------------------------------------------------------------------------------------

    def run(self, exchange: Exchange) -> None:
        """Ask until there is nothing left to ask."""
        try:
            while (taken := self._take()) is not None:
                place, entry = taken
                result = self._answer(entry, exchange)
                if result is None:
                    return
                written = self._write(place, result)
                self._count(result, written)
        except Exception as error:  # noqa: BLE001 - the main thread raises it
            self.stop(error)
        finally:
            with self._change:
                self._at_work -= 1
                if not self._at_work:
                    self._ended.set()

    def _take(self) -> tuple[int, Entry] | None:
        with self._taking:
            if self.stopping:
                return None
            taken = next(self._entries, None)
        if taken is not None and self._window is not None:
            with self._change:
                while taken[0] - self._written >= self._window and not self.stopping:
                    self._change.wait()
        return taken

    def _answer(self, entry: Entry, exchange: Exchange) -> Result | None:
        """The result of a request, of whichever model answers; None where the run ends before."""
        fallbacks = self._fallbacks(entry.body)
        while True:
            found = self._tried(entry, exchange)
            if not isinstance(found, CometrespError):
                return found
            chained = entry.body.get("previous_response_id") is not None
            if fallbacks is None or not fallbacks.take(found, chained=chained):
                return failed(entry, found)
            entry = entry._replace(body=for_model(entry.body, fallbacks.current or ""))

    def _tried(self, entry: Entry, exchange: Exchange) -> Result | CometrespError | None:
        """The result of a request, which is tried again where that may help, or its last error."""
        tries = limited = 0
        while True:
            turn = self._turn(entry.body)
            if turn is None:
                return None
            good_before = self._good
            try:
                result = exchange.ask(entry)
            except NotAnsweredError as unanswered:
                error, asked = unanswered.error, exchange.client.retry_after
                self._end(turn, None)
            else:
                self._end(turn, result)
                if not (result.failed and exchange.is_too_late):
                    return result
                error, asked = result.error or CometrespError(""), None
            if exchange.is_too_late or self._is_fatal(error, asked):
                self.stop(error)
                return None
            is_limit = isinstance(error, RateLimitedError)
            if not (error.passing or is_limit):
                return error
            if is_limit and self._good != good_before:  # it passes for others: it will for this one
                limited += 1
                if limited > _MOST_LIMITED:
                    return error
            else:
                tries += 1
            if tries > self._limits.retries:
                return error
            self._pause(turn, error, asked, tries)
            self.tally.retried += 1

    def _turn(self, body: "Json") -> Turn | None:
        """Wait until a request may be sent; None where the run ends before."""
        tokens = estimated_tokens(body, None).tokens if self._counts_tokens else 0
        with self._change:
            self._tell_long(tokens)
            while not self.stopping:
                wait = self.gate.wait(time.monotonic())
                cost = self._budget.estimate(body, tokens) if self._budget is not None else 0.0
                if not wait and self._budget is not None and self.gate.in_flight and self._budget.is_blind(body):
                    wait = _LONGEST_WAIT
                elif not wait and self._budget is not None and not self._budget.fits(cost):
                    if not self.gate.in_flight:
                        self.stop(_too_dear(self._budget, cost))
                        return None
                    wait = _LONGEST_WAIT
                if not wait:
                    if self._budget is not None:
                        self._budget.hold(cost)
                    self.tally.sent += 1
                    return Turn(self.gate.start(tokens), tokens, cost)
                self._change.wait(wait)
        return None

    def _tell_long(self, tokens: int) -> None:
        """Warn, once, of a request that is larger than --tpm: the pause behind it is longer than a minute."""
        tpm = self._limits.tpm
        if tpm is None or tokens <= tpm or self._is_told:
            return
        self._is_told = True
        minutes = tokens / tpm
        self._warn(
            f"--tpm: a request of about {tokens:,} tokens is more than the {tpm:,.0f} of a minute: after it nothing is"
            f" sent for {minutes:,.1f} minutes"
        )

    def _end(self, turn: Turn, result: Result | None) -> None:
        with self._change:
            usage: Mapping[str, object] = result.usage if result is not None else {}
            total = usage.get("total_tokens")
            more = total - turn.tokens if isinstance(total, int) else 0
            good = result is not None and not result.failed
            self.gate.end(more, good=result is not None)
            self._good += good
            if self._budget is not None:
                cost = 0.0 if result is None else result.cost if usage else None
                self._budget.settle(turn.held, cost, usage)
            self._change.notify_all()

    def _pause(self, turn: Turn, error: CometrespError, asked: float | None, tries: int) -> None:
        """Wait before another try: all requests, where the server limits the rate or asks for it; else this one."""
        status = error.details.status
        with self._change:
            if isinstance(error, RateLimitedError) or asked is not None:
                self.gate.limited(turn.epoch, str(status or "limited"), asked, time.monotonic())
                return
            end = time.monotonic() + backoff(max(tries - 1, 0))
            while not self.stopping and (left := end - time.monotonic()) > 0:
                self._change.wait(left)

    def _is_fatal(self, error: CometrespError, asked: float | None) -> bool:
        """Whether every other request would end the same way: no key, no balance, a pause of more than an hour."""
        if isinstance(error, KeyProblemError) and error.details.status != _FORBIDDEN:
            return True
        return isinstance(error, RateLimitedError) and asked is not None and asked > _LONGEST_WAIT

    def _count(self, result: Result, written: int) -> None:
        self.tally.add(result)
        if self._window is not None:
            with self._change:
                self._written = max(self._written, written)
                self._change.notify_all()
        if not result.failed:
            return
        code, count = self.tally.in_a_row
        most = self._limits.most_failures
        hopeless = code in _HOPELESS or (code == ExitCode.REFUSED and not self._good)
        if most is not None and self.tally.failures >= most:
            self.stop()
        elif hopeless and count >= self._limits.in_a_row and result.error is not None:
            self.stop(_hopeless(result.error, count))


def _hopeless(error: CometrespError, count: int) -> CometrespError:
    """The error of a run whose last responses all failed in the same way."""
    return type(error)(f"stopped: the last {count} requests all failed: {error.message}", details=error.details)


def _too_dear(budget: Budget, cost: float) -> CostLimitError:
    from cometresp.catalogue.price import exactly, written

    spent = f"{written(budget.spent)} of {exactly(budget.most)} spent"
    return CostLimitError(f"stopped (--max-cost): {spent}, and the next request would cost {written(cost)}")
