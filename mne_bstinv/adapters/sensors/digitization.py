"""Digitised points and fiducials: HeadPoints and SCS ⇄ ``info['dig']``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import mne
import numpy as np
from mne.io.constants import FIFF

from mne_bstinv import io
from mne_bstinv._display import few
from mne_bstinv._types import FloatArray
from mne_bstinv.adapters.sensors.channels_to_mne import has_position
from mne_bstinv.adapters.sensors.types import is_electrode
from mne_bstinv.conversion import Findings
from mne_bstinv.frames import cardinal_of, head_from_fiducials, transform_points

__all__ = [
    "dig_from",
    "fiducials_of",
    "head_points_from",
    "head_to_scs",
    "reference_position",
    "same_dig",
]

Fiducials = tuple[FloatArray, FloatArray, FloatArray]

_KINDS = {
    "HPI": FIFF.FIFFV_POINT_HPI,
    "EEG": FIFF.FIFFV_POINT_EEG,
    "EXTRA": FIFF.FIFFV_POINT_EXTRA,
}

_TYPES = {int(kind): name for name, kind in _KINDS.items()}

_CARDINALS = {
    int(FIFF.FIFFV_POINT_NASION): "NAS",
    int(FIFF.FIFFV_POINT_LPA): "LPA",
    int(FIFF.FIFFV_POINT_RPA): "RPA",
}


def dig_from(
    channels: io.Channels, fiducials: Fiducials | None, scs_to_head: FloatArray, findings: Findings
) -> list[Any] | None:
    """Make MNE's digitised points in head of points and fiducials (3,) in SCS; None without any."""
    points: dict[str, list[FloatArray]] = {"HPI": [], "EEG": [], "EXTRA": []}
    labels: dict[str, list[str]] = {"HPI": [], "EEG": [], "EXTRA": []}
    head_points = channels.head_points
    if head_points is not None and head_points.loc is not None:
        moved = transform_points(scs_to_head, head_points.loc.T)
        for point, label, kind in zip(moved, head_points.label, head_points.type, strict=True):
            if kind.upper() in points:
                points[kind.upper()].append(point)
                labels[kind.upper()].append(label)
            elif kind.upper() != "CARDINAL":
                findings.dropped("HeadPoints", f"MNE has no points of type {kind!r}")
        unknown = dict.fromkeys(
            label
            for label, kind in zip(head_points.label, head_points.type, strict=True)
            if kind.upper() == "CARDINAL" and cardinal_of(label) is None
        )
        if unknown:
            findings.dropped(
                "HeadPoints.Label",
                "cardinal points of these names are neither nasion nor ear (NAS, LPA, RPA): "
                f"{few([repr(label) for label in unknown])}",
            )
    if not points["EEG"]:
        points["EEG"] = _electrodes(channels, scs_to_head)
        labels["EEG"] = [str(i) for i in range(1, len(points["EEG"]) + 1)]
        if points["EEG"]:
            findings.derived("HeadPoints", "EEG points are the positions of the EEG channels")
    nasion, lpa, rpa = (
        (None,) * 3 if fiducials is None else [transform_points(scs_to_head, p) for p in fiducials]
    )
    montage = mne.channels.make_dig_montage(
        ch_pos={f"EEG{i:03d}": p for i, p in enumerate(points["EEG"], start=1)} or None,
        nasion=nasion,
        lpa=lpa,
        rpa=rpa,
        hpi=np.array(points["HPI"]) if points["HPI"] else None,
        hsp=np.array(points["EXTRA"]) if points["EXTRA"] else None,
        coord_frame="head",
    )
    for name, kind in _KINDS.items():
        _number([d for d in montage.dig if d["kind"] == kind], labels[name], name, findings)
    return montage.dig or None


def reference_position(dig: Sequence[Any] | None) -> FloatArray | None:
    """Return the position (3,) of the EEG reference electrode, which has number 0."""
    for point in dig or ():
        if point["kind"] == FIFF.FIFFV_POINT_EEG and point["ident"] == 0:
            return np.array(point["r"], dtype=np.float64)
    return None


