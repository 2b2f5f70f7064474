"""The options of an inverse in words, and in the few letters that tell names of files apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from mne_bstinv.inverse.options import AnyOptions
from mne_bstinv.inverse.options_2009 import RIDGES, InverseOptions2009

__all__ = ["options_in_letters", "options_in_words"]

_METHODS = {
    "minnorm": "minimum norm",
    "wmne": "minimum norm",
    "dspm": "minimum norm",
    "sloreta": "minimum norm",
    "mnej": "minimum norm (mnej)",
    "mnej_p": "minimum norm (mnej)",
    "gls": "least squares scan",
    "gls_p": "least squares scan",
    "glsr": "regularised least squares scan",
    "glsr_p": "regularised least squares scan",
    "lcmv": "LCMV beamformer",
}
_MEASURES = {
    "dspm": "dSPM",
    "dspm2018": "dSPM",
    "sloreta": "sLORETA",
    "nai": "neural activity index",
}
_NOISE = {
    "none": "noise as it is",
    "diag": "noise diagonal",
    "median": "noise floored at the median",
    "shrink": "noise shrunk",
}


def options_in_words(
    options: AnyOptions, channel_types: Iterable[str], *, noise_method: str | None = None
) -> dict[str, str]:
    """Say what options ask for, in words that can be told apart one by one, or joined.

    What the method does not use is left out. ``noise_method`` is what was done to the noise
    covariance in the end, where that is known and may be another method than that asked for.
    """
    types = tuple(dict.fromkeys(channel_types))
    measure = str(options.measure)
    said = {
        "method": _METHODS[options.method],
        "measure": _MEASURES.get(measure, measure),
        "orientation": f"{_orientation(options)} orientation",
        "channels": "+".join(types),
        "noise": _noise(options, types, noise_method),
        "prior": _prior(options),
        "depth": _depth(options),
        "inverse": f"inverse of {options.year}",
    }
    return {name: text for name, text in said.items() if text}


def _orientation(options: AnyOptions) -> str:
    """Name the orientations, with the weight of loose ones."""
    loose = f"{options.loose:g}" if options.loose is not None else ""
    listed = dict.fromkeys(options.source_orient)
    return "/".join(f"{o} {loose}".rstrip() if o == "loose" else o for o in listed)


def _noise(options: AnyOptions, types: Iterable[str], method: str | None) -> str:
    if isinstance(options, InverseOptions2009):
        return _noise_2009(options, types)
    done = method or options.noise_method
    return f"noise reg {options.noise_reg:g}" if done == "reg" else _NOISE.get(done, done)


def _noise_2009(options: InverseOptions2009, types: Iterable[str]) -> str:
    ridges = "/".join(dict.fromkeys(f"{options.ridge(kind):g}" for kind in types))
    parts = ["diagonal" if options.diagonal_noise else "full"]
    parts += [f"reg {ridges}".rstrip()] if options.regularize_noise else []
    return f"noise {' '.join(parts)}{', pca' if options.pca else ''}"


def _uses_prior(options: AnyOptions) -> bool:
    return options.is_minimum_norm or options.method.startswith("glsr")


def _rms(options: AnyOptions) -> float | None:
    """Return the RMS source amplitude (A·m) that sets the prior; None where an SNR does."""
    if isinstance(options, InverseOptions2009) or options.snr_method != "rms":
        return None
    return options.snr_rms


def _prior(options: AnyOptions) -> str:
    if not _uses_prior(options):
        return ""
    rms = _rms(options)
    return f"SNR {options.snr_fixed:g}" if rms is None else f"RMS {rms:g} A·m"


def _can_weight(options: AnyOptions) -> bool:
    """Tell whether method and measure use depth weights if they are asked for."""
    return replace(options, use_depth=True).depth_weighting


def _depth(options: AnyOptions) -> str:
    if not _can_weight(options):
        return ""
    if not options.depth_weighting:
        return "no depth weighting"
    return f"depth {options.weight_exp:g} up to {options.weight_limit:g}"


def options_in_letters(options: AnyOptions) -> str:
    """Say in letters, for names of files, the orientation and what is not Brainstorm's default.

    Such as ``'fixed'``, ``'loose0.1_diag'``, ``'free_snr1_nodepth'``, ``'fixed_2009'``. They
    depend on the options alone, and not on those of other files.
    """
    return "_".join(_letters(options))


def _letters(options: AnyOptions) -> Iterator[str]:
    usual = type(options)()
    orients = "-".join(dict.fromkeys(options.source_orient))
    loose = options.loose if "loose" in options.source_orient else None
    yield orients + (f"{loose:g}" if loose not in (None, usual.loose) else "")
    if isinstance(options, InverseOptions2009):
        yield from _noise_letters_2009(options)
    elif options.noise_method != "reg":
        yield {"none": "noreg"}.get(options.noise_method, options.noise_method)
    elif options.noise_reg != type(options)().noise_reg:
        yield f"reg{options.noise_reg:g}"
    if _uses_prior(options):
        rms = _rms(options)
        if rms is not None:
            yield f"rms{rms:g}"
        elif options.snr_fixed != usual.snr_fixed:
            yield f"snr{options.snr_fixed:g}"
    if _can_weight(options) and not options.depth_weighting:
        yield "nodepth"
    elif _can_weight(options):
        if options.weight_exp != usual.weight_exp:
            yield f"depth{options.weight_exp:g}"
        if options.weight_limit != usual.weight_limit:
            yield f"limit{options.weight_limit:g}"
    if options.year != 2018:
        yield str(options.year)


def _noise_letters_2009(options: InverseOptions2009) -> Iterator[str]:
    usual = InverseOptions2009()
    if options.diagonal_noise:
        yield "diag"
    if not options.regularize_noise:
        yield "noreg"
    else:
        for name in RIDGES:
            if (value := getattr(options, name)) != getattr(usual, name):
                yield f"{name.replace('_', '')}{value:g}"
    if not options.pca:
        yield "nopca"
