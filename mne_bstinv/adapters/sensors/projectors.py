"""Projectors: Brainstorm's list ⇄ :class:`mne.Projection`.

MNE knows orthogonal projections only, one or more vectors each, all of which it applies together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import mne
import numpy as np
from mne.io.constants import FIFF

from mne_bstinv import io
from mne_bstinv._types import FloatArray
from mne_bstinv.adapters.sensors.types import plain_type
from mne_bstinv.conversion import Findings
from mne_bstinv.errors import ConversionError
from mne_bstinv.inverse.projectors import projection_operator

__all__ = [
    "KeptProjection",
    "embedded",
    "is_reference",
    "projections_of",
    "projectors_from",
    "rows_moved",
]

#: Values of Status.
IGNORED, ON_THE_FLY, APPLIED = 0, 1, 2

#: The average reference is recognised up to single precision.
_SAME_REFERENCE = 1e-6

#: Operators closer than this are the same.
_SAME_OPERATOR = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class KeptProjection:
    """A projection of MNE's with the entry that it was made of."""

    #: The projection.
    projection: Any
    #: Position in the list of projectors.
    entry: int
    #: Which component; None for an operator.
    component: int | None


def projections_of(
    channels: io.Channels, bads: Sequence[str], findings: Findings
) -> list[KeptProjection]:
    """Convert each component that Brainstorm removes, and an average reference."""
    made: list[KeptProjection] = []
    expressed: list[io.Projector] = []
    for index, projector in enumerate(channels.projectors):
        name = f"Projector({index + 1}) {projector.comment!r}"
        components = projector.components
        if components is None or components.shape[0] != len(channels):
            shape = None if components is None else components.shape
            raise ConversionError(
                f"{name}: Components is {shape}, expected a row for each of the {len(channels)} "
                "channels. Compute the projector again, or remove it in Brainstorm."
            )
        if projector.status == IGNORED:
            findings.dropped(name, "its Status is 0 (ignored); MNE would apply it")
            continue
        if projector.kind == "ica":
            findings.dropped(name, "ICA is no orthogonal projection: MNE cannot express it")
            continue
        entries = (
            _of_components(channels, projector, index, findings)
            if projector.kind == "ssp"
            else _of_operator(channels, projector, index, findings)
        )
        if entries:
            expressed.append(projector)
        made += entries
    _tell_differences(channels, made, expressed, bads, findings)
    return made


def _of_components(
    channels: io.Channels, projector: io.Projector, index: int, findings: Findings
) -> list[KeptProjection]:
    """One projection for each selected component."""
    mask, components = projector.comp_mask, projector.components
    if mask is None or components is None or mask.size != components.shape[1]:
        raise ConversionError(
            f"Projector({index + 1}): CompMask is not of its Components, expected one flag for "
            "each of them. Compute the projector again, or remove it in Brainstorm."
        )
    selected = np.flatnonzero(mask)
    if len(selected) < mask.size:
        findings.dropped(
            f"Projector({index + 1}) {projector.comment!r}",
            f"{mask.size - len(selected)} of {mask.size} components, which are not selected",
        )
    made = []
    for component in selected:
        vector = components[:, component]
        if not vector.any():
            continue
        description = projector.comment
        if mask.size > 1:
            description = f"{description} (component {component + 1})"
        projection = _projection(
            channels,
            vector,
            _same_types(channels, vector),
            desc=description,
            kind=FIFF.FIFFV_PROJ_ITEM_FIELD,
            active=projector.status == APPLIED,
        )
        made.append(KeptProjection(projection=projection, entry=index, component=int(component)))
    return made


