"""One command line of `ask`, `stream` and `continue`, and the contradictions in it."""

from collections.abc import Sequence
from typing import Annotated, Any

from typer import Argument

from cometresp.errors import Next, UsageError
from cometresp.options.tables import ChainOptions, ConnectionOptions, LoopOptions, OutputOptions, RequestOptions
from cometresp.tuples import NamedTuple

Words = Annotated[
    list[str] | None,
    Argument(metavar="PROMPT…", help="The prompt; the word - stands for standard input.", show_default=False),
]


class Asked(NamedTuple):
    """The parsed options and arguments of one command line."""

    words: list[str]
    request: RequestOptions
    chain: ChainOptions
    loop: LoopOptions
    output: OutputOptions
    connection: ConnectionOptions
    streaming: bool  # deltas are printed as they come, into pipes too
    continuing: bool  # the command is `continue`
    template: Sequence[Any] | None = None  # the pieces of the prompt of --template
    again: str | None = None  # the command is `again`: the turn that it names, "" for the last one of the chain

    @property
    def continues(self) -> bool:
        """Whether the turn continues a chain or a recorded response, rather than starting a chain."""
        return self.continuing or self.chain.continue_ or self.chain.from_ is not None or self.again is not None

    @property
    def fallback_models(self) -> list[str]:
        """The models that are asked one after the other, if the first can't answer."""
        given = self.request.fallback_model
        return [] if given is None else [name.strip() for name in given.split(",")]

    @property
    def prints_only_id(self) -> bool:
        """Whether the command ends with the id of a response that runs in the background."""
        return self.request.background and not (self.streaming or self.request.wait)

    @property
    def asks_no_model(self) -> bool:
        """Whether the request is shown, or its tokens are counted, instead of sent: nothing is run or recorded."""
        return self.connection.only_shows or self.request.count_tokens

    def check(self) -> None:
        """Raises UsageError for flags that contradict each other."""
        chain, given = self.chain, self.request
        if chain.previous_response_id is not None and self.continues:
            which = "--from" if chain.from_ is not None else "--continue"
            raise UsageError(f"--previous-response-id and {which} exclude each other: both name the previous response")
        if chain.conversation == "":
            raise UsageError("--conversation: must not be empty")
        if chain.conversation is not None and (self.continues or chain.previous_response_id is not None):
            raise UsageError("--conversation excludes a previous response (--previous-response-id, --continue, --from)")
        if self.streaming and given.no_stream:
            raise UsageError("stream and --no-stream exclude each other", hint=Next("ask", "--no-stream …"))
        if given.include_obfuscation is not None and given.no_stream:
            raise UsageError("--include-obfuscation goes with a stream only, not with --no-stream")
        if given.var and given.template is None:
            raise UsageError("--var goes with --template")
        if not all(self.fallback_models):
            raise UsageError("--fallback-model: must be MODEL or MODEL,MODEL: a name is empty")
        self._check_extraction()
        self._check_counting()
        if given.wait and not given.background and self.again is None:  # the turn may have been in the background
            raise UsageError("--wait goes with --background: other answers are waited for anyway")
        if self.loop.max_turns < 1:
            raise UsageError(f"--max-turns: must be at least 1, not {self.loop.max_turns}")
        for pattern in self.loop.allow_tool or []:
            if pattern.count("/") > 1:
                raise UsageError(
                    f"--allow-tool: {pattern!r} has more than one slash", hint="one inside a name is written %2F"
                )
        if chain.replay and not self.continues:
            raise UsageError("--replay goes with continue, --continue or --from: a new chain has nothing to replay")

    def _check_counting(self) -> None:
        """Raises UsageError for flags about an answer, where there will be none."""
        output = self.output
        given = {
            "--output": output.output is not None,
            "--extract": output.extract,
            "--extract-last": output.extract_last,
            "--select": output.select is not None,
            "--events": output.events or output.format == "events",
            "--save-images": output.save_images is not None,
            "--id-file": output.id_file is not None,
        }
        flag = next((flag for flag, is_given in given.items() if is_given), None)
        if self.request.count_tokens and flag is not None:
            raise UsageError(f"--count-tokens and {flag} exclude each other: there will be no response")

    def _check_extraction(self) -> None:
        if not (self.output.extract or self.output.extract_last):
            return
        flag = "--extract" if self.output.extract else "--extract-last"
        if self.prints_only_id:
            hint = Next("get", f"ID --wait {flag}")
            raise UsageError(f"{flag} goes with an answer, not with --background", hint=hint)
        structured = {
            "--schema": self.request.schema is not None,
            "--schema-multi": self.request.schema_multi is not None,
            "--json-object": self.request.json_object,
        }
        for other, given in structured.items():
            if given:
                raise UsageError(f"{flag} and {other} exclude each other: such an answer is JSON, without a code block")
