"""MATLAB 7.3 files: nothing outside is read, nothing beyond what is stored, nothing for ever."""

from __future__ import annotations

import os
import shutil
import tracemalloc
import zlib

import h5py
import numpy as np
import pytest
from helpers_mat73 import save_73, twin_73
from io_helpers import cell, differences, structs
from scipy.sparse import csc_array

from mne_bstinv import io
from mne_bstinv.conversion import conversion_report
from mne_bstinv.errors import MatFileError
from mne_bstinv.io import limits, mat
from mne_bstinv.io.variable import Unreadable

SECRET = "text of another file"


def make(tmp_path, change, **content):
    """Write a 7.3 file and let ``change`` alter it."""
    file = tmp_path / "a.mat"
    save_73(file, {"good": np.eye(2), **content})
    with h5py.File(file, "r+") as opened:
        change(opened)
    return file


def with_class(dataset, kind="double"):
    dataset.attrs["MATLAB_class"] = np.bytes_(kind)


def external_link(file, other):
    with h5py.File(other, "w") as target:
        with_class(target.create_dataset("x", data=np.frombuffer(SECRET.encode(), "u1")), "char")
    file["bad"] = h5py.ExternalLink(str(other), "x")


def link_to_a_pipe(file, other):
    os.mkfifo(other)
    file["bad"] = h5py.ExternalLink(str(other), "x")


def external_storage(file, other):
    other.write_bytes(SECRET.encode())
    shape = (len(SECRET), 1)
    with_class(file.create_dataset("bad", shape, "u1", external=[(str(other), 0, 100)]), "char")


def virtual(file, other):
    with h5py.File(other, "w") as target:
        target["x"] = np.arange(4.0)
    layout = h5py.VirtualLayout((4,), "f8")
    layout[:] = h5py.VirtualSource(str(other), "x", (4,))
    with_class(file.create_virtual_dataset("bad", layout))


def virtual_without_source(file, other):
    layout = h5py.VirtualLayout((4,), "f8")
    layout[:] = h5py.VirtualSource(str(other), "x", (4,))
    with_class(file.create_virtual_dataset("bad", layout))


def virtual_of_itself(file, other):
    layout = h5py.VirtualLayout((4,), "f8")
    layout[:] = h5py.VirtualSource(".", "bad", (4,))
    with_class(file.create_virtual_dataset("bad", layout))


def virtual_without_end(file, other):
    """The size of which is that of its source: HDF5 opens it to tell the shape."""
    os.mkfifo(other)
    endless = (h5py.h5s.UNLIMITED, 4)
    space = h5py.h5s.create_simple((4, 4), endless)
    space.select_hyperslab((0, 0), (h5py.h5s.UNLIMITED, 1), None, (1, 4))
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_virtual(space, os.fsencode(other), b"x", space)
    whole = h5py.h5s.create_simple((4, 4), endless)
    made = h5py.h5d.create(file.id, b"bad", h5py.h5t.NATIVE_DOUBLE, whole, plist)
    with_class(h5py.Dataset(made))


def soft_link(file, other):
    file["bad"] = h5py.SoftLink("/good")


pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in this system")
OUTSIDE = [external_link, external_storage, virtual, virtual_without_source, virtual_of_itself,
           soft_link, pytest.param(link_to_a_pipe, marks=pipes),
           pytest.param(virtual_without_end, marks=pipes)]  # fmt: skip


@pytest.mark.parametrize("change", OUTSIDE)
def test_nothing_outside_is_read(tmp_path, change):
    file = make(tmp_path, lambda opened: change(opened, tmp_path / "other"))
    words = r"a\.mat: bad: .*Nothing outside a file is read through it: save the file anew"
    with pytest.raises(MatFileError, match=words) as error:
        mat.read(file)
    assert SECRET not in str(error.value)


