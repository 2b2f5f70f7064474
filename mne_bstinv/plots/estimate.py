"""The estimate of one kernel: time courses, and the map at the peak."""

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
    title: str = "",
) -> Figure:
    """Draw the strongest time courses of an estimate, and its peak on the cortex.

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
    title : str
        Title of the figure.

    Returns
    -------
    Figure
        Time courses above, the absolute map at the strongest instant from three sides below.

    Raises
    ------
    SchemaError
        If the arrays do not have these shapes, or a location does not exist.
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
    given.check()

    figure = Figure(figsize=(9, 7), layout="constrained")
    figure.suptitle(title)
    parts: Any = figure.subfigures(2, 1, height_ratios=(1, 1.1))
    above, below = parts
    axes = above.subplots()
    for number, (i, label) in enumerate(zip(locations, labels, strict=True)):
        axes.plot(1e3 * times, estimate[i], color=COLORS[number % len(COLORS)], label=label)
    peak = int(np.argmax(strength.max(axis=0)))
    axes.axvline(1e3 * times[peak], color="0.6", linestyle=":", linewidth=1)
    axes.set(
        xlabel="time (ms)", ylabel=f"{quantity} ({unit})", xlim=(1e3 * times[0], 1e3 * times[-1])
    )
    axes.legend(frameon=False, loc="best")
    bare(axes)
    label = f"|{quantity}| ({unit}) at {1e3 * times[peak]:.0f} ms"
    limits = (0.0, float(strength[:, peak].max()))
    draw_map(below, magnitude[:, peak], vertices, triangles, label, limits=limits, light=(0, 0, 1))
    return figure
