"""Which convention makes which part of a difference."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.plots.arguments import Arguments
from mne_bstinv.plots.style import (
    COLORS,
    SMALL,
    bare,
    fit_height,
    legend_below,
    new_figure,
    not_shown,
    percent,
    short,
    wrapped,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_attribution"]

#: What the steps may leave over of the total before it gets a bar of its own: above rounding,
#: and the largest difference that a comparison calls equal.
_EXPLAINED = 1e-9
#: Characters in a line of a label, and height of a bar with one line, of each further line, and
#: of what is around the bars, to begin with (inches).
_LABEL_WIDTH = 26
_BAR, _LINE, _AROUND = 0.36, 0.17, 1.5
#: How a step is drawn that increases the difference, that decreases it, what no step explains,
#: and the total.
_UP = {"color": COLORS[1]}
_DOWN = {"facecolor": "white", "edgecolor": COLORS[0], "hatch": "////"}
_REST = {"facecolor": "white", "edgecolor": "black", "hatch": "xxx"}
_TOTAL = {"color": "0.35"}


def plot_attribution(
    labels: Sequence[str],
    changes: FloatArray,
    *,
    total: float,
    unit: str = "relative difference of the kernel",
    alone_from_a: FloatArray | None = None,
    alone_from_b: FloatArray | None = None,
    shapley: FloatArray | None = None,
    names: Sequence[str] = ("Brainstorm", "MNE"),
    title: str = "",
) -> Figure:
    """Draw how a difference builds up, one convention at a time, as a waterfall.

    Parameters
    ----------
    labels : sequence of str, length n_steps
        The conventions, in the order in which they were switched.
    changes : array, shape (n_steps,)
        Change of the difference to ``names[0]`` at each step, as a fraction (0.1 is 10 %). NaN
        for a step that was not measured.
    total : float
        The whole difference between the two ends, as a fraction. What the steps leave over of it
        gets a bar of its own, if it is above 1e-9.
    unit : str
        What the fractions are.
    alone_from_a, alone_from_b : array, shape (n_steps,) | None
        Difference that each step makes alone, starting from either end, as a fraction.
    shapley : array, shape (n_steps,) | None
        Mean change over all orders of the steps, as a fraction: the Shapley value [1]_.
    names : sequence of str, length 2
        The two ends of the path.
    title : str
        Title of the figure.

    Returns
    -------
    Figure
        The waterfall, the total at the bottom; in a second panel what each step does by itself,
        where that is given.

    Raises
    ------
    SchemaError
        If the arrays do not have these shapes, or the total is not finite.

    References
    ----------
    .. [1] Shapley, A value for n-person games, in: Contributions to the Theory of Games II,
           Princeton University Press (1953).
    """
    given = Arguments("plot_attribution")
    labels = given.texts("labels", labels, "n_steps")
    changes = given.array("changes", changes, "n_steps")
    whole = float(given.array("total", np.atleast_1d(total), "1", finite=True)[:1].sum())
    ends = given.pair(names)
    alone = [
        (f"alone, from {ends[0]}", given.optional("alone_from_a", alone_from_a, "n_steps")),
        (f"alone, from {ends[1]}", given.optional("alone_from_b", alone_from_b, "n_steps")),
        ("mean over orders", given.optional("shapley", shapley, "n_steps")),
    ]
    given.check()

    n_steps = len(labels)
    rest = whole - float(np.nansum(changes))
    if abs(rest) > _EXPLAINED:
        labels, changes = [*labels, "not attributed"], np.append(changes, rest)
    rows = [wrapped(label, _LABEL_WIDTH) for label in [*labels, f"{ends[0]} to {ends[1]}"]]
    height = _BAR * len(rows) + _LINE * sum(row.count("\n") for row in rows)
    figure = new_figure(_AROUND + height, title)
    second = any(values is not None for _, values in alone)
    ratios = (1.5, 1)[: 1 + second]
    grid: Any = figure.subplots(1, len(ratios), sharey=True, squeeze=False, width_ratios=ratios)
    panels = grid[0]
    _draw_waterfall(panels[0], changes, whole, n_steps)
    _dress(panels[0], f"step by step, from {ends[0]} to {ends[1]}", unit, 36 if second else 70)
    if second:
        _draw_alone(panels[1], alone)
        _dress(panels[1], "each step by itself", unit, 26)
        panels[1].tick_params(left=False)
        legend_below(figure, panels[1])
    for row, axes in itertools.product(range(1, len(rows), 2), panels):
        axes.axhspan(row - 0.5, row + 0.5, color="0.95", zorder=0)
    panels[0].set_yticks(np.arange(len(rows)), rows)
    panels[0].set_ylim(len(rows) - 0.5, -0.5)
    fit_height(figure, panels[0], height)
    return figure


def _dress(axes: Any, title: str, unit: str, width: int) -> None:
    """Add what both panels have; the width is in letters."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.set_title(wrapped(title, width), fontsize=10)
    axes.set_xlabel(wrapped(f"{unit}\N{NO-BREAK SPACE}(%)", width))
    axes.xaxis.set_major_locator(MaxNLocator(width // 7, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    axes.tick_params(axis="x", labelsize=SMALL)
    axes.axvline(0, color="0.3", linewidth=0.8, zorder=1)
    bare(axes)


def _draw_waterfall(axes: Any, changes: FloatArray, whole: float, n_steps: int) -> None:
    """Draw each bar from where the last one ended, and the total from zero.

    Only the first ``n_steps`` changes belong to a step.
    """
    ends = 100 * np.cumsum(np.nan_to_num(changes))
    starts = np.concatenate([[0.0], ends[:-1]])
    for row, (start, end, change) in enumerate(zip(starts, ends, changes, strict=True)):
        style = _UP if change > 0 else _DOWN
        if row >= n_steps:
            style = _REST
        text = percent(change, signed=True) if np.isfinite(change) else "not measured"
        _draw_bar(axes, row, start, end, text, style)
        axes.plot([end, end], [row, row + 1], color="0.3", linewidth=0.8, zorder=1)
    _draw_bar(axes, len(changes), 0, 100 * whole, percent(whole), _TOTAL)
    points = np.concatenate([[0.0, 100 * whole], ends])
    low, high = points.min(), points.max()
    span = (high - low) or 1.0
    # room for the text to the right of the longest bar
    axes.set_xlim(low - 0.04 * span, high + 0.42 * span)


def _draw_bar(axes: Any, row: int, start: float, end: float, text: str, style: Any) -> None:
    if end != start:
        axes.barh(row, end - start, left=start, height=0.62, zorder=2, **style)
    axes.annotate(
        text,
        (max(start, end), row),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        fontsize=SMALL,
    )


def _draw_alone(axes: Any, alone: list[tuple[str, FloatArray | None]]) -> None:
    """Draw one kind of marker a measure, each at a height of its own within the row."""
    styles = ((-0.22, "o", COLORS[0]), (0.0, "s", COLORS[1]), (0.22, "D", "black"))
    for (label, values), (shift, marker, color) in zip(alone, styles, strict=True):
        if values is None:
            continue
        missing = not_shown(np.isfinite(values), "steps", "NaN")
        axes.scatter(
            100 * values,
            np.arange(len(values)) + shift,
            s=26,
            marker=marker,
            facecolor="white" if marker == "s" else color,
            edgecolor=color,
            label=f"{label} ({missing})" if missing else label,
            zorder=2,
        )
    axes.margins(x=0.08)
