"""Other programs, each in an environment of its own, set up so that they send the same request to the same server."""

import subprocess
import sys
from typing import NamedTuple

from benchmarks.ground import ROOT, Ground
from benchmarks.measure import Command
from benchmarks.servers import Server

PACKAGES = ("llm", "cometapi-cli", "openai")
FOLDER = ROOT / ".venv-bench"
_OPENAI = """
import sys
from openai import OpenAI

for event in OpenAI().responses.create(model="m", input=" ".join(sys.argv[1:]), stream=True):
    if event.type == "response.output_text.delta":
        print(event.delta, end="", flush=True)
print()
"""
_MODELS = """
- model_id: completions
  model_name: m
  api_base: {url}
- model_id: responses
  model_name: m
  api_base: {url}
  responses: true
"""


class Peer(NamedTuple):
    """A program that sends a prompt; `api` is what it speaks."""

    name: str
    api: str
    command: Command


def install() -> dict[str, str]:
    """Installs the packages where they aren't yet, and returns their versions."""
    versions = {}
    for package in PACKAGES:
        folder = FOLDER / package
        python = folder / "bin" / "python"
        if not (folder / "installed").exists():
            subprocess.run((sys.executable, "-m", "venv", "--clear", str(folder)), check=True)
            subprocess.run((str(python), "-m", "pip", "install", "--quiet", package), check=True)
            (folder / "installed").touch()
        script = f"import importlib.metadata; print(importlib.metadata.version({package!r}))"
        found = subprocess.run((str(python), "-c", script), check=True, capture_output=True, text=True)
        versions[package] = found.stdout.strip()
    return versions


def peers(ground: Ground, server: Server, *words: str) -> list[Peer]:
    """The installed programs, with a prompt for a server."""
    trust = {"SSL_CERT_FILE": str(ground.bundle)} if server.url.startswith("https:") else {}
    home = ground.home / f"peers-{server.url.rpartition(':')[2].removesuffix('/v1')}"
    if not home.exists():
        home.mkdir()
        (home / "extra-openai-models.yaml").write_text(_MODELS.format(url=server.url))
        (home / "with_openai.py").write_text(_OPENAI)
    environ = {
        **ground.environ,
        **trust,
        "HOME": str(home),
        "LLM_USER_PATH": str(home),
        **{f"{name}_{what}": value for name in ("OPENAI", "COMETAPI") for what, value in (("BASE_URL", server.url),)},
        "OPENAI_API_KEY": "sk-none",
        "COMETAPI_KEY": "sk-none",
    }
    prompt = " ".join(words)

    def peer(name: str, api: str, package: str, *line: str) -> Peer:
        program = FOLDER / package / "bin" / line[0]
        return Peer(name, api, Command((str(program), *line[1:]), environ))

    return [
        peer("llm", "Responses API", "llm", "llm", "-m", "responses", prompt),
        peer("llm", "chat completions", "llm", "llm", "-m", "completions", prompt),
        peer("cometapi chat", "chat completions", "cometapi-cli", "cometapi", "chat", "-m", "m", prompt),
        peer("openai package", "Responses API", "openai", "python", str(home / "with_openai.py"), prompt),
    ]
