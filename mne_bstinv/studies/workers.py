"""How many processes work on the conditions of a protocol."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from mne_bstinv.errors import OptionError

__all__ = ["deaf_workers", "n_workers"]


def n_workers(n_jobs: int | None) -> int:
    """Return the number of conditions at a time that is asked for, refusing what is no number.

    −1 stands for one a core, None for what ``joblib.parallel_config`` says, else 1.
    """
    if n_jobs == 1:
        return 1
    if n_jobs is not None and not (isinstance(n_jobs, int) and (n_jobs == -1 or n_jobs >= 1)):
        raise OptionError(
            "n_jobs must be a positive number of conditions, or -1 for one a core; found "
            f"{n_jobs!r}."
        )
    from joblib import effective_n_jobs

    return int(effective_n_jobs(n_jobs))


@contextmanager
def deaf_workers() -> Iterator[None]:
    """Have processes that are started in the block not hear Ctrl-C: joblib ends them in this one.

    A terminal sends the signal to all of them, and one that still imports would print where it
    was. Processes inherit which signals their starter blocks; here it comes after the block.
    """
    if not hasattr(signal, "pthread_sigmask"):  # on Windows
        yield
        return
    from multiprocessing import resource_tracker

    from joblib.externals.loky.backend import resource_tracker as resource_tracker_of_joblib

    for tracker in (resource_tracker, resource_tracker_of_joblib):
        tracker.ensure_running()  # its start unblocks the signal, in releases of Python and joblib
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
