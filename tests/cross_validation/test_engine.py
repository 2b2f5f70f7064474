"""Both ends of the path are the toolboxes themselves: nothing is left unexplained."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import lru_cache
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from cross_studies import kernels_of, remainders
from small_sample import load_small_sample

from mne_bstinv import InverseOptions
from mne_bstinv.adapters.equivalence.settings import MneSettings
from mne_bstinv.cross_validation import amplitudes, cross_validate
from mne_bstinv.cross_validation.conventions import CONVENTIONS
from mne_bstinv.cross_validation.distances import relative_distance
from mne_bstinv.cross_validation.engine import Engine
from mne_bstinv.cross_validation.ingredients import gather
from mne_bstinv.errors import OptionError

ALL = frozenset(c.key for c in CONVENTIONS)
#: What counts as equal, of kernels computed in double precision along different ways.
EQUAL = 1e-9
MEASURES = ("amplitude", "dspm2018", "sloreta")


@lru_cache(maxsize=1)
def sample():
    return load_small_sample()


@pytest.mark.parametrize(
    ("measure", "orient", "data_types"),
    [
        *product(MEASURES, ("fixed", "loose", "free"), [("MEG", "EEG")]),
        ("dspm2018", "fixed", "MEG"),
        ("amplitude", "loose", "EEG"),
    ],
    ids=str,
)
def test_ends_with_the_defaults(measure, orient, data_types):
    options = InverseOptions(measure=measure, source_orient=orient)
    found = remainders(sample(), options, MneSettings.defaults_for(options), data_types)
    assert max(found) <= EQUAL


@pytest.mark.parametrize(
    "changes",
    [
        {"regularize": None},
        {"regularize": 0.0},
        {"depth": None},
        {"depth": {"exp": 0.5, "limit": 100.0, "combine_xyz": "fro", "limit_depth_chs": False}},
        {"depth": {"exp": 0.8, "limit": None}},
        {"depth": {"exp": 0.8, "limit": 2.0}},
        {"depth": {"exp": 1.0, "limit": 2.0, "limit_depth_chs": False}},
        {"lambda2": 1.0},
        {"rank": {"meg": 60}},
        {"nave": None},
        {"loose": 0.6},
    ],
    ids=str,
)
@pytest.mark.parametrize("measure", MEASURES)
def test_ends_with_other_settings_of_mne(measure, changes):
    options = InverseOptions(measure=measure, source_orient="loose", noise_method="median")
    settings = MneSettings.defaults_for(options, **changes)
    assert max(remainders(sample(), options, settings, "MEG")) <= EQUAL


@pytest.mark.parametrize("name", ["eeg_shared", "eeg_surface", "eeg_volume", "meg_eeg"])
def test_ends_with_the_options_of_every_kernel(name, data_dir):
    every_kernel(data_dir / name)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["eeg_surface", "meg_ctf", "meg_neuromag"])
def test_ends_with_kernels_of_real_sensors(name, shared_dir):
    """Of each measure with each orientation: the options are gone through above."""

    def kind(options, _):
        return options.measure, options.source_orient

    every_kernel(shared_dir / "oracle" / "local" / name, kind)


def every_kernel(root: Path, kind: Callable[..., object] = lambda *all_: all_) -> None:
    seen = set()
    for study, stored in kernels_of(root):
        options = InverseOptions.from_brainstorm(stored)
        types = stored["DataTypes"]
        types = types if isinstance(types, str) else tuple(types)
        if options.method != "minnorm" or {kind(options, types), types} <= seen:
            continue
        seen |= {kind(options, types), types}
        settings = MneSettings.defaults_for(options)
        assert max(remainders(study, options, settings, types)) <= EQUAL, options
    assert seen


def with_an_unseen_location(study):
    gain = study.head_model.gain.copy()
    gain[:, 3:6] = 0.0
    return dataclasses.replace(study, head_model=dataclasses.replace(study.head_model, gain=gain))


@pytest.mark.parametrize(
    ("measure", "orient", "few"),
    [  # amplitudes by sums over sources, too
        *product(MEASURES, ("fixed", "loose", "free"), [100]),
        *product(["amplitude"], ("fixed", "loose", "free"), [0]),
    ],
)
def test_distances_from_an_end_are_those_of_the_kernels_themselves(
    measure, orient, few, monkeypatch
):
    monkeypatch.setattr(amplitudes, "_FEW", few)
    options = InverseOptions(measure=measure, source_orient=orient, weight_exp=0.0)
    settings = MneSettings.defaults_for(options, depth=None)
    study, ends = with_an_unseen_location(sample()), (frozenset(), ALL)
    ingredients = gather(study, options, settings, ("MEG", "EEG"))
    data = np.random.default_rng(0).standard_normal((len(ingredients.prepared.channel_names), 500))
    # of another one, so that no kernel is at hand
    engine, told = Engine(ingredients), Engine(ingredients, data)
    alone = *({c.key} for c in CONVENTIONS[::3]), {"snr", "normalization"}
    # at MNE's end its whitener projects the gain but for rounding, which is part of the difference
    back = ALL - {"snr"}, ALL - {"reference"}, ALL - {"rank"}
    for end in ends:
        engine.compute(end)
        kernel = np.nan_to_num(engine.blocks(end))
        for keys in (*alone, *back):
            other = np.nan_to_num(engine.blocks(frozenset(keys)))
            known = np.isfinite(engine.blocks(end)) & np.isfinite(engine.blocks(frozenset(keys)))
            expected = np.linalg.norm((other - kernel)[known])
            # sums of squares keep half of the digits of what is a 1e-4 of them
            allowed = 1e-11 * np.linalg.norm(kernel)
            assert told.distance(frozenset(keys), end) == pytest.approx(expected, abs=allowed)
            moved = np.where(known, other - kernel, 0.0) @ data
            of_estimates = told.estimates_apart(frozenset(keys), end)
            allowed = 1e-11 * np.linalg.norm(kernel @ data)
            assert of_estimates == pytest.approx(np.linalg.norm(moved), abs=allowed)


def test_each_convention_alone_changes_only_what_it_is_about():
    options = InverseOptions(source_orient="loose", loose=0.3)
    settings = MneSettings.defaults_for(options)
    ingredients = gather(sample(), options, settings, "MEG")
    start = Engine(ingredients).compute(frozenset())
    for convention in CONVENTIONS:
        alone = Engine(ingredients).compute(frozenset({convention.key}))
        same_depth = np.array_equal(alone.alpha, start.alpha)
        assert same_depth != convention.key.startswith("depth"), convention.key
        noise = convention.key in ("rank", "projectors")
        assert (alone.rank == start.rank) != noise, convention.key


def test_exact_translations_leave_no_active_convention():
    """Brainstorm's rules, told to MNE where MNE has them: one sensor type, no projector."""
    options = InverseOptions(measure="dspm2018", source_orient="free", noise_reg=0.1)
    n, rank = 46, 46
    settings = MneSettings(
        method="dSPM", loose=1.0, lambda2=rank / n / 9,
        depth={"exp": 0.5, "limit": 100.0, "combine_xyz": "fro", "limit_depth_chs": False},
    )  # fmt: skip
    study = sample()
    bare = dataclasses.replace(study, channels=dataclasses.replace(study.channels, projectors=()))
    ingredients = gather(bare, options, settings, "MEG GRAD")
    distance = relative_distance(
        Engine(ingredients).compute(ALL).blocks, Engine(ingredients).compute(frozenset()).blocks
    )
    assert distance <= EQUAL


@pytest.mark.parametrize(
    ("options", "settings", "message"),
    [
        (InverseOptions(method="gls"), MneSettings(), "no path from it to MNE's minimum norm"),
        (InverseOptions(measure="sloreta"), MneSettings(), "The measures differ: .*'sloreta'"),
    ],
)
def test_what_has_no_path_is_refused(options, settings, message):
    with pytest.raises(OptionError, match=message):
        gather(sample(), options, settings, "EEG")


def test_mixed_head_models_are_refused(data_dir):
    study, _ = kernels_of(data_dir / "mixed")[0]
    with pytest.raises(OptionError, match="The head model is mixed"):
        gather(study, InverseOptions(), MneSettings(method="MNE"), "EEG")
    own = InverseOptions(source_orient=("fixed", "loose", "free"))
    with pytest.raises(OptionError, match="The head model is mixed"):
        cross_validate(study, options=own, data_types="EEG")


def test_a_volume_has_no_normals_to_compare_along(data_dir):
    study, _ = kernels_of(data_dir / "eeg_volume")[0]
    options = InverseOptions(source_orient="free")
    with pytest.raises(OptionError, match="along the normals only, and the head model has none"):
        gather(study, options, MneSettings(method="MNE", loose=0.0), "EEG")
