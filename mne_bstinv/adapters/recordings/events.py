"""Events of recordings ⇄ MNE's annotations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import mne
import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.adapters.sensors import NO_SFREQ
from mne_bstinv.conversion import Findings
from mne_bstinv.errors import ConversionError
from mne_bstinv.io import Event

__all__ = [
    "Occurrence",
    "annotate",
    "events_of",
    "occurrences",
    "same_occurrences",
    "same_times",
    "sampling_frequency",
    "within",
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
    "notes": "notes",
    "hed_tags": "hedTags",
}

#: Two times (s) that differ by less are the same.
_SAME_TIME = 1e-9


class Occurrence(NamedTuple):
    """One occurrence of an event."""

    onset: float
    duration: float
    label: str
    #: The channels it concerns; none for all.
    channels: tuple[str, ...] = ()

    def on(self, names: Sequence[str]) -> Occurrence:
        """Return the occurrence with those of its channels that there are."""
        return self._replace(channels=tuple(name for name in self.channels if name in names))


def occurrences(events: Iterable[Event], findings: Findings) -> list[Occurrence]:
    """List the occurrences of all events, sorted by time, and note what has no place in MNE."""
    found: list[Occurrence] = []
    for event in events:
        if event.times is None:
            findings.dropped("Events", f"{event.label}: no occurrence")
            continue
        lost = [name for field, name in _NOT_EXPRESSED.items() if _holds(getattr(event, field))]
        if lost:
            findings.dropped(
                "Events", f"{event.label}: annotations have no place for {', '.join(lost)}"
            )
        start, end = event.times[0], event.times[-1]
        found += [
            Occurrence(float(s), float(e - s), event.label, event.channels_of(index))
            for index, (s, e) in enumerate(zip(start, end, strict=True))
        ]
    return sorted(found, key=lambda occurrence: occurrence.onset)


def annotate(
    found: Sequence[Occurrence],
    limits: tuple[float, float],
    names: Sequence[str],
    findings: Findings,
) -> Any:
    """Return annotations relative to the first sample.

    Parameters
    ----------
    found : sequence of Occurrence
        Occurrences, times as in the recordings.
    limits : tuple of float
        Time of the first and of the last sample, s.
    names : sequence of str
        The channels there are.
    findings : Findings
        Takes what is lost: occurrences outside the recordings, unknown channels.

    Returns
    -------
    mne.Annotations
        The annotations, without a time of origin.
    """
    for outside in sorted({*found} - {*within(found, limits)}):
        findings.dropped("Events", f"{outside.label} at {outside.onset:g} s: not in the recordings")
    inside = []
    for occurrence in within(found, limits):
        known = occurrence.on(names)
        unknown = [name for name in occurrence.channels if name not in known.channels]
        if unknown:
            findings.dropped("Events", f"{known.label}: unknown channels {', '.join(unknown)}")
        inside.append(known._replace(onset=max(known.onset - limits[0], 0.0)))
    return mne.Annotations(
        [o.onset for o in inside],
        [o.duration for o in inside],
        [o.label for o in inside],
        orig_time=None,
        ch_names=[o.channels for o in inside],
    )


def within(found: Sequence[Occurrence], limits: tuple[float, float]) -> list[Occurrence]:
    """Return the occurrences that lie within the recordings."""
    return [
        o
        for o in found
        if limits[0] - _SAME_TIME <= o.onset and o.onset + o.duration <= limits[1] + _SAME_TIME
    ]


def events_of(found: Sequence[Occurrence]) -> tuple[Event, ...]:
    """Return the events of occurrences, one a label, in the order of first appearance."""
    events = []
    for number, label in enumerate(dict.fromkeys(o.label for o in found)):
        mine = [o for o in found if o.label == label]
        start = np.array([o.onset for o in mine])
        duration = np.array([o.duration for o in mine])
        extended = bool((duration > 0).any())
        events.append(
            Event(
                label=label,
                color=np.array(_COLORS[number % len(_COLORS)]),
                epochs=np.ones(len(mine), dtype=np.int64),
                times=np.stack([start, start + duration]) if extended else start[None],
                select=1,
                channels=tuple(o.channels for o in mine) if any(o.channels for o in mine) else None,
            )
        )
    return tuple(events)


def same_occurrences(first: Sequence[Occurrence], second: Sequence[Occurrence]) -> bool:
    """Tell whether two lists of occurrences differ by rounding only."""
    return len(first) == len(second) and all(
        a.label == b.label
        and a.channels == b.channels
        and abs(a.onset - b.onset) <= _SAME_TIME
        and abs(a.duration - b.duration) <= _SAME_TIME
        for a, b in zip(sorted(first), sorted(second), strict=True)
    )


def _holds(value: Any) -> bool:
    """Tell whether a raw value has any content."""
    if value is None or isinstance(value, str):
        return bool(value)
    if isinstance(value, tuple | list):
        return any(map(_holds, value))
    if isinstance(value, np.ndarray) and value.dtype == object:
        return any(map(_holds, value.ravel()))
    return bool(np.size(value))


#: Irregularity of Time that is rounding: a fraction of the sampling period.
_IRREGULAR = 1e-3

#: Distance (fraction) to a whole number of Hz that is rounding.
_WHOLE = 1e-9


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
    """Tell whether two regular time axes are the same but for rounding."""
    if first is None or second is None or len(first) != len(second):
        return False
    if len(first) < 2:
        return bool(np.allclose(first, second, rtol=0, atol=1e-9))
    period = abs(first[-1] - first[0]) / (len(first) - 1)
    return bool(np.abs(first - second).max() <= _IRREGULAR * period)
