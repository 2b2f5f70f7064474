r"""Kernels of one row a location told apart by products of their rows, which measures share.

Measures differ in the weights D of a kernel D q T alone. With the rows p_a and p_b of q_a T_a and
q_b T_b, and their difference e, a location has in D_a q_a T_a − D_b q_b T_b the square

    |d_a p_a − d_b p_b|² = d_a² |e|² + 2 d_a δ e·p_b + δ² |p_b|²,  δ = d_a − d_b:

three numbers whatever the weights are. Of kernels that are nearly the same e and δ are small, and
nothing cancels, unless the weights undo what the rows differ in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.cross_validation.sums import memory_for_pieces, root_of_difference

__all__ = ["RowProducts", "row_products"]


@dataclass(frozen=True, kw_only=True, eq=False)
class RowProducts:
    """Of the rows of two products q T, each shape (n_sources,)."""

    #: |e|², e·p and |p|² of their differences e and the other's rows p.
    difference: FloatArray
    crossed: FloatArray
    other: FloatArray

    def apart(self, ours: FloatArray, theirs: FloatArray) -> float | None:
        """Norm of the difference of both with weights (n_sources,); what is NaN does not count.

        None where it is too small a part of what it is summed from.
        """
        with np.errstate(invalid="ignore"):  # a location that no channel sees
            delta = ours - theirs
        squares = ours**2 * self.difference, delta**2 * self.other
        total = float(np.nansum(squares[0] + 2 * ours * delta * self.crossed + squares[1]))
        parts = float(np.nansum(squares[0] + squares[1]))
        return root_of_difference(total, parts)


def row_products(
    gain: FloatArray, right: FloatArray, kernel: FloatArray, weights: FloatArray
) -> RowProducts:
    """Compare the rows of q T with those of a kernel (n_sources, 1, n_channels) without weights.

    ``gain`` (n_sources, 1, n_used) is q, ``right`` T; ``weights`` (n_sources,) the kernel's.
    """
    found = np.empty((3, len(gain)))
    with np.errstate(invalid="ignore"):
        for part, (other, difference) in memory_for_pieces(kernel.shape, 2):
            np.divide(kernel[part, 0], weights[part, None], out=other)
            np.matmul(gain[part, 0], right, out=difference)
            difference -= other
            for k, (a, b) in enumerate([(difference,) * 2, (difference, other), (other,) * 2]):
                np.einsum("mn,mn->m", a, b, out=found[k, part])
    return RowProducts(difference=found[0], crossed=found[1], other=found[2])
