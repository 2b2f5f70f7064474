"""Ctrl-C that is not lost: what runs may swallow its exception, or make another one of it.

Callbacks of weak references and of C code cannot raise; a KeyboardInterrupt that comes in one is
printed and forgotten. So the signal is noted by its handler, and is asked for between the pieces.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Interruption", "noted_interruption"]


class Interruption:
    """A handler of SIGINT that notes it; the first one waits if ``deferred``."""

    def __init__(self, *, deferred: bool) -> None:
        self._deferred, self._noted = deferred, False

    def __call__(self, *_: object) -> None:
        again, self._noted = self._noted, True
        if again or not self._deferred:
            raise KeyboardInterrupt

    @property
    def noted(self) -> bool:
        """Whether Ctrl-C was pressed."""
        return self._noted

    def check(self) -> None:
        """Raise KeyboardInterrupt if Ctrl-C was pressed."""
        if self._noted:
            raise KeyboardInterrupt


@contextmanager
def noted_interruption(*, deferred: bool = False) -> Iterator[Interruption]:
    """Raise KeyboardInterrupt at the end, if not before, when Ctrl-C is pressed in the block.

    ``deferred``: the first one is raised by ``check``, or at the end, and only a second one where
    it comes; else each where it comes, too. An error that comes after it is taken for its
    consequence. Other threads than the main one, and programs that handle (or ignore) the signal
    in their own way, are left as they are.
    """
    interruption = Interruption(deferred=deferred)
    before = signal.getsignal(signal.SIGINT)
    ours = before is signal.default_int_handler or isinstance(before, Interruption)
    if not ours or threading.current_thread() is not threading.main_thread():
        yield interruption
        return
    signal.signal(signal.SIGINT, interruption)
    try:
        yield interruption
    except Exception as error:
        if interruption.noted:
            raise KeyboardInterrupt from error
        raise
    finally:
        signal.signal(signal.SIGINT, before)
    interruption.check()
