"""Scout time series of whole protocols."""

from __future__ import annotations

import csv
import dataclasses
import re
import shutil

import numpy as np
import pytest

import mne_bstinv as mb
from mne_bstinv import io
from mne_bstinv.cli import main
from mne_bstinv.errors import (
    ConversionError,
    MissingFileError,
    OptionError,
    OverwriteError,
    ProtocolError,
)


@pytest.fixture(scope="module")
def study(data_dir):
    return data_dir / "sources_post"


@pytest.fixture(scope="module")
def table(study):
    return mb.extract_scouts(study, atlas="User scouts")


def stored(study, name):
    return io.read_matrix(study / "data" / "Subject01" / "evoked" / name)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("matrix_scout_261126_1728.mat", {"function": "mean"}),
        ("matrix_scout_261126_1729.mat", {"function": "mean", "flip": False}),
        ("matrix_scout_261126_1730.mat", {"function": "mean", "free": "xyz"}),
        ("matrix_scout_261126_1731.mat", {"function": "mean", "free": "norm"}),
        ("matrix_scout_261126_1735.mat", {"function": "max"}),
        ("matrix_scout_261126_1736.mat", {"function": "pca"}),
    ],
)
def test_the_series_are_those_of_brainstorm(study, name, options):
    wanted = stored(study, name)
    free = "1729" if name[-8:-4] in ("1730", "1731", "1735") else "1728"
    table = mb.extract_scouts(
        study, atlas="User scouts", results=f"MN_EEG_KERNEL_261126_{free}", subjects=["Subject01"],
        **options,
    )  # fmt: skip
    (found,) = (s for s in table.series if s.recordings.endswith("data_average_240101_1200.mat"))
    np.testing.assert_allclose(found.values, wanted.value, rtol=1e-9, atol=1e-24)
    assert found.names == wanted.description


def test_all_maps_of_all_conditions(table):
    assert table.problems == ()
    assert {s.subject for s in table.series} == {"Subject01", "Subject02", "Subject03"}
    # maps on another cortex take their scouts from it
    assert {s.surface_file for s in table.series if s.subject == "Subject02"} == {
        "Subject02/tess_cortex_pial_low_68V.mat"
    }
    units = {s.results.split("_", 4)[-1]: s.unit for s in table.series}
    assert units["1728_zscore.mat"] == "z"


def test_columns_are_tidy(table):
    columns = table.columns()
    sizes = {len(column) for column in columns.values()}
    assert sizes == {sum(s.values.size for s in table.series)}
    first = table.series[0]
    n_times = len(first.times)
    assert list(columns["scout"][:n_times]) == ["s1"] * n_times
    np.testing.assert_array_equal(columns["value"][:n_times], first.values[0])
    np.testing.assert_array_equal(columns["time"][:n_times], first.times)


@pytest.mark.slow
def test_two_at_a_time_are_the_same(study, table):
    both = mb.extract_scouts(study, atlas="User scouts", n_jobs=2)
    assert [s.results for s in both.series] == [s.results for s in table.series]
    for one, other in zip(both.series, table.series, strict=True):
        np.testing.assert_array_equal(one.values, other.values)


def test_absolute_maps_keep_their_signs(table):
    (absolute,) = (s for s in table.series if s.results.endswith("1728_abs.mat"))
    assert (absolute.values > 0).all()


def test_csv(table, tmp_path):
    file = table.save(tmp_path / "scouts.csv")
    with file.open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert len(rows) == sum(s.values.size for s in table.series)
    assert float(rows[5]["value"]) == table.series[0].values[0, 5]
    with pytest.raises(OverwriteError):
        table.save(file)
    with pytest.raises(MissingFileError, match=r"none: no such folder\. Make it first"):
        table.save(tmp_path / "none" / "scouts.csv")
    table.save(file, overwrite=True)
    assert list(tmp_path.iterdir()) == [file]
    with pytest.raises(OptionError, match=r"\.csv, \.parquet, \.mat"):
        table.save(tmp_path / "scouts.xlsx")


def test_parquet(table, tmp_path):
    try:
        import pandas as pd
        import pyarrow  # noqa: F401
    except ImportError:
        with pytest.raises(ConversionError, match="pandas"):
            table.save(tmp_path / "scouts.parquet")
        assert not list(tmp_path.iterdir())
        return
    file = table.save(tmp_path / "scouts.parquet")
    np.testing.assert_array_equal(pd.read_parquet(file)["value"], table.columns()["value"])


def test_mat(table, tmp_path, study):
    file = table.save(tmp_path / "matrix_scouts.mat")
    matrix = io.read_matrix(file)
    assert len(matrix.value) == len(matrix.description) == sum(len(s.names) for s in table.series)
    assert " @ " in matrix.description[0]
    one = mb.extract_scouts(study, atlas="User scouts", results="1728_zscore").to_matrix()
    assert one.description == ("s1", "s2", "s3", "s4", "s5", "s6", "s7")


