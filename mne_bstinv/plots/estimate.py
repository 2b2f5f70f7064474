"""The estimate of one kernel: time courses, and maps of instants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mne_bstinv._types import FloatArray
from mne_bstinv.plots.arguments import Arguments
from mne_bstinv.plots.cortex_map import draw_map
from mne_bstinv.plots.style import COLORS, bare

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_estimate"]


def plot_estimate(
    estimate: FloatArray,
    times: FloatArray,
    vertices: FloatArray,
    faces: NDArray[Any],
    *,
    quantity: str,
    unit: str,
    locations: Sequence[int] | None = None,
    labels: Sequence[str] | None = None,
    instants: Sequence[float] | None = None,
    threshold: float = 0.3,
    title: str = "",
) -> Figure:
    """Draw the strongest time courses of an estimate, and its peaks on the cortex.

    Parameters
    ----------
    estimate : array, shape (n_vertices, n_times)
        One value a vertex and time: signed (one component) or a norm (three). NaN is grey in the
        map and a gap in a time course.
    times : array, shape (n_times,)
        Times in s.
    vertices : array, shape (n_vertices, 3)
        Cortex in SCS, in m.
    faces : array of int, shape (n_faces, 3)
        0-based triangles.
    quantity : str
        What the estimate is, such as ``'amplitude'`` or ``'dSPM'``.
    unit : str
        Its unit.
    locations : sequence of int | None
        Vertices (0-based) to draw over time; ``None`` takes the four strongest.
    labels : sequence of str | None
        Names of the locations in the legend; ``None`` gives their numbers, from 1 as Brainstorm's.
    instants : sequence of float | None
        Times (s) of the maps, the nearest of ``times`` each; ``None`` takes the strongest one.
    threshold : float
        Fraction of the largest value of a map below which the cortex is left grey, from 0 to 1.
    title : str
        Title of the figure.

    Returns
    -------
    Figure
        Time courses above, the absolute map of each instant from four sides below. Each map has
        a scale of its own, which ends at its largest value.

    Raises
    ------
    SchemaError
        If the arrays do not have these shapes, a location or an instant does not exist, or the
        threshold is out of range.
    """
    from matplotlib.figure import Figure

    given = Arguments("plot_estimate")
    vertices = given.array("vertices", vertices, "n_vertices 3", finite=True)
    triangles = given.faces(faces, len(vertices))
    times = given.array("times", times, "n_times", finite=True)
    estimate = given.array("estimate", estimate, "n_vertices n_times")
    given.check()
    magnitude = np.abs(estimate)
    strength = np.nan_to_num(magnitude)
    if locations is None:
        locations = np.argsort(-strength.max(axis=1))[:4].tolist()
    given.indices("locations", locations, len(vertices))
    if labels is None:
        labels = [f"vertex {i + 1} (1-based)" for i in locations]
    given.texts("labels", labels, len(locations))
    shown = _columns(given, instants, times, strength)
    given.within("threshold", threshold, 0, 1)
    given.check()

    heights = [1.1, *[0.8] * len(shown)]
    figure = Figure(figsize=(9, 3 * sum(heights)), layout="constrained")
    figure.suptitle(title)
    parts: Any = figure.subfigures(1 + len(shown), 1, height_ratios=heights)
    above, *below = parts
    axes = above.subplots()
    for number, (i, label) in enumerate(zip(locations, labels, strict=True)):
        axes.plot(1e3 * times, estimate[i], color=COLORS[number % len(COLORS)], label=label)
    for column in shown:
        axes.axvline(1e3 * times[column], color="0.6", linestyle=":", linewidth=1)
    axes.set(
        xlabel="time (ms)", ylabel=f"{quantity} ({unit})", xlim=(1e3 * times[0], 1e3 * times[-1])
    )
    axes.legend(frameon=False, loc="best")
    bare(axes)
    for part, column in zip(below, shown, strict=True):
        largest = float(strength[:, column].max())
        draw_map(
            part,
            magnitude[:, column],
            vertices,
            triangles,
            f"|{quantity}| ({unit})\nat {1e3 * times[column]:.0f} ms",
            limits=(0.0, largest or 1.0),
            views=("left", "top", "back", "right"),
            columns=4,
            light=(0, 0, 1),
            threshold=threshold * largest,
        )
    return figure


def _columns(
    given: Arguments, instants: Sequence[float] | None, times: FloatArray, strength: FloatArray
) -> list[int]:
    """Return the samples of the instants, or that of the strongest value."""
    if instants is None:
        return [int(np.argmax(strength.max(axis=0)))]
    for instant in instants:
        given.within("instants", instant, float(times[0]), float(times[-1]))
    return [int(np.abs(times - instant).argmin()) for instant in instants]
