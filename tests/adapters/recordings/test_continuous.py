"""Links, `.bst` files and their Raws: read, cut into epochs, computed from, written."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import mne
import numpy as np
import pytest
import scipy.io
from bst_bytes import bst, event
from continuous_data import assert_rows_equal, facts, load_run
from io_helpers import differences

from mne_bstinv import (
    conversion_report,
    epochs_as_imported,
    from_epochs,
    from_raw,
    io,
    noise_cov_from,
    read_raw_brainstorm,
)
from mne_bstinv.continuous import Reading, read
from mne_bstinv.conversion_files import convert_file
from mne_bstinv.datasets import sample_study
from mne_bstinv.errors import (
    ConversionError,
    MatFileError,
    MissingFileError,
    OptionError,
    OverwriteError,
    RecordingFileError,
)
from mne_bstinv.io.sampling import sample_numbers
from mne_bstinv.port import port_protocol

SUBJECT = Path("continuous") / "data" / "Subject01"
LINKS = {"runA": "@rawrunA/data_0raw_runA.mat", "runB": "@rawrunB/data_0raw_runB.mat",
         "runC": "@rawrunC_raw/data_0raw_runC_raw.mat"}  # fmt: skip


def link_of(data_dir, name):
    return data_dir / SUBJECT / LINKS[name]


@pytest.fixture
def protocol(data_dir, tmp_path):
    """A copy of the protocol that may be changed."""
    return Path(shutil.copytree(data_dir / "continuous", tmp_path / "protocol"))


def reasons(converted):
    return "\n".join(map(str, conversion_report(converted)))


@pytest.mark.parametrize("name", LINKS)
def test_samples_times_and_flags(data_dir, name):
    file = link_of(data_dir, name)
    raw, link = read_raw_brainstorm(file), io.read_recordings(file)
    channels = io.read_channels(next(file.parent.glob("channel*.mat")))
    assert isinstance(raw, mne.io.BaseRaw)
    assert not raw.preload
    assert (raw.first_samp, raw.last_samp) == link.link.samples
    assert raw.info["sfreq"] == link.link.sfreq
    assert raw.ch_names == list(channels.names)
    flagged = [n for n, f in zip(channels.names, link.channel_flag, strict=True) if f < 0]
    assert raw.info["bads"] == flagged
    # numbers of samples, exactly Brainstorm's, and those of the file, exactly
    if name == "runC":
        expected = mne.io.read_raw_fif(file.parent / link.link.filename).get_data()
    else:
        recording = load_run(data_dir / "continuous", name)
        expected = recording.samples(0, recording.n_samples)
    assert np.array_equal(raw.get_data(), expected)
    assert np.array_equal(raw.get_data(picks=[3, 1], start=7, stop=99), expected[[3, 1], 7:99])
    assert np.array_equal(raw.copy().load_data().get_data(), expected)
    cropped = raw.copy().pick([5, 2]).crop(0.2, 0.5)
    start = cropped.first_samp - raw.first_samp
    assert np.array_equal(cropped.get_data(), expected[[5, 2], start : start + cropped.n_times])


def test_what_brainstorm_reads_of_a_fif_file(data_dir):
    """Plain, and with compensation and projectors of Status 1, of which there are none."""
    raw = read_raw_brainstorm(link_of(data_dir, "runC"))
    stored = scipy.io.loadmat(
        data_dir / "continuous" / "brainstorm" / "in_fread_runC_raw.mat", simplify_cells=True
    )
    for name in ("r1", "r2"):
        first, last = stored[name]["SamplesBounds"]
        found = raw[:, first - raw.first_samp : last + 1 - raw.first_samp][0]
        assert np.array_equal(found, stored[name]["F"])


def test_a_ctf_recording(shared_dir):
    folder = shared_dir / "oracle/local/raw_ctf"
    place = folder / "data/Subject01/@rawtest_ctf_comp_raw"
    raw = read_raw_brainstorm(place / "data_0raw_test_ctf_comp_raw.mat")
    original = mne.io.read_raw_fif(place / "test_ctf_comp_raw.fif")
    assert raw.compensation_grade == original.compensation_grade == 3
    assert np.array_equal(raw.get_data(), original.get_data())
    # its compensations are those of the file, by the names of the channel file
    ours = raw.copy().load_data().apply_gradient_compensation(0)
    theirs = original.copy().load_data().apply_gradient_compensation(0)
    assert np.array_equal(ours.get_data(), theirs.get_data())
    stored = scipy.io.loadmat(folder / "in_fread_test_ctf_comp_raw.mat", simplify_cells=True)
    for name in [key for key in stored if not key.startswith("_")]:
        first, last = np.ravel(stored[name]["SamplesBounds"])
        found = raw[:, first - raw.first_samp : last + 1 - raw.first_samp][0]
        assert_rows_equal(found, stored[name]["F"])


def test_a_ctf_recording_that_brainstorm_does_not_compensate(shared_dir, tmp_path):
    """Of FIF files at grade 0 it takes the coefficients of that grade, zeros; MNE has all."""
    folder = shared_dir / "oracle/local/raw_ctf/data/Subject01/@rawtest_ctf_comp_raw"
    place = Path(shutil.copytree(folder, tmp_path / "@raw", copy_function=shutil.copyfile))
    original = mne.io.read_raw_fif(folder / "test_ctf_comp_raw.fif", preload=True)
    original.apply_gradient_compensation(0).save(place / "test_ctf_comp_raw.fif", overwrite=True)
    (file,) = place.glob("channel*.mat")
    channels = io.read_channels(file)
    zeros = dataclasses.replace(channels, meg_ref_coef=np.zeros_like(channels.meg_ref_coef))
    io.write_channels(file, zeros, overwrite=True)
    link = place / "data_0raw_test_ctf_comp_raw.mat"
    prop = io.read_recordings(link).link.prop
    change_link(link, prop=dataclasses.replace(prop, curr_ctf_comp=0))
    raw = read_raw_brainstorm(link)
    found = noise_cov_from(raw, projectors=False)
    assert "nothing is compensated" in reasons(found)
    expected = np.cov(raw.get_data())
    rows = mne.pick_types(raw.info, meg=True, exclude="bads")
    rows = np.intersect1d(rows, np.flatnonzero(np.diag(found.noise_cov)))
    pairs = np.ix_(rows, rows)
    scale = np.abs(expected[pairs]).max()
    assert np.abs(found.noise_cov[pairs] - expected[pairs]).max() <= 1e-10 * scale
    # compensated in MNE to the third order, it is so
    third = noise_cov_from(raw.load_data().apply_gradient_compensation(3), projectors=False)
    assert np.abs(third.noise_cov[pairs] - found.noise_cov[pairs]).max() > 1e-3 * scale


def test_events_are_annotations(data_dir):
    raw = read_raw_brainstorm(link_of(data_dir, "runA"))
    link = io.read_recordings(link_of(data_dir, "runA")).link
    samples = np.round((raw.annotations.onset - raw.first_time) * 250).astype(int) + raw.first_samp
    expected = sorted(
        (int(sample_numbers(t, 250.0)), e.label) for e in link.events for t in e.starts
    )
    assert sorted(zip(samples.tolist(), raw.annotations.description, strict=True)) == expected
    ends = samples + np.round(raw.annotations.duration * 250).astype(int)
    expected = sorted((int(sample_numbers(t, 250.0)), e.label) for e in link.events for t in e.ends)
    assert sorted(zip(ends.tolist(), raw.annotations.description, strict=True)) == expected
    (marked,) = [a for a in raw.annotations if a["description"] == "bad_channel"]
    assert marked["ch_names"] == ("MEG 0012", "MEG 0022")
    assert raw.info["meas_date"].isoformat() == "2026-03-04T05:06:07.890000+00:00"
    assert from_raw(raw).events == conversion_report(raw).kept["events"]


def test_projectors_are_not_applied(data_dir):
    raw = read_raw_brainstorm(link_of(data_dir, "runA"))
    status = {p["desc"]: p["active"] for p in raw.info["projs"]}
    assert status == {"blink: SSP (component 1)": False, "blink: SSP (component 2)": False,
                      "applied already": True}  # fmt: skip
    assert "Status is 0" in reasons(raw)
    assert "ICA" in reasons(raw)


def test_a_file_without_its_link(data_dir):
    raw = read_raw_brainstorm(link_of(data_dir, "runA"))
    bare = read_raw_brainstorm(link_of(data_dir, "runA").with_name("runA.bst"))
    assert np.array_equal(raw.get_data(), bare.get_data())
    assert bare.annotations == raw.annotations
    assert bare.info["bads"] == raw.info["bads"]
    assert bare.ch_names == raw.ch_names


def test_an_imported_block_is_a_raw(data_dir):
    file = data_dir / SUBJECT / "time_blocks" / "data_block002.mat"
    raw = read_raw_brainstorm(file)
    assert isinstance(raw, mne.io.BaseRaw)
    assert np.array_equal(raw.get_data(), io.read_recordings(file).f)
    assert raw.first_samp == 875
    again = dataclasses.replace(from_raw(raw))
    assert differences(again, io.read_recordings(file)) == []


def test_the_reader_test_of_mne(data_dir):
    """MNE's own test of readers; releases of MNE do not contain it, checkouts do."""
    module = pytest.importorskip("mne.io.tests.test_raw")
    for name in ("runB", "runC"):
        module._test_raw_reader(read_raw_brainstorm, fname=link_of(data_dir, name),
                                test_scaling=False, test_rank=False, test_kwargs=False)  # fmt: skip


