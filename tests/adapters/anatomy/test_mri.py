"""FreeSurfer's T1.mgz as Brainstorm's MRI."""

from __future__ import annotations

import builtins
import shutil

import mne
import numpy as np
import pytest
from small_sample import load_small_sample

from mne_bstinv import io, to_info, to_surfaces, to_trans
from mne_bstinv.adapters.anatomy.mri_from_mne import read_freesurfer_mri
from mne_bstinv.conversion import conversion_report
from mne_bstinv.errors import ConversionError, MissingFileError

pytest.importorskip("nibabel")


@pytest.fixture(scope="module")
def study():
    return load_small_sample()


@pytest.fixture(scope="module")
def stored(study):
    return io.read_mri(study.protocol.subject("Subject01").anatomy)


@pytest.fixture(scope="module")
def t1(stored, study, tmp_path_factory):
    """The sample's MRI as FreeSurfer has it: turned to left, inferior, anterior."""
    folder = to_surfaces(tmp_path_factory.mktemp("fs"), "s", mri=stored, channels=study.channels)
    return folder.subjects_dir / "s" / "mri" / "T1.mgz"


@pytest.mark.parametrize("inverted", [False, True])
def test_an_mri_that_went_to_freesurfer_comes_back(study, stored, t1, inverted):
    trans = to_trans(study.channels, stored)
    if inverted:
        trans = mne.Transform("mri", "head", np.linalg.inv(trans["trans"]))
    back = read_freesurfer_mri(t1, trans, study.channels)
    np.testing.assert_array_equal(back.cube, stored.cube)
    assert back.cube.dtype == np.uint8
    # headers of MGH files are single precision: 1e-7 of 300 mm
    np.testing.assert_allclose(back.voxsize, stored.voxsize, rtol=1e-6)
    for name in ("r", "t", "origin"):
        ours, theirs = getattr(back.scs, name), getattr(stored.scs, name)
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-4, err_msg=name)
    # the fiducials are those of the sensors, on the same axes but not the same points
    for name in ("nas", "lpa", "rpa"):
        moved = back.scs.r @ getattr(back.scs, name) + back.scs.t
        np.testing.assert_allclose(moved, 1e3 * getattr(study.channels.scs, name), atol=1e-9)
    assert back.vox2ras is not None
    (finding,) = conversion_report(back)
    assert finding.field == "SCS"
    # and the transform that it was placed by follows from it again
    again = to_trans(study.channels, back)["trans"]
    np.testing.assert_allclose(again, to_trans(study.channels, stored)["trans"], atol=1e-7)


def test_what_is_missing_is_said(study, stored, t1, tmp_path):
    trans = to_trans(study.channels, stored)
    with pytest.raises(MissingFileError, match=r"no\.mgz: no such file"):
        read_freesurfer_mri(tmp_path / "no.mgz", trans, study.channels)
    with pytest.raises(ConversionError, match=r"trans must be an mne\.Transform between head"):
        read_freesurfer_mri(t1, mne.Transform("meg", "head"), study.channels)
    bare = io.Channels(channels=study.channels.channels)
    with pytest.raises(ConversionError, match="the sensors have no fiducials"):
        read_freesurfer_mri(t1, trans, bare)
    (tmp_path / "bad.mgz").write_bytes(b"not an image")
    with pytest.raises(ConversionError, match=r"bad\.mgz: nibabel cannot read it"):
        read_freesurfer_mri(tmp_path / "bad.mgz", trans, study.channels)


def test_an_image_of_another_program_is_refused(study, stored, t1, tmp_path):
    import nibabel

    image = nibabel.load(t1)
    nibabel.save(nibabel.Nifti1Image(np.asarray(image.dataobj), image.affine), tmp_path / "t.nii")
    with pytest.raises(ConversionError, match="not an MRI of FreeSurfer"):
        read_freesurfer_mri(tmp_path / "t.nii", to_trans(study.channels, stored), study.channels)


def test_nibabel_is_asked_for(study, stored, t1, tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "nibabel":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    shutil.copy(t1, tmp_path)
    trans = to_trans(study.channels, stored)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConversionError, match="pip install nibabel"):
        read_freesurfer_mri(tmp_path / "T1.mgz", trans, study.channels)


def test_an_export_places_it(study, stored, t1, tmp_path):
    from mne_bstinv.export import export_study

    info = to_info(study.channels, sfreq=250.0)
    with pytest.raises(ConversionError, match="a transform between head and MRI is needed"):
        export_study(tmp_path / "p", subject="S", condition="c", info=info, mri=t1)
    trans = to_trans(study.channels, stored)
    done = export_study(tmp_path / "p", subject="S", condition="c", info=info, mri=t1, trans=trans)
    assert done.mri_file == tmp_path / "p" / "anat" / "S" / "subjectimage_T1.mat"
    back = io.read_mri(done.mri_file)
    np.testing.assert_allclose(back.scs.t, stored.scs.t, rtol=0, atol=1e-4)
