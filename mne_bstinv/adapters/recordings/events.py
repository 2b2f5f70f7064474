"""Events of recordings ⇄ MNE's annotations."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import mne
import numpy as np

from mne_bstinv import io
from mne_bstinv._types import FloatArray
from mne_bstinv.adapters.channel_names import mne_names, renamed
from mne_bstinv.adapters.sensors import NO_SFREQ
from mne_bstinv.conversion import Findings
from mne_bstinv.errors import ConversionError
from mne_bstinv.io.bst import cut_name
from mne_bstinv.io.events import is_bad
from mne_bstinv.io.sampling import sample_number

__all__ = [
    "Clock",
    "Noted",
    "Occurrence",
    "annotate",
    "brainstorm_label",
    "events_of",
    "in_brainstorm",
    "in_mne",
    "mne_label",
    "noted",
    "occurrences",
    "occurrences_of",
    "same_annotations",
    "same_times",
    "sampling_frequency",
]

#: Colours of events that MNE has none for, one after the other.
_COLORS = (
    (0.0, 0.45, 0.74),
    (0.85, 0.33, 0.1),
    (0.47, 0.67, 0.19),
    (0.49, 0.18, 0.56),
    (0.93, 0.69, 0.13),
    (0.3, 0.75, 0.93),
)

#: Fields of an event that annotations have no place for.
_NOT_EXPRESSED = {
    "color": "color",
    "react_times": "reactTimes",
    "hed_tags": "hedTags",
}

#: Two times (s) that differ by less are the same.
_SAME_TIME = 1e-9

#: Distance from a sample, in samples, up to which both toolboxes round to it, in single precision.
_NEARLY_HALF = 0.49

#: Whether annotations can carry a note (since MNE 1.11).
ANNOTATIONS_HAVE_EXTRAS = "extras" in inspect.signature(mne.Annotations).parameters

#: What makes an event bad for Brainstorm that is not for MNE.
_BAD_END = re.compile(r"[ _](?=bad$)", re.IGNORECASE)

_REASON = (
    "MNE takes for bad what begins with 'bad', Brainstorm what has it as its first or last word"
)
#: Irregularity of Time that is rounding: a fraction of the sampling period.
_IRREGULAR = 1e-3

#: Distance (fraction) to a whole number of Hz that is rounding.
_WHOLE = 1e-9


class Occurrence(NamedTuple):
    """One occurrence of an event, times as in the recordings."""

    onset: float
    duration: float
    label: str
    #: The channels it concerns; none for all.
    channels: tuple[str, ...] = ()
    note: str = ""


class Clock(NamedTuple):
    """The samples of a recording."""

    #: Time of the first sample, s.
    start: float
    #: Sampling frequency, Hz.
    sfreq: float
    #: Number of samples.
    n: int

    def sample(self, time: float) -> int:
        """Return the sample of a time by Brainstorm's rule, counted from the first.

        Where 0 s is between two samples, as in what was resampled, only the distance from the
        first one tells.
        """
        first = self.start * self.sfreq
        if abs(first - round(first)) > _IRREGULAR:
            return sample_number(time - self.start, self.sfreq)
        return sample_number(time, self.sfreq) - sample_number(self.start, self.sfreq)

    def relative(self, time: float, sample: int) -> float:
        """Return a time in s from the first sample, such that MNE takes it for that sample.

        MNE rounds halves to even: a time that is nearly between two samples is moved to its own.
        """
        found = (time - self.start) * self.sfreq
        return max(found if abs(found - sample) < _NEARLY_HALF else sample, 0.0) / self.sfreq


def occurrences(events: Iterable[io.Event], findings: Findings) -> list[Occurrence]:
    """List the occurrences of all events, sorted by time, and note what has no place in MNE."""
    found: list[Occurrence] = []
    losses: dict[str, list[str]] = {}
    for event in events:
        if event.times is None:
            findings.dropped("Events", f"{event.label}: no occurrence")
            continue
        lost = [name for field, name in _NOT_EXPRESSED.items() if _holds(getattr(event, field))]
        lost += ["notes"] if event.notes and not ANNOTATIONS_HAVE_EXTRAS else []
        for name in lost:
            losses.setdefault(name, []).append(event.label)
        times = zip(event.starts.tolist(), event.ends.tolist(), strict=True)
        for index, (start, end) in enumerate(times):
            if not np.isfinite(start + end) or end < start:
                findings.dropped(
                    "Events",
                    f"{event.label} ({index + 1}, 1-based): from {start:g} to {end:g} s found, "
                    "a start before an end expected",
                )
                continue
            found.append(
                Occurrence(
                    start,
                    end - start,
                    event.label,
                    event.channels_of(index),
                    event.note_of(index),
                )
            )
    for name, labels in losses.items():
        findings.dropped("Events", f"annotations have no place for {name}: {', '.join(labels)}")
    return sorted(found, key=lambda occurrence: occurrence.onset)


def in_mne(found: Iterable[Occurrence], channels: io.Channels) -> list[Occurrence]:
    """Return occurrences with the names that their channels have in MNE."""
    names = dict(zip(channels.names, mne_names(channels), strict=True))
    return [o._replace(channels=tuple(names.get(n, n) for n in o.channels)) for o in found]


def in_brainstorm(found: Iterable[Occurrence], channels: io.Channels | None) -> list[Occurrence]:
    """Return occurrences with the names that their channels have in a channel file."""
    names = {} if channels is None else renamed(channels)
    return [o._replace(channels=tuple(names.get(n, n) for n in o.channels)) for o in found]


def annotate(
    found: Sequence[Occurrence], clock: Clock, names: Sequence[str], findings: Findings
) -> Any:
    """Return annotations relative to the first sample, without a time of origin.

    Each begins and ends at the samples of its event, and its description begins with ``BAD`` if
    the event is bad for Brainstorm. What happened outside of ``clock`` is lost, and so is what is
    bad only at channels that are not among ``names``: without channels it were bad at all of them.
    """
    known = [
        o._replace(channels=channels)
        for o in found
        if (channels := _known(o, names, findings)) or not (o.channels and is_bad(o.label))
    ]
    placed = [(o, *within) for o in known if (within := _within(o, clock, findings))]
    known = [o for o, *_ in placed]
    labels = {o.label: mne_label(o.label) for o in known}
    for before, after in labels.items():
        if before != after:
            findings.derived("Events", f"{before!r} is called {after!r}: {_REASON}")
    extras = {}
    if ANNOTATIONS_HAVE_EXTRAS and any(o.note for o in known):
        extras = {"extras": [{"note": o.note} if o.note else None for o in known]}
    return mne.Annotations(
        [onset for _, onset, _ in placed],
        [duration for *_, duration in placed],
        [labels[o.label] for o in known],
        orig_time=None,
        ch_names=[o.channels for o in known],
        **extras,
    )


def _within(occurrence: Occurrence, clock: Clock, findings: Findings) -> tuple[float, float] | None:
    """Return onset (s from the first sample) and duration (s); None if it is outside."""
    start, end = occurrence.onset, occurrence.onset + occurrence.duration
    first, last = clock.sample(start), clock.sample(end)
    place = f"{occurrence.label} at {start:g} s"
    if last < 0 or first >= clock.n:
        findings.dropped("Events", f"{place}: not in the recordings ({_span(clock)})")
        return None
    if first < 0 or last >= clock.n:
        findings.dropped("Events", f"{place}: cut to the recordings ({_span(clock)})")
        first, last = max(first, 0), min(last, clock.n - 1)
        start, end = (clock.start + sample / clock.sfreq for sample in (first, last))
    onset = clock.relative(start, first)
    return onset, max(clock.relative(end, last) - onset, 0.0) if last > first else 0.0


def _span(clock: Clock) -> str:
    return f"{clock.start:g} to {clock.start + (clock.n - 1) / clock.sfreq:g} s"


def _known(occurrence: Occurrence, names: Sequence[str], findings: Findings) -> tuple[str, ...]:
    """Return the channels that there are; ``.bst`` files cut their names, but not in events."""
    if not occurrence.channels:
        return ()
    cut = {cut_name(name): name for name in names}
    known = []
    for name in occurrence.channels:
        found = name if name in names else cut.get(cut_name(name))
        if found is None:
            findings.dropped("Events", f"{occurrence.label}: unknown channels {name}")
            continue
        if found != name:
            findings.derived(
                "Events", f"{occurrence.label}: {name!r} is taken for {found!r}, its name when cut"
            )
        known.append(found)
    return tuple(dict.fromkeys(known))


def mne_label(label: str) -> str:
    """Return the description that MNE takes for bad if, and only if, Brainstorm does."""
    if is_bad(label) == _is_bad_for_mne(label):
        return label
    return f"BAD_{label}" if is_bad(label) else f"event_{label}"


def brainstorm_label(description: str) -> str:
    """Return the label that Brainstorm takes for bad if, and only if, MNE does."""
    if is_bad(description) == _is_bad_for_mne(description):
        return description
    if is_bad(description):
        return _BAD_END.sub("-", description)
    return f"BAD_{description}"


def _is_bad_for_mne(description: str) -> bool:
    return description.lower().startswith("bad")


def occurrences_of(annotations: Any, first_time: float, start: float) -> list[Occurrence]:
    """Return the occurrences of annotations, which count as ``first_time`` does, in seconds.

    ``start`` is the time of the first sample as the recordings count.
    """
    return [
        Occurrence(
            float(annotation["onset"]) - first_time + start,
            float(annotation["duration"]),
            str(annotation["description"]),
            tuple(annotation.get("ch_names", ())),
            str((annotation.get("extras") or {}).get("note", "")),
        )
        for annotation in annotations
    ]


def events_of(found: Sequence[Occurrence], findings: Findings) -> tuple[io.Event, ...]:
    """Return the events of occurrences, one a label, in the order of first appearance."""
    labels = {label: brainstorm_label(label) for label in dict.fromkeys(o.label for o in found)}
    for before, after in labels.items():
        if before != after:
            findings.derived("annotations", f"{before!r} is called {after!r}: {_REASON}")
    found = [o._replace(label=labels[o.label]) for o in found]
    events = []
    for number, label in enumerate(dict.fromkeys(o.label for o in found)):
        mine = [o for o in found if o.label == label]
        start = np.array([o.onset for o in mine])
        duration = np.array([o.duration for o in mine])
        extended = bool((duration > 0).any())
        events.append(
            io.Event(
                label=label,
                color=np.array(_COLORS[number % len(_COLORS)]),
                epochs=np.ones(len(mine), dtype=np.int64),
                times=np.stack([start, start + duration]) if extended else start[None],
                select=1,
                channels=tuple(o.channels for o in mine) if any(o.channels for o in mine) else None,
                notes=tuple(o.note for o in mine) if any(o.note for o in mine) else None,
            )
        )
    return tuple(events)


class Noted(NamedTuple):
    """What annotations said, to tell whether they were changed."""

    #: Onsets and durations (2, n), s.
    times: FloatArray
    #: Descriptions, channels and notes.
    rest: tuple[Any, ...]


def noted(annotations: Any) -> Noted | None:
    """Note what annotations say; None for None."""
    if annotations is None:
        return None
    names: Any = getattr(annotations, "ch_names", None)
    extras = getattr(annotations, "extras", ())
    return Noted(
        np.stack([annotations.onset, annotations.duration]).astype(np.float64),
        (
            tuple(map(str, annotations.description)),
            () if names is None else tuple(map(tuple, names)),
            tuple(str((extra or {}).get("note", "")) for extra in extras),
        ),
    )


def same_annotations(before: Noted | None, annotations: Any) -> bool:
    """Tell whether annotations differ from what was noted of them by rounding only."""
    now = noted(annotations)
    if before is None or now is None:
        return before is now
    return before.rest == now.rest and bool(np.all(np.abs(before.times - now.times) <= _SAME_TIME))


def _holds(value: Any) -> bool:
    """Tell whether a raw value has any content."""
    if value is None or isinstance(value, str):
        return bool(value)
    if isinstance(value, tuple | list):
        return any(map(_holds, value))
    if isinstance(value, np.ndarray) and value.dtype == object:
        return any(map(_holds, value.ravel()))
    return bool(np.size(value))


def sampling_frequency(
    time: FloatArray | None, n_times: int, sfreq: float | None, findings: Findings
) -> float:
    """Return the sampling frequency of a time axis.

    Parameters
    ----------
    time : array, shape (n_times,) | None
        Time of each sample, s.
    n_times : int
        Number of samples.
    sfreq : float | None
        Sampling frequency of an Info it must agree with, Hz.
    findings : Findings
        Takes what is assumed.

    Returns
    -------
    float
        Sampling frequency, Hz.

    Raises
    ------
    ConversionError
        If Time is absent, of another length or irregular, or does not agree with ``sfreq``.
    """
    if time is None or len(time) != n_times:
        found = "is empty" if time is None else f"has {len(time)} values"
        raise ConversionError(
            f"Time {found}, expected one for each of the {n_times} samples of F. Import the "
            "recordings again, or mend Time."
        )
    if n_times == 1:
        used = NO_SFREQ if sfreq is None else sfreq
        findings.assumed("Time", f"one sample has no sampling frequency: {used:g} Hz is taken")
        return used
    period = (time[-1] - time[0]) / (n_times - 1)
    regular = time[0] + period * np.arange(n_times)
    if not period > 0 or np.abs(time - regular).max() > _IRREGULAR * period:
        steps = np.diff(time)
        raise ConversionError(
            f"Time is not regular (steps of {steps.min():.6g} to {steps.max():.6g} s), and MNE has "
            "one sampling frequency: resample the recordings first."
        )
    found_sfreq = float(1 / period)
    if abs(found_sfreq - round(found_sfreq)) <= _WHOLE * found_sfreq:
        found_sfreq = float(round(found_sfreq))
    if sfreq is None:
        return found_sfreq
    # the last sample may be off by the same fraction of a sample
    if abs(sfreq - found_sfreq) * (n_times - 1) > _IRREGULAR * found_sfreq:
        raise ConversionError(
            f"Time has a sampling frequency of {found_sfreq:.9g} Hz, the given Info {sfreq:.9g} "
            "Hz. Give the Info of these recordings, or none."
        )
    return float(sfreq)


def same_times(first: FloatArray | None, second: FloatArray | None) -> bool:
    """Tell whether two regular time axes are the same but for rounding.

    Parameters
    ----------
    first, second : array, shape (n_times,) | None
        Times, s.

    Returns
    -------
    bool
        Whether they are; not if one is None.
    """
    if first is None or second is None or len(first) != len(second):
        return False
    if len(first) < 2:
        return bool(np.allclose(first, second, rtol=0, atol=1e-9))
    period = abs(first[-1] - first[0]) / (len(first) - 1)
    return bool(np.abs(first - second).max() <= _IRREGULAR * period)
