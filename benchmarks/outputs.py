"""Runs command lines of two installed versions of cometresp and prints where they differ.

`python benchmarks/outputs.py OLD NEW [PART]`: OLD and NEW are `cometresp` executables; with PART only the homes that
have it in a line. Compared are exit code, stdout, stderr (or what a terminal gets), files that were written and what a
scripted server received, without what is random or depends on the time. Exit code 1 where something differs.
"""

import difflib
import json
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import termios
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

LIMIT = 60.0  # seconds for one command line

# Each row is a home of its own; an indented row goes on with the one above. ` && ` separates the lines of a home,
# `(( a || b ))` makes a row of each. A line is `[tty] [NAME=VALUE…] WORD… [< FILE | <<< TEXT | <&-] [=> REPLY…]`, as in
# a shell; on a tty TEXT is typed where it is asked for. With replies the command has a key and a model, and the
# scripted server gives them in turn, the last one again and again; a reply is one of REPLIES, STATUS, STATUS_CODE or
# STATUS:BODY. `+` is `--offline`, `complete TEXT` asks what would complete TEXT, and `resp#2` is the second id of its
# kind that the home has seen.
TABLE = """
(( ask || stream || continue || get || cancel || delete || items || chains || log || schema || completion )) --help
(( emulator || chains show || chains head || chains set || chains rename || chains rm || chains prune || )) --help
(( --version || -V || -h || completion bash || completion zsh || completion fish || completion powershell ))
complete (( 'cometresp ' || 'cometresp ask --fo' || 'cometresp ask -F ' || 'cometresp nope ' ))
schema (( 'name, age int, tags list[str], nick str?: null if not' || --multi name || @- <<< 'a, b int' || person.json
  || --no-strict @person.json || '{"type": "array"}' || 'age nothing' || @notes.txt || missing.json || '' ))
ask + (( Say hello || -F text hi || -F markdown hi || -F json hi || -F events emulate:reasoning || -u hi || --debug hi
  || --no-stream --json hi || --no-stream --events hi || -x hi || -x emulate:code || --extract-last emulate:code
  || -o out.txt -u hi || -o out.json --json hi || -o missing/out.txt hi || -o out.txt emulate:error || -o . hi || -o ''
  || -t image_generation --save-images pictures --verbose emulate:image_generation a dot || emulate:incomplete
  || -u --verbose --show-reasoning --id-file id.txt emulate:reasoning hi || --allow-incomplete emulate:incomplete
  || -q --hide-reasoning -P foo.bar=1 --user me --metadata a=b emulate:reasoning hi || emulate:content_filter
  || --error-format json -m no-such-model hi || --error-format json emulate:failed || --background --wait -u hi ))
(( stream + emulate:long=3 || stream + --events emulate:refusal || stream + --json --include reasoning.encrypted_content
  || get --starting-after 3 || items + -n 0 || ask --dry-run --previous-response-id resp_9 || ask --curl -f none )) hi
ask + -f (( notes.txt || dot.png --image-detail low -f paper.pdf || paper.pdf --file-as text || . || none || empty.txt
  || binary.bin || notes.txt --file-as file --dry-run || - < notes.txt )) hi
ask + (( <<< 'from a pipe' || before - after <<< piped || - what? < dot.png || --no-stdin hi <<< x || <&- || - <&- ||
  || < empty.txt || < binary.bin || - - <<< x || -s @- hi <<< rules )) && COMETRESP_NO_STDIN=1 ask + <<< x
ask + (( --schema 'name, age int' || --schema person.json --json || --schema '{"a": 1,' || --schema a --json-object
  || --schema '' || --schema-multi 'name, age int?' --verbose || --json-object JSON )) Ada
ask + --functions tools.py --approve (( always || always -u --verbose || always --json || refuse || ask )) add
ask + --functions tools.py --approve always --verbose (( 'fail {"text": "no"}' || emulate:unknown_call
  || emulate:broken_call || --max-turns 2 emulate:endless_call || 'add {"first": "x"}' || --dry-run hi || -x hi
  || --functions tools.toml 'emulate:calls=2 shout {"text": "a b"} {"text": "c"}' || --tool-env COMETAPI_KEY hi
  || --functions none.py hi || --functions notes.txt hi ))
ask + -t (( web_search -t code_interpreter --verbose emulate:web_search emulate:code_interpreter || '{}' || @notes.txt
  || file_search:vs_1 --json emulate:file_search || nonsense || mcp:docs=https://mcp.example.com/ -q emulate:mcp
  || mcp:docs=https://mcp.example.com/ --allow-tool docs/echo --verbose emulate:mcp )) Hello
ask + --retries 0 --fault (( 503@1 || 429 || cut -o out.txt || cut --no-stream || drop || nonsense || 429=200 || quota
  || 404 || html || redirect || empty || refusal || incomplete || failed || error || content_filter || broken_json
  || unfinished --fault duplicate --fault unknown || stall=9 --timeout 1 || stall=9 --max-time 2 || failed --json )) hi
ask + --retries 1 --verbose --fault (( 503@1 --debug || 429=0 || cut@1 )) hi
ask --dry-run (( hi || -m m -s @notes.txt --temperature 1 --top-p 0.5 --top-logprobs 2 --effort low --verbosity low
  || -m m --reasoning-summary auto --truncation auto --max-tool-calls 3 --no-parallel-tool-calls --service-tier flex
  || -m m --prompt-cache-key k --prompt-cache-retention 24h --safety-identifier me --user me --metadata a=b
  || -m m --prompt-id p --prompt-version 2 --prompt-var who=me --no-include-obfuscation --no-store --include a.b
  || -m m -P reasoning.mode=pro -P 'a.b=[1]' --body '{"model": "x", "input": "y"}' --tool-choice required
  || -m m --input '[{"role": "user", "content": "a"}]' -t @weather.json --tool-choice weather -f https://example.com/a
  || -m m -t '{"type": "mcp", "server_label": "s", "server_url": "https://x", "authorization": "secret"}' )) hi
ask --curl (( -m m -f notes.txt -H 'X-Extra: it is' -H 'Authorization: Bearer x' || --schema name --no-stream )) "it's"
(( get --stream --starting-after 4 --include a.b || cancel || delete || items --order desc )) --dry-run resp/9
(( get || cancel || delete || items )) (( --curl x || + resp_none || + last || 'a b' || - <<< 'a b' ))
(( COMETRESP_CONFIG=notes.txt || COMETRESP_RECORD=x || COMETRESP_STATE_DIR=notes.txt )) (( ask || continue )) + hi
ask hi && chains && chains --json && chains show && chains head x && chains rename a b && chains rm a && chains prune
  && log && log --json && log resp_none && chains prune --older-than 3x && chains set a 'b c' && get @a
(( || nope || aks hi || ask --nope hi || ask -m || ask --retries x hi || chains nope || get || schema || --nope ))
ask --error-format json (( --file-as x || --temperature 3 || --nope || -m '' || --chain ' ' )) hi
ask + (( --temperature 3 || --max-output-tokens 1 || --metadata a || --tool-choice '[1]' || -H x || --wait || -P x
  || --include-obfuscation --no-stream || --conversation c --previous-response-id r || --json --events || -x --json
  || -F xml || --tool-output x || --timeout 0 || --body '[]' || --input 5 || --no-strict || --output '' )) hi
ask (( --base-url ftp://x || --base-url http://api.example || --fault cut || --ca-file none -H 'a: ü' )) hi => 599
emulator (( --port 0 || --fault 503@1 --memory m.db || --delay 0.001 || --port 99999 || --fault x || --delay -1 ))
ask (( --json || --no-stream -u || -F events || -o out.txt --id-file id.txt
  || --retries 0 --base-url http://127.0.0.1:1 )) hi => whole
ask (( -u --verbose --debug -H 'X-Extra: 1' -H 'X-Api-Key: secret' || -f dot.png -f notes.txt -s brief --schema name
  || --no-save --conversation c || --previous-response-id r || --events || -x || --extract-last -q )) hi => stream
(( stream --json --show-reasoning hi => thinking || stream --verbose hi => thinking || ask --background --wait -u hi
  => queued whole || get --stream --starting-after 2 --retries 1 resp_1 => cut stream ))
ask --error-format json --retries 0 hi => (( failed || error_event || garbage || cancelled || cut || short || 301
  || '200:<title>Hi</title>' || '200:{"object": "list"}' || '200:{"error": {"message": "no", "code": "odd"}}' || 400_bad
  || '400:<p>bad</p>' || '400:{"detail": [{"loc": ["body", "input"], "msg": "field required"}]}' || 401 || 403 || 404
  || '402:{"error": "pay first"}' || '403:{"success": false, "message": "not yours (request id: abc)"}' || 429 || 200:
  || 429_insufficient_quota || 500:oops || 500_invalid_request || 503_model_not_found || '503:{"msg": "busy"}' ))
ask --retries 1 --verbose hi => (( cut stream || 429 stream || 503 whole || 500 || 403 || cut 404 ))
ask --background hi => queued && get last => queued && get --wait --verbose last => queued 503 whole && chains show
ask --functions tools.py --approve always --tool-choice required (( -u || --no-store )) hi => call calls stream
get (( resp_1 || --include a.b --json resp_1 || --stream resp_1 )) => (( whole || stream || 404 ))
cancel (( resp_1 || --json resp_1 )) => (( cancelled || 404 || 400 || 200:hello ))
delete (( resp_1 || --json resp_1 )) => (( 200: || '200:{"deleted": true}' || '200:{"deleted": false}' || 404 ))
items (( resp_1 || --json -n 3 --order desc --include a resp_1 )) => (( page1 page2 || 405 || 200:hello || page1 ))
tty ask + (( emulate:reasoning emulate:code emulate:long=3 || --plain -u hi || --json hi || --fault 400 hi || -x hi
  || -t web_search --verbose emulate:web_search hi || --schema 'name, age int' Ada || -q -o out.txt hi
  || --functions tools.py 'add {"first": 1, "second": 2}' <<< y || --functions tools.py 'add {"first": 1}' <<< n ))
tty (( NO_COLOR=1 LANG=C ask + emulate:code || TERM=dumb ask + hi || ask || emulator --help || get + none ))
tty ask --retries 0 hi => (( cited || cut || failed || 401 || thinking || call )) && chains show && log && continue + hi
ask + -s 'Be brief' --metadata a=b -t web_search first words && continue + --verbose second words && chains show +
  && continue + -u --json --no-instructions --no-tools third words && chains + && chains + --json && chains head +
  && chains show + --json && log + && log + --json -n 2 && log + resp#1 && log + --json resp#2 && get + last -u
  && get + @default -F events && get + --json - <<< resp#2 && items + last && items + --json -n 1 --order desc resp#1
  && continue + --from resp#1 --verbose a fork && continue + --replay --verbose again && ask + -c --dry-run hi
  && continue + --replay --dry-run hi && continue + --curl --no-tools hi && chains set + other resp#2
  && chains set + more @other && chains rename + other better && chains rename + better default
  && continue + --chain better on && COMETRESP_CHAIN=third ask + --no-store hi
  && COMETRESP_CHAIN=third continue + --verbose on && log + --chain third && chains rm + third none
  && chains rm + third more && chains prune + --older-than 30d && delete + last --json && delete + last && get + last
  && cancel + last && tty chains + && tty chains show + && tty log + resp#1 && tty continue + hi
  && chains prune + --older-than 0h && chains +
ask + --background --id-file id.txt emulate:slow think && get + last && get + last --wait --max-time 1 && cancel + last
  && cancel + last --json && get + last && continue + hi && log + && get + - < notes.txt
ask + --background --verbose quick && get + --wait last && stream + --background hi && chains +
  && get + --stream --starting-after 5 --events last
ask -s brief -m m2 -t @weather.json one => stream && continue two => second && chains && chains show && log
  && continue --verbose three => 404_previous_response_not_found third && continue four => third && get last => 404
  && get last => 200:hello && get resp_1 => 404 && items last => 405 && delete last => 405
  && continue --no-store --effort low six => stream && complete 'cometresp chains show ' && complete 'cometresp get '
  && COMETAPI_BASE_URL=http://127.0.0.1:1/v1 continue --dry-run five => 599
ask --retries 0 hi => cut && continue hi => 599 && log resp_1 && get --stream resp_1 => stream && continue hi => second
ask -t @weather.json hi => call && continue hi => 599 && continue --tool-output call_1=21 => second && log --json
COMETRESP_RECORD=ids ask -s brief hi => stream && COMETRESP_RECORD=ids continue more => second
  && COMETRESP_RECORD=ids continue --replay more => 599 && log --json && COMETRESP_RECORD=none ask hi => stream && log
chains set a resp_9 --base-url https://example.com && chains set b resp_9 => 599 && chains && continue --chain b hi
  => second && continue --chain a hi => 599
"""
FILES = {
    "notes.txt": "# Notes\n\nbuy *milk*\n",
    "empty.txt": "",
    "binary.bin": "\0\1\2",
    "dot.png": "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\1\0\0\0\0",
    "paper.pdf": "%PDF-1.4\n%%EOF\n",
    "person.json": '{"title": "person", "type": "object", "properties": {"name": {"type": "string"}}}',
    "weather.json": '{"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {}}}',
    "tools.py": 'def add(first: int, second: int = 1) -> int:\n    "Sum."\n    return first + second\n\n\n'
    'def fail(text: str) -> str:\n    "Raises."\n    raise ValueError(text)\n',
    "tools.toml": '[[tool]]\nname = "shout"\ncommand = ["printf", "%s!", "{text}"]\nread_only = true\n'
    '[tool.parameters]\ntype = "object"\nrequired = ["text"]\nproperties.text = { type = "string" }\n',
}


