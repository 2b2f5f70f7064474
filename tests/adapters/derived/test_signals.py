"""Signals of Brainstorm as tables and time courses of labels, and back."""

from __future__ import annotations

import builtins
import dataclasses

import numpy as np
import pytest

import mne_bstinv as mb
from mne_bstinv import io
from mne_bstinv.errors import ConversionError


@pytest.fixture(scope="module")
def evoked(data_dir):
    return data_dir / "sources_post" / "data" / "Subject01" / "evoked"


@pytest.fixture(scope="module")
def matrix(evoked):
    return io.read_matrix(evoked / "matrix_scout_261126_1728.mat")


def check_table(table, matrix):
    assert list(table) == ["name", "time", "value"]
    assert len(table["value"]) == matrix.value.size
    np.testing.assert_array_equal(np.asarray(table["value"])[:80], matrix.value[0])
    np.testing.assert_array_equal(np.asarray(table["time"])[80:160], matrix.time)
    assert list(table["name"])[79:81] == ["s1", "s2"]


def test_a_table_without_pandas(matrix, monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "pandas":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    check_table(mb.to_table(matrix), matrix)


def test_a_table_with_pandas(matrix):
    pandas = pytest.importorskip("pandas")
    table = mb.to_table(matrix)
    assert isinstance(table, pandas.DataFrame)
    check_table(table, matrix)


def test_round_trip_of_time_courses(matrix):
    courses = mb.to_label_time_courses(matrix)
    assert courses.names == matrix.description
    np.testing.assert_array_equal(courses.data, matrix.value)
    back = mb.from_label_time_courses(courses)
    np.testing.assert_array_equal(back.value, matrix.value)
    np.testing.assert_array_equal(back.time, matrix.time)
    assert back.description == matrix.description


def test_rows_without_names_are_numbered(evoked):
    odd = io.read_matrix(evoked / "matrix_scout_261126_1747.mat")
    courses = mb.to_label_time_courses(odd)
    assert courses.names[:2] == ("row 1", "row 2")
    assert "rows are numbered" in str(mb.conversion_report(courses))


def test_labels_become_scouts(evoked, data_dir):
    """Labels of the atlas that the scouts are in, with the vertices of Brainstorm's surface."""
    channels = io.read_channels(evoked / "channel.mat")
    surface = io.read_surface(
        data_dir / "sources_post/anat/Subject01/tess_cortex_pial_low_82V.mat"
    )  # fmt: skip
    labels = list(mb.to_labels(surface, "User scouts", subject="S", channels=channels))
    data = np.random.default_rng(0).normal(size=(len(labels), 5))
    made = mb.from_label_time_courses(
        data, labels, np.arange(5.0), surface=surface, function="mean"
    )
    (atlas,) = (atlas for atlas in surface.atlas if atlas.name == "User scouts")
    for scout, before in zip(made.atlas.scouts, atlas.scouts, strict=True):
        np.testing.assert_array_equal(np.sort(scout.vertices), np.sort(before.vertices))
    assert {scout.function for scout in made.atlas.scouts} == {"mean"}
    assert made.description == tuple(label.name for label in labels)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ((np.ones((2, 3, 4)), ["a", "b"], np.arange(4)), "n_labels, n_times"),
        ((np.ones((2, 4)), ["a"], np.arange(4)), "1 labels do not fit 2"),
        ((np.ones((2, 4)), ["a", "b"], np.arange(3)), "one time for each of 4"),
        ((np.ones((2, 4)), ["a", "b"]), "one time"),
        ((np.ones((2, 4)), None, np.arange(4)), "0 labels"),
    ],
)
def test_what_does_not_fit_is_refused(call, words):
    with pytest.raises(ConversionError, match=words):
        mb.from_label_time_courses(*call)


def test_signals_without_times_are_refused(matrix):
    for convert in (mb.to_table, mb.to_label_time_courses):
        with pytest.raises(ConversionError, match="no Time"):
            convert(dataclasses.replace(matrix, time=None))
