"""The pages about exit codes and variables. Their rows are those of docs/, as a test checks."""

from cometresp.help.page import Page, Section

# fmt: off
# One row per line, however long, as in the tables of docs/exit-codes.md and docs/flags.md.
# ruff: noqa: E501
EXIT_CODES: tuple[tuple[str, str], ...] = (
    ("0", "the response completed; --background was accepted; cancel, delete, items, chains compact, --count-tokens or an offline command succeeded"),
    ("1", "the response failed, or ended with a status that isn't known here, or the stream contained an error; some requests of a batch failed, or are missing for batch merge"),
    ("2", "wrong usage or bad input, found before anything was sent; nothing to continue; an empty prompt, or an editor that failed, with --edit; an attached file that changed while it was sent"),
    ("3", "incomplete: max_output_tokens, or an unknown reason (--allow-incomplete makes it 0)"),
    ("4", "stopped by the content filter, or a refusal"),
    ("5", "the answer waits for a call: of a function without a command, of one that wasn't allowed to run, or after --max-turns"),
    ("6", "cancelled"),
    ("7", "still queued, in progress or in another status that may change, also when --max-time ended a wait; without it, ask fetches a reply that is still queued until its status has been the same 5 times; a batch that hasn't ended, for batch status and batch fetch"),
    ("8", "the answer doesn't match --schema (it is printed all the same), or has no code block for --extract (a blank one doesn't count), or lacks the field of --select"),
    ("9", "stopped by --max-cost: the request, or the next one of a run or a batch, would cost more; it wasn't sent"),
    ("65", "the server refused the request: 400, 404, 413, 422 and other 4xx; a 5xx whose code says so, such as 500 invalid_request and 503 model_not_found; cancel of a response or batch that has ended; a chain that can't be replayed, or that moved on while it was compacted; an attachment of a turn for again that has changed or is gone"),
    ("69", "unreachable, timed out, 5xx after all retries, or a stream cut before its end"),
    ("70", "a bug in cometresp; the hint names a file with the details"),
    ("73", "the output can't be written; the state can't be read or written (for ask only a warning), also because another process holds it for too long"),
    ("75", "rate limited (429) after all retries, or asked to wait longer than 120 s"),
    ("76", "not the Responses API: a redirect, HTML, an empty reply, broken JSON, a compression that wasn't asked for, a reply larger than --max-reply-size, a background response without an id that can be used, or a server without batches"),
    ("77", "the key is missing, refused or not allowed; the quota is exhausted"),
    ("78", "the config file, a base URL in it or in the environment, a proxy or a certificate setting is invalid, or key_command prints no key; a proxy wants a name and a password (407)"),
    ("129, 130, 131, 143", "hung up (SIGHUP), interrupted (SIGINT, Ctrl-C), quit (SIGQUIT, Ctrl-\\), terminated (SIGTERM)"),
    ("141", "the reader of the output closed the pipe"),
)
ENVIRONMENT: tuple[tuple[str, str], ...] = (
    ("COMETAPI_KEY", "the key; there is no flag for it, since the list of processes would show it"),
    ("COMETAPI_BASE_URL", "the base URL (https://api.cometapi.com/v1), with or without /responses and a query"),
    ("COMETAPI_DEFAULT_MODEL", "the model if neither flag nor chain names one (gpt-5.4, on CometAPI only)"),
    ("COMETRESP_CHAIN", "the chain"),
    ("COMETRESP_RECORD", "full, ids or none"),
    ("COMETRESP_PROFILE", "the profile of the config file, as --profile names it"),
    ("COMETRESP_STATE_DIR, COMETRESP_CONFIG", "where the state and the config file are; a config file that is named here must be there"),
    ("COMETRESP_CACHE_DIR", "where lists of models are kept for a day"),
    ("COMETRESP_NO_STDIN, COMETRESP_PLAIN", "1: like --no-stdin, --plain"),
    ("VISUAL, EDITOR", "the editor of --edit and config edit, with arguments if it needs some (code --wait)"),
    ("PAGER", "what shows transcripts and long help on a terminal (less, with LESS=FRX if that isn't set); cat, or empty: nothing does; after one that fails the text is written without it"),
    ("HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, SSL_CERT_FILE, SSL_CERT_DIR", "as in other programs; loopback addresses never use a proxy"),
    ("NO_PROXY", "what is reached without a proxy, separated by commas: example.com (also what is under it), .example.com (only what is under it), 10.0.0.0/8, fd00::/8, [fd00::1]:8443, *"),
    ("NO_COLOR", "no colours; bold and dim text stays"),
    ("CI, TERM=dumb", "nothing is redrawn; with CI no question is asked"),
    ("GITHUB_OUTPUT, GITHUB_STEP_SUMMARY", "files of a step of GitHub Actions, which --github writes"),
    ("COLUMNS", "the width of help and of -F markdown, also in a pipe, and of what a terminal shows"),
    ("FORCE_HYPERLINK", "1 or 0: whether the links of an answer are links of the terminal, where it isn't known"),
)
# fmt: on

_PAGES = {
    "exit-codes": Page(
        "",
        "How a run ended. The codes are the same for a streamed, whole, fetched or background response; the text that "
        "was received is printed with any of them.",
        [Section("Exit codes", list(EXIT_CODES))],
        "--error-format json prints the error as JSON. More in docs/exit-codes.md of the source",
    ),
    "environment": Page(
        "",
        "A flag takes precedence over the template, the template over the chain, the chain over the environment, the "
        "environment over the config file.",
        [Section("Variables", list(ENVIRONMENT))],
        "cometresp config shows what is set. The config file and all flags: docs/settings.md and docs/flags.md of the source",
    ),
}
TOPICS = tuple(_PAGES)


def topic_page(topic: str) -> Page:
    return _PAGES[topic]
