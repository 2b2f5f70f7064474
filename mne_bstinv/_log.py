"""The package's log: as loud as MNE's, in the same place, and quiet where it is told to be.

Messages of the logger ``mne_bstinv`` are heard from MNE's level on (:func:`mne.set_log_level`,
``verbose=``, :func:`mne.use_log_level`) and are written where MNE writes its own
(:func:`mne.set_log_file`). Handlers of the root logger hear them too.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["follow_mne", "to_stderr", "warnings_silenced"]

_OURS, _MNE = "mne_bstinv", "mne"

#: Loggers that are silenced in this thread (or task): others may be at work in theirs.
_SILENCED: ContextVar[frozenset[str]] = ContextVar("mne_bstinv_silenced", default=frozenset())

#: Lowest level of what goes to standard error, as messages of a command do; None: where MNE writes.
_TO_STDERR: ContextVar[int | None] = ContextVar("mne_bstinv_to_stderr", default=None)


class _ErrorsOnly(logging.Filter):
    """Drops what is less than an error while its logger is silenced."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.ERROR or record.name not in _SILENCED.get()


class _FromMneLevelOn(logging.Filter):
    """Drops what is below MNE's level (WARNING until MNE is imported), or that of the command."""

    def filter(self, record: logging.LogRecord) -> bool:
        level = _TO_STDERR.get()
        if level is not None:
            return record.levelno >= level
        return record.levelno >= (logging.getLogger(_MNE).level or logging.WARNING)


class _WhereMneWrites(logging.Handler):
    """Hands messages on to MNE's handlers; to standard error where there is none."""

    def emit(self, record: logging.LogRecord) -> None:
        if _TO_STDERR.get() is not None:
            print(self.format(record), file=sys.stderr)
            return
        others = logging.getLogger().handlers  # hear it anyway
        handlers = [one for one in logging.getLogger(_MNE).handlers if one not in others]
        if not hasattr(record, "frame_info"):  # what mne.utils.set_log_level(add_frames=…) shows
            record.frame_info = ""
        for handler in handlers:
            handler.handle(record)
        last = logging.lastResort
        if not handlers and not others and last and record.levelno >= last.level:
            last.handle(record)


_FILTER = _ErrorsOnly()


def follow_mne() -> None:
    """Let MNE's level and handlers be those of the package, unless its logger was set up before."""
    logger = logging.getLogger(_OURS)
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.DEBUG)  # MNE's level decides, whatever the root logger's is
    if not any(isinstance(one, _WhereMneWrites) for one in logger.handlers):
        logger.addFilter(_FromMneLevelOn())
        logger.addHandler(_WhereMneWrites())


@contextmanager
def to_stderr(level: int = logging.WARNING) -> Iterator[None]:
    """Write messages to standard error, for commands whose output is on standard output."""
    token = _TO_STDERR.set(level)
    try:
        yield
    finally:
        _TO_STDERR.reset(token)


@contextmanager
def warnings_silenced(*others: str) -> Iterator[None]:
    """Log errors alone in this thread, of other loggers, such as ``'mne'``, too.

    For what is reported otherwise, or was reported before.
    """
    names = frozenset({_OURS, *others})
    for name in names:
        logging.getLogger(name).addFilter(_FILTER)  # once, however often it is added
    token = _SILENCED.set(_SILENCED.get() | names)
    try:
        yield
    finally:
        _SILENCED.reset(token)