@pytest.mark.parametrize("name", LINKS)
def test_projection_picking_and_preloading_agree(data_dir, tmp_path, name):
    """The heart of that test: all orders of loading, picking and projecting give one result."""
    raw = read_raw_brainstorm(link_of(data_dir, name))
    raw.info.normalize_proj()
    eeg = mne.pick_types(raw.info, meg=name == "runB", eeg=name != "runB", exclude=())
    vector = np.ones((1, len(eeg))) / np.sqrt(len(eeg))
    data = {"nrow": 1, "ncol": len(eeg), "row_names": None, "data": vector,
            "col_names": [raw.ch_names[i] for i in eeg]}  # fmt: skip
    raw.add_proj(
        mne.Projection(data=data, active=False, desc="mean"), remove_existing=name != "runA"
    )
    loaded = raw.copy().load_data().apply_proj().get_data()
    lazy = raw.copy().apply_proj()
    atol = 1e-12 * np.abs(loaded).max()
    np.testing.assert_allclose(lazy.get_data(), loaded, rtol=0, atol=atol)
    np.testing.assert_allclose(lazy.get_data(picks=eeg[:3]), loaded[eeg[:3]], rtol=0, atol=atol)
    order = np.random.default_rng(0).permutation(len(raw.ch_names))
    shuffled = raw.copy().pick(order).apply_proj()
    np.testing.assert_allclose(shuffled.get_data(), loaded[order], rtol=0, atol=atol)
    mapped = read_raw_brainstorm(link_of(data_dir, name), preload=str(tmp_path / "buffer"))
    assert np.array_equal(mapped.get_data(), raw.get_data())
    raw.save(tmp_path / "a-raw.fif")
    saved = mne.io.read_raw_fif(tmp_path / "a-raw.fif")
    assert saved.first_samp == raw.first_samp
    assert np.array_equal(saved.get_data(), raw.get_data())
    twice = mne.concatenate_raws([raw.copy(), raw.copy()])
    assert np.array_equal(twice.get_data(start=raw.n_times), raw.get_data())


