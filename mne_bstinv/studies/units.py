"""Positions that are in no metres: known by their size, refused, or converted on request.

Brainstorm keeps positions of sensors, head points, sources and surfaces in metres, from an origin
between the ears. The scalp is 5 to 15 cm from there, the sensors of an MEG helmet and their
references up to half a metre. What another program wrote in millimetres or centimetres, or divided
by 1000 twice, is of another size altogether.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import numpy as np

from mne_bstinv import io
from mne_bstinv._types import FloatArray
from mne_bstinv.conversion import Findings, carry, conversion_report
from mne_bstinv.errors import FrameError, OptionError

__all__ = ["HAVE_POSITIONS", "UNITS", "converting", "in_metres", "unit_of"]

#: The structures that hold positions.
HAVE_POSITIONS = (io.Channels, io.HeadModel, io.Surface)

S = TypeVar("S", io.Channels, io.HeadModel, io.Surface)

#: Units that positions may be in, and metres in one.
UNITS = {"m": 1.0, "cm": 1e-2, "mm": 1e-3, "km": 1e3}

#: Which unit it is that positions reach so far in: from, to. Some sources alone may be near the
#: origin, so that metres begin where a head in kilometres ends.
_REACH = {"km": (1e-5, 5e-4), "m": (5e-4, 2.0), "cm": (2.0, 25.0), "mm": (25.0, 1000.0)}

_CONVERTED: ContextVar[str | None] = ContextVar("mne_bstinv_units", default=None)


def unit_of(positions: FloatArray) -> str | None:
    """Return the unit of positions (n, 3) by their distance from an origin between the ears.

    It is the unit in which 95 % of them are as far as heads and helmets reach, None if there is
    none; those at 0 or not finite do not count, and without others it is metres.
    """
    distances = np.linalg.norm(np.asarray(positions, dtype=float).reshape(-1, 3), axis=1)
    distances = distances[np.isfinite(distances) & (distances > 0)]
    if not distances.size:
        return "m"
    reach = float(np.percentile(distances, 95))
    return next((unit for unit, (low, high) in _REACH.items() if low <= reach < high), None)


@contextmanager
def converting(units: str | None) -> Iterator[None]:
    """Let all conversions inside take positions in no metres for a unit; None refuses them."""
    token = _CONVERTED.set(_checked(units))
    try:
        yield
    finally:
        _CONVERTED.reset(token)


def in_metres(structure: S, units: str | None = None) -> S:
    """Return a structure with its positions in metres, itself if they are.

    Positions in another unit are converted if it is ``units``, or that of :func:`converting`, and
    the report tells it; otherwise they are refused (:class:`FrameError`).
    """
    wanted = _checked(units) or _CONVERTED.get()
    findings, changes = Findings(), {}
    for name, positions in _positions(structure).items():
        found = unit_of(positions)
        if found == "m":
            continue
        if wanted is None or found != wanted:
            raise FrameError(_refusal(structure, name, positions, found, wanted))
        findings.assumed(name, f"positions in {found}, converted to metres")
        changes[name] = UNITS[wanted]
    if not changes:
        return structure
    report = conversion_report(structure)
    findings.include(report)
    findings.tell(what=f"{type(structure).__name__} in {wanted}")
    return carry(_scaled(structure, changes), findings.report)


def _checked(units: str | None) -> str | None:
    if units is not None and units not in UNITS:
        raise OptionError(f"Unknown units {units!r}. Choose from {', '.join(UNITS)}.")
    return units


def _refusal(
    structure: Any, name: str, positions: FloatArray, found: str | None, wanted: str | None
) -> str:
    reach = float(np.nanpercentile(np.linalg.norm(positions, axis=1), 95))
    text = f"{structure!r}: {name} reaches {reach:.3g} from the origin"
    if found is None:
        return f"{text}, which is no size of a head in any unit. Expected are metres, in SCS."
    asked = "" if wanted is None else f", not {wanted}"
    return (
        f"{text}: expected are metres (heads reach 0.05 to 0.15 m), and these look like {found}"
        f"{asked}. Convert them with units={found!r} (--units {found}), or in Brainstorm."
    )


def _positions(structure: io.Channels | io.HeadModel | io.Surface) -> dict[str, FloatArray]:
    """Return the positions of a structure (n, 3), by the MATLAB name of their field."""
    if isinstance(structure, io.Surface):
        return {"Vertices": structure.vertices}
    if isinstance(structure, io.HeadModel):
        return {"GridLoc": structure.grid_loc}
    found: dict[str, FloatArray] = {}
    sensors = [_nearest(one.loc) for one in structure.channels if one.loc is not None]
    if sensors:
        found["Channel.Loc"] = np.array(sensors)
    if structure.head_points is not None and structure.head_points.loc is not None:
        found["HeadPoints.Loc"] = structure.head_points.loc.T
    scs = structure.scs
    points = () if scs is None else (scs.nas, scs.lpa, scs.rpa)
    known = [point.ravel() for point in points if point is not None]
    if known:
        found["SCS"] = np.array(known)
    return found


def _nearest(loc: FloatArray) -> FloatArray:
    """Return the point of a sensor (3,) nearest to the origin; a coil too far is no other unit."""
    if not loc.size:
        return np.zeros(3)
    return loc[:, np.argmin(np.linalg.norm(loc, axis=0))]


def _scaled(structure: Any, changes: dict[str, float]) -> Any:
    """Return a copy with some fields multiplied."""
    if isinstance(structure, io.Surface):
        return dataclasses.replace(structure, vertices=structure.vertices * changes["Vertices"])
    if isinstance(structure, io.HeadModel):
        factor = changes["GridLoc"]
        spheres = tuple(_times(sphere, factor, "center", "radii") for sphere in structure.param)
        return dataclasses.replace(structure, grid_loc=structure.grid_loc * factor, param=spheres)
    values: dict[str, Any] = {}
    if "Channel.Loc" in changes:
        factor = changes["Channel.Loc"]
        values["channels"] = tuple(_times(one, factor, "loc") for one in structure.channels)
    if "HeadPoints.Loc" in changes:
        values["head_points"] = _times(structure.head_points, changes["HeadPoints.Loc"], "loc")
    if "SCS" in changes:
        names = ("nas", "lpa", "rpa", "t", "origin")
        values["scs"] = _times(structure.scs, changes["SCS"], *names)
    return dataclasses.replace(structure, **values)


def _times(structure: Any, factor: float, *names: str) -> Any:
    values = {name: getattr(structure, name) for name in names}
    scaled = {name: value * factor for name, value in values.items() if value is not None}
    return dataclasses.replace(structure, **scaled)
