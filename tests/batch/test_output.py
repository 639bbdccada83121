"""An output that a killed run left: whatever is behind its last whole line is dropped, and nothing else."""

import json
import tempfile
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometresp.batch.ordered import Ordered, in_order
from cometresp.batch.output import Output, is_failed
from cometresp.errors import CometrespError
from cometresp.terminal import Terminal


def opened(path: Path) -> Output:
    output = Output(str(path), Terminal(None, None, BytesIO()))
    output.open()
    return output


@given(
    st.lists(st.text(max_size=30), max_size=6),
    st.binary(max_size=40).filter(lambda torn: b"\n" not in torn),
    st.text(max_size=5),
)
def test_a_torn_line_is_dropped_and_the_next_one_begins_in_its_place(texts: list[str], torn: bytes, more: str) -> None:
    whole = "".join(json.dumps({"custom_id": text, "exit": 0}) + "\n" for text in texts).encode()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "out"
        path.write_bytes(whole + torn)
        with opened(path) as output:
            output.drop_torn_line()
            assert [line["custom_id"] for line in output.lines()] == texts
            output.write(json.dumps({"custom_id": more}).encode() + b"\n")
        assert path.read_bytes() == whole + json.dumps({"custom_id": more}).encode() + b"\n"


def test_lines_in_order_wait_for_those_before_them() -> None:
    written: list[bytes] = []
    ordered = Ordered(written.append)
    assert [ordered.put(place, b"%d" % place) for place in (1, 3, 0, 4)] == [0, 0, 2, 2]
    assert written == [b"0", b"1"]
    ordered.flush()  # 2 won't come
    assert written == [b"0", b"1", b"3", b"4"]


def test_an_output_is_put_in_order(tmp_path: Path) -> None:
    lines = {name: json.dumps({"custom_id": name, "exit": 0}) + "\n" for name in "abcd"}
    path = tmp_path / "out"
    path.write_text(lines["c"] + lines["a"] + lines["d"])
    path.chmod(0o640)
    with opened(path) as output:
        output.replace(in_order("abc"))
        output.write(lines["b"].encode())
    assert path.read_text() == lines["a"] + lines["c"] + lines["d"] + lines["b"]
    assert (path.stat().st_mode & 0o777, [one.name for one in tmp_path.iterdir()]) == (0o640, ["out"])


def test_lines_of_other_programs_are_understood() -> None:
    good = {"custom_id": "a", "response": {"status_code": 200, "body": {}}, "error": None}
    assert [
        is_failed(line)
        for line in (
            good,
            good | {"response": {"status_code": 400}},
            good | {"response": None},
            good | {"error": {"code": "batch_expired"}},
            {"custom_id": "a", "exit": 5},
            {"custom_id": "a", "exit": 3},
        )
    ] == [False, True, True, True, False, True]


def test_an_output_is_locked_while_it_is_open(tmp_path: Path) -> None:
    with opened(tmp_path / "out"):
        with pytest.raises(CometrespError) as caught:
            opened(tmp_path / "out")
        assert caught.value.message == f"--output: another run is writing to {tmp_path / 'out'}"
    opened(tmp_path / "out").close()
