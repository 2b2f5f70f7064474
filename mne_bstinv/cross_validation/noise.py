"""The whitener of the noise with each convention switched on its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.compare.rounding import Spectrum
from mne_bstinv.cross_validation.covariance import Covariance, Part, leading
from mne_bstinv.cross_validation.ingredients import Ingredients

__all__ = ["NOISE", "NoiseStage", "mne_spectra", "noise_stage"]


#: The conventions of the noise. With all of these MNE's, the whitener is that of its operator to
#: the last bit. Before the last of them is switched it is computed here: what "precision" changes
#: is rounding, or a mistake of ours.
NOISE = frozenset(
    {"cross_types", "roots", "regularization", "rank", "projectors", "reference", "precision"}
)


@dataclass(frozen=True, kw_only=True, eq=False)
class NoiseStage:
    """A whitener with the projectors and the reference."""

    #: What Brainstorm's projectors and reference make of the gain is multiplied by this, shape
    #: (rank, n_channels).
    whitener: FloatArray
    #: These, shape (n_channels, n_used).
    on_gain: FloatArray
    #: What the data are multiplied by, shape (rank, n_channels).
    for_data: FloatArray

    @property
    def for_gain(self) -> FloatArray:
        """What the gain is multiplied by, shape (rank, n_used): there are many stages to keep."""
        return self.whitener @ self.on_gain

    @property
    def rank(self) -> int:
        """Rank of the noise covariance."""
        return len(self.for_data)


def noise_stage(ingredients: Ingredients, switched: frozenset[str]) -> NoiseStage:
    """Whiten by Brainstorm's conventions, but for those of the keys that are switched to MNE's."""
    # kernels with many combinations of conventions are asked for, of which this depends on few
    own = switched & NOISE
    return ingredients.made.noise.get(own, lambda: _computed(ingredients, own))


def _computed(ingredients: Ingredients, switched: frozenset[str]) -> NoiseStage:
    """Compute the whitener of those conventions of the noise that are switched to MNE's."""
    covariance = Covariance(ingredients, switched)
    operated = covariance.operated
    if switched | ingredients.idle >= NOISE:
        # MNE trusts the whitener to project the gain, which it does but for rounding
        whitener = ingredients.side.noise_whitener
        for_data = whitener @ operated.on_data
    else:
        by = _whitener_of_groups if covariance.of_groups else _whitener_of_types
        whitener = for_data = by(ingredients, covariance) @ operated.on_data
    return NoiseStage(whitener=whitener, on_gain=operated.on_gain, for_data=for_data)


def _whitener_of_types(ingredients: Ingredients, covariance: Covariance) -> FloatArray:
    """Whiten by the inverses since 2016, which take each sensor type by itself unless MNE's do."""
    parts = covariance.parts
    if not covariance.jointly:
        return _by_type(parts, len(covariance.operated.on_data))
    cov = covariance.assembled(keep=covariance.theirs("cross_types"))
    if covariance.theirs("rank"):
        return _by_group(cov, ingredients.groups, covariance.mne_ranks(cov))
    ranks = {
        name: sum(part.rank for part in parts if part.index[0] in group)
        for name, group in ingredients.groups.items()
    }
    return _by_group(cov, ingredients.groups, ranks)


def _whitener_of_groups(ingredients: Ingredients, covariance: Covariance) -> FloatArray:
    """Whiten by the inverse of 2009, which takes sensor types together as MNE does."""
    whitening, regularized = covariance.whitening, covariance.theirs("regularization")
    if not (regularized or covariance.theirs("rank")):
        return whitening.whitener / np.sqrt(ingredients.averages)
    if regularized:
        cov = covariance.assembled(keep=True)
    else:
        cov = ingredients.averages * whitening.regularized_cov
    ranks = {name.lower(): rank for name, rank in whitening.ranks.items()}
    if covariance.theirs("rank"):
        # the ridge of 2009 is on the nulls, too
        ranks = covariance.mne_ranks(cov if regularized else covariance.projected)
    return _by_group(cov, ingredients.groups, ranks)


def mne_spectra(ingredients: Ingredients) -> dict[str, Spectrum]:
    """Return the variances that MNE divides by, of each group of channels that it whitens."""
    whitener = ingredients.side.noise_whitener
    projector = ingredients.operated[True, True].on_data
    raw = np.asarray(ingredients.side.regularized().data)
    cov = projector @ raw @ projector
    found = {}
    for name, index in ingredients.groups.items():
        rows = whitener[:, index]
        divided_by = np.sum(rows[rows.any(axis=1)] ** 2, axis=1) ** -1.0
        if not divided_by.size:
            continue
        values, rank = np.linalg.eigvalsh(cov[np.ix_(index, index)])[::-1], divided_by.size
        found[name] = Spectrum(
            largest=float(divided_by.max()),
            smallest=float(divided_by.min()),
            top=float(np.linalg.norm(raw[np.ix_(index, index)], 2)),
            gap=float(values[rank - 1] - values[rank]) if rank < len(values) else np.inf,
        )
    return found


def _by_type(parts: list[Part], n_channels: int) -> FloatArray:
    rows = np.zeros((sum(len(part.values) for part in parts), n_channels))
    start = 0
    for part in parts:
        kept = part.values > 0
        stop = start + int(kept.sum())
        whitened = part.vectors[:, kept] / np.sqrt(part.values[kept])
        rows[start:stop, part.index] = whitened.T
        start = stop
    return rows[:start]


def _by_group(
    cov: FloatArray, groups: Mapping[str, IntArray], ranks: Mapping[str, int]
) -> FloatArray:
    rows = []
    for name, index in groups.items():
        if not ranks[name]:
            continue
        values, vectors = leading(cov[np.ix_(index, index)], ranks[name])
        kept = values > 0
        part = np.zeros((int(kept.sum()), len(cov)))
        part[:, index] = (vectors[:, kept] / np.sqrt(values[kept])).T
        rows.append(part)
    return np.concatenate(rows)
