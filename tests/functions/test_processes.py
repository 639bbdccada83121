"""How tools are ended, with all that they started: by a timeout, by an interrupt, or with their parent."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from cometresp.functions import launching
from cometresp.functions.processes import Processes
from cometresp.functions.results import Result
from cometresp.functions.toolbox import Toolbox
from tests.functions.conftest import Make, error_of, output_of
from tests.waiting import LONGEST, halted, lives, until, written

pytestmark = pytest.mark.skipif(os.name != "posix", reason="process groups are POSIX's")
ROOT = Path(__file__).parent.parent.parent

# Writes its process id, starts a grandchild that does too, ignores SIGTERM as that does, and never ends.
STUBBORN = """
trap '' TERM
echo $$ > "$1/child"
sh -c 'trap "" TERM; echo $$ > "$1/grandchild"; while :; do sleep 1; done' x "$1" &
wait
sleep 1000
"""
PYTHON = """
import os, subprocess, time
TOOL_TIMEOUT = {timeout}
def hang(folder: str) -> None:
    subprocess.Popen(["sh", "-c", {stubborn!r}, "x", folder])
    time.sleep(1000)
"""


def files(timeout: float) -> dict[str, str]:
    schema = {"type": "object", "properties": {"folder": {"type": "string"}}, "required": ["folder"]}
    command = {
        "name": "wait",
        "description": "d",
        "command": ["sh", "-c", STUBBORN, "x", "{folder}"],
        "parameters": schema,
        "timeout": timeout,
    }
    return {
        "a_py": PYTHON.format(timeout=timeout, stubborn=STUBBORN),
        "b_json": json.dumps({"tool": [command]}),
    }


def all_end(folder: Path) -> None:
    for name in ("child", "grandchild"):
        pid = written(folder / name)
        until(lambda pid=pid: not lives(pid))  # type: ignore[misc]


@pytest.fixture
def processes() -> Iterator[Processes]:
    made = Processes()
    yield made
    made.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["hang", "wait"])
def test_a_timeout_ends_the_whole_group(toolbox: Make, tmp_path: Path, name: str) -> None:
    box = toolbox(**files(2))
    assert error_of(box, name, folder=str(tmp_path)) == {"error": "timed out after 2 s"}
    all_end(tmp_path)


@pytest.mark.parametrize("name", ["hang", "wait"])
def test_stop_ends_running_calls_and_nothing_runs_afterwards(toolbox: Make, tmp_path: Path, name: str) -> None:
    box = toolbox(**files(1000))
    results: list[Result] = []
    arguments = json.dumps({"folder": str(tmp_path)})
    threads = [threading.Thread(target=lambda: results.append(box.run(name, arguments))) for _ in range(2)]
    for thread in threads:  # the second waits for the first
        thread.start()
    written(tmp_path / "grandchild")
    box.stop()
    all_end(tmp_path)
    for thread in threads:
        thread.join()
    outcomes = [(json.loads(str(result.output)), result.ok) for result in results]
    assert outcomes == [({"error": "stopped by the user"}, False)] * 2
    assert error_of(box, name, folder=str(tmp_path)) == {"error": "stopped by the user"}


SCRIPT = """
import json, os, signal, sys
from cometresp.functions.toolbox import Toolbox
from cometresp.signals import _start_nudging
_start_nudging()  # as each command does: a signal just before a system call would else wait for the end of that
folder, name, *files = sys.argv[1:]
with Toolbox(files, env_names=[], environ=os.environ) as box:
    if os.environ.get("HANDLER"):
        signal.signal(signal.SIGTERM, lambda *_: box.stop())
    print(box.run(name, json.dumps({"folder": folder})).output)
"""


@pytest.mark.parametrize("name", ["hang", "wait"])
@pytest.mark.parametrize(
    ("number", "code", "printed"),
    [
        (signal.SIGINT, -signal.SIGINT, ""),
        (signal.SIGTERM, 0, '{"error": "stopped by the user"}\n'),
    ],
)
def test_a_signal_to_the_program_ends_the_tool(
    toolbox: Make, tmp_path: Path, name: str, number: signal.Signals, code: int, printed: str
) -> None:
    toolbox(**files(1000))
    process = running(tmp_path, name, HANDLER="1")
    written(tmp_path / "grandchild")
    process.send_signal(number)
    out, _ = process.communicate(timeout=30)
    assert (process.returncode, out) == (code, printed)
    all_end(tmp_path)


@pytest.mark.parametrize("name", ["hang", "wait"])
def test_a_tool_and_what_it_started_end_with_a_parent_that_is_killed(toolbox: Make, tmp_path: Path, name: str) -> None:
    toolbox(**files(1000))
    process = running(tmp_path, name)
    written(tmp_path / "grandchild")
    process.kill()
    process.communicate(timeout=30)
    all_end(tmp_path)


def launcher_of(pid: int) -> int:
    """The process id of the program that started a tool."""
    while b"launcher.py" not in Path(f"/proc/{pid}/cmdline").read_bytes():
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        assert pid > 1
    return pid


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="a process's parent is looked up in /proc")
@pytest.mark.parametrize("name", ["hang", "wait"])
def test_a_tool_ends_with_the_process_that_started_it_and_the_next_has_another(
    toolbox: Make, tmp_path: Path, name: str
) -> None:
    box = toolbox(**files(1000))
    results: list[Result] = []
    arguments = json.dumps({"folder": str(tmp_path)})
    for number in range(2):
        thread = threading.Thread(target=lambda: results.append(box.run(name, arguments)))
        thread.start()
        written(tmp_path / "grandchild")
        os.kill(launcher_of(written(tmp_path / "child")), signal.SIGKILL)
        all_end(tmp_path)
        thread.join()
        assert (len(results), results[-1].ok) == (number + 1, False)
        (tmp_path / "child").unlink()
        (tmp_path / "grandchild").unlink()


# The launcher, killed when it has started a command and has not yet told of it.
KILLED_BEFORE_IT_TELLS = """
import importlib.util, os, pathlib, signal, socket, sys, time
path, folder = {path!r}, pathlib.Path({folder!r})
spec = importlib.util.spec_from_file_location("launcher", path)
launcher = importlib.util.module_from_spec(spec)
spec.loader.exec_module(launcher)
class Launcher(launcher.Launcher):
    def _launched(self, request, streams):
        super()._launched(request, streams)
        while not (folder / "grandchild").exists() or not (folder / "grandchild").read_text():
            time.sleep(0.005)
        os.kill(os.getpid(), signal.SIGKILL)
