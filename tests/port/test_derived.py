"""Ports of what is derived, and of group analyses."""

from __future__ import annotations

import dataclasses
import json
import shutil

import mne
import numpy as np
import pytest

import mne_bstinv as mb
from mne_bstinv import io


@pytest.fixture(scope="module")
def misc(data_dir, tmp_path_factory):
    """The part of the study in the repository without what would need its covariance."""
    folder = tmp_path_factory.mktemp("misc")
    study = shutil.copytree(data_dir / "misc", folder / "study")
    for file in study.rglob("results_*_KERNEL_*.mat"):
        file.unlink()
    report = mb.port_protocol(study, folder / "out")
    assert report.success
    return study, folder / "out" / "Subject01" / "blink"


def test_dipoles(misc):
    study, out = misc
    stored = io.read_dipoles(study / "data/Subject01/blink/dipoles_fit_03.mat")
    exact = mne.read_dipole(out / "Subject01_blink_dipoles_fit_03-dip.bdip")
    text = mne.read_dipole(out / "Subject01_blink_dipoles_fit_03-dip.dip")
    for found, digits in ((exact, 1e-5), (text, 1e-2)):
        np.testing.assert_allclose(found.gof, 100 * stored.goodness, atol=digits)
        np.testing.assert_allclose(
            found.amplitude, np.linalg.norm(stored.amplitudes, axis=1), rtol=1e-3
        )


def test_maps_and_signals(misc):
    study, out = misc
    stored = io.read_timefreq(
        study / "data/Subject01/blink/timefreq_trial001_morlet_261126_1728.mat"
    )
    tfr = mne.time_frequency.read_tfrs(
        out / "Subject01_blink_timefreq_trial001_morlet_261126_1728-tfr.h5"
    )
    tfr = tfr[0] if isinstance(tfr, list) else tfr
    np.testing.assert_array_equal(tfr.data, stored.tf.transpose(0, 2, 1))
    lines = (out / "Subject01_blink_matrix_sim_xyz-signals.csv").read_text("utf-8").splitlines()
    assert lines[0] == "name,time,value"
    assert len(lines) == 1 + 6 * 60
    skipped = json.loads((out / "port.json").read_text("utf-8"))["skipped"]
    assert any("MNE has no spectra of sources" in one["reason"] for one in skipped)


def test_tests(misc):
    study, out = misc
    (file,) = (study / "data/Subject01/blink").glob("pdata_no_*.mat")
    stored = io.read_statistics(file)
    for what, values in (("t", stored.tmap), ("p", stored.pmap)):
        (evoked,) = mne.read_evokeds(out / f"Subject01_blink_{file.stem}_{what}-ave.fif")
        np.testing.assert_allclose(evoked.data, values, rtol=1e-6)


@pytest.fixture(scope="module")
def group(data_dir, tmp_path_factory):
    """Maps without a channel file: in a subject, in @intra, in Group_analysis and in @inter."""
    folder = tmp_path_factory.mktemp("group")
    study = shutil.copytree(data_dir / "sources_post", folder / "study")
    for name in ("Subject01", "Subject03"):
        shutil.rmtree(study / "data" / name)
        shutil.rmtree(study / "anat" / name)
    evoked = study / "data" / "Subject02" / "evoked"
    shutil.copytree(study / "anat" / "Subject02", study / "anat" / "@default_subject")
    first = sorted(evoked.glob("results_*.mat"))[0]
    results = io.read_results(first)
    on_template = io.Results(
        **{
            name: getattr(results, name)
            for name in ("image_grid_amp", "time", "n_components", "comment", "function")
        },
        surface_file="@default_subject/tess_cortex_pial_low_68V.mat",
        head_model_type="surface",
        head_model_file="Subject01/evoked/headmodel_surf_eeg_3sphereberg.mat",
        history=results.history,
    )
    for place in ("Subject02/@intra", "Group_analysis/faces", "@inter"):
        target = study / "data" / place
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(evoked / "brainstormstudy.mat", target / "brainstormstudy.mat")
        own = results if place.startswith("Subject02") else on_template
        io.write_results(target / "results_MN_EEG_270101_0000.mat", own)
    rng = np.random.default_rng(0)
    statistics = io.Statistics(
        tmap=rng.standard_normal((68, 80)),
        pmap=rng.uniform(size=(68, 80)),
        time=results.time,
        type="results",
        n_components=1,
        comment="faces > houses",
        correction="no",
        display_units="t",
        surface_file=on_template.surface_file,
        head_model_type="surface",
    )
    io.write_statistics(study / "data/@inter/presults_no_270101_0000.mat", statistics)
    (study / "anat" / "Group_analysis").mkdir()
    io.write_subject(
        study / "anat" / "Group_analysis" / "brainstormsubject.mat", io.Subject(use_default_anat=1)
    )
    return study


