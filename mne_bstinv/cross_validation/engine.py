r"""Kernels with any subset of the conventions switched from Brainstorm's to MNE's.

Both toolboxes compute K = R^½ L' (L L' + μ I)⁻¹ W with L = W G R^½, see
:mod:`mne_bstinv.inverse.regularization`. Everything in which they differ is in W (noise), in R
(depth, orientation), in μ (SNR), and in what is done to the rows afterwards (measure). With all
conventions of one side the kernel is that toolbox's own, which
:func:`~mne_bstinv.cross_validate` checks against the toolboxes themselves.

With the rows q of the gain along the axes of the prior, every kernel but one is D q T: a weight for
each row and one matrix from the channels of the gain to those of the kernel. Projectors and the
reference meet channels alone: they are in W and T, and q is the same for all of them. L L' =
W (q' R q) W' and T are small, and subsets share them: the noise, q' R q, and L L' are computed
once. Amplitudes need no kernel at all to be told apart
(:mod:`mne_bstinv.cross_validation.amplitudes`).

Weights of a measure belong to T: its kernels are formed, but where they have one row a location and
only their distance from an end is asked for, which is summed from what all measures share
(:mod:`mne_bstinv.cross_validation.row_products`). The exception is Brainstorm's sLORETA of three
components, which mixes the rows of a location.
"""

from __future__ import annotations

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.compare.rounding import RoundingBound, bound_of
from mne_bstinv.cross_validation.amplitudes import Amplitudes
from mne_bstinv.cross_validation.ingredients import Ingredients
from mne_bstinv.cross_validation.kept import Kept
from mne_bstinv.cross_validation.noise import mne_spectra
from mne_bstinv.cross_validation.row_products import RowProducts, row_products
from mne_bstinv.cross_validation.stages import EngineKernel, Stages
from mne_bstinv.cross_validation.sums import apart, narrowed, norms_of_products, pieces, weighted
from mne_bstinv.cross_validation.systems import Key, along_normals
from mne_bstinv.inverse.minimum_norm import inverse_root
from mne_bstinv.inverse.orientation import local_frames

__all__ = ["Engine", "EngineKernel", "along_normals", "mne_bound"]

#: Kernels that are kept, which may be as large as the gain: at least those before and after a step,
#: and as many as so many numbers have room for.
_KERNELS, _NUMBERS = 2, 2**23
#: What changes no more than the rounding of a kernel.
_ROUNDING = frozenset({"precision"})


