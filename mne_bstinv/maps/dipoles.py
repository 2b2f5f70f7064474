"""Dipole scanning: at each time the location that explains the recordings best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from mne_bstinv._display import Displayed
from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.errors import MapError, OptionError
from mne_bstinv.maps.arrays import as_map, samples_between

__all__ = ["DipoleScan", "scan_dipoles"]

#: Functions of results that can be scanned; those of beamformers are whitened by the data.
_FUNCTIONS = ("glsp", "gls_p", "lcmvp")
_BEAMFORMERS = ("lcmvp",)


class ScannedLike(Protocol):
    """What is needed of results, such as :class:`mne_bstinv.io.Results`."""

    @property
    def imaging_kernel(self) -> FloatArray | None:
        """(n_rows, n_good)."""

    @property
    def amplitudes(self) -> FloatArray | None:
        """(n_rows, n_times), where there is no kernel."""

    @property
    def whitener(self) -> FloatArray | None:
        """(n_good, n_good)."""

    @property
    def data_whitener(self) -> FloatArray | None:
        """(n_good, n_good), of a beamformer."""

    @property
    def source_decomp_sa(self) -> FloatArray | None:
        """(p, n_locations)."""

    @property
    def source_decomp_va(self) -> FloatArray | None:
        """(p, p * n_locations)."""

    @property
    def n_components(self) -> int | None:
        """1 or 3."""

    @property
    def function(self) -> str | None:
        """Name of the measure."""

    @property
    def data_file(self) -> str | None:
        """The recordings; None for a shared kernel."""

    @property
    def good_channel(self) -> IntArray | None:
        """1-based channels of the kernel's columns."""

    @property
    def effective_averages(self) -> float:
        """Effective number of averages."""


class SamplesLike(Protocol):
    """What is needed of recordings, such as :class:`mne_bstinv.io.Recordings`."""

    @property
    def f(self) -> FloatArray | None:
        """(n_channels, n_times), T, T/m or V."""

    @property
    def time(self) -> FloatArray | None:
        """(n_times,), s."""

    @property
    def effective_averages(self) -> float:
        """Effective number of averages."""