def test_group_analyses_are_listed(group):
    protocol = io.read_protocol(group)
    names = {s.name: [c.name for c in s.conditions] for s in protocol.subjects}
    assert names == {"Group_analysis": ["faces", "@inter"], "Subject02": ["@intra", "evoked"]}
    for subject in protocol.subjects:
        for condition in subject.conditions:
            # maps are no shared kernels
            assert not any(entry.shared for entry in condition.results)
            assert condition.results


def test_maps_without_a_channel_file_are_converted(group):
    protocol = mb.read_protocol(group)
    stored = io.read_results(group / "data/@inter/results_MN_EEG_270101_0000.mat")
    condition = protocol.condition("Group_analysis", "@inter")
    stc = condition.source_estimate()
    assert stc.subject == "default_subject"
    assert stc.data.shape == stored.image_grid_amp.shape
    np.testing.assert_allclose(np.sort(stc.data.ravel()), np.sort(stored.image_grid_amp.ravel()))


def test_a_group_study_is_ported(group, tmp_path):
    report = mb.port_protocol(group, tmp_path)
    assert report.success
    stored = io.read_statistics(group / "data/@inter/presults_no_270101_0000.mat")
    (cortex,) = (group / "anat/@default_subject").glob("tess_cortex_pial*.mat")
    sides, _ = mb.anatomy.hemispheres(io.read_surface(cortex))
    order = np.argsort(sides == "rh", kind="stable")
    for what, values in (("t", stored.tmap), ("p", stored.pmap)):
        (file,) = tmp_path.rglob(f"*presults_no_270101_0000_{what}-lh.stc")
        stc = mne.read_source_estimate(str(file).removesuffix("-lh.stc"))
        np.testing.assert_allclose(stc.data, values[order], rtol=1e-6)
    found = {f.relative_to(tmp_path).as_posix() for f in tmp_path.rglob("*-lh.stc")}
    assert len({name.rsplit("/", 1)[0] for name in found}) == 4
    assert (tmp_path / "subjects" / "default_subject" / "surf" / "lh.sphere.reg").is_file()
    for name in found:
        stc = mne.read_source_estimate(tmp_path / name.removesuffix("-lh.stc"))
        assert stc.data.shape == (68, 80)


def test_what_was_made_of_results_becomes_no_operator(data_dir, tmp_path):
    study = shutil.copytree(data_dir / "sources_post", tmp_path / "study")
    evoked = study / "data" / "Subject01" / "evoked"
    for file in evoked.glob("matrix_*.mat"):
        file.unlink()
    report = mb.port_protocol(study, tmp_path / "out", subjects="Subject01", verify=True)
    assert report.success
    out = tmp_path / "out" / "Subject01" / "evoked"
    operators = {file.name for file in out.glob("*-inv.fif")}
    assert not any(tag in name for name in operators for tag in ("pcaa", "zscore", "norm", "abs"))
    manifest = json.loads((out / "port.json").read_text("utf-8"))
    reasons = [one["reason"] for one in manifest["skipped"] if one["what"] == "inverse operator"]
    assert any("made of other results (z-score)" in reason for reason in reasons)
    derived = [one for one in manifest["verification"] if one["kind"] != "kernel"]
    assert derived
    assert all(one["status"].startswith("equal") for one in derived)


