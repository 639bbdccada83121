"""Many requests: `python benchmarks/batch.py`, with cometresp and openai installed. Prints a table for each question.

    speed   requests a second, CPU for each, and memory, at 1,000 and LINES lines, against a server that answers at
            once; beside a script with asyncio and the openai package, and beside `xargs -P` of `ask`
    slow    64 at once against a server that takes 50 ms for each: the share of what a client that does nothing but
            send and receive bytes gets of it, for one process and for two with --shard, in turns
    kills   2,000 lines, 32 at once, the emulator with 5 % of each of 429, 503, cut streams and failures; killed ten
            times, and resumed each time: every id once, and how many requests were sent twice

The server is a process of its own; it answers with a stream of 12 events.
"""

import argparse
import asyncio
import json
import os
import random
import resource
import shlex
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

COMMAND = [sys.executable, "-m", "cometresp"]
WORDS = 8  # deltas of an answer


# the server ---------------------------------------------------------------------------------------------------------


def answer_frames() -> bytes:
    """A whole reply: head and stream, as plain bytes."""
    response = {"id": "resp_1", "object": "response", "model": "m", "status": "in_progress", "output": []}
    part = {"type": "output_text", "text": "word " * WORDS, "annotations": []}
    item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [part]}
    usage = {"input_tokens": 5, "output_tokens": 8, "total_tokens": 13}
    ended = {**response, "status": "completed", "output": [item], "usage": usage}
    events: list[dict[str, object]] = [
        {"type": "response.created", "response": response},
        {"type": "response.output_item.added", "output_index": 0, "item": {**item, "content": []}},
    ]
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    events += [{"type": "response.output_text.delta", **place, "delta": "word "} for _ in range(WORDS)]
    events += [{"type": "response.output_item.done", "output_index": 0, "item": item}]
    events += [{"type": "response.completed", "response": ended}]
    body = "".join(
        f"event: {event['type']}\ndata: {json.dumps({**event, 'sequence_number': n})}\n\n"
        for n, event in enumerate(events)
    ).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def serve(delay: float) -> None:
    reply = answer_frames()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                at = head.lower().index(b"content-length:")
                await reader.readexactly(int(head[at + 15 :].split(b"\r", 1)[0]))
                if delay:
                    await asyncio.sleep(delay)
                writer.write(reply)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


class Server:
    def __init__(self, delay: float = 0.0) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--serve", str(delay)], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{self._process.stdout.readline().strip()}/v1"

    def __enter__(self) -> str:
        return self.url

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()


# what is run --------------------------------------------------------------------------------------------------------

_ASYNC = """
import asyncio, json, sys
from openai import AsyncOpenAI

JOBS = int(sys.argv[3])

async def main():
    client = AsyncOpenAI(base_url=sys.argv[1], api_key="none", max_retries=2)
    limit = asyncio.Semaphore(JOBS)
    out = open(sys.argv[4], "w")

    async def one(line):
        async with limit:
            stream = await client.responses.create(**line["body"], stream=True)
            async for event in stream:
                last = event
            out.write(json.dumps({"custom_id": line["custom_id"], "response": last.response.to_dict()}) + "\\n")
            out.flush()

    tasks = set()
    for text in open(sys.argv[2]):
        tasks.add(asyncio.create_task(one(json.loads(text))))
        if len(tasks) >= 4 * JOBS:
            done, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.gather(*tasks)

asyncio.run(main())
"""


def written_lines(path: Path, count: int) -> Path:
    with path.open("w") as file:
        for n in range(count):
            line = {"custom_id": f"id-{n}", "method": "POST", "url": "/v1/responses"}
            file.write(json.dumps({**line, "body": {"model": "m", "input": f"prompt number {n}"}}) + "\n")
    return path


def measured(words: list[str], environ: dict[str, str]) -> tuple[float, float, float]:
    """Seconds, seconds of CPU, and the most memory in MiB, of a command and what it starts."""
    began = time.perf_counter()
    measure = (
        "import json, resource, subprocess, sys\n"
        "code = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print(json.dumps([code, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))\n"
    )
    done = subprocess.run([sys.executable, "-c", measure, *words], env=environ, check=True, stdout=subprocess.PIPE)
    wall = time.perf_counter() - began
    code, cpu, memory = json.loads(done.stdout)
    assert code == 0, words
    return wall, cpu, memory


def environ_for(home: Path, url: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.environ.get("PYTHONPATH", str(Path(__file__).parent.parent)),
        "HOME": str(home),
        "COMETRESP_STATE_DIR": str(home / "state"),
        "COMETAPI_KEY": "sk-none-none-none",
        "COMETAPI_BASE_URL": url,
        "COMETAPI_DEFAULT_MODEL": "m",
        "COMETRESP_NO_STDIN": "1",
    }


def row(name: str, count: int, found: tuple[float, float, float]) -> None:
    wall, cpu, memory = found
    print(f"{name:34} {count:7} lines {count / wall:8.0f} /s {1000 * cpu / count:7.2f} ms CPU each {memory:7.0f} MiB")


