"""The rules of continuous recordings, against plain loops, and what is refused."""

from __future__ import annotations

import dataclasses
import sys

import numpy as np
import pytest

from mne_bstinv import io
from mne_bstinv.continuous import (
    CovarianceOptions,
    Reading,
    Recording,
    SspOptions,
    average_reference,
    bad_segments,
    covariance,
    event_blocks,
    file_name,
    in_segments,
    read,
    rows_of,
    ssp,
    time_blocks,
)
from mne_bstinv.errors import ConversionError, OptionError
from mne_bstinv.inverse.channels import select_channels

TYPES = ("EEG", "EEG", "EEG", "Stim", "MEG GRAD", "MEG REF")


def make(n=500, sfreq=100.0, first=20, events=(), seed=0, **values):
    samples = np.random.default_rng(seed).standard_normal((len(TYPES), n))
    recording = Recording(
        samples=lambda start, stop: samples[:, start:stop].copy(),
        sfreq=sfreq,
        first=first,
        n_samples=n,
        names=tuple("ABCSMR"),
        types=TYPES,
        channel_flag=np.array([1, 1, -1, 1, 1, 1]),
        events=tuple(events),
    )
    return dataclasses.replace(recording, **values), samples


def event(label, *times, channels=None):
    return io.Event(label=label, times=np.array(times), channels=channels)


def test_rows_by_type_and_name():
    assert rows_of(TYPES, ["eeg"]).tolist() == [0, 1, 2]
    assert rows_of(TYPES, ["MEG"]).tolist() == [4]  # without the references
    assert rows_of(TYPES, ["S", "Stim"], tuple("ABCSMR")).tolist() == [3]
    assert rows_of(TYPES, ["B", "EEG"], tuple("ABCSMR")).tolist() == [0, 1, 2]
    assert rows_of(TYPES, []).tolist() == []


def test_one_rule_says_which_channels_are_good():
    """As for kernels and MNE: a flag that is neither 1 nor -1 makes no channel bad."""
    flags = np.array([1, 0, -1, 1, 1, 1])
    recording, _ = make(channel_flag=flags)
    assert recording.good.tolist() == [0, 1, 3, 4, 5]
    channels = io.Channels(channels=tuple(io.Channel(name=n, type="EEG") for n in "ABCSMR"))
    assert select_channels(channels, flags, "EEG").tolist() == recording.good.tolist()


def test_bad_segments_hold_both_ends():
    events = [event("BAD", [0.3], [0.35]), event("fine", [0.5]), event("x_bad", [0.4], [0.4]),
              event("BAD", [np.nan], [1.0])]  # fmt: skip
    segments = bad_segments(events, 100.0)
    assert [(s.first, s.last) for s in segments] == [(30, 35), (40, 40)]
    inside = in_segments(segments, 32, 10)
    assert np.flatnonzero(inside).tolist() == [0, 1, 2, 3, 8]


@pytest.mark.parametrize("offset", ["block", "all"])
@pytest.mark.parametrize("window", [None, (1.0, 3.0)])
def test_covariance_is_that_of_a_loop(monkeypatch, offset, window):
    """In several blocks, with bad segments over their borders."""

    monkeypatch.setattr(sys.modules["mne_bstinv.continuous.covariance"], "BLOCK", 60)
    events = [event("BAD", [0.7, 2.5], [0.85, 2.52]), event("BAD_c", [1.2], [1.3],
              channels=(("A",),))]  # fmt: skip
    recording, samples = make(events=events)
    baseline = (0.5, 2.0)
    options = CovarianceOptions(baseline=baseline, window=window, offset=offset, types=("EEG",))
    found = covariance(recording, options)
    times = (20 + np.arange(500)) / 100
    good = np.ones(500, bool)
    for begin, end in ((70, 85), (250, 252), (120, 130)):
        good[begin - 20 : end - 20 + 1] = False
    pieces = []
    for start in range(0, 500, 60):
        mine = np.arange(start, min(start + 60, 500))
        if times[mine[0]] > baseline[1] or times[mine[-1]] < baseline[0]:
            continue
        mine = mine[good[mine]]
        inside = [int(np.abs(times[mine] - t).argmin()) for t in baseline]
        of_mean = mine[inside[0] : inside[1] + 1]
        chosen = of_mean
        if window is not None:
            ends = [int(np.abs(times[mine] - t).argmin()) for t in window]
            chosen = mine[ends[0] : ends[1] + 1]
        pieces.append((of_mean, chosen))
    total = samples[:2][:, np.concatenate([of_mean for of_mean, _ in pieces])].mean(axis=1)
    parts = [
        samples[:2][:, chosen]
        - (total if offset == "all" else samples[:2][:, of_mean].mean(axis=1))[:, None]
        for of_mean, chosen in pieces
    ]
    f = np.hstack(parts)
    np.testing.assert_allclose(found.covariance[:2, :2], f @ f.T / (f.shape[1] - 1), rtol=1e-12)
    np.testing.assert_allclose(
        found.fourth_moment[:2, :2], f**2 @ (f**2).T / (f.shape[1] - 1), rtol=1e-12
    )
    assert found.n_samples[0, 1] == f.shape[1]
    # bad channels, and other types: nothing
    assert not found.covariance[2:].any()
    assert np.all(found.n_samples[2:] == 2)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"offset": "file"}, OptionError, "expected 'block' or 'all'"),
        ({"types": ("SEEG",)}, ConversionError, "No good channel of the types SEEG"),
        ({"baseline": (90.0, 91.0)}, ConversionError, "from 0.2 to 5.19 s"),
        ({"baseline": (2.0, 1.0)}, ConversionError, "is empty"),
    ],
)
def test_covariances_that_cannot_be(options, error, message):
    recording, _ = make()
    with pytest.raises(error, match=message):
        covariance(recording, CovarianceOptions(**options))


