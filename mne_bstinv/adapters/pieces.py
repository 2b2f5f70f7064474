"""FIF files of forward solutions and inverse operators, their large matrices a piece at a time.

MNE's writers copy a matrix to the precision of the file, and that to bytes, before the first byte
is written. A matrix of here is asked for in that precision when its place in the file has come: it
writes itself there, and to MNE it is empty. The files have the bytes that MNE writes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import IO, Any, Self

import mne
import numpy as np

from mne_bstinv._types import AnyArray
from mne_bstinv.adapters import _mne_private

__all__ = ["LazyMatrix", "write_forward_solution", "write_inverse_operator"]

#: Numbers of matrices in FIF files.
_FLOAT = np.dtype(">f4")

#: Columns of a transposed matrix that are copied at a time: their rows stay in the cache.
_AT_ONCE = 256

#: The file that is being written.
_FILE: ContextVar[IO[bytes] | None] = ContextVar("_FILE", default=None)


class LazyMatrix(ABC):
    """A matrix that MNE takes for an array, and that writes itself to a FIF file."""

    shape: tuple[int, int]

    @abstractmethod
    def whole(self, dtype: Any) -> AnyArray:
        """Return all numbers, of a type (None: as they are)."""

    @abstractmethod
    def pieces(self) -> Iterator[AnyArray]:
        """Yield rows, some at a time; each piece may take the memory of the last."""

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.shape[0] * self.shape[1]

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return 2

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> AnyArray:
        file = _FILE.get()
        if file is None or dtype != _FLOAT:
            return self.whole(dtype)
        for piece in self.pieces():
            file.write(np.ascontiguousarray(piece, _FLOAT).view(np.uint8))
        return np.empty(0, _FLOAT)


class _Transposed(LazyMatrix):
    """The transpose of an array, or the array itself."""

    def __init__(self, array: AnyArray) -> None:
        self._array = array
        self.shape = array.shape

    def whole(self, dtype: Any) -> AnyArray:
        return np.asarray(self._array, dtype)

    def pieces(self) -> Iterator[AnyArray]:
        """Yield all at once: in the precision of the file it is half of the array."""
        rows = np.empty(self.shape, _FLOAT)
        for start in range(0, self.shape[1], _AT_ONCE):
            some = slice(start, start + _AT_ONCE)
            rows[:, some] = self._array[:, some]
        yield rows

    @property
    def T(self) -> Self:  # noqa: N802  the name of an array's transpose
        return type(self)(self._array.T)


def write_forward_solution(path: Path, fwd: Any) -> None:
    """Write what :func:`mne.write_forward_solution` does to a new file; the gain by pieces."""
    _write(path, fwd, _mne_private.write_forward_tags)


def write_inverse_operator(path: Path, inv: Any) -> None:
    """Write what :func:`mne.minimum_norm.write_inverse_operator` does to a new file."""
    leads = inv["eigen_leads"]
    passing = {**leads, "data": _Transposed(leads["data"])}
    whole = mne.minimum_norm.InverseOperator({**inv, "eigen_leads": passing})
    _write(path, whole, _mne_private.write_operator_tags)


def _write(path: Path, value: Any, write: Callable[[IO[bytes], Any], None]) -> None:
    with _mne_private.open_fif(path) as file:
        token = _FILE.set(file)
        try:
            write(file, value)
        finally:
            _FILE.reset(token)
