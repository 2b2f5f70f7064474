"""A cross-validation as text for a terminal, and as plain values for programs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np

from mne_bstinv._display import html_table
from mne_bstinv._versions import versions
from mne_bstinv.cross_validation.numbers import percent, power
from mne_bstinv.cross_validation.scouts import compare_scouts
from mne_bstinv.cross_validation.settings_table import settings_rows

if TYPE_CHECKING:
    from mne_bstinv.cross_validation.attribution import Step
    from mne_bstinv.cross_validation.result import CrossValidation

__all__ = [
    "as_dict",
    "as_html",
    "as_text",
    "attribution_heads",
    "attribution_legend",
    "attribution_rows",
    "fit",
]

#: Characters in a line of what explains a table.
_WIDTH = 96
#: Scouts that the text names; the page and the JSON have all.
_SCOUTS = 5
#: Heads of the columns of the settings.
_SETTINGS_HEADS = ("", "Brainstorm", "MNE, as set", "MNE, told the same")


def as_text(validation: CrossValidation) -> str:
    """Write the verdict, then the settings, the attribution and the metrics.

    Parameters
    ----------
    validation : CrossValidation
        The result.

    Returns
    -------
    str
        Several lines.
    """
    lines = [validation.verdict, "", "Settings, side by side"]
    rows = settings_rows(validation)
    lines += _table([_SETTINGS_HEADS, *rows])
    whose = validation.attribution.relative_to
    lines += [
        "",
        f"Attribution, from Brainstorm's settings to MNE's (relative to {whose}'s kernel)",
    ]
    lines += _table([attribution_heads(validation), *attribution_rows(validation)])
    lines += [
        *(line for text in attribution_legend(validation) for line in wrap(text, _WIDTH)),
        f"remainder: {validation.attribution.remainder_start:.1e} at Brainstorm's end and "
        f"{validation.attribution.remainder_end:.1e} at MNE's, together "
        f"{validation.attribution.remainder:.1e}",
        *(line for text in rounding_text(validation) for line in wrap(text, _WIDTH)),
        "",
        "MNE as set against Brainstorm",
        str(validation.before),
        "",
        "MNE told the same against Brainstorm",
        str(validation.after),
        "",
        "Scouts",
        *_scout_lines(validation),
    ]
    return "\n".join(lines)


def _scout_lines(validation: CrossValidation) -> list[str]:
    """Write the strongest scouts, each side by its own rule, or why there are none."""
    found = compare_scouts(validation)
    if isinstance(found, str):
        return wrap(found, _WIDTH)
    chosen = found.strongest(_SCOUTS)
    rows = [
        (found.names[i], percent(float(found.differences[i])), f"{found.correlations[i]:.3f}")
        for i in chosen
    ]
    left = len(found.names) - len(chosen)
    return [
        *_table([("", "relative difference", "correlation"), *rows]),
        *wrap(
            f"Brainstorm: {found.function}. MNE as set: {found.mode}."
            + (f" {left} weaker scouts are left out." if left else ""),
            _WIDTH,
        ),
    ]


def rounding_text(validation: CrossValidation) -> list[str]:
    """Say what rounding allows, step by step, at both ends.

    Parameters
    ----------
    validation : CrossValidation
        The result.

    Returns
    -------
    list of str
        A sentence an end.
    """
    sides = ("Brainstorm's kernel", "MNE's as set")
    return [
        f"rounding moves {side} by up to {power(bound.total)}: "
        + ", ".join(f"{step} {power(value)}" for step, value in bound.steps().items())
        for side, bound in zip(sides, validation.bounds, strict=True)
    ]


def as_html(validation: CrossValidation) -> str:
    """Write the verdict, the settings and the attribution for a notebook.

    Parameters
    ----------
    validation : CrossValidation
        The result.

    Returns
    -------
    str
        HTML: a sentence and two tables.
    """
    settings = html_table(settings_rows(validation), head=_SETTINGS_HEADS, title=validation.verdict)
    # a number stays on one line with its unit
    rows = [
        (label, *(cell.replace(" ", "\u00a0") for cell in cells))
        for label, *cells in attribution_rows(validation)
    ]
    return settings + html_table(rows, head=attribution_heads(validation))


def as_dict(validation: CrossValidation) -> dict[str, Any]:
    """Return plain values, for JSON.

    Parameters
    ----------
    validation : CrossValidation
        The result.

    Returns
    -------
    dict
        Numbers, texts, lists and dicts; what is no finite number is ``None``.
    """
    equivalent, path = validation.equivalent, validation.attribution
    factor = np.asarray(equivalent.factor)
    return {
        "study": validation.name,
        "title": validation.title,
        "verdict": validation.verdict,
        "passed": validation.passed,
        "parity": equivalent.parity,
        "reason": equivalent.reason,
        "factor": float(factor) if factor.ndim == 0 else factor.tolist(),
        "lambda2": equivalent.lambda2,
        "no_public_call": equivalent.no_public_call,
        "difference_told_the_same": _finite(validation.twin_difference),
        "difference_told_the_same_public_call": _finite(validation.public_difference),
        "difference_as_set": _finite(path.total),
        "difference_relative_to": path.relative_to,
        "size_ratio": _finite(path.size_ratio),
        "remainder": _finite(path.remainder),
        "rtol": validation.rtol,
        "bound_told_the_same": _finite(validation.bound),
        "bound_remainder": _finite(validation.remainder_bound),
        "rounding": {
            side: bound.to_dict()
            for side, bound in zip(("brainstorm", "mne"), validation.bounds, strict=True)
        },
        "not_separable": list(path.notes),
        "notes": list(validation.notes),
        "settings": [
            dict(zip(("setting", "brainstorm", "mne", "mne_told_the_same"), row, strict=True))
            for row in settings_rows(validation)
        ],
        "attribution": [_step(step) for step in path],
        "metrics_as_set": validation.before.to_dict(),
        "metrics_told_the_same": validation.after.to_dict(),
        "reports": {
            what: [asdict(finding) for finding in report]
            for what, report in validation.reports.items()
        },
        "sensor_fit": fit(validation),
        "scouts": _scouts(validation),
        "versions": versions(),
    }


def _scouts(validation: CrossValidation) -> dict[str, Any]:
    """Return the scouts' differences as plain values; or the reason why there are none."""
    found = compare_scouts(validation)
    if isinstance(found, str):
        return {"reason": found, "scouts": []}
    numbers = zip(found.names, found.differences, found.correlations, strict=True)
    return {
        "reason": "",
        "brainstorm": found.function,
        "mne": found.mode,
        "scouts": [
            {
                "name": name,
                "relative_difference": _finite(float(difference)),
                "correlation": _finite(float(correlation)),
            }
            for name, difference, correlation in numbers
        ],
    }


