"""MATLAB 5 files byte by byte: what is right is read, what is wrong is named, nothing crashes."""

from __future__ import annotations

import struct
import tracemalloc

import numpy as np
import pytest
import scipy.io
from io_helpers import cell, structs
from mat5_bytes import (
    array,
    compressed,
    doubles,
    element,
    nested,
    number,
    sparse,
    text,
    write_5,
)
from scipy.sparse import csc_array, issparse

from mne_bstinv.errors import MatFileError
from mne_bstinv.io import limits, mat, mat5
from mne_bstinv.io.raw import freeze_variable
from mne_bstinv.io.variable import Unreadable, Variable


def as_scipy_reads(value):
    """What scipy.io.loadmat(squeeze_me=True) gives, in the form of mne_bstinv.io.variable."""
    if issparse(value):
        return csc_array(value)
    if isinstance(value, np.ndarray) and value.dtype.names:
        flat = value.reshape(-1)
        columns = {n: [as_scipy_reads(row[n]) for row in flat] for n in value.dtype.names}
        one = value.ndim == 0
        return {name: column[0] if one else column for name, column in columns.items()}
    if isinstance(value, np.ndarray) and value.dtype == object:
        return [as_scipy_reads(item) for item in value]
    return value


def assert_same(ours, theirs, place):
    assert type(ours) is type(theirs) or np.isscalar(ours), place
    if isinstance(theirs, dict):
        assert list(ours) == list(theirs), place
        for name in theirs:
            assert_same(ours[name], theirs[name], f"{place}.{name}")
    elif isinstance(theirs, list):
        assert len(ours) == len(theirs), place
        for index, pair in enumerate(zip(ours, theirs, strict=True)):
            assert_same(*pair, f"{place}({index + 1})")
    elif issparse(theirs):
        assert ours.shape == theirs.shape
        assert (ours != theirs).nnz == 0, place
    elif isinstance(theirs, np.ndarray):
        np.testing.assert_array_equal(ours, theirs, err_msg=place)
        assert not theirs.size or ours.dtype == theirs.dtype, place
    else:
        assert ours == theirs or ours != ours, place


@pytest.mark.parametrize("folder", ["eeg_shared", "eeg_volume", "meg_eeg", "mixed"])
def test_every_file_has_the_values_that_scipy_reads(data_dir, folder):
    files = [file for file in sorted((data_dir / folder).rglob("*.mat")) if file.stat().st_size]
    for file in files[::4]:
        theirs = scipy.io.loadmat(file, squeeze_me=True)
        ours = mat.read(file)
        assert list(ours) == [name for name in theirs if not name.startswith("__")]
        for name, variable in ours.items():
            assert_same(variable.value, as_scipy_reads(theirs[name]), f"{file}: {name}")


@pytest.mark.parametrize("compress", [False, True])
def test_all_classes_shapes_and_nestings(tmp_path, compress):
    content = {
        "three": np.arange(24.0).reshape(2, 3, 4),
        "one_by_n_by_m": np.arange(6).reshape(1, 2, 3),
        "complex": np.array([[1 + 2j, 3 - 1j]]),
        "complex_one": np.array([[1 + 2j]]),
        "nan": np.array([[np.nan, np.inf]]),
        "complex_infinite": np.array([[complex(1, np.inf), complex(np.inf, 2)]]),
        "sparse": csc_array(np.diag([1.0, 0, 2])),
        "sparse_complex": csc_array(np.diag([1j, 0, 2])),
        "sparse_nothing": csc_array((3, 4)),
        "rows": np.array(["abc", "de "]),
        "cells": cell(*range(6), shape=(2, 3)),
        "cells_3d": cell(*range(8), shape=(2, 2, 2)),
        "deep": cell(cell(cell("x", 1.0)), np.zeros((0, 3))),
        "structs": structs({"a": 1.0, "b": cell("u", "v")}, {"a": "t", "b": np.eye(2)}),
        "nothing": np.zeros((0, 0)),
        "no_structs": np.zeros((0, 0), dtype=[("b", object), ("a", object)]),
        **{f"of_{t}": np.array([[1, 2, 100]], dtype=t) for t in ("i1", "u1", "i2", "u2", "i4",
                                                                "u4", "i8", "u8", "f4", "f8")},
    }  # fmt: skip
    scipy.io.savemat(tmp_path / "a.mat", content, do_compression=compress)
    theirs = scipy.io.loadmat(tmp_path / "a.mat", squeeze_me=True)
    ours = mat.read(tmp_path / "a.mat")
    whos = {name: (s, k) for name, s, k in scipy.io.whosmat(tmp_path / "a.mat")}
    for name in content:
        if name != "cells_3d":  # lists of lists of lists, as the text of the module says
            assert_same(ours[name].value, as_scipy_reads(theirs[name]), name)
        if name != "rows":  # whosmat counts the rows of text alone
            assert (ours[name].shape, ours[name].matlab_class) == whos[name], name
    assert ours["cells_3d"].value == [[[0, 1], [2, 3]], [[4, 5], [6, 7]]]
    assert ours["no_structs"].value == {"b": [], "a": []}


