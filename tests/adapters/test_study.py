"""A study made of MNE's objects: the real subject, and the synthetic one there and back."""

from __future__ import annotations

import dataclasses
import shutil

import mne
import numpy as np
import pytest
from scipy.spatial import KDTree
from small_sample import load_small_sample

from mne_bstinv import InverseOptions, compute_kernel
from mne_bstinv.adapters.recordings.covariance import to_covariance
from mne_bstinv.adapters.recordings.to_mne import to_evoked
from mne_bstinv.adapters.sample_subject import mne_sample_objects
from mne_bstinv.adapters.sensors.to_mne import to_info
from mne_bstinv.adapters.sources.forward_to_mne import to_forward
from mne_bstinv.adapters.study import study_from_mne
from mne_bstinv.conversion import conversion_report
from mne_bstinv.errors import ConversionError, MissingFileError

#: Centre of the sphere (m), head frame.
CENTRE = (-0.004, 0.016, 0.052)


def relative(ours, theirs):
    return float(np.linalg.norm(ours - theirs) / np.linalg.norm(theirs))


def kernel_of(study, types, **options):
    return compute_kernel(
        study.head_model,
        study.noise_cov,
        study.channels,
        channel_flag=None if study.recordings is None else study.recordings.channel_flag,
        data_types=types,
        options=InverseOptions(**options),
        data_cov=study.data_cov,
    )


def fields(report, severity):
    return {finding.field for finding in report.of(severity)}


@pytest.fixture(scope="module")
def folder(shared_dir):
    return shared_dir / "real" / "mne_sample"


@pytest.fixture(scope="module")
def objects(folder):
    return mne_sample_objects(folder, verbose="error")


@pytest.fixture(scope="module")
def real(objects):
    return study_from_mne(*objects)


# -- The objects of the real subject --------------------------------------------------------------


def test_what_the_files_hold(objects):
    evoked, forward, noise_cov = objects
    assert evoked.comment == "Left Auditory"
    assert not any(projection["active"] for projection in evoked.info["projs"])
    assert len(noise_cov["names"]) == 366
    assert forward["sol"]["data"].shape == (366, 3 * 516)
    assert forward["src"][0]["subject_his_id"] == "sample"
    assert [part["nuse"] for part in forward["src"]] == [258, 258]
    assert np.isfinite(forward["sol"]["data"]).all()


def test_the_cortex_is_in_the_head(objects):
    """Its positions are in metres and in the right frame: nothing sticks out of the scalp."""
    evoked, forward, _ = objects
    rr = forward["source_rr"]
    distance = np.linalg.norm(rr - CENTRE, axis=1)
    assert 0.05 < np.median(distance) < 0.07
    assert distance.max() < 0.09  # the innermost shell
    extent = np.ptp(rr, axis=0)
    assert ((extent > 0.1) & (extent < 0.18)).all()  # a brain is 11 to 18 cm long, wide and high
    dig = np.array([d["r"] for d in evoked.info["dig"] if d["kind"] == 4])
    to_head = evoked.info["dev_head_t"]["trans"]
    meg = mne.pick_types(evoked.info, meg=True)
    sensors = np.array([evoked.info["chs"][i]["loc"][:3] for i in meg])
    for points, least in ((dig, 0.01), (sensors @ to_head[:3, :3].T + to_head[:3, 3], 0.03)):
        assert KDTree(points).query(rr)[0].min() > least
    for part in forward["src"]:  # most normals of a folded cortex point outwards
        used = part["rr"][part["vertno"]]
        outwards = part["nn"][part["vertno"]] * (used - used.mean(axis=0))
        assert (outwards.sum(axis=1) > 0).mean() > 0.5


