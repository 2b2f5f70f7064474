"""Brainstorm's estimator of covariances, on arrays taken from MNE's recordings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import mne
import numpy as np

from mne_bstinv.adapters._history import history_row
from mne_bstinv.adapters.channel_names import match_channel_names
from mne_bstinv.conversion import Findings, conversion_report
from mne_bstinv.errors import ConversionError
from mne_bstinv.io import Channels, NoiseCov
from mne_bstinv.io.values import FloatArray, IntArray

__all__ = ["File", "estimate", "gather"]

#: Channel types that Brainstorm computes covariances of.
_COMPUTED_TYPES = ("MEG", "MEG MAG", "MEG GRAD", "EEG", "ECOG", "SEEG")
#: What Brainstorm writes where no sample was counted.
_NOTHING_COUNTED = 2

Window = tuple[float | None, float | None]


@dataclass(frozen=True)
class File:
    """One file of recordings: the good channels that count."""

    #: Samples (n_good, n_times).
    f: FloatArray
    #: Times (n_times,), s.
    time: FloatArray
    #: Rows and columns of the covariance (n_good,).
    rows: IntArray
    #: Effective number of averages.
    leff: float


def gather(
    inst: Any, channels: Channels | None, findings: Findings
) -> tuple[list[File], tuple[str, ...]]:
    """Return the files that MNE objects stand for, and the names of all rows."""
    objects = list(inst) if isinstance(inst, list | tuple) else [inst]
    if not objects:
        raise ConversionError("No recordings to compute a covariance from. Give at least one.")
    for each in objects:
        if not isinstance(each, mne.Evoked | mne.BaseEpochs | mne.io.BaseRaw):
            raise ConversionError(
                f"Recordings must be Raw, Epochs, Evoked or a list of them, found {type(each)}."
            )
    names = tuple(objects[0].ch_names) if channels is None else channels.names
    files: list[File] = []
    for each in objects:
        picks, rows = _picks(each, names, channels)
        _report(each, findings)
        files += [
            File(f=f[picks], time=time, rows=rows, leff=leff) for f, time, leff in _arrays(each)
        ]
    return files, names


def estimate(
    files: Sequence[File],
    n: int,
    tmin: float | None,
    tmax: float | None,
    baseline: Window | None,
) -> NoiseCov:
    """Sum the products of all files; see :func:`mne_bstinv.noise_cov_from`."""
    products, fourth, counts = np.zeros((3, n, n))
    for file in files:
        samples = _window(file.time, (tmin, tmax))
        offset = samples if baseline is None else _window(file.time, baseline)
        f = file.f[:, samples] - file.f[:, offset].mean(axis=1, keepdims=True)
        pairs = np.ix_(file.rows, file.rows)
        products[pairs] += file.leff * (f @ f.T)
        fourth[pairs] += file.leff * (f**2 @ (f**2).T)
        counts[pairs] += f.shape[1]
    # one sample has no variance: as where there is none
    n_samples = np.maximum(counts, _NOTHING_COUNTED)
    window = "All file" if tmin is None and tmax is None else f"{tmin}, {tmax} s"
    text = f"Computed based on {len(files)} files ({int(counts.max())} samples): [{window}]"
    if baseline is not None:
        text += f", Baseline=[{baseline[0]}, {baseline[1]} s]"
    return NoiseCov(
        noise_cov=products / (n_samples - 1),
        fourth_moment=fourth / (n_samples - 1),
        n_samples=n_samples,
        comment="Noise covariance" if baseline is None else "Data covariance",
        history=(history_row("compute", text),),
    )


def _picks(inst: Any, names: Sequence[str], channels: Channels | None) -> tuple[IntArray, IntArray]:
    """Good channels that count: their rows in the recordings and in the covariance."""
    picks = mne.pick_types(
        inst.info, meg=True, ref_meg=False, eeg=True, ecog=True, seeg=True, exclude="bads"
    )
    rows = match_channel_names([inst.ch_names[i] for i in picks], names)
    if channels is None:
        return picks, rows
    counts = np.array([channels.types[i].strip().upper() in _COMPUTED_TYPES for i in rows], bool)
    return picks[counts], rows[counts]


def _arrays(inst: Any) -> Iterator[tuple[FloatArray, FloatArray, float]]:
    """Yield samples, times and effective number of averages of each file."""
    if isinstance(inst, mne.Evoked):
        yield inst.data, inst.times, _leff(inst)
    elif isinstance(inst, mne.BaseEpochs):
        for samples in inst.get_data(copy=False):
            yield samples, inst.times, 1.0
    else:
        yield inst.get_data(), inst.times, 1.0


def _leff(evoked: Any) -> float:
    kept = conversion_report(evoked).kept.get("recordings")
    if kept is not None and kept.n_avg == evoked.nave:
        return float(kept.effective_averages)
    return float(evoked.nave)


def _report(inst: Any, findings: Findings) -> None:
    if isinstance(inst, mne.io.BaseRaw):
        bad = [text for text in inst.annotations.description if text.lower().startswith("bad")]
        if bad:
            findings.assumed("annotations", f"{len(bad)} segments annotated as bad are used")


def _window(time: FloatArray, limits: Window) -> slice:
    """Return the samples of a window, its ends moved to the nearest sample."""
    first, last = (
        default if limit is None else int(np.abs(time - limit).argmin())
        for limit, default in zip(limits, (0, len(time) - 1), strict=True)
    )
    if first > last:
        raise ConversionError(
            f"The time window {limits} s is empty. Give limits within the times of the recordings."
        )
    return slice(first, last + 1)
