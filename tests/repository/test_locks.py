from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from orchgit.model.errors import BusyError
from orchgit.repository import locks

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "lock"


def test_a_lock_has_one_holder(lock: Path) -> None:
    assert not locks.is_held(lock)
    with locks.held(lock, wait=1, doing="test"):
        assert locks.is_held(lock)
        assert locks.take(lock) is None
    assert not locks.is_held(lock)
    descriptor = locks.take(lock)
    assert descriptor is not None
    assert locks.is_held(lock)
    os.close(descriptor)


def test_who_waits_too_long_is_told_who_holds_it(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/bin/orchgit", "run", "--watch", "two\nlines", "more"])
    with (
        locks.held(lock, wait=1, doing="test"),
        pytest.raises(BusyError) as caught,
        locks.held(lock, wait=0, doing="win"),
    ):
        pass
    assert caught.value.what == (f"Can't win: process {os.getpid()} (orchgit run --watch two lines) holds {lock}.")


def test_the_name_of_a_holder_replaces_a_longer_one(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for words in (["a-very-long-command", "with", "many ünusual", "words" * 40], ["short"]):
        monkeypatch.setattr(sys, "argv", words)
        with locks.held(lock, wait=1, doing="test"):
            pass
    assert locks.holder(lock) == f"process {os.getpid()} (short)"
    assert locks.holder(lock.with_name("none")) == "another process"


def test_asking_never_makes_a_taker_fail(lock: Path) -> None:
    with locks.held(lock, wait=1, doing="make it"):
        pass
    done = threading.Event()

    def ask() -> None:
        while not done.wait(0.0005):  # often, and not without a pause: a lock that is never free is no lock
            locks.is_held(lock)

    askers = [threading.Thread(target=ask) for _ in range(3)]
    for asker in askers:
        asker.start()
    try:
        for _ in range(50):
            with locks.held(lock, wait=0, doing="win"):
                pass
    finally:
        done.set()
        for asker in askers:
            asker.join()


def test_a_lock_dies_with_its_holder_and_lives_with_its_heir(lock: Path) -> None:
    with locks.held(lock, wait=1, doing="test") as descriptor:
        heir = subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=(descriptor,))
        stranger = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    assert locks.is_held(lock)
    heir.kill()
    heir.communicate()
    assert not locks.is_held(lock)
    stranger.communicate()


def test_waiting_until_it_is_free(lock: Path) -> None:
    locks.wait_until_free(lock)
    descriptor = locks.take(lock)
    assert descriptor is not None
    waiter = threading.Thread(target=locks.wait_until_free, args=(lock,))
    waiter.start()
    assert waiter.is_alive()
    os.close(descriptor)
    waiter.join(timeout=10)
    assert not waiter.is_alive()


def test_a_lock_that_can_not_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        locks.take(tmp_path / "file" / "lock")
