"""Recordings, Brainstorm's ``data_*.mat``, as Evoked, Epochs and Raw.

Values, units (T, T/m, V) and channels are the same on both sides; projections are never applied
here. Projectors,
sensors and digitised points are matters of the channel file:
:func:`mne_bstinv.from_info`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import mne
import numpy as np
from mne.utils import verbose

from mne_bstinv import io
from mne_bstinv._display import few
from mne_bstinv._types import FloatArray, Verbose
from mne_bstinv.adapters._mne_private import unlocked
from mne_bstinv.adapters.channel_names import mne_names
from mne_bstinv.adapters.kept import keep
from mne_bstinv.adapters.recordings.events import (
    Clock,
    annotate,
    in_mne,
    noted,
    occurrences,
    same_times,
    sampling_frequency,
)
from mne_bstinv.adapters.recordings.occasion import add_occasion
from mne_bstinv.adapters.recordings.samples import (
    RecordedChannels,
    bare,
    checksum,
    info_of,
    report_fields,
    samples_of,
)
from mne_bstinv.conversion import Findings, attach_with_parts, converts
from mne_bstinv.errors import ConversionError

__all__ = ["to_annotations", "to_epochs", "to_evoked", "to_raw_array"]

#: The number Brainstorm adds to the comment of a trial: ``noise (#3)``.
_TRIAL = re.compile(r"\s*\(#\d+\)\s*$")
#: The first character that FIF files cannot hold.
_NOT_LATIN_1 = 0x100


@converts
@verbose
def to_evoked(
    recordings: io.Recordings,
    channels: io.Channels,
    *,
    info: mne.Info | None = None,
    mri: io.Mri | None = None,
    verbose: Verbose = None,
) -> Any:
    """Convert recordings to an Evoked.

    Parameters
    ----------
    recordings : Recordings
        An average or a single trial, F (n_channels, n_times) in T, T/m, V.
    channels : Channels
        Channel file.
    info : mne.Info | None
        Info to use instead of one made from ``channels``. Its channels are matched by name; its
        bad channels stay bad.
    mri : Mri | None
        MRI of the subject, for its fiducials where the channel file has none.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    mne.Evoked
        Samples and times as in the file, no baseline correction, no projection applied. Channels
        with a negative ChannelFlag are bad. ``nave`` is nAvg.

    Raises
    ------
    ConversionError
        If the recordings are a link to a continuous file, have other channels or an irregular
        time, or a channel of ``info`` is not in the channel file.

    Notes
    -----
    MNE scales noise-normalised estimates with ``nave``, Brainstorm with Leff: where they differ
    the report says so. All fields without samples are kept in the report (``recordings``).
    """
    findings = Findings()
    f, _, rows = _prepare([recordings], channels, info, mri, findings)
    if recordings.events:
        findings.dropped("Events", "an Evoked has no annotations; kept in the report")
    if recordings.effective_averages != recordings.n_avg:
        findings.dropped(
            "Leff",
            f"nave is nAvg = {recordings.n_avg}; the effective number of averages is "
            f"{recordings.effective_averages:g}, kept in the report",
        )
    if recordings.std is not None:
        keep(findings, checksum=checksum(f[0]))
    time = _time(recordings)
    evoked = mne.EvokedArray(
        f[0], rows.info, tmin=time[0], comment=recordings.comment, nave=recordings.n_avg
    )
    _keep_phase(evoked, time)
    keep(findings, recordings=bare(recordings), channel_names=mne_names(channels))
    return attach_with_parts(findings, evoked, [rows.info], what="Recordings → Evoked")


@converts
@verbose
def to_epochs(
    recordings: Sequence[io.Recordings],
    channels: io.Channels,
    *,
    info: mne.Info | None = None,
    mri: io.Mri | None = None,
    verbose: Verbose = None,
) -> Any:
    """Convert several recordings files to Epochs.

    Parameters
    ----------
    recordings : sequence of Recordings
        The trials: the same channels and times.
    channels : Channels
        Channel file.
    info : mne.Info | None
        Info to use instead of one made from ``channels``, as in :func:`to_evoked`.
    mri : Mri | None
        MRI of the subject, for its fiducials where the channel file has none.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    mne.EpochsArray
        One epoch a file, no baseline correction, no projection applied. Conditions are the
        comments without the number of the trial. A channel that is bad in one trial is bad in all
        (reported). Events become annotations.

    Raises
    ------
    ConversionError
        As :func:`to_evoked`; also if the trials have different times.
    """
    findings = Findings()
    trials = list(recordings)
    f, sfreq, rows = _prepare(trials, channels, info, mri, findings)
    labels = _labels(trials, findings)
    event_id = {label: code for code, label in enumerate(dict.fromkeys(labels), start=1)}
    findings.derived("events", "samples of a recording with one trial after the other")
    flags = [trial.channel_flag for trial in trials if trial.channel_flag is not None]
    if any((flag < 0).tolist() != (flags[0] < 0).tolist() for flag in flags):
        findings.assumed("ChannelFlag", "differs between trials: bad in one is bad in all")
    averaged = [t.comment for t in trials if (t.n_avg, t.effective_averages) != (1, 1.0)]
    if averaged:
        findings.dropped("nAvg, Leff", f"an epoch is one trial, not so: {', '.join(averaged)}")
    time, n_times = _time(trials[0]), f.shape[2]
    # samples of time 0, as if the trials had been cut from one recording without gaps
    onset = max(-round(time[0] * sfreq), 0) + n_times * np.arange(len(trials))
    events = np.stack([onset, 0 * onset, [event_id[label] for label in labels]], axis=1)
    # Epochs compute the projection even where it is not applied, with warnings about bad channels
    projs, info = rows.info["projs"], rows.info.copy()
    with unlocked(info):
        info["projs"] = []
    tmin = round(time[0] * sfreq) / sfreq  # of times between two samples it counts one too many
    if abs(time[0] - tmin) > 1e-9:
        findings.dropped(
            "Time",
            f"starts at {time[0]:g} s, between two samples: kept here, {tmin:g} s in files of MNE",
        )
    epochs = mne.EpochsArray(f, info, events, tmin=tmin, event_id=event_id, baseline=None)
    with unlocked(epochs.info):
        epochs.info["projs"] = projs
    _keep_phase(epochs, time)
    annotations = _annotate_epochs(trials, channels, onset / sfreq, rows.info, findings)
    if annotations is not None:
        epochs.set_annotations(annotations)
    keep(
        findings,
        annotations=noted(epochs.annotations),
        recordings=tuple(map(bare, trials)),
        channel_names=mne_names(channels),
    )
    return attach_with_parts(findings, epochs, [rows.info], what="Recordings → Epochs")


@converts
@verbose
def to_raw_array(
    recordings: io.Recordings,
    channels: io.Channels,
    *,
    info: mne.Info | None = None,
    mri: io.Mri | None = None,
    verbose: Verbose = None,
) -> Any:
    """Convert recordings to a Raw, with their events as annotations.

    Parameters
    ----------
    recordings : Recordings
        Imported recordings, F (n_channels, n_times) in T, T/m, V.
    channels : Channels
        Channel file.
    info : mne.Info | None
        Info to use instead of one made from ``channels``, as in :func:`to_evoked`.
    mri : Mri | None
        MRI of the subject, for its fiducials where the channel file has none.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    mne.io.RawArray
        The recordings. MNE counts the times of a Raw from its first sample; the time of that
        sample is ``first_time`` (rounded to a sample, which is reported).

    Raises
    ------
    ConversionError
        As :func:`to_evoked`.
    """
    findings = Findings()
    f, sfreq, rows = _prepare([recordings], channels, info, mri, findings)
    if (recordings.n_avg, recordings.effective_averages) != (1, 1.0):
        findings.dropped("nAvg, Leff", "a Raw is not averaged; kept in the report")
    time = _time(recordings)
    first = round(time[0] * sfreq)
    if abs(time[0] - first / sfreq) > 1e-12:
        findings.dropped(
            "Time", f"starts at {time[0]:g} s, between two samples: {first / sfreq:g} s in MNE"
        )
    raw = mne.io.RawArray(f[0], rows.info, first_samp=first)
    raw.set_annotations(_annotations(recordings, channels, rows.info, findings))
    keep(findings, annotations=noted(raw.annotations))
    if recordings.std is not None:
        keep(findings, checksum=checksum(f[0]))
    keep(findings, recordings=bare(recordings), channel_names=mne_names(channels))
    return attach_with_parts(findings, raw, [rows.info], what="Recordings → Raw")


@converts
@verbose
def to_annotations(
    recordings: io.Recordings, channels: io.Channels, *, verbose: Verbose = None
) -> Any:
    """Convert the events of recordings, or of a link to a continuous file, to annotations.

    Parameters
    ----------
    recordings : Recordings
        The recordings.
    channels : Channels
        Channel file, for events of single channels.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    mne.Annotations
        One annotation an occurrence, in seconds from the first sample, as
        :meth:`mne.io.Raw.set_annotations` takes them; :func:`mne.events_from_annotations` makes
        events of them.

    Raises
    ------
    ConversionError
        If the recordings have no Time, or an irregular one.
    """
    findings = Findings()
    if recordings.link is not None:
        found = in_mne(occurrences(recordings.link.events, findings), channels)
        annotations = annotate(found, clock_of(recordings.link), mne_names(channels), findings)
    else:
        n = len(_time(recordings))
        sfreq = sampling_frequency(recordings.time, n, None, findings)
        sensors = {"sfreq": sfreq, "ch_names": mne_names(channels)}
        annotations = _annotations(recordings, channels, sensors, findings)
    return findings.attach(annotations, what="Events → Annotations")


def _labels(trials: Sequence[io.Recordings], findings: Findings) -> list[str]:
    """Return the condition of each trial: its comment without the number, as FIF files hold it.

    They separate conditions by semicolons, also in the code that MNE writes for what is not in
    Latin-1: it could not read its own file.
    """
    said = [_TRIAL.sub("", trial.comment) or "unnamed" for trial in trials]
    made = {
        text: "".join(c if ord(c) < _NOT_LATIN_1 else f"U+{ord(c):04X}" for c in text)
        .replace(";", ",")
        for text in said
    }  # fmt: skip
    changed = [f"{text!r} is {label!r}" for text, label in made.items() if text != label]
    if changed:
        findings.derived("Comment", f"conditions of FIF files: {', '.join(changed)}")
    return [made[text] for text in said]


def _prepare(
    files: Sequence[io.Recordings],
    channels: io.Channels,
    info: Any,
    mri: io.Mri | None,
    findings: Findings,
) -> tuple[FloatArray, float, RecordedChannels]:
    """Return samples (n_files, n_channels, n_times), sampling frequency, and the Info with bads."""
    if not files:
        raise ConversionError("No recordings to convert. Give at least one.")
    samples = [samples_of(recordings, channels) for recordings in files]
    first = files[0]
    sfreq = sampling_frequency(
        first.time, samples[0].shape[1], None if info is None else info["sfreq"], findings
    )
    other = [r.comment for r in files if not same_times(r.time, first.time)]
    if other:
        raise ConversionError(
            f"Recordings have not the times of the first, {first.comment!r}: {few(other)}. "
            "Convert those of other times by themselves."
        )
    flags = [recordings.channel_flag for recordings in files]
    if any(flag is None for flag in flags):
        findings.assumed("ChannelFlag", "is empty: all channels are taken as good")
    rows = info_of(
        channels,
        flags,
        sfreq,
        info=info,
        mri=mri,
        display_units=first.display_units,
        findings=findings,
    )
    add_occasion(rows.info, files, findings)
    keep(findings, moment=rows.info["meas_date"])
    for recordings in files:
        report_fields(recordings, findings)
    return np.stack([f[rows.index] for f in samples]), sfreq, rows


def _time(recordings: io.Recordings) -> FloatArray:
    if recordings.time is None:
        raise ConversionError("Time is empty. Give recordings with samples.")
    return recordings.time


def _keep_phase(inst: Any, time: FloatArray) -> None:
    """Undo that MNE moves the first time to a multiple of the sampling period."""
    if np.abs(inst.times - time).max() > 1e-12:
        inst.shift_time(time[0], relative=False)


def clock_of(link: io.Link) -> Clock:
    """Return the samples of the file behind a link, as the link knows them."""
    if link.samples is None or link.sfreq is None:
        times = None if link.prop is None else link.prop.times
        raise ConversionError(
            f"The link to {link.base_name!r} has the times {times} s and the sampling frequency "
            f"{None if link.prop is None else link.prop.sfreq} Hz, expected two times and a "
            "frequency above 0 (F.prop). Link the file again in Brainstorm."
        )
    first, last = link.samples
    return Clock(first / link.sfreq, link.sfreq, last - first + 1)


def _clock(recordings: io.Recordings, sfreq: float) -> Clock:
    time = _time(recordings)
    return Clock(float(time[0]), sfreq, len(time))


def _annotations(
    recordings: io.Recordings, channels: io.Channels, info: Mapping[str, Any], findings: Findings
) -> Any:
    """Annotations relative to the first sample, for the rate and the channels of an Info."""
    found = in_mne(occurrences(recordings.events, findings), channels)
    return annotate(found, _clock(recordings, info["sfreq"]), info["ch_names"], findings)


def _annotate_epochs(
    trials: Sequence[io.Recordings],
    channels: io.Channels,
    zero: FloatArray,
    info: Any,
    findings: Findings,
) -> Any:
    """Annotations of all trials; ``zero`` is where the time 0 of each is in the whole."""
    found = [_annotations(trial, channels, info, findings) for trial in trials]
    for trial, mine, start in zip(trials, found, zero, strict=True):
        mine.onset += start + _time(trial)[0]
    if not sum(map(len, found)):
        return None
    whole = found[0]
    for mine in found[1:]:
        whole = whole + mine
    return whole