def test_an_odd_map_costs_no_other(study, tmp_path):
    copy = shutil.copytree(study, tmp_path / "study")
    folder = copy / "data" / "Subject01" / "evoked"
    (folder / "results_norm_261126_1728.mat").write_bytes(b"broken")
    table = mb.extract_scouts(copy, atlas="User scouts")
    assert len(table.problems) == 1
    assert "results_norm_261126_1728.mat" in table.problems[0]
    assert len(table.series) == 36


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"function": "median"}, OptionError, "function"),
        ({"free": "mean"}, OptionError, "free"),
        ({"recordings": "trials"}, OptionError, "recordings"),
        ({"subjects": "nobody"}, ProtocolError, "no subject 'nobody'; choose one of: 'Subject01'"),
        ({"conditions": ["none"]}, ProtocolError, "no condition 'none'; choose one of: 'evoked'"),
        ({"conditions": []}, OptionError, "conditions is an empty list"),
        ({"n_jobs": 0}, OptionError, "n_jobs must be a positive number of conditions"),
    ],
)
def test_wrong_options_are_refused(study, options, error, words):
    with pytest.raises(error, match=words):
        mb.extract_scouts(study, **options)


def test_an_atlas_that_a_cortex_lacks_is_a_problem(study):
    table = mb.extract_scouts(study, atlas="Desikan", subjects=["Subject02"])
    assert table.series == ()
    assert all("no atlas 'Desikan'; it has User scouts" in p for p in table.problems)
    table = mb.extract_scouts(study, scouts=["s1", "V9"], subjects=["Subject02"])
    assert all("no scout V9" in problem for problem in table.problems)


def with_atlas(copy, atlas):
    """Put an atlas first on the cortices of a study."""
    for file in copy.rglob("tess_cortex*.mat"):
        cortex = io.read_surface(file)
        changed = dataclasses.replace(cortex, atlas=(atlas, *cortex.atlas), i_atlas=1)
        io.write_surface(file, changed, overwrite=True)
    return copy


def applied(copy, series):
    """The stored kernel times its recordings."""
    results = io.read_results(copy / "data" / series.results)
    recordings = io.read_recordings(copy / "data" / series.recordings)
    return results.imaging_kernel @ recordings.f[results.good_channel - 1], results


def test_scouts_of_a_volume_grid(data_dir, tmp_path):
    """They count points of the grid; scouts of the cortex are not on it."""
    copy = shutil.copytree(data_dir / "eeg_volume", tmp_path / "study")
    table = mb.extract_scouts(copy, recordings="all")
    assert table.series == ()
    assert (
        "volume grid of 37 points, the atlas 'User scouts' is on the surface" in table.problems[0]
    )
    scout = io.Scout(label="deep", vertices=np.array([3, 37]), region="UU")
    with_atlas(copy, io.Atlas(name="Volume 37: nuclei", scouts=(scout,)))
    table = mb.extract_scouts(copy, recordings="all", results="MN")
    assert table.problems == ()
    for series in table.series:
        values, _ = applied(copy, series)
        mean = (values[6:9] + values[108:111]) / 2
        np.testing.assert_allclose(series.values[0], np.linalg.norm(mean, axis=0), rtol=1e-12)
    table = mb.extract_scouts(copy, recordings="all", results="MN", free="pca")
    assert table.problems == ()


def test_a_map_on_the_surface_has_no_scouts_of_a_grid(study, tmp_path):
    scout = io.Scout(label="deep", vertices=np.array([1000]))
    copy = shutil.copytree(study, tmp_path / "study")
    with_atlas(copy, io.Atlas(name="Volume 2000", scouts=(scout,)))
    options = {"subjects": ["Subject02"]}
    table = mb.extract_scouts(copy, **options)  # the first atlas that is on the surface
    assert {series.atlas.name for series in table.series} == {"User scouts"}
    table = mb.extract_scouts(copy, atlas="Volume 2000", **options)
    assert all("on the surface, the atlas 'Volume 2000' is on a vol" in p for p in table.problems)


