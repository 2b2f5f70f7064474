"""What Brainstorm knows of a continuous file: the struct F of ``data_0raw_*.mat``."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.io.checks import flags, ordered, positive
from mne_bstinv.io.events import Event
from mne_bstinv.io.kinds import Raw, Scalar, Vector
from mne_bstinv.io.sampling import FARTHEST, sample_numbers
from mne_bstinv.io.schema import Structure, declare
from mne_bstinv.io.stored_paths import normalise
from mne_bstinv.io.text import Nested, NestedArray, Text

__all__ = ["Link", "LinkEpoch", "LinkProperties"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class LinkProperties(Structure):
    """Times and state of the recording."""

    #: Times of the first and of the last sample (2,), s.
    times: FloatArray | None = field(
        default=None, metadata=declare("times", Vector(2), ordered, unit="s", essential=True)
    )
    #: Sampling frequency.
    sfreq: float | None = field(
        default=None, metadata=declare("sfreq", Scalar(), positive, unit="Hz")
    )
    n_avg: int = field(default=1, metadata=declare("nAvg", Scalar(int), positive))
    #: CTF compensation of the file (0, 1, 2, 3); None if unknown or not of CTF.
    curr_ctf_comp: int | None = field(default=None, metadata=declare("currCtfComp", Scalar(int)))
    #: CTF compensation that reading brings about.
    dest_ctf_comp: int | None = field(default=None, metadata=declare("destCtfComp", Scalar(int)))

    def _summary(self) -> str:
        return f"{self.sfreq} Hz, {self.times} s"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class LinkEpoch(Structure):
    """One epoch of a file that holds epochs."""

    label: str = field(default="", metadata=declare("label", Text()))
    #: Times of its first and last sample (2,), s.
    times: FloatArray | None = field(
        default=None, metadata=declare("times", Vector(2), ordered, unit="s")
    )
    n_avg: int = field(default=1, metadata=declare("nAvg", Scalar(int), positive))
    select: int | None = field(default=None, metadata=declare("select", Scalar(int)))
    #: 1 if the whole epoch is bad.
    bad: int | None = field(default=None, metadata=declare("bad", Scalar(int)))
    #: 1 good, -1 bad (n_channels,).
    channel_flag: IntArray | None = field(
        default=None,
        metadata=declare("channelflag", Vector(column=True, dtype="int64"), flags),
    )

    def _summary(self) -> str:
        return f"{self.label}, {self.times} s"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Link(Structure):
    """A link to a continuous file: where it is, what is in it, and its events."""

    #: Path of the file, on the computer that made the link.
    filename: str = field(default="", metadata=declare("filename", Text(), essential=True))
    #: ``'BST-BIN'``, ``'FIF'``, ``'CTF'`` ...
    format: str = field(default="", metadata=declare("format", Text(), essential=True))
    device: str | None = field(default=None, metadata=declare("device", Text()))
    condition: str | None = field(default=None, metadata=declare("condition", Text()))
    comment: str | None = field(default=None, metadata=declare("comment", Text()))
    #: ``'l'`` (little) or ``'b'`` (big).
    byteorder: str | None = field(default=None, metadata=declare("byteorder", Text()))
    prop: LinkProperties | None = field(
        default=None, metadata=declare("prop", Nested(LinkProperties), essential=True)
    )
    #: The epochs of a file that holds epochs; none for a continuous one.
    epochs: tuple[LinkEpoch, ...] = field(
        default=(), metadata=declare("epochs", NestedArray(LinkEpoch))
    )
    events: tuple[Event, ...] = field(default=(), metadata=declare("events", NestedArray(Event)))
    #: What the reader of the format keeps; raw.
    header: Any = field(default=None, metadata=declare("header", Raw()))
    #: 1 good, -1 bad (n_channels,).
    channel_flag: IntArray | None = field(
        default=None,
        metadata=declare("channelflag", Vector(column=True, dtype="int64"), flags),
    )
    acq_date: Any = field(default=None, metadata=declare("acq_date", Raw()))
    #: Time stamp of 0 s, ``'2026-03-04T05:06:07.890'``.
    t0: str | None = field(default=None, metadata=declare("t0", Text(absent="double")))

    @property
    def base_name(self) -> str:
        """Name of the file without its folders, whichever system wrote the path."""
        return normalise(self.filename).name

    @property
    def sfreq(self) -> float | None:
        """Sampling frequency, Hz; None if unknown or no frequency."""
        sfreq = None if self.prop is None else self.prop.sfreq
        return sfreq if sfreq is not None and math.isfinite(sfreq) and sfreq > 0 else None

    @property
    def samples(self) -> tuple[int, int] | None:
        """Numbers of the first and of the last sample; None if unknown or too far."""
        if self.prop is None or self.prop.times is None or self.sfreq is None:
            return None
        if not all(abs(time * self.sfreq) < FARTHEST for time in self.prop.times.tolist()):
            return None
        first, last = sample_numbers(self.prop.times, self.sfreq).tolist()
        return first, last

    def _summary(self) -> str:
        samples, sfreq = self.samples, self.sfreq
        text = f"{self.format} {self.base_name}"
        if samples is not None and sfreq is not None:
            text += f", {(samples[1] - samples[0] + 1) / sfreq:g} s at {sfreq:g} Hz"
        return f"{text}, {len(self.events)} kinds of events"
