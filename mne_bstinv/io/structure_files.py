"""Read and write one structure: what the public functions of all kinds of files share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from mne_bstinv.errors import SchemaError
from mne_bstinv.io import mat
from mne_bstinv.io.mat import PathLike
from mne_bstinv.io.registry import known_by_content
from mne_bstinv.io.schema import Structure, from_mat, to_mat

__all__ = ["read", "write"]

S = TypeVar("S", bound=Structure)


def read(cls: type[S], fname: PathLike) -> S:
    """Read a file that holds one structure."""
    variables = mat.read(fname)
    try:
        return from_mat(cls, variables, str(fname))
    except SchemaError as error:
        other = _other_kind(cls, variables)
        if other is None:
            raise
        raise SchemaError(error.place, [*error.faults, other]) from None


def _other_kind(cls: type[Structure], variables: Iterable[str]) -> str | None:
    """Say which other kind of file the variables are of; None if they are not of another."""
    fitting = known_by_content(variables)
    if not fitting or any(row.structure == cls.__name__ for row, _ in fitting):
        return None
    row, mark = fitting[0]
    what = row.by_content or row.label
    return f"by its {' and '.join(sorted(mark))} it looks like a {what}: use {row.reader}"


def write(cls: type[S], fname: PathLike, structure: S, *, overwrite: bool) -> None:
    """Write a file that holds one structure."""
    if not isinstance(structure, cls):
        raise TypeError(f"{cls.__name__} expected, {type(structure).__name__} given")
    mat.write(fname, to_mat(structure, str(fname)), overwrite=overwrite)
