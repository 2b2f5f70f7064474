"""Which conventions can be switched one without the other.

Between the two toolboxes lie combinations that neither computes. Most are sensible kernels. But a
covariance may hold directions with next to no noise, which one side regularises and the other
leaves out: with the rank of the one and the regularisation of the other the whitener divides by
them, and the kernel becomes as large as one likes. Depth weights whose exponent and limit belong
together can do the same. Such a combination says nothing about either toolbox: its conventions are
switched together, as one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import combinations

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.cross_validation.conventions import Convention, join
from mne_bstinv.cross_validation.engine import Engine
from mne_bstinv.cross_validation.ingredients import Ingredients
from mne_bstinv.cross_validation.noise import NOISE, NoiseStage
from mne_bstinv.cross_validation.prior import DEPTH

__all__ = ["separable"]

Sizes = Callable[[frozenset[str]], FloatArray]

#: How much larger than at both ends a precision (1 / variance) of the noise or a squared depth
#: weight may be in between. The kernel is linear in either, and stays within the same factor.
_TOLERATED = 10.0

_REASONS = {
    NOISE: "with some of them Brainstorm's and some MNE's the noise covariance is divided by "
    "variances {ratio:.1g} times smaller than those that either toolbox divides by",
    DEPTH: "with some of them Brainstorm's and some MNE's a source is weighted {ratio:.1g} times "
    "more than in either toolbox",
}


def separable(
    conventions: Sequence[Convention], ingredients: Ingredients, engine: Engine
) -> tuple[tuple[Convention, ...], tuple[str, ...]]:
    """Join the conventions of a path that cannot be separated; return also notes: which, and why.

    Those that were joined stand where the first of them stood. The engine is asked for whiteners
    and depth weights of the kernels in between.
    """
    path, notes = tuple(conventions), []
    sizes: dict[frozenset[str], Sizes] = {
        NOISE: lambda switched: _known_precisions(ingredients, engine.noise(switched)),
        DEPTH: lambda switched: engine.alpha(switched).max(keepdims=True) ** 2,
    }
    for family, size in sizes.items():
        path, ratio = _joined(path, family - ingredients.idle, size)
        for convention in path:
            if convention.parts and convention.keys <= family:
                why = _REASONS[family].format(ratio=ratio)
                notes.append(f"{convention.label}: switched together, since {why}.")
    return path, tuple(notes)


def _joined(
    path: tuple[Convention, ...], family: frozenset[str], size: Sizes
) -> tuple[tuple[Convention, ...], float]:
    """Join conventions of a family until all combinations are sensible; return the worst ratio."""
    ends = np.maximum(size(frozenset()), size(family))
    ends[ends == 0] = np.inf  # a sensor type that neither side divides by anything

    @cache
    def excess(switched: frozenset[str]) -> float:
        return float(np.max(size(switched) / ends))

    def worst(among: tuple[Convention, ...]) -> float:
        return max(excess(s) for s in _combinations(c.keys for c in among if c.keys <= family))

    found = worst(path)
    while worst(path) > _TOLERATED:
        members = [c for c in path if c.keys <= family]
        path = min((join(path, pair) for pair in combinations(members, 2)), key=worst)
    return path, found


def _combinations(keys: Iterable[frozenset[str]]) -> Iterator[frozenset[str]]:
    """Yield every union of some of the sets of keys."""
    several = list(keys)
    for count in range(len(several) + 1):
        for chosen in combinations(several, count):
            yield frozenset().union(*chosen)


def _known_precisions(ingredients: Ingredients, stage: NoiseStage) -> FloatArray:
    return ingredients.made.precisions.get(stage, lambda: _precisions(ingredients, stage))


def _precisions(ingredients: Ingredients, stage: NoiseStage) -> FloatArray:
    """Largest precision that the whitener gives a direction of each sensor type, shape (n_types,).

    In inverse squared units of the data.
    """
    parts = [stage.for_data[:, index] for index in ingredients.types.values()]
    return np.array([np.linalg.eigvalsh(part.T @ part)[-1] for part in parts])
