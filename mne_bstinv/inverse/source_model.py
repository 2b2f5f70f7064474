"""The source models of an inverse: orientation and depth, and the gain weighted by them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np

from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.inverse.depth import weights_of_models
from mne_bstinv.inverse.gain import Gain
from mne_bstinv.inverse.option_sets import OptionSet
from mne_bstinv.inverse.orientation import Orientation

__all__ = ["CHUNK", "Region", "SourceModel", "weighted_rows"]

#: Locations worked on at a time: large enough for BLAS, small enough for the cache.
CHUNK = 512


@dataclass(frozen=True, kw_only=True, eq=False)
class Region:
    """Locations that share one orientation constraint."""

    #: Projected, referenced gain of the channels in use, (n_channels, 3 n_sources).
    gain: Gain
    #: Orientations, (n_sources, 3); not needed (None) for free.
    grid_orient: FloatArray | None
    #: Orientation constraint: ``fixed``, ``loose`` or ``free``.
    orient: str
    #: 0-based locations of the head model, (n_sources,).
    locations: IntArray
    name: str = ""


@dataclass(frozen=True, eq=False)
class SourceModel:
    """The factor Q of the locations of a region: the frame of each, times its depth weight."""

    orientation: Orientation
    #: Depth weights, (n_sources,).
    alpha: FloatArray
    #: Its rows of q = Q' G' and of the kernel; a location owns consecutive ones.
    rows: slice

    @property
    def n_sources(self) -> int:
        """Number of locations."""
        return len(self.alpha)

    @property
    def n_components(self) -> int:
        """Components a location: 1 (fixed) or 3."""
        return self.orientation.n_components

    def chunks(self) -> Iterator[tuple[slice, slice]]:
        """Split into pieces that fit the cache: slices of the locations and of their own rows."""
        p = self.n_components
        for start in range(0, self.n_sources, CHUNK):
            stop = min(start + CHUNK, self.n_sources)
            yield slice(start, stop), slice(p * start, p * stop)

    def restore_prior(
        self, block: FloatArray, locations: slice, out: FloatArray, *, depth: bool = True
    ) -> None:
        """Multiply kernel rows by Q: α (unless not ``depth``), and for loose back to x, y, z.

        Rows of the locations and ``out`` are (n_locations, n_components, n_channels); ``out`` may
        be the rows themselves only where nothing but the depth is restored.
        """
        alpha = self.alpha[locations, None, None] if depth else 1.0
        frames = self.orientation.frames
        if self.orientation.orient == "loose" and frames is not None:
            np.matmul(frames[locations] * alpha, block, out=out)
        else:
            np.multiply(block, alpha, out=out)


def weighted_rows(
    regions: Sequence[Region], options: OptionSet
) -> tuple[FloatArray, list[SourceModel]]:
    """Write the weighted gain rows q = Q' G' (n_rows, n_channels), region after region.

    Q_i = α_i F_i: first along the frames F of the orientations; that pass finds the power of each
    location, on which the depth weights α of all regions depend. Refuses what
    :class:`~mne_bstinv.inverse.orientation.Orientation` does.
    """
    gains = [r.gain for r in regions]
    frames = [Orientation.of(r.grid_orient, r.orient, options, r.gain.n_sources) for r in regions]
    sizes = [of.n_components * g.n_sources for of, g in zip(frames, gains, strict=True)]
    rows = [slice(*ends) for ends in pairwise([0, *accumulate(sizes)])]
    q = np.empty((sum(sizes), gains[0].n_channels))
    powers = [of.write_rows(g, q[own]) for of, g, own in zip(frames, gains, rows, strict=True)]
    alphas = weights_of_models(powers, options)
    models = list(map(SourceModel, frames, alphas, rows))
    for model in models:
        q[model.rows] *= np.repeat(model.alpha, model.n_components)[:, None]
    return q, models
