r"""Kernels with any subset of the conventions switched from Brainstorm's to MNE's.

Both toolboxes compute K = R^½ L' (L L' + μ I)⁻¹ W with L = W G R^½, see
:mod:`mne_bstinv.inverse.regularization`. Everything in which they differ is in W (noise), in R
(depth, orientation), in μ (SNR), and in what is done to the rows afterwards (measure). With all
conventions of one side the kernel is that toolbox's own, which
:func:`~mne_bstinv.cross_validate` checks against the toolboxes themselves.

With the rows q of the gain along the axes of the prior, every kernel but one is D q T: a weight for
each row and one matrix n_channels × n_channels. L L' = W (q' R q) W' and T are small, and subsets
share them: the noise, q' R q, and the eigenvectors of L L' are computed once. Amplitudes need no
kernel at all to be told apart, since D and q are shared, too: with E = D_a q_a − D_b q_b

    D_a q_a T_a − D_b q_b T_b = E T_a + D_b q_b (T_a − T_b),

so that the norm follows from E'E, E' D_b q_b and (D_b q_b)' D_b q_b, without cancellation. Weights
of a measure belong to T: there |q_i T|² and q_i T · K_i of each row, with K the kernel at an end,
give the distances from it of all kernels of one T. The exception is Brainstorm's sLORETA of three
components, which mixes the rows of a location.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property, partial

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.compare.rounding import RoundingBound, bound_of
from mne_bstinv.cross_validation.ingredients import Ingredients
from mne_bstinv.cross_validation.noise import NOISE, NoiseStage, mne_spectra, noise_stage
from mne_bstinv.cross_validation.prior import (
    DEPTH,
    GainRows,
    depth_power,
    depth_weights,
    gain_rows,
    prior_std,
    tangential,
)
from mne_bstinv.cross_validation.stages import EngineKernel, Kept, Rows, Stages, System
from mne_bstinv.cross_validation.sums import (
    apart,
    norms_of_products,
    pieces,
    self_product,
    sum_over_pieces,
    weighted,
)
from mne_bstinv.inverse.minimum_norm import inverse_root
from mne_bstinv.inverse.orientation import local_frames

__all__ = ["Engine", "EngineKernel", "along_normals", "mne_bound"]

Key = frozenset[str]

#: Part of the sizes of what a norm is summed from below which kernels are subtracted instead: a
#: sum of squares knows it to half of the digits only.
_CANCELLED = 1e-4
#: Kernels, and rows of the gain, that are kept: they are as large as the gain. And systems, and
#: numbers of their rows.
_KERNELS, _GAINS, _SYSTEMS, _ROWS = 2, 2, 8, 4


class Engine:
    """All kernels of a study between the ends, by the keys of the conventions that are MNE's."""

    def __init__(self, ingredients: Ingredients) -> None:
        self._ingredients = ingredients
        self._noise, self._grams, self._spectra, self._powers = (Kept() for _ in range(4))
        self._gains, self._kernels = Kept(_GAINS), Kept(_KERNELS)
        self._systems, self._rows = Kept(_SYSTEMS), Kept(_ROWS)
        self._ends: dict[Stages, FloatArray] = {}
        self._alphas: list[FloatArray] = []
        self._depths: dict[Key, int] = {}

    # what leaves

    def compute(self, switched: Key) -> EngineKernel:
        """Compute a kernel with its intermediates; it is kept."""
        stages = self._stages(switched)
        self._ends[stages] = self.blocks(switched)
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
        stages = self._stages(switched)
        if stages in self._ends:
            return self._ends[stages]
        return self._kernels.get(stages, lambda: self._turned(self._formed(stages)))

    def size(self, switched: Key) -> float:
        """Return the Frobenius norm of a kernel."""
        if not self._is_amplitude:
            return apart(self.blocks(switched), None)
        stages = self._stages(switched)
        gram = self._gram_of_amplitudes(stages.rows.projected())
        return _root(_trace(self._system(stages).right, gram))

    def distance(self, one: Key, other: Key) -> float:
        """Return the Frobenius norm of the difference of two kernels."""
        a, b = self._stages(one), self._stages(other)
        if a == b:
            return 0.0
        if not self._is_amplitude:
            by_rows = self._distance_by_rows(a, b) if b in self._ends else None
            return apart(self.blocks(one), self.blocks(other)) if by_rows is None else by_rows
        right = self._system(a).right
        moved = right - self._system(b).right
        rows = a.rows.projected(), b.rows.projected()
        squares = [_trace(moved, self._gram_of_amplitudes(rows[1]))]
        if rows[0] != rows[1]:
            of_change, mixed = self._grams_of_change(*rows)
            squares += [_trace(right, of_change), 2 * _trace(right, mixed, moved)]
        found = _root(sum(squares))
        if found > _CANCELLED * _root(sum(map(abs, squares))) and found > 0:
            return found
        return apart(self.blocks(one), self.blocks(other))

    def shared(self, switched: Key) -> str:
        """Return a text of what a kernel is made by: the nearer, the more two of them share."""
        stages = self._stages(switched)
        noise = sorted(stages.noise)
        return repr((stages.rows, noise, stages.mu, stages.averages, stages.normalization))

    def noise(self, switched: Key) -> NoiseStage:
        """Return the whitener with some conventions MNE's, computed once."""
        key = self._noise_key(switched)
        return self._noise.get(key, lambda: noise_stage(self._ingredients, key))

    def alpha(self, switched: Key) -> FloatArray:
        """Return the depth weights (n_sources,) with some conventions MNE's, computed once."""
        return self._alphas[self._depth(switched & DEPTH)]

    # the stages of a subset

    @property
    def _is_amplitude(self) -> bool:
        return self._ingredients.settings.method == "MNE"

    @property
    def _restored(self) -> bool:
        """Whether Brainstorm's rows are multiplied by the prior in the end (of 2009 all)."""
        ingredients = self._ingredients
        return ingredients.options.measure in ingredients.conventions.prior_restored

    @cached_property
    def _axes(self) -> str:
        """Along which axes rows are kept, so that every prior is diagonal: one for all subsets."""
        ours, theirs = self._ingredients.orient, self._ingredients.settings.orientation
        if ours == theirs == "fixed":
            return "normal"
        return "xyz" if ours == theirs == "free" else "local"

    def _noise_key(self, switched: Key) -> Key:
        if switched | self._ingredients.idle >= NOISE:
            return NOISE
        # until all others are MNE's, the arithmetic of the noise is the same
        return (switched & NOISE) - self._ingredients.idle - {"precision"}

    def _stages(self, switched: Key) -> Stages:
        ingredients = self._ingredients
        theirs = "orientation" in switched
        orient = ingredients.settings.orientation if theirs else ingredients.orient
        return Stages(
            noise=self._noise_key(switched),
            rows=Rows(
                gain=self._gain_by(switched, orient),
                depth=self._depth(switched & DEPTH),
                orient=orient,
                tangential=tangential(ingredients, orient, theirs="loose" in switched),
            ),
            mu=("snr" in switched, "rank_factor" in switched, self._prior_by_sample(switched)),
            averages="averaging" in switched and not self._is_amplitude,
            normalization="normalization" in switched and not self._is_amplitude,
        )

    def _gain_by(self, switched: Key, orient: str) -> GainRows:
        ingredients = self._ingredients
        conventions, operators = ingredients.conventions, switched - ingredients.idle
        ours = orient != "free" and not conventions.unit_normals
        decoupled = orient == "loose" and conventions.tangents == "decoupled"
        noise = self._noise_key(switched)
        return GainRows(
            projectors="projectors" in operators,
            reference="reference" in operators,
            single="precision" in switched and orient == "fixed",
            whitener_projects=noise == NOISE and bool({"projectors", "reference"} & operators),
            stored_normals=ours and "normals" not in switched,
            decoupled=decoupled and "tangents" not in switched,
        )

    def _prior_by_sample(self, switched: Key) -> bool:
        """Whether an RMS source amplitude is that of one sample, not of the average."""
        ingredients = self._ingredients
        given = ingredients.options.prior_rms is not None and ingredients.averages > 1
        return given and "averaging" in switched

    def _depth(self, switched: Key) -> int:
        """Return the number of the depth weights, of those that differ."""
        if switched not in self._depths:
            theirs = "depth_norm" in switched
            power = self._powers.get(theirs, lambda: depth_power(self._ingredients, theirs=theirs))
            alpha = depth_weights(self._ingredients, power, switched)
            equal = [k for k, known in enumerate(self._alphas) if np.array_equal(known, alpha)]
            if not equal:
                self._alphas.append(alpha)
            self._depths[switched] = equal[0] if equal else len(self._alphas) - 1
        return self._depths[switched]

    def _system(self, stages: Stages) -> System:
        return self._systems.get(stages, lambda: self._solved(stages))

    def _solved(self, stages: Stages) -> System:
        noise = self.noise(stages.noise)

        def decomposed() -> tuple[FloatArray, FloatArray]:
            lead = noise.for_gain @ self._gram_of_prior(stages.rows) @ noise.for_gain.T
            values, vectors = np.linalg.eigh(0.5 * (lead + lead.T))
            return np.maximum(values, 0.0), vectors

        values, vectors = self._spectra.get((stages.noise, stages.rows), decomposed)
        mu = self._mu(stages, float(values.sum()), noise.rank)
        return System(noise=noise, values=values, vectors=vectors, mu=mu)

    def _mu(self, stages: Stages, trace: float, rank: int) -> float:
        ingredients = self._ingredients
        options, settings = ingredients.options, ingredients.settings
        theirs, rank_factor, by_sample = stages.mu
        if not theirs and options.prior_rms is not None:
            # L is of one sample here, the prior of the average
            return 1 / options.prior_rms**2 / (1.0 if by_sample else ingredients.averages)
        power = 1 / settings.lambda2 if theirs else options.snr_fixed**2
        rank_factor = rank_factor or ingredients.conventions.scale == "trace"
        n = rank if rank_factor else len(ingredients.prepared.channel_names)
        return trace / (n * power)

    # rows of the gain, and their Gram matrices

    def _gain(self, rows: Rows) -> FloatArray:
        """Rows of the gain along the axes, shape (n_sources, p, n_channels)."""
        make = partial(gain_rows, self._ingredients, self._axes, rows.gain)
        return self._gains.get(rows.gain, make)

    def _std(self, rows: Rows) -> FloatArray:
        """R^½ along the axes, shape (n_sources, p)."""
        n_components = 1 if self._axes == "normal" else 3
        return prior_std(self._alphas[rows.depth], rows.orient, rows.tangential, n_components)

    def _amplitude_weights(self, rows: Rows) -> FloatArray:
        """D of an amplitude D q T, shape (n_sources, p): the prior variance."""
        weights = self._std(rows) ** 2
        if rows.lengthened:
            weights[:, 0] *= self._ingredients.lengths
        return weights

    def _scale(self, stages: Stages) -> float:
        """√ of the averages that a normalised measure is of."""
        averages = self._ingredients.side.nave if stages.averages else self._ingredients.averages
        return float(np.sqrt(averages))

    @property
    def _compared(self) -> slice:
        """The components that are compared: the normal one only where the sides differ in them."""
        return slice(0, 1) if along_normals(self._ingredients) else slice(None)

    def _gram_of_prior(self, rows: Rows) -> FloatArray:
        """Return q' R q, shape (n_channels, n_channels)."""

        def summed() -> FloatArray:
            gain, std = self._gain(rows), self._std(rows)
            return sum_over_pieces(len(gain), lambda part: self_product(gain, std, part))

        return self._grams.get(("prior", rows), summed)

    def _gram_of_amplitudes(self, rows: Rows) -> FloatArray:
        """(R q)' R q of the components compared, shape (n_channels, n_channels)."""

        def summed() -> FloatArray:
            gain, weights = self._gain(rows), self._amplitude_weights(rows)
            gain, weights = gain[:, self._compared], weights[:, self._compared]
            return sum_over_pieces(len(gain), lambda part: self_product(gain, weights, part))

        return self._grams.get(("amplitudes", rows), summed)

    def _grams_of_change(self, a: Rows, b: Rows) -> tuple[FloatArray, FloatArray]:
        """E'E and E' R_b q_b with E = R_a q_a − R_b q_b, of the components compared."""

        def summed() -> tuple[FloatArray, FloatArray]:
            compared = self._compared
            sides = [
                (self._gain(s)[:, compared], self._amplitude_weights(s)[:, compared])
                for s in (a, b)
            ]

            def products(part: slice) -> FloatArray:
                ours, theirs = (weighted(gain, weights, part) for gain, weights in sides)
                ours -= theirs
                return np.stack([ours.T @ ours, ours.T @ theirs])

            both = sum_over_pieces(len(sides[0][0]), products)
            return both[0], both[1]

        return self._grams.get(("change", a, b), summed)

    # numbers of the rows of measures

    def _distance_by_rows(self, stages: Stages, end: Stages) -> float | None:
        """Distance of a measure's kernel from one at an end; None where it has to be formed."""
        if self._mixes(stages):
            return None
        kin = replace(stages, averages=False, normalization=False)
        norms, squares, products = self._rows.get((kin, end), lambda: self._of_rows(kin, end))
        weights = self._row_weights(stages, self._std(stages.rows), norms)[:, self._compared]
        if stages.rows.lengthened:
            weights[:, 0] *= self._ingredients.lengths
        sizes = self._grams.get(("rows", end), lambda: np.sum(self._ends[end] ** 2, axis=2))
        with np.errstate(invalid="ignore"):  # a location that no channel sees
            known = weights**2 * squares + sizes
            difference = known - 2 * weights * products
        # the sizes of the end are of other axes: what is NaN is so in all rows of a location
        seen = ~np.isnan(difference).any(axis=1)
        found = _root(float(difference[seen].sum()))
        return found if found > _CANCELLED * _root(float(known[seen].sum())) else None

    def _of_rows(self, stages: Stages, end: Stages) -> tuple[FloatArray, FloatArray, FloatArray]:
        """|q F| (n_sources, p), |q T|² and q T · K with an end K, of the components compared."""
        gain, system = self._gain(stages.rows), self._system(stages)
        measured, compared, kernel = self._measured(system), self._compared, self._ends[end]
        squares, products = np.empty((2, *kernel.shape[:2]))
        for part in pieces(*kernel.shape[:2]):
            rows = gain[part, compared]
            rows = (rows.reshape(-1, rows.shape[2]) @ system.right).reshape(rows.shape)
            squares[part] = np.einsum("ipn,ipn->ip", rows, rows)
            products[part] = np.einsum("ipn,ipn->ip", rows, self._along_axes(kernel, part))
        return norms_of_products(gain, measured), squares, products

    # kernels themselves

    def _formed(self, stages: Stages) -> FloatArray:
        """Rows of a kernel along the axes, of the components compared."""
        gain, std = self._gain(stages.rows), self._std(stages.rows)
        system, compared = self._system(stages), self._compared
        mixes = self._mixes(stages)
        weights = std
        if not mixes:
            norms = std if self._is_amplitude else norms_of_products(gain, self._measured(system))
            weights = self._row_weights(stages, std, norms)
        blocks = np.empty(gain[:, compared].shape)
        with np.errstate(invalid="ignore", divide="ignore"):  # a location that no channel sees
            for part in pieces(len(gain), gain.shape[1]):
                if mixes:
                    product = self._mixed(gain[part], std[part], stages, system)[:, compared]
                else:
                    product = weights[part, compared, None] * gain[part, compared]
                shape = product.shape
                blocks[part] = (product.reshape(-1, shape[2]) @ system.right).reshape(shape)
        if stages.rows.lengthened:
            blocks[:, 0] *= self._ingredients.lengths[:, None]
        return blocks

    def _mixes(self, stages: Stages) -> bool:
        """Whether a kernel mixes the rows of a location."""
        mixes = self._ingredients.settings.method == "sLORETA" and not stages.normalization
        return mixes and stages.rows.orient != "fixed"

    def _measured(self, system: System) -> FloatArray:
        """F of the norms |q F| that a measure divides by, shape (n_channels, rank)."""
        return system.filtered(1 if self._ingredients.settings.method == "dSPM" else 0.5)

    def _row_weights(self, stages: Stages, std: FloatArray, norms: FloatArray) -> FloatArray:
        """D of a kernel D q T, shape (n_sources, p), from the norms (n_sources, p) of q F."""
        method = self._ingredients.settings.method
        if method == "MNE":
            return std**2
        scale, restored = self._scale(stages), self._restored
        with np.errstate(invalid="ignore", divide="ignore"):  # a location that no channel sees
            if method == "dSPM":
                weights = std**2 if stages.normalization or restored else std
                noise = weights * norms
                return scale * weights / np.linalg.norm(noise, axis=1, keepdims=True)
            scale *= np.sqrt(self._system(stages).mu)
            resolution = std * norms
            if stages.normalization:
                noise = std * resolution
                return scale * std**2 / np.linalg.norm(noise, axis=1, keepdims=True)
            # one component: the others are zero
            weights = std**2 if restored else std
            return scale * weights / np.linalg.norm(resolution, axis=1, keepdims=True)

    def _mixed(
        self, gain: FloatArray, std: FloatArray, stages: Stages, system: System
    ) -> FloatArray:
        """Multiply rows by the inverse root of the resolution of their location."""
        lead = (std[:, :, None] * gain) @ system.filtered(0.5)
        null = self._ingredients.conventions.null_resolution
        root = inverse_root(lead @ lead.transpose(0, 2, 1), null)
        if self._restored:
            root = std[:, :, None] * root
        scale = self._scale(stages) * np.sqrt(system.mu)
        mixed: FloatArray = scale * root @ (std[:, :, None] * gain)
        return mixed

    def _along_axes(self, blocks: FloatArray, part: slice) -> FloatArray:
        """Turn some locations of a kernel back to the axes along which rows are kept."""
        if self._axes != "local" or blocks.shape[1] == 1:
            return blocks[part]
        frames = local_frames(self._ingredients.required_normals[part], 1.0)
        turned: FloatArray = frames.transpose(0, 2, 1) @ blocks[part]
        return turned

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


def along_normals(ingredients: Ingredients) -> bool:
    """Whether the kernels are compared along the normals only: one side is fixed."""
    fixed = {ingredients.orient == "fixed", ingredients.settings.orientation == "fixed"}
    return len(fixed) == 2


def mne_bound(ingredients: Ingredients, last: EngineKernel) -> RoundingBound:
    """Bound how far rounding moves MNE's kernel, of which the intermediates are given."""
    condition = 1 + float(last.singular_values[0]) ** 2 / last.mu
    longest = max(ingredients.prepared.regions[0].gain.shape)
    return bound_of(mne_spectra(ingredients), condition, longest)
