"""Maps on a cortex and in a volume at once, beside their head model: tests, bands, averages."""

from __future__ import annotations

import dataclasses
import shutil

import mne
import numpy as np
import pytest

import mne_bstinv as mb
from mne_bstinv import io
from mne_bstinv.errors import ConversionError

TIME = np.arange(5) / 100


@pytest.fixture(scope="module")
def folder(data_dir):
    return data_dir / "mixed/data/Subject01/mixed"


@pytest.fixture(scope="module")
def stored(folder):
    """A kernel of the mixed model: its locations and regions."""
    return io.read_results(next(folder.glob("results_MN_*.mat")))


@pytest.fixture(scope="module")
def places(folder, stored, data_dir):
    channels = io.read_channels(folder / "channel.mat")
    surface = io.read_surface(data_dir / "mixed/anat" / stored.surface_file)
    return {"channels": channels, "surface": surface}


@pytest.fixture(scope="module")
def norms(stored):
    """One value a location."""
    return np.random.default_rng(0).standard_normal((len(stored.grid_loc), len(TIME)))


def coded(atlas, letter):
    scouts = (dataclasses.replace(s, region=s.region[:2] + letter) for s in atlas.scouts)
    return dataclasses.replace(atlas, scouts=tuple(scouts))


def described(stored, **fields):
    names = ("grid_loc", "grid_orient", "grid_atlas", "surface_file")
    return {"head_model_type": "mixed", **{n: getattr(stored, n) for n in names}, **fields}


def by_location(stc):
    """Return the values of an estimate in Brainstorm's order, told by position."""
    kept = mb.conversion_report(stc).kept
    rr = np.concatenate([part["rr"][part["vertno"]] for part in kept["src"]])
    in_scs = (rr - kept["scs_to_head"][:3, 3]) @ kept["scs_to_head"][:3, :3]
    grid = kept["results"].grid_loc
    nearest = np.linalg.norm(in_scs[:, None] - grid, axis=2).argmin(axis=1)
    assert sorted(nearest) == list(range(len(grid)))
    values = np.empty_like(stc.data)
    values[nearest] = stc.data
    return values


def a_test(stored, values, **fields):
    return io.Statistics(
        tmap=values, pmap=np.clip(np.abs(values), 0, 1), type="results", correction="no",
        time=TIME, display_units="t", **described(stored, **fields),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("n_components", "letter"), [(0, "C"), (1, "C"), (0, None), (1, None)], ids=str
)
def test_tests_of_norms(stored, places, norms, n_components, letter):
    """Brainstorm marks the regions of norms as constrained; others keep their head model's."""
    atlas = stored.grid_atlas if letter is None else coded(stored.grid_atlas, letter)
    pair = mb.to_statistics(
        a_test(stored, norms, n_components=n_components, grid_atlas=atlas), **places
    )
    assert isinstance(pair.statistic, mne.MixedSourceEstimate)
    np.testing.assert_array_equal(by_location(pair.statistic), norms)


def test_tests_of_components_are_refused_by_region(stored, places):
    rows = np.zeros((len(stored.imaging_kernel), len(TIME)))
    with pytest.raises(ConversionError, match=r"three components a location in .*Thalamus L"):
        mb.to_statistics(a_test(stored, rows, n_components=0), **places)


def test_bands_of_sources(stored, places, norms):
    maps = np.abs(np.stack([norms, 2 * norms], axis=2))
    timefreq = io.TimeFreq(
        tf=maps, time=TIME, data_type="results", measure="power", method="morlet",
        freq_bands=(("alpha", "8, 12", "mean"), ("beta", "15, 29", "mean")),
        row_names=np.arange(1.0, len(maps) + 1), head_model_type="mixed",
        surface_file=stored.surface_file, grid_loc=stored.grid_loc,
    )  # fmt: skip
    own = dataclasses.replace(timefreq, grid_atlas=stored.grid_atlas)
    for one, more in ((own, {}), (timefreq, {"results": stored})):
        estimates = mb.to_source_bands(one, **places, **more)
        for index, stc in enumerate(estimates):
            np.testing.assert_array_equal(by_location(stc), maps[:, :, index])
    with pytest.raises(ConversionError, match="no region with locations"):
        mb.to_source_bands(timefreq, **places)


@pytest.mark.parametrize("letter", ["C", "U"])
def test_normalised_components_are_no_vector(stored, places, letter):
    atlas = coded(stored.grid_atlas, letter)
    n_rows = len(stored.grid_loc) * (3 if letter == "U" else 1)
    scores = io.Results(
        image_grid_amp=np.ones((n_rows, len(TIME))), n_components=0, time=TIME, function="zscore",
        options={}, **described(stored, grid_atlas=atlas),
    )  # fmt: skip
    said = str(mb.conversion_report(mb.to_source_estimate(scores, **places)))
    assert ("x, y and z were normalised one by one" in said) == (letter == "U")
    assert "Function: The values were made of other results (z-score), in the unit 'z'." in said


@pytest.mark.parametrize("named", [None, "Subject09/gone/headmodel_x.mat", "own"])
@pytest.mark.parametrize("kind", ["mixed", "volume"])
def test_averages_need_no_head_model_nor_channels(data_dir, tmp_path, norms, stored, kind, named):
    """Averages over subjects lie where they say, in folders that hold nothing else."""
    root = shutil.copytree(data_dir / "mixed", tmp_path / "p")
    group = root / "data/Subject01/average"
    group.mkdir()
    io.write_study(group / "brainstormstudy.mat", io.Study(name="average"))
    atlas = coded(stored.grid_atlas, "C") if kind == "mixed" else None
    fields = described(stored, grid_atlas=atlas, head_model_type=kind)
    fields["head_model_file"] = stored.head_model_file if named == "own" else named
    if kind == "volume":
        fields |= {"surface_file": None, "grid_orient": None}
        fields["grid_loc"] = stored.grid_loc + 0.001  # as many locations, elsewhere
    average = io.Results(
        image_grid_amp=norms, n_components=0 if kind == "mixed" else 1, time=TIME, function="mn",
        options={}, n_avg=3, **fields,
    )  # fmt: skip
    io.write_results(group / "results_average_1.mat", average)
    condition = mb.read_protocol(root).condition("Subject01", "average")
    np.testing.assert_array_equal(by_location(condition.source_estimate(None)), norms)
