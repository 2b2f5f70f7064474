from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from mne_bstinv import anatomy, io
from mne_bstinv.anatomy import (
    complete_sides,
    connected_parts,
    inflate,
    inflated,
    mean_curvature,
    outward_faces,
    vertex_adjacency,
    vertex_normals,
)


def ball(n=400, *, radius=0.07, centre=(0.0, 0.0, 0.0)):
    """Points spread over a ball with triangles wound anyhow, made the same way."""
    i = np.arange(n) + 0.5
    z, angle = 1 - 2 * i / n, np.pi * (1 + 5**0.5) * i
    ring = np.sqrt(1 - z**2)
    points = np.stack([ring * np.cos(angle), ring * np.sin(angle), z], axis=1)
    faces = ConvexHull(points).simplices.astype(np.int64)
    corners = points[faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    inward = np.einsum("ij,ij->i", across, corners[:, 0]) < 0
    faces[inward] = faces[inward][:, ::-1]
    return radius * points + centre, faces


def clockwise(faces):
    return faces[:, [0, 2, 1]]


def volume(vertices, faces):
    a, b, c = vertices[faces].transpose(1, 0, 2)
    return np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6


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


def test_adjacency_and_parts():
    faces = np.array([[0, 1, 2], [1, 3, 2], [4, 5, 6]])
    dense = vertex_adjacency(faces, 8).toarray()
    edges = {(0, 1), (1, 2), (0, 2), (1, 3), (2, 3), (4, 5), (5, 6), (4, 6)}
    expected = {tuple(pair) for edge in edges for pair in (edge, edge[::-1])}
    assert {tuple(pair) for pair in np.argwhere(dense)} == expected
    parts = connected_parts(faces, 8)
    assert len(set(parts[:4])) == len(set(parts[4:7])) == 1
    assert len({parts[0], parts[4], parts[7]}) == 3


def test_the_adjacency_of_the_sample_is_the_stored_one(sample_dir):
    surface = io.read_surface(io.read_protocol(sample_dir).subject("Subject01").cortex)
    computed = vertex_adjacency(surface.faces - 1, surface.n_vertices)
    np.testing.assert_array_equal(computed.toarray(), surface.vert_conn.toarray() != 0)


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
    search = anatomy.connected_parts
    monkeypatch.setattr(
        anatomy, "connected_parts", lambda *mesh: n_searches.append(1) or search(*mesh)
    )
    smooth, path = inflate(vertices, clockwise(faces), n_steps=5)
    assert len(n_searches) == 1, "the parts of a mesh do not change while it is inflated"
    np.testing.assert_array_equal(inflated(vertices, clockwise(faces), n_steps=5), smooth)
    places, expected = vertices, np.zeros(len(vertices))
    for _ in range(5):
        before, places = places, inflated(places, faces, n_steps=1)
        expected += np.einsum("ij,ij->i", places - before, vertex_normals(before, faces))
    np.testing.assert_allclose(path, expected, atol=1e-12 * np.abs(vertices).max())


def test_vertices_in_no_hemisphere_go_with_their_neighbours_or_their_side():
    sheet = [[x, y, 0] for y in (0.03, 0.02, 0.01, -0.02) for x in (0.0, 0.01)]
    island = [[0.0, -0.05, 0.05], [0.01, -0.05, 0.05], [0.0, -0.06, 0.05]]
    surface = io.Surface(
        vertices=np.array(sheet + island),
        faces=np.array([[1, 2, 3], [2, 4, 3], [3, 4, 5], [4, 6, 5], [5, 6, 7], [6, 8, 7],
                        [9, 10, 11]]),
    )  # fmt: skip
    known = np.array(["lh", "lh", "", "", "", "", "rh", "rh", "", "", ""])
    sides = complete_sides(surface, known)
    # the third row is 1 cm from the second and 3 cm from the last
    assert sides.tolist() == ["lh"] * 6 + ["rh"] * 2 + ["rh"] * 3
    assert known[2] == ""
    np.testing.assert_array_equal(complete_sides(surface, sides), sides)
