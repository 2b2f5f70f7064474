"""What is said of arguments that do not fit together."""

from __future__ import annotations

import numpy as np
import pytest

from mne_bstinv.errors import SchemaError
from mne_bstinv.plots.arguments import Arguments


def test_a_fitting_array_is_returned_as_numbers_with_nan_where_not_finite():
    given = Arguments("f")
    array = given.array("a", [[1, np.inf, -np.inf]], "n 3")
    given.check()
    assert array.dtype == np.float64
    np.testing.assert_array_equal(array, [[1, np.nan, np.nan]])
    assert given.optional("b", None, "n") is None


def test_an_argument_is_not_changed():
    a = np.array([1.0, np.inf])
    a.setflags(write=False)
    Arguments("f").array("a", a, "n")
    assert a[1] == np.inf


@pytest.mark.parametrize(
    ("value", "shape", "fault"),
    [
        (np.zeros((2, 3)), "n", "a has shape (2, 3), expected (n,)."),
        (np.zeros((2, 4)), "n 3", "a has shape (2, 4), expected (n, 3)."),
        (np.zeros(4), "m", "a has shape (4,), expected (m,) with m = 5 as in first."),
        (np.zeros((0, 3)), "n 3", "a has shape (0, 3): it is empty, expected (n, 3)."),
        (3.0, "n", "a has shape (), expected (n,)."),
        ("text", "n", "a must be an array of real numbers, found 'text'."),
        ([[1], [1, 2]], "n", "a must be an array of real numbers, found [[1], [1, 2]]."),
        (np.array([1j]), "n", "a must be an array of real numbers, found array([0.+1.j])."),
    ],
)
def test_an_array_that_does_not_fit(value, shape, fault):
    given = Arguments("plot_x")
    given.array("first", np.zeros(5), "m")
    array = given.array("a", value, shape)
    assert array.size == 0
    assert array.ndim == len(shape.split())
    with pytest.raises(SchemaError) as caught:
        given.check()
    assert caught.value.faults == (fault,)
    assert str(caught.value) == f"plot_x:\n  - {fault}"


def test_numbers_that_have_to_be_finite():
    given = Arguments("f")
    given.array("times", [0.0, np.nan], "n_times", finite=True)
    with pytest.raises(SchemaError, match="times holds values that are not finite"):
        given.check()


@pytest.mark.parametrize(
    ("faces", "fault"),
    [
        ([[1, 2, 3]], "numbers 1 to 3, expected 0 to 2: subtract 1 from triangles that count from"),
        ([[-1, 0, 1]], "numbers -1 to 1, expected 0 to 2"),
        ([[0.5, 1, 2]], "faces must hold whole numbers"),
        ([[0, 1]], r"faces has shape \(1, 2\), expected \(n_faces, 3\)"),
    ],
)
def test_triangles_that_do_not_fit(faces, fault):
    given = Arguments("f")
    given.faces(faces, 3)
    with pytest.raises(SchemaError, match=fault):
        given.check()


def test_triangles_of_any_type_are_whole_numbers():
    given = Arguments("f")
    faces = given.faces(np.array([[0, 1, 2]], dtype=np.uint16), 3)
    given.check()
    assert faces.dtype == np.int64


@pytest.mark.parametrize(
    ("names", "fault"),
    [
        (["one"], r"names has shape \(1,\), expected \(2,\)"),
        ("AB", "names must be a sequence of text, found the text 'AB'"),
        ([], r"names has shape \(0,\): it is empty"),
    ],
)
def test_names_of_two_sides(names, fault):
    given = Arguments("f")
    assert given.pair(["a", "b"]) == ("a", "b")
    given.check()
    given.pair(names)
    with pytest.raises(SchemaError, match=fault):
        given.check()


def test_all_faults_are_reported_at_once():
    given = Arguments("f")
    given.array("a", np.zeros(3), "n")
    given.array("b", np.zeros(4), "n")
    given.texts("labels", ["x"], "n")
    given.fault("Something else.")
    with pytest.raises(SchemaError) as caught:
        given.check()
    assert len(caught.value.faults) == 3
