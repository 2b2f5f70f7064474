"""What the tests of mne_bstinv.io share."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io
from scipy.sparse import issparse

from mne_bstinv import io
from mne_bstinv.io.schema import Structure

#: Kind of file (the start of its name) -> name in read_* and write_*.
KINDS = {
    "brainstormsubject": "subject",
    "brainstormstudy": "study",
    "subjectimage": "mri",
    "tess": "surface",
    "channel": "channels",
    "data": "recordings",
    "headmodel": "head_model",
    "noisecov": "noise_cov",
    "ndatacov": "noise_cov",
    "results": "results",
    "matrix": "matrix",
    "dipoles": "dipoles",
    "timefreq": "timefreq",
    "pdata": "statistics",
    "presults": "statistics",
}


def mat_files(folder: Path) -> Iterator[tuple[Path, Callable[..., Any], Callable[..., None]]]:
    """Return every structure file below a folder, with its reader and its writer."""
    for file in sorted(folder.rglob("*.mat")):
        name = KINDS.get(file.name.split(".")[0].split("_")[0])
        if name is not None:
            yield file, getattr(io, f"read_{name}"), getattr(io, f"write_{name}")


def differences(a: Any, b: Any, place: str = "") -> list[str]:
    """Return all differences of two structures; exact."""
    if type(a) is not type(b):
        return [f"{place}: {type(a)}, {type(b)}"]
    if isinstance(a, Structure):
        names = [field.name for field in dataclasses.fields(a) if field.init]
        pairs = {name: (getattr(a, name), getattr(b, name)) for name in names}
    elif isinstance(a, Mapping):
        if list(a) != list(b):
            return [f"{place}: {list(a)}, {list(b)}"]
        pairs = {name: (a[name], b[name]) for name in a}
    elif isinstance(a, tuple):
        if len(a) != len(b):
            return [f"{place}: {len(a)}, {len(b)} items"]
        pairs = {str(i): pair for i, pair in enumerate(zip(a, b, strict=True))}
    else:
        return [] if _equal(a, b) else [f"{place}: {a!r}, {b!r}"]
    return [d for name, (x, y) in pairs.items() for d in differences(x, y, f"{place}.{name}")]


def _equal(a: Any, b: Any) -> bool:
    if issparse(a):
        return a.dtype == b.dtype and a.shape == b.shape and (a != b).nnz == 0
    if isinstance(a, np.ndarray):
        if a.shape != b.shape or a.dtype != b.dtype:
            return False
        if a.dtype == object:
            return not differences(tuple(a.ravel()), tuple(b.ravel()))
        if a.dtype.names:
            return all(_equal(a[name], b[name]) for name in a.dtype.names)
        return np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")
    return a == b or (a != a and b != b)


def shapes(file: Path) -> dict[str, tuple[tuple[int, ...], str]]:
    """Return the MATLAB shapes and classes in a file, by scipy."""
    found = scipy.io.whosmat(file, chars_as_strings=False)
    return {name: (tuple(shape), kind) for name, shape, kind in found}


def save(file: Path, **variables: Any) -> Path:
    """Write variables as they are."""
    scipy.io.savemat(file, variables, oned_as="row")
    return file


def cell(*items: Any, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """Return a cell array, a row by default."""
    array = np.empty(len(items), dtype=object)
    for index, item in enumerate(items):
        array[index] = item
    return array.reshape(shape or (1, -1))


def structs(*rows: dict[str, Any]) -> np.ndarray:
    """Return a 1 x N struct array."""
    array = np.empty((1, len(rows)), dtype=[(name, object) for name in rows[0]])
    for index, row in enumerate(rows):
        array[0, index] = tuple(row.values())
    return array


def digest(value: Any) -> str:
    """Return a short text that is equal for equal structures, classes and shapes included."""
    collected = hashlib.sha1(usedforsecurity=False)
    _collect(value, collected.update)
    return collected.hexdigest()


def _collect(value: Any, add: Callable[[bytes], None]) -> None:
    if dataclasses.is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        for name, item in value.items():
            add(f"{name}:".encode("utf-8", "surrogatepass"))
            _collect(item, add)
    elif isinstance(value, tuple | list):
        add(f"[{len(value)}".encode())
        for item in value:
            _collect(item, add)
    elif issparse(value):
        _collect((value.data, value.indices, value.indptr, value.shape), add)
    elif isinstance(value, np.ndarray) and value.dtype == object:
        _collect((value.shape, *value.ravel()), add)
    elif isinstance(value, np.ndarray) and value.dtype.names:
        _collect((value.shape, {name: value[name] for name in value.dtype.names}), add)
    elif isinstance(value, np.ndarray):
        add(f"{value.dtype}{value.shape}".encode())
        add(np.ascontiguousarray(value).tobytes())
    else:
        add(repr(value).encode("utf-8", "surrogatepass"))
