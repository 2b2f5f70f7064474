"""What belongs to the process is put back; a worker does not outlive what it works for."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import warnings

import mne
import pytest

import mne_bstinv.adapters.files  # noqa: F401 first imports add filters of warnings
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


PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]])
child.wait()
"""
CHILD = """
import os, sys, time
from mne_bstinv.port import surroundings
surroundings._INTERVAL = 0.05
surroundings.end_with({parent})
print(os.getpid(), flush=True)
time.sleep({seconds})
print("on its own", flush=True)
"""


def child_of_a_dead_parent(parent, seconds):
    """What a child says after its parent was killed."""
    code = CHILD.format(parent=parent, seconds=seconds)
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, code], stdout=subprocess.PIPE, text=True
    ) as process:
        child = int(process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        try:
            return process.stdout.read()  # until the child has ended
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_worker_ends_with_its_parent():
    start = time.monotonic()
    assert child_of_a_dead_parent("os.getppid()", seconds=60) == ""
    assert time.monotonic() - start < 30


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_worker_of_another_process_goes_on():
    assert child_of_a_dead_parent("os.getpid()", seconds=0.3) == "on its own\n"
