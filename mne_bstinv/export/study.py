"""Export a study of MNE-Python to a Brainstorm protocol."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mne_bstinv._display import Displayed
from mne_bstinv._temporary import named
from mne_bstinv.conversion import converts
from mne_bstinv.export import names
from mne_bstinv.export.covariances import Windows
from mne_bstinv.export.folders import write_files
from mne_bstinv.export.index import read_index
from mne_bstinv.export.inputs import estimations_of, is_lcmv, load, load_many
from mne_bstinv.export.plan import Plan
from mne_bstinv.export.structures import structures_of
from mne_bstinv.export.target import find_target, place_anatomy
from mne_bstinv.io.mat import PathLike
from mne_bstinv.studies.units import converting, in_metres

__all__ = ["ExportedStudy", "export_study", "exported_study"]


@dataclass(frozen=True, kw_only=True, eq=False)
class ExportedStudy(Displayed):
    """A condition that was written.

    Parameters
    ----------
    root : Path
        The protocol.
    subject, condition : str
        The subject and the condition.
    channel_file : Path
        Channel file.
    head_model_file, noise_cov_file, data_cov_file, cortex_file, mri_file : Path | None
        The files of the study, whether they were written or there already.
    recordings : tuple of Path
        Recordings.
    results : tuple of Path
        Results.
    derived : tuple of Path
        Dipoles and signals.
    written : tuple of Path
        All files that were written; in a dry run, that would be.
    """

    root: Path
    subject: str
    condition: str
    channel_file: Path
    head_model_file: Path | None
    noise_cov_file: Path | None
    data_cov_file: Path | None
    cortex_file: Path | None
    mri_file: Path | None
    recordings: tuple[Path, ...]
    results: tuple[Path, ...]
    derived: tuple[Path, ...]
    written: tuple[Path, ...]

    def __repr__(self) -> str:
        return (
            f"<ExportedStudy | {self.root.name}: {self.subject}/{self.condition}, "
            f"{len(self.recordings)} recordings, {len(self.results)} results, "
            f"{len(self.written)} files written>"
        )


@converts
def export_study(
    protocol: PathLike,
    recordings: Any = None,
    *,
    subject: str,
    condition: str,
    info: Any = None,
    forward: Any = None,
    noise_cov: Any = None,
    data_cov: Any = None,
    noise_window: tuple[float | None, float | None] | None = None,
    data_window: tuple[float | None, float | None] | None = None,
    noise_baseline: tuple[float | None, float | None] | None = None,
    data_baseline: tuple[float | None, float | None] | None = None,
    src: Any = None,
    trans: Any = None,
    mri: Any = None,
    labels: Any = None,
    regions: Mapping[str, str] | None = None,
    estimations: Any = None,
    derived: Any = None,
    share_channels: bool = False,
    units: str | None = None,
    overwrite: bool = False,
    dry_run: bool = False,
) -> ExportedStudy:
    """Write a study of MNE-Python as one condition of a Brainstorm protocol.

    Every object may be given as the object, or as the file that holds it (of MNE or of
    Brainstorm, recognised by its name). Objects that came from Brainstorm's files go back to what
    they were, with all that MNE has no place for.

    Where MNE-Python computes from the channels that all objects have, Brainstorm wants every good
    channel in all files. Channels of ``forward`` and the covariances that the study does not have
    are therefore left out, and those of the recordings that ``forward`` or a covariance lacks,
    but has others of their modality, are flagged as bad; the report names them. A data covariance
    that has no channel of a modality is left out, too, unless an estimation needs it.

    Parameters
    ----------
    protocol : path-like
        Folder of the protocol, existing or new.
    recordings : mne.Evoked | mne.Epochs | mne.io.Raw | Recordings | sequence of them | None
        The data. Epochs become one file per trial.
    subject, condition : str
        Where to put them. An existing subject keeps its files; a condition must be new.
    info : mne.Info | mne.Evoked | mne.Epochs | mne.io.Raw | Channels | None
        The sensors and the fiducials. ``None`` takes those of the recordings with the most
        channels.
    forward : mne.Forward | HeadModel | None
        Forward solution with, or made from one with, free orientations.
    noise_cov, data_cov : mne.Covariance | mne.Epochs | mne.io.Raw | mne.Evoked | NoiseCov | None
        Covariances; of data they are computed with Brainstorm's estimator
        (:func:`mne_bstinv.noise_cov_from`), with fourth moments and numbers of samples.
    noise_window, data_window : tuple of float | None
        First and last time (s) of the data that these covariances are computed from; None is the
        end of the recordings. But the noise of epochs and averages that begin before 0 ends at 0
        unless a last time is given: what follows is the response. The report names the times.
    noise_baseline, data_baseline : tuple of float | None
        First and last time (s) over which each channel's mean is taken; None takes the same
        window, which is Brainstorm's rule for noise.
    src : mne.SourceSpaces | Surface | None
        Source spaces, for the cortex where there is no forward solution. A Surface: the cortex
        that the locations of ``forward`` follow, given as it is.
    trans : mne.Transform | None
        Head ↔ MRI, for source spaces in the MRI frame and for ``mri``; the report says how far it
        is from that of ``forward``, which places the sources.
    mri : Mri | path-like | None
        The subject's MRI; ``subjectimage_*.mat``, or FreeSurfer's ``T1.mgz``, which the
        fiducials of the sensors and ``trans`` (else the transform of ``forward``) place.
    labels : sequence of mne.Label | Atlas | None
        Labels on the source spaces; they become an atlas of the cortex.
    regions : mapping of str to str | None
        Of a mixed head model: name of a region → its code, such as ``{'Cortex L': 'LSC'}``
        (hemisphere, surface or volume, constrained, unconstrained or loose). MNE's source spaces
        have no orientation constraints; ``None`` takes those of Brainstorm where they were
        converted from it, also by files, else loose for the cortex and unconstrained for volumes.
    estimations : Estimation | InverseOptions | InverseOperator | SourceEstimate | Results | \
    sequence of them | None
        Source estimations to store, see :class:`mne_bstinv.Estimation`.
    derived : mne.Dipole | LabelTimeCourses | Dipoles | Matrix | sequence of them | None
        Dipoles and time courses of labels (of the only recordings, if there are not several).
        Time courses whose names are those of labels become series of their scouts.
    share_channels : bool
        Put channel file, head model and covariances where all conditions of a new subject share
        them. Existing subjects say themselves where they are.
    units : 'm' | 'cm' | 'mm' | 'km' | None
        The unit of positions that are in no metres by their size, as some programs write them;
        None refuses them.
    overwrite : bool
        Replace the condition, with all that it holds, and the files its subject shares.
    dry_run : bool
        Convert and compute all, and write nothing: ``written`` says what would be.

    Returns
    -------
    ExportedStudy
        What was written. Its report (:func:`mne_bstinv.conversion_report`) says what the
        conversions dropped, assumed or derived.

    Raises
    ------
    ConversionError
        If objects do not belong together, or one that is needed is missing, or one is given that
        nothing would be taken from.
    InverseError
        If a kernel cannot be computed.
    OverwriteError
        If the condition, or another shared file, exists and ``overwrite`` is False.
    ProtocolError
        If the folder is no protocol, or a name cannot be that of a folder or differs from one that
        is there in capital letters only.

    Notes
    -----
    All is converted before anything is written. New folders are written beside their place and
    renamed when they are complete; what a failing step leaves is taken back.

    An operator that :func:`mne_bstinv.to_inverse_operator` made, and options, give kernels as
    Brainstorm stores them: :func:`mne_bstinv.verify` computes them anew. The kernels of other
    operators are marked as MNE-Python's.
    """
    names.check_name(subject, "subject")
    names.check_name(condition, "condition")
    root = Path(os.path.abspath(named(protocol, "protocol")))  # noqa: PTH100 - links stay as they are
    target = find_target(
        root, subject, condition, share_channels=share_channels, overwrite=overwrite
    )
    index = read_index(root / "data" / "protocol.mat")
    wanted = estimations_of(estimations)
    with converting(units):
        study = structures_of(
            recordings=load_many(recordings, "recordings"),
            info=_first(load(info, "info")),
            forward=load(forward, "forward"),
            noise_cov=load(noise_cov, "noise_cov"),
            data_cov=load(data_cov, "data_cov"),
            noise_times=Windows(samples=noise_window, baseline=noise_baseline),
            data_times=Windows(samples=data_window, baseline=data_baseline),
            src=load(src, "src"),
            trans=load(trans, "trans"),
            mri=load(mri, "mri"),
            labels=load_many(labels, "labels"),
            regions=regions,
            lcmv=any(is_lcmv(one) for one in wanted),
        )
    for attribute in ("channels", "head_model", "cortex", "mri"):
        value = getattr(study, attribute)
        if value is not None:
            setattr(study, attribute, in_metres(value, units))
    anatomy = place_anatomy(target, study.cortex, study.mri, share_channels=share_channels)
    plan = Plan(target, study, anatomy, wanted, load_many(derived, "derived"))
    files = plan.files(index, overwrite=overwrite)
    replaced = [f"data/{target.folder}"]
    written = write_files(root, files, replaced=replaced, dry_run=dry_run)
    return exported_study(plan, written)


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value


def exported_study(plan: Plan, written: tuple[Path, ...]) -> ExportedStudy:
    """Say where everything is."""
    data, anat = plan.target.root / "data", plan.target.root / "anat"
    study = plan.study

    def shared(value: Any) -> Path | None:
        found = [name for name, one in plan.shared.items() if one is value]
        return data / plan.target.shared / found[0] if value is not None and found else None

    channel_file = shared(study.channels)
    assert channel_file is not None
    stored = plan.anatomy.surface_file, plan.anatomy.subject.anatomy
    cortex_file, mri_file = (None if name is None else anat / name for name in stored)
    folder = data / plan.target.folder
    return ExportedStudy(
        root=plan.target.root,
        subject=plan.target.subject,
        condition=plan.target.condition,
        channel_file=channel_file,
        head_model_file=shared(study.head_model),
        noise_cov_file=shared(study.noise_cov),
        data_cov_file=shared(study.data_cov),
        cortex_file=cortex_file,
        mri_file=mri_file,
        recordings=tuple(folder / name for name in plan.data_names),
        results=tuple(data / name for name in plan.result_names),
        derived=tuple(folder / name for name in plan.derived_names),
        written=written,
    )
