"""Coils: from integration points to a position with three axes, and back.

MNE describes a coil by 12 numbers (``loc``: position r0 and axes ex, ey, ez) and a type that names
a pattern of integration points in its sensor definitions. Brainstorm stores the integrated points
themselves: Loc_i = r0 + [ex ey ez] p_i, Orient_i = [ex ey ez] n_i. The axes follow by linear
least squares, *not* forced to be orthonormal, because those of real files are not exactly so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from mne_bstinv._types import FloatArray
from mne_bstinv.adapters._mne_private import coil_definition_file

__all__ = [
    "Coil",
    "CoilDefinition",
    "CoilFit",
    "coil_axes",
    "coil_definitions",
    "find_definitions",
    "fit_coil",
]


#: Residual below which the points are those of the pattern (m): it costs 1e-5 of a gain.
EXACT = 1e-6

#: Up to which difference from the identity axes times their transpose are a rotation: points in
#: single precision are far below, and MNE's 3D views refuse 2e-3.
_ROTATION = 1e-3
#: Weights are written with four digits.
_SAME_WEIGHT = 1e-3


@dataclass(frozen=True, kw_only=True, eq=False)
class Coil:
    """Integration points in the frame of the coil."""

    #: Number of the coil in MNE's sensor definitions.
    coil_type: int
    #: Positions in metres, shape (n_points, 3).
    points: FloatArray
    #: Directions, shape (n_points, 3).
    normals: FloatArray
    #: Weights, shape (n_points,).
    weights: FloatArray

    def placed(self, loc: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the points and normals (n_points, 3) of the coil at ``loc`` (12,)."""
        axes = coil_axes(loc)
        return loc[:3] + self.points @ axes, self.normals @ axes


@dataclass(frozen=True, kw_only=True, eq=False)
class CoilDefinition(Coil):
    """An entry of MNE's sensor definitions."""

    #: 1 magnetometer, 2 axial, 3 planar, 4 second-order gradiometer.
    coil_class: int
    #: 0 point approximation, 1 normal, 2 accurate.
    accuracy: int
    #: What the definitions call it.
    description: str

    @property
    def determines_axes(self) -> bool:
        """Whether points and normals determine all three axes."""
        spread = np.vstack([self.points - self.points.mean(axis=0), 0.01 * self.normals])
        return bool(np.linalg.matrix_rank(spread, tol=1e-6) == 3)


@dataclass(frozen=True, kw_only=True, eq=False)
class CoilFit:
    """A coil that was found from its integration points."""

    #: Its definition.
    definition: CoilDefinition
    #: Position and axes ex, ey, ez, shape (12,).
    loc: FloatArray
    #: Largest distance between a point and the pattern's, metres.
    residual: float
    #: Whether the field of MNE's coil is minus that of the points.
    flipped: bool = False
    #: Whether weights and normals are those of the pattern (up to ``flipped``); otherwise MNE
    #: cannot express the sum of the points.
    exact_sum: bool = True

    @property
    def is_turned(self) -> bool:
        """Whether the axes are a rotation, as those of a coil are, and not stretched too."""
        axes = coil_axes(self.loc)
        return bool(np.abs(axes @ axes.T - np.eye(3)).max() < _ROTATION)


def coil_axes(loc: FloatArray) -> FloatArray:
    """Return the axes of a coil, one a row (3, 3), from its ``loc`` (12,)."""
    return loc[3:12].reshape(3, 3)


@cache
def coil_definitions() -> tuple[CoilDefinition, ...]:
    """Read the sensor definitions that MNE ships."""
    return tuple(_parse(coil_definition_file()))


@lru_cache(maxsize=64)
def find_definitions(comment: str) -> tuple[CoilDefinition, ...]:
    """Find the definitions that a channel's Comment names, the usual accuracy (1) first.

    Stray quotes, repeated spaces and case do not matter, nor does a missing size.
    """
    wanted = _plain(comment)
    if not wanted:
        return ()
    found = [d for d in coil_definitions() if _plain(d.description) == wanted]
    if not found:
        begin = f"{wanted} size"
        found = [d for d in coil_definitions() if _plain(d.description).startswith(begin)]
    return tuple(sorted(found, key=lambda d: d.accuracy != 1))


