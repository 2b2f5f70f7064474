"""The scouts of a cortex as FreeSurfer's parcellations and labels."""

from __future__ import annotations

import colorsys
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mne_bstinv import io
from mne_bstinv._display import few
from mne_bstinv._types import IntArray
from mne_bstinv.adapters.anatomy.freesurfer import annotation
from mne_bstinv.adapters.anatomy.freesurfer import label as label_
from mne_bstinv.adapters.anatomy.labels_to_mne import make_labels
from mne_bstinv.adapters.anatomy.place import Place
from mne_bstinv.adapters.kept import kept_of
from mne_bstinv.adapters.sources import SIDES, hemisphere_rows
from mne_bstinv.conversion import Findings
from mne_bstinv.errors import ConversionError
from mne_bstinv.frames import transform_points

__all__ = ["annotations_of", "atlas_files", "label_named"]


#: FreeSurfer's colour of what belongs to no part.
_UNKNOWN = (25, 5, 25)


def atlas_files(cortex: io.Surface, place: Place, findings: Findings) -> dict[str, bytes]:
    """Make the parcellations of a cortex, by path.

    Scouts that overlap are spread over several parcellations, the same for both hemispheres, and
    each is a label file beside.
    """
    positions = 1e3 * transform_points(place.scs_to_mri, cortex.vertices)
    rows = hemisphere_rows(cortex, findings)
    files: dict[str, bytes] = {}
    taken: set[str] = set()
    for atlas in cortex.atlas:
        if not atlas.scouts:
            continue
        if atlas.n_grid is not None:
            findings.dropped("Atlas", f"{atlas.name!r} has scouts of a volume grid: no labels.")
            continue
        try:
            labels, origins = make_labels(cortex, atlas, 1e-3 * positions, place.subject, findings)
        except ConversionError as error:  # one odd atlas must not cost the others
            findings.dropped("Atlas", f"{atlas.name!r}: {error}")
            continue
        if not labels:
            continue
        stem = _free_name(_file_name(atlas.name), taken)
        layers = _layers(labels, [origin.scout for origin in origins])
        for number, layer in enumerate(layers, start=1):
            name = stem if len(layers) == 1 else _free_name(f"{stem}_{number}", taken)
            for side in SIDES:
                mine = [label for label in layer if label.hemi == side]
                parts = _annotation_parts(mine, atlas, findings) or [
                    # readers of one hemisphere refuse a file without any part
                    ("unknown", np.arange(len(rows[side])), _UNKNOWN)
                ]
                files[f"label/{side}.{name}.annot"] = annotation(parts, len(rows[side]))
        if len(layers) > 1:
            findings.derived(
                "Atlas",
                f"Scouts of {atlas.name!r} overlap, which a parcellation cannot: they are spread "
                f"over {len(layers)}, and each is a label file of its own, without its colour.",
            )
            for label in labels:
                where = positions[rows[label.hemi][label.vertices]]
                name = _file_name(label.name.removesuffix(f"-{label.hemi}"))
                name = _free_name(f"{name}-{label.hemi}", taken)
                content = label_(label.vertices, where, subject=place.subject)
                files[f"label/{name}.label"] = content
    return files


def annotations_of(
    labels: Sequence[Any], rows: Mapping[str, IntArray], findings: Findings
) -> dict[str, bytes]:
    """Make one parcellation of labels that do not overlap, by hemisphere.

    ``rows`` are those of the cortex in each hemisphere.
    """
    kept = kept_of(labels)
    layers = _layers(labels, [origin.scout for origin in kept["origins"]])
    if len(layers) > 1:
        raise ConversionError(
            f"The scouts overlap, which a parcellation cannot: it would take {len(layers)}. Write "
            "them one by one (SCOUT-lh.label), or all with mne-bstinv port."
        )
    atlas: io.Atlas = kept["atlas"]
    files = {}
    for side in SIDES:
        mine = [label for label in labels if label.hemi == side]
        files[side] = annotation(_annotation_parts(mine, atlas, findings), len(rows[side]))
    return files


def label_named(labels: Sequence[Any], name: str) -> Any:
    """Return the label that a file is named after."""
    for label in labels:
        if name in (label.name, _file_name(label.name)):
            return label
    listed = few(label.name for label in labels)
    raise ConversionError(
        f"No scout is named {name!r}. Name the file after one of {listed or '(none)'}, or choose "
        "another atlas (--atlas)."
    )


def _layers(labels: Sequence[Any], scouts: Sequence[int]) -> list[list[Any]]:
    """Spread labels over as few lists without overlaps as follow from their order.

    The parts of a scout in both hemispheres stay together.
    """
    layers: list[tuple[list[Any], set[tuple[str, int]]]] = []
    for scout in dict.fromkeys(scouts):
        mine = [label for label, of in zip(labels, scouts, strict=True) if of == scout]
        covered = {(label.hemi, int(v)) for label in mine for v in label.vertices}
        for found, taken in layers:
            if not taken & covered:
                found += mine
                taken |= covered
                break
        else:
            layers.append((mine, covered))
    return [found for found, _ in layers]


def _annotation_parts(
    labels: Sequence[Any], atlas: io.Atlas, findings: Findings
) -> list[tuple[str, IntArray, tuple[int, int, int]]]:
    """Name, vertices and colour of the parts of one hemisphere; no two have the same colour."""
    taken: set[tuple[int, int, int]] = {(0, 0, 0)}
    parts, changed = [], 0
    names = Counter(label.name for label in labels)
    for number, label in enumerate(labels):
        rgb = label.color
        if rgb is None:
            rgb = colorsys.hsv_to_rgb(number / len(labels), 1.0, 1.0)
        wanted = tuple(round(255 * float(channel)) for channel in rgb[:3])
        color = _free_color(wanted, taken)
        changed += color != wanted or label.color is None
        taken.add(color)
        parts.append((label.name.removesuffix(f"-{label.hemi}"), label.vertices, color))
    if changed:
        findings.derived(
            "Color",
            f"{changed} scouts of {atlas.name!r} had no colour, black, or that of another; "
            "parcellations tell parts by their colours, so they got others.",
        )
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        findings.assumed("Label", f"Several scouts of {atlas.name!r} are named {twice[0]!r}.")
    return parts


def _free_color(wanted: tuple[int, ...], taken: set[tuple[int, int, int]]) -> tuple[int, int, int]:
    """Return the nearest colour that is not taken, going through blue, green and red."""
    red, green, blue = wanted
    code = (red << 16) + (green << 8) + blue
    for step in range(1 << 24):
        near = (code + step) % (1 << 24)
        color = (near >> 16, (near >> 8) & 255, near & 255)
        if color not in taken:
            return color
    raise AssertionError("more parts than colours")


def _file_name(name: str) -> str:
    return re.sub(r"[^\w.+-]+", "_", name.strip()) or "atlas"


def _free_name(name: str, taken: set[str]) -> str:
    """Return a name that no file has yet, where upper and lower case are the same, and take it."""
    stem, dash, side = name.rpartition("-") if name[-3:] in ("-lh", "-rh") else (name, "", "")
    number, found = 1, name
    while found.casefold() in taken:
        number += 1
        found = f"{stem}-{number}{dash}{side}"
    taken.add(found.casefold())
    return found