@pytest.mark.parametrize("change", OUTSIDE[:6])
def test_nothing_outside_is_read_in_structs_and_cells(tmp_path, change):
    def inside(opened):
        group = opened.create_group("s")
        with_class(group, "struct")
        change(group, tmp_path / "other")
        references = np.array([[group.ref]], h5py.ref_dtype)
        with_class(opened.create_dataset("c", data=references), "cell")

    file = make(tmp_path, inside)
    with pytest.raises(MatFileError, match=r"a\.mat: s\.bad: .*Nothing outside"):
        mat.read(file, ["s"])
    with pytest.raises(MatFileError, match=r"a\.mat: c.*bad: .*Nothing outside"):
        mat.read(file, ["c"])
    np.testing.assert_array_equal(mat.read(file, ["good"])["good"].value, np.eye(2))


@pytest.mark.parametrize("n_others", [9, 600])
@pytest.mark.parametrize("whole", [True, False])
def test_the_link_is_named_in_a_large_group_too(tmp_path, n_others, whole):
    """HDF5 turns a group into its newer form, which is not read, when a link leads out of it."""

    def inside(opened):
        group = opened if whole else opened.create_group("s")
        with_class(group, "struct")
        for index in range(n_others):
            with_class(group.create_dataset(f"x{index}", data=[[1.0]]))
        external_link(group, tmp_path / "other")

    file = make(tmp_path, inside)
    place = "bad" if whole else r"s\.bad"
    with pytest.raises(MatFileError, match=rf"a\.mat: {place}: a link to another file\. Nothing"):
        mat.read(file)


def test_links_that_lead_out_are_refused_whatever_is_asked_for(tmp_path):
    file = make(tmp_path, lambda opened: external_link(opened, tmp_path / "other"))
    with pytest.raises(MatFileError, match="bad: a link to another file"):
        mat.read(file, ["good"])


def never_written(file):
    with_class(file.create_dataset("bad", (1, 3 * 10**8), "f8", chunks=(1, 10**6)))


def never_written_columns(file):
    group = file.create_group("bad")
    with_class(group)
    group.attrs["MATLAB_sparse"] = np.uint64(3)
    group.create_dataset("jc", (4 * 10**8,), "u8", chunks=(10**6,))


def one_chunk_of_many(file):
    data = file.create_dataset("bad", (10**4, 10**4), "f8", chunks=(10, 10))
    with_class(data)
    data[:10, :10] = 1


def never_written_cell(file):
    with_class(file.create_dataset("bad", (10**8, 1), h5py.ref_dtype, chunks=(10**6, 1)), "cell")


NEVER_WRITTEN = [never_written, never_written_columns, never_written_cell, one_chunk_of_many]


@pytest.mark.parametrize("change", NEVER_WRITTEN)
def test_what_was_never_written_takes_no_memory(tmp_path, change):
    """The other variables are read; the environment variable lets the array be read after all."""
    found = mat.read(make(tmp_path, change))
    np.testing.assert_array_equal(found["good"].value, np.eye(2))
    assert "bytes, of which" in str(found["bad"].value)
    assert limits.VARIABLE in str(found["bad"].value)


def test_the_bound_can_be_moved(tmp_path, monkeypatch):
    def change(file):
        data = file.create_dataset("a", (1000, 1000), "f8", chunks=(10, 10))
        with_class(data)
        data[:10, :10] = 1

    file = make(tmp_path, change)
    assert isinstance(mat.read(file)["a"].value, Unreadable)
    monkeypatch.setenv(limits.VARIABLE, "1e5")
    value = mat.read(file)["a"].value
    assert value.shape == (1000, 1000)
    assert value.sum() == 100
    monkeypatch.setenv(limits.VARIABLE, "many")
    assert limits.expansion() == limits.DEFLATE


def compressed_dataset(file, name="a", shape=(20, 30), **options):
    data = np.arange(float(np.prod(shape))).reshape(shape)
    with_class(file.create_dataset(name, data=data, chunks=(7, 8), **options))
    return data


@pytest.mark.parametrize(
    "options",
    [{}, {"compression": 4}, {"compression": 9, "shuffle": True}, {"maxshape": (None, None)}],
)
def test_chunks_are_put_together_as_hdf5_does(tmp_path, options):
    file = make(tmp_path, lambda opened: compressed_dataset(opened, **options))
    np.testing.assert_array_equal(mat.read(file)["a"].value, np.arange(600.0).reshape(20, 30).T)


