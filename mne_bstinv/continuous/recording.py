"""A continuous recording as Brainstorm sees it, wherever its samples are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from mne_bstinv._data_types import MEG_TYPES, upper_types
from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.errors import ConversionError
from mne_bstinv.io import BstFile, Channels, Event, Link, Projector

__all__ = ["Recording", "recording_of_bst", "rows_of"]

#: The reference sensors.
_REFERENCE = "MEG REF"


@dataclass(frozen=True, kw_only=True, eq=False)
class Recording:
    """Samples that are read when they are needed, and what Brainstorm knows of them."""

    #: Reads samples [start, stop), counted from the first, of all channels:
    #: (n_channels, stop − start), T, T/m or V, neither compensated nor projected.
    samples: Callable[[int, int], FloatArray]
    #: Sampling frequency, Hz.
    sfreq: float
    #: Number of the first sample: sample 0 is at 0 s.
    first: int
    n_samples: int
    names: tuple[str, ...]
    types: tuple[str, ...]
    #: 1 good, -1 bad (n_channels,).
    channel_flag: IntArray
    projectors: tuple[Projector, ...] = ()
    #: (n_meg, n_ref): MEG channels minus ``meg_ref_coef`` times the references.
    meg_ref_coef: FloatArray | None = None
    #: CTF compensation of the samples, and that which reading brings about; None: not of CTF.
    curr_ctf_comp: int | None = None
    dest_ctf_comp: int | None = None
    events: tuple[Event, ...] = ()
    n_avg: int = 1
    #: Time stamp of 0 s, ``'2026-03-04T05:06:07.890'``; empty if unknown.
    t0: str = ""

    @property
    def last(self) -> int:
        """Number of the last sample."""
        return self.first + self.n_samples - 1

    @property
    def good(self) -> IntArray:
        """Rows of the good channels."""
        return np.flatnonzero(self.channel_flag >= 0)

    @property
    def meg(self) -> IntArray:
        """Rows that are compensated."""
        return rows_of(self.types, MEG_TYPES)

    @property
    def references(self) -> IntArray:
        """Rows of the reference sensors."""
        return rows_of(self.types, (_REFERENCE,))

    def events_called(self, label: str) -> Event:
        """Return the events of a name; an error without any lists the names that there are."""
        for event in self.events:
            if event.label == label:
                return event
        known = ", ".join(repr(event.label) for event in self.events) or "none"
        raise ConversionError(f"No events are called {label!r}. There are: {known}.")


def rows_of(
    types: Sequence[str], wanted: Iterable[str], names: Sequence[str] | None = None
) -> IntArray:
    """Return the 0-based rows (n,) of channels of some types, in any case, or names if given.

    ``'MEG'`` are all but the references.
    """
    exact = {name.strip() for name in wanted}
    upper = {name.upper() for name in exact}
    if "MEG" in upper:
        upper |= set(MEG_TYPES)
    return np.array(
        [
            row
            for row, kind in enumerate(upper_types(types))
            if kind in upper or (names is not None and names[row] in exact)
        ],
        dtype=np.int64,
    )


def recording_of_bst(
    opened: BstFile, channels: Channels | None = None, link: Link | None = None
) -> Recording:
    """Return the recording in a ``.bst`` file.

    The types and projectors of the link's channel file count, and the link's events, flags and
    times; without them those of the header.
    """
    header = opened.header
    channels = header.channels if channels is None else channels
    samples = None if link is None else link.samples
    flag = None if link is None else link.channel_flag
    return Recording(
        samples=opened.read,
        sfreq=header.sfreq if link is None or link.sfreq is None else link.sfreq,
        first=header.first_sample if samples is None else samples[0],
        n_samples=header.n_samples,
        names=channels.names,
        types=channels.types,
        channel_flag=header.channel_flag if flag is None else flag,
        projectors=channels.projectors,
        meg_ref_coef=channels.meg_ref_coef,
        curr_ctf_comp=header.ctf_comp,
        dest_ctf_comp=3,
        events=header.events if link is None else link.events,
        n_avg=header.n_avg,
        t0=header.t0,
    )
