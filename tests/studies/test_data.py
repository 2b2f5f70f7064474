"""A study is read whole, from whatever names it, and each choice that is open is an error."""

from __future__ import annotations

import dataclasses
import logging
import shutil
from pathlib import Path

import numpy as np
import pytest

from mne_bstinv import compute_kernel, io
from mne_bstinv.anatomy import vertex_normals
from mne_bstinv.conversion import conversion_report
from mne_bstinv.errors import (
    ConversionError,
    MatFileError,
    MissingFileError,
    ProtocolError,
    UnknownNameError,
)
from mne_bstinv.studies.data import StudyData, load_study
from mne_bstinv.verification import recompute

AVERAGE = "data_average_240101_1200.mat"


@pytest.fixture
def copy_of(data_dir, tmp_path):
    """A writable copy of a small protocol."""

    def copy(name):
        return shutil.copytree(data_dir / name, tmp_path / name)

    return copy


def relative(ours, theirs):
    return np.linalg.norm(ours - theirs) / np.linalg.norm(theirs)


def rewrite(file: Path, **changes):
    """Change fields of a structure's file."""
    kind = io.file_kind(file.name)
    read, write = {
        "headmodel": (io.read_head_model, io.write_head_model),
        "cortex": (io.read_surface, io.write_surface),
        "results": (io.read_results, io.write_results),
        "data": (io.read_recordings, io.write_recordings),
        "noisecov": (io.read_noise_cov, io.write_noise_cov),
    }[kind]
    write(file, dataclasses.replace(read(file), **changes), overwrite=True)


# -- What is read ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "condition", "kind", "n_channels", "n_sources", "n_results", "has_data_cov"),
    [
        ("sample", "evoked", "surface", 135, 296, 4, False),
        ("eeg_surface", "evoked", "surface", 33, 60, 39, True),
        ("meg_eeg", "evoked", "surface", 50, 42, 53, True),
        ("eeg_volume", "oddball", "volume", 33, 37, 5, True),
        ("mixed", "mixed", "mixed", 33, 93, 6, False),
    ],
)
def test_a_protocol_with_one_complete_condition(
    data_dir, sample_dir, name, condition, kind, n_channels, n_sources, n_results, has_data_cov
):
    root = sample_dir if name == "sample" else data_dir / name
    study = load_study(root)
    assert study.name == f"Subject01/{condition}"
    assert study.head_model.kind == kind
    assert study.head_model.gain.shape == (n_channels, 3 * n_sources)
    assert study.noise_cov.noise_cov.shape == (n_channels, n_channels)
    assert study.recordings.f.shape[0] == len(study.channels) == n_channels
    assert (study.data_cov is not None) == has_data_cov
    assert len(study.results) == n_results
    assert study.mri.cube is not None
    assert study.cortex.vertices.shape[1] == 3
    assert study.reports == {}
    expected = {"head_model", "noise_cov", "channels", "recordings", "cortex", "mri"}
    assert set(study.files) == expected | ({"data_cov"} if has_data_cov else set())
    for file in study.files.values():
        assert file.is_file()
    assert study.files["cortex"].name == Path(study.head_model.surface_file).name


@pytest.mark.parametrize("name", ["eeg_surface", "meg_eeg", "eeg_volume", "mixed"])
def test_the_structures_give_the_stored_kernel(data_dir, name):
    """The whole way to the kernel, without verification's: the same numbers."""
    study = load_study(data_dir / name)
    stored = next(
        r
        for r in study.results.values()
        if r.imaging_kernel is not None and r.options["InverseMethod"] == "minnorm"
    )
    result = compute_kernel(
        study.head_model,
        study.noise_cov,
        study.channels,
        channel_flag=study.recordings.channel_flag,
        data_types=stored.options["DataTypes"],
        options=stored.options,
    )
    np.testing.assert_array_equal(result.channel_indices, stored.good_channel - 1)
    assert relative(result.kernel, stored.imaging_kernel) < 1e-11