def speed(home: Path, lines: int, jobs: int) -> None:
    print(f"a server that answers at once, {jobs} at once")
    with Server() as url:
        environ = environ_for(home, url)
        for count in (1000, lines):
            source, out = written_lines(home / f"{count}.jsonl", count), home / f"{count}.out"
            command = [*COMMAND, "batch", str(source), "-j", str(jobs), "-o", str(out)]
            row("cometresp batch", count, measured(command, environ))
            assert len(out.read_text().splitlines()) == count
        script = home / "with_openai.py"
        script.write_text(_ASYNC)
        count = min(lines, 10_000)
        source = written_lines(home / "openai.jsonl", count)
        command = [sys.executable, str(script), url, str(source), str(jobs), str(home / "openai.out")]
        row("asyncio script with openai", count, measured(command, environ))
        count = 200
        shell = f"seq {count} | xargs -P {min(jobs, 8)} -I N {' '.join(COMMAND)} ask 'prompt number N'"
        row(f"xargs -P {min(jobs, 8)} cometresp ask", count, measured(["sh", "-c", shell], environ))


def slow(home: Path, jobs: int, rounds: int = 3) -> None:
    delay, count = 0.05, 10_000
    print(f"a server that takes {1000 * delay:.0f} ms, {jobs} at once: at most {jobs / delay:.0f} /s")
    source = written_lines(home / "slow.jsonl", count)
    with Server(delay) as url:
        bytes_alone = [sys.executable, __file__, "--bytes", url, "--lines", str(count), "--jobs", str(jobs)]
        one = [*COMMAND, "batch", str(source), "-j", str(jobs), "-o", str(home / "slow.out")]
        half = [*COMMAND, "batch", str(source), "-j", str(jobs // 2), "--shard"]
        both = " & ".join(shlex.join([*half, f"{n}/2", "-o", str(home / f"slow.{n}")]) for n in (1, 2))
        ways = {"bytes alone": bytes_alone, "one process": one, "two processes": ["sh", "-c", f"{both} & wait"]}
        rates: dict[str, list[float]] = {name: [] for name in ways}
        for name, command in [*ways.items()] * rounds:
            for file in home.glob("slow.*[!l]"):
                file.unlink()
            found = measured(command, environ_for(home, url))
            row(name, count, found)
            rates[name].append(count / found[0])
        for name in ("one process", "two processes"):
            shares = [rate / most for rate, most in zip(rates[name], rates["bytes alone"], strict=True)]
            print(f"{name}: {', '.join(f'{100 * share:.0f} %' for share in shares)} of what bytes alone get")


def bytes_alone(url: str, count: int, jobs: int) -> None:
    """Ask `count` times over `jobs` connections, and look at nothing in the replies but their length."""
    parts = urlsplit(url)
    body = json.dumps({"model": "m", "input": "prompt number 1000", "stream": True}).encode()
    request = f"POST /v1/responses HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    length = len(answer_frames())

    def ask(times: int) -> None:
        with socket.create_connection((parts.hostname, parts.port)) as connection:
            for _ in range(times):
                connection.sendall(request + body)
                left = length
                while left:
                    left -= len(connection.recv(left))

    threads = [threading.Thread(target=ask, args=((count + n) // jobs,)) for n in range(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def kills(home: Path, seed: int) -> None:
    count, times = 2000, 10
    chance = random.Random(seed)
    source, out, asked = written_lines(home / "kills.jsonl", count), home / "kills.out", home / "asked"
    faults = [word for kind in ("429=0.05", "503", "cut", "failed") for word in ("--fault", f"{kind}%5")]
    emulator = subprocess.Popen(
        [*COMMAND, "emulator", "--port", "0", "--fault-seed", str(seed), "--memory", str(asked), *faults],
        env=environ_for(home, ""),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert emulator.stdout is not None
    url = next(word for word in emulator.stdout.readline().split() if word.startswith("http"))
    command = [*COMMAND, "batch", str(source), "-j", "32", "-o", str(out), "--resume", "--summary-file"]
    printed: dict[str, bytes] = {}
    for n in range(times + 1):
        run = subprocess.Popen(
            [*command, str(home / f"summary{n}")], env=environ_for(home, url), stderr=subprocess.PIPE
        )
        if n < times:
            time.sleep(0.6 + chance.random())
            run.send_signal(signal.SIGKILL)
        _, err = run.communicate()
        for data in out.read_bytes().split(b"\n")[:-1] if out.exists() else ():
            line = json.loads(data)
            assert printed.setdefault(line["custom_id"], data) == data, "an answer was changed"
    emulator.terminate()
    emulator.wait()
    lines = [json.loads(data) for data in out.read_bytes().splitlines()]
    ids = Counter(line["custom_id"] for line in lines)
    assert set(ids) == {f"id-{n}" for n in range(count)}, "an id is missing"
    assert max(ids.values()) == 1, "an id stands twice"
    assert set(printed) == set(ids)
    with closing(sqlite3.connect(asked)) as memory:
        sent = memory.execute("SELECT count(*) FROM responses").fetchone()[0]
    failed = Counter(line["error"]["exit_code"] for line in lines if line["error"])
    print(f"{count} ids, each once, after {times} kills; failed by exit code: {dict(failed)}; {err.decode().strip()}")
    print(f"{sent} requests were answered, so {sent - count} of them twice")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", nargs="*", default=["speed", "slow", "kills"])
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--jobs", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--serve", type=float, default=None)
    parser.add_argument("--bytes", default=None)
    asked = parser.parse_args()
    if asked.bytes is not None:
        bytes_alone(asked.bytes, asked.lines, asked.jobs)
        return
    if asked.serve is not None:
        asyncio.run(serve(asked.serve))
        return
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        if "speed" in asked.what:
            speed(home, asked.lines, asked.jobs)
        if "slow" in asked.what:
            slow(home, asked.jobs)
        if "kills" in asked.what:
            kills(home, asked.seed)


if __name__ == "__main__":
    main()
