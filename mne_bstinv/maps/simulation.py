"""Recordings simulated from time courses in scouts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from mne_bstinv._display import Displayed
from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.errors import MapError
from mne_bstinv.maps.arrays import as_map, choice
from mne_bstinv.maps.scout_rows import Scouts, scout_rows

__all__ = ["SIGNAL_UNITS", "Simulation", "simulate_recordings"]

#: Factor from the unit of a signal to A·m. The name ``pam`` stands for 1e-9, as in Brainstorm: what
#: its panel calls pAm are nAm.
SIGNAL_UNITS = {"pam": 1e-9, "am": 1.0, "other": 1.0}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Simulation(Displayed):
    """Simulated sources, and the recordings that they make."""

    #: (n_channels, n_times), T, T/m or V; 0 in channels that were not asked for.
    recordings: FloatArray
    #: (n_locations, n_times) along the normals, or (3 n_locations, n_times), A·m.
    sources: FloatArray
    #: Rows a location: 1 or 3.
    n_components: int

    def _summary(self) -> str:
        channels, times = self.recordings.shape
        return f"{channels} channels × {times} times, {self.n_components} components"


def simulate_recordings(
    signals: ArrayLike,
    scouts: Scouts,
    gain: ArrayLike,
    grid_orient: ArrayLike | None = None,
    *,
    channels: ArrayLike | None = None,
    units: Literal["pam", "am", "other"] = "pam",
) -> Simulation:
    """Compute the recordings of sources that follow given signals.

    Parameters
    ----------
    signals : array, shape (n_scouts, n_times) or (3 * n_scouts, n_times)
        A time course a scout, along the normals; or x, y and z of each.
    scouts : sequence of Scout | mapping of str to array
        The scouts, in the order of the signals; see
        :func:`~mne_bstinv.scout_time_series`. A signal goes to all vertices of its scout; of
        a vertex in several the last counts.
    gain : array, shape (n_channels, 3 * n_locations)
        Gain of the head model, in T, T/m or V per A·m.
    grid_orient : array, shape (n_locations, 3) | None
        Normals of the locations; needed for one signal a scout.
    channels : array of int | None
        1-based channels to simulate, those of the modalities of the head model; None for those
        whose gain is finite.
    units : 'pam' | 'am' | 'other'
        Unit of the signals, by Brainstorm's name: 1e-9 A·m for ``'pam'`` (the panel says pAm), or
        A·m.

    Returns
    -------
    Simulation
        Recordings and sources, without noise.

    Raises
    ------
    MapError
        If the arrays do not fit each other, or a scout has no vertices that the gain has.
    OptionError
        If the unit is unknown.

    Notes
    -----
    Recordings = gain · sources, with one component gain · normals (specification).
    """
    courses = as_map(signals, "signals") * SIGNAL_UNITS[choice(units, tuple(SIGNAL_UNITS), "units")]
    matrix = as_map(gain, "gain")
    n_locations, rest = divmod(matrix.shape[1], 3)
    if rest:
        raise MapError(f"gain must have three columns a location, found {matrix.shape[1]}.")
    found = scout_rows(scouts, n_locations)
    n_components, rest = divmod(len(courses), len(found)) if found else (0, 1)
    if rest or n_components not in (1, 3):
        raise MapError(
            f"{len(courses)} signals do not fit {len(found)} scouts: expected one or three each."
        )
    sources = np.zeros((n_locations, n_components, courses.shape[1]))
    for scout, course in zip(found, courses.reshape(len(found), n_components, -1), strict=True):
        sources[scout.vertices] = course
    rows = sources.reshape(n_locations * n_components, -1)
    lead = matrix if n_components == 3 else _along_normals(matrix, grid_orient)
    recordings = np.zeros((len(matrix), courses.shape[1]))
    used = _channels(channels, matrix)
    recordings[used] = lead[used] @ rows
    return Simulation(recordings=recordings, sources=rows, n_components=n_components)


def _along_normals(gain: FloatArray, grid_orient: ArrayLike | None) -> FloatArray:
    """Return the gain of sources along the normals, (n_channels, n_locations)."""
    n_locations = gain.shape[1] // 3
    if grid_orient is None:
        raise MapError("One signal a scout needs the normals of the locations (grid_orient).")
    normals = as_map(grid_orient, "grid_orient")
    if normals.shape != (n_locations, 3):
        raise MapError(f"grid_orient must be ({n_locations}, 3), found {normals.shape}.")
    return np.einsum("clk,lk->cl", gain.reshape(len(gain), n_locations, 3), normals)


def _channels(channels: ArrayLike | None, gain: FloatArray) -> IntArray:
    if channels is None:
        return np.flatnonzero(np.isfinite(gain).all(axis=1))
    chosen = np.asarray(channels).reshape(-1).astype(np.int64) - 1
    if len(chosen) and (chosen.min() < 0 or chosen.max() >= len(gain)):
        raise MapError(f"channels must be from 1 to {len(gain)}.")
    return chosen
