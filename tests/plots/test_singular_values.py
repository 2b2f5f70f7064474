from __future__ import annotations

import numpy as np
import pytest
from plots_helpers import all_text, assert_readable, legend_texts

from mne_bstinv.errors import SchemaError
from mne_bstinv.plots import plot_singular_values

NAMES = ("Brainstorm", "MNE")


def _given(n=60):
    values = 7.0 * 0.8 ** np.arange(n)
    return values, values**2 / (values**2 + 1), values**2 / (values**2 + 3)


def test_singular_values_are_relative_and_filters_as_they_are():
    values, a, b = _given()
    figure = plot_singular_values(values, a, b, names=NAMES, title="T")
    above, below = figure.axes
    np.testing.assert_array_equal(above.lines[0].get_ydata(), values / 7)
    assert above.get_yscale() == "log"
    assert "relative to the largest" in above.get_ylabel()
    for line, expected in zip(below.lines, (a, b), strict=True):
        np.testing.assert_array_equal(line.get_ydata(), expected)
        np.testing.assert_array_equal(line.get_xdata(), np.arange(60) + 1)
    assert [line.get_linestyle() for line in below.lines] == ["-", "--"]
    assert legend_texts(below) == list(NAMES)
    assert "Λs²/(Λs² + 1)" in below.get_ylabel()
    assert below.get_xlabel() == "number of the singular value"
    assert figure.get_suptitle() == "T"
    assert "not" not in above.get_title()


def test_ranks_are_marked_behind_the_last_direction():
    figure = plot_singular_values(*_given(), names=NAMES, ranks=[57, 60])
    above, below = figure.axes
    for axes in (above, below):
        marks = [line.get_xdata()[0] for line in axes.lines[-2:]]
        assert marks == [57.5, 60.5]
        low, high = axes.get_xlim()
        assert low < marks[0] < marks[1] < high
    assert legend_texts(above) == ["rank 57 (Brainstorm)", "rank 60 (MNE)"]


def test_zeros_and_nan_are_counted():
    values, a, b = _given(5)
    values[3], values[4], b[0] = 0, np.nan, np.nan
    figure = plot_singular_values(values, a, b, names=NAMES)
    text = all_text(figure)
    assert "2 of 5 singular values zero or not finite, not drawn" in text
    assert "MNE (1 of 5 values not finite)" in text
    assert np.isfinite(figure.axes[0].lines[0].get_ydata()).tolist() == [True] * 3 + [False] * 2


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_nothing_to_draw(value):
    figure = plot_singular_values([value] * 3, [0.0] * 3, [value] * 3, names=NAMES)
    assert "3 of 3 singular values zero or not finite" in all_text(figure)


@pytest.mark.parametrize(("n", "marked"), [(1, True), (20, True), (306, False)])
def test_readable(n, marked):
    figure = plot_singular_values(*_given(n), names=NAMES, ranks=[n, n], title="Words " * 20)
    assert_readable(figure)
    line = figure.axes[1].lines[0]
    assert (line.get_marker() not in ("None", None)) is marked
    ticks = figure.axes[1].get_xticks()
    np.testing.assert_array_equal(ticks, np.round(ticks))


def test_what_does_not_fit_is_refused():
    values, a, b = _given()
    with pytest.raises(
        SchemaError, match=r"filter_b has shape \(59,\), expected \(n,\) with n = 60"
    ):
        plot_singular_values(values, a, b[1:], names=NAMES)
    with pytest.raises(SchemaError, match="singular_values holds -7, expected none below 0"):
        plot_singular_values(-values, a, b, names=NAMES)
    with pytest.raises(SchemaError, match=r"ranks has shape \(1,\), expected \(2,\)"):
        plot_singular_values(values, a, b, names=NAMES, ranks=[1])
