"""Time–frequency maps and spectra of Brainstorm and of MNE."""

from __future__ import annotations

import dataclasses

import mne
import numpy as np
import pytest

import mne_bstinv as mb
from mne_bstinv import io
from mne_bstinv.errors import ConversionError
from mne_bstinv.maps import measured, morlet_transform, psd_welch


@pytest.fixture(scope="module")
def blink(data_dir):
    return data_dir / "misc" / "data" / "Subject01" / "blink"


@pytest.fixture(scope="module")
def channels(blink):
    return io.read_channels(blink / "channel_vectorview306_acc1.mat")


@pytest.fixture(scope="module")
def bands(blink):
    return io.read_timefreq(blink / "timefreq_trial001_morlet_261126_1728.mat")


@pytest.fixture(scope="module")
def map_(bands, blink, channels):
    """Power of single frequencies, as Brainstorm stores it."""
    recordings = io.read_recordings(blink / "data_blink_trial001.mat")
    rows = [channels.names.index(name) for name in bands.row_names]
    freqs = np.array([8.0, 12.0, 20.0])
    power = measured(morlet_transform(recordings.f[rows], 250.0, freqs), "power")
    return dataclasses.replace(bands, tf=power, freqs=freqs, freq_bands=None, n_avg=3)


@pytest.fixture(scope="module")
def psd(bands, blink, channels):
    recordings = io.read_recordings(blink / "data_blink_trial001.mat")
    rows = [channels.names.index(name) for name in bands.row_names]
    found = psd_welch(recordings.f[rows], 250.0, 0.4)
    return dataclasses.replace(
        bands, tf=found.power[:, np.newaxis], freqs=found.freqs, freq_bands=None, method="psd",
        time=np.array([-0.2, 0.4]),
    )  # fmt: skip


def test_a_map(map_, channels):
    tfr = mb.to_tfr(map_, channels)
    assert isinstance(tfr, mne.time_frequency.AverageTFR)
    assert tfr.ch_names == list(map_.row_names)
    np.testing.assert_array_equal(tfr.data, map_.tf.transpose(0, 2, 1))
    np.testing.assert_allclose(tfr.times, map_.time, atol=1e-12)
    np.testing.assert_array_equal(tfr.freqs, [8, 12, 20])
    assert tfr.nave == 3
    (back,) = mb.from_tfr(tfr, channels=channels)
    np.testing.assert_array_equal(back.tf, map_.tf)
    assert (back.row_names, back.measure, back.n_avg) == (map_.row_names, "power", 3)


def test_a_map_of_magnitudes(map_, channels):
    magnitudes = dataclasses.replace(map_, tf=np.sqrt(map_.tf), measure="magnitude")
    tfr = mb.to_tfr(magnitudes, channels)
    np.testing.assert_allclose(tfr.data, map_.tf.transpose(0, 2, 1))
    assert "squared" in str(mb.conversion_report(tfr))
    (back,) = mb.from_tfr(tfr)
    np.testing.assert_allclose(back.tf, magnitudes.tf)
    assert back.measure == "magnitude"


def test_a_map_of_bands(bands, channels):
    tfr = mb.to_tfr(bands, channels)
    np.testing.assert_array_equal(tfr.freqs, [6, 10])
    assert "theta, alpha" in str(mb.conversion_report(tfr))
    (back,) = mb.from_tfr(tfr)
    assert back.freq_bands == bands.freq_bands
    assert mb.band_names(bands) == ["theta", "alpha"]


def test_complex_coefficients(map_, channels, tmp_path):
    complex_ = dataclasses.replace(map_, tf=np.sqrt(map_.tf) * np.exp(1j), measure="none")
    tfr = mb.to_tfr(complex_, channels)
    assert isinstance(tfr, mne.time_frequency.EpochsTFR)
    (back,) = mb.from_tfr(tfr)
    np.testing.assert_array_equal(back.tf, complex_.tf)
    io.write_timefreq(tmp_path / "timefreq_back.mat", back)
    np.testing.assert_array_equal(io.read_timefreq(tmp_path / "timefreq_back.mat").tf, complex_.tf)


def test_a_map_of_one_time_is_no_spectrum(map_, channels, psd):
    one = dataclasses.replace(map_, tf=map_.tf[:, 3:4], time=map_.time[3:4])
    tfr = mb.to_tfr(one, channels)
    np.testing.assert_array_equal(tfr.data[..., 0], map_.tf[:, 3])
    np.testing.assert_array_equal(tfr.times, one.time)
    assert dataclasses.replace(psd, time=psd.time[:1]).is_spectrum


def test_maps_of_mne_alone(map_, channels):
    rng = np.random.default_rng(0)
    info = mne.create_info(["A", "B"], 100.0, "eeg")
    epochs = mne.time_frequency.EpochsTFRArray(
        info, rng.random((3, 2, 4, 50)), times=np.arange(50) / 100, freqs=np.arange(4.0, 8)
    )
    maps = mb.from_tfr(epochs, comment="mine")
    assert [m.tf.shape for m in maps] == [(2, 50, 4)] * 3
    assert maps[1].comment == "mine"
    np.testing.assert_array_equal(maps[2].tf, epochs.data[2].transpose(0, 2, 1))
    with pytest.raises(ConversionError, match="AverageTFR"):
        mb.from_tfr(info)