class GridLike(Protocol):
    """What is needed of a head model, such as :class:`mne_bstinv.io.HeadModel`."""

    @property
    def grid_loc(self) -> FloatArray:
        """(n_locations, 3), m, SCS."""

    @property
    def grid_orient(self) -> FloatArray | None:
        """(n_locations, 3), unit normals, SCS."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DipoleScan(Displayed):
    """One dipole a time: where the map is largest, and how well it explains the recordings."""

    #: (n_times,), s.
    times: FloatArray
    #: 0-based location of each dipole (n_times,).
    locations: IntArray
    #: Positions (n_times, 3), m, SCS.
    positions: FloatArray
    #: Moments (n_times, 3), A·m, SCS.
    amplitudes: FloatArray
    #: Value of the map there (n_times,).
    performance: FloatArray
    #: Part of the whitened power of the recordings that the dipole explains (n_times,).
    goodness: FloatArray
    #: Whitened power that is left (n_times,).
    khi2: FloatArray
    #: Degrees of freedom of what is left.
    dof: int

    def _summary(self) -> str:
        best = int(np.argmax(self.goodness))
        return (
            f"{len(self.times)} times, best goodness of fit {100 * self.goodness[best]:.1f} % at "
            f"{self.times[best]:.3f} s"
        )


def scan_dipoles(
    results: ScannedLike,
    recordings: SamplesLike,
    head_model: GridLike,
    *,
    window: Sequence[float | None] | None = None,
    vertices: ArrayLike | None = None,
) -> DipoleScan:
    """Take at each time the dipole where a map of performance is largest.

    Parameters
    ----------
    results : Results
        A kernel of ``glsp`` or ``lcmvp`` with one or three components, with its whitener and the
        decomposition of the gain.
    recordings : Recordings
        The recordings.
    head_model : HeadModel
        Positions, and for one component the normals of the locations.
    window : tuple of float | None
        First and last time in s (the nearest samples, both included); None for all samples.
    vertices : array of int | None
        1-based locations to choose from, such as the vertices of scouts one after the other; None
        for all.

    Returns
    -------
    DipoleScan
        Positions, moments, goodness of fit; one dipole a sample.

    Raises
    ------
    MapError
        If the arrays do not fit, or the results lack what the scan needs.
    OptionError
        If the results are of another function or of a mixed model.

    Notes
    -----
    With the map p = kernel · data (of three components its norm), f = √(Leff of the recordings /
    Leff of the results), 1 for a shared kernel, and w² the sum of squares of f · whitener · data:
    goodness p²/w², χ² = w² − p², degrees of freedom channels − components. The singular values S
    and right vectors V of the whitened gain of the location give the moment: fixed
    n · p / (S f); free q (m'p₃) / (m'm) with q = V S p₃, normalised, and m = f S V'q
    (Mosher, Baillet and Leahy, 2003; specification). Of one component the largest *signed* value
    counts; of equal values the first.
    """
    n = results.n_components
    if (results.function or "").lower() not in _FUNCTIONS or n not in (1, 3):
        raise OptionError(
            f"Dipoles are scanned in results of {', '.join(_FUNCTIONS)} with 1 or 3 components, "
            f"found the function {results.function!r} with {n}."
        )
    data = _good_data(results, recordings)
    samples = samples_between(recordings.time, window, data.shape[1], "window")
    rows = _rows(results, data)[:, samples]
    factor = _factor(results, recordings)
    parts = rows.reshape(-1, n, rows.shape[1])
    n_locations = len(parts)
    if len(head_model.grid_loc) != n_locations:
        raise MapError(
            f"The results have {n_locations} locations, the head model {len(head_model.grid_loc)}."
        )
    map_ = parts[:, 0] if n == 1 else np.sqrt((parts**2).sum(axis=1))
    chosen = _largest(map_, _candidates(vertices, n_locations))
    at = np.arange(rows.shape[1])
    performance = map_[chosen, at]
    whitened = factor * (_whitener(results) @ data[:, samples])
    power = (whitened**2).sum(axis=0)
    amplitude = _fixed_moments if n == 1 else _free_moments
    with np.errstate(divide="ignore", invalid="ignore"):
        return DipoleScan(
            times=_times(recordings, data.shape[1])[samples],
            locations=chosen,
            positions=np.asarray(head_model.grid_loc, dtype=np.float64)[chosen],
            amplitudes=amplitude(results, head_model, parts[chosen, :, at], chosen, factor),
            performance=performance,
            goodness=performance**2 / power,
            khi2=power - performance**2,
            dof=data.shape[0] - n,
        )


def _good_data(results: ScannedLike, recordings: SamplesLike) -> FloatArray:
    """Return the recordings of the kernel's channels (n_good, n_times)."""
    if recordings.f is None:
        raise MapError("The recordings are a link to a continuous file: import them first.")
    data = as_map(recordings.f, "recordings")
    good = results.good_channel
    if good is None or len(good) == 0 or int(np.max(good)) > len(data) or int(np.min(good)) < 1:
        raise MapError(
            f"GoodChannel of the results must name channels of the recordings (1 to {len(data)})."
        )
    return data[np.asarray(good, dtype=np.int64) - 1]


def _rows(results: ScannedLike, data: FloatArray) -> FloatArray:
    if results.imaging_kernel is not None:
        kernel = as_map(results.imaging_kernel, "ImagingKernel")
        if kernel.shape[1] != len(data):
            raise MapError(
                f"The kernel has {kernel.shape[1]} columns, GoodChannel {len(data)} channels."
            )
        return kernel @ data
    rows = results.amplitudes
    if rows is None or rows.shape[1] != data.shape[1]:
        raise MapError("The results have no kernel, and no estimates at the recordings' times.")
    return as_map(rows, "ImageGridAmp")


