"""Objects that do not have the same channels: what MNE leaves out, Brainstorm must not use."""

from __future__ import annotations

import dataclasses

import mne
import numpy as np
import pytest

from mne_bstinv import (
    InverseOptions,
    from_evoked,
    io,
    read_protocol,
    to_covariance,
    to_evoked,
    to_forward,
    verify,
)
from mne_bstinv.conversion import conversion_report
from mne_bstinv.errors import ConversionError
from mne_bstinv.export import Estimation, export_study
from mne_bstinv.export.usable import computed_rows, flagged, modalities_without, unusable_channels

WHERE = {"subject": "S", "condition": "c"}


@pytest.fixture(scope="module")
def objects(mne_sample):
    return {name: mne_sample[name] for name in ("recordings", "forward", "noise_cov")}


def kernels(*types):
    return [Estimation(of=InverseOptions(), data_types=one, recordings=0) for one in types]


def bad_names(study, index=0):
    channels = io.read_channels(study.channel_file)
    flags = io.read_recordings(study.recordings[index]).channel_flag
    return {channels.names[i] for i in np.flatnonzero(flags < 0)}


def good_names(study, index=0):
    channels = io.read_channels(study.channel_file)
    return {channels.names[i - 1] for i in io.read_results(study.results[index]).good_channel}


def findings(study, field):
    return [one.reason for one in conversion_report(study) if one.field == field]


def test_channels_without_gain_or_covariance_are_bad_as_mne_leaves_them_out(objects, tmp_path):
    evoked = objects["recordings"].copy()
    evoked.info["bads"] = ["MEG 2443"]
    forward = mne.pick_channels_forward(objects["forward"], exclude=["MEG 0113", "MEG 2443"])
    cov = objects["noise_cov"]
    cov = mne.pick_channels_cov(cov, exclude=["EEG 011", "MEG 0113"])
    study = export_study(
        tmp_path / "p",
        evoked,
        forward=forward,
        noise_cov=cov,
        estimations=kernels("MEG", "EEG"),
        **WHERE,
    )
    assert bad_names(study) == {"MEG 0113", "MEG 2443", "EEG 011"}
    assert findings(study, "ChannelFlag") == [
        "bad, since the forward solution lacks them: MEG 0113",
        "bad, since the noise covariance lacks them: MEG 0113, EEG 011",
    ]
    assert [one.status for one in verify(study.root)] == ["equal", "equal"]
    operator = mne.minimum_norm.make_inverse_operator(evoked.info, forward, cov)
    used = set(operator["noise_cov"]["names"])
    assert good_names(study, 0) | good_names(study, 1) == used


def test_one_type_of_sensors_is_enough_for_meg(objects, tmp_path):
    forward = mne.pick_types_forward(objects["forward"], meg="mag")
    study = export_study(
        tmp_path / "p", **{**objects, "forward": forward}, estimations=kernels("MEG"), **WHERE
    )
    assert len(bad_names(study)) == 204
    assert len(good_names(study)) == 102
    head_model = io.read_head_model(study.head_model_file)
    assert (head_model.meg_method, head_model.eeg_method) == ("mne", None)


def test_a_modality_that_nothing_is_known_of_stays_good(objects, tmp_path):
    forward = mne.pick_types_forward(objects["forward"], meg=True, eeg=False)
    study = export_study(tmp_path / "p", **{**objects, "forward": forward}, **WHERE)
    assert bad_names(study) == set()


