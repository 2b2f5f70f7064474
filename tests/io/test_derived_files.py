"""Files of what is made from recordings and sources: signals, dipoles, time–frequency, tests."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.io
from helpers_mat73 import save_73, twin_73
from io_helpers import cell, differences, save, shapes, structs

from mne_bstinv import io
from mne_bstinv.errors import SchemaError
from mne_bstinv.io.registry import KINDS, row_of
from mne_bstinv.io.timefreq import band_bounds

DERIVED = ("matrix", "dipoles", "timefreq", "pdata", "presults", "ptimefreq", "pmatrix")
EMPTY = np.zeros((0, 0))


def derived_files(*folders):
    files = sorted(file for folder in folders for file in folder.rglob("*.mat"))
    rows = ((file, row_of(file)) for file in files)
    return [(file, row) for file, row in rows if row is not None and row.name in DERIVED]


def check_round_trip(files, tmp_path):
    for file, row in files:
        first = row.read(file)
        row.write(tmp_path / file.name, first, overwrite=True)
        assert differences(first, row.read(tmp_path / file.name)) == [], file
        assert shapes(tmp_path / file.name) == shapes(file), file
        assert repr(first).startswith(f"<{type(first).__name__} | ")


def test_round_trip(data_dir, tmp_path):
    files = derived_files(data_dir / "misc", data_dir / "sources_post")
    assert {row.name for _, row in files} == {"matrix", "dipoles", "timefreq", "pdata"}
    assert len(files) == 45
    check_round_trip(files, tmp_path)


def test_round_trip_of_large_files(shared_dir, tmp_path):
    files = derived_files(shared_dir / "oracle" / "public" / "misc")
    assert {row.name for _, row in files} == {"matrix", "dipoles", "timefreq", "pdata", "presults"}
    check_round_trip(files, tmp_path)


def test_v73_twin_is_equal(data_dir, tmp_path):
    seen = {
        row.name + file.name[:20]: (file, row) for file, row in derived_files(data_dir / "misc")
    }
    for file, row in seen.values():
        twin_73(file, tmp_path / file.name)
        assert differences(row.read(file), row.read(tmp_path / file.name)) == [], file


@pytest.mark.parametrize("name", DERIVED)
def test_kinds_are_told_by_name_and_content(name):
    row = KINDS[name]
    assert io.file_kind(f"{name}_scout_240101_1200.mat") == name
    assert row.read is getattr(io, row.reader)
    assert row.structure in io.__all__


def as_in_matlab(value):
    return np.asarray(value) if isinstance(value, str) else np.atleast_2d(value)


def both(tmp_path, read, **variables):
    """Read the same content from a v7 and from a v7.3 file."""
    file = save(tmp_path / "v7.mat", **variables)
    save_73(tmp_path / "v73.mat", {name: as_in_matlab(v) for name, v in variables.items()})
    first, second = read(file), read(tmp_path / "v73.mat")
    assert differences(first, second) == []
    return first


def again(tmp_path, structure, name):
    """Write and read a structure."""
    file = tmp_path / f"{name}.mat"
    getattr(io, f"write_{name}")(file, structure, overwrite=True)
    assert differences(structure, getattr(io, f"read_{name}")(file)) == []
    return scipy.io.loadmat(file)


def test_one_signal(tmp_path):
    matrix = both(tmp_path, io.read_matrix, Value=np.ones((1, 4)), Time=np.arange(4.0),
                  Description=cell("a"), Atlas=structs({"Name": "A", "Scouts": structs(
                      {"Vertices": 3.0, "Label": "s", "Function": "Mean"})}))  # fmt: skip
    assert matrix.value.shape == (1, 4)
    assert matrix.description == matrix.row_names == ("a",)
    assert matrix.atlas.scouts[0].vertices.shape == (1,)
    assert matrix.effective_averages == 1.0
    assert again(tmp_path, matrix, "matrix")["Description"].shape == (1, 1)


@pytest.mark.parametrize("description", [cell("s"), EMPTY, cell("a", cell("b"), "c")])
def test_names_that_do_not_fit_cost_no_signals(tmp_path, description):
    """Brainstorm names rows of 'All' scouts once; other toolboxes leave names out."""
    matrix = both(tmp_path, io.read_matrix, Value=np.ones((2, 3)), Description=description)
    assert matrix.row_names == ("row 1", "row 2")


def test_names_in_two_columns(tmp_path):
    matrix = io.read_matrix(save(tmp_path / "m.mat", Value=np.ones((2, 3)),
                                 Description=cell("a", "b", shape=(2, 1))))  # fmt: skip
    assert matrix.row_names == ("a", "b")


def test_signals_must_have_a_sample_a_time(tmp_path):
    with pytest.raises(SchemaError, match="n_times = 4"):
        io.read_matrix(save(tmp_path / "m.mat", Time=np.arange(3.0), Value=np.ones((2, 4))))


def test_one_dipole(tmp_path):
    dipole = {"Index": 1.0, "Time": 0.1, "Origin": np.zeros((1, 3)), "Loc": np.ones((3, 1)),
              "Amplitude": np.full((3, 1), 1e-8), "Errors": 0.0, "Noise": EMPTY,
              "Goodness": 0.5, "DOF": 30.0}  # fmt: skip
    dipoles = both(tmp_path, io.read_dipoles, Dipole=structs(dipole), Time=0.1,
                   DipoleNames=cell("Group #1"), Subset=1.0)  # fmt: skip
    assert dipoles.positions.shape == dipoles.amplitudes.shape == (1, 3)
    np.testing.assert_array_equal(dipoles.times, [0.1])
    np.testing.assert_array_equal(dipoles.goodness, [0.5])
    assert dipoles.dipole[0].khi2 is None
    found = again(tmp_path, dipoles, "dipoles")["Dipole"]
    assert found[0, 0]["Loc"].shape == (3, 1)
    assert found[0, 0]["Origin"].shape == (1, 3)


def test_missing_parts_of_dipoles_are_nan(tmp_path):
    rows = structs({"Time": 0.0, "Loc": np.ones((3, 1))}, {"Time": EMPTY, "Loc": EMPTY})
    dipoles = both(tmp_path, io.read_dipoles, Dipole=rows)
    np.testing.assert_array_equal(np.isnan(dipoles.positions).any(axis=1), [False, True])
    assert np.isnan(dipoles.times[1])
    assert np.isnan(dipoles.goodness).all()


def test_one_frequency(tmp_path):
    timefreq = both(tmp_path, io.read_timefreq, TF=np.ones((2, 3)), Freqs=10.0,
                    RowNames=cell("a", "b"), Time=np.arange(3.0))  # fmt: skip
    assert timefreq.tf.shape == (2, 3, 1)
    assert timefreq.freqs.shape == (1,)
    again(tmp_path, timefreq, "timefreq")


@pytest.mark.parametrize("value", [1.5, 1 + 2j])
def test_one_number(tmp_path, value):
    timefreq = both(tmp_path, io.read_timefreq, TF=value, Freqs=10.0)
    assert timefreq.tf.shape == (1, 1, 1)
    assert timefreq.tf[0, 0, 0] == value
    assert timefreq.is_spectrum
    again(tmp_path, timefreq, "timefreq")


def test_complex_coefficients(tmp_path):
    tf = np.arange(12.0).reshape(2, 3, 2) * (1 - 2j)
    timefreq = both(tmp_path, io.read_timefreq, TF=tf, Freqs=np.array([[4.0, 8.0]]),
                    Measure="none", RowNames=np.array([[1.0, 2.0, 3.0]]))  # fmt: skip
    np.testing.assert_array_equal(timefreq.tf, tf)
    np.testing.assert_array_equal(timefreq.row_names, [1, 2, 3])
    assert not timefreq.is_of_pairs
    again(tmp_path, timefreq, "timefreq")


def test_one_band(tmp_path):
    bands = cell("alpha", "8, 12", "mean", shape=(1, 3))
    timefreq = both(tmp_path, io.read_timefreq, TF=np.ones((2, 3)), Freqs=bands)
    assert timefreq.freqs is None
    assert timefreq.freq_bands == (("alpha", "8, 12", "mean"),)
    assert timefreq.bands == {"alpha": (8.0, 12.0)}
    assert again(tmp_path, timefreq, "timefreq")["Freqs"].shape == (1, 3)


def test_bands_with_numbers_as_bounds(tmp_path):
    bands = cell("a", np.array([[8.0, 12.0]]), "mean", "b", "13 20", "max", shape=(2, 3))
    timefreq = io.read_timefreq(save(tmp_path / "t.mat", TF=np.ones((2, 3, 2)), Freqs=bands))
    assert timefreq.bands == {"a": (8.0, 12.0), "b": (13.0, 20.0)}
    assert all(np.isnan(band_bounds((("a", "much", "mean"),))["a"]))


def test_bands_of_time(tmp_path):
    rows = cell("early", "0, 0.1", "mean", "late", "0.1, 0.3", "mean", shape=(2, 3))
    timefreq = both(tmp_path, io.read_timefreq, TF=np.ones((4, 2, 3)), TimeBands=rows,
                    Freqs=np.arange(1.0, 4.0), Time=np.arange(9.0))  # fmt: skip
    assert [row[0] for row in timefreq.time_bands] == ["early", "late"]
    again(tmp_path, timefreq, "timefreq")


def test_rows_of_pairs(tmp_path):
    timefreq = both(tmp_path, io.read_timefreq, TF=np.ones((4, 1, 2)), Freqs=np.ones((1, 2)),
                    RowNames=cell("a", "b"), RefRowNames=cell("a", "b"))  # fmt: skip
    assert timefreq.is_of_pairs


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"TF": "abc"}, "TF: the text 'abc' found"),
        ({"TF": EMPTY}, "TF: is empty"),
        ({"TF": np.ones((2, 3, 4)), "Freqs": np.ones((1, 3))}, "n_freqs = 3"),
        ({"TF": np.ones((2, 3, 2)), "Freqs": cell("a", "b")}, "name, bounds and function"),
        ({"TF": np.ones((2, 3)), "TimeBands": cell("a", "1 2", "mean")}, "n_tf_times = 1"),
        ({"TF": np.ones((2, 3, 4, 5))}, "shape"),
    ],
)
def test_wrong_maps_are_refused(tmp_path, variables, words):
    with pytest.raises(SchemaError, match=words):
        io.read_timefreq(save(tmp_path / "t.mat", **variables))


def test_maps_that_contradict_are_not_written(tmp_path):
    with pytest.raises(SchemaError, match="TF: shape"):
        io.write_timefreq(tmp_path / "t.mat", io.TimeFreq(tf=np.ones((2, 3, 4)), freqs=np.ones(3)))
    with pytest.raises(SchemaError, match="rows of three texts"):
        io.write_timefreq(
            tmp_path / "t.mat", io.TimeFreq(tf=np.ones((2, 3, 1)), freq_bands=(("a", "1 2"),))
        )


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 4)])
def test_tests_of_any_shape(tmp_path, shape):
    found = both(tmp_path, io.read_statistics, tmap=np.ones(shape), pmap=np.ones(shape),
                 df=7.0, Type="timefreq", Correction="no", DisplayUnits="t")  # fmt: skip
    assert found.tmap.shape == found.pmap.shape == shape
    assert found.df == 7.0
    again(tmp_path, found, "statistics")


def test_a_test_of_one_value(tmp_path):
    found = both(tmp_path, io.read_statistics, tmap=2.0, pmap=0.1, df=9.0)
    assert found.tmap.shape == (1, 1)
    assert float(np.squeeze(found.df)) == 9.0
    again(tmp_path, found, "statistics")


def test_a_permutation_test_has_p_values_alone(tmp_path):
    found = both(tmp_path, io.read_statistics, tmap=EMPTY, pmap=np.ones((2, 3)), df=EMPTY)
    assert found.tmap is None
    assert "2 × 3" in repr(found)


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"tmap": np.ones((2, 3)), "pmap": np.ones((2, 4))}, "n_map_times = 3"),
        ({"tmap": EMPTY, "pmap": EMPTY}, "both are empty"),
        ({"tmap": "t", "pmap": EMPTY}, "tmap"),
    ],
)
def test_wrong_tests_are_refused(tmp_path, variables, words):
    with pytest.raises(SchemaError, match=words):
        io.read_statistics(save(tmp_path / "p.mat", **variables))


def test_the_reader_of_another_kind_is_named(data_dir):
    folder = data_dir / "misc" / "data" / "Subject01" / "blink"
    for name, reader in (("dipoles_fit", "dipoles"), ("matrix_sim_xyz", "matrix"),
                         ("timefreq_fft_261126_1725", "timefreq"),
                         ("pdata_no_261126_1725", "statistics")):  # fmt: skip
        with pytest.raises(SchemaError, match=f"use read_{reader}"):
            io.read_noise_cov(folder / f"{name}.mat")
