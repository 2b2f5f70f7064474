"""Brainstorm's estimator of covariances, on arrays taken from MNE's recordings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import mne
import numpy as np

from mne_bstinv import io
from mne_bstinv._data_types import DATA_TYPES, upper_types
from mne_bstinv._types import BoolArray, FloatArray, IntArray
from mne_bstinv.adapters.channel_names import match_channel_names
from mne_bstinv.adapters.kept import kept_of
from mne_bstinv.adapters.recordings.events import events_of, occurrences_of
from mne_bstinv.continuous import bad_segments, in_segments
from mne_bstinv.conversion import Findings
from mne_bstinv.errors import ConversionError
from mne_bstinv.io.text import history_row

__all__ = ["NOTHING_COUNTED", "File", "Window", "estimate", "gather", "noise_window", "span"]

#: What Brainstorm writes where no sample was counted.
NOTHING_COUNTED = 2.0

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
    inst: Any, channels: io.Channels | None, findings: Findings
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
        files += [
            File(f=f[picks], time=time, rows=rows, leff=leff)
            for f, time, leff in _arrays(each, findings)
        ]
    return files, names


def estimate(
    files: Sequence[File],
    n: int,
    tmin: float | None,
    tmax: float | None,
    baseline: Window | None,
) -> io.NoiseCov:
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
    n_samples = np.maximum(counts, NOTHING_COUNTED)
    window = "All file" if tmin is None and tmax is None else span(files, (tmin, tmax))
    text = f"Computed based on {len(files)} files ({int(counts.max())} samples): [{window}]"
    if baseline is not None:
        text += f", Baseline=[{span(files, baseline)}]"
    return io.NoiseCov(
        noise_cov=products / (n_samples - 1),
        fourth_moment=fourth / (n_samples - 1),
        n_samples=n_samples,
        comment="Noise covariance" if baseline is None else "Data covariance",
        history=(history_row("compute", text),),
    )


def span(files: Sequence[File], limits: Window) -> str:
    """Write the times that a window takes of the files, such as ``'-0.1, 0 s'``."""
    taken = [file.time[_window(file.time, limits)] for file in files]
    # to the microsecond: times that were in single precision are not round; + 0.0 for -0
    first, last = (
        round(float(end), 6) + 0.0 for end in (min(t[0] for t in taken), max(t[-1] for t in taken))
    )
    return f"{first:g}, {last:g} s"


def noise_window(inst: Any, window: Window | None, findings: Findings) -> Window:
    """Return the window of the noise in recordings: unless it is given, what is before 0.

    Parameters
    ----------
    inst : Raw | Epochs | Evoked | sequence of them
        The recordings.
    window : tuple of float | None
        What was given, s. Without an end, epochs and averages that begin before 0 end there:
        what follows is the response.
    findings : Findings
        Where to note it.

    Returns
    -------
    tuple of float | None
        The window.
    """
    tmin, tmax = window or (None, None)
    objects = list(inst) if isinstance(inst, list | tuple) else [inst]
    locked = all(isinstance(one, mne.Evoked | mne.BaseEpochs) for one in objects)
    if tmax is not None or not locked or not all(_begins_before_0(one, tmin) for one in objects):
        return tmin, tmax
    if any(one.times[-1] > 0.5 / one.info["sfreq"] for one in objects):
        findings.assumed(
            "NoiseCov",
            "only what is before 0 s is noise: the response that follows is left out. Say another "
            "window with --tmin and --tmax (noise_window).",
        )
    return tmin, 0.0


def _begins_before_0(inst: Any, tmin: float | None) -> bool:
    begin = float(inst.times[0] if tmin is None else max(tmin, inst.times[0]))
    return begin < -0.5 / float(inst.info["sfreq"])  # by a sample, and not by rounding


def _picks(
    inst: Any, names: Sequence[str], channels: io.Channels | None
) -> tuple[IntArray, IntArray]:
    """Good channels that count: their rows in the recordings and in the covariance."""
    picks = mne.pick_types(
        inst.info, meg=True, ref_meg=False, eeg=True, ecog=True, seeg=True, exclude="bads"
    )
    rows = match_channel_names([inst.ch_names[i] for i in picks], names)
    if channels is None:
        return picks, rows
    types = upper_types(channels.types[i] for i in rows)
    counts = np.array([kind in DATA_TYPES for kind in types], dtype=bool)
    return picks[counts], rows[counts]


def _arrays(inst: Any, findings: Findings) -> Iterator[tuple[FloatArray, FloatArray, float]]:
    """Yield samples, times and effective number of averages of each file."""
    if isinstance(inst, mne.Evoked):
        yield inst.data, inst.times, _leff(inst)
    elif isinstance(inst, mne.BaseEpochs):
        for samples in inst.get_data(copy=False):
            yield samples, inst.times, 1.0
    else:
        good = good_samples(inst, findings)
        yield inst.get_data()[:, good], inst.times[good], 1.0


def _leff(evoked: Any) -> float:
    kept = kept_of(evoked).get("recordings")
    if isinstance(kept, io.Recordings) and kept.n_avg == evoked.nave:
        return float(kept.effective_averages)
    return float(evoked.nave)


def good_samples(raw: Any, findings: Findings) -> BoolArray:
    """Tell of each sample of a Raw whether no segment that is bad holds it (n_times,)."""
    sfreq, first_time = float(raw.info["sfreq"]), float(raw.first_time)
    found = occurrences_of(raw.annotations, first_time, first_time)
    segments = bad_segments(events_of(found, Findings()), sfreq)
    bad = in_segments(segments, int(raw.first_samp), int(raw.n_times))
    if bad.any():
        findings.derived(
            "annotations", f"{int(bad.sum())} samples in segments annotated as bad are left out"
        )
    if bad.all():
        raise ConversionError(
            "All samples of the Raw are in segments annotated as bad: no covariance. Take another "
            "recording, or other annotations."
        )
    return ~bad


def _window(time: FloatArray, limits: Window) -> slice:
    """Return the samples of a window, its ends moved to the nearest sample."""
    said = [limit for limit in limits if limit is not None]
    step = time[1] - time[0] if len(time) > 1 else 0.0
    low, high = time[0] - step, time[-1] + step
    if not all(np.isfinite(said)) or (said and (min(said) > high or max(said) < low)):
        raise ConversionError(
            f"The time window {limits} s has none of the recordings, which run from {time[0]:g} to "
            f"{time[-1]:g} s. Give limits within these times."
        )
    first, last = (
        default if limit is None else int(np.abs(time - limit).argmin())
        for limit, default in zip(limits, (0, len(time) - 1), strict=True)
    )
    if first > last:
        raise ConversionError(
            f"The time window {limits} s is empty. Give limits within the times of the recordings."
        )
    return slice(first, last + 1)
