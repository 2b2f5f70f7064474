"""Orientation factors: from the three gain columns of a location to its components."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mne_bstinv._types import BoolArray, FloatArray
from mne_bstinv.errors import InverseError, UnsupportedInverseError

__all__ = ["local_frames", "stored_normals", "unit_normals", "untruncated"]


def unit_normals(grid_orient: FloatArray | None, n_sources: int) -> FloatArray:
    """Normalise the orientations, refusing the ones that have no direction.

    Parameters
    ----------
    grid_orient : array, shape (n_sources, 3) | None
        Orientation of each location, in the frame of the gain.
    n_sources : int
        Number of locations expected.

    Returns
    -------
    array, shape (n_sources, 3)
        Unit vectors.

    Raises
    ------
    InverseError
        If orientations are absent, of another shape, zero or not finite; names the locations.
    """
    normals, length = _normals_with_length(grid_orient, n_sources)
    _refuse_directionless(~(length > 0), n_sources)
    return normals / length[:, None]


def stored_normals(grid_orient: FloatArray | None, n_sources: int, orient: str) -> FloatArray:
    """Take the orientations as they are stored, whatever their length.

    Parameters
    ----------
    grid_orient : array, shape (n_sources, 3) | None
        Orientation of each location, in the frame of the gain.
    n_sources : int
        Number of locations expected.
    orient : 'fixed' | 'loose'
        Orientation constraint. A fixed location without direction has no gain, as in
        Brainstorm; a loose one would have no tangential plane.

    Returns
    -------
    array, shape (n_sources, 3)
        The vectors.

    Raises
    ------
    InverseError
        If orientations are absent, of another shape, not finite, or zero with loose; names the
        locations.
    """
    normals, length = _normals_with_length(grid_orient, n_sources)
    if orient == "loose":
        _refuse_directionless(~(length > 0), n_sources)
    return normals


def _normals_with_length(
    grid_orient: FloatArray | None, n_sources: int
) -> tuple[FloatArray, FloatArray]:
    if grid_orient is None or np.size(grid_orient) == 0:
        raise InverseError(
            "GridOrient is empty: fixed and loose orientations need normals. Give them, or choose "
            "free orientations."
        )
    normals = np.asarray(grid_orient, dtype=np.float64)
    if normals.shape != (n_sources, 3):
        raise InverseError(f"GridOrient has shape {normals.shape}, expected ({n_sources}, 3).")
    length = np.linalg.norm(normals, axis=1)
    _refuse_directionless(~np.isfinite(length), n_sources)
    return normals, length


def _refuse_directionless(without: BoolArray, n_sources: int) -> None:
    bad = np.flatnonzero(without)
    if bad.size:
        shown = ", ".join(map(str, bad[:10] + 1)) + (", …" if bad.size > 10 else "")
        raise InverseError(
            f"GridOrient is zero or not finite at {bad.size} of {n_sources} locations "
            f"(1-based: {shown}): fixed and loose orientations need normals. Mend them, or choose "
            "free orientations."
        )


def local_frames(normals: FloatArray, loose: float) -> FloatArray:
    """Orthonormal frames [o, loose·t1, loose·t2] around unit normals.

    The tangents are one deterministic choice of many: nothing that the inverse returns in the
    frame of the head model depends on it. Construction: Duff et al. (2017), "Building an
    orthonormal basis, revisited", *Journal of Computer Graphics Techniques* 6 (1).

    Parameters
    ----------
    normals : array, shape (n_sources, 3)
        Unit vectors o.
    loose : float
        Amplitude of the tangential components relative to the normal one.

    Returns
    -------
    array, shape (n_sources, 3, 3)
        Columns o, loose·t1, loose·t2 for each location.
    """
    x, y, z = normals.T
    sign = np.copysign(1.0, z)
    a = -1.0 / (sign + z)
    b = x * y * a
    t1 = np.stack([1.0 + sign * x * x * a, sign * b, -sign * x], axis=1)
    t2 = np.stack([b, sign + y * y * a, -y], axis=1)
    return np.stack([normals, loose * t1, loose * t2], axis=2)


def untruncated(meg_method: str | None, channel_types: Sequence[str]) -> str:
    """Orientation that the inverse of 2009 takes where truncated is asked for.

    Parameters
    ----------
    meg_method : str | None
        How the gain of the MEG channels was computed.
    channel_types : sequence of str
        Type of each channel in use.

    Returns
    -------
    str
        ``'loose'``: only MEG in a single sphere has a silent direction to leave out.

    Raises
    ------
    UnsupportedInverseError
        If it has: Brainstorm ends in an error.
    """
    all_meg = all(kind.strip().upper().startswith("MEG") for kind in channel_types)
    if all_meg and (meg_method or "").strip().lower() == "meg_sphere":
        raise UnsupportedInverseError(
            "SourceOrient 'truncated' with MEG in a single sphere (MEGMethod 'meg_sphere'): "
            "Brainstorm's inverse of 2009 ends in an error there. Choose fixed, loose or free."
        )
    return "loose"
