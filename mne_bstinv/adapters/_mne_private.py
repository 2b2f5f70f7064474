"""Every private name of MNE-Python in use, each with the reason (tried: 1.9 and 1.13).

Public API comes first everywhere; what stands here has no public equivalent. The other modules of
the package never touch a private name of MNE themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, Any

import mne

__all__ = [
    "check_info",
    "coil_definition_file",
    "forward_origin",
    "hold_once",
    "open_fif",
    "original_gain",
    "unchecked",
    "unlocked",
    "write_forward_tags",
    "write_operator_tags",
]


def coil_definition_file() -> Path:
    """Return the path of MNE's sensor definitions.

    The patterns of integration points are shipped as plain text, ``coil_def.dat``; no public
    function returns them or the path (tried: 1.9 and 1.13).
    """
    return Path(mne.__file__).parent / "data" / "coil_def.dat"


def unlocked(info: mne.Info) -> AbstractContextManager[None]:
    """Allow to set the entries of an Info that have no setter.

    ``comps``, ``projs``, ``dig`` and the entries that only a forward solution's Info has can be
    set in no other way (``Info._unlock``; tried: 1.9 and 1.13).
    """
    context: AbstractContextManager[None] = info._unlock()
    return context


def check_info(info: mne.Info) -> None:
    """Let MNE check the consistency of an Info.

    It does so itself on writing and on creating data containers; checking right after the
    conversion names the culprit (``Info._check_consistency``; tried: 1.9 and 1.13).
    """
    checked: Any = info
    checked._check_consistency()


def unchecked(info: mne.Info) -> AbstractContextManager[None]:
    """Let MNE's functions take an Info as it is, that was checked when it was made.

    Each of them checks all channels again (``Info._skip_checks``, new in 1.13; before that they do
    so).
    """
    skipping: Callable[[], AbstractContextManager[None]]
    skipping = getattr(info, "_skip_checks", nullcontext)
    return skipping()


def forward_origin(gain: Any, source_ori: int) -> dict[str, Any]:
    """Return the entries of a Forward that say what it was before any change of orientation.

    ``convert_forward_solution`` and ``write_forward_solution`` start from ``_orig_sol`` and its
    companions; no public function makes a Forward of a given gain (tried: 1.9 and 1.13).
    """
    return {"_orig_sol": gain.copy(), "_orig_source_ori": source_ori, "_orig_sol_grad": None}


def hold_once(fwd: Any) -> None:
    """Let a Forward of free orientation hold its gain once, not also as ``_orig_sol``.

    MNE's functions replace ``sol["data"]`` and do not write into it (tried: 1.9 and 1.13).
    """
    fwd["_orig_sol"] = fwd["sol"]["data"]


def original_gain(fwd: Any) -> tuple[Any, int]:
    """Return the gain of a Forward before any change of orientation, and its orientation code.

    A fixed-orientation Forward keeps the free one it was made of there (``_orig_sol``,
    ``_orig_source_ori``; tried: 1.9 and 1.13). The gain is None where there is none.
    """
    return fwd.get("_orig_sol"), int(fwd.get("_orig_source_ori", fwd["source_ori"]))


def open_fif(path: Path) -> AbstractContextManager[IO[bytes]]:
    """Open a new FIF file for the tags between its first ones and its last.

    The writers of MNE take a path, and open it themselves; what writes a part of its own between
    two of their tags has to have their file (``mne._fiff.write``; tried: 1.9 and 1.13).
    """
    from mne._fiff.write import start_and_end_file

    opened: AbstractContextManager[IO[bytes]] = start_and_end_file(path)
    return opened


def write_forward_tags(file: IO[bytes], fwd: Any) -> None:
    """Write the tags of a forward solution to such a file (tried: 1.9 and 1.13)."""
    from mne.forward.forward import _write_forward_solution

    _write_forward_solution(file, fwd)


def write_operator_tags(file: IO[bytes], inv: Any) -> None:
    """Write the tags of an inverse operator to such a file (tried: 1.9 and 1.13)."""
    from mne.minimum_norm.inverse import _write_inverse_operator

    _write_inverse_operator(file, inv)
