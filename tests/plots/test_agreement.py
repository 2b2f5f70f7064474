from __future__ import annotations

import numpy as np
import pytest
from matplotlib import colormaps
from mpl_toolkits.mplot3d import proj3d
from plots_helpers import all_text, assert_readable
from small_sample import load_small_sample

from mne_bstinv.errors import SchemaError
from mne_bstinv.plots import plot_agreement, plot_agreement_points
from mne_bstinv.plots.cortex_map import thirds

VIEWS = ["left", "top", "right", "front", "bottom", "back"]


@pytest.fixture(scope="module")
def cortex():
    return load_small_sample().cortex


def _map(cortex, values, **kwargs):
    given = {"label": "correlation of rows", **kwargs}
    return plot_agreement(values, cortex.vertices, cortex.faces - 1, **given)


@pytest.fixture(scope="module")
def all_equal(cortex):
    return _map(cortex, np.ones(cortex.n_vertices))


def test_six_sides_and_one_colour_bar(cortex):
    values = np.linspace(0.2, 0.9, cortex.n_vertices)
    figure = _map(cortex, values, title="T")
    *maps, bar = figure.axes
    assert [axes.get_title() for axes in maps] == VIEWS
    assert bar.get_ylabel() == "correlation of rows"
    # the colour bar scales to 0 … 1 and back
    np.testing.assert_allclose(bar.get_ylim(), [0.2, 0.9], rtol=1e-15)
    assert figure.get_suptitle() == "T"
    assert_readable(figure)


@pytest.mark.parametrize(
    ("view", "across", "up"),
    [
        ("left", "back", "up"),
        ("right", "front", "up"),
        ("top", "right", "front"),
        ("bottom", "left", "front"),
        ("front", "left", "up"),
        ("back", "right", "up"),
    ],
)
def test_each_view_shows_its_side(all_equal, view, across, up):
    """The named directions of the head point to the right, and to the top, of the picture."""
    directions = {"front": (1, 0, 0), "back": (-1, 0, 0), "left": (0, 1, 0), "right": (0, -1, 0)}
    directions["up"] = (0, 0, 1)
    maps = all_equal.axes
    (axes,) = (axes for axes in maps if axes.get_title() == view)
    origin, one, other = (
        np.array(proj3d.proj_transform(*point, axes.get_proj()))[:2]
        for point in ((0, 0, 0), directions[across], directions[up])
    )
    for moved, expected in ((one - origin, [1, 0]), (other - origin, [0, 1])):
        np.testing.assert_allclose(moved / np.linalg.norm(moved), expected, atol=1e-6)


def _colors(axes):
    """Colours of what is drawn, sorted: matplotlib sorts it by depth."""
    return _sorted(axes.collections[0].get_facecolor())


def _sorted(colors):
    return np.array(sorted(map(tuple, colors[:, :3])))


def test_thirds_of_a_triangle_are_at_its_corners_and_of_one_area():
    triangle = np.array([[0.0, 0, 0], [3, 0, 0], [0, 2, 0]])
    parts = thirds(triangle[None])
    np.testing.assert_array_equal(parts[:, 0], triangle)
    first, second = parts[:, 2] - parts[:, 0], parts[:, 3] - parts[:, 1]  # the diagonals
    np.testing.assert_allclose(np.cross(first, second)[:, 2] / 2, 1.0, rtol=1e-15)


def test_a_vertex_has_the_colour_of_its_value_and_the_full_one_towards_the_viewer():
    # one triangle seen straight from above, edge-on from the other sides
    vertices = np.array([[0.0, 0, 0], [0.01, 0, 0], [0, 0.01, 0]])
    figure = plot_agreement([0.0, 0.3, 0.6], vertices, [[0, 1, 2]], label="r", vmin=0, vmax=1)
    left, top = figure.axes[0], figure.axes[1]
    full = colormaps["viridis"]([0.0, 0.3, 0.6])
    assert left.get_title() == "left"
    # mplot3d keeps colours as they are given
    np.testing.assert_allclose(_colors(top), _sorted(full), rtol=1e-12)
    np.testing.assert_allclose(_colors(left), 0.6 * _sorted(full), rtol=1e-12)


def test_nan_is_grey_and_counted(cortex):
    values = np.linspace(0.2, 0.9, cortex.n_vertices)
    values[[3, 5]] = np.nan, np.inf
    figure = _map(cortex, values)
    rgb = figure.axes[0].collections[0].get_facecolor()[:, :3]
    grey = np.ptp(rgb, axis=1) == 0
    assert grey.sum() == np.isin(cortex.faces - 1, [3, 5]).sum() > 0
    assert "2 of 296 vertices not finite" in all_text(figure)
    assert_readable(figure)


def test_values_that_are_all_equal_or_missing(cortex):
    equal = _map(cortex, np.ones(cortex.n_vertices) - 1e-14 * np.arange(cortex.n_vertices))
    assert "(all equal up to rounding)" in all_text(equal)
    missing = _map(cortex, np.full(cortex.n_vertices, np.nan))
    assert "296 of 296 vertices not finite" in all_text(missing)


def test_the_colour_bar_points_to_values_beyond_it(cortex):
    values = np.linspace(0, 1, cortex.n_vertices)
    bar = _map(cortex, values, vmin=0.5).axes[-1]
    np.testing.assert_allclose(bar.get_ylim(), [0.5, 1], rtol=1e-15)
    ends = [
        _map(cortex, values, vmin=a, vmax=b).axes[-1]._colorbar.extend
        for a, b in ((0, 1), (0.1, 1), (0, 0.9), (0.1, 0.9))
    ]
    assert ends == ["neither", "min", "max", "both"]


