"""The parts of a cross-validation as text for a terminal, and as plain values for programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap
from typing import Any

from mne_bstinv._display import finite
from mne_bstinv.compare import Comparison
from mne_bstinv.compare.rounding import RoundingBound
from mne_bstinv.cross_validation.attribution import Attribution, Step
from mne_bstinv.cross_validation.numbers import number, percent, power
from mne_bstinv.cross_validation.scouts import ScoutComparison

__all__ = [
    "attribution_heads",
    "attribution_legend",
    "attribution_rows",
    "factor_text",
    "fit",
    "rounding_text",
    "scout_lines",
    "scout_values",
    "step_values",
    "table",
    "wrapped",
]

#: Characters in a line of what explains a table.
_WIDTH = 96
#: Scouts that the text names; the page and the JSON have all.
_SCOUTS = 5


def factor_text(factor: float) -> list[str]:
    """Say what Brainstorm's estimate, sLORETA, is divided by before it is compared, if it is."""
    if factor == 1:
        return []
    said = f"Brainstorm's sLORETA is {factor:.6g} (√Λ in A·m) times one without unit, as MNE's is"
    return [f"{said}; all numbers here are after dividing that factor out"]


def rounding_text(bounds: tuple[RoundingBound, RoundingBound]) -> list[str]:
    """Say what rounding allows, step by step, at both ends: a sentence an end."""
    sides = ("Brainstorm's kernel", "MNE's as set")
    return [
        f"rounding moves {side} by up to {power(bound.total)}: "
        + ", ".join(f"{step} {power(value)}" for step, value in bound.steps().items())
        for side, bound in zip(sides, bounds, strict=True)
    ]


def attribution_heads(path: Attribution) -> tuple[str, ...]:
    """Name the columns of :func:`attribution_rows`."""
    return (
        "convention",
        "step",
        "sum",
        "alone from Brainstorm",
        "alone from MNE",
        "mean over orders" if path.averaged else "mean of both ends",
        "estimate",
        "row corr.",
        "peak moved",
    )


def attribution_legend(path: Attribution) -> tuple[str, ...]:
    """Say what the columns of the attribution are, in one or more sentences each."""
    if path.averaged:
        every = path.orders == "all orders"
        value = "the Shapley value" if every else "an estimate of the Shapley value"
        mean = (
            f"mean over orders: of the step over {path.orders} of the conventions, {value}; the "
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
        *_scale_note(path),
        *path.notes,
    )


def _scale_note(path: Attribution) -> list[str]:
    if path.relative_to == "Brainstorm":
        return []
    return [
        f"MNE's kernel is {path.size_ratio:.3g} times as large as Brainstorm's: distances are "
        "relative to MNE's kernel."
    ]


def attribution_rows(path: Attribution) -> list[tuple[str, ...]]:
    """Write the steps of the attribution in which the two sides differ, the whole last."""
    rows = [
        (
            step.convention.label,
            percent(step.increment, sign=True),
            percent(step.distance),
            percent(step.alone_from_brainstorm),
            percent(step.alone_from_mne),
            percent(step.weight, sign=path.averaged),
            percent(step.estimate_change),
            number(step.row_correlation, ".4f"),
            number(step.peak_displacement, ".1f", " mm"),
        )
        for step in path.active
    ]
    whole = ("whole", percent(path.total), *["" for _ in range(7)])
    return [*rows, whole]


def scout_lines(found: ScoutComparison | str) -> list[str]:
    """Write the strongest scouts, each side by its own rule, or why there are none."""
    if isinstance(found, str):
        return wrapped([found])
    chosen = found.strongest(_SCOUTS)
    rows = [
        (found.names[i], percent(float(found.differences[i])), number(found.correlations[i], ".3f"))
        for i in chosen
    ]
    left = len(found.names) - len(chosen)
    said = f"Brainstorm: {found.function}. MNE as set: {found.mode}."
    more = f" {left} weaker scouts are left out." if left else ""
    return [*table([("", "relative difference", "correlation"), *rows]), *wrapped([said + more])]


def scout_values(found: ScoutComparison | str) -> dict[str, Any]:
    """Return the scouts' differences as plain values, or the reason why there are none."""
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
                "relative_difference": finite(float(difference)),
                "correlation": finite(float(correlation)),
            }
            for name, difference, correlation in numbers
        ],
    }


def fit(comparison: Comparison) -> dict[str, Any]:
    """Return the explained variance of the whitened recordings by side, None if not applicable."""
    keys = ("explained_variance_a", "explained_variance_b")
    return {"whitened": True, **{key: finite(comparison[key].value) for key in keys}}


def step_values(step: Step) -> dict[str, Any]:
    """Return a step as plain values."""
    numbers = {
        name: finite(getattr(step, name))
        for name in (
            "change", "increment", "distance", "estimate_change", "row_correlation",
            "amplitude_ratio", "peak_displacement", "alone_from_brainstorm", "alone_from_mne",
            "shapley",
        )
    }  # fmt: skip
    return {"key": step.convention.key, "label": step.convention.label, **numbers}


def wrapped(texts: Iterable[str]) -> list[str]:
    """Wrap what explains a table."""
    return [line for text in texts for line in wrap(text, _WIDTH)]


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Align the cells of rows, one line each."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = [f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)]
        yield ("  " + "  ".join(cells)).rstrip()