def same_dig(one: Sequence[Any] | None, other: Sequence[Any] | None) -> bool:
    """Whether two lists of digitised points are the same."""
    one, other = one or (), other or ()
    return len(one) == len(other) and all(
        (a["kind"], a["ident"], a["coord_frame"]) == (b["kind"], b["ident"], b["coord_frame"])
        and np.array_equal(a["r"], b["r"])
        for a, b in zip(one, other, strict=True)
    )


def fiducials_of(dig: Sequence[Any] | None) -> Fiducials | None:
    """Return nasion, left and right ear (3,) in the head frame; None if one is missing."""
    found = {
        int(point["ident"]): np.array(point["r"], dtype=np.float64)
        for point in dig or ()
        if point["kind"] == FIFF.FIFFV_POINT_CARDINAL
        and point["coord_frame"] == FIFF.FIFFV_COORD_HEAD
    }
    if not set(_CARDINALS) <= set(found):
        return None
    nasion, lpa, rpa = (found[ident] for ident in _CARDINALS)
    return nasion, lpa, rpa


def head_to_scs(fiducials: Fiducials) -> FloatArray:
    """Head → SCS (4, 4): nasion, left and right ear (3,) go where SCS is defined to have them."""
    canonical = head_from_fiducials(*fiducials)
    nasion, lpa, rpa = fiducials
    # SCS by distances alone: the origin midway between the ears, the nasion on the x axis, the
    # ears in the plane z = 0, the left one at positive y
    front, left = nasion - (lpa + rpa) / 2, (lpa - rpa) / 2
    ahead = float(np.linalg.norm(front))
    x = float(np.dot(left, front)) / ahead
    y = math.sqrt(max(float(np.dot(left, left)) - x**2, 0.0))
    in_scs = np.array([ahead, 0, 0]), np.array([x, y, 0]), np.array([-x, -y, 0])
    to_scs: Any = np.linalg.solve(head_from_fiducials(*in_scs), canonical)
    return to_scs


def head_points_from(
    dig: Sequence[Any] | None,
    reference: FloatArray | None,
    to_scs: FloatArray,
    findings: Findings,
) -> io.HeadPoints:
    """Make Brainstorm's digitised points in SCS of MNE's and the EEG reference (3,) in head."""
    points: list[FloatArray] = []
    labels: list[str] = []
    kinds: list[str] = []
    for point in dig or ():
        if point["coord_frame"] != FIFF.FIFFV_COORD_HEAD:
            findings.dropped("info['dig']", "points that are not in the head frame")
            continue
        cardinal = point["kind"] == FIFF.FIFFV_POINT_CARDINAL
        ident = int(point["ident"])
        points.append(np.array(point["r"], dtype=np.float64))
        labels.append(_CARDINALS.get(ident, str(ident)) if cardinal else str(ident))
        kinds.append("CARDINAL" if cardinal else _TYPES.get(int(point["kind"]), "EXTRA"))
    if reference is not None and reference_position(dig) is None:
        points.append(reference)
        labels.append("0")
        kinds.append("EEG")
    loc = transform_points(to_scs, np.array(points)).T if points else None
    return io.HeadPoints(loc=loc, label=tuple(labels), type=tuple(kinds))


def _electrodes(channels: io.Channels, scs_to_head: FloatArray) -> list[FloatArray]:
    return [
        transform_points(scs_to_head, channel.loc[:, 0])
        for channel in channels.channels
        if channel.loc is not None and is_electrode(channel) and has_position(channel)
    ]


def _number(points: Sequence[Any], labels: Sequence[str], kind: str, findings: Findings) -> None:
    """Give the points the numbers that are their labels, in place."""
    if not all(label.strip().isdigit() for label in labels):
        findings.dropped("HeadPoints.Label", f"names of {kind} points; MNE numbers them")
        return
    for point, label in zip(points, labels, strict=True):
        point["ident"] = int(label)
