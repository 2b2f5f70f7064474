from __future__ import annotations

import tracemalloc

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


def test_a_mesh_does_not_vanish_however_small_it_becomes():
    vertices, faces = ball(6)
    places = inflated(vertices, faces, n_steps=500)
    np.testing.assert_allclose(places.mean(axis=0), vertices.mean(axis=0), atol=1e-12)
    assert np.ptp(places, axis=0).min() > np.ptp(vertices, axis=0).min() / 2


@pytest.mark.parametrize("n_faces", [0, 8])
def test_a_mesh_without_area_stays_where_it_is(n_faces):
    vertices, faces = np.tile([[0.1, 0.2, 0.3]], (6, 1)), ball(6)[1][:n_faces]
    smooth, path = inflate(vertices, faces)
    np.testing.assert_array_equal(smooth, vertices)
    np.testing.assert_array_equal(path, 0)


def test_of_all_shapes_there_is_one_at_a_time():
    vertices, faces = ball(20)
    n_steps = 200
    tracemalloc.start()
    inflated(vertices, faces, n_steps=n_steps)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < n_steps / 2 * vertices.nbytes