@pytest.mark.parametrize(("options", "fill"), [({}, "0.0"), ({"fillvalue": np.nan}, "nan")])
def test_chunks_that_were_never_written_are_what_hdf5_fills_in(tmp_path, options, fill):
    def change(file):
        data = file.create_dataset("a", (20, 30), "f4", chunks=(7, 8), compression=1, **options)
        with_class(data, "single")
        data[7:14, 8:16] = 5

    found = mat.read(make(tmp_path, change))
    with h5py.File(tmp_path / "a.mat") as file:
        np.testing.assert_array_equal(found["a"].value, file["a"][()].T)
    note = f"544 of 600 values were never written to the file: they are taken as {fill}"
    assert found["a"].notes == (("a", note),)
    assert found["good"].notes == ()


def test_a_structure_reports_what_was_never_written(tmp_path, data_dir):
    """However deep it is, and of each variable its own."""
    source = next((data_dir / "sample_small").rglob("headmodel_*.mat"))
    file = tmp_path / source.name
    twin_73(source, file)

    def with_gap(group, name):
        values = group[name][()]
        attributes = dict(group[name].attrs)
        del group[name]
        chunks = (-(-values.shape[0] // 2), *values.shape[1:])
        data = group.create_dataset(name, values.shape, values.dtype, chunks=chunks)
        data[: chunks[0]] = values[: chunks[0]]
        data.attrs.update(attributes)

    with h5py.File(file, "r+") as opened:
        with_gap(opened, "GridOrient")
        with_class(opened.create_group("Mine"), "struct")
        opened["Mine"]["deep"] = np.arange(4.0)[:, None]
        with_gap(opened["Mine"], "deep")
    found = {f.field: f.reason for f in conversion_report(io.read_head_model(file)).of("assumed")}
    n = io.read_head_model(source).n_sources
    words = "values were never written to the file: they are taken as 0.0"
    assert found["GridOrient"] == f"{n} of {3 * n} {words}"
    assert found["Mine.deep"] == f"2 of 4 {words}"


@pytest.mark.parametrize("size", [8, 7 * 8 * 8 + 8])
def test_chunks_of_another_size_are_refused(tmp_path, size):
    """HDF5 would leave part of the array as it finds the memory."""

    def change(file):
        compressed_dataset(file, compression=4)
        file["a"].id.write_direct_chunk((0, 0), zlib.compress(b"\0" * size))

    file = make(tmp_path, change)
    with pytest.raises(MatFileError, match=r"a: a chunk of 448 bytes that holds (\d+)"):
        mat.read(file)


def test_chunks_of_numbers_of_another_form_are_refused(tmp_path):
    """HDF5 converts numbers of 12 bits; here they would be taken for numbers of 32."""

    def change(file):
        kind = h5py.h5t.STD_I32LE.copy()
        kind.set_precision(12)
        kind.set_offset(4)
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_chunk((2, 1))
        space = h5py.h5s.create_simple((4, 1))
        with_class(h5py.Dataset(h5py.h5d.create(file.id, b"a", kind, space, plist)), "int32")
        file["a"][:] = [[1], [2], [3], [-4]]

    with pytest.raises(MatFileError, match="a: numbers of a form that MATLAB does not write"):
        mat.read(make(tmp_path, change))


def test_filters_that_matlab_does_not_use_are_not_run(tmp_path):
    file = make(tmp_path, lambda opened: compressed_dataset(opened, compression="lzf"))
    with pytest.raises(MatFileError, match="a: compressed by filters"):
        mat.read(file)


def laughs(file):
    """Forty cells, each of which holds the next one twice."""
    inner = file["good"].ref
    for level in range(40):
        data = file.create_dataset(
            f"#refs#/r{level}", data=np.array([[inner, inner]], h5py.ref_dtype)
        )
        with_class(data, "cell")
        inner = data.ref
    file["bad"] = file["#refs#/r39"]


def cycle(file):
    one, two = file.create_group("bad"), file.create_group("#refs#/two")
    for group in (one, two):
        with_class(group, "struct")
    one["x"], two["x"], two["y"] = two, one, one


def cell_of_itself(file):
    data = file.create_dataset("bad", (1, 1), h5py.ref_dtype)
    with_class(data, "cell")
    data[0, 0] = data.ref


def deep(file):
    group = file.create_group("bad")
    with_class(group, "struct")
    for _ in range(100):
        group = group.create_group("x")
        with_class(group, "struct")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (laughs, "more cells and structs than the size of the file allows"),
        (cycle, "inside themselves"),
        (cell_of_itself, "inside themselves"),
        (deep, "65 deep"),
    ],
)
def test_references_are_bounded(tmp_path, change, words):
    with pytest.raises(MatFileError, match=rf"a\.mat: not a MATLAB .*: bad.*{words}"):
        mat.read(make(tmp_path, change))


