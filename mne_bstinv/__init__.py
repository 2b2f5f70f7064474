"""The bridge between MNE-Python and Brainstorm.

The data flows one way, and the folders are its stations::

                             ┌→ MNE object (mne_bstinv.adapters), and back ──┐
    .mat file → structure ───┤                                               ├→ comparison → report
      (mne_bstinv.io)        └→ imaging kernel (mne_bstinv.inverse) ─────────┘
                                └→ comparison with the stored one (mne_bstinv.verification)

Comparisons are in :mod:`mne_bstinv.compare`, what makes the difference in
:mod:`mne_bstinv.cross_validation`, figures in :mod:`mne_bstinv.plots`.

Structures hold the raw values of the files; frames, order and units change only in the adapters.
The command line is ``mne-bstinv`` (:mod:`mne_bstinv.cli`).
"""

# The names are in __init__.pyi, by the place where they are: each is loaded, and what it needs with
# it, when it is first used. MNE alone takes a second.

from importlib import import_module as _import_module
from typing import Any as _Any

import lazy_loader as _lazy

from mne_bstinv._log import follow_mne as _follow_mne

_follow_mne()

_load, _, _names = _lazy.attach_stub(__name__, __file__)

__all__ = sorted([*_names, "__version__"])

#: Packages and modules that ``import mne_bstinv`` gives beside the public names.
_STATIONS = (
    "adapters", "anatomy", "compare", "conversion", "conversion_files", "cross_validation",
    "derived", "explorer", "export", "frames", "inverse", "maps", "plots", "port", "report",
    "studies", "verification", "workflow",
)  # fmt: skip


def __getattr__(name: str) -> _Any:
    """Load a name when it is first used."""
    if name == "__version__":
        from importlib.metadata import version  # takes as long as all the rest

        return version("mne-bstinv")
    return _import_module(f"{__name__}.{name}") if name in _STATIONS else _load(name)


def __dir__() -> list[str]:
    """List what can be loaded, too."""
    return sorted({*globals(), *__all__, *_STATIONS})
