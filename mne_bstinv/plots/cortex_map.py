"""One value a vertex on a cortex, seen from several sides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.plots.style import NAN_COLOR, SMALL, color_scale, not_shown, plain_log

__all__ = ["CORTEX_COLOR", "VIEWS", "beyond", "draw_map", "no_value_patch", "thirds"]

#: Bare cortex, and what has no value on it.
CORTEX_COLOR, _NAN_BESIDE_CORTEX = "0.88", "0.4"
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
    columns: int = 3,
    light: Sequence[float] | None = None,
    ratio: bool = False,
    threshold: float | None = None,
) -> None:
    """Draw the map in rows of views with one colour bar; NaN is grey and counted.

    Each vertex colours the third of its triangles that is next to it, so that every value is
    seen; what is below a ``threshold`` has the colour of bare cortex, and NaN is darker then. Of
    ratios the colours diverge from the (logarithmic) middle of the limits. The light comes from
    the given direction, from the viewer if there is none: then what faces the viewer has the
    colours of the colour bar.
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import to_rgba

    norm, colormap = color_scale(limits, ratio=ratio)
    if threshold is not None:
        colormap = colormap.with_extremes(bad=_NAN_BESIDE_CORTEX)
    colors = ScalarMappable(norm=norm, cmap=colormap)
    # a logarithmic scale has no zero
    scaled = np.maximum(values, limits[0]) if ratio else values
    rgba = colors.to_rgba(np.ma.masked_invalid(scaled))
    if threshold is not None:
        rgba[values < threshold] = to_rgba(CORTEX_COLOR)
    panels = figure.subplots(
        len(views) // columns, columns, subplot_kw={"projection": "3d", "proj_type": "ortho"}
    )
    for axes, view in zip(np.ravel(panels), views, strict=True):
        lit = rgba[faces]
        lit[..., :3] *= _shading(vertices, faces, light or _direction(view))[:, None, None]
        _draw_view(axes, view, 1e3 * vertices, faces, lit)
    bar = figure.colorbar(
        colors,
        ax=list(np.ravel(panels)),
        label=label,
        shrink=0.7,
        extend=beyond(values, limits),
    )
    if threshold is not None:
        bar.ax.axhspan(limits[0], threshold, color=CORTEX_COLOR)
    if ratio:
        plain_log(bar.ax.yaxis, *limits)
    patch = no_value_patch(values, "vertices", colors.cmap.get_bad())
    if patch is not None:
        figure.legend(handles=[patch], loc="outside lower center", frameon=False, fontsize=SMALL)


def no_value_patch(values: FloatArray, what: str, color: Any = NAN_COLOR) -> Any:
    """Make the entry of a legend that counts what is not finite, None if everything is."""
    from matplotlib.patches import Patch

    text = not_shown(np.isfinite(values), what)
    return Patch(color=color, label=text) if text else None


def beyond(values: FloatArray, limits: tuple[float, float]) -> str:
    """Name the ends of the colour bar that values lie beyond."""
    below, above = bool((values < limits[0]).any()), bool((values > limits[1]).any())
    return {(True, True): "both", (True, False): "min", (False, True): "max"}.get(
        (below, above), "neither"
    )


def _draw_view(
    axes: Any, view: str, vertices: FloatArray, faces: IntArray, rgba: FloatArray
) -> None:
    """Draw triangles whose corners have the colours ``rgba``, shape (n_faces, 3, 4)."""
    from mpl_toolkits.mplot3d.art3d import Poly3DCollection

    centre = vertices.mean(axis=0)
    radius = np.abs(vertices - centre).max()
    corners, colors = thirds(vertices[faces]), rgba.reshape(-1, 4)
    axes.add_collection3d(Poly3DCollection(corners, facecolors=colors, edgecolors=colors))
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


def thirds(triangles: FloatArray) -> FloatArray:
    """Cut triangles, shape (n, 3, 3), into the quadrilaterals at their corners, (3 n, 4, 3)."""
    following = np.roll(triangles, -1, axis=1)
    preceding = np.roll(triangles, 1, axis=1)
    middle = np.broadcast_to(triangles.mean(axis=1, keepdims=True), triangles.shape)
    parts = [triangles, (triangles + following) / 2, middle, (triangles + preceding) / 2]
    return np.stack(parts, axis=2).reshape(-1, 4, 3)


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