# what the scripted server says --------------------------------------------------------------------------------------


def reply(word: str, value: Any = None) -> bytes:
    """STATUS:BODY as it is, or with a value as JSON; STATUS and STATUS_CODE as an error with that code."""
    status, sign, text = word[:3], word[3:4], word[4:] if value is None else json.dumps(value)
    if sign != ":":
        text = json.dumps({"error": {"message": "no such luck", "type": "x", "param": None, "code": text or None}})
    head = [f"HTTP/1.1 {status} X", f"Content-Type: {'text/html' if text[:1] not in ('{', '') else 'application/json'}"]
    head += [f"Content-Length: {len(text)}", "Connection: close", "Location: https://elsewhere.example/"]
    head += ["X-Request-Id: req_1", *(["Retry-After: 0.1"] if status in ("200", "429", "503") else [])]
    return "\r\n".join([*head, "", text]).encode()


def response(*output: dict[str, Any], number: int = 1, status: str = "completed", **more: Any) -> dict[str, Any]:
    usage = {"input_tokens": 12, "output_tokens": 34, "total_tokens": 46}
    facts = {"id": f"resp_{number}", "object": "response", "status": status, "model": "m-1", "usage": usage}
    return facts | {"output": list(output)} | more


def message(text: str, *notes: Any) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": notes}]
    return {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": content}


def call(number: int, name: str = "add") -> dict[str, Any]:
    facts = {"id": f"fc_{number}", "type": "function_call", "call_id": f"call_{number}", "status": "completed"}
    return facts | {"name": name, "arguments": json.dumps({"first": number, "second": None})}


def stream(whole: dict[str, Any], *deltas: str, kind: str = "output_text", end: bool = True) -> bytes:
    """The events of a response: created, its deltas, and unless it is cut, its end."""
    place = {"output_index": 0, "item_id": whole["output"][0]["id"] if whole["output"] else "", "content_index": 0}
    begun = whole | {"status": "in_progress", "output": []}
    events: list[dict[str, Any]] = [{"type": "response.created", "response": begun}]
    events += [{"type": f"response.{kind}.delta", **place, "summary_index": 0, "delta": text} for text in deltas]
    events += [{"type": f"response.{whole['status']}", "response": whole}] if end else []
    numbered = [json.dumps({"sequence_number": n} | event) for n, event in enumerate(events)]
    return HEAD + "".join(f"data: {event}\n\n" for event in numbered).encode()


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
TEXT = ("# Title\n\nsome **bold** ", "text\n\n- one\n- two\n\n", "```py\nx = 1\n```\n")
HELLO = response(message("".join(TEXT)))
CITED = {"type": "url_citation", "start_index": 0, "end_index": 5, "url": "https://example.com/a", "title": "A page"}
THOUGHT = {"id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": "**Hm**\n\nwell"}]}
ITEMS = [{"id": f"msg_{n}", "type": "message", "role": "user", "content": f"word {n}\n"} for n in range(4)]
REPLIES = {
    "whole": reply("200:", HELLO),
    "stream": stream(HELLO, *TEXT),
    "second": stream(response(message("two"), number=2, previous_response_id="resp_1"), "two"),
    "third": stream(response(message("three"), number=3, previous_response_id="resp_0"), "three"),
    "thinking": stream(response(THOUGHT, message("so")), "**Hm**\n\n", "well", kind="reasoning_summary_text"),
    "cited": stream(response(message("There it is.", CITED)), "There ", "it is."),
    "failed": stream(response(status="failed", error={"code": "server_error", "message": "broke\x1b[2J"}), "ha"),
    "error_event": HEAD + b'data: {"type": "error", "code": "odd", "message": "went wrong", "param": null}\n\n',
    "garbage": HEAD + b"data: {nonsense\n\n",
    "cancelled": reply("200:", response(message("ha"), status="cancelled")),
    "queued": reply("200:", response(status="queued", background=True)),
    "cut": stream(HELLO, *TEXT[:2], end=False),
    "short": reply("200:", HELLO)[:-40],
    "call": stream(response(call(1))),
    "calls": stream(response(call(2), call(3, "nope"), number=2)),
    "page1": reply("200:", {"object": "list", "data": ITEMS[:2], "has_more": True, "last_id": "msg_1"}),
    "page2": reply("200:", {"object": "list", "data": ITEMS[2:], "has_more": False, "last_id": "msg_3"}),
}


