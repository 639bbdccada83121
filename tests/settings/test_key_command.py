"""`key_command`: a command prints the key, only when a request needs it, and only for its own base URL."""

import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from cometresp.errors import ConfigError
from cometresp.settings.key_command import key_from
from cometresp.terminal import Terminal
from tests.conftest import Command, Forker
from tests.jobs import job
from tests.scripted import Wire, error_reply, json_reply, text_stream
from tests.waiting import lives, until, written


def configured(command: Command, text: str) -> Path:
    path = command.home / ".config/cometresp/config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def key_of(*command: str, longest: float = 30.0) -> str:
    return key_from(command, "F", Terminal.of_process(), lambda _: None, longest=longest)


def sh(script: str) -> tuple[str, str, str]:
    return "sh", "-c", script


def test_the_key_is_the_one_line_that_is_printed() -> None:
    assert [key_of("echo", "sk-1"), key_of(*sh("printf '\\n sk-2\\r\\n\\n'; echo x >&2"))] == ["sk-1", "sk-2"]
    assert key_of("printf", "%010000d", "1") == f"{1:010000}"
    assert key_of(*sh("sleep 60 & echo sk-3")) == "sk-3"  # what is left running isn't waited for


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("no-such",), "no-such can't be started: No such file or directory"),
        (("a\0b",), "a\\x00b can't be started: embedded null byte"),
        (("true",), "true printed nothing"),
        (sh("echo"), "sh printed nothing"),
        (sh("echo a; echo; echo b"), "sh printed 2 lines, and the key is one"),
        (("echo", "a b"), "echo printed a character that headers don't allow"),
        (("printf", "\\303\\274"), "printf printed a character that headers don't allow"),
        (
            sh("head -c 10001 /dev/zero | tr '\\0' k"),
            "sh printed a line that is too long: a key has at most 10000 characters",
        ),
        (sh("head -c 10000000 /dev/zero | tr '\\0' k; echo; echo b"), "sh printed 2 lines, and the key is one"),
        (sh("echo sk-1; exit 3"), "sh ended with 3"),
        (sh("printf 'no\\033[2J\\nkey' >&2; exit 1"), "sh ended with 1: no\\x1b[2J key"),
        (sh("kill -9 $$"), "sh was ended by signal 9"),
        (sh("yes no >&2 & sleep 0.1; kill $!; exit 1"), f"sh ended with 1: {('no ' * 200)[:499]}…"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_command_without_a_key_is_told_with_its_standard_error(command: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        key_of(*command)
    assert raised.value.message == f"F: key_command: {message}"


def test_what_a_command_has_written_counts_however_late_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    run = threading.Thread.run

    def late(thread: threading.Thread) -> None:
        time.sleep(1.3)  # longer than is waited for a stream that others hold open
        run(thread)

    monkeypatch.setattr(threading.Thread, "run", late)
    assert key_of(*sh("echo sk-1")) == "sk-1"
    with pytest.raises(ConfigError) as raised:
        key_of(*sh("echo locked >&2; exit 1"))
    assert raised.value.message == "F: key_command: sh ended with 1: locked"


def test_a_command_that_hangs_is_ended() -> None:
    with pytest.raises(ConfigError) as raised:
        key_of(*sh("echo waiting >&2; exec sleep 60"), longest=0.2)
    assert raised.value.message == "F: key_command: sh took more than 0.2 s: waiting"


def test_without_a_terminal_all_that_it_started_is_ended(run: Command, wire: Wire) -> None:
    script = "sleep 4711.25 & echo $! > started; wait"
    configured(run, f'base_url = "{wire.url}"\nmodel = "m"\nkey_command = {json.dumps(sh(script))}\n')
    process = run.popen("ask", "hi", start_new_session=True)
    started = written(run.home / "started")
    process.terminate()
    assert process.communicate()[1].decode() == "cometresp: error: terminated while waiting for key_command\n"
    assert process.returncode == 143
    until(lambda: not lives(started))


def test_on_a_terminal_all_that_it_started_is_ended_too(tmp_path: Path) -> None:
    terminal = Terminal.of_process()
    terminal.stdin_tty = True  # so that the command stays in our process group, which may read from it
    script = f"sh -c 'sleep 4711.5 & echo $! > {tmp_path}/started; wait' | cat; wait"

    def interrupt() -> None:
        written(tmp_path / "started")
        os.kill(os.getpid(), signal.SIGINT)

    interrupter = threading.Thread(target=interrupt)
    interrupter.start()
    with pytest.raises(KeyboardInterrupt):
        key_from(sh(script), "F", terminal, lambda _: None)
    interrupter.join()
    assert until(lambda: not lives(written(tmp_path / "started")))


def test_it_is_run_once_for_a_request_and_the_key_is_never_shown(run: Command, wire: Wire) -> None:
    script = 'echo run >> ran; echo sk-of-a-command; echo "asked for sk-of-a-command" >&2'
    configured(run, f'base_url = "{wire.url}"\nmodel = "m"\nkey_command = {json.dumps(sh(script))}\n')
    wire.answer(text_stream("hi"), text_stream("your key is sk-of-a-command"))
    assert tuple(run("ask", "--no-save", "hi", stdin=b"a prompt, and no answer to the command")) == (0, "hi\n", "")
    shown = run("ask", "--debug", "hi")
    assert (shown.code, shown.text) == (0, "your key is ***\n")
    assert "sk-of" not in shown.err
    assert [request.headers["authorization"] for request in wire.requests] == ["Bearer sk-of-a-command"] * 2
    assert (run.home / "ran").read_text() == "run\nrun\n"


def test_it_is_not_run_where_no_request_needs_it(forker: Forker, run: Command, wire: Wire) -> None:
    profile = f'[profile.b]\nbase_url = "{wire.url}/b"\n'
    configured(run, f'base_url = "{wire.url}"\nmodel = "m"\nkey_command = ["touch", "ran"]\n{profile}')
    for words, env in (
        (["ask", "--dry-run", "hi"], {}),
        (["ask", "--curl", "hi"], {}),
        (["ask", "--offline", "hi"], {}),
        (["ask", "-H", "Authorization: Bearer x", "hi"], {}),
        (["ask", "hi"], {"COMETAPI_KEY": "sk-env"}),
        (["ask", "--profile", "b", "hi"], {}),  # it is for another base URL
        (["ask", "--base-url", f"{wire.url}/c", "hi"], {}),
        (["log"], {}),
        (["config", "show"], {}),
    ):
        wire.answer(text_stream("hi"))
        result = forker.run(run, words, env=env)
        assert (result.code, result.err) == (0, ""), words
    assert not (run.home / "ran").exists()
    result = forker.run(run, ["ask", "hi"])
    source = run.home / ".config/cometresp/config.toml"
    assert (result.code, result.err) == (78, f"cometresp: error: {source}: key_command: touch printed nothing\n")


def test_a_list_of_models_that_needs_no_key_does_not_run_it(forker: Forker, run: Command, wire: Wire) -> None:
    configured(run, f'base_url = "{wire.url}"\nkey_command = {json.dumps(sh("touch ran; echo sk-1"))}\n')
    catalogue, ids = ({"success": True, "data": [{"id": "m"}]}, {"data": [{"id": "n"}]})
    wire.answer(json_reply(catalogue), error_reply(404), error_reply(401), error_reply(404), json_reply(ids))
    assert (forker.run(run, ["models"]).code, (run.home / "ran").exists()) == (0, False)
    assert (forker.run(run, ["models", "--refresh"]).code, (run.home / "ran").exists()) == (0, True)
    sent = [(request.path, request.headers.get("authorization")) for request in wire.requests]
    assert sent == [
        *[("/api/models", None)] * 2,
        ("/v1/models", None),
        ("/api/models", None),
        ("/v1/models", "Bearer sk-1"),
    ]


def test_nothing_is_sent_and_no_key_asked_for_in_the_open(forker: Forker, run: Command) -> None:
    configured(run, 'base_url = "http://api.example/v1"\nmodel = "m"\nkey_command = ["touch", "ran"]\n')
    result = forker.run(run, ["ask", "hi"])
    assert (result.code, result.err.partition("\n")[0]) == (
        2,
        f"cometresp: error: {run.home}/.config/cometresp/config.toml: the key would go over plain http to"
        " http://api.example/v1",
    )
    assert not (run.home / "ran").exists()


# Asks on the terminal, as a program does that a key ring is locked for: its question on standard error.
_ASKING = """printf 'passphrase: ' >&2; read -r typed; echo "sk-$typed" """


def test_it_can_ask_on_the_terminal_and_an_interrupt_ends_it(run: Command, wire: Wire) -> None:
    words = ["ask", "--no-save", "hi"]
    configured(run, f'base_url = "{wire.url}"\nmodel = "m"\nkey_command = {json.dumps(sh(_ASKING))}\n')
    wire.answer(text_stream("hi"))
    with job(words, run.environ, run.home) as asked:
        asked.shows("passphrase: ")
        asked.type("ring\n")
        assert asked.ended() == 0
    assert wire.requests[0].headers["authorization"] == "Bearer sk-ring"
    with job(words, run.environ, run.home) as stopped:
        stopped.shows("passphrase: ")
        stopped.send(signal.SIGINT)
        assert stopped.ended() == 130
        assert stopped.screen == "passphrase: \ncometresp: error: interrupted while waiting for key_command\n"
    assert len(wire.requests) == 1
