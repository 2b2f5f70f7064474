"""The drop-in under MATLAB names: what it takes and what it refuses."""

from __future__ import annotations

import re

import numpy as np
import pytest
from inverse_problems import (
    Stats,
    assert_same_kernel,
    cov_struct,
    make_problem,
    readonly,
    solve_naively,
)
from inverse_tolerances import backward_error

from mne_bstinv.errors import InverseError, OptionError
from mne_bstinv.inverse import InverseOptions, bst_inverse_linear

N = 5
TYPES = ["EEG"] * N
ALL_OPTIONS = [
    {"method": method, "measure": measure}
    for method, measure in (
        ("minnorm", "amplitude"),
        ("minnorm", "dspm2018"),
        ("minnorm", "sloreta"),
        ("gls", "performance"),
        ("lcmv", "nai"),
    )
]


@pytest.fixture
def problem():
    return make_problem(1, "fixed", types=TYPES, n_sources=4)


@pytest.fixture
def head_model(problem):
    (model,) = problem.models
    return {"Gain": model.gain, "GridOrient": model.normals}


@pytest.fixture
def options(problem):
    return {"NoiseCovMat": cov_struct(problem.noise), "ChannelTypes": list(TYPES)}


def test_defaults(problem, head_model, options):
    result = bst_inverse_linear(head_model, options)
    assert result.options == InverseOptions()
    assert_same_kernel(result.kernel, solve_naively(problem))


def test_options_under_their_matlab_names(problem, head_model, options):
    options |= {"InverseMeasure": "sloreta", "SnrFixed": 2.0, "NoiseMethod": "median"}
    result = bst_inverse_linear(head_model, options)
    expected = {"measure": "sloreta", "snr_fixed": 2.0, "noise_method": "median"}
    assert_same_kernel(result.kernel, solve_naively(problem, **expected))


@pytest.mark.parametrize("options", ALL_OPTIONS, ids=lambda o: o["measure"])
@pytest.mark.parametrize("orient", ["fixed", "loose", "free"])
def test_one_head_model_or_a_list_of_one(orient, options):
    problem = make_problem(2, orient)
    (model,) = problem.models
    given = {
        "NoiseCovMat": cov_struct(problem.noise),
        "DataCovMat": cov_struct(problem.data),
        "ChannelTypes": list(problem.types),
        "SourceOrient": orient,
        "InverseMethod": options["method"],
        "InverseMeasure": options["measure"],
    }
    head_model = {"Gain": model.gain, "GridOrient": model.normals, "GridLoc": np.zeros((6, 3))}
    one, many = bst_inverse_linear(head_model, given), bst_inverse_linear((head_model,), given)
    np.testing.assert_array_equal(one.kernel, many.kernel)
    assert one.n_components == (1 if orient == "fixed" else 3)
    assert one.function == {"amplitude": "mn", "performance": "glsp", "nai": "lcmvp"}.get(
        options["measure"], options["measure"]
    )
    (region,) = one.regions
    assert region.orient == orient
    assert region.locations.tolist() == [0, 1, 2, 3, 4, 5]
    assert region.rows == slice(0, len(one.kernel))


def test_one_orientation_for_several_head_models():
    problem = make_problem(4, ("free", "free"), n_sources=3)
    models = [{"Gain": m.gain} for m in problem.models]
    options = {
        "NoiseCovMat": cov_struct(problem.noise),
        "ChannelTypes": list(problem.types),
        "SourceOrient": "free",
    }
    assert [r.orient for r in bst_inverse_linear(models, options).regions] == ["free", "free"]


def test_more_orientations_than_head_models(head_model, options):
    options["SourceOrient"] = ["fixed", "free"]
    with pytest.raises(
        OptionError, match=re.escape("SourceOrient has 2 entries for 1 head model(s).")
    ):
        bst_inverse_linear(head_model, options)


@pytest.mark.parametrize("orient", ["fixed", "loose"])
@pytest.mark.parametrize("kind", ["volume", "Volume"])
def test_volumes_are_free_only(head_model, options, kind, orient):
    options["SourceOrient"] = orient
    message = (
        f"Head model 1 is a volume without orientations: SourceOrient must be 'free', found "
        f"{orient!r}."
    )
    with pytest.raises(OptionError, match=f"^{re.escape(message)}$"):
        bst_inverse_linear(head_model | {"HeadModelType": kind}, options)


@pytest.mark.parametrize("kind", ["volume", "surface", "mixed", None, ""])
def test_free_on_any_head_model(head_model, options, kind):
    options["SourceOrient"] = "free"
    expected = bst_inverse_linear(head_model, options)
    found = bst_inverse_linear({"Gain": head_model["Gain"], "HeadModelType": kind}, options)
    np.testing.assert_array_equal(found.kernel, expected.kernel)


