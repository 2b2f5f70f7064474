from __future__ import annotations

import numpy as np
import pytest
from balls import ball, clockwise, volume

from mne_bstinv import io
from mne_bstinv.anatomy import mean_curvature, outward_faces, vertex_normals


@pytest.mark.parametrize("wind", [np.asarray, clockwise])
def test_normals_of_a_ball_point_outwards_however_it_is_wound(wind):
    vertices, faces = ball(centre=(0.1, -0.2, 0.3))
    normals = vertex_normals(vertices, wind(faces))
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-15)
    radial = (vertices - [0.1, -0.2, 0.3]) / 0.07
    # 400 points are 0.18 rad apart; a vertex's triangles are not laid out evenly around it
    assert np.einsum("ij,ij->i", normals, radial).min() > np.cos(0.18 / 4)


def test_normals_of_a_cube_do_not_depend_on_how_its_faces_are_cut():
    vertices = np.array([[x, y, z] for x in (-1.0, 1) for y in (-1.0, 1) for z in (-1.0, 1)])
    squares = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    for start in (0, 1):  # either diagonal
        faces = np.array(
            [
                [s[(start + i) % 4] for i in corners]
                for s in squares
                for corners in ((0, 1, 2), (0, 2, 3))
            ]
        )
        normals = vertex_normals(vertices, faces)
        np.testing.assert_allclose(normals, vertices / np.sqrt(3), atol=1e-15)


def test_normals_of_lonely_vertices_are_zero():
    vertices, faces = ball(50)
    lonely = np.vstack([vertices, [[1.0, 2, 3]]])
    np.testing.assert_array_equal(vertex_normals(lonely, faces)[-1], 0)
    np.testing.assert_array_equal(vertex_normals(vertices, faces[:0]), 0)


def test_normals_of_the_sample_are_those_brainstorm_stored(sample_dir):
    for name in ("cortex", "scalp", "inner_skull"):
        surface = io.read_surface(getattr(io.read_protocol(sample_dir).subject("Subject01"), name))
        normals = vertex_normals(surface.vertices, surface.faces - 1)
        # another weighting of the triangles: not the same, but never across the surface
        agreement = np.einsum("ij,ij->i", normals, surface.vert_normals)
        assert agreement.min() > 0.5
        assert np.median(agreement) > 0.99


@pytest.mark.parametrize("by_normals", [False, True])
def test_each_part_is_wound_by_itself(by_normals):
    left, tris = ball(60, centre=(0, 0.1, 0))
    right, _ = ball(60, centre=(0, -0.1, 0))
    vertices = np.vstack([left, right])
    faces = np.vstack([clockwise(tris), tris + 60])
    normals = vertex_normals(vertices, faces) if by_normals else None
    given = faces.copy()
    wound = outward_faces(vertices, faces, normals)
    np.testing.assert_array_equal(faces, given)
    np.testing.assert_array_equal(np.sort(wound, axis=1), np.sort(faces, axis=1))
    np.testing.assert_array_equal(wound[len(tris) :], faces[len(tris) :])
    for part, rows in ((left, wound[: len(tris)]), (right, wound[len(tris) :] - 60)):
        assert volume(part, rows) > 0


def test_normals_decide_over_the_volume():
    vertices, faces = ball(60)
    np.testing.assert_array_equal(
        outward_faces(vertices, faces, -vertex_normals(vertices, faces)), clockwise(faces)
    )


def test_curvature_of_a_ball_is_that_of_its_radius():
    vertices, faces = ball(2000, radius=0.05)
    bend = mean_curvature(vertices, faces)
    # the neighbours of most vertices lie around them evenly, those at the poles do not
    assert np.median(bend) == pytest.approx(20, rel=1e-3)
    np.testing.assert_allclose(bend, 20, rtol=0.03)


def test_curvature_is_positive_on_ridges_and_negative_in_grooves():
    vertices, faces = ball(2000, radius=0.05)
    dent = vertices[:, 2] > 0.045
    bend = mean_curvature(vertices * np.where(dent, 0.8, 1)[:, None], faces)
    assert not dent[bend.argmax()]
    assert dent[bend.argmin()]
    assert bend.min() < 0 < 20 < bend.max()
