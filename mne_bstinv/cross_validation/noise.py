"""The whitener of the noise with each convention switched on its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from mne_bstinv._data_types import upper_types
from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.adapters.equivalence import estimated_rank, mne_projector
from mne_bstinv.compare.rounding import Spectrum
from mne_bstinv.cross_validation.ingredients import Ingredients, Operated
from mne_bstinv.inverse.linear import noise_whitening
from mne_bstinv.inverse.options_2009 import InverseOptions2009
from mne_bstinv.inverse.whitening import Whitening, compute_whitener, ridge_of, with_ridge
from mne_bstinv.inverse.years import Conventions

__all__ = ["NOISE", "NoiseStage", "mne_spectra", "noise_stage", "types_in_use"]


#: The conventions of the noise. With all of these MNE's, the whitener is that of its operator to
#: the last bit. Before the last of them is switched it is computed here: what "precision" changes
#: is rounding, or a mistake of ours.
NOISE = frozenset(
    {"cross_types", "roots", "regularization", "rank", "projectors", "reference", "precision"}
)
#: Rounding of a projected covariance, in standard deviations of both channels.
_ROUNDING = 64 * np.finfo(np.float64).eps


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


def noise_stage(ingredients: Ingredients, switched: frozenset[str]) -> NoiseStage:
    """Whiten by Brainstorm's conventions, but for those of the keys that are switched to MNE's."""
    # kernels with many combinations of conventions are asked for, of which this depends on few
    own = switched & NOISE
    return ingredients.made.noise.get(own, lambda: _computed(ingredients, own))


def _computed(ingredients: Ingredients, switched: frozenset[str]) -> NoiseStage:
    """Compute the whitener of those conventions of the noise that are switched to MNE's."""
    operated = ingredients.operated["projectors" in switched, "reference" in switched]
    if switched | ingredients.idle >= NOISE:
        # MNE trusts the whitener to project the gain, which it does but for rounding
        whitener = ingredients.side.noise_whitener
        return NoiseStage(
            whitener=whitener, on_gain=operated.on_gain, for_data=whitener @ operated.on_data
        )
    switched -= ingredients.idle
    if isinstance(ingredients.options, InverseOptions2009):
        return _stage(_whitener_of_groups(ingredients, operated, switched), operated)
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


def _whitener_of_groups(
    ingredients: Ingredients, operated: Operated, switched: frozenset[str]
) -> FloatArray:
    """Whiten by the inverse of 2009, which takes sensor types together as MNE does."""
    whitening = _brainstorms(ingredients, operated, switched)
    if not {"regularization", "rank"} & switched:
        return whitening.whitener / np.sqrt(ingredients.averages)
    cov = ingredients.averages * whitening.regularized_cov
    if "regularization" in switched:
        parts = _regularized(ingredients, operated, switched)
        cov = _assembled(ingredients, operated, parts, keep=True)
        cov = operated.on_data @ cov @ operated.on_data
    ranks = {name.lower(): rank for name, rank in whitening.ranks.items()}
    if "rank" in switched:
        projected = operated.on_data @ operated.noise.cov @ operated.on_data
        # the ridge of 2009 is on the nulls, too
        ranks = _mne_ranks(ingredients, cov if "regularization" in switched else projected)
    return _by_group(cov, ingredients.groups, ranks)


def _brainstorms(
    ingredients: Ingredients, operated: Operated, switched: frozenset[str]
) -> Whitening:
    """Whiten by Brainstorm's rule, the covariance divided by the averages as the year does.

    Of the rule the ridge may be added to variances, as MNE does: the convention ``roots``.
    """
    prepared, noise = ingredients.prepared, operated.noise
    projected = operated.on_data @ noise.cov @ operated.on_data
    return noise_whitening(
        replace(noise, cov=projected / ingredients.averages),
        prepared.channel_types,
        ingredients.options,
        prepared.channel_names,
        _conventions(ingredients, switched),
    )


def _conventions(ingredients: Ingredients, switched: frozenset[str]) -> Conventions:
    """Take the conventions of the year, roots of ridges where they mean something and are its."""
    if "roots" in switched | ingredients.idle:
        return replace(ingredients.conventions, ridge_added_to="variances")
    return ingredients.conventions


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
    return NoiseStage(whitener=projected, on_gain=operated.on_gain, for_data=projected)


def _mne_ranks(ingredients: Ingredients, cov: FloatArray) -> dict[str, int]:
    given = ingredients.settings.rank
    found = {
        kind: _mne_rank(ingredients, cov[np.ix_(index, index)], index)
        for kind, index in ingredients.groups.items()
    }
    if given is None:
        return found
    meg = sum(rank for kind, rank in given.items() if kind in ("meg", "mag", "grad"))
    named = {"meg": meg} if meg else {}
    return found | named | {kind: rank for kind, rank in given.items() if kind in found}