def test_one_object_in_two_places(tmp_path):
    """MATLAB refers to one empty array from every empty entry of a cell."""

    def change(file):
        empty = file.create_dataset("#refs#/a", data=np.zeros(2, "u8"))
        with_class(empty, "canonical empty")
        empty.attrs["MATLAB_empty"] = np.uint8(1)
        references = np.array([[empty.ref, file["good"].ref, empty.ref]], h5py.ref_dtype).T
        with_class(file.create_dataset("a", data=references), "cell")

    value = mat.read(make(tmp_path, change))["a"].value
    assert [np.size(item) for item in value] == [0, 4, 0]


@pytest.mark.parametrize(
    ("kind", "data", "words"),
    [
        ("string", np.zeros((1, 6), "u4"), "an object of the MATLAB class string"),
        ("table", np.zeros((1, 6), "u4"), "an object of the MATLAB class table"),
        ("function_handle", np.zeros((1, 1)), "a function handle"),
        ("cell", np.zeros((1, 1)), "data of type float64 in an array of class cell"),
        ("struct", np.zeros((1, 1)), "data of type float64 in an array of class struct"),
        ("char", np.zeros((1, 1)), "data of type float64 in an array of class char"),
        ("char", np.full((1, 1), 2**31, "u4"), "text with codes that are no characters"),
        ("int8", np.full((1, 1), 0.5), "data of type float64 in an array of class int8"),
        ("double", np.zeros((1, 1), "S5"), "an array of class double"),
        ("double", np.zeros((1, 1), np.longdouble), "an array of class double"),
        ("double", np.zeros((1, 1), [("a", "f8"), ("b", "f8")]), "an array of class double"),
    ],
)
def test_what_has_no_form_here_is_named(tmp_path, kind, data, words):
    if data.dtype == np.longdouble and data.dtype.itemsize == 8:
        pytest.skip("long doubles are doubles in this system")
    file = make(tmp_path, lambda f: with_class(f.create_dataset("a", data=data), kind))
    found = mat.read(file)
    assert words in str(found["a"].value)
    np.testing.assert_array_equal(found["good"].value, np.eye(2))


@pytest.mark.parametrize("options", [{}, {"chunks": (50, 1), "compression": 3}])
def test_a_cell_with_the_same_entries_again_and_again(tmp_path, options):
    """Only the different ones are asked for."""

    def change(file):
        one = file.create_dataset("#refs#/one", data=np.ones((1, 1)))
        with_class(one)
        references = np.array([[one.ref], [file["good"].ref], [one.ref]] * 60, h5py.ref_dtype)
        with_class(file.create_dataset("a", data=references.T, **options), "cell")

    options = {name: value[::-1] if name == "chunks" else value for name, value in options.items()}
    value = mat.read(make(tmp_path, change))["a"].value
    assert [np.size(item) for item in value] == [1, 4, 1] * 60
    assert value[0] == 1.0