def fit_coil(
    definition: CoilDefinition, loc: FloatArray, orient: FloatArray, weight: FloatArray
) -> CoilFit | None:
    """Fit a coil to points and directions (n_points, 3); None if the pattern has another number.

    Conditions share their sensors: a fit is kept for the next that asks for the same.
    """
    if len(loc) != len(definition.points):
        return None
    values = (np.asarray(array, dtype=float).tobytes() for array in (loc, orient, weight))
    return _fit_of_bytes(definition, *values)


@lru_cache(maxsize=4096)
def _fit_of_bytes(
    definition: CoilDefinition, loc: bytes, orient: bytes, weight: bytes
) -> CoilFit | None:
    """Fit a coil to what the bytes hold."""
    points, directions = (np.frombuffer(values).reshape(-1, 3) for values in (loc, orient))
    fit = _fit(definition, points, directions, np.frombuffer(weight))
    if fit is not None:
        fit.loc.setflags(write=False)
    return fit


def _fit(
    definition: CoilDefinition, loc: FloatArray, orient: FloatArray, weight: FloatArray
) -> CoilFit | None:
    """Fit a coil to as many points and directions (n_points, 3) as its pattern has."""
    # a point with opposite direction and weight is the same point
    sign = np.where(orient @ orient[0] < 0, -1.0, 1.0)
    orient, weight = orient * sign[:, None], weight * sign
    same_sum = np.allclose(np.sort(weight), np.sort(definition.weights), rtol=_SAME_WEIGHT, atol=0)
    if not same_sum:
        # the geometry counts; the pattern's signs stand in order
        weight = definition.weights
    best: CoilFit | None = None
    for flipped in (False, True):
        normals = -orient if flipped else orient
        order_loc = _fit_geometry(definition, loc, normals, weight)
        if order_loc is not None and (best is None or order_loc[1] < 0.1 * best.residual):
            best = CoilFit(
                definition=definition,
                loc=order_loc[0],
                residual=order_loc[1],
                flipped=flipped,
                exact_sum=same_sum,
            )
        if best is not None and best.residual < EXACT:
            break
    return best


def _fit_geometry(
    definition: CoilDefinition, loc: FloatArray, orient: FloatArray, weight: FloatArray
) -> tuple[FloatArray, float] | None:
    """Position and axes (12,) with the residual; None if no order of the points has the weights."""
    if not definition.determines_axes:
        return _fit_rigid(definition, loc, orient, weight)
    best: tuple[FloatArray, float] | None = None
    left_handed: tuple[FloatArray, float] | None = None
    for order in _orders(definition, loc, orient, weight):
        fitted = _fit_linear(definition, loc[order], orient[order])
        residual = _residual(definition, fitted, loc[order])
        if np.linalg.det(coil_axes(fitted)) <= 0:
            # other orders are better; but some files do hold such axes, or none at all (zeros)
            if left_handed is None and residual < EXACT:
                left_handed = fitted, residual
        elif best is None or residual < best[1]:
            best = fitted, residual
            if residual < EXACT:
                return best
    return left_handed or best


def _fit_linear(definition: CoilDefinition, loc: FloatArray, orient: FloatArray) -> FloatArray:
    """Linear least squares for r0, ex, ey, ez (12,), the normals in the same sum as the points."""
    ones, zeros = np.ones((len(loc), 1)), np.zeros((len(loc), 1))
    design = np.block([[ones, definition.points], [zeros, definition.normals]])
    # in units of the coil, or the columns of the points would count for nothing
    fitted: FloatArray = np.linalg.lstsq(design, np.vstack([loc, orient]), rcond=1e-12)[0]
    return fitted.ravel()