@pytest.mark.parametrize(
    ("name", "event", "window", "good", "log"),
    [
        ("event_go", "go", (-0.1, 0.3), ["002", "004", "005"], [1, 3, 6]),
        ("ctf_event", "stim", (-0.1, 0.3), ["001", "002", "003"], []),
    ],
)
def test_epochs_as_brainstorm_imports_them(data_dir, name, event, window, good, log):
    folder = data_dir / "continuous"
    (entry,) = [e for e in facts(folder)["imports"] if e["name"] == name]
    raw = read_raw_brainstorm(link_of(data_dir, entry["raw"]))
    epochs = epochs_as_imported(raw, event, *window)
    files = [folder / "data" / file for file in entry["good_files"]]
    assert [file.stem[-3:] for file in files] == good
    stored = [io.read_recordings(file) for file in files]
    for found, expected in zip(epochs.get_data(), stored, strict=True):
        assert_rows_equal(found, expected.f, 1e-6)
        assert np.abs(found - expected.f).max() <= 1e-12 * np.abs(expected.f).max()
    assert epochs.times == pytest.approx(stored[0].time, abs=1e-9)
    assert [i + 1 for i, reasons in enumerate(epochs.drop_log) if reasons] == log
    # and they are Brainstorm's files again
    for back, expected in zip(from_epochs(epochs), stored, strict=True):
        assert back.comment == expected.comment
        assert np.array_equal(back.channel_flag, expected.channel_flag)
        assert back.time == pytest.approx(expected.time, abs=1e-12)
        assert [e.label for e in back.events] == [e.label for e in expected.events]
        assert np.abs(back.f - expected.f).max() <= 1e-12 * np.abs(expected.f).max()
    assert all(proj["active"] for proj in epochs.info["projs"])


def test_how_epochs_differ_from_those_of_mne(data_dir):
    raw = read_raw_brainstorm(link_of(data_dir, "runA"))
    epochs = epochs_as_imported(raw, "go", -0.1, 0.3)
    text = reasons(epochs)
    assert "go (#4): kept for Brainstorm, bad_channel for mne.Epochs: the bad segment names" in text
    assert "go (#4): MEG 0012 bad in this trial only" in text
    assert "go (#3)" not in text  # bad for both
    assert [log for log in epochs.drop_log if log] == [("TOO_SHORT",), ("BAD_TRIAL",),
                                                       ("TOO_SHORT",)]  # fmt: skip
    kept = epochs_as_imported(raw, "go", -0.1, 0.3, keep_bad=True)
    assert len(kept) == 4
    plain = epochs_as_imported(raw, "go", -0.1, 0.3, projectors=False)
    first = raw.get_data(start=600 - 25 - 375, stop=600 + 76 - 375)
    assert np.array_equal(plain.get_data()[0], first)


def test_faults_that_are_not_copied(data_dir):
    """Brainstorm keeps the shift of the baseline of an epoch that the beginning cuts."""
    raw = read_raw_brainstorm(link_of(data_dir, "runA"))
    epochs = epochs_as_imported(raw, "go", -0.1, 0.3, baseline=(-0.101, -0.002))
    assert np.abs(epochs.get_data()[:, :, :25].mean(axis=2)).max() < 1e-12
    with pytest.raises(ConversionError, match="have 48 to 101 samples, and an Epochs"):
        epochs_as_imported(raw, "go", -0.1, 0.3, ignore_short=False, baseline=(-0.1, -0.004))


def test_parts_of_epochs(data_dir):
    folder = data_dir / "continuous"
    (entry,) = [e for e in facts(folder)["imports"] if e["name"] == "event_noted_split"]
    raw = read_raw_brainstorm(link_of(data_dir, "runA"))
    epochs = epochs_as_imported(raw, "noted", -0.1, 0.3, split=0.12)
    stored = [io.read_recordings(folder / "data" / file) for file in entry["good_files"]]
    assert len(epochs) == len(stored) == 9
    for found, expected, back in zip(epochs.get_data(), stored, from_epochs(epochs), strict=True):
        assert np.abs(found - expected.f).max() <= 1e-12 * np.abs(expected.f).max()
        assert back.comment == expected.comment


def test_extended_events(data_dir):
    raw = read_raw_brainstorm(link_of(data_dir, "runA"))
    with pytest.raises(ConversionError, match="have 126 to 201 samples, and an Epochs one length"):
        epochs_as_imported(raw, "task", -0.1, 0.3)
    epochs = epochs_as_imported(raw, "task", -0.1, 0.3, split=0.25)
    assert epochs.get_data().shape[::2] == (7, 63)  # 62.5 goes up; 126, 131 and 201 samples
    assert "task (#2.3), task (#3.4)" in reasons(epochs)
    with pytest.raises(ConversionError, match="No events are called 'none'"):
        epochs_as_imported(raw, "none", -0.1, 0.3)
    with pytest.raises(OptionError, match="is empty"):
        epochs_as_imported(raw, "go", 0.3, -0.1)
    with pytest.raises(ConversionError, match="No epoch of 'BAD'"):
        epochs_as_imported(raw, "BAD", -0.1, 0.3)


