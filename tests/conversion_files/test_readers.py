"""MNE-style readers: the path of a file is enough, and what goes with it can be given."""

from __future__ import annotations

import inspect
import shutil
from pathlib import Path

import mne
import numpy as np
import pytest

import mne_bstinv as mb
from mne_bstinv.conversion import conversion_report
from mne_bstinv.errors import ConversionError, MissingFileError

READERS = sorted(name for name in mb.__all__ if name.startswith("read_") and "brainstorm" in name)


@pytest.fixture(autouse=True)
def _quiet_mne():
    with mne.use_log_level("error"):
        yield


@pytest.fixture(scope="module")
def study(sample_dir: Path) -> mb.StudyCondition:
    return mb.read_protocol(sample_dir).condition("Subject01", "evoked")


@pytest.fixture(scope="module")
def results(study: mb.StudyCondition) -> Path:
    return next(entry.file for entry in study.results if "MN_MEG" in entry.file.name)


def test_there_are_ten() -> None:
    assert len(READERS) == 10


@pytest.mark.parametrize("name", READERS)
def test_habits_of_mne(name: str, tmp_path: Path) -> None:
    reader = getattr(mb, name)
    parameters = list(inspect.signature(reader).parameters.values())
    assert (parameters[0].name, parameters[-1].name) == ("fname", "verbose")
    assert parameters[-1].default is None
    with pytest.raises(MissingFileError, match=r"nowhere\.mat"):
        reader(tmp_path / "nowhere.mat")


@pytest.mark.parametrize("name", [n for n in READERS if n not in ("read_raw_brainstorm",)])
def test_another_kind_is_refused(name: str, study: mb.StudyCondition) -> None:
    wrong = study.channel_file if name != "read_info_brainstorm" else study.noise_cov_file
    with pytest.raises((ConversionError, mb.errors.SchemaError)) as caught:
        getattr(mb, name)(wrong)
    assert str(wrong) in str(caught.value)


def test_sensors_and_covariances(study: mb.StudyCondition) -> None:
    info = mb.read_info_brainstorm(study.channel_file)
    assert mne.utils.object_diff(info["chs"], study.info["chs"]) == ""
    assert "sfreq" in {f.field for f in conversion_report(info)}
    cov = mb.read_cov_brainstorm(study.noise_cov_file)
    np.testing.assert_array_equal(cov.data, study.noise_cov.data)
    assert cov.ch_names == study.noise_cov.ch_names


@pytest.mark.parametrize("whole", [False, True])
def test_averages(study: mb.StudyCondition, whole: bool) -> None:
    (file,) = [e.file for e in study.recordings if "average" in e.file.name]
    (evoked,) = mb.read_evokeds_brainstorm(study.folder if whole else file)
    np.testing.assert_array_equal(evoked.data, study.evokeds[0].data)
    assert evoked.info["bads"] == study.evokeds[0].info["bads"]
    assert len(conversion_report(evoked))


def test_sources(study: mb.StudyCondition) -> None:
    src = mb.read_source_spaces_brainstorm(study.head_model_file)
    assert mne.utils.object_diff(list(src), list(study.src)) == ""
    forward = mb.read_forward_brainstorm(study.head_model_file)
    np.testing.assert_array_equal(forward["sol"]["data"], study.forward["sol"]["data"])
    assert forward["src"][0]["subject_his_id"] == "Subject01"


def test_results(study: mb.StudyCondition, results: Path) -> None:
    inverse = mb.read_inverse_operator_brainstorm(results)
    parameters = mb.inverse_parameters(inverse)
    mine = mne.minimum_norm.apply_inverse(
        study.evokeds[0], inverse, parameters.lambda2, parameters.method
    )
    stc = mb.read_source_estimate_brainstorm(results)
    np.testing.assert_array_equal(stc.data, study.source_estimate(results.name).data)
    assert mine.data.shape[0] == stc.data.shape[0]


def test_labels(study: mb.StudyCondition) -> None:
    labels = mb.read_labels_brainstorm(study.anatomy.cortex)
    assert [(x.name, x.subject) for x in labels] == [(x.name, x.subject) for x in study.labels]
    for one, other in zip(labels, study.labels, strict=True):
        np.testing.assert_array_equal(one.vertices, other.vertices)
        np.testing.assert_array_equal(one.pos, other.pos)
    with pytest.raises(ConversionError, match="no atlas 'none'"):
        mb.read_labels_brainstorm(study.anatomy.cortex, "none")


def test_trials_of_a_folder(data_dir: Path, tmp_path: Path) -> None:
    root = tmp_path / "p"
    shutil.copytree(data_dir / "eeg_shared", root)
    protocol = mb.read_protocol(root)
    for subject in protocol.subjects:
        for entry in subject.conditions:
            condition = protocol.condition(entry.subject, entry.name)
            if condition.epochs is None:
                with pytest.raises(MissingFileError, match="no trials"):
                    mb.read_epochs_brainstorm(condition.folder)
                continue
            epochs = mb.read_epochs_brainstorm(condition.folder)
            np.testing.assert_array_equal(epochs.get_data(), condition.epochs.get_data())


def test_companions_can_be_given(study: mb.StudyCondition, tmp_path: Path) -> None:
    alone = tmp_path / study.head_model_file.name
    shutil.copy(study.head_model_file, alone)
    with pytest.raises(MissingFileError, match="channel"):
        mb.read_forward_brainstorm(alone)
    forward = mb.read_forward_brainstorm(
        alone, channels=study.channel_file, cortex=study.anatomy.cortex, mri=study.anatomy.anatomy
    )
    np.testing.assert_array_equal(forward["sol"]["data"], study.forward["sol"]["data"])
