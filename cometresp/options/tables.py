"""The shared options: each field with its type, flags, help, panel and, where it is one value, its path in the request.

Annotations are evaluated here: Typer reads them at start-up, and would have to evaluate strings then.
None, or an empty list, means that the flag wasn't given; only given flags are sent. The groups are named tuples,
since a frozen dataclass takes ten times as long to make, at every start.
"""

from functools import partial
from typing import Any, Literal

from typer import Option

from cometresp.options.fields import Annotated, facts_of
from cometresp.tuples import NamedTuple

Format = Literal["auto", "text", "markdown", "json", "events"]

FileKind = Literal["image", "file", "text"]

ErrorFormat = Literal["text", "json", "github"]

Color = Literal["auto", "always", "never"]

Approve = Literal["ask", "always", "refuse"]


def _flag(panel: str, text: str, *names: str, **more: Any) -> Any:
    """An option of Typer's, to be made where a command line names it: `spread` calls it."""
    return partial(Option, *names, help=text, rich_help_panel=panel, show_default=False, **more)


def complete_chains(ctx: Any, incomplete: str) -> list[tuple[str, str]]:
    from cometresp.state.suggestions import chain_names

    return chain_names(incomplete, offline=ctx.offline)


def complete_ids(ctx: Any, incomplete: str) -> list[tuple[str, str]]:
    from cometresp.state.suggestions import response_ids

    return response_ids(incomplete, offline=ctx.offline)


def complete_profiles(ctx: Any, incomplete: str) -> list[tuple[str, str]]:  # noqa: ARG001 - as completion calls it
    from cometresp.state.suggestions import profile_names

    return profile_names(incomplete)


def complete_servers(ctx: Any, incomplete: str) -> list[tuple[str, str]]:  # noqa: ARG001 - as completion calls it
    from cometresp.state.suggestions import server_names

    return server_names(incomplete)


def complete_models(ctx: Any, incomplete: str) -> list[tuple[str, str]]:
    from cometresp.catalogue.suggestions import model_names

    return model_names(incomplete, offline=ctx.offline, base_url=ctx.base_url)


PROMPT, CHAIN, SAMPLING, SHAPE = "Prompt", "Chain", "Sampling and reasoning", "Output shape"
TOOLS, SERVICE, RAW, OUTPUT, CONNECTION = "Tools", "Service", "Anything else", "Output", "Connection"

Text = str | None

Texts = list[str] | None

Flag = bool | None

# fmt: off
# One field per line, however long: the table is read by column. A path is no name in an annotation (F821).
# ruff: noqa: E501, F821


