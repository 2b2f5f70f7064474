"""Everything that Brainstorm read, imported and computed from continuous files."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.io
from continuous_data import RTOL, assert_rows_equal, facts, load_run

from mne_bstinv import io
from mne_bstinv.continuous import (
    CovarianceOptions,
    Reading,
    SspOptions,
    average_reference,
    covariance,
    event_blocks,
    file_name,
    load,
    read,
    ssp,
    time_blocks,
)


def of(data_dir):
    return data_dir / "continuous"


READS = ["A_samples_600_1100", "A_samples_624_625", "A_channels", "A_ssp", "A_ssp_bl_all",
         "A_bl_time", "A_bl_eeg_only", "B_ctf"]  # fmt: skip


def check_read(folder, stored, name):
    found = scipy.io.loadmat(stored, variable_names=[name], simplify_cells=True)[name]
    recording = load_run(folder, f"run{name[0]}")
    bounds = np.ravel(found["SamplesBounds"]).astype(int)
    first, last = bounds if bounds.size else (recording.first, recording.last)
    baseline = {"no": None, "all": "all"}.get(found["RemoveBaseline"])
    if found["RemoveBaseline"] == "time":
        baseline = tuple(found["BaselineRange"])
    kind = found["BaselineSensorType"]
    rows = np.ravel(found["iChannels"]).astype(int) - 1
    result = read(
        recording,
        int(first),
        int(last),
        Reading(
            projectors=bool(found["UseSsp"]),
            compensation=bool(found["UseCtfComp"]),
            baseline=baseline,
            baseline_types=(kind,) if len(kind) else (),
        ),
        rows=rows if rows.size else None,
    )
    if found["UseSsp"] and recording.projectors:
        assert_rows_equal(result.f, found["F"], 1e-6 if name[0] == "A" else RTOL)
        scale = np.abs(found["F"]).max()
        assert np.abs(result.f - found["F"]).max() <= RTOL * scale
    elif baseline is None and not found["UseCtfComp"]:
        assert np.array_equal(result.f, found["F"])
    else:
        assert_rows_equal(result.f, found["F"])
    assert np.array_equal(result.times, found["TimeVector"])
    assert result.notes == ()


@pytest.mark.parametrize("name", READS)
def test_reads(data_dir, name):
    check_read(of(data_dir), of(data_dir) / "brainstorm" / "in_fread.mat", name)


@pytest.mark.parametrize("name", ["A_all_plain", "B_plain"])
def test_reads_of_whole_files(shared_dir, name):
    folder = shared_dir / "oracle" / "public" / "raw"
    check_read(folder, folder / "in_fread.mat", name)


def test_some_channels_are_not_projected(data_dir):
    recording = load_run(of(data_dir), "runA")
    plain = Reading(projectors=False)
    some = read(recording, 400, 410, Reading(), rows=[0, 1, 2])
    assert np.array_equal(some.f, read(recording, 400, 410, plain, rows=[0, 1, 2]).f)
    assert some.notes == (
        "channels that the projectors need are not read: projectors are not applied",
    )
    (row,) = np.flatnonzero(np.array(recording.types) == "Stim")
    assert read(recording, 400, 410, Reading(), rows=[row]).notes == ()


IMPORTS = ["event_go", "event_go_short_kept_baseline", "event_task_extended", "event_noted_split",
           "time_all", "time_blocks", "ctf_event"]  # fmt: skip


@pytest.mark.parametrize("name", IMPORTS)
def test_imports(data_dir, name):
    folder = of(data_dir)
    (entry,) = [e for e in facts(folder)["imports"] if e["name"] == name]
    options, recording = entry["options"], load_run(folder, entry["raw"])
    split = options["SplitLength"] if options["SplitRaw"] else None
    ignore = options["IgnoreShortEpochs"] > 0
    if options["ImportMode"] == "Event":
        (label,) = entry["event"]
        window = tuple(options["EventsTimeRange"])
        blocks, short = event_blocks(recording, label, window, split=split, ignore_short=ignore)
    else:
        window = tuple(options["TimeRange"]) or None
        blocks, short = time_blocks(recording, window, split=split, ignore_short=ignore)
    files = [folder / "data" / file for file in entry["all_files"]]
    assert [file_name(block) for block in blocks] == [file.name for file in files]
    assert [block.comment for block in blocks] == entry["comments"]
    assert [block.is_bad for block in blocks] == list(map(bool, np.ravel(entry["bad_trials"])))
    if name == "event_go":
        assert [(b.trial, b.cut) for b in short] == [(1, (13, 0)), (6, (0, 53))]
    if name == "event_noted_split":
        assert [(b.trial, b.part, b.n_samples) for b in short] == [
            (1, 4, 11), (2, 4, 11), (3, 4, 11)]  # fmt: skip
    baseline = {"no": None, "all": "all", "time": tuple(options["BaselineRange"])}
    reading = Reading(
        projectors=bool(options["UseSsp"]),
        compensation=bool(options["UseCtfComp"]),
        baseline=baseline[options["RemoveBaseline"]],
    )
    for block, file in zip(blocks, files, strict=True):
        expected = io.read_recordings(file)
        check_block(recording, block, expected, reading, window)


def check_block(recording, block, expected, reading, window):
    if isinstance(reading.baseline, tuple) and block.trial > 1:
        # Brainstorm keeps the shift of the baseline that the first, cut epoch needed
        reading = Reading(baseline=(reading.baseline[0] - 13 / 250, reading.baseline[1] - 13 / 250))
    f = load(recording, block, reading)
    assert_rows_equal(f, expected.f, 1e-6)
    assert np.abs(f - expected.f).max() <= RTOL * np.abs(expected.f).max()
    times = block.start + np.arange(block.n_samples) / recording.sfreq
    assert times == pytest.approx(expected.time, abs=1e-12)
    assert np.array_equal(block.channel_flag, expected.channel_flag)
    assert block.n_avg == expected.n_avg
    assert block.t0 == (expected.t0 or "")
    assert len(block.events) == len(expected.events)
    for ours, theirs in zip(block.events, expected.events, strict=True):
        assert ours.label == theirs.label
        assert ours.times == pytest.approx(theirs.times, abs=1e-11)
        assert np.array_equal(ours.color, theirs.color)
        assert (ours.channels, ours.notes) == (theirs.channels, theirs.notes)
        assert ours.epochs.tolist() == theirs.epochs.tolist()


@pytest.mark.parametrize("number", range(4))
def test_covariances(data_dir, number):
    folder = of(data_dir)
    entry = facts(folder)["covariances"][number]
    found = covariance(
        load_run(folder, "runA"),
        CovarianceOptions(
            baseline=tuple(entry["Baseline"]) or None,
            window=tuple(entry["DataTimeWindow"]) if entry["isDataCov"] else None,
            offset="all" if entry["RemoveDcOffset"] == "all" else "block",
            types=tuple(entry["ChannelTypes"]),
        ),
    )
    name = entry["file"].replace("noisecov_", "cov_").replace("datacov", "cov_data")
    expected = io.read_noise_cov(folder / "brainstorm" / name)
    assert np.array_equal(found.n_samples, expected.n_samples)
    std = np.sqrt(np.diag(expected.noise_cov))
    scale = np.where(std > 0, std, 1)
    worst = np.abs(found.covariance - expected.noise_cov) / np.outer(scale, scale)
    assert worst.max() <= RTOL
    fourth = np.sqrt(np.diag(expected.fourth_moment))
    scale = np.where(fourth > 0, fourth, 1)
    worst = np.abs(found.fourth_moment - expected.fourth_moment) / np.outer(scale, scale)
    assert worst.max() <= RTOL


def same_vectors(found, expected):
    """Compare vectors up to their sign, those of small values less strictly."""
    signs = np.sign(np.sum(found * expected, axis=0))
    return np.abs(found * np.where(signs == 0, 1, signs) - expected).max()


SSP = {
    "ssp pca mag no filter": {},
    "ssp mean grad no filter": {},
    "ssp pca grad using projectors": {},
    "ssp pca eeg extended event": {},
    "ssp pca continuous eeg": {},
}


@pytest.mark.parametrize("tag", SSP)
def test_ssp(shared_dir, tag):
    folder = shared_dir / "oracle" / "public" / "misc"
    steps = facts(folder)["post"]
    (step,) = [entry for entry in steps if entry["tag"] == tag]
    stored = io.read_channels(folder / step["channel_after"]).projectors
    options, recording = step["options"], load_run(folder, "art")
    import dataclasses

    recording = dataclasses.replace(recording, projectors=stored[:-1])
    found = ssp(
        recording,
        SspOptions(
            event=options["eventname"] or None,
            window=tuple(options["eventtime"][0]),
            types=(options["sensortypes"],),
            method="pca" if options["method"] == 1 else "mean",
            use_projectors=bool(options["usessp"]),
            select=tuple(np.ravel(options["select"]).astype(int)),
        ),
    )
    expected = stored[-1]
    assert (found.method, found.status) == (expected.method, expected.status)
    assert found.comp_mask.tolist() == expected.comp_mask.tolist()
    assert same_vectors(found.components, expected.components) < 1e-10
    if expected.sing_val is None:
        assert found.sing_val is None
    else:
        largest = expected.sing_val.max()  # those of projected directions are rounding
        assert np.abs(found.sing_val - expected.sing_val).max() <= RTOL * largest


def test_average_reference(shared_dir):
    folder = shared_dir / "oracle" / "public" / "misc"
    expected = io.read_channels(folder / "channel_after_reference_average.mat").projectors[-1]
    found = average_reference(load_run(folder, "art"))
    assert (found.method, found.status, found.comp_mask) == ("REF", 1, None)
    assert np.abs(found.components - expected.components).max() <= 1e-15
