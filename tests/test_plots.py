from __future__ import annotations

import numpy as np

from mne_bstinv import plot_estimate, plot_sensors
from mne_bstinv.datasets import load_sample


def _figure(**kwargs):
    cortex = load_sample().cortex
    estimate = np.zeros((cortex.n_vertices, 20))
    estimate[7, 12], estimate[3, 5] = -5.0, 4.0
    return plot_estimate(
        estimate,
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
    assert labels[:2] == ["vertex 8", "vertex 4"]
    np.testing.assert_array_equal(courses.lines[0].get_ydata()[12], -5.0)
    np.testing.assert_allclose(courses.lines[0].get_xdata()[-1], 190.0)  # ms
    assert courses.get_ylabel() == "amplitude (nA·m)"
    assert courses.get_xlabel() == "time (ms)"
    assert [axes.get_title() for axes in maps[:3]] == ["left", "top", "right"]
    assert maps[3].get_ylabel() == "|amplitude| (nA·m) at 120 ms"
    figure.savefig(tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 10_000


def test_the_map_shows_the_magnitude_at_the_peak():
    _, maps = _axes(_figure())
    cortex = load_sample().cortex
    touching = int((cortex.faces - 1 == 7).any(axis=1).sum())
    # viridis grows greener with the value; the rest of the map is zero, its least green colour
    # (matplotlib sorts the triangles by depth)
    green = np.sort(maps[0].collections[0].get_facecolor()[:, 1])[::-1]
    assert green[touching - 1] > 10 * green[touching]


def test_given_locations_and_labels():
    figure = _figure(locations=[3], labels=["here"], title="A title")
    courses, _ = _axes(figure)
    assert len(courses.lines) == 2  # the course and the mark of the instant
    assert courses.get_legend().get_texts()[0].get_text() == "here"
    assert figure.get_suptitle() == "A title"


def test_sensors_are_drawn_in_millimetres_from_three_sides():
    positions = {"mag": np.array([[0.01, 0.02, 0.03], [0.0, 0.0, 0.1]])}
    figure = plot_sensors(positions, np.zeros((1, 3)), fiducials=np.eye(3) / 10, title="T")
    assert figure.get_suptitle() == "T"
    views = [axes.get_title() for axes in figure.axes]
    assert views == ["from the right", "from above", "from behind"]
    drawn = [axes.collections[1].get_offsets() for axes in figure.axes]
    for offsets, shown in zip(drawn, ([1, 2], [0, 1], [0, 2]), strict=True):
        np.testing.assert_allclose(offsets, 1e3 * positions["mag"][:, shown], rtol=1e-15)
    labels = figure.axes[0].get_legend_handles_labels()[1]
    assert labels == ["cortex", "mag", "fiducials"]
