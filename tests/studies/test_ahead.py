"""Objects that a thread makes before they are asked for."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from mne_bstinv.studies.ahead import Ahead, Task

MAIN = threading.current_thread().name


@pytest.fixture
def ahead():
    found = Ahead()
    yield found
    found.expect(())


@pytest.fixture
def made() -> dict[str, str]:
    """What was made, and by which thread."""
    return {}


@pytest.fixture
def task(made):
    """Make a task that waits for an event, if there is one."""

    def of(key, group=None, until=None, begun=None):
        def make():
            if begun is not None:
                begun.set()
            if until is not None:
                assert until.wait(10)
            made[key] = threading.current_thread().name
            return key.upper()

        return Task(key, make, group)

    return of


def test_a_thread_makes_what_is_expected_and_it_is_given_once(ahead, task, made):
    begun = threading.Event()
    ahead.expect([task("a", begun=begun), task("b")])
    assert begun.wait(10)
    assert ahead.take("a") == "A"
    assert made["a"].startswith("mne_bstinv_ahead")
    assert ahead.take("a") is None
    assert ahead.take("never expected") is None


def test_who_waits_makes_others_of_the_group_meanwhile(ahead, task, made):
    begun, others_made = threading.Event(), threading.Event()

    def last():
        others_made.set()
        return "B"

    ahead.expect([task("a", 1, others_made, begun), Task("b", last, 1), task("c", 2, others_made)])
    assert begun.wait(10)
    assert ahead.take("a") == "A", "the thread waits for b, which this one makes"
    assert ahead.take("b") == "B"
    ahead.take("c")
    assert made.get("c", MAIN) != MAIN


def test_what_is_not_begun_is_left_to_who_asks(ahead, task):
    begun, end = threading.Event(), threading.Event()
    ahead.expect([task("a", until=end, begun=begun), task("b")])
    assert begun.wait(10)
    assert ahead.take("b") is None
    end.set()
    assert ahead.take("a") == "A"


def test_what_is_not_expected_any_more_is_not_made(ahead, task, made):
    begun, end = threading.Event(), threading.Event()
    ahead.expect([task("a", until=end, begun=begun), task("b"), task("c")])
    assert begun.wait(10)
    ahead.expect([task("c"), task("d")])
    end.set()
    found = {key: ahead.take(key) for key in "abcd"}
    assert found["a"] is None
    assert found["b"] is None
    assert "b" not in made
    ahead.expect(())
    assert ahead._thread is None


def test_errors_are_those_of_who_asks(ahead):
    def fail():
        raise OSError("no such file")

    begun = threading.Event()
    ahead.expect([Task("a", lambda: begun.set()), Task("b", fail, "group")])
    assert begun.wait(10)
    with ThreadPoolExecutor(1) as another:  # not before the thread had time to begin it
        another.submit(ahead._coming["b"][1].exception).result(10)
    assert list(ahead.ready()) == [None]
    with pytest.raises(OSError, match="no such file"):
        ahead.take("b")
