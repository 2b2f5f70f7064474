"""The releases that a result depends on."""

from __future__ import annotations

import platform
from functools import cache
from importlib.metadata import version

__all__ = ["versions"]


@cache
def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that compute, by name."""
    names = ("mne-bstinv", "mne", "numpy", "scipy")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}
