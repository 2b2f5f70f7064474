"""The inverse of 2009 against the textbook, and by what must hold for any input."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from inverse_problems import (
    MIXED_TYPES,
    UNITS,
    Model,
    covariance_of,
    make_model,
    orthogonal,
    readonly,
    solve,
)
from inverse_problems import make_problem as any_problem
from naive_2009 import assert_same_2009, naive_2009

from mne_bstinv.errors import InverseError, UnsupportedInverseError
from mne_bstinv.inverse import InverseOptions2009, bst_wmne

METHODS = ("wmne", "dspm", "sloreta", "gls", "gls_p", "glsr", "glsr_p", "mnej", "mnej_p")
MINIMUM_NORMS = ("wmne", "dspm", "sloreta", "mnej")
ORIENTS = ("fixed", "loose", "free")
#: Types in an order of their own; those of one modality, so that tangents are well conditioned.
ELECTRODES = ("EEG",) * 11
MAGNETIC = ("MEG MAG", "MEG GRAD", "MEG GRAD") * 4
EVERYTHING = ("SEEG", "EEG", "MEG MAG", "ECOG", "MEG GRAD") * 4

each_method = pytest.mark.parametrize("method", METHODS)
each_orient = pytest.mark.parametrize("orient", ORIENTS)


def make_noise(seed, types, nulls=0):
    """Make a covariance of known spectrum in each group, and terms between groups (to be dropped).

    Gradiometers and magnetometers vary together; variances of a group fall to a fifth.
    """
    rng = np.random.default_rng(1000 + seed)
    scale = np.array([UNITS[t] for t in types])
    groups = np.array([t.split()[0] for t in types])
    cov = rng.normal(size=(len(types), len(types)))
    cov = cov + cov.T
    for group in set(groups):
        index = np.flatnonzero(groups == group)
        k = len(index)
        variances = np.zeros(k)
        variances[: k - nulls] = np.geomspace(1, 1 / 5, k - nulls)
        cov[np.ix_(index, index)] = covariance_of(orthogonal(rng, k), variances)
    return readonly(cov * np.outer(scale, scale))


def make_problem(seed, orient, *, types=ELECTRODES, nulls=0, **kwargs):
    problem = any_problem(seed, orient, types=types, **kwargs)
    noise = dataclasses.replace(problem.noise, cov=make_noise(seed, types, nulls))
    return dataclasses.replace(problem, noise=noise)


def solve_2009(problem, **options):
    models = [{"Gain": m.gain, "GridOrient": m.normals} for m in problem.models]
    given = {
        "NoiseCov": problem.noise.cov,
        "ChannelTypes": list(problem.types),
        "SourceOrient": [m.orient for m in problem.models],
    }
    return bst_wmne(models, given | options)


def check(problem, **options):
    """Compare with the textbook; return what the package computed."""
    result = solve_2009(problem, **options)
    reference = naive_2009(problem.models, problem.noise.cov, problem.types, **options)
    assert_same_2009(result.kernel, reference, options.get("InverseMethod", "wmne"))
    grams = [w.T @ w for w in (result.whitener, reference.whitener)]
    np.testing.assert_allclose(*grams, rtol=0, atol=1e-9 * np.abs(grams[1]).max())
    assert result.whitener.shape == reference.whitener.shape
    return result


# every method, orientation and option against the textbook


@each_orient
@each_method
@pytest.mark.parametrize("types", [ELECTRODES, MAGNETIC], ids=["eeg", "meg"])
def test_textbook(types, method, orient):
    if orient == "loose":  # the textbook decomposes unwhitened gains: of one unit
        types = ("MEG",) * 12 if types is MAGNETIC else types
    check(make_problem(1, orient, types=types), InverseMethod=method)


@pytest.mark.parametrize("orient", ["fixed", "free"])
@each_method
def test_textbook_of_several_groups(method, orient):
    result = check(make_problem(2, orient, types=EVERYTHING), InverseMethod=method)
    assert result.ranks == {"MEG": 8, "EEG": 4, "ECOG": 4, "SEEG": 4}


OPTIONS = [
    {"SNR": 1},
    {"SNR": 0.2},
    {"depth": 0},
    {"weightexp": 0},
    {"weightexp": 0.8},
    {"weightexp": 1.3},
    {"weightlimit": 2},
    {"weightlimit": 0.5},
    {"regnoise": 0},
    {"regnoise": 0, "pca": 0},
    {"pca": 0},
    {"diagnoise": 1},
    {"diagnoise": 1, "regnoise": 0},
    {"magreg": 0.4, "gradreg": 0.03},
    {"eegreg": 0.35},
    {"eegreg": 0, "gradreg": 0, "magreg": 0},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("method", ["wmne", "dspm", "sloreta", "glsr", "mnej_p"])
def test_options(method, options):
    check(make_problem(3, "fixed", types=MAGNETIC), InverseMethod=method, **options)
    check(make_problem(4, "free", types=MIXED_TYPES), InverseMethod=method, **options)


@pytest.mark.parametrize("loose", [0.05, 0.5, 0.95])
@each_method
def test_loose_values(method, loose):
    check(make_problem(5, "loose", types=ELECTRODES), InverseMethod=method, loose=loose)


@pytest.mark.parametrize("options", [{}, {"regnoise": 0}, {"eegreg": 0.3, "weightexp": 1}], ids=str)
@pytest.mark.parametrize("method", MINIMUM_NORMS[:3])
def test_rank_deficient_covariance(method, options):
    """The rank is kept, of two directions less, before and after the ridge."""
    problem = make_problem(6, "free", types=ELECTRODES, nulls=2)
    result = check(problem, InverseMethod=method, **options)
    assert result.whitener.shape == (9, 11)
    assert result.ranks == {"EEG": 9}


@pytest.mark.parametrize("method", MINIMUM_NORMS[:3])
def test_several_head_models_share_scale_and_depth_limit(method):
    problem = make_problem(7, ("fixed", "loose", "free"), types=ELECTRODES, n_sources=4)
    result = check(problem, InverseMethod=method)
    assert result.n_components == 0
    alone = [
        solve_2009(dataclasses.replace(problem, models=(m,)), InverseMethod=method).alpha
        for m in problem.models
    ]
    assert not np.allclose(np.concatenate(alone), result.alpha)
    assert result.alpha.min() == 1


@pytest.mark.parametrize("seed", range(20))
def test_random_options(seed):
    rng = np.random.default_rng(seed)
    types = [ELECTRODES, MAGNETIC][rng.integers(2)]
    options = {
        "InverseMethod": METHODS[rng.integers(9)],
        "SNR": float(rng.uniform(0.5, 6)),
        "loose": float(rng.uniform(0.05, 0.95)),
        "depth": int(rng.integers(2)),
        "weightexp": float(rng.uniform(0, 1)),
        "weightlimit": float(rng.uniform(1, 20)),
        "regnoise": int(rng.integers(2)),
        "pca": int(rng.integers(2)),
        "diagnoise": int(rng.integers(2)),
        "magreg": float(rng.uniform(0, 0.5)),
        "gradreg": float(rng.uniform(0, 0.5)),
        "eegreg": float(rng.uniform(0, 0.5)),
    }
    check(make_problem(seed, ORIENTS[rng.integers(3)], types=types), **options)


# identities that define the measures


@each_orient
@pytest.mark.parametrize("method", MINIMUM_NORMS)
def test_scale_of_the_source_covariance_and_lambda2(method, orient):
    result = solve_2009(make_problem(8, orient, types=MAGNETIC), InverseMethod=method, SNR=2.5)
    rank = len(result.whitener)
    np.testing.assert_allclose(result.trace_scale * result.s2.sum(), rank, rtol=1e-14)
    np.testing.assert_allclose(result.lambda2, 1 / 2.5**2, rtol=1e-14)
    np.testing.assert_allclose(result.lambda_, result.trace_scale * 2.5**2, rtol=1e-14)


@each_orient
def test_mnej_is_the_minimum_norm(orient):
    problem = make_problem(9, orient, types=ELECTRODES)
    one, other = (solve_2009(problem, InverseMethod=m).kernel for m in ("wmne", "mnej"))
    np.testing.assert_array_equal(one, other)


@each_orient
def test_least_squares_fit_of_a_location_returns_its_amplitudes(orient):
    problem = make_problem(10, orient, types=ELECTRODES)
    result = solve_2009(problem, InverseMethod="gls")
    (model,) = problem.models
    for i, normal in enumerate(model.normals):
        block = model.block(i)
        p = result.n_components
        rows = result.kernel[p * i : p * i + p]
        if orient == "fixed":
            np.testing.assert_allclose(rows @ block @ normal, 1, rtol=1e-10)
        elif orient == "free":
            np.testing.assert_allclose(rows @ block, np.eye(3), atol=1e-10)
        else:  # of the normal's field alone the normal amplitude, as it is stored
            np.testing.assert_allclose(rows @ block @ normal, normal, atol=1e-10)


@pytest.mark.parametrize("orient", ["fixed", "free"])
def test_projections_have_unit_variance(orient):
    result = solve_2009(make_problem(11, orient, types=MAGNETIC), InverseMethod="gls_p", regnoise=0)
    p = result.n_components
    for i in range(len(result.alpha)):
        rows = result.kernel[p * i : p * i + p]
        np.testing.assert_allclose(rows @ result.noise_cov @ rows.T, np.eye(p), atol=1e-8)


@pytest.mark.parametrize("orient", ["fixed", "free"])
def test_dspm_has_unit_variance_summed_over_components(orient):
    result = solve_2009(make_problem(12, orient, types=MAGNETIC), InverseMethod="dspm", regnoise=0)
    covariances = result.kernel @ result.noise_cov @ result.kernel.T
    of_location = np.diag(covariances).reshape(-1, result.n_components).sum(axis=1)
    np.testing.assert_allclose(of_location, 1, rtol=1e-8)


def test_regularised_fit_becomes_the_fit_at_high_snr():
    problem = make_problem(13, "free", types=ELECTRODES)
    fit, regularised = (
        solve_2009(problem, InverseMethod=m, SNR=1e8).kernel for m in ("gls", "glsr")
    )
    np.testing.assert_allclose(regularised, fit, rtol=0, atol=1e-9 * np.abs(fit).max())


@pytest.mark.parametrize("orient", ["fixed", "free"])
@pytest.mark.parametrize(
    ("old", "new"), [("wmne", "amplitude"), ("dspm", "dspm2018"), ("sloreta", "sloreta")]
)
def test_2018_gives_the_same_where_no_convention_differs(old, new, orient):
    """One type, full rank, no ridge, no depth weights, unit normals: one formula."""
    problem = make_problem(14, orient, types=ELECTRODES)
    (model,) = problem.models
    units = model.normals / np.linalg.norm(model.normals, axis=1, keepdims=True)
    problem = dataclasses.replace(
        problem, models=(Model(gain=model.gain, normals=readonly(units), orient=orient),)
    )
    one = solve_2009(problem, InverseMethod=old, regnoise=0, depth=0)
    other = solve(problem, measure=new, noise_method="none", use_depth=False)
    np.testing.assert_allclose(one.lambda_, other.lambda_, rtol=1e-12)
    scale = np.abs(other.kernel).max()
    np.testing.assert_allclose(one.kernel, other.kernel, rtol=0, atol=1e-10 * scale)


# symmetries


@each_orient
@pytest.mark.parametrize("method", ["wmne", "dspm", "sloreta", "gls", "glsr", "mnej"])
def test_rotated_head(method, orient):
    """Rows are along x, y, z whatever the measure, those of loose too."""
    problem = make_problem(15, orient, types=ELECTRODES)
    (model,) = problem.models
    rotation = orthogonal(np.random.default_rng(15), 3)
    rotated = Model(
        gain=readonly(np.hstack([model.block(i) @ rotation.T for i in range(model.n_sources)])),
        normals=readonly(model.normals @ rotation.T),
        orient=orient,
    )
    one = solve_2009(problem, InverseMethod=method).kernel
    other = solve_2009(dataclasses.replace(problem, models=(rotated,)), InverseMethod=method).kernel
    if orient != "fixed":
        one = (rotation @ one.reshape(-1, 3, one.shape[1])).reshape(one.shape)
    np.testing.assert_allclose(other, one, rtol=0, atol=1e-9 * np.abs(one).max())


@each_orient
@each_method
def test_scale_of_the_noise_does_not_matter_to_amplitudes(method, orient):
    problem = make_problem(16, orient, types=MAGNETIC)
    louder = dataclasses.replace(
        problem, noise=dataclasses.replace(problem.noise, cov=readonly(4 * problem.noise.cov))
    )
    one, other = (solve_2009(p, InverseMethod=method) for p in (problem, louder))
    # the whitener is half as large: measures in its units are halved with it
    halved = 0.5 if method == "dspm" or method.endswith("_p") else 1.0
    np.testing.assert_allclose(
        np.abs(other.kernel),
        halved * np.abs(one.kernel),
        rtol=0,
        atol=1e-9 * np.abs(one.kernel).max(),
    )


# what no channel sees


def _dark(problem, index=2):
    (model,) = problem.models
    gain = np.array(model.gain)
    gain[:, 3 * index : 3 * index + 3] = 0
    model = Model(gain=readonly(gain), normals=model.normals, orient=model.orient)
    return dataclasses.replace(problem, models=(model,))


@each_orient
@each_method
def test_location_that_no_channel_sees(method, orient):
    result = solve_2009(_dark(make_problem(17, orient, types=ELECTRODES)), InverseMethod=method)
    p = result.n_components
    rows = result.kernel[2 * p : 3 * p]
    if method == "dspm" or (method == "sloreta" and p == 1):
        assert np.isnan(rows).all()
    else:
        np.testing.assert_array_equal(rows, 0)
    assert np.isfinite(np.delete(result.kernel, np.s_[2 * p : 3 * p], axis=0)).all()
    assert result.alpha[2] == result.alpha.max()


@each_method
def test_nothing_is_seen(method):
    problem = make_problem(18, "free", types=ELECTRODES)
    (model,) = problem.models
    dark = Model(gain=readonly(0 * model.gain), normals=model.normals, orient="free")
    with pytest.raises(InverseError, match="no channel sees any source"):
        solve_2009(dataclasses.replace(problem, models=(dark,)), InverseMethod=method)


@pytest.mark.parametrize("orient", ["loose", "free"])
@pytest.mark.parametrize("method", ["wmne", "dspm", "sloreta", "gls", "glsr", "gls_p", "glsr_p"])
def test_single_sphere(method, orient):
    """A direction of each location is silent, as in a sphere: the other two are computed."""
    problem = make_problem(19, orient, types=("MEG",) * 12)
    (model,) = problem.models
    rng = np.random.default_rng(19)
    silent = rng.normal(size=(model.n_sources, 3))
    silent /= np.linalg.norm(silent, axis=1, keepdims=True)
    gain = np.hstack([model.block(i) @ (np.eye(3) - np.outer(v, v)) for i, v in enumerate(silent)])
    sphere = Model(gain=readonly(gain), normals=model.normals, orient=orient)
    result = check(dataclasses.replace(problem, models=(sphere,)), InverseMethod=method)
    assert np.isfinite(result.kernel).all()


def test_sloreta_keeps_directions_that_are_nearly_silent():
    """Null is what double precision rounds; since 2016 what single precision does."""
    problem = make_problem(32, "free")
    (model,) = problem.models
    faint = np.diag([1, 1, 1e-4])
    gain = np.hstack([model.block(i) @ faint for i in range(model.n_sources)])
    problem = dataclasses.replace(
        problem, models=(Model(gain=readonly(gain), normals=model.normals, orient="free"),)
    )
    old = solve_2009(problem, InverseMethod="sloreta", depth=0).kernel
    new = solve(problem, measure="sloreta").kernel
    ranks = [
        [np.linalg.matrix_rank(block, rtol=1e-6) for block in kernel.reshape(-1, 3, 11)]
        for kernel in (old, new)
    ]
    assert ranks == [[3] * model.n_sources, [2] * model.n_sources]


def test_a_normal_of_zero_is_a_silent_fixed_location():
    problem = make_problem(20, "fixed", types=ELECTRODES)
    (model,) = problem.models
    normals = np.array(model.normals)
    normals[1] = 0
    changed = Model(gain=model.gain, normals=readonly(normals), orient="fixed")
    kernel = solve_2009(dataclasses.replace(problem, models=(changed,))).kernel
    np.testing.assert_array_equal(kernel[1], 0)
    assert kernel[0].any()
    loose = Model(gain=model.gain, normals=readonly(normals), orient="loose")
    with pytest.raises(
        InverseError, match=r"zero or not finite at 1 of 6 locations \(1-based: 2\)"
    ):
        solve_2009(dataclasses.replace(problem, models=(loose,)))


def test_normals_are_taken_as_they_are_stored():
    problem = make_problem(21, "fixed", types=ELECTRODES)
    (model,) = problem.models
    doubled = Model(gain=model.gain, normals=readonly(2 * model.normals), orient="fixed")
    one = solve_2009(problem).kernel
    other = solve_2009(dataclasses.replace(problem, models=(doubled,))).kernel
    np.testing.assert_allclose(other, one / 2, rtol=1e-12)


# refusals


@pytest.mark.parametrize("method", ["gls", "gls_p", "glsr", "glsr_p", "mnej", "mnej_p"])
def test_scans_take_one_head_model(method):
    problem = make_problem(22, ("fixed", "free"), types=ELECTRODES)
    with pytest.raises(
        UnsupportedInverseError,
        match=f"inverse of 2009 takes one head model for InverseMethod '{method}'",
    ):
        solve_2009(problem, InverseMethod=method)


def test_truncated_is_loose_but_for_meg_in_a_sphere():
    problem = make_problem(23, "loose", types=MAGNETIC)
    (model,) = problem.models
    expected = solve_2009(problem).kernel
    options = {
        "NoiseCov": problem.noise.cov,
        "ChannelTypes": list(MAGNETIC),
        "SourceOrient": "truncated",
    }
    plain = {"Gain": model.gain, "GridOrient": model.normals}
    for method in ("os_meg", "", None):
        result = bst_wmne(plain | {"MEGMethod": method}, options)
        np.testing.assert_array_equal(result.kernel, expected)
        assert result.regions[0].orient == "loose"
    with pytest.raises(UnsupportedInverseError, match="'truncated' with MEG in a single sphere"):
        bst_wmne(plain | {"MEGMethod": "meg_sphere"}, options)
    electrodes = make_problem(24, "loose", types=ELECTRODES)
    (model,) = electrodes.models
    options |= {"NoiseCov": electrodes.noise.cov, "ChannelTypes": "EEG"}
    plain = {"Gain": model.gain, "GridOrient": model.normals, "MEGMethod": "meg_sphere"}
    np.testing.assert_array_equal(bst_wmne(plain, options).kernel, solve_2009(electrodes).kernel)


def test_singular_covariance_with_neither_ridge_nor_rank():
    problem = make_problem(25, "fixed", types=ELECTRODES, nulls=1)
    message = r"noise covariance of the 11 EEG channel\(s\) has 1 eigenvalue\(s\) of 11"
    for options in ({"regnoise": 0}, {"eegreg": 0}):
        with pytest.raises(InverseError, match=message):
            solve_2009(problem, pca=0, **options)
    solve_2009(problem, pca=0)
    solve_2009(problem, regnoise=0)


def test_no_loose_value():
    problem = make_problem(26, "loose", types=ELECTRODES)
    with pytest.raises(InverseError, match="Orientation 'loose' needs a Loose value"):
        solve_2009(problem, loose=[])


def test_depth_weights_that_are_not_finite():
    problem = _dark(make_problem(27, "free", types=ELECTRODES))
    with pytest.raises(InverseError, match="depth weights are not finite with weightexp 1e\\+150"):
        solve_2009(problem, weightexp=1e150)


# what comes with the kernel


def test_result_says_what_it_is():
    problem = make_problem(28, "free", types=EVERYTHING)
    result = solve_2009(problem, InverseMethod="dspm")
    assert isinstance(result.options, InverseOptions2009)
    assert result.function == "dspm"
    assert result.noise_method == "reg"
    assert result.estimate_unit.startswith("1 (noise standard deviations")
    assert result.rank == len(result.whitener) == 20
    assert [len(s) for s in result.noise_std.values()] == [8, 4, 4, 4]
    np.testing.assert_array_equal(result.noise_cov, problem.noise.cov)
    assert "dspm, 18 rows × 20 channels, 6 locations" in repr(result)


def test_units_of_all_methods():
    problem = make_problem(29, "fixed", types=ELECTRODES)
    units = {m: solve_2009(problem, InverseMethod=m).estimate_unit for m in METHODS}
    assert {m for m, unit in units.items() if unit.startswith("A·m")} == {
        "wmne", "sloreta", "gls", "glsr", "mnej",
    }  # fmt: skip
    assert all(unit.startswith("1 (") for m, unit in units.items() if m.endswith("_p"))


def test_singular_values_of_scans_are_those_of_the_scaled_lead_field():
    problem = make_problem(30, "free", types=ELECTRODES)
    result = solve_2009(problem, InverseMethod="gls", depth=0)
    reference = naive_2009(
        problem.models, problem.noise.cov, problem.types, InverseMethod="gls", depth=0
    )
    for i, lead in enumerate(reference.lead):
        expected = np.sqrt(reference.scale) * np.linalg.svd(lead, compute_uv=False)
        np.testing.assert_allclose(result.source_decomp_sa[:, i], expected, rtol=1e-9)


def test_channels_of_few():
    """One channel, and two for three components."""
    rng = np.random.default_rng(31)
    for n in (1, 2):
        types = ("EEG",) * n
        for method in METHODS:
            model = make_model(rng, types, 3, "free")
            result = bst_wmne(
                {"Gain": model.gain},
                {
                    "NoiseCov": make_noise(n, types),
                    "ChannelTypes": list(types),
                    "SourceOrient": "free",
                    "InverseMethod": method,
                },
            )
            assert result.kernel.shape == (9, n)
            assert np.isfinite(result.kernel).all()