class Handler(BaseHTTPRequestHandler):
    """Gives the server's `replies` in turn, the last one again and again, and adds to what it `received`."""

    server: Any

    def answer(self) -> None:
        fields = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(fields.get("content-length", 0))).decode(errors="backslashreplace")
        framing = ("host", "connection", "content-length", "transfer-encoding")
        lines = [f"{name}: {value}" for name, value in sorted(fields.items()) if name not in framing]
        self.server.received += [f"{self.command} {self.path}", *lines, "", body, ""]
        replies = self.server.replies
        self.wfile.write(replies.pop(0) if len(replies) > 1 else replies[0])

    do_GET = do_POST = do_DELETE = answer  # noqa: N815 - http.server's names

    def log_message(self, *_: Any) -> None:
        """Nothing: standard error is for the differences."""


# With a proxy that isn't there, nothing but loopback can be reached.
ENVIRON = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "ALL_PROXY": "http://127.0.0.1:9"}
PIPES = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
STABLE = {  # what is random or depends on the time; what is redrawn on a terminal, and gone in the end
    r"(?s)\x1b\[\?25l.*?\x1b\[\?25h": "",
    r"\x1b\[([\d;]*)m": r"<\1>",
    r"(?<=\]8;id=)\d+": "N",
    r"127\.0\.0\.1:[1-9]\d{3,}": "127.0.0.1:PORT",
    r"\b20\d{12}[0-9a-f]{18}\b": "REQUEST_ID",
    r"\b20\d\d-\d\d-\d\d \d\d:\d\d\b|\b\w{3}, \d\d \w{3} 20\d\d \d\d:\d\d:\d\d GMT": "DATE",
    r"\b[12]\d{9}(\.\d+)?\b": "SECONDS",
    r"\b\d+\.\d s\b": "N s",
    r"\b([a-z]+)_[0-9a-f]{1,31}…": r"\1_…",
    r"\bstill (queued|in.progress)\b": "still at work",
}