def _fit_rigid(
    definition: CoilDefinition, loc: FloatArray, orient: FloatArray, weight: FloatArray
) -> tuple[FloatArray, float]:
    """Orthonormal axes where the points leave some of them free; the free ones are arbitrary."""
    order = np.argsort(-weight, kind="stable")[np.argsort(np.argsort(-definition.weights))]
    loc, orient = loc[order], orient[order]
    pattern = definition.points - definition.points.mean(axis=0)
    ez = orient.mean(axis=0)
    ez = ez / np.linalg.norm(ez)
    along = int(np.argmax(np.abs(pattern).sum(axis=0)))
    ex = None
    if along < 2 and np.abs(pattern).max() > 0:
        direction = pattern[:, along] @ (loc - loc.mean(axis=0))
        direction = direction - ez * (direction @ ez)
        if np.linalg.norm(direction) > 0:
            direction /= np.linalg.norm(direction)
            ex = direction if along == 0 else np.cross(direction, ez)
    ex = _normal_to(ez) if ex is None else ex
    axes = np.stack([ex, np.cross(ez, ex), ez])
    r0 = loc.mean(axis=0) - definition.points.mean(axis=0) @ axes
    fitted = np.concatenate([r0, axes.ravel()])
    return fitted, _residual(definition, fitted, loc)


def _orders(
    definition: CoilDefinition, loc: FloatArray, orient: FloatArray, weight: FloatArray
) -> Iterator[NDArray[np.int64]]:
    """Orders of the points in which they may follow the pattern, the plain one first.

    Each of the others turns the pattern about the common normal so that its outermost point falls
    on one of the stored points, and pairs the nearest of equal weight.
    """
    if np.allclose(weight, definition.weights, rtol=_SAME_WEIGHT, atol=0):
        yield np.arange(len(loc))
    ez = orient.mean(axis=0)
    ez = ez / np.linalg.norm(ez)
    ex = _normal_to(ez)
    centred = loc - loc.mean(axis=0)
    # in the plane as complex numbers, along the normal as heights
    stored, heights = centred @ np.stack([ex, np.cross(ez, ex)], axis=1) @ [1, 1j], centred @ ez
    pattern = definition.points - definition.points.mean(axis=0)
    wanted, wanted_heights = pattern[:, :2] @ [1, 1j], pattern[:, 2]
    outermost = int(np.argmax(np.abs(wanted)))
    # different weights never pair; a metre is far enough
    unequal = 1.0 * ~np.isclose(
        definition.weights[:, None], weight[None], rtol=_SAME_WEIGHT, atol=0
    )
    for point in np.flatnonzero(np.abs(stored) > 0.5 * np.abs(stored).max()):
        turn = stored[point] / wanted[outermost]
        apart = np.abs((wanted * turn / np.abs(turn))[:, None] - stored[None])
        cost = apart**2 + (wanted_heights[:, None] - heights[None]) ** 2 + unequal
        yield linear_sum_assignment(cost)[1]


def _residual(definition: CoilDefinition, fitted: FloatArray, loc: FloatArray) -> float:
    points, _ = definition.placed(fitted)
    return float(np.linalg.norm(points - loc, axis=1).max())


def _normal_to(ez: FloatArray) -> FloatArray:
    """Any unit vector normal to ``ez``."""
    other = np.eye(3)[int(np.argmin(np.abs(ez)))]
    ex = other - ez * (other @ ez)
    return ex / np.linalg.norm(ex)


def _plain(text: str) -> str:
    return " ".join(text.replace('"', " ").split()).casefold()


def _parse(fname: Path) -> list[CoilDefinition]:
    lines = [line for line in fname.read_text().splitlines() if line and line[0] != "#"]
    found = []
    position = 0
    while position < len(lines):
        header, description = lines[position].split('"')[:2]
        coil_class, coil_type, accuracy, n_points = (int(v) for v in header.split()[:4])
        rows = np.array(
            [line.split() for line in lines[position + 1 : position + 1 + n_points]], dtype=float
        )
        position += 1 + n_points
        found.append(
            CoilDefinition(
                coil_type=coil_type,
                coil_class=coil_class,
                accuracy=accuracy,
                description=description,
                points=rows[:, 1:4],
                normals=rows[:, 4:] / np.linalg.norm(rows[:, 4:], axis=1, keepdims=True),
                weights=rows[:, 0],
            )
        )
    return found
