"""Options: defaults, every check, Brainstorm's names."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest

from mne_bstinv.errors import OptionError
from mne_bstinv.inverse import InverseOptions

#: Numbers whose squares double precision holds.
SQUARED = "above 0, from 1e-150 to 1e150"

EPS = np.finfo(float).eps


def test_defaults_are_those_of_brainstorm():
    given = InverseOptions().to_brainstorm()
    rms = given.pop("SnrRms")
    assert given == {
        "InverseMethod": "minnorm",
        "InverseMeasure": "amplitude",
        "SourceOrient": ["fixed"],
        "Loose": 0.2,
        "UseDepth": 1.0,
        "WeightExp": 0.5,
        "WeightLimit": 10.0,
        "NoiseMethod": "reg",
        "NoiseReg": 0.1,
        "SnrMethod": "fixed",
        "SnrFixed": 3.0,
    }
    assert abs(rms - 1000 * 1e-9) <= EPS * rms  # one product apart


@pytest.mark.parametrize(
    ("method", "measure", "function"),
    [
        ("minnorm", None, "mn"),
        ("minnorm", "amplitude", "mn"),
        ("minnorm", "dspm2018", "dspm2018"),
        ("minnorm", "sloreta", "sloreta"),
        ("gls", None, "glsp"),
        ("gls", "performance", "glsp"),
        ("lcmv", None, "lcmvp"),
        ("lcmv", "nai", "lcmvp"),
        ("lcmv", "performance", "lcmvp"),
    ],
)
def test_function(method, measure, function):
    options = InverseOptions(method=method, measure=measure)
    assert options.function == function
    first = {"minnorm": "amplitude", "gls": "performance", "lcmv": "nai"}[method]
    assert options.measure == (measure or first)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, True),
        ({"measure": "dspm2018"}, True),
        ({"measure": "sloreta"}, False),
        ({"use_depth": False}, False),
        ({"method": "gls"}, False),
        ({"method": "lcmv"}, False),
    ],
)
def test_depth_weighting(given, expected):
    assert InverseOptions(**given).depth_weighting is expected


CHOICES = {
    "method": ("InverseMethod", "minnorm, gls, lcmv"),
    "source_orient": ("SourceOrient", "fixed, loose, free"),
    "noise_method": ("NoiseMethod", "none, reg, median, diag, shrink"),
    "snr_method": ("SnrMethod", "fixed, rms"),
}


@pytest.mark.parametrize("value", ["regu", "", 3, None])
@pytest.mark.parametrize("name", CHOICES)
def test_unknown_choice(name, value):
    theirs, choices = CHOICES[name]
    if name == "source_orient" and not isinstance(value, str):
        message = f"SourceOrient must be one of {choices}, or a list of them, found {value!r}."
    else:
        message = f"Unknown {theirs} {value!r}. Must be one of {choices}."
    with pytest.raises(OptionError, match=f"^{re.escape(message)}$"):
        InverseOptions(**{name: value})


@pytest.mark.parametrize(
    ("method", "measure", "choices"),
    [
        ("minnorm", "nai", "amplitude, dspm2018, sloreta"),
        ("minnorm", "dspm", "amplitude, dspm2018, sloreta"),
        ("gls", "amplitude", "performance"),
        ("lcmv", "sloreta", "nai, performance"),
    ],
)
def test_measure_of_another_method(method, measure, choices):
    message = (
        f"Unknown InverseMeasure {measure!r} for InverseMethod {method!r}. "
        f"Must be one of {choices}."
    )
    with pytest.raises(OptionError, match=f"^{re.escape(message)}$"):
        InverseOptions(method=method, measure=measure)


@pytest.mark.parametrize("value", [[], (), ["fixed", "tight"]])
def test_bad_list_of_orientations(value):
    bad = "Unknown SourceOrient 'tight'" if value else "SourceOrient must be one of fixed, loose"
    with pytest.raises(OptionError, match=bad):
        InverseOptions(source_orient=value)


NUMBERS = {
    "loose": ("Loose", "strictly between 0 and 1, or empty", (0, 1, -0.2, 1.2)),
    "weight_exp": ("WeightExp", "between 0 and 1", (-1e-9, 1 + 1e-9)),
    "weight_limit": ("WeightLimit", SQUARED, (0, -10, 1e151)),
    "noise_reg": ("NoiseReg", "between 0 and 1", (-1e-9, 1 + 1e-9)),
    "snr_fixed": ("SnrFixed", SQUARED, (0, -3, 1e200, 1e-200)),
    "snr_rms": ("SnrRms", f"{SQUARED} (A·m)", (0, -1e-6)),
}
OUT_OF_RANGE = [(name, v) for name, (_, _, values) in NUMBERS.items() for v in values]
NO_NUMBERS = [(name, v) for name in NUMBERS for v in (np.nan, np.inf, "0.5", 0.5j, [0.5])]


@pytest.mark.parametrize(("name", "value"), OUT_OF_RANGE + NO_NUMBERS)
def test_bad_number(name, value):
    theirs, expected, _ = NUMBERS[name]
    message = f"{theirs} must be a number {expected}, found {value!r}."
    with pytest.raises(OptionError, match=f"^{re.escape(message)}$"):
        InverseOptions(**{name: value})


@pytest.mark.parametrize("name", [name for name in NUMBERS if name != "loose"])
def test_number_that_is_missing(name):
    with pytest.raises(OptionError, match="found None"):
        InverseOptions(**{name: None})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("loose", 1e-9),
        ("loose", 1 - 1e-9),
        ("weight_exp", 0),
        ("weight_exp", 1),
        ("noise_reg", 0),
        ("noise_reg", 1),
        ("weight_limit", 1e-3),
        ("snr_fixed", np.float32(2)),
        ("snr_rms", np.int64(1)),
    ],
)
def test_numbers_at_the_end_of_their_range(name, value):
    found = getattr(InverseOptions(**{name: value}), name)
    assert found == value
    assert type(found) is float


@pytest.mark.parametrize("orient", ["fixed", "loose", "free"])
def test_loose_is_checked_whatever_the_orientation(orient):
    with pytest.raises(OptionError, match=r"strictly between 0 and 1, or empty, found 1\.5"):
        InverseOptions(source_orient=orient, loose=1.5)
    assert InverseOptions(source_orient=orient, loose=None).loose is None


@pytest.mark.parametrize("value", [2, -1, 0.5, np.nan, "yes", None])
def test_bad_flag(value):
    message = f"UseDepth must be true or false (1 or 0), found {value!r}."
    with pytest.raises(OptionError, match=f"^{re.escape(message)}$"):
        InverseOptions(use_depth=value)


@pytest.mark.parametrize("value", [True, 1, 1.0, np.bool_(True), np.uint8(1)])
def test_flags(value):
    assert InverseOptions(use_depth=value).use_depth is True
    assert InverseOptions(use_depth=type(value)(0)).use_depth is False


def test_choices_in_any_case():
    options = InverseOptions(
        method=" MinNorm",
        measure="dSPM2018 ",
        source_orient="FREE",
        noise_method="Reg",
        snr_method="RMS",
    )
    assert (options.method, options.measure) == ("minnorm", "dspm2018")
    assert options.source_orient == ("free",)
    assert (options.noise_method, options.snr_method) == ("reg", "rms")


def test_options_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError, match="loose"):
        InverseOptions().loose = 0.3


def test_orientation_of_each_head_model():
    one, two = InverseOptions(source_orient="free"), InverseOptions(source_orient=["fixed", "free"])
    assert [one.orientation(i, 3) for i in range(3)] == ["free"] * 3
    assert [two.orientation(i, 2) for i in range(2)] == ["fixed", "free"]


@pytest.mark.parametrize("n_models", [1, 3])
def test_more_or_fewer_orientations_than_head_models(n_models):
    options = InverseOptions(source_orient=("fixed", "free"))
    message = f"SourceOrient has 2 entries for {n_models} head model(s). Give one entry, or one a"
    with pytest.raises(OptionError, match=re.escape(message)):
        options.orientation(0, n_models)


ALL_DIFFERENT = InverseOptions(
    method="lcmv",
    measure="performance",
    source_orient=("loose", "free"),
    loose=0.35,
    use_depth=False,
    weight_exp=0.8,
    weight_limit=7.0,
    noise_method="median",
    noise_reg=0.05,
    snr_method="rms",
    snr_fixed=2.5,
    snr_rms=3e-9,
)


@pytest.mark.parametrize(
    "options",
    [
        InverseOptions(),
        ALL_DIFFERENT,
        InverseOptions(loose=None),
        InverseOptions(loose=None, source_orient="free"),
    ],
)
def test_round_trip_through_brainstorm(options):
    assert InverseOptions.from_brainstorm(options.to_brainstorm()) == options


def test_round_trip_test_has_no_default_value():
    default = InverseOptions()
    for field in dataclasses.fields(InverseOptions):
        assert getattr(ALL_DIFFERENT, field.name) != getattr(default, field.name), field.name


def test_empty_loose_is_written_as_an_empty_array():
    loose = InverseOptions(loose=None).to_brainstorm()["Loose"]
    assert isinstance(loose, np.ndarray)
    assert loose.size == 0


@pytest.mark.parametrize("empty", [None, [], "", np.zeros((0, 0))])
def test_empty_loose_stays_empty_and_other_empty_fields_take_the_default(empty):
    names = InverseOptions().to_brainstorm()
    assert InverseOptions.from_brainstorm(dict.fromkeys(names, empty)) == InverseOptions(loose=None)
    assert InverseOptions.from_brainstorm({"Loose": empty}).loose is None


def test_missing_fields_take_the_default():
    assert InverseOptions.from_brainstorm({}) == InverseOptions()
    assert InverseOptions.from_brainstorm({"Comment": "MN", "NoiseCovMat": {}}) == InverseOptions()


def test_values_as_a_mat_file_holds_them():
    options = InverseOptions.from_brainstorm(
        {
            "InverseMethod": np.array(["minnorm"]),
            "InverseMeasure": "sLORETA",
            "SourceOrient": np.array([["loose", "free"]], dtype=object),
            "Loose": np.array([[0.3]]),
            "UseDepth": np.array([[0]], dtype=np.uint8),
            "SnrFixed": np.float64(4),
            "NoiseReg": np.array(0.2),
        }
    )
    assert options == InverseOptions(
        measure="sloreta",
        source_orient=("loose", "free"),
        loose=0.3,
        use_depth=False,
        snr_fixed=4.0,
        noise_reg=0.2,
    )


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("NoiseMethod", "regu", "Unknown NoiseMethod 'regu'. Must be one of none, reg, median"),
        ("Loose", np.array([[1.0]]), "Loose must be a number strictly between 0 and 1, or empty"),
        ("WeightExp", [0.5, 0.5], "WeightExp must be a number between 0 and 1, found (0.5, 0.5)."),
        ("InverseMeasure", "nai", "Unknown InverseMeasure 'nai' for InverseMethod 'minnorm'."),
        ("SnrRms", 0.0, f"SnrRms must be a number {SQUARED} (A·m), found 0.0."),
    ],
)
def test_bad_values_from_brainstorm(field, value, message):
    with pytest.raises(OptionError, match=re.escape(message)):
        InverseOptions.from_brainstorm({field: value})
