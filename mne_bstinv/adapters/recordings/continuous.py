"""A Raw as the continuous recording that Brainstorm would see."""

from __future__ import annotations

from typing import Any

import numpy as np

from mne_bstinv import io
from mne_bstinv._types import FloatArray
from mne_bstinv.adapters.kept import kept_of
from mne_bstinv.adapters.recordings.events import occurrences_of
from mne_bstinv.adapters.recordings.from_mne import events_from, linked_events
from mne_bstinv.adapters.recordings.raw_writer import structure_of
from mne_bstinv.adapters.recordings.samples import signs_of
from mne_bstinv.continuous import Recording
from mne_bstinv.conversion import Findings, conversion_report
from mne_bstinv.errors import ConversionError

__all__ = ["recording_of"]

_THIRD_ORDER = 3


def recording_of(raw: Any, findings: Findings, *, channels: io.Channels | None = None) -> Recording:
    """Return the continuous recording that a Raw is for Brainstorm, samples in its signs.

    Types and projectors are those of ``channels``, in the order of the Raw; without it of the
    channel file that the Raw came from, or is exported with. Projectors that are applied in the
    Raw are so (Status 2), others are applied when Brainstorm reads (Status 1). Samples are read
    when needed.
    """
    report = conversion_report(raw)
    structure, grade = structure_of(raw, findings)
    structure = structure if channels is None else channels
    if len(structure) != len(raw.ch_names):
        raise ConversionError(
            f"The Raw has {len(raw.ch_names)} channels, the channel file {len(structure)}: not of "
            "one study. Take both from one study."
        )
    signs = signs_of(raw.ch_names, kept_of(report).get("flipped", ()))
    first_time = float(raw.first_time)
    found = occurrences_of(raw.annotations, first_time, first_time)
    events = events_from(linked_events(raw, report), report, raw.annotations, found, findings)

    def samples(start: int, stop: int) -> FloatArray:
        return signs * raw[:, start:stop][0]

    bads = set(raw.info["bads"])
    return Recording(
        samples=samples,
        sfreq=float(raw.info["sfreq"]),
        first=int(raw.first_samp),
        n_samples=int(raw.n_times),
        names=tuple(raw.ch_names),
        types=structure.types,
        channel_flag=np.array([-1 if name in bads else 1 for name in raw.ch_names], np.int64),
        projectors=structure.projectors,
        meg_ref_coef=structure.meg_ref_coef,
        curr_ctf_comp=grade,
        dest_ctf_comp=_THIRD_ORDER,
        events=events,
    )
