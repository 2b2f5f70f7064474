"""A small drawing of sensors around the cortex, as SVG: a look says whether the frames agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from itertools import cycle

import numpy as np

from mne_bstinv._types import FloatArray

__all__ = ["sensors_svg"]


#: Okabe & Ito's colours, told apart with any colour vision.
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
#: Name of each view in MNE's head frame (x right, y front, z up), and the axes drawn.
_VIEWS = (("from the right", 1, 2), ("from above", 0, 1), ("from behind", 0, 2))
#: Radius and paint of the vertices of the cortex.
_CORTEX = (1.0, 'fill="#b3b3b3"')
#: Vertices that are drawn of a cortex: enough for its outline.
_N_VERTICES = 400
#: Pixels of one view, its margin, and the strip of text above and below.
_SIZE, _MARGIN, _STRIP = 180, 8, 16


def sensors_svg(
    sensors: Mapping[str, FloatArray], vertices: FloatArray, fiducials: FloatArray
) -> str:
    """Draw sensors, cortex and fiducials, (n, 3) in the head frame, m, from three sides.

    The three views have one scale, which a bar of 50 mm shows. Of several kinds of sensors the
    first is drawn as rings, so that those of the same places are seen too.
    """
    thinned = vertices[:: max(1, len(vertices) // _N_VERTICES)]
    clouds = [thinned, fiducials, *sensors.values()]
    points = np.vstack([*clouds, np.zeros((1, 3))])
    centre = (points.min(axis=0) + points.max(axis=0)) / 2
    half = max(float(np.abs(points - centre).max()), 1e-3)
    scale = (_SIZE / 2 - _MARGIN) / half
    width, height = len(_VIEWS) * _SIZE, _SIZE + 2 * _STRIP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="10">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for number, (view, horizontal, vertical) in enumerate(_VIEWS):
        origin = np.array([(number + 0.5) * _SIZE, _STRIP + _SIZE / 2])

        def placed(
            cloud: FloatArray, axes: tuple[int, int] = (horizontal, vertical),
            origin: FloatArray = origin,
        ) -> FloatArray:  # fmt: skip
            # y runs down in SVG
            return origin + (cloud - centre)[:, axes] * [scale, -scale]

        middle = (number + 0.5) * _SIZE
        parts.append(f'<text x="{middle}" y="12" text-anchor="middle">{view}</text>')
        parts += _marks(placed(thinned), *_CORTEX)
        for style, cloud in zip(_styles(len(sensors)), sensors.values(), strict=True):
            parts += _marks(placed(cloud), *style)
        parts += _crosses(placed(fiducials))
    parts += _legend(sensors, height, width, scale)
    return "\n".join([*parts, "</svg>\n"])


def _styles(n_kinds: int) -> Iterator[tuple[float, str]]:
    """Radius and paint of each kind of sensors.

    The first of several is drawn as rings: magnetometers and gradiometers share their places.
    """
    for index, color in zip(range(n_kinds), cycle(_COLORS), strict=False):
        if index == 0 and n_kinds > 1:
            yield 3.2, f'fill="none" stroke="{color}" stroke-width="1.2"'
        else:
            yield 1.6, f'fill="{color}"'


def _marks(points: FloatArray, radius: float, paint: str) -> list[str]:
    circle = f'<circle cx="%.1f" cy="%.1f" r="{radius}"/>'
    circles = "".join([circle % place for place in map(tuple, points.tolist())])
    return [f"<g {paint}>{circles}</g>"] if circles else []


def _crosses(points: FloatArray) -> list[str]:
    path = "".join(f"M{x - 4:.1f} {y:.1f}h8M{x:.1f} {y - 4:.1f}v8" for x, y in points)
    return [f'<path d="{path}" stroke="black" fill="none"/>'] if path else []


def _legend(
    sensors: Mapping[str, FloatArray], height: int, width: int, scale: float
) -> Iterator[str]:
    x, y = 6.0, height - 5
    entries = [("cortex", _CORTEX), *zip(sensors, _styles(len(sensors)), strict=True)]
    for name, (radius, paint) in entries:
        yield f'<circle cx="{x}" cy="{y - 3}" r="{max(radius, 2.2)}" {paint}/>'
        yield f'<text x="{x + 7}" y="{y}">{escape(name)}</text>'
        x += 22 + 6 * len(name)
    yield f'<text x="{x}" y="{y}">+ fiducials</text>'
    bar = 0.05 * scale
    yield f'<path d="M{width - bar - 6:.1f} {y - 3}h{bar:.1f}" stroke="black" stroke-width="2"/>'
    yield f'<text x="{width - bar - 10:.1f}" y="{y}" text-anchor="end">50 mm</text>'
