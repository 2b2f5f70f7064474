"""The estimates of two sides over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.plots.arguments import Arguments
from mne_bstinv.plots.style import (
    SIDES,
    bare,
    legend_below,
    line_style,
    new_figure,
    not_shown,
    short,
    wrapped,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_time_courses"]

#: More locations than this are drawn in two columns.
_ONE_COLUMN = 4


def plot_time_courses(
    times: FloatArray,
    a: FloatArray,
    b: FloatArray,
    *,
    labels: Sequence[str],
    names: Sequence[str],
    unit: str,
    title: str = "",
) -> Figure:
    """Draw the time courses of a few locations, both sides over each other, and their difference.

    Parameters
    ----------
    times : array, shape (n_times,)
        Times in s.
    a, b : array, shape (n_locations, n_times)
        Estimates of both sides; NaN is a gap.
    labels : sequence of str, length n_locations
        Names of the locations.
    names : sequence of str, length 2
        The two sides.
    unit : str
        Unit of the estimates.
    title : str
        Title of the figure.

    Returns
    -------
    Figure
        One panel a location, over time in ms; its title says how large the difference gets.

    Raises
    ------
    SchemaError
        If the arrays do not have these shapes, or a time is not finite.
    """
    given = Arguments("plot_time_courses")
    times = given.array("times", times, "n_times", finite=True)
    a = given.array("a", a, "n_locations n_times")
    b = given.array("b", b, "n_locations n_times")
    labels = given.texts("labels", labels, "n_locations")
    sides = given.pair(names)
    given.check()

    n_columns = 1 if len(labels) <= _ONE_COLUMN else 2
    n_rows = -(-len(labels) // n_columns)
    figure = new_figure(1.1 + 1.75 * n_rows, title)
    grid: Any = figure.subplots(n_rows, n_columns, sharex=True, squeeze=False)
    panels = list(grid.ravel())
    for axes in panels[len(labels) :]:
        axes.set_axis_off()
    for number, (axes, label) in enumerate(zip(panels, labels, strict=False)):
        _draw_location(axes, 1e3 * times, (a[number], b[number]), sides)
        difference = _largest_difference(a[number], b[number], unit)
        difference = difference.replace(" ", "\N{NO-BREAK SPACE}")
        axes.set_title(wrapped(f"{label} ({difference})", 92 // n_columns), fontsize=10)
        axes.set_ylabel(f"estimate ({unit})")
        bare(axes)
    for axes in panels[len(labels) - n_columns : len(labels)]:
        axes.set_xlabel("time (ms)")
        axes.tick_params(labelbottom=True)
    legend_below(figure, panels[0])
    return figure


def _draw_location(
    axes: Any, milliseconds: FloatArray, pair: tuple[FloatArray, FloatArray], sides: tuple[str, str]
) -> None:
    n = len(milliseconds)
    for values, name, side in zip(pair, sides, SIDES, strict=True):
        axes.plot(milliseconds, values, label=name, linewidth=1.8, **line_style(side, n))
    look = line_style({"color": "black", "linestyle": ":", "marker": "D"}, n)
    label = f"difference ({sides[0]} − {sides[1]})"
    axes.plot(milliseconds, pair[0] - pair[1], linewidth=1, label=label, **look)
    if n > 1:
        axes.set_xlim(milliseconds[0], milliseconds[-1])


def _largest_difference(a: FloatArray, b: FloatArray, unit: str) -> str:
    drawn = np.isfinite(a) & np.isfinite(b)
    missing = not_shown(drawn, "samples")
    if not drawn.any():
        return missing
    text = f"difference ≤ {short(float(np.abs(a - b)[drawn].max()))} {unit}"
    return f"{text}; {missing}" if missing else text