class RequestOptions(NamedTuple):
    """The options that make the request body. A string after the flag is the field's path in the body (API 2)."""

    model: Annotated[Text, _flag(PROMPT, "Model to use [default: the chain's, else gpt-5.4 on CometAPI].", "--model", "-m", metavar="MODEL", autocompletion=complete_models)] = None
    fallback_model: Annotated[Text, _flag(PROMPT, "Models to ask instead, one after the other, if the model is overloaded, limited or unknown.", "--fallback-model", metavar="MODEL[,MODEL]", autocompletion=complete_models)] = None
    instructions: Annotated[Text, _flag(PROMPT, "System instructions: text or @FILE.", "--instructions", "--system", "-s", metavar="TEXT")] = None
    file: Annotated[Texts, _flag(PROMPT, "Attach a file: a path, a URL, a file-… id or - (standard input). Repeatable.", "--file", "-f", metavar="FILE")] = None
    file_as: Annotated[FileKind | None, _flag(PROMPT, "Attach files as this kind, whatever their content.", "--file-as", metavar="image|file|text")] = None
    image_detail: Annotated[Text, _flag(PROMPT, "Detail in which the model sees images: auto, low, high or original [default: auto].", "--image-detail", metavar="LEVEL")] = None
    input: Annotated[Text, _flag(PROMPT, "Input items to send before the prompt: JSON or @FILE.", "--input", metavar="JSON")] = None
    template: Annotated[Text, _flag(PROMPT, "Use a kept prompt with its flags: a name (see: cometresp templates) or a .toml file.", "--template", metavar="NAME|FILE")] = None
    var: Annotated[Texts, _flag(PROMPT, "Value of a variable of the template, text or @FILE. Repeatable.", "--var", metavar="NAME=VALUE")] = None
    no_stdin: Annotated[bool, _flag(PROMPT, "Don't read standard input.", "--no-stdin")] = False
    edit: Annotated[bool, _flag(PROMPT, "Edit the prompt in $VISUAL or $EDITOR before it is sent; an empty one is not sent.", "--edit")] = False

    temperature: Annotated[float | None, _flag(SAMPLING, "Sampling temperature, 0 to 2; higher is more random.", "--temperature", metavar="N"), "temperature"] = None
    top_p: Annotated[float | None, _flag(SAMPLING, "Nucleus sampling: share of the probability to sample from, 0 to 1.", "--top-p", metavar="N"), "top_p"] = None
    top_logprobs: Annotated[int | None, _flag(SAMPLING, "How many likely tokens to return at each position, 0 to 20.", "--top-logprobs", metavar="N"), "top_logprobs"] = None
    max_output_tokens: Annotated[int | None, _flag(SAMPLING, "Limit of visible and reasoning tokens together, at least 16.", "--max-output-tokens", metavar="N"), "max_output_tokens"] = None
    truncation: Annotated[Text, _flag(SAMPLING, "What the server does when the context is too long: auto or disabled.", "--truncation", metavar="auto|disabled"), "truncation"] = None
    reasoning_effort: Annotated[Text, _flag(SAMPLING, "How much the model reasons: none, minimal, low, medium, high, xhigh or max.", "--reasoning-effort", "--effort", metavar="LEVEL"), "reasoning.effort"] = None
    reasoning_summary: Annotated[Text, _flag(SAMPLING, "Return a summary of the reasoning: auto, concise or detailed.", "--reasoning-summary", metavar="LEVEL"), "reasoning.summary"] = None

    schema: Annotated[Text, _flag(SHAPE, "Shape of the answer: fields ('name, age int'), a JSON Schema, @FILE or NAME.json.", "--schema", metavar="SPEC")] = None
    schema_multi: Annotated[Text, _flag(SHAPE, "Shape of each entry, given as for --schema; the answer is a list of them.", "--schema-multi", metavar="SPEC")] = None
    schema_name: Annotated[Text, _flag(SHAPE, "Name of the schema [default: its title, the file's name, or answer].", "--schema-name", metavar="NAME")] = None
    no_strict: Annotated[bool, _flag(SHAPE, "Send a JSON Schema unchanged; the server may then not enforce it.", "--no-strict")] = False
    json_object: Annotated[bool, _flag(SHAPE, "Require any JSON object as the answer; the prompt must contain the word JSON.", "--json-object")] = False
    verbosity: Annotated[Text, _flag(SHAPE, "How detailed the answer is: low, medium or high.", "--verbosity", metavar="LEVEL"), "text.verbosity"] = None

    tool: Annotated[Texts, _flag(TOOLS, "Offer a tool: web_search, file_search:VS_ID[,VS_ID], code_interpreter, image_generation, shell, mcp:LABEL=URL, any other type, @FILE or JSON. Repeatable.", "--tool", "-t", metavar="SPEC")] = None
    tool_choice: Annotated[Text, _flag(TOOLS, "Which tool the model may or must call: auto, none, required, a tool's or function's name, JSON or @FILE.", "--tool-choice", metavar="CHOICE")] = None
    max_tool_calls: Annotated[int | None, _flag(TOOLS, "Limit of built-in tool calls, for all tools together.", "--max-tool-calls", metavar="N"), "max_tool_calls"] = None
    parallel_tool_calls: Annotated[Flag, _flag(TOOLS, "Let the model call several tools at once.", "--parallel-tool-calls/--no-parallel-tool-calls"), "parallel_tool_calls"] = None

    background: Annotated[bool, _flag(SERVICE, "Run on the server: print the response id and exit.", "--background")] = False
    wait: Annotated[bool, _flag(SERVICE, "With --background: wait until the response has ended, and print it.", "--wait")] = False
    service_tier: Annotated[Text, _flag(SERVICE, "Service tier: auto, default, flex, priority, …", "--service-tier", metavar="TIER"), "service_tier"] = None
    prompt_cache_key: Annotated[Text, _flag(SERVICE, "Key of the prompt cache; requests with the same key share it.", "--prompt-cache-key", metavar="KEY"), "prompt_cache_key"] = None
    prompt_cache_retention: Annotated[Text, _flag(SERVICE, "How long the prompt cache is kept: in_memory or 24h.", "--prompt-cache-retention", metavar="TIME")] = None
    safety_identifier: Annotated[Text, _flag(SERVICE, "Stable, anonymous id of your user, up to 64 characters.", "--safety-identifier", metavar="ID"), "safety_identifier"] = None
    user: Annotated[Text, _flag(SERVICE, "Deprecated: use --safety-identifier and --prompt-cache-key.", "--user", metavar="ID"), "user"] = None
    metadata: Annotated[Texts, _flag(SERVICE, "KEY=VALUE pair to store with the response, up to 16. Repeatable.", "--metadata", metavar="K=V")] = None
    include: Annotated[Texts, _flag(SERVICE, "Further data to return, such as reasoning.encrypted_content. Repeatable.", "--include", metavar="FIELD")] = None
    context_management: Annotated[Text, _flag(SERVICE, 'How the server shortens a long context: a JSON array, such as [{"type":"compaction"}], or @FILE.', "--context-management", metavar="JSON")] = None
    prompt_id: Annotated[Text, _flag(SERVICE, "Id of a prompt stored on the server.", "--prompt-id", metavar="ID"), "prompt.id"] = None
    prompt_version: Annotated[Text, _flag(SERVICE, "Version of that prompt.", "--prompt-version", metavar="VERSION"), "prompt.version"] = None
    prompt_var: Annotated[Texts, _flag(SERVICE, "Variable of that prompt; its value is text or a JSON content part. Repeatable.", "--prompt-var", metavar="K=V")] = None
    include_obfuscation: Annotated[Flag, _flag(SERVICE, "Random padding in streamed events, against traffic analysis.", "--include-obfuscation/--no-include-obfuscation"), "stream_options.include_obfuscation"] = None

    param: Annotated[Texts, _flag(RAW, "Set any field by its dotted path; VALUE is JSON, text or @FILE. Repeatable.", "--param", "-P", metavar="PATH=VALUE")] = None
    body: Annotated[Text, _flag(RAW, "Request body to start from, JSON or @FILE; the other flags change it.", "--body", metavar="JSON")] = None
    no_stream: Annotated[bool, _flag(RAW, "Request one plain reply instead of a stream.", "--no-stream")] = False
    count_tokens: Annotated[bool, _flag(RAW, "Print the number of input tokens of the request; no model is asked.", "--count-tokens")] = False