def test_memory_of_a_cell_of_one_entry_again_and_again(tmp_path):
    """At most four times the bytes of the file."""

    def change(file):
        references = np.full((1, 50_000), file["good"].ref, h5py.ref_dtype)
        with_class(file.create_dataset("a", data=references), "cell")

    file = make(tmp_path, change)
    mat.read(file, ["good"])
    tracemalloc.start()
    value = mat.read(file, ["a"])["a"].value
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * file.stat().st_size
    assert len(value) == 50_000


def test_null_space_and_null_references(tmp_path):
    def change(file):
        with_class(file.create_dataset("a", data=h5py.Empty("f8")))
        references = file.create_dataset("b", (1, 2), h5py.ref_dtype)
        references[0, 0] = file["good"].ref
        with_class(references, "cell")

    found = mat.read(make(tmp_path, change))
    assert found["a"].value.size == 0
    assert str(found["b"].value[1]) == "a reference to nothing"


@pytest.mark.parametrize(
    ("dimensions", "words"),
    [
        (np.array([2, 3], "u8"), r"empty, with dimensions \(2, 3\)"),
        (np.zeros(100, "u8"), "empty, with 100 dimensions"),
        (np.zeros(2), "empty, with 2 dimensions of type float64"),
    ],
)
def test_empty_arrays_with_other_dimensions(tmp_path, dimensions, words):
    def change(file):
        data = file.create_dataset("a", data=dimensions)
        with_class(data)
        data.attrs["MATLAB_empty"] = np.uint8(1)

    with pytest.raises(MatFileError, match=f"a: {words}"):
        mat.read(make(tmp_path, change))


def test_a_large_empty_cell(tmp_path):
    def change(file):
        data = file.create_dataset("a", data=np.array([10**9, 0], "u8"))
        with_class(data, "cell")
        data.attrs["MATLAB_empty"] = np.uint8(1)

    variable = mat.read(make(tmp_path, change))["a"]
    assert (variable.value, variable.shape) == ([], (10**9, 0))


SPARSE = csc_array(np.array([[0, 1.0, 0], [2, 0, 3], [0, 4, 5]]))


@pytest.mark.parametrize(
    ("part", "value", "words"),
    [
        ("ir", [1, 0, 2, 1, 9], "row indices out of range or order"),
        ("ir", [1, 2, 0, 1, 2], "row indices out of range or order"),
        ("ir", [1, 0, 2, 2**63, 1], "row indices out of range or order"),
        ("ir", [1, 0], "columns contradict its values"),
        ("jc", [0, 1, 3, 9], "columns contradict its values"),
        ("jc", [0, 3, 1, 5], "columns contradict its values"),
    ],
)
def test_sparse_indices(tmp_path, part, value, words):
    def change(file):
        del file["s"][part]
        file["s"].create_dataset(part, data=np.array(value, "u8"))

    found = mat.read(make(tmp_path, change, s=SPARSE))
    assert words in str(found["s"].value)
    assert found["s"].matlab_class == "sparse"


@pytest.mark.parametrize("change", ["no columns", "no number", "fractions", "too many"])
def test_sparse_arrays_of_another_form(tmp_path, change):
    def alter(file):
        if change == "no columns":
            del file["s"]["jc"]
        elif change == "no number":
            file["s"].attrs["MATLAB_sparse"] = np.array([1, 2])
        elif change == "too many":
            file["s"].attrs["MATLAB_sparse"] = np.uint64(2**63)
        else:
            del file["s"]["jc"]
            file["s"]["jc"] = np.array([0, 1, 3, 5.0])

    file = make(tmp_path, alter, s=SPARSE)
    if change == "too many":
        assert str(mat.read(file)["s"].value) == f"a sparse array of {2**63} rows"
    else:
        with pytest.raises(MatFileError, match="s: a sparse array"):
            mat.read(file)


def test_class_of_variable_length_is_refused(tmp_path):
    """HDF5 would allocate the length that the file declares."""

    def change(file):
        file["good"].attrs["MATLAB_class"] = "double"

    with pytest.raises(MatFileError, match="good: MATLAB_class that is no text of fixed length"):
        mat.read(make(tmp_path, change))


