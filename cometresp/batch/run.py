"""A run of `batch`, from the command line to the exit code: the table of contents.

    check       flags that contradict each other; the input, whole: every bad line before anything is sent
    resume      what the output has already, and whether it is of this input
    send        threads ask and write; the main thread shows the progress, and gets the signals
    conclude    the summary, and the error that the run amounts to

Without --resume an output that is there isn't touched.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from cometresp.batch.asked import Asked
from cometresp.batch.bodies import Bodies, Entry
from cometresp.batch.checks import Checked, check, entries, tell_bad
from cometresp.batch.conclude import conclude
from cometresp.batch.engine import Engine, Limits
from cometresp.batch.gate import Gate
from cometresp.batch.ordered import Ordered, in_order
from cometresp.batch.output import Output, is_same_file
from cometresp.batch.resume import Earlier, open_output
from cometresp.batch.shard import Shard, shard_of
from cometresp.batch.source import Source, open_source
from cometresp.batch.tally import Tally
from cometresp.errors import CometrespError, StoppedError, UnreachableError, UsageError
from cometresp.options.batch import check_batch
from cometresp.options.values import retries_of
from cometresp.runtime import Runtime
from cometresp.text import escape_line, json_bytes, valid_json

if TYPE_CHECKING:
    from cometresp.batch.budget import Prices
    from cometresp.batch.exchange import Exchange
    from cometresp.batch.result import Result
    from cometresp.client.client import Client

_GRACE = 5.0  # seconds that those in flight have, once a signal has ended the run
_LOOK = 0.25  # seconds between looks of the main thread
_AHEAD = 8  # requests for each job that --ordered takes before the first of them has ended
_IN_A_ROW = 20


def run(asked: Asked, runtime: Runtime) -> None:
    """Run one command line. Raises the error that its end amounts to."""
    check_flags(asked)
    terminal = runtime.terminal
    shard = shard_of(asked.batch.shard, terminal.environ)
    source = open_source(asked.file, asked.batch, terminal)
    with closing(source.file):
        _run(asked, runtime, source, shard)


def _run(asked: Asked, runtime: Runtime, source: Source, shard: Shard | None) -> None:
    terminal, shows = runtime.terminal, asked.connection.only_shows
    if not shows:
        runtime.check_sendable()
    bodies = Bodies(asked, runtime, source.form, resolve=not shows)
    with terminal.waiting(f"checking {source.shown}"):
        checked = check(source, bodies, shard)
    _tell_bad(asked, runtime, checked, source)
    runtime.report.model = _model_of(checked, bodies)
    if shows:
        _show(runtime, entries(source, bodies, shard, checked))
        return
    from cometresp.batch.budget import Prices

    prices = Prices(runtime)
    if asked.output.max_cost is not None:
        prices.check({*checked.models, *bodies.fallbacks})
    with Output(asked.output.file, terminal) as output:
        earlier = open_output(asked, output, (source, checked, shard), prices, terminal.warn)
        checked = checked._replace(ids=None)
        _send(asked, runtime, (source, bodies, shard, checked), output, earlier, prices)


def _model_of(checked: Checked, bodies: Bodies) -> str | None:
    """The model that all requests name, or else that of those which name none."""
    model = next(iter(checked.models)) if len(checked.models) == 1 else bodies.base.get("model")
    return model if isinstance(model, str) and model else None


def check_flags(asked: Asked) -> None:
    """Raises UsageError for flags that contradict each other, and values that they don't take."""
    batch = asked.batch
    check_batch(batch)
    if batch.fail_fast and batch.max_failures is not None:
        raise UsageError("--fail-fast and --max-failures exclude each other: the first is --max-failures 1")
    if batch.resume and asked.output.file is None:
        raise UsageError("--resume goes with -o FILE: it reads what that has")
    for flag, given in (("--retry-failed", batch.retry_failed), ("--input-changed", batch.input_changed)):
        if given and not batch.resume:
            raise UsageError(f"{flag} goes with --resume")
    if asked.request.var and asked.request.template is None:
        raise UsageError("--var goes with --template")
    if is_same_file(asked.output.file, asked.file):
        raise UsageError(f"--output: {escape_line(asked.output.file or '')} is the input")


def _tell_bad(asked: Asked, runtime: Runtime, checked: Checked, source: Source) -> None:
    if checked.bad_count:
        tell_bad(checked, source, runtime.terminal.warn if asked.batch.skip_bad else None)
    elif not checked.lines and asked.batch.shard is None:
        raise UsageError(f"{source.shown} holds no requests")