def test_a_spectrum(psd, channels):
    spectrum = mb.to_spectrum(psd, channels)
    assert isinstance(spectrum, mne.time_frequency.Spectrum)
    np.testing.assert_array_equal(spectrum.get_data(exclude=()), psd.tf[:, 0])
    np.testing.assert_array_equal(spectrum.freqs, psd.freqs)
    assert spectrum.info["sfreq"] == 2 * psd.freqs[-1]
    assert "twice the last frequency" in str(mb.conversion_report(spectrum))
    whole = mb.to_info(channels, sfreq=1000.0)
    told = mb.to_spectrum(psd, channels, info=whole)
    assert told.info["sfreq"] == 1000.0
    assert "twice the last frequency" not in str(mb.conversion_report(told))
    back = mb.from_spectrum(spectrum, channels=channels)
    np.testing.assert_array_equal(back.tf, psd.tf)
    assert (back.method, back.is_spectrum) == ("psd", True)
    np.testing.assert_array_equal(back.time, psd.time)


@pytest.mark.parametrize("types", [["EEG", "EOG", "Misc"], ["ECG"]], ids="+".join)
def test_a_spectrum_of_channels_that_are_no_data(types, tmp_path):
    """Brainstorm computes spectra of all channels unless it is told types."""
    channels = io.Channels(
        channels=tuple(io.Channel(name=f"E{i}", type=one) for i, one in enumerate(types))
    )
    power = np.random.default_rng(0).random((len(types), 1, 5))
    stored = io.TimeFreq(
        tf=power, freqs=10.0 * np.arange(5), data_type="data", measure="power", method="psd",
        time=np.array([0.0, 1.0]), row_names=channels.names,
    )  # fmt: skip
    spectrum = mb.to_spectrum(stored, channels)
    assert spectrum.get_channel_types() == [one.lower() for one in types]
    np.testing.assert_array_equal(spectrum.get_data(picks="all"), power[:, 0])
    spectrum.save(tmp_path / "x-spectrum.h5")
    read = mne.time_frequency.read_spectrum(tmp_path / "x-spectrum.h5")
    back = mb.from_spectrum(read, channels=channels)
    np.testing.assert_array_equal(back.tf, power)
    assert back.row_names == channels.names


def test_a_spectrum_of_mne_alone():
    info = mne.create_info(["A", "B"], 100.0, "eeg")
    spectrum = mne.time_frequency.SpectrumArray(np.ones((2, 5)), info, np.arange(5.0))
    made = mb.from_spectrum(spectrum)
    assert made.tf.shape == (2, 1, 5)
    assert "does not tell its times" in str(mb.conversion_report(made))
    with pytest.raises(ConversionError, match=r"spectrum must be Spectrum .*, found Info"):
        mb.from_spectrum(info)


def test_a_spectrum_of_sources(blink, channels, data_dir):
    spectrum = io.read_timefreq(blink / "timefreq_fft_261126_1725.mat")
    surface = io.read_surface(data_dir / "misc" / "anat" / spectrum.surface_file)
    estimates = mb.to_source_bands(spectrum, surface=surface, channels=channels, subject="S")
    assert len(estimates) == 76
    assert mb.conversion_report(estimates[1]).kept["band"] == "1.66667 Hz"
    results = mb.from_source_estimate(estimates[5], channels=channels)
    np.testing.assert_allclose(results.image_grid_amp[:, 0], spectrum.tf[:, 0, 5])


def test_a_map_that_still_needs_its_kernel(blink, channels, data_dir, bands):
    _, name, data = io.read_timefreq(
        blink / "timefreq_fft_261126_1725.mat"
    ).data_file.split("|")  # fmt: skip
    kernel = io.read_results(data_dir / "misc" / "data" / name)
    recordings = io.read_recordings(data_dir / "misc" / "data" / data)
    surface = io.read_surface(data_dir / "misc" / "anat" / kernel.surface_file)
    coefficients = morlet_transform(recordings.f[kernel.good_channel - 1], 250.0, [10.0, 20.0])
    stored = io.TimeFreq(
        tf=coefficients, freqs=np.array([10.0, 20.0]), time=recordings.time, data_type="results",
        row_names=np.arange(1.0, len(kernel.imaging_kernel) + 1), measure="none",
        surface_file=kernel.surface_file, head_model_type="surface",
    )  # fmt: skip
    where = {"surface": surface, "channels": channels}
    with pytest.raises(ConversionError, match="give the results with its kernel"):
        mb.to_source_bands(stored, **where)
    ten, twenty = mb.to_source_bands(stored, results=kernel, **where)
    power = np.abs(kernel.imaging_kernel @ coefficients[:, :, 1]) ** 2
    back = mb.from_source_estimate(twenty, channels=channels)
    np.testing.assert_allclose(back.image_grid_amp, power)
    assert ten.shape == twenty.shape


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"data_type": "results"}, "is of 'results'"),
        ({"ref_row_names": ("a",)}, "pairs"),
        ({"time_bands": (("a", "0 1", "mean"),)}, "bands of time"),
        ({"row_names": None}, "no names of channels"),
        ({"row_names": ("odd",) * 31}, "odd"),
        ({"time": np.arange(3.0)}, "3 samples"),
        ({"freqs": None}, "not known"),
    ],
)
def test_maps_without_a_counterpart_are_refused(map_, channels, changes, words):
    with pytest.raises(ConversionError, match=words):
        mb.to_tfr(dataclasses.replace(map_, **changes), channels)


def test_a_map_is_no_spectrum_and_the_other_way_round(map_, psd, channels):
    with pytest.raises(ConversionError, match="use to_tfr"):
        mb.to_spectrum(map_, channels)
    with pytest.raises(ConversionError, match="use to_spectrum"):
        mb.to_tfr(psd, channels)
    with pytest.raises(ConversionError, match="to_source_bands"):
        mb.to_source_bands(map_)
