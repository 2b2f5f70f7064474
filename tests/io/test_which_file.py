"""Which of several MRIs is the subject's, and what renamed files hold."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from helpers_mat73 import save_73
from io_helpers import save, structs

from mne_bstinv import convert_file, io
from mne_bstinv.cli import main
from mne_bstinv.io import mat
from mne_bstinv.io.registry import row_in, row_of_content


@pytest.fixture
def protocol(data_dir: Path, tmp_path: Path) -> Path:
    return shutil.copytree(data_dir / "eeg_shared", tmp_path / "eeg_shared")


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (("subjectimage_aseg_volatlas.mat", "subjectimage_MRI.mat"), "subjectimage_MRI.mat"),
        (("subjectimage_CT_volct.mat", "subjectimage_T2.mat"), "subjectimage_T2.mat"),
        (("subjectimage_FLAIR.mat", "subjectimage_T1.mat"), "subjectimage_T1.mat"),
        (("subjectimage_MRI.mat", "subjectimage_T1w.mat"), "subjectimage_T1w.mat"),
        (("subjectimage_tissues_volatlas.mat",), None),
        (("subjectimage_ct.mat", "subjectimage_pet.mat"), None),
    ],
)
@pytest.mark.parametrize("stored", ["", "Subject01/subjectimage_aseg_volatlas.mat"])
def test_the_mri_is_no_volume_of_labels(protocol, names, chosen, stored):
    folder = protocol / "anat" / "Subject01"
    for file in folder.glob("subjectimage*"):
        file.unlink()
    for name in (*names, "subjectimage_aseg_volatlas.mat"):
        save(folder / name, Cube=np.zeros((2, 2, 2)))
    file = folder / "brainstormsubject.mat"
    subject = io.Subject(anatomy=stored or None, use_default_channel=1)
    io.write_subject(file, subject, overwrite=True)
    found = io.read_protocol(protocol)
    anatomy = found.subjects[0].anatomy
    assert (None if anatomy is None else anatomy.name) == chosen
    said = any("is no MRI but a volume of labels" in problem for problem in found.problems)
    assert said == bool(stored)


@pytest.mark.parametrize("version", ["v6", "v7", "v73", "struct"])
def test_renamed_exports_are_known_by_content(tmp_path, version):
    contents = {
        "cortex": ({"Vertices": np.eye(3), "Faces": np.array([[1.0, 2, 3]])}, "tess"),
        "Gain": ({"Gain": np.ones((2, 3)), "GridLoc": np.ones((1, 3))}, "headmodel"),
        "noise": ({"NoiseCov": np.eye(2)}, "noisecov"),
        "mine": ({"x": 1.0, "y": 2.0}, None),
    }
    for name, (content, kind) in contents.items():
        file = tmp_path / f"{name}.mat"
        if version == "v73":
            save_73(file, content)
        elif version == "struct":
            scipy.io.savemat(file, {"exported": structs(content)})
        else:
            scipy.io.savemat(file, content, do_compression=version == "v7")
        names = ["exported"] if version == "struct" else list(content)
        assert sorted(mat.names_in(file)) == sorted(names)
        row = row_of_content(file)
        assert (None if row is None else row.name) == kind


def test_a_name_that_the_content_contradicts(data_dir, tmp_path, capsys):
    folder = data_dir / "eeg_shared"
    shutil.copy(next(folder.rglob("noisecov*.mat")), tmp_path / "datacov.mat")
    assert io.file_kind("datacov.mat") == "data"
    row = row_in(tmp_path / "datacov.mat")
    assert row is not None
    assert row.structure == "NoiseCov"
    assert main(["info", str(tmp_path / "datacov.mat")]) == 0
    assert "<NoiseCov | " in capsys.readouterr().out
    given = {"channels": next(folder.rglob("channel*.mat"))}
    convert_file(tmp_path / "datacov.mat", tmp_path / "x-cov.fif", companions=given)
    (tmp_path / "data_x.mat").write_bytes(b"no MATLAB file" * 20)
    assert row_in(tmp_path / "data_x.mat").name == "data"


def test_a_damaged_file_is_of_no_kind(tmp_path):
    (tmp_path / "x.mat").write_bytes(b"no MATLAB file" * 20)
    assert row_of_content(tmp_path / "x.mat") is None
    assert row_of_content(tmp_path / "x.txt") is None


def test_renamed_files_are_described_and_converted(data_dir, tmp_path, capsys):
    folder = data_dir / "eeg_shared"
    shutil.copy(next(folder.rglob("noisecov*.mat")), tmp_path / "Noise.mat")
    channel = next(folder.rglob("channel*.mat"))
    assert main(["info", str(tmp_path / "Noise.mat")]) == 0
    assert "<NoiseCov | " in capsys.readouterr().out
    made = convert_file(
        tmp_path / "Noise.mat", tmp_path / "x-cov.fif", companions={"channels": channel}
    )
    assert made.files == (tmp_path / "x-cov.fif",)
    save(tmp_path / "odd.mat", x=1.0)
    assert main(["info", str(tmp_path / "odd.mat")]) == 2
    assert "not a file of a known kind by its name or content" in capsys.readouterr().err
