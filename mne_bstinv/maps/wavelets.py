"""Morlet wavelets: coefficients of rows, and their power in bands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from mne_bstinv._types import BoolArray, FloatArray
from mne_bstinv.errors import MapError, OptionError
from mne_bstinv.maps.arrays import as_map, choice, positive
from mne_bstinv.maps.timefreq import measured

__all__ = [
    "Bands",
    "band_frequencies",
    "in_bands",
    "morlet_edges",
    "morlet_in_bands",
    "morlet_transform",
]

ComplexArray = NDArray[np.complex128]
#: Name of a band → first and last frequency in Hz.
Bands = Mapping[str, tuple[float, float]]

#: Frequencies that stand for a band: from its first to its last.
_PER_BAND = 4
#: Of the standard normal distribution, the two-sided 99 % quantile.
_QUANTILE_99 = 2.5758293035489004


def morlet_transform(
    values: ArrayLike,
    sfreq: float,
    freqs: ArrayLike,
    *,
    fc: float = 1.0,
    fwhm_tc: float = 3.0,
) -> ComplexArray:
    """Convolve rows with complex Morlet wavelets.

    Parameters
    ----------
    values : array, shape (n_rows, n_times)
        Recordings or estimates. The mean of each row is removed first.
    sfreq : float
        Sampling rate in Hz.
    freqs : array, shape (n_freqs,)
        Frequencies in Hz.
    fc : float
        Central frequency of the mother wavelet in Hz (``MorletFc``).
    fwhm_tc : float
        Its full width at half maximum in time, in s (``MorletFwhmTc``).

    Returns
    -------
    array of complex, shape (n_rows, n_times, n_freqs)
        The coefficients, in the unit of the values times √s.

    Raises
    ------
    MapError
        If the values are no array of finite real numbers.
    OptionError
        If a frequency, a width or the rate is no positive number.

    See Also
    --------
    measured : Power or magnitude of the coefficients.
    source_timefreq : The same of sources, by their kernel.

    Notes
    -----
    The wavelet of the frequency f has the scale s = f / fc and σ = fwhm_tc / √(8 ln 2); it is
    √s (σ√π)^(−½) exp(−(s t)² / 2σ²) exp(2πi fc s t), sampled from t = −3σ/s on, and the central
    part of the convolution is multiplied with the sampling interval (Pantazis et al., 2005;
    specification).
    """
    array = as_map(values)
    if not np.isfinite(array).all():
        raise MapError("Rows that are not finite cannot be convolved.")
    wanted = positive(freqs, "freqs")
    step = 1 / float(positive([sfreq], "sfreq")[0])
    sigma = float(positive([fwhm_tc], "fwhm_tc")[0]) / np.sqrt(8 * np.log(2))
    scales = wanted / float(positive([fc], "fc")[0])
    demeaned = array - array.mean(axis=1, keepdims=True)
    coefficients = np.empty((*array.shape, len(wanted)), dtype=np.complex128)
    for i, scale in enumerate(scales):
        wavelet = _wavelet(scale, sigma, fc, step)
        coefficients[:, :, i] = _central_convolution(demeaned, wavelet) * step
    return coefficients


def morlet_edges(
    n_times: int, sfreq: float, freqs: ArrayLike, *, fc: float = 1.0, fwhm_tc: float = 3.0
) -> BoolArray:
    """Mark the samples whose wavelets reach beyond the ends (``TFmask``, inverted).

    Parameters
    ----------
    n_times : int
        Number of samples.
    sfreq : float
        Sampling rate in Hz.
    freqs : array, shape (n_freqs,)
        Frequencies in Hz.
    fc : float
        Central frequency of the mother wavelet in Hz.
    fwhm_tc : float
        Its full width at half maximum in time, in s.

    Returns
    -------
    array of bool, shape (n_freqs, n_times)
        True where the interval that holds 99 % of the wavelet's power reaches beyond an end.

    Raises
    ------
    OptionError
        If a frequency, a width or the rate is no positive number.

    Notes
    -----
    The power of a Gaussian wavelet has the standard deviation σ / (√2 s). Which part Brainstorm
    takes is not specified: 99 % agrees with every mask that it was seen to store.
    """
    scales = positive(freqs, "freqs") / float(positive([fc], "fc")[0])
    sigma = float(positive([fwhm_tc], "fwhm_tc")[0]) / np.sqrt(8 * np.log(2))
    reach = _QUANTILE_99 * sigma / (np.sqrt(2) * scales)
    margin = np.ceil(reach * float(positive([sfreq], "sfreq")[0]))[:, np.newaxis]
    samples = np.arange(n_times)
    return (samples < margin) | (samples >= n_times - margin)


def band_frequencies(bands: Bands) -> FloatArray:
    """Return the frequencies that stand for bands.

    Parameters
    ----------
    bands : mapping of str to tuple of float
        Names with the first and the last frequency in Hz.

    Returns
    -------
    array, shape (4 * n_bands,)
        Four frequencies of each band, from its first to its last, in Hz.

    Raises
    ------
    OptionError
        If there is no band, or one does not go up from a positive frequency.
    """
    if not bands:
        raise OptionError("At least one band is needed.")
    for name, (first, last) in bands.items():
        if not 0 < first <= last:
            raise OptionError(f"Band {name!r} must go up from a positive frequency in Hz, found "
                              f"{first} to {last}.")  # fmt: skip
    return np.concatenate([np.linspace(*bounds, _PER_BAND) for bounds in bands.values()])


def morlet_in_bands(
    values: ArrayLike,
    sfreq: float,
    bands: Bands,
    *,
    measure: Literal["power", "magnitude"] = "power",
    fc: float = 1.0,
    fwhm_tc: float = 3.0,
) -> FloatArray:
    """Average the power of Morlet wavelets over bands of frequencies.

    Parameters
    ----------
    values : array, shape (n_rows, n_times)
        Recordings or estimates.
    sfreq : float
        Sampling rate in Hz.
    bands : mapping of str to tuple of float
        Names with the first and the last frequency in Hz.
    measure : 'power' | 'magnitude'
        What is averaged.
    fc, fwhm_tc : float
        The mother wavelet; see :func:`morlet_transform`.

    Returns
    -------
    array, shape (n_rows, n_times, n_bands)
        The mean over those frequencies of *all* bands that lie within the bounds of the band.

    Raises
    ------
    MapError
        If the values are no array of finite real numbers.
    OptionError
        If a band, the measure, a width or the rate is wrong.
    """
    freqs = band_frequencies(bands)
    coefficients = morlet_transform(values, sfreq, freqs, fc=fc, fwhm_tc=fwhm_tc)
    return in_bands(measured(coefficients, choice(measure, ("power", "magnitude"), "measure")),
                     freqs, bands)  # fmt: skip


def _wavelet(scale: float, sigma: float, fc: float, step: float) -> ComplexArray:
    """Return the wavelet of a scale, sampled from −3σ/s every step, up to 3σ/s."""
    reach = 3 * sigma / scale
    # as a range of MATLAB counts: what lies within rounding of the end belongs to it
    n = int(np.floor(2 * reach / step * (1 + 4 * np.finfo(np.float64).eps))) + 1
    t = -reach + step * np.arange(n)
    envelope = np.sqrt(scale) / np.sqrt(sigma * np.sqrt(np.pi))
    envelope = envelope * np.exp(-((scale * t) ** 2) / (2 * sigma**2))
    return envelope * np.exp(2j * np.pi * fc * scale * t)


def _central_convolution(rows: FloatArray, wavelet: ComplexArray) -> ComplexArray:
    """Convolve rows (n_rows, n_times) with a wavelet; the central n_times samples, as in MATLAB."""
    n_times, first = rows.shape[1], len(wavelet) // 2
    n = scipy.fft.next_fast_len(n_times + len(wavelet) - 1)
    full = scipy.fft.ifft(scipy.fft.fft(rows, n, axis=1) * scipy.fft.fft(wavelet, n), axis=1)
    return full[:, first : first + n_times]


def in_bands(power: FloatArray, freqs: FloatArray, bands: Bands) -> FloatArray:
    """Average (…, n_freqs) over the frequencies inside each band: (…, n_bands)."""
    parts = [power[..., (freqs >= low) & (freqs <= high)] for low, high in bands.values()]
    return np.stack([part.mean(axis=-1) for part in parts], axis=-1)
