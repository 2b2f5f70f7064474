"""Export a study of MNE-Python to a Brainstorm protocol."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mne_bstinv import io
from mne_bstinv.conversion import Findings, conversion_report
from mne_bstinv.errors import OverwriteError
from mne_bstinv.export import names
from mne_bstinv.export.anatomy import same_structure
from mne_bstinv.export.estimates import StoredFiles, results_of
from mne_bstinv.export.folders import write_files
from mne_bstinv.export.index import read_index, study_entry, subject_entry, updated_index
from mne_bstinv.export.inputs import Estimation, estimations_of, load, load_many
from mne_bstinv.export.kernels import kernel_name
from mne_bstinv.export.structures import StudyStructures, structures_of
from mne_bstinv.export.target import Anatomy, Target, find_target, place_anatomy
from mne_bstinv.io import mat
from mne_bstinv.io.mat import PathLike

__all__ = ["ExportedStudy", "export_study"]


@dataclass(frozen=True, kw_only=True, eq=False)
class ExportedStudy:
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
    written : tuple of Path
        All files that were written.
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
    written: tuple[Path, ...]

    def __repr__(self) -> str:
        return (
            f"<ExportedStudy | {self.root.name}: {self.subject}/{self.condition}, "
            f"{len(self.recordings)} recordings, {len(self.results)} results, "
            f"{len(self.written)} files written>"
        )


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
    src: Any = None,
    trans: Any = None,
    mri: Any = None,
    labels: Any = None,
    estimations: Any = None,
    share_channels: bool = False,
    overwrite: bool = False,
) -> ExportedStudy:
    """Write a study of MNE-Python as one condition of a Brainstorm protocol.

    Every object may be given as the object, or as the file that holds it (of MNE or of
    Brainstorm, recognised by its name). Objects that came from Brainstorm's files go back to what
    they were, with all that MNE has no place for.

    Parameters
    ----------
    protocol : path-like
        Folder of the protocol, existing or new.
    recordings : mne.Evoked | mne.Epochs | mne.io.Raw | Recordings | sequence of them | None
        The data. Epochs become one file a trial.
    subject, condition : str
        Where to put them. An existing subject keeps its files; a condition must be new.
    info : mne.Info | mne.Evoked | mne.Epochs | mne.io.Raw | Channels | None
        The sensors and the fiducials. ``None`` takes those of the first recordings.
    forward : mne.Forward | HeadModel | None
        Forward solution with, or made from one with, free orientations.
    noise_cov, data_cov : mne.Covariance | mne.Epochs | mne.io.Raw | mne.Evoked | NoiseCov | None
        Covariances; of data they are computed with Brainstorm's estimator
        (:func:`mne_bstinv.noise_cov_from`), with fourth moments and numbers of samples.
    src : mne.SourceSpaces | Surface | None
        Source spaces, for the cortex where there is no forward solution. A Surface: the cortex
        that the locations of ``forward`` follow, given as it is.
    trans : mne.Transform | None
        Head ↔ MRI, for source spaces in the MRI frame and for ``mri``.
    mri : Mri | path-like | None
        The subject's MRI; ``subjectimage_*.mat``, or FreeSurfer's ``T1.mgz``, which the
        fiducials of the sensors and ``trans`` (else the transform of ``forward``) place.
    labels : sequence of mne.Label | Atlas | None
        Labels on the source spaces; they become an atlas of the cortex.
    estimations : Estimation | InverseOptions | InverseOperator | SourceEstimate | Results | \
    sequence of them | None
        Source estimations to store, see :class:`mne_bstinv.Estimation`.
    share_channels : bool
        Put channel file, head model and covariances where all conditions of a new subject share
        them. Existing subjects say themselves where they are.
    overwrite : bool
        Replace the condition, with all that it holds, and the files its subject shares.

    Returns
    -------
    ExportedStudy
        What was written. Its report (:func:`mne_bstinv.conversion_report`) says what the
        conversions dropped, assumed or derived.

    Raises
    ------
    ConversionError
        If objects do not belong together, or one that is needed is missing.
    InverseError
        If a kernel cannot be computed.
    OverwriteError
        If the condition, or another shared file, exists and ``overwrite`` is False.
    ProtocolError
        If the folder is no protocol, or a name cannot be that of a folder.

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
    root = Path(os.path.abspath(os.fspath(protocol)))  # noqa: PTH100 - links stay as they are
    target = find_target(
        root, subject, condition, share_channels=share_channels, overwrite=overwrite
    )
    index = read_index(root / "data" / "protocol.mat")
    wanted = estimations_of(estimations)
    study = structures_of(
        recordings=load_many(recordings, "recordings"),
        info=_first(load(info, "info")),
        forward=load(forward, "forward"),
        noise_cov=load(noise_cov, "noise_cov"),
        data_cov=load(data_cov, "data_cov"),
        src=load(src, "src"),
        trans=load(trans, "trans"),
        mri=load(mri, "mri"),
        labels=load_many(labels, "labels"),
    )
    anatomy = place_anatomy(target, study.cortex, study.mri, share_channels=share_channels)
    plan = _Plan(target, study, anatomy, wanted)
    files = plan.files(index, overwrite=overwrite)
    replaced = [f"data/{target.folder}"]
    written = write_files(root, files, replaced=replaced)
    findings = Findings()
    for part in study.parts:
        findings.include(conversion_report(part))
    return findings.attach(plan.exported(written), what="study → Brainstorm protocol", log=False)


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value


