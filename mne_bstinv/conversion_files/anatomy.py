"""Surfaces, scouts and MRIs, one file at a time.

A function takes what the source holds, the companions and what the conversion is told.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from mne_bstinv import io
from mne_bstinv.adapters import from_labels, from_source_spaces
from mne_bstinv.adapters.anatomy import (
    from_mesh,
    read_freesurfer_mri,
    to_mesh_files,
    to_scout_files,
    to_volume_file,
)
from mne_bstinv.adapters.files import in_mri_frame
from mne_bstinv.conversion_files.arguments import Arguments
from mne_bstinv.conversion_files.companions import Companions, frame_mri
from mne_bstinv.errors import ConversionError
from mne_bstinv.export.anatomy import coloured, complete_cortex
from mne_bstinv.frames import scs_to_head

__all__ = ["cortex", "mesh", "mri", "scouts", "surface_of", "volume", "with_scouts"]


def cortex(value: Any, c: Companions, _: Arguments) -> Any:
    """Make the cortex of source spaces."""
    src = value["src"] if "src" in getattr(value, "keys", tuple)() else value
    to_scs = scs_to_head(c["channels"], frame_mri(c["channels"], c)).inverse
    trans = c.require("trans") if in_mri_frame(src) else None
    grid = from_source_spaces(src, head_to_scs=to_scs, trans=trans)
    if grid.surface is None:
        raise ConversionError(
            "The source spaces are no surface: they have no cortex. "
            "Give source spaces or a forward solution of a cortex."
        )
    return complete_cortex(grid.surface)


def mesh(surface: io.Surface, c: Companions, _: Arguments) -> Any:
    """Make the files of a surface, in the surface RAS of the MRI."""
    return to_mesh_files(surface, c.target.name, **_frame_of(c))


def _frame_of(c: Companions) -> dict[str, Any]:
    """Return what says where surface RAS is: the MRI, else the channel file."""
    mri = c["mri"]
    return {"mri": mri, "channels": c["channels"] if mri is None else None}


def surface_of(mesh: Any, c: Companions, _: Arguments) -> Any:
    """Make a surface of a mesh, with normals and neighbours."""
    comment = c.target.stem.removeprefix("tess_")
    return complete_cortex(from_mesh(mesh, comment, **_frame_of(c)))


def volume(mri: io.Mri, c: Companions, _: Arguments) -> Any:
    """Make the file of an MRI."""
    return to_volume_file(mri, c.target.name)


def mri(path: Path, c: Companions, _: Arguments) -> Any:
    """Make an MRI of a volume, placed by the transform and the fiducials of the sensors."""
    return read_freesurfer_mri(path, c["trans"], c["channels"])


def scouts(surface: io.Surface, c: Companions, arguments: Arguments) -> Any:
    """Make a parcellation, or the label of one scout."""
    return to_scout_files(
        surface, c.target.name, atlas=arguments.atlas, subject=c.subject, **_frame_of(c)
    )


def with_scouts(labels: Any, c: Companions, arguments: Arguments) -> Any:
    """Return the cortex with the labels as one more atlas."""
    surface: io.Surface = c["cortex"]
    name = arguments.atlas or c.source.stem.removeprefix("lh.").removeprefix("rh.")
    added = coloured(from_labels(labels, surface, name=name))
    others = tuple(atlas for atlas in surface.atlas if atlas.name != name)
    return replace(surface, atlas=(*others, added), i_atlas=len(others) + 1)
