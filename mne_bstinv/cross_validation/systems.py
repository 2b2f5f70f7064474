"""What the kernels between both toolboxes are made of, by the conventions that are MNE's.

The rows of the gain, the prior, the noise and the system that is solved: subsets of the conventions
share them, and so do measures, which have no part in them.
"""

from __future__ import annotations

from functools import cached_property, partial

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.cross_validation.ingredients import Ingredients
from mne_bstinv.cross_validation.noise import NOISE, NoiseStage, noise_stage
from mne_bstinv.cross_validation.prior import (
    DEPTH,
    GainRows,
    depth_power,
    depth_weights,
    gain_rows,
    prior_std,
    tangential,
)
from mne_bstinv.cross_validation.stages import Rows, Stages, System
from mne_bstinv.cross_validation.sums import self_product, sum_over_pieces

__all__ = ["Key", "Systems", "along_normals"]

Key = frozenset[str]


class Systems:
    """The stages of the kernels of a study, by the keys of the conventions that are MNE's."""

    def __init__(self, ingredients: Ingredients) -> None:
        self._ingredients, self._made = ingredients, ingredients.made
        self._depths: dict[Key, int] = {}

    def noise(self, switched: Key) -> NoiseStage:
        """Return the whitener with some conventions MNE's, computed once."""
        return noise_stage(self._ingredients, self._noise_key(switched))

    def alpha(self, switched: Key) -> FloatArray:
        """Return the depth weights (n_sources,) with some conventions MNE's, computed once."""
        return self._made.alphas[self._depth(switched & DEPTH)]

    # the stages of a subset

    @property
    def _is_amplitude(self) -> bool:
        return self._ingredients.settings.method == "MNE"

    @cached_property
    def _snr_alike(self) -> bool:
        """Whether both sides take the same SNR."""
        options, settings = self._ingredients.options, self._ingredients.settings
        return options.prior_rms is None and options.snr_fixed**2 == 1 / settings.lambda2

    @property
    def _averages_matter(self) -> bool:
        """Whether a measure is of other averages on the other side."""
        return not self._is_amplitude and self._ingredients.averages != self._ingredients.side.nave

    @property
    def _restored(self) -> bool:
        """Whether Brainstorm's rows are multiplied by the prior in the end (of 2009 all)."""
        ingredients = self._ingredients
        return ingredients.options.measure in ingredients.conventions.prior_restored

    def _normalization_matters(self, orient: str) -> bool:
        """Whether it matters that rows are divided before the prior or after it.

        To rows along the normals alone the prior is a factor; sLORETA divides by its root.
        """
        method = self._ingredients.settings.method
        if self._is_amplitude or (method == "dSPM" and self._restored):
            return False
        return orient != "fixed" or (method == "sLORETA" and self._restored)

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
            mu=(
                "snr" in switched and not self._snr_alike,
                "rank_factor" in switched,
                self._prior_by_sample(switched),
            ),
            averages="averaging" in switched and self._averages_matter,
            normalization="normalization" in switched and self._normalization_matters(orient),
        )

    def _gain_by(self, switched: Key, orient: str) -> GainRows:
        ingredients = self._ingredients
        conventions, operators = ingredients.conventions, switched - ingredients.idle
        ours = orient != "free" and not conventions.unit_normals
        decoupled = orient == "loose" and conventions.tangents == "decoupled"
        theirs = "projectors" in operators, "reference" in operators
        return GainRows(
            single="precision" in switched and orient == "fixed",
            stored_normals=ours and "normals" not in switched,
            decoupled=theirs if decoupled and "tangents" not in switched else None,
        )

    def _prior_by_sample(self, switched: Key) -> bool:
        """Whether an RMS source amplitude is that of one sample, not of the average."""
        ingredients = self._ingredients
        given = ingredients.options.prior_rms is not None and ingredients.averages > 1
        return given and "averaging" in switched

    def _depth(self, switched: Key) -> int:
        """Return the number of the depth weights, of those that differ."""
        if switched not in self._depths:
            theirs, made = "depth_norm" in switched, self._made
            power = made.powers.get(theirs, lambda: depth_power(self._ingredients, theirs=theirs))
            alpha = depth_weights(self._ingredients, power, switched)
            equal = [k for k, known in enumerate(made.alphas) if np.array_equal(known, alpha)]
            if not equal:
                made.alphas.append(alpha)
            self._depths[switched] = equal[0] if equal else len(made.alphas) - 1
        return self._depths[switched]

    def _system(self, stages: Stages) -> System:
        return self._made.systems.get(stages.system, lambda: self._solved(stages))

    def _solved(self, stages: Stages) -> System:
        noise = self.noise(stages.noise)
        for_gain = noise.for_gain

        def multiplied() -> FloatArray:
            lead: FloatArray = for_gain @ self._gram_of_prior(stages.rows) @ for_gain.T
            return lead

        lead = self._made.leads.get((stages.noise, stages.rows), multiplied)
        mu = self._mu(stages, float(np.trace(lead)), noise.rank)
        return System(noise=noise, for_gain=for_gain, lead=lead, mu=mu)

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

    # rows of the gain

    def _gain(self, rows: Rows) -> FloatArray:
        """Rows of the gain along the axes, shape (n_sources, p, n_used)."""
        make = partial(gain_rows, self._ingredients, self._axes, rows.gain)
        return self._made.gains.get(rows.gain, make)

    def _std(self, rows: Rows) -> FloatArray:
        """R^½ along the axes, shape (n_sources, p)."""
        n_components = 1 if self._axes == "normal" else 3
        return prior_std(self._made.alphas[rows.depth], rows.orient, rows.tangential, n_components)

    @property
    def _compared(self) -> slice:
        """The components that are compared: the normal one only where the sides differ in them."""
        return slice(0, 1) if along_normals(self._ingredients) else slice(None)

    @property
    def _n_rows(self) -> int:
        """Rows of the kernels that are compared."""
        single = self._axes == "normal" or along_normals(self._ingredients)
        return self._ingredients.prepared.n_sources * (1 if single else 3)

    def _gram_of_prior(self, rows: Rows) -> FloatArray:
        """Return q' R q, shape (n_used, n_used)."""

        def summed() -> FloatArray:
            gain, std = self._gain(rows), self._std(rows)
            return sum_over_pieces(len(gain), lambda part: self_product(gain, std, part))

        return self._made.grams.get(rows, summed)


def along_normals(ingredients: Ingredients) -> bool:
    """Whether the kernels are compared along the normals only: one side is fixed."""
    fixed = {ingredients.orient == "fixed", ingredients.settings.orientation == "fixed"}
    return len(fixed) == 2
