"""How the command line treats the package's log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["warnings_silenced"]


@contextmanager
def warnings_silenced() -> Iterator[None]:
    """Keep warnings out of the output of commands that print them in a place of their own.

    Yields
    ------
    None
        While errors alone are logged.
    """
    logger = logging.getLogger("mne_bstinv")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
