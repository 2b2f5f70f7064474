"""Which convention makes how much of the difference between two kernels.

With v(S) the relative Frobenius distance from Brainstorm's kernel to the kernel in which the set S
of conventions is MNE's, a path switches one convention after the other and its increments of v sum
to the whole distance. A single path misleads where conventions interact, so three summaries that
do not depend on the order stand beside it: each convention switched alone from Brainstorm's end,
each alone put back from MNE's end, and the Shapley value (Shapley 1953, *Contributions to the
Theory of Games* II, 307–317), the mean increment over all orders, which sums to the whole as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TypeVar

import numpy as np
from tqdm import tqdm

from mne_bstinv._display import Displayed
from mne_bstinv._types import FloatArray
from mne_bstinv.cross_validation.conventions import Convention

__all__ = ["Attribution", "Step", "attribute", "relative_distance"]

T = TypeVar("T")
Kernels = Callable[[frozenset[str]], FloatArray]
Measures = Callable[[FloatArray, FloatArray], dict[str, float | None]]

#: A convention that changes a kernel by less than this is the same on both sides.
UNCHANGED = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Step(Displayed):
    """One convention on the path.

    Parameters
    ----------
    convention : Convention
        What is switched.
    change : float
        Size of the step: ‖K_k − K_(k−1)‖ / ‖K_0‖.
    increment : float
        By how much the distance to Brainstorm's kernel grows (or shrinks): these sum to the whole.
    distance : float
        That distance after the step.
    estimate_change : float | None
        Size of the step in the estimate of the recordings, relative like ``change``.
    row_correlation, amplitude_ratio, peak_displacement : float | None
        Mean correlation of a location's rows before and after the step; median ratio of their
        norms; median displacement of the peak of the point spread in mm.
    alone_from_brainstorm : float
        Distance that this convention alone makes from Brainstorm's end.
    alone_from_mne : float
        Distance that putting it back alone makes from MNE's end.
    shapley : float | None
        Mean increment over all orders; ``None`` where there are too many active conventions.
    """

    convention: Convention
    change: float
    increment: float
    distance: float
    estimate_change: float | None
    row_correlation: float | None
    amplitude_ratio: float | None
    peak_displacement: float | None
    alone_from_brainstorm: float
    alone_from_mne: float
    shapley: float | None

    def _summary(self) -> str:
        return f"{self.convention.label}, {self.increment:+.3g} to {self.distance:.3g}"

    @property
    def active(self) -> bool:
        """Whether the two sides differ in this convention at all."""
        return max(self.change, self.alone_from_brainstorm, self.alone_from_mne) > UNCHANGED

    @property
    def weight(self) -> float:
        """What conventions are ranked by, whatever the order.

        The Shapley value; where it was not computed, the mean of ``alone_from_brainstorm`` and
        ``alone_from_mne``.
        """
        if self.shapley is not None:
            return self.shapley
        return 0.5 * (self.alone_from_brainstorm + self.alone_from_mne)


@dataclass(frozen=True, kw_only=True, eq=False)
class Attribution(Displayed):
    """A path from Brainstorm's kernel to MNE's, and what does not depend on the order.

    Parameters
    ----------
    steps : tuple of Step
        One a convention, in the order of the path.
    total : float
        The whole relative difference.
    remainder_start : float
        Relative difference between the path's first kernel and Brainstorm's own.
    remainder_end : float
        Relative difference between the path's last kernel and the one that MNE computed.
    """

    steps: tuple[Step, ...]
    total: float
    remainder_start: float
    remainder_end: float
    _by_key: dict[str, Step] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_key", {s.convention.key: s for s in self.steps})

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __getitem__(self, key: str) -> Step:
        return self._by_key[key]

    def __repr__(self) -> str:
        return (
            f"<Attribution | {len(self.active)} active conventions, total {self.total:.3g}, "
            f"remainder {self.remainder:.1e}>"
        )

    def _table(self) -> tuple[Sequence[str], Iterable[Sequence[str]]]:
        head = ("convention", "Brainstorm", "MNE", "step", "sum", "alone from either end")
        return head, [
            (
                step.convention.label,
                step.convention.brainstorm,
                step.convention.mne,
                f"{step.increment:+.3g}",
                f"{step.distance:.3g}",
                f"{step.alone_from_brainstorm:.3g}, {step.alone_from_mne:.3g}",
            )
            for step in self.active
        ]

    @property
    def remainder(self) -> float:
        """What no convention explains: both ends' relative differences together."""
        return self.remainder_start + self.remainder_end

    @property
    def averaged(self) -> bool:
        """Whether the mean over all orders (Shapley value) was computed."""
        return all(step.shapley is not None for step in self.steps)

    @property
    def active(self) -> tuple[Step, ...]:
        """The steps in which the two sides differ."""
        return tuple(step for step in self.steps if step.active)


