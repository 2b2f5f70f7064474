"""Projectors: :class:`mne.Projection` → Brainstorm's list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import mne
import numpy as np
from mne.io.constants import FIFF

from mne_bstinv.adapters._projectors import APPLIED, ON_THE_FLY, KeptProjection, embedded
from mne_bstinv.conversion import Findings
from mne_bstinv.io import Channels, Projector

__all__ = ["projectors_from", "rows_moved"]


def projectors_from(
    info: mne.Info, kept: Sequence[KeptProjection], originals: Sequence[Projector]
) -> tuple[Projector, ...]:
    """Make Brainstorm's projectors.

    Parameters
    ----------
    info : mne.Info
        The Info.
    kept : sequence of KeptProjection
        The projections that were made of ``originals``.
    originals : sequence of Projector
        Projectors of the channel file that the Info was made of, for the same channels.

    Returns
    -------
    tuple of Projector
        ``originals`` without the components that are no longer in the Info, then one entry for
        each projection that is new.
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
        updated: Projector | None = original
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
    return (*projectors, *(_new_projector(p, info["ch_names"]) for p in pending))


def rows_moved(
    channels: Channels, names: Sequence[str], findings: Findings
) -> tuple[Projector, ...]:
    """Return the projectors of a channel file for other channels, or in another order.

    Parameters
    ----------
    channels : Channels
        Channel file.
    names : sequence of str
        The channels wanted; those that the file lacks are not projected.
    findings : Findings
        Where to report.

    Returns
    -------
    tuple of Projector
        One for each of the file's.
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


def _without(projector: Projector, components: Sequence[int | None]) -> Projector:
    """Return the projector with some of its components no longer selected."""
    mask = np.array(projector.comp_mask)
    mask[[c for c in components if c is not None]] = 0
    return replace(projector, comp_mask=mask)


def _new_projector(projection: Any, names: Sequence[str]) -> Projector:
    """Make an entry of a projection that no projector was kept for."""
    vectors = embedded(projection, names)
    status = APPLIED if projection["active"] else ON_THE_FLY
    if projection["kind"] == FIFF.FIFFV_PROJ_ITEM_EEG_AVREF:
        units = vectors / np.linalg.norm(vectors, axis=0)
        return Projector(
            comment="EEG reference: AVERAGE",
            components=np.eye(len(names)) - units @ units.T,
            status=status,
            method="REF",
        )
    return Projector(
        comment=str(projection["desc"]),
        components=vectors,
        comp_mask=np.ones(vectors.shape[1], dtype=np.int64),
        status=status,
        method="SSP_mean",
    )
