"""Orientation: from the three gain columns of a location to its components."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mne_bstinv._data_types import upper_types
from mne_bstinv._display import few
from mne_bstinv._types import BoolArray, FloatArray
from mne_bstinv.errors import InverseError, UnsupportedInverseError
from mne_bstinv.inverse.depth import gain_power
from mne_bstinv.inverse.gain import Gain
from mne_bstinv.inverse.option_sets import OptionSet

__all__ = [
    "Orientation",
    "local_frames",
    "stored_normals",
    "take_out_first",
    "unit_normals",
    "untruncated",
]


@dataclass(frozen=True, kw_only=True, eq=False)
class Orientation:
    """What the three gain columns of a location become: components along the columns of a frame."""

    #: Orientation constraint: ``fixed``, ``loose`` or ``free``.
    orient: str
    #: F, (n_sources, 3, n_components): in columns, the normal (fixed) or [o, ℓ·t1, ℓ·t2] (loose),
    #: ℓ being the amplitude of the tangential components relative to the normal one; None (free).
    frames: FloatArray | None
    #: Prior standard deviation of the components of a location, (n_components,), relative to the
    #: first: 1 and twice ℓ.
    amplitudes: FloatArray
    #: Whether the normal's gain is taken out of the tangential ones (2009, loose only).
    decoupled: bool = False

    @classmethod
    def of(
        cls, grid_orient: FloatArray | None, orient: str, options: OptionSet, n_sources: int
    ) -> Orientation:
        """Make the frames from orientations (n_sources, 3), by the conventions of the year.

        Orientations (None: absent) are needed for fixed and loose. Normals or a loose value that
        are needed and absent are refused.
        """
        if orient == "free":
            return cls(orient=orient, frames=None, amplitudes=np.ones(3))
        if options.conventions.unit_normals:
            normals = unit_normals(grid_orient, n_sources)
        else:
            normals = stored_normals(grid_orient, n_sources, orient)
        if orient == "fixed":
            return cls(orient=orient, frames=normals[:, :, None], amplitudes=np.ones(1))
        tangential = options.tangential
        if tangential is None:
            raise InverseError(
                "Orientation 'loose' needs a Loose value between 0 and 1, found none. Give Loose."
            )
        frames = local_frames(unit_normals(grid_orient, n_sources), tangential)
        frames[:, :, 0] = normals
        return cls(
            orient=orient,
            frames=frames,
            amplitudes=np.array([1.0, tangential, tangential]),
            decoupled=options.conventions.tangents == "decoupled",
        )

    @property
    def n_components(self) -> int:
        """Components a location: 1 (fixed) or 3."""
        return len(self.amplitudes)

    def write_rows(self, gain: Gain, out: FloatArray) -> FloatArray:
        """Write the gain rows F' G' (n_rows, n_channels), location after location.

        Returns the power ‖g_i‖²_F (n_sources,) of the three columns of each location as they are:
        the gain is gone through once. One that is not finite is refused.
        """
        power, rows = np.empty(gain.n_sources), out.reshape(-1, self.n_components, out.shape[1])
        for locations, block in gain.blocks():
            power[locations] = gain_power(block)
            if not np.isfinite(power[locations]).all():
                raise _not_finite(gain)
            self._turn(block, locations, rows[locations])
        return power

    def _turn(self, block: FloatArray, locations: slice, out: FloatArray) -> None:
        if self.frames is None:
            out[...] = block
        elif self.n_components == 1:  # sums, in half of the time of products of so small matrices
            np.einsum("mk,mkn->mn", self.frames[locations, :, 0], block, out=out[:, 0])
        else:
            np.matmul(self.frames[locations].transpose(0, 2, 1), block, out=out)
            if self.decoupled:
                take_out_first(out)


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
        raise InverseError(
            f"GridOrient is zero or not finite at {bad.size} of {n_sources} locations "
            f"(1-based: {few(bad + 1)}): fixed and loose orientations need normals. Mend them, or "
            "choose free orientations."
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
    all_meg = all(kind.startswith("MEG") for kind in upper_types(channel_types))
    if all_meg and (meg_method or "").strip().lower() == "meg_sphere":
        raise UnsupportedInverseError(
            "SourceOrient 'truncated' with MEG in a single sphere (MEGMethod 'meg_sphere'): "
            "Brainstorm's inverse of 2009 ends in an error there. Choose fixed, loose or free."
        )
    return "loose"


def take_out_first(rows: FloatArray, operator: FloatArray | None = None) -> None:
    """Make the second and third row of each location orthogonal to its first, in place.

    Rows are (n_locations, 3, n_channels), of the normal and both tangents; they are orthogonal once
    an operator (n, n_channels) has met their channels, if there is one. Any basis of the tangential
    plane gives the same kernel, whose two tangential components have one variance: none needs to be
    singled out.
    """
    seen = rows if operator is None else rows @ operator.T
    first = seen[:, :1].transpose(0, 2, 1)
    size = np.matmul(seen[:, :1], first)
    along = np.matmul(seen[:, 1:], first)
    # a normal that no channel sees takes nothing out
    factor = np.divide(along, size, out=np.zeros_like(along), where=size > 0)
    rows[:, 1:] -= factor * rows[:, :1]


def _not_finite(gain: Gain) -> InverseError:
    rows = np.flatnonzero(~np.isfinite(gain.array.sum(axis=1)))
    return InverseError(
        f"The gain is not finite in {rows.size} channel(s) in use (1-based among them: "
        f"{few(rows + 1)}). "
        "Mark these channels bad, or compute the head model for them."
    )
