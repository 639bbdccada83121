"""An embedded server on loopback that speaks the Responses API without a model.

Its answers are deterministic, say that they are the emulator's, and quote the prompt; on a chained turn also the
earlier prompts, after tool outputs those outputs. Words in the last user message steer it:

| word | does |
|---|---|
| `emulate:refusal` | a message with a refusal; status `completed` |
| `emulate:incomplete` | half the text; `incomplete` by `max_output_tokens` |
| `emulate:content_filter` | half the text; `incomplete` by `content_filter` |
| `emulate:failed` | half the text, then `response.failed` with `server_error`; whole: status `failed` |
| `emulate:error` | half the text, then an `error` event; whole: HTTP 500 |
| `emulate:reasoning` | a reasoning item with a summary first (also where `reasoning.summary` is set) |
| `emulate:code` | two fenced code blocks in the text |
| `emulate:long=N` | N further lines of text, at most 100,000 |
| `emulate:slow` | 0.1 s between streamed deltas; a background response takes 10 s in place of 1 s |
| `emulate:call` | calls a function or custom tool, if one is offered: the one that is named, else the first |
| `emulate:calls=N` | N calls (2) in one response; one by one with `parallel_tool_calls: false` |
| `emulate:call_chain=N` | N responses (3) with a call, one after the other's output, then the answer |
| `emulate:unknown_call` | calls a function that wasn't offered |
| `emulate:broken_call` | the arguments lack their closing brace |
| `emulate:endless_call` | the same call again after each output |
| `emulate:web_search` | a search with a cited page before the message, if the tool is offered in `tools` |
| `emulate:file_search` | the same with a cited file |
| `emulate:code_interpreter` | code that wasn't run, likewise if offered |
| `emulate:image_generation` | an image of one pixel, likewise if offered |
| `emulate:mcp` | lists a tool and asks for approval, unless `require_approval` spares it that; approved, it is called |

A function or custom tool that is offered is also called, once, when the prompt names it as a word, and whenever
`tool_choice` demands it. A JSON object behind a command or a name is the call's arguments. With a JSON Schema the text
is JSON that fits it. A model whose name begins with `no-such` isn't served. A stream can be fetched again by
`GET …?stream=true` only if it was created as one. `faults` are in faults.py.
"""

from cometresp.emulator.server import Emulator

__all__ = ["Emulator"]