@pytest.mark.parametrize(("modality", "n"), [("eeg", 60), ("meg", 306)])
def test_forward_and_covariance_of_more_channels(objects, tmp_path, modality, n):
    evoked = objects["recordings"].copy().pick(modality)
    study = export_study(
        tmp_path / "p",
        **{**objects, "recordings": evoked},
        estimations=kernels(modality.upper()),
        **WHERE,
    )
    assert len(good_names(study)) == n
    (reason,) = findings(study, "noise covariance")
    assert reason.startswith("channels that the study does not have: ")
    assert reason.count(", ") == 366 - n - 1
    assert len(findings(study, "forward solution")) == 1
    names = io.read_channels(study.channel_file).names
    cov = objects["noise_cov"]
    index = [cov.ch_names.index(name) for name in names]
    stored = io.read_noise_cov(study.noise_cov_file).noise_cov
    np.testing.assert_array_equal(stored, cov.data[np.ix_(index, index)])
    assert [one.status for one in verify(study.root)] == ["equal"]


def test_noise_data_of_more_channels(objects, tmp_path):
    evoked = objects["recordings"]
    study = export_study(
        tmp_path / "p", evoked.copy().pick("eeg"), noise_cov=evoked, data_cov=evoked, **WHERE
    )
    assert io.read_noise_cov(study.noise_cov_file).n_channels == 60
    assert "STI 001" in findings(study, "noise covariance")[0]
    assert "STI 001" in findings(study, "data covariance")[0]


def test_a_covariance_of_another_study(objects, tmp_path):
    cov = objects["noise_cov"]
    other = mne.Covariance(cov.data, [f"X{i}" for i in range(366)], [], [], cov["nfree"])
    with pytest.raises(ConversionError, match="cannot be matched by name; not found: X0, X1"):
        export_study(tmp_path / "p", **{**objects, "noise_cov": other}, **WHERE)


def test_the_recordings_with_the_most_channels_say_where_the_sensors_are(objects, tmp_path):
    evoked = objects["recordings"]
    study = export_study(tmp_path / "p", [evoked.copy().pick("eeg"), evoked], **WHERE)
    assert len(io.read_channels(study.channel_file)) == len(evoked.ch_names)
    assert [len(bad_names(study, index)) for index in (0, 1)] == [len(evoked.ch_names) - 60, 0]


def test_structures_of_brainstorm_keep_their_flags(sample, tmp_path):
    channels = io.read_channels(next(sample.stored[0].parent.glob("channel*.mat")))
    recordings = from_evoked(sample.objects["recordings"][0], channels=channels)
    forward = mne.pick_channels_forward(sample.objects["forward"], exclude=[channels.names[0]])
    study = export_study(tmp_path / "p", recordings, info=channels, forward=forward, **WHERE)
    stored = io.read_recordings(study.recordings[0])
    np.testing.assert_array_equal(stored.channel_flag, recordings.channel_flag)


@pytest.mark.parametrize("kind", ["SEEG", "ECOG"])
def test_electrodes_in_the_head(data_dir, tmp_path, kind):
    study = read_protocol(data_dir / "eeg_surface").condition("Subject01", "evoked")
    electrodes = tuple(
        dataclasses.replace(one, type=kind) if one.type == "EEG" else one
        for one in study.channels.channels
    )
    channels = dataclasses.replace(study.channels, channels=electrodes)
    method = {f"{kind.lower()}_method": study.head_model.eeg_method, "eeg_method": None}
    head_model = dataclasses.replace(study.head_model, **method)
    forward = to_forward(head_model, channels, surface=study.cortex)
    first = next(i for i, one in enumerate(electrodes) if one.type == kind)
    part = mne.pick_channels_forward(forward, exclude=[channels.names[first]])
    exported = export_study(
        tmp_path / "p",
        to_evoked(study.read_recordings(), channels),
        forward=mne.Forward(part),  # without what the conversion kept
        noise_cov=to_covariance(study.noise_cov_structure, channels),
        estimations=kernels(kind),
        **WHERE,
    )
    stored = io.read_head_model(exported.head_model_file)
    methods = {"ECOG": stored.ecog_method, "SEEG": stored.seeg_method}
    assert methods.pop(kind) == "mne"
    assert (stored.eeg_method, stored.meg_method, *methods.values()) == (None, None, None)
    assert channels.names[first] in bad_names(exported)
    types = io.read_results(exported.results[0]).options["ChannelTypes"]
    assert set(types) == {kind}
    assert [one.status for one in verify(exported.root)] == ["equal"]


