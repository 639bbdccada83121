"""Completion: the scripts, the files for packagers, and what only the state knows."""

from pathlib import Path

import pytest

from cometresp.options.fields import option_of
from cometresp.options.tables import ChainOptions, ConnectionOptions, LoopOptions, OutputOptions, RequestOptions
from tests.conftest import Command
from tests.scripted import Wire, text_stream

FOLDER = Path(__file__).parents[2] / "completions"
FILES = {"bash": "cometresp.bash", "zsh": "_cometresp", "fish": "cometresp.fish", "powershell": "cometresp.ps1"}


def offered(run: Command, line: str) -> list[str]:
    """The lines of the answer to a shell: the kind of what is offered, then each offer with its help."""
    result = run(env={"_COMETRESP_COMPLETE": "fish", "_COMETRESP_LINE": line})
    assert (result.code, result.err) == (0, "")
    return result.text.splitlines()


def complete(run: Command, line: str) -> list[str]:
    """The values that a shell would be offered for a command line."""
    kind, *offers = offered(run, line)
    assert kind == "words"
    return [offer.partition("\t")[0] for offer in offers]


@pytest.mark.parametrize("shell", FILES)
def test_completions_equal_what_the_program_prints(run: Command, shell: str) -> None:
    assert run("completion", shell).text == (FOLDER / FILES[shell]).read_text()


def test_commands_and_flags_complete(run: Command) -> None:
    assert complete(run, "cometresp co") == ["continue", "config", "completion"]
    assert complete(run, "cometresp chains re") == ["rename"]
    assert complete(run, "cometresp ask --tempe") == ["--temperature"]
    assert complete(run, "cometresp ask --temperature 1 --tempe") == []
    assert complete(run, "cometresp ask --hea") == ["--header"]
    assert complete(run, "cometresp ask -H a --hea") == ["--header"]
    assert offered(run, "cometresp ask --effor") == [
        "words",
        "--effort\tHow much the model reasons: none, minimal, low, medium, high, xhigh or max.",
    ]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("ask --effort h", ["high"]),
        ("ask --reasoning-effort=x", ["--reasoning-effort=xhigh"]),
        ("ask --reasoning-summary ", ["auto", "concise", "detailed"]),
        ("ask --verbosity ", ["low", "medium", "high"]),
        ("ask --truncation ", ["auto", "disabled"]),
        ("ask --tool web_search_p", ["web_search_preview", "web_search_preview_2025_03_11"]),
        ("ask -t fil", ["file_search:"]),
        ("ask --tool-choice r", ["required"]),
        ("ask --include mess", ["message.input_image.image_url", "message.output_text.logprobs"]),
        ("get r --include reas", ["reasoning.encrypted_content"]),
        ("ask --service-tier f", ["flex", "fast"]),
        ("ask --fault q", ["quota", "quota_type", "queued"]),
        ("emulator --fault ht", ["html"]),
        ("ask --image-detail o", ["original"]),
        ("ask --prompt-cache-retention ", ["in_memory", "24h"]),
        ("ask --file-as ", ["image", "file", "text"]),
        ("ask --approve ", ["ask", "always", "refuse"]),
        ("ask -F m", ["markdown"]),
        ("ask -qFm", ["-qFmarkdown"]),
        ("ask --error-format ", ["text", "json", "github"]),
        ("ask --conversation ", ["new"]),
        ("completion ", ["bash", "zsh", "fish", "powershell"]),
        ("ask -- --eff", []),
        ("ask a prompt wo", []),
        ("nonsense --eff", []),
        ("ask -s @no", ["@notes.txt"]),
        ("ask -s=@no", []),
        ("ask --schema @folder/", ["@folder/inner.json"]),
        ("ask -P tools=@no", ["tools=@notes.txt"]),
        ("ask --tool-output-file call_1=no", ["call_1=notes.txt"]),
        ("ask --file=fo", ["--file=folder/"]),
        ("ask -ofo", ["-ofolder/"]),
        ("ask --save-images ", ["folder/"]),
        ("ask -f ", ["folder/", "my file.txt", "notes.txt"]),
        ("schema ", ["folder/", "my file.txt", "notes.txt"]),
    ],
)
def test_values_complete(run: Command, typed: str, words: list[str]) -> None:
    (run.home / "folder").mkdir()
    for name in ("notes.txt", "my file.txt", ".hidden", "folder/inner.json", "a\nbreak"):
        (run.home / name).write_text("")
    assert complete(run, f"cometresp {typed}") == words


