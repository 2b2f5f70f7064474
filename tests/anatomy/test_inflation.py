from __future__ import annotations

import numpy as np
import pytest
from balls import ball, clockwise, volume

from mne_bstinv.anatomy import inflate, inflated, inflation, mean_curvature, vertex_normals


def test_inflating_keeps_centre_and_area_and_takes_the_folds_out():
    vertices, faces = ball(1000, radius=0.07, centre=(0.01, 0.02, 0.03))
    folded = vertices + 0.01 * np.sin(120 * vertices[:, :1]) * vertex_normals(vertices, faces)

    def area(places):
        a, b, c = places[faces].transpose(1, 0, 2)
        return np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2

    smooth = inflated(folded, faces)
    assert area(smooth) == pytest.approx(area(folded), rel=1e-12)
    before, after = (np.ptp(mean_curvature(places, faces)) for places in (folded, smooth))
    assert after < before / 4
    assert volume(smooth - smooth.mean(axis=0), faces) > volume(folded - folded.mean(axis=0), faces)
    np.testing.assert_array_equal(inflated(folded, faces[:0]), folded)
    assert inflated(folded, faces[:0]) is not folded


def test_each_step_of_inflating_is_measured_along_the_normals_of_the_mesh_then(monkeypatch):
    vertices, faces = ball(200)
    n_searches = []
    search = inflation.connected_parts
    monkeypatch.setattr(
        inflation, "connected_parts", lambda *mesh: n_searches.append(1) or search(*mesh)
    )
    smooth, path = inflate(vertices, clockwise(faces), n_steps=5)
    assert len(n_searches) == 1, "the parts of a mesh do not change while it is inflated"
    np.testing.assert_array_equal(inflated(vertices, clockwise(faces), n_steps=5), smooth)
    places, expected = vertices, np.zeros(len(vertices))
    for _ in range(5):
        before, places = places, inflated(places, faces, n_steps=1)
        expected += np.einsum("ij,ij->i", places - before, vertex_normals(before, faces))
    np.testing.assert_allclose(path, expected, atol=1e-12 * np.abs(vertices).max())
