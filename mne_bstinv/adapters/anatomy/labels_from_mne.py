"""MNE's labels as an atlas of scouts."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import mne
import numpy as np
from mne.utils import verbose

from mne_bstinv import io
from mne_bstinv._types import FloatArray, IntArray, Verbose
from mne_bstinv.adapters.anatomy.labels_to_mne import Origin
from mne_bstinv.adapters.kept import kept_of
from mne_bstinv.adapters.sources import SIDES, hemisphere_rows, mesh_rows
from mne_bstinv.conversion import Findings, converts
from mne_bstinv.errors import ConversionError

__all__ = ["from_labels"]


@converts
@verbose
def from_labels(
    labels: Sequence[mne.Label | mne.BiHemiLabel],
    surface: io.Surface | mne.SourceSpaces,
    *,
    name: str | None = None,
    verbose: Verbose = None,
) -> io.Atlas:
    """Convert labels to an atlas of scouts.

    Parameters
    ----------
    labels : sequence of mne.Label
        The labels. Where they come from :func:`to_labels`, scouts get their seeds, functions,
        regions and order of vertices back, as far as the vertices are still the same.
    surface : Surface | mne.SourceSpaces
        The cortex that the scouts are to be on; or the source spaces whose points in use make up
        that cortex (see :func:`from_source_spaces`).
    name : str | None
        Name of the atlas; None for the one it had, or ``'MNE labels'``.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    Atlas
        Scouts with 1-based vertices of the cortex.

    Raises
    ------
    ConversionError
        If a label has vertices that its hemisphere has not, or the source spaces are no surface.
    """
    findings, kept = Findings(), kept_of(labels)
    numbers, positions = _numbering(surface, findings)
    atlas: io.Atlas | None = kept.get("atlas")
    free = list(kept.get("origins", ()))
    members: dict[int, list[Any]] = {}
    made: list[io.Scout] = []
    for label in labels:
        origin = _origin(label, free)
        if origin is not None:
            members.setdefault(origin.scout, []).append(label)
            continue
        rows = _cortex_rows(label, numbers, findings)
        if len(rows):
            made.append(_new_scout(label, rows, positions))
    scouts = []
    for number, scout in enumerate(() if atlas is None else atlas.scouts):
        if number in members:
            rows = np.concatenate([_cortex_rows(one, numbers, findings) for one in members[number]])
            scouts.append(_old_scout(scout, np.sort(rows), members[number][0].color))
        elif scout.vertices is None or not len(scout.vertices):
            scouts.append(scout)
    title = name or (atlas.name if atlas is not None else "MNE labels")
    if made:
        findings.derived(
            "Seed, Region", f"{len(made)} scouts: the vertex nearest to the centre; the hemisphere."
        )
    converted = io.Atlas(name=title, scouts=(*scouts, *made))
    return findings.attach(converted, what=f"labels → scouts of {title!r}")


def _numbering(surface: Any, findings: Findings) -> tuple[dict[str, IntArray], FloatArray]:
    """Row of the cortex of each vertex of each hemisphere (-1 for none); and all positions."""
    if isinstance(surface, io.Surface):
        return hemisphere_rows(surface, findings), surface.vertices
    if not isinstance(surface, mne.SourceSpaces) or surface.kind not in ("surface", "mixed"):
        raise ConversionError(
            "Labels need a Surface, or source spaces with two hemispheres, to become scouts, found "
            f"{type(surface).__name__}."
        )
    numbers: dict[str, IntArray] = {}
    positions: dict[int, FloatArray] = {}
    for side, part, rows in zip(SIDES, surface[:2], mesh_rows(surface), strict=True):
        numbers[side] = np.full(int(part["np"]), -1, dtype=np.int64)
        numbers[side][part["vertno"]] = rows
        positions.update(zip(rows.tolist(), part["rr"][part["vertno"]], strict=True))
    return numbers, np.array([positions[row] for row in sorted(positions)])


def _origin(label: Any, free: list[Origin]) -> Origin | None:
    """Take the first unused origin of the label's name, one with the same vertices if it can."""
    same = [origin for origin in free if origin.name == label.name]
    if not same:
        return None
    vertices = () if label.hemi == "both" else label.vertices
    equal = [one for one in same if np.array_equal(one.vertices, vertices)]
    chosen = (equal or same)[0]
    free.remove(chosen)
    return chosen


def _cortex_rows(label: Any, numbers: dict[str, IntArray], findings: Findings) -> IntArray:
    """Rows of the cortex of a label's vertices, ascending."""
    found = []
    for one in (label.lh, label.rh) if label.hemi == "both" else (label,):
        vertices = np.asarray(one.vertices, dtype=np.int64)
        known = numbers[one.hemi]
        if len(vertices) and (vertices.min() < 0 or vertices.max() >= len(known)):
            raise ConversionError(
                f"Label {one.name!r} has vertices up to {vertices.max()}, its hemisphere has "
                f"{len(known)}: they do not belong together. Give labels and surface (or source "
                "spaces) of one subject."
            )
        found.append(known[vertices])
    rows = np.sort(np.concatenate(found))
    used = rows[rows >= 0]
    if not len(used):
        findings.dropped("vertices", f"Label {label.name!r} has no vertex of the cortex.")
    elif len(used) < len(rows):
        findings.dropped(
            "vertices",
            f"Label {label.name!r}: {len(rows) - len(used)} vertices are not in use and thus not "
            "in the cortex.",
        )
    return used


def _old_scout(scout: io.Scout, rows: IntArray, color: Any) -> io.Scout:
    """Return the scout a label was made of, with what was changed in the label."""
    if scout.vertices is None or not np.array_equal(np.unique(scout.vertices), rows + 1):
        seed = scout.seed if scout.seed is not None and scout.seed - 1 in rows else None
        scout = dataclasses.replace(scout, vertices=rows + 1, seed=seed)
    if color is None or (scout.color is not None and np.array_equal(scout.color, color[:3])):
        return scout
    return dataclasses.replace(scout, color=np.array(color[:3], dtype=np.float64))


def _new_scout(label: Any, rows: IntArray, positions: FloatArray) -> io.Scout:
    centre = positions[rows].mean(axis=0)
    seed = rows[np.linalg.norm(positions[rows] - centre, axis=1).argmin()]
    ending = {"lh": " L", "rh": " R"}.get(label.hemi, "")
    return io.Scout(
        label=(label.name or "label").removesuffix(f"-{label.hemi}") + ending,
        vertices=rows + 1,
        seed=int(seed) + 1,
        color=None if label.color is None else np.array(label.color[:3], dtype=np.float64),
        function="Mean",
        region={"lh": "LU", "rh": "RU"}.get(label.hemi, "UU"),
    )
