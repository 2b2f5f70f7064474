"""The prior of the sources with each convention switched on its own: depth and orientation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.adapters.equivalence import DepthSettings
from mne_bstinv.cross_validation.ingredients import Ingredients, Operated
from mne_bstinv.errors import OptionError
from mne_bstinv.inverse.depth import gain_power
from mne_bstinv.inverse.orientation import local_frames

__all__ = ["DEPTH", "Prior", "depth_weights", "prior_stage"]

#: The conventions of the depth weights.
DEPTH = frozenset({"depth_norm", "depth_exponent", "depth_limit"})


@dataclass(frozen=True, kw_only=True, eq=False)
class Prior:
    """Weighted gain rows with the prior that weighted them.

    Parameters
    ----------
    rows : array, shape (n_sources, p, n_channels)
        Rows of (G R^½)'.
    std : array, shape (n_sources, p)
        R^½.
    frames : array, shape (n_sources, 3, 3) | None
        Columns o, t1, t2 of loose orientations; ``None`` for fixed and free.
    alpha : array, shape (n_sources,)
        Depth weights (amplitude).
    """

    rows: FloatArray
    std: FloatArray
    frames: FloatArray | None
    alpha: FloatArray


def prior_stage(ingredients: Ingredients, operated: Operated, switched: frozenset[str]) -> Prior:
    """Weight the gain by Brainstorm's conventions, but for those that are switched to MNE's.

    Parameters
    ----------
    ingredients : Ingredients
        The study.
    operated : Operated
        The gain.
    switched : frozenset of str
        Keys of the conventions that are MNE's.

    Returns
    -------
    Prior
        Weighted rows.
    """
    alpha = depth_weights(ingredients, switched)
    orient = ingredients.orient
    if "orientation" in switched:
        orient = ingredients.settings.orientation
    m = len(alpha)
    gain = operated.gain.T.reshape(m, 3, -1)
    if orient == "free":
        std, frames = np.repeat(alpha[:, None], 3, axis=1), None
        rows = gain
    elif orient == "fixed":
        std, frames = alpha[:, None], None
        rows = _fixed_rows(ingredients, gain, "precision" in switched)
    else:
        frames = local_frames(ingredients.required_normals, 1.0)
        tangential = _tangential(ingredients, switched)
        std = alpha[:, None] * np.array([1.0, tangential, tangential])
        rows = frames.transpose(0, 2, 1) @ gain
    return Prior(rows=std[:, :, None] * rows, std=std, frames=frames, alpha=alpha)


def _fixed_rows(ingredients: Ingredients, gain: FloatArray, single: bool) -> FloatArray:
    """Project the gain on the normals; MNE rounds what that makes of the *raw* gain."""
    rows = ingredients.on_normals(gain)
    if single:
        exact = ingredients.on_normals(ingredients.raw_gain.T.reshape(gain.shape))
        rows = rows + (ingredients.side.fixed_gain - exact)
    return rows


def _tangential(ingredients: Ingredients, switched: frozenset[str]) -> float:
    """Amplitude of the tangential components; the value is one side's where only one has it."""
    ours, theirs = ingredients.options.loose, ingredients.settings.loose
    ours_loose = ingredients.orient == "loose"
    theirs_loose = ingredients.settings.orientation == "loose"
    if theirs_loose and (not ours_loose or "loose" in switched):
        return float(np.sqrt(theirs))
    if ours is None:
        raise OptionError(
            "Orientation 'loose' needs a Loose value between 0 and 1, found none. Give loose."
        )
    return ours


def depth_weights(ingredients: Ingredients, switched: frozenset[str]) -> FloatArray:
    """α, the smallest 1: (d_max / d)^(exponent / 2), limited.

    Lin et al. (2006), *NeuroImage* 31, 160–171; Brainstorm limits α after the exponent, MNE the
    ratio of norms before it.
    """
    options, depth = ingredients.options, ingredients.settings.depth
    power = _depth_power(ingredients, "depth_norm" in switched)
    ours = options.weight_exp if options.depth_weighting else 0.0
    exponent = depth.exp if "depth_exponent" in switched else ours
    ratio = power.max() / np.where(power > 0, power, power[power > 0].min())
    if "depth_limit" in switched:
        return np.minimum(ratio, _mne_limit(ratio, depth)) ** (exponent / 2)
    return np.minimum(ratio ** (exponent / 2), options.weight_limit)


def _mne_limit(ratio: FloatArray, depth: DepthSettings) -> float:
    if depth.limit is None:
        return float(ratio.max())
    bound = depth.limit**2
    if not depth.limit_depth_chs:
        return bound
    above = ratio[ratio > bound]  # the rule of MNE-C: the first value above the bound
    return float(above.min()) if above.size else float(ratio.max())


def _depth_power(ingredients: Ingredients, theirs: bool) -> FloatArray:
    if not theirs:
        return gain_power(ingredients.operated[False, False].gain)
    depth = ingredients.settings.depth
    gain = ingredients.raw_gain
    if depth.limit_depth_chs:
        types = np.array(ingredients.side.info.get_channel_types())
        kind = next(k for k in ("grad", "mag", "eeg", *types) if k in types)
        gain = gain[types == kind]
    if depth.combine_xyz == "fro":
        return gain_power(gain)
    blocks = gain.T.reshape(-1, 3, len(gain))
    largest = np.linalg.eigvalsh(blocks @ blocks.transpose(0, 2, 1))[:, -1]
    return np.asarray(largest, dtype=np.float64)
