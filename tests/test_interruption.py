"""Ctrl-C that is not lost."""

from __future__ import annotations

import contextlib
import signal
import threading

import pytest

from mne_bstinv._interruption import noted_interruption


def press():
    signal.raise_signal(signal.SIGINT)


def press_in_vain():
    """As in a callback, whose exceptions are printed and forgotten."""
    with contextlib.suppress(KeyboardInterrupt):
        press()


@pytest.mark.parametrize("deferred", [False, True])
def test_a_swallowed_one_is_raised_at_the_end(deferred):
    went_on = []

    def work():
        with noted_interruption(deferred=deferred):
            press_in_vain()
            went_on.append(True)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert went_on
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_first_one_waits_for_the_end_of_a_piece():
    pieces = []

    def work():
        with noted_interruption(deferred=True) as interruption:
            for piece in range(3):
                press()
                pieces.append(piece)
                interruption.check()

    with pytest.raises(KeyboardInterrupt):
        work()
    assert pieces == [0]


def test_the_second_one_does_not_wait():
    pieces = []

    def work():
        with noted_interruption(deferred=True):
            press()
            pieces.append("begun")
            press()
            pieces.append("not reached")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert pieces == ["begun"]


def test_an_error_that_comes_of_it_is_not_another_one():
    def work(pressed):
        with noted_interruption():
            if pressed:
                press_in_vain()
            raise ValueError("an array that was half filled")

    with pytest.raises(KeyboardInterrupt):
        work(pressed=True)
    with pytest.raises(ValueError, match="half filled"):
        work(pressed=False)


def test_an_inner_block_has_it_first():
    def work():
        with noted_interruption(deferred=True) as inner:
            press()
            assert inner.noted

    with noted_interruption() as outer:
        with pytest.raises(KeyboardInterrupt):
            work()
        assert not outer.noted


@pytest.mark.parametrize("theirs", [signal.SIG_IGN, lambda *_: None])
def test_the_handler_of_another_program_is_left(theirs):
    before = signal.signal(signal.SIGINT, theirs)
    try:
        with noted_interruption() as interruption:
            assert signal.getsignal(signal.SIGINT) is theirs
            press()
        assert not interruption.noted
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_threads_cannot_handle_it():
    def work():
        with noted_interruption() as interruption:
            seen.append(interruption.noted)

    seen: list[bool] = []
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False]
