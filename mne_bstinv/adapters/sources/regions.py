"""The regions of a mixed head model, in a text that MNE's FIF files keep.

MNE's source spaces have no place for names and orientation constraints of regions. Forward
solutions and inverse operators name the file of their measurement (``info['meas_file']``), which
MNE writes, reads and never looks at; no recordings belong to a head model, so the place is free.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mne_bstinv import io
from mne_bstinv._types import IntArray
from mne_bstinv.errors import ConversionError

__all__ = ["MEAS_FILE", "NamedRegions", "named_regions", "recoded_regions", "regions_text"]

#: The entry of an Info that holds the text.
MEAS_FILE = "meas_file"
#: What the text begins with.
MARK = "mne_bstinv regions "
#: What each letter of a region code may be: hemisphere, kind of grid, orientation constraint.
_LETTERS = ("LRU", "SVDX", "CUL")


@dataclass(frozen=True, kw_only=True, eq=False)
class NamedRegions:
    """Names and codes of the regions, and to which region each source in use belongs."""

    #: Label and code (``'LSL'`` …) of each region.
    regions: tuple[tuple[str, str], ...]
    #: Of each source space, the 0-based region of each source in use; −1 for none.
    members: tuple[IntArray, ...]


def regions_text(head_model: io.HeadModel, src: Any, order: IntArray) -> str:
    """Write the regions of a mixed head model, and which sources are theirs, as ASCII.

    ``order`` (n_used,) is the 0-based location of each source in use; empty without regions.
    """
    atlas = head_model.grid_atlas
    if head_model.kind != "mixed" or atlas is None:
        return ""
    scouts = [scout for scout in atlas.scouts if scout.grid_rows is not None]
    region_of = np.full(head_model.n_sources, -1, dtype=np.int64)
    for number, scout in enumerate(scouts):
        region_of[np.asarray(scout.grid_rows) - 1] = number
    ends = np.cumsum([int(part["nuse"]) for part in src])[:-1]
    content = {
        "regions": [[scout.label, scout.region or "UVU"] for scout in scouts],
        "members": [_runs(part) for part in np.split(region_of[order], ends)],
    }
    return MARK + json.dumps(content)


def named_regions(info: Mapping[str, Any] | None, src: Any) -> NamedRegions | None:
    """Read the regions that the Info of a forward solution or an operator names.

    Some sources may have been taken out since; None if nothing names regions, or it is not
    known any more which sources are theirs.
    """
    text = None if info is None else info.get(MEAS_FILE)
    if not isinstance(text, str) or not text.startswith(MARK):
        return None
    try:
        content = json.loads(text[len(MARK) :])
        regions = tuple((str(label), str(code)) for label, code in content["regions"])
        runs = [[(int(region), int(n)) for region, n in part] for part in content["members"]]
    except (ValueError, KeyError, TypeError):  # not as we write it: cut, or edited
        return None
    if len(runs) != len(src):
        return None
    members = []
    for part, mine in zip(src, runs, strict=True):
        found = np.repeat([region for region, _ in mine], [n for _, n in mine])
        if len(found) != int(part["nuse"]):
            if len(mine) != 1:
                return None
            found = np.full(int(part["nuse"]), mine[0][0])
        members.append(found.astype(np.int64))
    return NamedRegions(regions=regions, members=tuple(members))


def _runs(regions: IntArray) -> list[list[int]]:
    """Return which region how many sources in a row belong to."""
    starts = np.flatnonzero(np.diff(regions, prepend=regions[:1] - 1))
    lengths = np.diff([*starts, len(regions)])
    return [[int(regions[start]), int(n)] for start, n in zip(starts, lengths, strict=True)]


def recoded_regions(atlas: io.GridAtlas, codes: Mapping[str, str]) -> io.GridAtlas:
    """Give regions other codes.

    Parameters
    ----------
    atlas : GridAtlas
        The regions.
    codes : mapping of str to str
        Label → code: hemisphere L, R or U, grid S, V, D or X, constraint C, U or L.

    Returns
    -------
    GridAtlas
        The same regions with the codes.

    Raises
    ------
    ConversionError
        If there is no such region, or no such code.
    """
    labels = [scout.label for scout in atlas.scouts]
    for label, code in codes.items():
        if label not in labels:
            raise ConversionError(
                f"There is no region {label!r} in the source model: choose one of "
                f"{', '.join(map(repr, labels))}."
            )
        letters = zip(code.upper(), _LETTERS, strict=False)
        if len(code) != 3 or not all(letter in allowed for letter, allowed in letters):
            raise ConversionError(
                f"{code!r} is no code of region {label!r}, expected three letters: "
                f"{', '.join('/'.join(allowed) for allowed in _LETTERS)} (hemisphere, surface or "
                "volume, constrained, unconstrained or loose)."
            )
    scouts = tuple(
        dataclasses.replace(scout, region=codes.get(scout.label, scout.region or "").upper())
        for scout in atlas.scouts
    )
    return dataclasses.replace(atlas, scouts=scouts)
