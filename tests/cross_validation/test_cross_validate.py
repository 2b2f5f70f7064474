"""The whole cross-validation of a study."""

from __future__ import annotations

import dataclasses
import json
import re
from functools import lru_cache

import mne
import numpy as np
import pytest
from small_sample import load_small_sample

from mne_bstinv import InverseOptions, InverseOptions2016
from mne_bstinv.adapters.equivalence import kernel_blocks
from mne_bstinv.adapters.equivalence.settings import MneSettings
from mne_bstinv.compare import RoundingBound
from mne_bstinv.cross_validation import cross_validate, cross_validate_each
from mne_bstinv.errors import ConversionError, InverseError, OptionError

EQUAL = 1e-9
AVERAGE = "data_average_240101_1200.mat"


@lru_cache(maxsize=1)
def sample():
    return load_small_sample()


@lru_cache(maxsize=8)
def validation(measure="amplitude", orient="fixed", data_types="MEG", **settings):
    options = InverseOptions(measure=measure, source_orient=orient)
    return cross_validate(
        sample(), options=options, mne_settings=settings, data_types=data_types, shapley_limit=4
    )


@pytest.mark.parametrize("data_types", ["MEG", "EEG"])
@pytest.mark.parametrize("measure", ["amplitude", "dspm2018", "sloreta"])
def test_told_the_same_they_are_equal_and_all_else_is_explained(measure, data_types):
    result = validation(measure, data_types=data_types)
    assert result.equal
    assert result.twin_difference <= EQUAL
    assert result.explained
    assert result.passed
    assert result.attribution.remainder <= EQUAL
    assert result.after["relative_difference"].value <= EQUAL
    assert result.after.passed
    total = result.before["relative_difference"].value
    assert result.attribution.total == pytest.approx(total, abs=EQUAL)
    assert total > 0.01
    assert "Told the same: equal" in result.verdict
    assert "Unexplained: nothing above " in result.verdict


def test_normals_of_single_precision_leave_nothing_unexplained():
    """As FIF files have them: MNE takes a normal for its gain as it is, and Brainstorm its unit."""
    study = sample()
    single = np.asarray(study.head_model.grid_orient).astype(np.float32).astype(np.float64)
    model = dataclasses.replace(study.head_model, grid_orient=single)
    result = cross_validate(dataclasses.replace(study, head_model=model), data_types="MEG")
    assert result.explained, result.verdict


@pytest.mark.parametrize(("measure", "orient"), [("dspm2018", "loose"), ("sloreta", "free")])
def test_what_is_not_comparable_says_why_and_is_explained_all_the_same(measure, orient):
    result = validation(measure, orient)
    assert result.equal is None
    assert result.passed
    assert result.attribution["normalization"].alone_from_brainstorm > 0.05
    assert "Told the same: not comparable (" in result.verdict
    assert result.attribution.remainder <= EQUAL


@pytest.mark.parametrize("orient", ["fixed", "loose"])
def test_several_measures_are_what_each_is_alone(orient):
    measures = ("amplitude", "dspm2018", "sloreta")
    options = [InverseOptions(measure=measure, source_orient=orient) for measure in measures]
    each = cross_validate_each(sample(), options, data_types=("MEG", "EEG"), orders="path")
    for known, found in zip(options, each, strict=True):
        alone = cross_validate(
            sample(), options=known, data_types=("MEG", "EEG"), orders="path"
        ).to_dict()
        together = found.to_dict()
        assert together["verdict"] == alone["verdict"]
        for part in ("settings", "metrics_as_set", "metrics_told_the_same", "reports", "rounding"):
            assert together[part] == alone[part]
        for one, other in zip(together["attribution"], alone["attribution"], strict=True):
            for key, value in one.items():
                # what is known of rows may be of another measure: a rounding of the whole
                number = isinstance(value, float)
                assert value == (pytest.approx(other[key], abs=1e-12) if number else other[key])


