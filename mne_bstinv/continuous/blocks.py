"""Epochs and blocks as Brainstorm imports them from a continuous file."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import numpy as np

from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.continuous.reading import Reading, read
from mne_bstinv.continuous.recording import Recording
from mne_bstinv.continuous.segments import bad_segments, segments_of
from mne_bstinv.errors import OptionError
from mne_bstinv.io.bst import cut_name
from mne_bstinv.io.events import Event
from mne_bstinv.io.sampling import round_half_away, sample_numbers

__all__ = ["Block", "event_blocks", "file_name", "load", "time_blocks"]

T = TypeVar("T")

#: Comments give seconds instead of milliseconds from here on.
_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Block:
    """A trial, or a part of one: which samples it is, and what Brainstorm makes of it."""

    #: Name of the event; empty for a block of a range of time.
    label: str
    #: Occurrence of the event, 1-based; 0 for a range of time.
    trial: int
    #: Part of the trial or range, 1-based; 0 if it is whole.
    part: int
    #: Numbers of the first and of the last sample.
    first: int
    last: int
    #: Time of the first sample, s.
    start: float
    #: Samples that the window has before the beginning of the file, and after its end.
    cut: tuple[int, int]
    is_bad: bool
    #: 1 good, -1 bad (n_channels,).
    channel_flag: IntArray
    #: The events in it, times as of the block.
    events: tuple[Event, ...]
    #: Time stamp of 0 s; empty if unknown.
    t0: str
    n_avg: int
    comment: str

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return self.last - self.first + 1


def event_blocks(
    recording: Recording,
    label: str,
    window: tuple[float, float],
    *,
    split: float | None = None,
    ignore_short: bool = True,
) -> tuple[list[Block], list[Block]]:
    """Return the epochs around the occurrences of an event, and those left out as too short.

    ``window`` has the times of the first and last sample of an epoch relative to the occurrence, s;
    extended events last as long as they do, from 0 s on. ``split`` is the duration of the parts
    that each epoch is split into, s. With ``ignore_short`` epochs (parts) that are shorter than the
    longest are left out; of extended events they never are.
    """
    sfreq = recording.sfreq
    before, after = sample_numbers(np.array(window), sfreq).tolist()
    if before > after:
        raise OptionError(f"The window {window} s is empty. Give a start before an end.")
    event = recording.events_called(label)
    blocks: list[Block] = []
    for segment in segments_of(event, sfreq):
        trial = segment.occurrence + 1
        first, last, shift = segment.first + before, segment.first + after, before
        if event.is_extended:
            first, last, shift = segment.first, segment.last, 0
        cut = (max(recording.first - first, 0), max(last - recording.last, 0))
        first, last, shift = first + cut[0], last - cut[1], shift + cut[0]
        if first > last:
            continue
        time = float(event.starts[trial - 1])
        for part, begin, end in _parts(first, last, split, sfreq):
            blocks.append(
                _block(
                    recording,
                    first=begin,
                    last=end,
                    start=(shift + begin - first) / sfreq,
                    label=label,
                    trial=trial,
                    part=part,
                    cut=cut,
                    t0=_later(recording.t0, time),
                    n_avg=1,
                    comment=f"{label} (#{trial}{f'.{part}' if part else ''})",
                )
            )
    longest = max((block.n_samples for block in blocks), default=0)
    drop = ignore_short and not event.is_extended
    return _divided(blocks, longest if drop else 0)


def time_blocks(
    recording: Recording,
    window: tuple[float, float] | None = None,
    *,
    split: float | None = None,
    ignore_short: bool = True,
) -> tuple[list[Block], list[Block]]:
    """Return the blocks of a range of time, times as in the file, and those left out as too short.

    ``window`` has the times of the first and last sample, s; None takes all. ``split`` is the
    duration of the blocks, s; None makes one. With ``ignore_short`` a last block that is shorter
    than the others is left out.
    """
    sfreq = recording.sfreq
    first, last = recording.first, recording.last
    if window is not None:
        first = int(sample_numbers(window[0], sfreq))
        last = first + int(round_half_away((window[1] - window[0]) * sfreq))
    cut = (max(recording.first - first, 0), max(last - recording.last, 0))
    first, last = first + cut[0], last - cut[1]
    if first > last:
        raise OptionError(
            f"The range {window} s has no samples of the file, which is from "
            f"{recording.first / sfreq:g} to {recording.last / sfreq:g} s."
        )
    blocks = [
        _block(
            recording,
            first=begin,
            last=end,
            start=begin / sfreq,
            label="",
            trial=0,
            part=max(part, 1),
            cut=cut,
            t0=recording.t0,
            n_avg=recording.n_avg,
            comment=_range_comment(begin / sfreq, end / sfreq),
        )
        for part, begin, end in _parts(first, last, split, sfreq)
    ]
    return _divided(blocks, blocks[0].n_samples if ignore_short else 0)


def load(recording: Recording, block: Block, reading: Reading) -> FloatArray:
    """Read the samples of a block (n_channels, n_samples), T, T/m or V, baselines in its times."""
    return read(recording, block.first, block.last, reading, start=block.start).f


def file_name(block: Block) -> str:
    """Return the name of a block's file in Brainstorm, such as ``'data_go_trial002.mat'``."""
    if not block.label:
        return f"data_block{block.part:03d}.mat"
    part = f"_block{block.part:03d}" if block.part else ""
    return f"data_{_valid_name(block.label)}_trial{block.trial:03d}{part}.mat"


