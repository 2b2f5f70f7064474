"""The MRI of a subject, where it can place things."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from mne_bstinv import io
from mne_bstinv.conversion import Findings
from mne_bstinv.errors import FrameError, MatFileError, SchemaError
from mne_bstinv.frames import scs_to_surface_ras
from mne_bstinv.studies.units import in_metres

__all__ = ["placing_mri"]


def placing_mri(
    file: Path | None, read: Callable[[Callable[[Path], Any], Path], Any], findings: Findings
) -> io.Mri | None:
    """Read an MRI; None, with a finding, if it cannot be read or nobody knows where its head is.

    ``read`` reads a file with a reader. What needs no MRI goes on without it.
    """
    if file is None:
        return None
    try:
        mri: io.Mri = in_metres(read(io.read_mri, file))
        scs_to_surface_ras(mri)
    except (FrameError, MatFileError, SchemaError) as error:
        findings.dropped("MRI", f"{file.name} is left out, as if there were none: {error}")
        return None
    return mri
