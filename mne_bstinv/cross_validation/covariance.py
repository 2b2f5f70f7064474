"""The noise covariance of each sensor type, regularised with each convention switched by itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.adapters.equivalence import estimated_rank, mne_projector
from mne_bstinv.cross_validation.ingredients import Ingredients
from mne_bstinv.inverse.linear import noise_whitening
from mne_bstinv.inverse.options_2009 import InverseOptions2009
from mne_bstinv.inverse.whitening import Whitening, compute_whitener, ridge_of, with_ridge
from mne_bstinv.inverse.years import Conventions

__all__ = ["Covariance", "Part", "leading"]

#: Rounding of a projected covariance, in standard deviations of both channels.
_ROUNDING = 64 * np.finfo(np.float64).eps


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """The regularised spectrum of one sensor type, and how many of its directions are noise."""

    #: 0-based channels, shape (n,).
    index: IntArray
    #: Shapes (n, k) and (k,).
    vectors: FloatArray
    values: FloatArray
    rank: int

    @property
    def cov(self) -> FloatArray:
        """The covariance, shape (n, n)."""
        return (self.vectors * self.values) @ self.vectors.T


class Covariance:
    """The noise covariance with those conventions of the noise MNE's that are switched."""

    def __init__(self, ingredients: Ingredients, switched: frozenset[str]) -> None:
        self._ingredients, self._switched = ingredients, switched - ingredients.idle
        #: What the projectors and the reference do.
        self.operated = ingredients.operated["projectors" in switched, "reference" in switched]

    def theirs(self, *keys: str) -> bool:
        """Whether one of some conventions is MNE's."""
        return not self._switched.isdisjoint(keys)

    @property
    def of_groups(self) -> bool:
        """Whether Brainstorm takes sensor types together as MNE does: the inverse of 2009."""
        return isinstance(self._ingredients.options, InverseOptions2009)

    @property
    def jointly(self) -> bool:
        """Whether sensor types are decomposed together, as MNE does; else by their own spectra."""
        return self.theirs("cross_types", "rank", "projectors")

    @cached_property
    def projected(self) -> FloatArray:
        """The covariance that is not regularised, shape (n_channels, n_channels)."""
        return self._projected(self.operated.noise.cov)

    @cached_property
    def whitening(self) -> Whitening:
        """The whitener by Brainstorm's rule, of the covariance over the averages of the year.

        Of the rule the ridge may be added to variances, as MNE does: the convention ``roots``.
        """
        prepared = self._ingredients.prepared
        return noise_whitening(
            replace(self.operated.noise, cov=self.projected / self._ingredients.averages),
            prepared.channel_types,
            self._ingredients.options,
            prepared.channel_names,
            self._conventions,
        )

    @property
    def parts(self) -> list[Part]:
        """The covariance of each sensor type, regularised by one of the two rules, once."""
        # what is between sensor types has no part in it, but whether MNE takes it whole, as it is
        whole = self.theirs("regularization") and self._ingredients.settings.regularize is None
        key = self._switched - {"cross_types"}, whole and self.jointly
        return self._ingredients.made.parts.get(key, self._regularized)

    def assembled(self, *, keep: bool) -> FloatArray:
        """Put the parts together, (n_channels, n_channels), projected.

        ``keep``: with what is between the sensor types that MNE whitens jointly.
        """
        noise = self.operated.noise.cov
        cov = np.zeros_like(noise)
        if keep:
            for group in self._ingredients.groups.values():
                cov[np.ix_(group, group)] = noise[np.ix_(group, group)]
        for part in self.parts:
            cov[np.ix_(part.index, part.index)] = part.cov
        return self._projected(cov)

    def mne_ranks(self, cov: FloatArray) -> dict[str, int]:
        """Ranks by MNE's rule of what it whitens together, of a projected covariance."""
        groups, given = self._ingredients.groups, self._ingredients.settings.rank
        found = {
            kind: self._mne_rank(cov[np.ix_(index, index)], index) for kind, index in groups.items()
        }
        if given is None:
            return found
        meg = sum(rank for kind, rank in given.items() if kind in ("meg", "mag", "grad"))
        named = {"meg": meg} if meg else {}
        return found | named | {kind: rank for kind, rank in given.items() if kind in found}

    def _projected(self, cov: FloatArray) -> FloatArray:
        projected: FloatArray = self.operated.on_data @ cov @ self.operated.on_data
        return projected

    @property
    def _conventions(self) -> Conventions:
        """Those of the year, roots of ridges where they mean something and are its."""
        if self.theirs("roots") or "roots" in self._ingredients.idle:
            return replace(self._ingredients.conventions, ridge_added_to="variances")
        return self._ingredients.conventions

    def _regularized(self) -> list[Part]:
        types = self._ingredients.types
        if self.theirs("regularization"):
            return [self._mne_part(index) for index in types.values()]
        return [self._brainstorm_part(kind, index) for kind, index in types.items()]

    def _brainstorm_part(self, kind: str, index: IntArray) -> Part:
        """Take the whitener's spectrum; with MNE's rank rule the ridge is on MNE's subspace."""
        whitening = self.whitening
        if self.theirs("rank") and whitening.method in ("none", "reg"):
            block = self.projected[np.ix_(index, index)]
            rank = self._mne_rank(block, index)
            values, vectors = leading(block, rank)
            return Part(index=index, vectors=vectors, values=self._ridged(values, kind), rank=rank)
        values, vectors = np.linalg.eigh(whitening.whitener[np.ix_(index, index)])
        rank = whitening.ranks[kind]
        kept = slice(len(index) - rank, None)
        values = self._ingredients.averages / values[kept] ** 2
        return Part(index=index, vectors=vectors[:, kept], values=values, rank=rank)

    def _ridged(self, variances: FloatArray, kind: str) -> FloatArray:
        """Add Brainstorm's ridge of a sensor type, if its method has one."""
        options, whitening = self._ingredients.options, self.whitening
        if isinstance(options, InverseOptions2009) or whitening.method != "reg":
            return variances
        ridge = ridge_of(whitening.std[kind], options.noise_reg, self._conventions)
        return with_ridge(variances, self._ingredients.averages * ridge, self._conventions)

    def _mne_part(self, index: IntArray) -> Part:
        """Add a fraction of the mean variance in the projected subspace: mne.cov.regularize."""
        amount = self._ingredients.settings.regularize
        block = self.operated.noise.cov[np.ix_(index, index)]
        projector = self._mne_projector(index)
        projected = projector @ block @ projector
        if not self.theirs("rank"):
            rank = self._brainstorm_rank(projected, index)
        elif amount is None:  # the rank is found when the types are put together
            rank = len(index)
        else:
            rank = self._mne_rank(projected, index)
        if amount is None and (self.jointly or self.of_groups):
            # the covariance as it is; what is projected out goes when the types are put together
            values, vectors = np.linalg.eigh(block)
            return Part(index=index, vectors=vectors, values=values, rank=rank)
        _, u = leading(projected, rank)
        inner = u.T @ block @ u
        ridge = (amount or 0.0) * float(np.mean(np.diag(inner)))
        values, vectors = np.linalg.eigh(inner)
        values = with_ridge(values, ridge, self._conventions)
        return Part(index=index, vectors=u @ vectors, values=values, rank=rank)

    def _mne_projector(self, index: IntArray) -> FloatArray:
        """Operator of MNE's projections that are switched on these channels alone."""
        side = self._ingredients.side
        chosen = side.chosen(ssp=self.theirs("projectors"), reference=self.theirs("reference"))
        return mne_projector(chosen, [side.info["ch_names"][i] for i in index])

    def _mne_rank(self, block: FloatArray, index: IntArray) -> int:
        """Let MNE estimate the rank of channels' covariance, once of those equal but to rounding.

        Operators of both sides project to the same, in other orders of additions.
        """
        ingredients = self._ingredients
        known: list[tuple[FloatArray, int]] = ingredients.made.ranks.get(index.tobytes(), list)
        std = np.sqrt(np.diag(block))
        allowed = _ROUNDING * std[:, None] * std
        for other, rank in known:
            if (np.abs(block - other) <= allowed).all():
                return rank
        known.append((block, estimated_rank(block, ingredients.side.info, index)))
        return known[-1][1]

    def _brainstorm_rank(self, block: FloatArray, index: IntArray) -> int:
        prepared, options = self._ingredients.prepared, self._ingredients.options
        statistics = type(prepared.noise)(cov=block / self._ingredients.averages)
        types = [prepared.channel_types[i] for i in index]
        if self.of_groups:
            return noise_whitening(statistics, types, options).rank
        return compute_whitener(statistics, types, "none", detect_diagonal=False).rank


def leading(cov: FloatArray, rank: int) -> tuple[FloatArray, FloatArray]:
    """Largest eigenvalues (rank,) of a covariance (n, n), sorted up, and their vectors."""
    values, vectors = np.linalg.eigh(0.5 * (cov + cov.T))
    return values[-rank:], vectors[:, -rank:]