def _mne_rank(ingredients: Ingredients, block: FloatArray, index: IntArray) -> int:
    """Let MNE estimate the rank of some channels' covariance, once of those equal but to rounding.

    Operators of both sides project to the same, in other orders of additions.
    """
    known: list[tuple[FloatArray, int]] = ingredients.made.ranks.get(index.tobytes(), list)
    std = np.sqrt(np.diag(block))
    allowed = _ROUNDING * std[:, None] * std
    for other, rank in known:
        if (np.abs(block - other) <= allowed).all():
            return rank
    known.append((block, estimated_rank(block, ingredients.side.info, index)))
    return known[-1][1]


def _regularized(
    ingredients: Ingredients, operated: Operated, switched: frozenset[str]
) -> list[_Part]:
    """Regularise the covariance of each sensor type by one of the two rules, once."""
    # what is between sensor types has no part in it, but whether MNE takes it whole, as it is
    whole = "regularization" in switched and ingredients.settings.regularize is None
    key = switched - {"cross_types"}, whole and _jointly(switched)
    return ingredients.made.parts.get(key, lambda: _parts(ingredients, operated, switched))


def _parts(ingredients: Ingredients, operated: Operated, switched: frozenset[str]) -> list[_Part]:
    if "regularization" in switched:
        return [
            _mne_part(ingredients, operated, i, switched)
            for i in types_in_use(ingredients).values()
        ]
    projected = operated.on_data @ operated.noise.cov @ operated.on_data
    whitening = _brainstorms(ingredients, operated, switched)
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
        block = projected[np.ix_(index, index)]
        rank = _mne_rank(ingredients, block, index)
        values, vectors = _leading(block, rank)
        values = _ridged(ingredients, values, whitening, kind, switched)
        return _Part(index=index, vectors=vectors, values=values, rank=rank)
    values, vectors = np.linalg.eigh(whitening.whitener[np.ix_(index, index)])
    rank = whitening.ranks[kind]
    kept = slice(len(index) - rank, None)
    values = ingredients.averages / values[kept] ** 2
    return _Part(index=index, vectors=vectors[:, kept], values=values, rank=rank)


def _ridged(
    ingredients: Ingredients,
    variances: FloatArray,
    whitening: Whitening,
    kind: str,
    switched: frozenset[str],
) -> FloatArray:
    """Add Brainstorm's ridge of a sensor type, if its method has one."""
    options, conventions = ingredients.options, _conventions(ingredients, switched)
    if isinstance(options, InverseOptions2009) or whitening.method != "reg":
        return variances
    ridge = ridge_of(whitening.std[kind], options.noise_reg, conventions)
    return with_ridge(variances, ingredients.averages * ridge, conventions)


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
    of_groups = isinstance(ingredients.options, InverseOptions2009)
    if "rank" not in switched:
        rank = _brainstorm_rank(ingredients, projected, index)
    elif amount is None:  # the rank is found when the types are put together
        rank = len(index)
    else:
        rank = _mne_rank(ingredients, projected, index)
    if amount is None and (_jointly(switched) or of_groups):
        # the covariance as it is; what is projected out goes when the types are put together
        values, vectors = np.linalg.eigh(block)
        return _Part(index=index, vectors=vectors, values=values, rank=rank)
    _, u = _leading(projected, rank)
    inner = u.T @ block @ u
    ridge = (amount or 0.0) * float(np.mean(np.diag(inner)))
    values, vectors = np.linalg.eigh(inner)
    values = with_ridge(values, ridge, _conventions(ingredients, switched))
    return _Part(index=index, vectors=u @ vectors, values=values, rank=rank)


def _brainstorm_rank(ingredients: Ingredients, block: FloatArray, index: IntArray) -> int:
    statistics = type(ingredients.prepared.noise)(cov=block / ingredients.averages)
    types = [ingredients.prepared.channel_types[i] for i in index]
    if isinstance(ingredients.options, InverseOptions2009):
        return noise_whitening(statistics, types, ingredients.options).rank
    return compute_whitener(statistics, types, "none", detect_diagonal=False).rank


def _leading(cov: FloatArray, rank: int) -> tuple[FloatArray, FloatArray]:
    values, vectors = np.linalg.eigh(0.5 * (cov + cov.T))
    return values[-rank:], vectors[:, -rank:]


def types_in_use(ingredients: Ingredients) -> dict[str, IntArray]:
    """Return the positions of the channels of each of Brainstorm's sensor types."""
    upper = np.array(upper_types(ingredients.prepared.channel_types))
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
