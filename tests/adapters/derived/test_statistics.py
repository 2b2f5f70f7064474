"""Tests of Brainstorm as estimates and Evokeds of MNE."""

from __future__ import annotations

import dataclasses

import mne
import numpy as np
import pytest

import mne_bstinv as mb
from mne_bstinv import io
from mne_bstinv.errors import ConversionError


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
