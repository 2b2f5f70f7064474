"""A map on a whole cortex as MNE holds it: estimate, source spaces, a label a scout."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mne
import numpy as np

from mne_bstinv import io
from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.adapters.anatomy import to_labels, to_surfaces
from mne_bstinv.adapters.kept import kept_of
from mne_bstinv.adapters.sources import (
    SIDES,
    hemisphere_rows,
    model_of_vertices,
    to_source_spaces,
)
from mne_bstinv.conversion import Findings
from mne_bstinv.errors import ConversionError

__all__ = [
    "CortexMap",
    "cortex_map",
    "label_time_courses",
    "morphed_by_mne",
    "rescaled_by_mne",
    "smoothed_by_mne",
]


@dataclass(frozen=True, kw_only=True, eq=False)
class CortexMap:
    """What MNE's functions of maps take."""

    #: SourceEstimate, or VectorSourceEstimate of three components.
    stc: Any
    #: SourceSpaces, all vertices in use.
    src: Any
    #: A label a scout: of both hemispheres where it is in both.
    labels: list[Any]
    #: The row of the cortex of each row of the estimate.
    order: IntArray
    #: From SCS to the head frame, (3, 3).
    rotation: FloatArray

    def on_cortex(self, data: FloatArray) -> FloatArray:
        """Return rows in the order of the estimate in that of the cortex."""
        found = np.empty_like(data)
        found[self.order] = data
        return found


def cortex_map(
    values: FloatArray,
    times: FloatArray,
    cortex: io.Surface,
    *,
    n_components: int = 1,
    scouts: Sequence[io.Scout] = (),
    subject: str | None = None,
) -> CortexMap:
    """Make MNE's objects of a map on all vertices of a cortex; times (n_times,) in s, regular.

    values (n_components * n_vertices, n_times): of three components x, y, z of each vertex, in SCS.
    """
    n = len(cortex.vertices)
    if n_components not in (1, 3) or len(values) != n * n_components:
        raise ConversionError(
            f"The map has {len(values)} rows, expected {n_components} for each of the {n} vertices."
        )
    src = to_source_spaces(model_of_vertices(cortex), cortex, subject=subject, verbose="error")
    kept = kept_of(src)
    order, rotation = kept["order"], np.asarray(kept["scs_to_head"])[:3, :3]
    step = (times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else 1.0
    place = {
        "vertices": [part["vertno"] for part in src],
        "tmin": float(times[0]),
        "tstep": float(step),
        "subject": subject,
    }
    if n_components == 1:
        stc = mne.SourceEstimate(values[order], **place)
    else:
        vectors = values.reshape(n, 3, -1)[order]
        stc = mne.VectorSourceEstimate(np.einsum("ij,njt->nit", rotation, vectors), **place)
    return CortexMap(
        stc=stc,
        src=src,
        labels=_labels(cortex, scouts, subject) if scouts else [],
        order=order,
        rotation=rotation,
    )


def label_time_courses(maps: CortexMap, mode: str = "auto") -> FloatArray:
    """Return ``mne.extract_label_time_course`` of all labels, (n_labels, [3,] n_times)."""
    return np.asarray(
        mne.extract_label_time_course(maps.stc, maps.labels, maps.src, mode=mode, verbose="error")
    )


def rescaled_by_mne(maps: CortexMap, baseline: tuple[float, float], mode: str) -> FloatArray:
    """Return ``mne.baseline.rescale`` of an estimate, in MNE's order."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(
            mne.baseline.rescale(
                maps.stc.data, maps.stc.times, baseline, mode=mode, verbose="error"
            )
        )


def smoothed_by_mne(
    maps: CortexMap, cortex: io.Surface, passes: Iterable[int], folder: Path
) -> Iterator[FloatArray]:
    """Yield an estimate smoothed by each number of MNE's passes, in MNE's order."""
    to_surfaces(folder, maps.stc.subject, cortex=cortex, verbose="error")
    for n in passes:
        morph = mne.compute_source_morph(
            maps.stc,
            subject_from=maps.stc.subject,
            subject_to=maps.stc.subject,
            subjects_dir=folder,
            spacing=maps.stc.vertices,
            smooth=n,
            warn=False,
            verbose="error",
        )
        yield np.asarray(morph.apply(maps.stc).data)


def morphed_by_mne(
    maps: CortexMap, cortex: io.Surface, target: io.Surface, folder: Path, smooth: Any = None
) -> FloatArray:
    """Return an estimate on all vertices of another cortex by MNE's own morph, in MNE's order."""
    to_surfaces(folder, maps.stc.subject, cortex=cortex, verbose="error")
    to_surfaces(folder, "target", cortex=target, verbose="error")
    rows = hemisphere_rows(target, Findings())
    morph = mne.compute_source_morph(
        maps.stc,
        subject_from=maps.stc.subject,
        subject_to="target",
        subjects_dir=folder,
        spacing=[np.arange(len(rows[side])) for side in SIDES],
        smooth=smooth,
        warn=False,
        verbose="error",
    )
    return np.asarray(morph.apply(maps.stc).data)


def _labels(cortex: io.Surface, scouts: Sequence[io.Scout], subject: str | None) -> list[Any]:
    """Return one label a scout, in their order."""
    labels = to_labels(
        cortex, io.Atlas(name="scouts", scouts=tuple(scouts)), subject=subject, verbose="error"
    )
    parts: list[list[Any]] = [[] for _ in scouts]
    for label, origin in zip(labels, kept_of(labels)["origins"], strict=True):
        parts[origin.scout].append(label)
    for scout, part in zip(scouts, parts, strict=True):
        if not part:
            raise ConversionError(f"Scout {scout.label!r} has no vertices: leave it out.")
    return [part[0] if len(part) == 1 else part[0] + part[1] for part in parts]
