"""Keep the log quiet where what it says is said in a place of its own."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["warnings_silenced"]


@contextmanager
def warnings_silenced(*others: str) -> Iterator[None]:
    """Silence the warnings of what is reported otherwise, or was reported before.

    Parameters
    ----------
    *others : str
        Other loggers to treat likewise, such as ``'mne'`` (import it before: it sets its level).

    Yields
    ------
    None
        While errors alone are logged.
    """
    loggers = [logging.getLogger(name) for name in ("mne_bstinv", *others)]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
