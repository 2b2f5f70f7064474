"""The whitener of the noise with each convention switched on its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import numpy as np

from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.adapters.equivalence import estimated_ranks, mne_projector
from mne_bstinv.compare.rounding import Spectrum
from mne_bstinv.cross_validation.ingredients import Ingredients, Operated
from mne_bstinv.inverse.linear import noise_whitening
from mne_bstinv.inverse.whitening import Whitening, compute_whitener

__all__ = ["NOISE", "NoiseStage", "mne_spectra", "noise_stage", "types_in_use"]


#: The conventions of the noise. With all of these MNE's, the whitener is that of its operator to
#: the last bit. Before the last of them is switched it is computed here: what "precision" changes
#: is rounding, or a mistake of ours.
NOISE = frozenset({"cross_types", "regularization", "rank", "projectors", "reference", "precision"})


@dataclass(frozen=True, kw_only=True, eq=False)
class NoiseStage:
    """A whitener with the projector that is part of the operator."""

    #: What the gain is multiplied by, shape (rank, n_channels).
    for_gain: FloatArray
    #: What the data are multiplied by, shape (rank, n_channels).
    for_data: FloatArray

    @property
    def rank(self) -> int:
        """Rank of the noise covariance."""
        return len(self.for_gain)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Part:
    """The regularised spectrum of one sensor type, and how many of its directions are noise."""

    index: IntArray
    vectors: FloatArray
    values: FloatArray
    rank: int

    @property
    def cov(self) -> FloatArray:
        return (self.vectors * self.values) @ self.vectors.T


#: The whiteners that were computed, for as long as the study is in use.
_KEPT: WeakKeyDictionary[Ingredients, dict[frozenset[str], NoiseStage]] = WeakKeyDictionary()


def noise_stage(ingredients: Ingredients, switched: frozenset[str]) -> NoiseStage:
    """Whiten by Brainstorm's conventions, but for those of the keys that are switched to MNE's."""
    # kernels with many combinations of conventions are asked for, of which this depends on few
    kept = _KEPT.setdefault(ingredients, {})
    own = switched & NOISE
    if own not in kept:
        kept[own] = _computed(ingredients, own)
    return kept[own]


def _computed(ingredients: Ingredients, switched: frozenset[str]) -> NoiseStage:
    """Compute the whitener of those conventions of the noise that are switched to MNE's."""
    operated = ingredients.operated["projectors" in switched, "reference" in switched]
    if switched | ingredients.idle >= NOISE:
        # MNE trusts the whitener to project the gain, which it does but for rounding
        whitener = ingredients.side.noise_whitener
        return NoiseStage(for_gain=whitener, for_data=whitener @ operated.on_data)
    switched -= ingredients.idle
    parts = _regularized(ingredients, operated, switched)
    if not _jointly(switched):
        return _stage(_by_type(parts, len(operated.on_data)), operated)
    cov = _assembled(ingredients, operated, parts, keep="cross_types" in switched)
    cov = operated.on_data @ cov @ operated.on_data
    ranks = dict.fromkeys(ingredients.groups, 0)
    if "rank" in switched:
        ranks = _mne_ranks(ingredients, cov)
    else:
        for part in parts:
            ranks[_group_of(ingredients, part.index)] += part.rank
    return _stage(_by_group(cov, ingredients.groups, ranks), operated)


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


def _jointly(switched: frozenset[str]) -> bool:
    """Whether sensor types are decomposed together, as MNE does; else each by its own spectrum."""
    return bool({"cross_types", "rank", "projectors"} & switched)


def _stage(whitener: FloatArray, operated: Operated) -> NoiseStage:
    projected = whitener @ operated.on_data
    return NoiseStage(for_gain=projected, for_data=projected)


def _mne_ranks(ingredients: Ingredients, cov: FloatArray) -> dict[str, int]:
    given = ingredients.settings.rank
    found = estimated_ranks(cov, ingredients.side.info, ingredients.groups)
    if given is None:
        return found
    meg = sum(rank for kind, rank in given.items() if kind in ("meg", "mag", "grad"))
    named = {"meg": meg} if meg else {}
    return found | named | {kind: rank for kind, rank in given.items() if kind in found}


def _regularized(
    ingredients: Ingredients, operated: Operated, switched: frozenset[str]
) -> list[_Part]:
    """Regularise the covariance of each sensor type by one of the two rules."""
    if "regularization" in switched:
        return [
            _mne_part(ingredients, operated, i, switched)
            for i in types_in_use(ingredients).values()
        ]
    prepared, noise = ingredients.prepared, operated.noise
    projected = operated.on_data @ noise.cov @ operated.on_data
    whitening = noise_whitening(
        replace(noise, cov=projected),
        prepared.channel_types,
        ingredients.options,
        prepared.channel_names,
    )
    return [
        _brainstorm_part(ingredients, whitening, kind, index, projected, switched)
        for kind, index in types_in_use(ingredients).items()
    ]


