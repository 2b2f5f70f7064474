"""What MNE-Python expects of any reader, of its public methods alone: a Raw is a Raw.

MNE's own test of readers is in no release; this is ours, over every kind of continuous file.
"""

from __future__ import annotations

import pickle
from pathlib import Path

import mne
import numpy as np
import pytest

from mne_bstinv import read_raw_brainstorm

SUBJECT = Path("continuous") / "data" / "Subject01"
FILES = {
    "bst": "@rawrunA/runA.bst",
    "link": "@rawrunB/data_0raw_runB.mat",
    "fif": "@rawrunC_raw/data_0raw_runC_raw.mat",
    "block": "time_blocks/data_block002.mat",
}


@pytest.fixture(params=FILES)
def file(request, data_dir):
    return data_dir / SUBJECT / FILES[request.param]


@pytest.fixture
def raw(file):
    """As it comes: not loaded, if it need not be."""
    return read_raw_brainstorm(file)


@pytest.fixture
def loaded(file):
    return read_raw_brainstorm(file, preload=True)


def test_preloading_changes_nothing(file, raw, loaded, tmp_path):
    mapped = read_raw_brainstorm(file, preload=str(tmp_path / "buffer"))
    assert loaded.preload
    assert mapped.preload
    assert raw.preload == file.name.startswith("data_block")  # its samples are in the file
    expected = loaded.get_data()
    assert expected.shape == (len(raw.ch_names), raw.n_times)
    assert expected.dtype == np.float64
    for other in (raw, mapped, raw.copy().load_data(), read_raw_brainstorm(str(file))):
        assert np.array_equal(other.get_data(), expected)
        assert other.annotations == loaded.annotations
        assert other.first_samp == loaded.first_samp
    assert raw.load_data() is raw
    assert np.array_equal(raw[:][0], expected)


def test_any_part_is_that_of_the_whole(raw, loaded):
    everything, n, borders = loaded.get_data(), raw.n_times, (0, 1, 249, 250, 251, 499, 500)
    segments = [(a, b) for a in borders for b in (*borders[1:], n - 1, n) if a < b <= n]
    for start, stop in segments:
        samples, times = raw[:, start:stop]
        assert np.array_equal(samples, everything[:, start:stop])
        assert np.array_equal(times, raw.times[start:stop])
    last = len(raw.ch_names) - 1
    for picks in (0, last, [last, 0], [1, 2, 3], slice(1, None, 3), slice(None, None, -1)):
        rows = np.atleast_2d(everything[picks])
        assert np.array_equal(raw[picks][0], rows)
        assert np.array_equal(raw[picks, 240:260][0], rows[:, 240:260])
    names = [raw.ch_names[i] for i in (last, 2)]
    assert np.array_equal(raw[names, 7][0], everything[[last, 2], 7:8])
    assert np.array_equal(raw.get_data(names, start=n - 5), everything[[last, 2], -5:])
    for other in (raw, loaded):
        with pytest.raises(IndexError):
            other[last + 1]


def test_times_and_what_it_says_of_itself(raw, file):
    sfreq, n = raw.info["sfreq"], raw.n_times
    assert n == raw.last_samp - raw.first_samp + 1 == len(raw) == len(raw.times)
    assert np.array_equal(raw.times, np.arange(n) / sfreq)
    assert raw.first_time == raw.first_samp / sfreq
    assert raw.time_as_index(raw.times[[0, 10, n - 1]], use_rounding=True).tolist() == [
        0, 10, n - 1]  # fmt: skip
    text = repr(raw)
    assert f"{len(raw.ch_names)} x {n}" in text
    assert ("data loaded" in text) == raw.preload
    if not file.name.startswith("data_block"):
        assert Path(raw.filenames[0]).stem in file.name
        assert Path(raw.filenames[0]).stem in text
    assert "<table" in raw._repr_html_()
    raw.describe()
    raw.close()


