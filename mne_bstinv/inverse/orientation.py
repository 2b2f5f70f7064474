"""Orientation factors: from the three gain columns of a location to its components."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mne_bstinv._types import BoolArray, FloatArray
from mne_bstinv.errors import InverseError, UnsupportedInverseError

__all__ = ["local_frames", "stored_normals", "unit_normals", "untruncated"]


def unit_normals(grid_orient: FloatArray | None, n_sources: int) -> FloatArray:
    """Normalise the orientations (n_sources, 3), in the frame of the gain.

    Those that are absent, of another shape, zero or not finite are refused, by location.
    """
    normals, length = _normals_with_length(grid_orient, n_sources)
    _refuse_directionless(~(length > 0), n_sources)
    return normals / length[:, None]


def stored_normals(grid_orient: FloatArray | None, n_sources: int, orient: str) -> FloatArray:
    """Take the orientations (n_sources, 3) as they are stored, whatever their length.

    A fixed location without direction has no gain, as in Brainstorm; a loose one would have no
    tangential plane, and is refused, by location, like orientations that are absent, of another
    shape or not finite. They are in the frame of the gain.
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
    """Orthonormal frames (n, 3, 3) with columns [o, loose·t1, loose·t2] around unit normals (n, 3).

    ``loose`` is the amplitude of the tangential components relative to the normal one. The tangents
    are one deterministic choice of many: nothing that the inverse returns in the frame of the head
    model depends on it. Construction: Duff et al. (2017), "Building an orthonormal basis,
    revisited", *Journal of Computer Graphics Techniques* 6 (1).
    """
    x, y, z = normals.T
    sign = np.copysign(1.0, z)
    a = -1.0 / (sign + z)
    b = x * y * a
    t1 = np.stack([1.0 + sign * x * x * a, sign * b, -sign * x], axis=1)
    t2 = np.stack([b, sign + y * y * a, -y], axis=1)
    return np.stack([normals, loose * t1, loose * t2], axis=2)


def untruncated(meg_method: str | None, channel_types: Sequence[str]) -> str:
    """Orientation that the inverse of 2009 takes where truncated is asked for: ``'loose'``.

    Only MEG in a single sphere has a silent direction to leave out: it is refused, as Brainstorm
    ends in an error. ``meg_method`` is how the gain of the MEG channels was computed, the types are
    of the channels in use.
    """
    all_meg = all(kind.strip().upper().startswith("MEG") for kind in channel_types)
    if all_meg and (meg_method or "").strip().lower() == "meg_sphere":
        raise UnsupportedInverseError(
            "SourceOrient 'truncated' with MEG in a single sphere (MEGMethod 'meg_sphere'): "
            "Brainstorm's inverse of 2009 ends in an error there. Choose fixed, loose or free."
        )
    return "loose"
