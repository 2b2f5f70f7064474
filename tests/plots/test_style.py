"""Numbers in words, and that the tests see what a reader stumbles over."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure
from plots_helpers import assert_readable

from mne_bstinv.plots import style


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (0.44, "+44.0 %"),
        (0.0123, "+1.23 %"),
        (0.001, "+0.10 %"),
        (0.00099, "+9.9e−2 %"),
        (-2e-13, "−2.0e−11 %"),
        (1e-12, "+1.0e−10 %"),
        (-1.5, "−150 %"),
        (0.0996, "+9.96 %"),
        (0.09996, "+10.0 %"),
        (0.9996, "+100 %"),
        (0.0, "0 %"),
    ],
)
def test_per_cent(fraction, text):
    assert style.percent(fraction, signed=True) == text
    assert style.percent(fraction) == text.removeprefix("+")


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.2345, "1.23"), (-1.2e-13, "−1.2e−13"), (0.0, "0"), (3.2e20, "3.2e20"), (-2.0, "−2")],
)
def test_short_numbers(value, text):
    assert style.short(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(1.0, "1.0000"), (1 - 3e-10, "1 − 3e−10"), (0.5, "0.5000"), (-1, "−1.0000")]
)
def test_correlations(value, text):
    assert style.near_one(value) == text


def test_what_is_not_shown_is_counted():
    assert style.not_shown([True, True], "things") == ""
    assert style.not_shown(np.arange(2000) > 0, "things") == "1 of 2,000 things not finite"
    assert style.not_shown([False], "things", "are gone") == "1 of 1 things are gone"


@pytest.mark.parametrize(
    ("values", "limits"),
    [
        ([1.0, 3.0, np.nan], (1, 3)),
        ([2.0, 2.0], (1.9, 2.1)),
        ([1.0, 1.0 + 1e-12], (0.95, 1.05)),
        ([0.0], (-0.05, 0.05)),
        ([-4.0], (-4.2, -3.8)),
        ([np.nan], (0, 1)),
    ],
)
def test_limits(values, limits):
    # rounding, and the 1e-12 of the third case
    np.testing.assert_allclose(style.limits_of(np.array(values)), limits, rtol=2e-12)


def test_sides_differ_without_colour():
    for key in ("linestyle", "marker", "color"):
        assert style.SIDES[0][key] != style.SIDES[1][key]


@pytest.mark.parametrize(
    ("x", "y", "size"),
    [(0.31, 0.5, 12), (0.99, 0.5, 12), (0.7, 0.2, 8)],
    ids=["overlap", "cut off", "small"],
)
def test_what_is_not_readable_is_found(x, y, size):
    figure = Figure(figsize=(6, 4))
    figure.text(0.3, 0.5, "a text")
    assert_readable(figure)
    figure.text(x, y, "another", fontsize=size)
    with pytest.raises(AssertionError):
        assert_readable(figure)
