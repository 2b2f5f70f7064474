"""What belongs to the process is put back, by the last of several threads."""

from __future__ import annotations

import logging
import threading
import warnings

import mne
import pytest

from mne_bstinv.port.surroundings import surroundings


def state():
    return mne.utils.logger.level, list(warnings.filters)


def test_put_back_by_the_last_thread_that_leaves():
    before = state()
    first_in, second_in, leave = (threading.Event() for _ in range(3))

    def first() -> None:
        with surroundings(None):
            first_in.set()
            second_in.wait(10)

    def second() -> None:
        first_in.wait(10)
        with surroundings(None):
            second_in.set()
            leave.wait(10)

    threads = [threading.Thread(target=work) for work in (first, second)]
    for thread in threads:
        thread.start()
    threads[0].join(10)  # the first to enter left first
    assert mne.utils.logger.level == logging.ERROR
    warnings.warn("not shown, and no error", UserWarning, stacklevel=1)
    leave.set()
    threads[1].join(10)
    assert state() == before


def test_put_back_after_an_error():
    before = state()
    with pytest.raises(ZeroDivisionError), surroundings(1):
        _ = 1 / 0
    assert state() == before
    with surroundings(1):
        assert state() != before
    assert state() == before
