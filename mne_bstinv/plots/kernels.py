"""One kernel against another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.plots.arguments import Arguments
from mne_bstinv.plots.style import (
    COLORS,
    bare,
    marker_area,
    near_one,
    new_figure,
    not_shown,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_kernels"]

#: More entries than this are counted in hexagons instead of drawn one by one.
_MOST_POINTS = 20_000
#: Lower ends of the axis of correlations: the highest that shows all.
_FLOORS = (0.99, 0.9, 0.5, 0.0, -1.0)


def plot_kernels(
    a: FloatArray,
    b: FloatArray,
    *,
    names: Sequence[str],
    unit: str,
    n_components: int = 1,
    correlations: FloatArray | None = None,
    title: str = "",
) -> Figure:
    """Draw every entry of a kernel against that of another, and how the locations correlate.

    Where channels of several types differ by orders of magnitude, draw the kernels for whitened
    data, or one type at a time.

    Parameters
    ----------
    a, b : array, shape (n_components * n_locations, n_channels)
        The kernels, rows of a location together.
    names : sequence of str, length 2
        The two sides.
    unit : str
        Unit of an entry.
    n_components : int
        Rows a location, 1 or 3.
    correlations : array, shape (n_locations,) | None
        One correlation a location; ``None`` computes Pearson's of the rows of each location,
        taken as one vector.
    title : str
        Title of the figure.

    Returns
    -------
    Figure
        Entries beside correlations. More than 20,000 entries are counted in hexagons. Entries
        and correlations that are not finite are left out and counted.

    Raises
    ------
    SchemaError
        If the arrays do not have these shapes.
    """
    given = Arguments("plot_kernels")
    a = given.array("a", a, "n_rows n_channels")
    b = given.array("b", b, "n_rows n_channels")
    sides = given.pair(names)
    if n_components not in (1, 3) or len(a) % n_components:
        given.fault(
            f"n_components is {n_components} with {len(a)} rows, expected 1 or 3, a divisor of "
            "the number of rows."
        )
    given.check()
    n_locations = len(a) // n_components
    correlations = given.optional("correlations", correlations, str(n_locations))
    given.check()

    if correlations is None:
        correlations = _pearson(a.reshape(n_locations, -1), b.reshape(n_locations, -1))
    figure = new_figure(4.4, title)
    panels: Any = figure.subplots(1, 2, width_ratios=(1.25, 1))
    left, right = panels
    _draw_entries(figure, left, a.ravel(), b.ravel())
    left.set(xlabel=f"{sides[0]} ({unit})", ylabel=f"{sides[1]} ({unit})")
    _draw_correlations(right, correlations)
    bare(left, right)
    return figure


def _pearson(a: FloatArray, b: FloatArray) -> FloatArray:
    """Correlate each row of two matrices; NaN for a row that is constant or holds NaN."""
    varies = (np.ptp(a, axis=1) > 0) & (np.ptp(b, axis=1) > 0)
    a = a - a.mean(axis=1, keepdims=True)
    b = b - b.mean(axis=1, keepdims=True)
    size = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    together = np.einsum("ij,ij->i", a, b)
    return np.divide(together, size, out=np.full(len(a), np.nan), where=varies)


def _draw_entries(figure: Any, axes: Any, a: FloatArray, b: FloatArray) -> None:
    from matplotlib.ticker import MaxNLocator

    drawn = np.isfinite(a) & np.isfinite(b)
    missing = not_shown(drawn, "entries")
    a, b = a[drawn], b[drawn]
    largest = float(max(np.abs(a).max(), np.abs(b).max())) if drawn.any() else 1.0
    reach = 1.05 * (largest or 1.0)
    ends = [-reach, reach]
    axes.plot(ends, ends, color="black", linestyle=":", zorder=3, label="equal entries")
    if a.size > _MOST_POINTS:
        bins = axes.hexbin(
            a,
            b,
            gridsize=60,
            bins="log",
            mincnt=1,
            cmap="viridis",
            extent=(-reach, reach, -reach, reach),
        )
        figure.colorbar(bins, ax=axes, label="entries in a hexagon", location="bottom", shrink=0.8)
    else:
        area = marker_area(max(a.size, 1))
        axes.scatter(a, b, s=area, color=COLORS[0], linewidth=0, alpha=0.5, rasterized=True)
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach))
    axes.set_box_aspect(1)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.ticklabel_format(scilimits=(-2, 3), useMathText=True)
    axes.set_title(missing or f"{drawn.size:,} entries", fontsize=10)
    axes.legend(frameon=False, loc="upper left")


def _draw_correlations(axes: Any, correlations: FloatArray) -> None:
    drawn = np.isfinite(correlations)
    # rounding may put a correlation above 1
    shown = np.clip(correlations[drawn], -1, 1)
    floor = next(low for low in _FLOORS if not shown.size or low <= shown.min())
    axes.hist(shown, bins=40, range=(floor, 1), color=COLORS[0], edgecolor="white", linewidth=0.3)
    axes.set(xlabel="correlation of a location", ylabel="number of locations", xlim=(floor, 1))
    lines = [not_shown(drawn, "locations", "not defined")]
    if shown.size:
        middle, lowest = near_one(float(np.median(shown))), near_one(float(shown.min()))
        lines = [f"median {middle}, lowest {lowest}", *lines]
    axes.set_title("\n".join(line for line in lines if line), fontsize=10)
