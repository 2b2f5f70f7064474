"""How Brainstorm reads samples of a continuous file: compensation, projectors, baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.continuous.recording import Recording, rows_of
from mne_bstinv.errors import OptionError
from mne_bstinv.inverse.projectors import projection_operator
from mne_bstinv.io.sampling import sample_times

__all__ = ["Read", "Reading", "projector_on_the_fly", "read"]

#: Types whose mean is never removed.
_NO_BASELINE = ("STIM", "VIDEO", "SYSCLOCK")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What is done to samples on the way from the file."""

    #: Whether projectors of Status 1 are applied.
    projectors: bool = True
    #: Whether CTF data get their compensation.
    compensation: bool = True
    #: Whether the mean is removed: ``None`` not, ``'all'`` of all samples read, or of times in s.
    baseline: tuple[float, float] | str | None = None
    #: Types or names of the channels whose mean is removed; none for all.
    baseline_types: tuple[str, ...] = ()


class Read(NamedTuple):
    """Samples (n_channels, n), their times (n,) in s, and what was not done."""

    f: FloatArray
    times: FloatArray
    notes: tuple[str, ...] = ()


def read(
    recording: Recording,
    first: int,
    last: int,
    reading: Reading,
    *,
    rows: IntArray | Sequence[int] | None = None,
    start: float | None = None,
) -> Read:
    """Read samples ``first`` to ``last`` as Brainstorm does, of some rows or of all channels.

    ``start`` is the time of the first sample, s; None counts as the file does.
    """
    if not recording.first <= first <= last <= recording.last:
        raise OptionError(
            f"Samples {first} to {last} are asked for, which must be within {recording.first} to "
            f"{recording.last}."
        )
    f = recording.samples(first - recording.first, last + 1 - recording.first)
    notes: list[str] = []
    if reading.compensation:
        _compensate(f, recording, notes)
    selected = np.arange(len(f)) if rows is None else np.asarray(rows, dtype=np.int64)
    if reading.projectors:
        f = _project(f, recording, selected, notes)
    f = f[selected] if rows is not None else f
    times = sample_times(first, f.shape[1], recording.sfreq)
    if start is not None:
        times = times - times[0] + start
    _remove_mean(f, times, recording, selected, reading)
    return Read(f, times, tuple(notes))


def _compensate(f: FloatArray, recording: Recording, notes: list[str]) -> None:
    """Subtract what the reference sensors predict, in place."""
    coefficients, current = recording.meg_ref_coef, recording.curr_ctf_comp
    if coefficients is None or current is None or current == recording.dest_ctf_comp:
        return
    meg, references = recording.meg, recording.references
    if coefficients.shape != (len(meg), len(references)):
        notes.append(
            f"MegRefCoef is {coefficients.shape}, expected one row for each of {len(meg)} MEG "
            f"channels and one column for each of {len(references)} references: not compensated"
        )
        return
    f[meg] -= coefficients @ f[references]


def projector_on_the_fly(recording: Recording) -> FloatArray | None:
    """Return the operator of the projectors of Status 1 (n_channels, n_channels); None if none.

    Rows and columns of bad channels are those of the identity.
    """
    n = len(recording.names)
    operator = projection_operator([p for p in recording.projectors if p.status == 1], n)
    if operator is None:
        return None
    operator = operator.copy()
    bad = recording.channel_flag < 0
    operator[bad] = 0
    operator[:, bad] = 0
    operator[bad, bad] = 1
    return operator


def _project(f: FloatArray, recording: Recording, rows: IntArray, notes: list[str]) -> FloatArray:
    """Apply the projectors, if all channels that the rows need are among them."""
    operator = projector_on_the_fly(recording)
    if operator is None:
        return f
    needed = np.flatnonzero(operator[rows].any(axis=0))
    if np.setdiff1d(needed, rows).size:
        notes.append("channels that the projectors need are not read: projectors are not applied")
        return f
    return operator @ f


def _remove_mean(
    f: FloatArray, times: FloatArray, recording: Recording, rows: IntArray, reading: Reading
) -> None:
    """Subtract the mean of each row over the baseline, in place."""
    if reading.baseline is None:
        return
    within = np.ones(len(times), bool)
    if not isinstance(reading.baseline, str):
        begin, end = reading.baseline
        within = (times >= begin) & (times <= end)
    if not within.any():
        return
    wanted = ~np.isin(np.arange(len(recording.types)), rows_of(recording.types, _NO_BASELINE))
    if reading.baseline_types:
        chosen = rows_of(recording.types, reading.baseline_types, recording.names)
        wanted &= np.isin(np.arange(len(wanted)), chosen)
    affected = np.flatnonzero(wanted[rows])
    f[affected] -= f[affected][:, within].mean(axis=1, keepdims=True)
