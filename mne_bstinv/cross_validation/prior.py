"""The prior of the sources with each convention switched on its own: depth and orientation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.adapters.equivalence import DepthSettings
from mne_bstinv.cross_validation.ingredients import Ingredients
from mne_bstinv.errors import OptionError
from mne_bstinv.inverse.depth import gain_power
from mne_bstinv.inverse.orientation import local_frames, take_out_first

__all__ = [
    "DEPTH",
    "GainRows",
    "depth_power",
    "depth_weights",
    "gain_rows",
    "prior_std",
    "tangential",
]

#: The conventions of the depth weights.
DEPTH = frozenset({"depth_norm", "depth_exponent", "depth_limit"})


@dataclass(frozen=True)
class GainRows:
    """By whose conventions the rows of the gain are made."""

    #: Whether the raw gain along the normals is rounded to single precision, as MNE does.
    single: bool
    #: Whether normals have the length that they are stored with (2009), or are unit vectors.
    stored_normals: bool
    #: Where the normal's row is taken out of those of the tangents (2009, loose): whether the
    #: projectors, and the reference, that they meet before are MNE's; else None.
    decoupled: tuple[bool, bool] | None


def prior_std(alpha: FloatArray, orient: str, tangential: float, n_components: int) -> FloatArray:
    """R^½ along the normal and two tangents, or x, y, z, or the normal alone, (n_sources, p)."""
    if n_components == 1:
        return alpha[:, None]
    across = {"fixed": 0.0, "loose": tangential, "free": 1.0}[orient]
    return alpha[:, None] * np.array([1.0, across, across])


def gain_rows(ingredients: Ingredients, by: GainRows) -> FloatArray:
    """Rows of the gain (n_sources, p, n_used) along the axes, by the conventions of one side each.

    Projectors and the reference meet the channels alone: they are part of what the rows are
    multiplied by.
    """
    axes, on_normals = ingredients.axes, ingredients.on_normals
    rows = np.ascontiguousarray(ingredients.raw_rows(on_normals if axes == "normal" else None))
    if axes == "local":
        rows = local_frames(ingredients.required_normals, 1.0).transpose(0, 2, 1) @ rows
    if by.single:
        rows[:, 0] = rows[:, 0].astype(np.float32)
    if by.stored_normals:
        rows[:, 0] *= ingredients.lengths[:, None]
    if by.decoupled is not None:
        operated = ingredients.operated[by.decoupled]
        take_out_first(rows, operated.on_data @ operated.on_gain)
    return rows


def tangential(ingredients: Ingredients, orient: str, *, theirs: bool) -> float:
    """Amplitude of the tangential components; the value is one side's where only one has it."""
    if orient != "loose":
        return 1.0
    ours_loose = ingredients.orient == "loose"
    theirs_loose = ingredients.settings.orientation == "loose"
    if theirs_loose and (not ours_loose or theirs):
        return float(np.sqrt(ingredients.settings.loose))
    ours = ingredients.options.tangential
    if ours is None:
        raise OptionError(
            "Orientation 'loose' needs a Loose value between 0 and 1, found none. Give loose."
        )
    return ours


def depth_weights(
    ingredients: Ingredients, power: FloatArray, switched: frozenset[str]
) -> FloatArray:
    """α, the smallest 1, of powers of the gain (n_sources,): (d_max / d)^(exponent / 2), limited.

    Lin et al. (2006), *NeuroImage* 31, 160–171; Brainstorm limits α after the exponent since 2016,
    in 2009 the ratio of norms before it, as MNE does.
    """
    options, depth = ingredients.options, ingredients.settings.depth
    ours = options.weight_exp if options.depth_weighting else 0.0
    exponent = depth.exp if "depth_exponent" in switched else ours
    ratio = power.max() / np.where(power > 0, power, power[power > 0].min())
    if "depth_limit" in switched:
        return np.minimum(ratio, _mne_limit(ratio, depth)) ** (exponent / 2)
    if options.conventions.depth == "limit first":
        return np.minimum(ratio, options.weight_limit**2) ** (exponent / 2)
    return np.minimum(ratio ** (exponent / 2), options.weight_limit)


def _mne_limit(ratio: FloatArray, depth: DepthSettings) -> float:
    if depth.limit is None:
        return float(ratio.max())
    bound = depth.limit**2
    if not depth.limit_depth_chs:
        return bound
    above = ratio[ratio > bound]  # the rule of MNE-C: the first value above the bound
    return float(above.min()) if above.size else float(ratio.max())


def depth_power(ingredients: Ingredients, *, theirs: bool) -> FloatArray:
    """Power of each location's gain by one side's norm and channels, (n_sources,)."""
    if not theirs:
        return gain_power(ingredients.projected_rows())
    depth = ingredients.settings.depth
    blocks, channels = ingredients.raw_rows(), ingredients.kept
    if depth.limit_depth_chs:
        types = np.array(ingredients.side.info.get_channel_types())
        kind = next(k for k in ("grad", "mag", "eeg", *types) if k in types)
        channels = channels[types == kind]
    blocks = blocks[..., channels]
    if depth.combine_xyz == "fro":
        return gain_power(blocks)
    largest = np.linalg.eigvalsh(blocks @ blocks.transpose(0, 2, 1))[:, -1]
    return np.asarray(largest, dtype=np.float64)
