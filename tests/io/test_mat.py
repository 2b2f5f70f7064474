"""Files that are no MATLAB files, and writing that leaves nothing behind."""

from __future__ import annotations

import errno
import pickle
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from helpers_mat73 import save_73
from io_helpers import cell, differences, save, shapes, structs
from scipy.sparse import csc_array

from mne_bstinv.errors import MatFileError, MissingFileError, OverwriteError
from mne_bstinv.io import mat, raw


def test_variables_with_shape_and_class(tmp_path):
    file = save(tmp_path / "a.mat", a=np.zeros((1, 3)), b="text", c=cell("x"), d=np.zeros((0, 4)),
                e=np.array([[True]]), f=np.eye(2, dtype=np.int16), g=csc_array(np.eye(3)),
                h=structs({"u": 1.0}, {"u": 2.0}))  # fmt: skip
    found = {name: (v.shape, v.matlab_class) for name, v in mat.read(file).items()}
    assert found == {
        "a": ((1, 3), "double"), "b": ((1, 4), "char"), "c": ((1, 1), "cell"),
        "d": ((0, 4), "double"), "e": ((1, 1), "logical"), "f": ((2, 2), "int16"),
        "g": ((3, 3), "sparse"), "h": ((1, 2), "struct"),
    }  # fmt: skip
    content = scipy.io.loadmat(file, chars_as_strings=False)
    content["e"] = content["e"].astype(bool)
    save_73(tmp_path / "b.mat", content)
    again = {name: (v.shape, v.matlab_class) for name, v in mat.read(tmp_path / "b.mat").items()}
    assert again == found


def test_names_restrict_what_is_read(tmp_path):
    content = {"a": np.eye(2), "b": np.eye(3)}
    save(tmp_path / "5.mat", **content)
    save_73(tmp_path / "73.mat", content)
    for name in ("5.mat", "73.mat"):
        assert list(mat.read(tmp_path / name, ["b", "absent"])) == ["b"]
        assert mat.read(tmp_path / name, ["absent"]) == {}


def test_v4(tmp_path):
    scipy.io.savemat(tmp_path / "4.mat", {"a": np.eye(2), "t": "text"}, format="4")
    found = mat.read(tmp_path / "4.mat")
    np.testing.assert_array_equal(found["a"].value, np.eye(2))
    assert found["t"].value == "text"
    assert list(mat.read(tmp_path / "4.mat", ["t"])) == ["t"]


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ((0, 10**6, 10**6, 0, 2), "a variable of 1000000 x 1000000 numbers, of which not all"),
        ((0, -1, 1, 0, 2), "a variable of -1 x 1"),
        ((0, 1, 1, 0, 10**9), "with a name of 1000000000 letters"),
        ((99, 1, 1, 0, 2), "type 99 of a variable"),
        ((0, 1, 1, 5, 2), "type 0 of a variable"),
        ((1, 1, 1, 0, 2), "a: text with codes that are no characters"),
        ((0, 1, 1, 0), "the head of a variable is cut short"),
    ],
)
def test_v4_that_lies(tmp_path, head, words):
    data = np.array(head, "<i4").tobytes() + b"a\0" + np.array([-1.0]).tobytes()
    (tmp_path / "4.mat").write_bytes(data[:16] if len(head) < 5 else data)
    with pytest.raises(MatFileError, match=words):
        mat.read(tmp_path / "4.mat")


def test_v4_of_other_machines_and_types(tmp_path):
    big = np.array([1000, 1, 2, 1, 2], ">i4").tobytes() + b"a\0"
    big += np.array([1, 2, 3, 4], ">f8").tobytes()
    sparse = np.array([2, 1, 3, 0, 2], "<i4").tobytes() + b"s\0" + np.ones(3).tobytes()
    (tmp_path / "big.mat").write_bytes(big)
    (tmp_path / "sparse.mat").write_bytes(sparse)
    np.testing.assert_array_equal(mat.read(tmp_path / "big.mat")["a"].value, [1 + 3j, 2 + 4j])
    assert str(mat.read(tmp_path / "sparse.mat")["s"].value) == "a sparse array of MATLAB 4"


