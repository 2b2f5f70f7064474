"""Averages become Evoked, trials Epochs, continuous recordings Raw."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mne_bstinv import io
from mne_bstinv.io.filenames import is_average, is_block
from mne_bstinv.port.continuous import convert_continuous
from mne_bstinv.port.names import ENDINGS
from mne_bstinv.port.outputs import Outputs
from mne_bstinv.port.settings import Settings
from mne_bstinv.workflow import StudyCondition

__all__ = ["LINK", "MAX_EPOCHS_BYTES", "convert_recordings"]

#: Samples of the trials of one file, in bytes: what a worker has to hold at once,
#: about four times (as read, stacked, with the signs of MNE, and in Epochs).
MAX_EPOCHS_BYTES = 250_000_000

LINK = (
    "It is a continuous recording: apply the operator to pieces of its -raw.fif "
    "(mne.minimum_norm.apply_inverse_raw)."
)


@dataclass
class _Group:
    """Recordings for one file."""

    entries: list[Path] = field(default_factory=list)
    recordings: list[io.Recordings] = field(default_factory=list)

    @property
    def n_bytes(self) -> int:
        return sum(0 if r.f is None else r.f.nbytes for r in self.recordings)


class _Files:
    """Groups of one kind: each is written when it is complete, the first by the plain name."""

    def __init__(self, study: StudyCondition, outputs: Outputs, kind: str) -> None:
        self.study, self.outputs, self.kind = study, outputs, kind
        self.groups: dict[Hashable, _Group] = {}
        self.written = {False: 0, True: 0}

    def add(self, entry: io.RecordingsEntry, recordings: io.Recordings) -> None:
        key = _key(entry, recordings, self.kind)
        group = self.groups.setdefault(key, _Group())
        group.entries.append(entry.file)
        group.recordings.append(recordings)
        if self.kind == "epochs" and group.n_bytes >= MAX_EPOCHS_BYTES:
            self.write(entry.bad, self.groups.pop(key))

    def write_rest(self) -> None:
        for key, group in self.groups.items():
            assert isinstance(key, tuple)
            self.write(bool(key[0]), group)

    def write(self, bad: bool, group: _Group) -> None:
        from mne_bstinv.adapters.recordings import safe_by_default

        self.written[bad] += 1
        number = f"_{self.written[bad]}" if self.written[bad] > 1 else ""
        name = f"{'_bad' if bad else ''}{number}{ENDINGS[self.kind]}"
        with self.outputs.item(group.entries[0], self.kind):
            value = (
                safe_by_default(self.study.epochs_of(group.recordings))
                if self.kind == "epochs"
                else [safe_by_default(self.study.evoked_of(one)) for one in group.recordings]
            )
            files = [file for file in (*group.entries, self.study.channel_file) if file]
            facts = {
                "contents": [self.outputs.relative(file) for file in group.entries],
                "comment": [recordings.comment for recordings in group.recordings],
            }
            self.outputs.write(name, value, self.kind, files, **facts)


def convert_recordings(study: StudyCondition, settings: Settings, outputs: Outputs) -> None:
    """Convert the recordings of a condition."""
    averages = _Files(study, outputs, "evoked")
    trials = _Files(study, outputs, "epochs")
    for entry in study.recordings:
        with outputs.item(entry.file, "recordings"):
            recordings = study.store.read(io.read_recordings, entry.file)
            if recordings.link is not None or is_block(entry.file):
                convert_continuous(entry, recordings, study, settings, outputs)
                continue
            files = averages if is_average(entry.file, recordings.n_avg) else trials
            files.add(entry, recordings)
    averages.write_rest()
    trials.write_rest()


def _key(entry: io.RecordingsEntry, recordings: io.Recordings, kind: str) -> Hashable:
    """Return what recordings of one file have in common; first whether they are marked as bad.

    The trials of Epochs have one time axis; the Evokeds of a file have one Info, bad channels
    included.
    """
    time = recordings.time
    n_times = 0 if recordings.f is None else recordings.f.shape[1]
    if time is None or len(time) < 2:
        return entry.bad, n_times
    period = round((time[-1] - time[0]) / (len(time) - 1), 9)
    if kind == "epochs":
        # to a thousandth of a sample, which to_epochs takes for rounding
        return entry.bad, n_times, period, round(float(time[0] / period))
    flags = recordings.channel_flag
    bads = () if flags is None else tuple(np.flatnonzero(flags < 0).tolist())
    return entry.bad, period, bads
