"""Covariances to MNE and back, and Brainstorm's estimator on MNE's recordings."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from types import SimpleNamespace

import mne
import numpy as np
import pytest

from mne_bstinv import io
from mne_bstinv.adapters.recordings.covariance import (
    from_covariance,
    noise_cov_from,
    to_covariance,
    with_moments,
)
from mne_bstinv.adapters.recordings.noise_estimator import noise_window
from mne_bstinv.adapters.recordings.to_mne import to_epochs, to_evoked, to_raw_array
from mne_bstinv.conversion import Findings, carry, conversion_report
from mne_bstinv.errors import ConversionError

#: Covariance files whose recordings are there, relative to a protocol's ``data/Subject01``.
ESTIMATED = [
    "eeg_shared/data/Subject01/@default_study/noisecov_full.mat",
    "eeg_surface/data/Subject01/evoked/ndatacov_full.mat",
    "eeg_surface/data/Subject01/evoked/noisecov_full.mat",
    "eeg_volume/data/Subject01/oddball/ndatacov_full.mat",
    "eeg_volume/data/Subject01/oddball/noisecov_full.mat",
    "meg_eeg/data/Subject01/evoked/ndatacov_full.mat",
    "meg_eeg/data/Subject01/evoked/noisecov_full.mat",
    "mixed/data/Subject01/mixed/noisecov_full.mat",
]
LOCAL = [
    "eeg_surface/data/Subject01/evoked/ndatacov_full.mat",
    "eeg_surface/data/Subject01/evoked/noisecov_full.mat",
    "eeg_volume/data/Subject01/oddball/ndatacov_full.mat",
    "eeg_volume/data/Subject01/oddball/noisecov_full.mat",
    "meg_ctf/data/Subject01/median_nerve/ndatacov_full.mat",
    "meg_ctf/data/Subject01/median_nerve/noisecov_full.mat",
    "meg_neuromag/data/Subject01/auditory/ndatacov_full.mat",
    "mixed/data/Subject01/mixed/noisecov_full.mat",
]
IMPORTED = "meg_neuromag/data/Subject01/auditory/noisecov_test-cov.mat"


def channels_of(file: Path) -> io.Channels:
    folders = [file.parent, file.parent.parent / "@default_study"]
    found = [channel for folder in folders for channel in sorted(folder.glob("channel*.mat"))]
    return io.read_channels(found[0])


def sources_of(file: Path, cov: io.NoiseCov) -> list[Path]:
    """The recordings that the history of a covariance names."""
    data = next(folder for folder in file.parents if folder.name == "data")
    return [data / text for _, kind, text in cov.history if kind == "src"]


def windows_of(cov: io.NoiseCov) -> dict[str, object]:
    """The time windows that the history of a covariance names."""
    found = re.findall(r"\[(-?\d+), (-?\d+)\]ms", cov.history[0][2])
    windows = [(int(first) / 1000, int(last) / 1000) for first, last in found]
    if not windows:
        return {}
    options: dict[str, object] = {"tmin": windows[0][0], "tmax": windows[0][1]}
    return options | ({"baseline": windows[1]} if len(windows) > 1 else {})


def assert_same(first: io.NoiseCov, second: io.NoiseCov) -> None:
    """Equal to 1e-12 of the standard deviations of each pair of channels."""
    std = np.sqrt(np.diag(second.noise_cov))
    assert np.all(np.abs(first.noise_cov - second.noise_cov) <= 1e-12 * np.outer(std, std))
    assert second.fourth_moment is not None
    scale = np.sqrt(np.diag(second.fourth_moment))
    difference = np.abs(first.fourth_moment - second.fourth_moment)
    assert np.all(difference <= 1e-12 * np.outer(scale, scale))
    np.testing.assert_array_equal(first.n_samples, second.n_samples)


def check_estimator(file: Path) -> None:
    cov = io.read_noise_cov(file)
    evokeds = [
        to_evoked(io.read_recordings(source), channels_of(source))
        for source in sources_of(file, cov)
    ]
    estimated = noise_cov_from(evokeds, channels=channels_of(file), **windows_of(cov))
    assert_same(estimated, cov)


@pytest.mark.parametrize("name", ESTIMATED)
def test_estimator_equals_brainstorm(data_dir: Path, name: str) -> None:
    check_estimator(data_dir / name)


@pytest.mark.parametrize("name", LOCAL)
def test_estimator_equals_brainstorm_on_real_sensors(shared_dir: Path, name: str) -> None:
    check_estimator(shared_dir / "oracle" / "local" / name)


@pytest.fixture
def surface_study(data_dir: Path) -> tuple[io.NoiseCov, io.Channels, list[io.Recordings]]:
    file = data_dir / "eeg_surface/data/Subject01/evoked/noisecov_full.mat"
    cov = io.read_noise_cov(file)
    recordings = [io.read_recordings(source) for source in sources_of(file, cov)]
    return cov, channels_of(file), recordings


def test_raws_and_epochs_are_files(surface_study) -> None:
    cov, channels, recordings = surface_study
    raws = [to_raw_array(each, channels) for each in recordings]
    assert_same(noise_cov_from(raws, channels=channels), cov)
    epochs = to_epochs(recordings, channels)
    assert_same(noise_cov_from(epochs, channels=channels), cov)
    assert_same(noise_cov_from(epochs), cov)  # the same channels
    # the mean of each file is removed, not that of all
    joined = mne.concatenate_raws([raw.copy() for raw in raws])
    joined.annotations.delete(range(len(joined.annotations)))
    other = noise_cov_from(joined, channels=channels)
    assert np.linalg.norm(other.noise_cov - cov.noise_cov) > 1e-3 * np.linalg.norm(cov.noise_cov)


def test_leff_weights_averages(data_dir: Path) -> None:
    file = data_dir / "mixed/data/Subject01/mixed/data_average_240105_1200.mat"
    recordings, channels = io.read_recordings(file), channels_of(file)
    one = noise_cov_from(to_evoked(dataclasses.replace(recordings, n_avg=1, leff=1), channels))
    half = noise_cov_from(to_evoked(dataclasses.replace(recordings, n_avg=3, leff=2.5), channels))
    np.testing.assert_allclose(half.noise_cov, 2.5 * one.noise_cov, rtol=1e-13)
    np.testing.assert_allclose(half.fourth_moment, 2.5 * one.fourth_moment, rtol=1e-13)
    np.testing.assert_array_equal(half.n_samples, one.n_samples)
    evoked = to_evoked(dataclasses.replace(recordings, n_avg=3, leff=2.5), channels)
    evoked.nave = 4  # averaged anew: the kept Leff says nothing any more
    np.testing.assert_allclose(noise_cov_from(evoked).noise_cov, 4 * one.noise_cov, rtol=1e-13)


def test_estimator_with_fewer_channels_and_bad_segments(surface_study) -> None:
    cov, channels, recordings = surface_study
    raw = to_raw_array(recordings[0], channels)
    raw.set_annotations(mne.Annotations([0.1], [0.1], ["BAD_blink"]))
    raw.drop_channels([channels.names[0]])
    estimated = noise_cov_from(raw, channels=channels)
    assert not estimated.noise_cov[0].any()
    assert estimated.n_samples[0, 0] == 2
    assert estimated.noise_cov.shape == cov.noise_cov.shape
    text = str(conversion_report(estimated))
    assert estimated.n_samples.max() == raw.n_times - 26  # both ends of 0.1 s at 250 Hz
    assert f"zeros: {channels.names[0]}" in text


def test_estimator_refuses(surface_study) -> None:
    _, channels, recordings = surface_study
    evoked = to_evoked(recordings[0], channels)
    fewer = dataclasses.replace(channels, channels=channels.channels[1:])
    with pytest.raises(ConversionError, match=channels.names[0]):
        noise_cov_from(evoked, channels=fewer)
    with pytest.raises(ConversionError, match="is empty"):
        noise_cov_from(evoked, tmin=0.3, tmax=0.1)
    with pytest.raises(ConversionError, match="Recordings must be Raw, Epochs, Evoked"):
        noise_cov_from(recordings[0])
    with pytest.raises(ConversionError, match="No recordings"):
        noise_cov_from([])
    evoked.info["bads"] = evoked.ch_names
    with pytest.raises(ConversionError, match="no good MEG"):
        noise_cov_from(evoked)


def covariance_files(folder: Path) -> list[Path]:
    """The covariances of the studies of protocols, which have a channel file."""
    found = sorted(folder.rglob("noisecov_*.mat")) + sorted(folder.rglob("ndatacov_*.mat"))
    return [file for file in found if "data" in file.relative_to(folder).parts]


def check_round_trip(file: Path, tmp_path: Path) -> None:
    cov, channels = io.read_noise_cov(file), channels_of(file)
    there = to_covariance(cov, channels)
    back = from_covariance(there, channels)
    for name in ("noise_cov", "fourth_moment", "n_samples"):
        np.testing.assert_array_equal(getattr(back, name), getattr(cov, name))
    assert (back.comment, back.history) == (cov.comment, cov.history)
    assert not conversion_report(back)
    computed = cov.noise_cov.any(axis=0)
    zeros = [name for name, there_is in zip(channels.names, computed, strict=True) if not there_is]
    named = [f for f in conversion_report(there).of("dropped") if f.field == "NoiseCov"]
    assert named[0].reason.endswith(": " + ", ".join(zeros)) if zeros else not named
    # FIF files hold the lower triangle, in double precision
    fname = tmp_path / "x-cov.fif"
    there.save(fname)
    read = mne.read_cov(fname)
    assert read["nfree"] == there["nfree"]
    lower = np.tril(cov.noise_cov)
    expected = lower + np.tril(lower, -1).T
    np.testing.assert_array_equal(from_covariance(read, channels).noise_cov, expected)


def test_round_trip_of_every_protocol(data_dir: Path, sample_dir: Path, tmp_path: Path) -> None:
    files = covariance_files(data_dir) + covariance_files(sample_dir)
    assert len(files) >= 9
    for number, file in enumerate(files):
        folder = tmp_path / str(number)
        folder.mkdir()
        check_round_trip(file, folder)


def test_round_trip_of_local_protocols(shared_dir: Path, tmp_path: Path) -> None:
    files = covariance_files(shared_dir / "oracle" / "local")
    assert len(files) >= 9
    for number, file in enumerate(files):
        folder = tmp_path / str(number)
        folder.mkdir()
        check_round_trip(file, folder)


def test_nfree_and_bads(sample_dir: Path) -> None:
    file = next(sample_dir.rglob("noisecov_full.mat"))
    cov, channels = io.read_noise_cov(file), channels_of(file)
    flag = np.ones(len(channels), dtype=int)
    computed = np.flatnonzero(cov.noise_cov.any(axis=0))
    flag[computed[[3, 5]]] = -1
    there = to_covariance(cov, channels, channel_flag=flag)
    assert there["nfree"] == 539
    assert type(there["nfree"]) is int
    assert there["bads"] == [channels.names[i] for i in computed[[3, 5]]]
    assert there["projs"] == []
    assert not there["diag"]
    assert "bads" in str(conversion_report(from_covariance(there, channels)))


@pytest.mark.parametrize(
    ("n_samples", "nfree", "severity"), [(None, 1, "assumed"), (541.0, 540, "derived")]
)
def test_scalar_or_no_n_samples(sample_dir: Path, n_samples, nfree: int, severity: str) -> None:
    file = next(sample_dir.rglob("noisecov_full.mat"))
    cov = dataclasses.replace(io.read_noise_cov(file), n_samples=n_samples)
    there = to_covariance(cov, channels_of(file))
    assert there["nfree"] == nfree
    assert [f.severity for f in conversion_report(there) if f.field == "nfree"] == [severity]
    assert from_covariance(there, channels_of(file)).n_samples == n_samples


def test_smallest_count_of_pairs(data_dir: Path) -> None:
    file = data_dir / "eeg_shared/data/Subject01/@default_study/noisecov_full.mat"
    there = to_covariance(io.read_noise_cov(file), channels_of(file))
    assert there["nfree"] == 60
    assert any("from 61 to 183" in f.reason for f in conversion_report(there).of("assumed"))


def test_diagonal_covariances(sample_dir: Path, tmp_path: Path) -> None:
    file = next(sample_dir.rglob("noisecov_full.mat"))
    full, channels = io.read_noise_cov(file), channels_of(file)
    cov = dataclasses.replace(full, noise_cov=np.diag(np.diag(full.noise_cov)))
    there = to_covariance(cov, channels)
    assert there["diag"]
    assert there.data.ndim == 1
    np.testing.assert_array_equal(from_covariance(there, channels).noise_cov, cov.noise_cov)
    there.save(tmp_path / "x-cov.fif")
    read = mne.read_cov(tmp_path / "x-cov.fif")
    assert read["diag"]
    np.testing.assert_array_equal(from_covariance(read, channels).noise_cov, cov.noise_cov)
    # MNE takes the full form of the same matrix for the same covariance
    info = to_evoked(io.read_recordings(next(file.parent.glob("data_*.mat"))), channels).info
    square = there.copy()
    square.update(data=np.diag(there.data), diag=False)
    info = mne.pick_info(info, mne.pick_types(info, meg="mag", exclude="bads"))
    whiteners = [mne.cov.compute_whitener(each, info)[0] for each in (there, square)]
    grams = [whitener.T @ whitener for whitener in whiteners]
    np.testing.assert_allclose(grams[0], grams[1], rtol=0, atol=1e-10 * np.abs(grams[0]).max())


def test_changed_covariance_loses_the_fourth_moment(sample_dir: Path) -> None:
    file = next(sample_dir.rglob("noisecov_full.mat"))
    cov, channels = io.read_noise_cov(file), channels_of(file)
    there = to_covariance(cov, channels).copy()
    there["data"] = 2 * there["data"]
    back = from_covariance(there, channels)
    assert_gaussian(back, count=540)
    np.testing.assert_array_equal(back.noise_cov, 2 * cov.noise_cov)
    assert any(f.field == "FourthMoment" for f in conversion_report(back).of("dropped"))


def assert_gaussian(cov: io.NoiseCov, *, count: float) -> None:
    """Fourth moments of Gaussian signals; counts of all pairs, 2 where nothing was computed."""
    assert cov.fourth_moment is not None
    variance = np.diag(cov.noise_cov)
    for i, row in enumerate(cov.noise_cov):
        # E[x² y²] of jointly Gaussian x and y
        np.testing.assert_array_equal(cov.fourth_moment[i], variance[i] * variance + 2 * row**2)
    computed = cov.noise_cov.any(axis=0)
    assert isinstance(cov.n_samples, np.ndarray)
    assert cov.n_samples.shape == cov.noise_cov.shape == cov.fourth_moment.shape
    assert set(cov.n_samples[np.outer(computed, computed)]) == {float(count)}
    assert set(cov.n_samples[~np.outer(computed, computed)]) <= {2.0}


def test_a_covariance_of_some_channels_keeps_their_moments_and_counts(data_dir: Path) -> None:
    file = data_dir / "eeg_shared/data/Subject01/@default_study/noisecov_full.mat"
    cov, channels = io.read_noise_cov(file), channels_of(file)
    there = to_covariance(cov, channels)
    part = mne.pick_channels_cov(there, there.ch_names[3:], ordered=True)
    carry(part, conversion_report(there))
    back = from_covariance(part, channels)
    index = [channels.names.index(name) for name in part.ch_names]
    rest = np.setdiff1d(np.arange(len(channels)), index)
    for name, nothing in (("noise_cov", 0), ("fourth_moment", 0), ("n_samples", 2)):
        ours, theirs = getattr(back, name), getattr(cov, name)
        np.testing.assert_array_equal(ours[np.ix_(index, index)], theirs[np.ix_(index, index)])
        assert set(ours[rest].ravel()) == set(ours[:, rest].ravel()) == {nothing}
    assert not any(f.field == "FourthMoment" for f in conversion_report(back))


def test_gaussian_moments_are_those_of_gaussian_signals(sample_dir: Path) -> None:
    """Of many Gaussian samples, Brainstorm's estimator gives what is filled in, up to chance."""
    rng, n = np.random.default_rng(5), 200_000
    mixing = np.array([[1.0, 0, 0], [0.8, 0.6, 0], [-0.5, 0.3, 0.4]])
    info = mne.create_info(["a", "b", "c"], 100.0, "eeg")
    raw = mne.io.RawArray(mixing @ rng.standard_normal((3, n)), info, verbose="error")
    estimated = noise_cov_from(raw)
    findings = Findings()
    filled = with_moments(
        dataclasses.replace(estimated, fourth_moment=None, n_samples=None), findings
    )
    assert {f.field for f in findings.report} == {"FourthMoment", "nSamples"}
    # the standard deviation of x² y² is below 10 σ² σ², and there are 200,000 of them
    scale = np.sqrt(np.outer(*2 * [np.diag(estimated.fourth_moment)]))
    assert np.abs(filled.fourth_moment - estimated.fourth_moment).max() < 5 * 10 / np.sqrt(n)
    assert scale.min() > 0.1
    assert with_moments(filled, Findings()).n_samples is filled.n_samples


