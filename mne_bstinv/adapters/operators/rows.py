"""Rows of Brainstorm's kernels and estimates ⇄ values at MNE's sources: order, frame, directions.

Brainstorm's rows follow the locations (region after region in mixed models), 1 or 3 a location,
along x, y, z of SCS, along the normal, or along a local frame. MNE wants one value a source, or
a vector along x, y, z of head.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mne_bstinv import io
from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.conversion import Findings
from mne_bstinv.errors import ConversionError, InverseError
from mne_bstinv.inverse.orientation import local_frames, unit_normals
from mne_bstinv.inverse.origin import origin_of_results
from mne_bstinv.inverse.regions import mixed_regions
from mne_bstinv.inverse.result import RegionRows
from mne_bstinv.inverse.years import YEARS
from mne_bstinv.io.inside import inside
from mne_bstinv.io.text import TextCell

__all__ = ["RowLayout", "layout_of_results", "mixed_layout", "plain_layout"]


#: Functions whose rows are along singular vectors of the gain of a location.
_SCANS = ("glsp", "lcmvp", "gls_p", "glsr_p", "mnej_p")

#: Rounding of unit vectors that were stored in single precision.
_ORTHONORMAL = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class RowLayout:
    """Which rows belong to which locations, and along which directions."""

    #: Rows ↔ locations.
    regions: tuple[RegionRows, ...]
    #: Direction of each row in SCS, a region each; empty where rows are scalars, shape
    #: (n_locations, p, 3).
    directions: tuple[FloatArray, ...]
    #: Locations of the head model.
    n_sources: int
    #: 1, 3, or 0 for mixed models, as Brainstorm's nComponents.
    n_components: int

    @property
    def is_vector(self) -> bool:
        """Whether a location's value is a vector."""
        return bool(self.directions)

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return self.regions[-1].rows.stop

    @property
    def locations(self) -> IntArray:
        """0-based locations that have rows, region after region."""
        return np.concatenate([region.locations for region in self.regions])

    def to_head(self, rows: FloatArray, order: IntArray, rotation: FloatArray) -> FloatArray:
        """Values in head, (n_used, k) or (n_used, 3, k), of rows (n_rows, k); 0 without rows.

        ``order`` (n_used,) is the 0-based location of each source, ``rotation`` (3, 3) SCS
        → head.
        """
        if not self.is_vector and np.array_equal(self.locations, np.arange(self.n_sources)):
            return np.asarray(rows[order], dtype=np.float64)
        located = np.zeros((self.n_sources, 3, rows.shape[1])[:: 1 if self.is_vector else 2])
        for index, region in enumerate(self.regions):
            block = rows[region.rows]
            if self.is_vector:
                in_head = self.directions[index] @ rotation.T
                block = in_head.transpose(0, 2, 1) @ block.reshape(*in_head.shape[:2], -1)
            located[region.locations] = block
        return located[order]

    def from_head(self, values: FloatArray, order: IntArray, rotation: FloatArray) -> FloatArray:
        """Rows (n_rows, k) of values as ``to_head`` returns them; 0 where there is no source."""
        located = np.zeros((self.n_sources, *values.shape[1:]))
        located[order] = values
        rows = np.empty((self.n_rows, values.shape[-1]))
        for index, region in enumerate(self.regions):
            block = located[region.locations]
            if self.is_vector:
                block = (self.directions[index] @ rotation.T) @ block
            rows[region.rows] = block.reshape(-1, values.shape[-1])
        return rows


def _region_rows(specs: Sequence[tuple[str, str, IntArray]]) -> tuple[RegionRows, ...]:
    """Give regions, each a name, constraint and 0-based locations, their rows one after another."""
    rows, first = [], 0
    for name, orient, locations in specs:
        last = first + len(locations) * (1 if orient == "fixed" else 3)
        rows.append(
            RegionRows(name=name, orient=orient, locations=locations, rows=slice(first, last))
        )
        first = last
    return tuple(rows)


def plain_layout(n_sources: int, *, vector: bool) -> RowLayout:
    """Build the layout of an unmixed model: scalars, or vectors along x, y, z of SCS."""
    orient = "free" if vector else "fixed"
    return RowLayout(
        regions=_region_rows([("", orient, np.arange(n_sources))]),
        directions=(_axes(n_sources),) if vector else (),
        n_sources=n_sources,
        n_components=3 if vector else 1,
    )


