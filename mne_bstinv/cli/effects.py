"""Arguments that the other arguments leave without effect: refused, not passed over."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

from mne_bstinv.errors import OptionError
from mne_bstinv.inverse import InverseOptions2009
from mne_bstinv.inverse.options import AnyOptions

__all__ = ["refuse_ineffective_options", "refuse_unless"]

_DEPTH = ("use_depth", "weight_exp", "weight_limit")


def refuse_unless(present: bool, needed: str, given: Mapping[str, bool]) -> None:
    """Refuse arguments that mean something only beside another one, which was not given."""
    idle = [argument for argument, is_given in given.items() if is_given]
    if idle and not present:
        raise OptionError(
            f"{' and '.join(idle)} without {needed} has no effect: leave it out, or give {needed}."
        )


def refuse_ineffective_options(
    given: Mapping[str, str], several: Sequence[AnyOptions], *, mixed: bool = False
) -> None:
    """Refuse options of Brainstorm's that change none of the kernels.

    ``given`` has the argument, as it is written, of each field of
    :class:`~mne_bstinv.InverseOptions` that was given. The regions of a mixed head model say
    themselves how they are oriented.
    """
    for field, argument in given.items():
        reasons = [_reason(field, options, mixed) for options in several]
        if reasons and all(reasons):
            raise OptionError(f"{argument} has no effect: {'; '.join(_once(reasons))}.")


def _once(reasons: Iterable[str | None]) -> list[str]:
    return list(dict.fromkeys(reason for reason in reasons if reason))


def _reason(field: str, options: AnyOptions, mixed: bool) -> str | None:
    """Say why a field changes nothing and what to do; None if it does."""
    if field == "source_orient" and mixed:
        return "the regions of a mixed head model have orientations of their own. Leave it out"
    if field == "loose" and not mixed and "loose" not in options.source_orient:
        orients = " and ".join(options.source_orient)
        return f"the orientation is {orients}. Leave it out, or choose the orientation loose"
    if field == "noise_reg":
        return _ridge_reason(options)
    if field in ("snr_fixed", "snr_rms", "snr_method"):
        return _snr_reason(field, options)
    return _depth_reason(field, options) if field in _DEPTH else None


def _ridge_reason(options: AnyOptions) -> str | None:
    if isinstance(options, InverseOptions2009):
        return None if options.regularize_noise else "regnoise is 0. Leave it out"
    if options.noise_method == "reg":
        return None
    method = options.noise_method
    return f"the noise method is {method}. Leave it out, or choose the noise method reg"


def _snr_reason(field: str, options: AnyOptions) -> str | None:
    if not options.is_minimum_norm:
        return f"{options.method} has no prior that an SNR could scale. Leave it out"
    used = "fixed" if options.prior_rms is None else "rms"
    if field in ("snr_method", f"snr_{used}"):
        return None
    wanted = field.removeprefix("snr_")
    return f"SnrMethod is {used}. Leave it out, or choose SnrMethod {wanted}"


def _depth_reason(field: str, options: AnyOptions) -> str | None:
    if not dataclasses.replace(options, use_depth=True).depth_weighting:
        measure = options.measure if options.is_minimum_norm else options.method
        return f"{measure} is not depth-weighted. Leave it out, or choose another measure"
    if field != "use_depth" and not options.use_depth:
        return "depth weighting is off. Leave it out, or leave depth weighting on"
    if field == "weight_limit" and options.weight_exp == 0:
        return "WeightExp 0 makes all weights 1. Leave it out, or choose a WeightExp above 0"
    return None
