"""What is compared: the options that arguments say, or those of a results file."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from mne_bstinv import io
from mne_bstinv._data_types import data_types_of
from mne_bstinv._log import warnings_silenced
from mne_bstinv.cli.compare_options import (
    MEASURES,
    YEAR,
    mne_name,
    options_of,
    stored_options,
    stored_value,
)
from mne_bstinv.cli.effects import refuse_ineffective_options
from mne_bstinv.errors import OptionError
from mne_bstinv.inverse.options import AnyOptions
from mne_bstinv.studies import StudyData
from mne_bstinv.verification import Verification, verify

__all__ = ["Plan", "given_fields", "plan_of"]

#: Argument → the field of InverseOptions that it sets.
_OPTIONS = {
    "orientation": "source_orient",
    "noise_method": "noise_method",
    "noise_reg": "noise_reg",
    "snr": "snr_fixed",
    "weight_exp": "weight_exp",
    "weight_limit": "weight_limit",
    "use_depth": "use_depth",
    "loose": "loose",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """What is compared: one cross-validation for each entry of ``options``.

    ``note`` says where the options come from; ``good_channels`` are those of the kernel (0-based),
    ``n_avg`` the averages that its noise is of and ``stored`` is the verdict on it, where a results
    file was given.
    """

    options: tuple[AnyOptions, ...]
    data_types: tuple[str, ...] | None
    note: str
    good_channels: tuple[int, ...] | None = None
    n_avg: int | None = None
    stored: Verification | None = None


def plan_of(args: argparse.Namespace, study: StudyData) -> Plan:
    """Say what is compared on a study, with the verdict on the kernel of a results file.

    Refused are arguments that have no effect, or say something else than the results file.
    """
    path: Path = args.study
    is_results = path.is_file() and io.file_kind(path.name) == "results"
    plan = _of_results(args, io.read_results(path)) if is_results else _of_arguments(args, study)
    said = {field: _argument(name) for name, field in _OPTIONS.items() if hasattr(args, name)}
    refuse_ineffective_options(said, plan.options)
    return _with_verdict(plan, path) if is_results else plan


def given_fields(args: argparse.Namespace, fields: dict[str, str]) -> dict[str, Any]:
    """Return the arguments that were given, by the field that they set."""
    return {field: getattr(args, name) for name, field in fields.items() if hasattr(args, name)}


def _of_arguments(args: argparse.Namespace, study: StudyData) -> Plan:
    given = given_fields(args, _OPTIONS)
    given.setdefault("source_orient", "free" if study.head_model.kind == "volume" else "fixed")
    year = args.year or YEAR
    return Plan(
        options=tuple(
            options_of(year, method, given)
            for method in dict.fromkeys(args.methods or MEASURES[year])
        ),
        data_types=None if args.data_types is None else tuple(args.data_types),
        note=_note_of_defaults(args),
    )


def _note_of_defaults(args: argparse.Namespace) -> str:
    given = [_argument(name) for name in _OPTIONS if hasattr(args, name)]
    changed = f", changed by {', '.join(given)}" if given else ""
    return (
        f"Brainstorm's options are its defaults of {args.year or YEAR}{changed}, and not those of "
        "results that the study stores: give a results file to take its options."
    )


def _with_verdict(plan: Plan, path: Path) -> Plan:
    """Verify the stored kernel, which is not what is compared."""
    with warnings_silenced("mne"):  # what it warns of is part of the outcome
        (outcome,) = verify([path])
    number = outcome.relative_difference
    verdict = outcome.status if number is None else f"{outcome.status} ({number:.1e})"
    if outcome.reason:
        verdict += f", {' '.join(outcome.reason.split()).rstrip('.')}"
    note = f"{plan.note} What verify says of the stored kernel: {verdict}."
    return dataclasses.replace(plan, note=note, stored=outcome)


def _of_results(args: argparse.Namespace, results: io.Results) -> Plan:
    """Take the options of a results file, and refuse arguments that say something else."""
    options = stored_options(args.study, results, args.year)
    data_types = data_types_of(results.options) or None
    said = {name: stored_value(options, field) for name, field in _OPTIONS.items()}
    said |= {"methods": (mne_name(options),), "data_types": data_types}
    for name, value in _arguments_as_options(args).items():
        if value != said[name]:
            argument = _argument(name)
            raise OptionError(
                f"{argument} says {_typed(name, value)}, but {args.study} was computed with "
                f"{_typed(name, said[name])}: leave {argument} out, or give the recordings instead "
                "of the results."
            )
    of_year = "" if options.year == YEAR else f", as the inverse of {options.year} does"
    note = (
        f"Brainstorm's kernel is computed anew with the options of {args.study.name}{of_year}; "
        "the kernel that it stores is not the one compared."
    )
    good = results.good_channel
    if good is not None:
        note += f" Its channels are the {good.size} of GoodChannel."
    return Plan(
        options=(options,),
        data_types=data_types,
        note=note,
        good_channels=None if good is None else tuple((good.ravel() - 1).tolist()),
        n_avg=max(results.n_avg, 1),
    )


def _typed(name: str, value: Any) -> str:
    """Return the value of an argument as it is written on the command line."""
    if name == "use_depth":
        return "depth weighting" if value else "no depth weighting"
    if value is None:
        return "none"
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _argument(name: str) -> str:
    """Return an argument as it is written on the command line."""
    return "--no-depth" if name == "use_depth" else f"--{name.replace('_', '-')}"


def _arguments_as_options(args: argparse.Namespace) -> dict[str, Any]:
    """Return the arguments that were given, as the fields of options hold their values."""
    given = {name: getattr(args, name) for name in _OPTIONS if hasattr(args, name)}
    if "orientation" in given:
        given["orientation"] = (given["orientation"],)
    if args.methods is not None:
        given["methods"] = tuple(args.methods)
    if args.data_types is not None:
        given["data_types"] = tuple(args.data_types)
    return given
