"""The header of ``.bst`` files, in both directions."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mne_bstinv._display import Displayed, few
from mne_bstinv._types import IntArray
from mne_bstinv.errors import SchemaError
from mne_bstinv.io.bst.events import put_events, take_events
from mne_bstinv.io.bst.projectors import put_projectors, take_projectors
from mne_bstinv.io.bst.source import COMMENT, Sink, Source, cut, decode
from mne_bstinv.io.channels import Channel, Channels, HeadPoints
from mne_bstinv.io.events import Event
from mne_bstinv.io.fiducials import SCS
from mne_bstinv.io.sampling import FARTHEST, sample_numbers
from mne_bstinv.io.values import doubles

__all__ = [
    "NEWEST",
    "OLDEST",
    "BstHeader",
    "FoundHeader",
    "cut_name",
    "put_header",
    "take_header",
]

MAGIC = b"BSTBIN"
#: Versions that were ever written.
OLDEST, NEWEST = 49, 54
#: First version with the time stamp of 0 s.
TIME_STAMP = 54
#: Bytes of a name or type of a channel, of a name or type of a head point, of the time stamp.
NAME, POINT, STAMP = 20, 10, 30
#: Bytes of a channel without positions, and of a head point.
_CHANNEL = 2 * NAME + COMMENT + 4
_POINT = np.dtype([("loc", "<f4", 3), ("label", f"S{POINT}"), ("type", f"S{POINT}")])
#: Rates (Hz) from here on are none of recordings.
_FASTEST = 2**31
#: Largest numbers of a byte and of four.
_U8, _U32 = 2**8 - 1, 2**32 - 1


@dataclass(frozen=True, kw_only=True, repr=False)
class BstHeader(Displayed):
    """What a ``.bst`` file says of its samples."""

    #: Sampling frequency, Hz; files hold it in single precision.
    sfreq: float
    #: Time of the first sample, s; files hold it in single precision.
    start: float
    #: Number of samples, of a block of them, and so of channels in :attr:`channels`.
    n_samples: int
    block: int
    #: The sensors, the compensation, the projectors, the head points and the fiducials.
    channels: Channels
    #: 1 good, -1 bad (n_channels,).
    channel_flag: IntArray
    events: tuple[Event, ...] = ()
    device: str = ""
    #: Time stamp of 0 s, ``'2026-03-04T05:06:07.890'``; empty if unknown.
    t0: str = ""
    n_avg: int = 1
    #: CTF compensation of the samples: 0, 1, 2, 3.
    ctf_comp: int = 0
    version: int = NEWEST

    @property
    def first_sample(self) -> int:
        """Number of the first sample: round(start · sfreq)."""
        return int(sample_numbers(self.start, self.sfreq))

    @property
    def n_bytes(self) -> int:
        """Bytes of all samples: full blocks, and the last one up to its last sample."""
        n_full, rest = divmod(self.n_samples, self.block)
        n_channels = len(self.channels)
        last = (n_channels - 1) * self.block + rest if rest else 0
        return 4 * (n_full * self.block * n_channels + last)

    def _summary(self) -> str:
        return (
            f"version {self.version}, {len(self.channels)} channels × {self.n_samples} samples at "
            f"{self.sfreq:g} Hz, {len(self.events)} kinds of events"
        )


class FoundHeader(NamedTuple):
    """A header, where its samples begin, and what is odd about it."""

    header: BstHeader
    offset: int
    notes: tuple[str, ...]


def cut_name(name: str) -> str:
    """Return what a ``.bst`` file keeps of the name of a channel: its first 20 bytes."""
    return decode(cut(name, NAME))


def take_header(source: Source) -> FoundHeader:
    """Read a header; each size is checked against the file before memory is spent on it."""
    header = _take_fields(source)
    samples = header.n_bytes
    events, notes = take_events(source, header.version, lambda end: end + samples == source.size)
    offset = source.position
    expected = offset + samples
    if expected != source.size:
        source.field = "size of the file"
        raise source.fault(
            f"{source.size} bytes ({'longer' if expected < source.size else 'truncated'})",
            f"{expected} bytes, for a header of {offset} bytes, {len(header.channels)} channels × "
            f"{header.n_samples} samples in blocks of {header.block}",
        )
    return FoundHeader(dataclasses.replace(header, events=events), offset, notes)


def _take_fields(source: Source) -> BstHeader:
    """Read all that is before the events."""
    version = _take_version(source)
    source.field = "device"
    device = source.text(COMMENT)
    sfreq, start = _take_times(source)
    source.field = "time stamp"
    t0 = source.text(STAMP) if version >= TIME_STAMP else ""
    source.field = "number of averages"
    n_avg, ctf_comp = source.u32(), source.u8()
    n_samples, block, n_channels = _take_counts(source)
    source.field = "comment"
    comment = source.text(COMMENT)
    pairs = [_take_channel(source, number) for number in range(1, n_channels + 1)]
    source.field = "MegRefCoef"
    compensation = source.matrix()
    return BstHeader(
        sfreq=sfreq,
        start=start,
        n_samples=n_samples,
        block=block,
        channels=Channels(
            comment=comment,
            meg_ref_coef=compensation if compensation.size else None,
            channels=tuple(channel for channel, _ in pairs),
            projectors=take_projectors(source, version),
            head_points=_take_head_points(source),
            scs=_take_fiducials(source),
        ),
        channel_flag=np.array([flag for _, flag in pairs], np.int64),
        device=device,
        t0=t0,
        n_avg=n_avg,
        ctf_comp=ctf_comp,
        version=version,
    )


def _take_version(source: Source) -> int:
    source.field = "format"
    magic = source.take(min(len(MAGIC), source.size))
    if magic != MAGIC:
        raise source.fault(f"{magic!r}", f"{MAGIC!r}, with which a .bst file begins,")
    source.field = "version"
    version = source.u8()
    if not OLDEST <= version <= NEWEST:
        raise source.fault(f"{version}", f"{OLDEST} to {NEWEST}")
    return version


def _take_times(source: Source) -> tuple[float, float]:
    """Read the sampling rate, Hz, and the time of the first sample, s."""
    source.field = "sampling rate"
    sfreq = float(source.floats(1)[0])
    if not 0 < sfreq < _FASTEST:
        raise source.fault(f"{sfreq:g} Hz", f"a frequency above 0 and below {_FASTEST}")
    source.field = "time of the first sample"
    start = float(source.floats(1)[0])
    if not math.isfinite(start) or abs(start * sfreq) > FARTHEST:
        raise source.fault(f"{start:g} s", "a time")
    return sfreq, start


def _take_counts(source: Source) -> tuple[int, int, int]:
    """Read the numbers of samples, samples in a block, and channels: the file has room for all."""
    source.field = "numbers of samples, samples in a block and channels"
    n_samples, block, n_channels = source.unpack("III")
    if not (n_samples and block and n_channels):
        raise source.fault(f"{n_samples}, {block} and {n_channels}", "numbers above 0")
    smallest = 4 * n_samples * n_channels + _CHANNEL * n_channels
    source.need(smallest, f"{n_channels} channels × {n_samples} samples")
    return n_samples, block, n_channels


def _take_channel(source: Source, number: int) -> tuple[Channel, int]:
    """Read a channel and its flag."""
    source.field = f"Channel({number})"
    name, kind, comment = source.text(NAME), source.text(NAME), source.text(COMMENT)
    loc = source.floats(3, source.u8())
    orient = source.floats(3, source.u8())
    weight = source.floats(source.u8())
    channel = Channel(
        name=name,
        type=kind,
        comment=comment,
        loc=loc if loc.size else None,
        orient=orient if orient.size else None,
        weight=weight if weight.size else None,
    )
    return channel, source.i8()


def _take_head_points(source: Source) -> HeadPoints | None:
    source.field = "HeadPoints"
    n = source.u32()
    source.need(n * _POINT.itemsize, f"{n} head points, which")
    if n == 0:
        return None
    points = np.frombuffer(source.take(n * _POINT.itemsize), _POINT)
    return HeadPoints(
        loc=doubles(points["loc"].T),
        label=tuple(decode(label) for label in points["label"].tolist()),
        type=tuple(decode(kind) for kind in points["type"].tolist()),
    )


def _take_fiducials(source: Source) -> SCS | None:
    source.field = "fiducials"
    known = source.i8()
    if known not in (0, 1):
        raise source.fault(f"the flag {known}", "0 or 1")
    if not known:
        return None
    nas, lpa, rpa = source.floats(3), source.floats(3), source.floats(3)
    r = source.floats(3, 3)
    return SCS(nas=nas, lpa=lpa, rpa=rpa, r=r, t=source.floats(3), origin=source.floats(3))


def put_header(header: BstHeader) -> tuple[bytes, tuple[str, ...]]:
    """Return the bytes that the file begins with, and what the format cannot hold."""
    faults = _faults(header)
    if faults:
        raise SchemaError("BstHeader", faults)
    sink = Sink()
    sink.put(MAGIC)
    sink.pack("B", header.version)
    sink.text(header.device, COMMENT, "the device")
    sink.floats([header.sfreq, header.start])
    if header.version >= TIME_STAMP:
        sink.text(header.t0, STAMP, "the time stamp")
    sink.pack("IB", header.n_avg, header.ctf_comp)
    sink.pack("III", header.n_samples, header.block, len(header.channels))
    channels = header.channels
    sink.text(channels.comment, COMMENT, "the comment")
    for channel, flag in zip(channels.channels, header.channel_flag.tolist(), strict=True):
        _put_channel(sink, channel, flag)
    n_cut = sum(len(c.comment.encode()) > COMMENT for c in channels.channels)
    if n_cut:
        sink.notes.append(f"the comments of {n_cut} channels are cut to {COMMENT} bytes")
    sink.matrix(channels.meg_ref_coef)
    put_projectors(sink, channels.projectors, header.version)
    _put_head_points(sink, channels.head_points)
    _put_fiducials(sink, channels.scs)
    put_events(sink, header.events, header.version)
    return sink.content(), tuple(sink.notes)


def _put_channel(sink: Sink, channel: Channel, flag: int) -> None:
    sink.text(channel.name, NAME, "the channel name")
    sink.text(channel.type, NAME, "the channel type")
    sink.put(cut(channel.comment, COMMENT).ljust(COMMENT, b"\0"))
    for points in (channel.loc, channel.orient):
        sink.pack("B", 0 if points is None else points.shape[1])
        sink.floats(points)
    sink.pack("B", 0 if channel.weight is None else len(channel.weight))
    sink.floats(channel.weight)
    sink.pack("b", -1 if flag < 0 else 1)


def _put_head_points(sink: Sink, points: HeadPoints | None) -> None:
    if points is None or points.loc is None:
        sink.pack("I", 0)
        return
    sink.pack("I", points.loc.shape[1])
    for loc, label, kind in zip(points.loc.T, points.label, points.type, strict=True):
        sink.floats(loc)
        sink.text(label, POINT, "the label of a head point:")
        sink.text(kind, POINT, "the type of a head point:")


def _put_fiducials(sink: Sink, scs: SCS | None) -> None:
    parts = [] if scs is None else [scs.nas, scs.lpa, scs.rpa, scs.r, scs.t, scs.origin]
    known = [part for part in parts if part is not None]
    complete = len(known) == 6
    if known and not complete:
        sink.notes.append("the fiducials are left out: the format holds all of SCS or none")
    sink.pack("b", int(complete))
    for part in known if complete else ():
        sink.floats(part)


def _faults(header: BstHeader) -> list[str]:
    """Say what the format cannot hold at all."""
    n = len(header.channels)
    checks = [
        (OLDEST <= header.version <= NEWEST, "version", header.version, f"{OLDEST} to {NEWEST}"),
        (0 < header.sfreq < _FASTEST, "sfreq", header.sfreq, f"above 0 and below {_FASTEST} Hz"),
        (_single(header.start), "start", header.start, "a time"),
        (0 < header.n_samples <= _U32, "n_samples", header.n_samples, f"1 to {_U32}"),
        (0 < header.block <= _U32, "block", header.block, f"1 to {_U32}"),
        (n > 0, "channels", n, "one at least"),
        (len(header.channel_flag) == n, "channel_flag", len(header.channel_flag), f"{n} flags"),
        (0 <= header.n_avg <= _U32, "n_avg", header.n_avg, f"0 to {_U32}"),
        (0 <= header.ctf_comp <= _U8, "ctf_comp", header.ctf_comp, f"0 to {_U8}"),
    ]
    faults = [f"{name}: {found} found, {expected} expected" for ok, name, found, expected in checks
              if not ok]  # fmt: skip
    return (
        faults
        + [
            f"Channel {channel.name}: {size} points found, at most {_U8} expected"
            for channel in header.channels.channels
            if (size := _largest(channel)) > _U8
        ]
        + _repeated([cut_name(name) for name in header.channels.names])
    )


def _single(value: float) -> bool:
    """Tell whether a number is finite in single precision."""
    return abs(value) <= float(np.finfo(np.float32).max)


def _largest(channel: Channel) -> int:
    return max(
        0 if channel.loc is None else channel.loc.shape[1],
        0 if channel.orient is None else channel.orient.shape[1],
        0 if channel.weight is None else len(channel.weight),
    )


def _repeated(names: Sequence[str]) -> list[str]:
    twice = sorted({name for name in names if names.count(name) > 1})
    if not twice:
        return []
    return [f"Channel.Name: {few(twice)} found more than once in {NAME} bytes, names that "
            "differ expected"]  # fmt: skip
