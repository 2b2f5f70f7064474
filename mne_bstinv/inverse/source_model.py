"""One head model as the inverse sees it: gain, orientation, depth; and its weighted rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.errors import InverseError
from mne_bstinv.inverse.depth import gain_power, weights_of_models
from mne_bstinv.inverse.option_sets import OptionSet
from mne_bstinv.inverse.orientation import local_frames, stored_normals, unit_normals

__all__ = ["SourceModel", "take_out_first"]

#: Locations worked on at a time: large enough for BLAS, small enough for the cache.
CHUNK = 512


@dataclass(frozen=True, kw_only=True, eq=False)
class SourceModel:
    """Gain of some locations with the orientation and depth factor Q of each."""

    #: Projected, referenced gain of the channels in use, (n_channels, 3 n_sources), unwhitened.
    #: Never copied.
    gain: FloatArray
    #: Orientation constraint: ``fixed``, ``loose`` or ``free``.
    orient: str
    #: Depth weights, (n_sources,).
    alpha: FloatArray
    #: (n_sources, 3, n_components): in columns, the normal (fixed) or [o, ℓ·t1, ℓ·t2] (loose), ℓ
    #: being the amplitude of the tangential components relative to the normal one; None (free).
    frames: FloatArray | None
    #: Prior standard deviation of the components of a location, (n_components,), relative to the
    #: first: 1 and twice ℓ.
    amplitudes: FloatArray
    #: Whether the normal's gain is taken out of the tangential ones (2009, loose only).
    decoupled: bool = False

    @classmethod
    def build(
        cls,
        gain: FloatArray,
        grid_orient: FloatArray | None,
        orient: str,
        options: OptionSet,
    ) -> SourceModel:
        """Prepare the only head model for the inverse, from gain and orientations (n_sources, 3).

        Orientations (None: absent) are needed for fixed and loose. A gain that is not finite, and
        normals or a loose value that are needed and absent, are refused.
        """
        return cls.build_all([(gain, grid_orient, orient)], options)[0]

    @classmethod
    def build_all(
        cls, models: Sequence[tuple[FloatArray, FloatArray | None, str]], options: OptionSet
    ) -> list[SourceModel]:
        """Prepare several head models, whose depth weights may depend on each other.

        Of each its gain, orientations and orientation constraint, see :meth:`build`.
        """
        powers = [_finite_power(gain) for gain, _, _ in models]
        alphas = [np.ones_like(power) for power in powers]
        if options.depth_weighting:
            rule = options.conventions.depth
            alphas = weights_of_models(powers, options.weight_exp, options.weight_limit, rule)
        built = []
        for (gain, normals, orient), alpha in zip(models, alphas, strict=True):
            frames, amplitudes = _orientation(normals, orient, options, alpha.size)
            built.append(
                cls(
                    gain=gain,
                    orient=orient,
                    alpha=alpha,
                    frames=frames,
                    amplitudes=amplitudes,
                    decoupled=orient == "loose" and options.conventions.tangents == "decoupled",
                )
            )
        return built

    @property
    def n_sources(self) -> int:
        """Number of locations."""
        return len(self.alpha)

    @property
    def n_components(self) -> int:
        """Components a location: 1 (fixed) or 3."""
        return 1 if self.orient == "fixed" else 3

    @property
    def n_rows(self) -> int:
        """Kernel rows: components times locations."""
        return self.n_components * self.n_sources

    def chunks(self) -> Iterator[tuple[slice, slice]]:
        """Split into pieces that fit the cache: slices of the locations and of the kernel rows."""
        p = self.n_components
        for start in range(0, self.n_sources, CHUNK):
            stop = min(start + CHUNK, self.n_sources)
            yield slice(start, stop), slice(p * start, p * stop)

    def fill(self, out: FloatArray) -> None:
        """Write the gain rows Q' G' (n_rows, n_channels); a location owns consecutive rows."""
        n_channels = len(self.gain)
        for locations, rows in self.chunks():
            columns = self.gain.T[3 * locations.start : 3 * locations.stop]
            block = np.ascontiguousarray(columns).reshape(-1, 3, n_channels)
            self._project(block, locations, out[rows].reshape(-1, self.n_components, n_channels))

    def _project(self, block: FloatArray, locations: slice, out: FloatArray) -> None:
        alpha = self.alpha[locations, None, None]
        if self.frames is None:
            np.multiply(block, alpha, out=out)
        elif self.n_components == 1:  # sums, in half of the time of products of so small matrices
            weights = (self.frames[locations] * alpha)[:, :, 0]
            np.einsum("mk,mkn->mn", weights, block, out=out[:, 0])
        else:
            np.matmul(self.frames[locations].transpose(0, 2, 1) * alpha, block, out=out)
            if self.decoupled:
                take_out_first(out)

    def restore_prior(
        self, block: FloatArray, locations: slice, out: FloatArray, *, depth: bool = True
    ) -> None:
        """Multiply kernel rows by Q: α (unless not ``depth``), and for loose back to x, y, z.

        Rows of the locations and ``out`` are (n_locations, n_components, n_channels); ``out`` may
        be the rows themselves only where nothing but the depth is restored.
        """
        alpha = self.alpha[locations, None, None] if depth else 1.0
        if self.orient == "loose" and self.frames is not None:
            np.matmul(self.frames[locations] * alpha, block, out=out)
        else:
            np.multiply(block, alpha, out=out)


def _finite_power(gain: FloatArray) -> FloatArray:
    """Return ‖g_i‖²_F of each location, (n_sources,), refusing a gain that is not finite."""
    power = gain_power(gain)
    if not np.isfinite(power).all():
        rows = np.flatnonzero(~np.isfinite(gain.sum(axis=1)))
        raise InverseError(
            f"The gain is not finite in {rows.size} channel(s) in use (1-based among them: "
            f"{', '.join(map(str, rows[:10] + 1))}{', …' if rows.size > 10 else ''}). "
            "Mark these channels bad, or compute the head model for them."
        )
    return power


def _orientation(
    grid_orient: FloatArray | None, orient: str, options: OptionSet, n_sources: int
) -> tuple[FloatArray | None, FloatArray]:
    """Return frames (n_sources, 3, p) and amplitudes (p,) by the conventions of the year."""
    conventions = options.conventions
    if orient == "free":
        return None, np.ones(3)
    if conventions.unit_normals:
        normals = unit_normals(grid_orient, n_sources)
    else:
        normals = stored_normals(grid_orient, n_sources, orient)
    if orient == "fixed":
        return normals[:, :, None], np.ones(1)
    tangential = options.tangential
    if tangential is None:
        raise InverseError(
            "Orientation 'loose' needs a Loose value between 0 and 1, found none. Give Loose."
        )
    frames = local_frames(unit_normals(grid_orient, n_sources), tangential)
    frames[:, :, 0] = normals
    return frames, np.array([1.0, tangential, tangential])


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
