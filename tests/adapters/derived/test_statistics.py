"""Tests of Brainstorm as estimates and Evokeds of MNE."""

from __future__ import annotations

import dataclasses

import mne
import numpy as np
import pytest

import mne_bstinv as mb
from mne_bstinv import io
from mne_bstinv.errors import ArgumentError, ConversionError


@pytest.fixture(scope="module")
def blink(data_dir):
    return data_dir / "misc" / "data" / "Subject01" / "blink"


@pytest.fixture(scope="module")
def channels(blink):
    return io.read_channels(blink / "channel_vectorview306_acc1.mat")


@pytest.fixture(scope="module")
def of_recordings(blink):
    (file,) = blink.glob("pdata_no_*.mat")
    return io.read_statistics(file)


@pytest.fixture(scope="module")
def of_sources(of_recordings, blink, data_dir):
    model = io.read_head_model(blink / "headmodel_surf_eeg_3sphereberg_os_meg.mat")
    surface = io.read_surface(data_dir / "misc" / "anat" / model.surface_file)
    rng = np.random.default_rng(0)
    values = rng.normal(size=(surface.n_vertices, 151))
    test = dataclasses.replace(
        of_recordings, type="results", tmap=values, pmap=np.abs(values) / 10, df=None,
        n_components=1, surface_file=model.surface_file, head_model_type="surface",
    )  # fmt: skip
    return test, surface


def test_of_recordings(of_recordings, channels):
    pair = mb.to_statistics(of_recordings, channels=channels)
    assert isinstance(pair.statistic, mne.Evoked)
    np.testing.assert_array_equal(pair.statistic.data, of_recordings.tmap)
    np.testing.assert_array_equal(pair.p_values.data, of_recordings.pmap)
    np.testing.assert_allclose(pair.statistic.times, of_recordings.time, atol=1e-12)
    assert pair.statistic.info["projs"] == []  # nothing projects a statistic on reading
    assert (pair.unit, pair.correction) == ("t", "no")
    assert "not corrected" in str(mb.conversion_report(pair))


def test_of_sources(of_sources, channels):
    test, surface = of_sources
    pair = mb.to_statistics(test, channels=channels, surface=surface, subject="S")
    assert isinstance(pair.statistic, mne.SourceEstimate)
    back = mb.from_source_estimate(pair.statistic, channels=channels)
    np.testing.assert_array_equal(back.image_grid_amp, test.tmap)
    back = mb.from_source_estimate(pair.p_values, channels=channels)
    np.testing.assert_array_equal(back.image_grid_amp, test.pmap)


@pytest.mark.parametrize("kind", ["recordings", "sources"])
def test_there_and_back(kind, of_recordings, of_sources, channels):
    surface = None if kind == "recordings" else of_sources[1]
    test = of_recordings if kind == "recordings" else of_sources[0]
    pair = mb.to_statistics(test, channels=channels, surface=surface)
    back = mb.from_statistics(pair, channels=channels)
    for field in dataclasses.fields(io.Statistics):
        if "mat" in field.metadata and field.name not in ("history", "pmap"):
            np.testing.assert_equal(getattr(back, field.name), getattr(test, field.name))
    good = slice(None) if kind == "sources" else test.channel_flag == 1
    np.testing.assert_array_equal(back.pmap[good], test.pmap[good])
    assert back.history[:-1] == test.history


