"""Signal-space projectors from a continuous recording, as Brainstorm computes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.continuous.reading import Reading, read
from mne_bstinv.continuous.recording import Recording, rows_of
from mne_bstinv.continuous.segments import bad_segments, segments_of
from mne_bstinv.errors import ConversionError, OptionError
from mne_bstinv.io import Projector
from mne_bstinv.io.events import is_bad
from mne_bstinv.io.sampling import sample_numbers, sample_times

__all__ = ["SspOptions", "average_reference", "ssp"]

#: Samples a channel that are needed at least.
_ENOUGH = 10


@dataclass(frozen=True, kw_only=True)
class SspOptions:
    """Of what the projector is computed, and how."""

    #: The event; ``None`` takes the whole recording.
    event: str | None = None
    #: Times around each occurrence, s; extended events last as long as they do.
    window: tuple[float, float] = (-0.2, 0.2)
    #: Types or names of the channels.
    types: tuple[str, ...] = ("MEG",)
    #: ``'pca'``: singular vectors; ``'mean'``: the average at the occurrences.
    method: str = "pca"
    #: Whether the projectors that are there are applied first.
    use_projectors: bool = False
    #: Which singular vectors are removed, 1-based.
    select: tuple[int, ...] = (1,)


def ssp(recording: Recording, options: SspOptions) -> Projector:
    """Compute a signal-space projector: Components (n_channels, k), 0 at other channels, Status 1.

    ``'pca'`` are the left singular vectors of all blocks side by side, each without the mean of its
    channels; ``'mean'`` is the average of the blocks at time 0, of unit norm (Uusitalo & Ilmoniemi
    1997). Which blocks and what is done to them: specification, and projectors that Brainstorm
    computed. Vectors are determined up to their sign.
    """
    if options.method not in ("pca", "mean"):
        raise OptionError(f"method={options.method!r}: expected 'pca' or 'mean'.")
    if options.method == "mean" and options.event is None:
        raise OptionError("method='mean': an average needs an event. Give one.")
    rows = np.intersect1d(rows_of(recording.types, options.types, recording.names), recording.good)
    if not rows.size:
        raise ConversionError(
            f"No good channel of {', '.join(options.types)}. The recording has the types "
            f"{', '.join(dict.fromkeys(recording.types))}."
        )
    blocks, zero = (
        ([_continuous(recording, options)[rows]], 0)
        if options.event is None
        else _around_events(recording, options, rows)
    )
    n = sum(block.shape[1] for block in blocks)
    if n < _ENOUGH * len(rows):
        raise ConversionError(
            f"{n} samples found for {len(rows)} channels, {_ENOUGH * len(rows)} at least expected "
            f"({_ENOUGH} a channel). Take more events or a longer window."
        )
    if options.method == "mean":
        return _mean_projector(recording, rows, blocks, zero)
    return _pca_projector(recording, rows, np.hstack(blocks), options.select)


def _pca_projector(
    recording: Recording, rows: IntArray, data: FloatArray, select: Sequence[int]
) -> Projector:
    # singular vectors and values of many samples through the triangular factor of few rows
    triangle = np.linalg.qr(data.T, mode="r").T
    u, s, _ = np.linalg.svd(triangle, full_matrices=False)
    mask = np.zeros(u.shape[1], np.int64)
    mask[np.array(select, dtype=np.int64) - 1] = 1
    return Projector(
        components=_among_all(recording, rows, u),
        comp_mask=mask,
        sing_val=s,
        status=1,
        method="SSP_pca",
    )


def _mean_projector(
    recording: Recording, rows: IntArray, blocks: Sequence[FloatArray], zero: int
) -> Projector:
    mean = np.mean([block[:, zero] for block in blocks], axis=0)
    return Projector(
        components=_among_all(recording, rows, (mean / np.linalg.norm(mean))[:, None]),
        comp_mask=np.ones(1, np.int64),
        status=1,
        method="SSP_mean",
    )


def _among_all(recording: Recording, rows: IntArray, vectors: FloatArray) -> FloatArray:
    components = np.zeros((len(recording.names), vectors.shape[1]))
    components[rows] = vectors
    return components


def _around_events(
    recording: Recording, options: SspOptions, rows: IntArray
) -> tuple[list[FloatArray], int]:
    """Return the blocks (n_rows, n) around the occurrences, and which sample is at time 0."""
    assert options.event is not None
    event = recording.events_called(options.event)
    before, after = sample_numbers(np.array(options.window), recording.sfreq).tolist()
    bad = [] if is_bad(event.label) else bad_segments(recording.events, recording.sfreq)
    reading = Reading(projectors=options.use_projectors, baseline="all")
    blocks = []
    for segment in segments_of(event, recording.sfreq):
        first, last = segment.first + before, segment.first + after
        if event.is_extended:
            first, last = segment.first, segment.last
        outside = first < recording.first or last > recording.last or first > last
        if outside or any(b.overlaps(first, last) for b in bad):
            continue
        blocks.append(read(recording, first, last, reading).f[rows])
    if not blocks:
        raise ConversionError(
            f"No occurrence of {event.label!r} is in the recording and outside of bad segments."
        )
    return blocks, 0 if event.is_extended else -before


def _continuous(recording: Recording, options: SspOptions) -> FloatArray:
    """Return all samples less their means, without those in bad segments (n_channels, n)."""
    reading = Reading(projectors=options.use_projectors, baseline="all")
    f = read(recording, recording.first, recording.last, reading).f
    times = sample_times(recording.first, recording.n_samples, recording.sfreq)
    bad = np.zeros(len(times), bool)
    for event in recording.events:
        if is_bad(event.label):
            for start, end in zip(event.starts, event.ends, strict=True):
                bad |= (times >= start) & (times <= end)
    return f[:, ~bad]


def average_reference(recording: Recording, kind: str = "EEG") -> Projector:
    """Return the average reference (n_channels, n_channels) of a type of channels.

    It is I − 1/n on the n good channels of the type, the identity elsewhere.
    """
    rows = np.intersect1d(rows_of(recording.types, (kind,)), recording.good)
    if not rows.size:
        raise ConversionError(f"No good channel of the type {kind}: no average reference.")
    operator = np.eye(len(recording.names))
    operator[np.ix_(rows, rows)] -= 1 / len(rows)
    return Projector(components=operator, status=1, method="REF")
