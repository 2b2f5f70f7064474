"""Noise and data covariances as Brainstorm computes them from a continuous file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from mne_bstinv._data_types import LISTED
from mne_bstinv._display import few
from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.continuous.reading import Reading, read
from mne_bstinv.continuous.recording import Recording, rows_of
from mne_bstinv.continuous.segments import bad_segments, in_segments
from mne_bstinv.errors import ConversionError, OptionError
from mne_bstinv.io.sampling import sample_times

__all__ = ["BLOCK", "COVARIANCE_TYPES", "Covariance", "CovarianceOptions", "covariance"]

#: Types of channels that Brainstorm computes covariances of.
COVARIANCE_TYPES = (*LISTED, "NIRS")
#: Samples that are read at once.
BLOCK = 10_000
#: Where nothing is counted, nSamples is written as this.
_NOTHING_COUNTED = 2

Window = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class CovarianceOptions:
    """Which samples count, and what is subtracted of them."""

    #: Times (first, last) of the noise, s; ``None`` takes all. Of a data covariance, the times of
    #: which the mean is taken.
    baseline: Window | None = None
    #: Times of the data, s, for a data covariance; ``None`` for a noise covariance.
    window: Window | None = None
    #: ``'block'``: the mean of each block of 10,000 samples; ``'all'``: that of all samples.
    offset: str = "block"
    #: Types of channels, such as ``'EEG'``; ``'MEG'`` are all of MEG but the references.
    types: tuple[str, ...] = COVARIANCE_TYPES
    #: What is done to the samples on the way from the file.
    reading: Reading = field(default_factory=Reading)


class Covariance(NamedTuple):
    """Sums over samples, (n_channels, n_channels) each."""

    #: Σ F Fᵗ / (N − 1), squared units of the channels; zeros where nothing was computed.
    covariance: FloatArray
    #: Σ F² (F²)ᵗ / (N − 1).
    fourth_moment: FloatArray
    #: N, and 2 where nothing was computed.
    n_samples: FloatArray
    #: Channels that were computed.
    rows: IntArray


class _Samples(NamedTuple):
    """Samples of one block that are not bad, and which of them count."""

    f: FloatArray
    #: Of the mean, and of the products.
    baseline: slice
    window: slice


def covariance(recording: Recording, options: CovarianceOptions) -> Covariance:
    """Compute the covariance, fourth moments and counts of the good channels of the types.

    With F the samples in the window without those in bad segments, minus the mean over the baseline
    of their block (or of all blocks), C = Σ F F' / (N − 1) and M = Σ F² (F²)' / (N − 1). Blocks
    that do not touch the baseline are skipped. Source: specification, and covariance files that
    Brainstorm computed.
    """
    if options.offset not in ("block", "all"):
        raise OptionError(f"offset={options.offset!r}: expected 'block' or 'all'.")
    for window in (options.baseline, options.window):
        if window is not None and not window[0] <= window[1]:
            raise ConversionError(
                f"The time window {window} s is empty. Give a first time before the last."
            )
    rows = np.intersect1d(rows_of(recording.types, options.types), recording.good)
    if not rows.size:
        raise ConversionError(
            f"No good channel of the types {', '.join(options.types)}. The recording has "
            f"{', '.join(dict.fromkeys(recording.types))}. Check the types and the bad channels."
        )
    mean = _overall_mean(recording, options, rows) if options.offset == "all" else None
    n = len(rows)
    products, fourth, count = np.zeros((n, n)), np.zeros((n, n)), 0
    for samples in _blocks(recording, options, rows):
        offset = samples.f[:, samples.baseline].mean(axis=1, keepdims=True)
        f = samples.f[:, samples.window] - (offset if mean is None else mean)
        products += f @ f.T
        squared = f**2
        fourth += squared @ squared.T
        count += f.shape[1]
    if count < 2:
        raise ConversionError(
            f"{count} samples found in the windows of the covariance (noise or baseline "
            f"{options.baseline or 'all'}, data {options.window or 'the same'}, s) without the bad "
            f"segments, 2 at least expected. The recording is from "
            f"{recording.first / recording.sfreq:g} to {recording.last / recording.sfreq:g} s."
        )
    return _spread(products / (count - 1), fourth / (count - 1), count, rows, recording)


def _spread(
    products: FloatArray, fourth: FloatArray, count: int, rows: IntArray, recording: Recording
) -> Covariance:
    """Return the sums of the computed rows among all channels."""
    if not (np.isfinite(products).all() and np.isfinite(fourth).all()):
        names = [recording.names[i] for i in rows[~np.isfinite(np.diag(fourth))]]
        raise ConversionError(
            f"The covariance is not finite for {few(names)}: their samples are not. Mark "
            "these channels or times as bad."
        )
    n = len(recording.names)
    pairs = np.ix_(rows, rows)
    sums = np.zeros((2, n, n))
    counts = np.full((n, n), float(_NOTHING_COUNTED))
    sums[0][pairs], sums[1][pairs], counts[pairs] = products, fourth, count
    return Covariance(sums[0], sums[1], counts, rows)


def _overall_mean(recording: Recording, options: CovarianceOptions, rows: IntArray) -> FloatArray:
    """Return the mean of the baseline of all blocks (n_rows, 1)."""
    total, count = np.zeros((len(rows), 1)), 0
    for samples in _blocks(recording, options, rows):
        f = samples.f[:, samples.baseline]
        total += f.sum(axis=1, keepdims=True)
        count += f.shape[1]
    return total / max(count, 1)


def _blocks(recording: Recording, options: CovarianceOptions, rows: IntArray) -> Iterator[_Samples]:
    """Yield the samples of blocks that touch the baseline."""
    segments = bad_segments(recording.events, recording.sfreq)
    for first in range(recording.first, recording.last + 1, BLOCK):
        last = min(first + BLOCK - 1, recording.last)
        times = sample_times(first, last - first + 1, recording.sfreq)
        if not _touches(times, options.baseline):
            continue
        good = ~in_segments(segments, first, len(times))
        if not good.any():
            continue
        times = times[good]
        f = read(recording, first, last, options.reading).f[rows]
        baseline = _nearest(times, options.baseline)
        window = baseline if options.window is None else _nearest(times, options.window)
        yield _Samples(f if good.all() else f[:, good], baseline, window)


def _touches(times: FloatArray, window: Window | None) -> bool:
    return window is None or bool(times[0] <= window[1] and times[-1] >= window[0])


def _nearest(times: FloatArray, window: Sequence[float] | None) -> slice:
    """Return the samples between those that are nearest to the ends of a window."""
    if window is None:
        return slice(0, len(times))
    first, last = (int(np.abs(times - end).argmin()) for end in window)
    return slice(first, last + 1)