def test_several_measures_have_what_is_no_part_of_them_in_common(monkeypatch):
    made = []
    original = mne.minimum_norm.make_inverse_operator

    def counted(info, *args, **kwargs):
        made.append(len(info["ch_names"]))
        return original(info, *args, **kwargs)

    monkeypatch.setattr(mne.minimum_norm, "make_inverse_operator", counted)
    measures = ("amplitude", "dspm2018", "sloreta")
    options = [InverseOptions(measure=measure) for measure in measures]
    asked = {"data_types": "EEG", "orders": "path"}
    found = list(cross_validate_each(sample(), options, **asked))
    # MNE's own, told the same, and told the same without the depth weights that sLORETA has not
    assert len(made) == 3
    assert found[0].equivalent.noise_cov is found[1].equivalent.noise_cov
    other = dataclasses.replace(options[0], noise_method="diag")
    made.clear()
    one, another = cross_validate_each(sample(), [options[0], other], **asked)
    assert len(made) == 4
    assert one.attribution.total != another.attribution.total


def test_estimates_are_those_of_the_kernels():
    result = validation()
    data = sample().recordings.f[result.result.channel_indices]
    ours, theirs = result.estimates
    np.testing.assert_allclose(ours, result.brainstorm @ data, rtol=1e-12, atol=1e-25)
    np.testing.assert_allclose(theirs, result.mne @ data, rtol=1e-12, atol=1e-25)
    assert result.times.shape == (ours.shape[2],)
    moved = np.linalg.norm(theirs - ours) / np.linalg.norm(ours)
    together = sum(s.estimate_change for s in result.attribution)
    assert moved <= together  # the triangle inequality over the steps


def test_averages_are_a_factor_of_the_square_root():
    once, all_of_them = (validation("dspm2018", nave=nave) for nave in (1, None))
    assert all_of_them.averages == 80
    np.testing.assert_allclose(all_of_them.mne, np.sqrt(80) * once.mne, rtol=1e-12)
    assert all_of_them.attribution["averaging"].alone_from_brainstorm == pytest.approx(
        np.sqrt(80) - 1, rel=1e-9
    )
    assert all_of_them.attribution.remainder <= 1e-8 * np.sqrt(80)
    # amplitudes do not depend on it
    assert not validation("amplitude", nave=None).attribution["averaging"].active


def test_sides_of_different_components_are_compared_along_the_normals():
    result = validation("amplitude", "fixed", loose=0.2)
    assert result.along_normals
    assert result.mne.shape[1] == 1
    assert result.attribution["orientation"].alone_from_brainstorm > 0.05
    assert result.attribution.remainder <= EQUAL
    free = validation("amplitude", "free", loose=0.0)
    assert free.along_normals
    assert free.attribution.remainder <= EQUAL


def test_steps_sum_to_the_whole():
    path = validation().attribution
    assert sum(s.increment for s in path) == pytest.approx(path.total)
    limited = cross_validate(sample(), data_types="EEG", shapley_limit=9).attribution
    assert sum(s.shapley for s in limited) == pytest.approx(limited.total)


def test_text_has_the_verdict_first_and_the_tables():
    result = validation()
    text = str(result)
    assert text.startswith(result.verdict)
    assert "exp 0.5, limit 100, fro, all channels" in text
    assert "noise between sensor types" in text
    assert "remainder: " in text
    assert repr(result).startswith("<CrossValidation | ")


def test_plain_values_can_be_written_as_json():
    result = validation()
    values = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert values["passed"] is True
    assert values["parity"] == "exact"
    assert values["difference_as_set"] == pytest.approx(result.attribution.total)
    assert {"mne", "numpy", "python"} <= set(values["versions"])
    assert next(step["key"] for step in values["attribution"]) == "snr"
    assert values["settings"][0]["brainstorm"] == "amplitude"
    assert values["factor"] == 1
    assert "factor" not in values["verdict"]


