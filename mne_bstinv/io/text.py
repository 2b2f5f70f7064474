"""The kinds of values with text and structs in them: names, histories, cells, structures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

import numpy as np

from mne_bstinv.io import raw
from mne_bstinv.io.context import Context, Symbol
from mne_bstinv.io.kinds import Array
from mne_bstinv.io.schema import Structure, build, parse, specs
from mne_bstinv.io.struct_arrays import parse_elements
from mne_bstinv.io.values import EMPTY, bare, describe, is_empty
from mne_bstinv.io.variable import Variable

__all__ = [
    "ArrayCell",
    "History",
    "HistoryRows",
    "Nested",
    "NestedArray",
    "Text",
    "TextCell",
    "history_row",
]

#: A History cell: rows of date, type and text.
HistoryRows = tuple[tuple[str, str, str], ...]


def as_text(value: Any) -> str | None:
    """Return the text of a cell's entry (numbers in words); None if it is none."""
    if isinstance(value, str):
        return value
    if is_empty(value):
        return ""
    if isinstance(value, bool | int | float | np.number):
        return f"{float(value):.15g}"
    if isinstance(value, np.ndarray) and value.dtype.kind in "US":
        return "\n".join(str(row) for row in value.ravel())
    return None


@dataclass(frozen=True, slots=True)
class Text:
    """A text; None is written as an empty value of class ``absent``, ``"char"`` or ``"double"``."""

    absent: str = "char"
    order: int = 0
    #: See :attr:`~mne_bstinv.io.kinds.Array.by_form`.
    by_form: ClassVar[bool] = True

    def read(self, variable: Variable, context: Context) -> Any:
        """Return the text."""
        value = variable.value
        if is_empty(value):
            return None
        if isinstance(value, np.ndarray) and value.dtype.kind == "U":
            return as_text(value)
        if not isinstance(value, str):
            context.fault(describe(variable), "text")
            return None
        return value

    def write(self, value: Any, context: Context) -> Any:
        """Return the text, or an empty array."""
        if value is None:
            return "" if self.absent == "char" else EMPTY
        if not isinstance(value, str):
            context.fault(f"{value!r}", "text")
            return ""
        return value


@dataclass(frozen=True, slots=True)
class TextCell:
    """A cell of texts of a size in symbols: a tuple of str.

    ``column`` says how it is written; an empty one is an empty cell if ``empty_cell``, else an
    array.
    """

    size: Symbol = "?"
    column: bool = False
    empty_cell: bool = False
    order: int = 0

    def read(self, variable: Variable, context: Context) -> Any:
        """Return the texts."""
        value = variable.value
        if is_empty(value):
            return None
        items = list(value) if isinstance(value, list | tuple) else [value]
        if isinstance(value, np.ndarray) and value.dtype.kind == "U":  # rows of characters
            items = list(value.ravel())
        texts = tuple(as_text(item) for item in items)
        if None in texts:
            context.fault(describe(variable), "a cell of texts")
            return None
        if not context.match((len(texts),), (self.size,)):
            context.fault(f"{len(texts)} texts", f"a cell {context.explain((self.size,))}")
            return None
        return texts

    def write(self, value: Any, context: Context) -> Any:
        """Return a cell."""
        if not value:
            return raw.cell([]) if self.empty_cell else EMPTY
        if not context.match((len(value),), (self.size,)):
            context.fault(f"{len(value)} texts", f"a cell {context.explain((self.size,))}")
        return raw.cell(list(value), (len(value), 1) if self.column else None)


@dataclass(frozen=True, slots=True)
class History:
    """The N x 3 cell of what was done to a file: rows of date, type and text."""

    order: int = 0

    def read(self, variable: Variable, context: Context) -> Any:
        """Return the rows."""
        value = variable.value
        if is_empty(value):
            return None
        if not isinstance(value, list | tuple):
            context.fault(describe(variable), "an N x 3 cell of texts")
            return None
        rows = history_rows(value)
        if rows is None:
            context.fault("a cell of another form", "an N x 3 cell of texts")
        return rows

    def write(self, value: Any, context: Context) -> Any:
        """Return an N x 3 cell."""
        if not value:
            return EMPTY
        if any(len(row) != 3 for row in value):
            context.fault("rows of another length", "rows of three texts")
            return EMPTY
        return raw.cell([text for row in value for text in row], (len(value), 3))


