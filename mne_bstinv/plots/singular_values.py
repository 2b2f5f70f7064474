"""What regularisation keeps of the whitened gain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.plots.arguments import Arguments
from mne_bstinv.plots.style import SIDES, bare, line_style, new_figure, not_shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_singular_values"]

#: Up to so many values each gets a marker.
_MARKED = 40


def plot_singular_values(
    singular_values: FloatArray,
    filter_a: FloatArray,
    filter_b: FloatArray,
    *,
    names: Sequence[str],
    ranks: Sequence[int] | None = None,
    title: str = "",
) -> Figure:
    """Draw the singular values of the whitened gain and what two regularisations keep of each.

    Parameters
    ----------
    singular_values : array, shape (n,)
        Singular values s of the whitened gain, the largest first, in any unit.
    filter_a, filter_b : array, shape (n,)
        Filter factors Λ s² / (Λ s² + 1) of both sides, in the scale of MNE s² / (s² + λ²), from 0
        (removed) to 1 (kept).
    names : sequence of str, length 2
        The two sides.
    ranks : sequence of int, length 2 | None
        Number of directions that each side takes as seen by the sensors.
    title : str
        Title of the figure.

    Returns
    -------
    Figure
        The singular values above, divided by the largest, the filter factors below.

    Raises
    ------
    SchemaError
        If the arrays do not have these shapes, or a singular value is negative.
    """
    from matplotlib.ticker import MaxNLocator

    given = Arguments("plot_singular_values")
    singular_values = given.array("singular_values", singular_values, "n")
    filters = [
        given.array(name, values, "n")
        for name, values in (("filter_a", filter_a), ("filter_b", filter_b))
    ]
    sides = given.pair(names)
    seen = None if ranks is None else given.array("ranks", ranks, "2", finite=True)
    if (singular_values < 0).any():
        given.fault(f"singular_values holds {np.nanmin(singular_values):g}, expected none below 0.")
    given.check()

    figure = new_figure(6, title)
    panels: Any = figure.subplots(2, 1, sharex=True)
    above, below = panels
    _draw_spectrum(above, singular_values)
    _draw_filters(below, filters, sides)
    for number, rank in enumerate([] if seen is None else seen):
        style = {key: SIDES[number][key] for key in ("color", "linestyle")}
        for axes in (above, below):
            label = f"rank {rank:.0f} ({sides[number]})" if axes is above else None
            axes.axvline(rank + 0.5, linewidth=1.2, label=label, **style)
    if seen is not None:
        above.legend(frameon=False, loc="best")
    below.set_xlim(0, len(singular_values) + 1)
    below.xaxis.set_major_locator(MaxNLocator(integer=True))
    bare(above, below)
    return figure


def _draw_spectrum(axes: Any, singular_values: FloatArray) -> None:
    largest = np.nan_to_num(singular_values).max()
    drawn = singular_values > 0
    relative = np.where(drawn, singular_values, np.nan) / (largest or 1.0)
    look = line_style({"color": "black", "marker": "o"}, len(relative), _MARKED)
    axes.plot(_numbers(relative), relative, **look)
    axes.set_ylabel("singular value\n(relative to the largest)")
    if drawn.any():
        axes.set_yscale("log")
    axes.set_title(not_shown(drawn, "singular values", "zero or not finite, not drawn"))


def _draw_filters(axes: Any, filters: list[FloatArray], sides: tuple[str, str]) -> None:
    for values, name, style in zip(filters, sides, SIDES, strict=True):
        missing = not_shown(np.isfinite(values), "values", "not finite")
        label = f"{name} ({missing})" if missing else name
        look = line_style(style, len(values), _MARKED)
        axes.plot(_numbers(values), values, label=label, **look)
    axes.set(
        xlabel="number of the singular value",
        ylabel="filter factor Λs²/(Λs² + 1)\n(1: kept, 0: removed)",
        ylim=(-0.04, 1.04),
    )
    axes.legend(frameon=False, loc="best")


def _numbers(values: FloatArray) -> FloatArray:
    return np.arange(1.0, len(values) + 1)
