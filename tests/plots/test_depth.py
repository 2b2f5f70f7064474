from __future__ import annotations

import numpy as np
import pytest
from plots_helpers import all_text, assert_readable, legend_texts

from mne_bstinv.errors import SchemaError
from mne_bstinv.plots import plot_depth_weights

NAMES = ("Brainstorm", "MNE")


def _given(n=50, seed=1):
    rng = np.random.default_rng(seed)
    depth = rng.uniform(20, 80, n)
    return depth, 3e-4 * np.exp(depth / 30), 5.0 * depth


def _points(collection):
    return np.ma.getdata(collection.get_offsets())


def test_weights_are_relative_to_the_smallest_of_their_side():
    depth, a, b = _given()
    left, right = plot_depth_weights(depth, a, b, names=NAMES).axes
    relative = a / a.min(), b / b.min()
    for collection, weights in zip(left.collections, relative, strict=True):
        np.testing.assert_array_equal(_points(collection), np.column_stack([depth, weights]))
    np.testing.assert_array_equal(_points(right.collections[0]), np.column_stack(relative))
    assert left.get_yscale() == right.get_xscale() == right.get_yscale() == "log"
    assert left.get_xlabel() == "distance to the nearest sensor (mm)"
    assert left.get_ylabel() == "depth weight (smallest = 1)"
    assert (right.get_xlabel(), right.get_ylabel()) == tuple(f"{n} (smallest = 1)" for n in NAMES)
    assert right.get_xlim() == right.get_ylim()
    assert right.get_ylim()[1] > max(map(np.max, relative))


def test_another_axis_and_a_title():
    figure = plot_depth_weights(*_given(), names=NAMES, xlabel="norm of the gain (T)", title="T")
    assert figure.axes[0].get_xlabel() == "norm of the gain (T)"
    assert figure.get_suptitle() == "T"


def test_locations_without_a_weight_are_left_out_on_both_sides_and_counted():
    depth, a, b = _given()
    a[0], b[1], depth[2], b[3] = np.nan, 0, np.nan, -1
    figure = plot_depth_weights(depth, a, b, names=NAMES)
    left, right = figure.axes
    for collection in (*left.collections, *right.collections):
        assert len(_points(collection)) == 46
        assert np.isfinite(_points(collection)).all()
    assert "4 of 50 locations left out: no positive, finite weight" in all_text(figure)


def test_no_weights_at_all():
    figure = plot_depth_weights([1.0], [np.nan], [1.0], names=NAMES)
    assert "1 of 1 locations left out" in all_text(figure)


def test_many_locations_have_medians():
    depth, a, b = _given(2000)
    figure = plot_depth_weights(depth, a, b, names=NAMES)
    left = figure.axes[0]
    first, second = left.lines
    groups = np.array_split(np.argsort(depth), 20)
    np.testing.assert_array_equal(first.get_xdata(), [np.median(depth[g]) for g in groups])
    expected = [np.median((a / a.min())[g]) for g in groups]
    np.testing.assert_array_equal(first.get_ydata(), expected)
    assert first.get_linestyle() != second.get_linestyle()
    assert legend_texts(figure) == [*NAMES, *(f"{name}, median" for name in NAMES)]


@pytest.mark.parametrize(
    ("n", "spread"), [(1, 0.0), (1, 12.0), (20, 0.0), (20, 0.3), (20, 12.0), (2000, 3.0)]
)
def test_readable(n, spread):
    rng = np.random.default_rng(n)
    a, b = np.exp(spread * rng.uniform(size=(2, n)))
    names = ("Brainstorm's defaults", "MNE-Python's defaults")
    assert_readable(
        plot_depth_weights(rng.uniform(20, 80, n), a, b, names=names, title="Words " * 30)
    )


def test_what_does_not_fit_is_refused():
    depth, a, b = _given()
    with pytest.raises(
        SchemaError, match=r"weights_b has shape \(49,\), expected \(n_locations,\) wi"
    ):
        plot_depth_weights(depth, a, b[1:], names=NAMES)
    with pytest.raises(SchemaError, match="names has shape"):
        plot_depth_weights(depth, a, b, names=["A"])