class ChainOptions(NamedTuple):
    """Which chain or conversation the turn belongs to, and what of it is sent and recorded (docs/chains.md)."""

    continue_: Annotated[bool, _flag(CHAIN, "Continue the chain instead of starting it again.", "--continue", "-c")] = False
    chain: Annotated[Text, _flag(CHAIN, "Name of the chain; tty: one per terminal, .: one per directory [default: default].", "--chain", metavar="NAME", autocompletion=complete_chains)] = None
    from_: Annotated[Text, _flag(CHAIN, "Continue this recorded response.", "--from", metavar="ID", autocompletion=complete_ids)] = None
    previous_response_id: Annotated[Text, _flag(CHAIN, "Continue this response of the server.", "--previous-response-id", metavar="ID", autocompletion=complete_ids)] = None
    conversation: Annotated[Text, _flag(CHAIN, "Id of a conversation that the server keeps, or new to create one.", "--conversation", metavar="ID|new")] = None
    store: Annotated[Flag, _flag(CHAIN, "Whether the server keeps the response [default: the server decides].", "--store/--no-store")] = None
    replay: Annotated[bool, _flag(CHAIN, "Send the recorded turns in place of a response id.", "--replay")] = False
    no_save: Annotated[bool, _flag(CHAIN, "Record nothing of this turn.", "--no-save")] = False
    no_instructions: Annotated[bool, _flag(CHAIN, "Drop the chain's instructions.", "--no-instructions")] = False
    no_tools: Annotated[bool, _flag(CHAIN, "Drop the chain's tools.", "--no-tools")] = False
    tool_output: Annotated[Texts, _flag(CHAIN, "Output of a tool call. Repeatable.", "--tool-output", metavar="CALL_ID=TEXT")] = None
    tool_output_file: Annotated[Texts, _flag(CHAIN, "Output of a tool call, from a file. Repeatable.", "--tool-output-file", metavar="CALL_ID=FILE")] = None