def test_the_times_of_a_covariance_are_said_as_brainstorm_counts_them(data_dir):
    """The window counts from the start of the Raw, 1.5 s in Brainstorm's time."""
    raw = read_raw_brainstorm(link_of(data_dir, "runA"))
    assert raw.first_time == 1.5
    found = conversion_report(noise_cov_from(raw, tmin=2, tmax=3))
    told = [f.reason for f in found.of("derived") if f.field == "NoiseCov"]
    assert [("[3.500, 4.500]s" in text, "[3.5, 4.5 s]" in text) for text in told] == [
        (True, False), (False, True)]  # fmt: skip
    with pytest.raises(
        ConversionError, match=r"The time window \(5, 1\) s is empty\. Give a first"
    ):
        noise_cov_from(raw, tmin=5, tmax=1)


@pytest.mark.parametrize("number", range(4))
def test_covariances(data_dir, number):
    folder = data_dir / "continuous"
    entry = facts(folder)["covariances"][number]
    raw = read_raw_brainstorm(link_of(data_dir, "runA"))
    start = raw.first_time

    def times(name):
        return tuple(t - start for t in entry[name]) or (None, None)

    window = times("DataTimeWindow" if entry["isDataCov"] else "Baseline")
    types = io.read_channels(next(link_of(data_dir, "runA").parent.glob("channel*.mat")))
    channels = dataclasses.replace(types, channels=tuple(
        c if c.type in entry["ChannelTypes"] else dataclasses.replace(c, type="Misc")
        for c in types.channels))  # fmt: skip
    found = noise_cov_from(
        raw,
        channels=channels,
        tmin=window[0],
        tmax=window[1],
        baseline=times("Baseline") if entry["isDataCov"] else None,
        offset="all" if entry["RemoveDcOffset"] == "all" else "block",
    )
    name = entry["file"].replace("noisecov_", "cov_").replace("datacov", "cov_data")
    expected = io.read_noise_cov(folder / "brainstorm" / name)
    assert np.array_equal(found.n_samples, expected.n_samples)
    for ours, theirs in ((found.noise_cov, expected.noise_cov),
                         (found.fourth_moment, expected.fourth_moment)):  # fmt: skip
        scale = np.sqrt(np.diag(theirs))
        scale = np.where(scale > 0, scale, 1)
        assert np.abs((ours - theirs) / np.outer(scale, scale)).max() <= 1e-12
    assert found.history[0][2] == expected.history[0][2]
    assert found.comment.startswith(expected.comment)


def write(raw, folder, name="x", **options):
    folder.mkdir(exist_ok=True)
    prepared = from_raw(raw, continuous=True, name=name)
    return prepared, prepared.write(folder, **options)


@pytest.mark.parametrize("name", LINKS)
def test_written_and_read_again(data_dir, tmp_path, name):
    raw = read_raw_brainstorm(link_of(data_dir, name))
    prepared, link = write(raw, tmp_path / "s", name)
    assert link == tmp_path / "s" / f"@raw{name}" / f"data_0raw_{name}.mat"
    assert sorted(f.name for f in link.parent.iterdir()) == [
        "brainstormstudy.mat", "channel.mat", f"data_0raw_{name}.mat", f"{name}.bst"]  # fmt: skip
    back = read_raw_brainstorm(link)
    assert np.array_equal(back.get_data(), raw.get_data())
    assert (back.first_samp, back.info["sfreq"]) == (raw.first_samp, raw.info["sfreq"])
    assert back.info["bads"] == raw.info["bads"]
    assert back.info["meas_date"] == raw.info["meas_date"]
    assert back.annotations == raw.annotations
    assert [p["active"] for p in back.info["projs"]] == [p["active"] for p in raw.info["projs"]]
    assert back.compensation_grade == raw.compensation_grade
    for one, other in zip(back.info["chs"], raw.info["chs"], strict=True):
        assert (one["ch_name"], one["kind"], one["coil_type"]) == (
            other["ch_name"], other["kind"], other["coil_type"])  # fmt: skip
        np.testing.assert_allclose(one["loc"], other["loc"], atol=1e-6)
    # what Brainstorm had of it goes back as it was, its events exactly
    original = io.read_recordings(link_of(data_dir, name))
    assert differences(original.link.events, prepared.recordings.link.events) == []
    if name != "runC":
        header = dataclasses.replace(
            io.open_bst(link_of(data_dir, name).with_name(f"{name}.bst")).header,
            channels=prepared.header.channels, block=prepared.header.block, device="",
            start=prepared.header.start,
        )  # fmt: skip
        assert differences(header.events, prepared.header.events) == []
        assert header.n_bytes == prepared.header.n_bytes


def test_the_recording_of_the_sample(tmp_path):
    raw = read_raw_brainstorm(next(sample_study().rglob("data_0raw_run01.mat")))
    prepared, link = write(raw, tmp_path / "s")
    back = read_raw_brainstorm(link)
    assert np.array_equal(back.get_data(), raw.get_data())
    assert back.annotations == raw.annotations
    assert (back.first_samp, back.info["bads"]) == (raw.first_samp, raw.info["bads"])
    assert (back.info["sfreq"], back.ch_names) == (raw.info["sfreq"], raw.ch_names)
    original = io.read_recordings(next(sample_study().rglob("data_0raw_run01.mat"))).link
    assert differences(original.events, prepared.recordings.link.events) == []