def _valid_name(label: str) -> str:
    """Return a label without what file names cannot hold."""
    name = re.sub(r"[^A-Za-z0-9\-.()\[\]_@]", "_", label)
    found = re.match(r"(?s)(.*?)___.*___(.*)$", name) or re.match(r"(?s)(.*?)___(.*)$", name)
    if found is None:
        return name
    before, after = found.groups()
    return f"{before}_{after}" if after else before


def _divided(blocks: list[Block], n_least: int) -> tuple[list[Block], list[Block]]:
    """Return the blocks with so many samples at least, and the others."""
    kept = [block for block in blocks if block.n_samples >= n_least]
    return kept, [block for block in blocks if block.n_samples < n_least]


def _parts(
    first: int, last: int, split: float | None, sfreq: float
) -> Iterator[tuple[int, int, int]]:
    """Yield number, first and last sample of each part; number 0 if it is the whole."""
    n = last - first + 1
    size = n if split is None else int(round_half_away(split * sfreq))
    if size < 1:
        raise OptionError(f"Parts of {split} s have no samples at {sfreq:g} Hz. Give more.")
    if size >= n:
        yield 0, first, last
        return
    for part, begin in enumerate(range(first, last + 1, size), start=1):
        yield part, begin, min(begin + size - 1, last)


def _block(recording: Recording, *, first: int, last: int, start: float, **values: object) -> Block:
    """Return a block with its flags and events."""
    flag, is_bad = recording.channel_flag.copy(), False
    cut = [cut_name(name) for name in recording.names]  # as files keep them
    for segment in bad_segments(recording.events, recording.sfreq):
        if not segment.overlaps(first, last):
            continue
        if segment.channels:
            flag[np.isin(cut, [cut_name(name) for name in segment.channels])] = -1
        else:
            is_bad = True
    events = tuple(_events_within(recording, first, last, start))
    return Block(
        first=first,
        last=last,
        start=start,
        is_bad=is_bad,
        channel_flag=flag,
        events=events,
        **values,  # type: ignore[arg-type]
    )


def _events_within(recording: Recording, first: int, last: int, start: float) -> Iterator[Event]:
    """Yield the events with occurrences in the block, in its times."""
    sfreq = recording.sfreq
    for event in recording.events:
        found = [s for s in segments_of(event, sfreq) if s.overlaps(first, last)]
        if not found:
            continue
        inside = [segment.occurrence for segment in found]
        ends = np.array([[max(s.first, first), min(s.last, last)] for s in found]).T
        # times of samples are multiples of the sampling interval
        times = sample_numbers((ends - first) / sfreq + start, sfreq) / sfreq
        yield dataclasses.replace(
            event,
            times=times if event.is_extended else times[:1],
            epochs=np.ones(len(inside), np.int64),
            channels=_chosen(event.channels, inside),
            notes=_chosen(event.notes, inside),
            react_times=None if event.react_times is None else event.react_times[inside],
        )


def _chosen(values: tuple[T, ...] | None, inside: list[int]) -> tuple[T, ...] | None:
    chosen = tuple(values[i] for i in inside) if values is not None else ()
    return chosen if any(chosen) else None


def _range_comment(begin: float, end: float) -> str:
    if end > _SECONDS:
        return f"Raw ({begin:1.2f}s,{end:1.2f}s)"
    return f"Raw ({round_half_away(1000 * begin)}ms,{round_half_away(1000 * end)}ms)"


def _later(t0: str, seconds: float) -> str:
    """Return a time stamp so many seconds later; empty if there is none."""
    try:
        moment = datetime.fromisoformat(t0) + timedelta(seconds=seconds)
    except (ValueError, OverflowError):
        return ""
    return moment.isoformat(timespec="milliseconds")
