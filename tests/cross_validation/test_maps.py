"""Brainstorm's maps beside MNE's: the classes, the numbers, and the calls that give the same."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import mne_bstinv as mb
from mne_bstinv import io
from mne_bstinv.adapters.maps import CALLS, cortex_map
from mne_bstinv.cross_validation import map_parity_table, scout_modes
from mne_bstinv.cross_validation.map_case import chosen_scouts
from mne_bstinv.cross_validation.maps import MODES, SCOUTS
from mne_bstinv.errors import ConversionError, OptionError
from mne_bstinv.maps.scout_functions import is_undecided

EQUAL = 1e-11
FIXED, FREE = "MN: MEG ALL(Constr) 2018", "MN: EEG(Unconstr) 2018"


def applied(study, name):
    stored = study.results[name]
    return stored.imaging_kernel @ np.asarray(study.recordings.f)[stored.good_channel - 1]


@pytest.fixture(scope="module")
def sample(sample_dir):
    return mb.load_study(sample_dir)


@pytest.fixture(scope="module")
def maps(sample):
    return applied(sample, FIXED), applied(sample, FREE)


@pytest.fixture(scope="module")
def scouts(sample):
    """Small ones whose normals agree, and whole hemispheres, whose signs are flipped."""
    return [scout for atlas in sample.cortex.atlas for scout in atlas.scouts]


@pytest.fixture(scope="module")
def rows(sample, maps, scouts):
    fixed, free = maps
    return map_parity_table(sample.cortex, sample.recordings.time, fixed, free=free, scouts=scouts)


@pytest.fixture(scope="module")
def cortices(data_dir):
    folder = data_dir / "sources_post" / "anat"
    return [
        io.read_surface(next((folder / name).glob("tess_cortex_pial*.mat")))
        for name in ("Subject01", "Subject02")
    ]


def test_every_call_gives_brainstorms_map(rows):
    measured = [row for row in rows if row.after is not None]
    assert {row.group for row in measured} >= {"scout", "baseline", "flat map"}
    assert [(row.brainstorm, row.after) for row in measured if not row.after <= EQUAL] == []


def test_the_classes_are_what_was_measured(rows):
    for row in rows:
        assert bool(row.reason) == (row.parity != "exact"), row
        assert bool(row.factor) == (row.parity == "equal up to a stated factor"), row
        if row.before is None or np.isnan(row.before):
            continue
        if row.parity == "exact":
            assert row.before <= EQUAL, row
        else:  # a factor of ±1 may be 1 for all scouts of a study
            assert row.before > 1e-3 or "±" in row.factor, row


def test_what_auto_does_to_norms(rows):
    """MNE flips the signs of norms, too, which nobody wants."""
    (row,) = (r for r in rows if "norms" in r.brainstorm and "auto" in r.mne)
    assert row.parity == "not comparable"
    assert row.before > 0.1


def test_without_a_second_cortex_nothing_is_said_of_projections(rows):
    projections = [row for row in rows if row.group == "projection"]
    assert len(projections) == 2
    assert all(row.before is None and row.after is None for row in projections)
    assert all("to_source_morph" in row.code for row in projections)


def test_projection_and_smoothing_on_registered_cortices(cortices):
    source, target = cortices
    rng = np.random.default_rng(0)
    values = rng.standard_normal((source.n_vertices, 6))
    rows = map_parity_table(source, np.arange(6) / 100, values, target=target)
    found = [row for row in rows if row.group in ("smoothing", "projection")]
    assert len(found) == 3
    for row in found:
        assert row.after <= EQUAL, row
        assert row.before > 1e-2, row


@pytest.mark.parametrize("name", sorted(CALLS))
def test_the_code_is_ready_to_run(name, sample, maps, cortices):
    """The text that users are shown gives what was measured."""
    fixed, free = maps
    times = np.asarray(sample.recordings.time)
    scouts = chosen_scouts(sample.cortex)
    vector = name in ("norm", "pcaa", "pcaa_about_zero", "flat_pca", "vector_mean")
    values = free if vector else fixed
    values = np.abs(values) if name == "db" else values
    values = values - values.mean(axis=1, keepdims=True) if name == "pca2023_centred" else values
    made = cortex_map(
        values, times, sample.cortex, n_components=3 if vector else 1, scouts=scouts,
        subject="source",
    )  # fmt: skip
    given = {
        "stc": made.stc, "src": made.src, "labels": made.labels, "rotation": made.rotation,
        "baseline": (None, None) if name == "pcaa" else (times[0] - 1e-9, times[9] + 1e-9),
        "passes": 3,
    }  # fmt: skip
    if name == "projection":
        source, target = cortices
        small = np.random.default_rng(1).standard_normal((source.n_vertices, 3))
        stc = cortex_map(small, np.arange(3.0), source, subject="source").stc
        given = {"stc": stc, "source": source, "target": target}
    namespace = dict(given)
    code = compile(CALLS[name].code, f"the calls for {name}", "exec", dont_inherit=True)
    exec(code, namespace)
    names = CALLS[name].function.__code__
    wanted = CALLS[name].function(**{n: given[n] for n in names.co_varnames[: names.co_argcount]})
    np.testing.assert_array_equal(namespace["found"], wanted)


def test_functions_by_modes(sample, maps):
    found = scout_modes(sample.cortex, sample.recordings.time, maps[0])
    assert set(found) == {(function, mode) for function in SCOUTS for mode in MODES}
    assert found["mean", "auto"] == found["mean", "mean_flip"]
    norms = mb.flatten_sources(maps[1], 3)
    flat = scout_modes(sample.cortex, sample.recordings.time, norms)
    assert flat["mean", "mean"] <= EQUAL
    assert flat["max", "max"] <= EQUAL
    assert flat["mean_norm", "mean"] <= EQUAL
    assert flat["std", "mean"] > 0.1


def test_one_vertex_and_both_hemispheres(sample, maps):
    """A scout of one vertex, and one across hemispheres, which is two labels elsewhere."""
    n = sample.cortex.n_vertices
    scouts = (
        io.Scout(label="one", vertices=np.array([7])),
        io.Scout(label="every fifth", vertices=np.arange(1, n + 1, 5)),
    )
    rows = map_parity_table(sample.cortex, sample.recordings.time, maps[0], scouts=scouts)
    found = [row for row in rows if row.group == "scout" and row.after is not None]
    assert len(found) > 15
    assert max(row.after for row in found) <= EQUAL


def test_what_cannot_be_measured_is_refused(sample, maps):
    times = np.asarray(sample.recordings.time)
    with pytest.raises(OptionError, match="times do not fit"):
        map_parity_table(sample.cortex, times[:-1], maps[0])
    with pytest.raises(OptionError, match=r"3 time\(s\) found, at least 4 expected"):
        map_parity_table(sample.cortex, times[:3], maps[0][:, :3])
    with pytest.raises(ConversionError, match=r"values has .* expected 1 row\(s\) for each of the"):
        map_parity_table(sample.cortex, times, maps[0][1:])
    with pytest.raises(ConversionError, match="free has the shape"):
        map_parity_table(sample.cortex, times, maps[0], free=maps[0])
    bare = dataclasses.replace(sample.cortex, atlas=(), i_atlas=None)
    with pytest.raises(OptionError, match="No atlas of the cortex"):
        chosen_scouts(bare)


def test_a_cortex_without_normals_as_templates_are(sample, maps, scouts):
    """They follow from the triangles, on both sides."""
    bare = dataclasses.replace(sample.cortex, vert_normals=None)
    times = sample.recordings.time
    found = scout_modes(bare, times, maps[0], scouts)
    assert found["mean", "mean_flip"] <= EQUAL
    assert found["mean", "mean"] > 0.05  # hemispheres are flipped


def test_a_scout_whose_sign_is_undecided(sample, maps):
    """Of two vertices with opposite normals nobody can say which keeps its sign."""
    normals = sample.cortex.vert_normals
    pair = np.unravel_index((normals @ normals.T).argmin(), (len(normals),) * 2)
    assert is_undecided(normals[list(pair)])
    assert not is_undecided(normals[[0, 0]])
    scout = io.Scout(label="two banks", vertices=np.sort(pair) + 1)
    times = sample.recordings.time
    rows = map_parity_table(sample.cortex, times, maps[0], scouts=[scout])
    assert max(row.after for row in rows if row.group == "scout" and row.after is not None) <= EQUAL