@pytest.mark.parametrize("orient", ["fixed", "free"])
def test_the_factor_of_sloreta_is_stated_and_divided_out(orient):
    result = validation("sloreta", orient)
    root = np.sqrt(result.result.lambda_)
    scaled = result.to_dict()
    assert scaled["factor"] == pytest.approx(root)
    assert (
        f"). Brainstorm's sLORETA is {root:.6g} (√Λ in A·m) times one without unit, as MNE's is; "
        "all numbers here are after dividing that factor out. As set here: " in scaled["verdict"]
    )
    of_file = kernel_blocks(result.result, result.study.head_model.grid_orient)
    np.testing.assert_allclose(root * result.brainstorm, of_file, rtol=1e-12)


def test_defaults_take_meg_first():
    result = cross_validate(sample(), shapley_limit=0)
    assert result.data_types == ("MEG",)
    assert result.settings == MneSettings.defaults_for(InverseOptions())


# -- studies that are not as usual ----------------------------------------------------------------


def changed(**parts):
    return dataclasses.replace(sample(), **parts)


def without_gain(measure, orient):
    """Three locations that no channel sees."""
    gain = np.array(sample().head_model.gain)
    gain[:, 30:39] = 0.0
    study = changed(head_model=dataclasses.replace(sample().head_model, gain=gain))
    options = InverseOptions(measure=measure, source_orient=orient)
    return cross_validate(study, options=options, data_types="MEG", shapley_limit=0)


@pytest.mark.parametrize(
    ("measure", "orient", "left_out"),
    [("amplitude", "fixed", 0), ("dspm2018", "fixed", 3), ("sloreta", "fixed", 3)],
)
def test_locations_without_gain_are_left_out_and_counted(measure, orient, left_out):
    result = without_gain(measure, orient)
    assert result.passed
    assert result.twin_difference <= EQUAL
    assert result.after.n_left_out == left_out
    if left_out:
        assert any("NaN" in note for note in result.after.notes)


@pytest.mark.parametrize("orient", ["fixed", "free"])
@pytest.mark.parametrize("measure", ["amplitude", "dspm2018", "sloreta"])
def test_mne_has_no_kernel_where_no_channel_sees(measure, orient):
    """What its decomposition leaves there is rounding: dSPM and sLORETA make it as large as all."""
    gain = np.array(sample().head_model.gain).reshape(len(sample().channels), -1, 3)
    unseen = np.random.default_rng(0).random(gain.shape[1]) < 0.2
    gain[:, unseen] = 0.0
    model = dataclasses.replace(sample().head_model, gain=gain.reshape(len(gain), -1))
    found = cross_validate(
        changed(head_model=model),
        options=InverseOptions(measure=measure, source_orient=orient),
        mne_settings={"depth": None},
        data_types="MEG",
        orders="path",
    )
    nothing = found.mne == 0 if measure == "amplitude" else np.isnan(found.mne)
    np.testing.assert_array_equal(nothing.all(axis=(1, 2)), unseen)
    assert found.passed
    total = found.before["relative_difference"].value
    assert total == pytest.approx(found.attribution.total, abs=EQUAL)


def test_where_mne_cannot_weight_depth_the_reason_is_given():
    """Its limit is the first weight above a bound: infinite where only unseen sources are."""
    gain = np.array(sample().head_model.gain)
    gain[:, 30:39] = 0.0
    study = changed(head_model=dataclasses.replace(sample().head_model, gain=gain))
    with pytest.raises(
        ConversionError, match=r"3 location\(s\), first 11 \(1-based\), have no gain"
    ):
        cross_validate(study, data_types="EEG")
    result = cross_validate(study, data_types="EEG", mne_settings={"depth": None}, shapley_limit=0)
    assert result.passed


def test_without_a_cortex_the_sources_are_discrete():
    for orient in ("fixed", "loose"):
        options = InverseOptions(source_orient=orient)
        result = cross_validate(changed(cortex=None), options=options, shapley_limit=0)
        assert result.passed
        assert result.equivalent.forward["src"][0]["type"] == "discrete"


