"""From the keys of conventions to by what kernels are made between the two ends.

Keys that mean nothing for a study end here: what is made by stages knows those of the noise alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mne_bstinv.cross_validation.ingredients import Ingredients
from mne_bstinv.cross_validation.noise import NOISE
from mne_bstinv.cross_validation.prior import (
    DEPTH,
    GainRows,
    depth_power,
    depth_weights,
    tangential,
)

__all__ = ["Key", "Rows", "Stages", "Staging"]

Key = frozenset[str]


@dataclass(frozen=True)
class Rows:
    """By what the weighted rows of the gain are made."""

    gain: GainRows
    #: Number of the depth weights.
    depth: int
    orient: str
    tangential: float

    @property
    def lengthened(self) -> bool:
        """Whether the rows along x, y, z are made with normals of another length than one."""
        return self.gain.stored_normals and self.orient == "loose"


@dataclass(frozen=True)
class Stages:
    """By what a kernel is made: subsets of the conventions with equal stages have one kernel."""

    noise: Key
    rows: Rows
    #: Whether the SNR, the factor of the rank, and where it matters the averages, are MNE's.
    mu: tuple[bool, bool, bool]
    averages: bool
    normalization: bool

    @property
    def system(self) -> tuple[Key, Rows, tuple[bool, bool, bool]]:
        """By what the system is made."""
        return self.noise, self.rows, self.mu


class Staging:
    """Tell by what the kernels of a study are made, by the keys of the conventions that are MNE's.

    A convention that means nothing here, or of which both sides have the same, makes no stage.
    """

    def __init__(self, ingredients: Ingredients) -> None:
        self._ingredients = ingredients
        self._depths: dict[Key, int] = {}

    def stages(self, switched: Key) -> Stages:
        """Return the stages of a kernel."""
        ingredients = self._ingredients
        theirs = "orientation" in switched
        orient = ingredients.settings.orientation if theirs else ingredients.orient
        return Stages(
            noise=self.noise(switched),
            rows=Rows(
                gain=self._gain(switched, orient),
                depth=self.depth(switched),
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

    def noise(self, switched: Key) -> Key:
        """Return the keys of the noise that matter."""
        if switched | self._ingredients.idle >= NOISE:
            return NOISE
        # until all others are MNE's, the arithmetic of the noise is the same
        return (switched & NOISE) - self._ingredients.idle - {"precision"}

    def depth(self, switched: Key) -> int:
        """Return the number of the depth weights, of those that differ."""
        switched &= DEPTH
        if switched not in self._depths:
            theirs, made = "depth_norm" in switched, self._ingredients.made
            power = made.powers.get(theirs, lambda: depth_power(self._ingredients, theirs=theirs))
            alpha = depth_weights(self._ingredients, power, switched)
            equal = [k for k, known in enumerate(made.alphas) if np.array_equal(known, alpha)]
            if not equal:
                made.alphas.append(alpha)
            self._depths[switched] = equal[0] if equal else len(made.alphas) - 1
        return self._depths[switched]

    def _gain(self, switched: Key, orient: str) -> GainRows:
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

    @cached_property
    def _snr_alike(self) -> bool:
        """Whether both sides take the same SNR."""
        options, settings = self._ingredients.options, self._ingredients.settings
        return options.prior_rms is None and options.snr_fixed**2 == 1 / settings.lambda2

    def _prior_by_sample(self, switched: Key) -> bool:
        """Whether an RMS source amplitude is that of one sample, not of the average."""
        ingredients = self._ingredients
        given = ingredients.options.prior_rms is not None and ingredients.averages > 1
        return given and "averaging" in switched

    @property
    def _averages_matter(self) -> bool:
        """Whether a measure is of other averages on the other side."""
        ingredients = self._ingredients
        return not ingredients.is_amplitude and ingredients.averages != ingredients.side.nave

    def _normalization_matters(self, orient: str) -> bool:
        """Whether it matters that rows are divided before the prior or after it.

        To rows along the normals alone the prior is a factor; sLORETA divides by its root.
        """
        ingredients, method = self._ingredients, self._ingredients.settings.method
        if ingredients.is_amplitude or (method == "dSPM" and ingredients.restored):
            return False
        return orient != "fixed" or (method == "sLORETA" and ingredients.restored)
