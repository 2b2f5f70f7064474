r"""Kernels with any subset of the conventions switched from Brainstorm's to MNE's.

Both toolboxes compute K = R^½ L' (L L' + μ I)⁻¹ W with L = W G R^½, see
:mod:`mne_bstinv.inverse.regularization`. Everything in which they differ is in W (noise), in R
(depth, orientation), in μ (SNR), and in what is done to the rows afterwards (measure). With all
conventions of one side the kernel is that toolbox's own, which
:func:`~mne_bstinv.cross_validate` checks against the toolboxes themselves.

With the rows q of the gain along the axes of the prior, every kernel but one is D q T: a weight for
each row and one matrix from the channels of the gain to those of the kernel. Projectors and the
reference meet channels alone: they are in W and T, and q is the same for all of them. L L' =
W (q' R q) W' and T are small, and subsets share them: the noise, q' R q, and the eigenvectors of
L L' are computed once. Amplitudes need no kernel at all to be told apart: with the sums over
sources X_ab = (D_a q_a)' D_b q_b, which few pairs of D and q have,

    ‖D_a q_a T_a − D_b q_b T_b‖² = tr T_a' X_aa T_a − 2 tr T_a' X_ab T_b + tr T_b' X_bb T_b.

Weights of a measure belong to T: its kernels are formed. The exception is Brainstorm's sLORETA of
three components, which mixes the rows of a location.
"""

from __future__ import annotations

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.compare.rounding import RoundingBound, bound_of
from mne_bstinv.cross_validation.ingredients import Ingredients
from mne_bstinv.cross_validation.kept import Kept
from mne_bstinv.cross_validation.noise import mne_spectra
from mne_bstinv.cross_validation.stages import EngineKernel, Rows, Stages
from mne_bstinv.cross_validation.sums import (
    apart,
    norms_of_products,
    pieces,
    self_product,
    sum_over_pieces,
    weighted,
)
from mne_bstinv.cross_validation.systems import Key, Systems, along_normals
from mne_bstinv.inverse.minimum_norm import inverse_root
from mne_bstinv.inverse.orientation import local_frames

__all__ = ["Engine", "EngineKernel", "along_normals", "mne_bound"]

#: Part of the sizes of what a norm is summed from below which kernels are subtracted instead: a
#: sum of squares knows it to half of the digits only.
_CANCELLED = 1e-4
#: Kernels that are kept: they are as large as the gain.
_KERNELS = 1


