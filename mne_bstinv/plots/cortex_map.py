"""One value a vertex on a cortex, seen from several sides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.plots.style import NAN_COLOR, SMALL, color_scale, not_shown, plain_log

__all__ = ["VIEWS", "beyond", "draw_map", "no_value_patch"]

#: Elevation and azimuth (degrees) of each view in SCS (x to the nose, y to the left).
VIEWS = {
    "left": (0, 90),
    "top": (90, 180),
    "right": (0, -90),
    "front": (0, 0),
    "bottom": (-90, 0),
    "back": (0, 180),
}


def draw_map(
    figure: Any,
    values: FloatArray,
    vertices: FloatArray,
    faces: IntArray,
    label: str,
    *,
    limits: tuple[float, float],
    views: Sequence[str] = ("left", "top", "right"),
    light: Sequence[float] | None = None,
    ratio: bool = False,
) -> None:
    """Draw the map in rows of three views with one colour bar; NaN is grey and counted.

    A triangle has the mean value of its corners, and none if one of them has none; of ratios the
    geometric mean, on colours that diverge from the (logarithmic) middle of the limits. The light
    comes from the given direction, from the viewer if there is none: then what faces the viewer
    has the colours of the colour bar.
    """
    from matplotlib.cm import ScalarMappable

    norm, colormap = color_scale(limits, ratio=ratio)
    colors = ScalarMappable(norm=norm, cmap=colormap)
    corners = np.log(np.maximum(values, limits[0]))[faces] if ratio else values[faces]
    means = corners.mean(axis=1)
    rgba = colors.to_rgba(np.exp(means) if ratio else means)
    panels = figure.subplots(
        len(views) // 3, 3, subplot_kw={"projection": "3d", "proj_type": "ortho"}
    )
    for axes, view in zip(np.ravel(panels), views, strict=True):
        lit = rgba.copy()
        lit[:, :3] *= _shading(vertices, faces, light or _direction(view))[:, None]
        _draw_view(axes, view, 1e3 * vertices, faces, lit)
    bar = figure.colorbar(
        colors,
        ax=list(np.ravel(panels)),
        label=label,
        shrink=0.7,
        extend=beyond(values, limits),
    )
    if ratio:
        plain_log(bar.ax.yaxis, *limits)
    patch = no_value_patch(values, "vertices")
    if patch is not None:
        figure.legend(handles=[patch], loc="outside lower center", frameon=False, fontsize=SMALL)


def no_value_patch(values: FloatArray, what: str) -> Any:
    """Make the entry of a legend that counts what is not finite, None if everything is."""
    from matplotlib.patches import Patch

    text = not_shown(np.isfinite(values), what)
    return Patch(color=NAN_COLOR, label=text) if text else None


def beyond(values: FloatArray, limits: tuple[float, float]) -> str:
    """Name the ends of the colour bar that values lie beyond."""
    below, above = bool((values < limits[0]).any()), bool((values > limits[1]).any())
    return {(True, True): "both", (True, False): "min", (False, True): "max"}.get(
        (below, above), "neither"
    )


def _draw_view(
    axes: Any, view: str, vertices: FloatArray, faces: IntArray, rgba: FloatArray
) -> None:
    from mpl_toolkits.mplot3d.art3d import Poly3DCollection

    centre = vertices.mean(axis=0)
    radius = np.abs(vertices - centre).max()
    axes.add_collection3d(Poly3DCollection(vertices[faces], facecolors=rgba, edgecolors=rgba))
    axes.set(
        xlim=centre[0] + radius * np.array([-1, 1]),
        ylim=centre[1] + radius * np.array([-1, 1]),
        zlim=centre[2] + radius * np.array([-1, 1]),
        title=view,
    )
    elevation, azimuth = VIEWS[view]
    axes.view_init(elev=elevation, azim=azimuth)
    axes.set_box_aspect((1, 1, 1), zoom=1.5)
    axes.set_axis_off()


def _direction(view: str) -> tuple[float, float, float]:
    """Point from the cortex to the viewer."""
    elevation, azimuth = np.deg2rad(VIEWS[view])
    across = np.cos(elevation)
    return across * np.cos(azimuth), across * np.sin(azimuth), np.sin(elevation)


def _shading(vertices: FloatArray, faces: IntArray, light: Sequence[float]) -> FloatArray:
    """Give 0.6 to 1 by how straight the light falls on each triangle."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    normals = np.cross(b - a, c - a)
    length = np.linalg.norm(normals, axis=1)
    straight = np.abs(normals @ light) / np.where(length > 0, length, 1)
    return 0.6 + 0.4 * straight