def test_unusable_channels():
    types = ("MEG MAG", "MEG GRAD", "EEG", "EEG", "Stim")
    channels = io.Channels(
        channels=tuple(io.Channel(name=f"{kind} {i}", type=kind) for i, kind in enumerate(types))
    )
    gain = np.array([[1.0, 2, 3], [0, 0, 0], [np.nan] * 3, [np.nan] * 3, [np.nan] * 3])
    head_model = io.HeadModel(gain=gain, grid_loc=np.zeros((1, 3)))
    assert computed_rows(head_model).tolist() == [True, False, False, False, False]
    cov = io.NoiseCov(noise_cov=np.diag([1.0, 1, 1, 0, 0]))
    lacking = unusable_channels(channels, head_model, cov)
    assert lacking == {"forward solution": [1], "noise covariance": [3]}
    assert unusable_channels(channels, None, None) == {}
    recordings = io.Recordings(f=np.zeros((5, 2)), time=np.arange(2.0))
    changed = flagged(recordings, lacking, channels)
    assert changed.channel_flag.tolist() == [1, -1, 1, -1, 1]
    assert flagged(changed, lacking, channels) is None


def restricted(cov, exclude):
    return mne.pick_channels_cov(cov, [], exclude=exclude, ordered=False)


def data_cov_of(objects):
    """A data covariance of MNE's own: of all channels, and without the moments of a file."""
    cov = objects["noise_cov"]
    return mne.Covariance(3 * cov.data, cov.ch_names, [], [], nfree=300)


def assert_complete(cov):
    """What Brainstorm reads of a covariance without asking is there, for all pairs of channels."""
    assert cov.n_samples.shape == cov.fourth_moment.shape == cov.noise_cov.shape
    assert np.isfinite(cov.n_samples).all()
    assert np.isfinite(cov.fourth_moment).all()
    assert cov.n_samples.min() >= 2


def test_exported_covariances_hold_the_fields_that_brainstorm_reads_without_asking(
    objects, tmp_path
):
    unknown = data_cov_of(objects)
    unknown["nfree"] = 0
    study = export_study(
        tmp_path / "p",
        **objects,
        data_cov=unknown,
        estimations=[
            *kernels("MEG"),
            Estimation(of=InverseOptions(method="lcmv"), data_types="EEG"),
        ],
        **WHERE,
    )
    noise, data = map(io.read_noise_cov, (study.noise_cov_file, study.data_cov_file))
    for cov in (noise, data):
        assert_complete(cov)
        variance = np.diag(cov.noise_cov)
        expected = np.outer(variance, variance) + 2 * cov.noise_cov**2
        np.testing.assert_array_equal(cov.fourth_moment, expected)
    assert set(data.n_samples.ravel()) == {2.0}
    assert set(noise.n_samples.ravel()) == {2.0, objects["noise_cov"]["nfree"] + 1.0}
    assert len(findings(study, "FourthMoment")) == 1
    assert findings(study, "nSamples")[-1].startswith("2: how many samples")
    assert [one.status for one in verify(study.root)] == ["equal", "equal up to sign"]
    stored = io.read_results(study.results[1]).options["DataCovMat"]
    assert np.shape(stored["FourthMoment"]) == np.shape(stored["NoiseCov"]) == (60, 60)


def test_shrink_works_where_the_number_of_samples_is_known_and_is_refused_where_not(
    objects, tmp_path
):
    shrink = Estimation(of=InverseOptions(noise_method="shrink"), data_types="MEG", recordings=0)
    study = export_study(tmp_path / "p", **objects, estimations=shrink, **WHERE)
    assert [one.status for one in verify(study.root)] == ["equal"]
    unknown = mne.Covariance(objects["noise_cov"].data, objects["noise_cov"].ch_names, [], [], 0)
    with pytest.raises(ConversionError, match="'shrink' shrinks a covariance by how many samples"):
        export_study(
            tmp_path / "q", **{**objects, "noise_cov": unknown}, estimations=shrink, **WHERE
        )


