"""One head model as the inverse sees it: gain, orientation, depth; and its weighted rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.errors import InverseError
from mne_bstinv.inverse.depth import depth_weights, gain_power
from mne_bstinv.inverse.options import InverseOptions
from mne_bstinv.inverse.orientation import local_frames, unit_normals

__all__ = ["SourceModel"]

#: Locations worked on at a time: large enough for BLAS, small enough for the cache.
CHUNK = 512


@dataclass(frozen=True, kw_only=True, eq=False)
class SourceModel:
    """Gain of some locations with the orientation and depth factor Q of each.

    Parameters
    ----------
    gain : array, shape (n_channels, 3 * n_sources)
        Projected, referenced gain of the channels in use, unwhitened. Never copied.
    orient : 'fixed' | 'loose' | 'free'
        Orientation constraint.
    alpha : array, shape (n_sources,)
        Depth weights.
    frames : array, shape (n_sources, 3, n_components) | None
        In columns, the unit normal (fixed) or [o, loose·t1, loose·t2] (loose); None (free).
    """

    gain: FloatArray
    orient: str
    alpha: FloatArray
    frames: FloatArray | None

    @classmethod
    def build(
        cls,
        gain: FloatArray,
        grid_orient: FloatArray | None,
        orient: str,
        options: InverseOptions,
    ) -> SourceModel:
        """Prepare a head model for the inverse.

        Parameters
        ----------
        gain : array, shape (n_channels, 3 * n_sources)
            See the class.
        grid_orient : array, shape (n_sources, 3) | None
            Orientations, needed for fixed and loose.
        orient : 'fixed' | 'loose' | 'free'
            Orientation constraint.
        options : InverseOptions
            Depth and loose options.

        Returns
        -------
        SourceModel
            The model.

        Raises
        ------
        InverseError
            If the gain is not finite, or normals or the loose value are needed and absent.
        """
        power = gain_power(gain)
        if not np.isfinite(power).all():
            rows = np.flatnonzero(~np.isfinite(gain.sum(axis=1)))
            raise InverseError(
                f"The gain is not finite in {rows.size} channel(s) in use (1-based among them: "
                f"{', '.join(map(str, rows[:10] + 1))}{', …' if rows.size > 10 else ''}). "
                "Mark these channels bad, or compute the head model for them."
            )
        frames = None
        if orient != "free":
            normals = unit_normals(grid_orient, len(power))
            frames = normals[:, :, None]
        if orient == "loose":
            if options.loose is None:
                raise InverseError(
                    "Orientation 'loose' needs a Loose value between 0 and 1, found none. Give "
                    "Loose."
                )
            frames = local_frames(normals, options.loose)
        if options.depth_weighting:
            alpha = depth_weights(power, options.weight_exp, options.weight_limit)
        else:
            alpha = np.ones_like(power)
        return cls(gain=gain, orient=orient, alpha=alpha, frames=frames)

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
        """Split the locations into pieces that fit the cache.

        Yields
        ------
        locations, rows : slice
            A piece in locations and in kernel rows.
        """
        p = self.n_components
        for start in range(0, self.n_sources, CHUNK):
            stop = min(start + CHUNK, self.n_sources)
            yield slice(start, stop), slice(p * start, p * stop)

    def fill(self, out: FloatArray) -> None:
        """Write the weighted gain rows Q' G' of all locations.

        Parameters
        ----------
        out : array, shape (n_rows, n_channels)
            Where to; a location owns consecutive rows.
        """
        n_channels = len(self.gain)
        for locations, rows in self.chunks():
            columns = self.gain.T[3 * locations.start : 3 * locations.stop]
            block = np.ascontiguousarray(columns).reshape(-1, 3, n_channels)
            self._project(block, locations, out[rows].reshape(-1, self.n_components, n_channels))

    def _project(self, block: FloatArray, locations: slice, out: FloatArray) -> None:
        alpha = self.alpha[locations, None, None]
        if self.frames is None:
            np.multiply(block, alpha, out=out)
        else:
            np.matmul(self.frames[locations].transpose(0, 2, 1) * alpha, block, out=out)

    def restore_prior(self, block: FloatArray, locations: slice, out: FloatArray) -> None:
        """Multiply kernel rows by Q: α, and for loose back to x, y, z.

        Parameters
        ----------
        block : array, shape (n_locations, n_components, n_channels)
            Kernel rows of the locations.
        locations : slice
            Which locations.
        out : array, the same shape
            Where to.
        """
        alpha = self.alpha[locations, None, None]
        if self.orient == "loose" and self.frames is not None:
            np.matmul(self.frames[locations] * alpha, block, out=out)
        else:
            np.multiply(block, alpha, out=out)