def test_quirks_of_v73(tmp_path):
    """The same content in both forms of file is the same value."""
    content = {
        "cell_of_empty": cell(np.zeros((0, 0))),
        "cell_of_empty_text": cell(np.zeros((0, 0), "U1")),
        "cell_of_cell": cell(cell(np.eye(2), np.array(["ab"]))),
        "cell_of_struct": cell(structs({"b": np.eye(2), "a": np.ones((1, 1))})),
        "rows": cell(*(np.full((1, 1), float(i)) for i in range(6)), shape=(2, 3)),
        "no_structs": np.zeros((0, 0), dtype=[("b", object), ("a", object)]),
        "letter": np.array(["x"]),
        "two_rows": np.array(["ab", "cd"]),
        "empty": np.zeros((0, 3)),
        "empty_text": np.zeros((0, 0), "U1"),
        "empty_cell": np.zeros((0, 0), object),
        "sparse": csc_array(np.diag([1.0, 0, 2])),
        "nothing_sparse": csc_array((3, 4)),
        "complex": np.array([[1 + 2j, 3]]),
        "number": np.array([[4.0]]),
        "no_fields": {},
        "inside": structs({"z": np.zeros((0, 0), "U1"), "y": cell(np.ones((1, 1))),
                           "x": np.zeros((0, 0), dtype=[("q", object)]), "w": {}}),
    }  # fmt: skip
    scipy.io.savemat(tmp_path / "5.mat", content)
    save_73(tmp_path / "73.mat", content)
    v5, v73 = mat.read(tmp_path / "5.mat"), mat.read(tmp_path / "73.mat")
    for name in content:
        assert v73[name].shape == v5[name].shape, name
        assert v73[name].matlab_class == v5[name].matlab_class, name
        a, b = raw.freeze_variable(v5[name]), raw.freeze_variable(v73[name])
        assert_same(a, b)


def assert_same(a, b):
    assert differences(a, b) == []


def test_field_order_of_v73_is_that_of_matlab(tmp_path):
    names = [f"f{(7 * i) % 20}" for i in range(20)]
    save_73(tmp_path / "73.mat", {"s": structs(dict.fromkeys(names, np.ones((1, 1))))})
    assert list(mat.read(tmp_path / "73.mat")["s"].value) == names


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "an empty file, not a MATLAB file"),
        (b"short", "not a MATLAB file, or a damaged"),
        (b"a text file that is no MATLAB file. " * 20, "not a MATLAB file, or a damaged"),
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 600, "not a MATLAB file, or a damaged"),
    ],
)
def test_no_matlab_file(tmp_path, content, message):
    file = tmp_path / "bad.mat"
    file.write_bytes(content)
    with pytest.raises(MatFileError, match=f"bad.mat: {message}"):
        mat.read(file)


@pytest.mark.parametrize("version", ["6", "7", "7.3"])
@pytest.mark.parametrize("fraction", [0.3, 0.6, 0.95])
def test_truncated_file(tmp_path, version, fraction):
    content = {"a": np.random.default_rng(0).standard_normal((60, 60))}
    file = tmp_path / "cut.mat"
    if version == "7.3":
        save_73(file, content)
    else:
        scipy.io.savemat(file, content, do_compression=version == "7")
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * fraction)])
    with pytest.raises(MatFileError, match=r"cut.mat: not a MATLAB file, or a damaged") as info:
        mat.read(file)
    assert info.value.__cause__ is not None


def test_folder_and_missing_file(tmp_path):
    with pytest.raises(MatFileError, match="a folder, not a MATLAB file"):
        mat.read(tmp_path)
    with pytest.raises(MissingFileError, match=r"none.mat: no such file"):
        mat.read(tmp_path / "none.mat")


def test_struct_matrix_is_refused(tmp_path):
    matrix = np.empty((2, 2), dtype=[("a", object)])
    matrix["a"] = [[1.0, 2.0], [3.0, 4.0]]
    file = save(tmp_path / "a.mat", s=matrix)
    with pytest.raises(MatFileError, match="s is a 2 x 2 struct array; only rows and columns"):
        mat.read(file)


def test_file_name_is_taken_literally(tmp_path):
    """No ``.mat`` is appended, neither in reading nor in writing."""
    mat.write(tmp_path / "plain", {"a": np.eye(2)})
    assert [file.name for file in tmp_path.iterdir()] == ["plain"]
    assert list(mat.read(tmp_path / "plain")) == ["a"]


def test_no_overwriting_by_accident(tmp_path):
    file = tmp_path / "a.mat"
    mat.write(file, {"a": np.eye(2)})
    words = r"a\.mat: exists already; use overwrite=True \(--overwrite\) to replace it\."
    with pytest.raises(OverwriteError, match=words):
        mat.write(file, {"b": np.eye(2)})
    mat.write(file, {"b": np.eye(2)}, overwrite=True)
    assert list(shapes(file)) == ["b"]


