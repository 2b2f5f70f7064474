"""Source locations of Brainstorm as :class:`mne.SourceSpaces`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import mne
import numpy as np
from mne.utils import verbose
from numpy.typing import NDArray
from scipy.spatial import KDTree

from mne_bstinv import io
from mne_bstinv._types import FloatArray, IntArray, Verbose
from mne_bstinv.adapters.frames import head_frame, mri_frame
from mne_bstinv.adapters.kept import keep
from mne_bstinv.adapters.sources.hemispheres import (
    SIDES,
    Hemisphere,
    cut,
    cut_cortex,
    triangles_of,
)
from mne_bstinv.adapters.sources.lattice import find_lattice
from mne_bstinv.adapters.sources.space_dicts import (
    MriGeometry,
    discrete_part,
    surface_part,
    volume_part,
)
from mne_bstinv.adapters.sources.spaces_from_mne import source_order
from mne_bstinv.anatomy import hemispheres, outward_faces
from mne_bstinv.conversion import Findings, converts
from mne_bstinv.errors import ConversionError, InverseError
from mne_bstinv.frames import FrameTransform, transform_points
from mne_bstinv.inverse.regions import mixed_regions
from mne_bstinv.studies.normals import SAME_PLACE, with_normals
from mne_bstinv.studies.units import in_metres

__all__ = ["to_source_spaces"]

#: Sine of an angle that is rounding of single precision.
TURNED = 1e-6

#: Largest deviation of the length of a normal from 1 that counts as rounding (single precision).
UNIT = 1e-6


@converts
@verbose
def to_source_spaces(
    head_model: io.HeadModel,
    surface: io.Surface | None = None,
    mri: io.Mri | None = None,
    *,
    channels: io.Channels | None = None,
    subject: str | None = None,
    units: str | None = None,
    add_interpolator: bool = True,
    verbose: Verbose = None,
) -> Any:
    """Convert the source locations of a head model to MNE's source spaces.

    A surface becomes two hemispheres, whatever the order of its vertices; a volume whose points
    lie on a regular grid becomes a volume source space, else a discrete one; a mixed model
    becomes left and right cortex followed by one volume or discrete source space a region.

    Parameters
    ----------
    head_model : HeadModel
        The head model; its gain is not looked at.
    surface : Surface | None
        The cortex that ``GridLoc`` follows. Without it the source space is discrete.
    mri : Mri | None
        The subject's MRI. Without it, MRI and head are the same frame.
    channels : Channels | None
        The channel file, for the head frame.
    subject : str | None
        Name of the subject in MNE.
    units : 'm' | 'cm' | 'mm' | 'km' | None
        The unit of positions that are in no metres by their size, as some programs write them;
        None refuses them.
    add_interpolator : bool
        Whether volumes get the weights that interpolate their values to the voxels of the MRI, as
        of :func:`mne.setup_volume_source_space`: 8 numbers of 8 bytes for each voxel of the brain.
        Without them no function of MNE takes ``mri_resolution=True``.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    mne.SourceSpaces
        The source spaces in the head frame, metres. The report keeps ``order`` (see
        :func:`source_order`), ``scs_to_head``, ``head_model`` and ``surface`` as they were given.

    Raises
    ------
    ConversionError
        If the surface has another size than ``GridLoc``, or a region of a mixed model is wrong.
    FrameError
        If the fiducials lie on one line, the MRI has no frame, or positions are in no metres.
    """
    findings = Findings()
    head_model = in_metres(head_model, units)
    surface = None if surface is None else in_metres(surface, units)
    channels = None if channels is None else in_metres(channels, units)
    frame = head_frame(channels, mri, findings)
    builder = SourceSpaceBuilder(head_model, surface, mri, frame, subject, findings)
    builder.interpolate = add_interpolator
    src = mne.SourceSpaces(builder.parts())
    keep(
        findings,
        order=cast(IntArray, source_order(src)),  # known, as they were made here
        scs_to_head=frame.matrix,
        head_model=head_model,
        surface=surface,
    )
    return findings.attach(src, what="head model → SourceSpaces")


@dataclass(frozen=True, kw_only=True, eq=False)
class GridRegion:
    """A region of a mixed head model."""

    #: Its name.
    name: str
    #: Three letters: hemisphere, kind of grid, orientation constraint.
    code: str
    #: 0-based rows of GridLoc, shape (n_locations,).
    locations: IntArray
    #: 0-based vertex of the surface of each location, shape (n_locations,); None if not all are
    #: vertices.
    vertices: IntArray | None


class SourceSpaceBuilder:
    """Makes the parts of the source spaces of one head model; the frame is SCS → head."""

    def __init__(
        self,
        head_model: io.HeadModel,
        surface: io.Surface | None,
        mri: io.Mri | None,
        frame: FrameTransform,
        subject: str | None,
        findings: Findings,
    ) -> None:
        self.head_model, self.surface, self.mri = head_model, surface, mri
        self.frame, self.subject, self.findings = frame, subject, findings
        #: Whether volumes get their weights at the voxels of the MRI.
        self.interpolate = True
        self.grid_loc = np.asarray(head_model.grid_loc, dtype=np.float64)
        self.rr = transform_points(frame.matrix, self.grid_loc)

    def parts(self) -> list[dict[str, Any]]:
        """Make MNE's source spaces."""
        return {"surface": self._surface, "volume": self._volume, "mixed": self._mixed}[
            self.head_model.kind
        ]()

    def _surface(self) -> list[dict[str, Any]]:
        surface, n = self.surface, len(self.grid_loc)
        if surface is None:
            self.findings.dropped(
                "SurfaceFile",
                "No surface was given: without triangles and hemispheres the source space is "
                "discrete.",
            )
            return [self._discrete(np.arange(n))]
        if len(surface.vertices) != n:
            raise ConversionError(
                f"The surface {surface.comment!r} has {len(surface.vertices)} vertices, GridLoc "
                f"of the head model has {n} locations: they do not belong together. Give the "
                f"surface {self.head_model.surface_file!r}, or none."
            )
        distance = np.linalg.norm(surface.vertices - self.grid_loc, axis=1).max()
        if distance > SAME_PLACE:
            self.findings.assumed(
                "GridLoc",
                f"The locations are up to {1e3 * distance:.3g} mm away from the vertices of the "
                "surface; those of GridLoc were taken.",
            )
        return [
            self._hemisphere(part, part.vertices) for part in cut_cortex(surface, self.findings)
        ]

    def _volume(self) -> list[dict[str, Any]]:
        return [self._grid(np.arange(len(self.grid_loc)), "the whole brain")]

    def _mixed(self) -> list[dict[str, Any]]:
        regions = self._regions()
        cortex: dict[str, list[tuple[IntArray, IntArray]]] = {side: [] for side in SIDES}
        rest = []
        for region in regions:
            sides = self._sides(region)
            for side in SIDES:
                if (sides == side).any() and region.vertices is not None:
                    chosen = sides == side
                    cortex[side].append((region.vertices[chosen], region.locations[chosen]))
            if (sides == "").any():
                rest.append((region, region.locations[sides == ""]))
        if not all(cortex.values()):
            if any(cortex.values()):
                self.findings.dropped(
                    "Faces",
                    "The cortex of one hemisphere alone cannot be a surface in MNE: it is a "
                    "discrete source space.",
                )
            return [self._region(region, region.locations) for region in regions]
        return [*self._cortex(cortex), *(self._region(*one) for one in rest)]

    def _regions(self) -> list[GridRegion]:
        atlas = self.head_model.grid_atlas
        scouts = () if atlas is None else atlas.scouts
        try:
            specs = mixed_regions(scouts, len(self.grid_loc))
        except InverseError as error:
            raise ConversionError(f"The head model's GridAtlas cannot be used: {error}") from error
        used = [s for s in scouts if np.size(s.grid_rows if s.grid_rows is not None else [])]
        used = [s for s in used if (s.region or "").upper()[1:2] != "X"]
        regions = [
            GridRegion(
                name=spec.name,
                code=(scout.region or "").upper(),
                locations=spec.locations,
                vertices=self._vertices(scout, spec.locations),
            )
            for spec, scout in zip(specs, used, strict=True)
        ]
        outside = np.setdiff1d(
            np.arange(len(self.grid_loc)), [r for g in regions for r in g.locations]
        )
        if len(outside):
            self.findings.dropped(
                "GridLoc", f"{len(outside)} locations are in no region of GridAtlas."
            )
        return regions

    def _vertices(self, scout: io.Scout, locations: IntArray) -> IntArray | None:
        """Return the vertices the locations of a region are at, None if they are not all at one."""
        if self.surface is None:
            return None
        places = self.grid_loc[locations]
        if scout.vertices is not None and len(scout.vertices) == len(locations):
            rows = np.asarray(scout.vertices, dtype=np.int64) - 1
            if rows.max() < len(self.surface.vertices) and np.allclose(
                self.surface.vertices[rows], places, rtol=0, atol=SAME_PLACE
            ):
                return rows
        distance, nearest = KDTree(self.surface.vertices).query(places)
        if distance.max() > SAME_PLACE or len(np.unique(nearest)) < len(nearest):
            return None
        return np.asarray(nearest, dtype=np.int64)

    def _sides(self, region: GridRegion) -> NDArray[np.str_]:
        """Hemisphere of each location of a region that belongs to the cortex, else ''."""
        none = np.full(len(region.locations), "", dtype="U2")
        if region.code[1:2] != "S" or region.vertices is None or self.surface is None:
            return none
        sides, rule = hemispheres(self.surface)
        if "atlas" not in rule and region.code[:1] in ("L", "R"):
            none[:] = {"L": "lh", "R": "rh"}[region.code[0]]
            return none
        return sides[region.vertices]

    def _cortex(self, cortex: dict[str, list[tuple[IntArray, IntArray]]]) -> list[dict[str, Any]]:
        assert self.surface is not None
        rows, locations = [], []
        for pieces in cortex.values():
            vertices, where = (np.concatenate(column) for column in zip(*pieces, strict=True))
            order = np.argsort(vertices)
            rows.append(vertices[order])
            locations.append(where[order])
        parts = cut(self.surface, rows, self.findings)
        return [self._hemisphere(part, where) for part, where in zip(parts, locations, strict=True)]

    def _region(self, region: GridRegion, locations: IntArray) -> dict[str, Any]:
        if region.code[1:2] == "V":
            return self._grid(locations, region.name)
        if region.code[1:2] == "S" and self.surface is None:
            self.findings.dropped(
                "SurfaceFile", f"No surface was given: region {region.name!r} is discrete in MNE."
            )
            return self._discrete(locations)
        if region.vertices is None:
            return self._grid(locations, region.name)
        self.findings.dropped(
            "Faces",
            f"Region {region.name!r}: MNE knows no surface that is not the cortex; it is a "
            "discrete source space, whose triangles no function of MNE looks at.",
        )
        return self._discrete(locations, tris=self._triangles(region, locations))

    def _hemisphere(self, part: Hemisphere, locations: IntArray) -> dict[str, Any]:
        normals = self._normals(locations)
        return surface_part(part, self.rr[locations], normals, locations, self.subject)

    def _discrete(self, locations: IntArray, *, tris: IntArray | None = None) -> dict[str, Any]:
        rr, nn = self.rr[locations], self._normals(locations)
        return discrete_part(rr, nn, locations, self.subject, tris=tris)

    def _triangles(self, region: GridRegion, locations: IntArray) -> IntArray:
        """Return the triangles among locations of a region on the surface, in their numbering."""
        surface = self.surface
        assert surface is not None
        assert region.vertices is not None
        rows = region.vertices[np.isin(region.locations, locations)]
        faces = np.asarray(surface.faces, dtype=np.int64) - 1
        outward = outward_faces(surface.vertices, faces, surface.vert_normals)
        return triangles_of(outward, rows, len(surface.vertices))

    def _grid(self, locations: IntArray, name: str) -> dict[str, Any]:
        scs_to_mri, axes = self.frame.matrix, []
        if self.mri is not None:
            scs_to_mri = mri_frame(None, self.mri, self.findings)
            axes = [scs_to_mri[:3, :3]]
        lattice = find_lattice(self.grid_loc[locations], *axes)
        if lattice is None:
            self.findings.dropped(
                "GridLoc",
                f"The points of {name!r} are on no regular grid: the source space is discrete.",
            )
            return self._discrete(locations)
        if self.mri is None:
            self.findings.assumed(
                "Cube", "No MRI was given: the grid itself takes its place, in the head frame."
            )
        geometry = MriGeometry(
            scs_to_mri=scs_to_mri,
            head_to_mri=scs_to_mri @ self.frame.inverse,
            mri=self.mri,
        )
        rr, nn = self.rr[locations], self._normals(locations, needed=False)
        self._tell_turn(scs_to_mri @ lattice.to_points, name)
        return volume_part(
            lattice,
            rr,
            nn,
            locations,
            geometry,
            self.subject,
            name=name,
            interpolate=self.interpolate,
        )

    def _tell_turn(self, grid_to_mri: FloatArray, name: str) -> None:
        """Note that a grid is turned against the MRI: what MNE cannot draw then."""
        linear = grid_to_mri[:3, :3]
        if np.abs(linear - np.diag(np.diag(linear))).max() > TURNED * np.abs(linear).max():
            self.findings.derived(
                "GridLoc",
                f"The grid of {name!r} is turned against the axes of the MRI: MNE's plot_3d, and "
                "plot of mixed estimates, draw none that is; all else (plot of volumes, "
                "as_volume, morphs, labels) takes it.",
            )

    def _normals(self, locations: IntArray, *, needed: bool = True) -> FloatArray:
        """Return unit normals in the head frame; z where there is none."""
        normals = self._grid_orient()
        if normals is None:
            return np.tile([0.0, 0.0, 1.0], (len(locations), 1))
        normals = normals[locations] @ self.frame.rotation.T
        length = np.linalg.norm(normals, axis=1)
        usable = np.isfinite(length) & (length > 0)
        normals[~usable] = [0.0, 0.0, 1.0]
        if not usable.all() and needed:
            self.findings.assumed(
                "GridOrient", f"{np.sum(~usable)} normals are zero; they point up in MNE."
            )
        # MNE takes a normal for its gain as it is: also what single precision leaves is taken out
        normals[usable] /= length[usable, None]
        uneven = usable & (np.abs(length - 1) > UNIT)
        if uneven.any():
            self.findings.derived(
                "GridOrient", f"{uneven.sum()} normals were scaled to the length of 1."
            )
        return normals

    def _grid_orient(self) -> FloatArray | None:
        """GridOrient (n_sources, 3); else, for a surface, its normals; None where none is known."""
        model = with_normals(self.head_model, self.surface, self.findings)
        if model.grid_orient is not None:
            return np.asarray(model.grid_orient, dtype=np.float64)
        if model.kind == "surface":
            self.findings.assumed(
                "GridOrient",
                "It is empty and no surface has its vertices there: normals point up in MNE.",
            )
        return None
