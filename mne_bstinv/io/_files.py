"""Read and write one structure: what the public functions of all kinds of files share."""

from __future__ import annotations

from typing import TypeVar

from mne_bstinv.io import mat
from mne_bstinv.io.mat import PathLike
from mne_bstinv.io.schema import Structure, from_mat, to_mat

__all__ = ["read", "write"]

S = TypeVar("S", bound=Structure)


def read(cls: type[S], fname: PathLike) -> S:
    """Read a file that holds one structure."""
    return from_mat(cls, mat.read(fname), str(fname))


def write(cls: type[S], fname: PathLike, structure: S, *, overwrite: bool) -> None:
    """Write a file that holds one structure."""
    if not isinstance(structure, cls):
        raise TypeError(f"{cls.__name__} expected, {type(structure).__name__} given")
    mat.write(fname, to_mat(structure, str(fname)), overwrite=overwrite)
