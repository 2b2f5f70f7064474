"""Channel files made for tests, and how to compare them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mne_bstinv.adapters.sensors.coils import CoilDefinition, coil_definitions
from mne_bstinv.frames import scs_to_head, transform_points
from mne_bstinv.io import SCS, Channel, Channels, HeadPoints, Projector

FloatArray = NDArray[np.float64]

NAS, LPA, RPA = np.array([0.1, 0, 0]), np.array([0.005, 0.075, 0]), np.array([-0.005, -0.075, 0])


def definition(coil_type: int, accuracy: int = 1) -> CoilDefinition:
    """An entry of MNE's sensor definitions."""
    return next(d for d in coil_definitions() if (d.coil_type, d.accuracy) == (coil_type, accuracy))


def placement(seed: int, *, skew: float = 0.0) -> FloatArray:
    """A position on a sphere around the head with axes (12,), turned at random."""
    rng = np.random.default_rng(seed)
    axes, upper = np.linalg.qr(rng.standard_normal((3, 3)))
    axes = axes * np.sign(np.diag(upper))
    axes[0] *= np.linalg.det(axes)
    axes = axes + skew * rng.standard_normal((3, 3))
    return np.concatenate([0.12 * axes[2], axes.ravel()])


def coil(
    name: str, kind: str, pattern: CoilDefinition, place: FloatArray, /, **changed: Any
) -> Channel:
    """A channel with the points of a pattern, whose frame is SCS."""
    points, normals = pattern.placed(place)
    options = {
        "comment": pattern.description,
        "loc": points.T,
        "orient": normals.T,
        "weight": pattern.weights,
    }
    return Channel(name=name, type=kind, **(options | changed))


def electrode(name: str, position: Any, kind: str = "EEG") -> Channel:
    """An electrode."""
    return Channel(
        name=name, type=kind, loc=np.array(position, float)[:, np.newaxis], weight=np.ones(1)
    )


def eeg(n_channels: int = 5, **fields: Any) -> Channels:
    """A small EEG with fiducials."""
    rng = np.random.default_rng(3)
    positions = rng.standard_normal((n_channels, 3))
    positions *= 0.1 / np.linalg.norm(positions, axis=1, keepdims=True)
    channels = tuple(electrode(f"E{i}", p) for i, p in enumerate(positions, start=1))
    return Channels(
        channels=fields.pop("channels", channels),
        scs=fields.pop("scs", SCS(nas=NAS, lpa=LPA, rpa=RPA)),
        **fields,
    )


def ctf() -> Channels:
    """Four gradiometers and four references with compensation, as CTF files hold them.

    R2 is a reference whose baseline runs against its direction; B3 stores opposite directions and
    opposite weights: the sum of two fields, no gradient.
    """
    gradiometers = [coil(f"M{i}", "MEG", definition(5001), placement(i)) for i in range(4)]
    flipped = coil("R2", "MEG REF", definition(5003, 0), placement(11), comment="Ref Grad")
    ez = placement(11)[9:]
    mixed = coil("B3", "MEG REF", definition(5003, 0), placement(12), comment="Ref Grad")
    orient = np.stack([placement(12)[9:], -placement(12)[9:]], axis=1)
    references = [
        coil("B1", "MEG REF", definition(5002, 0), placement(10), comment="Ref Mag"),
        Channel(
            name="R2",
            type="MEG REF",
            comment="Ref Grad",
            loc=flipped.loc,
            orient=np.stack([-ez, -ez], axis=1),
            weight=flipped.weight,
        ),
        Channel(
            name="B3",
            type="MEG REF",
            comment="Ref Grad",
            loc=mixed.loc,
            orient=orient,
            weight=mixed.weight,
        ),
        coil("O4", "MEG REF", definition(5004, 0), placement(13), comment="Ref Grad"),
    ]
    stim = Channel(name="STI", type="Stim")
    return Channels(
        channels=(*references, *gradiometers, stim),
        meg_ref_coef=np.random.default_rng(1).standard_normal((4, 4)),
    )


def average_reference(n_channels: int, referenced: list[int], status: int = 1) -> Projector:
    """Brainstorm's average reference of some channels."""
    operator = np.eye(n_channels)
    operator[np.ix_(referenced, referenced)] -= 1 / len(referenced)
    return Projector(
        comment="EEG reference: AVERAGE", components=operator, status=status, method="REF"
    )


def channel_files(*roots: Path) -> list[Path]:
    """Channel files of several folders, one for each set of sensors."""
    return [
        fname
        for root in roots
        for fname in sorted(root.rglob("channel*.mat"))
        if fname.parent.name not in ("noise", "empty_room")
    ]


def relative(one: Any, other: Any) -> float:
    """Largest difference over the largest value; infinite if one is absent or shapes differ."""
    if one is None or other is None:
        return 0.0 if one is other else np.inf
    one, other = np.asarray(one, float), np.asarray(other, float)
    if one.shape != other.shape:
        return np.inf
    scale = np.abs(one).max(initial=0.0)
    return float(np.abs(one - other).max(initial=0.0) / (scale or 1.0))


def angles(one: FloatArray, other: FloatArray) -> float:
    """Largest angle between two stacks of vectors (..., 3), degrees."""
    one = one / np.linalg.norm(one, axis=-1, keepdims=True)
    other = other / np.linalg.norm(other, axis=-1, keepdims=True)
    chord = np.linalg.norm(one - other, axis=-1)
    return float(np.degrees(2 * np.arcsin(chord / 2)).max())


def in_head(channels: Channels, points: FloatArray) -> FloatArray:
    """Points (n, 3) of a channel file in the head frame."""
    return transform_points(scs_to_head(channels).matrix, points)


def head_points(**points: list[tuple[str, FloatArray]]) -> HeadPoints:
    """Head points by type: label and position in SCS."""
    listed = [(kind, label, p) for kind, pairs in points.items() for label, p in pairs]
    return HeadPoints(
        loc=np.stack([p for _, _, p in listed], axis=1),
        label=tuple(label for _, label, _ in listed),
        type=tuple(kind for kind, _, _ in listed),
    )