def history_rows(value: Any) -> HistoryRows | None:
    """Return the rows of a history that reading gives as one row or as a list of rows."""
    rows = value if all(isinstance(row, list | tuple) for row in value) else [value]
    texts = [tuple(as_text(item) for item in row) for row in rows]
    if any(None in row or len(row) != 3 for row in texts):
        return None
    return tuple(texts)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class ArrayCell:
    """A cell of arrays of one shape, of a size in symbols: a tuple of arrays."""

    array: Array
    size: Symbol = "?"
    order: int = 0

    def read(self, variable: Variable, context: Context) -> Any:
        """Return the arrays."""
        value = variable.value
        if is_empty(value):
            return None
        items = value if isinstance(value, list | tuple) else [value]
        context.match((len(items),), (self.size,))
        return tuple(
            self.array.read(Variable(item), context.element(index))
            for index, item in enumerate(items)
        )

    def write(self, value: Any, context: Context) -> Any:
        """Return a cell."""
        if not value:
            return EMPTY
        context.match((len(value),), (self.size,))
        items = [self.array.write(v, context.element(i)) for i, v in enumerate(value)]
        return raw.cell(items)


@dataclass(frozen=True, slots=True)
class Nested:
    """A struct, as the structure ``cls``."""

    cls: type[Structure]
    order: int = 0

    def read(self, variable: Variable, context: Context) -> Any:
        """Return the structure."""
        if is_empty(variable.value):
            return None
        variable = bare(variable, context)
        if not isinstance(variable.value, Mapping) or variable.shape not in (None, (1, 1)):
            context.fault(describe(variable), "one struct")
            return None
        fields = {name: Variable(item) for name, item in variable.value.items()}
        return parse(self.cls, fields, context.element())

    def write(self, value: Any, context: Context) -> Any:
        """Return a 1 x 1 struct array."""
        if value is None:
            return EMPTY
        return _structs([build(value, context.element())], self.cls)


@dataclass(frozen=True, slots=True)
class NestedArray:
    """A struct array of a size in symbols: a tuple of structures ``cls``."""

    cls: type[Structure]
    size: Symbol = "?"
    order: int = -1

    def read(self, variable: Variable, context: Context) -> Any:
        """Return the structures."""
        if is_empty(variable.value):
            return None
        columns = struct_columns(bare(variable, context))
        if columns is None:
            context.fault(describe(variable), "a struct array")
            return None
        size = len(next(iter(columns.values())))
        if not context.match((size,), (self.size,)):
            expected = f"a struct array {context.explain((self.size,))}"
            context.fault(f"{size} structs", expected)
        return parse_elements(self.cls, columns, context, self.element)

    def element(self, name: Any, index: int, context: Context) -> Context:
        """Return the context of an element, which may depend on what it calls itself."""
        return context.element(index)

    def write(self, value: Any, context: Context) -> Any:
        """Return a 1 x N struct array."""
        value = value or ()
        if value and not context.match((len(value),), (self.size,)):
            expected = f"a struct array {context.explain((self.size,))}"
            context.fault(f"{len(value)} structs", expected)
        rows = [
            build(item, self.element(getattr(item, "name", None), index, context))
            for index, item in enumerate(value)
        ]
        return _structs(rows, self.cls)


def struct_columns(variable: Variable) -> Mapping[str, Sequence[Any]] | None:
    """Return the values of each field of a struct array, which reading gave as a dict."""
    columns, shape = variable.value, variable.shape
    if not isinstance(columns, Mapping) or not columns:
        return None
    sizes = {len(c) if isinstance(c, list | tuple) else -1 for c in columns.values()}
    # A struct of one is a plain dict; inside structs only the values tell it from an array.
    if (shape is not None and max(shape) == 1) or len(sizes) != 1 or sizes & {-1, 1}:
        return {name: [value] for name, value in columns.items()}
    return columns


def struct_rows(variable: Variable) -> list[dict[str, Variable]] | None:
    """Return the elements of a struct array, likewise."""
    columns = struct_columns(variable)
    if columns is None:
        return None
    return [
        {name: Variable(value) for name, value in zip(columns, row, strict=True)}
        for row in zip(*columns.values(), strict=True)
    ]


def _structs(rows: list[dict[str, Any]], cls: type[Structure]) -> Any:
    """Return a struct array of built fields; those that an element lacks are empty."""
    names = dict.fromkeys(item.spec.name for item in specs(cls) if item.spec.written)
    names.update(dict.fromkeys(name for row in rows for name in row))
    array = np.empty(len(rows), dtype=[(name, object) for name in names])
    for index, row in enumerate(rows):
        for name in names:
            array[name][index] = row.get(name, EMPTY)
    return array.reshape((1, len(rows)) if rows else (0, 0))


#: English whatever the locale: MATLAB writes them so.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def history_row(kind: str, text: str) -> tuple[str, str, str]:
    """Return one row: the date of now, what kind of step, and what was done."""
    now = datetime.now()
    return f"{now:%d}-{_MONTHS[now.month - 1]}-{now:%Y %H:%M:%S}", kind, text
