"""MNE's channels as the sensors of a channel file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import mne
import numpy as np
from mne.io.constants import FIFF

from mne_bstinv import io
from mne_bstinv._types import FloatArray
from mne_bstinv.adapters.sensors.coils import Coil, CoilDefinition, coil_definitions
from mne_bstinv.adapters.sensors.optodes import FNIRS, optodes_from
from mne_bstinv.adapters.sensors.types import PLACED, brainstorm_type, mne_type
from mne_bstinv.conversion import Findings
from mne_bstinv.frames import transform_points

__all__ = ["Frames", "channel_from"]

_ONE = np.ones(1)


@dataclass(frozen=True, eq=False)
class Frames:
    """The transforms of an Info."""

    #: Head → SCS, shape (4, 4).
    head_to_scs: FloatArray
    #: Device → head, shape (4, 4).
    device_to_head: FloatArray
    #: SCS of the channels that the Info was made of → SCS, (4, 4); None where it is the same.
    scs_to_scs: FloatArray | None = None

    def to_scs(self, coord_frame: int) -> FloatArray | None:
        """Return the transform (4, 4) to SCS of one of MNE's frames; None for other frames."""
        if coord_frame == FIFF.FIFFV_COORD_DEVICE:
            matrix: FloatArray = self.head_to_scs @ self.device_to_head
            return matrix
        if coord_frame in (FIFF.FIFFV_COORD_HEAD, FIFF.FIFFV_COORD_UNKNOWN):
            return self.head_to_scs
        return None


def channel_from(
    info: mne.Info,
    index: int,
    frames: Frames,
    known: Mapping[str, io.Channel],
    coils: Mapping[str, Coil],
    findings: Findings,
) -> io.Channel:
    """Make the sensor at one index of an Info, its points in metres in SCS.

    ``known`` are the sensors that the Info was made of and ``coils`` their integration points
    in the frame of the coil, both by name.
    """
    ch = info["chs"][index]
    name, kind = ch["ch_name"], mne.channel_type(info, index)
    original = known.get(name)
    if original is not None and not _same_type(original, kind):
        original = None
    if kind in ("mag", "grad", "ref_meg"):
        return _coil(ch, kind, frames, original, coils.get(name), findings)
    if kind in FNIRS:
        pair = optodes_from(ch, frames.head_to_scs, findings)
        return pair if original is None else _like(original, pair)
    loc = _position(ch, frames, findings)
    if original is not None:
        if loc is None or kind not in PLACED:
            loc = _moved(original.loc, frames)
        return _like(original, io.Channel(name=name, loc=loc))
    return io.Channel(
        name=name,
        type=brainstorm_type(kind, ch["coil_type"], findings),
        comment="EEG electrode" if kind == "eeg" else "",
        loc=loc,
        weight=_ONE if kind in PLACED and loc is not None else None,
    )


def _moved(loc: FloatArray | None, frames: Frames) -> FloatArray | None:
    """Return the points (3, k) of the original, which MNE has no place for, in SCS."""
    if loc is None or frames.scs_to_scs is None or not loc.any():
        return loc
    return transform_points(frames.scs_to_scs, loc.T).T


def _like(original: io.Channel, point: io.Channel) -> io.Channel:
    """Move a channel, with everything else that is known of it."""
    return io.Channel(
        name=original.name,
        comment=original.comment,
        type=original.type,
        group=original.group,
        loc=point.loc,
        orient=original.orient if point.orient is None else point.orient,
        weight=original.weight,
        extra=original.extra,
    )


def _same_type(original: io.Channel, kind: str) -> bool:
    """Whether a channel is still of the type that it was converted to."""
    before = mne_type(original.type)
    if before in FNIRS:
        return kind in (*FNIRS, "misc")
    return before == kind or {before, kind} == {"mag", "grad"}


def _coil(
    ch: Any,
    kind: str,
    frames: Frames,
    original: io.Channel | None,
    coil: Coil | None,
    findings: Findings,
) -> io.Channel:
    number = int(ch["coil_type"]) & 0xFFFF
    definition = _definition(number)
    if original is None or coil is None or coil.coil_type != number:
        original, coil = None, definition
    to_scs = frames.to_scs(int(ch["coord_frame"]))
    loc = np.array(ch["loc"], dtype=np.float64)
    points = orient = weight = None
    if coil is None:
        findings.dropped("info['chs']", f"coil type {number} is not in MNE's definitions")
    elif to_scs is None or not (np.isfinite(loc).all() and loc[3:].any()):
        findings.each("dropped", "info['chs']", "no position in a known frame", ch["ch_name"])
    else:
        placed, directions = coil.placed(loc)
        points = transform_points(to_scs, placed).T
        orient = (directions @ to_scs[:3, :3].T).T
        weight = coil.weights
    if original is not None:
        return _like(original, io.Channel(loc=points, orient=orient))
    return io.Channel(
        name=ch["ch_name"],
        type=brainstorm_type(kind, number, findings),
        comment="" if definition is None else definition.description,
        loc=points,
        orient=orient,
        weight=weight,
    )


def _definition(number: int) -> CoilDefinition | None:
    """Return the definition of usual accuracy (1)."""
    found = (d for d in coil_definitions() if d.coil_type == number and d.accuracy == 1)
    return next(found, None)


def _position(ch: Any, frames: Frames, findings: Findings) -> FloatArray | None:
    """Position (3, 1) in SCS; None where there is none."""
    position = np.array(ch["loc"][:3], dtype=np.float64)
    if not np.isfinite(position).all() or not position.any():
        return None
    to_scs = frames.to_scs(int(ch["coord_frame"]))
    if to_scs is None:
        findings.each("dropped", "info['chs']", "position in an unknown frame", ch["ch_name"])
        return None
    return transform_points(to_scs, position)[:, np.newaxis]
