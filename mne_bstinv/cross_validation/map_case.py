"""One estimate on a cortex, as Brainstorm's functions of maps and as MNE's take it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from mne_bstinv import io
from mne_bstinv._types import FloatArray
from mne_bstinv.adapters.maps import CortexMap, cortex_map
from mne_bstinv.errors import ConversionError, OptionError
from mne_bstinv.maps import flatten_sources, scout_time_series
from mne_bstinv.maps.scout_functions import is_undecided
from mne_bstinv.studies.normals import surface_normals

__all__ = ["MapCase", "chosen_scouts", "map_case", "scouts_of", "turned_to"]

#: Times that standard deviations and covariances need.
_FEWEST = 4


@dataclass(frozen=True, kw_only=True, eq=False)
class MapCase:
    """One estimate, as both sides take it."""

    cortex: io.Surface
    times: FloatArray
    values: FloatArray
    free: FloatArray | None
    #: First and last time of the baseline, s.
    window: tuple[float, float]
    scouts: tuple[io.Scout, ...]
    target: io.Surface | None

    @cached_property
    def norms(self) -> FloatArray:
        """A map that is not negative."""
        if self.free is None:
            return np.abs(self.values)
        return np.asarray(flatten_sources(self.free, 3))

    @cached_property
    def centred(self) -> FloatArray:
        """The map without its mean over time."""
        return self.values - self.values.mean(axis=1, keepdims=True)

    @cached_property
    def mne_values(self) -> CortexMap:
        """The map as MNE holds it."""
        return self._map(self.values)

    @cached_property
    def mne_norms(self) -> CortexMap:
        """The norms as MNE holds it."""
        return self._map(self.norms)

    @cached_property
    def mne_centred(self) -> CortexMap:
        """The centred map as MNE holds it."""
        return self._map(self.centred)

    @cached_property
    def mne_free(self) -> CortexMap:
        """The map of three components as MNE holds it."""
        assert self.free is not None
        return self._map(self.free, 3)

    @cached_property
    def mne_window(self) -> tuple[float, float]:
        """The baseline, wide enough that rounding leaves no sample out."""
        margin = (self.times[1] - self.times[0]) / 4
        first, last = (self.times[np.abs(self.times - t).argmin()] for t in self.window)
        return float(first - margin), float(last + margin)

    def _map(self, values: FloatArray, n_components: int = 1) -> CortexMap:
        return cortex_map(
            values,
            self.times,
            self.cortex,
            n_components=n_components,
            scouts=self.scouts,
            subject="source",
        )


def map_case(
    cortex: io.Surface,
    times: FloatArray,
    values: FloatArray,
    *,
    free: FloatArray | None = None,
    baseline: tuple[float, float] | None = None,
    scouts: Sequence[io.Scout] | None = None,
    target: io.Surface | None = None,
) -> MapCase:
    """Check what is to be measured; arguments as of ``map_parity_table``."""
    times, values = (np.asarray(array, dtype=np.float64) for array in (times, values))
    n = len(cortex.vertices)
    for array, name, n_components in ((values, "values", 1), (free, "free", 3)):
        if array is not None and (array.ndim != 2 or len(array) != n_components * n):
            raise ConversionError(
                f"{name} has the shape {array.shape}, expected {n_components} row(s) for each of "
                f"the {n} vertices of the cortex."
            )
        if array is not None and array.shape[1] != len(times):
            raise OptionError(
                f"{len(times)} times do not fit {array.shape[1]} samples of {name}. Give one time "
                "for each."
            )
    if len(times) < _FEWEST:
        raise OptionError(f"{len(times)} time(s) found, at least {_FEWEST} expected. Give more.")
    return MapCase(
        cortex=cortex,
        times=times,
        values=values,
        free=None if free is None else np.asarray(free, dtype=np.float64),
        window=baseline or (float(times[0]), float(times[len(times) // 2])),
        scouts=tuple(scouts or chosen_scouts(cortex)),
        target=target,
    )


def chosen_scouts(cortex: io.Surface) -> tuple[io.Scout, ...]:
    """Return the scouts with vertices of the current atlas, or of the first that has some."""
    current = cortex.atlas[cortex.i_atlas - 1 : cortex.i_atlas] if cortex.i_atlas else ()
    for atlas in (*current, *cortex.atlas):
        scouts = tuple(s for s in atlas.scouts if s.vertices is not None and len(s.vertices))
        if scouts and atlas.n_grid is None:
            return scouts
    raise OptionError(f"No atlas of the cortex {cortex.comment!r} has scouts.")


def scouts_of(
    values: FloatArray, cortex: io.Surface, scouts: Sequence[io.Scout], name: str, **options: Any
) -> FloatArray:
    """Return the time series of scouts by a function of Brainstorm, (n_series, n_times)."""
    made = scout_time_series(
        values, scouts, function=name, normals=surface_normals(cortex), **options
    )
    return np.asarray(made)


def turned_to(
    ours: FloatArray, theirs: FloatArray, cortex: io.Surface, scouts: Sequence[io.Scout]
) -> FloatArray:
    """Turn series (n_scouts, n_times) whose sign the normals leave open to Brainstorm's."""
    if len(theirs) != len(scouts):
        return theirs
    normals = surface_normals(cortex)
    signs = np.ones(len(theirs))
    for i, scout in enumerate(scouts):
        opposite = np.vdot(ours[i], theirs[i]) < 0
        if opposite and is_undecided(normals[np.unique(np.asarray(scout.vertices)) - 1]):
            signs[i] = -1
    return signs[:, np.newaxis] * theirs
