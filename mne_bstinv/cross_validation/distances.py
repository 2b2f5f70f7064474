"""Distances of kernels along a path of conventions and beside it, and their means over orders."""

from __future__ import annotations

import dataclasses
import math
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

from tqdm import tqdm

from mne_bstinv._types import FloatArray
from mne_bstinv.cross_validation.conventions import Convention
from mne_bstinv.cross_validation.kernels import Kernels
from mne_bstinv.cross_validation.moves import Moves
from mne_bstinv.cross_validation.orders import (
    Subset,
    chosen_orders,
    mean_over_all,
    mean_over_some,
    subsets_of,
    subsets_on,
)
from mne_bstinv.cross_validation.sums import apart

__all__ = [
    "ANOTHER_SCALE",
    "Distances",
    "averaged",
    "measure_distances",
    "relative_distance",
    "shown",
    "union",
]

T = TypeVar("T")

#: Distance, in sizes of Brainstorm's kernel, beyond which the two kernels are of another scale.
ANOTHER_SCALE = 10.0


@dataclass(frozen=True, kw_only=True)
class Distances:
    """Distances of kernels along a path and beside it, relative to the kernel of one side."""

    changes: list[float]
    distances: list[float]
    alone: list[float]
    back: list[float]
    active: list[bool]
    size: float
    relative_to: str
    #: What changes more is active; relative, too.
    threshold: float
    #: Time that a kernel took.
    seconds: float
    shapley: list[float] | None = None
    #: Over what the mean is: all orders, or a number of them; empty without.
    orders: str = ""
    stopped: bool = False

    @property
    def largest(self) -> float:
        """The largest of them: above 10 where conventions lead to kernels of another scale."""
        return max(
            abs(value)
            for values in (self.changes, self.distances, self.alone, self.back, self.shapley or [])
            for value in values
        )


def measure_distances(
    path: Sequence[Convention], kernels: Kernels, unchanged: float, moves: Moves, progress: bool
) -> Distances:
    """Measure how far switching conventions leads; what is active changes more than ``unchanged``.

    That is relative to Brainstorm's kernel. ``moves`` measure what else the steps change, while
    their kernels are at hand.
    """
    nothing, everything = frozenset[str](), union(path)
    size, relative_to = kernels.size(nothing), "Brainstorm"
    threshold = unchanged * size
    wanted = {
        "each alone from Brainstorm's end": [(c.keys, nothing) for c in path],
        "each alone from MNE's end": [(everything - c.keys, everything) for c in path],
    }
    begin = time.perf_counter()
    alone, back = (
        [kernels.distance(one, other) for one, other in shown(pairs, what, progress)]
        for what, pairs in wanted.items()
    )
    seconds = time.perf_counter() - begin
    changes, distances = list[float](), list[float]()
    switched = [union(path[:k]) for k in range(len(path) + 1)]
    steps = list(zip(pairwise(switched), map(max, alone, back), strict=True))
    for (before, after), expected in shown(steps, "path, and its sum", progress):
        if expected > threshold:
            moves.expect(before, after)
        changes.append(kernels.distance(after, before))
        distances.append(kernels.distance(after, nothing))
        moves.measure(before, after, changes[-1] > threshold)
    active = [max(x) > threshold for x in zip(changes, alone, back, strict=True)]
    n_kernels = 1 + sum(x > threshold for values in (alone, back) for x in values)
    if max([*alone, *back, *distances]) > ANOTHER_SCALE * size < kernels.size(everything):
        relative_to, size = "MNE", kernels.size(everything)
    return Distances(
        changes=[x / size for x in changes],
        distances=[x / size for x in distances],
        alone=[x / size for x in alone],
        back=[x / size for x in back],
        active=active,
        size=size,
        relative_to=relative_to,
        threshold=threshold / size,
        seconds=seconds / n_kernels,
        stopped=moves.stopped,
    )


def averaged(
    path: Sequence[Convention],
    found: Distances,
    kernels: Kernels,
    orders: str | int | None,
    limit: int,
    progress: bool,
) -> Distances:
    """Add the mean over orders, if there is one; what is inactive does not matter.

    What is interrupted (Ctrl-C) stays without.
    """
    if found.stopped or orders == "path" or (orders is None and sum(found.active) > limit):
        return found  # with another that is active only together with these there are more yet
    try:
        found = dataclasses.replace(found, active=_active_together(path, found, kernels))
    except KeyboardInterrupt:
        return dataclasses.replace(found, stopped=True)
    players = [k for k, is_active in enumerate(found.active) if is_active]
    n = len(players)
    if orders is None and n > limit:
        return found
    count = orders if isinstance(orders, int) else math.inf
    chosen = chosen_orders(n, int(count)) if count < math.factorial(n) else []
    subsets = subsets_on(chosen) if chosen else subsets_of(n)
    which = f"{len(chosen)} order{'s' * (len(chosen) > 1)}" if chosen else "all orders"
    if progress:
        tqdm.write(
            f"{which} of {n} active conventions: {len(subsets)} kernels, about "
            f"{found.seconds * len(subsets):.0f} s (--orders path leaves them out)",
            file=sys.stderr,
        )
    idle = union(path) - union([path[k] for k in players])
    switched = {s: idle | union([path[players[i]] for i in s]) for s in subsets}
    subsets.sort(key=lambda subset: kernels.shared(switched[subset]))
    value = dict[Subset, float]()
    try:
        for subset in shown(subsets, which, progress):
            value[subset] = kernels.distance(switched[subset], frozenset()) / found.size
    except KeyboardInterrupt:
        return dataclasses.replace(found, stopped=True)
    known = value.__getitem__
    means = mean_over_some(chosen, known) if chosen else mean_over_all(n, known)
    shapley = [0.0] * len(path)
    for k, mean in zip(players, means, strict=True):
        shapley[k] = mean
    return dataclasses.replace(found, shapley=shapley, orders=which)


def _active_together(path: Sequence[Convention], found: Distances, kernels: Kernels) -> list[bool]:
    """Tell what is active, alone or with another: a rank matters where μ is made with it.

    That may be at neither end, nor on the path between them, and in the mean over orders all the
    same. What makes no other stage of a kernel costs nothing here.
    """
    everything = union(path)
    players = [c.keys for c, is_active in zip(path, found.active, strict=True) if is_active]

    def matters(keys: frozenset[str]) -> bool:
        ends = ((other, everything - keys - other) for other in players)
        changes = (kernels.distance(s, s | keys) / found.size for pair in ends for s in pair)
        return any(change > found.threshold for change in changes)

    pairs = zip(path, found.active, strict=True)
    return [is_active or matters(convention.keys) for convention, is_active in pairs]


def relative_distance(ours: FloatArray, theirs: FloatArray) -> float:
    """Return ‖ours − theirs‖ / ‖theirs‖ without the locations that are NaN on either side.

    NaN where nothing is left that is not zero.
    """
    size = apart(theirs, None)
    return apart(ours, theirs) / size if size > 0 else math.nan


def shown(items: Sequence[T], what: str, progress: bool) -> Iterable[T]:
    """Go through items, with a progress bar if wanted."""
    return tqdm(items, desc=what, unit="kernel", leave=False) if progress else items


def union(conventions: Sequence[Convention]) -> frozenset[str]:
    """Return the keys of all conventions."""
    return frozenset[str]().union(*(c.keys for c in conventions))
