"""What a structure holds, in a few words a field: for the command line and for notebooks."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from mne_bstinv.io.schema import Structure

__all__ = ["describe", "html_table", "in_short"]


def describe(structure: Structure) -> list[dict[str, str]]:
    """Describe each field of a structure.

    Parameters
    ----------
    structure : Structure
        Any structure of :mod:`mne_bstinv.io`.

    Returns
    -------
    list of dict
        ``field`` (the MATLAB name), ``value`` (in short) and ``unit`` of each field that is not
        absent; then the fields that the package does not know.
    """
    from mne_bstinv.io.schema import specs

    rows = [
        {"field": spec.name, "value": in_short(value), "unit": spec.unit}
        for attribute, spec, _ in specs(type(structure))
        if (value := getattr(structure, attribute)) is not None
    ]
    return rows + [
        {"field": name, "value": in_short(value), "unit": "(kept as it is)"}
        for name, value in structure.extra.items()
    ]


def in_short(value: Any) -> str:
    """Write a value of a file in a few words.

    Parameters
    ----------
    value : object
        A field's value.

    Returns
    -------
    str
        At most one line.
    """
    if sparse.issparse(value):
        return f"{value.shape[0]} × {value.shape[1]} sparse, {value.nnz} non-zero"
    if isinstance(value, np.ndarray) and value.size > 4:
        return f"{' × '.join(map(str, value.shape))} {value.dtype}"
    if isinstance(value, np.ndarray):
        return "[" + " ".join(f"{v:g}" for v in value.ravel()) + "]" if value.size else "[]"
    if hasattr(value, "_bstinv_report"):
        return repr(value).strip("<>").split(" | ")[-1]
    if isinstance(value, Mapping):
        return f"struct: {', '.join(value)}"
    if isinstance(value, tuple):
        return _sequence(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def html_table(structure: Structure) -> str:
    """Write the description as an HTML table.

    Parameters
    ----------
    structure : Structure
        Any structure of :mod:`mne_bstinv.io`.

    Returns
    -------
    str
        A table with a row a field.
    """
    rows = "".join(
        f"<tr><th>{escape(row['field'])}</th><td>{escape(row['value'])}</td>"
        f"<td>{escape(row['unit'])}</td></tr>"
        for row in describe(structure)
    )
    return f"<p>{escape(repr(structure).strip('<>'))}</p><table>{rows}</table>"


def _sequence(value: tuple[Any, ...]) -> str:
    if not value:
        return "none"
    shown = "; ".join(
        in_short(v) if not isinstance(v, tuple) else " ".join(map(str, v)) for v in value[:3]
    )
    return f"{len(value)}: {shown}" + ("; …" if len(value) > 3 else "")