@pytest.mark.parametrize("kind", ["SEEG", "ECOG"])
def test_intracranial_electrodes(kind):
    channels = sample().channels
    retyped = tuple(
        dataclasses.replace(c, type=kind if c.type == "EEG" else c.type) for c in channels.channels
    )
    study = changed(channels=dataclasses.replace(channels, channels=retyped))
    result = cross_validate(study, data_types=kind, shapley_limit=0)
    assert result.passed
    assert result.twin_difference <= EQUAL


@pytest.mark.parametrize("data_types", ["MEG", "EEG"])
def test_a_diagonal_covariance(data_types):
    cov = np.diag(np.diag(sample().noise_cov.noise_cov))
    study = changed(noise_cov=dataclasses.replace(sample().noise_cov, noise_cov=cov))
    bare = dataclasses.replace(study, channels=dataclasses.replace(study.channels, projectors=()))
    for each in (study, bare):  # projected or referenced it is diagonal no more
        result = cross_validate(each, data_types=data_types, shapley_limit=0)
        diagonal = each is bare and data_types == "MEG"
        assert result.result.noise_method == ("diag" if diagonal else "reg")
        assert result.passed


def test_an_absurd_prior_is_judged_by_what_rounding_allows():
    options = InverseOptions(snr_method="rms", snr_rms=1e-3)  # A·m
    result = cross_validate(sample(), options=options, shapley_limit=0)
    assert result.rounding > EQUAL
    assert result.twin_difference <= result.rounding
    assert "within rounding (" in result.verdict


def test_more_projectors_than_channels():
    flags = -np.ones(len(sample().channels), dtype=int)
    usable = [
        i
        for i, kind in enumerate(sample().channels.types)
        if kind == "MEG MAG" and sample().recordings.channel_flag[i] > 0
    ]
    flags[usable[5:7]] = 1
    study = changed(recordings=dataclasses.replace(sample().recordings, channel_flag=flags))
    with pytest.raises(ConversionError, match="leave nothing of the 2 channel"):
        cross_validate(study, options=InverseOptions(source_orient="free"), data_types="MEG MAG")


def test_unknown_settings_are_refused():
    with pytest.raises(OptionError, match=r"Unknown MNE settings \['snr'\]. Must be of method"):
        cross_validate(sample(), mne_settings={"snr": 3.0})
    with pytest.raises(OptionError, match=r"must be MneSettings or a mapping .* found float"):
        cross_validate(sample(), mne_settings=3.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"InverseMesure": "dspm2018"}, r"Unknown option 'InverseMesure'\. Did you mean"),
        ({"measure": "dspm2018"}, r"here 'InverseMeasure'\. Or give InverseOptions\(measure=…\)"),
        ("MNE", "The options must be a mapping, found str"),
    ],
)
def test_options_that_would_mean_nothing_are_refused(options, message):
    with pytest.raises(OptionError, match=message):
        cross_validate(sample(), options=options)


def with_bound(result, **changes):
    """The result as if rounding allowed 4e-8."""
    bound = RoundingBound(whitener={"MEG MAG": 3e-8}, subspace={"MEG MAG": 1e-8}, system=0.0)
    bound = dataclasses.replace(bound, undecided=changes.pop("undecided", ()))
    return dataclasses.replace(result, bounds=(bound, result.bounds[1]), **changes)


def test_verdict_states_number_and_bound():
    result = validation()
    assert result.bound == result.rtol == 1e-9
    assert " apart with the operator that mne-bstinv builds, bound 1e-9; " in result.verdict
    rounded = with_bound(result, twin_difference=1.1e-9)
    assert (rounded.equal, rounded.bound, rounded.passed) == (True, pytest.approx(4e-8), True)
    said = "Told the same: equal within rounding (1.1e-9 apart with the operator that "
    assert said in rounded.verdict
    assert " builds, bound 4e-8; " in rounded.verdict
    text = " ".join(str(rounded).split())
    assert (
        "rounding moves Brainstorm's kernel by up to 4e-8: whitener of MEG MAG 3e-8, subspace of "
        "MEG MAG 1e-8 "
    ) in text
    differs = with_bound(result, twin_difference=5e-8)
    assert (differs.equal, differs.passed) == (False, False)
    said = "Told the same: NOT equal (5.0e-8 apart with the operator that "
    assert said in differs.verdict
    undecided = with_bound(result, twin_difference=0.1, undecided=("MEG MAG (20 or 21)",))
    assert "; rounding decides the rank of MEG MAG (20 or 21))" in undecided.verdict
    assert not undecided.passed
    values = rounded.to_dict()
    assert values["bound_told_the_same"] == pytest.approx(4e-8)
    assert values["rounding"]["brainstorm"]["steps"]["whitener of MEG MAG"] == 3e-8


