"""Each target with some inputs, the same in every run: `python -m tests.fuzz` checks others, for longer."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.fuzz import TARGETS
from tests.fuzz.__main__ import main
from tests.fuzz.edits import inputs
from tests.fuzz.engine import finding, fuzz, shortened
from tests.fuzz.target import Target, load

# How many inputs of each target are checked; all of them together take some 15 seconds of the processor.
EXAMPLES = {
    "streams": 60,
    "error_replies": 200,
    "state_file": 20,
    "state_commands": 15,
    "command_lines": 25,
    "settings": 25,
    "markdown": 30,
    "recordings": 100,
}
CONFIG = settings(
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # the script shortens what it finds
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.parametrize("name", TARGETS)
def test_what_must_hold_for_any_bytes_holds(name: str) -> None:
    target = load(name)

    @settings(CONFIG, max_examples=EXAMPLES[name])
    @given(inputs(target))
    def holds(data: bytes) -> None:
        target.check(data)

    holds()


# Inputs that showed something, until it was mended.
FOUND = {
    "stray text far from the start": ("streams", b":" + b"x" * 5000 + b"\n\noops"),
    "an error of several lines": ("error_replies", b'400\n\n{"error": {"message": "a\\nb", "code": "x\\ny"}}'),
    "an endless message": ("error_replies", b'503\n\n"' + b"x" * 5000 + b'"'),
    "an endless request id": ("error_replies", b"400\nx-request-id: " + b"r" * 5000 + b"\n\n{}"),
    "a config with too many digits": ("settings", b"plain = " + b"9" * 5000),
    "a config with too many levels": ("settings", b"keys = " + b"[" * 2000),
    "an endless address": ("error_replies", b"302\nlocation: " + b"h" * 5000 + b"\n\n"),
    "settings of a turn that are no object": ("state_file", b"turns settings 1 tnull"),
    "a number of a turn that is a word": ("state_file", b"turns number 3 tx"),
    "items that are nested too deeply": ("state_file", b"turns input 1 t" + b"[" * 3000),
    "a moment that is a word, in log": ("state_commands", b"turns created 4 tabc\n$ log"),
    "a moment that no calendar has, in log": ("state_commands", b"turns created 4 f1e300\n$ log"),
    "a moment that is a word, in chains": ("state_commands", b"chains used 0 tabc\n$ chains"),
    "a moment that no calendar has, in chains": ("state_commands", b"chains used 0 f1e300\n$ chains"),
    "a model that is no text": ("state_commands", b"turns model 4 b\xff\n$ log"),
    "an address that is no number": ("settings", b"COMETAPI_BASE_URL=http://127.999.1.1/v1\0COMETAPI_KEY=k\0\n\n\n"),
    "a host of an empty code": ("settings", b"COMETAPI_BASE_URL=https://xn--\0COMETAPI_KEY=k\0"),
    "a host of an empty label": ("settings", b"COMETAPI_BASE_URL=https://.x\0COMETAPI_KEY=k\0"),
    "a host with an odd character": (
        "settings",
        "COMETAPI_BASE_URL=https://\u2488com\0COMETAPI_KEY=k\0\n\n\n".encode(),
    ),
    "a character reference": ("markdown", b"&#8238;"),
    "a reference within HTML": ("markdown", b"<v>\nt&#1;d"),
    "an item that begins with an empty quote": ("markdown", b"+ >\n  )\n"),
    "an item that could be the head of a table": ("markdown", b"2.\n2. ||\n-|-"),
    "a quote that begins with an empty one": ("markdown", b">>\n>a\n"),
    "a recording with two lists of events": (
        "recordings",
        b'{"recording":1,"request":{"method":"","path":""},"reply":{"status":200,"events":"","events":[[0,1]]}}',
    ),
    "code of marks of quotes": ("markdown", b"a\n\n    >>>\n\nb\n"),
    "a blank before JSON": ("streams", b'\n{"error":{"":"d"}}'),
    "blanks and two BOMs": ("streams", b" \xef\xbb\xbf \xef\xbb\xbf{}"),
    "an error that is an empty object": ("error_replies", b'\n\n{"error":"{}","":""}'),
    "a blank that Markdown doesn't know": ("markdown", b"o\n\n\xe3\x80\x80\n"),
    "an endless content type": ("error_replies", b"\ncontent-type:" + b"x" * 5000 + b"\n\n"),
    "a byte of the schema": ("state_file", b"@12288 \xff"),
    "a version that can't be": ("state_commands", b"@60 \xff"),
}


@pytest.mark.parametrize("name", FOUND)
def test_what_was_found_and_mended_holds(name: str) -> None:
    target, data = FOUND[name]
    load(target).check(data)


def _no_x(data: bytes) -> None:
    assert b"x" not in data


def test_a_finding_is_told_once_with_the_shortest_input() -> None:
    target = Target(
        _no_x, seeds=(b"a long text", b"another with x in it", b"and x x x again"), words=(b"x",), separator=b" "
    )
    report = fuzz(target, seconds=0.05, seed=1)
    [found] = report.findings.values()
    assert shortened(_no_x, found).data == b"x"
    assert finding(_no_x, b"y") is None


@pytest.mark.parametrize(
    ("words", "shown"),
    [([], list(TARGETS)), (["error_replies", "--minutes", "0.001", "--seed", "1"], ["error_replies:"] * 2)],
)
def test_the_script_lists_the_targets_or_checks_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], shown: list[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["fuzz", *words])
    assert main() == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == shown