def test_real_covariance_and_names(shared_dir: Path) -> None:
    """Brainstorm's import of MNE's covariance is the same matrix, with names spelled otherwise."""
    file = shared_dir / "oracle" / "local" / IMPORTED
    imported, channels = io.read_noise_cov(file), channels_of(file)
    original = mne.read_cov(shared_dir / "real" / "mne_sample" / "test-cov.fif")
    converted = from_covariance(original, channels)
    np.testing.assert_allclose(converted.noise_cov, imported.noise_cov, rtol=1e-12)
    assert_gaussian(converted, count=original["nfree"] + 1)
    assert "projs" in str(conversion_report(converted))
    again = to_covariance(converted, channels)
    np.testing.assert_array_equal(again.data, original.data)
    assert again.ch_names == original.ch_names
    assert again["nfree"] == original["nfree"]
    squeezed = original.copy()
    squeezed["names"] = [name.replace(" ", "") for name in original.ch_names]
    np.testing.assert_array_equal(
        from_covariance(squeezed, channels).noise_cov, converted.noise_cov
    )


def test_a_channel_of_nan_alone_is_dropped_as_one_of_zeros(sample_dir: Path) -> None:
    """Of a bad channel; the others are whole."""
    file = next(sample_dir.rglob("noisecov_full.mat"))
    cov, channels = io.read_noise_cov(file), channels_of(file)
    expected = to_covariance(cov, channels)
    gone = expected.ch_names[3]
    row = channels.names.index(gone)
    broken = cov.noise_cov.copy()
    broken[row] = broken[:, row] = np.nan
    found = to_covariance(dataclasses.replace(cov, noise_cov=broken), channels)
    assert found.ch_names == [name for name in expected.ch_names if name != gone]
    np.testing.assert_array_equal(
        found.data, mne.pick_channels_cov(expected, exclude=[gone], ordered=True).data
    )
    (told,) = [f for f in conversion_report(found) if "no covariance" in str(f)]
    assert "rows of zeros or NaN" in str(told)
    assert gone in str(told)