def test_every_way_to_name_a_study_leads_to_it(data_dir):
    root = data_dir / "eeg_surface"
    folder = root / "data" / "Subject01" / "evoked"
    results = next(folder.glob("results_*.mat"))
    for path in (root, root / "data", folder.parent, folder, folder / AVERAGE, results, str(root)):
        study = load_study(path)
        assert study.files["head_model"].resolve().parent == folder.resolve()
        assert study.files["recordings"].name == AVERAGE
    assert load_study(root, subject="Subject01").name == "Subject01/evoked"
    assert load_study(root, condition="evoked").name == "Subject01/evoked"


def test_results_are_read_when_they_are_used(copy_of):
    root = copy_of("mixed")
    study = load_study(root)
    comment, *others = study.results
    first = study.results[comment]
    assert first.comment == comment
    for file in root.rglob("results_*.mat"):
        file.unlink()
    assert study.results[comment] is first
    with pytest.raises(MissingFileError, match="results_"):
        study.results[others[0]]
    assert comment in repr(study.results)


def test_the_results_are_those_of_the_recordings_and_the_shared_ones(data_dir):
    root = data_dir / "eeg_shared"
    for number, n_results in ((1, 5), (2, 6)):
        file = root / "data" / "Subject01" / "condA" / f"data_average_24010{number}_1200.mat"
        study = load_study(file)
        assert study.files["recordings"] == file
        named = [r.data_file for r in study.results.values() if r.data_file]
        assert {Path(name).name for name in named} == {file.name}
        assert len(study.results) - len(named) == 2
        assert len(study.results) == n_results


def test_results_of_one_comment_are_told_apart_by_their_file(data_dir):
    root = data_dir / "eeg_shared"
    study = load_study(root / "data" / "Subject01" / "condA" / AVERAGE)
    (twice,) = (name for name in study.results if " | results_" in name)
    comment, _, file = twice.partition(" | ")
    assert study.results[twice].comment == study.results[comment].comment == comment
    assert study.results[twice] is not study.results[comment]
    assert (root / "data" / "Subject01" / "condA" / file).is_file() or (
        root / "data" / "Subject01" / "@default_study" / file
    ).is_file()


# -- Shared files ---------------------------------------------------------------------------------


def test_files_of_the_default_study_are_shared(data_dir):
    root = data_dir / "eeg_shared"
    study = load_study(root, condition="condA")
    default = root / "data" / "Subject01" / "@default_study"
    for role in ("head_model", "noise_cov", "channels"):
        assert study.files[role].parent == default
    assert study.recordings.comment
    for file in (root / "data" / "Subject01" / "condA").glob("results_*KERNEL*.mat"):
        stored, study = io.read_results(file), load_study(file)
        if stored.options["InverseMethod"] == "minnorm":
            assert relative(_kernel(study, stored), stored.imaging_kernel) < 1e-11
            assert relative(_kernel(study, stored), recompute(file).kernel) < 1e-14


def _kernel(study, stored):
    return compute_kernel(
        study.head_model,
        study.noise_cov,
        study.channels,
        channel_flag=stored.channel_flag,
        good_channels=stored.good_channel - 1,
        options=stored.options,
    ).kernel


def test_several_conditions_are_listed(data_dir):
    root = data_dir / "eeg_shared"
    listed = (
        "2 conditions have a head model and a noise covariance: 'Subject01/condA', "
        r"'Subject01/condB'\. Choose one with subject= and condition="
    )
    default = root / "data" / "Subject01" / "@default_study"
    shared = next(default.glob("results_*.mat"))
    for path in (root, root / "data" / "Subject01", default, shared):
        with pytest.raises(ProtocolError, match=listed):
            load_study(path)
    assert load_study(shared, condition="condA").name == "Subject01/condA"


def test_bad_trials_are_not_taken_by_default(data_dir, caplog):
    folder = data_dir / "eeg_shared" / "data" / "Subject01" / "condB"
    study = load_study(folder)
    assert study.recordings is None
    assert "recordings" not in study.files
    assert "no recordings" in repr(study)
    assert all(not r.data_file for r in study.results.values())
    assert "all recordings are bad trials" in caplog.text
    study = load_study(folder, recordings="data_average_240103_1200.mat")
    assert study.recordings.f.shape[0] == 33


