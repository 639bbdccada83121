"""Texts: the `emulate:` words of a prompt, quotes, token counts, and the split of a text into deltas.

Words in the last user message change the answer:

| word | effect |
|---|---|
| `emulate:refusal` | a message with a refusal; status `completed` |
| `emulate:incomplete` | half the text; `incomplete` by `max_output_tokens` |
| `emulate:content_filter` | half the text; `incomplete` by `content_filter` |
| `emulate:failed` | half the text, then `response.failed` with `server_error`; without a stream: status `failed` |
| `emulate:error` | half the text, then an `error` event; without a stream: HTTP 500 |
| `emulate:reasoning` | a reasoning item with a summary first (also if `reasoning.summary` is set) |
| `emulate:commentary` | a message of phase `commentary` first; the answer's phase is `final_answer` |
| `emulate:code` | two fenced code blocks in the text |
| `emulate:long=N` | N further lines of text, at most 100,000 |
| `emulate:slow` | 0.1 s between streamed deltas; a background response takes 10 s instead of 1 s |
| `emulate:call` | a call of a function or custom tool, if one is offered: the one that is named, else the first |
| `emulate:calls=N` | N calls (2) in one response; one by one with `parallel_tool_calls: false` |
| `emulate:call_chain=N` | N responses (3) with a call each, after the output of the call before; then the answer |
| `emulate:unknown_call` | a call of a function that wasn't offered |
| `emulate:broken_call` | a call whose arguments lack their closing brace |
| `emulate:endless_call` | the same call again after each output |
| `emulate:web_search` | a search with a cited page before the message, if the tool is in `tools` |
| `emulate:file_search` | a search with a cited file, if the tool is in `tools` |
| `emulate:code_interpreter` | code that wasn't run, if the tool is in `tools` |
| `emulate:image_generation` | an image of one pixel, if the tool is in `tools` |
| `emulate:mcp` | a list of tools and a request for approval, or a call where `require_approval` allows it |

docs/emulator.md has the same table for users.
"""

import re
import unicodedata

COMMAND = r"\bemulate:([a-z_]+)(?:=(\d+))?"
_COMMAND = re.compile(COMMAND)
_TOKEN = re.compile(r"\S+\s*|\s+")
_LONG = 12
_CHUNK = 8
CHARS_PER_TOKEN = 4
# Characters that belong to the grapheme before them: marks, joiners, variation selectors, skin tones, flag halves.
_JOINER = "\u200d"
_EXTENDERS = (("\U0001f3fb", "\U0001f3ff"), ("\U0001f1e6", "\U0001f1ff"))


def commands(prompt: str) -> dict[str, int]:
    """The `emulate:` words of a prompt, each with its number (0 without one)."""
    return {name: int(value or 0) for name, value in _COMMAND.findall(prompt)}


def without_commands(prompt: str) -> str:
    return _COMMAND.sub(" ", prompt)


def tokens(text: str) -> int:
    """A plausible number of tokens: one for four characters."""
    return -(-len(text) // CHARS_PER_TOKEN)


def pieces(text: str) -> list[str]:
    """The deltas of a text: its words, long ASCII words in several pieces. No grapheme is split."""
    result: list[str] = []
    for word in _TOKEN.findall(text):
        if result and _continues(result[-1], word):
            result[-1] += word
        elif len(word) > _LONG and word.isascii() and not word.isspace():
            result.extend(_chunks(word))
        else:
            result.append(word)
    return result


def _continues(before: str, word: str) -> bool:
    first = word[0]
    return (
        first == _JOINER
        or before[-1] == _JOINER
        or unicodedata.category(first).startswith("M")
        or any(low <= first <= high for low, high in _EXTENDERS)
    )


def _chunks(word: str) -> list[str]:
    body = word.rstrip()  # white space isn't split: "\r\n" is one grapheme
    parts = [body[start : start + _CHUNK] for start in range(0, len(body), _CHUNK)]
    parts[-1] += word[len(body) :]
    return parts


def clip(text: str, limit: int) -> str:
    """The whole pieces of the text that fit in `limit` characters, at least one."""
    kept = ""
    for piece in pieces(text[: limit + _LONG]):
        if kept and len(kept) + len(piece) > limit:
            break
        kept += piece
    return kept


def excerpt(text: str, limit: int) -> str:
    """The text for a quote. A long text is cut, with its full length added."""
    if len(text) <= limit:
        return text
    return f"{clip(text, limit).rstrip()} … ({len(text)} characters in all)"


def one_line(text: str, limit: int) -> str:
    return " ".join(excerpt(text, limit).split())