def test_a_test_of_mne_is_written_on_the_locations_of_the_head_model(blink, channels, tmp_path):
    """MNE has its own order of locations, and an estimate may lack some: nothing is known there."""
    model = io.read_head_model(blink / "headmodel_surf_eeg_3sphereberg_os_meg.mat")
    surface = io.read_surface(blink.parents[2] / "anat" / model.surface_file)
    src = mb.to_source_spaces(model, surface, channels=channels)
    vertices = [src[0]["vertno"], src[1]["vertno"][:-1]]
    size = (sum(map(len, vertices)), 3)
    statistic, p_values = (
        mne.SourceEstimate(values.copy(), vertices, 0.0, 0.01)
        for values in (np.arange(1.0, 1 + np.prod(size)).reshape(size), np.full(size, 0.01))
    )
    pair = mb.StatisticPair(statistic=statistic, p_values=p_values)
    test = mb.from_statistics(pair, src=src, channels=channels, head_model=model, df=12)
    file = tmp_path / "presults_no_cluster.mat"
    mb.write_statistics(file, test)
    test = mb.read_statistics(file)
    assert (test.type, test.correction, test.df, test.surface_file) == (
        "results", "no", 12, model.surface_file
    )  # fmt: skip
    of_surface = mb.from_statistics(pair, channels=channels, surface=surface)
    np.testing.assert_array_equal(of_surface.tmap, test.tmap)
    again = mb.to_statistics(test, channels=channels, surface=surface, src=src)
    lacking = again.statistic.vertices[1] == src[1]["vertno"][-1]
    found = again.statistic.data[len(vertices[0]) :]
    np.testing.assert_array_equal(again.statistic.data[: len(vertices[0])], statistic.lh_data)
    np.testing.assert_array_equal(found[~lacking], statistic.rh_data)
    assert (found[lacking] == 0).all()
    np.testing.assert_array_equal(again.p_values.rh_data[lacking], 1.0)
    np.testing.assert_array_equal(again.p_values.rh_data[~lacking], 0.01)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p: p.copy().crop(0.0, 0.01), "two objects of one kind and size"),
        (lambda p: 100 * p, "p values must be from 0 to 1"),
        (lambda _: None, "the p values are None: expected two objects of one kind and size"),
    ],
)
def test_a_pair_that_is_none_is_refused(of_sources, channels, change, words):
    test, surface = of_sources
    pair = mb.to_statistics(test, channels=channels, surface=surface)
    odd = dataclasses.replace(pair, p_values=change(pair.p_values))
    with pytest.raises(ConversionError, match=words):
        mb.from_statistics(odd, channels=channels)


def test_what_is_no_pair_of_estimates_is_named():
    numbers = np.full((3, 2), 0.5)
    with pytest.raises(ArgumentError, match="pair must be StatisticPair, found ndarray"):
        mb.from_statistics(numbers)
    with pytest.raises(ArgumentError, match=r"stc must be SourceEstimate .*, found ndarray"):
        mb.from_statistics(mb.StatisticPair(statistic=numbers, p_values=numbers))


def test_of_times_that_were_averaged(of_sources, channels):
    test, surface = of_sources
    one = dataclasses.replace(test, tmap=test.tmap[:, :1], pmap=test.pmap[:, :1])
    pair = mb.to_statistics(one, channels=channels, surface=surface)
    assert pair.statistic.shape[1] == 1
    assert pair.statistic.tmin == pytest.approx(test.time[0])
    first, last = test.time[[0, -1]]
    said = f"Time: {first:g} to {last:g} s were tested as one: the maps are at the first"
    assert said in str(mb.conversion_report(pair))
    untold = mb.to_statistics(dataclasses.replace(one, time=None), surface=surface)
    assert (untold.statistic.tmin, "Time: none is stored" in str(mb.conversion_report(untold))) == (
        0, True
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"type": "matrix"}, "'matrix'"),
        ({"pmap": None}, "holds no pmap"),
        ({"tmap": np.ones((69, 151, 2))}, "several frequencies"),
        ({"type": "results", "n_components": 3}, "3 components"),
        ({"time": None}, "has 0 samples in Time, expected 151"),
    ],
)
def test_tests_without_a_counterpart_are_refused(of_recordings, channels, changes, words):
    with pytest.raises(ConversionError, match=words):
        mb.to_statistics(dataclasses.replace(of_recordings, **changes), channels=channels)


def test_recordings_need_the_channel_file(of_recordings):
    with pytest.raises(ConversionError, match="channel file"):
        mb.to_statistics(of_recordings)
