"""Coils from their integration points and back."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import mne
import numpy as np
import pytest
from info_helpers import coil, ctf, definition, eeg, placement

from mne_bstinv.adapters.sensors.coils import (
    EXACT,
    CoilDefinition,
    coil_axes,
    coil_definitions,
    find_definitions,
    fit_coil,
)
from mne_bstinv.adapters.sensors.from_mne import from_info
from mne_bstinv.adapters.sensors.to_mne import to_info
from mne_bstinv.conversion import conversion_report
from mne_bstinv.io import Channels, read_channels

#: Points are sums of a position and three products: some units in the last place of 0.2 m.
ROUNDING = 1e-15
DETERMINED = [d for d in coil_definitions() if d.accuracy == 1 and d.determines_axes]


def test_all_definitions_are_read() -> None:
    definitions = coil_definitions()
    assert {d.accuracy for d in definitions} == {0, 1, 2}
    assert definition(3012).points.shape == (4, 3)
    np.testing.assert_allclose(np.linalg.norm(definition(8101).normals, axis=1), 1)
    names = {d.coil_type: d.description for d in definitions}
    assert names[5001] == "CTF axial gradiometer size = 18.00  mm base = 50.00  mm"
    # a planar gradiometer gives 1 for a field that rises by 1 T/m (weights have six digits)
    assert definition(3012).weights.sum() == 0
    slope = definition(3012).weights @ definition(3012).points[:, 0]
    assert slope == pytest.approx(1, rel=1e-5)


@pytest.mark.parametrize(
    "comment",
    [
        "Vectorview planar gradiometer T1 size = 26.39  mm base = 16.80  mm",
        '"Vectorview planar gradiometer T1 size = 26.39  mm base = 16.80  mm',
        "vectorview  Planar gradiometer T1 size = 26.39 mm base = 16.80 mm",
        "Vectorview planar gradiometer T1",
    ],
)
def test_comment_names_the_coil(comment: str) -> None:
    found = find_definitions(comment)
    assert {d.coil_type for d in found} == {3012}
    assert found[0].accuracy == 1


@pytest.mark.parametrize("comment", ["", '"', "Ref Grad", "Vectorview planar"])
def test_comment_names_no_coil(comment: str) -> None:
    assert find_definitions(comment) == ()


@pytest.mark.parametrize("pattern", DETERMINED, ids=lambda d: str(d.coil_type))
@pytest.mark.parametrize("skew", [0.0, 1e-3])
def test_linear_fit_gives_the_axes_back(pattern: CoilDefinition, skew: float) -> None:
    loc = placement(pattern.coil_type, skew=skew)
    fit = fit_coil(pattern, *pattern.placed(loc), pattern.weights)
    assert fit is not None
    assert fit.residual < ROUNDING
    assert fit.exact_sum
    assert not fit.flipped
    # an axis is a difference of points over the size of the coil, millimetres
    size = np.ptp(pattern.points, axis=0).max()
    np.testing.assert_allclose(fit.loc, loc, rtol=0, atol=10 * ROUNDING / size)


@pytest.mark.parametrize("coil_type", [3012, 3024, 4002, 5001, 5004, 6001, 8201])
@pytest.mark.parametrize("seed", range(4))
def test_any_order_of_the_points_is_matched(coil_type: int, seed: int) -> None:
    pattern, loc = definition(coil_type), placement(seed)
    points, normals = pattern.placed(loc)
    order = np.random.default_rng(seed).permutation(len(points))
    fit = fit_coil(pattern, points[order], normals[order], pattern.weights[order])
    assert fit is not None
    assert fit.residual < ROUNDING
    assert np.linalg.det(coil_axes(fit.loc)) == pytest.approx(1, abs=1e-10)
    np.testing.assert_allclose(fit.loc[9:], loc[9:], rtol=0, atol=1e-12)
    placed, directions = pattern.placed(fit.loc)
    signed = pattern.weights[:, None] * directions
    # the same set of points with the same weights
    for point, moment in zip(points, pattern.weights[:, None] * normals, strict=True):
        nearest = np.argmin(np.linalg.norm(placed - point, axis=1))
        np.testing.assert_allclose(placed[nearest], point, rtol=0, atol=ROUNDING)
        np.testing.assert_allclose(signed[nearest], moment, rtol=1e-9, atol=1e-9)


def test_opposite_direction_and_weight_are_the_same_point() -> None:
    pattern, loc = definition(5001), placement(1)
    points, normals = pattern.placed(loc)
    sign = np.sign(pattern.weights)
    fit = fit_coil(pattern, points, normals * sign[:, None], pattern.weights * sign)
    assert fit is not None
    assert fit.exact_sum
    np.testing.assert_allclose(fit.loc, loc, rtol=0, atol=1e-12)


def test_other_number_of_points_fits_not() -> None:
    pattern = definition(3012)
    points, normals = definition(5001).placed(placement(1))
    assert fit_coil(pattern, points, normals, definition(5001).weights) is None


def test_left_handed_axes_are_kept_where_no_order_avoids_them() -> None:
    skewed = np.array(definition(3012).points)
    skewed[0] += [1e-3, 2e-3, 0]
    pattern = dataclasses.replace(definition(3012), points=skewed)
    loc = placement(5)
    loc[3:6] *= -1
    fit = fit_coil(pattern, *pattern.placed(loc), pattern.weights)
    assert fit is not None
    np.testing.assert_allclose(fit.loc, loc, rtol=0, atol=1e-12)


def test_axes_of_zero_are_kept() -> None:
    pattern, loc = definition(5003), placement(5)
    loc[3:9] = 0
    fit = fit_coil(pattern, *pattern.placed(loc), pattern.weights)
    assert fit is not None
    assert not fit.flipped
    np.testing.assert_allclose(fit.loc, loc, rtol=0, atol=1e-12)


@pytest.mark.parametrize("accuracy", [0, 1, 2])
def test_patterns_of_other_accuracy(accuracy: int) -> None:
    pattern, loc = definition(3012, accuracy), placement(2)
    channels = Channels(channels=(coil("G", "MEG GRAD", pattern, loc),))
    info = to_info(channels, sfreq=100.0)
    expected = np.concatenate([[-loc[1], loc[0], loc[2]], info["chs"][0]["loc"][3:]])
    np.testing.assert_allclose(info["chs"][0]["loc"], expected, rtol=0, atol=ROUNDING)
    assert info["chs"][0]["coil_type"] == 3012
    back = from_info(info)
    np.testing.assert_allclose(back.channels[0].loc, pattern.placed(loc)[0].T, atol=ROUNDING)


def test_ctf_references() -> None:
    channels = ctf()
    info = to_info(channels, sfreq=100.0)
    report = conversion_report(info)
    types = {ch["ch_name"]: int(ch["coil_type"]) & 0xFFFF for ch in info["chs"]}
    assert (types["B1"], types["R2"], types["O4"]) == (5002, 5003, 5004)
    assert types["M0"] == 5001
    assert info.get_channel_types() == ["ref_meg"] * 4 + ["mag"] * 4 + ["stim"]
    assert report.kept["opposite"] == ("R2",)
    weights = [f for f in report.of("dropped") if f.field == "Channel.Weight"]
    assert len(weights) == 1
    assert weights[0].reason.endswith(": B3")
    # the axis of the flipped one lies along its baseline
    loc = channels.channels[1].loc
    baseline = (loc[:, 1] - loc[:, 0]) / np.linalg.norm(loc[:, 1] - loc[:, 0])
    head = np.array([-baseline[1], baseline[0], baseline[2]])
    np.testing.assert_allclose(info["chs"][1]["loc"][9:], head, atol=1e-12)


def test_without_comment_the_coil_is_guessed_and_told() -> None:
    channels = Channels(
        channels=(coil("G", "MEG GRAD", definition(3012), placement(1), comment=""),)
    )
    info = to_info(channels, sfreq=100.0)
    assert info["chs"][0]["coil_type"] == 3012
    assert any(f.field == "Channel.Comment" for f in conversion_report(info).of("assumed"))


@pytest.mark.parametrize("coil_type", [3022, 3023, 3024])
def test_without_comment_a_coil_of_another_size_is_not_stretched(coil_type: int) -> None:
    """MNE's 3D views refuse axes that are no rotation."""
    pattern = definition(coil_type)
    channels = Channels(channels=(coil("M", "MEG MAG", pattern, placement(2), comment=""),))
    (made,) = to_info(channels, sfreq=100.0)["chs"]
    axes = coil_axes(made["loc"])
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), rtol=0, atol=1e-9)
    # of patterns with the same points the first is taken
    assert definition(made["coil_type"]).points == pytest.approx(pattern.points, abs=EXACT)