def _show(runtime: Runtime, requests: Iterator[Entry]) -> None:
    """Print the requests as OpenAI's Batch API takes them, in place of sending them."""
    import json

    from cometresp.request.secrets import masked_body

    for entry in requests:
        body = {name: value for name, value in masked_body(entry.body).items() if name != "stream"}
        line = {"custom_id": entry.custom_id, "method": "POST", "url": "/v1/responses", "body": body}
        runtime.terminal.write(json_bytes(valid_json(json.dumps(line, ensure_ascii=False, default=_whole)) + "\n"))


def _whole(content: object) -> str:
    """The text of an attachment."""
    import json

    from cometresp.wire.payload import Content

    if not isinstance(content, Content):
        raise TypeError(f"{type(content).__name__} is not JSON")
    text: str = json.loads('"' + b"".join(content.pieces()).decode() + '"')
    return text


def _send(
    asked: Asked,
    runtime: Runtime,
    given: tuple[Source, Bodies, Shard | None, Checked],
    output: Output,
    earlier: Earlier,
    prices: "Prices",
) -> None:
    batch, checked = asked.batch, given[3]
    tally = Tally(checked.lines, earlier.done, earlier.failed, earlier.spent)
    runtime.report.clients.append(tally)
    gate = Gate(batch.jobs, batch.rpm, batch.tpm, time.monotonic())
    limits = _limits(asked, prices, earlier)
    ordered = Ordered(output.write)

    def write(place: int, result: "Result") -> int:
        line = result.line(as_text=batch.text)
        if batch.ordered:
            return ordered.put(place, line)
        output.write(line)
        return 0

    todo = (entry for entry in entries(*given) if not earlier.has(entry.custom_id))
    engine = Engine(todo, gate, tally, write, limits, given[1].fallbacks_of, runtime.terminal.warn)
    error: Exception | None = None
    try:
        with runtime.client(shared=True) as client:
            error = _attend(asked, runtime, engine, _exchanges(asked, runtime, client, prices, tally), output)
    finally:
        ordered.flush()
        error = output.loss() or error
        if batch.ordered and earlier.ids is not None and error is None:
            output.replace(in_order(entry.custom_id for entry in entries(*given)))
        output.close()
    conclude(asked, runtime, engine, error)


def _limits(asked: Asked, prices: "Prices", earlier: Earlier) -> Limits:
    from cometresp.batch.budget import Budget

    batch, most_cost = asked.batch, asked.output.max_cost
    return Limits(
        retries_of(asked.connection),
        1 if batch.fail_fast else batch.max_failures,
        max(_IN_A_ROW, 2 * batch.jobs),
        None if most_cost is None else Budget(most_cost, prices, earlier.spent or 0.0, earlier.longest),
        batch.tpm,
        _AHEAD * batch.jobs if batch.ordered else None,
    )


def _exchanges(asked: Asked, runtime: Runtime, client: "Client", prices: "Prices", tally: Tally) -> "list[Exchange]":
    """One for each thread."""
    from cometresp.batch.exchange import Exchange

    left = max(tally.snapshot().left, 1)
    record = None
    if asked.batch.record:
        from cometresp.batch.record import Recording

        record = Recording(runtime)
    return [
        Exchange(
            client.sibling(),
            runtime.secrets,
            prices,
            runtime.terminal.warn,
            retries=retries_of(asked.connection),
            allow_incomplete=asked.output.allow_incomplete,
            as_text=asked.batch.text,
            record=record,
        )
        for _ in range(min(asked.batch.jobs, left))
    ]


def _attend(
    asked: Asked, runtime: Runtime, engine: Engine, exchanges: "list[Exchange]", output: Output
) -> Exception | None:
    """Run the threads to their end; returns what ended them before. An output that was taken away ends them, too."""
    from cometresp.batch.progress import showing

    client = exchanges[0].client
    with ExitStack() as stack:
        try:
            stack.enter_context(showing(runtime, engine))
            engine.start(exchanges)
            while not engine.wait(_LOOK):
                if not output.is_in_place:  # what more is asked for would be lost
                    engine.stop()
                    engine.wait(_GRACE)
                    break
                left = client.left
                if left is not None and left <= 0:
                    engine.stop(_too_long(asked))
                    engine.wait(_GRACE)
                    break
        except StoppedError as stopped:
            engine.stop()
            return _with_grace(runtime, engine, stopped)
    return engine.error


def _with_grace(runtime: Runtime, engine: Engine, stopped: StoppedError) -> StoppedError:
    """Those in flight have a few seconds, since they are paid for; a second signal cuts them."""
    flying = engine.gate.in_flight
    try:
        if flying:
            runtime.terminal.note(f"{stopped.message}: {flying} in flight have {_GRACE:.0f} s; again ends at once")
            engine.wait(_GRACE)
    except StoppedError:
        pass
    return stopped


def _too_long(asked: Asked) -> CometrespError:
    return UnreachableError(f"not finished within the {asked.connection.max_time:g} s of --max-time")
