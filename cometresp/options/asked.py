"""One command line of `ask`, `stream` and `continue`, and the contradictions in it."""

from typing import NamedTuple

from cometresp.errors import UsageError
from cometresp.options.tables import ChainOptions, ConnectionOptions, LoopOptions, OutputOptions, RequestOptions


class Asked(NamedTuple):
    """Everything that one command line says."""

    words: list[str]
    request: RequestOptions
    chain: ChainOptions
    loop: LoopOptions
    output: OutputOptions
    connection: ConnectionOptions
    live: bool  # deltas leave at once, into pipes too
    continuing: bool  # it goes on with the chain


def _check_extraction(asked: Asked) -> None:
    if not (asked.output.extract or asked.output.extract_last):
        return
    flag = "--extract" if asked.output.extract else "--extract-last"
    if asked.request.background and not (asked.live or asked.request.wait):
        raise UsageError(f"{flag} goes with an answer, not with --background", hint=f"cometresp get ID --wait {flag}")
    structured = {
        "--schema": asked.request.schema is not None,
        "--schema-multi": asked.request.schema_multi is not None,
        "--json-object": asked.request.json_object,
    }
    for other, given in structured.items():
        if given:
            raise UsageError(f"{flag} and {other} exclude each other: such an answer is JSON, without a code block")