def _of_operator(
    channels: io.Channels, projector: io.Projector, index: int, findings: Findings
) -> list[KeptProjection]:
    """MNE's average reference, if the operator is one."""
    operator: Any = projector.components
    name = f"Projector({index + 1}) {projector.comment!r}"
    referenced = _average_reference(operator)
    if referenced is None:
        findings.dropped(name, "a complete operator is none of MNE's projections")
        return []
    types = {plain_type(channels.types[i]) for i in referenced}
    if not types <= {"eeg", "eeg ref"}:
        findings.dropped(name, f"an average over {sorted(types)}; MNE averages EEG channels")
        return []
    vector = np.zeros(len(channels))
    vector[referenced] = 1 / np.sqrt(len(referenced))
    projection = _projection(
        channels,
        vector,
        referenced,
        desc="Average EEG reference",
        kind=FIFF.FIFFV_PROJ_ITEM_EEG_AVREF,
        active=projector.status == APPLIED,
    )
    findings.derived(name, f"recognised as the average reference of {len(referenced)} channels")
    return [KeptProjection(projection=projection, entry=index, component=None)]


def _average_reference(operator: FloatArray) -> list[int] | None:
    """Channels that the operator refers to their average; None if it does anything else."""
    removed = np.eye(len(operator)) - operator
    referenced = np.flatnonzero(np.abs(removed).max(axis=1) > _SAME_REFERENCE)
    if referenced.size < 2:
        return None
    expected = np.zeros_like(removed)
    expected[np.ix_(referenced, referenced)] = 1 / referenced.size
    if np.abs(removed - expected).max() > _SAME_REFERENCE:
        return None
    return [int(i) for i in referenced]


def _same_types(channels: io.Channels, vector: FloatArray) -> list[int]:
    """Channels of all the types that the vector concerns."""
    types = [name.casefold() for name in channels.types]
    concerned = {types[i] for i in np.flatnonzero(vector)}
    return [i for i, name in enumerate(types) if name in concerned]


def _projection(
    channels: io.Channels, vector: FloatArray, rows: Sequence[int], **options: Any
) -> Any:
    all_names = channels.names
    names = [all_names[i] for i in rows]
    data = {
        "nrow": 1,
        "ncol": len(names),
        "row_names": None,
        "col_names": names,
        "data": vector[list(rows)][np.newaxis].copy(),
    }
    return mne.Projection(data=data, explained_var=None, **options)


def _tell_differences(
    channels: io.Channels,
    made: Sequence[KeptProjection],
    expressed: Sequence[io.Projector],
    bads: Sequence[str],
    findings: Findings,
) -> None:
    """Report where MNE's use of the projections differs from Brainstorm's."""
    concerned = {
        name
        for item in made
        if item.component is not None
        for name, value in zip(
            item.projection["data"]["col_names"], item.projection["data"]["data"][0], strict=True
        )
        if value != 0
    }
    if concerned & set(bads):
        findings.derived(
            "Projector",
            "some of its channels are bad: Brainstorm projects them too, MNE leaves them out and "
            "renormalises the vectors",
        )
    if len({item.component is None for item in made}) == 2:
        vectors = np.stack([embedded(item.projection, channels.names)[:, 0] for item in made], 1)
        together = io.Projector(
            components=vectors, comp_mask=np.ones(len(made), dtype=np.int64), status=ON_THE_FLY
        )
        theirs = projection_operator([together], len(channels))
        ours = projection_operator(expressed, len(channels))
        if theirs is not None and ours is not None:
            difference = float(np.abs(theirs - ours).max())
            if difference > _SAME_OPERATOR:
                findings.derived(
                    "Projector",
                    "MNE projects components and average reference out together, Brainstorm one "
                    f"after the other: the operators differ by {difference:.1e}",
                )


def is_reference(projection: Any) -> bool:
    """Tell whether a projection of MNE is an average reference.

    Parameters
    ----------
    projection : mne.Projection
        The projection.

    Returns
    -------
    bool
        Whether it is.
    """
    return int(projection["kind"]) == FIFF.FIFFV_PROJ_ITEM_EEG_AVREF


def embedded(projection: Any, names: Sequence[str]) -> FloatArray:
    """Vectors of a projection (n_channels, n_vectors), zero for channels it does not concern."""
    data = projection["data"]
    position = {name: i for i, name in enumerate(names)}
    vectors = np.zeros((len(names), data["nrow"]))
    for column, name in enumerate(data["col_names"]):
        if name in position:
            vectors[position[name]] = data["data"][:, column]
    return vectors