def test_unknown_points_become_a_point_magnetometer_and_are_told() -> None:
    rng = np.random.default_rng(0)
    orient = np.tile([[0.0], [0], [1]], 5)
    channel = coil(
        "X", "MEG", definition(5001), placement(1),
        comment="my coil", loc=rng.standard_normal((3, 5)), orient=orient, weight=np.ones(5),
    )  # fmt: skip
    channels = Channels(channels=(channel,))
    info = to_info(channels, sfreq=100.0)
    assert info["chs"][0]["coil_type"] == 2000
    assert any("point magnetometer" in f.reason for f in conversion_report(info).of("dropped"))
    np.testing.assert_allclose(from_info(info).channels[0].loc, channel.loc, rtol=1e-12)


def test_weights_that_mne_cannot_express_are_told() -> None:
    pattern = definition(3012)
    half = coil("G", "MEG GRAD", pattern, placement(1), weight=pattern.weights / 2)
    info = to_info(Channels(channels=(half,)), sfreq=100.0)
    assert any(f.field == "Channel.Weight" for f in conversion_report(info).of("dropped"))
    np.testing.assert_array_equal(from_info(info).channels[0].weight, half.weight)


@pytest.mark.parametrize("missing", ["loc", "orient", "weight"])
def test_incomplete_points_are_told(missing: str) -> None:
    channel = coil("G", "MEG GRAD", definition(3012), placement(1), **{missing: None})
    info = to_info(Channels(channels=(channel,)), sfreq=100.0)
    assert np.isnan(info["chs"][0]["loc"]).all()
    assert any("without complete points" in f.reason for f in conversion_report(info).of("dropped"))


