"""The scout functions: direct calls of Brainstorm's, and properties."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat

from mne_bstinv.errors import MapError, OptionError
from mne_bstinv.maps import bst_scout_value, scout_value
from mne_bstinv.maps.scout_functions import SCOUT_FUNCTIONS, flip_signs

FILE = Path(__file__).parents[1] / "data" / "functions" / "bst_scout_value.mat"
STORED = loadmat(FILE, simplify_cells=True)
CALLS = STORED["cases"]
NAMES = [
    f"{c['input']} {c['ScoutFunction']} {c['XyzFunction']} {int(c['isSignFlip'])}" for c in CALLS
]
RNG = np.random.default_rng(3)
ROWS = RNG.normal(size=(6, 30))
NORMALS = np.array([[0, 0, 1.0]] * 4 + [[0, 0.1, -1]] * 2)


@pytest.mark.parametrize("call", CALLS, ids=NAMES)
def test_a_call_of_brainstorm_is_repeated(call, difference):
    assert len(CALLS) == 47
    found, weights = bst_scout_value(
        STORED[call["input"][0]],
        call["ScoutFunction"],
        STORED["Orient"],
        int(call["nComponents"]),
        call["XyzFunction"],
        bool(call["isSignFlip"]),
        "",
        STORED["C"] if "covariance" in call["input"] else None,
    )
    assert difference(found, call["Fs"]) < 1e-13
    stored = call["PcaFirstComp"]
    assert (weights is None) == (stored.size == 0)
    if weights is not None:
        np.testing.assert_allclose(weights, stored, atol=1e-14)


def test_signs_are_those_of_most_normals():
    np.testing.assert_array_equal(flip_signs(NORMALS), [1, 1, 1, 1, -1, -1])
    np.testing.assert_array_equal(flip_signs(-NORMALS), [1, 1, 1, 1, -1, -1])


def test_a_sign_of_zero_is_positive():
    np.testing.assert_array_equal(flip_signs([[0, 0, 0.0], [0, 0, 1], [0, 0, 1], [0, 0, -1]]),
                                  [1, 1, 1, -1])  # fmt: skip


@pytest.mark.parametrize("function", ["mean", "std", "max", "stat"])
def test_signed_rows_are_flipped(function):
    signs = flip_signs(NORMALS)[:, np.newaxis]
    found = scout_value(ROWS, function, normals=NORMALS, flip=True).values
    np.testing.assert_array_equal(found, scout_value(ROWS * signs, function).values)


@pytest.mark.parametrize("function", SCOUT_FUNCTIONS)
def test_positive_rows_are_not_flipped(function):
    rows = np.abs(ROWS) + 0.1
    found = scout_value(rows, function, normals=NORMALS, flip=True).values
    np.testing.assert_array_equal(found, scout_value(rows, function).values)


@pytest.mark.parametrize("function", ["pca", "pca2023", "fastpca"])
def test_principal_components_are_always_flipped(function):
    flips = [scout_value(ROWS, function, normals=NORMALS, flip=flip).values for flip in (0, 1)]
    np.testing.assert_array_equal(*flips)
    signs = flip_signs(NORMALS)[:, np.newaxis]
    np.testing.assert_allclose(flips[0], scout_value(ROWS * signs, function).values)


@pytest.mark.parametrize("function", SCOUT_FUNCTIONS)
def test_one_vertex(function):
    row = ROWS[:1]
    expected = {
        "std": 0 * row,
        "stderr": 0 * row,
        "power": row**2,
        "rms": np.abs(row),
        "mean_norm": np.abs(row),
    }.get(function, row)
    found = scout_value(row, function, normals=-NORMALS[:1], flip=True).values
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("function", SCOUT_FUNCTIONS)
@pytest.mark.parametrize("xyz", ["none", "norm", "pca2023"])
def test_three_components_of_one_vertex(function, xyz):
    found = scout_value(ROWS[:3], function, n_components=3, xyz=xyz).values
    one = function in ("power", "rms", "mean_norm") or xyz != "none"
    assert found.shape == (1 if one else 3, 30)


def test_the_first_of_equals_is_the_maximum():
    rows = np.array([[1.0, -2.0], [-1.0, 2.0]])
    np.testing.assert_array_equal(scout_value(rows, "max").values, [[1, -2]])


def test_the_maximum_is_no_undefined_value():
    rows = np.array([[np.nan, np.nan], [-1.0, 2.0]])
    np.testing.assert_array_equal(scout_value(rows, "max").values, [[-1, 2]])


def test_fast_components_look_at_fifty_rows():
    """A row that is nearly constant stands out least, however large it is."""
    rows = np.concatenate([RNG.normal(size=(50, 40)), 1e3 + RNG.normal(size=(5, 40))])
    found = scout_value(rows, "fastpca").values
    np.testing.assert_allclose(np.abs(found), np.abs(scout_value(rows[:50], "fastpca").values))
    assert scout_value(np.zeros((60, 4)), "fastpca").values.shape == (1, 4)


def test_a_component_does_not_depend_on_the_sign_of_a_decomposition():
    """Rows that are the negative of others give the negative component."""
    np.testing.assert_allclose(scout_value(-ROWS, "pca").values, -scout_value(ROWS, "pca").values)


@pytest.mark.parametrize("call", [dict(rows=ROWS, function="median"), dict(rows=ROWS, function="mean", xyz="max")])  # fmt: skip  # noqa: E501, C408
def test_unknown_options_are_refused(call):
    with pytest.raises(OptionError, match="must be one of"):
        scout_value(**call)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rows": ROWS[:4], "n_components": 3}, "4 rows"),
        ({"rows": ROWS[:0]}, "0 rows"),
        ({"rows": ROWS, "normals": NORMALS[:3], "flip": True}, "3 vertices"),
        ({"rows": ROWS, "normals": NORMALS[:, :2], "flip": True}, r"n_vertices, 3"),
        ({"rows": ROWS, "normals": NORMALS * np.nan, "flip": True}, "finite"),
        ({"rows": ROWS, "covariance": np.eye(5)}, r"\(6, 6\)"),
        ({"rows": ROWS * np.nan, "function": "pca2023"}, "not finite"),
    ],
)
def test_wrong_arrays_are_refused(options, words):
    with pytest.raises(MapError, match=words):
        scout_value(**{"function": "mean"} | options)


def test_an_error_names_the_scout():
    with pytest.raises(MapError, match="V1 L"):
        bst_scout_value(ROWS, "mean", NORMALS[:2], 1, "none", True, "V1 L")
