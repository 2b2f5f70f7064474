"""MATLAB files in and out: nothing here knows Brainstorm.

Reading is :func:`pymatreader.read_mat` plus what its squeezing loses: the MATLAB shape and class
of every top-level variable. Writing is :func:`scipy.io.savemat`, made atomic.
"""

from __future__ import annotations

import logging
import os
import re
import uuid
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pymatreader
import scipy.io
from scipy.io.matlab import matfile_version
from scipy.sparse import issparse

from mne_bstinv.errors import MatFileError, MissingFileError, OverwriteError
from mne_bstinv.io import _hdf5

__all__ = ["PathLike", "Variable", "read", "write"]

PathLike = str | os.PathLike[str]

logger = logging.getLogger("mne_bstinv")

#: MATLAB 5 files count the bytes of a variable in 31 bits.
MAX_BYTES = 2**31 - 1

#: What names MATLAB allows; others savemat drops or cuts short.
NAME = re.compile(r"[A-Za-z]\w{0,62}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Variable:
    """A value as pymatreader gives it, with the MATLAB shape and class where they are known.

    Parameters
    ----------
    value : object
        Squeezed: numbers, arrays, text, lists (cells), dicts (structs).
    shape : tuple of int or None
        The shape in MATLAB. None inside structs and cells, where pymatreader loses it.
    matlab_class : str or None
        The class in MATLAB (``'sparse'`` for sparse numbers), None where it is lost.
    """

    value: Any
    shape: tuple[int, ...] | None = None
    matlab_class: str | None = None


def read(fname: PathLike, names: Iterable[str] | None = None) -> dict[str, Variable]:
    """Read the variables of a MATLAB file (v4 to v7.3).

    Parameters
    ----------
    fname : path-like
        The file.
    names : iterable of str, optional
        Read only these variables; those that the file does not hold are left out.

    Returns
    -------
    dict of str to Variable
        The variables in the order of the file.

    Raises
    ------
    MissingFileError
        If the file does not exist.
    MatFileError
        If it is a folder, empty, truncated or no MATLAB file.
    """
    path = _readable(fname)
    wanted = None if names is None else list(names)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            variables = _read_73(path, wanted) if _is_73(path) else _read_5(path, wanted)
    except (MatFileError, MemoryError):
        raise
    except Exception as error:  # the readers below raise a dozen types for a damaged file
        raise MatFileError(
            f"{path}: not a MATLAB file, or a damaged (truncated) one: {error}. Copy it again, or "
            "save it anew."
        ) from error
    for message in caught:
        logger.info("%s: %s", path, message.message)
    return variables


def write(fname: PathLike, variables: Mapping[str, Any], *, overwrite: bool = False) -> None:
    """Write variables to a compressed MATLAB 5 (v7) file: completely, or not at all.

    Parameters
    ----------
    fname : path-like
        The file.
    variables : mapping of str to object
        What :func:`scipy.io.savemat` takes: two-dimensional arrays, text, object arrays (cells),
        structured arrays (structs), sparse arrays.
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    OverwriteError
        If the file exists and ``overwrite`` is False.
    MissingFileError
        If the folder does not exist.
    MatFileError
        If a variable is larger than 2 GB or has no valid name, or the file cannot be written.
    """
    path = _writable(fname, overwrite=overwrite)
    for name in _names(variables):
        if not NAME.fullmatch(name):
            raise MatFileError(
                f"{path}: {name!r} is no name of a MATLAB variable or field, expected letters, "
                "digits and '_', the first a letter. Rename it."
            )
    _check_sizes(path, variables)
    # In the same folder, since a file can be renamed atomically only within one file system.
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with temporary.open("xb") as file:
            _save(file, variables)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink()
        if isinstance(error, Exception) and not isinstance(error, MemoryError):
            raise MatFileError(
                f"{path}: cannot be written: {error}. Check the space and your rights there."
            ) from error
        raise


def _readable(fname: PathLike) -> Path:
    path = Path(fname)
    if path.is_dir():
        raise MatFileError(f"{path}: a folder, not a MATLAB file. Give a .mat file in it.")
    if not path.exists():
        raise MissingFileError(f"{path}: no such file. Check the path.")
    if path.stat().st_size == 0:
        raise MatFileError(
            f"{path}: an empty file, not a MATLAB file. Copy it again, or save it anew."
        )
    return path


def _writable(fname: PathLike, *, overwrite: bool) -> Path:
    path = Path(fname)
    if path.is_dir():
        raise MatFileError(f"{path}: a folder, not a file to write to. Give the name of a file.")
    if not path.parent.is_dir():
        raise MissingFileError(f"{path.parent}: no such folder. Make it first.")
    if path.exists() and not overwrite:
        raise OverwriteError.of(path)
    return path


def _is_73(path: Path) -> bool:
    with path.open("rb") as file:
        return bool(matfile_version(file)[0] == 2)


def _read_5(path: Path, names: list[str] | None) -> dict[str, Variable]:
    # Through a file object: scipy would otherwise try the name with '.mat' appended.
    with path.open("rb") as file:
        found = scipy.io.whosmat(file, chars_as_strings=False)
    values = pymatreader.read_mat(path, variable_names=names)
    return {
        name: _variable(path, name, values[name], tuple(map(int, shape)), kind)
        for name, shape, kind in found
        if name in values
    }


def _read_73(path: Path, names: list[str] | None) -> dict[str, Variable]:
    with h5py.File(path, "r") as file:
        found = _hdf5.listing(file, names)
        # pymatreader takes an empty list of names for "all".
        values = pymatreader.read_mat(path, variable_names=list(found)) if found else {}
        return {
            name: _variable(path, name, _hdf5.restore(values[name], file[name]), shape, kind)
            for name, (shape, kind) in found.items()
        }


def _variable(path: Path, name: str, value: Any, shape: tuple[int, ...], kind: str) -> Variable:
    if kind == "struct" and sum(size > 1 for size in shape) > 1:
        raise MatFileError(
            f"{path}: {name} is a {' x '.join(map(str, shape))} struct array; "
            "only rows and columns of structs can be read. Save it as such in MATLAB."
        )
    return Variable(value, shape, kind)


def _save(file: Any, variables: Mapping[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # savemat only warns of names it silently drops
        scipy.io.savemat(
            file,
            dict(variables),
            format="5",
            do_compression=True,
            oned_as="row",
            long_field_names=True,
        )


def _names(value: Any) -> Iterator[str]:
    """Return the names of variables and, however deep, of fields; savemat may drop bad ones."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield name
            yield from _names(item)
    elif isinstance(value, np.ndarray) and value.dtype.names:
        yield from value.dtype.names
        for name in value.dtype.names:
            yield from _names(value[name])
    elif isinstance(value, np.ndarray) and value.dtype == object:
        for item in value.ravel():
            yield from _names(item)


def _check_sizes(path: Path, variables: Mapping[str, Any]) -> None:
    for name, value in variables.items():
        size = _n_bytes(value)
        if size > MAX_BYTES:
            raise MatFileError(
                f"{path}: {name} takes {size / 1e9:.2f} GB; a variable of a MATLAB 5 file "
                f"holds at most {MAX_BYTES / 1e9:.2f} GB. Write fewer channels, samples or "
                "locations."
            )


def _n_bytes(value: Any) -> int:
    if issparse(value):
        return int(value.data.nbytes + value.indices.nbytes + value.indptr.nbytes)
    if not isinstance(value, np.ndarray):
        return 0
    if value.dtype.names:
        return sum(_n_bytes(value[name]) for name in value.dtype.names)
    if value.dtype == object:
        return sum(_n_bytes(item) for item in value.ravel())
    return int(value.nbytes)