# what is refused


def test_no_head_model(options):
    with pytest.raises(InverseError, match=r"^No head model was given\. Give one"):
        bst_inverse_linear([], options)


@pytest.mark.parametrize("model", [{}, {"Gain": None}, 7])
def test_head_model_without_a_gain(head_model, options, model):
    with pytest.raises(InverseError, match=r"^Head model 2: the field Gain is missing\. Give it"):
        bst_inverse_linear([head_model, model], options)


@pytest.mark.parametrize(
    ("shape", "hint"),
    [
        ((N, 11), ""),
        ((N + 1, 12), ""),
        ((N, 0), ""),
        ((N * 12,), ""),
        ((12, N), " It looks transposed."),
        ((N, 4, 3), ""),
    ],
)
def test_gain_of_another_shape(options, shape, hint):
    message = f"Head model 1: Gain has shape {shape}, expected (5, 3 × number of locations).{hint}"
    with pytest.raises(InverseError, match=f"^{re.escape(message)}$"):
        bst_inverse_linear({"Gain": np.ones(shape)}, options)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_gain_that_is_not_finite(head_model, options, value):
    gain = np.array(head_model["Gain"])
    gain[[1, 3], 7] = value
    message = "The gain is not finite in 2 channel(s) in use (1-based among them: 2, 4)."
    with pytest.raises(InverseError, match=re.escape(message)):
        bst_inverse_linear(head_model | {"Gain": readonly(gain)}, options)


@pytest.mark.parametrize("size", [11, 15])
def test_locations_of_another_count(head_model, options, size):
    message = f"Head model 1: GridLoc has shape ({size},), expected (4, 3)."
    with pytest.raises(InverseError, match=f"^{re.escape(message)}$"):
        bst_inverse_linear(head_model | {"GridLoc": np.zeros(size)}, options)


def test_normals_of_another_count(head_model, options):
    with pytest.raises(
        InverseError, match=re.escape("GridOrient has shape (5, 3), expected (4, 3)")
    ):
        bst_inverse_linear(head_model | {"GridOrient": np.ones((5, 3))}, options)


TEXT = np.array([["1"] * 12] * N)


@pytest.mark.parametrize(
    ("value", "dtype"), [(TEXT, "<U1"), (np.ones((N, 12), complex), "complex128")]
)
def test_no_numbers_in_the_gain(head_model, options, value, dtype):
    message = f"Head model 1: Gain must hold real numbers, found {dtype} values."
    with pytest.raises(InverseError, match=f"^{re.escape(message)}$"):
        bst_inverse_linear(head_model | {"Gain": value}, options)


def test_no_numbers_in_the_normals(head_model, options):
    message = "Head model 1: GridOrient must hold real numbers, found <U1 values."
    with pytest.raises(InverseError, match=f"^{re.escape(message)}$"):
        bst_inverse_linear(head_model | {"GridOrient": TEXT[:4, :3]}, options)


@pytest.mark.parametrize("field", ["NoiseCov", "FourthMoment"])
@pytest.mark.parametrize("struct", ["NoiseCovMat", "DataCovMat"])
def test_statistics_are_checked(head_model, options, problem, struct, field):
    options |= {"InverseMethod": "lcmv", "DataCovMat": cov_struct(problem.data)}

    def given(value):
        return options | {struct: options[struct] | {field: value}}

    name = f"{struct}.{field}"
    with pytest.raises(
        InverseError,
        match=re.escape(f"{name} has shape (4, 4), expected (5, 5): one row a channel."),
    ):
        bst_inverse_linear(head_model, given(np.eye(4)))
    bad = np.eye(N)
    bad[1, 1] = bad[3, 3] = np.nan
    with pytest.raises(
        InverseError, match=re.escape(f"{name} is not finite for channel(s) 2, 4 (1-based).")
    ):
        bst_inverse_linear(head_model, given(bad))
    with pytest.raises(
        InverseError, match=re.escape(f"{name} must hold real numbers, found <U1 values.")
    ):
        bst_inverse_linear(head_model, given(TEXT[:, :N]))


@pytest.mark.parametrize(("value", "found"), [(None, "NoneType"), ({}, "dict"), ("C", "str")])
def test_no_noise_covariance(head_model, options, value, found):
    message = f"NoiseCovMat must be a mapping with the field NoiseCov, found {found}."
    with pytest.raises(InverseError, match=f"^{re.escape(message)}$"):
        bst_inverse_linear(head_model, options | {"NoiseCovMat": value})