def test_the_ctf_file_of_mne(shared_dir, tmp_path):
    raw = mne.io.read_raw_fif(shared_dir / "real/mne_sample/test_ctf_comp_raw.fif")
    for grade in (3, 0, 1):
        there = raw.copy().load_data().apply_gradient_compensation(grade)
        _, link = write(there, tmp_path / f"g{grade}")
        back = read_raw_brainstorm(link)
        assert np.array_equal(back.get_data().astype(np.float32), there.get_data().astype("f4"))
        assert back.compensation_grade == (grade or 0 if grade != 1 else 3)
    header = io.open_bst((tmp_path / "g0") / "@rawx" / "x.bst").header
    assert header.ctf_comp == 0
    assert header.channels.meg_ref_coef is not None  # Brainstorm compensates when it reads
    recording = load_own(tmp_path / "g0")
    compensated = read(recording, recording.first, recording.last, Reading()).f
    meg = mne.pick_types(raw.info, meg=True, ref_meg=False)
    # the samples of the file are rounded, and so are the coefficients of its header
    plain = np.abs(raw.copy().load_data().apply_gradient_compensation(0).get_data())
    bound = 2**-23 * (plain[meg] + np.abs(recording.meg_ref_coef) @ plain[recording.references])
    assert np.all(np.abs(compensated[meg] - raw.get_data(meg)) <= bound)


def load_own(folder):
    from mne_bstinv.continuous import recording_of_bst

    place = folder / "@rawx"
    link = io.read_recordings(place / "data_0raw_x.mat").link
    return recording_of_bst(io.open_bst(place / "x.bst"), io.read_channels(place / "channel.mat"),
                            link)  # fmt: skip


@pytest.fixture
def seeg():
    """A synthetic recording of depth electrodes with a strange rate, long names and skips."""
    rng = np.random.default_rng(11)
    names = [f"the electrode of depth A'{i}" for i in range(6)] + ["µ1", "x" * 20]
    info = mne.create_info(names, 600.615, "seeg")
    raw = mne.io.RawArray(1e-4 * rng.standard_normal((8, 4000)), info, first_samp=12_345_678)
    raw.info["bads"] = names[1:2]
    raw.set_annotations(
        mne.Annotations(
            [0.5, 1.0, 2.0, 3.3, 5.0], [0, 0.25, 0, 0.1, 0],
            ["spike", "BAD_move", "spike", "eye_bad", "BADger"],
            ch_names=[[names[0]], [], [], [], []],
        )
    )  # fmt: skip
    return raw


def test_a_synthetic_recording(seeg, tmp_path):
    prepared, link = write(seeg, tmp_path / "s")
    text = reasons(prepared)
    for part in (
        "begins at sample 12345677, not 12345678",
        "cut to 20 bytes",
        "'eye_bad' is called 'eye-bad'",
        "'BADger' is called 'BAD_BADger'",
    ):
        assert part in text, part
    back = read_raw_brainstorm(link)
    # MNE's names are ASCII, Brainstorm's need not be
    assert back.ch_names == [name.replace("µ", "u") for name in seeg.ch_names]
    assert np.array_equal(back.get_data().astype(np.float32), seeg.get_data().astype(np.float32))
    assert back.first_samp == 12_345_677
    assert back.info["bads"] == seeg.info["bads"]
    assert list(back.annotations.description) == ["spike", "BAD_move", "spike", "eye-bad",
                                                  "BAD_BADger"]  # fmt: skip
    samples = [
        np.round((r.annotations.onset - r.first_time) * r.info["sfreq"]).astype(int)
        for r in (seeg, back)
    ]
    assert samples[0].tolist() == samples[1].tolist()
    assert back.annotations[0]["ch_names"] == (seeg.ch_names[0],)
    # the file alone: names cut, but distinct
    bare = read_raw_brainstorm(link.with_name("x.bst"))
    assert len(set(bare.ch_names)) == 8
    assert all(len(name.encode()) <= 20 for name in bare.ch_names)
    assert bare.annotations[0]["ch_names"] == (bare.ch_names[0],)


def test_a_recording_of_one_sample(tmp_path):
    raw = mne.io.RawArray([[1.5], [-2.5]], mne.create_info(["A", "B"], 100.0, "eeg"), first_samp=7)
    _, link = write(raw, tmp_path / "s")
    np.testing.assert_array_equal(io.read_recordings(link).time, [0.07, 0.07])
    back = read_raw_brainstorm(link)
    assert (back.first_samp, back.n_times, back.info["sfreq"]) == (7, 1, 100)
    np.testing.assert_array_equal(back.get_data(), raw.get_data())


def test_no_empty_event_is_written(data_dir, tmp_path):
    raw = read_raw_brainstorm(link_of(data_dir, "runA"))
    kept = dict(conversion_report(raw).kept)
    assert all(e.n_occurrences for e in kept["events"])
    _, link = write(raw, tmp_path / "s")
    opened = io.open_bst(link.with_name("x.bst"))
    assert all(e.n_occurrences for e in opened.header.events)
    assert opened.notes == ()


def test_writing_refuses(seeg, tmp_path):
    folder = tmp_path / "s"
    _, link = write(seeg, folder)
    before = link.read_bytes()
    with pytest.raises(OverwriteError):
        write(seeg, folder)
    assert link.read_bytes() == before
    write(seeg, folder, overwrite=True)
    with pytest.raises(MissingFileError):
        from_raw(seeg, continuous=True).write(tmp_path / "none")
    with pytest.raises(OptionError, match="of continuous recordings only"):
        from_raw(seeg, name="x")


