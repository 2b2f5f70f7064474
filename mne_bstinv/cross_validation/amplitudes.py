r"""Amplitudes told apart by sums over sources, without the kernels.

An amplitude is D q T: weights of the rows of the gain q, and a small matrix. With the sums over
sources X_ab = (D_a q_a)' D_b q_b, which few pairs of D and q have,

    ‖D_a q_a T_a − D_b q_b T_b‖² = tr T_a' X_aa T_a − 2 tr T_a' X_ab T_b + tr T_b' X_bb T_b,

and so for estimates, with T Y of the recordings Y in place of T.
"""

from __future__ import annotations

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.cross_validation.ingredients import Ingredients
from mne_bstinv.cross_validation.kept import Kept
from mne_bstinv.cross_validation.stages import Rows, Stages
from mne_bstinv.cross_validation.sums import self_product, sum_over_pieces, weighted
from mne_bstinv.cross_validation.systems import Systems

__all__ = ["Amplitudes"]

#: Part of the sizes of what a norm is summed from below which kernels are subtracted instead: a
#: sum of squares knows it to half of the digits only.
_CANCELLED = 1e-4
#: Rows of a kernel, in its channels, up to which it is formed: sums of few rows are of no full
#: rank, too, which costs digits.
_FEW = 4


class Amplitudes(Systems):
    """The amplitudes between both toolboxes, and how far they are apart."""

    def __init__(self, ingredients: Ingredients) -> None:
        super().__init__(ingredients)
        self._sums, self._squares = Kept(), Kept()

    def _by_sums(self, a: Stages, b: Stages | None, data: FloatArray | None) -> float | None:
        """Norm of an amplitude, or of the difference of two, or of what they make of data.

        None where the two are nearly the same.
        """
        if b is None:
            return _root(self._square(a, data))
        ours, theirs = self._right(a, data), self._right(b, data)
        if a.rows == b.rows:
            moved = ours - theirs
            return _root(self._product(a.rows, moved, a.rows, moved))
        squares = self._square(a, data), self._square(b, data)
        product = self._product(a.rows, ours, b.rows, theirs)
        found = _root(sum(squares) - 2 * product)
        return found if found > _CANCELLED * _root(sum(squares)) else None

    @property
    def _sums_serve(self) -> bool:
        """Whether sums over sources are less work than kernels, which have few rows."""
        return self._is_amplitude and self._n_rows > _FEW * len(self._ingredients.used)

    def _knows_sums(self, a: Stages, b: Stages | None) -> bool:
        """Whether the sums over sources are there."""
        rows = {a.rows} if b is None else {a.rows, b.rows}
        return all(frozenset({x, y}) in self._sums for x in rows for y in rows)

    def _amplitude_weights(self, rows: Rows) -> FloatArray:
        """D of an amplitude D q T, shape (n_sources, p): the prior variance."""
        weights = self._std(rows) ** 2
        if rows.lengthened:
            weights[:, 0] *= self._ingredients.lengths
        return weights

    def _right(self, stages: Stages, data: FloatArray | None) -> FloatArray:
        """T, or T Y, shape (n_used, n)."""
        right = self._system(stages).right
        return right if data is None else right @ data

    def _square(self, stages: Stages, data: FloatArray | None) -> float:
        """Squared norm of an amplitude, or of what it makes of data."""

        def multiplied() -> float:
            right = self._right(stages, data)
            return self._product(stages.rows, right, stages.rows, right)

        return self._squares.get((stages, data is None), multiplied)

    def _product(self, a: Rows, left: FloatArray, b: Rows, right: FloatArray) -> float:
        """Return tr T_a' X_ab T_b of two matrices T (n_used, n)."""
        if repr(a) > repr(b):  # each pair once
            a, left, b, right = b, right, a, left
        found = self._sums.get(frozenset({a, b}), lambda: self._summed(a, b))
        return float(np.vdot(found.T @ left, right))

    def _summed(self, a: Rows, b: Rows) -> FloatArray:
        """X_ab of the components compared, shape (n_used, n_used)."""
        weights = (self._amplitude_weights(a) * self._amplitude_weights(b))[:, self._compared]
        gain = self._gain(a)[:, self._compared]
        if a.gain == b.gain:  # a matrix and itself, which takes half of the time
            root = np.sqrt(weights)
            return sum_over_pieces(len(gain), lambda part: self_product(gain, root, part))
        other = self._gain(b)[:, self._compared]
        return sum_over_pieces(
            len(gain),
            lambda part: weighted(gain, weights, part).T @ other[part].reshape(-1, other.shape[2]),
        )


def _root(squares: float) -> float:
    # rounding may leave less than nothing of nothing
    return float(np.sqrt(max(squares, 0.0)))