def test_places_that_cannot_be_written(tmp_path):
    with pytest.raises(MatFileError, match="a folder, not a file to write to"):
        mat.write(tmp_path, {})
    with pytest.raises(MissingFileError, match=r"none: no such folder"):
        mat.write(tmp_path / "none" / "a.mat", {})


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_failure_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, error):
    file = tmp_path / "a.mat"
    mat.write(file, {"a": np.eye(2)})
    before = file.read_bytes()

    def fail(stream, *args, **kwargs):
        stream.write(b"half a file")
        raise error("stop")

    monkeypatch.setattr(scipy.io, "savemat", fail)
    expected = KeyboardInterrupt if error is KeyboardInterrupt else MatFileError
    with pytest.raises(expected, match="stop"):
        mat.write(file, {"a": np.ones(2)}, overwrite=True)
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.mat"]


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"_hidden": np.eye(2)}, "'_hidden' is no name of a MATLAB variable"),
        ({"x" * 64: np.eye(2)}, "x' is no name of a MATLAB variable or field"),
        ({"s": structs({"f" * 64: 1.0})}, "f' is no name of a MATLAB variable or field"),
        ({"s": {"_f": 1.0}}, "'_f' is no name of a MATLAB variable or field"),
    ],
)
def test_names_that_matlab_does_not_have(tmp_path, variables, message):
    with pytest.raises(MatFileError, match=message):
        mat.write(tmp_path / "a.mat", variables)
    assert list(tmp_path.iterdir()) == []


def test_large_variables_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(mat, "MAX_BYTES", 1000)
    nested = structs({"a": cell(np.zeros((200, 1)))})
    for value in (np.zeros((200, 1)), nested, csc_array(np.ones((20, 20)))):
        with pytest.raises(MatFileError, match=r"big takes 0.00 GB; a variable of a MATLAB 5 file"):
            mat.write(tmp_path / "a.mat", {"big": value})
    assert list(tmp_path.iterdir()) == []


def test_frozen_map():
    frozen = raw.FrozenMap({"a": 1})
    assert frozen["a"] == 1
    assert dict(frozen) == {"a": 1}
    assert repr(frozen) == "FrozenMap(a)"
    assert pickle.loads(pickle.dumps(frozen)) == frozen
    with pytest.raises(TypeError, match="does not support item assignment"):
        frozen["b"] = 2


def test_raw_values_survive(tmp_path):
    """Written and read again, nested values are the same, and so are exact top-level ones."""
    file = save(
        tmp_path / "a.mat",
        column=np.arange(3.0).reshape(3, 1),
        flags=np.array([[True, False]]),
        small=np.array([[1, 2]], dtype=np.uint8),
        words=cell("a", "bc", np.zeros((0, 0))),
        table=cell("a", 1.0, "b", 2.0, shape=(2, 2)),
        nested=structs({"t": "x", "n": 3.0, "v": np.arange(4.0), "c": cell("p", "q"),
                        "s": structs({"i": 1.0, "j": "u"}, {"i": 2.0, "j": "v"}),
                        "e": np.zeros((0, 0)), "z": "", "m": np.eye(3)}),
        two=structs({"i": 1.0, "j": "u"}, {"i": 2.0, "j": "v"}),
    )  # fmt: skip
    first = {name: raw.freeze_variable(v) for name, v in mat.read(file).items()}
    mat.write(tmp_path / "b.mat", {name: raw.thaw(value) for name, value in first.items()})
    second = {n: raw.freeze_variable(v) for n, v in mat.read(tmp_path / "b.mat").items()}
    assert_same(raw.FrozenMap(first), raw.FrozenMap(second))
    assert shapes(file) == shapes(tmp_path / "b.mat")
    assert first["flags"].dtype == bool
    assert first["small"].dtype == np.uint8
    assert first["nested"]["s"]["j"] == ("u", "v")
    again = scipy.io.loadmat(tmp_path / "b.mat")["nested"][0, 0]
    assert again["s"].dtype.names == ("i", "j")
    assert again["s"].shape == (1, 2)
    assert again["n"].dtype == np.float64


def test_a_file_that_cannot_be_written_or_read_is_named(tmp_path, monkeypatch):
    """By its own name, not the one that it has while it is written."""
    file, opened = tmp_path / "a.mat", Path.open
    mat.write(file, {"a": 1.0})

    def refused(self, mode="r", *more, **how):
        if self.parent == tmp_path and mode in ("rb", "xb"):
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        return opened(self, mode, *more, **how)

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(MatFileError, match=r"b\.mat: cannot be written: Permission denied\. Check"):
        mat.write(tmp_path / "b.mat", {"a": 1.0})
    for read in (mat.read, mat.names_in):
        with pytest.raises(MatFileError, match=r"a\.mat: cannot be opened: Permission denied\. Ch"):
            read(file)
