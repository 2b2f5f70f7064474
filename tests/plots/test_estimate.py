from __future__ import annotations

import matplotlib
import numpy as np
import pytest
from plots_helpers import all_text
from small_sample import load_small_sample

from mne_bstinv.errors import SchemaError
from mne_bstinv.plots import plot_estimate


def _estimate():
    estimate = np.zeros((load_small_sample().cortex.n_vertices, 20))
    estimate[7, 12], estimate[3, 5] = -5.0, 4.0
    return estimate


def _figure(estimate=None, **kwargs):
    cortex = load_small_sample().cortex
    return plot_estimate(
        _estimate() if estimate is None else estimate,
        np.arange(20) / 100,
        cortex.vertices,
        cortex.faces - 1,
        quantity="amplitude",
        unit="nA·m",
        **kwargs,
    )


def _axes(figure):
    time_courses = figure.subfigs[0].axes[0]
    return time_courses, figure.subfigs[1].axes


def test_strongest_vertices_and_instant_are_drawn(tmp_path):
    figure = _figure()
    courses, maps = _axes(figure)
    labels = [text.get_text() for text in courses.get_legend().get_texts()]
    assert labels[:2] == ["vertex 8 (1-based)", "vertex 4 (1-based)"]
    np.testing.assert_array_equal(courses.lines[0].get_ydata()[12], -5.0)
    np.testing.assert_allclose(courses.lines[0].get_xdata()[-1], 190.0)  # ms
    assert courses.get_ylabel() == "amplitude (nA·m)"
    assert courses.get_xlabel() == "time (ms)"
    assert [axes.get_title() for axes in maps[:4]] == ["left", "top", "back", "right"]
    assert maps[4].get_ylabel() == "|amplitude| (nA·m)\nat 120 ms"
    figure.savefig(tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 10_000


def test_the_map_shows_the_magnitude_at_the_peak():
    _, maps = _axes(_figure())
    cortex = load_small_sample().cortex
    touching = int((cortex.faces - 1 == 7).any(axis=1).sum())
    # the largest value has the last colour of the scale, at its corner of each triangle; the rest
    # is zero: grey
    colors = maps[0].collections[0].get_facecolor()[:, :3]
    grey = np.ptp(colors, axis=1) < 1e-9
    assert np.sum(~grey) == touching
    last = np.array(matplotlib.colormaps["viridis"](1.0)[:3])
    shade = colors[~grey][:, :1] / last[0]  # of the light
    np.testing.assert_allclose(colors[~grey], shade * last, rtol=1e-9)


def test_a_map_of_each_instant_with_a_scale_of_its_own():
    figure = _figure(instants=[0.052, 0.12], threshold=0.0)
    courses, first = _axes(figure)
    second = figure.subfigs[2].axes
    assert [line.get_xdata()[0] for line in courses.lines[-2:]] == pytest.approx([50, 120])
    assert first[4].get_ylabel().endswith("at 50 ms")
    assert (first[4].get_ylim()[1], second[4].get_ylim()[1]) == (4.0, 5.0)


def test_given_locations_and_labels():
    figure = _figure(locations=[3], labels=["here"], title="A title")
    courses, _ = _axes(figure)
    assert len(courses.lines) == 2  # the course and the mark of the instant
    assert courses.get_legend().get_texts()[0].get_text() == "here"
    assert figure.get_suptitle() == "A title"


def test_nan_is_a_gap_grey_and_counted():
    estimate = _estimate()
    estimate[20:30] = np.nan
    estimate[7, 3] = np.nan
    figure = _figure(estimate)
    courses, maps = _axes(figure)
    drawn = courses.lines[0].get_ydata()
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(drawn)), [3])
    assert drawn[12] == -5.0
    assert maps[4].get_ylabel() == "|amplitude| (nA·m)\nat 120 ms"
    assert "10 of 296 vertices not finite" in all_text(figure)


def test_an_estimate_of_nan_is_drawn():
    estimate = np.full((load_small_sample().cortex.n_vertices, 20), np.nan)
    assert "296 of 296 vertices not finite" in all_text(_figure(estimate))


def test_what_does_not_fit_is_refused():
    with pytest.raises(SchemaError, match=r"estimate has shape \(5, 20\), expected \(n_vertices"):
        _figure(np.zeros((5, 20)))
    with pytest.raises(SchemaError, match="locations holds 296, expected whole numbers from 0 to"):
        _figure(locations=[0, 296])
    with pytest.raises(SchemaError, match=r"labels has shape \(1,\), expected \(2,\)"):
        _figure(locations=[0, 1], labels=["one"])
    with pytest.raises(SchemaError, match=r"instants holds 120, expected a number from 0 to 0.19"):
        _figure(instants=[120])
    with pytest.raises(SchemaError, match=r"threshold holds 30, expected a number from 0 to 1"):
        _figure(threshold=30)