def test_files_of_big_endian_machines(tmp_path):
    content = array(
        "CELL", (1, 3),
        array("DOUBLE", (2, 2), doubles(1, 2, 3, 4, order=">"), order=">"),
        array("DOUBLE", (1, 1), doubles(0.5, order=">"), order=">"),
        array("CHAR", (1, 2), element("UINT16", "hé".encode("utf-16-be"), order=">"), order=">"),
        name="a", order=">",
    )  # fmt: skip
    found = mat.read(write_5(tmp_path / "a.mat", content, order=">"))["a"].value
    np.testing.assert_array_equal(found[0], [[1, 3], [2, 4]])
    assert found[0].dtype.isnative
    assert found[1:] == [0.5, "hé"]


@pytest.mark.parametrize("value", ["µV1", "AF7µé脑", "x😀y", "plain", "ends "])
@pytest.mark.parametrize(
    ("kind", "encoding", "counts"),
    [
        ("UINT16", "utf-16-le", "units"), ("UTF16", "utf-16-le", "units"),  # MATLAB
        ("UTF8", "utf-8", "units"), ("UTF8", "utf-8", "letters"), ("UTF32", "utf-32-le", "letters"),
        ("UINT8", "utf-8", "bytes"), ("INT8", "utf-8", "bytes"),  # Octave
    ],
)  # fmt: skip
def test_text_of_every_encoding(tmp_path, value, kind, encoding, counts):
    data = value.encode(encoding)
    n = {"units": len(value.encode("utf-16-le")) // 2, "letters": len(value), "bytes": len(data)}
    file = write_5(tmp_path / "a.mat", text(kind, data, (1, n[counts])))
    assert mat.read(file)["a"].value == value


def test_rows_of_text_with_letters_of_two_units(tmp_path):
    data = "a😀bcd".encode("utf-16-le")  # two rows of three units, column by column: a-bd, pair, c
    units = np.frombuffer(data, "<u2").reshape(2, 3)
    file = write_5(tmp_path / "a.mat", text("UINT16", units.T.tobytes(), (2, 3)))
    assert mat.read(file)["a"].value.tolist() == ["a😀", "bcd"]


def test_text_with_a_size_but_no_characters(tmp_path):
    file = write_5(tmp_path / "a.mat", text("UTF8", b"", (1, 5)))
    assert mat.read(file)["a"].value.size == 0


def test_function_handles_and_objects_are_named(tmp_path):
    inner = array("STRUCT", (1, 1), element("INT32", struct.pack("<i", 8)),
                  element("INT8", b"x\0\0\0\0\0\0\0"), number(""))  # fmt: skip
    handle = array("FUNCTION", (1, 1), inner)
    flags = element("UINT32", struct.pack("<II", 17, 0))
    names = b"".join(element("INT8", name) for name in (b"s", b"MCOS", b"string"))
    opaque = element("MATRIX", flags + names + array("DOUBLE", (1, 1), doubles(1.0)))
    cells = array("CELL", (1, 2), handle, number(""), name="c")
    workspace = array("UINT8", (1, 4), element("UINT8", b"abcd"))
    found = mat.read(write_5(tmp_path / "a.mat", number(), cells, opaque, workspace))
    assert list(found) == ["a", "c", "s"]
    assert found["c"].value == [Unreadable("a function handle"), 1.0]
    assert str(found["s"].value) == "an object of the MATLAB class string"
    assert list(mat.read(tmp_path / "a.mat", ["s"])) == ["s"]


@pytest.mark.parametrize(
    ("rows", "starts", "words"),
    [
        ([0, 1], [0, 1, 2], None),
        ([1, 0], [0, 1, 2], None),  # rows may fall from a column to the next
        ([0, 2], [0, 1, 2], "row indices out of range or order"),
        ([-1, 0], [0, 1, 2], "row indices out of range or order"),
        ([1, 0], [0, 2, 2], "row indices out of range or order"),
        ([1, 1], [0, 2, 2], "row indices out of range or order"),
        ([0, 1], [0, 2, 1], "columns contradict its values"),
        ([0, 1], [0, -1, 2], "columns contradict its values"),
        ([0, 1], [1, 1, 2], "columns contradict its values"),
        ([0, 1], [0, 1, 3], "columns contradict its values"),
        ([0, 1], [0, 2], "2 columns with 2 starts"),
    ],
)
def test_sparse_indices(tmp_path, rows, starts, words):
    variable = mat.read(write_5(tmp_path / "a.mat", sparse(rows, starts, (2, 2))))["a"]
    assert (variable.shape, variable.matlab_class) == ((2, 2), "sparse")
    if words is None:
        expected = np.zeros((2, 2))
        expected[rows, [0, 1]] = [1, 2]
        np.testing.assert_array_equal(variable.value.toarray(), expected)
    else:
        assert words in str(variable.value)


BILLION = (1, 10**9)
FIELDS = element("INT32", struct.pack("<i", 8)) + element("INT8", b"x\0\0\0\0\0\0\0")


@pytest.mark.parametrize(
    ("variable", "words"),
    [
        (array(99, (1, 1), doubles(1.0), name="a"), "class 99 of an array"),
        (array(0, (1, 1), doubles(1.0), name="a"), "class 0 of an array"),
        (array("DOUBLE", (1, 1), element(19, b"12345678"), name="a"), "a: type 19 for numbers"),
        (array("DOUBLE", (1, 1), element(0, b"12345678"), name="a"), "a: type 0 for numbers"),
        (array("DOUBLE", (1, 1), element("MATRIX", b"12345678"), name="a"), "type 14 for numbers"),
        (array("DOUBLE", (1, 2), doubles(1.0), name="a"), r"a: 1 numbers for dimensions \(1, 2\)"),
        (array("DOUBLE", (1, 1), doubles(1.0), b"\0" * 64, name="a"), "a: 64 bytes more than"),
        (array("DOUBLE", (1, 1), element("DOUBLE", b"1234", size=5), name="a"), "a: 5 bytes for"),
        (array("DOUBLE", (1,), doubles(1.0), name="a"), r"dimensions \(1,\)"),
        (array("DOUBLE", (-1, 1), doubles(1.0), name="a"), r"dimensions \(-1, 1\)"),
        (array("DOUBLE", (2**31 - 1,) * 3 + (0,), doubles(), name="a"), r"dimensions \(2147483647"),
        (array("STRUCT", (1, 1), element("INT32", struct.pack("<i", 8)),
               element("INT8", b"\0" * 8), number(""), name="a"), "two fields of one name, or one"),
        (array("DOUBLE", (1,) * 33, doubles(1.0), name="a"), "type 5 and 132 bytes for integers"),
        (array("DOUBLE", (1, 1), doubles(1.0), name="a", flags=8), "a: an element is missing"),
        (array("DOUBLE", (1, 1), doubles(1.0), doubles(1, 2), name="a", flags=8),
         "a: 1 real and 2 imaginary parts"),
        (array("CHAR", (1, 1), element("UTF8", b"x"), name="a", flags=2), "flags 2 of a char"),
        (array("CELL", (0, 0), name="a", flags=8), "flags 8 of a cell"),
        (array("INT16", (1, 1), doubles(1.5), name="a"), "a: fractions in an array of class int16"),
        (array("CHAR", (1, 1), element("SINGLE", b"1234"), name="a"), "a: type 7 for text"),
        (array("CHAR", (1, 9), element("UTF8", b"abc"), name="a"), "a: 3 characters where 9"),
        (array("CELL", BILLION, name="a"), "a: a cell of 1000000000 entries in 0 bytes"),
        (array("CELL", (46341, 46341), number(""), name="a"), "a cell of 2147488281 entries"),
        (array("CELL", (1, 1), element("DOUBLE", b"12345678"), name="a"), "type 9, where an array"),
        (array("STRUCT", BILLION, FIELDS, name="a"), "a: 1000000000 structs of 1 fields"),
        (array("STRUCT", (1, 1), element("INT32", struct.pack("<i", 0)), element("INT8", b"x"),
               number(""), name="a"), "a: 1 letters for names"),
        (array("STRUCT", (1, 1), element("INT32", struct.pack("<i", 1)), element("INT8", b"xx"),
               number(""), number(""), name="a"), "a: two fields of one name"),
        (array("SPARSE", (2, 2), doubles(0), doubles(0, 1, 1), doubles(1), name="a"),
         "a: no indices of a sparse array"),
        (nested(100), "a: cells and structs more than 64 deep"),
        (nested(20000), "a: cells and structs more than 64 deep"),
        (element("DOUBLE", b"12345678"), "type 9 at byte 128, where a variable should begin"),
        (element("MATRIX", number()[8:], size=999), "a variable of 999 bytes at byte 128, beyond"),
        (element("MATRIX", b"12345678"), "an array of 8 bytes"),
        (b"\x0e\0\0\0", "type 0 at byte 128"),
        (number() + b"\0" * 8, "type 0 at byte 200"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("version", ["v6", "v7"])
def test_what_contradicts_itself_is_named(tmp_path, variable, words, version):
    # a compressed variable lies elsewhere in the file: the words are others
    other = version == "v7" and "at byte" in words
    body = compressed(variable) if version == "v7" else variable
    words = "" if other else words
    with pytest.raises(MatFileError, match=rf"a\.mat: not a MATLAB file, or a damaged.*{words}"):
        mat.read(write_5(tmp_path / "a.mat", body))


@pytest.mark.parametrize(
    ("variable", "words"),
    [
        (compressed(element("MATRIX", number()[8:], size=10**9)), "1000000000 bytes from"),
        (compressed(number() + b"more"), "64 bytes that is longer, or cut short"),
        (compressed(number()[:-8]), "64 bytes that is longer, or cut short"),
        (compressed(b"abc"), "type 0, where"),
        (compressed(element("DOUBLE", b"12345678")), "type 9, where"),
        (element("COMPRESSED", b"no zlib stream"), "incorrect header check"),
        (compressed(number())[:-1] + b"x", "incorrect data check"),
    ],
)
def test_compressed_variables_that_lie(tmp_path, variable, words):
    for names in (None, ["a"]):
        with pytest.raises(MatFileError, match=words):
            mat.read(write_5(tmp_path / "a.mat", variable), names)


def test_many_empty_cells_are_bounded_by_the_size_of_the_file(tmp_path):
    """80 MB of tags of nothing compress to 80 KB."""
    count = limits.max_elements(0) + 1
    bomb = array("CELL", (1, count), element("MATRIX", b"") * count, name="a")
    with pytest.raises(MatFileError, match="a: more cells and structs than the size of the file"):
        mat.read(write_5(tmp_path / "a.mat", compressed(bomb)))
    whole = array("CELL", (1, 10**5), element("MATRIX", b"") * 10**5, name="a")
    found = mat.read(write_5(tmp_path / "a.mat", compressed(whole)))["a"].value
    assert len(found) == 10**5
    assert all(item is found[0] for item in found)  # nothing takes no memory, in cells of it alone


NONE = element("MATRIX", b"")
PAIR = array("DOUBLE", (1, 2), doubles(1, 2))


@pytest.mark.parametrize(
    "entry",
    [
        NONE,
        array("DOUBLE", (0, 0), doubles()),
        PAIR,
        array("CHAR", (1, 8), element("UINT8", b"letters!")),
        array("CELL", (1, 2), NONE, NONE),
        array("STRUCT", (1, 1), FIELDS, NONE),
    ],
    ids=["nothing", "empty", "pair", "text", "cell", "struct"],
)
def test_memory_of_many_small_entries(tmp_path, entry):
    """At most four times the bytes of the file, with a last entry unlike the others."""
    content = array("CELL", (1, 5_001), entry * 5_000, number(""), name="a")
    file = write_5(tmp_path / "a.mat", content)
    mat.read(write_5(tmp_path / "first.mat", number()))
    tracemalloc.start()
    value = mat.read(file)["a"].value
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * len(content)
    assert len(value) == 5_001
    assert value[-1] == 1.0


def test_memory_of_a_field_of_many_empty_entries():
    """Kept as a field that no attribute stands for."""
    cells = Variable([np.zeros(0)] * 50_000 + [1.0], (1, 50_001), "cell")
    tracemalloc.start()
    kept = freeze_variable(cells)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * 8 * 50_001
    assert (kept.shape, kept[0, -1]) == ((1, 50_001), 1.0)


def test_arrays_inside_cells_are_their_own(tmp_path):
    """An array that is kept does not keep all that was read, and may be changed."""
    file = write_5(tmp_path / "a.mat", array("CELL", (1, 3), PAIR, PAIR, PAIR, name="a"))
    first, second, third = mat.read(file)["a"].value
    first[0] = 5.0
    assert (second[0], third[0]) == (1.0, 1.0)
    assert all(item.base is None or item.base.nbytes == 16 for item in (first, second, third))


def test_only_the_wanted_variables_are_inflated(tmp_path, monkeypatch):
    file = write_5(tmp_path / "a.mat", compressed(number("big")), compressed(number("small", 2.0)))
    read = []
    original = mat5._opened
    monkeypatch.setattr(mat5, "_opened", lambda *a: read.append(a[1]) or original(*a))
    assert mat.read(file, ["small"])["small"].value == 2.0
    assert len(read) == 1


def test_two_variables_of_one_name(tmp_path):
    """The last counts, as in MATLAB."""
    file = write_5(tmp_path / "a.mat", number("a", 1.0), number("a", 2.0))
    assert mat.read(file)["a"].value == 2.0


@pytest.mark.parametrize("compress", [False, True])
def test_arrays_are_not_copied(tmp_path, compress):
    """A gain of a gigabyte is in memory once."""
    gain = np.random.default_rng(0).standard_normal((30, 10_000))
    scipy.io.savemat(tmp_path / "a.mat", {"a": gain}, do_compression=compress)
    tracemalloc.start()
    value = mat.read(tmp_path / "a.mat")["a"].value
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < (2.5 if compress else 2) * gain.nbytes
    np.testing.assert_array_equal(value, gain)
    assert value.flags.f_contiguous
    assert value.flags.writeable


@pytest.mark.parametrize("limit", [mat5.SMALLEST, mat5.STEP])
@pytest.mark.parametrize("by", [-8, 0, 8])
def test_variables_about_as_large_as_what_is_inflated_at_once(limit, by, tmp_path):
    head = len(array("DOUBLE", (1, 1), doubles(), name="a"))
    values = np.random.default_rng(by + 8).standard_normal((limit + by - head) // 8)
    variable = array("DOUBLE", (1, len(values)), doubles(*values), name="a")
    assert len(variable) == limit + by
    file = write_5(tmp_path / "a.mat", compressed(variable), compressed(number("b", 2.0)))
    found = mat.read(file)
    np.testing.assert_array_equal(found["a"].value, values)
    assert found["b"].value == 2.0
    longer = write_5(tmp_path / "longer.mat", compressed(variable + bytes(8)))
    with pytest.raises(MatFileError, match="that is longer, or cut short"):
        mat.read(longer)