def _times(recordings: SamplesLike, n_times: int) -> FloatArray:
    if recordings.time is None or len(recordings.time) != n_times:
        raise MapError(f"The recordings have no Time of {n_times} samples.")
    return np.asarray(recordings.time, dtype=np.float64)


def _factor(results: ScannedLike, recordings: SamplesLike) -> float:
    """√ of the ratio of averages; a shared kernel is of any recordings: 1."""
    if results.data_file is None:
        return 1.0
    averages = recordings.effective_averages, results.effective_averages
    if not all(np.isfinite(n) and n > 0 for n in averages):
        raise MapError(
            f"Leff must be positive, found {averages[0]} in the recordings and {averages[1]} in "
            "the results."
        )
    return float(np.sqrt(averages[0] / averages[1]))


def _whitener(results: ScannedLike) -> FloatArray:
    beamformer = (results.function or "").lower() in _BEAMFORMERS
    whitener = results.data_whitener if beamformer else results.whitener
    if whitener is None:
        raise MapError(f"The results lack {'DataWhitener' if beamformer else 'Whitener'}.")
    return as_map(whitener, "whitener")


def _candidates(vertices: ArrayLike | None, n_locations: int) -> IntArray:
    if vertices is None:
        return np.arange(n_locations)
    chosen = np.asarray(vertices).reshape(-1).astype(np.int64) - 1
    if len(chosen) == 0 or chosen.min() < 0 or chosen.max() >= n_locations:
        raise MapError(f"vertices must name locations from 1 to {n_locations}, at least one.")
    return chosen


def _largest(map_: FloatArray, candidates: IntArray) -> IntArray:
    """Return the candidate with the largest value at each time; a NaN is never the largest."""
    inside = np.where(np.isnan(map_[candidates]), -np.inf, map_[candidates])
    return candidates[np.argmax(inside, axis=0)]


def _decomposition(results: ScannedLike, p: int, n_locations: int) -> tuple[FloatArray, FloatArray]:
    """Return S (n_locations, p) and V (n_locations, p, p), columns the right vectors."""
    sa, va = results.source_decomp_sa, results.source_decomp_va
    if sa is None or va is None or sa.shape != (p, n_locations) or va.shape[1] != p * n_locations:
        raise MapError(
            f"The results need SourceDecompSa ({p}, {n_locations}) and SourceDecompVa "
            f"({p}, {p * n_locations})."
        )
    vectors = np.asarray(va, dtype=np.float64).reshape(p, n_locations, p).transpose(1, 0, 2)
    return np.asarray(sa, dtype=np.float64).T, vectors


def _fixed_moments(
    results: ScannedLike, head_model: GridLike, values: FloatArray, chosen: IntArray, f: float
) -> FloatArray:
    """Moments n · p / (S f), (n_times, 3)."""
    if head_model.grid_orient is None:
        raise MapError("The head model has no GridOrient: fixed dipoles need the normals.")
    singular, _ = _decomposition(results, 1, len(head_model.grid_loc))
    normals = np.asarray(head_model.grid_orient, dtype=np.float64)
    return normals[chosen] * values / (singular[chosen] * f)


def _free_moments(
    results: ScannedLike, head_model: GridLike, values: FloatArray, chosen: IntArray, f: float
) -> FloatArray:
    """Moments q (m'p) / (m'm), (n_times, 3)."""
    singular, vectors = _decomposition(results, 3, len(head_model.grid_loc))
    s, v = singular[chosen], vectors[chosen]
    q = np.einsum("tij,tj->ti", v, s * values)
    q = q / np.linalg.norm(q, axis=1, keepdims=True)
    m = f * s * np.einsum("tij,ti->tj", v, q)
    return q * ((m * values).sum(axis=1) / (m * m).sum(axis=1))[:, np.newaxis]