def test_a_covariance_that_is_not_finite():
    recording, samples = make()
    samples[1, 77] = np.nan
    with pytest.raises(ConversionError, match="not finite for B"):
        covariance(recording, CovarianceOptions())


def test_everything_is_bad():
    recording, _ = make(events=[event("bad", [0.0], [9.0])])
    with pytest.raises(ConversionError, match="0 samples found"):
        covariance(recording, CovarianceOptions())


def test_the_baseline_is_of_the_samples_read():
    recording, samples = make()
    plain = read(recording, 30, 49, Reading())
    assert np.array_equal(plain.f, samples[:, 10:30])
    assert plain.times == pytest.approx(np.arange(30, 50) / 100)
    found = read(recording, 30, 49, Reading(baseline="all")).f
    assert found[:3].mean(axis=1) == pytest.approx(np.zeros(3), abs=1e-15)  # bad ones too
    assert np.array_equal(found[3], samples[3, 10:30])  # but no Stim
    found = read(recording, 30, 49, Reading(baseline=(0.0, 0.095)), start=0.0).f
    assert found[0, :10].mean() == pytest.approx(0, abs=1e-15)
    found = read(recording, 30, 49, Reading(baseline=(7.0, 8.0))).f
    assert np.array_equal(found, plain.f)  # no sample in it
    found = read(recording, 30, 49, Reading(baseline="all", baseline_types=("B",))).f
    assert np.array_equal(found[0], plain.f[0])
    assert found[1].mean() == pytest.approx(0, abs=1e-15)


def test_compensation_of_other_sizes_is_said():
    recording, samples = make(meg_ref_coef=np.ones((2, 1)), curr_ctf_comp=0, dest_ctf_comp=3)
    found = read(recording, 20, 30, Reading())
    assert np.array_equal(found.f, samples[:, :11])
    assert "MegRefCoef is (2, 1)" in found.notes[0]
    recording, samples = make(meg_ref_coef=np.array([[2.0]]), curr_ctf_comp=0, dest_ctf_comp=3)
    found = read(recording, 20, 30, Reading()).f
    assert np.array_equal(found[4], samples[4, :11] - 2 * samples[5, :11])
    same = dataclasses.replace(recording, curr_ctf_comp=3)
    assert np.array_equal(read(same, 20, 30, Reading()).f, samples[:, :11])


def test_samples_outside():
    recording, _ = make()
    for first, last in ((19, 30), (30, 520), (40, 39)):
        with pytest.raises(OptionError, match="must be within 20 to 519"):
            read(recording, first, last, Reading())


def test_blocks_of_time():
    recording, _ = make()
    blocks, short = time_blocks(recording, (1.0, 3.0), split=0.6)
    assert [(b.first, b.last) for b in blocks] == [(100, 159), (160, 219), (220, 279)]
    assert [(b.first, b.last, b.part) for b in short] == [(280, 300, 4)]
    assert [b.comment for b in blocks[:2]] == ["Raw (1000ms,1590ms)", "Raw (1.60s,2.19s)"]
    blocks, short = time_blocks(recording, (1.0, 3.0), split=0.6, ignore_short=False)
    assert (len(blocks), short) == (4, [])
    (whole,), _ = time_blocks(recording)
    assert (whole.first, whole.last, file_name(whole)) == (20, 519, "data_block001.mat")
    (cut,), _ = time_blocks(recording, (-1.0, 1.0))
    assert (cut.first, cut.last, cut.cut) == (20, 100, (120, 0))
    with pytest.raises(OptionError, match="has no samples of the file"):
        time_blocks(recording, (20.0, 21.0))
    with pytest.raises(OptionError, match="have no samples at 100 Hz"):
        time_blocks(recording, split=0.001)


