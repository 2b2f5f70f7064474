"""Time–frequency maps and spectra: recomputed, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from mne_bstinv.errors import MapError, OptionError
from mne_bstinv.inverse.projectors import projection_operator
from mne_bstinv.io import open_bst, read_channels, read_recordings
from mne_bstinv.maps import (
    average_timefreq,
    band_frequencies,
    fft_spectrum,
    measured,
    morlet_edges,
    morlet_in_bands,
    morlet_transform,
    psd_welch,
    source_timefreq,
)

RNG = np.random.default_rng(6)
RATE = 250.0
ROWS = RNG.normal(size=(3, 300))


def rows_of(case, stored, recordings):
    """Samples of the rows that a map of recordings has."""
    channels = read_channels(case.file("Subject01/blink/channel_vectorview306_acc1.mat"))
    names = [str(name) for name in stored["RowNames"]]
    index = [channels.names.index(name) for name in names]
    return recordings.f[index], recordings.channel_flag[index] > 0


def rate_of(recordings):
    return 1 / (recordings.time[1] - recordings.time[0])


@pytest.mark.processes("misc", "process_timefreq")
def test_morlet_maps_are_recomputed(case, difference):
    stored, edit = case.output(), case.options["edit"]
    wavelet = {"fc": edit["MorletFc"], "fwhm_tc": edit["MorletFwhmTc"]}
    if edit["Output"] == "average":
        epochs = [case.recordings(name) for name in case.inputs]
        parts = [rows_of(case, stored, epoch) for epoch in epochs]
        maps = [
            measured(morlet_transform(f, rate_of(e), stored["Freqs"], **wavelet), edit["Measure"])
            for (f, _), e in zip(parts, epochs, strict=True)
        ]
        found, total = average_timefreq(maps, good=[good for _, good in parts])
        np.testing.assert_array_equal(total, stored["nAvg"])
    elif case.inputs[0].startswith("link|"):
        results, _, recordings = case.estimates(case.inputs[0])
        good = recordings.f[results.good_channel - 1]
        found = morlet_transform(good, rate_of(recordings), stored["Freqs"], **wavelet)
        if not edit["SaveKernel"]:
            found = source_timefreq(
                results.imaging_kernel, found, edit["Measure"], results.n_components
            )
    else:
        recordings = case.recordings(case.inputs[0])
        f, _ = rows_of(case, stored, recordings)
        if len(edit["Freqs"]) == 6 and isinstance(edit["Freqs"][0], str):
            bands = {
                row[0]: tuple(float(part) for part in row[1].split(",")) for row in stored["Freqs"]
            }
            found = morlet_in_bands(f, rate_of(recordings), bands, **wavelet)
        else:
            coefficients = morlet_transform(f, rate_of(recordings), stored["Freqs"], **wavelet)
            found = measured(coefficients, edit["Measure"])
    assert difference(found, stored["TF"]) < 1e-11  # convolved by Fourier transforms
    if stored["TFmask"].size:
        edges = morlet_edges(
            found.shape[1], rate_of(case.recordings(case.inputs[0].split("|")[-1])),
            stored["Freqs"], **wavelet,
        )  # fmt: skip
        np.testing.assert_array_equal(~edges, stored["TFmask"].astype(bool))


@pytest.mark.processes("misc", "process_fft")
def test_a_spectrum_of_sources_is_recomputed(case, difference):
    results, _, recordings = case.estimates(case.inputs[0])
    stored = case.output()
    found = fft_spectrum(
        recordings.f[results.good_channel - 1], rate_of(recordings), kernel=results.imaging_kernel
    )
    assert difference(found.power, stored["TF"]) < 1e-13
    np.testing.assert_allclose(found.freqs, stored["Freqs"], rtol=1e-14)


@pytest.mark.processes("misc", "process_psd")
def test_a_spectrum_of_a_continuous_file_is_recomputed(case, difference):
    stored = case.output()
    folder = "Subject01/@rawart"
    channels = read_channels(case.file(f"{folder}/channel_vectorview306_acc1.mat"))
    link = read_recordings(case.file(case.inputs[0])).link
    samples = open_bst(case.file(f"{folder}/{link.base_name}")).read(0, 5000)
    active = [p for p in channels.projectors if p.status == 1]
    samples = projection_operator(active, len(samples)) @ samples
    start, stop = case.options["timewindow"][0]
    events = {event.label: event.times for event in link.events}
    rows = [channels.names.index(str(name)) for name in stored["RowNames"]]
    found = psd_welch(
        samples[rows, int(start * RATE) : int(stop * RATE) + 1],
        RATE,
        case.options["win_length"][0],
        case.options["win_overlap"][0],
        bad_segments=[tuple(events["BAD"].ravel())],
    )
    assert found.n_windows == 34  # Comment: 'PSD: 34/1000ms Power (MEG, EEG)'
    assert difference(found.power, stored["TF"]) < 1e-13
    assert (np.abs(found.power / stored["TF"] - 1)).max() < 1e-11
    np.testing.assert_allclose(found.freqs, stored["Freqs"], rtol=1e-14)


def test_a_wavelet_by_hand():
    """The convolution with the sampled wavelet, its central part."""
    frequency, fc, fwhm = 20.0, 1.0, 3.0
    sigma, scale = fwhm / np.sqrt(8 * np.log(2)), frequency / fc
    t = np.arange(-3 * sigma / scale, 3 * sigma / scale + 1e-12, 1 / RATE)
    wavelet = np.sqrt(scale) * (sigma * np.sqrt(np.pi)) ** -0.5
    wavelet = wavelet * np.exp(-((scale * t) ** 2) / (2 * sigma**2) + 2j * np.pi * scale * t)
    x = ROWS[0] - ROWS[0].mean()
    first = int(np.ceil((len(wavelet) - 1) / 2))
    expected = np.convolve(x, wavelet)[first : first + 300] / RATE
    found = morlet_transform(ROWS[:1], RATE, [frequency])[0, :, 0]
    np.testing.assert_allclose(found, expected, atol=1e-12 * np.abs(expected).max())


def test_a_wavelet_may_be_longer_than_the_rows():
    assert morlet_transform(ROWS[:, :60], RATE, [2.0]).shape == (3, 60, 1)


def test_the_mean_does_not_count():
    np.testing.assert_allclose(
        morlet_transform(ROWS + 5, RATE, [10.0]), morlet_transform(ROWS, RATE, [10.0]), atol=1e-12
    )


def test_bands():
    bands = {"theta": (5.0, 7.0), "alpha": (8.0, 12.0), "both": (5.0, 12.0)}
    freqs = band_frequencies(bands)
    np.testing.assert_allclose(freqs[:4], [5, 5 + 2 / 3, 5 + 4 / 3, 7])
    power = measured(morlet_transform(ROWS, RATE, freqs), "power")
    found = morlet_in_bands(ROWS, RATE, bands)
    # frequencies of other bands count where they lie inside
    inside = (freqs >= 8) & (freqs <= 12)
    assert inside.sum() > 4
    np.testing.assert_allclose(found[..., 1], power[..., inside].mean(axis=-1))
    np.testing.assert_allclose(found[..., 2], power.mean(axis=-1))


def test_measures():
    coefficients = np.array([[3 + 4j], [1j], [2.0], [0], [0], [1]])
    np.testing.assert_array_equal(measured(coefficients, "none"), coefficients)
    np.testing.assert_array_equal(measured(coefficients, "magnitude")[:2], [[5], [1]])
    np.testing.assert_array_equal(measured(coefficients, "power", 3), [[25 + 1 + 4], [1]])
    kernel = RNG.normal(size=(6, 6))
    np.testing.assert_allclose(
        source_timefreq(kernel, coefficients, "power", 3),
        measured(kernel @ coefficients, "power", 3),
    )


def test_edges_grow_with_the_wavelet():
    edges = morlet_edges(100, RATE, [5.0, 20.0, 80.0])
    assert edges[0].all()
    assert (np.diff(edges.sum(axis=1)) < 0).all()
    np.testing.assert_array_equal(edges, edges[:, ::-1])


@pytest.mark.parametrize("overlap", [0, 50, 75])
def test_a_spectrum_is_the_one_of_scipy(overlap):
    """Welch's density, but for a symmetric window and half of the first and the last bin."""
    found = psd_welch(ROWS, RATE, 0.4, overlap)
    freqs, expected = signal.welch(
        ROWS, RATE, window=np.hamming(100), nperseg=100, noverlap=overlap, detrend="constant"
    )
    np.testing.assert_allclose(found.freqs, freqs)
    np.testing.assert_allclose(found.power, expected, rtol=1e-10)