def assert_same(raw, other):
    assert np.array_equal(other.get_data(), raw.get_data())
    assert (other.first_samp, other.ch_names) == (raw.first_samp, raw.ch_names)
    assert other.info["sfreq"] == raw.info["sfreq"]
    assert other.info["bads"] == raw.info["bads"]
    assert other.info["meas_date"] == raw.info["meas_date"]
    for field in ("description", "onset", "ch_names"):
        assert list(getattr(other.annotations, field)) == list(getattr(raw.annotations, field))
    # files of MNE have durations in single precision
    np.testing.assert_allclose(other.annotations.duration, raw.annotations.duration, rtol=1e-5)
    assert other.compensation_grade == raw.compensation_grade
    assert [p["active"] for p in other.info["projs"]] == [p["active"] for p in raw.info["projs"]]


def test_copies(raw):
    other = raw.copy()
    assert_same(raw, other)
    other.info["bads"] = []
    other.set_annotations(None)
    other.load_data()
    other[0] = 0.0
    assert len(raw.annotations) == 0 or raw.annotations != other.annotations
    assert raw.get_data(picks=[0]).any()


def test_pickled(raw):
    assert_same(raw, pickle.loads(pickle.dumps(raw)))


def test_saved(raw, tmp_path):
    raw.save(tmp_path / "a-raw.fif", fmt="double")
    assert_same(raw, mne.io.read_raw_fif(tmp_path / "a-raw.fif"))
    tmin, picks = 30 / raw.info["sfreq"], np.arange(len(raw.ch_names) - 1)
    raw.save(tmp_path / "b-raw.fif", picks=picks, tmin=tmin, fmt="double", buffer_size_sec=0.3)
    part = mne.io.read_raw_fif(tmp_path / "b-raw.fif")
    assert part.first_samp == raw.first_samp + 30
    assert np.array_equal(part.get_data(), raw.get_data(picks, start=30))
    inside = part.copy().annotations
    cropped = raw.copy().crop(tmin).annotations
    assert np.array_equal(inside.onset, cropped.onset)
    assert np.array_equal(inside.description, cropped.description)


def test_the_info_there_and_back(raw, tmp_path):
    mne.io.write_info(tmp_path / "info.fif", raw.info)
    info = mne.io.read_info(tmp_path / "info.fif")
    for field in ("sfreq", "bads", "ch_names", "meas_date", "nchan", "lowpass", "highpass"):
        assert info[field] == raw.info[field], field
    for one, other in zip(info["chs"], raw.info["chs"], strict=True):
        for field in ("kind", "coil_type", "unit", "coord_frame", "cal", "range"):
            assert one[field] == other[field], field
        np.testing.assert_allclose(one["loc"], other["loc"], rtol=1e-6, atol=1e-9)
    assert len(info["dig"] or ()) == len(raw.info["dig"] or ())
    for one, other in zip(info["projs"], raw.info["projs"], strict=True):
        np.testing.assert_array_equal(one["data"]["data"], other["data"]["data"])
    assert len(info["comps"]) == len(raw.info["comps"])


def test_cropped(raw, loaded):
    sfreq = raw.info["sfreq"]
    cropped = raw.copy().crop(100 / sfreq, 299 / sfreq)
    assert cropped.first_samp == raw.first_samp + 100
    assert np.array_equal(cropped.get_data(), loaded.get_data(start=100, stop=300))
    again = cropped.copy().crop(50 / sfreq, 60 / sfreq, include_tmax=False)
    assert np.array_equal(again.get_data(), loaded.get_data(start=150, stop=160))
    assert np.array_equal(again.load_data().get_data(), loaded.get_data(start=150, stop=160))
    assert again.annotations == loaded.copy().crop(100 / sfreq, 299 / sfreq).crop(
        50 / sfreq, 60 / sfreq, include_tmax=False).annotations  # fmt: skip
    with pytest.raises(ValueError, match="tmax"):
        raw.copy().crop(0, raw.times[-1] + 1)


