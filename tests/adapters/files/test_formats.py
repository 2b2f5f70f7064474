"""MNE's files in and out."""

from __future__ import annotations

import mne
import numpy as np
import pytest
from small_sample import load_small_sample

from mne_bstinv import to_covariance, to_info
from mne_bstinv.adapters.files.endings import MNE_ENDINGS, mne_kind
from mne_bstinv.adapters.files.formats import read_mne, write_mne
from mne_bstinv.adapters.files.objects import kind_of, recordings_from
from mne_bstinv.errors import ConversionError, MissingFileError, OverwriteError


@pytest.fixture(autouse=True)
def _quiet_mne():
    with mne.use_log_level("error"):
        yield


@pytest.fixture(scope="module")
def cov():
    study = load_small_sample()
    return to_covariance(study.noise_cov, study.channels)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("sub-01_task-ave.fif", "evoked"),
        ("a_raw.fif.gz", "raw"),
        ("A-FWD.FIF", "forward"),
        ("x-lh.stc", "source estimate"),
        ("x-stc.h5", "source estimate"),
        ("lh.aparc.annot", "labels"),
        ("x.fif", None),
        ("trans.txt", None),
    ],
)
def test_kinds_by_name(name, kind):
    assert mne_kind(name) == kind


def test_files_are_read_by_kind_and_written_completely(cov, tmp_path):
    (made,) = write_mne(tmp_path / "x-cov.fif", cov, "covariance")
    assert list(tmp_path.iterdir()) == [made]
    back = read_mne(made)
    assert kind_of(back) == "covariance"
    np.testing.assert_allclose(back["data"], cov["data"], rtol=0, atol=1e-15 * cov["data"].max())
    with pytest.raises(OverwriteError, match=r"x-cov\.fif: exists already"):
        write_mne(made, cov, "covariance")
    write_mne(made, cov, "covariance", overwrite=True)
    assert list(tmp_path.iterdir()) == [made]


def test_projections_of_data_stay_as_they_are(tmp_path):
    """They cannot be taken back once they are applied."""
    info = mne.create_info(3, 100.0, "eeg")
    evoked = mne.EvokedArray(np.arange(12.0).reshape(3, 4), info)
    evoked.set_eeg_reference(projection=True)
    evoked.save(tmp_path / "x-ave.fif")
    (back,) = read_mne(tmp_path / "x-ave.fif")
    assert not back.proj
    np.testing.assert_allclose(back.data, evoked.data, rtol=1e-7)


def test_a_parcellation_is_read_in_its_subject(tmp_path):
    folder = tmp_path / "subjects" / "s"
    for name in ("surf", "label"):
        (folder / name).mkdir(parents=True)
    rr = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    tris = np.array([[0, 1, 2], [0, 2, 3], [0, 3, 1], [1, 3, 2]])
    label = mne.Label([0, 1], 1e-3 * rr[:2], hemi="lh", name="a-lh", subject="s", color=(1, 0, 0))
    for hemi in ("lh", "rh"):
        mne.write_surface(folder / "surf" / f"{hemi}.white", rr, tris)
    mne.write_labels_to_annot([label], "s", "p", subjects_dir=tmp_path / "subjects")
    read = read_mne(folder / "label" / "lh.p.annot")
    assert [kind_of(one) for one in read] == ["labels"] * len(read)
    (found,) = (one for one in read if one.name == "a-lh")
    np.testing.assert_array_equal(found.vertices, [0, 1])
    found.save(tmp_path / "a-lh.label")
    assert read_mne(tmp_path / "a-lh.label")[0].vertices.tolist() == [0, 1]