def test_the_gain_has_full_rank(objects):
    """With positions 1000 times too small it would have three directions a type of channel."""
    _, forward, _ = objects
    types = np.array(forward["info"].get_channel_types())
    for kind, n in (("mag", 102), ("grad", 204), ("eeg", 60)):
        s = np.linalg.svd(forward["sol"]["data"][types == kind], compute_uv=False)
        assert len(s) == n
        assert s[-1] > 1e-6 * s[0]
        assert s[n // 3] > 1e-3 * s[0]


def test_the_frame_of_the_mri_is_the_true_one(objects, folder):
    _, forward, _ = objects
    to_head = np.linalg.inv(np.loadtxt(folder / "sample-audvis-raw-trans.txt"))
    for transform in (forward["mri_head_t"], forward["info"]["mri_head_t"]):
        np.testing.assert_allclose(transform["trans"], to_head, rtol=0, atol=1e-12)
    assert (forward["mri_head_t"]["from"], forward["mri_head_t"]["to"]) == (5, 4)
    src = mne.read_source_spaces(folder / "small-src.fif.gz", verbose="error")
    rr = 1000 * np.concatenate([part["rr"][part["vertno"]] for part in src])
    in_head = rr @ to_head[:3, :3].T + to_head[:3, 3]
    np.testing.assert_allclose(forward["source_rr"], in_head, rtol=0, atol=1e-12)


def test_what_was_changed_and_chosen_is_reported(objects, real):
    report = conversion_report(objects[1])
    assert [finding.field for finding in report] == ["rr", "bem"]
    assert "small-src.fif.gz are 1000 times too small for metres" in str(report)
    assert "centre (-4, 16, 52) mm in head, scalp 100 mm" in str(report)
    assert set(report.findings) <= set(real.reports["head_model"].findings)


def test_positions_that_are_in_metres_stay(folder, tmp_path, objects):
    for name in ("test-ave.fif.gz", "test-cov.fif", "sample-audvis-raw-trans.txt"):
        shutil.copy(folder / name, tmp_path)
    src = mne.read_source_spaces(folder / "small-src.fif.gz", verbose="error")
    for part in src:
        part["rr"] *= 1000
    mne.write_source_spaces(tmp_path / "small-src.fif.gz", src, verbose="error")
    _, forward, _ = mne_sample_objects(tmp_path, verbose="error")
    # FIF files hold positions in single precision
    rounding = np.finfo(np.float32).eps * 0.1
    np.testing.assert_allclose(
        forward["source_rr"], objects[1]["source_rr"], rtol=0, atol=10 * rounding
    )
    assert [finding.field for finding in conversion_report(forward)] == ["bem"]


def test_other_conditions_and_missing_files(folder, tmp_path):
    evoked, *_ = mne_sample_objects(folder, "Right visual", verbose="error")
    assert evoked.comment == "Right visual"
    shutil.copy(folder / "test-ave.fif.gz", tmp_path)
    with pytest.raises(MissingFileError, match=r"no test-cov\.fif, no small-src\.fif\.gz, no sam"):
        mne_sample_objects(tmp_path)


# -- The real subject as a study ------------------------------------------------------------------


def test_the_real_study(objects, real):
    evoked, _, noise_cov = objects
    assert real.name == "sample/Left Auditory"
    assert real.head_model.n_sources == 516
    assert real.head_model.kind == "surface"
    np.testing.assert_array_equal(real.cortex.vertices, real.head_model.grid_loc)
    assert real.channels.names == tuple(evoked.ch_names)
    with_gain = np.isfinite(real.head_model.gain).all(axis=1)
    assert with_gain.sum() == 366
    assert np.isnan(real.head_model.gain[~with_gain]).all()
    np.testing.assert_array_equal(real.recordings.f, evoked.data)
    assert real.recordings.n_avg == evoked.nave == 3
    rows = [real.channels.names.index(name) for name in noise_cov["names"]]
    block = real.noise_cov.noise_cov[np.ix_(rows, rows)]
    np.testing.assert_array_equal(block, noise_cov["data"])
    assert set(real.reports) == {"channels", "head_model", "noise_cov", "recordings"}
    assert fields(real.reports["noise_cov"], "dropped") == {"projs"}
    assert "MEGMethod, EEGMethod" in fields(real.reports["head_model"], "assumed")
    for role, report in real.reports.items():
        assert conversion_report(getattr(real, role)) is report


def test_the_gain_is_that_of_the_forward(objects, real):
    _, forward, _ = objects
    again = to_forward(real.head_model, real.channels)
    np.testing.assert_array_equal(again["mri_head_t"]["trans"], forward["mri_head_t"]["trans"])
    for before, after in zip(forward["src"], again["src"], strict=True):
        np.testing.assert_array_equal(after["vertno"], before["vertno"])
    # with the cortex of the study, as from files: nothing that a report keeps is used
    bare = dataclasses.replace(real.head_model)
    made = to_forward(bare, real.channels, surface=real.cortex)
    for one in (again, made):
        assert one["sol"]["row_names"] == forward["sol"]["row_names"]
        assert relative(one["sol"]["data"], forward["sol"]["data"]) <= 1e-12
        np.testing.assert_allclose(one["source_rr"], forward["source_rr"], rtol=0, atol=1e-15)
    # turned into SCS, the three columns of a location keep their size
    rows = np.isfinite(real.head_model.gain).all(axis=1)
    sizes = [
        np.linalg.norm(gain.reshape(366, -1, 3), axis=2)
        for gain in (real.head_model.gain[rows], forward["sol"]["data"])
    ]
    order = [real.channels.names[i] for i in np.flatnonzero(rows)]
    mine = [forward["sol"]["row_names"].index(name) for name in order]
    assert relative(sizes[0], sizes[1][mine]) <= 1e-12


@pytest.mark.parametrize(
    ("types", "n_channels", "rank"),
    [("MEG", 306, 303), ("EEG", 60, 59), (("MEG", "EEG"), 366, 362)],
)
@pytest.mark.parametrize("measure", ["amplitude", "dspm2018", "sloreta"])
@pytest.mark.parametrize(("orient", "n_rows"), [("fixed", 516), ("loose", 1548), ("free", 1548)])
def test_kernels_of_the_real_subject(real, types, n_channels, rank, measure, orient, n_rows):
    result = kernel_of(real, types, measure=measure, source_orient=orient)
    assert result.kernel.shape == (n_rows, n_channels)
    assert np.isfinite(result.kernel).all()
    assert np.linalg.matrix_rank(result.whitener) == rank
    assert np.abs(result.apply(real.recordings.f)).max() > 0


def test_bad_channels_are_left_out(objects):
    evoked, forward, noise_cov = objects
    bad = evoked.copy()
    bad.info["bads"] = ["MEG 2443", "EEG 053"]
    study = study_from_mne(bad, forward, noise_cov)
    flagged = np.flatnonzero(study.recordings.channel_flag < 0)
    assert [study.channels.names[i] for i in flagged] == bad.info["bads"]
    assert kernel_of(study, "MEG").kernel.shape[1] == 305
    assert kernel_of(study, "EEG").kernel.shape[1] == 59


def test_projections_act_on_gain_and_covariance(objects, real):
    assert [(p.comment, p.status) for p in real.channels.projectors] == [
        ("PCA-v1", 1),
        ("PCA-v2", 1),
        ("PCA-v3", 1),
        ("EEG reference: AVERAGE", 1),
    ]
    # as when Brainstorm imports the file; the report says why that is no good here
    imported = study_from_mne(*objects, apply_proj=False)
    assert [p.status for p in imported.channels.projectors] == [0, 0, 0, 0]
    report = imported.reports["channels"]
    assert fields(report, "derived") == {"Projector.Status"}
    assert "ignored are PCA-v1, PCA-v2, PCA-v3, EEG reference: AVERAGE" in str(report)
    assert fields(report, "assumed") == {"NoiseCov"}
    assert "free of noise. Use apply_proj=True" in str(report)
    assert {f.field for f in real.reports["channels"]} < {f.field for f in report}
    # what was projected out of the covariance is rounding there, and would count as channels
    ranks = [
        np.linalg.matrix_rank(kernel_of(study, "MEG MAG").whitener) for study in (real, imported)
    ]
    assert ranks == [99, 102]
    for types in ("MEG GRAD", "EEG"):
        kernels = [kernel_of(study, types).kernel for study in (real, imported)]
        assert relative(*kernels) < 1e-11  # no projection of their own, or the reference anyway


def test_a_covariance_of_recordings_as_they_are_is_no_contradiction(objects):
    evoked, forward, noise_cov = objects
    plain = noise_cov.copy()
    plain["projs"] = []
    study = study_from_mne(evoked, forward, plain, apply_proj=False)
    assert not study.reports["channels"].of("assumed")
    # active projections have gone into the recordings: nothing to choose
    projected = evoked.copy().apply_proj(verbose="error")
    for apply_proj in (True, False):
        study = study_from_mne(projected, forward, noise_cov, apply_proj=apply_proj)
        assert [p.status for p in study.channels.projectors] == [2, 2, 2, 2]
        assert not study.reports["channels"].of("assumed")


def test_names_covariances_and_files_can_be_given(objects):
    evoked, forward, noise_cov = objects
    study = study_from_mne(
        None,
        forward,
        noise_cov,
        info=evoked.info,
        data_cov=noise_cov,
        name="mine",
        surface_file="sample/tess_cortex.mat",
    )
    assert study.name == "mine"
    assert study.recordings is None
    assert study.head_model.surface_file == "sample/tess_cortex.mat"
    assert "SurfaceFile" not in fields(study.reports["head_model"], "assumed")
    np.testing.assert_array_equal(study.data_cov.noise_cov, study.noise_cov.noise_cov)
    assert "data_cov" in study.reports
    assert np.isfinite(kernel_of(study, "EEG", method="lcmv").kernel).all()
    unnamed = study_from_mne(None, forward, noise_cov, info=evoked.info)
    assert unnamed.name == "sample"


def test_channels_of_several_objects_are_matched_by_name(objects):
    """The channels of the Info count: more than the evoked has, in another order."""
    evoked, forward, noise_cov = objects
    part = evoked.copy().pick(mne.pick_types(evoked.info, meg=False, eeg=True)[::-1])
    study = study_from_mne(part, forward, noise_cov, info=evoked.info)
    eeg = [study.channels.names.index(name) for name in part.ch_names]
    np.testing.assert_array_equal(study.recordings.f[eeg], part.data)
    others = np.setdiff1d(np.arange(len(study.channels)), eeg)
    assert (study.recordings.channel_flag[others] == -1).all()
    assert fields(study.reports["recordings"], "assumed") == {"F"}
    with pytest.raises(ConversionError, match="MEG 0113"):
        study_from_mne(part, forward, noise_cov)


def test_nothing_says_what_the_channels_are(objects):
    _, forward, noise_cov = objects
    with pytest.raises(ConversionError, match="Neither evoked nor info was given"):
        study_from_mne(None, forward, noise_cov)


# -- Brainstorm first -----------------------------------------------------------------------------


def test_a_study_of_brainstorm_there_and_back():
    """Nothing is lost on the way through MNE: the kernels that Brainstorm stored come out."""
    sample = load_small_sample()
    evoked = to_evoked(sample.recordings, sample.channels, mri=sample.mri)
    forward = to_forward(sample.head_model, sample.channels, surface=sample.cortex, mri=sample.mri)
    noise_cov = to_covariance(sample.noise_cov, sample.channels)
    info = to_info(
        sample.channels,
        sfreq=1000.0,
        channel_flag=sample.recordings.channel_flag,
        mri=sample.mri,
    )
    for apply_proj in (True, False):  # Brainstorm has said what becomes of its projectors
        study = study_from_mne(
            evoked, forward, noise_cov, info=info, mri=sample.mri, apply_proj=apply_proj
        )
        statuses = [p.status for p in sample.channels.projectors]
        assert [p.status for p in study.channels.projectors] == statuses
        assert 1 in statuses
        assert study.mri is sample.mri
        for stored in sample.results.values():
            result = compute_kernel(
                study.head_model,
                study.noise_cov,
                study.channels,
                channel_flag=study.recordings.channel_flag,
                data_types=stored.options["DataTypes"],
                options=stored.options,
            )
            assert relative(result.kernel, stored.imaging_kernel) < 1e-11
