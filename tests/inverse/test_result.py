"""What the inverse returns."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest
from inverse_problems import (
    MIXED_TYPES,
    FakeAtlas,
    FakeChannels,
    FakeCovariance,
    FakeHeadModel,
    FakeScout,
    make_problem,
    readonly,
    solve,
)

from mne_bstinv.errors import InverseError
from mne_bstinv.inverse import InverseOptions, RegionRows, compute_kernel


@pytest.mark.parametrize(
    ("options", "function", "unit"),
    [
        ({}, "mn", "A·m"),
        ({"measure": "dspm2018"}, "dspm2018", "1 (noise standard deviations of one sample)"),
        ({"measure": "sloreta"}, "sloreta", "A·m (√Λ times the dimensionless sLORETA)"),
        ({"method": "gls"}, "glsp", "1 (noise standard deviations)"),
        ({"method": "lcmv"}, "lcmvp", "1 (standard deviations of the data)"),
    ],
)
def test_function_and_unit(options, function, unit):
    result = solve(make_problem(1, "loose"), **options)
    assert result.function == function
    assert result.estimate_unit == unit
    assert repr(result) == (
        f"<InverseResult | {function}, 18 rows × 14 channels, 6 locations, noise method reg>"
    )


def test_units_of_the_data():
    types = ("MEG GRAD", "MEG MAG", "EEG", "MEG", "SEEG", "ECOG", "eeg")
    result = dataclasses.replace(solve(make_problem(2)), channel_types=(*types, "Misc"))
    assert result.data_units == ("T/m", "T", "V", "T", "V", "V", "V", "data unit")


@pytest.mark.parametrize(("orient", "p"), [("fixed", 1), ("loose", 3), ("free", 3)])
def test_components_of_a_region(orient, p):
    rows = RegionRows(name="", orient=orient, locations=np.arange(2), rows=slice(0, 2 * p))
    assert rows.n_components == p


def _mixed(scouts, n_sources):
    problem = make_problem(3, "fixed", n_sources=n_sources)
    (model,) = problem.models
    return compute_kernel(
        FakeHeadModel(
            gain=model.gain,
            grid_orient=model.normals,
            head_model_type="mixed",
            grid_atlas=FakeAtlas(scouts=scouts),
        ),
        FakeCovariance(noise_cov=problem.noise.cov),
        FakeChannels(types=MIXED_TYPES),
        data_types=["MEG", "EEG"],
    )


def test_rows_and_locations_of_a_mixed_model():
    scouts = [
        FakeScout(region="LSC", grid_rows=[4, 3]),
        FakeScout(region="UVU", grid_rows=[2, 1]),
    ]
    result = _mixed(scouts, 4)
    assert result.row_location.tolist() == [3, 2, 1, 1, 1, 0, 0, 0]
    expected = np.zeros((8, 4), dtype=bool)
    expected[np.arange(8), result.row_location] = True
    np.testing.assert_array_equal(result.grid2source.toarray(), expected)
    assert result.grid2source.dtype == bool


@pytest.mark.parametrize("orient", ["fixed", "free"])
def test_rows_and_locations_of_one_region(orient):
    result = solve(make_problem(4, orient, n_sources=3))
    p = result.n_components
    assert result.row_location.tolist() == np.repeat([0, 1, 2], p).tolist()
    np.testing.assert_array_equal(
        result.grid2source.toarray(), np.kron(np.eye(3, dtype=bool), np.ones((p, 1), dtype=bool))
    )


def test_grid2source_has_a_column_for_every_location_of_the_grid():
    # Grid2Source is rows × grid locations, also where the last locations are in no region
    scouts = [FakeScout(region="LSC", grid_rows=[1, 2]), FakeScout(region="UXU", grid_rows=[3, 4])]
    assert _mixed(scouts, 4).grid2source.shape == (2, 4)


def test_apply_on_the_channels_of_the_kernel():
    result = solve(make_problem(5))
    data = readonly(np.random.default_rng(5).normal(size=(14, 7)))
    np.testing.assert_array_equal(result.apply(data), result.kernel @ data)


def _study(types, **options):
    n = len(types)
    rng = np.random.default_rng(6)
    factor = rng.normal(size=(n, n)) + 3 * np.eye(n)
    return compute_kernel(
        FakeHeadModel(gain=readonly(rng.normal(size=(n, 9)))),
        FakeCovariance(noise_cov=readonly(factor @ factor.T)),
        FakeChannels(types=types),
        options=InverseOptions(source_orient="free"),
        **options,
    )


def test_apply_on_all_channels_of_the_file():
    result = _study(["Misc", "MEG", "EEG", "MEG", "Stim"], data_types="MEG")
    assert result.channel_indices.tolist() == [1, 3]
    data = readonly(np.random.default_rng(7).normal(size=(5, 4)))
    # no projector and no reference is applied to recordings
    np.testing.assert_array_equal(result.apply(data), result.kernel @ data[[1, 3]])


def test_apply_on_the_selected_channels_of_a_study():
    result = _study(["Misc", "MEG", "EEG", "MEG", "Stim"], data_types="MEG")
    data = readonly(np.random.default_rng(8).normal(size=(2, 4)))
    np.testing.assert_array_equal(result.apply(data), result.kernel @ data)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (np.zeros((3, 2)), "shape (3, 2)"),
        (np.zeros((5, 2)), "shape (5, 2)"),
        (np.zeros(4), "shape (4,)"),
        (np.full((4, 2), "a"), "shape (4, 2)"),
        (object(), "object"),
    ],
)
def test_apply_on_other_data(data, found):
    result = _study(["Misc", "MEG", "EEG", "MEG"], data_types="MEG")
    message = (
        "The data must be an array of numbers with 4 rows (all channels of the file) or 2 rows "
        f"(the kernel's channels), found {found}."
    )
    with pytest.raises(InverseError, match=f"^{re.escape(message)}$"):
        result.apply(data)


@pytest.mark.parametrize("n", [13, 15])
def test_apply_on_other_data_of_plain_arrays(n):
    with pytest.raises(InverseError, match=rf"14 rows \(the kernel's.*found shape \({n}, 2\)"):
        solve(make_problem(8)).apply(np.zeros((n, 2)))


def test_results_cannot_be_changed():
    result = solve(make_problem(9))
    with pytest.raises(dataclasses.FrozenInstanceError, match="kernel"):
        result.kernel = None
