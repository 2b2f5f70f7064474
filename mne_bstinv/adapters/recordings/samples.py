"""Rows of recordings ⇄ channels of an Info."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mne_bstinv import io
from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.adapters.channel_names import match_channel_names
from mne_bstinv.adapters.kept import kept_of
from mne_bstinv.adapters.sensors import of_unit, to_info
from mne_bstinv.conversion import ConversionReport, Findings
from mne_bstinv.errors import ConversionError

__all__ = [
    "RecordedChannels",
    "bad_in_any_file",
    "bare",
    "checksum",
    "flags_of",
    "info_of",
    "kept_recordings",
    "layout_of",
    "report_fields",
    "samples_of",
]

#: Fields of recordings without a place in MNE: attribute, MATLAB name.
_NOT_EXPRESSED = {
    "std": "Std",
    "colormap_type": "ColormapType",
    "display_units": "DisplayUnits",
    "history": "History",
}


@dataclass(frozen=True)
class RecordedChannels:
    """An Info with the bad channels, and which rows of F its channels are."""

    info: Any
    index: IntArray


def samples_of(recordings: io.Recordings, channels: io.Channels) -> FloatArray:
    """Return F, or say why there is none."""
    if recordings.f is None:
        raise ConversionError(
            f"{recordings.comment or 'The recordings'} is a link to a continuous file, without "
            "samples in it: read it with read_raw_brainstorm, or import the recordings in "
            "Brainstorm."
        )
    if len(recordings.f) != len(channels):
        raise ConversionError(
            f"The recordings have {len(recordings.f)} channels, the channel file {len(channels)}: "
            "not of one study. Take all files from one study."
        )
    return recordings.f


def info_of(
    channels: io.Channels,
    flags: Sequence[IntArray | None],
    sfreq: float,
    *,
    info: Any,
    mri: io.Mri | None,
    display_units: Any = None,
    findings: Findings,
) -> RecordedChannels:
    """Return the Info of recordings, made or given, with the channels that are bad anywhere."""
    bad = np.zeros(len(channels), dtype=bool)
    for flag in flags:
        if flag is not None:
            bad |= np.asarray(flag) < 0
    flag = np.where(bad, -1, 1)
    if info is None:
        made = to_info(channels, sfreq=sfreq, channel_flag=flag, mri=mri)
        of_unit(made, display_units)
        return RecordedChannels(made, np.arange(len(channels)))
    index = match_channel_names(info["ch_names"], channels.names)
    lost = np.setdiff1d(np.arange(len(channels)), index)
    if lost.size:
        listed = ", ".join(channels.names[i] for i in lost)
        findings.dropped("F", f"channels that the given Info does not have: {listed}")
    given = info.copy()
    bads = set(given["bads"]) | {
        name for name, i in zip(given["ch_names"], index, strict=True) if bad[i]
    }
    given["bads"] = [name for name in given["ch_names"] if name in bads]
    of_unit(given, display_units)
    return RecordedChannels(given, index)


def report_fields(recordings: io.Recordings, findings: Findings) -> None:
    """Note the fields that MNE has no place for."""
    lost = [name for field, name in _NOT_EXPRESSED.items() if _holds(getattr(recordings, field))]
    lost += list(recordings.extra)
    if lost:
        findings.dropped(
            ", ".join(lost), "MNE has no place for these of recordings; kept in the report"
        )


def bare(recordings: io.Recordings) -> io.Recordings:
    """Return the recordings without samples, to be kept."""
    return dataclasses.replace(recordings, f=None)


def checksum(samples: FloatArray) -> int:
    """Return a number that tells whether samples changed."""
    return zlib.crc32(np.ascontiguousarray(samples).tobytes())


@dataclass(frozen=True)
class Layout:
    """Which rows of a file the channels of an MNE object are."""

    #: Names of the rows.
    names: tuple[str, ...]
    #: Row of each channel.
    index: IntArray

    def fill(self, samples: FloatArray) -> FloatArray:
        """Return all rows; zeros for those that the object lacks."""
        filled = np.zeros((len(self.names), samples.shape[1]))
        filled[self.index] = samples
        return filled


def layout_of(
    ch_names: Sequence[str],
    channels: io.Channels | None,
    report: ConversionReport,
    findings: Findings,
) -> Layout:
    """Lay out rows as the channel file does, else as the recordings they came from did."""
    kept = kept_of(report).get("channel_names")
    if channels is not None:
        names = channels.names
    elif kept is not None and set(ch_names) <= set(kept):
        names = tuple(kept)
    else:
        names = tuple(ch_names)
    layout = Layout(names, match_channel_names(ch_names, names))
    lost = np.setdiff1d(np.arange(len(names)), layout.index)
    if lost.size:
        listed = ", ".join(names[i] for i in lost)
        findings.assumed("F", f"zeros, flagged bad, for channels without samples: {listed}")
    return layout


def flags_of(layout: Layout, inst: Any, kept: io.Recordings | None, bad_in_any: Any) -> IntArray:
    """Return ChannelFlag; the kept one where the bad channels are still those it led to.

    ``bad_in_any`` are the bad channels of all files that went into ``inst``, if several did.
    """
    bads = set(inst.info["bads"])
    flag = np.full(len(layout.names), -1, dtype=np.int64)
    flag[layout.index] = [-1 if name in bads else 1 for name in inst.ch_names]
    if kept is None:
        return flag
    before = np.ones_like(flag) if kept.channel_flag is None else kept.channel_flag
    if len(before) != len(flag):
        return flag
    expected = before < 0 if bad_in_any is None else bad_in_any
    return before if np.array_equal(expected, flag < 0) else flag


def bad_in_any_file(files: Sequence[io.Recordings]) -> Any:
    """Return which channels are bad in one file or another, None if no file tells."""
    flags = [r.channel_flag < 0 for r in files if r.channel_flag is not None]
    return np.any(flags, axis=0) if flags else None


def kept_recordings(report: ConversionReport) -> list[io.Recordings]:
    """Return the recordings that an object was converted from."""
    kept = kept_of(report).get("recordings", ())
    return [kept] if isinstance(kept, io.Recordings) else list(kept)


def _holds(value: Any) -> bool:
    return bool(value) if isinstance(value, str | tuple | None) else bool(np.size(value))
