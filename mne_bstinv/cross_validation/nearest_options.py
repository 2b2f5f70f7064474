"""MNE's settings as Brainstorm's options: exactly where there are such, else the nearest, measured.

Each setting is translated by its own rule. Whether the options then really give MNE's kernel is
not argued but measured: the conventions that are left are found by the same switches as in an
attribution, and named in the reason.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mne_bstinv._display import html_table, summary_of
from mne_bstinv._verdicts import RTOL
from mne_bstinv.adapters.equivalence import (
    DepthSettings,
    GathersStudy,
    MneSettings,
    Study,
    kernel_blocks,
    require_study,
    sloreta_unit,
)
from mne_bstinv.adapters.operators import EXACT, METHODS, NOT_COMPARABLE, UP_TO_FACTOR
from mne_bstinv.cross_validation.asked import named_settings
from mne_bstinv.cross_validation.conventions import CONVENTIONS
from mne_bstinv.cross_validation.distances import relative_distance
from mne_bstinv.cross_validation.engine import Engine
from mne_bstinv.cross_validation.ingredients import Ingredients, gather
from mne_bstinv.cross_validation.noise import noise_stage
from mne_bstinv.inverse import InverseOptions, compute_kernel
from mne_bstinv.inverse.regularization import snr_from_lambda2

__all__ = ["BrainstormEquivalent", "brainstorm_equivalent"]

#: Conventions that are translated together, with their name. Left out is what always has a
#: translation (the SNR) or can be stated (the factor of averages, MNE's rounding of fixed gains).
_GROUPS = {
    ("orientation", "loose"): "the orientation constraint",
    ("depth_norm",): "the norm and channels of the depth weights",
    ("depth_exponent", "depth_limit"): "the exponent and limit of the depth weights",
    ("cross_types",): "noise between sensor types",
    ("regularization", "rank"): "the regularisation and rank of the noise",
    ("projectors",): "projectors of the channels in use",
    ("reference",): "the reference of the EEG",
    ("normalization",): "the normalisation of the measure",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class BrainstormEquivalent:
    """Brainstorm's options that come nearest to MNE's settings.

    Parameters
    ----------
    options : InverseOptions
        The options.
    parity : 'exact' | 'equal up to a stated factor' | 'not comparable'
        Whether they give MNE's kernel.
    factor : float
        MNE's estimate is this times Brainstorm's: 1/√Λ (in (A·m)⁻¹) for sLORETA, √nave for dSPM
        and sLORETA.
    reason : str
        What is left: the conventions for which Brainstorm has no option, with the relative change
        that each alone makes; empty where nothing is.
    relative_difference : float
        Measured between both kernels of the study, factor included.
    left : mapping of str to float
        What is left, by name, with the distance that each alone makes.
    """

    options: InverseOptions
    parity: str
    factor: float
    reason: str
    relative_difference: float
    left: Mapping[str, float]

    def __repr__(self) -> str:
        return f"<BrainstormEquivalent | {self.parity}, {self.relative_difference:.2g} apart>"

    def _repr_html_(self) -> str:
        rows = [(name, str(value)) for name, value in self.options.to_brainstorm().items()]
        title = f"BrainstormEquivalent | {summary_of(self)}. {self.reason}"
        return html_table(rows, title=title)


def brainstorm_equivalent(
    settings: MneSettings | Mapping[str, Any],
    study: Study | GathersStudy,
    *,
    data_types: str | Sequence[str] | None = None,
) -> BrainstormEquivalent:
    """Translate MNE's settings into Brainstorm's options, and measure how near they come.

    Parameters
    ----------
    settings : MneSettings | mapping
        MNE's settings.
    study : StudyData | SampleStudy | StudyCondition
        The structures; the rank of their noise covariance is part of the translation.
    data_types : str | sequence of str | None
        Types of the channels to use.

    Returns
    -------
    BrainstormEquivalent
        The options, the class of parity, and what is left.

    Raises
    ------
    OptionError
        If the study's head model is mixed, or a setting is unknown or out of range.
    ConversionError
        If the study cannot be converted to MNE.
    InverseError
        If the inverse cannot be computed.

    Notes
    -----
    ============================  =========================================================
    MNE                           Brainstorm
    ============================  =========================================================
    method                        InverseMeasure amplitude, dspm2018, sloreta
    loose                         SourceOrient; Loose = √loose
    depth exp, limit              WeightExp = exp, WeightLimit = limit^exp
    regularize                    NoiseReg = regularize · k/r, from all k to the r eigenvalues
    lambda2                       SnrFixed = √((r/n) / λ²)
    nave                          (a factor √nave for dSPM and sLORETA)
    ============================  =========================================================
    """
    study = require_study(study)
    if not isinstance(settings, MneSettings):
        settings = MneSettings(**named_settings(settings, "settings"))
    first = gather(study, _options(settings, 1.0, 0.1), settings, data_types)
    rank = noise_stage(first, frozenset(c.key for c in CONVENTIONS)).rank
    n = len(first.prepared.channel_names)
    snr = snr_from_lambda2(settings.lambda2, rank, n)
    options = _options(settings, snr, (settings.regularize or 0.0) * n / rank)
    return _measured(gather(study, options, settings, data_types), options, study)


def _options(settings: MneSettings, snr: float, noise_reg: float) -> InverseOptions:
    depth: DepthSettings = settings.depth
    orient = settings.orientation
    measure = {theirs: ours for ours, theirs in METHODS.items()}[settings.method]
    limit = math.inf if depth.limit is None else depth.limit**depth.exp
    return InverseOptions(
        measure=measure,
        source_orient=orient,
        loose=math.sqrt(settings.loose) if orient == "loose" else None,
        use_depth=depth.exp > 0 and measure != "sloreta",
        weight_exp=depth.exp,
        # the largest number that Brainstorm's square of the limit leaves finite is no limit
        weight_limit=limit if math.isfinite(limit) else 1e150,
        noise_method="none" if not settings.regularize else "reg",
        noise_reg=min(noise_reg, 1.0),
        snr_fixed=snr,
    )


def _measured(
    ingredients: Ingredients, options: InverseOptions, study: Study
) -> BrainstormEquivalent:
    settings, head_model = ingredients.settings, ingredients.side.common.head_model
    result = compute_kernel(
        head_model,
        study.noise_cov,
        study.channels,
        good_channels=ingredients.prepared.channel_indices,
        options=options,
    )
    averages = 1.0 if settings.method == "MNE" else math.sqrt(ingredients.side.nave)
    factor = averages / sloreta_unit(result)
    blocks = factor * kernel_blocks(result, head_model.grid_orient)
    difference = relative_distance(ingredients.side.blocks(), blocks)
    engine = Engine(ingredients)
    size = engine.size(frozenset())
    left = {}
    for keys, name in _GROUPS.items():
        distance = engine.distance(frozenset(keys), frozenset()) / size
        if distance > RTOL:
            left[name] = distance
    parity = NOT_COMPARABLE if left else (EXACT if factor == 1 else UP_TO_FACTOR)
    return BrainstormEquivalent(
        options=options,
        parity=parity,
        factor=factor,
        reason=_reason(left, factor, difference, ingredients),
        relative_difference=difference,
        left=left,
    )


def _reason(
    left: Mapping[str, float], factor: float, difference: float, ingredients: Ingredients
) -> str:
    if left:
        listed = ", ".join(f"{name} ({100 * v:.2g} % alone)" for name, v in left.items())
        return (
            f"Brainstorm has no option for {listed}; these options are the nearest, "
            f"{100 * difference:.3g} % from MNE's kernel."
        )
    parts = []
    if factor != 1:
        parts.append(f"MNE's estimate is {factor:.6g} times Brainstorm's")
    if ingredients.settings.orientation == "fixed" and difference > RTOL:
        parts.append(
            "MNE rounds the gain of fixed orientations to single precision "
            f"({difference:.0e} of the kernel)"
        )
    return "; ".join(parts) + ("." if parts else "")
