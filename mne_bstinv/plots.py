"""Figures: pure functions from arrays to matplotlib figures, usable alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_estimate", "plot_sensors"]

FloatArray = NDArray[np.float64]

#: Okabe & Ito's colours, told apart with any colour vision.
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
#: Title, elevation and azimuth (degrees) of each view in SCS (x to the nose, y to the left).
_VIEWS = (("left", 0, 90), ("top", 90, 180), ("right", 0, -90))


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
        One value a vertex and time: signed (one component) or a norm (three).
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
        Names of the locations in the legend; ``None`` gives their 1-based numbers.
    title : str
        Title of the figure.

    Returns
    -------
    Figure
        Time courses above, the absolute map at the strongest instant from three sides below.
    """
    from matplotlib.figure import Figure

    magnitude = np.abs(estimate)
    if locations is None:
        locations = np.argsort(-magnitude.max(axis=1))[:4].tolist()
    if labels is None:
        labels = [f"vertex {i + 1}" for i in locations]
    figure = Figure(figsize=(9, 7), layout="constrained")
    figure.suptitle(title)
    parts: Any = figure.subfigures(2, 1, height_ratios=(1, 1.1))
    above, below = parts
    axes = above.subplots()
    for number, (i, label) in enumerate(zip(locations, labels, strict=True)):
        axes.plot(1e3 * times, estimate[i], color=_COLORS[number % len(_COLORS)], label=label)
    peak = int(np.argmax(magnitude.max(axis=0)))
    axes.axvline(1e3 * times[peak], color="0.6", linestyle=":", linewidth=1)
    axes.set(
        xlabel="time (ms)", ylabel=f"{quantity} ({unit})", xlim=(1e3 * times[0], 1e3 * times[-1])
    )
    axes.legend(frameon=False, loc="best")
    axes.spines[["top", "right"]].set_visible(False)
    label = f"|{quantity}| ({unit}) at {1e3 * times[peak]:.0f} ms"
    _draw_map(below, magnitude[:, peak], vertices, faces, label)
    return figure


def _draw_map(
    figure: Any, values: FloatArray, vertices: FloatArray, faces: NDArray[Any], label: str
) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from mpl_toolkits.mplot3d.art3d import Poly3DCollection

    colors = ScalarMappable(norm=Normalize(0, values.max()), cmap="viridis")
    rgba = colors.to_rgba(values[faces].mean(axis=1))
    shade = _shading(vertices, faces)
    millimetres = 1e3 * vertices
    centre = millimetres.mean(axis=0)
    radius = np.abs(millimetres - centre).max()
    panels = figure.subplots(1, len(_VIEWS), subplot_kw={"projection": "3d", "proj_type": "ortho"})
    for axes, (view, elevation, azimuth) in zip(panels, _VIEWS, strict=True):
        lit = rgba.copy()
        lit[:, :3] *= shade[:, None]
        axes.add_collection3d(Poly3DCollection(millimetres[faces], facecolors=lit, edgecolors=lit))
        axes.set(
            xlim=centre[0] + radius * np.array([-1, 1]),
            ylim=centre[1] + radius * np.array([-1, 1]),
            zlim=centre[2] + radius * np.array([-1, 1]),
            title=view,
        )
        axes.view_init(elev=elevation, azim=azimuth)
        axes.set_box_aspect((1, 1, 1), zoom=1.5)
        axes.set_axis_off()
    figure.colorbar(colors, ax=list(panels), label=label, shrink=0.7)


def _shading(vertices: FloatArray, faces: NDArray[Any]) -> FloatArray:
    """Light from above: 0.6 to 1 by the slope of each triangle."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    normals = np.cross(b - a, c - a)
    length = np.linalg.norm(normals, axis=1)
    slope = np.abs(normals[:, 2]) / np.where(length > 0, length, 1)
    return 0.6 + 0.4 * slope


#: Name of each view in MNE's head frame (x right, y front, z up), and the axes drawn (metres).
_HEAD_VIEWS = (("from the right", 1, 2), ("from above", 0, 1), ("from behind", 0, 2))


def plot_sensors(
    sensors: Mapping[str, FloatArray],
    vertices: FloatArray,
    *,
    fiducials: FloatArray | None = None,
    title: str = "",
) -> Figure:
    """Draw sensors around a cortex from three sides: a look says whether the frames agree.

    Parameters
    ----------
    sensors : mapping of str to array, shape (n_sensors, 3)
        Positions of each kind of sensor in MNE's head frame, in m.
    vertices : array, shape (n_vertices, 3)
        Cortex in the head frame, in m.
    fiducials : array, shape (3, 3) | None
        Nasion, left and right ear in the head frame, in m.
    title : str
        Title of the figure.

    Returns
    -------
    Figure
        Three views in mm; positions are not projected in any other way.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    figure.suptitle(title)
    names = ("x: right", "y: front", "z: up")
    for axes, (view, horizontal, vertical) in zip(
        figure.subplots(1, len(_HEAD_VIEWS)), _HEAD_VIEWS, strict=True
    ):
        shown = [horizontal, vertical]
        axes.scatter(*(1e3 * vertices[:, shown]).T, s=3, color="0.7", label="cortex")
        for number, (kind, positions) in enumerate(sensors.items()):
            color = _COLORS[number % len(_COLORS)]
            size = 30 if number == 0 else 10  # two kinds of sensors may share their places
            axes.scatter(*(1e3 * positions[:, shown]).T, s=size, color=color, label=kind)
        if fiducials is not None:
            points = 1e3 * fiducials[:, shown]
            axes.scatter(*points.T, s=40, marker="x", color="black", label="fiducials")
        axes.set(
            title=view,
            xlabel=f"{names[horizontal]} (mm)",
            ylabel=f"{names[vertical]} (mm)",
            aspect="equal",
        )
        axes.spines[["top", "right"]].set_visible(False)
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=6)
    return figure
