"""Scouts under both toolboxes."""

from __future__ import annotations

import dataclasses

import mne
import numpy as np
import pytest

import mne_bstinv as mb


@pytest.fixture(scope="module")
def sample(sample_dir):
    return mb.load_study(sample_dir)


@pytest.fixture(scope="module")
def validation(sample):
    options = mb.InverseOptions(measure="amplitude")
    return mb.cross_validate(sample, options=options, data_types="MEG", shapley_limit=0)


def test_each_side_is_what_its_toolbox_gives(validation, sample):
    found = validation.scouts
    scouts = sample.cortex.atlas[0].scouts
    assert found.names == tuple(scout.label for scout in scouts)
    ours, theirs = (estimate[:, 0] for estimate in validation.estimates)
    series = mb.scout_time_series(ours, scouts, normals=sample.cortex.vert_normals)
    np.testing.assert_array_equal(found.brainstorm, series)
    labels = mb.to_labels(sample.cortex, "User scouts")
    src = mb.to_source_spaces(sample.head_model, sample.cortex)
    order = mb.source_order(src)
    stc = mne.SourceEstimate(theirs[order], [part["vertno"] for part in src], 0, 1)
    flipped = mne.extract_label_time_course(stc, labels, src, mode="mean_flip", verbose="error")
    names = [label.name for label in labels]
    for name in ("A1 R", "M1 L"):
        own = found.mne[found.names.index(name)]
        other = flipped[names.index(f"{name[:-2]}-{name[-1].lower()}h")]
        np.testing.assert_allclose(own * np.sign(own @ other), other, rtol=1e-11, atol=0)


def test_numbers(validation):
    found = validation.scouts
    one = found.differences[0]
    apart = np.linalg.norm(found.mne[0] - found.brainstorm[0])
    assert one == pytest.approx(apart / np.linalg.norm(found.brainstorm[0]))
    assert found.correlations[0] == pytest.approx(
        np.corrcoef(found.mne[0], found.brainstorm[0])[0, 1]
    )
    order = found.strongest(100)
    assert sorted(order) == list(range(len(found.names)))
    assert found.strongest(2) == order[:2]


def test_told_the_same_nothing_is_left(validation):
    """The kernels equal, and both toolboxes flip by their rules: the series are the same."""
    same = dataclasses.replace(validation, mne=validation.brainstorm)
    assert same.scouts.differences.max() <= 1e-12


def test_free_sources_are_norms(sample):
    options = mb.InverseOptions(measure="sloreta", source_orient="free")
    free = mb.cross_validate(sample, options=options, data_types="EEG", shapley_limit=0)
    found = free.scouts
    assert (found.brainstorm >= 0).all()
    assert (found.mne >= 0).all()
    assert found.function == "mean, then norm"


def test_why_there_are_none(validation, data_dir):
    bare = dataclasses.replace(validation, data=None)
    assert bare.scouts == "The study has no recordings."
    study = mb.load_study(data_dir / "eeg_volume")
    volume = mb.cross_validate(
        study, options=mb.InverseOptions(measure="amplitude", source_orient="free"),
        shapley_limit=0,
    )  # fmt: skip
    assert volume.scouts.startswith("The locations are not the vertices of a cortex")
    cortex = dataclasses.replace(validation.study.cortex, atlas=(), i_atlas=None)
    without = dataclasses.replace(
        validation, study=dataclasses.replace(validation.study, cortex=cortex)
    )
    assert "has scouts" in without.scouts


def test_the_sections_of_text_and_json(validation):
    text = str(validation)
    assert "Scouts" in text
    assert 'MNE as set: mode "mean_flip"' in text
    values = validation.to_dict()["scouts"]
    assert values["reason"] == ""
    found = validation.scouts
    assert [one["name"] for one in values["scouts"]] == list(found.names)
    bare = dataclasses.replace(validation, data=None)
    assert bare.to_dict()["scouts"] == {"reason": "The study has no recordings.", "scouts": []}
    assert "The study has no recordings." in str(bare)


def test_a_scout_with_a_location_that_no_channel_sees(sample):
    """The kernel of dSPM is NaN there, and so is the scout: no number, and no error."""
    n, m = len(sample.channels), sample.head_model.n_sources
    scouts = sample.cortex.atlas[0].scouts
    gain = sample.head_model.gain.reshape(n, m, 3).copy()
    gain[:, scouts[0].vertices[0] - 1] = 0.0
    model = dataclasses.replace(sample.head_model, gain=gain.reshape(n, -1))
    found = mb.cross_validate(
        dataclasses.replace(sample, head_model=model),
        options=mb.InverseOptions(measure="dspm2018"),
        mne_settings={"depth": None},
        data_types="MEG",
        orders="path",
    )
    unseen = np.isnan(found.scouts.differences)
    assert unseen.tolist() == [scouts[0] is scout for scout in scouts]
    assert np.isfinite(found.scouts.differences[~unseen]).all()
    assert found.scouts.strongest(100)[-1] == 0
    assert len(scouts) <= 5  # all of them are shown
    row = next(line.split() for line in str(found).splitlines() if scouts[0].label in line)
    assert row[-2:] == ["–", "–"]
    assert found.to_dict()["scouts"]["scouts"][0]["relative_difference"] is None
