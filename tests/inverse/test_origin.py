"""What made a results file, from its Function, Options and Comment."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mne_bstinv import io
from mne_bstinv.errors import OptionError
from mne_bstinv.inverse import (
    InverseOptions,
    InverseOptions2009,
    InverseOptions2016,
    Origin,
    origin_of,
)
from mne_bstinv.inverse.origin import LINEAR_INVERSE

MINIMUM_NORM = {"InverseMethod": "minnorm", "InverseMeasure": "amplitude"}
GLS = {"InverseMethod": "gls", "InverseMeasure": "performance"}
LCMV = {"InverseMethod": "lcmv", "InverseMeasure": "performance"}


@pytest.mark.parametrize(
    ("function", "options", "comment", "years"),
    [
        # what only one year has
        ("dspm", MINIMUM_NORM | {"InverseMeasure": "dspm"}, "", (2016,)),
        ("dspm2018", MINIMUM_NORM | {"InverseMeasure": "dspm2018"}, "", (2018,)),
        ("lcmvp", LCMV | {"InverseMeasure": "nai"}, "", (2018,)),
        # it counts more than a comment, which anybody may change
        ("dspm2018", MINIMUM_NORM | {"InverseMeasure": "dspm2018"}, "rest 2016", (2018,)),
        ("dspm", MINIMUM_NORM | {"InverseMeasure": "dspm"}, "dSPM 2018", (2016,)),
        # the year in the comment
        ("mn", MINIMUM_NORM, "MN: EEG(Constr) 2016", (2016,)),
        ("mn", MINIMUM_NORM, "MN: EEG(Constr) 2016_02", (2016,)),
        ("mn", MINIMUM_NORM, "MN: EEG(Constr) 2018 | abs", (2018,)),
        ("mn", MINIMUM_NORM, "Study of 2016, 2018", (2018,)),
        ("mn", MINIMUM_NORM, "subject 120166", (2018, 2016)),
        ("glsp", GLS, "Dipoles: EEG(Constr) 2016", (2016,)),
        # nothing
        ("mn", MINIMUM_NORM, "renamed", (2018, 2016)),
        ("glsp", GLS, "renamed", (2018, 2016)),
        ("lcmvp", LCMV, "renamed", (2016, 2018)),
        (None, MINIMUM_NORM, "", (2018, 2016)),
        # 2009
        ("wmne", {"InverseMethod": "wmne"}, "MN: EEG(Constr)", (2009,)),
        ("WMNE", {"InverseMethod": "wMNE"}, "", (2009,)),
        ("dspm", {"InverseMethod": "dspm"}, "dSPM 2016", (2009,)),
        ("gls", {"InverseMethod": "gls", "SNR": 3}, "GLS: EEG", (2009,)),
        (None, {"InverseMethod": np.array(["mnej_p"])}, "", (2009,)),
    ],
)
def test_linear_inverse(function, options, comment, years):
    origin = origin_of(function, options, comment)
    assert (origin.kind, origin.years) == (LINEAR_INVERSE, years)
    assert origin.year == years[0]


@pytest.mark.parametrize(
    ("has_singular_values", "years"), [(True, (2016,)), (False, (2018,)), (None, (2018, 2016))]
)
def test_singular_values_of_a_minimum_norm_are_of_2016(has_singular_values, years):
    for comment, expected in (("renamed", years), ("MN 2018", (2018,))):
        origin = origin_of("mn", MINIMUM_NORM, comment, has_singular_values=has_singular_values)
        assert origin.years == expected
    scan = origin_of("glsp", GLS, "renamed", has_singular_values=has_singular_values)
    assert scan.years == (2018, 2016)


@pytest.mark.parametrize(
    ("function", "options", "comment", "kind"),
    [
        ("mem", {"InverseMethod": "mem"}, "MEM: MEG", "mem"),
        ("cMEM", None, "", "mem"),
        ("wMEM", {}, "", "mem"),
        ("rmem", {"MEMpaneloptions": {}}, "", "mem"),
        ("mn", {"MEMpaneloptions": {}}, "", "mem"),
        (None, None, "cMEM: MEG 2 sources", "mem"),
        ("dipoles", None, "", "dipoles"),
        ("Dipole", {}, "", "dipoles"),
        ("Simulation", {}, "Simulated signals", "simulation"),
        ("mne-python", {"InverseMethod": "mne-python"}, "", "mne-python"),
        ("mn", {"InverseMethod": "mne-python"}, "", "mne-python"),
        ("zscore", MINIMUM_NORM, "MN | zscore", "processed"),
        ("dspm2018sc", MINIMUM_NORM | {"InverseMeasure": "dspm2018"}, "", "processed"),
        ("ersd", {"InverseMethod": "wmne"}, "", "processed"),
        ("beamformerxy", None, "", "beamformerxy"),
        ("mn", {"InverseMethod": "fieldtrip"}, "", "fieldtrip"),
        ("mn", None, "MN: EEG 2018", "imported"),
        ("", {}, "", "imported"),
        (None, None, "", "imported"),
        ("mn", {"InverseMethod": "wmne"}, "", "unknown"),
        ("glsp", MINIMUM_NORM, "", "unknown"),
    ],
)
def test_other_things_are_named(function, options, comment, kind):
    origin = origin_of(function, options, comment)
    assert origin.kind == kind
    assert origin.years == ()
    assert origin.year is None
    assert origin.reason
    assert repr(origin) == f"<Origin | {kind}: {origin.reason}>"


def test_a_word_that_holds_mem_is_not_mem():
    assert origin_of("member", None).kind == "member"
    assert origin_of(None, None, "Remember this").kind == "imported"


@pytest.mark.parametrize("protocol", ["inverse_old_meeg", "inverse_old_sphere"])
def test_every_file_of_the_old_inverses(data_dir, protocol):
    manifest = json.loads((data_dir / protocol / "manifest.json").read_text())
    files = [entry for entry in manifest["results"] if entry["file"]]
    assert files
    for entry in files:
        stored = io.read_results(data_dir / protocol / "data" / entry["file"])
        assert origin_of(stored.function, stored.options, stored.comment).years == (
            entry["version"],
        )


@pytest.mark.parametrize("protocol", ["eeg_surface", "meg_eeg", "mixed", "eeg_volume"])
def test_every_file_of_2018(data_dir, protocol):
    files = list((data_dir / protocol).rglob("results_*.mat"))
    assert files
    for file in files:
        stored = io.read_results(file)
        assert origin_of(stored.function, stored.options, stored.comment).years == (2018,)


def test_options_of_each_year():
    either = Origin(kind=LINEAR_INVERSE, years=(2018, 2016))
    assert either.options(MINIMUM_NORM) == InverseOptions()
    assert either.options(MINIMUM_NORM, 2016) == InverseOptions2016()
    old = Origin(kind=LINEAR_INVERSE, years=(2009,))
    assert old.options({"InverseMethod": "dspm"}) == InverseOptions2009(method="dspm")
    with pytest.raises(OptionError, match="Results of mem have no options of an inverse"):
        Origin(kind="mem").options({})