class LoopOptions(NamedTuple):
    """How the model's calls are answered here."""

    functions: Annotated[Texts, _flag(TOOLS, "Offer and run the functions of a .py, .toml or .json file. Repeatable.", "--functions", metavar="FILE")] = None
    mcp: Annotated[Texts, _flag(TOOLS, "Offer and run the tools of an MCP server: a command, a URL, or NAME of [mcp.NAME] in the config file. Repeatable.", "--mcp", "--mcp-server", metavar="SERVER", autocompletion=complete_servers)] = None
    approve: Annotated[Approve, _flag(TOOLS, "Whether a call may run: ask (on the terminal), always or refuse [default: ask].", "--approve", metavar="ask|always|refuse", case_sensitive=False)] = "ask"
    allow_tool: Annotated[Texts, _flag(TOOLS, "Run this function (of --mcp: NAME__TOOL), or LABEL/TOOL of a remote MCP server, without asking; * and ? are wildcards, a slash inside a name is %2F. Repeatable.", "--allow-tool", metavar="NAME")] = None
    tool_env: Annotated[Texts, _flag(TOOLS, "Environment variable that functions and MCP servers may read. Repeatable.", "--tool-env", metavar="NAME")] = None
    max_turns: Annotated[int, _flag(TOOLS, "Limit of responses in one run [default: 10].", "--max-turns", metavar="N")] = 10

class OutputOptions(NamedTuple):
    """What is printed, and where."""

    format: Annotated[Format, _flag(OUTPUT, "Output format: auto, text, markdown, json or events [default: auto].", "--format", "-F", metavar="FORMAT", case_sensitive=False)] = "auto"
    json: Annotated[bool, _flag(OUTPUT, "Print the response as JSON (-F json).", "--json")] = False
    events: Annotated[bool, _flag(OUTPUT, "Print one event per line (-F events).", "--events")] = False
    output: Annotated[Text, _flag(OUTPUT, "Write the answer to FILE, whole or not at all.", "--output", "-o", metavar="FILE")] = None
    extract: Annotated[bool, _flag(OUTPUT, "Print only the first fenced code block.", "--extract", "-x")] = False
    extract_last: Annotated[bool, _flag(OUTPUT, "Print only the last fenced code block.", "--extract-last")] = False
    select: Annotated[Text, _flag(OUTPUT, "Print only this field of the response, such as usage.input_tokens or output[].content[].text.", "--select", metavar="PATH")] = None
    save_images: Annotated[Text, _flag(OUTPUT, "Save generated images in this directory.", "--save-images", metavar="DIR")] = None
    allow_incomplete: Annotated[bool, _flag(OUTPUT, "Accept an incomplete answer: exit 0 instead of 3.", "--allow-incomplete")] = False
    usage: Annotated[bool, _flag(OUTPUT, "Print the token counts on stderr, with the cost if the price is known, and the request id.", "--usage", "-u")] = False
    max_cost: Annotated[float | None, _flag(OUTPUT, "End the run before it costs more than this (exit 9). Costs are list prices and an estimate of the input; what has no price, such as the server's tools, isn't counted.", "--max-cost", metavar="USD")] = None
    price: Annotated[Text, _flag(OUTPUT, "Price of the model in USD for a million input and output tokens, in place of the listed one; CACHED is that of cached input.", "--price", metavar="IN,OUT[,CACHED]")] = None
    quiet: Annotated[bool, _flag(OUTPUT, "Print no warnings and no status.", "--quiet", "-q")] = False
    verbose: Annotated[bool, _flag(OUTPUT, "Print notices and tool calls on stderr, even if it is no terminal.", "--verbose")] = False
    show_reasoning: Annotated[Flag, _flag(OUTPUT, "Print reasoning on stderr [default: on a terminal].", "--show-reasoning/--hide-reasoning")] = None
    id_file: Annotated[Text, _flag(OUTPUT, "Write the response id to FILE as soon as it is known.", "--id-file", metavar="FILE")] = None
    summary_file: Annotated[Text, _flag(OUTPUT, "Write the facts of the run to FILE as one JSON object, however it ends.", "--summary-file", metavar="FILE")] = None
    github: Annotated[bool, _flag(OUTPUT, "In a job of GitHub Actions: write outputs and a summary of the step, and annotate errors.", "--github")] = False
    plain: Annotated[bool, _flag(OUTPUT, "No redrawing and no spinner.", "--plain")] = False
    color: Annotated[Color, _flag(OUTPUT, "Colour of rendered text: auto (on a terminal), always or never [default: auto].", "--color", metavar="WHEN", case_sensitive=False)] = "auto"
    bell: Annotated[bool, _flag(OUTPUT, "Ring the terminal's bell when a run of more than 20 s ends or asks a question.", "--bell")] = False

    @property
    def file(self) -> str | None:
        """The file that gets the answer; None for standard output, which `-` names too."""
        return None if self.output == "-" else self.output

