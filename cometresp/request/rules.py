"""The rules of the API that can be checked before sending."""

from cometresp.errors import UsageError
from cometresp.options.tables import RequestOptions
from cometresp.text import Say
from cometresp.wire.json import Json

# Values that the API page lists; others are sent with a warning, since providers differ.
KNOWN = {
    "reasoning_effort": "none minimal low medium high xhigh max",
    "reasoning_summary": "auto concise detailed",
    "truncation": "auto disabled",
    "verbosity": "low medium high",
    "service_tier": "auto default flex scale priority fast ultrafast",
    "prompt_cache_retention": "in_memory 24h",
    "image_detail": "auto low high original",
    "include": "web_search_call.action.sources web_search_call.results code_interpreter_call.outputs"
    " computer_call_output.output.image_url file_search_call.results message.input_image.image_url"
    " message.output_text.logprobs reasoning.encrypted_content",
}

_MAX_METADATA, _MAX_KEY, _MAX_VALUE, _MAX_SAFETY_ID = 16, 64, 512, 64
_MIN_OUTPUT_TOKENS = 16
_PLAIN_TEXT = 1_000_000  # characters; a plain prompt below this is within every limit


def check(body: Json, warn: Say) -> None:
    """Raises UsageError with the flag and the rule; warns about values that some servers refuse."""
    if body.get("conversation") is not None and body.get("previous_response_id") is not None:
        raise UsageError(
            "--conversation excludes a previous response (--previous-response-id, --continue, --from)",
            hint="a conversation already includes its earlier turns",
        )
    _in_range(body, "temperature", 0, 2)
    _in_range(body, "top_p", 0, 1)
    _in_range(body, "top_logprobs", 0, 20)
    _in_range(body, "max_output_tokens", _MIN_OUTPUT_TOKENS, None)
    _in_range(body, "max_tool_calls", 0, None)
    _check_metadata(body.get("metadata"))
    identifier = body.get("safety_identifier")
    if isinstance(identifier, str) and len(identifier) > _MAX_SAFETY_ID:
        raise UsageError(f"--safety-identifier: at most {_MAX_SAFETY_ID} characters, not {len(identifier)}")
    management = body.get("context_management")
    if management is not None and (not isinstance(management, list) or not management):
        raise UsageError("--context-management: must be a JSON array of at least one object")
    if body.get("stream_options") is not None and not body.get("stream"):
        raise UsageError("--include-obfuscation goes with a stream only, not with --no-stream or --background")
    if body.get("temperature") is not None and body.get("top_p") is not None:
        warn("--temperature and --top-p together: the API advises to change one of them")
    given = body.get("input") or ""
    plain = isinstance(given, str) and len(given) < _PLAIN_TEXT
    if not plain or body.get("tools") or management:
        from cometresp.request.limits import warn_over_limits

        warn_over_limits(body, warn)


def _in_range(body: Json, name: str, low: float, high: float | None) -> None:
    value = body.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return
    if not (low <= value and (high is None or value <= high)):
        rule = f"at least {low}" if high is None else f"between {low} and {high}"
        raise UsageError(f"--{name.replace('_', '-')}: must be {rule}, not {value}")


def _check_metadata(metadata: object) -> None:
    if not isinstance(metadata, dict):
        return
    if len(metadata) > _MAX_METADATA:
        raise UsageError(f"--metadata: at most {_MAX_METADATA} pairs, not {len(metadata)}")
    for name, value in metadata.items():
        if len(name) > _MAX_KEY:
            raise UsageError(f"--metadata: a key has at most {_MAX_KEY} characters, {name[:20]!r}… has {len(name)}")
        if isinstance(value, str) and len(value) > _MAX_VALUE:
            raise UsageError(
                f"--metadata: a value has at most {_MAX_VALUE} characters, that of {name!r} has {len(value)}"
            )


def warn_unknown(options: RequestOptions, warn: Say) -> None:
    for name, known in KNOWN.items():
        given = getattr(options, name)
        for value in given if isinstance(given, list) else [] if given is None else [given]:
            if value not in known.split() and value != "in-memory":
                flag = f"--{name.replace('_', '-')}"
                warn(f"{flag}: {value!r} is not a value that the API page lists; it is sent unchanged")
