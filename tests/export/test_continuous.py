"""Continuous recordings exported: what a protocol then holds, and what Brainstorm would read."""

from __future__ import annotations

import shutil
from pathlib import Path

import mne
import numpy as np
import pytest

from mne_bstinv import conversion_report, export_raw, export_study, io, read_raw_brainstorm
from mne_bstinv.errors import ConversionError, MissingFileError, OverwriteError, ProtocolError
from mne_bstinv.io import mat


@pytest.fixture
def raw():
    rng = np.random.default_rng(5)
    info = mne.create_info(["A", "B", "STI"], 200.0, ["eeg", "eeg", "stim"])
    raw = mne.io.RawArray(1e-5 * rng.standard_normal((3, 3000)), info, first_samp=50)
    raw.info["bads"] = ["B"]
    return raw.set_annotations(mne.Annotations([1.0, 2.0], [0, 0.5], ["go", "BAD_move"]))


def test_a_new_protocol(raw, tmp_path):
    exported = export_raw(tmp_path / "p", raw, subject="S1", name="rest")
    assert (exported.condition, exported.subject) == ("@rawrest", "S1")
    folder = tmp_path / "p/data/S1/@rawrest"
    assert sorted(file.name for file in folder.iterdir()) == [
        "brainstormstudy.mat", "channel.mat", "data_0raw_rest.mat", "rest.bst"]  # fmt: skip
    assert set(exported.written) >= set(folder.iterdir())
    back = read_raw_brainstorm(folder / "data_0raw_rest.mat")
    assert np.array_equal(back.get_data().astype("f4"), raw.get_data().astype("f4"))
    assert (back.first_samp, back.info["bads"]) == (50, ["B"])
    assert "rounded to single precision" in str(conversion_report(exported))
    protocol = io.read_protocol(tmp_path / "p")
    (condition,) = [c for s in protocol.subjects for c in s.conditions]
    assert condition.name == "@rawrest"
    assert [entry.file.name for entry in condition.recordings] == ["data_0raw_rest.mat"]
    # the index of Brainstorm: a raw file, with its channels
    index = mat.read(tmp_path / "p/data/protocol.mat")["ProtocolStudies"].value["Study"]
    studies = index if isinstance(index, list) else [index]
    text = str(studies)
    assert "'raw'" in text
    assert "S1/@rawrest/data_0raw_rest.mat" in text


def test_beside_other_conditions(raw, tmp_path):
    evoked = mne.EvokedArray(np.zeros((2, 10)), raw.copy().pick("eeg").info)
    export_study(tmp_path / "p", evoked, subject="S", condition="c")
    export_raw(tmp_path / "p", raw, subject="S", name="one")
    export_raw(tmp_path / "p", raw, subject="T", name="one")
    names = {(s.name, c.name) for s in io.read_protocol(tmp_path / "p").subjects
             for c in s.conditions}  # fmt: skip
    assert names == {("S", "c"), ("S", "@rawone"), ("T", "@rawone")}
    before = (tmp_path / "p/data/S/@rawone/one.bst").read_bytes()
    with pytest.raises(OverwriteError, match="the condition exists already"):
        export_raw(tmp_path / "p", raw, subject="S", name="one")
    other = mne.io.RawArray(2 * raw.get_data(), raw.info)
    export_raw(tmp_path / "p", other, subject="S", name="one", overwrite=True)
    assert (tmp_path / "p/data/S/@rawone/one.bst").read_bytes() != before


@pytest.mark.parametrize("kind", ["fif", "link", "bst"])
def test_from_files(raw, tmp_path, data_dir, kind):
    raw.save(tmp_path / "rest_raw.fif")
    link = data_dir / "continuous/data/Subject01/@rawrunC_raw/data_0raw_runC_raw.mat"
    bst = data_dir / "continuous/data/Subject01/@rawrunB/runB.bst"
    file, name = {"fif": (tmp_path / "rest_raw.fif", "rest"), "link": (link, "runC"),
                  "bst": (bst, "runB")}[kind]  # fmt: skip
    exported = export_raw(tmp_path / "p", file, subject="S")
    assert exported.condition == f"@raw{name}"
    back = read_raw_brainstorm(exported.recordings[0])
    given = mne.io.read_raw_fif(file) if kind == "fif" else read_raw_brainstorm(file)
    assert np.array_equal(back.get_data(), given.get_data().astype("f4"))


def test_nothing_is_left_of_what_fails(raw, tmp_path):
    raw.load_data()
    raw._data[0, 2000] = 1e39
    with pytest.raises(Exception, match="what single precision can hold"):
        export_raw(tmp_path / "p", raw, subject="S")
    assert list(tmp_path.iterdir()) == []


def test_refusals(raw, tmp_path):
    with pytest.raises(ConversionError, match="raw takes a Raw or a file of it, found EvokedArray"):
        export_raw(tmp_path / "p", mne.EvokedArray(np.zeros((3, 2)), raw.info), subject="S")
    with pytest.raises(MissingFileError, match="no such file"):
        export_raw(tmp_path / "p", tmp_path / "none_raw.fif", subject="S")
    with pytest.raises(ProtocolError, match="cannot be the name of a subject"):
        export_raw(tmp_path / "p", raw, subject="../S")


def test_shared_channels(raw, tmp_path):
    """A subject whose conditions share one channel file: the same channels, or none."""
    evoked = mne.EvokedArray(np.zeros((3, 10)), raw.info)
    export_study(tmp_path / "p", evoked, subject="S", condition="c", share_channels=True)
    exported = export_raw(tmp_path / "p", raw, subject="S", name="one")
    assert not list((tmp_path / "p/data/S/@rawone").glob("channel*"))
    back = read_raw_brainstorm(exported.recordings[0])
    assert back.ch_names == raw.ch_names
    shutil.rmtree(tmp_path / "p/data/S/@rawone")
    with pytest.raises(OverwriteError, match="share this file"):
        export_raw(tmp_path / "p", raw.copy().pick(["A", "B"]), subject="S", name="two")
    assert not Path(tmp_path / "p/data/S/@rawtwo").exists()