def projectors_from(
    info: mne.Info, kept: Sequence[KeptProjection], originals: Sequence[io.Projector]
) -> tuple[io.Projector, ...]:
    """Make Brainstorm's projectors of an Info's projections.

    These are ``originals``, which ``kept`` was made of, without the components that are no
    longer in the Info, then one entry for each projection that is new.
    """
    pending = list(info["projs"])
    statuses: dict[int, list[bool]] = {}
    gone: dict[int, list[int | None]] = {}
    for item in kept:
        match = next((i for i, p in enumerate(pending) if _same(p, item.projection)), None)
        if match is None:
            gone.setdefault(item.entry, []).append(item.component)
        else:
            statuses.setdefault(item.entry, []).append(bool(pending.pop(match)["active"]))
    projectors = []
    for index, original in enumerate(originals):
        updated: io.Projector | None = original
        if index in gone:
            updated = _without(original, gone[index]) if index in statuses else None
        if (
            updated is not None
            and original.status == ON_THE_FLY
            and all(statuses.get(index, [False]))
        ):
            updated = replace(updated, status=APPLIED)
        if updated is not None:
            projectors.append(updated)
    # a projection of zeros changes nothing: it only says that no reference is needed
    new = [p for p in pending if np.any(p["data"]["data"])]
    made = [entry for p in new for entry in _new_projectors(p, info["ch_names"])]
    return (*projectors, *made)


def rows_moved(
    channels: io.Channels, names: Sequence[str], findings: Findings
) -> tuple[io.Projector, ...]:
    """Return a file's projectors for other channels, or in another order, as many as there are.

    Channels that the file lacks are not projected.
    """
    if tuple(names) == channels.names or not channels.projectors:
        return channels.projectors
    there = [i for i, name in enumerate(names) if name in channels.names]
    rows = [channels.names.index(names[i]) for i in there]
    gone = np.setdiff1d(np.arange(len(channels)), rows)
    moved = []
    for projector in channels.projectors:
        components: Any = projector.components
        if projector.kind == "operator":
            block = np.eye(len(names))
            block[np.ix_(there, there)] = components[np.ix_(rows, rows)]
            cut = bool((components - np.eye(len(components)))[gone].any())
        else:
            block = np.zeros((len(names), components.shape[1]))
            block[there] = components[rows]
            cut = bool(components[gone].any())
        if cut:
            findings.derived(
                f"Projector {projector.comment!r}", "some of its channels are gone: cut to the rest"
            )
        moved.append(replace(projector, components=block))
    return tuple(moved)


def _same(one: Any, other: Any) -> bool:
    return (
        one["kind"] == other["kind"]
        and list(one["data"]["col_names"]) == list(other["data"]["col_names"])
        and np.array_equal(one["data"]["data"], other["data"]["data"])
    )


def _without(projector: io.Projector, components: Sequence[int | None]) -> io.Projector:
    """Return the projector with some of its components no longer selected."""
    mask = np.array(projector.comp_mask)
    mask[[c for c in components if c is not None]] = 0
    return replace(projector, comp_mask=mask)


def _new_projectors(projection: Any, names: Sequence[str]) -> list[io.Projector]:
    """Make entries of a projection that no projector was kept for: one a vector.

    Brainstorm takes one vector without singular values for a mean (``SSP_mean``); several in one
    entry would be principal components, which have singular values, and MNE keeps none. Vectors
    that concern none of the channels project nothing and are none.
    """
    vectors = embedded(projection, names)
    vectors = vectors[:, vectors.any(axis=0)]
    if not vectors.size:
        return []
    status = APPLIED if projection["active"] else ON_THE_FLY
    if is_reference(projection):
        units = vectors / np.linalg.norm(vectors, axis=0)
        reference = io.Projector(
            comment="EEG reference: AVERAGE",
            components=np.eye(len(names)) - units @ units.T,
            status=status,
            method="REF",
        )
        return [reference]
    description, several = str(projection["desc"]), vectors.shape[1] > 1
    return [
        io.Projector(
            comment=f"{description} (component {number})" if several else description,
            components=vector[:, np.newaxis],
            comp_mask=np.ones(1, dtype=np.int64),
            status=status,
            method="SSP_mean",
        )
        for number, vector in enumerate(vectors.T, start=1)
    ]
