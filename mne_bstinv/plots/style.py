"""Colours, lines and words that all figures share."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

from mne_bstinv._types import FloatArray

__all__ = [
    "COLORS",
    "NAN_COLOR",
    "SIDES",
    "SMALL",
    "all_equal",
    "bare",
    "color_scale",
    "fit_height",
    "legend_below",
    "limits_of",
    "line_style",
    "marker_area",
    "near_one",
    "new_figure",
    "not_shown",
    "percent",
    "plain_log",
    "ratio_limits",
    "short",
    "wrapped",
]

#: Okabe & Ito's colours, told apart with any colour vision.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
#: How the two sides of a comparison are drawn: told apart in shades of grey, too.
SIDES: tuple[dict[str, Any], dict[str, Any]] = (
    {"color": COLORS[0], "linestyle": "-", "marker": "o"},
    {"color": COLORS[1], "linestyle": "--", "marker": "s"},
)
#: What has no value.
NAN_COLOR = "0.75"
#: Width of a figure in inches, and its smallest font in points.
_WIDTH = 8.0
SMALL = 9
#: Area of a marker in a legend (points²).
_LEGEND_MARKER = 30

#: Values that differ by less, relative to their size, are drawn as equal: rounding.
_EQUAL = 1e-9


def new_figure(height: float, title: str) -> Figure:
    """Make a figure that is readable on a phone, too; the height is in inches."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    if title:
        figure.suptitle(wrapped(title, 75))
    return figure


def bare(*axes: Any) -> None:
    """Remove the upper and the right line."""
    for one in axes:
        one.spines[["top", "right"]].set_visible(False)


def fit_height(figure: Any, axes: Any, inches: float) -> None:
    """Make the figure as high as it takes for the axes to have a height, whatever is around."""
    figure.draw_without_rendering()
    height = figure.get_figheight()
    figure.set_figheight(height + inches - axes.get_position().height * height)


def legend_below(figure: Any, axes: Any) -> None:
    """Explain what the axes show below the figure, in as many columns as there is room for."""
    handles, labels = axes.get_legend_handles_labels()
    # a letter of 10 points is this wide on average (inches), as are the line and gaps of an entry
    letter, line = 0.075, 0.55
    widths = [letter * len(label) + line for label in labels]
    columns = len(labels) if sum(widths) < _WIDTH else max(1, int(_WIDTH / max(widths)))
    legend = figure.legend(
        handles, labels, loc="outside lower center", ncols=columns, frameon=False
    )
    for handle in legend.legend_handles:
        # small or transparent markers of crowded panels
        handle.set_alpha(1)
        if hasattr(handle, "set_sizes"):
            handle.set_sizes([_LEGEND_MARKER])


def line_style(look: dict[str, Any], n: int, marked: int = 1) -> dict[str, Any]:
    """Choose how a line of ``n`` points is drawn: with markers, if it has few."""
    marker = look["marker"] if n <= marked else None
    return look | {"marker": marker, "fillstyle": "none", "markersize": 5}


def wrapped(text: str, width: int) -> str:
    """Break a text into lines."""
    return "\n".join(textwrap.wrap(text, width, break_long_words=True)) or text


def short(value: float, digits: int = 3) -> str:
    """Write a number with few digits, and without zeros in its exponent."""
    mantissa, e, exponent = f"{value:.{digits}g}".replace("-", "−").partition("e")
    return mantissa + (f"e{exponent[0].replace('+', '')}{exponent[1:].lstrip('0')}" if e else "")


def near_one(value: float) -> str:
    """Write a correlation: what it lacks of 1 if that is little."""
    lack = 1 - value
    return f"1 − {short(lack, 2)}" if 0 < lack < 1e-3 else f"{value:.4f}".replace("-", "−")


def percent(fraction: float, *, signed: bool = False) -> str:
    """Write a fraction in per cent, three digits, below 0.1 % two and an exponent."""
    value = 100 * abs(fraction)
    sign = "−" if fraction < 0 else "+" if signed and fraction > 0 else ""
    if 0 < value < 0.1:
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{sign}{mantissa}e−{exponent.lstrip('-0')} %"
    if value == 0:
        return "0 %"
    decimals = 0 if value >= 99.95 else 1 if value >= 9.995 else 2
    return f"{sign}{value:.{decimals}f} %"


def not_shown(drawn: Any, what: str, why: str = "not finite") -> str:
    """Say how many are not drawn, for example ``'3 of 60 locations not finite'``."""
    n = int(np.sum(~np.asarray(drawn)))
    return f"{n:,} of {np.size(drawn):,} {what} {why}" if n else ""


def limits_of(values: FloatArray) -> tuple[float, float]:
    """Find a range that shows the finite values; equal ones get a range of a tenth around them."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    around = 0.05 * (max(abs(low), abs(high)) or 1.0) if all_equal(values) else 0.0
    return low - around, high + around


def all_equal(values: FloatArray) -> bool:
    """Tell whether the finite values differ by rounding only."""
    finite = values[np.isfinite(values)]
    return bool(finite.size and np.ptp(finite) <= _EQUAL * np.abs(finite).max())


def ratio_limits(values: FloatArray) -> tuple[float, float]:
    """Find a range of ratios that shows the positive ones and has 1 in its (logarithmic) middle."""
    shown = values[np.isfinite(values) & (values > 0)]
    farthest = float(np.abs(np.log(shown)).max(initial=np.log(1.05)))
    return float(np.exp(-farthest)), float(np.exp(farthest))


def color_scale(limits: tuple[float, float], *, ratio: bool) -> tuple[Any, Any]:
    """Make norm and colour map: for ratios logarithmic, and diverging from the middle."""
    from matplotlib import colormaps
    from matplotlib.colors import LogNorm, Normalize

    norm = LogNorm(*limits) if ratio else Normalize(*limits)
    return norm, colormaps["RdBu_r" if ratio else "viridis"].with_extremes(bad=NAN_COLOR)


def marker_area(n: int) -> float:
    """Choose the area of a marker (points²) by the number of markers."""
    return float(np.clip(6000 / n, 4, 30))


def plain_log(axis: Any, low: float, high: float) -> None:
    """Tick a logarithmic axis from ``low`` to ``high`` with plain numbers where it is short."""
    from matplotlib import ticker

    if high / low >= 1e3:
        return
    if high / low < 3:
        axis.set_major_locator(ticker.MaxNLocator(5, steps=[1, 2, 5, 10]))
    else:
        axis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(ticker.NullFormatter())