class Engine(Amplitudes):
    """All kernels of a study between the ends, by the keys of the conventions that are MNE's.

    ``data`` (n_channels, n_times): recordings of which estimates are told apart.
    """

    def __init__(self, ingredients: Ingredients, data: FloatArray | None = None) -> None:
        super().__init__(ingredients)
        size = self._n_rows * len(ingredients.prepared.channel_names)
        self._distances, self._kernels = Kept(), Kept(max(_KERNELS, _NUMBERS // size))
        self._ends: dict[Stages, FloatArray] = {}
        self._data = None if data is None else narrowed(data)

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

    def _at_hand(self, stages: Stages) -> bool:
        return stages in self._ends or stages in self._kernels

    def form(self, switched: Key) -> None:
        """Have a kernel at hand, from which distances are taken where that is less work."""
        self._blocks(self._stages(switched))

    def size(self, switched: Key) -> float:
        """Return the Frobenius norm of a kernel."""
        return self._apart(switched, None)

    def distance(self, one: Key, other: Key) -> float:
        """Return the Frobenius norm of the difference of two kernels."""
        key = frozenset({self._stages(one), self._stages(other)})
        return self._distances.get(key, lambda: self._apart(one, other)) if len(key) > 1 else 0.0

    def estimate_size(self, switched: Key) -> float | None:
        """Return the Frobenius norm of an estimate of the recordings, None without any."""
        return None if self._data is None else self._apart(switched, None, self._data)

    def estimates_apart(self, one: Key, other: Key) -> float | None:
        """Return that of the difference of two estimates."""
        if self._data is None or self._stages(one) == self._stages(other):
            return None if self._data is None else 0.0
        return self._apart(one, other, self._data)

    def _apart(self, one: Key, other: Key | None, data: FloatArray | None = None) -> float:
        """Norm of a kernel, or of the difference of two, or of what they make of data."""
        a, b = self._stages(one), None if other is None else self._stages(other)
        found = None
        if self._sums_serve and (other is None or one ^ other != _ROUNDING):
            at_hand = self._at_hand(a) and (b is None or self._at_hand(b))
            if self._knows_sums(a, b) or not at_hand:
                found = self._by_sums(a, b, data)
        if found is None and b is not None and data is None and self._rows_serve(a, b):
            found = self._by_rows(a, b)
        if found is not None:
            return found
        known = None if b is None else self._blocks(b)  # on a path that of the step before
        return apart(self._blocks(a), known, data)

    def _rows_serve(self, a: Stages, b: Stages) -> bool:
        """Whether a kernel need not be formed for its distance from an end."""
        return self._axes == "normal" and b in self._ends and not self._at_hand(a)

    def _by_rows(self, a: Stages, end: Stages) -> float | None:
        """Norm of the difference of a kernel from an end; None where they are too near."""
        ours, theirs = self._row_weights(a)[:, 0], self._row_weights(end)[:, 0]

        def multiplied() -> RowProducts:
            gain, right = self._gain(a.rows), self._system(a).right
            return row_products(gain, right, self._ends[end], theirs)

        products = self._made.products.get((a.system, end.system), multiplied)
        return products.apart(ours, theirs)

    def shared(self, switched: Key) -> str:
        """Return a text of what a kernel is made by: the nearer, the more two of them share."""
        stages = self._stages(switched)
        noise = sorted(stages.noise)
        return repr((stages.rows, noise, stages.mu, stages.averages, stages.normalization))

    # kernels themselves

    def _scale(self, stages: Stages) -> float:
        """√ of the averages that a normalised measure is of."""
        averages = self._ingredients.side.nave if stages.averages else self._ingredients.averages
        return float(np.sqrt(averages))

    def _formed(self, stages: Stages) -> FloatArray:
        """Rows of a kernel along the axes, of the components compared."""
        gain, compared = self._gain(stages.rows), self._compared
        mixes, std, right = self._mixes(stages), self._std(stages.rows), self._system(stages).right
        roots = self._resolution_roots(stages) if mixes else None
        weights = None if mixes else self._row_weights(stages)[:, compared, None]
        blocks = np.empty((*gain[:, compared].shape[:2], right.shape[1]))
        with np.errstate(invalid="ignore"):  # a location that no channel sees
            for part in pieces(*gain.shape[:2]):
                rows, out = gain[part], blocks[part]
                if roots is not None:
                    rows = self._mixed(rows, std[part], roots[part], stages)
                rows = rows[:, compared].reshape(-1, len(right))
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
        """Norms of the rows of q F, by which a measure divides, shape (n_sources, p)."""

        def multiplied() -> FloatArray:
            system = self._system(stages)
            factor = system.root if of_resolution else system.filtered
            return norms_of_products(self._gain(stages.rows), factor)

        of_resolution = self._ingredients.settings.method == "sLORETA"
        return self._made.norms.get((stages.system, of_resolution), multiplied)

    def _mixed(
        self, gain: FloatArray, std: FloatArray, roots: FloatArray, stages: Stages
    ) -> FloatArray:
        """Multiply rows by the inverse root of the resolution of their location."""
        if self._restored:
            roots = std[:, :, None] * roots
        scale = self._scale(stages) * np.sqrt(self._system(stages).mu)
        mixed: FloatArray = scale * roots @ (std[:, :, None] * gain)
        return mixed

    def _resolution_roots(self, stages: Stages) -> FloatArray:
        """Inverse roots of the resolution of locations, shape (n_sources, p, p)."""

        def multiplied() -> FloatArray:
            gain, std, root = self._gain(stages.rows), self._std(stages.rows), system.root
            n_sources, p = gain.shape[:2]
            blocks = np.empty((n_sources, p, p))
            for part in pieces(n_sources, p):
                lead = (weighted(gain, std, part) @ root).reshape(-1, p, root.shape[1])
                blocks[part] = np.einsum("mpn,mqn->mpq", lead, lead)
            return inverse_root(blocks, self._ingredients.conventions.null_resolution)

        system = self._system(stages)
        return self._made.norms.get((stages.system, "blocks"), multiplied)

    def _turned(self, blocks: FloatArray) -> FloatArray:
        """Turn rows along the axes to x, y, z, unless they are compared along the normals."""
        if self._axes != "local" or blocks.shape[1] == 1:
            return blocks
        turned: FloatArray = local_frames(self._ingredients.required_normals, 1.0) @ blocks
        return turned


def mne_bound(ingredients: Ingredients, last: EngineKernel) -> RoundingBound:
    """Bound how far rounding moves MNE's kernel, of which the intermediates are given."""
    condition = 1 + float(last.singular_values[0]) ** 2 / last.mu
    longest = max(ingredients.prepared.regions[0].gain.shape)
    return bound_of(mne_spectra(ingredients), condition, longest)
