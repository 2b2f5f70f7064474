"""Geometry in another unit than its field has: known by size, refused, or converted on request.

Brainstorm keeps positions of sensors, head points, sources and surfaces in metres, from an origin
between the ears. The scalp is 5 to 15 cm from there, the sensors of an MEG helmet and their
references up to half a metre. What another program wrote in millimetres or centimetres, or divided
by 1000 twice, is of another size altogether. MRIs are in millimetres, from a corner of the volume.
Which fields are geometry is declared with them: those whose unit is m or mm.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from mne_bstinv import io
from mne_bstinv._types import FloatArray
from mne_bstinv.conversion import Findings, carry, conversion_report
from mne_bstinv.errors import FrameError, OptionError
from mne_bstinv.io.kinds import Array, Vector
from mne_bstinv.io.schema import Declared, Structure, specs

__all__ = ["UNITS", "converting", "in_metres", "unit_of"]

S = TypeVar("S", bound=Structure)

#: Units that positions may be in, and metres in one.
UNITS = {"m": 1.0, "cm": 1e-2, "mm": 1e-3, "km": 1e3}

Reach = Mapping[str, tuple[float, float]]

#: Which unit it is that positions reach so far in: from, to. Some sources alone may be near the
#: origin, so that metres begin where a head in kilometres ends.
_HEAD: Reach = {"km": (1e-5, 5e-4), "m": (5e-4, 2.0), "cm": (2.0, 25.0), "mm": (25.0, 1000.0)}

#: The same of what may be next to nothing: centres of spheres, shifts from the device.
_SHIFT: Reach = {"m": (0.0, 0.5), "cm": (0.5, 25.0), "mm": (25.0, 1000.0)}

#: The same of the edges of voxels.
_VOXEL: Reach = {"m": (2e-5, 0.02), "mm": (0.02, 50.0)}

_REACH = {"Param.Center": _SHIFT, "TransfMeg": _SHIFT, "TransfEeg": _SHIFT, "Voxsize": _VOXEL}

_CONVERTED: ContextVar[str | None] = ContextVar("mne_bstinv_units", default=None)


def unit_of(positions: FloatArray, reach: Reach = _HEAD) -> str | None:
    """Return the unit of positions (n, 3) by their distance from an origin between the ears.

    It is the unit in which 95 % of them are as far as heads and helmets reach, None if there is
    none; those at 0 or not finite do not count, and without others it is metres.
    """
    distances = np.linalg.norm(np.asarray(positions, dtype=float), axis=-1)
    distances = distances[np.isfinite(distances) & (distances > 0)]
    if not distances.size:
        return "m"
    far = float(np.percentile(distances, 95))
    return next((unit for unit, (low, high) in reach.items() if low <= far < high), None)


@contextmanager
def converting(units: str | None) -> Iterator[None]:
    """Let all conversions inside take geometry in another unit for it; None refuses it."""
    token = _CONVERTED.set(_checked(units))
    try:
        yield
    finally:
        _CONVERTED.reset(token)


def in_metres(structure: S, units: str | None = None) -> S:
    """Return a structure with its geometry in the units of its fields, itself if it is.

    These are metres, and millimetres in an MRI. Geometry in another unit is converted if that is
    ``units``, or that of :func:`converting`, and the report tells it; otherwise it is refused
    (:class:`FrameError`).
    """
    wanted = _checked(units) or _CONVERTED.get()
    if structure._in_metres:
        return structure
    findings = Findings()
    factors: dict[tuple[str, ...], float] = {}
    for place in _places(structure):
        found = place.unit(wanted)
        if found == place.declared:
            continue
        if wanted is None or found != wanted:
            raise FrameError(_refusal(structure, place, found, wanted))
        whole = {"m": "metres", "mm": "millimetres"}[place.declared]
        findings.assumed(place.name, f"positions in {found}, converted to {whole}")
        factors |= dict.fromkeys(place.scaled, UNITS[wanted] / UNITS[place.declared])
    if not factors:
        object.__setattr__(structure, "_in_metres", True)
        return structure
    findings.include(conversion_report(structure))
    findings.tell(what=f"{type(structure).__name__} in {wanted}")
    scaled: Any = structure
    for path, factor in factors.items():
        scaled = _scaled(scaled, path, factor)
    return carry(scaled, findings.report)


def _checked(units: str | None) -> str | None:
    if units is not None and units not in UNITS:
        raise OptionError(f"Unknown units {units!r}. Choose from {', '.join(UNITS)}.")
    return units


@dataclass(frozen=True, kw_only=True, eq=False)
class _Place:
    """A field, or the points of a struct, that is of one unit."""

    #: MATLAB names.
    name: str
    #: (n, 3), or lengths (n, 1).
    positions: FloatArray
    #: The unit that it should have.
    declared: str
    #: The attributes that are scaled with it, from the outermost in.
    scaled: tuple[tuple[str, ...], ...]

    def unit(self, wanted: str | None) -> str | None:
        """Return the unit that it is in, None for none; a shift may be in more than one."""
        reach = _REACH.get(self.name, _HEAD)
        if not (np.isfinite(self.positions) & (self.positions != 0)).any():
            return self.declared
        found = unit_of(self.positions, reach)
        return wanted if reach is _SHIFT and found != "m" and wanted in ("cm", "mm") else found


def _refusal(structure: Any, place: _Place, found: str | None, wanted: str | None) -> str:
    reach = float(np.nanpercentile(np.linalg.norm(place.positions, axis=-1), 95))
    text = f"{structure!r}: {place.name} reaches {reach:.3g} from the origin"
    whole = {"m": "metres (heads reach 0.05 to 0.15 m)", "mm": "millimetres"}[place.declared]
    if found is None:
        return f"{text}, which is no size of a head in any unit. Expected are {whole}."
    asked = "" if wanted is None else f", not {wanted}"
    return (
        f"{text}: expected are {whole}, and these look like {found}{asked}. Convert them with "
        f"units={found!r} (--units {found}), or in Brainstorm."
    )


def _places(structure: Structure) -> Iterator[_Place]:
    """Yield the geometry of a structure, as its fields declare it."""
    for item in specs(type(structure)):
        value = getattr(structure, item.attribute)
        if isinstance(value, io.SCS):
            yield from _fiducials(structure, item, value)
        elif isinstance(value, Structure):
            yield from _inside(item, (value,))
        elif isinstance(value, tuple) and value and isinstance(value[0], Structure):
            yield from _inside(item, value)
        elif item.spec.unit in ("m", "mm") and value is not None and len(value):
            yield _Place(
                name=item.spec.name,
                positions=_rows(item, value),
                declared=item.spec.unit,
                scaled=((item.attribute,),),
            )


def _inside(outer: Declared, elements: tuple[Structure, ...]) -> Iterator[_Place]:
    """Yield the geometry of structs: of one unit in all elements, and where they follow others."""
    inner = [item for item in specs(type(elements[0])) if item.spec.unit == "m"]
    for item in inner:
        values = [getattr(one, item.attribute) for one in elements]
        found = [value for value in values if value is not None and value.size]
        if not found:
            continue
        name = f"{outer.spec.name}.{item.spec.name}"
        shifts = [one for one in inner if f"{outer.spec.name}.{one.spec.name}" in _REACH]
        together = dict.fromkeys(one.attribute for one in (item, *shifts))
        yield _Place(
            name=name,
            positions=_of_elements(item, found),
            declared="m",
            scaled=tuple((outer.attribute, attribute) for attribute in together),
        )


def _fiducials(structure: Structure, item: Declared, scs: io.SCS) -> Iterator[_Place]:
    """Yield the fiducials, with which go the other points of their frame.

    Those of an MRI are as far from each other as others are from the origin.
    """
    points = [point.ravel() for point in (scs.nas, scs.lpa, scs.rpa) if point is not None]
    if not points:
        return
    positions = np.array(points)
    attributes = ["scs"]
    if item.spec.unit == "mm":
        positions = positions - positions.mean(axis=0)
        attributes.append("ncs")
    frames = {name: getattr(structure, name) for name in attributes}
    yield _Place(
        name=item.spec.name,
        positions=positions,
        declared=item.spec.unit,
        scaled=tuple(
            (name, one.attribute)
            for name, frame in frames.items()
            if frame is not None
            for one in specs(type(frame))
            if isinstance(one.spec.kind, Vector)
        ),
    )


def _rows(item: Declared, value: Any) -> FloatArray:
    """Return the positions (n, 3) in a field, its lengths (n, 1), or shifts of its transforms."""
    kind = item.spec.kind
    if isinstance(value, tuple):
        return np.array([matrix[:3, 3] for matrix in value if matrix is not None]).reshape(-1, 3)
    if isinstance(kind, Vector):
        return np.reshape(value, (-1, 3) if kind.size == 3 and item.spec.unit == "m" else (-1, 1))
    return value.T if isinstance(kind, Array) and kind.shape[0] == 3 else value


def _of_elements(item: Declared, values: list[Any]) -> FloatArray:
    """Return the rows of a field of several structs, see :func:`_rows`; of sensors their distances.

    A sensor is as far as the nearest of its points (3, k): one that is too far is no other unit.
    """
    kind = item.spec.kind
    if isinstance(kind, Array) and kind.shape == (3, "k"):
        distances = np.linalg.norm(np.concatenate(values, axis=1), axis=0)
        starts = np.cumsum([0, *(value.shape[1] for value in values[:-1])])
        return np.minimum.reduceat(distances, starts)[:, None]
    if isinstance(kind, Vector):
        return _rows(item, np.concatenate(values, axis=None))
    return np.concatenate([_rows(item, value) for value in values])


def _scaled(structure: Any, path: tuple[str, ...], factor: float) -> Any:
    """Return a copy with one field multiplied, in all elements."""
    name, *inner = path
    value = getattr(structure, name)
    if value is None:
        return structure
    if inner and isinstance(value, tuple):
        value = tuple(_scaled(one, tuple(inner), factor) for one in value)
    elif inner:
        value = _scaled(value, tuple(inner), factor)
    elif isinstance(value, tuple):
        value = tuple(_shifted(matrix, factor) for matrix in value)
    else:
        value = value * factor
    return dataclasses.replace(structure, **{name: value})


def _shifted(matrix: FloatArray | None, factor: float) -> FloatArray | None:
    """Return a transform (4, 4) with its shift multiplied."""
    if matrix is None:
        return None
    scaled = np.array(matrix)
    scaled[:3, 3] *= factor
    return scaled