class Home:
    """A folder in which one version of the command runs line after line."""

    def __init__(self, command: str, folder: str, server: Any) -> None:
        self._command, self._server = str(Path(command).absolute()), server
        self._folder = tempfile.mkdtemp(dir=folder)
        self._names = {self._folder: "HOME", str(Path(self._command).parent.parent): "INSTALLED"}
        self._ids: dict[str, str] = {}
        for name, text in FILES.items():
            Path(self._folder, name).write_bytes(text.encode("latin-1"))

    def run(self, line: str) -> list[str]:
        """What came of a line, without what differs from run to run."""
        for real, name in self._ids.items():
            line = re.sub(rf"{name}\b", real, line)
        text, _, replies = line.partition(" => ")
        self._server.received = []
        self._server.replies = [REPLIES.get(word) or reply(word) for word in shlex.split(replies)]
        outcome = self._outcome(["--offline" if word == "+" else word for word in shlex.split(text)])
        outcome["received"] = "\n".join(self._server.received)
        for path in sorted(Path(self._folder).rglob("*")):
            name = str(path.relative_to(self._folder))
            if path.is_file() and name not in FILES and name[0] not in "._" and path.suffix != ".db":
                outcome[name] = path.read_bytes()
        return [line for title, value in outcome.items() if value for line in self._shown(title, value)]

    def _outcome(self, words: list[str]) -> dict[str, Any]:
        environ = ENVIRON | {"HOME": self._folder}
        if self._server.replies:
            url = f"http://127.0.0.1:{self._server.server_port}/v1"
            environ |= {"COMETAPI_KEY": "sk-secret", "COMETAPI_DEFAULT_MODEL": "m", "COMETAPI_BASE_URL": url}
        tty = words[:1] == ["tty"]
        del words[:tty]
        environ |= {"TERM": "xterm-256color"} if tty else {"COLUMNS": "100"}
        while words and re.match(r"[A-Z_]+=", words[0]):
            name, _, environ[name] = words.pop(0).partition("=")
        if words[:1] == ["complete"]:
            environ |= {"_COMETRESP_COMPLETE": "complete_fish", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
            environ["_TYPER_COMPLETE_ARGS"], words = words[1], []
        stdin = None
        for sign in {"<", "<<<"}.intersection(words):
            at = words.index(sign)
            stdin = (FILES[words[at + 1]] if sign == "<" else words[at + 1] + "\n").encode("latin-1")
            del words[at : at + 2]
        command = [self._command, *(word for word in words if word != "<&-")]
        if "<&-" in words:
            command = ["sh", "-c", 'exec "$@" <&-', "sh", *command]
        if tty:
            return self._on_terminal(command, environ, stdin)
        return (self._emulator if words[:1] == ["emulator"] else self._piped)(command, environ, stdin)

    @contextmanager
    def _started(self, words: list[str], environ: dict[str, str], **streams: Any) -> Iterator[subprocess.Popen[bytes]]:
        process = subprocess.Popen(words, cwd=self._folder, env=environ, start_new_session=True, **streams)
        timer = threading.Timer(LIMIT, os.killpg, (process.pid, signal.SIGKILL))
        timer.start()
        with process:
            yield process
        timer.cancel()

    def _piped(self, words: list[str], environ: dict[str, str], stdin: bytes | None) -> dict[str, Any]:
        streams = PIPES if stdin is None else PIPES | {"stdin": subprocess.PIPE}
        with self._started(words, environ, **streams) as process:
            out, err = process.communicate(stdin)
        return {"exit code": f"{process.returncode}\n", "stdout": out, "stderr": err}

    def _emulator(self, words: list[str], environ: dict[str, str], stdin: bytes | None) -> dict[str, Any]:
        """Asked once, then ended by SIGTERM."""
        asked: dict[str, Any] = {}
        with self._started(words, environ, **PIPES) as process:
            first = process.stdout.readline() if process.stdout else b""
            if url := re.search(r"http://\S+", first.decode()):
                environ |= {"COMETAPI_BASE_URL": url[0], "COMETAPI_KEY": "any", "COMETAPI_DEFAULT_MODEL": "m"}
                asked = self._piped([self._command, "ask", "--json", "hi"], environ, stdin)
                process.terminate()
            out, err = process.communicate()
        outcome = {"exit code": f"{process.returncode}\n", "stdout": first + out, "stderr": err}
        return outcome | {f"{title} of ask": value for title, value in asked.items()}

    def _on_terminal(self, words: list[str], environ: dict[str, str], typed: bytes | None) -> dict[str, Any]:
        ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (24, 80))
        data, leader = b"", "import os, sys; os.login_tty(0); os.execv(sys.argv[1], sys.argv[1:])"
        words = [sys.executable, "-ISc", leader, *words]
        with self._started(words, environ, **dict.fromkeys(PIPES, theirs)) as process:
            os.close(theirs)
            with suppress(OSError):  # the way a terminal says that its last writer has gone
                while chunk := os.read(ours, 65536):
                    data += chunk
                    if typed and data.endswith(b": "):
                        typed = typed[os.write(ours, typed) :]
        os.close(ours)
        return {"exit code": f"{process.returncode}\n", "screen": data}

    def _shown(self, title: str, value: str | bytes) -> list[str]:
        """The lines of a text, long JSON broken up."""
        text = value.decode(errors="backslashreplace") if isinstance(value, bytes) else value
        text = f"--- {title}\n{text}" + ("" if text.endswith("\n") else "\n(no newline at the end)")
        for real, name in self._names.items():
            text = text.replace(real, name)
        for pattern, name in STABLE.items():
            text = re.sub(pattern, name, text)
        text = re.sub(r"\b([a-z]+)_[0-9a-f]{32}\b", self._numbered, text)
        text = re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", lambda found: repr(found[0])[1:-1], text)
        return (re.sub(r',(?= ?")', ",\n    ↪", text) if re.search(".{200}", text) else text).splitlines()

    def _numbered(self, found: re.Match[str]) -> str:
        same = sum(name.startswith(f"{found[1]}#") for name in self._ids.values())
        return self._ids.setdefault(found[0], f"{found[1]}#{same + 1}")


def expanded(row: str) -> list[str]:
    """A row for each choice among its alternatives."""
    found = re.search(r"\(\( ?(.*?) ?\)\)", row)
    if found is None:
        return [row.strip()]
    before, after = row[: found.start()], row[found.end() :]
    return [line for choice in re.split(r" *\|\| ?", found[1]) for line in expanded(f"{before}{choice}{after}")]


def main() -> None:
    part = sys.argv[3] if len(sys.argv) > 3 else ""
    rows = [line for row in re.sub(r"\n +", " ", TABLE.strip()).splitlines() for line in expanded(row) if part in line]
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), Handler) for _ in range(2)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    lines = differences = 0
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        for row in rows:
            homes = [Home(command, folder, server) for command, server in zip(sys.argv[1:3], servers, strict=True)]
            for line in row.split(" && "):
                old, new = pool.map(Home.run, homes, [line, line])
                seen = list(difflib.unified_diff(old, new, f"old: {line}", "new", n=2, lineterm=""))
                lines, differences = lines + 1, differences + bool(seen)
                sys.stdout.writelines(f"{text}\n" for text in seen)
    print(f"{lines} command lines, {differences} differences")
    sys.exit(differences > 0)


if __name__ == "__main__":
    main()