def attribute(
    conventions: Sequence[Convention],
    kernels: Kernels,
    *,
    ends: tuple[FloatArray, FloatArray],
    data: FloatArray | None = None,
    measures: Measures | None = None,
    shapley_limit: int = 6,
    progress: bool = False,
) -> Attribution:
    """Walk from one kernel to the other.

    Parameters
    ----------
    conventions : sequence of Convention
        The path.
    kernels : callable
        From a frozen set of keys to the kernel, shape (n_sources, p, n_channels).
    ends : (array, array)
        The kernels that the two toolboxes themselves computed.
    data : array, shape (n_channels, n_times) | None
        Recordings, for the changes of the estimate.
    measures : callable | None
        From the kernels after and before a step to ``row_correlation``, ``amplitude_ratio`` and
        ``peak_displacement``.
    shapley_limit : int
        Largest number of active conventions for Shapley values: they need 2^n kernels.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Attribution
        The steps and the summaries.
    """
    keys = [c.key for c in conventions]
    everything = frozenset(keys)
    first, last = kernels(frozenset()), kernels(everything)
    size = _norm(first)
    alone = {
        key: _difference(kernels(frozenset({key})), first) / size
        for key in _shown(keys, "each alone from Brainstorm's end", progress)
    }
    back = {
        key: _difference(kernels(everything - {key}), last) / size
        for key in _shown(keys, "each alone from MNE's end", progress)
    }
    path = list(_path(conventions, kernels, first, data, measures, progress))
    active = [
        key
        for key, (change, *_) in zip(keys, path, strict=True)
        if max(change, alone[key], back[key]) > UNCHANGED
    ]
    shapley = None
    if len(active) <= shapley_limit:
        shapley = _shapley(active, everything, kernels, first, progress)
    distances = [0.0, *(distance for _, distance, _, _ in path)]
    return Attribution(
        steps=tuple(
            Step(
                convention=convention,
                change=change,
                increment=distance - before,
                distance=distance,
                estimate_change=estimate_change,
                row_correlation=found.get("row_correlation"),
                amplitude_ratio=found.get("amplitude_ratio"),
                peak_displacement=found.get("peak_displacement"),
                alone_from_brainstorm=alone[convention.key],
                alone_from_mne=back[convention.key],
                shapley=None if shapley is None else shapley.get(convention.key, 0.0),
            )
            for convention, before, (change, distance, estimate_change, found) in zip(
                conventions, distances[:-1], path, strict=True
            )
        ),
        total=distances[-1],
        remainder_start=relative_distance(first, ends[0]),
        remainder_end=relative_distance(last, ends[1]),
    )


def _path(
    conventions: Sequence[Convention],
    kernels: Kernels,
    first: FloatArray,
    data: FloatArray | None,
    measures: Measures | None,
    progress: bool,
) -> Iterator[tuple[float, float, float | None, dict[str, float | None]]]:
    """Yield change, distance, change of the estimate and measures of each step."""
    size, before, switched = _norm(first), first, frozenset[str]()
    estimate_size = None if data is None else _norm(_estimate(first, data))
    for convention in _shown(conventions, "path", progress):
        switched |= {convention.key}
        after = kernels(switched)
        change = _difference(after, before) / size
        estimate_change = None
        if data is not None and estimate_size is not None:
            moved = _estimate(after, data) - _estimate(before, data)
            estimate_change = _norm(moved) / estimate_size
        found = measures(after, before) if measures is not None and change > UNCHANGED else {}
        yield change, _difference(after, first) / size, estimate_change, found
        before = after


def relative_distance(ours: FloatArray, theirs: FloatArray) -> float:
    """Relative Frobenius distance, locations that are NaN on either side left out.

    Parameters
    ----------
    ours, theirs : array
        Two kernels of the same shape; the second is the reference.

    Returns
    -------
    float
        ‖ours − theirs‖ / ‖theirs‖.
    """
    return _difference(ours, theirs) / _norm(theirs)


def _shown(items: Sequence[T], what: str, progress: bool) -> Iterable[T]:
    return tqdm(items, desc=what, unit="kernel", leave=False) if progress else items


def _difference(a: FloatArray, b: FloatArray) -> float:
    return float(np.linalg.norm(np.nan_to_num(a - b)))


def _norm(a: FloatArray) -> float:
    return float(np.linalg.norm(np.nan_to_num(a)))


def _estimate(blocks: FloatArray, data: FloatArray) -> FloatArray:
    return np.nan_to_num(blocks.reshape(-1, blocks.shape[-1])) @ data


def _shapley(
    active: Sequence[str],
    everything: frozenset[str],
    kernels: Kernels,
    first: FloatArray,
    progress: bool,
) -> dict[str, float]:
    """Weigh the increments of every subset; what is inactive does not matter."""
    n = len(active)
    subsets = [frozenset(s) for size in range(n + 1) for s in combinations(active, size)]
    idle = everything - frozenset(active)
    size = _norm(first)
    value = {
        subset: _difference(kernels(subset | idle), first) / size
        for subset in _shown(subsets, "all orders", progress)
    }
    found = dict.fromkeys(active, 0.0)
    for subset in subsets:
        for key in subset:
            without = subset - {key}
            weight = math.factorial(len(without)) * math.factorial(n - len(without) - 1)
            found[key] += weight / math.factorial(n) * (value[subset] - value[without])
    return found
