"""Epochs as Brainstorm imports them from a continuous recording, and how MNE's differ."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from typing import Any

import mne
import numpy as np
from mne.utils import verbose

from mne_bstinv import io
from mne_bstinv._types import FloatArray, Verbose
from mne_bstinv.adapters._mne_private import unlocked
from mne_bstinv.adapters.kept import keep, kept_of, of_sensors
from mne_bstinv.adapters.recordings.continuous import recording_of, tell_notes
from mne_bstinv.adapters.recordings.events import brainstorm_label, mne_label
from mne_bstinv.adapters.sensors import set_grade
from mne_bstinv.continuous import Block, Reading, Recording, bad_segments, event_blocks, load
from mne_bstinv.conversion import Findings, converts
from mne_bstinv.errors import ConversionError
from mne_bstinv.io.text import history_row

__all__ = ["epochs_as_imported"]

_BAD, _SHORT = "BAD_TRIAL", "TOO_SHORT"
_THIRD_ORDER = 3


@converts
@verbose
def epochs_as_imported(
    raw: mne.io.BaseRaw,
    event: str | Sequence[str],
    tmin: float,
    tmax: float,
    *,
    baseline: tuple[float, float] | str | None = None,
    split: float | None = None,
    ignore_short: bool = True,
    projectors: bool = True,
    compensation: bool = True,
    keep_bad: bool = False,
    verbose: Verbose = None,
) -> Any:
    """Cut epochs out of a continuous recording as Brainstorm's import does.

    Parameters
    ----------
    raw : mne.io.Raw
        The recording, of :func:`mne_bstinv.read_raw_brainstorm` or any other.
    event : str | sequence of str
        Name of the events, as the annotations or Brainstorm call them.
    tmin, tmax : float
        Times of the first and of the last sample relative to the event, s. Extended events last
        as long as they do and begin at 0.
    baseline : tuple of float | 'all' | None
        Times (first, last) of the mean that is subtracted from each channel but those of type
        Stim, Video and SysClock; ``'all'`` takes the whole epoch, ``None`` subtracts nothing.
    split : float | None
        Duration of the parts that each epoch is split into, s.
    ignore_short : bool
        Whether epochs that are cut by an end of the recording are left out, as Brainstorm does if
        it is asked to. Others, of any length, cannot be in one Epochs.
    projectors : bool
        Whether projectors that are not applied yet are (Brainstorm's option “Apply projectors”).
    compensation : bool
        Whether CTF data are compensated (“Apply CTF compensation”).
    keep_bad : bool
        Whether bad trials are kept. Brainstorm imports them and marks them.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    mne.EpochsArray
        The trials that Brainstorm imports, with its samples; without bad ones, which are in
        ``drop_log``. Its report (:func:`mne_bstinv.conversion_report`) tells which trials differ
        from those of ``mne.Epochs(raw, events, tmin=tmin, tmax=tmax)``, which leaves out what
        touches a bad segment, and why. :func:`mne_bstinv.from_epochs` gives the recordings that
        Brainstorm has, with flags of channels that are bad in single trials.

    Raises
    ------
    ConversionError
        If there are no such events, or no good epoch, or epochs of several lengths.
    OptionError
        If the window is empty, or the parts have no samples.

    Notes
    -----
    Samples count as Brainstorm's: halves are rounded away from zero. A trial is bad if it has a
    sample in common with a bad segment that names no channels; if it names some, these are bad in
    this trial only. Two faults of Brainstorm are not copied: once an epoch was cut at the
    beginning of the file, its baseline stays shifted for all epochs that follow, and the last of
    several events decides for all whether their times begin at 0.
    """
    findings = Findings()
    recording = recording_of(raw, findings)
    labels = [event] if isinstance(event, str) else list(event)
    blocks, short = _blocks(recording, labels, (tmin, tmax), split, ignore_short, findings)
    _tell_faults(recording, blocks, baseline, findings)
    kept = [block for block in blocks if keep_bad or not block.is_bad]
    _check(kept, blocks, labels)
    reading = Reading(projectors=projectors, compensation=compensation, baseline=baseline)
    tell_notes(recording, reading, findings)
    data = np.stack([load(recording, block, reading) for block in kept])
    everything = sorted([*blocks, *short], key=lambda block: (block.trial, block.part))
    epochs = _epochs(raw, recording, data, kept, everything, reading)
    if split is None:
        _compare(raw, recording, everything, kept, (tmin, tmax), findings)
    _tell_channels(recording, kept, findings)
    keep(
        findings,
        recordings=tuple(_recordings(block, recording) for block in everything),
        bads=tuple(raw.info["bads"]),
        channel_names=tuple(raw.ch_names),
    )
    keep(findings, **of_sensors(kept_of(raw)))
    return findings.attach(epochs, what="Raw → Epochs as imported")


def _blocks(
    recording: Recording,
    labels: Sequence[str],
    window: tuple[float, float],
    split: float | None,
    ignore_short: bool,
    findings: Findings,
) -> tuple[list[Block], list[Block]]:
    """Return the epochs of all events, and those that are too short."""
    blocks: list[Block] = []
    short: list[Block] = []
    for label in labels:
        found, left = event_blocks(
            recording, _label(label, recording), window, split=split,
            ignore_short=ignore_short,
        )  # fmt: skip
        blocks += found
        short += left
    longest = max((block.n_samples for block in blocks), default=0)
    if ignore_short and split is not None:
        lost = [block for block in blocks if block.n_samples < longest]
        if lost:
            findings.dropped(
                "epochs",
                f"shorter than the others, which Brainstorm keeps of extended events: "
                f"{', '.join(block.comment for block in lost)}",
            )
        short += lost
        return [block for block in blocks if block.n_samples == longest], short
    if ignore_short and all(not recording.events_called(block.label).is_extended
                            for block in blocks):  # fmt: skip
        short += [block for block in blocks if block.n_samples < longest]
        blocks = [block for block in blocks if block.n_samples == longest]
    return blocks, short


def _label(label: str, recording: Recording) -> str:
    """Return the name that the recording has for events: an annotation may have another."""
    known = {event.label for event in recording.events}
    if label in known:
        return label
    for name in known:
        if mne_label(name) == label or name == brainstorm_label(label):
            return name
    return label


def _check(kept: Sequence[Block], blocks: Sequence[Block], labels: Sequence[str]) -> None:
    if not kept:
        raise ConversionError(
            f"No epoch of {', '.join(map(repr, labels))}: of {len(blocks)} that are in the "
            "recording all are bad. Use keep_bad=True to have them."
        )
    lengths = sorted({block.n_samples for block in kept})
    if len(lengths) > 1:
        raise ConversionError(
            f"The epochs of {', '.join(map(repr, labels))} have {lengths[0]} to {lengths[-1]} "
            "samples, and an Epochs one length. Give split= with ignore_short=True, or take "
            "events of one length."
        )


def _epochs(
    raw: Any,
    recording: Recording,
    data: FloatArray,
    kept: Sequence[Block],
    everything: Sequence[Block],
    reading: Reading,
) -> Any:
    """Return the Epochs, with what was done to the samples in their Info."""
    log = [
        () if any(block is one for one in kept) else (_BAD if block.is_bad else _SHORT,)
        for block in everything
    ]
    chosen = [block for block, reasons in zip(everything, log, strict=True) if not reasons]
    position = {id(block): index for index, block in enumerate(kept)}
    data = data[[position[id(block)] for block in chosen]]
    names = dict.fromkeys(block.label for block in kept)
    codes = {label: code for code, label in enumerate(names, start=1)}
    events = np.array([(_zero(block, recording), 0, codes[block.label]) for block in chosen])
    info = raw.info.copy()
    with unlocked(info):
        projs = [proj.copy() for proj in info["projs"]]
        info["projs"] = []
        if reading.compensation and info["comps"] and recording.meg_ref_coef is not None:
            set_grade(info, _THIRD_ORDER)
    events = _distinct(events)
    epochs = mne.EpochsArray(
        data, info, events, tmin=kept[0].start, event_id=codes, baseline=None,
        drop_log=tuple(log), selection=np.flatnonzero([not reasons for reasons in log]),
    )  # fmt: skip
    for proj in projs:
        proj["active"] = bool(proj["active"] or reading.projectors)
    with unlocked(epochs.info):
        epochs.info["projs"] = projs
    return epochs


def _distinct(events: Any) -> Any:
    """Return events whose samples differ: parts of one epoch have the same time 0."""
    taken: set[int] = set()
    for row in events:
        while int(row[0]) in taken:
            row[0] += 1
        taken.add(int(row[0]))
    return events


def _recordings(block: Block, recording: Recording) -> io.Recordings:
    """Return the file that Brainstorm imports a block to, without its samples."""
    return io.Recordings(
        time=block.start + np.arange(block.n_samples) / recording.sfreq,
        comment=block.comment,
        channel_flag=block.channel_flag,
        data_type="recordings",
        n_avg=block.n_avg,
        leff=float(block.n_avg),
        events=block.events,
        t0=block.t0 or None,
        history=(history_row("import", "Epochs as Brainstorm imports them, by mne_bstinv"),),
    )


def _tell_channels(recording: Recording, kept: Sequence[Block], findings: Findings) -> None:
    """Name the channels that are bad in single trials: an Epochs cannot say so."""
    for block in kept:
        new = np.flatnonzero((block.channel_flag < 0) & (recording.channel_flag >= 0))
        if new.size:
            listed = ", ".join(recording.names[i] for i in new)
            findings.dropped(
                "ChannelFlag",
                f"{block.comment}: {listed} bad in this trial only; kept in the report",
            )


def _tell_faults(
    recording: Recording,
    blocks: Sequence[Block],
    baseline: Any,
    findings: Findings,
) -> None:
    """Say where Brainstorm's own import differs by a fault."""
    cut = [index for index, block in enumerate(blocks) if block.cut[0]]
    if isinstance(baseline, tuple) and cut and len(blocks) > cut[0] + 1:
        shift = blocks[cut[0]].cut[0] / recording.sfreq
        findings.derived(
            "baseline",
            f"that of the epochs after {blocks[cut[0]].comment} is as asked for; in Brainstorm it "
            f"stays shifted by −{shift:g} s, since that epoch begins before the recording",
        )
    extended = {label: recording.events_called(label).is_extended
                for label in dict.fromkeys(block.label for block in blocks)}  # fmt: skip
    if len(set(extended.values())) > 1:
        findings.derived(
            "times",
            "each event has its own; in Brainstorm the last of several events, "
            f"{list(extended)[-1]!r}, decides for all whether they begin at 0",
        )


def _compare(
    raw: Any,
    recording: Recording,
    everything: Sequence[Block],
    kept: Sequence[Block],
    window: tuple[float, float],
    findings: Findings,
) -> None:
    """Say which trials differ from those of MNE's own Epochs."""
    for label in dict.fromkeys(block.label for block in everything):
        blocks = sorted((b for b in everything if b.label == label), key=lambda b: b.trial)
        if recording.events_called(label).is_extended:
            findings.derived(
                "trials", f"{label} lasts as long as each event does; MNE has no such epochs"
            )
            continue
        theirs = _theirs(raw, [_zero(block, recording) for block in blocks], window)
        for block, reasons in zip(blocks, theirs, strict=True):
            is_kept = any(block is one for one in kept)
            if is_kept == (not reasons):
                continue
            ours = "kept" if is_kept else "a bad trial" if block.is_bad else "too short"
            findings.derived(
                "trials",
                f"{block.comment}: {ours} for Brainstorm, {' '.join(reasons) or 'kept'} for "
                f"mne.Epochs: {_why(block, recording, ours)}",
            )


def _zero(block: Block, recording: Recording) -> int:
    """Return the sample of time 0 of a block."""
    return block.first - round(block.start * recording.sfreq)


def _theirs(raw: Any, samples: Sequence[int], window: tuple[float, float]) -> Any:
    """Return why mne.Epochs, with its defaults, leaves out each trial; nothing for the others."""
    events = np.array([(sample, 0, 1) for sample in samples])
    plain = copy.copy(raw)  # with the samples of the Raw, and without its projectors: MNE would
    plain.info = raw.info.copy()  # refuse those that leave nothing of the one channel
    with unlocked(plain.info):
        plain.info["projs"] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that all are left out is what is asked
        epochs = mne.Epochs(
            plain, events, tmin=window[0], tmax=window[1], baseline=None, picks=[0], proj=False,
            reject_by_annotation=True, event_repeated="drop", preload=True, verbose="error",
        )  # fmt: skip
    return epochs.drop_log


def _why(block: Block, recording: Recording, ours: str) -> str:
    touching = [
        segment
        for segment in bad_segments(recording.events, recording.sfreq)
        if segment.overlaps(block.first, block.last)
    ]
    if ours == "kept" and any(segment.channels for segment in touching):
        return "the bad segment names channels, which are bad in this trial, and not the trial"
    if ours == "kept" and block.cut != (0, 0):
        return "Brainstorm keeps epochs that an end of the recording cuts"
    if ours == "a bad trial":
        return "they have one sample in common; for MNE a segment ends before its last sample"
    return "samples are rounded differently"
