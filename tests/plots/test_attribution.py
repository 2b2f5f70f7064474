from __future__ import annotations

import numpy as np
import pytest
from plots_helpers import all_text, assert_readable, legend_texts

from mne_bstinv.errors import SchemaError
from mne_bstinv.plots import plot_attribution

LABELS = ["depth norm", "depth limit", "loose²", "rank rule"]
CHANGES = np.array([0.3, -0.05, 0.0, 2e-6])
EPS = np.finfo(float).eps


def _bars(axes):
    """Row, start and end of each bar, from top to bottom."""
    return [
        (round(bar.get_y() + bar.get_height() / 2), bar.get_x(), bar.get_x() + bar.get_width())
        for bar in axes.containers
        for bar in bar.patches
    ]


def test_each_bar_starts_where_the_last_one_ended():
    figure = plot_attribution(LABELS, CHANGES, total=CHANGES.sum(), title="T")
    (axes,) = figure.axes
    ends = 100 * np.cumsum(CHANGES)
    expected = [(0, 0, ends[0]), (1, ends[0], ends[1]), (3, ends[2], ends[3]), (4, 0, ends[3])]
    # nothing is drawn for the step that changes nothing; up to 5 additions of numbers below 100
    np.testing.assert_allclose(_bars(axes), expected, atol=500 * EPS)
    rows = [label.get_text() for label in axes.get_yticklabels()]
    assert rows == [*LABELS, "Brainstorm to MNE"]
    values = [text.get_text() for text in axes.texts]
    assert values == ["+30.0 %", "−5.00 %", "0 %", "+2.0e−4 %", "25.0 %"]
    assert axes.get_xlabel() == "relative difference of the kernel\N{NO-BREAK SPACE}(%)"
    assert axes.yaxis_inverted()
    assert figure.get_suptitle() == "T"


def test_increase_and_decrease_differ_without_colour():
    (axes,) = plot_attribution(LABELS, CHANGES, total=CHANGES.sum()).axes
    up, down = axes.containers[0].patches[0], axes.containers[1].patches[0]
    assert not up.get_hatch()
    assert down.get_hatch()


@pytest.mark.parametrize("rest", [0.1, -0.1])
def test_what_the_steps_do_not_explain_has_a_bar(rest):
    total = CHANGES.sum() + rest
    (axes,) = plot_attribution(LABELS, CHANGES, total=total).axes
    assert [label.get_text() for label in axes.get_yticklabels()][-2] == "not attributed"
    expected = (4, 100 * CHANGES.sum(), 100 * total)
    np.testing.assert_allclose(_bars(axes)[-2], expected, atol=500 * EPS)


def test_rounding_is_not_a_rest():
    (axes,) = plot_attribution(LABELS, CHANGES, total=CHANGES.sum() + 5e-10).axes
    assert "not attributed" not in [label.get_text() for label in axes.get_yticklabels()]


def test_a_step_that_was_not_measured():
    changes = [0.1, np.nan, 0.1]
    (axes,) = plot_attribution(["a", "b", "c"], changes, total=0.5).axes
    rows = [row for row, _, _ in _bars(axes)]
    assert rows == [0, 2, 3, 4]  # a, c, the rest, the total
    assert axes.texts[1].get_text() == "not measured"
    np.testing.assert_allclose(_bars(axes)[2][1:], [20, 50], atol=500 * EPS)


def test_each_step_by_itself_is_in_a_second_panel():
    alone, other = np.array([0.4, 0.1, np.nan, 0.0]), np.array([0.2, 0.3, 0.4, 0.5])
    figure = plot_attribution(
        LABELS,
        CHANGES,
        total=CHANGES.sum(),
        alone_from_a=alone,
        alone_from_b=other,
        shapley=-other,
        names=("A", "B"),
    )
    _, axes = figure.axes
    drawn = [np.ma.getdata(points.get_offsets()) for points in axes.collections]
    for points, values in zip(drawn, (alone, other, -other), strict=True):
        np.testing.assert_array_equal(points[:, 0], 100 * values)
        np.testing.assert_array_equal(np.round(points[:, 1]), np.arange(4))
    # markers of a row do not lie on each other
    assert len({tuple(points[:, 1]) for points in drawn}) == 3
    assert legend_texts(figure) == [
        "alone, from A (1 of 4 steps NaN)",
        "alone, from B",
        "mean over orders",
    ]
    assert axes.get_xlabel().endswith("(%)")


def test_only_what_is_given_is_in_the_second_panel():
    figure = plot_attribution(["a"], [0.1], total=0.1, shapley=[0.1])
    assert legend_texts(figure) == ["mean over orders"]


@pytest.mark.slow
@pytest.mark.parametrize(("n", "scale"), [(1, 1.0), (11, 0.0), (20, 1e-14)])
def test_readable(n, scale):
    rng = np.random.default_rng(n)
    changes = scale * rng.normal(size=n)
    labels = [f"convention {i} that takes some words to say" for i in range(n)]
    names = ("Brainstorm's defaults (2026)", "MNE-Python's defaults (1.13)")
    given = {"total": changes.sum(), "names": names, "title": "A title of many words " * 6}
    assert_readable(plot_attribution(labels, changes, **given))
    both = {"alone_from_a": changes, "alone_from_b": -changes, "shapley": changes}
    figure = plot_attribution(labels, changes, **given, **both)
    assert_readable(figure)
    assert "step by step, from Brainstorm's defaults (2026) to MNE" in all_text(figure)


def test_what_does_not_fit_is_refused():
    with pytest.raises(
        SchemaError, match=r"changes has shape \(4,\), expected \(n_steps,\) with n_st"
    ):
        plot_attribution(["a"], CHANGES, total=1.0)
    with pytest.raises(SchemaError, match="total holds values that are not finite"):
        plot_attribution(LABELS, CHANGES, total=np.nan)
    with pytest.raises(SchemaError, match=r"shapley has shape \(1,\)"):
        plot_attribution(LABELS, CHANGES, total=1.0, shapley=[1.0])
    with pytest.raises(SchemaError, match="names has shape"):
        plot_attribution(LABELS, CHANGES, total=1.0, names=["A", "B", "C"])
