"""Distances of kernels along a path of conventions and beside it, and their Shapley values."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Protocol, TypeVar

import numpy as np
from tqdm import tqdm

from mne_bstinv._types import FloatArray
from mne_bstinv.cross_validation.conventions import Convention

__all__ = [
    "ANOTHER_SCALE",
    "Distances",
    "FormedKernels",
    "Kernels",
    "measure_distances",
    "norm",
    "relative_distance",
    "shown",
    "union",
]

T = TypeVar("T")

#: Distance, in sizes of Brainstorm's kernel, beyond which the two kernels are of another scale.
ANOTHER_SCALE = 10.0


class Kernels(Protocol):
    """The kernels between the two ends, by the conventions that are MNE's.

    Locations that are NaN in one of two kernels do not count in their distance.
    """

    def blocks(self, switched: frozenset[str]) -> FloatArray:
        """Return a kernel, shape (n_sources, p, n_channels)."""

    def size(self, switched: frozenset[str]) -> float:
        """Return the Frobenius norm of a kernel."""

    def distance(self, one: frozenset[str], other: frozenset[str]) -> float:
        """Return the Frobenius norm of the difference of two kernels."""


class FormedKernels:
    """Kernels of which a function makes each, from the keys that are switched."""

    def __init__(self, kernel: Callable[[frozenset[str]], FloatArray]) -> None:
        self.blocks = kernel

    def size(self, switched: frozenset[str]) -> float:
        """Return the Frobenius norm of a kernel."""
        return norm(self.blocks(switched))

    def distance(self, one: frozenset[str], other: frozenset[str]) -> float:
        """Return the Frobenius norm of the difference of two kernels."""
        return norm(self.blocks(one) - self.blocks(other))


@dataclass(frozen=True, kw_only=True)
class Distances:
    """Distances of kernels along a path and beside it, relative to the kernel of one side."""

    changes: list[float]
    distances: list[float]
    alone: list[float]
    back: list[float]
    active: list[bool]
    shapley: list[float] | None
    relative_to: str

    @property
    def largest(self) -> float:
        """The largest of them: above 10 where conventions lead to kernels of another scale."""
        return max(
            abs(value)
            for values in (self.changes, self.distances, self.alone, self.back, self.shapley or [])
            for value in values
        )


def measure_distances(
    path: Sequence[Convention],
    kernels: Kernels,
    threshold: float,
    shapley_limit: int,
    progress: bool,
) -> Distances:
    """Measure how far switching conventions leads; what is active changes more than a norm."""
    nothing, everything = frozenset[str](), union(path)
    alone = [
        kernels.distance(c.keys, nothing)
        for c in shown(path, "each alone from Brainstorm's end", progress)
    ]
    back = [
        kernels.distance(everything - c.keys, everything)
        for c in shown(path, "each alone from MNE's end", progress)
    ]
    switched = [union(path[:k]) for k in range(len(path) + 1)]
    pairs = list(pairwise(switched))
    changes = [kernels.distance(b, a) for a, b in shown(pairs, "path", progress)]
    distances = [kernels.distance(s, nothing) for s in switched[1:]]
    active = [max(x) > threshold for x in zip(changes, alone, back, strict=True)]
    players = [c for c, is_active in zip(path, active, strict=True) if is_active]
    size = kernels.size(nothing)
    relative_to = "Brainstorm"
    if max([*alone, *back, *distances]) > ANOTHER_SCALE * size < kernels.size(everything):
        relative_to, size = "MNE", kernels.size(everything)
    shapley = None
    if len(players) <= shapley_limit:
        values = _shapley(players, everything, kernels, progress)
        shapley = [values.get(c.key, 0.0) / size for c in path]
    return Distances(
        changes=[x / size for x in changes],
        distances=[x / size for x in distances],
        alone=[x / size for x in alone],
        back=[x / size for x in back],
        active=active,
        shapley=shapley,
        relative_to=relative_to,
    )


def _shapley(
    players: Sequence[Convention], everything: frozenset[str], kernels: Kernels, progress: bool
) -> dict[str, float]:
    """Weigh the increments of every subset, by key; what is inactive does not matter."""
    n = len(players)
    idle = everything - union(players)
    subsets = [frozenset(s) for count in range(n + 1) for s in combinations(range(n), count)]
    value = {
        subset: kernels.distance(idle | union([players[i] for i in subset]), frozenset())
        for subset in shown(subsets, "all orders", progress)
    }
    found = dict.fromkeys((c.key for c in players), 0.0)
    for subset in subsets:
        for i in subset:
            without = subset - {i}
            weight = math.factorial(len(without)) * math.factorial(n - len(without) - 1)
            found[players[i].key] += weight / math.factorial(n) * (value[subset] - value[without])
    return found


def relative_distance(ours: FloatArray, theirs: FloatArray) -> float:
    """Return ‖ours − theirs‖ / ‖theirs‖ without the locations that are NaN on either side."""
    return norm(ours - theirs) / norm(theirs)


def shown(items: Sequence[T], what: str, progress: bool) -> Iterable[T]:
    """Go through items, with a progress bar if wanted."""
    return tqdm(items, desc=what, unit="kernel", leave=False) if progress else items


def norm(a: FloatArray) -> float:
    """Return the Frobenius norm without what is NaN."""
    return float(np.linalg.norm(np.nan_to_num(a)))


def union(conventions: Sequence[Convention]) -> frozenset[str]:
    """Return the keys of all conventions."""
    return frozenset[str]().union(*(c.keys for c in conventions))
