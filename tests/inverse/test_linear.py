"""What the linear inverse returns of one or several head models."""

from __future__ import annotations

import numpy as np
import pytest
from inverse_problems import (
    Stats,
    make_problem,
    readonly,
    solve,
)
from inverse_tolerances import whitener_tolerance

from mne_bstinv.inverse import InverseOptions
from mne_bstinv.inverse.gain import Gain
from mne_bstinv.inverse.linear import linear_inverse
from mne_bstinv.inverse.source_model import Region
from mne_bstinv.inverse.whitening import CovarianceStatistics

N = 5
TYPES = ["EEG"] * N


@pytest.fixture
def problem():
    return make_problem(1, "fixed", types=TYPES, n_sources=4)


@pytest.mark.parametrize(
    "orients", [("fixed", "free"), ("free", "loose", "fixed"), ("free", "free")]
)
def test_several_head_models(orients):
    result = solve(make_problem(3, orients, n_sources=3))
    assert result.n_components == 0
    assert [r.orient for r in result.regions] == list(orients)
    first, located = 0, 0
    for region in result.regions:
        p = 1 if region.orient == "fixed" else 3
        assert region.n_components == p
        assert region.rows == slice(first, first + 3 * p)
        assert region.locations.tolist() == [located, located + 1, located + 2]
        first, located = region.rows.stop, located + 3
    assert first == len(result.kernel)


def test_intermediates(problem):
    result = solve(problem)
    assert result.channel_types == tuple(TYPES)
    assert result.channel_indices is None
    assert result.channel_names is None
    assert result.ranks == {"EEG": N}
    assert result.noise_method == "reg"
    np.testing.assert_array_equal(result.noise_cov, problem.noise.cov)
    singular = np.linalg.svd(problem.noise.cov, compute_uv=False)
    np.testing.assert_allclose(
        result.noise_std["EEG"], np.sqrt(singular), rtol=whitener_tolerance(N, 5)
    )
    assert result.source_decomp_sa is None
    assert result.source_decomp_va is None
    assert result.data_cov is None
    assert result.data_whitener is None
    assert result.warnings == ()


def test_warnings_of_both_covariances_are_kept(problem):
    huge = readonly(np.full((N, N), 1.0))
    noisy = type(problem)(
        types=problem.types,
        models=problem.models,
        noise=Stats(cov=problem.noise.cov, fourth=huge, n_samples=9.0),
        data=Stats(cov=problem.data.cov, fourth=huge, n_samples=9.0),
    )
    assert len(solve(noisy, noise_method="shrink").warnings) == 1
    assert len(solve(noisy, noise_method="shrink", method="lcmv").warnings) == 2


@pytest.mark.parametrize("method", ["minnorm", "gls", "lcmv"])
def test_regions_are_taken_as_they_are_given(method):
    # locations in any order, of a head model that has more of them
    problem = make_problem(5, ("free", "fixed"), n_sources=2)
    regions = [
        Region(
            gain=Gain(m.gain), grid_orient=m.normals, orient=m.orient, locations=where, name=name
        )
        for m, where, name in zip(
            problem.models, (np.array([7, 2]), np.array([4, 0])), ("first", "second"), strict=True
        )
    ]
    noise, data = (
        CovarianceStatistics(cov=x.cov, fourth_moment=x.fourth, n_samples=x.n_samples)
        for x in (problem.noise, problem.data)
    )
    names = [f"C{i}" for i in range(len(problem.types))]
    result = linear_inverse(
        regions,
        noise,
        problem.types,
        InverseOptions(method=method, source_orient=("free", "fixed")),
        n_sources=9,
        data=data,
        channel_names=names,
    )
    np.testing.assert_array_equal(result.kernel, solve(problem, method=method).kernel)
    assert [(r.name, r.locations.tolist()) for r in result.regions] == [
        ("first", [7, 2]),
        ("second", [4, 0]),
    ]
    assert result.grid2source.shape == (8, 9)
    assert result.row_location.tolist() == [7, 7, 7, 2, 2, 2, 4, 0]
    assert result.channel_names == tuple(names)


def test_one_region_of_a_mixed_model():
    problem = make_problem(6, "free", types=TYPES, n_sources=2)
    (model,) = problem.models
    region = Region(
        gain=Gain(model.gain), grid_orient=None, orient="free", locations=np.arange(2), name="only"
    )
    noise = CovarianceStatistics(cov=problem.noise.cov)
    options = InverseOptions(source_orient="free")
    plain = linear_inverse([region], noise, TYPES, options, n_sources=2)
    mixed = linear_inverse([region], noise, TYPES, options, n_sources=2, mixed=True)
    assert (plain.n_components, mixed.n_components) == (3, 0)
    np.testing.assert_array_equal(plain.kernel, mixed.kernel)
