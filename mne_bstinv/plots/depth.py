"""Depth weights of two rules."""

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
    marker_area,
    new_figure,
    not_shown,
    plain_log,
    wrapped,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_depth_weights"]

#: More locations than this get their medians drawn, too, in so many groups by depth.
_FEW, _GROUPS = 1000, 20


def plot_depth_weights(
    depth_mm: FloatArray,
    weights_a: FloatArray,
    weights_b: FloatArray,
    *,
    names: Sequence[str],
    xlabel: str = "distance to the nearest sensor (mm)",
    title: str = "",
) -> Figure:
    """Draw the depth weights of two rules over depth, and one against the other.

    Parameters
    ----------
    depth_mm : array, shape (n_locations,)
        Depth of each location, or whatever ``xlabel`` says.
    weights_a, weights_b : array, shape (n_locations,)
        Depth weights of both sides: standard deviations of the source prior (not variances), in
        any unit.
    names : sequence of str, length 2
        The two sides.
    xlabel : str
        What is on the x axis, with its unit.
    title : str
        Title of the figure.

    Returns
    -------
    Figure
        Weights, each divided by the smallest of its side; of many locations the medians by depth,
        too. Locations where something is not finite or a weight not positive are left out and
        counted.

    Raises
    ------
    SchemaError
        If the arrays do not have these shapes.
    """
    given = Arguments("plot_depth_weights")
    depth = given.array("depth_mm", depth_mm, "n_locations")
    pair = [
        given.array(name, values, "n_locations")
        for name, values in (("weights_a", weights_a), ("weights_b", weights_b))
    ]
    sides = given.pair(names)
    given.check()

    weights = np.stack(pair)
    drawn = np.isfinite(depth) & (weights > 0).all(axis=0)
    depth, weights = depth[drawn], weights[:, drawn]
    if drawn.any():
        weights /= weights.min(axis=1, keepdims=True)
    figure = new_figure(4.6, title)
    panels: Any = figure.subplots(1, 2)
    left, right = panels
    _draw_over_depth(left, depth, weights, sides)
    left.set(xlabel=wrapped(xlabel, 40), ylabel="depth weight (smallest = 1)")
    _draw_against(right, weights)
    right.set(xlabel=f"{sides[0]} (smallest = 1)", ylabel=f"{sides[1]} (smallest = 1)")
    _scale(left, right, float(weights.max()) if drawn.any() else 1.0)
    missing = not_shown(drawn, "locations", "left out:\nno positive, finite weight")
    left.set_title(missing, fontsize=10)
    bare(left, right)
    legend_below(figure, left)
    return figure


def _draw_over_depth(
    axes: Any, depth: FloatArray, weights: FloatArray, sides: tuple[str, str]
) -> None:
    for values, name, style in zip(weights, sides, SIDES, strict=True):
        axes.scatter(
            depth,
            values,
            s=marker_area(max(depth.size, 1)),
            marker=style["marker"],
            facecolor="none" if style["marker"] == "s" else style["color"],
            edgecolor=style["color"],
            linewidth=0.7,
            alpha=1 if depth.size <= _FEW else 0.3,
            label=name,
            rasterized=True,
        )
    if depth.size > _FEW:
        _draw_medians(axes, depth, weights, sides)


def _draw_medians(
    axes: Any, depth: FloatArray, weights: FloatArray, sides: tuple[str, str]
) -> None:
    """Draw the median weight of groups of equally many locations, which no points hide."""
    from matplotlib.patheffects import withStroke

    groups = np.array_split(np.argsort(depth), _GROUPS)
    middle = [np.median(depth[group]) for group in groups]
    for values, name, style in zip(weights, sides, SIDES, strict=True):
        axes.plot(
            middle,
            [np.median(values[group]) for group in groups],
            color="black",
            linestyle=style["linestyle"],
            label=f"{name}, median",
            path_effects=[withStroke(linewidth=4, foreground="white")],
        )


def _draw_against(axes: Any, weights: FloatArray) -> None:
    area = marker_area(max(weights.shape[1], 1))
    axes.scatter(*weights, s=area, color="black", linewidth=0, alpha=0.5, rasterized=True)
    axes.axline((1, 1), (2, 2), color="0.4", linestyle=":")
    axes.set_box_aspect(1)


def _scale(left: Any, right: Any, largest: float) -> None:
    """Make the axes of weights logarithmic, from a little below 1 to above the largest."""
    # a twentieth of the range on both sides; equal weights get a range of two
    low, high = (max(largest, 2.0) ** exponent for exponent in (-0.05, 1.05))
    left.set(yscale="log", ylim=(low, high))
    right.set(xscale="log", yscale="log", xlim=(low, high), ylim=(low, high))
    for axis in (left.yaxis, right.xaxis, right.yaxis):
        plain_log(axis, low, high)
