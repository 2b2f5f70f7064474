"""Dipoles and time courses of labels go back to Brainstorm."""

from __future__ import annotations

import dataclasses

import mne
import numpy as np
import pytest
import scipy.io

import mne_bstinv as mb
from mne_bstinv import io
from mne_bstinv.adapters import LabelTimeCourses
from mne_bstinv.errors import ConversionError


@pytest.fixture(scope="module")
def study(sample_dir):
    return mb.load_study(sample_dir)


def export(study, root, **given):
    return mb.export_study(
        root, study.recordings, subject="S", condition="c", info=study.channels, **given
    )


def entries(root, name):
    """The list of a kind in the index that Brainstorm shows."""
    index = scipy.io.loadmat(root / "data" / "protocol.mat", squeeze_me=True)
    studies = np.atleast_1d(index["ProtocolStudies"]["Study"].item())
    (study,) = (one for one in studies if one["Name"] == "c")
    return np.atleast_1d(study[name])


def test_a_dipole_of_mne(study, tmp_path):
    dipole = mne.Dipole(
        times=[0.05, 0.1], pos=[[0.01, 0.02, 0.05]] * 2, amplitude=[1e-8, 2e-8],
        ori=[[0.0, 0.6, 0.8]] * 2, gof=[90.0, 95.0], name="fit",
    )  # fmt: skip
    exported = export(study, tmp_path / "p", derived=dipole)
    (file,) = exported.derived
    assert file.name.startswith("dipoles_")
    found = io.read_dipoles(file)
    assert found.data_file == f"S/c/{exported.recordings[0].name}"
    np.testing.assert_allclose(found.goodness, [0.9, 0.95])
    back = mb.to_dipole(found, io.read_channels(exported.channel_file))
    np.testing.assert_allclose(back.pos, dipole.pos, atol=1e-15)
    np.testing.assert_allclose(back.amplitude, dipole.amplitude, rtol=1e-12)
    (entry,) = entries(tmp_path / "p", "Dipoles")
    assert str(entry["DataFile"]) == found.data_file
    # from files too
    dipole.save(tmp_path / "fit.dip")
    again = export(study, tmp_path / "q", derived=[tmp_path / "fit.dip", file])
    assert len(again.derived) == 2
    assert len({one.name for one in again.derived}) == 2


def test_time_courses_of_labels_become_series_of_scouts(study, tmp_path):
    """Names of labels (V1-lh) and of scouts (V1 L) both find the scouts of the cortex."""
    scouts = study.cortex.atlas[0].scouts
    chosen = [scout for scout in scouts if scout.label in ("A1 R", "M1 L")]
    names = tuple(f"{scout.label[:-2]}-{scout.label[-1].lower()}h" for scout in chosen)
    times = np.arange(5) / 100
    values = np.random.default_rng(0).standard_normal((2, 5))
    courses = LabelTimeCourses(data=values, names=names, times=times)
    exported = export(
        study, tmp_path / "p", forward=study.head_model, src=study.cortex, derived=[courses]
    )
    (file,) = exported.derived
    assert file.name.startswith("matrix_scout_")
    found = io.read_matrix(file)
    np.testing.assert_array_equal(found.value, values)
    assert [scout.label for scout in found.atlas.scouts] == [scout.label for scout in chosen]
    for ours, theirs in zip(found.atlas.scouts, chosen, strict=True):
        np.testing.assert_array_equal(ours.vertices, theirs.vertices)
    assert found.surface_file == exported.cortex_file.relative_to(tmp_path / "p/anat").as_posix()
    assert str(entries(tmp_path / "p", "Matrix")[0]["Comment"]) == found.comment
    unknown = LabelTimeCourses(data=values, names=("a", "b"), times=times)
    plain = export(study, tmp_path / "q", derived=unknown)
    assert io.read_matrix(plain.derived[0]).atlas is None


def test_signals_that_came_from_brainstorm_keep_their_scouts(data_dir, study, tmp_path):
    folder = data_dir / "sources_post" / "data"
    file = next(folder.rglob("matrix_scout*.mat"))
    stored = io.read_matrix(file)
    courses = mb.to_label_time_courses(stored)
    exported = export(study, tmp_path / "p", derived=courses)
    found = io.read_matrix(exported.derived[0])
    np.testing.assert_array_equal(found.value, stored.value)
    assert found.comment == stored.comment
    assert found.atlas.name == stored.atlas.name
    assert found.n_avg == stored.n_avg


def test_scouts_of_another_cortex_are_dropped_and_it_is_said(data_dir, study, tmp_path):
    """Signals stay; scouts that the cortex of the protocol cannot have go."""
    file = next((data_dir / "sources_post" / "data").rglob("matrix_scout*.mat"))
    stored = io.read_matrix(file)
    far = dataclasses.replace(
        stored.atlas.scouts[0], vertices=np.array([study.cortex.n_vertices + 1])
    )
    matrix = dataclasses.replace(stored, atlas=dataclasses.replace(stored.atlas, scouts=(far,)))
    exported = export(
        study, tmp_path / "p", forward=study.head_model, src=study.cortex, derived=matrix
    )
    found = io.read_matrix(exported.derived[0])
    assert found.atlas is None
    assert found.surface_file is None
    np.testing.assert_array_equal(found.value, stored.value)
    said = [str(finding) for finding in mb.conversion_report(exported)]
    assert any("vertices that the cortex does not have" in one for one in said)


def test_an_exported_protocol_with_them_is_listed_and_verified(study, tmp_path):
    dipole = mne.Dipole([0.0], [[0, 0, 0.05]], [1e-8], [[0, 0, 1.0]], [90.0])
    courses = LabelTimeCourses(data=np.ones((1, 3)), names=("a",), times=np.arange(3.0))
    export(study, tmp_path / "p", derived=[dipole, courses])
    condition = io.read_protocol(tmp_path / "p").condition("S", "c")
    assert sorted(file.name.split("_")[0] for file in condition.derived) == ["dipoles", "matrix"]
    outcomes = [one for one in mb.verify(tmp_path / "p") if one.kind != "kernel"]
    assert len(outcomes) == 2
    assert {one.status for one in outcomes} == {"not comparable"}


def test_the_command_line_takes_files(study, tmp_path, capsys):
    from mne_bstinv.cli import main

    dipole = mne.Dipole([0.0], [[0, 0, 0.05]], [1e-8], [[0, 0, 1.0]], [90.0])
    dipole.save(tmp_path / "one.dip")
    arguments = ["export", str(tmp_path / "p"), "--subject", "S", "--condition", "c"]
    recordings = study.files["recordings"]
    arguments += ["--recordings", str(recordings), "--info", str(study.files["channels"])]
    assert main([*arguments, "--derived", str(tmp_path / "one.dip")]) == 0
    assert "dipoles_" in capsys.readouterr().out


def test_other_objects_are_refused(study, tmp_path):
    with pytest.raises(ConversionError, match="derived takes dipole"):
        export(study, tmp_path / "p", derived=[study.noise_cov])
    assert not (tmp_path / "p").exists()