def attribution_heads(validation: CrossValidation) -> tuple[str, ...]:
    """Name the columns of the attribution.

    Parameters
    ----------
    validation : CrossValidation
        The result.

    Returns
    -------
    tuple of str
        One a column of :func:`attribution_rows`.
    """
    return (
        "convention",
        "step",
        "sum",
        "alone from Brainstorm",
        "alone from MNE",
        "mean over orders" if validation.attribution.averaged else "mean of both ends",
        "estimate",
        "row corr.",
        "peak moved",
    )


def attribution_legend(validation: CrossValidation) -> tuple[str, ...]:
    """Say what the columns of the attribution are.

    Parameters
    ----------
    validation : CrossValidation
        The result.

    Returns
    -------
    tuple of str
        One or more sentences each.
    """
    if validation.attribution.averaged:
        mean = (
            "mean over orders: of the step over all orders of the conventions (Shapley value); the "
            "verdict names the two largest."
        )
    else:
        mean = (
            "mean of both ends: of the two columns before it; the verdict names the two largest. "
            "The mean over all orders of the conventions was not computed, and may rank them "
            "otherwise."
        )
    return (
        "step: by how much the distance from Brainstorm's kernel changes, in this order.",
        "alone from Brainstorm: distance from Brainstorm's kernel with only this convention MNE's; "
        "alone from MNE: distance from MNE's with only this one Brainstorm's.",
        mean,
        "estimate: change of the estimate of the recordings; row corr., peak moved: of locations, "
        "before and after the step.",
        *_scale_note(validation),
        *validation.attribution.notes,
    )


def _scale_note(validation: CrossValidation) -> list[str]:
    path = validation.attribution
    if path.relative_to == "Brainstorm":
        return []
    return [
        f"MNE's kernel is {path.size_ratio:.3g} times as large as Brainstorm's: distances are "
        "relative to MNE's kernel."
    ]


def attribution_rows(validation: CrossValidation) -> list[tuple[str, ...]]:
    """Write the steps of the attribution in which the two sides differ.

    Parameters
    ----------
    validation : CrossValidation
        The result.

    Returns
    -------
    list of tuple of str
        One row a step, with the columns of :func:`attribution_heads`; the whole last.
    """
    averaged = validation.attribution.averaged
    rows = [
        (
            step.convention.label,
            percent(step.increment, sign=True),
            percent(step.distance),
            percent(step.alone_from_brainstorm),
            percent(step.alone_from_mne),
            percent(step.weight, sign=averaged),
            percent(step.estimate_change),
            "–" if step.row_correlation is None else f"{step.row_correlation:.4f}",
            "–" if step.peak_displacement is None else f"{step.peak_displacement:.1f} mm",
        )
        for step in validation.attribution.active
    ]
    whole = ("whole", percent(validation.attribution.total), *["" for _ in range(7)])
    return [*rows, whole]


def fit(validation: CrossValidation) -> dict[str, Any]:
    """Return the explained variance of the whitened recordings by side, None if not applicable."""
    keys = ("explained_variance_a", "explained_variance_b")
    return {"whitened": True, **{key: _finite(validation.before[key].value) for key in keys}}


def _step(step: Step) -> dict[str, Any]:
    numbers = {
        name: _finite(getattr(step, name))
        for name in (
            "change", "increment", "distance", "estimate_change", "row_correlation",
            "amplitude_ratio", "peak_displacement", "alone_from_brainstorm", "alone_from_mne",
            "shapley",
        )
    }  # fmt: skip
    return {"key": step.convention.key, "label": step.convention.label, **numbers}


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = [f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)]
        yield ("  " + "  ".join(cells)).rstrip()
