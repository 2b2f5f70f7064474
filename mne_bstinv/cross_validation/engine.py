r"""Kernels with any subset of the conventions switched from Brainstorm's to MNE's.

Both toolboxes compute K = R^½ L' (L L' + μ I)⁻¹ W with L = W G R^½, see
:mod:`mne_bstinv.inverse.regularization`. Everything in which they differ is in W (noise), in R
(depth, orientation), in μ (SNR), and in what is done to the rows afterwards (measure). With all
conventions of one side the kernel is that toolbox's own, which
:func:`~mne_bstinv.cross_validate` checks against the toolboxes themselves.

With the rows q of the gain along the axes of the prior, every kernel but one is D q T: a weight for
each row and one matrix from the channels of the gain to those of the kernel. Projectors and the
reference meet channels alone: they are in W and T, and q is the same for all of them. L L' =
W (q' R q) W' and T are small, and subsets share them. What knows what:

* :mod:`~mne_bstinv.cross_validation.stages`: from the keys of conventions to by what a kernel is
  made, which is equal for many subsets;
* :mod:`~mne_bstinv.cross_validation.systems`: from there to the arrays that measures share, q, R,
  L L' and T, each made once;
* :mod:`~mne_bstinv.cross_validation.measure`: D, and kernels themselves;
* :mod:`~mne_bstinv.cross_validation.amplitudes`: distances of amplitudes, which need no kernel;
* :mod:`~mne_bstinv.cross_validation.row_products`: those of kernels of one row a location from an
  end, which are summed from what all measures share.

The engine keeps kernels, and takes each distance along the way that is the least work.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.compare.rounding import RoundingBound, bound_of
from mne_bstinv.cross_validation.amplitudes import Amplitudes
from mne_bstinv.cross_validation.ingredients import Ingredients
from mne_bstinv.cross_validation.kept import Kept
from mne_bstinv.cross_validation.measure import Measure
from mne_bstinv.cross_validation.noise import NoiseStage, mne_spectra, noise_stage
from mne_bstinv.cross_validation.row_products import RowProducts, row_products
from mne_bstinv.cross_validation.stages import Key, Stages, Staging
from mne_bstinv.cross_validation.sums import apart, narrowed
from mne_bstinv.cross_validation.systems import Systems

__all__ = ["Engine", "EngineKernel", "mne_bound"]

#: Kernels that are kept, which may be as large as the gain: at least those before and after a step,
#: and as many as so many numbers have room for.
_KERNELS, _NUMBERS = 2, 2**23
#: What changes no more than the rounding of a kernel.
_ROUNDING = frozenset({"precision"})


@dataclass(frozen=True, kw_only=True, eq=False)
class EngineKernel:
    """A kernel with the numbers that figures show."""

    #: Rows x, y, z in SCS, or one along the normal, shape (n_sources, p, n_channels); sLORETA
    #: dimensionless.
    blocks: FloatArray
    #: Of the whitened, weighted gain, in (A·m)⁻¹, sorted down, shape (n_channels,).
    singular_values: FloatArray
    #: μ in (A·m)⁻²: the filter factors are s²/(s² + μ).
    mu: float
    #: Depth weights (amplitude), the smallest 1, shape (n_sources,).
    alpha: FloatArray
    #: Rank of the noise covariance.
    rank: int


class Engine:
    """All kernels of a study between the ends, by the keys of the conventions that are MNE's.

    ``data`` (n_channels, n_times): recordings of which estimates are told apart.
    """

    def __init__(self, ingredients: Ingredients, data: FloatArray | None = None) -> None:
        self._ingredients, self._staging = ingredients, Staging(ingredients)
        self._systems = Systems(ingredients)
        self._measure, self._amplitudes = Measure(self._systems), Amplitudes(self._systems)
        size = ingredients.n_rows * len(ingredients.prepared.channel_names)
        self._distances, self._kernels = Kept(), Kept(max(_KERNELS, _NUMBERS // size))
        self._ends: dict[Stages, FloatArray] = {}
        self._data = None if data is None else narrowed(data)

    def noise(self, switched: Key) -> NoiseStage:
        """Return the whitener of a kernel."""
        return noise_stage(self._ingredients, self._staging.noise(switched))

    def alpha(self, switched: Key) -> FloatArray:
        """Return the depth weights of a kernel, shape (n_sources,)."""
        return self._ingredients.made.alphas[self._staging.depth(switched)]

    def compute(self, switched: Key) -> EngineKernel:
        """Compute a kernel with its intermediates; it is kept, as an end."""
        stages = self._staging.stages(switched)
        self._ends[stages] = self._blocks(stages)
        system, alpha = self._systems.system(stages), self.alpha(switched)
        return EngineKernel(
            blocks=self._ends[stages],
            singular_values=np.sqrt(system.values[::-1]),
            mu=system.mu,
            alpha=alpha / alpha.min(),
            rank=system.noise.rank,
        )

    def blocks(self, switched: Key) -> FloatArray:
        """Return a kernel, shape (n_sources, p, n_channels)."""
        return self._blocks(self._staging.stages(switched))

    def form(self, switched: Key) -> None:
        """Have a kernel at hand, from which distances are taken where that is less work."""
        self.blocks(switched)

    def size(self, switched: Key) -> float:
        """Return the Frobenius norm of a kernel."""
        return self._size(switched, None)

    def distance(self, one: Key, other: Key) -> float:
        """Return the Frobenius norm of the difference of two kernels."""
        return self._apart(one, other, None)

    def estimate_size(self, switched: Key) -> float | None:
        """Return the Frobenius norm of an estimate of the recordings, None without any."""
        return None if self._data is None else self._size(switched, self._data)

    def estimates_apart(self, one: Key, other: Key) -> float | None:
        """Return that of the difference of two estimates."""
        return None if self._data is None else self._apart(one, other, self._data)

    def shared(self, switched: Key) -> str:
        """Return a text of what a kernel is made by: the nearer, the more two of them share."""
        stages = self._staging.stages(switched)
        noise = sorted(stages.noise)
        return repr((stages.rows, noise, stages.mu, stages.averages, stages.normalization))

    def _blocks(self, stages: Stages) -> FloatArray:
        if stages in self._ends:
            return self._ends[stages]
        return self._kernels.get(stages, lambda: self._measure.kernel(stages))

    def _at_hand(self, stages: Stages) -> bool:
        return stages in self._ends or stages in self._kernels

    def _size(self, switched: Key, data: FloatArray | None) -> float:
        """Norm of a kernel, or of what it makes of data."""
        stages = self._staging.stages(switched)
        if self._sums_serve(stages):
            return self._amplitudes.size(stages, data)
        return apart(self._blocks(stages), None, data)

    def _apart(self, one: Key, other: Key, data: FloatArray | None) -> float:
        """Norm of the difference of two kernels, or of what they make of data."""
        a, b = self._staging.stages(one), self._staging.stages(other)
        if a == b:
            return 0.0
        of_rounding = one ^ other == _ROUNDING
        key = frozenset({a, b}), data is None
        return self._distances.get(key, lambda: self._measured(a, b, data, of_rounding))

    def _measured(self, a: Stages, b: Stages, data: FloatArray | None, of_rounding: bool) -> float:
        """Measure a distance along the way that is the least work, of those that know it."""
        found = None
        if not of_rounding and self._sums_serve(a, b):
            found = self._amplitudes.apart(a, b, data)
        if found is None and data is None and self._rows_serve(a, b):
            found = self._by_rows(a, b)
        if found is not None:
            return found
        known = self._blocks(b)  # on a path that of the step before
        return apart(self._blocks(a), known, data)

    def _sums_serve(self, *stages: Stages) -> bool:
        """Whether sums over sources are less work than kernels, which may be at hand."""
        if not self._amplitudes.serve:
            return False
        return self._amplitudes.known(*stages) or not all(map(self._at_hand, stages))

    def _rows_serve(self, a: Stages, b: Stages) -> bool:
        """Whether a kernel need not be formed for its distance from an end."""
        return self._ingredients.axes == "normal" and b in self._ends and not self._at_hand(a)

    def _by_rows(self, a: Stages, end: Stages) -> float | None:
        """Norm of the difference of a kernel from an end; None where they are too near."""
        ours, theirs = self._measure.weights(a)[:, 0], self._measure.weights(end)[:, 0]

        def multiplied() -> RowProducts:
            gain, right = self._systems.gain(a.rows), self._systems.system(a).right
            return row_products(gain, right, self._ends[end], theirs)

        products = self._ingredients.made.products.get((a.system, end.system), multiplied)
        return products.apart(ours, theirs)


def mne_bound(ingredients: Ingredients, last: EngineKernel) -> RoundingBound:
    """Bound how far rounding moves MNE's kernel, of which the intermediates are given."""
    condition = 1 + float(last.singular_values[0]) ** 2 / last.mu
    longest = max(ingredients.prepared.regions[0].gain.shape)
    return bound_of(mne_spectra(ingredients), condition, longest)
