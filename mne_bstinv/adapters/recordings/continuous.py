"""A Raw as the continuous recording that Brainstorm would see."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from mne_bstinv import io
from mne_bstinv._data_types import upper_types
from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.adapters.channel_names import match_channel_names
from mne_bstinv.adapters.kept import kept_of
from mne_bstinv.adapters.recordings.events import occurrences_of
from mne_bstinv.adapters.recordings.from_mne import events_from, linked_events
from mne_bstinv.adapters.recordings.noise_estimator import Window
from mne_bstinv.adapters.recordings.raw_writer import structure_of
from mne_bstinv.continuous import BLOCK, CovarianceOptions, Reading, Recording, covariance, read
from mne_bstinv.conversion import Findings, conversion_report
from mne_bstinv.errors import ConversionError
from mne_bstinv.io.text import history_row

__all__ = ["covariance_of", "recording_of", "tell_notes"]

_THIRD_ORDER = 3


def recording_of(raw: Any, findings: Findings) -> Recording:
    """Return the continuous recording that a Raw is for Brainstorm: with its events.

    Samples are read when they are needed. Projectors that are applied in the Raw are so (Status
    2), others are applied when Brainstorm reads (Status 1).
    """
    report = conversion_report(raw)
    structure, grade = structure_of(raw, findings)
    first_time = float(raw.first_time)
    found = occurrences_of(raw.annotations, first_time, first_time)
    events = events_from(linked_events(raw, report), report, raw.annotations, found, findings)

    def samples(start: int, stop: int) -> FloatArray:
        return np.asarray(raw[:, start:stop][0])

    bads = set(raw.info["bads"])
    return Recording(
        samples=samples,
        sfreq=float(raw.info["sfreq"]),
        first=int(raw.first_samp),
        n_samples=int(raw.n_times),
        names=structure.names,
        types=structure.types,
        channel_flag=np.array([-1 if name in bads else 1 for name in raw.ch_names], np.int64),
        projectors=structure.projectors,
        meg_ref_coef=None if _compensates_nothing(raw, findings) else structure.meg_ref_coef,
        curr_ctf_comp=grade,
        dest_ctf_comp=_THIRD_ORDER,
        events=events,
    )


def _compensates_nothing(raw: Any, findings: Findings) -> bool:
    """Tell whether the channel file holds coefficients that are zero.

    So it does for FIF files of CTF data that are not compensated: MNE knows their coefficients,
    Brainstorm goes without.
    """
    channels = kept_of(raw).get("channels")
    coefficients = None if channels is None else channels.meg_ref_coef
    if coefficients is None or coefficients.any():
        return False
    findings.assumed(
        "MegRefCoef", "zeros in the channel file: nothing is compensated, as in Brainstorm"
    )
    return True


def tell_notes(recording: Recording, reading: Reading, findings: Findings) -> None:
    """Report what reading, which is the same for all samples, cannot do."""
    for note in read(recording, recording.first, recording.first, reading).notes:
        findings.assumed("samples", note)


def as_read(raw: Any) -> FloatArray:
    """Return the samples of a Raw that Brainstorm's kernels meet.

    Brainstorm compensates continuous recordings and applies projectors of Status 1 when it reads
    them; imported ones are as they are stored.

    Parameters
    ----------
    raw : mne.io.Raw
        The recording; what its Info has applied is not applied again.

    Returns
    -------
    array, shape (n_channels, n_times)
        The samples of all channels, T, T/m or V.
    """
    if "recordings" in kept_of(raw):  # an imported block
        return np.asarray(raw.get_data())
    recording = recording_of(raw, Findings())
    last = recording.first + recording.n_samples - 1
    return read(recording, recording.first, last, Reading()).f


def covariance_of(
    raw: Any,
    channels: io.Channels | None,
    samples: Window,
    baseline: Window | None,
    *,
    offset: str,
    reading: Reading,
    findings: Findings,
) -> io.NoiseCov:
    """Compute the covariance of a Raw; see :func:`mne_bstinv.noise_cov_from`.

    ``samples`` and ``baseline`` are times (s) from the start of the Raw; a baseline makes it a data
    covariance.
    """
    recording = recording_of(raw, findings)
    names = recording.names if channels is None else channels.names
    rows = match_channel_names(recording.names, names)
    if channels is not None:
        types = tuple(channels.types[row] for row in rows)
        recording = dataclasses.replace(recording, types=types)
    window = _within(samples, recording)
    options = CovarianceOptions(
        baseline=window if baseline is None else _within(baseline, recording),
        window=None if baseline is None else window,
        offset=offset,
        reading=reading,
    )
    found = covariance(recording, options)
    tell_notes(recording, reading, findings)
    matrices = []
    for matrix, empty in (
        (found.covariance, 0.0), (found.fourth_moment, 0.0), (found.n_samples, 2.0)
    ):  # fmt: skip
        whole = np.full((len(names), len(names)), empty)
        whole[np.ix_(rows, rows)] = matrix
        matrices.append(whole)
    kind = "Noise" if baseline is None else "Data"
    count = int(found.n_samples.max())
    n_blocks = len(range(0, recording.n_samples, BLOCK))
    times = _said(window)
    if baseline is not None:
        times = f"Data={times}, Baseline={_said(options.baseline)}"
    text = (
        f"Computed based on 1 files ({n_blocks} blocks, {count} samples): {times}, "
        f"{'file' if offset == 'block' else offset}"
    )
    findings.derived("NoiseCov", text)
    return io.NoiseCov(
        noise_cov=matrices[0],
        fourth_moment=matrices[1],
        n_samples=matrices[2],
        comment=f"{kind} covariance: {_types(recording, found.rows)}",
        history=(history_row("compute", text),),
    )


def _within(window: Window, recording: Recording) -> tuple[float, float] | None:
    """Return times (s) as the recording counts them; None for all of it."""
    if window == (None, None):
        return None
    first, last = recording.first / recording.sfreq, recording.last / recording.sfreq
    begin, end = window
    if begin is not None and end is not None and not begin <= end:
        raise ConversionError(
            f"The time window {window} s is empty. Give a first time before the last."
        )
    return (first if begin is None else first + begin, last if end is None else first + end)


def _said(found: tuple[float, float] | None) -> str:
    return "[All file]" if found is None else f"[{found[0]:1.3f}, {found[1]:1.3f}]s"


def _types(recording: Recording, rows: IntArray) -> str:
    """Return the types of channels, sorted, as comments name them."""
    found = set(upper_types(recording.types[row] for row in rows))
    return ", ".join(sorted({"MEG" if kind.startswith("MEG") else kind for kind in found}))
