"""How well two sides agree at each location, on the cortex or in a volume."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mne_bstinv._types import FloatArray
from mne_bstinv.plots.arguments import Arguments
from mne_bstinv.plots.cortex_map import VIEWS, beyond, draw_map, no_value_patch
from mne_bstinv.plots.style import (
    SMALL,
    all_equal,
    bare,
    color_scale,
    limits_of,
    new_figure,
    plain_log,
    ratio_limits,
    wrapped,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_agreement", "plot_agreement_points"]

#: Title of each view in SCS (x to the nose, y to the left, z up), and the axes drawn.
_SCS_VIEWS = (("from the right", 0, 2), ("from above", 1, 0), ("from behind", 1, 2))
#: Half of the width of a view is at least this (mm).
_LEAST_REACH = 10.0
_SCS_NAMES = ("x: front (mm)", "y: left (mm)", "z: up (mm)")


def plot_agreement(
    values: FloatArray,
    vertices: FloatArray,
    faces: NDArray[Any],
    *,
    label: str,
    title: str = "",
    vmin: float | None = None,
    vmax: float | None = None,
    ratio: bool = False,
) -> Figure:
    """Draw one value a vertex on the cortex, seen from six sides.

    Parameters
    ----------
    values : array, shape (n_vertices,)
        Agreement at each vertex, such as the correlation of two kernels' rows. What is not finite
        is grey and counted.
    vertices : array, shape (n_vertices, 3)
        Cortex in SCS, in m.
    faces : array of int, shape (n_faces, 3)
        0-based triangles.
    label : str
        What the values are, with their unit.
    title : str
        Title of the figure.
    vmin, vmax : float | None
        Ends of the colour bar; ``None`` takes the smallest and the largest value.
    ratio : bool
        Whether the values are ratios: the colours diverge from 1, as far to either side, on a
        logarithmic scale. The end that is given, or the value, farther from 1 says how far.

    Returns
    -------
    Figure
        Six maps and one colour bar, pointed at an end that values lie beyond.

    Raises
    ------
    SchemaError
        If the arrays do not have these shapes, the triangles name vertices that do not exist,
        ``vmin`` is not below ``vmax``, or a ratio is negative.
    """
    given = Arguments("plot_agreement")
    vertices = given.array("vertices", vertices, "n_vertices 3", finite=True)
    triangles = given.faces(faces, len(vertices))
    values = given.array("values", values, "n_vertices")
    limits = _limits(given, values, vmin, vmax, ratio=ratio)
    given.check()

    figure = new_figure(5.6, title)
    label += "\n(all equal up to rounding)" if all_equal(values) else ""
    draw_map(
        figure, values, vertices, triangles, label, limits=limits, views=tuple(VIEWS), ratio=ratio
    )
    return figure


def plot_agreement_points(
    values: FloatArray,
    positions: FloatArray,
    *,
    label: str,
    title: str = "",
    vmin: float | None = None,
    vmax: float | None = None,
    highest_in_front: bool = False,
    ratio: bool = False,
) -> Figure:
    """Draw one value a location of a volume, in three projections.

    Parameters
    ----------
    values : array, shape (n_locations,)
        Agreement at each location. What is not finite is grey and counted.
    positions : array, shape (n_locations, 3)
        Locations in SCS, in m.
    label : str
        What the values are, with their unit.
    title : str
        Title of the figure.
    vmin, vmax : float | None
        Ends of the colour bar; ``None`` takes the smallest and the largest value.
    highest_in_front : bool
        Whether the highest value of a line of sight is drawn over the others (for differences),
        rather than the lowest (for agreements); without effect on ratios, of which the one
        farthest from 1 is.
    ratio : bool
        Whether the values are ratios: the colours diverge from 1, as far to either side, on a
        logarithmic scale. The end that is given, or the value, farther from 1 says how far.

    Returns
    -------
    Figure
        Three projections in mm.

    Raises
    ------
    SchemaError
        If the arrays do not have these shapes, ``vmin`` is not below ``vmax``, or a ratio is
        negative.
    """
    given = Arguments("plot_agreement_points")
    positions = given.array("positions", positions, "n_locations 3", finite=True)
    values = given.array("values", values, "n_locations")
    limits = _limits(given, values, vmin, vmax, ratio=ratio)
    given.check()

    extend = beyond(values, limits)
    # NaN first, so that it covers nothing
    if ratio:  # a ratio of 0 is at the lower end
        values = np.maximum(values, limits[0])
    rank = np.abs(np.log(values)) if ratio else values
    order = np.argsort(rank if highest_in_front or ratio else -rank, kind="stable")
    order = np.concatenate([order[np.isnan(values[order])], order[~np.isnan(values[order])]])
    millimetres = 1e3 * positions
    centre = (millimetres.max(axis=0) + millimetres.min(axis=0)) / 2
    # one scale for all views, and room for the only location
    reach = max(1.1 * np.abs(millimetres - centre).max(), _LEAST_REACH)
    figure = new_figure(4.3, title)
    panels: Any = figure.subplots(1, len(_SCS_VIEWS))
    points: Any = None
    scale = color_scale(limits, ratio=ratio)
    for axes, (view, across, up) in zip(panels, _SCS_VIEWS, strict=True):
        shown = [across, up]
        points = _draw_points(axes, values[order], millimetres[order][:, shown], scale)
        axes.set(
            title=view,
            xlabel=_SCS_NAMES[across],
            ylabel=_SCS_NAMES[up],
            xlim=centre[across] + reach * np.array([-1, 1]),
            ylim=centre[up] + reach * np.array([-1, 1]),
            aspect="equal",
        )
        if across == 1:  # y points to the left
            axes.xaxis.set_inverted(True)
        bare(axes)
    end = "highest" if highest_in_front else "lowest"
    front = "value farthest from 1" if ratio else f"{end} value"
    bar = figure.colorbar(
        points,
        ax=list(panels),
        label=wrapped(f"{label}; the {front} of each line of sight is in front", 80),
        location="bottom",
        shrink=0.7,
        extend=extend,
    )
    if ratio:
        plain_log(bar.ax.xaxis, *limits)
    patch = no_value_patch(values, "locations")
    if patch is not None:
        figure.legend(handles=[patch], loc="outside lower center", frameon=False, fontsize=SMALL)
    return figure


def _limits(
    given: Arguments,
    values: FloatArray,
    vmin: float | None,
    vmax: float | None,
    *,
    ratio: bool,
) -> tuple[float, float]:
    low, high = limits_of(values)
    if ratio:
        if (values < 0).any():
            given.fault(f"values holds {np.nanmin(values):g}, expected ratios, which are positive.")
        ends = [end for end in (vmin, vmax) if end is not None]
        low, high = ratio_limits(np.array(ends, dtype=np.float64) if ends else values)
        vmin = vmin if vmin is None or vmin <= 0 else low
        vmax = vmax if vmax is None or vmax <= 0 else high
    low, high = low if vmin is None else float(vmin), high if vmax is None else float(vmax)
    if not (np.isfinite([low, high]).all() and low < high) or (ratio and low <= 0):
        above = "above 0, " if ratio else ""
        given.fault(
            f"vmin is {low:g} and vmax {high:g}, expected {above}vmin below vmax, both finite."
        )
    return low, high


def _draw_points(
    axes: Any, values: FloatArray, millimetres: FloatArray, scale: tuple[Any, Any]
) -> Any:
    norm, colormap = scale
    return axes.scatter(
        *millimetres.T,
        c=values,
        # half of the area that a point of a grid has in a panel of two inches
        s=np.clip(0.5 * 144**2 / len(values) ** (2 / 3), 4, 120),
        cmap=colormap,
        norm=norm,
        plotnonfinite=True,
        linewidth=0,
        rasterized=True,
    )