def test_scouts_of_mixed_models(data_dir, tmp_path):
    """One vertex; and one across regions of one and three components, which costs no other."""
    copy = shutil.copytree(data_dir / "mixed", tmp_path / "study")
    regions = io.read_results(next(copy.rglob("results_MN_EEG*.mat"))).grid_atlas.scouts
    left, right = (region.vertices for region in regions[:2])
    scouts = (
        io.Scout(label="one", vertices=left[:1]),
        io.Scout(label="across", vertices=np.concatenate([left[:2], right[:2]])),
        io.Scout(label="empty", vertices=np.array([], dtype=int)),
    )
    with_atlas(copy, io.Atlas(name="Mine", scouts=scouts))
    table = mb.extract_scouts(copy, recordings="all", results="MN: EEG")
    assert table.series
    assert {series.names for series in table.series} == {("one",)}
    assert any("'across' lies in regions of one and of three" in text for text in table.problems)
    assert any("'empty' has no vertices" in text for text in table.problems)
    for series in table.series:
        values, results = applied(copy, series)
        place = results.grid_atlas.vert2grid.tocoo()
        location = int(place.row[place.col == left[0] - 1][0])
        rows = np.flatnonzero(results.grid_atlas.grid2source[:, [location]].toarray())
        wanted = np.linalg.norm(values[rows], axis=0) if len(rows) == 3 else values[rows[0]]
        np.testing.assert_allclose(np.abs(series.values[0]), np.abs(wanted), rtol=1e-12)
    flat = mb.extract_scouts(copy, recordings="all", results="MN: EEG", free="pca")
    assert {series.names for series in flat.series} == {("one", "across")}


def test_signs_follow_the_triangles_where_a_cortex_has_no_normals(study, tmp_path):
    """As Brainstorm's templates have none."""
    copy = shutil.copytree(study, tmp_path / "study")
    call = {"subjects": ["Subject01"], "results": "MN_EEG_KERNEL_261126_1728"}
    wanted = mb.extract_scouts(copy, **call)
    for file in copy.rglob("tess_cortex*.mat"):
        bare = dataclasses.replace(io.read_surface(file), vert_normals=None)
        io.write_surface(file, bare, overwrite=True)
    found = mb.extract_scouts(copy, **call)
    for one, other in zip(found.series, wanted.series, strict=True):
        np.testing.assert_allclose(one.values, other.values, rtol=1e-12)


def test_a_kernel_without_averages_is_told(data_dir, tmp_path):
    copy = shutil.copytree(data_dir / "sources_post", tmp_path / "study")
    for file in copy.rglob("data_*.mat"):
        if "average" in file.name:
            file.unlink()
    table = mb.extract_scouts(copy, subjects=["Subject01"], results="MN_EEG_KERNEL")
    assert table.series == ()
    assert all("averages to apply it to" in problem for problem in table.problems)
    assert table.problems


def test_a_kernel_with_trials_alone_says_what_takes_them(data_dir, tmp_path):
    copy = shutil.copytree(data_dir / "eeg_shared", tmp_path / "study")
    for number, file in enumerate(sorted(copy.rglob("data_*average*.mat"))):
        trial = dataclasses.replace(io.read_recordings(file), n_avg=1)
        file.unlink()
        io.write_recordings(file.with_name(f"data_go_trial{number:03d}.mat"), trial)
    call = {"conditions": ["condB"], "results": "MN: EEG", "atlas": "Structures"}
    told = " ".join(mb.extract_scouts(copy, **call).problems)
    taken = r"no averages to apply it to, of \d trial\(s\): recordings='all' .* takes these"
    assert re.search(taken, told), told
    everything = mb.extract_scouts(copy, recordings="all", **call)
    assert "takes these" not in " ".join(everything.problems)


def test_bad_recordings_are_named_and_units_are_those_of_the_inverse(data_dir):
    call = {"conditions": ["condB"], "atlas": "Structures"}
    table = mb.extract_scouts(data_dir / "eeg_shared", **call)
    assert table.problems
    told = "no averages to apply it to, 1 recording(s) marked as bad left out"
    assert all(problem.endswith(told) for problem in table.problems), table.problems
    units = {series.comment.partition(":")[0]: series.unit for series in table.series}
    assert units == {"MN": "A·m", "sLORETA": "A·m", "dSPM-unscaled": ""}


class TestCommand:
    def test_a_table(self, study, tmp_path, capsys):
        out = tmp_path / "scouts.csv"
        call = ["scouts", str(study), "--out", str(out), "--atlas", "User scouts"]
        assert main([*call, "--scout", "s1", "--subject", "Subject02"]) == 0
        assert capsys.readouterr().out == f"{out}: 3 time series of 3 maps\n"
        assert main(call) == 2
        assert "exists already" in capsys.readouterr().err

    def test_problems_are_said(self, study, tmp_path, capsys):
        out = tmp_path / "scouts.csv"
        assert main(["scouts", str(study), "--out", str(out), "--atlas", "none"]) == 2
        said = capsys.readouterr().err
        assert "has no atlas 'none'" in said
        assert "nothing was written" in said
        assert not out.exists()

    def test_a_wrong_ending(self, study, tmp_path, capsys):
        assert main(["scouts", str(study), "--out", str(tmp_path / "a.txt")]) == 2
        assert ".csv, .parquet or .mat" in capsys.readouterr().err
