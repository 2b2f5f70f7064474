"""How objects show themselves: in one line, as a table in a notebook, and as numbers of JSON."""

from __future__ import annotations

import dataclasses
import math
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import PurePath
from typing import Any

import numpy as np
import scipy

__all__ = ["Displayed", "few", "finite", "html_table", "in_short", "summary_of"]

#: Cells are read from the left; notebooks would put them to the right.
_STYLE = "<style>table.mne-bstinv :is(th, td) {text-align: left}</style>"

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 60
#: What ``repr`` writes at most, before the ellipsis.
_LONGEST = 180


class Displayed:
    """Gives a dataclass a short ``repr`` and a table for notebooks.

    A class says by ``_summary`` what is worth knowing in one line; one without it is shown as the
    call that makes it, without what is left at its default. The table has a row a field, unless
    ``_table`` says otherwise.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        summary = self._summary()
        return f"<{type(self).__name__} | {summary}>" if summary else _as_call(self)

    def _repr_html_(self) -> str:
        head, rows = self._table()
        return html_table(rows, head=head, title=repr(self))

    def _summary(self) -> str:
        """Return what is worth knowing in one line; nothing shows the call."""
        return ""

    def _table(self) -> tuple[Sequence[str], Iterable[Sequence[str]]]:
        """Return the heads of the table (maybe none) and its rows."""
        return (), ((name, in_short(value)) for name, value in _shown_fields(self))


def html_table(
    rows: Iterable[Sequence[str]], *, head: Sequence[str] = (), title: str = "", heads: int = 1
) -> str:
    """Write a table of plain text as HTML; the first ``heads`` cells of a row are its name.

    The ``<`` and ``>`` around a ``repr`` as the title are left out.
    """
    above = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join(
        "<tr>"
        + "".join(f"<th>{escape(cell)}</th>" for cell in row[:heads])
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[heads:])
        + "</tr>"
        for row in rows
    )
    paragraph = f"<p>{escape(_without_brackets(title))}</p>" if title else ""
    first = f"<tr>{above}</tr>" if above else ""
    return f'{paragraph}{_STYLE}<table class="mne-bstinv">{first}{body}</table>'


def in_short(value: Any) -> str:
    """Write a value of a field in a few words, at most one line."""
    return " ".join(_in_short(value).split())


def _in_short(value: Any) -> str:
    if scipy.sparse.issparse(value):
        return f"{value.shape[0]} × {value.shape[1]} sparse, {value.nnz} non-zero"
    if isinstance(value, np.ndarray) and value.dtype.names:
        return f"{' × '.join(map(str, value.shape))} struct: {', '.join(value.dtype.names)}"
    if isinstance(value, np.ndarray) and value.dtype.kind not in "biufc":
        return f"{' × '.join(map(str, value.shape))} cell: {_sequence(tuple(value.ravel()))}"
    if isinstance(value, np.ndarray) and value.size > 4:
        return f"{' × '.join(map(str, value.shape))} {value.dtype}"
    if isinstance(value, np.ndarray):
        return "[" + " ".join(f"{v:g}" for v in value.ravel()) + "]" if value.size else "[]"
    if hasattr(value, "_repr_html_"):
        return summary_of(value)
    if isinstance(value, Mapping):
        return f"struct: {', '.join(map(str, value))}"
    if isinstance(value, tuple):
        return _sequence(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def summary_of(value: Any) -> str:
    """Return a ``repr`` of the form ``<Name | summary>`` without the name, else all of it."""
    return _without_brackets(repr(value)).split(" | ", 1)[-1]


def _without_brackets(text: str) -> str:
    return text[1:-1] if text.startswith("<") and text.endswith(">") else text


def _sequence(value: tuple[Any, ...]) -> str:
    if not value:
        return "none"
    shown = "; ".join(
        in_short(v) if not isinstance(v, tuple) else " ".join(map(str, v)) for v in value[:3]
    )
    return f"{len(value)}: {shown}" + ("; …" if len(value) > 3 else "")


def _shown_fields(value: Any) -> list[tuple[str, Any]]:
    """Return names and values of the public fields that are not empty."""
    fields = [(f.name, getattr(value, f.name)) for f in dataclasses.fields(value)]
    return [(n, v) for n, v in fields if not n.startswith("_") and not _is_empty(v)]


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str | tuple | Mapping) and not value)


def _as_call(value: Any) -> str:
    """Write the call that makes a dataclass, without fields that are left at their defaults."""
    given = [
        f"{field.name}={_literal(getattr(value, field.name))}"
        for field in dataclasses.fields(value)
        if field.init and not _is_default(field, getattr(value, field.name))
    ]
    text = f"{type(value).__name__}({', '.join(given)})"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…)"


def _literal(value: Any) -> str:
    if isinstance(value, np.ndarray) or scipy.sparse.issparse(value):
        return f"<{in_short(value)}>"
    return repr(str(value)) if isinstance(value, PurePath) else _SHORT.repr(value)


def _is_default(field: dataclasses.Field[Any], value: Any) -> bool:
    default = field.default
    if field.default_factory is not dataclasses.MISSING:
        default = field.default_factory()
    return type(value) is type(default) and bool(np.all(value == default))


def few(items: Iterable[object], most: int = 10) -> str:
    """List the first things of a message, and how many more: ``'a, b and 3 more'``."""
    texts = list(map(str, items))
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more


def finite(value: float | None) -> float | None:
    """Return a number if it is one; JSON has no others."""
    return float(value) if value is not None and math.isfinite(value) else None
