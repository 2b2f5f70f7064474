"""Brainstorm's options for a comparison: of a year by arguments, or those of a results file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mne_bstinv import io
from mne_bstinv.errors import OptionError
from mne_bstinv.inverse import (
    InverseOptions,
    InverseOptions2009,
    InverseOptions2016,
    origin_of_results,
)
from mne_bstinv.inverse.options import AnyOptions
from mne_bstinv.inverse.options_2009 import RIDGES
from mne_bstinv.verification import recompute

__all__ = ["MEASURES", "YEAR", "mne_name", "options_of", "stored_options", "stored_value"]

#: Year → MNE's name of a method → Brainstorm's method (2009) or measure.
MEASURES = {
    2009: {"MNE": "wmne", "dSPM": "dspm", "sLORETA": "sloreta"},
    2016: {"MNE": "amplitude", "dSPM": "dspm", "sLORETA": "sloreta"},
    2018: {"MNE": "amplitude", "dSPM": "dspm2018", "sLORETA": "sloreta"},
}
#: The year whose defaults are taken where nothing is said.
YEAR = 2018


def options_of(year: int, method: str, given: dict[str, Any]) -> AnyOptions:
    """Return the options of a year for a method, under MNE's name, with those that were given."""
    name = MEASURES[year][method]
    if year == 2016:
        return InverseOptions2016(measure=name, **given)
    if year == 2018:
        return InverseOptions(measure=name, **given)
    _refuse_noise_method(given)
    given = {"use_depth": name != "sloreta"} | given  # as Brainstorm's window has it
    if "noise_reg" in given:  # one for the ridges of all sensor types
        given |= dict.fromkeys(RIDGES, given.pop("noise_reg"))
    return InverseOptions2009(method=name, **given)


def _refuse_noise_method(given: dict[str, Any]) -> None:
    if "noise_method" in given:
        raise OptionError(
            "--noise-method has no meaning in the inverse of 2009, which adds a fraction of the "
            "mean variance of each sensor type. Leave it out, or choose another --year."
        )


def stored_options(path: Path, results: io.Results, year: int | None) -> AnyOptions:
    """Read the options of a results file, as those of the year that computed it.

    ``year`` is what the user says of it, who is refused if that cannot be.
    """
    origin = origin_of_results(results)
    if not origin.years:
        raise OptionError(
            f"{path}: not computed by a linear inverse of Brainstorm, but {origin.kind} "
            f"({origin.reason}). Give the recordings, and the options as arguments."
        )
    if year is not None and year not in origin.years:
        raise OptionError(
            f"--year says {year}, but {path} was computed by the {origin.title} "
            f"({origin.reason}): leave --year out, or give the recordings instead of the results."
        )
    if year is None and len(origin.years) > 1:  # that whose kernel it is
        return recompute(path).options
    return origin.options(results.options or {}, year)


def stored_value(options: AnyOptions, field: str) -> Any:
    """Return the value of an option as an argument would say it."""
    if field == "snr_fixed" and options.prior_rms is not None:
        return "SnrMethod rms"
    if isinstance(options, InverseOptions2009) and field == "noise_reg":
        ridges = dict.fromkeys(getattr(options, name) for name in RIDGES)
        return next(iter(ridges)) if len(ridges) == 1 else tuple(ridges)
    return getattr(options, field, None)


def mne_name(options: AnyOptions) -> str:
    """Return MNE's name of what options compute; their method where it has none."""
    measure = options.method if options.year == 2009 else options.measure
    names = {theirs: ours for ours, theirs in MEASURES[options.year].items()}
    return names.get(str(measure), options.method)