def test_halves_of_a_sample():
    """Onset and window are rounded by themselves, halves away from zero."""
    recording, _ = make(events=[event("e", [1.125, 2.0])])
    blocks, _ = event_blocks(recording, "e", (-0.005, 0.015))
    assert [(b.first, b.last) for b in blocks] == [(112, 115), (199, 202)]


def test_bad_trials():
    events = [
        event("e", [1.0, 2.0, 3.0]),
        event("BAD", [1.1, 3.05], [1.2, 3.06]),
        event("bad_some", [2.0], [2.0], channels=(("A", "gone"),)),
    ]
    recording, _ = make(events=events)
    blocks, _ = event_blocks(recording, "e", (0.0, 0.1))
    assert [b.is_bad for b in blocks] == [True, False, True]  # one sample in common suffices
    assert blocks[1].channel_flag.tolist() == [-1, 1, -1, 1, 1, 1]
    assert [e.label for e in blocks[1].events] == ["e", "bad_some"]


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("go", "data_go_trial002.mat"),
        ("a b", "data_a_b_trial002.mat"),
        ("stim / left", "data_stim_left_trial002.mat"),
        ("x (y) [z]@.-", "data_x_(y)_[z]@.-_trial002.mat"),
        ("stim___", "data_stim_trial002.mat"),
        ("a___b___c", "data_a_c_trial002.mat"),
    ],
)
def test_names_of_files(label, name):
    recording, _ = make(events=[event(label, [1.0, 2.0])])
    blocks, _ = event_blocks(recording, label, (0.0, 0.1))
    assert file_name(blocks[1]) == name


def test_projectors_are_those_of_numpy():
    events = [event("e", [1.0, 2.0, 3.0, 0.21]), event("BAD", [2.05], [2.05]),
              event("long", [2.2], [4.0])]  # fmt: skip
    recording, samples = make(events=events)
    options = SspOptions(event="e", window=(-0.1, 0.1), types=("EEG",))
    found = ssp(recording, options)  # the second touches a bad segment, the last leaves the file
    blocks = [samples[:2, t - 30 : t - 9] for t in (100, 300)]
    data = np.hstack([b - b.mean(axis=1, keepdims=True) for b in blocks])
    u, s, _ = np.linalg.svd(data, full_matrices=False)
    assert found.sing_val == pytest.approx(s, rel=1e-12)
    assert np.abs(u.T @ found.components[:2]) == pytest.approx(np.eye(2), abs=1e-12)
    assert not found.components[2:].any()
    mean = ssp(recording, dataclasses.replace(options, method="mean"))
    expected = np.mean([(b - b.mean(axis=1, keepdims=True))[:, 10] for b in blocks], axis=0)
    assert mean.components[:2, 0] == pytest.approx(expected / np.linalg.norm(expected))
    long = ssp(recording, dataclasses.replace(options, event="long"))
    assert long.comp_mask.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"method": "ica"}, OptionError, "expected 'pca' or 'mean'"),
        ({"method": "mean"}, OptionError, "needs an event"),
        ({"event": "none"}, ConversionError, "No events are called 'none'"),
        ({"event": "e", "window": (0.0, 0.01)}, ConversionError, "10 a channel"),
        ({"event": "e", "types": ("SEEG",)}, ConversionError, "No good channel of SEEG"),
        ({"event": "early"}, ConversionError, "No occurrence of 'early' is in the recording"),
    ],
)
def test_projectors_that_cannot_be(options, error, message):
    recording, _ = make(events=[event("e", [1.0]), event("early", [0.2])])
    with pytest.raises(error, match=message):
        ssp(recording, SspOptions(**{"types": ("EEG",), **options}))


def test_reference_of_a_type():
    recording, _ = make()
    operator = average_reference(recording).components
    assert operator[:2, :2] == pytest.approx(np.eye(2) - 0.5)
    assert np.array_equal(operator[2:, 2:], np.eye(4))
    with pytest.raises(ConversionError, match="No good channel of the type SEEG"):
        average_reference(recording, "SEEG")
