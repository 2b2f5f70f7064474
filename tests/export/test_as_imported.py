"""MNE's sample subject, exported, and as Brainstorm imported it from the same files."""

from __future__ import annotations

import mne
import numpy as np
import pytest
from matlab_templates import MAY_BE_EMPTY, template_faults

from mne_bstinv import InverseOptions, io, verify
from mne_bstinv.export import Estimation, export_study

#: Two roundings of positions of 0.2 m, and of unit vectors.
METRES, UNIT = 4e-16, 8e-16
#: Brainstorm turns digitised points in the single precision of the file: 0.2 m, a few roundings.
DIGITISED = 4 * 0.2 * np.finfo(np.float32).eps


@pytest.fixture(scope="module")
def exported(mne_sample, tmp_path_factory):
    with mne.use_log_level("error"):
        return export_study(
            tmp_path_factory.mktemp("sample") / "p",
            mne_sample["recordings"],
            subject="S",
            condition="c",
            noise_cov=mne_sample["noise_cov"],
        )


@pytest.fixture(scope="module")
def imported(shared_dir):
    folder = shared_dir / "oracle" / "local" / "meg_neuromag" / "data" / "Subject01" / "auditory"
    return {io.file_kind(file.name): file for file in folder.glob("*.mat")}


def test_sensors(exported, imported):
    ours, theirs = map(io.read_channels, (exported.channel_file, imported["channel"]))
    assert ours.names == theirs.names
    assert ours.types == theirs.types
    for mine, stored in zip(ours.channels, theirs.channels, strict=True):
        assert mine.comment == stored.comment
        for name, limit in (("loc", METRES), ("orient", UNIT), ("weight", 0)):
            one, other = getattr(mine, name), getattr(stored, name)
            assert (one is None) == (other is None), (mine.name, name)
            if other is not None:
                assert one.shape == other.shape
                np.testing.assert_allclose(one, other, rtol=0, atol=limit)


def test_frames_and_head_points(exported, imported):
    ours, theirs = map(io.read_channels, (exported.channel_file, imported["channel"]))
    for name in ("transf_meg", "transf_eeg"):
        assert getattr(ours, f"{name}_labels") == getattr(theirs, f"{name}_labels")
        for one, other in zip(getattr(ours, name), getattr(theirs, name), strict=True):
            np.testing.assert_allclose(one, other, rtol=0, atol=UNIT)
    mine, stored = ours.head_points, theirs.head_points
    assert (mine.type, mine.label) == (stored.type, stored.label)
    np.testing.assert_allclose(mine.loc, stored.loc, rtol=0, atol=DIGITISED)


def test_projectors(exported, imported):
    ours, theirs = map(io.read_channels, (exported.channel_file, imported["channel"]))
    for mine, stored in zip(ours.projectors, theirs.projectors, strict=True):
        for name in ("comment", "method", "status", "sing_val"):
            assert getattr(mine, name) == getattr(stored, name)
        assert (mine.comp_mask is None) == (stored.comp_mask is None)
        assert mine.components.shape == stored.components.shape
        if mine.method != "REF":
            np.testing.assert_allclose(mine.components, stored.components, rtol=0, atol=UNIT)
    # Brainstorm's average reference was made with a bad channel, the one of the file without
    eeg = np.array([kind == "EEG" for kind in ours.types])
    expected = np.eye(len(eeg)) - np.outer(eeg, eeg) / eeg.sum()
    np.testing.assert_allclose(ours.projectors[-1].components, expected, rtol=0, atol=UNIT)


def test_covariance(exported, imported):
    ours, theirs = map(io.read_noise_cov, (exported.noise_cov_file, imported["noisecov"]))
    np.testing.assert_array_equal(ours.noise_cov, theirs.noise_cov)


def _faults_but_t0(templates, root, may_be_empty):
    """Faults of files; what the templates hold was recorded at no known time: their T0 is empty."""
    faults = template_faults(templates, root, may_be_empty=may_be_empty)
    return [fault for fault in faults if fault.split(": ")[1:] != _T0_IS_TEXT]


_T0_IS_TEXT = ["T0", "char row, not [('double', 'empty')]"]


def test_a_mixed_model_of_mne_has_what_brainstorms_have(
    templates,
    mne_sample,
    tmp_path,
):
    evoked, trans = mne_sample["recordings"], mne_sample["trans"]
    info = mne.pick_info(evoked.info, mne.pick_types(evoked.info, meg=True, eeg=True))
    sphere = mne.make_sphere_model((0.0, 0.0, 0.04), head_radius=0.1)
    volume = mne.setup_volume_source_space(pos=30.0, sphere=(0.0, 0.0, 0.04, 0.08))
    src = mne_sample["src"] + volume
    forward = mne.make_forward_solution(info, trans, src, sphere, mindist=0.0)
    study = export_study(
        tmp_path / "p",
        evoked,
        subject="S",
        condition="c",
        forward=forward,
        noise_cov=mne_sample["noise_cov"],
        estimations=Estimation(of=InverseOptions(), data_types="MEG"),
    )
    assert [one.status for one in verify(study.root)] == ["equal"]
    # a volume of MNE has no surface whose vertices it encloses
    may_be_empty = MAY_BE_EMPTY | {"GridAtlas.Scouts.Vertices", "GridAtlas.Scouts.Seed"}
    assert _faults_but_t0(templates, study.root, may_be_empty) == []
    atlas = io.read_head_model(study.head_model_file).grid_atlas
    assert [scout.region for scout in atlas.scouts] == ["LSL", "RSL", "UVU"]
    assert len({tuple(scout.color) for scout in atlas.scouts}) == 3


def test_a_hemisphere_without_sources_is_no_scout(mne_sample, templates, tmp_path):
    forward = mne_sample["forward"]
    label = mne.Label(forward["src"][0]["vertno"][5:60], hemi="lh", name="patch-lh")
    part = mne.forward.restrict_forward_to_label(forward, [label])
    study = export_study(
        tmp_path / "p", mne_sample["recordings"], subject="S", condition="c", forward=part
    )
    cortex = io.read_surface(study.cortex_file)
    assert [scout.label for scout in cortex.atlas[1].scouts] == ["lh"]
    assert len(cortex.atlas[1].scouts[0].vertices) == cortex.n_vertices == 55
    assert _faults_but_t0(templates, study.root, MAY_BE_EMPTY) == []