@pytest.mark.parametrize("types", [None, [], ["EEG", None, "EEG", "EEG", "EEG"], [1, 2, 3, 4, 5]])
def test_no_channel_types(head_model, options, types):
    message = "ChannelTypes must list one type (such as 'MEG GRAD' or 'EEG') a channel, found"
    with pytest.raises(OptionError, match=re.escape(message)):
        bst_inverse_linear(head_model, options | {"ChannelTypes": types})


def test_types_of_another_count(head_model, options):
    with pytest.raises(
        InverseError, match=re.escape("NoiseCovMat.NoiseCov has shape (5, 5), expected (4, 4)")
    ):
        bst_inverse_linear(head_model, options | {"ChannelTypes": TYPES[:4]})


def test_unknown_option(head_model, options):
    with pytest.raises(
        OptionError, match=r"^Unknown NoiseMethod 'regu'\. Must be one of none, reg"
    ):
        bst_inverse_linear(head_model, options | {"NoiseMethod": "regu"})


# what is taken


@pytest.mark.parametrize("samples", [400.0, np.full((N, N), 400), np.array([[400, 1], [1, 1]])])
def test_number_of_samples_is_the_first_element(problem, head_model, options, samples):
    options |= {"NoiseMethod": "shrink"}
    options["NoiseCovMat"] = options["NoiseCovMat"] | {"nSamples": samples}
    result = bst_inverse_linear(head_model, options)
    stats = Stats(cov=problem.noise.cov, fourth=problem.noise.fourth, n_samples=400.0)  # δ = 0.15
    one = make_problem(1, "fixed", types=TYPES, n_sources=4)
    expected = solve_naively(
        type(one)(types=one.types, models=one.models, noise=stats, data=one.data),
        noise_method="shrink",
    )
    assert_same_kernel(result.kernel, expected)


@pytest.mark.parametrize("empty", [np.zeros((0, 0)), None, []])
@pytest.mark.parametrize("field", ["FourthMoment", "nSamples"])
def test_empty_statistics_are_absent(head_model, options, field, empty):
    options["NoiseCovMat"] = options["NoiseCovMat"] | {field: empty}
    assert np.isfinite(bst_inverse_linear(head_model, options).kernel).all()
    with pytest.raises(InverseError, match=f"Noise method 'shrink' needs {field}"):
        bst_inverse_linear(head_model, options | {"NoiseMethod": "shrink"})


def test_one_channel_as_a_file_squeezes_it(head_model):
    gain = readonly([1.0, 2.0, 2.0])
    options = {
        "NoiseCovMat": {"NoiseCov": 4.0},
        "ChannelTypes": "EEG",
        "SnrMethod": "rms",
        "SnrRms": 1.0,
        "UseDepth": 0,
    }
    result = bst_inverse_linear({"Gain": gain, "GridOrient": [0.0, 0.0, 1.0]}, options)
    # L = 2 / 2, K = 1·1/(1 + 1) / 2
    np.testing.assert_allclose(result.kernel, [[0.25]], rtol=backward_error(3))


def test_unknown_channel_type(head_model, options):
    options["ChannelTypes"] = ["EEG", "MEG REF", "EEG", "EEG", "EEG"]
    message = (
        "Channel 2 is of type 'MEG REF', which has no inverse. Must be one of MEG, MEG MAG, "
        "MEG GRAD, EEG, SEEG, ECOG."
    )
    with pytest.raises(OptionError, match=f"^{re.escape(message)}$"):
        bst_inverse_linear(head_model, options)


@pytest.mark.parametrize(
    ("given", "meant"), [("NoiseMetod", "NoiseMethod"), ("snrfixed", "SnrFixed")]
)
def test_misspelt_option(head_model, options, given, meant):
    with pytest.raises(OptionError, match=f"^Unknown option '{given}'. Did you mean '{meant}'?"):
        bst_inverse_linear(head_model, options | {given: 1})


def test_field_that_is_no_option(head_model, options, caplog):
    result = bst_inverse_linear(head_model, options | {"Colour": "blue", "Comment": "MN"})
    message = "The field 'Colour' of the options is no option of the inverse: ignored."
    assert result.warnings == (message,)
    assert message in caplog.messages
    np.testing.assert_array_equal(result.kernel, bst_inverse_linear(head_model, options).kernel)


def test_options_that_are_no_mapping(head_model):
    with pytest.raises(OptionError, match=r"^The options must be a mapping, found InverseOptions"):
        bst_inverse_linear(head_model, InverseOptions())


def test_rows_of_different_lengths(options):
    with pytest.raises(InverseError, match="Head model 1: Gain must be a rectangular array"):
        bst_inverse_linear({"Gain": [[1, 2, 3], [4, 5]]}, options)