def test_a_structure_without_moments_is_completed_too(sample, tmp_path):
    channels = io.read_channels(next(sample.stored[0].parent.glob("channel*.mat")))
    cov = io.read_noise_cov(next(sample.stored[0].parent.glob("noisecov*.mat")))
    bare = dataclasses.replace(cov, fourth_moment=None, n_samples=None)
    study = export_study(tmp_path / "p", info=channels, noise_cov=bare, data_cov=bare, **WHERE)
    for file in (study.noise_cov_file, study.data_cov_file):
        assert_complete(io.read_noise_cov(file))


def test_channels_that_the_data_covariance_lacks_are_bad(objects, tmp_path):
    cov = restricted(data_cov_of(objects), ["MEG 0113", "EEG 003"])
    study = export_study(tmp_path / "p", **objects, data_cov=cov, **WHERE)
    assert bad_names(study) >= {"MEG 0113", "EEG 003"}
    assert "bad, since the data covariance lacks them: MEG 0113, EEG 003" in findings(
        study, "ChannelFlag"
    )
    stored = io.read_noise_cov(study.data_cov_file).noise_cov
    flags = io.read_recordings(study.recordings[0]).channel_flag
    types = np.array(io.read_channels(study.channel_file).types)
    used = (flags > 0) & np.isin(types, ["MEG MAG", "MEG GRAD", "EEG"])
    assert stored[used].any(axis=1).all()


def test_a_data_covariance_without_a_modality_is_left_out_unless_it_is_needed(objects, tmp_path):
    cov = data_cov_of(objects)
    meg = restricted(cov, [name for name in cov.ch_names if name.startswith("EEG")])
    study = export_study(tmp_path / "p", **objects, data_cov=meg, **WHERE)
    assert study.data_cov_file is None
    assert list(study.channel_file.parent.glob("ndatacov*")) == []
    (reason,) = findings(study, "data covariance")
    assert "no channel of EEG" in reason
    lcmv = Estimation(of=InverseOptions(method="lcmv"), data_types="MEG")
    study = export_study(tmp_path / "q", **objects, data_cov=meg, estimations=lcmv, **WHERE)
    assert study.data_cov_file.exists()
    (reason,) = findings(study, "data covariance")
    assert "refuses every inverse of EEG" in reason
    assert [one.status for one in verify(study.root)] == ["equal up to sign"]
    forward = mne.pick_types_forward(objects["forward"], meg=True, eeg=False)
    alone = {**objects, "forward": forward}
    study = export_study(tmp_path / "r", **alone, data_cov=meg, **WHERE)
    assert study.data_cov_file.exists()  # nothing can be computed of EEG anyway
    assert findings(study, "data covariance") == []


def test_modalities_without():
    types = ("MEG MAG", "EEG", "Stim")
    channels = io.Channels(
        channels=tuple(io.Channel(name=f"{kind} {i}", type=kind) for i, kind in enumerate(types))
    )
    both, meg = (io.NoiseCov(noise_cov=np.diag(v)) for v in ([1.0, 1, 0], [1.0, 0, 0]))
    head_model = io.HeadModel(gain=np.ones((3, 3)), grid_loc=np.zeros((1, 3)))
    assert modalities_without(channels, head_model, both, meg) == ["EEG"]
    assert modalities_without(channels, None, both, meg) == ["EEG"]
    assert modalities_without(channels, head_model, both, both) == []
    assert modalities_without(channels, head_model, meg, meg) == []
    assert modalities_without(channels, head_model, None, meg) == []
