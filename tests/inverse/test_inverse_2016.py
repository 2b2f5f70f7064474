"""The linear inverse of 2016: the textbook of 2018 with another ridge, and its refusals."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from inverse_problems import (
    MIXED_TYPES,
    assert_same_kernel,
    cov_struct,
    make_problem,
    solve,
    solve_naively,
)

from mne_bstinv.errors import OptionError, UnsupportedInverseError
from mne_bstinv.inverse import InverseOptions2016, bst_inverse_linear_2016

ORIENTS = ("fixed", "loose", "free")
MEASURES = (
    {"measure": "amplitude"},
    {"measure": "dspm"},
    {"measure": "sloreta"},
    {"method": "gls"},
    {"method": "lcmv"},
)
NOISE_METHODS = ("none", "reg", "median", "diag", "shrink")

each_orient = pytest.mark.parametrize("orient", ORIENTS)
each_measure = pytest.mark.parametrize("options", MEASURES, ids=lambda o: "-".join(o.values()))


def reference(problem, **options):
    if options.get("measure") == "dspm":  # the same by another name
        options["measure"] = "dspm2018"
    return solve_naively(problem, year=2016, **options)


def check(problem, **options):
    result = solve(problem, year=2016, **options)
    assert_same_kernel(result.kernel, reference(problem, **options))
    return result


@each_orient
@each_measure
@pytest.mark.parametrize("noise_method", NOISE_METHODS)
def test_textbook(options, orient, noise_method):
    types = ("EEG",) * 12 if noise_method == "shrink" else MIXED_TYPES
    result = check(make_problem(1, orient, types=types), noise_method=noise_method, **options)
    assert result.noise_method == noise_method
    assert result.options.year == 2016


@each_measure
@pytest.mark.parametrize("noise_reg", [0, 0.01, 0.35, 1])
def test_ridges(options, noise_reg):
    check(make_problem(2, "free", types=("EEG",) * 12), noise_reg=noise_reg, **options)


@pytest.mark.parametrize("nulls", [1, 2])
def test_ridge_is_over_the_kept_rank_only(nulls):
    problem = make_problem(3, "fixed", types=("EEG",) * 10, nulls=nulls)
    result = check(problem)
    assert result.ranks == {"EEG": 10 - nulls}
    assert np.linalg.matrix_rank(result.whitener) == 10 - nulls


@pytest.mark.parametrize(
    "options",
    [
        {"snr_fixed": 1},
        {"snr_method": "rms", "snr_rms": 3e-8},
        {"use_depth": False},
        {"weight_exp": 0.8, "weight_limit": 3},
        {"loose": 0.6},
    ],
    ids=str,
)
@each_orient
def test_options(orient, options):
    check(make_problem(4, orient), **options)


@each_orient
@pytest.mark.parametrize("noise_method", ["none", "median", "diag"])
@pytest.mark.parametrize(
    ("old", "new"), [("amplitude", "amplitude"), ("dspm", "dspm2018"), ("sloreta", "sloreta")]
)
def test_all_but_the_ridge_is_that_of_2018(old, new, noise_method, orient):
    problem = make_problem(5, orient)
    one = solve(problem, year=2016, measure=old, noise_method=noise_method)
    other = solve(problem, measure=new, noise_method=noise_method)
    np.testing.assert_array_equal(one.kernel, other.kernel)
    assert one.lambda_ == other.lambda_


def test_the_ridge_is_larger_than_that_of_2018():
    problem = make_problem(6, "fixed", types=("EEG",) * 10)
    one, other = (np.linalg.eigvalsh(solve(problem, year=y).whitener) for y in (2016, 2018))
    assert (one < other).all()


@each_orient
def test_lambda2(orient):
    result = solve(make_problem(7, orient, types=("EEG",) * 10, nulls=1), year=2016, snr_fixed=2)
    np.testing.assert_allclose(result.lambda2, (9 / 10) / 4, rtol=1e-14)


def test_functions():
    names = {m: InverseOptions2016(measure=m).function for m in ("amplitude", "dspm", "sloreta")}
    assert names == {"amplitude": "mn", "dspm": "dspm", "sloreta": "sloreta"}
    assert InverseOptions2016(method="gls").function == "glsp"
    assert InverseOptions2016(method="lcmv").function == "lcmvp"


# refusals


@pytest.mark.parametrize("method", ["minnorm", "gls", "lcmv"])
def test_several_head_models(method):
    problem = make_problem(8, ("fixed", "free"))
    with pytest.raises(UnsupportedInverseError, match="inverse of 2016 takes one head model"):
        solve(problem, year=2016, method=method)


def test_shrinkage_of_several_types():
    message = r"'shrink' of 2016 takes one sensor type, found MEG GRAD, MEG MAG, EEG"
    with pytest.raises(UnsupportedInverseError, match=message):
        solve(make_problem(9), year=2016, noise_method="shrink")
    solve(make_problem(9), noise_method="shrink")  # 2018 does


def test_shrinkage_of_a_diagonal_covariance_of_several_types_is_diag():
    problem = make_problem(10, "fixed")
    noise = dataclasses.replace(problem.noise, cov=np.diag(np.diag(problem.noise.cov)))
    result = solve(dataclasses.replace(problem, noise=noise), year=2016, noise_method="shrink")
    assert result.noise_method == "diag"


def test_measures_of_another_year():
    problem = make_problem(11)
    for measure, year in (("dspm2018", 2016), ("dspm", 2018)):
        with pytest.raises(OptionError, match=f"Unknown InverseMeasure '{measure}'"):
            solve(problem, year=year, measure=measure)
    with pytest.raises(OptionError, match="Unknown InverseMeasure 'nai' for InverseMethod 'lcmv'"):
        solve(problem, year=2016, method="lcmv", measure="nai")


def test_orientation_that_only_2009_has():
    problem = make_problem(12)
    with pytest.raises(OptionError, match="Unknown SourceOrient 'truncated'"):
        bst_inverse_linear_2016(
            {"Gain": problem.models[0].gain},
            {
                "NoiseCovMat": cov_struct(problem.noise),
                "ChannelTypes": list(problem.types),
                "SourceOrient": "truncated",
            },
        )