def test_wrong_pairs(sample_dir: Path, data_dir: Path) -> None:
    file = next(sample_dir.rglob("noisecov_full.mat"))
    cov, channels = io.read_noise_cov(file), channels_of(file)
    other = channels_of(data_dir / "eeg_surface/data/Subject01/evoked/noisecov_full.mat")
    with pytest.raises(ConversionError, match="135 channels, the channel file 33"):
        to_covariance(cov, other)
    with pytest.raises(ConversionError, match="MEG"):
        from_covariance(to_covariance(cov, channels), other)
    broken = cov.noise_cov.copy()
    broken[7, 7] = np.nan
    with pytest.raises(ConversionError, match=f"not finite for .*{channels.names[7]}"):
        to_covariance(dataclasses.replace(cov, noise_cov=broken), channels)
    with pytest.raises(ConversionError, match="zero for all"):
        to_covariance(dataclasses.replace(cov, noise_cov=0 * cov.noise_cov), channels)
    with pytest.raises(ConversionError, match="ChannelFlag has 2"):
        to_covariance(cov, channels, channel_flag=[1, 1])


def test_asymmetry_and_unknown_counts_are_reported(sample_dir: Path) -> None:
    file = next(sample_dir.rglob("noisecov_full.mat"))
    cov, channels = io.read_noise_cov(file), channels_of(file)
    skew = cov.noise_cov.copy()
    skew[10, 11] *= 1.5
    there = to_covariance(dataclasses.replace(cov, noise_cov=skew), channels)
    assert "not symmetric" in str(conversion_report(there))
    ad_hoc = mne.Covariance(np.ones(2), channels.names[:2], [], [], nfree=0)
    back = from_covariance(ad_hoc, channels)
    assert_gaussian(back, count=2)
    assert any(f.field == "nSamples" for f in conversion_report(back).of("assumed"))


@pytest.mark.parametrize(
    ("begins", "given", "window", "assumed"),
    [
        ((-0.1,), None, (None, 0.0), True),
        ((-0.1,), (-0.05, None), (-0.05, 0.0), True),
        ((-0.1,), (None, 0.2), (None, 0.2), False),
        ((-0.1,), (0.1, None), (0.1, None), False),
        ((0.0,), None, (None, None), False),
        ((-1e-9,), None, (None, None), False),  # 0, rounded
        ((-0.1, -0.2), None, (None, 0.0), True),
        ((-0.1, 0.1), None, (None, None), False),
        ((-0.5,), None, (None, 0.0), False),  # nothing follows
    ],
)
def test_noise_is_what_comes_before_the_stimulus(begins, given, window, assumed):
    info = mne.create_info(1, 1000.0, "eeg")
    averages = [mne.EvokedArray(np.zeros((1, 301)), info, tmin=tmin) for tmin in begins]
    findings = Findings()
    assert noise_window(averages, given, findings) == window
    assert noise_window(mne.io.RawArray(np.zeros((1, 9)), info), given, Findings()) == (
        given or (None, None)
    )
    said = conversion_report(findings.attach(SimpleNamespace(), what="", log=False))
    assert len(said.of("assumed")) == assumed