# -- Which recordings -----------------------------------------------------------------------------


def test_recordings_are_chosen_by_name_path_or_comment(data_dir):
    folder = data_dir / "eeg_shared" / "data" / "Subject01" / "condA"
    second = folder / "data_average_240102_1200.mat"
    comment = io.read_recordings(second).comment
    wanted = (
        second,
        str(second),
        second.name,
        f"Subject01/condA/{second.name}",
        f"Subject01\\condA\\{second.name}",
        comment,
        comment.upper(),
        comment[2:],
    )
    for recordings in wanted:
        assert load_study(folder, recordings=recordings).files["recordings"] == second
    # and against what the path itself says
    assert load_study(folder / AVERAGE, recordings=second).files["recordings"] == second


def test_a_comment_that_is_one_whole_is_no_part_of_another(copy_of):
    folder = copy_of("eeg_shared") / "data" / "Subject01" / "condA"
    first, second = sorted(folder.glob("data_*.mat"))
    rewrite(first, comment="Avg: standard (2)")
    rewrite(second, comment="Avg: standard")
    assert load_study(folder, recordings="Avg: standard").files["recordings"] == second
    with pytest.raises(ProtocolError, match=r"several recordings 'stand'.*240101.*240102"):
        load_study(folder, recordings="stand")


def test_recordings_that_are_not_there_are_refused(data_dir):
    folder = data_dir / "eeg_shared" / "data" / "Subject01"
    for wanted in ("nothing like it", folder / "condB" / "data_average_240103_1200.mat"):
        with pytest.raises(ProtocolError, match=r"no recordings .*Name one of"):
            load_study(folder / "condA", recordings=wanted)


def test_a_link_to_continuous_recordings_is_read(copy_of):
    root = copy_of("mixed")
    (file,) = root.rglob("data_*.mat")
    rewrite(file, f=None, link=io.Link(filename="a.fif"))
    study = load_study(root)
    assert study.recordings.f is None
    assert len(study.recordings.channel_flag) == 33


# -- Which head model -----------------------------------------------------------------------------


def test_a_results_file_names_its_head_model(copy_of):
    root = copy_of("mixed")
    folder = root / "data" / "Subject01" / "mixed"
    (old,) = folder.glob("headmodel_*.mat")
    new = folder / "headmodel_surf_other.mat"
    shutil.copy(old, new)
    (root / "data" / "protocol.mat").unlink()  # it says which one is the current one
    assert load_study(folder).files["head_model"] == new
    results = next(folder.glob("results_*.mat"))
    assert load_study(results).files["head_model"] == old
    old.unlink()
    with pytest.raises(
        ProtocolError, match=r"its head model '.*' does not exist\. Give the folder"
    ):
        load_study(results)


def test_normals_of_the_surface_are_taken(copy_of, caplog):
    root = copy_of("eeg_surface")
    (file,) = root.rglob("headmodel_*.mat")
    (cortex,) = root.rglob("tess_cortex*.mat")
    rewrite(file, grid_orient=None)
    with caplog.at_level(logging.INFO, logger="mne_bstinv"):
        study = load_study(root)
    np.testing.assert_array_equal(study.head_model.grid_orient, study.cortex.vert_normals)
    (finding,) = study.reports["head_model"]
    assert str(finding) == "derived: GridOrient: It is empty: the surface's VertNormals were taken."
    assert conversion_report(study.head_model) is study.reports["head_model"]
    assert str(finding) in caplog.text
    # the surface has none either: they follow from its triangles
    normals = study.cortex.vert_normals
    rewrite(cortex, vert_normals=None)
    study = load_study(root)
    computed = vertex_normals(study.cortex.vertices, study.cortex.faces - 1)
    np.testing.assert_array_equal(study.head_model.grid_orient, computed)
    assert (computed * normals).sum(axis=1).min() > 0.9  # outwards, too
    assert "computed from the triangles" in str(study.reports["head_model"])
    # another surface of as many vertices says nothing
    rewrite(cortex, vertices=study.cortex.vertices + 0.001)
    study = load_study(root)
    assert study.head_model.grid_orient is None
    assert "dropped: GridOrient" in str(study.reports["head_model"])
    assert "has its vertices elsewhere: no constrained orientations" in caplog.text


