"""Which examples aren't run, and why; the files that examples name; what is replaced in them, and what comes first."""

from base64 import b64decode

_INSTALLS = "it installs; .ci/run runs the first lines of README.md on a clean clone, nox the others"
_NO_MCP = "it starts a server from a package registry or on another host; tests/mcp has servers of its own"
_PARALLEL = "it needs GNU parallel; tests/batch/test_machines.py runs it where that is installed"
_SLURM = "it needs SLURM; tests/batch runs --shard slurm"

# A page and the beginning of a statement, or nothing for the whole page -> why it isn't run.
NOT_RUN: dict[tuple[str, str], str] = {
    ("README.md", "python3 -m venv .venv"): _INSTALLS,
    ("README.md", ".venv/bin/pip install"): _INSTALLS,
    ("docs/install.md", ""): _INSTALLS,
    ("docs/releasing.md", ""): "it makes a release",
    ("docs/batch.md", "parallel "): _PARALLEL,
    ("docs/batch.md", "#!/bin/bash\n#SBATCH"): _SLURM,
    ("docs/batch.md", "id=$(sbatch"): _SLURM,
    ("docs/batch.md", "sbatch"): _SLURM,
    ("README.md", "pipx install"): _INSTALLS,
    ("README.md", "uv tool install"): _INSTALLS,
    (
        "docs/cost.md",
        "cometresp ask --functions tools.py --approve always --max-cost",
    ): "its sums are those of a real model",
    ("docs/tools.md", "cometresp continue --functions"): "tests/turns/test_tools_docs.py runs it where a call is open",
    ("docs/mcp.md", "pipx inject"): _INSTALLS,
    ("docs/mcp.md", "cometresp ask "): _NO_MCP,
}

_PNG = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
_TOOLS = '''
def weather(city: str) -> str:
    """The weather now, by the name of a city."""
    return "sunny"
'''
_WEATHER = """{"type": "function", "name": "get_weather",
 "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}"""

# What is in the folder in which a page is run, beside the files that the pages show themselves.
FILES: dict[str, str | bytes] = {
    "report.pdf": b"%PDF-1.4\n%%EOF\n",
    "report.txt": "Sales rose.\n",
    "chart.png": _PNG,
    "photo.png": _PNG,
    "letter.txt": "Dear Ada,\n",
    "src/a.py": "print('a')\n",
    "src/b.py": "print('b')\n",
    "prompts.jsonl": '{"custom_id": "a", "prompt": "Hi"}\n{"custom_id": "b", "prompt": "Hello"}\n',
    "questions.txt": "Why?\nHow?\n",
    "reviews.csv": "review\nGood.\nBad.\n",
    "tools.py": _TOOLS,
    "weather.json": _WEATHER,
    "README.md": "# Read me\n",
    "docs/screenshot.png": _PNG,
    "body.json": '{"temperature": 0}',
    ".config/cometresp/templates/translate.toml": 'prompt = "Translate into {language}: {stdin}"\n',
    ".config/cometresp/templates/classify.toml": 'prompt = "Is this good? {review}"\n',
    ".config/cometresp/templates/commit.toml": 'prompt = "A commit message for this: {stdin}"\n',
}

# What examples leave to the reader -> what is run in its place.
REPLACED: dict[str, str] = {
    "COMETAPI_KEY=…": "COMETAPI_KEY=sk-example-key",
    "COMETAPI_BASE_URL=…": 'COMETAPI_BASE_URL="$COMETAPI_BASE_URL"',
    "resp_ab12": "$(cometresp log -n 1 --select '[].id')",
    "batch_ab12": "$(cometresp batch status -n 1 | cut -f 1)",
    "CALL_ID": "$(cometresp ask -t @weather.json emulate:call 2>&1 | grep -o 'call_[0-9a-f]*' | head -n 1)",
    "A script that": "emulate:code A script that",  # the emulator's answer has code then
}

# A page and the beginning of a statement -> what it prints on stderr, with `…` for ids.
_TERMINATED = "cometresp: error: terminated\n"  # as the command or its example says, by `kill`
_WAITS = 'cometresp: error: waiting for the output of … get_weather {"city":"Oslo"}\n'
_TWO_WAIT = """\
cometresp: error: waiting for the outputs of 2 calls:
  … get_weather {"city":"Oslo"}
  … get_weather {"city":"Rome"}
"""
_CUT = "cometresp: error: the stream ended before the answer was complete\n"
_GET = "hint: cometresp get --offline … shows what became of it\n"
_IN_PROGRESS = "cometresp: error: … is still in progress: 0/2 done\nhint: cometresp batch status … --wait\n"

PRINTED: dict[tuple[str, str], str] = {
    ("docs/batch-provider.md", "cometresp batch status last"): _IN_PROGRESS,
    ("docs/coming-from.md", "cometresp ask -u"): "usage: 2 input, 17 output, 19 total, request …\n",
    ("docs/cost.md", "cometresp ask -u"): "usage: 8 input, 23 output, 31 total, ~$0.00025, request …\n",
    ("docs/emulator.md", "cometresp ask --offline --fault cut"): _CUT + _GET,
    ("docs/emulator.md", "cometresp ask --offline -t @weather.json 'emulate:call "): (
        f"{_WAITS}hint: cometresp continue --offline --tool-output …=…\n"
    ),
    ("docs/emulator.md", "cometresp ask --offline -t @weather.json 'emulate:calls=2"): (
        f"{_TWO_WAIT}hint: cometresp continue --offline --tool-output …=… --tool-output …=…\n"
    ),
    ("docs/emulator.md", "cometresp emulator --port"): _TERMINATED,
    ("docs/emulator.md", "cometresp emulator --fault"): _TERMINATED,
    ("docs/record-replay.md", "cometresp emulator --record"): _TERMINATED,
    ("docs/record-replay.md", "cometresp emulator --replay"): _TERMINATED,
}

# What is typed into a statement.
STANDARD_INPUT: dict[str, str] = {"cometresp config set-key": "sk-typed-key\n"}

# Programs that examples name -> what they are here.
PROGRAMS: dict[str, str] = {"pass": "echo sk-passed-key", "editor": 'case $1 in *.md) echo Hello > "$1" ;; esac'}

_PARTS = "for i in 2 3 4; do cometresp batch prompts.jsonl --shard $i/4 -o part-$i.jsonl; done"

# What has happened before the statements of a page.
BEFORE: dict[str, str] = {
    "docs/coming-from.md": "cometresp ask --chain notes Hello",
    "docs/tools.md": "cometresp config set approve always",
    "docs/batch.md": f"cometresp models; {_PARTS}",
    "help": f"cometresp models; {_PARTS}; cometresp ask --chain review Hello; cometresp batch submit prompts.jsonl",
}