@pytest.mark.parametrize("preload", [False, True])
def test_put_together(raw, loaded, preload):
    preload = preload or raw.preload  # MNE cannot join arrays otherwise
    first, n = raw.copy().crop(0, 299 / raw.info["sfreq"]), raw.n_times
    whole = mne.concatenate_raws([first.copy(), raw.copy(), loaded.copy()], preload=preload)
    expected = np.hstack([loaded.get_data(stop=300), loaded.get_data(), loaded.get_data()])
    assert whole.preload == preload
    assert whole.first_samp == raw.first_samp
    assert np.array_equal(whole.get_data(), expected)
    for start, stop in ((290, 310), (299, 300), (300 + n - 1, 300 + n + 1), (0, 2 * n)):
        assert np.array_equal(whole.get_data([2, 0], start, stop), expected[[2, 0], start:stop])
    assert list(whole.annotations.description).count("EDGE boundary") == 2
    first.append(raw.copy())
    assert np.array_equal(first.get_data(), expected[:, : 300 + n])


@pytest.mark.parametrize("reject", ["omit", "NaN"])
def test_bad_segments_are_left_out(raw, loaded, reject):
    sfreq, first = raw.info["sfreq"], raw.first_samp
    annotations = mne.Annotations(
        [first / sfreq + 20 / sfreq, first / sfreq + 245 / sfreq], [10 / sfreq, 10 / sfreq],
        ["BAD_a", "bad b"], orig_time=raw.info["meas_date"],
    )  # fmt: skip
    if raw.info["meas_date"] is None:
        annotations.onset -= first / sfreq
    both = [r.set_annotations(annotations).get_data(reject_by_annotation=reject)
            for r in (raw, loaded)]  # fmt: skip
    np.testing.assert_array_equal(both[0], both[1])
    is_bad = np.zeros(raw.n_times, bool)
    is_bad[20:30] = is_bad[245:255] = True
    if reject == "omit":
        np.testing.assert_array_equal(both[0], loaded.get_data()[:, ~is_bad])
    else:
        np.testing.assert_array_equal(np.isnan(both[0]).all(axis=0), is_bad)


def test_channels_chosen_and_in_another_order(raw, loaded):
    order = np.random.default_rng(2).permutation(len(raw.ch_names))
    names = [raw.ch_names[i] for i in order]
    assert np.array_equal(raw.copy().reorder_channels(names).get_data(), loaded.get_data()[order])
    kept = raw.copy().drop_channels(names[3:])
    assert kept.ch_names == [name for name in raw.ch_names if name in names[:3]]
    assert np.array_equal(kept.get_data(), loaded.get_data(kept.ch_names))
    assert np.array_equal(kept.load_data().get_data(), loaded.get_data(kept.ch_names))
    renamed = raw.copy().rename_channels({names[0]: "another"})
    assert np.array_equal(renamed.get_data(["another"]), loaded.get_data([names[0]]))


def test_processed_after_loading(raw, loaded):
    if not raw.preload:
        with pytest.raises(RuntimeError, match=r"(?i)load"):
            raw.filter(None, 40)
    late = raw.copy().crop(0.1).pick([0, 1, 3]).load_data()
    early = loaded.copy().pick([0, 1, 3]).crop(0.1)
    for one in (late, early):
        one.filter(None, 40, picks="all", verbose="error").resample(100, verbose="error")
        one.apply_function(lambda row: 2 * row, picks=[1])
    assert late.info["sfreq"] == 100
    assert late.info["lowpass"] == 40
    assert_same(late, early)


def test_epochs_are_cut_without_loading(raw, loaded):
    events = np.array([[raw.first_samp + at, 0, 1] for at in (40, 250, 310)])
    options = {"tmin": -0.1, "tmax": 0.2, "baseline": (None, 0), "reject_by_annotation": False}
    late = mne.Epochs(raw, events, proj=False, **options)
    early = mne.Epochs(loaded, events, proj=False, preload=True, **options)
    assert np.array_equal(late.get_data(picks="all"), early.get_data(picks="all"))
    assert len(late) == 3


def test_compensated_on_the_way(raw, loaded):
    if not raw.info["comps"]:
        pytest.skip("not of CTF")
    grade = 3 if raw.compensation_grade == 0 else 0
    late, early = (one.apply_gradient_compensation(grade) for one in (raw, loaded))
    assert late.compensation_grade == grade
    difference = np.abs(late.get_data() - early.get_data()).max(axis=1)
    assert (difference <= 1e-12 * np.abs(early.get_data()).max(axis=1)).all()
