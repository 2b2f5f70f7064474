"""The exact Python that computes the numbers of a report anew."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import numpy as np

from mne_bstinv.adapters.equivalence import averages_of
from mne_bstinv.cross_validation import CrossValidation
from mne_bstinv.inverse.options import AnyOptions
from mne_bstinv.io.registry import of_role

__all__ = ["reproduction_code"]

#: Attribute of a study → the function that reads its file.
_READERS = {
    role: of_role(role).reader
    for role in ("head_model", "noise_cov", "channels", "recordings", "cortex", "mri")
}
#: Names of the package that the code may use.
_NAMES = (
    "InverseOptions",
    "InverseOptions2009",
    "InverseOptions2016",
    "MneSettings",
    "StudyData",
    "cross_validate",
    "datasets",
    "io",
    "load_study",
)


def reproduction_code(validation: CrossValidation, *, load: str | None = None) -> str:
    """Write the Python that computes a cross-validation anew.

    Parameters
    ----------
    validation : CrossValidation
        The result.
    load : str | None
        Expression that loads the study, such as ``"datasets.load_sample()"`` or
        ``"load_study('my_protocol/data/Subject01/evoked')"``. ``None`` reads the files that the
        study came from one by one: a study does not know the path it was loaded by, and another
        head model of the same condition would give other numbers.

    Returns
    -------
    str
        Code to run as it is; of a study that was made in memory, with it as ``study``.
    """
    lines = [
        _study(validation, load),
        f"options = {_call(type(validation.options).__name__, _changed(validation.options))}",
        f"settings = {_call('MneSettings', _settings(validation))}",
        f"validation = {_call('cross_validate', _arguments(validation), first='study')}",
        "print(validation)",
    ]
    body = "\n".join(lines)
    used = [name for name in _NAMES if re.search(rf"(?<![\w.]){name}[.(]", body)]
    return f"from mne_bstinv import {', '.join(used)}\n\n{body}\n"


def _study(validation: CrossValidation, load: str | None) -> str:
    if load is not None:
        return f"study = {load}"
    study = validation.study
    files: Mapping[str, Any] = getattr(study, "files", {})
    needed = [role for role in _READERS if getattr(study, role, None) is not None]
    if not set(needed) <= set(files):
        return f"# study: the structures of {validation.name!r}, which were made in memory"
    calls = {role: f"io.{_READERS[role]}({str(files[role])!r})" for role in needed}
    return f"study = {_call('StudyData', {'name': repr(validation.name)} | calls)}"


def _changed(options: AnyOptions) -> dict[str, str]:
    """Return the options that are not the defaults, and what says the measure."""
    default, chosen = type(options)(), "method" if options.year == 2009 else "measure"
    return {
        field.name: _literal(getattr(options, field.name))
        for field in fields(options)
        if field.init
        and (field.name == chosen or getattr(options, field.name) != getattr(default, field.name))
    }


def _settings(validation: CrossValidation) -> dict[str, str]:
    settings = {name: _literal(value) for name, value in asdict(validation.settings).items()}
    settings["depth"] = _literal(asdict(validation.settings.depth))
    return settings


def _arguments(validation: CrossValidation) -> dict[str, str]:
    steps = validation.attribution.steps
    given = {
        "options": "options",
        "mne_settings": "settings",
        "data_types": _literal(validation.data_types),
    }
    given |= _averages(validation)
    # the same summaries of the attribution, without or with the mean over all orders, or some
    orders = validation.attribution.orders
    if orders and orders != "all orders":
        return given | {"orders": orders.split()[0]}
    return given | {"shapley_limit": str(len(steps)) if orders else "0"}


def _averages(validation: CrossValidation) -> dict[str, str]:
    """Give the averages that the noise was divided by, where they are not those of the study."""
    averages = validation.result.noise_averages
    of_study = averages_of(validation.study)
    if not validation.options.conventions.averages_in_noise or averages == of_study:
        return {}
    return {"n_avg": f"{averages:g}"}


def _call(name: str, arguments: Mapping[str, str], *, first: str = "") -> str:
    """Write a call, in one line if it is short."""
    given = [*([first] if first else []), *(f"{key}={text}" for key, text in arguments.items())]
    line = f"{name}({', '.join(given)})"
    if len(line) <= 80:
        return line
    return "\n".join([f"{name}(", *(f"    {argument}," for argument in given), ")"])


def _literal(value: Any) -> str:
    """Write a value so that Python reads the same one."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key!r}: {_literal(entry)}' for key, entry in value.items())}}}"
    if isinstance(value, tuple):
        return f"({', '.join(map(_literal, value))}{',' if len(value) == 1 else ''})"
    return repr(value.item() if isinstance(value, np.generic) else value)
