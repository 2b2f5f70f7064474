"""The index of a protocol: our entries are Brainstorm's."""

from __future__ import annotations

import dataclasses
import shutil
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from export_studies import LOCAL, PUBLIC, export, ported
from matlab_templates import equal

from mne_bstinv import io
from mne_bstinv.errors import ProtocolError
from mne_bstinv.export.index import read_index, study_entry, subject_entry, updated_index

READERS = {
    "channel": io.read_channels,
    "data": io.read_recordings,
    "headmodel": io.read_head_model,
    "noisecov": io.read_noise_cov,
    "ndatacov": io.read_noise_cov,
    "results": io.read_results,
}


def reread(value):
    buffer = BytesIO()
    scipy.io.savemat(buffer, {"x": value}, oned_as="row", long_field_names=True)
    buffer.seek(0)
    return scipy.io.loadmat(buffer)["x"]


def name_of(row) -> str:
    return str(row["FileName"][0])


def studies_of(index) -> dict:
    return {name_of(row): row for row in index["ProtocolStudies"]["Study"][0, 0].ravel()}


def check_entries(root: Path) -> None:
    index = read_index(root / "data" / "protocol.mat")
    for file, theirs in studies_of(index).items():
        folder = file.rpartition("/")[0]
        path = root / "data" / folder
        files = {
            one.name: READERS[io.file_kind(one.name)](one)
            for one in sorted(path.glob("*.mat"))
            if io.file_kind(one.name)
        }
        study = io.read_study(path / "brainstormstudy.mat")
        ours = reread(study_entry(folder, study, "Subject01", files)).ravel()[0]
        assert ours.dtype.names == theirs.dtype.names
        for name in theirs.dtype.names:
            if name != "Result":
                assert equal(ours[name], theirs[name]), (folder, name)
        mine = {name_of(row): row for row in ours["Result"].ravel()}
        stored = {name_of(row): row for row in theirs["Result"].ravel()}
        assert {name for name in stored if not name.startswith("link|")} == set(mine)
        for name, row in mine.items():
            assert equal(row, stored[name]), name


@pytest.mark.parametrize("name", PUBLIC)
def test_entries_of_studies_are_brainstorms(data_dir, name):
    check_entries(data_dir / name)


@pytest.mark.parametrize("name", LOCAL)
def test_entries_of_studies_with_real_sensors_are_brainstorms(shared_dir, name):
    check_entries(shared_dir / "oracle" / "local" / name)


@pytest.mark.parametrize("name", PUBLIC)
def test_the_entry_of_a_subject_is_brainstorms(data_dir, name):
    root = data_dir / name
    index = read_index(root / "data" / "protocol.mat")
    theirs = index["ProtocolSubjects"]["Subject"][0, 0].ravel()[0]
    folder = root / "anat" / "Subject01"
    files = {}
    for file in sorted(folder.glob("*.mat")):
        if kind := io.file_kind(file.name):
            read = io.read_mri if kind == "subjectimage" else io.read_surface
            files[file.name] = (kind, read(file).comment)
    subject = io.read_subject(folder / "brainstormsubject.mat")
    ours = reread(subject_entry("Subject01", subject, files)).ravel()[0]
    assert ours.dtype.names == theirs.dtype.names
    for field in theirs.dtype.names:
        assert equal(ours[field], theirs[field]), field


@pytest.mark.parametrize("name", ["eeg_shared", "meg_eeg"])
def test_kernels_are_linked_with_recordings_as_in_brainstorms_index(data_dir, tmp_path, name):
    export(ported(data_dir / name), tmp_path / name)
    ours, theirs = (
        studies_of(read_index(root / name / "data" / "protocol.mat"))
        for root in (tmp_path, data_dir)
    )
    for file, study in theirs.items():
        if study["Data"].size or study["Result"].size:
            assert ours[file]["Result"].size == study["Result"].size
            links = [
                [name_of(row).split("|")[2] for row in one["Result"].ravel() if row["isLink"][0, 0]]
                for one in (ours[file], study)
            ]
            # recordings have other names; each has as many kernels
            counts = [sorted(map(names.count, set(names))) for names in links]
            assert counts[0] == counts[1]


