"""Bad segments: which samples, and which channels only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from mne_bstinv._types import BoolArray
from mne_bstinv.io.events import Event, is_bad
from mne_bstinv.io.sampling import sample_numbers

__all__ = ["Segment", "bad_segments", "in_segments", "segments_of"]


class Segment(NamedTuple):
    """An occurrence of an event, in samples."""

    #: Numbers of its first and last sample, which both belong to it.
    first: int
    last: int
    #: The channels it concerns; none for all.
    channels: tuple[str, ...]
    #: Which occurrence of its event it is, 0-based.
    occurrence: int

    def overlaps(self, first: int, last: int) -> bool:
        """Tell whether it has a sample in common with another segment."""
        return self.first <= last and self.last >= first


def segments_of(event: Event, sfreq: float) -> list[Segment]:
    """Return the occurrences of an event in samples; without those that have no times."""
    return [
        Segment(
            int(sample_numbers(start, sfreq)),
            int(sample_numbers(end, sfreq)),
            event.channels_of(occurrence),
            occurrence,
        )
        for occurrence, (start, end) in enumerate(
            zip(event.starts.tolist(), event.ends.tolist(), strict=True)
        )
        if np.isfinite(start + end) and start <= end
    ]


def bad_segments(events: Iterable[Event], sfreq: float) -> list[Segment]:
    """Return the occurrences of all events that are bad."""
    return [s for event in events if is_bad(event.label) for s in segments_of(event, sfreq)]


def in_segments(segments: Iterable[Segment], first: int, n: int) -> BoolArray:
    """Tell of each of n samples from ``first`` on whether a segment holds it (n,)."""
    within = np.zeros(n, dtype=bool)
    for segment in segments:
        within[max(segment.first - first, 0) : max(segment.last + 1 - first, 0)] = True
    return within
