"""Sensors around a cortex."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mne_bstinv._types import FloatArray
from mne_bstinv.plots.arguments import Arguments
from mne_bstinv.plots.style import COLORS, bare

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_sensors"]

#: Name of each view in MNE's head frame (x right, y front, z up), and the axes drawn (metres).
_HEAD_VIEWS = (("from the right", 1, 2), ("from above", 0, 1), ("from behind", 0, 2))

#: Room around title, views and legend, inches.
_PAD = 0.12


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

    Raises
    ------
    SchemaError
        If the arrays do not have these shapes.
    """
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    given = Arguments("plot_sensors")
    vertices = given.array("vertices", vertices, "n_vertices 3")
    positions_of = {
        kind: given.array(f"sensors[{kind!r}]", found, f"n_{number} 3")
        for number, (kind, found) in enumerate(sensors.items())
    }
    fiducials = given.optional("fiducials", fiducials, "3 3")
    given.check()

    layout = ConstrainedLayoutEngine(w_pad=_PAD, h_pad=_PAD)
    figure = Figure(figsize=(10, 4.4), layout=layout)
    figure.suptitle(title)
    names = ("x: right", "y: front", "z: up")
    for axes, (view, horizontal, vertical) in zip(
        figure.subplots(1, len(_HEAD_VIEWS)), _HEAD_VIEWS, strict=True
    ):
        shown = [horizontal, vertical]
        axes.scatter(*(1e3 * vertices[:, shown]).T, s=3, color="0.7", label="cortex")
        for number, (kind, positions) in enumerate(positions_of.items()):
            color = COLORS[number % len(COLORS)]
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
        bare(axes)
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=6)
    return figure
