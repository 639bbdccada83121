"""When the next request may be sent: how many at once, how many a minute, and the pause that a server asks for. Pure.

All times are seconds of one clock that never goes back; the caller waits. The number in flight is halved when the
server limits the rate, and grows by one for each round of good responses (additive increase, multiplicative decrease).
"""

from cometresp.tuples import NamedTuple

_FOREVER = 3600.0  # until something else happens
_LEAST_PAUSE, _LONGEST_PAUSE = 0.5, 60.0  # seconds, where the server names none; doubled each time
_BURST = 1.0  # seconds whose share of a limit may be used at once


class Bucket:
    """A limit per minute. What is taken may be more than there is: it is paid back before anything else is taken."""

    def __init__(self, per_minute: float, now: float) -> None:
        self._rate = per_minute / 60
        self._most = max(self._rate * _BURST, 1.0)
        self._level = self._most
        self._at = now

    def wait(self, now: float) -> float:
        """Seconds until something may be taken; 0 for now."""
        self._level = min(self._level + (now - self._at) * self._rate, self._most)
        self._at = now
        least = min(1.0, self._most)
        return 0.0 if self._level >= least - 1e-9 else (least - self._level) / self._rate

    def take(self, amount: float) -> None:
        self._level -= amount


class Pause(NamedTuple):
    """Why nothing is sent, and until when."""

    reason: str
    until: float


class Gate:
    """`jobs` is the most in flight; `rpm` and `tpm` are limits per minute, None for none."""

    def __init__(self, jobs: int, rpm: float | None, tpm: float | None, now: float) -> None:
        self.in_flight = 0
        self.pause: Pause | None = None
        self.jobs = jobs
        self._allowed = float(jobs)
        self._requests = Bucket(rpm, now) if rpm else None
        self._tokens = Bucket(tpm, now) if tpm else None
        self._limited = 0  # times in a row
        self._epoch = 0  # requests that were sent before the last halving don't halve again

    @property
    def allowed(self) -> int:
        """How many requests may be in flight now."""
        return max(int(self._allowed), 1)

    def wait(self, now: float) -> float:
        """Seconds until a request may be sent; 0 for now. A long time where one in flight must end first."""
        if self.pause is not None:
            if now < self.pause.until:
                return self.pause.until - now
            self.pause = None
        if self.in_flight >= self.allowed:
            return _FOREVER
        return max(bucket.wait(now) if bucket else 0.0 for bucket in (self._requests, self._tokens))

    def start(self, tokens: int) -> int:
        """A request is sent, of about so many tokens. Returns what `limited` wants to know of it."""
        self.in_flight += 1
        if self._requests:
            self._requests.take(1)
        if self._tokens:
            self._tokens.take(tokens)
        return self._epoch

    def end(self, more_tokens: int = 0, *, good: bool) -> None:
        """A request ended; it took so many tokens more than were expected."""
        self.in_flight -= 1
        if self._tokens and more_tokens:
            self._tokens.take(more_tokens)
        if good:
            self._limited = 0
            self._allowed = min(self._allowed + 1 / max(self._allowed, 1.0), float(self.jobs))

    def limited(self, epoch: int, reason: str, asked: float | None, now: float, *, halve: bool = True) -> None:
        """The server limits the rate of a request that began in `epoch`, or asks for a pause: everything pauses."""
        if epoch == self._epoch:
            if halve:
                self._allowed = max(self._allowed / 2, 1.0)
            self._epoch += 1
            self._limited += 1
        seconds = asked if asked is not None else min(_LEAST_PAUSE * 2 ** (self._limited - 1), _LONGEST_PAUSE)
        until = now + seconds
        if self.pause is None or until > self.pause.until:
            self.pause = Pause(reason, until)
