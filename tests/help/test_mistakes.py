"""What users type first, and what answers it: exit code and the whole of stderr."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometresp.cli import COMMANDS
from cometresp.commands import ask, batch, doctor, emulator, get, log
from cometresp.help import foreign
from cometresp.help.explain import advice_on
from cometresp.help.words import Piece, flags_of, read, with_flags_first
from cometresp.nearest import distance, nearest
from tests.conftest import Command, Forker
from tests.scripted import Wire, error_reply

NO_KEY = (
    "export COMETAPI_KEY=…, or cometresp config set-key: there is no flag for the key, since the list of processes"
    " would show it"
)
PROMPT = 'the prompt needs no flag: cometresp ask "…"'
FILE = "-f FILE attaches a file"
TURNS = 'cometresp ask "…" starts a chain, cometresp continue "…" is its next turn'
LISTS = "cometresp log lists recorded responses, cometresp chains the chains"
BEHIND = "words of a prompt stand behind --"

# The words, the error, the hint.
MISTAKES: list[tuple[list[str], str, str]] = [
    # no command
    (["Explain rebase"], "no such command: Explain rebase", "to ask it: cometresp ask 'Explain rebase'"),
    (["Explain", "rebase", "-m", "x"], "no such command: Explain", "to ask it: cometresp ask Explain rebase …"),
    (["what", "is", "-5"], "no such command: what", "to ask it: cometresp ask what is -5"),
    (["ask hi"], "no such command: 'ask hi'", "without the quotes: cometresp ask …"),
    (["aks", "hi"], "no such command: aks", "did you mean cometresp ask?"),
    (["Ask", "hi"], "no such command: Ask", "did you mean cometresp ask?"),
    (["chat"], "no such command: chat", TURNS),
    (["run", "gpt-5.4", "hi"], "no such command: run", 'cometresp ask "…" asks for a response'),
    (
        ["login"],
        "no such command: login",
        'cometresp config set-key stores a key; without one: cometresp ask --offline "…"',
    ),
    (
        ["list-models"],
        "no such command: list-models",
        "cometresp models lists the server's models, with their prices",
    ),
    (["history"], "no such command: history", LISTS),
    (["ls"], "no such command: ls", LISTS),
    (["exit-codes"], "no such command: exit-codes", "cometresp help exit-codes lists them"),
    (["chains", "ls"], "no such command: cometresp chains ls", "cometresp chains lists them"),
    (["chains", "delete", "x"], "no such command: cometresp chains delete", "cometresp chains rm NAME removes one"),
    (["chains", "shwo"], "no such command: cometresp chains shwo", "did you mean cometresp chains show?"),
    (["chains", "xyzzy"], "no such command: cometresp chains xyzzy", "see cometresp chains --help"),
    (["help", "aks"], "no help on aks", "did you mean cometresp help ask?"),
    (["help", "exit-code"], "no help on exit-code", "did you mean cometresp help exit-codes?"),
    # a flag before the command
    (["-m", "x", "ask", "hi"], "-m stands before the command", "cometresp ask -m MODEL …"),
    (["--offline", "log"], "--offline stands before the command", "cometresp log --offline …"),
    (["-m", "x", "hi"], "-m stands before the command", 'to ask: cometresp ask -m MODEL "…"'),
    (["--key=sk-s3cret", "ask", "hi"], "no such flag: --key", NO_KEY),
    (["--versoin"], "no such flag: --versoin", "did you mean --version?"),
    # flags that aren't there
    (["ask", "--key", "sk-s3cret", "hi"], "no such flag: --key", NO_KEY),
    (["ask", "--api-key=sk-s3cret", "hi"], "no such flag: --api-key", NO_KEY),
    (
        ["ask", "-k", "sk-s3cret", "hi"],
        "no such flag: -k",
        "export COMETAPI_KEY=… for the key; for a self-signed certificate: --ca-file FILE",
    ),
    (
        ["ask", "--stream", "hi"],
        "no such flag: --stream",
        "ask streams to a terminal already; into pipes: cometresp stream",
    ),
    (["ask", "--modle", "x", "hi"], "no such flag: --modle", "did you mean --model?"),
    (["ask", "--temp", "1", "hi"], "no such flag: --temp", "did you mean --temperature?"),
    (["ask", "--max_output_tokens=9", "hi"], "no such flag: --max_output_tokens", "did you mean --max-output-tokens?"),
    (["ask", "--max-tokens", "9", "hi"], "no such flag: --max-tokens", "--max-output-tokens N limits the answer"),
    (["ask", "--sys", "x", "hi"], "no such flag: --sys", "did you mean --system?"),
    (["ask", "--system-prompt", "x", "hi"], "no such flag: --system-prompt", "-s TEXT gives instructions"),
    (["ask", "--dryrun", "hi"], "no such flag: --dryrun", "did you mean --dry-run?"),
    (["ask", "-a", "img.png", "hi"], "no such flag: -a", FILE),
    (["ask", "--image", "img.png", "hi"], "no such flag: --image", FILE),
    (
        ["ask", "-i", "img.png", "hi"],
        "no such flag: -i",
        "-f FILE attaches a file, -P NAME=VALUE sets a field of the request",
    ),
    (["ask", "-p", "hi"], "no such flag: -p", PROMPT),
    (["ask", "--prompt", "hi"], "no such flag: --prompt", PROMPT),
    (
        ["ask", "--json-schema", "x.json", "hi"],
        "no such flag: --json-schema",
        "--schema SPEC gives the answer a shape, --json-object makes it any JSON object",
    ),
    (["ask", "--output-format", "json", "hi"], "no such flag: --output-format", "-F FORMAT sets the output format"),
    (
        ["ask", "--no-color", "hi"],
        "no such flag: --no-color",
        "NO_COLOR=1 takes the colours away, --plain the redrawing",
    ),
    (
        ["ask", "--version"],
        "no such flag: --version",
        "cometresp version prints the version, --verbose prints notices",
    ),
    (
        ["ask", "--insecure", "hi"],
        "no such flag: --insecure",
        "--ca-file FILE trusts the certificates in a file; the check can't be switched off",
    ),
    (["ask", "-d", "@x.json"], "no such flag: -d", "--body JSON, or @FILE, is the request to start from"),
    (
        ["ask", "--seed", "1", "hi"],
        "no such flag: --seed",
        "the Responses API has no such field; -P NAME=VALUE sends one that a server knows",
    ),
    (["ask", "--cid", "resp_1", "hi"], "no such flag: --cid", "--from ID continues a recorded response"),
    (["ask", "--xyzzy", "hi"], "no such flag: --xyzzy", "see cometresp ask --help"),
    (["log", "-5"], "no such flag: -5", "-n N limits the list"),
    (["log", "--josn"], "no such flag: --josn", "did you mean --json?"),
    # flags that mean something else
    (["ask", "-model", "x", "hi"], "-model has one dash too few", "did you mean --model?"),
    (["ask", "—model", "x", "hi"], "'—model' begins with another character than -", "did you mean --model?"),
    (["ask", "-m=x", "hi"], "-m takes its value without =", "-m MODEL"),
    (["ask", "-H=X-Key: s3cret", "hi"], "-H takes its value without =", "-H 'NAME: VALUE'"),
    (["ask", "--model x", "hi"], "--model and its value are one word", "they are two, without quotes around both"),
    (["ask", "-m x", "hi"], "'-m …' begins like a flag", f"{BEHIND}; for the flag: -m MODEL"),
    (["ask", "-s: summarise"], "'-s:…' begins like a flag", f"{BEHIND}; for the flag: -s TEXT"),
    (["ask", "-c, what is it?"], "'-c,…' begins like a flag", BEHIND),
    (["ask", "--foo: what is it?"], "no such flag: --foo:", BEHIND),
    (["ask", "-m", "--json", "hi"], "-m needs a value: MODEL", "--json, behind it, is a flag"),
    (
        ["ask", "-o", "temperature", "0", "hi"],
        "-o names the file for the answer: temperature is a field of the request",
        "--temperature N sets it",
    ),
    (
        ["ask", "-f", "a.txt", "b.txt", "c.txt", "Summarise"],
        "-f takes one file: 'b.txt' and 1 more would be part of the prompt",
        f"repeat it for each, -f FILE -f FILE; {BEHIND}",
    ),
    # values
    (
        ["ask", "hi", "-m"],
        "-m needs a value",
        "--model MODEL: model to use [default: the chain's, else gpt-5.4 on CometAPI]",
    ),
    (
        ["ask", "--metadata"],
        "--metadata needs a value",
        "--metadata K=V: KEY=VALUE pair to store with the response, up to 16",
    ),
    (["ask", "--json=1", "hi"], "--json takes no value", "--json: print the response as JSON (-F json)"),
    (["ask", "--store=false", "hi"], "--store takes no value", "--no-store is its opposite"),
    (
        ["ask", "--temperature", "warm", "hi"],
        "--temperature: 'warm' is not a number",
        "--temperature N: sampling temperature, 0 to 2; higher is more random",
    ),
    (
        ["ask", "--retries", "0.5", "hi"],
        "--retries: '0.5' is not a whole number",
        "--retries N: how often a failed request is tried again [default: 2]",
    ),
    (
        ["ask", "-F", "josn", "hi"],
        "--format: 'josn' is not one of auto, text, markdown, json, events",
        "did you mean json?",
    ),
    (
        ["completion", "csh"],
        "SHELL: 'csh' is not one of bash, zsh, fish, powershell",
        "see cometresp completion --help",
    ),
    (["get"], "ID is missing", "usage: cometresp get [FLAGS] ID"),
    (["chains", "prune"], "--older-than is missing", "usage: cometresp chains prune [FLAGS] --older-than AGE"),
    (["get", "a", "b"], "unexpected argument: 'b'", "usage: cometresp get [FLAGS] ID"),
    (
        ["ask"],
        "nothing to send: no prompt and nothing on standard input",
        'cometresp ask "…", or … | cometresp ask',
    ),
    (["stream", "--no-stream", "hi"], "stream and --no-stream exclude each other", "cometresp ask --no-stream …"),
]


@pytest.mark.parametrize(("words", "error", "hint"), MISTAKES, ids=[" ".join(words) for words, _, _ in MISTAKES])
def test_a_mistake_is_answered_with_what_to_type_instead(
    run: Command, forker: Forker, words: list[str], error: str, hint: str
) -> None:
    for name in ("a.txt", "b.txt", "c.txt"):
        (run.home / name).write_text("text")
    result = forker.run(run, words)
    assert list(result) == [2, "", f"cometresp: error: {error}\nhint: {hint}\n"]


# Words, and the prompt that is sent.
PROMPTS = [
    (["what", "is", "-5", "plus", "3"], "what is -5 plus 3"),
    (["-5"], "-5"),
    (["- item"], "- item"),
    (["->", "--", "--model", "-5"], "-> --model -5"),
    (["---", "title"], "--- title"),
    (["-1", "--max-turns", "3", "and", "-2"], "-1 and -2"),
    (["hi", "--"], "hi"),
    (["b.txt"], "b.txt"),
    (["-f", "a.txt", "--", "b.txt", "c.txt"], "b.txt c.txt"),
    (["/dev/fd/63"], "/dev/fd/63"),
    (["−5"], "−5"),  # noqa: RUF001 - a minus sign
]


@pytest.mark.parametrize(("words", "prompt"), PROMPTS, ids=[" ".join(words) for words, _ in PROMPTS])
def test_a_word_that_can_be_no_flag_is_a_word_of_the_prompt(
    run: Command, forker: Forker, words: list[str], prompt: str
) -> None:
    for name in ("a.txt", "b.txt", "c.txt"):
        (run.home / name).write_text("text")
    result = forker.run(run, ["ask", "--offline", "--dry-run", *words])
    assert (result.code, result.err, f'"{prompt}"' in result.text) == (0, "", True)


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_the_pipe_of_a_process_substitution_is_no_prompt(run: Command) -> None:
    for line, error in (
        ("ask <(echo hi)", '{} is a file, which a prompt doesn\'t read\nhint: cometresp ask -f <(…) "…" reads it\n'),
        ("ask /dev/stdin", '{} is a file, which a prompt doesn\'t read\nhint: cometresp ask - "…" reads it\n'),
    ):
        script = f"echo x | {sys.executable} -m cometresp {line}"
        process = subprocess.run(
            ["bash", "-c", script], env=run.environ, cwd=run.home, capture_output=True, timeout=60, check=False
        )
        found = process.stderr.decode()
        name = found.split()[2]
        assert (process.returncode, process.stdout, found) == (2, b"", f"cometresp: error: {error.format(name)}")
        assert name.startswith("/dev/")


def test_without_a_command_what_is_piped_in_is_no_prompt(run: Command) -> None:
    error = "cometresp: error: no command for what is piped in\nhint: as the prompt: … | cometresp ask\n"
    assert list(run(stdin=b"diff")) == [2, "", error]


def test_an_error_of_the_command_line_is_json_where_that_is_asked_for(run: Command) -> None:
    result = run("ask", "--modle", "x", "--error-format", "json")
    assert result.err.startswith('{"error": {"message": "no such flag: --modle", "hint": "did you mean --model?"')


# servers ------------------------------------------------------------------------------------------------------------


def test_a_server_that_isnt_there_or_lacks_the_model_is_told_with_what_to_check(ask: Command, wire: Wire) -> None:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
        refused = ask("ask", "--base-url", url, "--retries", "0", "hi")
    wire.answer(error_reply(503, "no channel", "model_not_found"))
    unknown = ask("ask", "-m", "gpt5", "hi")
    wire.answer(error_reply(503, "busy"))
    busy = ask("get", "resp_1", "--retries", "0")
    assert [list(refused), list(unknown), list(busy)] == [
        [
            69,
            "",
            f"cometresp: error: {url} can't be reached: Connection refused\nhint: the address is from --base-url\n",
        ],
        [
            65,
            "",
            "cometresp: error: HTTP 503 model_not_found: no channel\n"
            "hint: -m MODEL names another model; cometresp models lists those of the server\n",
        ],
        [69, "", "cometresp: error: HTTP 503: busy\nhint: the server is overloaded or down: try again later\n"],
    ]


# the parts ----------------------------------------------------------------------------------------------------------


def options(module: object) -> dict[str, object]:
    from typer.main import get_command

    command = get_command(module.app)  # type: ignore[attr-defined]
    command = getattr(command, "default", command)
    return flags_of(command.get_params(None))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def flags() -> dict[str, object]:
    return options(ask)


NEAR = [
    ("--modle", "--model"),
    ("--mdoel", "--model"),
    ("--models", "--model"),
    ("--Model", "--model"),
    ("--temprature", "--temperature"),
    ("--top_p", "--top-p"),
    ("--cache-key", "--prompt-cache-key"),
    ("--response-id", "--previous-response-id"),
    ("--extrat", "--extract"),
    ("--reasoning-efort", "--reasoning-effort"),
    ("--toolchoice", "--tool-choice"),
    ("--maxOutputTokens", "--max-output-tokens"),
    ("--quite", "--quiet"),
    ("--store-it", None),
    ("--stream", None),
    ("--xyzzy", None),
    ("--pro", None),  # --prompt-id, --prompt-version …
    ("-z", None),
    ("--", None),
]


@pytest.mark.parametrize(("typed", "meant"), NEAR)
def test_only_a_name_that_is_near_is_suggested(flags: dict[str, object], typed: str, meant: str | None) -> None:
    assert nearest(typed, flags) == meant


WORDS = st.text("ab-é ", max_size=6)


@given(WORDS, WORDS)
def test_the_distance_of_words_is_the_same_both_ways(one: str, other: str) -> None:
    assert distance(one, other) == distance(other, one) <= max(len(one), len(other))
    assert (distance(one, other) == 0) == (one == other)


def test_advice_names_only_flags_and_commands_that_are_there(flags: dict[str, object]) -> None:
    import re

    hints = {*(advice.text for advice in foreign.FLAGS.values()), *foreign.COMMANDS.values()}
    hints |= {*foreign.CHAINS.values(), *foreign.CONFIG.values()}
    named = {name for hint in hints for name in re.findall(r"(?<![\w-])--?[a-zA-Z][a-z-]*", hint)}
    known = {*flags, *options(get), *options(log), *options(emulator), *options(doctor), *options(batch)}
    assert named - known == set()
    commands = {name for hint in hints for name in re.findall(r"cometresp ([a-z]+)", hint)}
    assert commands <= set(COMMANDS)
    assert {advice.flag for advice in foreign.FLAGS.values()} - {"", *flags, *options(batch)} == set()


def test_what_is_here_isnt_taken_for_another_programs() -> None:
    assert set(COMMANDS) & set(foreign.COMMANDS) == set()
    assert {flag for flag in foreign.FLAGS if flag in options(ask)} == set()


def test_advice_is_given_only_where_the_command_has_the_flag() -> None:
    assert advice_on("--image", options(ask)) == FILE
    assert advice_on("--image", options(log)) == ""


ARGS = st.lists(
    st.sampled_from(
        ["hi", "-5", "- item", "--", "-", "-m", "--model=m", "-mx", "-cu", "--json", "---", "-f", "a", "-cz", "--no"]
    ),
    max_size=8,
)


@given(ARGS)
def test_a_command_line_with_its_flags_first_has_the_same_pieces(args: list[str]) -> None:
    known = options(ask)
    pieces = list(read(args, known))
    again = list(read(with_flags_first(pieces), known))

    def words(found: list[Piece]) -> list[str]:
        return [piece.text for piece in found if piece.kind != "flag"]

    def given_flags(found: list[Piece]) -> Iterator[tuple[str, str | None]]:
        return ((piece.text, piece.value) for piece in found if piece.kind == "flag")

    dangling = bool(pieces) and pieces[-1].kind == "flag" and pieces[-1].value is None
    if not dangling:  # else `--` would be its value; such a command line is refused before
        assert (words(again), list(given_flags(again))) == (words(pieces), list(given_flags(pieces)))


def test_an_open_file_is_looked_for_only_where_a_shell_puts_one(run: Command) -> None:
    with (run.home / "x").open("w+") as file:
        os.set_inheritable(file.fileno(), True)
        result = run("ask", "--offline", "--dry-run", "what", "is", "/dev/fd/9x", "/proc/self/maps")
    assert (result.code, "/dev/fd/9x /proc/self/maps" in result.text) == (0, True)