def test_a_study_without_anatomy(copy_of, caplog):
    root = copy_of("eeg_surface")
    for file in (root / "anat" / "Subject01").glob("*.mat"):
        file.unlink()
    study = load_study(root)
    assert study.cortex is None
    assert study.mri is None
    assert study.head_model.grid_orient is not None


# -- Without a protocol ---------------------------------------------------------------------------


def test_a_folder_of_its_own(data_dir, tmp_path):
    root = data_dir / "eeg_surface"
    folder = tmp_path / "lone"
    shutil.copytree(root / "data" / "Subject01" / "evoked", folder)
    (cortex,) = root.rglob("tess_cortex*.mat")
    inside, lone = load_study(root), load_study(folder)
    assert lone.name == "lone"
    assert lone.cortex is None
    assert list(lone.results) == list(inside.results)
    shutil.copy(cortex, folder)
    lone = load_study(folder / AVERAGE)
    np.testing.assert_array_equal(lone.cortex.vertices, inside.cortex.vertices)
    for role in ("head_model", "noise_cov", "data_cov", "channels", "recordings"):
        assert lone.files[role].name == inside.files[role].name
    results = next(folder.glob("results_*.mat"))
    assert load_study(results).files["recordings"].name == AVERAGE
    with pytest.raises(ProtocolError, match="subject= and condition= mean nothing"):
        load_study(folder, subject="Subject01")
    next(folder.glob("noisecov_*.mat")).unlink()
    next(folder.glob("headmodel_*.mat")).unlink()
    with pytest.raises(
        ProtocolError,
        match=r"holds no head model \(headmodel_\*\.mat\), no noise covariance \(noisecov",
    ):
        load_study(folder)


def test_a_folder_of_its_own_with_two_channel_files(data_dir, tmp_path, caplog):
    folder = tmp_path / "lone"
    shutil.copytree(data_dir / "eeg_surface" / "data" / "Subject01" / "evoked", folder)
    first = next(folder.glob("channel*.mat"))
    shutil.copy(first, folder / "channel_zz.mat")
    assert load_study(folder).files["channels"].name == "channel_zz.mat"
    assert f"channel_zz.mat is taken, not {first.name}: move what is not meant." in caplog.text


def test_a_lone_results_file_whose_head_model_is_not_beside_it(data_dir, tmp_path):
    folder = tmp_path / "lone"
    shutil.copytree(data_dir / "mixed" / "data" / "Subject01" / "mixed", folder)
    (file,) = folder.glob("headmodel_*.mat")
    file.rename(folder / "headmodel_other.mat")
    assert load_study(folder).files["head_model"].name == "headmodel_other.mat"
    with pytest.raises(ProtocolError, match=r"its head model .* does not exist"):
        load_study(next(folder.glob("results_*.mat")))


# -- What is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "chosen", "error", "message"),
    [
        ("nowhere", {}, MissingFileError, "no such file or folder"),
        ("data/Subject01/evoked/channel.mat", {}, ProtocolError, "neither recordings"),
        ("data/Subject01/noise", {}, ProtocolError,
         r"noise has no head model \(headmodel_\*\.mat\), no noise covariance .*Compute what"),
        ("data/Subject01/noise/data_trial001.mat", {}, ProtocolError, "noise has no head model"),
        ("anat/Subject01", {}, ProtocolError, "here is none of the conditions 'Sub"),
        ("data/Subject01/noise", {"condition": "evoked"}, ProtocolError,
         r"noise: here is none of the conditions 'Subject01/evoked'\. Give the folder"),
        ("", {"condition": "other"}, ProtocolError,
         r"no condition 'other'; choose one of: 'evoked', 'noise'\.$"),
        ("", {"subject": "Subject02"}, ProtocolError, "no subject 'Subject02'; choose one of: "),
        ("", {"subject": "Subject01", "condition": "other"}, ProtocolError,
         "no condition 'other' of 'Subject01'; choose one of: 'evoked', 'noise'"),
    ],
)  # fmt: skip
def test_a_path_that_names_no_study(data_dir, path, chosen, error, message):
    with pytest.raises(error, match=message):
        load_study(data_dir / "eeg_surface" / path, **chosen)


