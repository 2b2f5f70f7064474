r"""Amplitudes told apart by sums over sources, without the kernels.

An amplitude is D q T: weights of the rows of the gain q, and a small matrix. With the sums over
sources X_ab = (D_a q_a)' D_b q_b, which few pairs of D and q have,

    ‖D_a q_a T_a − D_b q_b T_b‖² = tr T_a' X_aa T_a − 2 tr T_a' X_ab T_b + tr T_b' X_bb T_b,

and so for estimates, with T Y of the recordings Y in place of T. Where noise or gain are badly
conditioned, terms of a trace cancel, too: what is left is weighed against all of them.
"""

from __future__ import annotations

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.cross_validation.kept import Kept
from mne_bstinv.cross_validation.stages import Rows, Stages
from mne_bstinv.cross_validation.sums import gram, product_of_rows, root_of_difference
from mne_bstinv.cross_validation.systems import Systems

__all__ = ["Amplitudes"]

#: Rows of a kernel, in its channels, up to which it is formed: sums of few rows are of no full
#: rank, too, which costs digits.
_FEW = 4


class Amplitudes:
    """How far the amplitudes between both toolboxes are apart, by their stages."""

    def __init__(self, systems: Systems) -> None:
        self._systems = systems
        self._sums, self._squares, self._sizes = Kept(), Kept(), Kept()

    @property
    def serve(self) -> bool:
        """Whether the measure is one, and sums over sources less work than kernels of few rows."""
        ingredients = self._systems.ingredients
        return ingredients.is_amplitude and ingredients.n_rows > _FEW * len(ingredients.used)

    def known(self, *stages: Stages) -> bool:
        """Whether the sums over sources are there for a size, or a distance."""
        rows = {of.rows for of in stages}
        return all(frozenset({x, y}) in self._sums for x in rows for y in rows)

    def size(self, stages: Stages, data: FloatArray | None) -> float:
        """Norm of an amplitude, or of what it makes of data."""
        return _root(self._square(stages, data))

    def apart(self, a: Stages, b: Stages, data: FloatArray | None) -> float | None:
        """Norm of the difference of two amplitudes, or of what they make of data.

        None where the two are nearly the same.
        """
        ours, theirs = self._right(a, data), self._right(b, data)
        if a.rows == b.rows:
            moved = ours - theirs
            return _root(self._product(a.rows, moved, a.rows, moved))
        squares = self._square(a, data) + self._square(b, data)
        product = self._product(a.rows, ours, b.rows, theirs)
        terms = self._terms(a, data) + self._terms(b, data)
        return root_of_difference(squares - 2 * product, terms)

    def _right(self, stages: Stages, data: FloatArray | None) -> FloatArray:
        """T, or T Y, shape (n_used, n)."""
        right = self._systems.system(stages).right
        return right if data is None else right @ data

    def _square(self, stages: Stages, data: FloatArray | None) -> float:
        """Squared norm of an amplitude, or of what it makes of data."""

        def multiplied() -> float:
            right = self._right(stages, data)
            return self._product(stages.rows, right, stages.rows, right)

        return self._squares.get((stages, data is None), multiplied)

    def _terms(self, stages: Stages, data: FloatArray | None) -> float:
        """Sum of the sizes of the terms that such a square is summed from."""

        def multiplied() -> float:
            sums = np.abs(self._summed(stages.rows, stages.rows))
            right = np.abs(self._right(stages, data))
            return float(np.vdot(sums @ right, right))

        return self._sizes.get((stages, data is None), multiplied)

    def _product(self, a: Rows, left: FloatArray, b: Rows, right: FloatArray) -> float:
        """Return tr T_a' X_ab T_b of two matrices T (n_used, n)."""
        if repr(a) > repr(b):  # each pair once
            a, left, b, right = b, right, a, left
        return float(np.vdot(self._summed(a, b).T @ left, right))

    def _summed(self, a: Rows, b: Rows) -> FloatArray:
        """X_ab of the components compared, shape (n_used, n_used), made once."""
        return self._sums.get(frozenset({a, b}), lambda: self._multiplied(a, b))

    def _multiplied(self, a: Rows, b: Rows) -> FloatArray:
        systems, compared = self._systems, self._systems.ingredients.compared
        weights = (systems.variances(a) * systems.variances(b))[:, compared]
        gain = systems.gain(a)[:, compared]
        if a.gain == b.gain:  # a matrix and itself, which takes half of the time
            return gram(gain, np.sqrt(weights))
        return product_of_rows(gain, weights, systems.gain(b)[:, compared])


def _root(squares: float) -> float:
    # rounding may leave less than nothing of nothing
    return float(np.sqrt(max(squares, 0.0)))
