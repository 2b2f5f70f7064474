"""MATLAB files in and out: nothing here knows Brainstorm.

Reading is by :mod:`~mne_bstinv.io.mat5` (v6, v7), :mod:`~mne_bstinv.io.mat73` (h5py) and
:mod:`~mne_bstinv.io.mat4`, which trust nothing in a file and give one form of values; SciPy's
reader and ``pymatreader`` do, and take longer for it. Writing is :func:`scipy.io.savemat`, made
atomic.
"""

from __future__ import annotations

import os
import re
import stat
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io
from scipy.sparse import issparse

from mne_bstinv._temporary import beside, check_target
from mne_bstinv.errors import MatFileError, MissingFileError
from mne_bstinv.io import mat4, mat5
from mne_bstinv.io.variable import NewerFormError, RefusalError, Unreadable, Variable

__all__ = ["PathLike", "Unreadable", "Variable", "names_in", "read", "text_of", "write"]

PathLike = str | os.PathLike[str]

#: MATLAB 5 files count the bytes of a variable in 31 bits.
MAX_BYTES = 2**31 - 1

#: What names MATLAB allows; others savemat drops or cuts short.
NAME = re.compile(r"[A-Za-z]\w{0,62}", re.ASCII)


def read(fname: PathLike, names: Iterable[str] | None = None) -> dict[str, Variable]:
    """Read the variables of a MATLAB file (v4 to v7.3), or those of ``names`` that it holds.

    A MatFileError if it is a folder, empty, truncated or no MATLAB file, if what it declares
    contradicts what it holds, or if it leads out of itself (links and values in other files).
    """
    path = _readable(fname)
    wanted, module = None if names is None else list(names), _module(path)
    with _named(path):
        variables: dict[str, Variable] = module.read(path, wanted)
    for name, variable in variables.items():
        _check_structs(path, name, variable)
    return variables


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Raise what goes wrong in reading a file as an error that names it."""
    try:
        yield
    except RefusalError as error:
        raise MatFileError(
            f"{path}: {error}. Nothing outside a file is read through it: save the file anew, with "
            "all values in it."
        ) from error
    except NewerFormError as error:
        raise MatFileError(
            f"{path}: {error}. Save it anew in MATLAB, or in the older form (libver='earliest' in "
            "h5py)."
        ) from error
    except MemoryError as error:
        raise MatFileError(f"{path}: what it holds does not fit into the memory.") from error
    except Exception as error:  # HDF5 raises a dozen types for a damaged file
        raise MatFileError(
            f"{path}: not a MATLAB file, or a damaged (truncated) one: {error}. Copy it again, or "
            "save it anew."
        ) from error


def text_of(fname: PathLike, name: str) -> str:
    """Return a text of a file, '' where it holds none."""
    variables = read(fname, [name])
    value = variables[name].value if name in variables else ""
    return value if isinstance(value, str) else ""


def names_in(fname: PathLike) -> list[str]:
    """Return the names of the variables of a MATLAB file, in its order, without reading them."""
    path = _readable(fname)
    module = _module(path)
    with _named(path):
        return list(mat4.read(path, None)) if module is mat4 else module.names_in(path)


def write(fname: PathLike, variables: Mapping[str, Any], *, overwrite: bool = False) -> None:
    """Write variables to a compressed MATLAB 5 (v7) file: completely, or not at all.

    They are what :func:`scipy.io.savemat` takes: two-dimensional arrays, text, object arrays
    (cells), structured arrays (structs), sparse arrays, of 2 GB at most.
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
    temporary = beside(path)
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
            why = getattr(error, "strerror", None) or error  # without the temporary name
            raise MatFileError(
                f"{path}: cannot be written: {why}. Check the space and your rights there."
            ) from error
        raise


def _readable(fname: PathLike) -> Path:
    path = Path(fname)
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:  # with a NUL in it
        raise MissingFileError(f"{path}: no such file. Check the path.") from error
    except OSError as error:
        raise _unreadable(path, error) from error
    if stat.S_ISDIR(found.st_mode):
        raise MatFileError(f"{path}: a folder, not a MATLAB file. Give a .mat file in it.")
    if not stat.S_ISREG(found.st_mode):  # reading a pipe waits, and a device may have no end
        raise MatFileError(f"{path}: a pipe or device, not a MATLAB file. Give a .mat file.")
    if found.st_size == 0:
        raise MatFileError(
            f"{path}: an empty file, not a MATLAB file. Copy it again, or save it anew."
        )
    return path


def _unreadable(path: Path, error: OSError) -> MatFileError:
    return MatFileError(f"{path}: cannot be opened: {error.strerror}. Check your rights there.")


def _writable(fname: PathLike, *, overwrite: bool) -> Path:
    path = Path(fname)
    if path.is_dir():
        raise MatFileError(f"{path}: a folder, not a file to write to. Give the name of a file.")
    check_target(path, overwrite=overwrite)
    return path


def _module(path: Path) -> Any:
    """Return what reads the version of MATLAB file that the header of a file says."""
    try:
        with path.open("rb") as file:
            head = file.read(128)
    except OSError as error:
        raise _unreadable(path, error) from error
    if 0 in head[:4]:
        return mat4
    if head[124:128] not in (b"\x00\x02IM", b"\x02\x00MI"):
        return mat5
    from mne_bstinv.io import mat73  # and h5py with it, which takes time

    return mat73


def _check_structs(path: Path, name: str, variable: Variable) -> None:
    shape = variable.shape or ()
    if variable.matlab_class == "struct" and sum(size > 1 for size in shape) > 1:
        raise MatFileError(
            f"{path}: {name} is a {' x '.join(map(str, shape))} struct array; "
            "only rows and columns of structs can be read. Save it as such in MATLAB."
        )


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