def test_what_fails_leaves_nothing(seeg, tmp_path):
    seeg._data[3, 2000] = 1e39
    folder = tmp_path / "s"
    folder.mkdir()
    with pytest.raises(RecordingFileError, match="a sample of 1e\\+39 found"):
        from_raw(seeg, continuous=True).write(folder)
    assert list(folder.iterdir()) == []


# Files that moved, formats, bad input


def change_link(file, **values):
    recordings = io.read_recordings(file)
    link = dataclasses.replace(recordings.link, **values)
    io.write_recordings(file, dataclasses.replace(recordings, link=link), overwrite=True)


def test_a_file_that_moved(protocol, tmp_path):
    link = protocol / "data" / "Subject01" / LINKS["runA"]
    expected = read_raw_brainstorm(link).get_data()
    elsewhere = tmp_path / "archive" / "2026"
    elsewhere.mkdir(parents=True)
    link.with_name("runA.bst").rename(elsewhere / "runA.bst")
    change_link(link, filename="C:\\labs\\2026\\runA.bst")
    with pytest.raises(MissingFileError) as caught:
        read_raw_brainstorm(link)
    for place in (link.parent / "runA.bst", protocol / "2026" / "runA.bst"):
        assert str(place) in str(caught.value)
    assert "raw_dir=" in str(caught.value)
    for raw_dir in (elsewhere, tmp_path / "archive"):
        assert np.array_equal(read_raw_brainstorm(link, raw_dir=raw_dir).get_data(), expected)
    # beside another folder of the protocol, which moved as a whole
    (protocol / "data" / "2026").mkdir()
    (elsewhere / "runA.bst").rename(protocol / "data" / "2026" / "runA.bst")
    assert np.array_equal(read_raw_brainstorm(link).get_data(), expected)


def test_links_that_lead_nowhere(protocol):
    link = protocol / "data" / "Subject01" / LINKS["runA"]
    for filename, error, message in [
        (link.name, RecordingFileError, "the link itself"),
        (str(link), RecordingFileError, "the link itself"),
        (str(link.parent), RecordingFileError, "a folder that it is in"),
        (str(protocol.parent), RecordingFileError, "a folder that it is in"),
        ("", RecordingFileError, "expected the path of a file"),
        ("..", RecordingFileError, "a folder that it is in"),
        ("../../../etc/passwd", MissingFileError, "is not found"),
        (5000 * "x", MissingFileError, "is not found"),
    ]:
        change_link(link, filename=filename)
        with pytest.raises(error, match=message):
            read_raw_brainstorm(link)


def test_the_recording_is_not_overwritten_by_its_own_buffer(protocol, tmp_path):
    link = protocol / "data" / "Subject01" / LINKS["runA"]
    files = [link, link.with_name("runA.bst")]
    before = [file.read_bytes() for file in files]
    (tmp_path / "other name").symlink_to(files[1])
    for buffer in (*files, tmp_path / "other name"):
        with pytest.raises(OverwriteError, match="the recording itself found"):
            read_raw_brainstorm(link, preload=str(buffer))
    with pytest.raises(MissingFileError, match="no such folder, for preload="):
        read_raw_brainstorm(link, preload=tmp_path / "none" / "buffer")
    assert [file.read_bytes() for file in files] == before


def test_a_folder_of_originals_that_is_not_there(protocol, tmp_path):
    link = protocol / "data" / "Subject01" / LINKS["runA"]
    nowhere = tmp_path / "nowhere"
    for call in (
        lambda: read_raw_brainstorm(link, raw_dir=nowhere),
        lambda: port_protocol(protocol, tmp_path / "out", raw_dir=nowhere),
        lambda: convert_file(link, tmp_path / "a-raw.fif", raw_dir=nowhere),
    ):
        with pytest.raises(MissingFileError, match=r"nowhere: no such folder \(raw_dir="):
            call()
    assert not (tmp_path / "out").exists()


def test_samples_beyond_what_mne_can_count(tmp_path):
    """FIF files hold 32 bits of the number of the first sample; MNE would write another number."""
    for start in (3e7, -3e7):
        file = tmp_path / "a.bst"
        file.write_bytes(bst(np.zeros((2, 5)), start=start))
        assert read_raw_brainstorm(file).first_samp == 100 * start
        with pytest.raises(ConversionError, match=r"found, numbers within ±2\^31 expected"):
            convert_file(file, tmp_path / "a-raw.fif")
    assert [file.name for file in tmp_path.iterdir()] == ["a.bst"]


def test_flags_of_another_file(protocol):
    link = protocol / "data" / "Subject01" / LINKS["runA"]
    recordings = dataclasses.replace(io.read_recordings(link), channel_flag=np.ones(3, np.int64))
    io.write_recordings(link, recordings, overwrite=True)
    with pytest.raises(ConversionError, match=r"runA\.mat: ChannelFlag has 3 values, expected one"):
        read_raw_brainstorm(link)


def test_times_of_a_link_that_none_can_have(protocol):
    link = protocol / "data" / "Subject01" / LINKS["runA"]
    prop = io.read_recordings(link).link.prop
    change_link(link, prop=dataclasses.replace(prop, times=np.array([1e300, 1e300])))
    raw = read_raw_brainstorm(link)
    assert raw.first_samp == 375
    assert "F.prop: says no times" in reasons(raw)


