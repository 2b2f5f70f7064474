"""What a structure holds, in a few words a field: for the command line and for notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mne_bstinv import _display
from mne_bstinv._display import in_short

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
    rows = [(row["field"], row["value"], row["unit"]) for row in describe(structure)]
    return _display.html_table(rows, title=repr(structure))
