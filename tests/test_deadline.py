"""Alarms: what ends a block that takes too long."""

import threading
import time
from typing import Any

import pytest

from cometresp.deadline import alarm


def test_an_alarm_while_a_thread_is_started_raises_its_error_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    begin, started = vars(threading)["_start_new_thread"], threading.Event()

    def slowly(*given: Any) -> Any:
        number = begin(*given)
        time.sleep(0.1)
        return number

    def block() -> None:
        with alarm(0.01, TimeoutError):
            threading.Thread(target=started.set).start()
            time.sleep(60)

    monkeypatch.setattr(threading, "_start_new_thread", slowly)
    with pytest.raises(TimeoutError):
        block()
    assert started.is_set()


def test_a_block_for_which_no_time_is_left_is_not_run() -> None:
    run = []
    with pytest.raises(TimeoutError), alarm(0, TimeoutError):
        run.append("at once")
    assert run == []
