"""Processes that work on the conditions of a protocol."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

#: Prints whether the process itself blocks the signal, then whether each of its workers does.
SCRIPT = """
import signal
from joblib import Parallel, delayed
from mne_bstinv.studies.workers import deaf_workers
parallel = Parallel(n_jobs=2, return_as="generator")
blocked = delayed(signal.pthread_sigmask)
with deaf_workers():
    coming = parallel(blocked(signal.SIG_BLOCK, []) for _ in range(4))
print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []), *(
    signal.SIGINT in one for one in coming
))
"""


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="signals cannot be blocked here")
def test_workers_do_not_hear_ctrl_c_and_the_one_that_asked_does():
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["False", *["True"] * 4]
