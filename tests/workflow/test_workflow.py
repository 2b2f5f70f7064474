"""A protocol in Python: Brainstorm's structures and MNE's objects of one condition."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys

import mne
import numpy as np
import pytest

import mne_bstinv as mb
from mne_bstinv import io
from mne_bstinv.errors import ConversionError, MissingFileError, ProtocolError
from mne_bstinv.io.filenames import is_average

MN_EEG = "MN: EEG(Unconstr) 2018"
MN_MEG = "MN: MEG ALL(Constr) 2018"


@pytest.fixture(scope="module")
def condition(sample_dir):
    return mb.read_protocol(sample_dir).condition("Subject01", "evoked")


def test_files_are_those_of_the_plain_condition(sample_dir, condition):
    plain = io.read_protocol(sample_dir).condition("Subject01", "evoked")
    for name in ("subject", "name", "folder", "channel_file", "head_model_file", "recordings",
                 "results", "noise_cov_file"):  # fmt: skip
        assert getattr(condition, name) == getattr(plain, name)
    assert isinstance(condition, io.Condition)
    protocol = mb.read_protocol(sample_dir)
    assert isinstance(protocol, io.Protocol)
    assert protocol.subjects == io.read_protocol(sample_dir).subjects


def test_structures(condition):
    assert condition.head_model.n_sources == 296
    assert len(condition.channels) == 135
    assert condition.noise_cov_structure.noise_cov.shape == (135, 135)
    assert condition.cortex.n_vertices == 296
    assert condition.mri is not None
    assert condition.read_recordings().n_avg == 80
    assert condition.read_results(MN_EEG).comment == MN_EEG
    assert condition.read_results(condition.results[0].file.name).is_kernel


def test_objects_of_mne(condition):
    assert isinstance(condition.info, mne.Info)
    assert condition.info["sfreq"] == 250
    assert condition.info["bads"] == []
    assert isinstance(condition.forward, mne.Forward)
    assert isinstance(condition.src, mne.SourceSpaces)
    assert isinstance(condition.noise_cov, mne.Covariance)
    assert isinstance(condition.trans, mne.Transform)
    (evoked,) = condition.evokeds
    np.testing.assert_array_equal(evoked.data, condition.read_recordings().f)
    assert condition.epochs is None
    assert {label.name for label in condition.labels} >= {"V1-lh", "A1-rh"}
    assert condition.mne_subject == condition.src[0]["subject_his_id"] == "Subject01"


def test_everything_is_made_once(condition):
    for name in ("info", "forward", "src", "noise_cov", "evokeds", "trans", "labels",
                 "head_model", "channels", "cortex"):  # fmt: skip
        assert getattr(condition, name) is getattr(condition, name)


def test_trials_become_epochs(data_dir):
    noise = mb.read_protocol(data_dir / "eeg_surface").condition("Subject01", "noise")
    assert noise.epochs.get_data().shape == (2, 33, 150)
    assert noise.evokeds == []


def test_bad_trials_are_left_out(data_dir):
    condition = mb.read_protocol(data_dir / "eeg_shared").condition("Subject01", "condB")
    assert [entry.bad for entry in condition.recordings] == [True]
    assert condition.evokeds == []


@pytest.mark.parametrize("results", [MN_EEG, MN_MEG])
def test_operator_and_estimate_of_stored_results_agree(condition, results):
    operator = condition.inverse_operator(results)
    parameters = mb.inverse_parameters(operator)
    (evoked,) = (one.copy() for one in condition.evokeds)
    evoked.nave = parameters.nave
    evoked.set_eeg_reference(projection=True)
    ours = mne.minimum_norm.apply_inverse(
        evoked, operator, parameters.lambda2, parameters.method, pick_ori=parameters.pick_ori
    )
    theirs = condition.source_estimate(results)
    assert type(ours) is type(theirs)
    # the bound of the tests of operators
    assert np.linalg.norm(ours.data - theirs.data) <= 1e-11 * np.linalg.norm(theirs.data)


def test_operators_of_options(condition):
    operator = condition.inverse_operator({"InverseMeasure": "sloreta"}, data_types="EEG")
    assert mb.inverse_parameters(operator).method == "sLORETA"
    assert len(operator["info"]["ch_names"]) == 63
    both = condition.inverse_operator(mb.InverseOptions(measure="amplitude"))
    assert len(both["info"]["ch_names"]) == 131
    named = condition.inverse_operator({"DataTypes": "MEG GRAD", "InverseMeasure": "amplitude"})
    assert len(named["info"]["ch_names"]) == 46
    with pytest.raises(ConversionError, match="'gls' is no minimum norm"):
        condition.inverse_operator({"InverseMethod": "gls"}, data_types="EEG")


def test_shared_kernels_take_any_recordings(data_dir):
    condition = mb.read_protocol(data_dir / "eeg_shared").condition("Subject01", "condA")
    shared = next(entry for entry in condition.results if entry.shared)
    for entry in condition.recordings:
        estimate = condition.source_estimate(shared.file, entry.file)
        stored, data = io.read_results(shared.file), io.read_recordings(entry.file)
        theirs = stored.imaging_kernel @ data.f[stored.good_channel - 1]
        # rows in another order
        np.testing.assert_allclose(
            np.sort(np.abs(estimate.data), axis=0), np.sort(np.abs(theirs), axis=0), rtol=1e-9
        )
    structures = (io.read_results(shared.file), io.read_recordings(entry.file))
    np.testing.assert_array_equal(condition.source_estimate(*structures).data, estimate.data)


def test_listed_entries_are_taken(condition):
    entry = next(e for e in condition.results if e.file.name.startswith("results_MN_EEG"))
    assert condition.read_results(entry) is condition.read_results(entry.file)
    (recordings,) = condition.recordings
    assert condition.read_recordings(recordings) is condition.read_recordings()
    estimate = condition.source_estimate(entry, recordings)
    np.testing.assert_array_equal(estimate.data, condition.source_estimate(MN_EEG).data)
    ours, theirs = condition.inverse_operator(entry), condition.inverse_operator(MN_EEG)
    np.testing.assert_array_equal(ours["sing"], theirs["sing"])
    with pytest.raises(ProtocolError, match=r"evoked: no recordings '.*results_MN_EEG"):
        condition.read_recordings(entry)


@pytest.mark.slow
def test_conditions_can_be_cross_validated(condition, sample_dir):
    study = condition.study_data()
    loaded = mb.load_study(sample_dir)
    assert study.head_model is condition.head_model  # read once
    assert (study.name, study.files) == (loaded.name, loaded.files)
    assert list(study.results) == list(loaded.results)
    assert condition.study_data(condition.recordings[0]).recordings is study.recordings
    settings = {"data_types": "MEG", "shapley_limit": 0}
    ours = mb.cross_validate(condition, **settings)
    theirs = mb.cross_validate(loaded, **settings)
    assert ours.name == "Subject01/evoked"
    np.testing.assert_array_equal(ours.brainstorm, theirs.brainstorm)
    np.testing.assert_array_equal(ours.mne, theirs.mne)
    equivalent = mb.mne_equivalent({"InverseMeasure": "amplitude"}, condition, data_types="EEG")
    assert equivalent.parity == "exact"
    back = mb.brainstorm_equivalent({"method": "MNE"}, condition, data_types="EEG")
    assert back.options.measure == "amplitude"
    noise = mb.read_protocol(sample_dir).condition("Subject01", "noise")
    with pytest.raises(MissingFileError, match=r"Subject01/noise: no head model \(headmodel_\*"):
        mb.cross_validate(noise)


def test_what_is_meant_must_be_clear(condition, data_dir):
    with pytest.raises(ProtocolError, match=r"Subject01/evoked: several results\. Name one of: ev"):
        condition.source_estimate()
    with pytest.raises(
        ProtocolError, match=r"no results 'x'\. Name one of: evoked/results_MN_EEG.*MN: E"
    ):
        condition.inverse_operator("x")
    shared = mb.read_protocol(data_dir / "eeg_shared").condition("Subject01", "condA")
    with pytest.raises(
        ProtocolError, match=r"condA: several recordings\. Name one of: condA/data_aver"
    ):
        shared.read_recordings()


def test_what_is_missing_is_named(condition, sample_dir):
    noise = mb.read_protocol(sample_dir).condition("Subject01", "noise")
    for attribute, what in (
        ("forward", r"head model \(headmodel_\*\.mat\)"),
        ("noise_cov", r"noise covariance \(noisecov_\*\.mat\)"),
        ("data_cov", r"data covariance \(ndatacov_\*\.mat\)"),
    ):
        with pytest.raises(MissingFileError, match=rf"Subject01/noise: no {what} in .*/noise or"):
            getattr(noise, attribute)
    assert noise.info["sfreq"] == 1000  # without recordings
    stored = condition.read_results(MN_EEG)
    object.__setattr__(stored, "head_model_file", "Subject01/evoked/headmodel_gone.mat")
    with pytest.raises(MissingFileError, match=r"name the head model 'Subject01/evoked/headmodel_"):
        condition.source_estimate(stored)


def test_summaries(sample_dir):
    protocol = mb.read_protocol(sample_dir)
    lines = str(protocol).splitlines()
    assert lines[0] == f"<StudyProtocol | sample_small, {sample_dir}>"
    assert lines[1].split() == ["Subject01/evoked", "1", "recordings,", "4", "results"]
    assert "<td style='text-align:left'>1 recordings, 4 results</td>" in protocol._repr_html_()
    condition = protocol.condition("Subject01", "evoked")
    text = str(condition)
    assert text.startswith("<StudyCondition | Subject01/evoked>\n")
    assert "results           4: results_MN_EEG_KERNEL" in text
    assert "data covariance   none" in text
    assert "inverse_operator(options)" in text
    assert "<caption>Subject01/evoked</caption>" in condition._repr_html_()


def listed(condition, row):
    """What a row of the summary names, calls as they can be made."""
    rows = dict(line.strip().split("  ", 1) for line in str(condition).splitlines()[1:])
    return [name.strip() for name in rows[row].split(",")]


@pytest.mark.parametrize("name", ["evoked", "noise"])
def test_summaries_list_what_can_be_made(sample_dir, name):
    condition = mb.read_protocol(sample_dir).condition("Subject01", name)
    calls = {
        "inverse_operator(options)": lambda: condition.inverse_operator(),
        "source_estimate(results)": lambda: condition.source_estimate(condition.results[0]),
        "study_data()": condition.study_data,
    }
    found = [*listed(condition, "MNE objects"), *listed(condition, "structures")]
    for one in found:
        value = calls[one]() if one in calls else getattr(condition, one)
        assert value is not None or one == "epochs"
    assert ("raws" in found) == (name == "evoked")
    everything = [*calls, "forward", "src", "noise_cov", "data_cov", "head_model", "labels"]
    for one in set(everything) - set(found):
        with pytest.raises((MissingFileError, IndexError)):
            _ = calls[one]() if one in calls else getattr(condition, one)
    assert "no data covariance: no data_cov, data_cov_structure" in str(condition)
    assert ("no head model: no src, forward, inverse" in str(condition)) == (name == "noise")


def test_is_average(sample_dir, tmp_path):
    assert is_average(sample_dir / "data_average_x.mat")
    assert is_average(tmp_path / "data_x.mat", n_avg=2)
    assert not is_average(tmp_path / "data_x.mat", n_avg=1)
    io.write_recordings(tmp_path / "data_y.mat", io.Recordings(f=np.zeros((2, 3)), n_avg=3))
    assert is_average(tmp_path / "data_y.mat")


def test_mne_is_imported_when_one_of_its_objects_is_asked_for(sample_dir):
    code = f"""
import sys, mne_bstinv
condition = mne_bstinv.read_protocol({str(sample_dir)!r}).condition("Subject01", "evoked")
condition.head_model, condition.channels, repr(condition)
assert "mne" not in sys.modules
condition.trans
assert "mne" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ, timeout=60)


def test_the_cortex_of_a_volume_study_is_the_cortex(data_dir, tmp_path):
    """A volume is filled into a shell, which its head model names as its surface."""
    root = shutil.copytree(data_dir / "eeg_volume", tmp_path / "eeg_volume")
    plain = mb.read_protocol(root).condition("Subject01", "oddball")
    expected = plain.source_estimate(plain.results[0])
    file = plain.head_model_file
    model = dataclasses.replace(
        io.read_head_model(file), surface_file="Subject01/tess_innerskull.mat"
    )
    io.write_head_model(file, model, overwrite=True)
    study = mb.read_protocol(root).condition("Subject01", "oddball")
    assert study.cortex_file.name == "tess_cortex_pial_low_220V.mat"
    assert [label.hemi for label in study.labels] == ["lh", "rh"]
    assert study.src.kind == "volume"
    assert study.study_data().cortex.comment == study.cortex.comment
    np.testing.assert_array_equal(study.source_estimate(study.results[0]).data, expected.data)