def test_verdict_says_what_make_inverse_operator_gives():
    fixed = validation("amplitude", "fixed")
    assert re.search(
        r"; \de-\d with MNE's make_inverse_operator, which rounds gains of fixed orientation to "
        r"single precision\)\. As set here: \d",
        fixed.verdict,
    )
    assert 1e-8 < fixed.public_difference < 1e-5
    near = dataclasses.replace(fixed, public_difference=3e-14)
    assert "; 3e-14 with MNE's make_inverse_operator). As set" in near.verdict
    free = dataclasses.replace(validation("amplitude", "free"), public_difference=2e-5)
    assert (
        "2e-5 with MNE's make_inverse_operator, which decomposes the noise of all" in free.verdict
    )
    none = dataclasses.replace(fixed, public_difference=None)
    assert "; MNE's make_inverse_operator cannot be told the same). As set" in none.verdict


def test_what_is_left_has_a_bound():
    result = validation()
    path = dataclasses.replace(result.attribution, remainder_start=0.0, remainder_end=2.5e-8)
    left = dataclasses.replace(result, attribution=path)
    assert left.verdict.endswith(" UNEXPLAINED: 2.5e-8 (bound 1e-9).")
    assert not left.passed
    bounds = (result.bounds[0], dataclasses.replace(result.bounds[1], system=1.0))
    decided = dataclasses.replace(left, bounds=bounds)
    assert "(rounding decides a kernel that divides by noise below the rounding)" in decided.verdict


@pytest.mark.parametrize("rtol", [-1.0, 0.6, "small", None])
def test_tolerances_out_of_range_are_refused(rtol):
    with pytest.raises(OptionError, match=r"rtol must be a number from 0 to 0\.5, found"):
        cross_validate(sample(), rtol=rtol)


@pytest.mark.parametrize("limit", ["3", -1, True, 2.5])
def test_limits_out_of_range_are_refused(limit):
    with pytest.raises(OptionError, match="shapley_limit must be None or how many, found"):
        cross_validate(sample(), shapley_limit=limit)


def test_data_types_that_are_no_texts_are_refused():
    with pytest.raises(OptionError, match="Unknown data type '5'"):
        cross_validate(sample(), data_types=5)


def test_numbers_of_numpy_are_numbers():
    """Orders, too: a number of them is not all of them."""
    asked = {"orders": np.int64(2), "rtol": np.float32(1e-6)}
    settings = {"loose": np.float64(0), "lambda2": np.float64(0.25)}
    found = cross_validate(sample(), data_types="MEG MAG", mne_settings=settings, **asked)
    assert found.attribution.orders == "2 orders"
    assert found.passed


@pytest.mark.parametrize("orders", ["some", 0, -1, True, 2.5, [1]])
def test_orders_out_of_range_are_refused(orders):
    with pytest.raises(OptionError, match="orders must be 'all', 'path', or how many, found"):
        cross_validate(sample(), orders=orders)


def test_recordings_are_named():
    result = validation()
    (note,) = result.notes
    assert note == f"The recordings are {sample().recordings.comment!r} ({AVERAGE})."


@pytest.mark.parametrize(
    "options", [InverseOptions(), {"InverseMeasure": "amplitude"}, "MNE", None]
)
def test_options_of_one_kernel_are_no_list(options):
    found = rf"a list with the options of each kernel, found {type(options).__name__}\."
    with pytest.raises(OptionError, match=found):
        cross_validate_each(sample(), options)


