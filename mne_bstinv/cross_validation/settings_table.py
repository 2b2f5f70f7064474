"""The settings of both sides next to each other, and what translates one into the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mne_bstinv.cross_validation.result import CrossValidation

__all__ = ["settings_rows"]

_NONE = "none"


def settings_rows(validation: CrossValidation) -> list[tuple[str, str, str, str]]:
    """Write what each side is told.

    Parameters
    ----------
    validation : CrossValidation
        The result.

    Returns
    -------
    list of tuple of str
        Setting, Brainstorm's, MNE's as set, MNE's told the same as Brainstorm.
    """
    return [
        _measure(validation),
        _orientation(validation),
        _depth(validation),
        _noise(validation),
        _rank(validation),
        _snr(validation),
        _averages(validation),
    ]


def _measure(v: CrossValidation) -> tuple[str, str, str, str]:
    return "measure", str(v.options.measure), v.settings.method, v.equivalent.method


def _orientation(v: CrossValidation) -> tuple[str, str, str, str]:
    orient = v.result.regions[0].orient
    ours = f"loose, Loose {v.options.loose:g} (amplitude)" if orient == "loose" else orient
    told = v.equivalent.arguments.get("loose")
    return "orientation", ours, f"loose={v.settings.loose:g}", f"loose={told}"


def _depth(v: CrossValidation) -> tuple[str, str, str, str]:
    o = v.options
    ours = f"WeightExp {o.weight_exp:g}, WeightLimit {o.weight_limit:g}"
    given = [v.settings.depth.to_mne(), v.equivalent.arguments.get("depth")]
    theirs, told = (_depth_text(d) for d in given)
    return "depth", ours if o.depth_weighting else _NONE, theirs, told


def _depth_text(depth: dict[str, object] | None) -> str:
    if depth is None:
        return _NONE
    channels = "gradiometers if any" if depth["limit_depth_chs"] else "all channels"
    limit = depth["limit"]
    shown = f"{limit:.6g}" if isinstance(limit, float) else str(limit)
    return f"exp {depth['exp']:g}, limit {shown}, {depth['combine_xyz']}, {channels}"


def _noise(v: CrossValidation) -> tuple[str, str, str, str]:
    o = v.options
    method = v.result.noise_method
    ours = f"reg, NoiseReg {o.noise_reg:g}" if method == "reg" else method
    amount = v.settings.regularize
    theirs = "covariance as it is" if amount is None else f"mne.cov.regularize {amount:g}"
    return "noise covariance", ours, theirs, "pinv(W W') by sensor type"


def _rank(v: CrossValidation) -> tuple[str, str, str, str]:
    ours = ", ".join(f"{kind} {rank}" for kind, rank in v.result.ranks.items())
    n = len(v.result.channel_types)
    given = "estimated" if v.settings.rank is None else str(dict(v.settings.rank))
    told = ", ".join(f"{k} {r}" for k, r in v.equivalent.arguments["rank"].items())
    return "rank (of channels)", f"{ours} ({n})", f"{given}: {v.ends[1].rank} ({n})", told


def _snr(v: CrossValidation) -> tuple[str, str, str, str]:
    o, lambda_ = v.options, float(v.result.lambda_ or np.nan)
    ours = f"SNR {o.snr_fixed:g}" if o.snr_method == "fixed" else f"RMS {1e9 * o.snr_rms:g} nA·m"
    ours += f", Λ = {lambda_:.4g} (A·m)²"
    theirs = f"lambda2 = {v.settings.lambda2:.6g}"
    return "regularisation", ours, theirs, f"lambda2 = {v.equivalent.lambda2:.6g}"


def _averages(v: CrossValidation) -> tuple[str, str, str, str]:
    ours = f"none in the kernel (Leff {v.averages:g})"
    nave = "of the recordings" if v.settings.nave is None else str(v.settings.nave)
    return "averages", ours, f"nave {nave}", f"nave {v.equivalent.nave}"
