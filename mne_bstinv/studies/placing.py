"""The MRI of a subject, where it can place things, and its cortex, where it can be read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from mne_bstinv import io
from mne_bstinv.conversion import Findings
from mne_bstinv.errors import FrameError, MatFileError, SchemaError
from mne_bstinv.frames import scs_to_surface_ras
from mne_bstinv.studies.units import in_metres

__all__ = ["placing_mri", "readable_cortex"]

_Read = Callable[[Callable[[Path], Any], Path], Any]


def placing_mri(file: Path | None, read: _Read, findings: Findings) -> io.Mri | None:
    """Read an MRI; None, with a finding, if it cannot be read or nobody knows where its head is.

    ``read`` reads a file with a reader. What needs no MRI goes on without it.
    """
    if file is None:
        return None
    try:
        mri: io.Mri = in_metres(read(io.read_mri, file))
        scs_to_surface_ras(mri)
    except _UNUSABLE as error:
        findings.dropped("MRI", _left_out(file, error))
        return None
    return mri


def readable_cortex(file: Path, read: _Read, findings: Findings) -> io.Surface | None:
    """Read a cortex; None, with a finding, if it cannot be read: locations are known without it."""
    try:
        cortex: io.Surface = read(io.read_surface, file)
    except _UNUSABLE as error:
        findings.dropped("SurfaceFile", _left_out(file, error))
        return None
    return cortex


_UNUSABLE = (FrameError, MatFileError, SchemaError)


def _left_out(file: Path, error: Exception) -> str:
    return f"{file.name} is left out, as if there were none: {error}"
