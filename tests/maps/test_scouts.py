"""Scout time series: recomputed from files, and what counts as a scout's rows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csc_array

from mne_bstinv.errors import MapError, OptionError
from mne_bstinv.io import GridAtlas, Scout
from mne_bstinv.maps import (
    flatten_sources,
    scout_row_names,
    scout_rows,
    scout_time_series,
    scout_value,
)

RNG = np.random.default_rng(5)
VALUES = RNG.normal(size=(9, 20))
NORMALS = RNG.normal(size=(9, 3))
TIMES = np.arange(20) / 100
#: Locations 1–3: cortex, constrained (vertices 2, 4, 6); 4, 5: loose (vertices 1, 3); 6: a volume.
MIXED = GridAtlas(
    scouts=(
        Scout(label="L", region="LSC", vertices=np.array([2, 4, 6]), grid_rows=np.array([1, 2, 3])),
        Scout(label="R", region="RSL", vertices=np.array([1, 3]), grid_rows=np.array([4, 5])),
        Scout(label="T", region="LVU", vertices=np.array([1]), grid_rows=np.array([6])),
    ),
    vert2grid=csc_array((np.ones(5), ([0, 1, 2, 3, 4], [1, 3, 5, 0, 2])), shape=(6, 6)),
)
MIXED_VALUES = RNG.normal(size=(3 + 6 + 3, 20))


@pytest.mark.processes("sources_post", "process_extract_scout")
def test_scouts_are_recomputed(case, difference):
    options = case.options
    files = [case.estimates(name) for name in case.inputs]
    results, _, recordings = files[0]
    surface = case.surface(results)
    (atlas,) = (a for a in surface.atlas if a.name == options["scouts"][0])
    scouts = [s for s in atlas.scouts if s.label in options["scouts"][1]]
    values, n_components = [v for _, v, _ in files], results.n_components
    edit = options.get("pcaedit", {})
    timing = {"times": recordings.time, **case.window}
    if n_components == 3 and not options["isnorm"] and options.get("flatten", 1):
        values, n_components = flatten_sources(values, 3, edit["Method"], **timing), 1
    if options["timewindow"]:
        inside = [np.argmin(np.abs(recordings.time - t)) for t in options["timewindow"][0]]
        values = [v[:, inside[0] : inside[1] + 1] for v in values]
    function = options["scoutfunc"] or None
    call = {
        "function": edit["Method"] if function == "pca" and edit else function,
        "n_components": n_components,
        "xyz": "norm" if options["isnorm"] else "none",
    }
    found = scout_time_series(
        values,
        scouts,
        normals=surface.vert_normals,
        flip=bool(options["isflip"]),
        **call,
        **timing,
    )
    found = [np.concatenate(found)] if options["concatenate"] else found
    names = scout_row_names(scouts, len(values[0]), **call)
    for series, name in zip(found, case.outputs, strict=True):
        stored = case.mat(name)
        assert difference(series, stored["Value"]) < 1e-13
        assert len(names) * (2 if options["concatenate"] else 1) == len(series)
        # names of several files say which; where they are fewer than the rows they are a fault
        plain = [text.partition(" @ ")[0] for text in np.atleast_1d(stored["Description"])]
        if len(plain) == len(names):
            assert plain == names


def test_vertices_are_sorted_and_each_once():
    scouts = [Scout(label="a", vertices=np.array([4, 2, 2, 9]))]
    (rows,) = scout_rows(scouts, 9)
    np.testing.assert_array_equal(rows.vertices, [1, 3, 8])
    np.testing.assert_array_equal(
        scout_time_series(VALUES, scouts, function="all"), VALUES[[1, 3, 8]]
    )
    assert scout_row_names(scouts, 9, function="all") == ["a.2", "a.4", "a.9"]


def test_names_with_vertices_count_from_zero():
    np.testing.assert_array_equal(
        scout_time_series(VALUES, {"a": [0, 1], "b": [8]}, flip=False),
        [VALUES[:2].mean(axis=0), VALUES[8]],
    )


def test_rows_of_three_components():
    (rows,) = scout_rows({"a": [2, 0]}, 9, n_components=3)
    np.testing.assert_array_equal(rows.rows, [0, 1, 2, 6, 7, 8])
    series = scout_time_series(VALUES, {"a": [2, 0]}, n_components=3)
    np.testing.assert_array_equal(series, (VALUES[:3] + VALUES[6:]) / 2)
    assert scout_row_names({"a": [2, 0]}, 9, n_components=3) == ["a.1", "a.2", "a.3"]


@pytest.mark.parametrize(
    ("function", "xyz", "names"),
    [
        ("mean", "norm", ["a"]),
        ("power", "none", ["a"]),
        ("all", "norm", ["a.1", "a.3"]),
        ("all", "none", ["a.1.1", "a.1.2", "a.1.3", "a.3.1", "a.3.2", "a.3.3"]),
        ("max", "pca2023", ["a"]),
    ],
)
def test_every_row_has_a_name(function, xyz, names):
    call = {"function": function, "xyz": xyz, "n_components": 3}
    assert scout_row_names({"a": [0, 2]}, 9, **call) == names
    assert len(scout_time_series(VALUES, {"a": [0, 2]}, **call)) == len(names)


def test_normals_of_the_scout_are_taken():
    scouts = {"across": [0, 4, 7]}
    series = scout_time_series(VALUES, scouts, normals=NORMALS)
    own = scout_value(VALUES[[0, 4, 7]], "mean", normals=NORMALS[[0, 4, 7]], flip=True)
    np.testing.assert_array_equal(series, own.values)


def test_a_scout_has_its_own_function():
    scouts = [
        Scout(label="a", vertices=np.array([1, 2]), function="Max"),
        Scout(label="b", vertices=np.array([1, 2]), function="Mean_norm"),
    ]
    series = scout_time_series(VALUES, scouts, function=None, flip=False)
    both = [scout_value(VALUES[:2], name).values[0] for name in ("max", "mean_norm")]
    np.testing.assert_array_equal(series, both)


@pytest.mark.parametrize("method", ["pcaa", "pcai"])
def test_a_file_alone_is_its_own_reference(method):
    """With the mean of all samples removed it is the component of 2023."""
    scouts = {"a": [0, 1, 2, 3], "one": [5]}
    options = {"normals": NORMALS, "times": TIMES}
    found = scout_time_series(VALUES, scouts, function=method, **options)
    np.testing.assert_allclose(
        found, scout_time_series(VALUES, scouts, function="pca2023", normals=NORMALS), rtol=1e-10
    )


@pytest.mark.parametrize("xyz", ["none", "norm", "pca2023"])
def test_components_of_files_of_free_sources(xyz):
    files = [VALUES, VALUES + RNG.normal(size=VALUES.shape)]
    found = scout_time_series(files, {"a": [0, 2]}, function="pcai", n_components=3, xyz=xyz)
    assert [f.shape for f in found] == [(3 if xyz == "none" else 1, 20)] * 2
    alone = scout_time_series(VALUES, {"a": [0, 2]}, function="pcai", n_components=3, xyz=xyz)
    same = scout_time_series(VALUES, {"a": [0, 2]}, function="pca2023", n_components=3, xyz=xyz)
    np.testing.assert_allclose(alone, same, rtol=1e-10)


def test_scouts_of_mixed_models():
    scouts = [
        Scout(label="fixed", vertices=np.array([2, 6])),
        Scout(label="loose", vertices=np.array([3])),
        MIXED.scouts[0],
        MIXED.scouts[2],
    ]
    rows = scout_rows(scouts, 12, n_components=0, grid_atlas=MIXED)
    expected = [[0, 2], [6, 7, 8], [0, 1, 2], [9, 10, 11]]
    for scout, wanted in zip(rows, expected, strict=True):
        np.testing.assert_array_equal(scout.rows, wanted)
    assert [scout.n_components for scout in rows] == [1, 3, 1, 3]
    series = scout_time_series(
        MIXED_VALUES, scouts, n_components=0, grid_atlas=MIXED, normals=NORMALS
    )
    fixed = scout_value(MIXED_VALUES[[0, 2]], "mean", normals=NORMALS[[1, 5]], flip=True)
    np.testing.assert_array_equal(series[0], fixed.values[0])
    np.testing.assert_array_equal(series[1:4], MIXED_VALUES[6:9])
    assert len(series) == 1 + 3 + 1 + 3


@pytest.mark.parametrize(
    ("vertices", "words"), [([2, 3], "one and of three"), ([5], "no rows"), ([60], "no rows")]
)
def test_scouts_that_a_mixed_map_does_not_have_are_refused(vertices, words):
    scouts = [Scout(label="odd", vertices=np.array(vertices))]
    with pytest.raises(MapError, match=words):
        scout_rows(scouts, 12, n_components=0, grid_atlas=MIXED)


@pytest.mark.parametrize(
    ("scouts", "words"),
    [
        ({"a": []}, "'a' has no vertices"),
        ({"a": [9]}, "'a' has vertices that"),
        ({"a": [-1]}, "'a' has vertices that"),
        ([Scout(label="a", vertices=np.array([0]))], "'a' has vertices that"),
        ([Scout(label="a")], "'a' has no vertices"),
        ({"a": [0.5]}, "whole numbers"),
        ({"a": ["V1"]}, "whole numbers"),
    ],
)
def test_scouts_that_the_map_does_not_have_are_refused(scouts, words):
    with pytest.raises(MapError, match=words):
        scout_time_series(VALUES, scouts)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "normals=surface.vert_normals, or flip=False"),
        ({"normals": NORMALS[:1]}, "there are 1"),
        ({"function": "median"}, "function of scout 'a'"),
        ({"function": None}, "no function of its own"),
        ({"flip": False, "xyz": "median"}, "xyz"),
        ({"n_components": 0}, "regions"),
    ],
)
def test_wrong_options_are_refused(options, words):
    with pytest.raises(OptionError, match=words):
        scout_time_series(VALUES, {"a": [0, 1]}, **options)


def test_plain_lists_are_no_scouts():
    with pytest.raises(OptionError, match="mapping of names"):
        scout_time_series(VALUES, [[0, 1]])


@pytest.mark.parametrize(
    "options", [{"function": "all"}, {"n_components": 3}, {"flip": False}], ids=str
)
def test_normals_are_needed_only_for_a_flip(options):
    assert scout_time_series(VALUES, {"a": [0, 1]}, **options).shape[1] == 20
    positive = scout_time_series(np.abs(VALUES) + 1, {"a": [0, 1]})
    np.testing.assert_array_equal(positive, (np.abs(VALUES[:2]) + 1).mean(axis=0, keepdims=True))
