"""Makes docs/screenshot.png: a run of the command in tmux, its screen as Rich's SVG, that as a PNG.

Needs cometresp, tmux and chromium: `python docs/screenshot.py`.
"""

import re
import shlex
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from rich.console import Console
from rich.text import Text

from tests.scripted import STREAM_HEAD, Request, created, delta, ended, frames, message, response, serving

COLUMNS, ROWS = 96, 40
ANSWER = """## Which sort is it?

Python's `sorted` is **Timsort**: it finds runs that are in order already, and merges them.

| input          | comparisons | stable |
|----------------|-------------|--------|
| in order       | n           | yes    |
| reversed       | n           | yes    |
| at random      | n log n     | yes    |

```python
def by_length(words: list[str]) -> list[str]:
    # equal lengths keep their order
    return sorted(words, key=len)
```

1. It is stable, so sorting twice sorts by two keys.
2. `list.sort` does the same in place.
"""


def script(_: Request, connection: socket.socket) -> None:
    """The events of an answer that searches first, as slow as a model's."""
    search = {"id": "ws_1", "type": "web_search_call", "status": "in_progress"}
    sources = [{"type": "url", "url": f"https://docs.python.org/{n}"} for n in range(3)]
    action = {"type": "search", "query": "python sort algorithm", "sources": sources}
    found = search | {"status": "completed", "action": action}
    thought = {"id": "rs_1", "type": "reasoning", "summary": []}
    page = "https://docs.python.org/3/howto/sorting.html"
    place = ANSWER.index("merges them.") + len("merges them.")
    cited = {"type": "url_citation", "url": page, "title": "Sorting Techniques", "start_index": 0, "end_index": place}
    brings = {"type": "response.output_text.annotation.added", "output_index": 2, "content_index": 0}
    text = message(ANSWER)
    text["content"][0]["annotations"] = [cited]
    usage = {
        "input_tokens": 412,
        "input_tokens_details": {"cached_tokens": 256},
        "output_tokens": 236,
        "output_tokens_details": {"reasoning_tokens": 64},
        "total_tokens": 648,
    }
    answer = [delta(ANSWER[:place], 2), brings | {"annotation_index": 0, "annotation": cited}]
    answer += [delta(ANSWER[n : n + 12], 2) for n in range(place, len(ANSWER), 12)]
    events = [
        created("resp_6f2a91c07d3e", model="gpt-5.4"),
        {
            "type": "response.reasoning_summary_text.delta",
            "output_index": 0,
            "summary_index": 0,
            "delta": "**Looking it up**\n\nThey want the algorithm and its guarantees; the docs will have both.\n",
        },
        {"type": "response.output_item.added", "output_index": 1, "item": search},
        {"type": "response.output_item.done", "output_index": 1, "item": found},
        *answer,
        ended(response(thought, found, text, response_id="resp_6f2a91c07d3e", usage=usage, model="gpt-5.4")),
    ]
    connection.sendall(STREAM_HEAD)
    for event in events:
        connection.sendall(frames([event]))
        time.sleep(0.7 if "item" in event else 0.03)


def screen(command: str) -> str:
    """What a terminal shows when the command has ended, with its colours."""

    def tmux(*words: str) -> str:
        return subprocess.run(["tmux", "-L", "screenshot", *words], capture_output=True, text=True, check=True).stdout

    tmux("-f", "/dev/null", "new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS), "sh", "-c", command)
    try:
        while "→" not in tmux("capture-pane", "-p"):
            time.sleep(0.2)
        return tmux("capture-pane", "-p", "-e", "-N").rstrip()
    finally:
        tmux("kill-server")


def main() -> None:
    shown = 'cometresp ask -t web_search "Which sort is sorted()?"'
    target = Path(__file__).with_name("screenshot.png")
    with serving() as wire, tempfile.TemporaryDirectory() as home:
        wire.answer(script)
        environ = {
            "HOME": home,
            "COMETRESP_STATE_DIR": home,
            "COMETAPI_KEY": "x",
            "COMETAPI_BASE_URL": wire.url,
            "COLORTERM": "truecolor",
        }
        environ |= {"COMETAPI_DEFAULT_MODEL": "gpt-5.4", "TERM": "xterm-256color", "LANG": "C.UTF-8", "PS1": "$ "}
        assignments = " ".join(f"{name}={shlex.quote(value)}" for name, value in environ.items())
        real = shlex.join([sys.executable, "-m", *shlex.split(shown)])
        text = screen(f"printf '$ %s\\n' {shlex.quote(shown)}; env {assignments} {real}; cat")
        console = Console(record=True, width=COLUMNS, file=(Path(home) / "null").open("w"), force_terminal=True)
        console.print(Text.from_ansi(text), no_wrap=True)
        svg = Path(home) / "screenshot.svg"
        console.save_svg(str(svg), title="cometresp")
        drawn = svg.read_text()
        width, height = re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawn)[0]
        page = Path(home) / "page.html"
        page.write_text(f"<meta charset='utf-8'><body style='margin:0'>{drawn}</body>")
        browser = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        window = f"--window-size={float(width):.0f},{float(height) + 16:.0f}"
        shot = [*browser, "--hide-scrollbars", window, f"--screenshot={target}", page.as_uri()]
        subprocess.run(shot, check=True, capture_output=True)


if __name__ == "__main__":
    main()
