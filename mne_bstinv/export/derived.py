"""Dipoles and time courses of labels as files of a condition."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from mne_bstinv import io
from mne_bstinv.adapters import from_dipole, from_label_time_courses
from mne_bstinv.adapters.files import kind_of
from mne_bstinv.conversion import Findings, tell_again
from mne_bstinv.export.estimates import StoredFiles
from mne_bstinv.export.structures import StudyStructures

__all__ = ["derived_structure"]

#: How names end in MNE and in Brainstorm.
_SIDES = {"-lh": " L", "-rh": " R"}


def derived_structure(
    value: Any, study: StudyStructures, files: StoredFiles
) -> io.Dipoles | io.Matrix:
    """Make dipoles or signals of a condition; they belong to its recordings if there is one."""
    data_file = files.data_files[0] if len(files.data_files) == 1 else None
    if kind_of(value) == "dipole":
        return from_dipole(value, study.channels, data_file=data_file)
    if isinstance(value, io.Dipoles):
        return dataclasses.replace(tell_again(value), data_file=data_file)
    matrix = tell_again(value) if isinstance(value, io.Matrix) else from_label_time_courses(value)
    atlas = _atlas(matrix, study.cortex)
    surface_file = None if atlas is None else files.surface_file
    return dataclasses.replace(matrix, atlas=atlas, surface_file=surface_file)


def _atlas(matrix: io.Matrix, cortex: io.Surface | None) -> io.Atlas | None:
    """Return the scouts of signals: their own if the cortex has the vertices, else those named."""
    if cortex is None or (matrix.atlas is not None and _fits(matrix.atlas, cortex)):
        return matrix.atlas
    if matrix.atlas is not None:
        findings = Findings()
        findings.dropped("Atlas", "The scouts have vertices that the cortex does not have.")
        findings.tell(what=f"signals {matrix.comment!r} → matrix file")
    return _scouts_named(cortex, matrix.row_names)


def _fits(atlas: io.Atlas, cortex: io.Surface) -> bool:
    """Tell whether a cortex has the vertices; of a volume grid it says nothing."""
    if atlas.n_grid is not None:
        return True
    vertices = [scout.vertices for scout in atlas.scouts if scout.vertices is not None]
    return all(part.max(initial=0) <= cortex.n_vertices for part in vertices)


def _scouts_named(cortex: io.Surface, names: Sequence[str]) -> io.Atlas | None:
    """Return the scouts that signals are of, from the atlas that has all of them."""
    for atlas in cortex.atlas:
        known = {scout.label: scout for scout in atlas.scouts}
        found = [known.get(name) or known.get(_scout_name(name)) for name in names]
        scouts = tuple(scout for scout in found if scout is not None)
        if names and len(scouts) == len(names) and atlas.n_grid is None:
            return dataclasses.replace(atlas, scouts=scouts)
    return None


def _scout_name(label: str) -> str:
    for ending, own in _SIDES.items():
        if label.endswith(ending):
            return label.removesuffix(ending) + own
    return label
