"""A list of labels that can carry a loss report, and where each came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mne_bstinv._display import html_table

__all__ = ["LabelList", "Origin"]


class LabelList(list[Any]):
    """A list of :class:`mne.Label`; unlike a plain list it can carry the loss report.

    Parameters
    ----------
    iterable : iterable of mne.Label
        The labels.
    """

    def __repr__(self) -> str:
        names = [label.name for label in self[:3]]
        more = [f"{len(self) - 3} more"] if len(self) > 3 else []
        return f"<LabelList | {', '.join([*names, *more]) or 'no label'}>"

    def _repr_html_(self) -> str:
        rows = [(label.name, label.hemi, str(len(label.vertices))) for label in self]
        return html_table(rows, head=("label", "hemisphere", "vertices"), title=repr(self))


@dataclass(frozen=True, kw_only=True, eq=False)
class Origin:
    """Which scout a label was made of.

    Parameters
    ----------
    name : str
        Name of the label.
    scout : int
        Number of the scout in its atlas, 0-based.
    vertices : array of int, shape (n_vertices,)
        Vertices of the label.
    """

    name: str
    scout: int
    vertices: NDArray[np.int64]
