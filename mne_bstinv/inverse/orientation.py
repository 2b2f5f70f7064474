"""Orientation factors: from the three gain columns of a location to its components."""

from __future__ import annotations

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.errors import InverseError

__all__ = ["local_frames", "unit_normals"]


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
    if grid_orient is None or np.size(grid_orient) == 0:
        raise InverseError(
            "GridOrient is empty: fixed and loose orientations need normals. Give them, or choose "
            "free orientations."
        )
    normals = np.asarray(grid_orient, dtype=np.float64)
    if normals.shape != (n_sources, 3):
        raise InverseError(f"GridOrient has shape {normals.shape}, expected ({n_sources}, 3).")
    length = np.linalg.norm(normals, axis=1)
    bad = np.flatnonzero(~((length > 0) & np.isfinite(length)))
    if bad.size:
        shown = ", ".join(map(str, bad[:10] + 1)) + (", …" if bad.size > 10 else "")
        raise InverseError(
            f"GridOrient is zero or not finite at {bad.size} of {n_sources} locations "
            f"(1-based: {shown}): fixed and loose orientations need normals. Mend them, or choose "
            "free orientations."
        )
    return normals / length[:, None]


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
