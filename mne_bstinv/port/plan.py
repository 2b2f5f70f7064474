"""What a port consists of: anatomies, folders of shared files, and conditions."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from mne_bstinv import io
from mne_bstinv.errors import BstInvError, ProtocolError
from mne_bstinv.io import mat
from mne_bstinv.io.filenames import is_average, stored_averages
from mne_bstinv.io.folders import Problems
from mne_bstinv.io.own_folders import DEFAULT_STUDY
from mne_bstinv.io.protocol_scan import scan
from mne_bstinv.port.naming import OutputNames, anatomy_folder, mne_subjects, named_conditions
from mne_bstinv.studies.asked import Names
from mne_bstinv.studies.subjects import DEFAULT_SUBJECT
from mne_bstinv.workflow import StudyCondition
from mne_bstinv.workflow.protocol import study_condition
from mne_bstinv.workflow.store import Store, file_stamp

__all__ = ["ANATOMY", "CONDITION", "SHARED", "Unit", "plan"]

#: Kinds of units: surfaces and MRI; sensors, head models and kernels that conditions share; the
#: files of one condition.
ANATOMY = "anatomy"
SHARED = "shared"
CONDITION = "condition"


@dataclass(frozen=True, kw_only=True)
class Unit:
    """What is converted, or not, as a whole: one folder of the output with a manifest."""

    kind: str
    #: Brainstorm's name of the subject; empty for files of the whole protocol.
    subject: str
    #: Brainstorm's name of the condition; empty for an anatomy.
    condition: str
    #: Relative to the output, with ``/``.
    folder: str
    #: What its files' names begin with.
    stem: str
    #: Folder of the unit that its sensors and head models are in; empty if they are its own.
    shared: str
    #: The protocol, with this subject only; of a condition, with this condition only: units go to
    #: other processes one by one.
    protocol: io.Protocol
    anatomy: io.SubjectEntry
    #: The files it is made of; of an anatomy, a condition whose frame it takes without an MRI.
    files: io.Condition
    #: Name of the subject in MNE: its folder in ``subjects``.
    mne_subject: str

    @property
    def title(self) -> str:
        """What to call it."""
        if self.kind == ANATOMY:
            return f"anatomy of {self.mne_subject}"
        return f"{self.subject or 'all subjects'}/{self.condition}"

    @property
    def holds_sensors(self) -> bool:
        """Whether sensors, covariances and head models are among its outputs."""
        return self.kind == SHARED or (self.kind == CONDITION and not self.shared)

    def study(self, store: Store | None = None) -> StudyCondition:
        """Return what reads and converts its files."""
        return study_condition(
            self.protocol, self.anatomy, self.files, store=store, mne_subject=self.mne_subject
        )

    def facts(self) -> dict[str, Any]:
        """Return, as plain values, what its outputs depend on beside the content of its files."""
        names = {"stem": self.stem, "mne_subject": self.mne_subject}
        if self.kind == ANATOMY:
            return names
        root = self.protocol.root
        current = self.files.head_model_file
        return {
            **names,
            "shared": self.shared,
            "head_model": None if current is None else _relative(current, root),
            "averages": {e.file.name: self.averages_of(e) for e in self.files.results},
            "bad_trials": [entry.file.name for entry in self.files.recordings if entry.bad],
        }

    def averages_of(self, results: io.ResultsEntry) -> int:
        """Return nAvg of the averages that results are for; 1 if these differ, or there are none.

        An operator is made for it, so that MNE, which goes by the averages of the recordings and
        of the operator, gives Brainstorm's estimate, which goes by neither.
        """
        if not results.shared:
            files = [] if results.data_file is None else [results.data_file]
        elif self.kind == SHARED:
            mine = results.file.parent
            files = [
                entry.file
                for subject in self.protocol.subjects
                for condition in subject.conditions
                if condition.channel_file is not None and condition.channel_file.parent == mine
                for entry in condition.recordings
            ]
        else:
            files = [entry.file for entry in self.files.recordings]
        # by their names: a condition may have a thousand trials
        found = {_averages(*stamp) for file in files if is_average(file, 1)
                 if (stamp := file_stamp(file)) is not None} - {1}  # fmt: skip
        return found.pop() if len(found) == 1 else 1

    def inputs(self) -> dict[str, Path]:
        """Return the files that it is made of, by path relative to the protocol, with ``/``."""
        return {_relative(file, self.protocol.root): file for file in sorted(set(self._inputs()))}

    def other_files(self) -> list[str]:
        """Name the ``.mat`` files in its folders of which nothing is made, whatever is asked for.

        Paths are relative to the protocol, with ``/``.
        """
        return sorted(_relative(file, self.protocol.root) for file in self._other_files())

    def _other_files(self) -> Iterator[Path]:
        if self.kind == CONDITION:
            yield from self.files.other_files
        elif self.kind == SHARED:
            found = scan(self.files.folder, Problems())
            yield from (*found.recordings, *found.derived, *found.others)
        else:
            yield from self.anatomy.other_files

    def _inputs(self) -> Iterator[Path]:
        anatomy, files = self.anatomy, self.files
        found: list[Path | None] = [anatomy.anatomy, anatomy.cortex]
        if self.kind == ANATOMY:
            found += [anatomy.scalp, anatomy.inner_skull, anatomy.outer_skull]
            template = self.protocol.default_anatomy
            found += [] if template is None else [template.cortex]
            if anatomy.anatomy is None:
                found.append(files.channel_file)
            yield from (file for file in found if file is not None)
            return
        found += [files.channel_file, files.noise_cov_file, files.data_cov_file]
        found += [*files.head_model_files, *map(self._cortex_of, files.head_model_files)]
        found += [entry.file for entry in files.recordings]
        for entry in files.results:
            found += [entry.file, entry.data_file]
        found += files.derived
        yield from (file for file in found if file is not None)

    def _cortex_of(self, head_model: Path) -> Path | None:
        try:
            stored = mat.read(head_model, ["SurfaceFile"])
        except BstInvError:  # converting it says what is wrong
            return None
        name = stored["SurfaceFile"].value if "SurfaceFile" in stored else None
        return io.resolve(self.protocol, name, "anat") if isinstance(name, str) else None


@lru_cache(maxsize=4096)
def _averages(path: str, _size: int, _changed: int) -> int:
    """Return nAvg of recordings; 1 where it cannot be read, which converting them says."""
    try:
        return stored_averages(Path(path))
    except BstInvError:
        return 1


def plan(protocol: io.Protocol, *, subjects: Names = None, conditions: Names = None) -> list[Unit]:
    """List the units of a port, of names that :func:`asked_names` gives: what others share first.

    Names in the output do not depend on which subjects and conditions are kept (None: all).
    """
    _check_not_empty(protocol, subjects)
    units: dict[str, Unit] = {}
    for unit in _asked_units(protocol, subjects, conditions):
        units.setdefault(unit.folder, unit)
    template = _template(protocol)
    if template is not None and units:  # unless a subject that uses it brought it
        units.setdefault(template.folder, template)
    order = (ANATOMY, SHARED, CONDITION)
    return sorted(units.values(), key=lambda unit: order.index(unit.kind))


def _asked_units(protocol: io.Protocol, subjects: Names, conditions: Names) -> Iterator[Unit]:
    """Yield the units of conditions with what they share, and anatomies of subjects without any."""
    for subject, condition, names in named_conditions(protocol):
        if subjects is not None and subject.name not in subjects:
            continue
        if conditions is None or condition.name in conditions:
            yield from _anatomy(protocol, subject, names.mne_subject)
            yield from _shared(protocol, subject, condition, names)
            yield _condition(protocol, subject, condition, names)
    in_mne = mne_subjects(protocol)
    for subject in protocol.subjects:
        wanted = conditions is None and (subjects is None or subject.name in subjects)
        if wanted and not subject.conditions:
            yield from _anatomy(protocol, subject, in_mne[subject.name])


def _anatomy(protocol: io.Protocol, subject: io.SubjectEntry, mne_subject: str) -> Iterator[Unit]:
    """Yield the anatomy of a subject, if there is any."""
    if _has_anatomy(subject):
        yield Unit(
            kind=ANATOMY,
            subject=subject.name,
            condition="",
            folder=anatomy_folder(mne_subject),
            stem=mne_subject,
            shared="",
            protocol=_plain(protocol, subject),
            anatomy=subject,
            files=_first_with_channels(subject),
            mne_subject=mne_subject,
        )


def _has_anatomy(subject: io.SubjectEntry) -> bool:
    shells = (subject.scalp, subject.inner_skull, subject.outer_skull)
    return any((subject.anatomy, subject.cortex, *shells))


def _shared(
    protocol: io.Protocol, subject: io.SubjectEntry, condition: io.Condition, names: OutputNames
) -> Iterator[Unit]:
    """Yield the files that a condition shares, with one subject or with all, if there are any."""
    if names.shared:
        yield Unit(
            kind=SHARED,
            subject=subject.name if "/" in names.shared else "",
            condition=DEFAULT_STUDY,
            folder=names.shared,
            stem=names.shared_stem,
            shared="",
            protocol=_plain(protocol, subject),
            anatomy=subject,
            files=_shared_files(condition),
            mne_subject=names.mne_subject,
        )


def _condition(
    protocol: io.Protocol, subject: io.SubjectEntry, condition: io.Condition, names: OutputNames
) -> Unit:
    alone = dataclasses.replace(subject, conditions=(condition,))
    return Unit(
        kind=CONDITION,
        subject=subject.name,
        condition=condition.name,
        folder=names.folder,
        stem=names.stem,
        shared=names.shared,
        protocol=_plain(protocol, alone),
        anatomy=alone,
        files=condition,
        mne_subject=names.mne_subject,
    )


def _shared_files(condition: io.Condition) -> io.Condition:
    """Return a condition of the files alone that one shares."""
    assert condition.channel_file is not None
    folder = condition.channel_file.parent
    results = tuple(entry for entry in condition.results if entry.file.parent == folder)
    return dataclasses.replace(
        condition, name=DEFAULT_STUDY, folder=folder, recordings=(), results=results
    )


def _template(protocol: io.Protocol) -> Unit | None:
    """Return the unit of a default anatomy that maps can be projected to: it is registered."""
    anatomy = protocol.default_anatomy
    if anatomy is None or anatomy.cortex is None or not _has_sphere(anatomy.cortex):
        return None
    return next(_anatomy(protocol, anatomy, DEFAULT_SUBJECT))


def _has_sphere(cortex: Path) -> bool:
    try:
        stored = mat.read(cortex, ["Reg"])
    except BstInvError:  # converting it says what is wrong
        return False
    reg = stored["Reg"].value if "Reg" in stored else None
    return isinstance(reg, dict) and "Sphere" in reg


def _first_with_channels(subject: io.SubjectEntry) -> io.Condition:
    """Return the first condition with a channel file, whatever is asked for; or one of no files."""
    found = (one for one in subject.conditions if one.channel_file is not None)
    none = io.Condition(subject=subject.name, name="", folder=subject.folder)
    return next(found, next(iter(subject.conditions), none))


def _check_not_empty(protocol: io.Protocol, subjects: Names) -> None:
    chosen = [s for s in protocol.subjects if subjects is None or s.name in subjects]
    if not any(subject.conditions or _has_anatomy(subject) for subject in chosen):
        raise ProtocolError(
            f"Protocol {protocol.name!r}: no condition of any subject and no anatomy, so nothing "
            "to port."
        )


def _plain(protocol: io.Protocol, subject: io.SubjectEntry) -> io.Protocol:
    """Return a protocol of one subject, without what a subclass adds: it goes to processes."""
    fields = {f.name: getattr(protocol, f.name) for f in dataclasses.fields(io.Protocol)}
    return io.Protocol(**{**fields, "subjects": (subject,)})


def _relative(file: Path, root: Path) -> str:
    text, above = file.as_posix(), f"{root.as_posix()}/"
    if not text.startswith(above):
        raise ProtocolError(f"{file}: not among the files of the protocol {root}.")
    return text.removeprefix(above)