def test_a_new_index_has_the_fields_and_classes_of_brainstorms(sample, sample_dir, tmp_path):
    export([sample], tmp_path / "p")
    ours, theirs = (
        read_index(root / "data" / "protocol.mat") for root in (tmp_path / "p", sample_dir)
    )
    assert set(ours) == set(theirs)
    for name in ("ProtocolInfo", "ProtocolStudies", "ProtocolSubjects"):
        assert ours[name].dtype.names == theirs[name].dtype.names
        for field in theirs[name].dtype.names:
            mine, stored = ours[name][field][0, 0], theirs[name][field][0, 0]
            if field == "DefaultSubject":  # the protocols of the tests have no default anatomy
                stored = theirs[name]["Subject"][0, 0]
            assert (mine.dtype.names, mine.dtype.kind) == (stored.dtype.names, stored.dtype.kind)
    for field in ("DefaultStudy", "AnalysisStudy"):
        # unnamed where the folder does not exist; a study without files is of the same classes
        mine, empty = ours["ProtocolStudies"][field][0, 0], theirs["ProtocolStudies"]["Study"][0, 0]
        assert shapes(mine.ravel()[0]) == shapes(empty.ravel()[0])
    assert ours["ProtocolInfo"]["Comment"][0, 0][0] == "p"
    assert ours["ProtocolInfo"]["iStudy"][0, 0][0, 0] == 3  # after @intra and @default_study


def shapes(row) -> dict:
    return {
        name: (row[name].dtype.kind, row[name].dtype.names, row[name].shape)
        for name in row.dtype.names
    }


def test_a_new_protocol_has_the_folders_that_belong_to_no_subject(sample, tmp_path):
    (study,) = export([sample], tmp_path / "p")
    index = read_index(study.root / "data" / "protocol.mat")
    subject = index["ProtocolSubjects"]["DefaultSubject"][0, 0][0, 0]
    assert name_of(subject) == "@default_subject/brainstormsubject.mat"
    default = io.read_subject(study.root / "anat" / name_of(subject))
    assert (default.use_default_anat, default.use_default_channel) == (1, 1)
    for folder, field in (("@default_study", "DefaultStudy"), ("@inter", "AnalysisStudy")):
        entry = index["ProtocolStudies"][field][0, 0][0, 0]
        assert name_of(entry) == f"{folder}/brainstormstudy.mat"
        assert str(entry["BrainStormSubject"][0]) == name_of(subject)
        assert io.read_study(study.root / "data" / name_of(entry)).name == folder
        assert study.root / "data" / name_of(entry) in study.written
    # of an existing protocol they are Brainstorm's own
    shutil.rmtree(study.root / "data" / "@inter")
    sample_again = dataclasses.replace(sample, condition="again")
    (second,) = export([sample_again], study.root)
    assert not any("@inter" in file.parts for file in second.written)
    assert [one.name for one in io.read_protocol(study.root).subjects] == ["Subject01"]


def test_what_an_index_has_of_other_studies_stays(sample, sample_dir, tmp_path):
    before = read_index(sample_dir / "data" / "protocol.mat")
    entry = reread(study_entry("New/one", io.Study(name="one"), "New", {}))
    subject = reread(subject_entry("New", io.Subject(), {}))
    after = updated_index(
        before, "p", [entry], subject, current="New/one/brainstormstudy.mat", shared="New/one"
    )
    assert after["ProtocolInfo"]["iStudy"] == before["ProtocolInfo"]["iStudy"]
    old, new = studies_of(before), studies_of(after)
    assert set(new) == {*old, "New/one/brainstormstudy.mat"}
    assert all(equal(new[name], row) for name, row in old.items())
    names = [str(row["Name"][0]) for row in after["ProtocolSubjects"]["Subject"][0, 0].ravel()]
    assert names == ["Subject01", "New"]


def test_an_index_that_cannot_be_read_is_refused_before_anything_is_written(
    sample, sample_dir, tmp_path
):
    root = tmp_path / "p"
    (root / "anat").mkdir(parents=True)
    (root / "data").mkdir()
    scipy.io.savemat(root / "data" / "protocol.mat", {"other": np.zeros((1, 1))})
    with pytest.raises(ProtocolError, match="the index of the protocol cannot be read"):
        export([sample], root)
    assert list((root / "anat").iterdir()) == []