def _brainstorm_part(
    ingredients: Ingredients,
    whitening: Whitening,
    kind: str,
    index: IntArray,
    projected: FloatArray,
    switched: frozenset[str],
) -> _Part:
    """Take the spectrum of the whitener; with MNE's rank rule the ridge is on MNE's subspace."""
    if "rank" in switched and whitening.method in ("none", "reg"):
        rank = _rank_of_type(ingredients, projected, kind, index)
        values, vectors = _leading(projected[np.ix_(index, index)], rank)
        ridge = ingredients.options.noise_reg if whitening.method == "reg" else 0.0
        mean = float(np.mean(whitening.std[kind] ** 2))
        return _Part(index=index, vectors=vectors, values=values + ridge * mean, rank=rank)
    values, vectors = np.linalg.eigh(whitening.whitener[np.ix_(index, index)])
    rank = whitening.ranks[kind]
    kept = slice(len(index) - rank, None)
    return _Part(index=index, vectors=vectors[:, kept], values=1 / values[kept] ** 2, rank=rank)


def _mne_part(
    ingredients: Ingredients, operated: Operated, index: IntArray, switched: frozenset[str]
) -> _Part:
    """Add a fraction of the mean variance in the projected subspace: mne.cov.regularize."""
    info, amount = ingredients.side.info, ingredients.settings.regularize
    block = operated.noise.cov[np.ix_(index, index)]
    chosen = ingredients.side.chosen(
        ssp="projectors" in switched, reference="reference" in switched
    )
    projector = mne_projector(chosen, [info["ch_names"][i] for i in index])
    projected = projector @ block @ projector
    if "rank" not in switched:
        rank = _brainstorm_rank(ingredients, projected, index)
    elif amount is None:  # the rank is found when the types are put together
        rank = len(index)
    else:
        rank = _rank_of_type(ingredients, projected, "type", index)
    if amount is None and _jointly(switched):
        # the covariance as it is; what is projected out goes when the types are put together
        values, vectors = np.linalg.eigh(block)
        return _Part(index=index, vectors=vectors, values=values, rank=rank)
    _, u = _leading(projected, rank)
    inner = u.T @ block @ u
    inner[np.diag_indices(rank)] += (amount or 0.0) * np.mean(np.diag(inner))
    values, vectors = np.linalg.eigh(inner)
    return _Part(index=index, vectors=u @ vectors, values=values, rank=rank)


def _brainstorm_rank(ingredients: Ingredients, block: FloatArray, index: IntArray) -> int:
    whitening = compute_whitener(
        type(ingredients.prepared.noise)(cov=block),
        [ingredients.prepared.channel_types[i] for i in index],
        "none",
        detect_diagonal=False,
    )
    return whitening.rank


def _rank_of_type(ingredients: Ingredients, cov: FloatArray, kind: str, index: IntArray) -> int:
    info = ingredients.side.info
    if len(cov) == len(index):  # a block
        full = np.zeros((len(info["ch_names"]),) * 2)
        full[np.ix_(index, index)] = cov
        cov = full
    return estimated_ranks(cov, info, {kind: index})[kind]


def _leading(cov: FloatArray, rank: int) -> tuple[FloatArray, FloatArray]:
    values, vectors = np.linalg.eigh(0.5 * (cov + cov.T))
    return values[-rank:], vectors[:, -rank:]


def types_in_use(ingredients: Ingredients) -> dict[str, IntArray]:
    """Return the positions of the channels of each of Brainstorm's sensor types."""
    upper = np.array([t.strip().upper() for t in ingredients.prepared.channel_types])
    return {kind: np.flatnonzero(upper == kind) for kind in dict.fromkeys(upper.tolist())}


def _group_of(ingredients: Ingredients, index: IntArray) -> str:
    return next(name for name, group in ingredients.groups.items() if index[0] in group)


def _assembled(
    ingredients: Ingredients, operated: Operated, parts: list[_Part], *, keep: bool
) -> FloatArray:
    """Put the regularised types together, with what is between those that MNE whitens jointly."""
    noise = operated.noise.cov
    cov = np.zeros_like(noise)
    if keep:
        for group in ingredients.groups.values():
            cov[np.ix_(group, group)] = noise[np.ix_(group, group)]
    for part in parts:
        cov[np.ix_(part.index, part.index)] = part.cov
    return cov


def _by_type(parts: list[_Part], n_channels: int) -> FloatArray:
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
        values, vectors = _leading(cov[np.ix_(index, index)], ranks[name])
        kept = values > 0
        part = np.zeros((int(kept.sum()), len(cov)))
        part[:, index] = (vectors[:, kept] / np.sqrt(values[kept])).T
        rows.append(part)
    return np.concatenate(rows)
