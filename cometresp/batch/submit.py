"""`batch submit`: the input checked, uploaded, and made a batch of; with --wait also its results."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cometresp.batch.creation import created
from cometresp.batch.lane import explaining, opened_client
from cometresp.batch.lane_input import LaneInput, lane_input, requests_of
from cometresp.batch.looked import Submission
from cometresp.batch.output import is_same_file
from cometresp.batch.results import Opened, fetched, opened
from cometresp.batch.standing import name_of
from cometresp.batch.submitted import keep
from cometresp.batch.waiting import status_shown
from cometresp.errors import CometrespError, Next, PipeClosedError, UsageError
from cometresp.request.secrets import masked
from cometresp.runtime import Runtime
from cometresp.text import escape_line, shell_arguments, to_bytes
from cometresp.wire.endpoints import BATCH_URL, Request, create_batch, upload
from cometresp.wire.json import Json, text
from cometresp.wire.payload import Upload

if TYPE_CHECKING:
    from cometresp.client.client import Client
    from cometresp.request.curl import Variables

Show = Callable[[Request, "Variables | None"], None]

_FILE_ID = re.compile(r"file-[A-Za-z0-9._-]+")
_PAIRS, _KEY, _VALUE = 16, 64, 512  # of metadata (API 2)


def submit(options: Submission, runtime: Runtime, show: Show) -> None:
    """Make a batch, record and print its id; with --wait write its results, and raise what they amount to.

    `show` prints a request, where that is all that is asked for.
    """
    facts = {"endpoint": BATCH_URL, "completion_window": options.window, **_metadata(options.metadata)}
    file = options.asked.file
    _check(options)
    if not runtime.connection.only_shows:
        runtime.check_sendable()
    if _FILE_ID.fullmatch(file) and not os.path.exists(file):  # noqa: PTH110 - as the user wrote it
        _submit_uploaded(options, runtime, {"input_file_id": file, **facts}, show)
        return
    if runtime.connection.curl:
        _show_commands(options, runtime, facts, show)
        return
    change = masked if runtime.connection.dry_run else None
    with lane_input(options.asked, runtime, change) as made:
        _warn(made, runtime)
        if runtime.connection.dry_run:
            for line in made.lines():
                runtime.terminal.write(line)
            return
        _submit_input(options, runtime, made, facts)


def _warn(made: LaneInput, runtime: Runtime) -> None:
    for warning in made.warnings():
        runtime.terminal.warn(warning)


def _show_commands(options: Submission, runtime: Runtime, facts: Json, show: Show) -> None:
    """Print the requests as commands: the upload, and the batch of the id that the server gives the file."""
    from cometresp.request.curl import Variables

    variables = Variables()
    with lane_input(options.asked, runtime, variables.of_secret) as made:
        _warn(made, runtime)
        if options.inline:
            show(create_batch({"requests": requests_of(made), **facts}), variables)
            return
        show(upload(_name(options.asked.file), made.file), variables)
    variables = Variables()
    show(create_batch({"input_file_id": variables.named("FILE_ID"), **facts}), variables)
    runtime.terminal.note("FILE_ID in the second command is the id that the first one prints")


def _check(options: Submission) -> None:
    outputs = options.outputs
    given = (("--output", outputs.file), ("--errors", outputs.errors), ("--text", outputs.as_text))
    flag = next((flag for flag, is_given in given if is_given), None)
    if flag and not options.wait:
        raise UsageError(f"{flag} goes with --wait", hint=(Next("batch fetch", "ID -o OUT"), " fetches results later"))
    for name, path in (("--output", outputs.file), ("--errors", outputs.errors)):
        if is_same_file(path, options.asked.file):
            raise UsageError(f"{name}: {escape_line(path or '')} is the input")
    if options.wait and options.as_json:
        raise UsageError("--json and --wait exclude each other: with --wait the results are printed")


def _submit_input(options: Submission, runtime: Runtime, made: LaneInput, facts: Json) -> None:
    with _outputs(options, runtime) as outputs, opened_client(runtime) as client:
        with explaining():
            file_id = ""
            if options.inline:
                body: Json = {"requests": requests_of(made), **facts}
            else:
                file_id = _uploaded(client, options, made, runtime)
                body = {"input_file_id": file_id, **facts}
            batch = created(client, body, runtime, is_uploaded=bool(file_id))
        _end(options, runtime, client, batch, outputs, made.requests)


def _submit_uploaded(options: Submission, runtime: Runtime, body: Json, show: Show) -> None:
    """Make a batch of a file that is on the server already."""
    if options.inline:
        raise UsageError("--inline: takes a file of this machine, not one of the server")
    if runtime.connection.only_shows:
        show(create_batch(body), None)
        return
    with _outputs(options, runtime) as outputs, opened_client(runtime) as client:
        with explaining():
            batch = created(client, body, runtime)
        _end(options, runtime, client, batch, outputs, 0)


def _end(
    options: Submission, runtime: Runtime, client: "Client", batch: Json, outputs: Opened | None, requests: int
) -> None:
    keep(runtime, batch, file=options.asked.file, requests=requests)
    terminal, name = runtime.terminal, name_of(batch)
    if outputs is not None:
        terminal.note(f"submitted as {name}")
        fetched(client, batch, outputs, runtime, wait=True)
        return
    later = Next("batch fetch", (shell_arguments(text(batch.get("id"))), "--wait -o OUT"))
    try:
        if options.as_json:
            terminal.print_json(batch)
            return
        terminal.write(to_bytes(text(batch.get("id")) + "\n"))
    except CometrespError as error:
        told = f"submitted as {escape_line(text(batch.get('id')))}"
        if isinstance(error, PipeClosedError):  # which ends silently
            terminal.note(told)
            raise
        raise error.with_message(f"{told}, but {error.message}", (later, " fetches its results")) from error
    terminal.note(runtime.hint("when it has ended: ", later))


@contextmanager
def _outputs(options: Submission, runtime: Runtime) -> Iterator[Opened | None]:
    """The files of the results, which are opened before anything is sent: a wait of hours must not end with 73."""
    if not options.wait:
        yield None
        return
    with opened(options.outputs, runtime) as outputs:
        yield outputs


# sending ------------------------------------------------------------------------------------------------------------


def _uploaded(client: "Client", options: Submission, made: LaneInput, runtime: Runtime) -> str:
    progress = Upload()
    with status_shown(runtime) as line:

        def on_upload(sent: int, length: int) -> None:
            progress.sent, progress.length = sent, length
            if line is not None:
                line.text = progress.words() if progress.under_way else ""

        return client.upload(_name(options.asked.file), made.file, on_upload)


def _name(path: str) -> str:
    """The name under which the server keeps the input."""
    name = os.path.basename(path) if path != "-" else "stdin"  # noqa: PTH119
    return name if name.endswith(".jsonl") else f"{name or 'input'}.jsonl"


# what is typed ------------------------------------------------------------------------------------------------------


def _metadata(given: tuple[str, ...]) -> Json:
    pairs = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise UsageError(f"--batch-metadata: {pair!r} must be KEY=VALUE")
        if len(name) > _KEY or len(value) > _VALUE:
            raise UsageError(f"--batch-metadata: a key has at most {_KEY} characters, a value {_VALUE}")
        pairs[name] = value
    if len(pairs) > _PAIRS:
        raise UsageError(f"--batch-metadata: at most {_PAIRS} pairs, not {len(pairs)}")
    return {"metadata": pairs} if pairs else {}