def mixed_layout(
    scouts: Sequence[Any], normals: FloatArray | None, n_sources: int, *, local: bool = False
) -> RowLayout:
    """Build the layout of a mixed model; scalar where all regions are constrained.

    ``normals`` (n_sources, 3) are for constrained and loose regions; the rows of loose regions
    are along the normal and two tangents if ``local``.
    """
    try:
        specs = mixed_regions(scouts, n_sources)
    except InverseError as error:
        raise ConversionError(f"GridAtlas cannot be used: {error}") from error
    located = np.concatenate([spec.locations for spec in specs])
    if np.unique(located).size < located.size:
        raise ConversionError(
            "Regions of the mixed model share locations: no source has one value. Make the head "
            "model again with regions that do not overlap."
        )
    scalar = all(spec.orient == "fixed" for spec in specs)
    directions = () if scalar else tuple(_directions(s, normals, local=local) for s in specs)
    return RowLayout(
        regions=_region_rows([(spec.name, spec.orient, spec.locations) for spec in specs]),
        directions=directions,
        n_sources=n_sources,
        n_components=0,
    )


def layout_of_results(
    results: io.Results, n_sources: int, normals: FloatArray | None, findings: Findings
) -> RowLayout:
    """Read from a results file what its rows are; ``normals`` are (n_sources, 3)."""
    orient = _stored_orientation(results)
    local = _along_local_frames(results)
    if results.n_components == 0 or results.head_model_type == "mixed":
        atlas = results.grid_atlas
        layout = mixed_layout(
            () if atlas is None else atlas.scouts, normals, n_sources, local=local
        )
        is_loose = any(region.orient == "loose" for region in layout.regions)
    else:
        layout = plain_layout(n_sources, vector=results.n_components != 1)
        is_loose = orient == "loose"
        if layout.is_vector and is_loose and local:
            spec = layout.regions[0]
            layout = _with_directions(layout, _directions(spec, normals, local=True))
    if local and is_loose:
        findings.assumed(
            "ImagingKernel",
            f"The rows of loose {results.function} are along the normal and two tangents that the "
            "file does not hold: lengths are exact, directions in the tangent plane are not.",
        )
    if results.function in _SCANS and layout.is_vector:
        layout = _scanning(results, layout, findings)
    shape = _n_rows(results)
    if shape != layout.n_rows:
        raise ConversionError(
            f"The results have {shape} rows, but {layout.n_rows} belong to {n_sources} locations: "
            "not of this head model or surface. Give those that the results were computed with."
        )
    return layout


def _along_local_frames(results: io.Results) -> bool:
    """Whether loose rows are along the normal and two tangents, rather than x, y, z."""
    year = origin_of_results(results).year or max(YEARS)
    normalised = results.function in ("dspm", "dspm2018", "sloreta")
    return normalised and results.function not in YEARS[year].prior_restored


def _n_rows(results: io.Results) -> int:
    if results.imaging_kernel is not None:
        return len(results.imaging_kernel)
    amplitudes = results.amplitudes
    return 0 if amplitudes is None else len(amplitudes)


def _stored_orientation(results: io.Results) -> str:
    entries = inside(results.options, "Options.SourceOrient", TextCell(), default=("free",))
    return str(entries[0]).lower()


def _axes(n: int) -> FloatArray:
    return np.tile(np.eye(3), (n, 1, 1))


def _directions(spec: Any, normals: FloatArray | None, *, local: bool) -> FloatArray:
    """Directions of the rows of a region in SCS, (n_locations, p, 3)."""
    n = len(spec.locations)
    if spec.orient == "free" or (spec.orient == "loose" and not local):
        return _axes(n)
    if normals is None:
        raise ConversionError(
            "The directions of constrained rows need normals, found none. Give the cortex, or a "
            "head model with GridOrient."
        )
    units = unit_normals(normals[spec.locations], n)
    return units[:, None] if spec.orient == "fixed" else local_frames(units, 1.0).transpose(0, 2, 1)


def _with_directions(layout: RowLayout, directions: FloatArray) -> RowLayout:
    return RowLayout(
        regions=layout.regions,
        directions=(directions,),
        n_sources=layout.n_sources,
        n_components=layout.n_components,
    )


def _scanning(results: io.Results, layout: RowLayout, findings: Findings) -> RowLayout:
    """Rows of gls and lcmv are along singular vectors; with SourceDecompVa they are x, y, z."""
    va, n = results.source_decomp_va, layout.n_sources
    if layout.n_components == 0:
        findings.assumed(
            "ImagingKernel",
            f"Of {results.function} on mixed models Brainstorm itself stores the rows of the last "
            "region only, at the top of an otherwise empty kernel: such a file has no meaning.",
        )
    if len(layout.regions) == 1 and va is not None and va.shape == (3, 3 * n):
        directions = va.reshape(3, n, 3).transpose(1, 2, 0)
        gram = directions @ directions.transpose(0, 2, 1)
        free = _stored_orientation(results) == "free"
        if free and np.allclose(gram, np.eye(3), rtol=0, atol=_ORTHONORMAL):
            findings.derived(
                "ImagingKernel",
                "The rows are along singular vectors of the whitened gain: turned to x, y, z with "
                "SourceDecompVa.",
            )
            return _with_directions(layout, directions)
    findings.assumed(
        "ImagingKernel",
        f"The three rows of a location of {results.function} are along singular vectors, not "
        "along x, y, z: only their length has a meaning.",
    )
    return layout
