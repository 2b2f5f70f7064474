"""Brainstorm's protocols as MNE's objects, and exported again, for the tests of the export."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mne_bstinv import (
    io,
    to_covariance,
    to_evoked,
    to_forward,
    to_info,
    to_inverse_operator,
    to_source_estimate,
)
from mne_bstinv.export import Estimation, ExportedStudy, export_study

PUBLIC = ("eeg_shared", "eeg_surface", "eeg_volume", "meg_eeg", "mixed")
LOCAL = ("eeg_surface", "eeg_volume", "meg_ctf", "meg_neuromag", "mixed")


@dataclass
class Ported:
    """One condition as MNE's objects, and the results files that its estimations stand for."""

    subject: str
    condition: str
    share_channels: bool
    objects: dict[str, Any]
    estimations: list[Estimation] = field(default_factory=list)
    stored: list[Path] = field(default_factory=list)

    def objects_only(self) -> dict[str, Any]:
        """The objects without estimations; a new dict."""
        return dict(self.objects)


def ported(root: Path, *, results: bool = True) -> list[Ported]:
    """All conditions of a protocol that hold recordings."""
    protocol = io.read_protocol(root)
    conditions = []
    for subject in protocol.subjects:
        mri, cortex = io.read_mri(subject.anatomy), io.read_surface(subject.cortex)
        conditions += [
            _condition(subject, entry, mri, cortex, results=results) for entry in subject.conditions
        ]
    return conditions


def export(ported_conditions: list[Ported], root: Path, **options: Any) -> list[ExportedStudy]:
    """Export conditions one after the other to one protocol."""
    return [
        export_study(
            root,
            subject=one.subject,
            condition=one.condition,
            share_channels=one.share_channels,
            estimations=one.estimations,
            **one.objects,
            **options,
        )
        for one in ported_conditions
    ]


def _condition(
    subject: io.SubjectEntry,
    entry: io.Condition,
    mri: io.Mri,
    cortex: io.Surface,
    *,
    results: bool,
) -> Ported:
    channels = io.read_channels(entry.channel_file)
    recordings = [io.read_recordings(one.file) for one in entry.recordings]
    objects: dict[str, Any] = {
        "recordings": [to_evoked(one, channels, mri=mri) for one in recordings],
        "info": to_info(channels, sfreq=1000.0, mri=mri),
        "mri": mri,
    }
    covs = {"noise_cov": entry.noise_cov_file, "data_cov": entry.data_cov_file}
    read = {name: io.read_noise_cov(file) for name, file in covs.items() if file is not None}
    objects |= {name: to_covariance(cov, channels) for name, cov in read.items()}
    conditions = Ported(subject.name, entry.name, subject.use_default_channel == 1, objects=objects)
    if entry.head_model_file is None:
        return conditions
    head_model = io.read_head_model(entry.head_model_file)
    objects["forward"] = to_forward(head_model, channels, surface=cortex, mri=mri)
    files = [one.file for one in entry.recordings]
    first = subject.conditions[0] is entry
    for stored in entry.results if results else ():
        if stored.shared and conditions.share_channels and not first:
            continue  # it was exported with the first condition, for all of them
        index = None if stored.shared else files.index(stored.data_file)
        kernel = io.read_results(stored.file)
        of, types = kernel.options, None
        if kernel.imaging_kernel is None:
            of = to_source_estimate(
                kernel,
                recordings[index],
                channels=channels,
                surface=cortex,
                mri=mri,
                head_model=head_model,
            )
        elif kernel.options["InverseMethod"] == "minnorm":
            of = to_inverse_operator(
                head_model,
                read["noise_cov"],
                channels,
                kernel.options,
                channel_flag=kernel.channel_flag,
                good_channels=kernel.good_channel - 1,
                info=objects["info"],
                src=objects["forward"]["src"],
                mri=mri,
                surface=cortex,
            )
        else:
            types = kernel.options["DataTypes"]
        conditions.estimations.append(Estimation(of=of, recordings=index, data_types=types))
        conditions.stored.append(stored.file)
    return conditions


def relative(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Relative Frobenius difference; NaN in both places is equal."""
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
    return float(
        np.linalg.norm(np.nan_to_num(ours - theirs)) / np.linalg.norm(np.nan_to_num(theirs))
    )
