"""The kinds of values that fields of Brainstorm's files take.

Every kind restores the declared shape and class of what reading squeezed, and adds a fault to
the context where that is impossible.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csc_array, issparse

from mne_bstinv.io import raw
from mne_bstinv.io.context import Context, Symbol
from mne_bstinv.io.values import EMPTY, bare, cast, describe, is_empty
from mne_bstinv.io.variable import Variable

__all__ = ["Array", "Raw", "Scalar", "Sparse", "Vector"]


@dataclass(frozen=True, slots=True, init=False)
class Array:
    """An array of numbers with two dimensions or more.

    The shape is in symbols: ``"n"``, ``"3*n"``, a number, ``"?"`` for any size; ``dtype`` is
    ``"float64"``, ``"int64"`` (indices), or None to keep the MATLAB class. ``late`` arrays are read
    after the other fields, whose sizes they must fit; ``turned`` ones may be transposed (old
    files); where ``names_file``, old files hold the name of a surface file in this field.
    """

    shape: tuple[Symbol, ...]
    dtype: str | None
    turned: bool
    names_file: bool
    order: int

    def __init__(
        self,
        *shape: Symbol,
        dtype: str | None = "float64",
        late: bool = False,
        turned: bool = False,
        names_file: bool = False,
    ) -> None:
        for name, value in {
            "shape": shape,
            "dtype": dtype,
            "turned": turned,
            "names_file": names_file,
            "order": 1 if late else 0,
        }.items():
            object.__setattr__(self, name, value)

    def read(self, variable: Variable, context: Context) -> Any:
        """Return the array in its declared shape."""
        if is_empty(variable.value):
            return None
        variable = bare(variable, context)
        if self.names_file and isinstance(variable.value, str):
            context.fault(
                f"the surface file name {variable.value!r} (an old head model)",
                f"{self._expected(context)}, the Vertices of that surface,",
            )
            return None
        array = cast(variable, self.dtype, context, self._expected)
        if array is None:
            return None
        found = variable.shape or array.shape
        for shape in [found] if variable.shape else self._unsqueezed(array.shape):
            if context.match(shape, self.shape):
                return raw.read_only(array.reshape(shape, order="F"))
        return self._transposed(array.reshape(found, order="F"), context)

    def write(self, value: Any, context: Context) -> Any:
        """Return the array as MATLAB holds it."""
        if value is None:
            return EMPTY
        array = cast(Variable(value), None, context, self._expected)
        if array is None:
            return EMPTY
        if not context.match(array.shape, self.shape):
            context.fault(f"shape {array.shape}", self._expected(context))
        return array if self.dtype is None else array.astype(np.float64, copy=False)

    def _expected(self, context: Context) -> str:
        return f"an array of numbers {context.explain(self.shape)}"

    @property
    def by_form(self) -> bool:
        """Whether a value of a form (type and shape) that was right is read by its form alone."""
        return self.dtype == "float64"

    def _unsqueezed(self, shape: tuple[int, ...]) -> list[tuple[int, ...]]:
        """Return the shapes that reading may have squeezed to this one."""
        if len(shape) == 0:
            return [(1,) * len(self.shape)]
        if len(shape) == 1 and len(self.shape) == 2:
            return [(shape[0], 1), (1, shape[0])]
        return [shape]

    def _transposed(self, array: Any, context: Context) -> Any:
        turned = array.shape[::-1]
        if self.turned and context.match(turned, self.shape):
            context.findings.derived(context.path, f"transposed: its shape was {array.shape}")
            return raw.read_only(array.T)
        hint = ""
        if array.ndim == 2 and context.fits(turned, self.shape):
            hint = " (it looks transposed)"
        context.fault(f"shape {array.shape}{hint}", self._expected(context))
        return None


@dataclass(frozen=True, slots=True)
class Vector:
    """A row or column of numbers, one-dimensional in the structure, of a size in symbols.

    ``column`` says how it is written; both are read. The ``dtype`` is as of :class:`Array`.
    """

    size: Symbol = "?"
    column: bool = False
    dtype: str | None = "float64"
    order: int = 0

    def read(self, variable: Variable, context: Context) -> Any:
        """Return the vector."""
        if is_empty(variable.value):
            return None
        array = cast(variable, self.dtype, context, self._expected)
        if array is None:
            return None
        if max(array.shape, default=1) != array.size or not context.match(
            (array.size,), (self.size,)
        ):
            found = variable.shape or array.shape or (1,)
            context.fault(f"shape {found}", self._expected(context))
            return None
        return raw.read_only(array.reshape(-1))

    def write(self, value: Any, context: Context) -> Any:
        """Return a row or column."""
        if value is None:
            return EMPTY
        array = cast(Variable(value), None, context, self._expected)
        if array is None:
            return EMPTY
        if array.ndim != 1 or not context.match(array.shape, (self.size,)):
            context.fault(f"shape {array.shape}", self._expected(context))
        array = array.reshape((-1, 1) if self.column else (1, -1))
        return array if self.dtype is None else array.astype(np.float64, copy=False)

    @property
    def by_form(self) -> bool:
        """As of :class:`Array`."""
        return self.dtype == "float64"

    def _expected(self, context: Context) -> str:
        return f"a vector of numbers {context.explain((self.size,))}"


@dataclass(frozen=True, slots=True)
class Scalar:
    """One number, ``float`` or ``int``."""

    type: type = float
    order: int = 0

    def read(self, variable: Variable, context: Context) -> Any:
        """Return the number."""
        if is_empty(variable.value):
            return None
        dtype = "int64" if self.type is int else "float64"
        array = cast(variable, dtype, context, "one number")
        if array is None:
            return None
        if array.size != 1:
            context.fault(describe(variable), "one number")
            return None
        return self.type(array.item())

    def write(self, value: Any, context: Context) -> Any:
        """Return a 1 x 1 array."""
        return EMPTY if value is None else np.array([[float(value)]])


@dataclass(frozen=True, slots=True)
class Sparse:
    """A sparse array of a shape in symbols."""

    shape: tuple[Symbol, Symbol] = ("?", "?")
    order: int = 0

    def read(self, variable: Variable, context: Context) -> Any:
        """Return a csc array of float64: the small integers in files overflow in products."""
        variable = bare(variable, context)
        value = variable.value
        if is_empty(value):
            return None
        expected = f"a sparse array {context.explain(self.shape)}"
        if not issparse(value):
            value = cast(variable, "float64", context, expected)
            if value is None:
                return None
            value = np.atleast_2d(
                value if variable.shape is None else value.reshape(variable.shape)
            )
        if not context.match(value.shape, self.shape):
            context.fault(f"shape {value.shape}", expected)
            return None
        return raw.read_only(csc_array(value, dtype=np.float64))

    def write(self, value: Any, context: Context) -> Any:
        """Return the sparse array."""
        if value is None:
            return EMPTY
        if not context.match(value.shape, self.shape):
            context.fault(f"shape {value.shape}", f"a sparse array {context.explain(self.shape)}")
        return csc_array(value, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Raw:
    """A value without a schema (:mod:`mne_bstinv.io.raw`).

    ``hints`` say how to freeze fields of some names; with ``struct`` only structs are read, other
    values are None; ``keep_empty`` keeps an empty struct array, with the names of its fields, which
    is None otherwise.
    """

    hints: raw.Hints | None = None
    struct: bool = False
    keep_empty: bool = False
    order: int = 0

    def read(self, variable: Variable, context: Context) -> Any:
        """Return the frozen value."""
        is_struct = isinstance(variable.value, Mapping)
        if self.struct and is_struct:
            variable = bare(variable, context)
        if self.struct and not is_struct:
            if not is_empty(variable.value):
                context.fault(describe(variable), "a struct")
            return None
        if is_empty(variable.value) and not (is_struct and self.keep_empty):
            return None
        return raw.freeze_variable(variable, self.hints)

    def write(self, value: Any, context: Context) -> Any:
        """Return the value for savemat."""
        return raw.thaw(value)