class ConnectionOptions(NamedTuple):
    """How the server is reached."""

    profile: Annotated[Text, _flag(CONNECTION, "Use the settings of [profile.NAME] in the config file.", "--profile", metavar="NAME", autocompletion=complete_profiles)] = None
    base_url: Annotated[Text, _flag(CONNECTION, "Base URL of the API [default: https://api.cometapi.com/v1].", "--base-url", metavar="URL")] = None
    header: Annotated[Texts, _flag(CONNECTION, "Header to send with each request. Repeatable.", "--header", "-H", metavar="'NAME: VALUE'")] = None
    timeout: Annotated[float | None, _flag(CONNECTION, "Seconds without data before giving up [default: 600].", "--timeout", metavar="SECONDS")] = None
    max_time: Annotated[float | None, _flag(CONNECTION, "Seconds for the whole run [default: no limit].", "--max-time", metavar="SECONDS")] = None
    max_reply_size: Annotated[Text, _flag(CONNECTION, "Largest reply, or event of a stream, in bytes, such as 10M or 1G [default: 256M].", "--max-reply-size", metavar="SIZE")] = None
    retries: Annotated[int | None, _flag(CONNECTION, "How often a failed request is tried again [default: 2].", "--retries", metavar="N")] = None
    ca_file: Annotated[Text, _flag(CONNECTION, "File with certificates to trust.", "--ca-file", metavar="FILE")] = None
    insecure_http: Annotated[bool, _flag(CONNECTION, "Send the key to a plain http: address.", "--insecure-http")] = False
    offline: Annotated[bool, _flag(CONNECTION, "Talk to the built-in emulator: no key, no network, no model.", "--offline")] = False
    fault: Annotated[Texts, _flag(CONNECTION, "Make the emulator fail, for example with 503@1. Repeatable.", "--fault", metavar="KIND[=ARG][@N|%P]")] = None
    dry_run: Annotated[bool, _flag(CONNECTION, "Print the request body and send nothing.", "--dry-run")] = False
    curl: Annotated[bool, _flag(CONNECTION, "Print the request as a curl command and send nothing.", "--curl")] = False
    debug: Annotated[bool, _flag(CONNECTION, "Show requests and replies on stderr, secrets masked.", "--debug")] = False
    error_format: Annotated[ErrorFormat | None, _flag(CONNECTION, "How errors are printed: text, json or github (annotations) [default: text; with --github: github].", "--error-format", metavar="text|json|github", case_sensitive=False)] = None

    @property
    def only_shows(self) -> bool:
        """Whether the request is printed instead of sent."""
        return self.dry_run or self.curl

# fmt: on


def wire_paths(options: type) -> dict[str, str]:
    """Field name -> path in the body, for the fields whose value is sent unchanged."""
    facts = {name: facts_of(annotation) for name, annotation in options.__annotations__.items()}
    return {name: path for name, (_, _, *paths) in facts.items() for path in paths}
