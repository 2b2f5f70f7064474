"""Which structure of an export is which file, and how the files name each other."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from tqdm import tqdm

from mne_bstinv import io
from mne_bstinv.conversion import Findings
from mne_bstinv.errors import OverwriteError, ProtocolError
from mne_bstinv.export import names
from mne_bstinv.export.anatomy import same_structure
from mne_bstinv.export.derived import derived_structure
from mne_bstinv.export.estimates import StoredFiles, results_of
from mne_bstinv.export.index import (
    COMMON,
    study_entry,
    subject_entry,
    updated_index,
)
from mne_bstinv.export.inputs import Estimation
from mne_bstinv.export.kernels import kernel_name
from mne_bstinv.export.structures import StudyStructures
from mne_bstinv.export.target import Anatomy, Target
from mne_bstinv.io import mat
from mne_bstinv.io.filenames import by_number
from mne_bstinv.io.own_folders import DEFAULT_STUDY, DEFAULT_SUBJECT, INTRA
from mne_bstinv.io.registry import KINDS

__all__ = ["Plan"]


#: Kinds of files that conditions may share.
_SHARED = ("channel", "headmodel", "noisecov", "ndatacov")


class Plan:
    """The files of an export; kernels are computed here."""

    def __init__(
        self,
        target: Target,
        study: StudyStructures,
        anatomy: Anatomy,
        estimations: Sequence[Estimation],
        derived: Sequence[Any] = (),
    ) -> None:
        self.target, self.study, self.anatomy = target, study, anatomy
        #: Structures of the condition, by file name.
        self.own: dict[str, Any] = {}
        #: Structures beside the channel file, by file name; the head model names its cortex.
        self.shared = self._shared_files()
        #: Results beside the channel file, by file name.
        self.shared_results: dict[str, Any] = {}
        #: File names of the recordings.
        self.data_names = self._add_recordings()
        #: Results, relative to ``data``.
        self.result_names = self._add_results(estimations)
        #: File names of dipoles and signals.
        self.derived_names = self._add_derived(derived)

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
        if self.target.shared == self.target.folder:
            return files
        return {self._name_there(name, value): value for name, value in files.items()}

    def _name_there(self, name: str, value: Any) -> str:
        """Return the name that the same structure has in the shared folder, else the given one."""
        kind = io.file_kind(name)
        for file in (self.target.root / "data" / self.target.shared).glob("*.mat"):
            if kind is None or io.file_kind(file.name) != kind:
                continue
            if same_structure(KINDS[kind].read(file), value):
                return file.name
        return name

    def _add_recordings(self) -> list[str]:
        added = []
        for kind, recordings in self.study.recordings:
            added.append(names.data_file(kind, recordings, self.own))
            self.own[added[-1]] = recordings
        kinds = [kind for kind, _ in self.study.recordings]
        _tell_order([name for kind, name in zip(kinds, added, strict=True) if kind == "epochs"])
        return added

    def _add_derived(self, derived: Sequence[Any]) -> list[str]:
        added = []
        for value in derived:
            made = derived_structure(value, self.study, self._stored_files())
            added.append(names.derived_file(made, self.own))
            self.own[added[-1]] = made
        return added

    def _stored_files(self) -> StoredFiles:
        models = [name for name, one in self.shared.items() if one is self.study.head_model]
        return StoredFiles(
            data_files=tuple(f"{self.target.folder}/{name}" for name in self.data_names),
            head_model_file=f"{self.target.shared}/{models[0]}" if models else None,
            surface_file=self.anatomy.surface_file,
        )

    def _add_results(self, estimations: Sequence[Estimation]) -> list[str]:
        folder, shared = self.target.folder, self.target.shared
        files = self._stored_files()
        added: list[str] = []
        comments: dict[str | None, list[str]] = {}
        for estimation in tqdm(estimations, unit="kernel", disable=None, leave=False):
            results = results_of(estimation, self.study, files)
            if results.data_file is None and shared != folder:
                added.append(self._add_shared(results))
                continue
            taken = comments.setdefault(results.data_file, [])
            taken.append(names.unique_comment(results.comment, taken))
            name = names.results_file(kernel_name(results), self.own)
            self.own[name] = dataclasses.replace(results, comment=taken[-1])
            added.append(f"{folder}/{name}")
        return added

    def _add_shared(self, results: io.Results) -> str:
        """Put a kernel of all recordings beside the channel file they share, once."""
        folder = self.target.shared
        present = {
            file.name: io.read_results(file)
            for file in sorted((self.target.root / "data" / folder).glob("results_*.mat"))
        } | self.shared_results
        for name, other in present.items():
            if same_structure(dataclasses.replace(results, comment=other.comment), other):
                return f"{folder}/{name}"
        comment = names.unique_comment(results.comment, [one.comment for one in present.values()])
        name = names.results_file(kernel_name(results), present)
        self.shared_results[name] = dataclasses.replace(results, comment=comment)
        return f"{folder}/{name}"

    def files(self, index: dict[str, Any] | None, *, overwrite: bool) -> dict[str, Any]:
        """Return what to write, by path in the protocol; anatomy first, the new index last."""
        target = self.target
        subject_file = f"anat/{target.subject}/brainstormsubject.mat"
        files: dict[str, Any] = {f"anat/{n}": value for n, value in self.anatomy.files.items()}
        if target.known is None or not same_structure(target.known, self.anatomy.subject):
            files[subject_file] = self.anatomy.subject
        if not target.exists:
            files |= _files_of_none()
        folders: dict[str, Mapping[str, Any]] = {}
        if target.known is None:
            for name in (INTRA, DEFAULT_STUDY):
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
            if folder != DEFAULT_STUDY:  # Brainstorm's index has it in a place of its own
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
        if self.target.shared == file.parent.name == DEFAULT_STUDY and not file.exists():
            raise ProtocolError(
                f"{file.parent}: all subjects of the protocol share this folder, and it holds no "
                f"{file.name}: add it in Brainstorm, or export to another protocol."
            )
        kind = io.file_kind(file.name)
        others = [f for f in file.parent.glob("*.mat") if io.file_kind(f.name) == kind]
        if kind not in _SHARED or not others:
            return not file.exists()
        if file in others and same_structure(KINDS[kind].read(file), value):
            return False
        if file in others and overwrite:
            return True
        raise OverwriteError(
            f"{others[0]}: the conditions of {self.target.subject!r} share this file, and the one "
            "of this study is another: export to another subject, or use overwrite=True "
            "(--overwrite) to replace it for all of them."
        )

    def _subject_entry(self) -> Any:
        target = self.target
        folder = target.root / "anat" / target.subject
        files: dict[str, tuple[str, str]] = {}
        for file in sorted(folder.glob("*.mat")) if folder.is_dir() else []:
            if kind := io.file_kind(file.name):
                files[file.name] = (kind, mat.text_of(file, "Comment"))
        for name, value in self.anatomy.files.items():
            file_name = name.rpartition("/")[2]
            files[file_name] = (str(io.file_kind(file_name)), value.comment)
        return subject_entry(target.subject, self.anatomy.subject, files)


def _tell_order(trials: Sequence[str]) -> None:
    """Say so if the names of trials do not keep their order: they are numbered by condition."""
    if sorted(trials, key=by_number) == list(trials):
        return
    findings = Findings()
    findings.dropped(
        "order of trials",
        "Brainstorm numbers the trials of each condition, and a folder lists them by name: they "
        "come back condition by condition. The recordings of the exported study (recordings) are "
        "named in the order that they had.",
    )
    findings.tell(what="study → Brainstorm protocol")


def _files_of_none() -> dict[str, Any]:
    """Return what a new protocol holds besides its subjects: the folders that belong to none."""
    default = io.Subject(use_default_anat=1, use_default_channel=1)
    studies = {
        f"data/{folder}/brainstormstudy.mat": io.Study(
            date_of_study=names.study_date(), name=folder
        )
        for folder in COMMON
    }
    return {f"anat/{DEFAULT_SUBJECT}/brainstormsubject.mat": default, **studies}
