"""Names that MNE cannot hold, through recordings, covariances, forward solutions and operators."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import mne
import numpy as np
import pytest

import mne_bstinv
from mne_bstinv import io
from mne_bstinv.adapters.recordings import from_raw, to_evoked, to_raw_array

#: Brainstorm's names of the first channels → MNE's.
NAMES = ("E:1", "Cz", "Cz", "µV")
IN_MNE = ("E_1", "Cz-0", "Cz-1", "uV")


@pytest.fixture
def study(sample_dir: Path) -> mne_bstinv.StudyData:
    """The sample, whose first good EEG channels have such names."""
    study = mne_bstinv.load_study(sample_dir, condition="evoked")
    channels = list(study.channels.channels)
    flags = study.recordings.channel_flag
    eeg = [i for i, c in enumerate(channels) if c.type == "EEG" and flags[i] > 0][: len(NAMES)]
    for i, name in zip(eeg, NAMES, strict=True):
        channels[i] = dataclasses.replace(channels[i], name=name)
    return dataclasses.replace(
        study, channels=dataclasses.replace(study.channels, channels=tuple(channels))
    )


def test_objects_of_a_study_agree(study: mne_bstinv.StudyData, tmp_path: Path) -> None:
    evoked = to_evoked(study.recordings, study.channels)
    forward = mne_bstinv.to_forward(
        study.head_model, study.channels, surface=study.cortex, mri=study.mri
    )
    cov = mne_bstinv.to_covariance(study.noise_cov, study.channels)
    for names in (evoked.ch_names, forward["sol"]["row_names"], cov.ch_names):
        assert set(IN_MNE) <= set(names)
    rows = np.array([study.channels.names.index(NAMES[0]), study.channels.names.index(NAMES[3])])
    rotation = mne_bstinv.conversion_report(forward).kept["scs_to_head"][:3, :3]
    order = mne_bstinv.conversion_report(forward).kept["order"]
    fname = tmp_path / "x-fwd.fif"
    mne.write_forward_solution(fname, forward, verbose="error")
    found = mne.read_forward_solution(fname, verbose="error")
    for row, name in zip(rows, ("E_1", "uV"), strict=True):
        gain = study.head_model.gain[row].reshape(-1, 3)[order] @ rotation.T
        mine = found["sol"]["data"][found["sol"]["row_names"].index(name)].reshape(-1, 3)
        # single precision in the file
        np.testing.assert_allclose(mine, gain, rtol=0, atol=1e-6 * np.abs(gain).max())
    back = mne_bstinv.from_forward(forward, channels=study.channels)
    np.testing.assert_allclose(
        back.gain[rows], study.head_model.gain[rows], rtol=0, atol=1e-12 * np.abs(gain).max()
    )
    restored = mne_bstinv.from_covariance(cov, study.channels)
    np.testing.assert_array_equal(restored.noise_cov, study.noise_cov.noise_cov)
    again = mne_bstinv.from_evoked(evoked, channels=study.channels)
    np.testing.assert_array_equal(again.f, study.recordings.f)


def test_operators_of_a_study(study: mne_bstinv.StudyData, tmp_path: Path) -> None:
    options = {"InverseMethod": "minnorm", "InverseMeasure": "amplitude", "SourceOrient": ["fixed"]}
    flag = study.recordings.channel_flag
    operator = mne_bstinv.to_inverse_operator(
        study.head_model, study.noise_cov, study.channels, options, channel_flag=flag,
        data_types="EEG", surface=study.cortex, mri=study.mri,
    )  # fmt: skip
    assert set(IN_MNE) <= set(operator["noise_cov"]["names"])
    kernel = mne_bstinv.compute_kernel(
        study.head_model, study.noise_cov, study.channels, options=options, channel_flag=flag,
        data_types="EEG",
    )  # fmt: skip
    back = mne_bstinv.from_inverse_operator(
        operator, channels=study.channels, head_model=study.head_model
    )
    scale = np.abs(kernel.kernel).max()
    np.testing.assert_allclose(back.imaging_kernel, kernel.kernel, rtol=0, atol=1e-9 * scale)
    np.testing.assert_array_equal(back.good_channel, kernel.channel_indices + 1)
    equivalent = mne_bstinv.mne_equivalent(options, study, data_types="EEG")
    evoked = to_evoked(study.recordings, study.channels)
    assert set(IN_MNE) <= set(equivalent.prepare(evoked).ch_names)


def test_events_on_channels(study: mne_bstinv.StudyData) -> None:
    event = io.Event(
        label="odd",
        times=np.array([[0.1]]),
        epochs=np.ones(1, dtype=np.int64),
        channels=(("E:1", "µV"),),
    )
    recordings = dataclasses.replace(study.recordings, events=(event,))
    raw = to_raw_array(recordings, study.channels)
    assert raw.annotations.ch_names[0] == ("E_1", "uV")
    for channels in (study.channels, None):
        kept = from_raw(raw, channels=channels).events
        assert kept[0] is event
    raw.annotations.append(0.2, 0.0, "other", ch_names=[["Cz-0"]])
    found = from_raw(raw, channels=study.channels).events
    assert [e.label for e in found] == ["odd", "other"]
    assert found[0].channels[0] == ("E:1", "µV")
    assert found[1].channels[0] == ("Cz",)


def test_names_that_mne_holds_already_stay() -> None:
    """In memory: those of FIF files would be others."""
    info = mne.create_info(["Ü1", "a:b", "Cz"], 100.0, "eeg")
    info["bads"] = ["Ü1"]
    raw = mne.io.RawArray(np.ones((3, 10)), info)
    raw.set_annotations(mne.Annotations(0.02, 0.01, "x", ch_names=[["a:b"]]))
    with mne.use_log_level("error"):
        channels = mne_bstinv.from_info(raw.info)
    recordings = from_raw(raw, channels=channels)
    back = to_raw_array(recordings, channels)
    assert (back.ch_names, back.info["bads"]) == (info["ch_names"], ["Ü1"])
    assert [tuple(names) for names in back.annotations.ch_names] == [("a:b",)]
    cov = io.NoiseCov(noise_cov=np.eye(3))
    assert mne_bstinv.to_covariance(cov, channels)["names"] == info["ch_names"]


def test_case_of_a_colon(data_dir: Path, tmp_path: Path) -> None:
    """65 names for 64 rows: the gain of another electrode was returned."""
    channels = io.read_channels(data_dir / "cases/n_colon_channel.mat")
    model = io.read_head_model(data_dir / "cases/n_colon_headmodel_surf_eeg_3sphereberg.mat")
    forward = mne_bstinv.to_forward(model, channels)
    fname = tmp_path / "x-fwd.fif"
    mne_bstinv.write_forward(fname, forward)
    found = mne.read_forward_solution(fname, verbose="error")
    assert len(found["sol"]["row_names"]) == len(found["sol"]["data"]) == found["nchan"]
    assert found["sol"]["row_names"] == forward["sol"]["row_names"]
    assert "FP_z" in found["sol"]["row_names"]


def test_optical_density_is_told_by_the_unit() -> None:
    ends = np.array([[0.09, 0.0, 0.03], [0.09, 0.03, 0.03]]).T
    channels = io.Channels(
        channels=tuple(io.Channel(name=f"S1D1WL{w}", type="NIRS", loc=ends) for w in (690, 830))
    )
    recordings = io.Recordings(
        f=np.ones((2, 5)), time=np.arange(5) / 10, channel_flag=np.ones(2, dtype=np.int64),
        display_units="delta OD", data_type="recordings",
    )  # fmt: skip
    evoked = to_evoked(recordings, channels)
    assert set(evoked.get_channel_types()) == {"fnirs_od"}
    info = mne_bstinv.to_info(channels, sfreq=10.0)
    assert set(to_evoked(recordings, channels, info=info).get_channel_types()) == {"fnirs_od"}
    assert set(info.get_channel_types()) == {"fnirs_cw_amplitude"}
    bare = mne.EvokedArray(evoked.data, evoked.info)
    assert mne_bstinv.from_evoked(bare).display_units == "OD"