def test_field_names_that_lie(tmp_path):
    """The order of the fields comes from the bytes of the file, every length checked."""
    content = {"s": structs({"zz": 1.0, "yy": 2.0, "xx": 3.0})}
    file = make(tmp_path, lambda opened: None, **content)
    assert list(mat.read(file)["s"].value) == ["zz", "yy", "xx"]
    data = file.read_bytes()
    heap = data.index(b"GCOL")
    entry = data.index(b"zz", heap) - 8  # the length of the first name
    attribute = data.index(b"MATLAB_fields")
    damaged = {
        "longer than its heap": data[:entry] + b"\xff" * 4 + data[entry + 4 :],
        "no names where": data[:heap] + b"COLG" + data[heap + 4 :],
        "of another type": data[: attribute + 16] + b"\x13" + data[attribute + 17 :],
    }
    for words, content in damaged.items():
        file.write_bytes(content)
        with pytest.raises(MatFileError, match=rf"s: .*{words}"):
            mat.read(file)


def test_names_that_do_not_fit_leave_the_alphabet(tmp_path):
    content = {"s": structs({"zz": 1.0, "yy": 2.0})}
    file = make(tmp_path, lambda opened: opened["s"].move("zz", "ww"), **content)
    assert list(mat.read(file)["s"].value) == ["ww", "yy"]


def test_struct_arrays_with_columns_of_different_sizes(tmp_path):
    content = {"s": structs({"a": 1.0, "b": 2.0}, {"a": 3.0, "b": 4.0})}

    def change(file):
        reference = file["s"]["a"][0, 0]
        del file["s"]["a"]
        file["s"]["a"] = np.array([[reference]], h5py.ref_dtype)

    found = mat.read(make(tmp_path, change, **content))
    assert "different sizes" in str(found["s"].value)


def test_cells_of_structs_of_cells(tmp_path):
    """The path to a damaged value is shown, shortened."""

    def change(file):
        group = file["s"]
        for _ in range(3):
            group = group["x"]
        del group["y"]
        compressed_dataset(group, "y", compression="lzf")

    content = structs({"x": structs({"x": structs({"x": structs({"y": 1.0})})})})
    with pytest.raises(MatFileError, match=r"s\.x\.x\.…: compressed by filters"):
        mat.read(make(tmp_path, change, s=content))


def test_every_kind_of_file_as_73(data_dir, tmp_path):
    """With chunks and compression, as MATLAB writes large arrays."""
    folder = data_dir / "mixed"
    files = [next(folder.rglob(name)) for name in ("headmodel*.mat", "tess_cortex*.mat")]
    for file, read in zip(files, (io.read_head_model, io.read_surface), strict=True):
        twin_73(file, tmp_path / "twin.mat")
        with h5py.File(tmp_path / "twin.mat", "r+") as opened:
            for name in [n for n in ("Gain", "Vertices", "Faces") if n in opened]:
                data, kind = opened[name][()], opened[name].attrs["MATLAB_class"]
                del opened[name]
                chunks = tuple(min(n, 16) for n in data.shape)
                new = opened.create_dataset(name, data=data, chunks=chunks, compression=3)
                new.attrs["MATLAB_class"] = kind
        assert differences(read(file), read(tmp_path / "twin.mat")) == []


def test_a_pipe_is_no_file(tmp_path):
    if not hasattr(os, "mkfifo"):
        pytest.skip("no pipes in this system")
    os.mkfifo(tmp_path / "a.mat")
    with pytest.raises(MatFileError, match="a pipe or device, not a MATLAB file"):
        mat.read(tmp_path / "a.mat")


def test_memory_that_is_not_there(tmp_path, monkeypatch):
    file = make(tmp_path, lambda opened: None, c=cell(1.0, 2.0))
    shutil.copy(file, tmp_path / "b.mat")

    def fail(*args):
        raise MemoryError

    monkeypatch.setattr("mne_bstinv.io.hdf5_data.values", fail)
    with pytest.raises(MatFileError, match=r"b\.mat: what it holds does not fit into the memory"):
        mat.read(tmp_path / "b.mat")
