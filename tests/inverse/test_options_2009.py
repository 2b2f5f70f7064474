"""Options of 2009 and 2016: defaults, every check, Brainstorm's names, the class of a mapping."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest

from mne_bstinv import io
from mne_bstinv.errors import OptionError
from mne_bstinv.inverse import (
    InverseOptions,
    InverseOptions2009,
    InverseOptions2016,
    bst_inverse_linear,
    bst_wmne,
)
from mne_bstinv.inverse.options import ignored_options, options_class

EMPTY = np.zeros((0, 0))


def test_defaults_are_those_of_brainstorm():
    given = InverseOptions2009().to_brainstorm()
    empty = [given.pop(name) for name in ("fMRI", "fMRIthresh")]
    assert [value.size for value in empty] == [0, 0]
    assert given == {
        "InverseMethod": "wmne",
        "SNR": 3.0,
        "diagnoise": 0.0,
        "SourceOrient": ["fixed"],
        "loose": 0.2,
        "depth": 1.0,
        "weightexp": 0.5,
        "weightlimit": 10.0,
        "regnoise": 1.0,
        "magreg": 0.1,
        "gradreg": 0.1,
        "eegreg": 0.1,
        "ecogreg": 0.1,
        "seegreg": 0.1,
        "pca": 1.0,
        "fMRIoff": 0.1,
    }


def test_2016_has_the_defaults_of_2018():
    assert InverseOptions2016().to_brainstorm() == InverseOptions().to_brainstorm()


METHODS = {
    "wmne": ("amplitude", True),
    "dspm": ("dspm", True),
    "sloreta": ("sloreta", True),
    "mnej": ("amplitude", True),
    "mnej_p": ("performance", False),
    "gls": ("amplitude", False),
    "gls_p": ("performance", False),
    "glsr": ("amplitude", False),
    "glsr_p": ("performance", False),
}


@pytest.mark.parametrize("method", METHODS)
def test_methods(method):
    options = InverseOptions2009(method=f" {method.upper()}")
    assert (options.measure, options.is_minimum_norm) == METHODS[method]
    assert options.function == options.method == method


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("use_depth", [True, False])
def test_depth_is_used_as_it_is_asked_for(method, use_depth):
    options = InverseOptions2009(method=method, use_depth=use_depth)
    assert options.depth_weighting is use_depth


ALL_DIFFERENT = InverseOptions2009(
    method="glsr_p",
    source_orient=("loose", "truncated"),
    loose=0.35,
    use_depth=False,
    weight_exp=0.8,
    weight_limit=7.0,
    snr_fixed=2.5,
    diagonal_noise=True,
    regularize_noise=False,
    mag_reg=0.2,
    grad_reg=0.3,
    eeg_reg=0.4,
    ecog_reg=0.5,
    seeg_reg=0.6,
    pca=False,
)


@pytest.mark.parametrize(
    "options",
    [InverseOptions2009(), ALL_DIFFERENT, InverseOptions2009(loose=None, source_orient="free")],
)
def test_round_trip_through_brainstorm(options):
    assert InverseOptions2009.from_brainstorm(options.to_brainstorm()) == options


def test_round_trip_test_has_no_default_value():
    default = InverseOptions2009()
    for field in dataclasses.fields(InverseOptions2009):
        assert getattr(ALL_DIFFERENT, field.name) != getattr(default, field.name), field.name


def test_replace_keeps_measure_and_method_together():
    changed = dataclasses.replace(InverseOptions2009(), method="dspm", snr_fixed=1)
    assert (changed.measure, changed.snr_fixed) == ("dspm", 1.0)


@pytest.mark.parametrize("protocol", ["inverse_old_meeg", "inverse_old_sphere"])
def test_struct_of_a_results_file_and_back(data_dir, protocol):
    """Whatever Brainstorm stored comes back the same, but for what is no option."""
    for file in (data_dir / protocol).rglob("results_*.mat"):
        stored = io.read_results(file).options
        of = options_class(stored)
        if of is InverseOptions:  # of 2016, which has the same names
            of = InverseOptions2016
        written = of.from_brainstorm(stored).to_brainstorm()
        for name, value in written.items():
            theirs = stored[name]
            if isinstance(value, np.ndarray):
                assert np.size(theirs) == value.size == 0
            else:
                assert (list(theirs) if isinstance(value, list) else theirs) == value, (file, name)


def test_options_of_a_mixed_head_model_before_and_after(data_dir):
    """Brainstorm is given no orientation and stores one a region."""
    stored = io.read_results(next((data_dir / "inverse_old_mixed").rglob("results_MN_*.mat")))
    options = InverseOptions2009.from_brainstorm(stored.options)
    assert options.source_orient == ("fixed", "loose", "free")
    given = dict(stored.options) | {"SourceOrient": EMPTY}
    assert InverseOptions2009.from_brainstorm(given).source_orient == ("fixed",)


# bad values


@pytest.mark.parametrize("value", ["minnorm", "lcmv", "mem", "", 3, None])
def test_unknown_method(value):
    message = (
        f"Unknown InverseMethod {value!r}. Must be one of wmne, dspm, sloreta, gls, gls_p, glsr, "
        "glsr_p, mnej, mnej_p."
    )
    with pytest.raises(OptionError, match=f"^{re.escape(message)}$"):
        InverseOptions2009(method=value)


SQUARED = "above 0, from 1e-150 to 1e150"
NOT_NEGATIVE = "from 0 to 1e150"
NUMBERS = {
    "loose": ("loose", "strictly between 0 and 1, or empty", (0, 1, -0.2, 1.2)),
    "weight_exp": ("weightexp", NOT_NEGATIVE, (-1e-9, 1e151)),
    "weight_limit": ("weightlimit", SQUARED, (0, -10, 1e151)),
    "snr_fixed": ("SNR", SQUARED, (0, -3, 1e200)),
    "mag_reg": ("magreg", NOT_NEGATIVE, (-0.1,)),
    "grad_reg": ("gradreg", NOT_NEGATIVE, (-0.1,)),
    "eeg_reg": ("eegreg", NOT_NEGATIVE, (-0.1,)),
    "ecog_reg": ("ecogreg", NOT_NEGATIVE, (-0.1,)),
    "seeg_reg": ("seegreg", NOT_NEGATIVE, (-0.1,)),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_bad_number(name):
    theirs, expected, values = NUMBERS[name]
    for value in (*values, np.nan, np.inf, "0.5", 0.5j, [0.5]):
        message = f"{theirs} must be a number {expected}, found {value!r}."
        with pytest.raises(OptionError, match=f"^{re.escape(message)}$"):
            InverseOptions2009(**{name: value})


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("use_depth", "depth"),
        ("diagonal_noise", "diagnoise"),
        ("regularize_noise", "regnoise"),
        ("pca", "pca"),
    ],
)
@pytest.mark.parametrize("value", [2, -1, 0.5, np.nan, "yes", None])
def test_bad_flag(name, theirs, value):
    message = f"{theirs} must be true or false (1 or 0), found {value!r}."
    with pytest.raises(OptionError, match=f"^{re.escape(message)}$"):
        InverseOptions2009(**{name: value})


def test_unknown_orientation():
    message = "Unknown SourceOrient 'tight'. Must be one of fixed, loose, free, truncated."
    with pytest.raises(OptionError, match=re.escape(message)):
        InverseOptions2009(source_orient="tight")


def test_weights_from_fmri_are_refused():
    for empty in (None, EMPTY, []):
        InverseOptions2009.from_brainstorm({"fMRI": empty})
    with pytest.raises(OptionError, match="fMRI must be empty, found weights from fMRI"):
        InverseOptions2009.from_brainstorm({"fMRI": np.ones((4, 1))})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"snr": 3}, "Unknown option 'snr'. Did you mean 'SNR'?"),
        ({"weight_exp": 1}, "Unknown option 'weight_exp': in a mapping options have Brainstorm's"),
        ({"weightExp": 1}, "Unknown option 'weightExp'. Did you mean 'weightexp'?"),
        ({"Loose": 0.2}, "Unknown option 'Loose'. Did you mean 'loose'?"),
        ({"regNoise": 1}, "Did you mean 'regnoise'?"),
    ],
)
def test_misspelt_options(given, message):
    with pytest.raises(OptionError, match=re.escape(message)):
        bst_wmne({"Gain": np.ones((2, 3))}, given)


def test_names_of_2009_are_none_of_2018():
    with pytest.raises(OptionError, match="Did you mean 'NoiseCovMat'"):
        bst_inverse_linear({"Gain": np.ones((2, 3))}, {"NoiseCov": np.eye(2)})
    assert ignored_options({"pca": 1}) != ()
    assert ignored_options({"pca": 1, "fMRI": []}, InverseOptions2009) == ()


# which year


@pytest.mark.parametrize(
    ("given", "year"),
    [
        ({}, 2018),
        ({"InverseMethod": "minnorm"}, 2018),
        ({"InverseMethod": "gls"}, 2018),
        ({"InverseMethod": "gls", "SnrFixed": 3, "SourceOrient": "free"}, 2018),
        ({"InverseMethod": "gls", "regnoise": 1}, 2009),
        ({"InverseMethod": "gls", "fMRI": []}, 2009),
        ({"InverseMethod": np.array(["wmne"])}, 2009),
        *(({"InverseMethod": m}, 2009) for m in METHODS if m != "gls"),
        ({"InverseMethod": "DSPM"}, 2009),
        ({"InverseMethod": 3}, 2018),
        ({"SNR": 3}, 2018),
    ],
)
def test_class_of_a_mapping(given, year):
    assert options_class(given).year == year


def test_years_are_not_equal():
    assert InverseOptions() != InverseOptions2016()
    assert repr(InverseOptions2009(method="dspm", snr_fixed=2)) == (
        "InverseOptions2009(method='dspm', snr_fixed=2.0)"
    )