def test_ratios_diverge_from_one(cortex):
    values = np.geomspace(0.5, 4, cortex.n_vertices)
    figure = _map(cortex, values, ratio=True)
    bar = figure.axes[-1]
    np.testing.assert_allclose(bar.get_ylim(), [0.25, 4], rtol=1e-14)
    assert bar.get_yscale() == "log"
    assert_readable(figure)
    np.testing.assert_allclose(
        _map(cortex, values, ratio=True, vmin=0.1).axes[-1].get_ylim(), [0.1, 10], rtol=1e-14
    )
    # a ratio and its inverse have the same distance from the colour of 1, here the middle
    triangle = np.array([[0.0, 0, 0], [0.01, 0, 0], [0, 0.01, 0]])
    figure = plot_agreement([0.5, 1, 2], triangle, [[0, 1, 2]], label="r", ratio=True)
    ends = colormaps["RdBu_r"]([0.0, 0.5, 1.0])
    np.testing.assert_allclose(_colors(figure.axes[1]), _sorted(ends), rtol=1e-12)


def test_ratios_of_zero_are_at_the_lower_end_and_those_far_from_one_in_front():
    values = np.array([0.0, 1.0, np.nan, 0.5, 4.0])
    figure = plot_agreement_points(values, np.eye(5, 3), label="r", ratio=True)
    drawn = np.ma.filled(figure.axes[0].collections[0].get_array(), np.nan)
    np.testing.assert_allclose(drawn, [np.nan, 1.0, 0.5, 0.25, 4.0], rtol=1e-14)
    assert figure.axes[-1]._colorbar.extend == "min"
    assert "the value farthest from 1 of each line of sight" in all_text(figure)
    assert "1 of 5 locations not finite" in all_text(figure)
    assert_readable(figure)
    same = plot_agreement_points(np.ones(3), np.eye(3), label="r", ratio=True).axes[-1]
    assert np.prod(same.get_xlim()) == pytest.approx(1, rel=1e-14)


@pytest.mark.parametrize(
    ("values", "vmin", "message"),
    [
        ([1.0, -2.0], None, "values holds -2, expected ratios, which are positive"),
        ([1.0, 2.0], 0.0, "vmin is 0 and vmax 1.05, expected above 0, vmin below vmax"),
    ],
)
def test_what_is_no_ratio_is_refused(values, vmin, message):
    with pytest.raises(SchemaError, match=message):
        plot_agreement_points(values, np.eye(2, 3), label="r", ratio=True, vmin=vmin)


def test_points_are_drawn_in_millimetres_in_three_projections():
    positions = np.array([[0.05, 0.01, 0.02], [-0.03, -0.02, 0.07], [0.01, 0.03, -0.01]])
    values = np.array([0.9, 0.1, 0.5])
    figure = plot_agreement_points(values, positions, label="r", title="T")
    views = dict(zip(("from the right", "from above", "from behind"), figure.axes[:3], strict=True))
    order = [0, 2, 1]  # the lowest last
    for (view, axes), shown in zip(views.items(), ([0, 2], [1, 0], [1, 2]), strict=True):
        points = axes.collections[0]
        assert axes.get_title() == view
        expected = 1e3 * positions[order][:, shown]
        np.testing.assert_array_equal(np.ma.getdata(points.get_offsets()), expected)
        np.testing.assert_array_equal(points.get_array(), values[order])
        labels = axes.get_xlabel(), axes.get_ylabel()
        assert all(label.endswith("(mm)") for label in labels)
        # y points to the left, also in the picture
        assert axes.xaxis_inverted() == labels[0].startswith("y: left")
        assert not axes.yaxis_inverted()
        assert abs(np.subtract(*axes.get_xlim())) == pytest.approx(
            abs(np.subtract(*axes.get_ylim())), rel=1e-12
        )
    assert figure.get_suptitle() == "T"
    assert "the lowest value of each line of sight is in front" in all_text(figure)


def test_nan_is_behind_and_the_highest_may_be_in_front():
    values = np.array([0.9, np.nan, 0.1, 0.5])
    figure = plot_agreement_points(values, np.eye(4, 3), label="r", highest_in_front=True)
    drawn = np.ma.filled(figure.axes[0].collections[0].get_array(), np.nan)
    np.testing.assert_array_equal(drawn, [np.nan, 0.1, 0.5, 0.9])
    text = all_text(figure)
    assert "the highest value of each line of sight" in text
    assert "1 of 4 locations not finite" in text


@pytest.mark.parametrize("n", [1, 20, 3000])
def test_points_are_readable(n):
    rng = np.random.default_rng(n)
    values = rng.uniform(size=n)
    values[0] = np.nan
    label = "peak displacement of the point spread between both sides (mm)"
    figure = plot_agreement_points(values, 0.05 * rng.normal(size=(n, 3)), label=label, title="T")
    assert_readable(figure)


def test_what_does_not_fit_is_refused(cortex):
    values = np.ones(cortex.n_vertices)
    with pytest.raises(
        SchemaError, match=r"values has shape \(5,\), expected \(n_vertices,\) with n_v"
    ):
        _map(cortex, values[:5])
    with pytest.raises(SchemaError, match="subtract 1 from triangles"):
        plot_agreement(values, cortex.vertices, cortex.faces, label="r")
    with pytest.raises(SchemaError, match="vmin is 1 and vmax 0, expected vmin below vmax"):
        _map(cortex, values, vmin=1, vmax=0)
    with pytest.raises(
        SchemaError, match=r"positions has shape \(5, 2\), expected \(n_locations, 3\)"
    ):
        plot_agreement_points(np.ones(5), np.ones((5, 2)), label="r")
    with pytest.raises(SchemaError, match="vmin is nan"):
        plot_agreement_points(np.ones(5), np.ones((5, 3)), label="r", vmin=np.nan)