def test_planar_coils_of_type_meg_are_gradiometers() -> None:
    channels = Channels(channels=(coil("G", "MEG", definition(3012), placement(1)),))
    info = to_info(channels, sfreq=100.0)
    assert info.get_channel_types() == ["grad"]
    assert from_info(info).types == ("MEG",)


def test_residual_is_told() -> None:
    moved = coil("G", "MEG GRAD", definition(3012), placement(1))
    channels = Channels(channels=(dataclasses.replace(moved, loc=moved.loc + 1e-4 * np.eye(3, 4)),))
    report = conversion_report(to_info(channels, sfreq=100.0))
    told = [f.reason for f in report.of("derived") if f.field == "Channel.Loc"]
    assert len(told) == 1
    assert "1 coils fitted to their points" in told[0]
    residual = float(told[0].split("residual ")[1].split(" m")[0])
    assert EXACT < residual < 1e-3


@pytest.mark.parametrize(
    ("name", "references"),
    [("channel_vectorview306_acc1.mat", 0), ("channel_ctf_default.mat", 26)],
)
def test_real_arrays(shared_dir: Path, name: str, references: int) -> None:
    channels = read_channels(shared_dir / "real/brainstorm/channels" / name)
    info = to_info(channels, sfreq=600.0)
    report = conversion_report(info)
    told = [f for f in report if "largest residual" in f.reason]
    residuals = {
        "reference" in f.reason: float(f.reason.split("residual ")[1].split(" m")[0]) for f in told
    }
    assert residuals[False] < 1e-6
    assert len(mne.pick_types(info, meg=False, ref_meg=True)) == references
    if references:
        assert residuals[True] < 1e-4
        inexpressible = next(f for f in report.of("dropped") if f.field == "Channel.Weight")
        assert inexpressible.reason.endswith(": G11, P22, Q22")
    # SysClock has a type in MNE, EEG BAD LOC has none that would do
    assert ("Channel.Type" in {f.field for f in report.of("dropped")}) == (not references)


def test_nothing_is_told_of_eeg() -> None:
    report = conversion_report(to_info(eeg(), sfreq=100.0))
    assert [f.field for f in report] == ["HeadPoints"]