def test_what_cannot_be_read_or_written(cov, tmp_path):
    with pytest.raises(ConversionError, match=r"x\.fif: what it holds is not clear"):
        read_mne(tmp_path / "x.fif")
    with pytest.raises(MissingFileError, match=r"x-cov\.fif: no such file"):
        read_mne(tmp_path / "x-cov.fif")
    (tmp_path / "x-cov.fif").write_bytes(b"no FIF file")
    with pytest.raises(ConversionError, match=r"x-cov\.fif: not a FIF file \(it starts with b"):
        read_mne(tmp_path / "x-cov.fif")
    with pytest.raises(MissingFileError, match="no such folder"):
        write_mne(tmp_path / "no" / "x-cov.fif", cov, "covariance")
    stc = mne.MixedSourceEstimate(np.zeros((3, 2)), [[0], [0], [0]], 0, 1)
    with pytest.raises(ConversionError, match="MNE cannot write it"):
        write_mne(tmp_path / "x.stc", stc, "source estimate")
    assert [file.name for file in tmp_path.iterdir()] == ["x-cov.fif"]


def test_triangles_and_channels_that_cannot_be_are_damage(tmp_path):
    """MNE's readers take them as they are."""
    sphere = mne.make_sphere_model((0.0, 0.0, 0.0), 0.09)
    spaces = mne.setup_volume_source_space(sphere=sphere, pos=50.0)
    mne.write_source_spaces(tmp_path / "vol-src.fif", spaces)
    assert len(read_mne(tmp_path / "vol-src.fif")) == 1  # without triangles
    surface = {**spaces[0], "type": "surf", "tris": np.array([[0, 1, 2]]), "ntri": 1}
    surface["id"], surface["subject_his_id"] = 101, "S"
    for last, message in ((2, None), (10**6, "tris names vertices")):
        surface["tris"][0, 2] = last
        file = tmp_path / f"{last}-src.fif"
        mne.write_source_spaces(file, mne.SourceSpaces([surface]))
        if message is None:
            assert len(read_mne(file)) == 1
        else:
            with pytest.raises(ConversionError, match=rf"{last}-src\.fif: .*{message}"):
                read_mne(file)
    evoked = mne.EvokedArray(np.zeros((2, 3)), mne.create_info(2, 100.0, "eeg"))
    evoked.info["chs"][1]["kind"] = 12_345
    mne.write_evokeds(tmp_path / "x-ave.fif", evoked)
    with pytest.raises(ConversionError, match=r"x-ave\.fif: MNE cannot read .*12345"):
        read_mne(tmp_path / "x-ave.fif")


def test_the_file_of_an_estimate_is_the_one_that_was_asked_for(tmp_path):
    surface = mne.SourceEstimate(np.ones((3, 2)), [np.arange(2), np.arange(1)], 0.0, 0.1)
    volume = mne.VolSourceEstimate(np.ones((3, 2)), [np.arange(3)], 0.0, 0.1)
    for stc, right, wrong in ((surface, "-lh.stc", "-vl.stc"), (volume, "-vl.stc", "-lh.stc")):
        with pytest.raises(ConversionError, match=f"choose a name that ends with {right}"):
            write_mne(tmp_path / f"asked{wrong}", stc, "source estimate")
        assert tmp_path / f"x{right}" in write_mne(tmp_path / f"x{right}", stc, "source estimate")
    assert not list(tmp_path.glob("asked*"))


def test_every_ending_has_a_kind_that_can_be_read_and_objects_of_it():
    from mne_bstinv.adapters.files.formats import _READERS, _WRITERS
    from mne_bstinv.adapters.files.objects import _KINDS

    kinds = set(MNE_ENDINGS.values())
    # a table is written only, and no object of MNE; nor are meshes and volumes
    assert kinds - {"table"} == set(_READERS)
    assert set(_READERS) - {"surface", "mri"} == {kind for _, kind in _KINDS}
    assert set(_WRITERS) == kinds


def test_only_data_become_recordings():
    channels = load_small_sample().channels
    with pytest.raises(ConversionError, match=r"Recordings must be .* found Info"):
        recordings_from(to_info(channels, sfreq=100.0), channels)
