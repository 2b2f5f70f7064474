"""Keep the log quiet where what it says is said in a place of its own."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["warnings_silenced"]

#: Loggers that are silenced in this thread (or task): others may be at work in theirs.
_SILENCED: ContextVar[frozenset[str]] = ContextVar("mne_bstinv_silenced", default=frozenset())


class _ErrorsOnly(logging.Filter):
    """Drops what is less than an error while its logger is silenced."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.ERROR or record.name not in _SILENCED.get()


_FILTER = _ErrorsOnly()


@contextmanager
def warnings_silenced(*others: str) -> Iterator[None]:
    """Log errors alone in this thread, of other loggers, such as ``'mne'``, too.

    For what is reported otherwise, or was reported before.
    """
    names = frozenset({"mne_bstinv", *others})
    for name in names:
        logging.getLogger(name).addFilter(_FILTER)  # once, however often it is added
    token = _SILENCED.set(_SILENCED.get() | names)
    try:
        yield
    finally:
        _SILENCED.reset(token)
