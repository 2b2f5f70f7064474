"""How the command line treats the package's log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["warnings_silenced"]


@contextmanager
def warnings_silenced(*others: str) -> Iterator[None]:
    """Keep warnings out of the output of commands that print them in a place of their own.

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