def test_windows_are_even():
    assert len(psd_welch(ROWS, RATE, 101 / RATE).freqs) == 51
    assert len(fft_spectrum(ROWS[:, :299], RATE).freqs) == 150
    np.testing.assert_array_equal(
        fft_spectrum(ROWS[:, :299], RATE).power, fft_spectrum(ROWS[:, :298], RATE).power
    )


def test_windows_that_touch_a_bad_segment_are_left_out():
    values = ROWS.copy()
    values[:, 100] = 1e6
    found = psd_welch(values, RATE, 0.4, 0, bad_segments=[(0.4, 0.4)])
    both = np.concatenate([ROWS[:, :100], ROWS[:, 200:]], axis=1)
    np.testing.assert_allclose(found.power, psd_welch(both, RATE, 0.4, 0).power)
    later = psd_welch(values, RATE, 0.4, 0, bad_segments=[(10.4, 10.4)], first_time=10.0)
    np.testing.assert_array_equal(later.power, found.power)
    # the last sample of the first window
    assert psd_welch(ROWS, RATE, 0.4, 0, bad_segments=[(99 / RATE, 99.4 / RATE)]).n_windows == 2
    with pytest.raises(MapError, match="No window is left"):
        psd_welch(ROWS, RATE, 0.4, 0, bad_segments=[(-1, 2)])