def test_a_folder_where_a_file_should_be(protocol, tmp_path):
    link = protocol / "data" / "Subject01" / LINKS["runC"]
    (link.parent / "folder.fif").mkdir()
    change_link(link, filename="folder.fif")
    with pytest.raises(RecordingFileError, match="a folder found, a file of the format FIF"):
        read_raw_brainstorm(link)
    change_link(link, filename="folder.fif", format="BST-BIN")
    with pytest.raises(RecordingFileError, match=r"a folder found, a \.bst file expected"):
        read_raw_brainstorm(link)


def test_formats_without_a_reader(protocol):
    link = protocol / "data" / "Subject01" / LINKS["runC"]
    change_link(link, format="EEG-MICROMED")
    with pytest.raises(ConversionError, match=r"F\.format is 'EEG-MICROMED', for which MNE has no"):
        read_raw_brainstorm(link)
    change_link(link, format="EEG-EDF")
    with pytest.raises(RecordingFileError, match=r"mne\.io\.read_raw_edf cannot read this file"):
        read_raw_brainstorm(link)


def test_channels_of_another_file(protocol):
    link = protocol / "data" / "Subject01" / LINKS["runC"]
    (file,) = link.parent.glob("channel*.mat")
    channels = io.read_channels(file)
    renamed = tuple(dataclasses.replace(c, name=f"ch{i}") for i, c in enumerate(channels.channels))
    raw = read_raw_brainstorm(link, channels=dataclasses.replace(channels, channels=renamed))
    assert raw.ch_names[0] == "ch0"
    assert "matched by their order" in reasons(raw)
    order = np.random.default_rng(0).permutation(len(renamed))
    shuffled = tuple(channels.channels[i] for i in order)
    ref = read_raw_brainstorm(link)
    found = read_raw_brainstorm(link, channels=dataclasses.replace(channels, channels=shuffled,
                                                                   projectors=()))  # fmt: skip
    assert np.array_equal(found.get_data(), ref.get_data()[order])
    fewer = dataclasses.replace(channels, channels=channels.channels[:-2], projectors=())
    link_flags = io.read_recordings(link)
    short = dataclasses.replace(link_flags, channel_flag=link_flags.channel_flag[:-2])
    io.write_recordings(link, short, overwrite=True)
    found = read_raw_brainstorm(link, channels=fewer)
    assert np.array_equal(found.get_data(), ref.get_data()[:-2])
    assert f"not in the channel file: {channels.names[-2]}, {channels.names[-1]}" in reasons(found)
    wrong = dataclasses.replace(fewer, channels=renamed[:-2])
    with pytest.raises(ConversionError) as caught:
        read_raw_brainstorm(link, channels=wrong)
    assert channels.names[0] in str(caught.value)
    assert "ch0" in str(caught.value)


def test_a_file_of_another_rate(protocol):
    link = protocol / "data" / "Subject01" / LINKS["runC"]
    prop = dataclasses.replace(io.read_recordings(link).link.prop, sfreq=512.0)
    change_link(link, prop=prop)
    with pytest.raises(ConversionError, match=r"F\.prop\.sfreq is 512 Hz, the file has 250 Hz"):
        read_raw_brainstorm(link)


def test_no_channel_file(protocol):
    link = protocol / "data" / "Subject01" / LINKS["runA"]
    for file in link.parent.glob("channel*.mat"):
        file.unlink()
    with pytest.raises(MissingFileError, match="no channel file"):
        read_raw_brainstorm(link)


def test_repeated_names(tmp_path):
    file = tmp_path / "a.bst"
    file.write_bytes(bst(np.zeros((3, 5)), names=["A", "B", "A"]))
    raw = read_raw_brainstorm(file)
    assert raw.ch_names == ["A-0", "B", "A-1"]
    assert "A-0" in reasons(raw)


def test_events_outside_are_left_out(tmp_path):
    file = tmp_path / "a.bst"
    file.write_bytes(bst(np.zeros((2, 50)), events=[event("go", [-1.0, 0.1, 9.0])]))
    raw = read_raw_brainstorm(file)
    assert raw.annotations.onset.tolist() == pytest.approx([0.1])
    assert "go at 9 s: not in the recordings (0 to 0.49 s)" in reasons(raw)


def test_a_file_that_brainstorm_misreads(tmp_path):
    samples = np.arange(20, dtype=np.float32).reshape(2, 10)
    file = tmp_path / "a.bst"
    file.write_bytes(bst(samples, events=[event("none", [], flags=False), event("go", [0.02])]))
    raw = read_raw_brainstorm(file)
    assert np.array_equal(raw.get_data(), samples)
    assert "Brainstorm itself reads all that follows" in reasons(raw)


def test_a_file_that_changes_under_a_raw(protocol):
    link = protocol / "data" / "Subject01" / LINKS["runA"]
    raw = read_raw_brainstorm(link)
    with link.with_name("runA.bst").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(RecordingFileError, match="changed since it was opened"):
        raw.get_data()


def test_no_file_at_all(tmp_path):
    with pytest.raises(MissingFileError):
        read_raw_brainstorm(tmp_path / "none.bst")
    with pytest.raises(MissingFileError):
        read_raw_brainstorm(tmp_path / "data_0raw_none.mat")
    (tmp_path / "data_0raw_odd.mat").write_bytes(b"no MATLAB file")
    with pytest.raises(MatFileError):
        read_raw_brainstorm(tmp_path / "data_0raw_odd.mat")


