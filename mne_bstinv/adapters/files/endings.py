"""What the names of MNE's files say: their endings, and the kinds of objects these stand for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mne

from mne_bstinv.io.mat import PathLike

__all__ = ["MNE_ENDINGS", "estimate_ending", "mne_kind"]

#: Ending of a file name → what the file holds, as MNE names its files.
_FIF: dict[str, str] = {
    "ave": "evoked",
    "evoked": "evoked",
    "epo": "epochs",
    "raw": "raw",
    "fwd": "forward",
    "cov": "covariance",
    "src": "source spaces",
    "trans": "trans",
    "inv": "inverse operator",
    "info": "info",
}

MNE_ENDINGS: dict[str, str] = {
    f"{dash}{name}.fif{packed}": kind
    for name, kind in _FIF.items()
    for dash in "-_"
    for packed in ("", ".gz")
} | {
    # the halves of a surface estimate, a volume; mixed estimates and vectors are HDF5
    "-lh.stc": "source estimate",
    "-rh.stc": "source estimate",
    "-vl.stc": "source estimate",
    "-stc.h5": "source estimate",
    ".stc": "source estimate",
    ".label": "labels",
    ".annot": "labels",
    # of FreeSurfer; of a hemisphere's name (lh.white) the files of both
    ".white": "surface",
    ".pial": "surface",
    ".midthickness": "surface",
    ".smoothwm": "surface",
    ".orig": "surface",
    ".surf": "surface",
    ".mgz": "mri",
    # text, and single precision
    ".dip": "dipole",
    ".bdip": "dipole",
    "-tfr.h5": "tfr",
    "_tfr.h5": "tfr",
    "-spectrum.h5": "spectrum",
    "_spectrum.h5": "spectrum",
    "-morph.h5": "morph",
    ".csv": "table",
}


def mne_kind(fname: PathLike) -> str | None:
    """Tell what a file of MNE holds, by its name.

    Parameters
    ----------
    fname : path-like
        The file; it does not have to exist.

    Returns
    -------
    str or None
        ``'evoked'``, ``'epochs'``, ``'raw'``, ``'forward'``, ``'covariance'``,
        ``'source spaces'``, ``'trans'``, ``'inverse operator'``, ``'info'``,
        ``'source estimate'``, ``'labels'``, ``'surface'``, ``'mri'``, ``'dipole'``, ``'tfr'``,
        ``'spectrum'``, ``'morph'``, ``'table'``;
        None for other names.
    """
    name = Path(fname).name.lower()
    return next((kind for ending, kind in MNE_ENDINGS.items() if name.endswith(ending)), None)


def estimate_ending(stc: Any) -> str:
    """Return how MNE names the file of a source estimate.

    Parameters
    ----------
    stc : SourceEstimate | VectorSourceEstimate | VolSourceEstimate | VolVectorSourceEstimate | \
    MixedSourceEstimate | MixedVectorSourceEstimate
        The estimate.

    Returns
    -------
    str
        ``'-lh.stc'`` (and ``'-rh.stc'`` beside it) for scalars on surfaces, ``'-vl.stc'`` for
        scalars in one volume, else ``'-stc.h5'``: stc files hold nothing else.
    """
    if isinstance(stc, mne.SourceEstimate):
        return "-lh.stc"
    if isinstance(stc, mne.VolSourceEstimate) and len(stc.vertices) == 1:
        return "-vl.stc"
    return "-stc.h5"
