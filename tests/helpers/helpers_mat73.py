"""Write MATLAB 7.3 files (HDF5 in MATLAB's layout), to test reading them without MATLAB.

Classes, empties, cells, structs, struct arrays, sparse arrays, logicals and text are laid out as
MATLAB does: stored transposed, with ``MATLAB_*`` attributes, cells and struct arrays as references
into ``#refs#``, after a user block with MATLAB's header.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import scipy.io
from scipy.sparse import issparse

HEADER = (
    b"MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Mon Jan  1 00:00:00 2024 "
    b"HDF5 schema 1.00 ."
)
CLASSES = {"f8": "double", "f4": "single", "b1": "logical"} | {
    f"{k}{n // 8}": f"{'u' * (k == 'u')}int{n}" for k in "iu" for n in (8, 16, 32, 64)
}


def save_73(fname: Path, variables: dict[str, Any]) -> None:
    """Write what ``scipy.io.loadmat(..., chars_as_strings=False)`` returns."""
    with h5py.File(fname, "w", userblock_size=512) as file:
        writer = _Writer(file)
        for name, value in variables.items():
            if not name.startswith("__"):
                writer.put(file, name, value)
    with fname.open("r+b") as raw:
        raw.write(HEADER.ljust(116) + b"\x00" * 8 + b"\x00\x02IM")


def twin_73(source: Path, target: Path) -> None:
    """Write the content of a MATLAB 5 file as a 7.3 file."""
    content = scipy.io.loadmat(source, chars_as_strings=False, mat_dtype=False)
    classes = {n: c for n, _, c in scipy.io.whosmat(source)}
    save_73(target, {n: _with_class(v, classes.get(n)) for n, v in content.items()})


def _with_class(value: Any, name: str | None) -> Any:
    """Give small integers of a compressed file the class they have in MATLAB."""
    dtypes = {"double": "f8", "single": "f4", "logical": "?"}
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return value.astype(dtypes.get(name or "double", value.dtype))
    if isinstance(value, np.ndarray) and value.dtype.names:
        out = np.empty_like(value)
        for field in value.dtype.names:
            for index in np.ndindex(value.shape):
                out[field][index] = _with_class(value[field][index], None)
        return out
    if isinstance(value, np.ndarray) and value.dtype == object:
        out = np.empty_like(value)
        for index in np.ndindex(value.shape):
            out[index] = _with_class(value[index], None)
        return out
    return value


def _characters(value: np.ndarray) -> np.ndarray:
    """Return texts as MATLAB's character matrix, one row a text."""
    if value.dtype.kind != "U" or (value.ndim == 2 and value.dtype.itemsize == 4):
        return value
    length = value.dtype.itemsize // 4
    if value.size == 0:
        return np.zeros((0, 0), "U1")
    rows = [list(text.ljust(length)) for text in value.ravel().tolist()]
    return np.array(rows, "U1").reshape(len(rows), length)


class _Writer:
    def __init__(self, file: h5py.File) -> None:
        self.file = file
        self.count = 0

    def put(self, group: h5py.Group, name: str, value: Any) -> Any:
        if issparse(value):
            return self._sparse(group, name, value)
        if isinstance(value, dict):  # savemat's struct without fields
            node = group.create_group(name)
            node.attrs["MATLAB_class"] = np.bytes_("struct")
            return node
        value = _characters(np.asarray(value))
        if value.dtype.names is not None:
            return self._struct(group, name, value)
        if value.size == 0:
            return self._empty(group, name, value)
        if value.dtype == object:
            return self._cell(group, name, value)
        if value.dtype.kind == "U":
            codes = np.array([ord(c) for c in value.ravel()], "u2").reshape(value.shape)
            return self._dataset(group, name, codes.T, "char", MATLAB_int_decode=np.int32(2))
        if value.dtype.kind == "b":
            data = value.astype("u1").T
            return self._dataset(group, name, data, "logical", MATLAB_int_decode=np.int32(1))
        if value.dtype.kind == "c":
            pairs = np.empty(value.T.shape, [("real", "f8"), ("imag", "f8")])
            pairs["real"], pairs["imag"] = value.T.real, value.T.imag
            return self._dataset(group, name, pairs, "double")
        return self._dataset(group, name, value.T, CLASSES[value.dtype.str[1:]])

    def _dataset(self, group, name, data, matlab_class, **attributes):
        node = group.create_dataset(name, data=data)
        if matlab_class:
            node.attrs["MATLAB_class"] = np.bytes_(matlab_class)
        for key, item in attributes.items():
            node.attrs[key] = item
        return node

    def _empty(self, group, name, value):
        kind = {"U": "char", "O": "cell"}.get(value.dtype.kind)
        kind = kind or CLASSES[value.dtype.str[1:]]
        shape = np.array(value.shape, "u8")
        return self._dataset(group, name, shape, kind, MATLAB_empty=np.uint8(1))

    def _reference(self, value):
        refs = self.file.require_group("#refs#")
        self.count += 1
        return self.put(refs, f"r{self.count}", value).ref

    def _references(self, group, name, value, matlab_class):
        data = np.empty(value.T.shape, h5py.ref_dtype)
        for index in np.ndindex(value.shape):
            data[index[::-1]] = self._reference(value[index])
        return self._dataset(group, name, data, matlab_class)

    def _cell(self, group, name, value):
        return self._references(group, name, value, "cell")

    def _struct(self, group, name, value):
        if value.size == 0:
            shape = np.array(value.shape, "u8")
            node = self._dataset(group, name, shape, "struct", MATLAB_empty=np.uint8(1))
        else:
            node = group.create_group(name)
            node.attrs["MATLAB_class"] = np.bytes_("struct")
            for field in value.dtype.names:
                if value.size == 1:
                    self.put(node, field, value[field].item())
                else:
                    self._references(node, field, value[field], "")
        names = np.empty(len(value.dtype.names), h5py.vlen_dtype(np.dtype("S1")))
        for index, field in enumerate(value.dtype.names):
            names[index] = np.array([c.encode() for c in field], "S1")
        node.attrs.create("MATLAB_fields", names, dtype=h5py.vlen_dtype(np.dtype("S1")))
        return node

    def _sparse(self, group, name, value):
        value = value.tocsc()
        node = group.create_group(name)
        node.attrs["MATLAB_class"] = np.bytes_("logical" if value.dtype == bool else "double")
        node.attrs["MATLAB_sparse"] = np.uint64(value.shape[0])
        node.create_dataset("jc", data=value.indptr.astype("u8"))
        if value.nnz:
            node.create_dataset("ir", data=value.indices.astype("u8"))
            node.create_dataset("data", data=value.data)
        return node
