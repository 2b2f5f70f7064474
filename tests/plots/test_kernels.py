from __future__ import annotations

import numpy as np
import pytest
from plots_helpers import all_text, assert_readable

from mne_bstinv.errors import SchemaError
from mne_bstinv.plots import plot_kernels

NAMES, UNIT = ("Brainstorm", "MNE"), "A·m/T"


def _pair(rows=30, channels=20, seed=1, noise=0.3):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(rows, channels))
    return a, a + noise * rng.normal(size=a.shape)


def _plot(a, b, **kwargs):
    return plot_kernels(a, b, names=NAMES, unit=UNIT, **kwargs)


def test_every_entry_is_drawn():
    a, b = _pair()
    figure = _plot(a, b, title="T")
    left, right = figure.axes
    points = np.ma.getdata(left.collections[0].get_offsets())
    np.testing.assert_array_equal(points, np.column_stack([a.ravel(), b.ravel()]))
    assert (left.get_xlabel(), left.get_ylabel()) == ("Brainstorm (A·m/T)", "MNE (A·m/T)")
    assert left.get_title() == "600 entries"
    assert left.get_xlim() == left.get_ylim()
    assert left.lines[0].get_label() == "equal entries"
    np.testing.assert_array_equal(left.lines[0].get_xdata(), left.lines[0].get_ydata())
    assert right.get_ylabel() == "number of locations"
    assert figure.get_suptitle() == "T"


def test_many_entries_are_counted_in_hexagons():
    a, b = _pair(rows=201, channels=100)
    figure = _plot(a, b)
    left, _, bar = figure.axes
    assert left.collections[0].get_array().sum() == 20_100
    assert bar.get_xlabel() == "entries in a hexagon"
    assert_readable(figure)


@pytest.mark.parametrize("n_components", [1, 3])
def test_correlations_of_the_rows_of_a_location(n_components):
    a, b = _pair()
    right = _plot(a, b, n_components=n_components).axes[1]
    n = 30 // n_components
    expected = [
        np.corrcoef(x.ravel(), y.ravel())[0, 1]
        for x, y in zip(a.reshape(n, -1), b.reshape(n, -1), strict=True)
    ]
    counts = [bar.get_height() for bar in right.patches]
    edges = np.linspace(*right.get_xlim(), 41)
    np.testing.assert_array_equal(counts, np.histogram(expected, edges)[0])
    assert sum(counts) == n
    assert right.get_title().startswith(f"median {np.median(expected):.4f}, lowest")


def test_given_correlations_are_drawn():
    a, b = _pair(rows=2)
    right = _plot(a, b, correlations=[-0.5, 0.75]).axes[1]
    assert right.get_title() == "median 0.1250, lowest −0.5000"
    assert right.get_xlim() == (-1, 1)
    # rounding
    assert (
        _plot(a, b, correlations=[1 + 1e-15, 1.0]).axes[1].get_title().startswith("median 1.0000")
    )


@pytest.mark.parametrize(("lowest", "floor"), [(0.995, 0.99), (0.95, 0.9), (0.6, 0.5), (0.2, 0)])
def test_the_axis_of_correlations_begins_below_the_lowest(lowest, floor):
    a, b = _pair(rows=2)
    assert _plot(a, b, correlations=[lowest, 1]).axes[1].get_xlim() == (floor, 1)


def test_nan_and_constant_rows_are_counted():
    a, b = _pair()
    a[0, 0], b[1] = np.nan, 0.1
    figure = _plot(a, b)
    text = all_text(figure)
    assert "1 of 600 entries not finite" in text
    assert "2 of 30 locations not defined" in text
    assert sum(bar.get_height() for bar in figure.axes[1].patches) == 28


def test_nothing_finite():
    a = np.full((2, 3), np.nan)
    text = all_text(_plot(a, a))
    assert "6 of 6 entries not finite" in text
    assert "2 of 2 locations not defined" in text


@pytest.mark.parametrize(
    ("rows", "channels", "scale", "noise"),
    [
        (1, 1, 1e-9, 0.0),
        (1, 2, 1.0, 2.0),
        (20, 20, 3e6, 0.0),
        (300, 100, 1e-9, 1e-7),
        (300, 100, 1.0, 2.0),
    ],
)
def test_readable(rows, channels, scale, noise):
    a, b = _pair(rows, channels, noise=noise)
    assert_readable(_plot(scale * a, scale * b, title="Words " * 20))


def test_what_does_not_fit_is_refused():
    a, b = _pair()
    with pytest.raises(
        SchemaError, match=r"b has shape \(29, 20\), expected \(n_rows, n_channels\) wi"
    ):
        _plot(a, b[1:])
    with pytest.raises(SchemaError, match="n_components is 3 with 29 rows"):
        _plot(a[1:], b[1:], n_components=3)
    with pytest.raises(SchemaError, match="n_components is 2 with 30 rows"):
        _plot(a, b, n_components=2)
    with pytest.raises(SchemaError, match=r"correlations has shape \(30,\), expected \(10,\)"):
        _plot(a, b, n_components=3, correlations=np.ones(30))
