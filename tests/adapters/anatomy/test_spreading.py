from __future__ import annotations

import numpy as np
import pytest
from balls import ball

from mne_bstinv.adapters.anatomy.spreading import FLAT, RADIUS, spread_on_sphere, turned_over


def test_triangles_that_lie_upside_down_are_turned_back():
    vertices, faces = ball(300)
    places = vertices.copy()
    places[[0, 5, 40]] = vertices[[12, 90, 41]]  # pulled over others
    assert turned_over(places, faces).any()
    sphere = spread_on_sphere(places, faces)
    np.testing.assert_allclose(np.linalg.norm(sphere, axis=1), RADIUS, rtol=1e-12)
    assert not turned_over(sphere, faces, FLAT).any()


@pytest.mark.parametrize("rounding", [-1e-16, 0.0, 1e-16])
def test_triangles_without_area_are_flat_whichever_way_they_are_rounded(rounding):
    places, faces = ball(300, radius=RADIUS)
    a, b, _ = faces[0]
    places[a] = places[b] * (1 + rounding)
    flat = turned_over(places, faces, FLAT)
    assert flat[((faces == a).any(axis=1)) & ((faces == b).any(axis=1))].all()
    assert not turned_over(ball(300, radius=RADIUS)[0], faces, FLAT).any()
