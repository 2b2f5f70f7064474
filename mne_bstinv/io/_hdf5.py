"""What pymatreader loses of a MATLAB 7.3 (HDF5) file, put back.

MATLAB keeps the class, the field order and the shape of everything in HDF5 attributes and
dimensions. pymatreader drops the field order (it walks a set), flattens cells column by column,
reads an empty cell entry as its dimensions and gives every empty thing as an empty number array.
:func:`restore` walks a file beside pymatreader's value and returns what pymatreader gives for the
same content in a MATLAB 5 file, so that the rest of the package knows one form only.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import h5py
import numpy as np
from scipy.sparse import csc_array

__all__ = ["MISSING", "listing", "restore"]

#: pymatreader has no usable value for this node: read it here.
MISSING = object()

Listing = dict[str, tuple[tuple[int, ...], str]]


def listing(file: h5py.File, names: Iterable[str] | None = None) -> Listing:
    """Return the MATLAB shape and class of every top-level variable."""
    wanted = None if names is None else set(names)
    return {
        name: (_shape(node), matlab_class(node))
        for name, node in file.items()
        if not name.startswith("#") and (wanted is None or name in wanted)
    }


def matlab_class(node: h5py.Dataset | h5py.Group) -> str:
    """Return the MATLAB class of a node (``'sparse'`` for sparse numbers)."""
    name = node.attrs.get("MATLAB_class", b"unknown")
    name = name.decode() if isinstance(name, bytes) else str(name)
    return "sparse" if "MATLAB_sparse" in node.attrs and name != "logical" else name


def restore(value: Any, node: h5py.Dataset | h5py.Group) -> Any:
    """Return pymatreader's ``value`` of ``node`` as it would be from a MATLAB 5 file."""
    if isinstance(node, h5py.Group):
        if "MATLAB_sparse" in node.attrs:
            return _sparse(node)
        known = value if isinstance(value, dict) else {}
        fields = {name: _child(known.get(name, MISSING), node, name) for name in _fields(node)}
        return fields or None
    if "MATLAB_empty" in node.attrs:
        return _empty(node)
    if node.dtype == h5py.ref_dtype:
        return _references(value, node)
    if value is MISSING:
        value = _leaf(node)
    return np.array(value) if isinstance(value, list) else value


def _child(value: Any, parent: h5py.Group | h5py.File, key: str | h5py.Reference) -> Any:
    """Restore one of the many small nodes; opening it takes longer than anything else."""
    return value if _is_right(value) else restore(value, parent[key])


def _is_right(value: Any) -> bool:
    """Tell whether pymatreader's value needs no repair.

    An empty entry of a cell is read as its dimensions, which are uint64 (or characters) with a
    zero among them.
    """
    if isinstance(value, np.ndarray):
        return value.size > 0 and value.dtype.kind in "biufc" and value.dtype != np.uint64
    if isinstance(value, str):
        return "\x00" not in value
    return isinstance(value, int | float | complex)


def _shape(node: h5py.Dataset | h5py.Group) -> tuple[int, ...]:
    if isinstance(node, h5py.Dataset):
        if "MATLAB_empty" in node.attrs:
            return tuple(int(size) for size in np.ravel(node[()]))
        return tuple(reversed(node.shape)) if node.shape else (1, 1)
    if "MATLAB_sparse" in node.attrs:
        return int(node.attrs["MATLAB_sparse"]), len(node["jc"]) - 1
    for child in node.values():  # a struct array keeps one reference an element in every field
        if isinstance(child, h5py.Dataset) and _is_column(child):
            return tuple(reversed(child.shape))
        break
    return 1, 1


def _is_column(node: h5py.Dataset) -> bool:
    """Tell the field of a struct array (bare references) from a cell."""
    return node.dtype == h5py.ref_dtype and "MATLAB_class" not in node.attrs


def _fields(node: h5py.Dataset | h5py.Group) -> list[str]:
    """Return the field names of a struct in MATLAB's order."""
    present = sorted(node) if isinstance(node, h5py.Group) else []
    if "MATLAB_fields" not in node.attrs:
        return present
    names = [b"".join(np.ravel(letters)).decode() for letters in node.attrs["MATLAB_fields"]]
    return [name for name in names if name in present] if present else names


def _empty(node: h5py.Dataset) -> Any:
    kind = matlab_class(node)
    if kind == "char":
        return np.array([], dtype="U1")
    if kind == "struct":
        return {name: [] for name in _fields(node)}
    return [] if kind == "cell" else np.array([])


def _references(value: Any, node: h5py.Dataset) -> Any:
    """Restore a cell, or one field of a struct array."""
    references = node[()].ravel()
    if len(references) == 1 and not _is_column(node):
        # MATLAB 5 files: a cell of one is its content. pymatreader's value is wrong for contents
        # that are empty or cells themselves.
        return restore(MISSING, node.file[references[0]])
    known = value if isinstance(value, list) else [MISSING] * len(references)
    items = np.empty(len(references), dtype=object)
    for index, reference in enumerate(references):
        items[index] = _child(known[index], node.file, reference)
    shape = [size for size in reversed(node.shape) if size != 1]
    return items.reshape(shape or [len(references)], order="F").tolist()


def _leaf(node: h5py.Dataset) -> Any:
    data = np.squeeze(node[()]).T
    if matlab_class(node) == "char":
        rows = ["".join(map(chr, np.ravel(row))) for row in (data if data.ndim == 2 else [data])]
        return rows if data.ndim == 2 else rows[0]
    if data.dtype.names == ("real", "imag"):
        data = data["real"] + 1j * data["imag"]
    return data.item() if data.size == 1 else data


def _sparse(node: h5py.Group) -> csc_array:
    shape = (int(node.attrs["MATLAB_sparse"]), len(node["jc"]) - 1)
    parts = [node[name][()] if name in node else np.array([]) for name in ("data", "ir")]
    return csc_array((parts[0], parts[1].astype(np.int64), node["jc"][()]), shape=shape)
