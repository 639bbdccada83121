import json
import os
import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest

from cometresp.emulator.server import Emulator
from cometresp.emulator.store import Store

from .bench import Bench, text_of


def test_two_emulators_share_a_memory(tmp_path: Path) -> None:
    one, other = Bench(tmp_path / "memory.db"), Bench(tmp_path / "memory.db")
    first = one.ask(input="One")
    assert other.call("GET", first["id"]) == first
    second = other.ask(input="Two", previous_response_id=first["id"])
    assert "1. One" in text_of(second)
    one.call("DELETE", first["id"])
    assert other.refused(input="Three", previous_response_id=first["id"]).code == "previous_response_not_found"
    one.store.close()
    other.store.close()


def test_a_background_response_continues_after_the_process_that_started_it(tmp_path: Path) -> None:
    one = Bench(tmp_path / "memory.db")
    stream = one.opened(input="Hello", background=True)
    first = [next(stream) for _ in range(3)]
    one.store.close()
    other = Bench(tmp_path / "memory.db")
    response_id = first[0]["response"]["id"]
    rest = other.follow(response_id, starting_after="2")
    assert [event["sequence_number"] for event in rest] == list(range(3, 3 + len(rest)))
    assert rest[-1]["response"] == other.call("GET", response_id)
    other.store.close()


def test_a_cancel_by_another_process_ends_the_stream(tmp_path: Path) -> None:
    one, other = Bench(tmp_path / "memory.db"), Bench(tmp_path / "memory.db")
    stream = one.opened(input="Hello", background=True)
    response_id = next(stream)["response"]["id"]
    other.call("POST", f"{response_id}/cancel")
    assert [event["type"] for event in stream] == ["response.queued"]
    one.store.close()
    other.store.close()


def test_turns_written_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    benches = [Bench(tmp_path / "memory.db") for _ in range(4)]
    conversation = benches[0].send("POST", "conversations")["id"]

    def talk(bench: Bench) -> None:
        for _ in range(10):
            bench.ask(input="Hello", conversation=conversation)

    threads = [threading.Thread(target=talk, args=(bench,)) for bench in benches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    items = benches[0].send("GET", f"conversations/{conversation}/items", limit="100")["data"]
    assert [item["role"] for item in items] == ["assistant", "user"] * 40
    for bench in benches:
        bench.store.close()


def test_a_conversation_is_shared_and_survives_its_process(tmp_path: Path) -> None:
    one, other = Bench(tmp_path / "memory.db"), Bench(tmp_path / "memory.db")
    conversation = one.send("POST", "conversations", {"metadata": {"k": "v"}})
    one.ask(input="One", conversation=conversation["id"])
    one.store.close()
    assert "1. One" in text_of(other.ask(input="Two", conversation=conversation["id"]))
    other.store.close()
    again = Bench(tmp_path / "memory.db")
    assert again.send("GET", f"conversations/{conversation['id']}") == conversation
    assert "1. One\n2. Two" in text_of(again.ask(input="Three", conversation=conversation["id"]))
    again.store.close()


def test_a_memory_of_version_0_1_0_is_read(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    now = Bench(path)
    response = now.ask(input="One")
    now.store.close()
    with closing(sqlite3.connect(path)) as db:
        ((record,),) = db.execute("SELECT record FROM responses").fetchall()
        db.executescript("""
            DROP TABLE responses;
            DROP TABLE conversations;
            DROP TABLE items;
            CREATE TABLE responses (
                number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, conversation TEXT, cancelled REAL,
                record TEXT NOT NULL
            );
            CREATE INDEX conversations ON responses (conversation) WHERE conversation IS NOT NULL;
        """)
        old = json.dumps({**json.loads(record), "conversation": "conv_1"})
        db.execute("INSERT INTO responses (id, conversation, record) VALUES (?, 'conv_1', ?)", (response["id"], old))
        db.commit()
    later = Bench(path)
    assert later.call("GET", response["id"]) == response
    assert "1. One" in text_of(later.ask(input="Two", previous_response_id=response["id"]))
    assert later.refused(input="Two", conversation="conv_1").status == 404
    later.store.close()


@pytest.mark.skipif(os.name != "posix", reason="file modes need POSIX")
def test_the_memory_is_private(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "memory.db"
    Store(path).close()
    assert [stat.S_IMODE(entry.stat().st_mode) for entry in (path.parent, path)] == [0o700, 0o600]


def test_a_file_that_isn_t_a_database_is_left_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    path.write_text("These are my notes, and long enough to be looked at as a database would be.\n" * 20)
    before = path.read_bytes()
    with pytest.raises(OSError, match="can't keep the emulator's memory"):
        Emulator(memory=path)
    assert path.read_bytes() == before
