from __future__ import annotations

import numpy as np
import pytest
from plots_helpers import all_text, assert_readable, legend_texts

from mne_bstinv.errors import SchemaError
from mne_bstinv.plots import plot_time_courses

NAMES = ("Brainstorm", "MNE")


def _given(n=3, n_times=50):
    rng = np.random.default_rng(n)
    a = rng.normal(size=(n, n_times))
    return np.arange(n_times) / 100 - 0.1, a, a + 0.1 * rng.normal(size=a.shape)


def _plot(times, a, b, **kwargs):
    labels = [f"location {i + 1}" for i in range(len(a))]
    return plot_time_courses(
        times, a, b, **{"labels": labels, "names": NAMES, "unit": "nA·m", **kwargs}
    )


def test_both_sides_and_their_difference_over_milliseconds():
    times, a, b = _given()
    figure = _plot(times, a, b, title="T")
    assert len(figure.axes) == 3
    for number, axes in enumerate(figure.axes):
        expected = a[number], b[number], a[number] - b[number]
        for line, values in zip(axes.lines, expected, strict=True):
            np.testing.assert_array_equal(line.get_xdata(), 1e3 * times)
            np.testing.assert_array_equal(line.get_ydata(), values)
        assert [line.get_linestyle() for line in axes.lines] == ["-", "--", ":"]
        assert axes.get_ylabel() == "estimate (nA·m)"
        assert axes.get_xlim() == (-100, pytest.approx(390, rel=1e-12))
    assert figure.axes[-1].get_xlabel() == "time (ms)"
    assert legend_texts(figure) == [*NAMES, "difference (Brainstorm − MNE)"]
    assert figure.get_suptitle() == "T"


def test_a_title_says_how_large_the_difference_gets():
    times, a, b = _given(1)
    b = a.copy()
    b[0, 7] += 0.25
    assert "location 1 (difference ≤ 0.25 nA·m)" in all_text(_plot(times, a, b))


def test_nan_is_a_gap_and_counted():
    times, a, b = _given(2)
    a[0, 3:5], b[0, 4:7], a[1] = np.nan, np.nan, np.nan
    figure = _plot(times, a, b)
    text = all_text(figure)
    assert "4 of 50 samples not finite" in text
    assert "location 2 (50 of 50 samples not finite)" in text
    np.testing.assert_array_equal(np.isnan(figure.axes[0].lines[0].get_ydata()), np.isnan(a[0]))


def test_a_single_sample_has_markers():
    (axes,) = _plot(*_given(1, 1)).axes
    assert all(line.get_marker() not in ("None", None) for line in axes.lines)
    (axes,) = _plot(*_given(1, 2)).axes
    assert all(line.get_marker() in ("None", None) for line in axes.lines)


@pytest.mark.slow
@pytest.mark.parametrize(("n", "scale"), [(1, 1e-12), (4, 1.0), (5, 1.0), (20, 1e-12)])
def test_readable(n, scale):
    times, a, b = _given(n)
    a[0, 0] = np.nan
    labels = [f"location {i}: superior temporal gyrus of the left hemisphere" for i in range(n)]
    figure = _plot(times, scale * a, scale * b, labels=labels, title="Words " * 20)
    assert_readable(figure)
    # the lowest panel of each column has the axis of time
    assert all_text(figure).count("time (ms)") == (1 if n <= 4 else 2)


def test_what_does_not_fit_is_refused():
    times, a, b = _given()
    with pytest.raises(
        SchemaError, match=r"a has shape \(3, 50\), expected \(n_locations, n_times\) wi"
    ):
        _plot(times[1:], a, b)
    with pytest.raises(SchemaError, match=r"b has shape \(2, 50\)"):
        _plot(times, a, b[1:])
    with pytest.raises(SchemaError, match=r"labels has shape \(1,\), expected \(n_locations,\)"):
        _plot(times, a, b, labels=["one"])
    with pytest.raises(SchemaError, match="labels must be a sequence of text"):
        _plot(times, a, b, labels="abc")
    with pytest.raises(SchemaError, match="times holds values that are not finite"):
        _plot(np.full(50, np.nan), a, b)
