"""What a worker changes of its process while it converts, and puts back."""

from __future__ import annotations

import os
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing import current_process

from mne_bstinv._log import warnings_silenced

__all__ = ["end_with", "surroundings"]

_LOCK = threading.Lock()
#: Threads of this process that are inside, and what the last one has to put back.
_inside, _restore = 0, ExitStack()

#: Seconds between two looks whether the parent is alive, and whether this process looks.
_INTERVAL = 1.0
_looking = False


def end_with(parent: int) -> None:
    """End this process when its parent is gone, even if it was killed and could not say so.

    Workers wait five minutes for the next task of a parent that is dead, and keep their memory.
    What is not finished is in a staging folder; the next run removes it. If the tasks do not
    come from the parent of this process (but from itself, or a worker of a cluster), nothing is
    done; nor on Windows, where a parent's end is not seen. A worker of joblib whose parent is
    another already was started by one that was killed meanwhile.
    """
    global _looking
    with _LOCK:
        is_worker = current_process().name.startswith("LokyProcess")
        ours = os.getppid() == parent or is_worker
        if sys.platform == "win32" or _looking or parent == os.getpid() or not ours:
            return
        _looking = True
    threading.Thread(target=_await_end, args=(parent,), daemon=True).start()


def _await_end(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_INTERVAL)
    os._exit(1)


@contextmanager
def surroundings(blas_threads: int | None) -> Iterator[None]:
    """Keep findings and warnings out of the log (they are in the manifest), and limit BLAS.

    MNE's level, the filters of warnings and the limits belong to the process. Several threads
    may be inside: the first changes them, the last puts them back.
    """
    global _inside, _restore
    with _LOCK:
        if _inside == 0:
            _restore = _changed(blas_threads)
        _inside += 1
    try:
        with warnings_silenced():
            yield
    finally:
        with _LOCK:
            _inside -= 1
            if _inside == 0:
                _restore.close()


def _changed(blas_threads: int | None) -> ExitStack:
    from mne_bstinv.adapters.files import quiet

    with ExitStack() as stack:
        stack.enter_context(quiet())
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        if blas_threads is not None:
            from threadpoolctl import threadpool_limits

            stack.enter_context(threadpool_limits(blas_threads))
        return stack.pop_all()