class Engine(Systems):
    """All kernels of a study between the ends, by the keys of the conventions that are MNE's."""

    def __init__(self, ingredients: Ingredients) -> None:
        super().__init__(ingredients)
        self._grams, self._distances, self._kernels = Kept(), Kept(), Kept(_KERNELS)
        self._ends: dict[Stages, FloatArray] = {}

    # what leaves

    def compute(self, switched: Key) -> EngineKernel:
        """Compute a kernel with its intermediates; it is kept."""
        stages = self._stages(switched)
        self._ends[stages] = self._blocks(stages)
        system, alpha = self._system(stages), self.alpha(switched)
        return EngineKernel(
            blocks=self._ends[stages],
            singular_values=np.sqrt(system.values[::-1]),
            mu=system.mu,
            alpha=alpha / alpha.min(),
            rank=system.noise.rank,
        )

    def blocks(self, switched: Key) -> FloatArray:
        """Return a kernel, shape (n_sources, p, n_channels)."""
        return self._blocks(self._stages(switched))

    def _blocks(self, stages: Stages) -> FloatArray:
        if stages in self._ends:
            return self._ends[stages]
        return self._kernels.get(stages, lambda: self._turned(self._formed(stages)))

    def size(self, switched: Key) -> float:
        """Return the Frobenius norm of a kernel."""
        stages = self._stages(switched)
        if not self._is_amplitude:
            return apart(self._blocks(stages), None)
        gram = self._gram_of_amplitudes(stages.rows, stages.rows)
        return _root(_trace(self._system(stages).right, gram))

    def distance(self, one: Key, other: Key) -> float:
        """Return the Frobenius norm of the difference of two kernels."""
        a, b = self._stages(one), self._stages(other)
        if a == b:
            return 0.0
        measured = self._distance_by_sums if self._is_amplitude else self._distance_of_formed
        return self._distances.get(frozenset({a, b}), lambda: measured(a, b))

    def _distance_by_sums(self, a: Stages, b: Stages) -> float:
        """Tell amplitudes apart without the kernels, if they are not nearly the same."""
        ours, theirs = self._system(a).right, self._system(b).right
        if a.rows == b.rows:
            squares = [_trace(ours - theirs, self._gram_of_amplitudes(a.rows, a.rows))]
        else:
            squares = [
                _trace(ours, self._gram_of_amplitudes(a.rows, a.rows)),
                -2 * _trace(ours, self._gram_of_amplitudes(a.rows, b.rows), theirs),
                _trace(theirs, self._gram_of_amplitudes(b.rows, b.rows)),
            ]
        found = _root(sum(squares))
        if found > _CANCELLED * _root(sum(map(abs, squares))) and found > 0:
            return found
        return self._distance_of_formed(a, b)

    def _distance_of_formed(self, a: Stages, b: Stages) -> float:
        """Subtract two kernels: on a path the other one is that of the step before, and known."""
        known = self._blocks(b)
        return apart(self._blocks(a), known)

    def shared(self, switched: Key) -> str:
        """Return a text of what a kernel is made by: the nearer, the more two of them share."""
        stages = self._stages(switched)
        noise = sorted(stages.noise)
        return repr((stages.rows, noise, stages.mu, stages.averages, stages.normalization))

    # Gram matrices of amplitudes

    def _amplitude_weights(self, rows: Rows) -> FloatArray:
        """D of an amplitude D q T, shape (n_sources, p): the prior variance."""
        weights = self._std(rows) ** 2
        if rows.lengthened:
            weights[:, 0] *= self._ingredients.lengths
        return weights

    @property
    def _restored(self) -> bool:
        """Whether Brainstorm's rows are multiplied by the prior in the end (of 2009 all)."""
        ingredients = self._ingredients
        return ingredients.options.measure in ingredients.conventions.prior_restored

    def _scale(self, stages: Stages) -> float:
        """√ of the averages that a normalised measure is of."""
        averages = self._ingredients.side.nave if stages.averages else self._ingredients.averages
        return float(np.sqrt(averages))

    def _gram_of_amplitudes(self, a: Rows, b: Rows) -> FloatArray:
        """(D_a q_a)' D_b q_b of the components compared, shape (n_used, n_used)."""

        def summed() -> FloatArray:
            weights = (self._amplitude_weights(a) * self._amplitude_weights(b))[:, self._compared]
            gain = self._gain(a)[:, self._compared]
            if a.gain == b.gain:  # a matrix and itself, which takes half of the time
                root = np.sqrt(weights)
                return sum_over_pieces(len(gain), lambda part: self_product(gain, root, part))
            other = self._gain(b)[:, self._compared]
            return sum_over_pieces(
                len(gain),
                lambda part: (
                    weighted(gain, weights, part).T @ other[part].reshape(-1, other.shape[2])
                ),
            )

        return self._grams.get(("amplitudes", a, b), summed)

    # kernels themselves

    def _formed(self, stages: Stages) -> FloatArray:
        """Rows of a kernel along the axes, of the components compared."""
        gain, compared = self._gain(stages.rows), self._compared
        mixes, std, right = self._mixes(stages), self._std(stages.rows), self._system(stages).right
        weights = None if mixes else self._row_weights(stages)[:, compared, None]
        blocks = np.empty((*gain[:, compared].shape[:2], right.shape[1]))
        with np.errstate(invalid="ignore"):  # a location that no channel sees
            for part in pieces(*gain.shape[:2]):
                rows = self._mixed(gain[part], std[part], stages) if mixes else gain[part]
                rows, out = rows[:, compared].reshape(-1, len(right)), blocks[part]
                np.matmul(rows, right, out=out.reshape(-1, right.shape[1]))
                if weights is not None:
                    out *= weights[part]
        if mixes and stages.rows.lengthened:
            blocks[:, 0] *= self._ingredients.lengths[:, None]
        return blocks

    def _mixes(self, stages: Stages) -> bool:
        """Whether a kernel mixes the rows of a location."""
        mixes = self._ingredients.settings.method == "sLORETA" and not stages.normalization
        return mixes and stages.rows.orient != "fixed"

    def _row_weights(self, stages: Stages) -> FloatArray:
        """D of a kernel D q T, shape (n_sources, p)."""
        if self._is_amplitude:
            return self._amplitude_weights(stages.rows)
        std, norms, scale = self._std(stages.rows), self._norms(stages), self._scale(stages)
        # of sLORETA one component: the others are zero
        weights = std**2 if stages.normalization or self._restored else std
        noise = weights * norms
        if self._ingredients.settings.method == "sLORETA":
            scale *= np.sqrt(self._system(stages).mu)
            resolution = std * norms
            noise = std * resolution if stages.normalization else resolution
        with np.errstate(invalid="ignore", divide="ignore"):  # a location that no channel sees
            found: FloatArray = scale * weights / np.linalg.norm(noise, axis=1, keepdims=True)
        if stages.rows.lengthened:
            found[:, 0] *= self._ingredients.lengths
        return found

    def _norms(self, stages: Stages) -> FloatArray:
        """|q F| of what a measure divides by, shape (n_sources, p)."""

        def multiplied() -> FloatArray:
            filtered = self._system(stages).filtered(power)
            return norms_of_products(self._gain(stages.rows), filtered)

        power = {"sLORETA": 0.5, "dSPM": 1.0}[self._ingredients.settings.method]
        return self._made.norms.get((stages.system, power), multiplied)

    def _mixed(self, gain: FloatArray, std: FloatArray, stages: Stages) -> FloatArray:
        """Multiply rows by the inverse root of the resolution of their location."""
        system = self._system(stages)
        lead = (std[:, :, None] * gain) @ system.filtered(0.5)
        null = self._ingredients.conventions.null_resolution
        root = inverse_root(lead @ lead.transpose(0, 2, 1), null)
        if self._restored:
            root = std[:, :, None] * root
        scale = self._scale(stages) * np.sqrt(system.mu)
        mixed: FloatArray = scale * root @ (std[:, :, None] * gain)
        return mixed

    def _turned(self, blocks: FloatArray) -> FloatArray:
        """Turn rows along the axes to x, y, z, unless they are compared along the normals."""
        if self._axes != "local" or blocks.shape[1] == 1:
            return blocks
        turned: FloatArray = local_frames(self._ingredients.required_normals, 1.0) @ blocks
        return turned


def _trace(left: FloatArray, gram: FloatArray, right: FloatArray | None = None) -> float:
    """Trace of left' gram right, with left itself for right where there is none."""
    return float(np.sum((gram.T @ left) * (left if right is None else right)))


def _root(squares: float) -> float:
    # rounding may leave less than nothing of nothing
    return float(np.sqrt(max(squares, 0.0)))


def mne_bound(ingredients: Ingredients, last: EngineKernel) -> RoundingBound:
    """Bound how far rounding moves MNE's kernel, of which the intermediates are given."""
    condition = 1 + float(last.singular_values[0]) ** 2 / last.mu
    longest = max(ingredients.prepared.regions[0].gain.shape)
    return bound_of(mne_spectra(ingredients), condition, longest)
