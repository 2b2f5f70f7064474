"""Projection to another cortex: recomputed, and Shepard's weights."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from mne_bstinv.errors import MapError
from mne_bstinv.io import Atlas, Scout, Surface
from mne_bstinv.maps import absolute_sources, project_sources, projection_matrix, shepard_weights

RNG = np.random.default_rng(7)


def cloud(n, seed):
    points = np.random.default_rng(seed).normal(size=(n, 3))
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def cortex(left, right, seed, labels=("Cortex L", "Cortex R"), *, sphere=True, **changes):
    """A surface whose hemispheres have the given vertices, 1-based."""
    n = len(left) + len(right)
    scouts = tuple(
        Scout(label=label, vertices=np.array(vertices))
        for label, vertices in zip(labels, (left, right), strict=True)
    )
    places = {
        "vertices": cloud(n, seed + 100),
        "faces": np.array([[1, 2, 3]]),
        "atlas": (Atlas(name="Structures", scouts=scouts),),
        "reg": {"Sphere": {"Vertices": cloud(n, seed)}} if sphere else None,
    }
    return Surface(**(places | changes))


ODD, EVEN = list(range(1, 25, 2)), list(range(2, 25, 2))


@pytest.mark.processes("sources_post", "bst_project_sources")
def test_projected_maps_are_recomputed(case, difference):
    results, values, _ = case.estimates(case.inputs[0])
    stored = case.estimates(case.outputs[0])[0]
    source, target = case.surface(results), case.surface(stored)
    call = {
        "n_components": results.n_components,
        "absolute": case.tag.endswith("abs 1"),
        "same_subject": results.surface_file.split("/")[0] == stored.surface_file.split("/")[0],
    }
    if "Subject03" in stored.surface_file:  # has no sphere: the meshes were fitted
        with pytest.raises(MapError, match="cannot be computed again"):
            project_sources(values, source, target, **call)
        return
    assert difference(project_sources(values, source, target, **call), stored.amplitudes) < 1e-14


@pytest.mark.processes("sources_post", "bst_project_sources")
def test_the_stored_matrix_is_recomputed(case, difference):
    results = case.estimates(case.inputs[0])[0]
    stored = case.estimates(case.outputs[0])[0]
    source, target = case.surface(results), case.surface(stored)
    kept = source.extra["tess2tess_interp"]
    source_name = f"{results.surface_file}{source.n_vertices}"
    if kept["Signature"] != f"{source_name}=>{stored.surface_file}{target.n_vertices}":
        return
    matrix = projection_matrix(source, target).toarray()
    assert difference(matrix, np.asarray(kept["Wmat"].todense())) < 1e-14


def test_weights_of_a_simple_case():
    """Squared distances 1, 4, 9: the farthest sets the radius and has no weight."""
    weights = shepard_weights([[1.0, 0, 0], [0, 2, 0], [0, 0, 3]], [[0.0, 0, 0]]).toarray()
    near, far = ((9 - 1) / 9) ** 2, ((9 - 4) / 36) ** 2
    np.testing.assert_allclose(weights, [[near / (near + far), far / (near + far), 0]])


def test_a_point_takes_its_own_value():
    points = cloud(30, 0)
    np.testing.assert_allclose(shepard_weights(points, points).toarray(), np.eye(30), atol=1e-12)


def test_only_seven_neighbours_count():
    weights = shepard_weights(cloud(200, 1), cloud(50, 2)).toarray()
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    assert ((weights > 0).sum(axis=1) == 7).all()


@pytest.mark.parametrize("n", [1, 2, 5])
def test_few_points(n):
    weights = shepard_weights(cloud(n, 3), cloud(4, 4)).toarray()
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    assert ((weights > 0).sum(axis=1) <= max(n - 1, 1)).all()


def test_points_at_one_distance_give_the_first():
    points = np.concatenate([np.eye(3), -np.eye(3), [[0, 3.0, 0]]])
    points = np.concatenate([points] * 5)  # many candidates at the distance 1
    weights = shepard_weights(points, [[0.0, 0, 0]]).toarray()
    assert weights[0, 0] == 1
    assert weights.sum() == 1


def test_equal_distances_count_in_their_order():
    """As a stable sort of all distances gives them, also where a tree would choose others."""
    grid = np.stack(np.meshgrid(*[np.arange(5.0)] * 3), -1).reshape(-1, 3)
    target = grid[RNG.permutation(len(grid))[:40]] + 0.5 * RNG.integers(0, 2, size=(40, 3))
    found = shepard_weights(grid, target).toarray()
    for row, point in zip(found, target, strict=True):
        squared = ((grid - point) ** 2).sum(axis=1)
        nearest = np.argsort(squared, kind="stable")[:8]
        d = np.where(squared[nearest] == 0, np.finfo(float).eps, squared[nearest])
        weights = ((d[-1] - d[:-1]) / (d[-1] * d[:-1])) ** 2
        expected = np.zeros(len(grid))
        expected[nearest[:-1]] = weights / weights.sum() if weights.sum() else 0
        if not weights.sum():
            expected[nearest[0]] = 1
        np.testing.assert_allclose(row, expected, atol=1e-12)


def test_hemispheres_do_not_mix_whatever_their_order():
    """Rows of a sphere: the hemisphere of the smaller first vertex comes first, in each surface."""
    source, target = cortex(ODD, EVEN, 1), cortex(list(range(13, 25)), list(range(1, 13)), 2)
    matrix = projection_matrix(source, target).toarray()
    left, right = np.array(ODD) - 1, np.array(EVEN) - 1
    assert matrix[:12, left].any() == matrix[12:, right].any() == False  # noqa: E712
    spheres = [surface.reg["Sphere"]["Vertices"] for surface in (source, target)]
    expected = shepard_weights(spheres[0][:12], spheres[1][12:]).toarray()
    np.testing.assert_array_equal(matrix[np.ix_(range(12, 24), left)], expected)


def test_labels_match_in_any_case():
    source = cortex(ODD, EVEN, 1, ("cortex l", "CORTEX R"))
    assert projection_matrix(source, cortex(ODD, EVEN, 2)).sum() == pytest.approx(24)


def test_cortices_of_a_subject_are_matched_by_position():
    source, target = cortex(ODD, EVEN, 1, sphere=False), cortex(EVEN, ODD, 2, sphere=False)
    matrix = projection_matrix(source, target, same_subject=True).toarray()
    left, right = np.array(ODD) - 1, np.array(EVEN) - 1
    expected = shepard_weights(source.vertices[left], target.vertices[right]).toarray()
    np.testing.assert_array_equal(matrix[np.ix_(right, left)], expected)


def test_hemispheres_stand_for_missing_structures():
    source, target = cortex(ODD, EVEN, 1, atlas=()), cortex(ODD, EVEN, 2, atlas=())
    matrix = projection_matrix(source, target, same_subject=True).toarray()
    sides = [np.where(s.vertices[:, 1] >= 0, 1, 2) for s in (source, target)]
    assert not matrix[np.ix_(sides[1] == 1, sides[0] == 2)].any()
    np.testing.assert_allclose(matrix.sum(axis=1), 1)


def test_norms_and_absolute_values_come_first():
    source, target = cortex(ODD, EVEN, 1), cortex(ODD, EVEN, 2)
    free, fixed = RNG.normal(size=(72, 5)), RNG.normal(size=(24, 5))
    np.testing.assert_array_equal(
        project_sources(free, source, target, n_components=3),
        project_sources(absolute_sources(free, 3), source, target),
    )
    np.testing.assert_array_equal(
        project_sources(fixed, source, target, absolute=True),
        project_sources(np.abs(fixed), source, target),
    )


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        ({"atlas": ()}, {}, "Only the target"),
        ({}, {"atlas": ()}, "Only the source"),
        ({"sphere": False}, {}, "registered sphere"),
        ({"labels": ("lh", "rh")}, {"labels": ("lh", "rh")}, "Cortex L"),
        ({"reg": {"Sphere": {"Vertices": np.ones((5, 3))}}}, {}, "has 5 vertices"),
        ({"reg": {"Sphere": {"Vertices": np.ones((24, 2))}}}, {}, "three columns"),
    ],
)
def test_surfaces_that_cannot_be_matched_are_refused(source, target, words):
    with pytest.raises(MapError, match=words):
        projection_matrix(cortex(ODD, EVEN, 1, **source), cortex(ODD, EVEN, 2, **target))


def test_structures_that_no_sphere_holds_are_refused():
    surfaces = []
    for seed in (1, 2):
        surface = cortex(ODD, EVEN, seed)
        (atlas,) = surface.atlas
        thalamus = Scout(label="Thalamus L", vertices=np.array([1]))
        more = Atlas(name="Structures", scouts=(*atlas.scouts, thalamus))
        surfaces.append(dataclasses.replace(surface, atlas=(more,)))
    with pytest.raises(MapError, match="thalamus l are not on the spheres"):
        projection_matrix(*surfaces)


def test_maps_and_scouts_that_do_not_fit_are_refused():
    source, target = cortex(ODD, EVEN, 1), cortex(ODD, EVEN, 2)
    with pytest.raises(MapError, match="23 locations"):
        project_sources(np.ones((23, 2)), source, target)
    with pytest.raises(MapError, match="outside of 1 to 24"):
        projection_matrix(source, cortex(ODD, [*EVEN[:-1], 99], 2))
    with pytest.raises(MapError, match="no region in common"):
        projection_matrix(source, cortex(ODD, EVEN, 2, ("lh", "rh")), same_subject=True)


@pytest.mark.parametrize("points", [np.ones((3, 2)), [[np.nan, 0, 0]], np.ones((0, 3))])
def test_points_that_are_none_are_refused(points):
    with pytest.raises(MapError, match="point"):
        shepard_weights(points, np.zeros((1, 3)))
