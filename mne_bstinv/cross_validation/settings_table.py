"""The settings of both sides next to each other, and what translates one into the other."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from mne_bstinv._data_types import upper_types
from mne_bstinv.adapters.equivalence import MneEquivalent, MneSettings
from mne_bstinv.cross_validation.engine import EngineKernel
from mne_bstinv.inverse import InverseOptions2009, InverseResult
from mne_bstinv.inverse.options import AnyOptions

__all__ = ["SETTINGS_HEADS", "BothSides", "settings_rows"]

#: Heads of the columns of the settings.
SETTINGS_HEADS = ("", "Brainstorm", "MNE, as set", "MNE, told the same")
_NONE = "none"


class BothSides(Protocol):
    """What of a cross-validation says how each side was set."""

    @property
    def options(self) -> AnyOptions:
        """Brainstorm's options."""

    @property
    def settings(self) -> MneSettings:
        """MNE's settings."""

    @property
    def equivalent(self) -> MneEquivalent:
        """What makes MNE compute Brainstorm's kernel."""

    @property
    def result(self) -> InverseResult:
        """Brainstorm's kernel with its intermediates."""

    @property
    def ends(self) -> tuple[EngineKernel, EngineKernel]:
        """The kernels with Brainstorm's conventions and with MNE's."""

    @property
    def averages(self) -> float:
        """Leff of the recordings."""


def settings_rows(sides: BothSides) -> list[tuple[str, str, str, str]]:
    """Write what each side is told: setting, Brainstorm's, MNE's as set and told the same."""
    return [
        _measure(sides),
        _orientation(sides),
        _depth(sides),
        _noise(sides),
        _rank(sides),
        _snr(sides),
        _averages(sides),
    ]


def _measure(v: BothSides) -> tuple[str, str, str, str]:
    return "measure", str(v.options.measure), v.settings.method, v.equivalent.method


def _orientation(v: BothSides) -> tuple[str, str, str, str]:
    orient = v.result.regions[0].orient
    o, ours = v.options, orient
    if orient == "loose":
        what = o.conventions.loose.removesuffix("s")
        ours = f"loose, {o.names['loose']} {o.loose:g} ({what})"
    told = v.equivalent.arguments.get("loose")
    return "orientation", ours, f"loose={v.settings.loose:g}", f"loose={told}"


def _depth(v: BothSides) -> tuple[str, str, str, str]:
    o = v.options
    names = o.names
    ours = f"{names['weight_exp']} {o.weight_exp:g}, {names['weight_limit']} {o.weight_limit:g}"
    if o.conventions.depth == "limit first":
        ours += ", before the exponent"
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


def _noise(v: BothSides) -> tuple[str, str, str, str]:
    o, method, averages = v.options, v.result.noise_method, v.result.noise_averages
    ours = f"{method}, {_ridges(o, v.result.channel_types)}" if method == "reg" else method
    amount = v.settings.regularize
    theirs = "covariance as it is" if amount is None else f"mne.cov.regularize {amount:g}"
    what = "group of sensor types" if isinstance(o, InverseOptions2009) else "sensor type"
    told = f"pinv(W W') by {what}" + (f", times {averages:g}" if averages > 1 else "")
    return "noise covariance", ours, theirs, told


def _ridges(options: AnyOptions, channel_types: tuple[str, ...]) -> str:
    """Name the ridge, of 2009 of each sensor type."""
    if not isinstance(options, InverseOptions2009):
        return f"NoiseReg {options.noise_reg:g}"
    kinds = dict.fromkeys(upper_types(channel_types))
    return ", ".join(f"{options.ridge(kind):g} ({kind})" for kind in kinds)


def _rank(v: BothSides) -> tuple[str, str, str, str]:
    ours = ", ".join(f"{kind} {rank}" for kind, rank in v.result.ranks.items())
    n = len(v.result.channel_types)
    given = "estimated" if v.settings.rank is None else str(dict(v.settings.rank))
    told = ", ".join(f"{k} {r}" for k, r in v.equivalent.arguments["rank"].items())
    return "rank (of channels)", f"{ours} ({n})", f"{given}: {v.ends[1].rank} ({n})", told


def _snr(v: BothSides) -> tuple[str, str, str, str]:
    o, lambda_ = v.options, float(v.result.lambda_ or np.nan)
    ours = f"SNR {o.snr_fixed:g}" if o.prior_rms is None else f"RMS {1e9 * o.prior_rms:g} nA·m"
    if o.conventions.scale == "trace":
        ours += f", λ² = {o.snr_fixed**-2:.6g} at trace r"
    ours += f", Λ = {lambda_:.4g} (A·m)²"
    theirs = f"lambda2 = {v.settings.lambda2:.6g}"
    return "regularisation", ours, theirs, f"lambda2 = {v.equivalent.lambda2:.6g}"


def _averages(v: BothSides) -> tuple[str, str, str, str]:
    ours = f"none in the kernel (Leff {v.averages:g})"
    if v.options.conventions.averages_in_noise:
        ours = f"noise covariance divided by nAvg {v.result.noise_averages:g}"
    nave = "of the recordings" if v.settings.nave is None else str(v.settings.nave)
    return "averages", ours, f"nave {nave}", f"nave {v.equivalent.nave}"
