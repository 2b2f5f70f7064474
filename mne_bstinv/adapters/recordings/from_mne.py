"""Recordings, Brainstorm's ``data_*.mat``, from Evoked, Epochs and Raw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mne
import numpy as np
from mne.utils import verbose

from mne_bstinv import io
from mne_bstinv._types import FloatArray, Verbose
from mne_bstinv.adapters.kept import kept_of
from mne_bstinv.adapters.recordings.events import (
    Clock,
    Occurrence,
    events_of,
    in_brainstorm,
    occurrences_of,
    same_annotations,
    same_times,
)
from mne_bstinv.adapters.recordings.occasion import device_of, t0_of
from mne_bstinv.adapters.recordings.samples import (
    bad_in_any_file,
    checksum,
    flags_of,
    kept_recordings,
    layout_of,
)
from mne_bstinv.conversion import ConversionReport, Findings, conversion_report, converts
from mne_bstinv.io.text import history_row

__all__ = ["events_from", "from_epochs", "from_evoked", "imported_from_raw", "linked_events"]

#: Fields that MNE has no place for and the report keeps.
_KEPT = ("device", "data_type", "colormap_type", "display_units", "history", "extra")


@converts
@verbose
def from_evoked(
    evoked: mne.Evoked, *, channels: io.Channels | None = None, verbose: Verbose = None
) -> io.Recordings:
    """Convert an Evoked to recordings.

    Parameters
    ----------
    evoked : mne.Evoked
        The evoked response.
    channels : Channels | None
        Channel file of the study; its channels become the rows. ``None`` takes the rows of the
        file that the Evoked was converted from, else its own channels.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    Recordings
        The recordings. Channels that the Evoked lacks are zero and flagged bad. nAvg is ``nave``,
        and so is Leff where it is not known better.

    Raises
    ------
    ConversionError
        If a channel is not in the channel file; the message lists them.
    """
    findings, report = Findings(), conversion_report(evoked)
    kept = _kept_one(report)
    if evoked.baseline is not None:
        findings.dropped("baseline", f"{evoked.baseline} s: the samples are corrected already")
    if evoked.kind != "average":
        findings.dropped("kind", f"{evoked.kind!r}: recordings do not tell")
    time: FloatArray = evoked.times
    events: tuple[io.Event, ...] = ()
    if kept is not None and kept.time is not None and same_times(kept.time, time):
        time, events = kept.time, kept.events
    elif kept is not None and kept.events:
        findings.dropped("Events", "the times changed since the conversion from Brainstorm")
    known = kept is not None and kept.n_avg == evoked.nave
    recordings = _build(
        evoked,
        evoked.data,
        time,
        kept,
        channels=channels,
        findings=findings,
        comment=evoked.comment or "",
        n_avg=int(evoked.nave),
        leff=kept.leff if kept is not None and known else float(evoked.nave),
        events=events,
    )
    return findings.attach(recordings, what="Evoked → Recordings")


@converts
@verbose
def from_epochs(
    epochs: mne.BaseEpochs, *, channels: io.Channels | None = None, verbose: Verbose = None
) -> list[io.Recordings]:
    """Convert Epochs to recordings, one per trial.

    Parameters
    ----------
    epochs : mne.Epochs
        The epochs.
    channels : Channels | None
        Channel file of the study, as in :func:`from_evoked`.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    list of Recordings
        One an epoch, each with the report. Comments are the name of the condition and the number
        of the trial, as Brainstorm writes them. Annotations become events.

    Raises
    ------
    ConversionError
        If a channel is not in the channel file; the message lists them.
    """
    findings = Findings()
    loaded = epochs.copy().load_data()
    if loaded.baseline is not None:
        findings.dropped("baseline", f"{loaded.baseline} s: the samples are corrected already")
    if loaded.metadata is not None:
        findings.dropped("metadata", "recordings have no place for it")
    report = conversion_report(epochs)
    kept = kept_recordings(report)
    known = len(kept) == len(loaded.drop_log)
    trials = [kept[i] if known else None for i in loaded.selection]
    bad = bad_in_any_file(kept) if known else None
    if known and "bads" in kept_of(report):  # channels may be bad in some trials only
        bad = np.isin(kept_of(report)["channel_names"], kept_of(report)["bads"])
    converted = []
    for mine, samples, comment, annotated in zip(
        trials,
        loaded.get_data(copy=False),
        _comments(loaded),
        loaded.get_annotations_per_epoch(),
        strict=True,
    ):
        same = mine is not None and same_times(mine.time, loaded.times)
        found = [Occurrence(float(a[0]), float(a[1]), str(a[2])) for a in annotated]
        recordings = _build(
            loaded,
            samples,
            mine.time if mine is not None and same else loaded.times,
            mine,
            channels=channels,
            findings=findings,
            bad_in_any=bad,
            comment=comment if mine is None else mine.comment,
            n_avg=1 if mine is None else mine.n_avg,
            leff=1.0 if mine is None else mine.leff,
            events=events_from(
                mine.events if mine is not None and same else None,
                report,
                epochs.annotations,
                found,
                findings,
            ),
        )
        converted.append(recordings)
    what = "Epochs → Recordings"
    return [findings.attach(r, what=what, log=n == 0) for n, r in enumerate(converted)]


def imported_from_raw(raw: Any, channels: io.Channels | None) -> io.Recordings:
    """Convert a Raw to one block of imported recordings; see :func:`mne_bstinv.from_raw`."""
    findings, report = Findings(), conversion_report(raw)
    kept = _kept_one(report)
    time, start, same = raw.times + raw.first_time, float(raw.first_time), False
    if kept is not None and kept.time is not None:
        # MNE moves the first sample to a multiple of the sampling period
        same = same_times(kept.time - kept.time[0], raw.times)
        same = same and abs(kept.time[0] - start) * raw.info["sfreq"] <= 0.5 + 1e-6
    if kept is not None and kept.time is not None and same:
        time, start = kept.time, float(kept.time[0])
    found = occurrences_of(raw.annotations, float(raw.first_time), start)
    recordings = _build(
        raw,
        raw.get_data(),
        time,
        kept,
        channels=channels,
        findings=findings,
        comment="Raw" if kept is None else kept.comment,
        n_avg=1 if kept is None else kept.n_avg,
        leff=1.0 if kept is None else kept.leff,
        events=events_from(
            kept.events if kept is not None and same else linked_events(raw, report),
            report,
            raw.annotations,
            found,
            findings,
        ),
    )
    return findings.attach(recordings, what="Raw → Recordings")


def _build(
    inst: Any,
    samples: FloatArray,
    time: FloatArray,
    kept: io.Recordings | None,
    *,
    channels: io.Channels | None,
    findings: Findings,
    bad_in_any: Any = None,
    **values: Any,
) -> io.Recordings:
    """Return recordings with the fields that MNE has, and those kept of the original."""
    report = conversion_report(inst)
    layout = layout_of(inst.ch_names, channels, report, findings)
    if kept is None:
        values |= {
            "data_type": "recordings",
            "device": device_of(inst.info) or "Unknown",
            "display_units": _units(inst),
            "history": (history_row("import", "Converted from MNE-Python"),),
        }
    else:
        values |= {name: getattr(kept, name) for name in _KEPT}
        values["std"] = _kept_std(kept, samples, report, findings)
    same = kept is not None and kept_of(report).get("moment") == inst.info["meas_date"]
    values["t0"] = kept.t0 if kept is not None and same else t0_of(inst.info) or None
    return io.Recordings(
        f=layout.fill(samples),
        time=np.asarray(time),
        channel_flag=flags_of(layout, inst, kept, bad_in_any),
        **values,
    )


def _units(inst: Any) -> str | None:
    """Return the unit of the NIRS channels; None without any."""
    types = set(inst.get_channel_types())
    if "fnirs_od" in types:
        return "OD"
    return "mol.l-1" if types & {"hbo", "hbr"} else None


def _kept_one(report: ConversionReport) -> io.Recordings | None:
    kept = kept_recordings(report)
    return kept[0] if len(kept) == 1 else None


def _kept_std(
    kept: io.Recordings, samples: FloatArray, report: ConversionReport, findings: Findings
) -> Any:
    """Return Std if the samples are still those it belongs to."""
    if kept.std is None or kept_of(report).get("checksum") == checksum(samples):
        return kept.std
    findings.dropped("Std", "the samples changed since the conversion from Brainstorm")
    return None


def events_from(
    events: Sequence[io.Event] | None,
    report: ConversionReport,
    annotations: Any,
    found: Sequence[Occurrence],
    findings: Findings,
) -> tuple[io.Event, ...]:
    """Return the original events if the annotations are still those they became, else new ones."""
    if events is not None and same_annotations(kept_of(report).get("annotations"), annotations):
        return tuple(events)
    return events_of(in_brainstorm(found, kept_of(report).get("channels")), findings)


def linked_events(raw: Any, report: ConversionReport) -> Sequence[io.Event] | None:
    """Return the events of the link that a Raw was read from, if it still has its samples."""
    clock = kept_of(report).get("clock")
    if not isinstance(clock, Clock) or clock.n != raw.n_times:
        return None
    first = round(clock.start * clock.sfreq)
    return kept_of(report).get("events") if raw.first_samp == first else None


def _comments(epochs: Any) -> list[str]:
    """Return the condition of each epoch with its number in it."""
    names = {code: name for name, code in epochs.event_id.items()}
    counts: dict[str, int] = {}
    comments = []
    for code in epochs.events[:, 2]:
        name = names.get(code, str(code))
        counts[name] = counts.get(name, 0) + 1
        comments.append(f"{name} (#{counts[name]})")
    return comments