Launcher(socket.socket(fileno=os.dup(0))).run()
"""


def test_a_tool_ends_with_the_process_that_started_it_even_if_that_could_not_tell_of_it(
    toolbox: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = toolbox(b_json=files(1000)["b_json"])
    script = tmp_path / "killed.py"
    path = str(Path(launching.__file__).with_name("launcher.py"))
    script.write_text(KILLED_BEFORE_IT_TELLS.format(path=path, folder=str(tmp_path)))
    monkeypatch.setattr(launching, "_LAUNCHER", str(script))
    reason = "the command can't be run: the process that starts tools has ended"
    assert error_of(box, "wait", folder=str(tmp_path)) == {"error": reason}
    all_end(tmp_path)


@pytest.mark.parametrize("name", ["hang", "wait"])
def test_a_pause_stops_the_group_and_does_not_count_as_time_of_the_call(
    toolbox: Make, tmp_path: Path, name: str
) -> None:
    box = toolbox(**files(1000))
    thread = threading.Thread(target=box.run, args=(name, json.dumps({"folder": str(tmp_path)})))
    thread.start()
    pids = [written(tmp_path / each) for each in ("child", "grandchild")]
    box.processes.pause()
    until(lambda: all(halted(pid) for pid in pids))
    paused = box.processes.clock()
    assert box.processes.clock() == paused
    box.processes.proceed()
    until(lambda: not any(halted(pid) for pid in pids))
    assert 0 <= box.processes.clock() - paused < LONGEST
    box.stop()
    thread.join()


def test_a_command_that_starts_during_a_pause_is_stopped_until_its_end(processes: Processes) -> None:
    processes.pause()
    child = processes.start(["sleep", "1000"], dict(os.environ))
    until(lambda: halted(child.pid))
    processes.proceed()
    until(lambda: not halted(child.pid))
    child.close()


def test_a_command_that_no_process_can_have_ends_no_other(processes: Processes) -> None:
    child = processes.start(["sleep", "1000"], dict(os.environ))
    with pytest.raises(OSError, match="embedded null byte"):
        processes.start(["echo", "a\0b"], dict(os.environ))
    assert (child.has_members(), child.ended.is_set()) == (True, False)
    child.close()


def test_where_the_launcher_cant_be_started_the_call_fails_and_the_next_may_not(
    toolbox: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = toolbox(b_json=json.dumps({"tool": [{"name": "hi", "description": "d", "command": ["echo", "hi"]}]}))
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", "/no/python")
        assert error_of(box, "hi") == {"error": "the command can't be run: '/no/python' is not found"}
    assert output_of(box, "hi") == "hi\n"


def running(folder: Path, name: str, **environ: str) -> subprocess.Popen[str]:
    paths = [str(folder / "a.py"), str(folder / "b.json")]
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(folder), name, *paths],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environ},
    )


def test_closing_ends_the_children_that_wait_for_calls(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("import os\ndef pid() -> int:\n    return os.getpid()\n")
    with Toolbox([str(file)], env_names=[], environ=os.environ) as box:
        pid = int(output_of(box, "pid"))
        assert lives(pid)
        assert os.getpgid(pid) == pid == os.getsid(pid) != os.getpgid(0)
    until(lambda: not lives(pid))


def test_a_toolbox_that_can_not_be_made_leaves_no_child(toolbox: Make, tmp_path: Path) -> None:
    first = f"import os\nopen({str(tmp_path / 'pid')!r}, 'w').write(f'{{os.getpid()}}\\n')\ndef f(): ...\n"
    with pytest.raises(Exception, match="invalid syntax"):
        toolbox(a_py=first, b_py="def (")
    until(lambda: not lives(written(tmp_path / "pid")))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are listed in /proc only")
def test_a_tool_inherits_no_open_file(toolbox: Make) -> None:
    listing = "import os\nprint(sorted(os.listdir('/proc/self/fd')))"
    box = toolbox(
        a_py=dedent("""
        import subprocess, sys
        def files() -> str:
            command = [sys.executable, "-c", LISTING]
            return subprocess.run(command, capture_output=True, text=True, close_fds=False).stdout
        """).replace("LISTING", repr(listing)),
        b_json=json.dumps({"tool": [{"name": "open", "description": "d", "command": [sys.executable, "-c", listing]}]}),
    )
    with open(os.devnull, "rb") as other:  # noqa: PTH123
        os.set_inheritable(other.fileno(), True)
        assert [output_of(box, name) for name in ("files", "open")] == ["['0', '1', '2', '3']\n"] * 2