def test_every_flag_that_takes_a_file_or_one_of_some_words_completes(run: Command) -> None:
    """Flags whose metavar or help says so: a new one is to be completed, too."""
    (run.home / "x").mkdir()
    for group in (RequestOptions, ChainOptions, LoopOptions, OutputOptions, ConnectionOptions):
        for annotation in group.__annotations__.values():
            option = option_of(annotation)
            name = option.param_decls[0] if option.param_decls else option.default
            if option.metavar in ("FILE", "DIR", "PATH"):
                assert complete(run, f"cometresp ask {name} ") == ["x/"], name
            elif "@FILE" in option.help and "VALUE" not in f"{option.help} {option.metavar}":
                assert complete(run, f"cometresp ask {name} @") == ["@x/"], name


def test_chains_ids_and_models_complete_with_prompts_as_they_are(run: Command) -> None:
    ids = {}
    for name, prompt in (("work", "path [/etc/hosts]"), ("woods", "dict[key]\nand [bold]")):
        assert run("ask", "--offline", "--chain", name, "--id-file", name, "--", prompt).code == 0
        ids[name] = (run.home / name).read_text().strip()
    assert complete(run, "cometresp ask --chain wo") == []  # the emulator's state is apart
    assert offered(run, "cometresp ask --offline --chain wo") == [
        "words",
        "woods\tdict[key]\\nand [bold]",
        "work\tpath [/etc/hosts]",
    ]
    assert complete(run, "cometresp chains head --offline wor") == ["work"]
    newest = [f"{ids['woods']}\tdict[key]\\nand [bold]", f"{ids['work']}\tpath [/etc/hosts]"]
    assert offered(run, "cometresp get --offline re") == ["words", *newest]
    assert offered(run, "cometresp log --offline ") == [
        "words",
        "last\tthe newest: dict[key]\\nand [bold]",
        *newest,
        "@woods\tdict[key]\\nand [bold]",
        "@work\tpath [/etc/hosts]",
    ]
    assert complete(run, "cometresp ask --offline --from=@wor") == ["--from=@work"]
    assert complete(run, "cometresp ask --offline -m ") == ["emulator"]


def test_of_the_long_ids_of_gateways_is_offered_what_names_one_response(ask: Command, wire: Wire) -> None:
    alike = [f"resp_{'a' * 200}{middle}{'b' * 200}" for middle in "12"]  # no short form tells these apart
    ids = [*alike, f"gen-{'c' * 300}"]
    wire.answer(*(text_stream("x", response_id=name) for name in ids))
    for name in "abc":
        assert ask("ask", "--chain", name, "hi").code == 0
    assert complete(ask, "cometresp get resp_") == alike[::-1]
    assert complete(ask, "cometresp get gen") == ["gen-ccccccccc"]
    assert complete(ask, f"cometresp get gen-{'c' * 20}") == [ids[2]]
    shown = {typed: ask("log", typed).text.split()[1] for typed in (*alike, "gen-ccccccccc")}
    assert list(shown.values()) == ids


def test_a_shell_that_is_not_known_gets_no_answer(run: Command) -> None:
    assert tuple(run(env={"_COMETRESP_COMPLETE": "csh", "_COMETRESP_LINE": "cometresp "})) == (0, "", "")