def test_a_folder_without_any_study(data_dir):
    with pytest.raises(ProtocolError, match=r"not in a Brainstorm protocol.*holds no channel file"):
        load_study(data_dir / "edge_cases")


def test_a_damaged_file_is_named(copy_of, caplog):
    root = copy_of("eeg_surface")
    results = next(root.rglob("results_*.mat"))
    results.write_bytes(b"not MATLAB")
    study = load_study(root)  # the others are still good
    assert len(study.results) == 38
    assert str(results) in caplog.text
    (file,) = root.rglob("noisecov_*.mat")
    file.write_bytes(b"not MATLAB")
    with pytest.raises(MatFileError, match=r"noisecov_full\.mat"):
        load_study(root)


def test_structures_of_different_studies_are_refused(data_dir, copy_of):
    one, other = load_study(data_dir / "eeg_surface"), load_study(data_dir / "meg_eeg")
    with pytest.raises(
        ConversionError,
        match=r"Subject01/evoked: 33 channels in channels \(.*channel\.mat\), but 50 in noise_cov "
        r"\(.*noisecov_full\.mat\), 50 in recordings",
    ):
        dataclasses.replace(one, noise_cov=other.noise_cov, recordings=other.recordings)
    root = copy_of("eeg_surface")
    (file,) = root.rglob("noisecov_*.mat")
    rewrite(file, noise_cov=np.eye(5), n_samples=10.0, fourth_moment=None)
    with pytest.raises(ConversionError, match=r"but 5 in noise_cov \(.*not of one study"):
        load_study(root)


def test_a_study_made_by_hand(data_dir):
    other = load_study(data_dir / "mixed")
    study = StudyData(
        name="mine",
        head_model=other.head_model,
        noise_cov=other.noise_cov,
        channels=other.channels,
    )
    assert (
        repr(study)
        == "<StudyData | mine, 33 channels, 93 locations (mixed), no recordings, 0 results>"
    )
    assert "<th>results</th><td>none</td>" in study._repr_html_()
    with pytest.raises(dataclasses.FrozenInstanceError):
        study.name = "yours"
    # a covariance that does not belong, and no files to name
    with pytest.raises(ConversionError, match="33 channels in channels, but 1 in data_cov: not of"):
        dataclasses.replace(study, data_cov=io.NoiseCov(noise_cov=np.eye(1)))


def test_a_study_is_shown_in_short_and_as_a_table(sample_dir):
    study = load_study(sample_dir)
    shown = repr(study)
    assert shown.startswith("<StudyData | Subject01/evoked, 135 channels, 296 locations (surface)")
    assert shown.endswith("4 results>")
    html = study._repr_html_()
    assert html.count("<tr>") == 7  # six structures and the results
    assert "<td>noisecov_full.mat</td>" in html
    assert "MN: MEG ALL(Constr) 2018" in html
    renamed = dataclasses.replace(study, name="<b>bold</b>")
    assert "<b>" not in renamed._repr_html_()


def test_results_that_there_are_not(sample_dir):
    results = load_study(sample_dir).results
    names = "; ".join(results)
    with pytest.raises(UnknownNameError) as error:
        results["mn: meg"]
    meant = [repr(name) for name in results if name.startswith("MN: MEG")]
    assert str(error.value) == (
        f"No results 'mn: meg'. Did you mean {' or '.join(meant)}? There are: {names}."
    )
    with pytest.raises(KeyError, match=r"^No results 'x'\. There are: "):
        results["x"]
    with pytest.raises(KeyError, match=r"Did you mean 'MN: MEG ALL\(Constr\) 2018'"):
        results["MN: MEG ALL(Const) 2018"]
    assert results.get("mn: meg") is None
    assert "mn: meg" not in results
    assert next(iter(results)) in results