VHDR = """Brain Vision Data Exchange Header File Version 1.0
[Common Infos]
Codepage=UTF-8
DataFile=r.eeg
MarkerFile=r.vmrk
DataFormat=BINARY
DataOrientation=MULTIPLEXED
NumberOfChannels=3
SamplingInterval=10000
[Binary Infos]
BinaryFormat=IEEE_FLOAT_32
[Channel Infos]
Ch1=A,,1,V
Ch2=B,,1,V
Ch3=C,,1,V
"""

VMRK = """Brain Vision Data Exchange Marker File, Version 1.0
[Common Infos]
Codepage=UTF-8
DataFile=r.eeg
[Marker Infos]
"""


def test_a_format_that_mne_reads(tmp_path):
    """A BrainVision file: the link names the data, MNE wants the header; events are the link's."""
    samples = 1e-5 * np.random.default_rng(2).standard_normal((3, 200)).astype("<f4")
    (tmp_path / "r.eeg").write_bytes(samples.T.tobytes())
    (tmp_path / "r.vhdr").write_text(VHDR)
    (tmp_path / "r.vmrk").write_text(VMRK)  # before MNE 1.11 there must be one
    kinds = {"A": "EEG", "B": "EEG", "C": "EOG"}
    channels = io.Channels(channels=tuple(io.Channel(name=n, type=t) for n, t in kinds.items()))
    prop = io.LinkProperties(times=np.array([0, 1.99]), sfreq=100.0)
    link = io.Link(filename="/elsewhere/r.eeg", format="EEG-BRAINAMP", prop=prop,
                   events=(io.Event(label="go", times=np.array([[0.5]])),))  # fmt: skip
    recordings = io.Recordings(link=link, channel_flag=np.array([1, -1, 1]))
    io.write_recordings(tmp_path / "data_0raw_r.mat", recordings)
    raw = read_raw_brainstorm(tmp_path / "data_0raw_r.mat", channels=channels)
    assert np.array_equal(raw.get_data(), samples)
    assert raw.get_channel_types() == ["eeg", "eeg", "eog"]
    assert raw.info["bads"] == ["B"]
    assert (raw.annotations.onset.tolist(), list(raw.annotations.description)) == ([0.5], ["go"])
    # and it goes on in Brainstorm's own format
    _, own = write(raw, tmp_path / "s")
    assert np.array_equal(read_raw_brainstorm(own).get_data(), samples)


def test_a_file_of_epochs(tmp_path):
    """Times of events count within each epoch; MNE has one recording of all epochs."""
    samples = 1e-5 * np.random.default_rng(2).standard_normal((3, 200)).astype("<f4")
    (tmp_path / "r.eeg").write_bytes(samples.T.tobytes())
    (tmp_path / "r.vhdr").write_text(VHDR)
    (tmp_path / "r.vmrk").write_text(VMRK)  # before MNE 1.11 there must be one
    channels = io.Channels(channels=tuple(io.Channel(name=n, type="EEG") for n in "ABC"))
    spans = [(-0.2, 0.39), (-0.2, 0.39), (-0.2, 0.59)]  # 60, 60 and 80 samples
    epochs = tuple(
        io.LinkEpoch(label=f"Trial {i}", times=np.array(span), bad=int(i == 1))
        for i, span in enumerate(spans)
    )
    event = io.Event(label="go", times=np.array([[0.0, 0.1, 0.0, 0.0]]),
                     epochs=np.array([1, 2, 3, 7]))  # fmt: skip
    prop = io.LinkProperties(times=np.array([-0.2, 0.39]), sfreq=100.0)
    link = io.Link(filename="r.eeg", format="EEG-BRAINAMP", prop=prop, epochs=epochs,
                   events=(event,))  # fmt: skip
    file = tmp_path / "data_0raw_r.mat"
    io.write_recordings(file, io.Recordings(link=link, channel_flag=np.ones(3, int)))
    raw = read_raw_brainstorm(file, channels=channels)
    assert np.array_equal(raw.get_data(), samples)
    said = list(
        zip(raw.annotations.description, np.round(100 * raw.annotations.onset), strict=True)
    )
    assert said == [("go", 20), ("BAD_epoch", 60), ("go", 90), ("go", 140)]
    assert raw.annotations.duration.max() == pytest.approx(0.59)
    assert "go: 1 in epochs that there are not (1 to 3)" in reasons(raw)
    # epochs that are not the file's samples
    odd = dataclasses.replace(link, epochs=epochs[:2])
    io.write_recordings(file, io.Recordings(link=odd, channel_flag=np.ones(3, int)), overwrite=True)
    assert "do not make the 200 samples of the file" in reasons(
        read_raw_brainstorm(file, channels=channels)
    )


def test_every_format_has_a_reader_or_is_refused():
    from mne_bstinv.adapters.recordings.formats import FORMATS, format_called

    for name, row in FORMATS.items():
        if hasattr(mne.io, row.reader):
            assert format_called(name.lower(), "x") is row
        else:
            with pytest.raises(ConversionError, match="none in this release"):
                format_called(name, "x")
    for name in ("FIF", "CTF", "CTF-CONTINUOUS", "4D", "KIT", "EEG-EDF", "EEG-BDF", "EEG-BRAINAMP",
                 "EEG-EEGLAB", "EEG-EGI-RAW", "EEG-EGI-MFF", "EEG-NEUROSCAN-CNT", "EEG-CURRY",
                 "EEG-NK", "EEG-NEURALYNX", "NIRS-SNIRF", "EYELINK"):  # fmt: skip
        assert format_called(name, "x").name == name
