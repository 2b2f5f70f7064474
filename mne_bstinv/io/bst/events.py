"""The events of ``.bst`` files, in both directions.

Brainstorm's writer leaves out the two flags of channels and notes for a category without
occurrences, and the twelve bytes of an empty colour; its reader expects both, so that it takes all
that follows from the wrong place. Here every way to read the events is tried in turn, what
Brainstorm writes first, until the samples that follow fill the file exactly.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.errors import RecordingFileError
from mne_bstinv.io.bst.source import Sink, Source
from mne_bstinv.io.events import Event, Names

__all__ = ["FoundEvents", "put_events", "take_events"]

#: First versions with: labels of any length, channels and notes, flags before both.
LONG_LABELS, CHANNELS, FLAGS = 50, 51, 52

#: Smallest size of a category: length of the label, kind, number of occurrences.
_SMALLEST = 6
#: How many readings of categories are tried at most, beyond some for each.
_TRIALS = 1000


class FoundEvents(NamedTuple):
    """Events, and what is odd about how they are stored."""

    events: tuple[Event, ...]
    notes: tuple[str, ...]


class _Reading(NamedTuple):
    """One way to read a category: what it is, where it ends, and the readings before it."""

    event: Event | None
    end: int
    note: str = ""
    before: _Reading | None = None


def take_events(source: Source, version: int, fits: Callable[[int], bool]) -> FoundEvents:
    """Read the events such that the samples after them fill the file, as ``fits(end)`` tells."""
    source.field = "events"
    n = source.u32()
    source.need(n * _SMALLEST, f"{n} categories, which")
    plain = _search(source, n, version, fits)
    source.position = plain.end
    chain = _unfold(plain)
    return FoundEvents(
        tuple(reading.event for reading in chain if reading.event is not None),
        tuple(reading.note for reading in chain if reading.note),
    )


def _search(source: Source, n: int, version: int, fits: Callable[[int], bool]) -> _Reading:
    """Return the last category of the first reading of all ``n`` that fits the file.

    If none does, that of the plain reading: what comes after says what is wrong with the file.
    """
    reading = _Reading(None, source.position)
    if n == 0:
        return reading
    pending = [_readings(source, reading, 0, version)]
    tried: set[tuple[int, int]] = set()
    plain: _Reading | None = None
    first_error: RecordingFileError | None = None
    while pending:
        try:
            reading = next(pending[-1])
        except (StopIteration, RecordingFileError) as error:
            if isinstance(error, RecordingFileError):
                first_error = first_error or error
            pending.pop()
            continue
        index = len(pending)
        if index == n:
            if fits(reading.end):
                return reading
            plain = plain or reading
        elif (index, reading.end) not in tried and len(tried) < 4 * n + _TRIALS:
            tried.add((index, reading.end))
            pending.append(_readings(source, reading, index, version))
    if plain is None:
        raise first_error or source.fault("nothing that can be read", f"{n} categories")
    return plain


def _unfold(last: _Reading) -> list[_Reading]:
    chain = []
    reading: _Reading | None = last
    while reading is not None:
        chain.append(reading)
        reading = reading.before
    return chain[::-1]


def _readings(source: Source, before: _Reading, index: int, version: int) -> Iterator[_Reading]:
    """Yield the ways to read a category, the likely first."""
    source.field = f"events({index + 1})"
    source.position = before.end
    label = source.text(20 if version < LONG_LABELS else source.u8())
    begin, error = source.position, None
    for has_color in (True, False):
        source.position = begin
        source.field = f"events({index + 1}) {label!r}"
        try:
            color = source.floats(3) if has_color else None
            yield from _after_color(source, before, label, color, version)
        except RecordingFileError as raised:
            error = error or raised
    if error is not None:
        raise error


def _after_color(
    source: Source, before: _Reading, label: str, color: FloatArray | None, version: int
) -> Iterator[_Reading]:
    """Yield the readings that remain when the colour is read."""
    extended, n = source.unpack("bI")
    if extended not in (0, 1):
        raise source.fault(f"the kind {extended}", "0 (simple) or 1 (extended)")
    times = source.floats(extended + 1, n)
    event = Event(
        label=label,
        color=color,
        epochs=np.ones(n, np.int64) if n else None,
        times=times if n else None,
        select=1,
    )
    odd = () if color is not None else (f"category {label!r} has no colour",)
    if n == 0:
        end = source.position
        without = (*odd, f"category {label!r} has no occurrence")
        yield _Reading(event, end, _misread(without, version), before)
        source.position = end
        if version < FLAGS or source.unpack("BB") != (0, 0):
            return
    elif version >= CHANNELS:
        channels, texts = _lists(source, n, version)
        event = dataclasses.replace(event, channels=channels, notes=texts)
    yield _Reading(event, source.position, _misread(odd, version), before)


def _misread(notes: Sequence[str], version: int) -> str:
    harmless = version < FLAGS and all("colour" not in note for note in notes)
    if not notes or harmless:
        return ""
    return (
        f"{' and '.join(notes)}: Brainstorm itself reads all that follows, the samples too, from "
        "the wrong place; here it is read from the right one"
    )


def _lists(source: Source, n: int, version: int) -> tuple[Names | None, tuple[str, ...] | None]:
    """Read channels and notes of n occurrences."""
    channels: Names | None = None
    notes: tuple[str, ...] | None = None
    if _present(source, version):
        source.need(2 * n)
        channels = tuple(
            tuple(source.text(source.u8()) for _ in range(source.unpack("H")[0])) for _ in range(n)
        )
    if _present(source, version):
        source.need(2 * n)
        notes = tuple(source.text(source.unpack("H")[0]) for _ in range(n))
    return (channels if channels and any(channels) else None), (
        notes if notes and any(notes) else None
    )


def _present(source: Source, version: int) -> bool:
    if version < FLAGS:
        return True
    flag = source.u8()
    if flag not in (0, 1):
        raise source.fault(f"the flag {flag}", "0 or 1")
    return flag == 1


def put_events(sink: Sink, events: Sequence[Event], version: int) -> None:
    """Write the events, without those that do not occur, and note what the file cannot hold."""
    written = [event for event in events if event.n_occurrences]
    lost = [event.label for event in events if not event.n_occurrences]
    if lost:
        sink.notes.append(
            f"events without an occurrence are left out, since Brainstorm would misread the file: "
            f"{', '.join(lost)}"
        )
    sink.pack("I", len(written))
    for event in written:
        _put_event(sink, event, version)


def _put_event(sink: Sink, event: Event, version: int) -> None:
    if version < LONG_LABELS:
        sink.text(event.label, 20, "the label")
    else:
        sink.counted(event.label, "B", f"the label {event.label[:20]!r}…")
    sink.floats([0.0, 1.0, 0.0] if event.color is None else event.color)
    sink.pack("bI", int(event.is_extended), event.n_occurrences)
    sink.floats(event.times)
    lost = [
        name
        for name, value in (("reactTimes", event.react_times), ("hedTags", event.hed_tags))
        if value is not None and np.size(value)
    ]
    if lost:
        sink.notes.append(f"event {event.label!r}: no place for {', '.join(lost)}")
    if version >= CHANNELS:
        _put_channels(sink, event, version)
        _put_notes(sink, event, version)


def _put_channels(sink: Sink, event: Event, version: int) -> None:
    if version >= FLAGS:
        sink.pack("B", int(event.channels is not None))
    if event.channels is None and version >= FLAGS:
        return
    for index in range(event.n_occurrences):
        names = event.channels_of(index)
        sink.pack("H", len(names))
        for name in names:
            sink.counted(name, "B", f"event {event.label!r}: the name {name[:20]!r}…")


def _put_notes(sink: Sink, event: Event, version: int) -> None:
    if version >= FLAGS:
        sink.pack("B", int(event.notes is not None))
    if event.notes is None and version >= FLAGS:
        return
    for index in range(event.n_occurrences):
        sink.counted(event.note_of(index), "H", f"event {event.label!r}: a note")