class _Plan:
    """The files of an export, by path relative to the protocol, and how they name each other."""

    def __init__(
        self,
        target: Target,
        study: StudyStructures,
        anatomy: Anatomy,
        estimations: Sequence[Estimation],
    ) -> None:
        self.target, self.study, self.anatomy = target, study, anatomy
        self.own: dict[str, Any] = {}
        self.shared = self._shared_files()
        self.shared_results: dict[str, Any] = {}
        self.data_names = self._add_recordings()
        self.result_names = self._add_results(estimations)

    def _shared_files(self) -> dict[str, Any]:
        """Channel file, head model and covariances: each with the name that is there, or new."""
        study = self.study
        if study.head_model is not None:
            study.head_model = dataclasses.replace(
                study.head_model, surface_file=self.anatomy.surface_file
            )
        files: dict[str, Any] = {names.channel_file(study.channels): study.channels}
        if study.head_model is not None:
            files[names.head_model_file(study.head_model)] = study.head_model
        if study.noise_cov is not None:
            files["noisecov_full.mat"] = study.noise_cov
        if study.data_cov is not None:
            files["ndatacov_full.mat"] = study.data_cov
        return files

    def _add_recordings(self) -> list[str]:
        added = []
        for kind, recordings in self.study.recordings:
            added.append(names.data_file(kind, recordings, self.own))
            self.own[added[-1]] = recordings
        return added

    def _add_results(self, estimations: Sequence[Estimation]) -> list[str]:
        folder, shared = self.target.folder, self.target.shared
        model = self.study.head_model
        files = StoredFiles(
            data_files=tuple(f"{folder}/{name}" for name in self.data_names),
            head_model_file=None if model is None else f"{shared}/{names.head_model_file(model)}",
            surface_file=self.anatomy.surface_file,
        )
        added: list[str] = []
        comments: dict[str | None, list[str]] = {}
        for estimation in estimations:
            results = results_of(estimation, self.study, files)
            self.study.parts.append(results)
            taken = comments.setdefault(results.data_file, [])
            taken.append(names.unique_comment(results.comment, taken))
            results = dataclasses.replace(results, comment=taken[-1])
            added.append(self._add(results))
        return added

    def _add(self, results: io.Results) -> str:
        """Put results where they belong: what holds for all recordings, beside the channel file."""
        own = results.data_file is not None or self.target.shared == self.target.folder
        folder, content = self.target.folder, self.own
        taken: set[str] = set()
        if not own:
            folder, content = self.target.shared, self.shared_results
            present = self.target.root / "data" / folder
            taken = {file.name for file in present.glob("results_*.mat")}
        name = names.results_file(kernel_name(results), taken | set(content))
        content[name] = results
        return f"{folder}/{name}"

    def files(self, index: dict[str, Any] | None, *, overwrite: bool) -> dict[str, Any]:
        """Return what to write; anatomy first, the index last."""
        target = self.target
        subject_file = f"anat/{target.subject}/brainstormsubject.mat"
        files: dict[str, Any] = {f"anat/{n}": value for n, value in self.anatomy.files.items()}
        if target.known is None or not same_structure(target.known, self.anatomy.subject):
            files[subject_file] = self.anatomy.subject
        folders: dict[str, Mapping[str, Any]] = {}
        if target.known is None:
            for name in ("@intra", "@default_study"):
                folders[f"{target.subject}/{name}"] = {}
        if target.shared != target.folder:
            folders[target.shared] = {**self.shared, **self.shared_results}
            folders[target.folder] = self.own
        else:
            folders[target.folder] = {**self.shared, **self.own}
        entries = []
        for folder, content in folders.items():
            study = io.Study(date_of_study=names.study_date(), name=folder.rpartition("/")[2])
            for name, value in {"brainstormstudy.mat": study, **content}.items():
                path = f"data/{folder}/{name}"
                if folder == target.folder or self._is_new(path, value, overwrite=overwrite):
                    files[path] = value
            entries.append(study_entry(folder, study, target.subject, content))
        if index is not None or not target.exists:
            files["data/protocol.mat"] = updated_index(
                index,
                target.root.name,
                entries,
                self._subject_entry(),
                shared=target.shared,
                current=f"{target.folder}/brainstormstudy.mat",
            )
        return files

    def _is_new(self, path: str, value: Any, *, overwrite: bool) -> bool:
        """Tell whether a shared file is to be written; another one in its place is refused."""
        file = self.target.root / path
        kind = io.file_kind(file.name)
        others = [f for f in file.parent.glob("*.mat") if io.file_kind(f.name) == kind]
        if kind not in _READERS or not others:
            return not file.exists()
        if file in others and same_structure(_READERS[kind](file), value):
            return False
        if file in others and overwrite:
            return True
        raise OverwriteError(
            f"{others[0]}: the conditions of {self.target.subject!r} share this file, and the one "
            "of this study is another: export to another subject, or use overwrite=True to "
            "replace it for all of them"
        )

    def _subject_entry(self) -> Any:
        target = self.target
        folder = target.root / "anat" / target.subject
        files: dict[str, tuple[str, str]] = {}
        for file in sorted(folder.glob("*.mat")) if folder.is_dir() else []:
            if kind := io.file_kind(file.name):
                comment = mat.read(file, ["Comment"]).get("Comment", mat.Variable("")).value
                files[file.name] = (kind, comment if isinstance(comment, str) else "")
        for name, value in self.anatomy.files.items():
            file_name = name.rpartition("/")[2]
            files[file_name] = (str(io.file_kind(file_name)), value.comment)
        return subject_entry(target.subject, self.anatomy.subject, files)

    def exported(self, written: tuple[Path, ...]) -> ExportedStudy:
        """Return what the caller gets."""
        data, anat = self.target.root / "data", self.target.root / "anat"
        study = self.study

        def shared(value: Any) -> Path | None:
            found = [name for name, one in self.shared.items() if one is value]
            return data / self.target.shared / found[0] if value is not None and found else None

        channel_file = shared(study.channels)
        assert channel_file is not None
        stored = self.anatomy.surface_file, self.anatomy.subject.anatomy
        cortex_file, mri_file = (None if name is None else anat / name for name in stored)
        folder = data / self.target.folder
        return ExportedStudy(
            root=self.target.root,
            subject=self.target.subject,
            condition=self.target.condition,
            channel_file=channel_file,
            head_model_file=shared(study.head_model),
            noise_cov_file=shared(study.noise_cov),
            data_cov_file=shared(study.data_cov),
            cortex_file=cortex_file,
            mri_file=mri_file,
            recordings=tuple(folder / name for name in self.data_names),
            results=tuple(data / name for name in self.result_names),
            written=written,
        )


_READERS = {
    "channel": io.read_channels,
    "headmodel": io.read_head_model,
    "noisecov": io.read_noise_cov,
    "ndatacov": io.read_noise_cov,
}
