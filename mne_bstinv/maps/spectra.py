"""Power spectra: Welch's method, and one window of all samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mne_bstinv._display import Displayed
from mne_bstinv._types import FloatArray
from mne_bstinv.errors import MapError, OptionError
from mne_bstinv.maps.arrays import as_map, choice, positive
from mne_bstinv.maps.timefreq import measured

__all__ = ["Spectrum", "fft_spectrum", "psd_welch"]

#: Samples that a window must have.
_SHORTEST = 50


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Spectrum(Displayed):
    """A power spectrum (n_rows, n_freqs), its frequencies, and the windows it is the mean of."""

    #: (n_rows, n_freqs): the unit of the values squared, per Hz.
    power: FloatArray
    #: (n_freqs,), Hz; from 0 to 0.5 for ``units='normalized'``.
    freqs: FloatArray
    #: Windows that were averaged.
    n_windows: int

    def _summary(self) -> str:
        rows, freqs = self.power.shape
        return f"{rows} rows, {freqs} frequencies, {self.n_windows} windows"


def psd_welch(
    values: ArrayLike,
    sfreq: float,
    win_length: float,
    overlap: float = 50.0,
    *,
    kernel: ArrayLike | None = None,
    n_components: int = 1,
    bad_segments: Sequence[tuple[float, float]] = (),
    first_time: float = 0.0,
    units: Literal["physical", "normalized"] = "physical",
) -> Spectrum:
    """Estimate the power spectral density by Welch's method, in Brainstorm's convention.

    Parameters
    ----------
    values : array, shape (n_rows, n_times)
        Recordings, or estimates.
    sfreq : float
        Sampling rate in Hz.
    win_length : float
        Length of a window in s.
    overlap : float
        Overlap of the windows in per cent.
    kernel : array, shape (n_sources, n_rows) | None
        A kernel to apply to the spectra of the recordings.
    n_components : int
        Rows a location of the kernel (or of the values): powers are added up.
    bad_segments : sequence of tuple of float
        First and last time of segments in s; windows that touch one are left out.
    first_time : float
        Time of the first sample in s.
    units : 'physical' | 'normalized'
        Per Hz; or per sample, over frequencies from 0 to 0.5.

    Returns
    -------
    Spectrum
        The density: unit of the values squared, per Hz.

    Raises
    ------
    MapError
        If the arrays do not fit, or there are fewer than 50 samples a window.
    OptionError
        If an option is out of range.

    Notes
    -----
    Windows have round(win_length · sfreq) samples, one less if that is odd. Of each window the
    mean is removed, then a symmetric Hamming window w applied; the coefficients of the
    frequencies from 0 to sfreq / 2 are multiplied by √(2 / (sfreq Σ w²)), the first and the last
    by another 1/√2, and their squares averaged (Welch, 1967; specification).
    """
    array = as_map(values)
    rate = float(positive([sfreq], "sfreq")[0])
    length = _round(float(positive([win_length], "win_length")[0]) * rate)
    if not 0 <= overlap < 100:
        raise OptionError(f"overlap must be from 0 to less than 100 %, found {overlap!r}.")
    length = min(length, array.shape[1])
    length -= length % 2
    hop = max(length - _round(length * overlap / 100), 1)
    starts = range(0, array.shape[1] - length + 1, hop)
    good = [
        start
        for start in starts
        if not _touches(start, start + length - 1, rate, first_time, bad_segments)
    ]
    if not good:
        raise MapError("No window is left: all touch a bad segment.")
    return _spectrum(array, rate, length, good, kernel, n_components, units)


def fft_spectrum(
    values: ArrayLike,
    sfreq: float,
    *,
    kernel: ArrayLike | None = None,
    n_components: int = 1,
    units: Literal["physical", "normalized"] = "physical",
) -> Spectrum:
    """Compute the power spectrum of all samples in one window (Brainstorm's process FFT).

    Parameters
    ----------
    values : array, shape (n_rows, n_times)
        Recordings, or estimates; of an odd number of samples the last is left out.
    sfreq : float
        Sampling rate in Hz.
    kernel : array, shape (n_sources, n_rows) | None
        A kernel to apply to the spectra of the recordings.
    n_components : int
        Rows a location of the kernel (or of the values): powers are added up.
    units : 'physical' | 'normalized'
        Per Hz; or per sample, over frequencies from 0 to 0.5.

    Returns
    -------
    Spectrum
        The density: unit of the values squared, per Hz.

    Raises
    ------
    MapError
        If the arrays do not fit, or there are fewer than 50 samples.
    OptionError
        If an option is out of range.

    See Also
    --------
    psd_welch : The mean of several windows, with the same formula.
    """
    array = as_map(values)
    rate = float(positive([sfreq], "sfreq")[0])
    length = array.shape[1] - array.shape[1] % 2
    return _spectrum(array, rate, length, [0], kernel, n_components, units)


def _round(number: float) -> int:
    """Round halves up, as MATLAB rounds what is not negative."""
    return int(np.floor(number + 0.5))


def _touches(
    first: int, last: int, rate: float, offset: float, segments: Sequence[tuple[float, float]]
) -> bool:
    """Tell whether samples first … last touch one of the segments (in s), ends included."""
    return any(
        first <= _round_any((stop - offset) * rate) and last >= _round_any((start - offset) * rate)
        for start, stop in segments
    )


def _round_any(number: float) -> int:
    return _round(number) if number >= 0 else -_round(-number)


def _spectrum(
    array: FloatArray,
    rate: float,
    length: int,
    starts: Sequence[int],
    kernel: ArrayLike | None,
    n_components: int,
    units: str,
) -> Spectrum:
    normalized = choice(units, ("physical", "normalized"), "units") == "normalized"
    if length < _SHORTEST:
        raise MapError(f"A window must have at least {_SHORTEST} samples, found {length}.")
    matrix = None if kernel is None else as_map(kernel, "kernel")
    if matrix is not None and matrix.shape[1] != len(array):
        raise MapError(f"The kernel has {matrix.shape[1]} columns, the values {len(array)} rows.")
    total: FloatArray | float = 0.0
    for start in starts:
        coefficients = _window_coefficients(array[:, start : start + length], rate)
        if matrix is not None:
            coefficients = matrix @ coefficients
        total = total + measured(coefficients, "power", n_components)
    power = np.asarray(total) / len(starts)
    freqs = np.linspace(0, rate / 2, length // 2 + 1)
    if normalized:
        power, freqs = power * rate, freqs / rate
    return Spectrum(power=power, freqs=freqs, n_windows=len(starts))


def _window_coefficients(block: FloatArray, rate: float) -> NDArray[np.complex128]:
    taper = np.hamming(block.shape[1])
    demeaned = block - block.mean(axis=1, keepdims=True)
    coefficients = np.fft.rfft(demeaned * taper, axis=1) * np.sqrt(2 / (rate * (taper**2).sum()))
    coefficients[:, [0, -1]] /= np.sqrt(2)
    return coefficients