@pytest.fixture(scope="module")
def templates(data_dir, tmp_path_factory):
    """A port with a registered default anatomy and a sphere of 10 242 vertices as fsaverage."""
    folder = tmp_path_factory.mktemp("templates")
    study = shutil.copytree(data_dir / "sources_post", folder / "study")
    shutil.copytree(study / "anat" / "Subject02", study / "anat" / "@default_subject")
    wanted = ("channel", "brainstormstudy", "protocol", "results_norm_261126_1728", "headmodel")
    for file in (study / "data").rglob("*.mat"):
        if not file.name.startswith(wanted) and "_Subject01" not in file.name:
            file.unlink()
    surf = folder / "subjects" / "fsaverage" / "surf"
    surf.mkdir(parents=True)
    ico = mne.surface._get_ico_surface(5)
    for side in ("lh", "rh"):
        for name in ("white", "sphere.reg"):
            mne.write_surface(surf / f"{side}.{name}", 100 * ico["rr"], ico["tris"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SUBJECTS_DIR", str(folder / "subjects"))
        report = mb.port_protocol(study, folder / "out")
    assert report.success
    return study, folder / "out"


def test_morphs_lead_from_each_registered_cortex_to_the_templates(templates):
    subjects = templates[1] / "subjects"
    assert (subjects / "default_subject" / "surf" / "lh.white").is_file()
    assert {f.relative_to(subjects).as_posix() for f in subjects.rglob("*-morph.h5")} == {
        "Subject01/Subject01_to_default_subject-morph.h5",
        "Subject01/Subject01_to_fsaverage-morph.h5",
        "Subject02/Subject02_to_default_subject-morph.h5",
        "Subject02/Subject02_to_fsaverage-morph.h5",
        "default_subject/default_subject_to_fsaverage-morph.h5",
    }


@pytest.mark.parametrize("to", ["default_subject", "fsaverage"])
def test_a_ported_estimate_morphs_as_brainstorm_projects(templates, to, monkeypatch):
    study, out = templates
    morph = mne.read_source_morph(out / f"subjects/Subject01/Subject01_to_{to}-morph.h5")
    stem = out / "Subject01/evoked/Subject01_evoked_norm_261126_1728_free"
    found = morph.apply(mne.read_source_estimate(stem, "Subject01"))
    assert found.subject == to
    source = io.read_surface(next((study / "anat/Subject01").glob("tess_cortex_pial*.mat")))
    if to == "fsaverage":
        target = mb.adapters.read_registered_cortex("fsaverage", study.parent / "subjects")
        order = np.arange(2 * 10242)
        assert [len(vertices) for vertices in found.vertices] == [10242, 10242]
    else:
        (file,) = (study / "anat/@default_subject").glob("tess_cortex_pial*.mat")
        target = io.read_surface(file)
        sides, _ = mb.anatomy.hemispheres(target)
        order = np.argsort(sides == "rh", kind="stable")
    stored = io.read_results(study / "data/Subject01/evoked/results_norm_261126_1728.mat")
    wanted = mb.project_sources(stored.image_grid_amp, source, target)[order]
    np.testing.assert_allclose(found.data, wanted, rtol=1e-5)  # stored in single precision


def test_without_fsaverage_there_is_no_morph_to_it(tmp_path, monkeypatch):
    from mne_bstinv.adapters import anatomy

    monkeypatch.setenv("SUBJECTS_DIR", str(tmp_path))
    assert anatomy.fsaverage_cortex() is None


def test_one_map_without_a_channel_file_is_converted(group, tmp_path):
    file = group / "data/@inter/results_MN_EEG_270101_0000.mat"
    stored = io.read_results(file)
    assert "full results, " in repr(stored)
    made = mb.convert_file(file, tmp_path / "x-lh.stc")
    assert "channels" not in made.companions
    read = mb.read_source_estimate_brainstorm(file)
    np.testing.assert_array_equal(
        np.sort(read.data.ravel()), np.sort(stored.image_grid_amp.ravel())
    )


def test_a_map_of_the_inverse_itself_needs_no_operator(group, tmp_path):
    """Full results whose history says nothing of a projection, where no channel file is."""
    study = shutil.copytree(group, tmp_path / "study")
    file = study / "data/Group_analysis/faces/results_MN_EEG_270101_0000.mat"
    options = {"Comment": "MN", "InverseMethod": "minnorm", "InverseMeasure": "amplitude",
               "SourceOrient": ("fixed",)}  # fmt: skip
    whole = dataclasses.replace(io.read_results(file), history=(), function="mn", options=options)
    io.write_results(file, whole, overwrite=True)
    report = mb.port_protocol(study, tmp_path / "out", conditions=["faces"])
    assert report.success, str(report)
    (unit,) = [u for u in report.units if u["condition"] == "faces"]
    assert any(name.endswith(".stc") for name in unit["outputs"])
    assert [s["what"] for s in unit["skipped"]] == ["inverse operator"]