@pytest.mark.parametrize("study", ["PROTOCOL", None, {}])
def test_what_is_no_study_is_refused(study):
    with pytest.raises(ConversionError, match="The study has no head_model: give what load_study"):
        cross_validate(study)


def test_settings_that_mne_refuses_are_said_to_be():
    with pytest.raises(ConversionError, match=r"MNE refuses these settings: rank\['meg'\]=70"):
        cross_validate(sample(), mne_settings={"rank": {"meg": 70}}, data_types="MEG")


def test_a_channel_without_gain_is_named():
    gain = np.array(sample().head_model.gain)
    gain[sample().channels.names.index("MEG 0021")] = 0.0
    study = changed(head_model=dataclasses.replace(sample().head_model, gain=gain))
    with pytest.raises(ConversionError, match=r"gain of channel.* in use is zero: MEG 0021"):
        cross_validate(study, data_types="MEG")


def test_peaks_of_kernels_as_set_are_their_own_whatever_rounding_allows():
    """A rank that is too large divides by rounding: it is no reason to take peaks for others."""
    study, options = sample(), InverseOptions(measure="dspm2018")
    n = int(sum(np.array(study.channels.types)[study.recordings.channel_flag > 0] == "EEG"))
    found = cross_validate(
        study, options=options, mne_settings={"rank": {"eeg": n}}, data_types="EEG", orders="path"
    )
    assert found.bounds[1].total > 0.5
    positions, gain = study.head_model.grid_loc, found.equivalent.forward["sol"]["data"]
    columns = gain.reshape(len(gain), -1, 3)[:, np.argsort(found.equivalent.order)]
    turned = np.einsum("ab,cmb->cma", found.equivalent.rotation.T, columns)
    fields = np.einsum("cma,ma->cm", turned, study.head_model.grid_orient)
    spread = np.abs(found.mne[:, 0] @ fields)
    errors = 1e3 * np.linalg.norm(positions[spread.argmax(axis=0)] - positions, axis=1)
    assert found.before["localisation_error_a"].value == pytest.approx(np.median(errors))
    assert found.before["relative_difference"].passed is False
    # told the same, MNE's rank has no part in it
    assert found.after.rtol == max(EQUAL, found.bounds[0].total) < 1e-6
    assert found.after.passed


def test_free_orientations_need_no_normals():
    """A vertex of triangles without area has none."""
    normals = sample().head_model.grid_orient.copy()
    normals[3], normals[7] = 0.0, np.nan
    model = dataclasses.replace(sample().head_model, grid_orient=normals)
    options = InverseOptions(measure="dspm2018", source_orient="free")
    asked = {"options": options, "data_types": "EEG", "orders": "path"}
    found = cross_validate(changed(head_model=model), **asked)
    assert found.passed
    assert found.attribution.total == cross_validate(sample(), **asked).attribution.total
    with pytest.raises(
        InverseError, match=r"zero or not finite at 1 of 296 locations \(1-based: 8\)"
    ):
        cross_validate(changed(head_model=model), data_types="EEG")


def test_a_channel_without_variance_is_named():
    """Brainstorm's inverse of 2016 computes with it all the same."""
    options = InverseOptions2016(measure="amplitude")
    with pytest.raises(ConversionError, match=r"noise covariance of channel.* is zero: F5 \(bad"):
        cross_validate(changed(recordings=None), options=options, data_types="EEG")


def test_without_recordings_the_channels_can_be_given():
    study = changed(recordings=None)
    with pytest.raises(InverseError, match=r"F5.* leave them out of good_channels"):
        cross_validate(study, data_types="EEG")
    good = sample().results["MN: EEG(Unconstr) 2018"].good_channel - 1
    result = cross_validate(study, good_channels=good, shapley_limit=0)
    assert result.data_types == ("EEG",)
    assert result.estimates is None
    assert result.passed
