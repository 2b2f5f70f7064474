"""Read and write one structure: what the public functions of all kinds of files share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from mne_bstinv.errors import SchemaError
from mne_bstinv.io import mat
from mne_bstinv.io.mat import PathLike
from mne_bstinv.io.schema import Structure, from_mat, to_mat

__all__ = ["read", "write"]

S = TypeVar("S", bound=Structure)

#: Class of a structure → what its file is called, its reader, and variables that tell it.
_MARKS = {
    "HeadModel": ("head model", "read_head_model", ({"Gain"},)),
    "NoiseCov": ("noise or data covariance", "read_noise_cov", ({"NoiseCov"},)),
    "Channels": ("channel file", "read_channels", ({"Channel"},)),
    "Results": ("results file", "read_results", ({"ImagingKernel"}, {"ImageGridAmp"})),
    "Recordings": ("recordings file", "read_recordings", ({"F", "ChannelFlag"},)),
    "Surface": ("surface", "read_surface", ({"Vertices", "Faces"},)),
    "Mri": ("MRI", "read_mri", ({"Cube"},)),
}


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
    present = set(variables)
    fitting = {
        name: next(mark for mark in marks if mark <= present)
        for name, (_, _, marks) in _MARKS.items()
        if any(mark <= present for mark in marks)
    }
    if not fitting or cls.__name__ in fitting:
        return None
    name, mark = next(iter(fitting.items()))
    what, reader, _ = _MARKS[name]
    return f"by its {' and '.join(sorted(mark))} it looks like a {what}: use {reader}"


def write(cls: type[S], fname: PathLike, structure: S, *, overwrite: bool) -> None:
    """Write a file that holds one structure."""
    if not isinstance(structure, cls):
        raise TypeError(f"{cls.__name__} expected, {type(structure).__name__} given")
    mat.write(fname, to_mat(structure, str(fname)), overwrite=overwrite)
