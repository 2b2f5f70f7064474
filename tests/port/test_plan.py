"""Which units a protocol is cut into."""

from __future__ import annotations

import dataclasses
import pickle
import shutil

import pytest
from port_studies import make_protocol

from mne_bstinv import io
from mne_bstinv.errors import OptionError, ProtocolError
from mne_bstinv.port import port_protocol
from mne_bstinv.port.plan import ANATOMY, CONDITION, SHARED, plan
from mne_bstinv.port.settings import Settings

SHARED_FOLDER = "data/Subject01/@default_study"


def test_units_of_a_protocol_whose_conditions_share(data_dir):
    units = plan(io.read_protocol(data_dir / "eeg_shared"))
    assert [(unit.kind, unit.folder, unit.stem) for unit in units] == [
        (ANATOMY, "subjects/Subject01", "Subject01"),
        (SHARED, "Subject01/default_study", "Subject01_default_study"),
        (CONDITION, "Subject01/condA", "Subject01_condA"),
        (CONDITION, "Subject01/condB", "Subject01_condB"),
    ]
    anatomy, shared, first, _ = units
    assert [unit.holds_sensors for unit in units] == [False, True, False, False]
    assert first.shared == shared.folder
    # kernels of the default study are its own there, and applied to the recordings of conditions
    assert [entry.shared for entry in shared.files.results] == [True, True]
    assert shared.files.recordings == ()
    assert set(shared.inputs()) < set(first.inputs()) | {f"{SHARED_FOLDER}/x"}
    assert set(anatomy.inputs()) == {
        f"anat/Subject01/{name}.mat"
        for name in ("subjectimage_T1", "tess_cortex_pial_low_42V", "tess_head", "tess_innerskull")
    }
    assert f"{SHARED_FOLDER}/channel.mat" in first.inputs()
    assert [unit.title for unit in units[:3]] == [
        "anatomy of Subject01", "Subject01/@default_study", "Subject01/condA",
    ]  # fmt: skip


def test_units_of_a_protocol_whose_conditions_have_their_own(data_dir):
    units = plan(io.read_protocol(data_dir / "eeg_surface"))
    assert [(unit.kind, unit.folder) for unit in units] == [
        (ANATOMY, "subjects/Subject01"),
        (CONDITION, "Subject01/evoked"),
        (CONDITION, "Subject01/noise"),
    ]
    assert all(unit.holds_sensors for unit in units[1:])


@pytest.fixture
def two_subjects(data_dir, tmp_path):
    """Two subjects; the second has awkward names, the default anatomy and shared channels."""
    root = shutil.copytree(data_dir / "eeg_shared", tmp_path / "two")
    shutil.copytree(root / "anat/Subject01", root / "anat/@default_subject")
    shutil.copytree(root / "anat/Subject01", root / "anat/sub jects")
    shutil.copytree(root / "data/Subject01", root / "data/sub jects")
    shutil.copytree(root / "data/Subject01/@default_study", root / "data/@default_study")
    (root / "data/sub jects/condA").rename(root / "data/sub jects/Cond A")
    (root / "data/sub jects/condB").rename(root / "data/sub jects/cond_a")
    file = root / "anat/sub jects/brainstormsubject.mat"
    subject = dataclasses.replace(io.read_subject(file), use_default_anat=1, use_default_channel=2)
    io.write_subject(file, subject, overwrite=True)
    default = root / "anat/@default_subject"
    stored = io.read_subject(default / "brainstormsubject.mat")
    moved = {
        name: value.replace("Subject01", "@default_subject")
        for name in ("anatomy", "cortex", "scalp", "inner_skull")
        if (value := getattr(stored, name))
    }
    io.write_subject(
        default / "brainstormsubject.mat", dataclasses.replace(stored, **moved), overwrite=True
    )
    return root


def test_default_anatomy_and_shared_channel_file(two_subjects):
    units = plan(io.read_protocol(two_subjects), subjects=["sub jects"])
    by_kind = {kind: [u for u in units if u.kind == kind] for kind in (ANATOMY, SHARED, CONDITION)}
    (anatomy,) = by_kind[ANATOMY]
    assert anatomy.folder == "subjects/default_subject"
    assert all(name.startswith("anat/@default_subject/") for name in anatomy.inputs())
    (shared,) = by_kind[SHARED]
    assert shared.folder == "default_study_default_subject"
    assert shared.title == "all subjects/@default_study"
    assert shared.files.channel_file == two_subjects / "data/@default_study/channel.mat"
    folders = [unit.folder for unit in by_kind[CONDITION]]
    assert len({folder.casefold() for folder in folders}) == 2
    assert all(folder.startswith("sub_jects/") for folder in folders)
    assert {unit.mne_subject for unit in units} == {"default_subject"}


def test_names_do_not_depend_on_what_is_asked_for(two_subjects):
    protocol = io.read_protocol(two_subjects)
    every = {unit.title: unit.folder for unit in plan(protocol)}
    for condition in ("Cond A", "condA"):
        for unit in plan(protocol, conditions=[condition]):
            assert every[unit.title] == unit.folder
            if unit.kind == ANATOMY:
                first = unit.anatomy.conditions[0]
                assert unit.files.name == first.name


def test_without_an_mri_the_anatomy_is_in_the_frame_of_the_channels(two_subjects):
    protocol = io.read_protocol(two_subjects)
    (subject,) = (s for s in protocol.subjects if s.name == "Subject01")
    without = dataclasses.replace(subject, anatomy=None)
    unit = plan(dataclasses.replace(protocol, subjects=(without,)))[0]
    assert f"{SHARED_FOLDER}/channel.mat" in unit.inputs()
    assert unit.facts() == {"stem": "Subject01", "mne_subject": "Subject01"}


def test_a_protocol_without_conditions_has_nothing_to_port(tmp_path):
    for name in ("anat", "data"):
        (tmp_path / name).mkdir()
    with pytest.raises(ProtocolError, match="no condition of any subject and no anatomy"):
        plan(io.read_protocol(tmp_path))


def test_an_anatomy_without_conditions_is_ported(data_dir, tmp_path):
    folder = tmp_path / "protocol"
    shutil.copytree(data_dir / "eeg_shared" / "anat", folder / "anat")
    (folder / "data").mkdir()
    (unit,) = plan(io.read_protocol(folder))
    assert (unit.kind, unit.folder) == (ANATOMY, "subjects/Subject01")
    report = port_protocol(folder, tmp_path / "out")
    assert report.success
    surf = tmp_path / "out" / "subjects" / "Subject01" / "surf"
    assert (surf / "lh.pial").exists()
    with pytest.raises(ProtocolError, match="no condition 'x'"):
        port_protocol(folder, tmp_path / "out", conditions="x")


def test_settings_are_checked():
    assert Settings(data_types=("MEG",)).estimates == "all"
    with pytest.raises(OptionError, match=r"Unknown data types 'meg'\. Choose from MEG, MEG MAG"):
        Settings(data_types=("meg",))


def test_what_goes_to_a_process_does_not_grow_with_the_number_of_conditions(tmp_path):
    def largest(n_conditions: int) -> int:
        root = tmp_path / str(n_conditions)
        make_protocol(root, n_subjects=1, n_conditions=n_conditions)
        return max(
            len(pickle.dumps(u)) for u in plan(io.read_protocol(root)) if u.kind == CONDITION
        )

    assert largest(4) == largest(2)
