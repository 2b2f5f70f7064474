"""Continuous recordings ported: samples, annotations, what is missing, and what the disk holds."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import mne
import numpy as np
import pytest

from mne_bstinv import io, read_protocol, read_raw_brainstorm
from mne_bstinv.errors import OptionError, RecordingFileError
from mne_bstinv.port import port_protocol

CONDITIONS = ["@rawrunA", "@rawrunB", "@rawrunC_raw", "time_blocks"]


@pytest.fixture
def protocol(data_dir, tmp_path):
    return Path(shutil.copytree(data_dir / "continuous", tmp_path / "protocol"))


def link_in(protocol, name):
    return next((protocol / "data" / "Subject01").glob(f"@raw{name}*/data_0raw_*.mat"))


@pytest.fixture(scope="module")
def ported(data_dir, tmp_path_factory):
    out = tmp_path_factory.mktemp("continuous") / "out"
    report = port_protocol(data_dir / "continuous", out, conditions=CONDITIONS)
    assert report.success
    return out


@pytest.mark.parametrize("name", ["runA", "runB", "runC"])
def test_samples_and_annotations(ported, data_dir, name):
    (file,) = ported.glob(f"Subject01/*{name}*/*-raw.fif")
    found = mne.io.read_raw_fif(file)
    link = link_in(data_dir / "continuous", name)
    expected = read_raw_brainstorm(link)
    assert np.array_equal(found.get_data(), expected.get_data())
    assert (found.first_samp, found.ch_names) == (expected.first_samp, expected.ch_names)
    assert found.info["sfreq"] == expected.info["sfreq"]
    assert found.info["bads"] == expected.info["bads"]
    assert found.compensation_grade == expected.compensation_grade
    for raw in (found, expected):
        raw.annotations.onset = np.round((raw.annotations.onset - raw.first_time)
                                         * raw.info["sfreq"])  # fmt: skip
    assert found.annotations.onset.tolist() == expected.annotations.onset.tolist()
    assert list(found.annotations.description) == list(expected.annotations.description)
    assert found.annotations.ch_names.tolist() == expected.annotations.ch_names.tolist()
    manifest = json.loads((file.parent / "port.json").read_text("utf-8"))
    (output,) = [manifest["outputs"][file.name]]
    original = link.parent / io.read_recordings(link).link.filename
    assert data_dir / "continuous" / output["original"] == original
    assert output["format"] == ("FIF" if name == "runC" else "BST-BIN")
    assert output["contents"] == [link.relative_to(data_dir / "continuous").as_posix()]
    info = mne.io.read_info(next(file.parent.glob("*-info.fif")))
    assert info["sfreq"] == pytest.approx(expected.info["sfreq"], rel=1e-7)  # and not 1000 Hz


def test_blocks_are_raws(ported, data_dir):
    files = sorted((ported / "Subject01/time_blocks").glob("*-raw.fif"))
    stored = sorted((data_dir / "continuous/data/Subject01/time_blocks").glob("data_block*.mat"))
    assert len(files) == len(stored) == 3
    for file, source in zip(sorted(files, key=lambda f: f.name[-14:]), stored, strict=True):
        raw = mne.io.read_raw_fif(file)
        assert np.array_equal(raw.get_data(), io.read_recordings(source).f)
    assert "_bad_block001-raw.fif" in " ".join(file.name for file in files)
    assert not list((ported / "Subject01/time_blocks").glob("*-epo.fif"))


def test_a_protocol_reads_them_too(data_dir):
    study = read_protocol(data_dir / "continuous").condition("Subject01", "@rawrunA")
    (raw,) = study.raws
    assert (raw.first_samp, study.info["sfreq"]) == (375, 250.0)
    assert study.evokeds == []
    assert study.epochs is None
    blocks = read_protocol(data_dir / "continuous").condition("Subject01", "time_blocks")
    assert len(blocks.raws) == 2
    assert blocks.epochs is None


def test_run_again(protocol, tmp_path):
    out = tmp_path / "out"
    first = port_protocol(protocol, out, conditions="@rawrunA")
    again = port_protocol(protocol, out, conditions="@rawrunA")
    assert len(first.done) == len(again.kept) > 0
    # without them
    without = port_protocol(protocol, out, conditions="@rawrunA", raw="none")
    assert without.success
    assert not list(out.glob("Subject01/*/*-raw.fif"))
    assert "were not asked for" in without.units[-1]["skipped"][0]["reason"]
    port_protocol(protocol, out, conditions="@rawrunA")
    (file,) = out.glob("Subject01/*/*-raw.fif")
    before = file.stat().st_mtime_ns
    # another file behind the link
    bst = link_in(protocol, "runA").with_name("runA.bst")
    opened = io.open_bst(bst)
    samples, header = opened.read(), opened.header
    io.write_bst(bst, header, 2 * samples, overwrite=True)
    changed = port_protocol(protocol, out, conditions="@rawrunA")
    assert [unit["title"] for unit in changed.done] == ["Subject01/@rawrunA"]
    assert file.stat().st_mtime_ns != before
    assert np.array_equal(mne.io.read_raw_fif(file).get_data(), 2 * samples)


def test_an_original_that_is_elsewhere(protocol, tmp_path):
    archive = tmp_path / "archive"
    archive.mkdir()
    link = link_in(protocol, "runB")
    link.with_name("runB.bst").rename(archive / "runB.bst")
    report = port_protocol(protocol, tmp_path / "out", conditions="@rawrunB")
    assert report.success
    (skipped,) = [s for s in report.units[-1]["skipped"] if s["what"] == "recordings"]
    assert "'runB.bst' is not found. Say in which folder it is" in skipped["reason"]
    report = port_protocol(protocol, tmp_path / "out", conditions="@rawrunB", raw_dir=archive)
    assert report.success
    outputs = report.units[-1]["outputs"]
    (output,) = [o for name, o in outputs.items() if name.endswith("-raw.fif")]
    assert output["original"] == str(archive / "runB.bst")
    assert len(list((tmp_path / "out").glob("Subject01/*/*-raw.fif"))) == 1


@pytest.mark.parametrize("damage", ["truncated", "format", "channels"])
def test_one_bad_recording_does_not_cost_the_others(protocol, tmp_path, damage):
    link = link_in(protocol, "runB")
    if damage == "truncated":
        bst = link.with_name("runB.bst")
        bst.write_bytes(bst.read_bytes()[:-100])
    else:
        recordings = io.read_recordings(link)
        if damage == "format":
            changed = dataclasses.replace(recordings.link, format="EEG-XLTEK")
            recordings = dataclasses.replace(recordings, link=changed)
            io.write_recordings(link, recordings, overwrite=True)
        else:
            (file,) = link.parent.glob("channel*.mat")
            channels = io.read_channels(file)
            fewer = dataclasses.replace(
                channels, channels=channels.channels[:-3], meg_ref_coef=None
            )
            io.write_channels(file, fewer, overwrite=True)
    report = port_protocol(protocol, tmp_path / "out", conditions=["@rawrunA", "@rawrunB"])
    units = {unit["title"]: unit for unit in report.units}
    assert units["Subject01/@rawrunA"]["status"] == "done"
    other = units["Subject01/@rawrunB"]
    if damage == "format":
        assert other["status"] == "done"
        assert any("EEG-XLTEK" in s["reason"] for s in other["skipped"])
    else:
        assert other["status"] == "failed"
        assert "-info.fif" in " ".join(other["outputs"])
        assert not list((tmp_path / "out").glob("Subject01/*runB*/*-raw.fif"))


def test_no_room_on_the_disk(protocol, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=100_000))
    out = tmp_path / "out"
    with pytest.raises(RecordingFileError, match=r"need 0\.00 GB, and 0\.00 GB are free"):
        port_protocol(protocol, out, conditions="@rawrunA")
    assert not out.exists()
    assert port_protocol(protocol, out, conditions="@rawrunA", raw="none").success


def test_what_cannot_be_asked_for(protocol, tmp_path):
    with pytest.raises(OptionError, match="Unknown raw 'bst'"):
        port_protocol(protocol, tmp_path / "out", raw="bst")


def test_files_are_split(protocol, tmp_path, monkeypatch):
    save = mne.io.BaseRaw.save
    monkeypatch.setattr(
        mne.io.BaseRaw, "save",
        lambda self, path, **options: save(self, path, **options | {"split_size": "2MB"}),
    )  # fmt: skip
    link = link_in(protocol, "runA")
    opened = io.open_bst(link.with_name("runA.bst"))
    long = np.tile(opened.read(), 5)
    io.write_bst(link.with_name("runA.bst"), opened.header, long, overwrite=True)
    report = port_protocol(protocol, tmp_path / "out", conditions="@rawrunA")
    assert report.success, str(report)
    files = sorted((tmp_path / "out").glob("Subject01/*/*.fif"))
    parts = [file for file in files if "-raw" in file.name]
    assert len(parts) > 1
    (first,) = [file for file in parts if file.name.endswith("-raw.fif")]
    assert np.array_equal(mne.io.read_raw_fif(first).get_data(), long)


def test_an_archive(protocol, tmp_path):
    archive = shutil.make_archive(tmp_path / "p", "zip", protocol.parent, protocol.name)
    report = port_protocol(archive, tmp_path / "out", conditions="@rawrunA")
    assert report.success
    (file,) = (tmp_path / "out").glob("Subject01/*/*-raw.fif")
    expected = read_raw_brainstorm(link_in(protocol, "runA")).get_data()
    assert np.array_equal(mne.io.read_raw_fif(file).get_data(), expected)
    again = port_protocol(archive, tmp_path / "out", conditions="@rawrunA")
    assert len(again.kept) == len(report.units)
