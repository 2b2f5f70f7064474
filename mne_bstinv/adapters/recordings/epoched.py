"""Files of epochs, which MNE reads as one recording: where their events are in it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from mne_bstinv import io
from mne_bstinv._types import FloatArray
from mne_bstinv.adapters.recordings.events import Clock
from mne_bstinv.conversion import Findings
from mne_bstinv.io.sampling import round_half_away

__all__ = ["events_in_one", "is_epoched"]

#: What epochs are called that are bad as a whole.
_BAD_EPOCH = "BAD_epoch"


def is_epoched(link: io.Link) -> bool:
    """Tell whether the file of a link holds several epochs."""
    return len(link.epochs) > 1


def events_in_one(link: io.Link, clock: Clock, findings: Findings) -> tuple[io.Event, ...]:
    """Return the events of a link at their times in the recording of all epochs, one by one.

    The times of a link count within each epoch. Bad epochs become events of their own.
    """
    if not is_epoched(link):
        return link.events
    places = _places(link, clock)
    if places is None:
        findings.assumed(
            "F.epochs",
            f"{len(link.epochs)} epochs by the link, which do not make the {clock.n} samples of "
            "the file: the times of events are taken as those of the whole",
        )
        return link.events
    findings.derived(
        "F.events", f"the file holds {len(link.epochs)} epochs: placed in one recording of them all"
    )
    moved = (_moved(event, places, findings) for event in link.events)
    return (*(event for event in moved if event is not None), *_bad_epochs(link, places, clock))


def _places(link: io.Link, clock: Clock) -> FloatArray | None:
    """Return what to add to the times of each epoch and where it ends (2, n_epochs), s.

    None if the epochs are not all samples of the file.
    """
    times = [epoch.times for epoch in link.epochs]
    known = [one for one in times if one is not None]
    if len(known) < len(times) or not np.isfinite(known).all():
        return None
    spans: FloatArray = np.array(known)
    sizes = round_half_away((spans[:, 1] - spans[:, 0]) * clock.sfreq) + 1
    if sizes.min() < 1 or sizes.sum() != clock.n:
        return None
    ends = np.cumsum(sizes)
    begins = clock.start + (ends - sizes) / clock.sfreq
    return np.stack([begins - spans[:, 0], clock.start + (ends - 1) / clock.sfreq])


def _moved(event: io.Event, places: FloatArray, findings: Findings) -> io.Event | None:
    """Return an event in the whole, without occurrences in epochs that there are not."""
    if event.times is None or event.epochs is None:
        return event
    n_epochs = places.shape[1]
    kept = np.flatnonzero((event.epochs >= 1) & (event.epochs <= n_epochs))
    if len(kept) < event.n_occurrences:
        findings.dropped(
            "F.events",
            f"{event.label}: {event.n_occurrences - len(kept)} in epochs that there are not (1 to "
            f"{n_epochs})",
        )
    if not kept.size:
        return None
    return dataclasses.replace(
        event,
        times=event.times[:, kept] + places[0, event.epochs[kept] - 1],
        epochs=np.ones(len(kept), np.int64),
        channels=None if event.channels is None else tuple(event.channels[i] for i in kept),
        notes=None if event.notes is None else tuple(event.notes[i] for i in kept),
        react_times=None if event.react_times is None else event.react_times[kept],
    )


def _bad_epochs(link: io.Link, places: FloatArray, clock: Clock) -> Iterator[io.Event]:
    """Yield the event of all epochs that are bad as a whole."""
    bad = [index for index, epoch in enumerate(link.epochs) if epoch.bad]
    if not bad:
        return
    ends = places[1]
    begins = np.concatenate([[clock.start], ends[:-1] + 1 / clock.sfreq])
    yield io.Event(
        label=_BAD_EPOCH,
        epochs=np.ones(len(bad), np.int64),
        times=np.stack([begins[bad], ends[bad]]),
        select=1,
    )