def test_normalised_units():
    physical, normalized = (fft_spectrum(ROWS, RATE, units=u) for u in ("physical", "normalized"))
    np.testing.assert_allclose(normalized.power, physical.power * RATE)
    np.testing.assert_allclose(normalized.freqs[[0, -1]], [0, 0.5])


def test_a_kernel_is_applied_to_the_spectra():
    kernel = RNG.normal(size=(6, 3))
    np.testing.assert_allclose(
        psd_welch(ROWS, RATE, 0.4, kernel=kernel).power, psd_welch(kernel @ ROWS, RATE, 0.4).power
    )
    free = psd_welch(ROWS, RATE, 0.4, kernel=kernel, n_components=3)
    one = psd_welch(ROWS, RATE, 0.4, kernel=kernel).power
    np.testing.assert_allclose(free.power, one.reshape(2, 3, -1).sum(axis=1))
    assert "windows" in repr(free)


def test_averages_of_maps():
    maps = [np.ones((2, 3, 1)), 4 * np.ones((2, 3, 1))]
    mean, total = average_timefreq(maps, n_avg=[1, 2], good=[[True, False], [True, True]])
    np.testing.assert_array_equal(mean[:, 0, 0], [3, 4])
    np.testing.assert_array_equal(total, [3, 2])
    mean, _ = average_timefreq(maps, good=np.zeros((2, 2)))
    assert np.isnan(mean).all()


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: morlet_transform(ROWS, RATE, [0.0]), OptionError, "freqs"),
        (lambda: morlet_transform(ROWS, 0, [1.0]), OptionError, "sfreq"),
        (lambda: morlet_transform(ROWS, RATE, [1.0], fc=-1), OptionError, "fc"),
        (lambda: morlet_transform(ROWS, RATE, [1.0], fwhm_tc=0), OptionError, "fwhm_tc"),
        (lambda: morlet_transform(ROWS * np.nan, RATE, [1.0]), MapError, "not finite"),
        (lambda: band_frequencies({}), OptionError, "band"),
        (lambda: band_frequencies({"a": (8, 5)}), OptionError, "'a' must go up"),
        (lambda: morlet_in_bands(ROWS, RATE, {"a": (5, 8)}, measure="none"), OptionError, "power"),
        (lambda: measured(ROWS, "phase"), OptionError, "magnitude"),
        (lambda: measured(ROWS[:2], "power", 3), MapError, "3 components"),
        (lambda: source_timefreq(np.ones((2, 4)), ROWS[:, :, None]), MapError, "4 channels"),
        (lambda: psd_welch(ROWS, RATE, 0.1), MapError, "50 samples"),
        (lambda: psd_welch(ROWS, RATE, 0.4, 100), OptionError, "overlap"),
        (lambda: psd_welch(ROWS, RATE, 0.4, kernel=np.ones((2, 4))), MapError, "4 columns"),
        (lambda: fft_spectrum(ROWS, RATE, units="relative"), OptionError, "physical"),
        (lambda: fft_spectrum(ROWS[:, :40], RATE), MapError, "50 samples"),
        (lambda: average_timefreq([]), MapError, "one shape"),
        (lambda: average_timefreq([ROWS], n_avg=[1, 2]), MapError, "1 entries"),
    ],
)
def test_wrong_arguments_are_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()
