"""Which file belongs to which."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from io_helpers import cell, save, structs

from mne_bstinv import io
from mne_bstinv.errors import ProtocolError

PROTOCOLS = ("eeg_shared", "eeg_surface", "eeg_volume", "meg_eeg", "mixed")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("data_average_240101.mat", "data"),
        ("Run1_Data_trial001.mat", "data"),
        ("ndatacov_full.mat", "ndatacov"),
        ("noisecov_test-cov.mat", "noisecov"),
        ("results_MN_KERNEL_1.mat", "results"),
        ("channel.mat", "channel"),
        ("EEG.channel-1.mat", "channel"),
        ("headmodel_surf_os_meg.mat", "headmodel"),
        ("tess_cortex_pial_low.mat", "cortex"),
        ("tess_head.mat", "scalp"),
        ("tess_skin.mat", "scalp"),
        ("tess_innerskull.mat", "innerskull"),
        ("tess_outerskull_bem.mat", "outerskull"),
        ("tess_aseg.mat", "tess"),
        ("subjectimage_T1.mat", "subjectimage"),
        ("timefreq_x.mat", "timefreq"),
        ("matrix_x.mat", "matrix"),
        ("dipoles_x.mat", "dipoles"),
        ("a\\b\\CHANNEL.MAT", "channel"),
        ("brainstormstudy.mat", None),
        ("metadata.mat", None),
    ],
)
def test_file_kind(name, kind):
    assert io.file_kind(name) == kind


@pytest.mark.parametrize("name", PROTOCOLS)
def test_protocol_against_manifest(data_dir, name):
    check_manifest(data_dir / name)


def test_sample_protocol(sample_dir):
    check_manifest(sample_dir)


def test_third_party_protocols(shared_dir):
    for folder in sorted((shared_dir / "oracle" / "local").iterdir()):
        if (folder / "anat").is_dir():  # one holds continuous recordings alone
            check_manifest(folder)


def check_manifest(folder):
    """Every results file of the manifest is found with its recordings and head model."""
    protocol = io.read_protocol(folder)
    assert protocol.name == folder.name
    assert protocol.problems == ()
    (subject,) = protocol.subjects
    assert subject.name == "Subject01"
    for attribute in ("anatomy", "cortex", "scalp", "inner_skull"):
        assert getattr(subject, attribute).is_file()
    assert subject.outer_skull is None
    entries = {e.file: (c, e) for c in subject.conditions for e in c.results}
    listed = json.loads((folder / "manifest.json").read_text())["results"]
    written = [item for item in listed if item.get("file")]
    assert len(written) >= 4
    for item in written:
        condition, entry = entries[protocol.data / item["file"]]
        results = io.read_results(entry.file)
        assert io.resolve(protocol, results.head_model_file) == condition.head_model_file
        assert io.resolve(protocol, results.surface_file, "anat") == subject.cortex
        assert entry.shared == (results.data_file is None)
        if not entry.shared:
            assert entry.data_file == io.resolve(protocol, results.data_file)
            assert entry.data_file in [recording.file for recording in condition.recordings]
            assert entry.links == ()


def test_shared_channel_file(data_dir):
    protocol = io.read_protocol(data_dir / "eeg_shared")
    subject = protocol.subject("Subject01")
    assert subject.use_default_channel == 1
    assert [condition.name for condition in subject.conditions] == ["condA", "condB"]
    shared = protocol.data / "Subject01" / "@default_study"
    for condition in subject.conditions:
        assert condition.channel_file == shared / "channel.mat"
        assert condition.head_model_file.parent == shared
        assert condition.noise_cov_file == shared / "noisecov_full.mat"
        assert condition.data_cov_file is None
        kernels = [entry for entry in condition.results if entry.shared]
        assert [kernel.file.parent for kernel in kernels] == [shared, shared]
    a, b = subject.conditions
    assert [recording.bad for recording in a.recordings] == [False, False]
    assert [recording.bad for recording in b.recordings] == [True]
    assert len([entry for entry in a.results if not entry.shared]) == 7
    (link, _) = next(entry.links for entry in a.results if entry.shared)
    assert link == (
        "link|Subject01/@default_study/results_MN_EEG_KERNEL_261122_1233.mat"
        "|Subject01/condA/data_average_240101_1200.mat"
    )
    assert io.resolve(protocol, link).parent == shared


def test_any_place_in_a_protocol(data_dir):
    root = data_dir / "mixed"
    file = next((root / "data").rglob("headmodel*.mat"))
    for place in (root, root / "data", root / "anat", file, file.parent, str(file)):
        assert io.read_protocol(place).root == root.absolute()


def test_no_protocol(tmp_path):
    with pytest.raises(ProtocolError, match="not in a Brainstorm protocol"):
        io.read_protocol(tmp_path)
    with pytest.raises(ProtocolError, match="none: no such file or folder"):
        io.read_protocol(tmp_path / "none")


def test_unknown_names(data_dir):
    protocol = io.read_protocol(data_dir / "mixed")
    with pytest.raises(ProtocolError, match="no subject 'x'; choose one of: 'Subject01'"):
        protocol.subject("x")
    with pytest.raises(ProtocolError, match="no condition 'x' of 'Subject01'; choose one of: "):
        protocol.condition("Subject01", "x")
    assert protocol.condition("Subject01", "mixed").name == "mixed"
    with pytest.raises(ProtocolError, match=r"Unknown kind 'x'\. Must be one of 'data', 'anat'"):
        io.resolve(protocol, "a", kind="x")


def test_resolve(data_dir):
    protocol = io.read_protocol(data_dir / "mixed")
    file = protocol.anat / "Subject01" / "tess_head.mat"
    for stored in ("Subject01/tess_head.mat", "Subject01\\tess_head.mat",
                   "/subject01/TESS_head.mat"):  # fmt: skip
        assert io.resolve(protocol, stored, "anat") == file
    for stored in (None, "", "Subject01", "Subject01/none.mat", "../data/protocol.mat"):
        assert io.resolve(protocol, stored, "anat") is None


@pytest.fixture
def small(tmp_path):
    """Build a protocol with two subjects from scratch."""
    root = tmp_path / "small"
    for subject in ("A", "B"):
        (root / "anat" / subject).mkdir(parents=True)
        (root / "data" / subject / "cond").mkdir(parents=True)
        save(root / "anat" / subject / "brainstormsubject.mat",
             UseDefaultChannel=2.0, UseDefaultAnat=float(subject == "B"))  # fmt: skip
        save(root / "data" / subject / "cond" / "brainstormstudy.mat", Name="cond")
        save(root / "data" / subject / "cond" / "data_1.mat", F=np.ones((2, 2)))
    (root / "anat" / "@default_subject").mkdir()
    file = root / "anat" / "@default_subject" / "brainstormsubject.mat"
    save(file, Cortex="@default_subject\\tess_cortex_2.mat", Scalp="@default_subject/gone.mat")
    default = root / "data" / "@default_study"
    default.mkdir()
    for name in ("channel.mat", "headmodel_a.mat", "headmodel_b.mat", "brainstormstudy.mat"):
        save(default / name, Name="x")
    for name in ("tess_cortex_1.mat", "tess_cortex_2.mat", "subjectimage_T1.mat"):
        save(root / "anat" / "@default_subject" / name, Name="x")
        save(root / "anat" / "A" / name, Name="x")
    return root


def test_defaults_of_the_protocol(small):
    """UseDefaultChannel 2, UseDefaultAnat 1, surfaces that the subject file does not name."""
    protocol = io.read_protocol(small)
    a, b = protocol.subjects
    assert a.cortex == small / "anat" / "A" / "tess_cortex_1.mat"
    assert b.cortex == small / "anat" / "@default_subject" / "tess_cortex_2.mat"
    assert b.anatomy == small / "anat" / "@default_subject" / "subjectimage_T1.mat"
    assert b.scalp is None
    assert protocol.problems == (
        f"{small / 'anat' / '@default_subject'}: the scalp file @default_subject/gone.mat "
        "does not exist",
    )
    for subject in (a, b):
        (condition,) = subject.conditions
        assert condition.channel_file == small / "data" / "@default_study" / "channel.mat"
        assert [file.name for file in condition.head_model_files] == [
            "headmodel_a.mat",
            "headmodel_b.mat",
        ]
        assert condition.head_model_file.name == "headmodel_b.mat"


@pytest.mark.parametrize(("index", "name"), [(1.0, "headmodel_a.mat"), (2.0, "headmodel_b.mat"),
                                             (9.0, "headmodel_b.mat")])  # fmt: skip
@pytest.mark.parametrize("spelled", ["@default_study/headmodel_a", "@Default_Study/HeadModel_A"])
def test_current_head_model(small, index, name, spelled):
    models = structs({"FileName": f"{spelled}.mat"},
                     {"FileName": "@default_study\\headmodel_b.mat"})  # fmt: skip
    folder = spelled.rpartition("/")[0]
    study = structs({"FileName": f"{folder}/brainstormstudy.mat", "HeadModel": models,
                     "iHeadModel": index})  # fmt: skip
    other = structs(
        {"FileName": "A/cond/brainstormstudy.mat", "HeadModel": np.zeros((0, 0)),
         "iHeadModel": np.zeros((0, 0))},
        {"FileName": "B/cond/brainstormstudy.mat", "HeadModel": np.zeros((0, 0)),
         "iHeadModel": np.zeros((0, 0))},
    )  # fmt: skip
    save(small / "data" / "protocol.mat",
         ProtocolStudies=structs({"Study": other, "DefaultStudy": study}))  # fmt: skip
    (condition, *_) = io.read_protocol(small).subjects[0].conditions
    assert condition.head_model_file.name == name


def test_current_head_model_of_a_single_study(data_dir, tmp_path):
    """A Study array of one element is read as a plain struct."""
    root = tmp_path / "p"
    shutil.copytree(data_dir / "mixed", root)
    folder = root / "data" / "Subject01" / "mixed"
    (model,) = folder.glob("headmodel*.mat")
    shutil.copy(model, folder / "headmodel_zzz.mat")
    study = {"FileName": "Subject01/mixed/brainstormstudy.mat", "iHeadModel": 1.0,
             "HeadModel": structs({"FileName": f"Subject01/mixed/{model.name}"})}  # fmt: skip
    index = root / "data" / "protocol.mat"
    save(index, ProtocolStudies=structs({"Study": structs(study)}))
    assert io.read_protocol(root).condition("Subject01", "mixed").head_model_file == (
        folder / model.name
    )
    index.unlink()
    assert io.read_protocol(root).condition("Subject01", "mixed").head_model_file == (
        folder / "headmodel_zzz.mat"
    )


def test_problems_do_not_stop_reading(data_dir, tmp_path):
    root = tmp_path / "p"
    shutil.copytree(data_dir / "mixed", root)
    folder = root / "data" / "Subject01" / "mixed"
    (folder / "brainstormstudy.mat").write_bytes(b"nothing")
    (folder / "results_bad.mat").write_bytes(b"nothing")
    (root / "data" / "protocol.mat").write_bytes(b"nothing")
    (root / "anat" / "Subject01" / "brainstormsubject.mat").unlink()
    save(folder / "results_lost.mat", DataFile="Subject01/mixed/data_gone.mat")
    shutil.copy(folder / "channel.mat", folder / "channel_2.mat")
    protocol = io.read_protocol(root)
    problems = "\n".join(protocol.problems)
    assert len(protocol.problems) == 6
    for text in ("protocol.mat: not a MATLAB file", "brainstormsubject.mat: no such file",
                 "several channel files", "brainstormstudy.mat: not a MATLAB file",
                 "results_bad.mat: not a MATLAB file",
                 "its recordings Subject01/mixed/data_gone.mat do not exist"):  # fmt: skip
        assert text in problems
    condition = protocol.condition("Subject01", "mixed")
    assert len(condition.results) == 8
    assert condition.channel_file.name == "channel_2.mat"


def test_intra_folder_counts_only_with_content(data_dir, tmp_path):
    root = tmp_path / "p"
    shutil.copytree(data_dir / "mixed", root)
    intra = root / "data" / "Subject01" / "@intra"
    save(intra / "data_average.mat", F=np.eye(2))
    save(
        intra / "brainstormstudy.mat", Name="@intra", BadTrials=cell("Subject01/x/data_average.mat")
    )
    condition = io.read_protocol(root).condition("Subject01", "@intra")
    assert [recording.bad for recording in condition.recordings] == [True]
    assert condition.channel_file is None


def test_large_arrays_are_not_read(data_dir, monkeypatch):
    names = []

    def read(path, wanted=None):
        names.append(wanted)
        return original(path, wanted)

    original = io.mat.read
    monkeypatch.setattr(io.mat, "read", read)
    io.read_protocol(data_dir / "meg_eeg")
    assert ["DataFile"] in names
    assert ["ProtocolStudies"] in names
