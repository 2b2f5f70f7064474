"""MNE's settings: parsed, refused, and handed on."""

from __future__ import annotations

import numpy as np
import pytest

from mne_bstinv.adapters.equivalence.settings import DepthSettings, MneSettings
from mne_bstinv.errors import OptionError
from mne_bstinv.inverse import InverseOptions, InverseOptions2009


def test_defaults_are_those_of_mne():
    import inspect

    import mne

    made = inspect.signature(mne.minimum_norm.make_inverse_operator).parameters
    settings = MneSettings()
    assert settings.depth.exp == made["depth"].default
    applied = inspect.signature(mne.minimum_norm.apply_inverse).parameters
    assert settings.method == applied["method"].default
    assert settings.lambda2 == applied["lambda2"].default
    prior = inspect.signature(mne.forward.compute_depth_prior).parameters
    assert settings.depth.limit == prior["limit"].default
    assert settings.depth.combine_xyz == prior["combine_xyz"].default
    regularize = inspect.signature(mne.cov.regularize).parameters
    assert {regularize[k].default for k in ("mag", "grad", "eeg")} == {settings.regularize}


@pytest.mark.parametrize(("orient", "loose"), [("fixed", 0.0), ("loose", 0.2), ("free", 1.0)])
def test_defaults_for_options(orient, loose):
    settings = MneSettings.defaults_for(InverseOptions(measure="sloreta", source_orient=orient))
    assert (settings.method, settings.loose) == ("sLORETA", loose)
    assert settings.orientation == orient
    assert MneSettings.defaults_for(InverseOptions(), depth=None).depth.exp == 0
    of_2009 = MneSettings.defaults_for(InverseOptions2009(method="dspm", source_orient=orient))
    assert (of_2009.method, of_2009.loose) == ("dSPM", loose)


def test_a_scan_has_no_settings():
    with pytest.raises(OptionError, match="'gls' of 2018 is no minimum norm"):
        MneSettings.defaults_for(InverseOptions(method="gls"))


@pytest.mark.parametrize(
    ("depth", "exp", "limit"),
    [(None, 0.0, 10.0), (0.6, 0.6, 10.0), (1, 1.0, 10.0), ({"exp": 0.5, "limit": None}, 0.5, None),
     (DepthSettings(exp=0.3), 0.3, 10.0)],
)  # fmt: skip
def test_depth_is_parsed_as_mne_takes_it(depth, exp, limit):
    parsed = MneSettings(depth=depth).depth
    assert (parsed.exp, parsed.limit) == (exp, limit)
    told = parsed.to_mne()
    assert told is None if exp == 0 else (told["exp"], told["limit"]) == (exp, limit)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"method": "eLORETA"}, "Unknown method 'eLORETA'. Must be one of MNE, dSPM, sLORETA"),
        ({"loose": "auto"}, "loose must be a number between 0 and 1, found 'auto'"),
        ({"loose": 1.5}, "loose must be a number between 0 and 1, found 1.5"),
        ({"loose": None}, "loose must be a number between 0 and 1, found None"),
        ({"loose": True}, "loose must be a number between 0 and 1, found True"),
        ({"lambda2": 0}, "lambda2 must be a number above 0, found 0"),
        ({"lambda2": "1/9"}, "lambda2 must be a number above 0, found '1/9'"),
        ({"regularize": 2.0}, "regularize must be a number between 0 and 1, found 2.0"),
        ({"regularize": True}, "regularize must be a number between 0 and 1, found True"),
        ({"regularize": {"eeg": 0.1}}, "regularize must be a number between 0 and 1, found {"),
        ({"nave": 0}, "nave must be a number above 0, a whole one, found 0"),
        ({"nave": 2.7}, "nave must be a number above 0, a whole one, found 2.7"),
        ({"nave": "auto"}, "nave must be a number above 0, a whole one, found 'auto'"),
        ({"rank": "info"}, "rank must be None or a mapping of types of channels"),
        ({"rank": {"egg": 3}}, r"types of channels \(meg, .*found {'egg': 3}"),
        ({"rank": {"eeg": 0}}, "rank of 'eeg' must be a number above 0, a whole one, found 0"),
        ({"depth": {"exp": None}}, "depth: exp must be a number between 0 and 1, found None"),
        ({"depth": "0.8"}, "depth must be a number, a mapping or None, found '0.8'"),
        ({"depth": True}, "depth must be a number, a mapping or None, found True"),
        ({"depth": 1.5}, "exp must be a number between 0 and 1, found 1.5"),
        ({"depth": {"exponent": 0.5}}, r"unknown entries \['exponent'\]. Must be of exp, limit"),
        ({"depth": {"combine_xyz": False}}, "combine_xyz must be 'spectral' or 'fro'"),
        ({"depth": {"limit_depth_chs": "whiten"}}, "'whiten' has no counterpart"),
        ({"depth": {"limit": 0}}, "limit must be a number above 0, or None, found 0"),
        ({"depth": {"allow_fixed_depth": True}}, "allow_fixed_depth=True .* not supported"),
    ],
)
def test_impossible_settings_are_refused(given, message):
    with pytest.raises(OptionError, match=message):
        MneSettings(**given)


def test_numbers_of_numpy_are_numbers():
    given = MneSettings(
        loose=np.float64(0),
        depth={"exp": np.float32(0.5), "limit": np.int64(3)},
        lambda2=np.float64(0.25),
        regularize=np.float32(0.5),
        rank={"eeg": np.int64(20)},
        nave=np.int64(4),
    )
    plain = MneSettings(
        loose=0.0,
        depth={"exp": 0.5, "limit": 3.0},
        lambda2=0.25,
        regularize=0.5,
        rank={"eeg": 20},
        nave=4,
    )
    assert given == plain
    assert (type(given.loose), type(given.nave)) == (float, int)
    assert MneSettings(depth=np.float32(0.5)).depth == DepthSettings(exp=0.5)
