"""Smoothing: recomputed, and conserved where it must be."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csc_array

from mne_bstinv.errors import MapError, OptionError
from mne_bstinv.io import Surface
from mne_bstinv.maps import mean_edge_length, smooth_sources, smoothing_matrix

#: A square of two triangles with sides of 1, and a vertex that is in none.
SQUARE = {
    "vertices": np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [9, 9, 9]]),
    "faces": np.array([[1, 2, 3], [1, 3, 4]]),
}
EDGES = [(0, 1), (1, 2), (0, 2), (2, 3), (0, 3)]


def connections(n=5):
    rows, columns = np.array(EDGES + [edge[::-1] for edge in EDGES]).T
    return csc_array((np.ones(10), (rows, columns)), shape=(n, n))


@pytest.mark.processes("sources_post", "process_ssmooth_surfstat")
def test_smooth_maps_are_recomputed(case, difference):
    results, values, _ = case.estimates(case.inputs[0])
    found = smooth_sources(
        values,
        case.surface(results),
        case.options["fwhm"][0] / 1000,
        method=case.options["method"],
        absolute=bool(case.options["source_abs"]),
    )
    assert difference(found, case.estimates(case.outputs[0])[1]) < 1e-14


def test_one_pass():
    surface = Surface(**SQUARE)
    x = np.array([[8.0], [4], [2], [1], [5]])
    # the mean, over the edges of a vertex, of the means of their two ends
    expected = [[(6 + 5 + 4.5) / 3], [(6 + 3) / 2], [(3 + 5 + 1.5) / 3], [(1.5 + 4.5) / 2], [5]]
    np.testing.assert_allclose(smoothing_matrix(surface) @ x, expected)
    np.testing.assert_allclose(smooth_sources(x, surface, 1.0), expected)


@pytest.mark.parametrize(
    ("fwhm", "passes"), [(1e-6, 1), (1.177, 1), (1.2, 2), (2.0, 3), (10.0, 73)]
)
def test_number_of_passes(fwhm, passes):
    """The square of the width in edges, by 2 ln 2, rounded up; edges of 1 only."""
    surface = Surface(vertices=np.eye(3) / np.sqrt(2), faces=np.array([[1, 2, 3]]))
    step = smoothing_matrix(surface).toarray()
    expected = np.linalg.matrix_power(step, passes) @ np.eye(3)
    np.testing.assert_allclose(smooth_sources(np.eye(3), surface, fwhm), expected, atol=1e-14)
    assert passes == int(np.ceil(fwhm**2 / (2 * np.log(2))))


def test_mean_length_of_edges():
    expected = (4 + np.sqrt(2)) / 5
    assert mean_edge_length(Surface(**SQUARE)) == pytest.approx(expected)
    assert mean_edge_length(Surface(**SQUARE, vert_conn=connections())) == pytest.approx(expected)


def test_the_length_before_2023_is_one_of_columns():
    """The first three columns of VertConn are taken for positions."""
    surface = Surface(**SQUARE, vert_conn=connections())
    columns = connections().toarray()[:, :3]
    expected = np.mean([np.linalg.norm(columns[a] - columns[b]) for a, b in EDGES])
    assert mean_edge_length(surface, "before_2023") == pytest.approx(expected)
    # templates come without: their connections are those of the triangles
    bare = mean_edge_length(Surface(**SQUARE), method="before_2023")
    assert bare == mean_edge_length(surface, method="before_2023")


def test_a_constant_map_stays():
    surface = Surface(**SQUARE)
    np.testing.assert_allclose(smooth_sources(np.full((5, 2), 3.0), surface, 5.0), 3)


def test_absolute_values_come_first():
    surface, x = Surface(**SQUARE), np.array([[-1.0], [1], [-1], [1], [-2]])
    np.testing.assert_allclose(smooth_sources(x, surface, 1, absolute=True), [[1]] * 4 + [[2]])


@pytest.mark.parametrize("fwhm", [0, -1, np.nan, np.inf])
def test_widths_that_are_none_are_refused(fwhm):
    with pytest.raises(OptionError, match="fwhm"):
        smooth_sources(np.ones((5, 1)), Surface(**SQUARE), fwhm)


def test_wrong_maps_and_methods_are_refused():
    with pytest.raises(MapError, match="15 rows"):
        smooth_sources(np.ones((15, 1)), Surface(**SQUARE), 1)
    with pytest.raises(OptionError, match="fixed_fwhm, before_2023"):
        smooth_sources(np.ones((5, 1)), Surface(**SQUARE), 1, method="adaptive_fwhm")
    with pytest.raises(MapError, match="outside of 1 to 2"):
        smoothing_matrix(Surface(vertices=np.eye(3)[:2], faces=np.array([[1, 2, 3]])))
    with pytest.raises(MapError, match="no edge"):
        mean_edge_length(Surface(**SQUARE, vert_conn=csc_array((5, 5))))
