"""What a port consists of: anatomies, folders of shared files, and conditions."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from mne_bstinv import io
from mne_bstinv._data_types import DATA_TYPES
from mne_bstinv._verdicts import RTOL, wrong_rtol
from mne_bstinv.errors import BstInvError, OptionError, ProtocolError
from mne_bstinv.io import mat
from mne_bstinv.io.filenames import Problems, is_average, stored_averages
from mne_bstinv.io.own_folders import DEFAULT_STUDY
from mne_bstinv.io.protocol_scan import scan
from mne_bstinv.port.names import safe_names
from mne_bstinv.studies.asked import asked_names
from mne_bstinv.studies.units import UNITS
from mne_bstinv.workflow import StudyCondition
from mne_bstinv.workflow.protocol import study_condition
from mne_bstinv.workflow.store import Store, file_stamp

__all__ = ["ANATOMY", "CONDITION", "SHARED", "SUBJECTS", "Settings", "Unit", "plan"]

#: Kinds of units: surfaces and MRI; sensors, head models and kernels that conditions share; the
#: files of one condition.
ANATOMY = "anatomy"
SHARED = "shared"
CONDITION = "condition"

#: Folder of the anatomies: MNE's ``subjects_dir``.
SUBJECTS = "subjects"
#: Name in MNE of the anatomy that subjects share.
DEFAULT_SUBJECT = "default_subject"
#: Names in the output that no subject may have.
_TAKEN = (SUBJECTS, DEFAULT_SUBJECT, "default_study", "port.json", "port.html")

ESTIMATES = ("all", "averages", "none")
RAW = ("fif", "none")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is asked for."""

    #: Only results of these types of channels; None for all.
    data_types: tuple[str, ...] | None = None
    #: Recordings that source estimates are written of: all, averages, none.
    estimates: str = "all"
    #: What continuous recordings become: files of MNE, nothing.
    raw: str = "fif"
    #: A folder in which the files of links may be.
    raw_dir: Path | None = None
    #: Whether estimates of dspm2018 are multiplied by √Leff: Brainstorm's dspm2018sc.
    scale_leff: bool = False
    #: Whether to recompute the stored kernels, and up to which relative difference they agree.
    verify: bool = False
    rtol: float = RTOL
    #: Unit of positions that are in no metres; None refuses them.
    units: str | None = None
    #: Whether files that are of no earlier port may be replaced.
    overwrite: bool = False
    #: Threads of BLAS in each worker; None for as many as it likes.
    blas_threads: int | None = None
    #: Whether bars show how much of a continuous recording is written; None: on a terminal.
    progress: bool | None = False

    def __post_init__(self) -> None:
        if self.estimates not in ESTIMATES:
            raise OptionError(
                f"Unknown estimates {self.estimates!r}. Must be one of {', '.join(ESTIMATES)}."
            )
        if self.raw not in RAW:
            raise OptionError(f"Unknown raw {self.raw!r}. Must be one of {', '.join(RAW)}.")
        unknown = sorted(set(self.data_types or ()) - set(DATA_TYPES))
        if unknown or self.data_types == ():
            found = ", ".join(map(repr, unknown)) or "(none)"
            raise OptionError(f"Unknown data types {found}. Choose from {', '.join(DATA_TYPES)}.")
        if self.units not in (None, *UNITS):
            raise OptionError(f"Unknown units {self.units!r}. Choose from {', '.join(UNITS)}.")
        if wrong := wrong_rtol(self.rtol):
            raise OptionError(wrong)


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


def plan(
    protocol: io.Protocol,
    *,
    subjects: Sequence[str] | None = None,
    conditions: Sequence[str] | None = None,
) -> list[Unit]:
    """List the units of a port: what others share first.

    Names in the output do not depend on which subjects and conditions are kept (None: all).
    """
    subjects, conditions = asked_names(protocol, subjects, conditions)
    _check_not_empty(protocol, subjects)
    units: dict[str, Unit] = {}
    for part in _named_conditions(protocol):
        if subjects is not None and part.subject.name not in subjects:
            continue
        if conditions is not None and part.condition.name not in conditions:
            continue
        for unit in part.units():
            units.setdefault(unit.folder, unit)
    for subject in protocol.subjects:
        wanted = conditions is None and (subjects is None or subject.name in subjects)
        if wanted and not subject.conditions:
            for unit in _named_anatomy(protocol, subject).anatomy():
                units.setdefault(unit.folder, unit)
    template = _template(protocol)
    if template is not None and units:  # unless a subject that uses it brought it
        units.setdefault(template.folder, template)
    order = (ANATOMY, SHARED, CONDITION)
    return sorted(units.values(), key=lambda unit: order.index(unit.kind))


@dataclass(frozen=True, kw_only=True)
class _NamedCondition:
    """A condition with the names that it gets."""

    protocol: io.Protocol
    subject: io.SubjectEntry
    condition: io.Condition
    safe_subject: str
    safe_condition: str
    mne_subject: str
    #: Folder of the files that it shares; empty if it has its own.
    shared: str

    def anatomy(self) -> Iterator[Unit]:
        """Its anatomy, if there is any."""
        anatomy = self.subject
        shells = (anatomy.scalp, anatomy.inner_skull, anatomy.outer_skull)
        if any((anatomy.anatomy, anatomy.cortex, *shells)):
            yield self._unit(
                kind=ANATOMY, condition="", folder=f"{SUBJECTS}/{self.mne_subject}",
                stem=self.mne_subject, shared="", files=_first_with_channels(self.subject),
            )  # fmt: skip

    def units(self) -> Iterator[Unit]:
        """Its anatomy, what it shares, and itself."""
        yield from self.anatomy()
        if self.shared:
            yield self._unit(
                kind=SHARED, condition=DEFAULT_STUDY, folder=self.shared,
                stem=self.shared.replace("/", "_"), shared="", files=self._shared_files(),
            )  # fmt: skip
        yield self._unit(
            kind=CONDITION, condition=self.condition.name,
            folder=f"{self.safe_subject}/{self.safe_condition}",
            stem=f"{self.safe_subject}_{self.safe_condition}",
            shared=self.shared, files=self.condition,
        )  # fmt: skip

    def _unit(self, **values: Any) -> Unit:
        everybody = values["kind"] == SHARED and "/" not in self.shared
        subject = self.subject
        if values["kind"] == CONDITION:
            subject = dataclasses.replace(subject, conditions=(self.condition,))
        return Unit(
            subject="" if everybody else subject.name,
            protocol=dataclasses.replace(_plain(self.protocol), subjects=(subject,)),
            anatomy=subject,
            mne_subject=self.mne_subject,
            **values,
        )

    def _shared_files(self) -> io.Condition:
        channel_file = self.condition.channel_file
        assert channel_file is not None
        return dataclasses.replace(
            self.condition,
            name=DEFAULT_STUDY,
            folder=channel_file.parent,
            recordings=(),
            results=tuple(
                entry
                for entry in self.condition.results
                if entry.file.parent == channel_file.parent
            ),
        )


def _template(protocol: io.Protocol) -> Unit | None:
    """Return the unit of a default anatomy that maps can be projected to: it is registered."""
    anatomy = protocol.default_anatomy
    if anatomy is None or anatomy.cortex is None or not _has_sphere(anatomy.cortex):
        return None
    return Unit(
        kind=ANATOMY,
        subject=anatomy.name,
        condition="",
        folder=f"{SUBJECTS}/{DEFAULT_SUBJECT}",
        stem=DEFAULT_SUBJECT,
        shared="",
        protocol=dataclasses.replace(_plain(protocol), subjects=(anatomy,)),
        anatomy=anatomy,
        files=io.Condition(subject=anatomy.name, name="", folder=anatomy.folder),
        mne_subject=DEFAULT_SUBJECT,
    )


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
    return next(found, next(iter(subject.conditions), _no_condition(subject)))


def _no_condition(subject: io.SubjectEntry) -> io.Condition:
    return io.Condition(subject=subject.name, name="", folder=subject.folder)


def _named_anatomy(protocol: io.Protocol, subject: io.SubjectEntry) -> _NamedCondition:
    """Name the anatomy of a subject that has no condition."""
    mine = safe_names((s.name for s in protocol.subjects), taken=_TAKEN)[subject.name]
    return _NamedCondition(
        protocol=protocol,
        subject=subject,
        condition=_no_condition(subject),
        safe_subject=mine,
        safe_condition="",
        mne_subject=DEFAULT_SUBJECT if subject.use_default_anat else mine,
        shared="",
    )


def _named_conditions(protocol: io.Protocol) -> Iterator[_NamedCondition]:
    safe_subjects = safe_names((s.name for s in protocol.subjects), taken=_TAKEN)
    for subject in protocol.subjects:
        names = (condition.name for condition in subject.conditions)
        safe_conditions = safe_names(names, taken=("default_study",))
        mine = safe_subjects[subject.name]
        mne_subject = DEFAULT_SUBJECT if subject.use_default_anat else mine
        for condition in subject.conditions:
            yield _NamedCondition(
                protocol=protocol,
                subject=subject,
                condition=condition,
                safe_subject=mine,
                safe_condition=safe_conditions[condition.name],
                mne_subject=mne_subject,
                shared=_shared_folder(protocol, condition, mine, mne_subject),
            )


def _shared_folder(
    protocol: io.Protocol, condition: io.Condition, safe_subject: str, mne_subject: str
) -> str:
    """Return the folder of the files that a condition shares; empty if it has its own."""
    if condition.channel_file is None or condition.channel_file.parent == condition.folder:
        return ""
    if condition.channel_file.parent.parent == protocol.data:
        # one channel file for all: what is made of it depends on the anatomy too
        return f"default_study_{mne_subject}"
    return f"{safe_subject}/default_study"


def _check_not_empty(protocol: io.Protocol, subjects: Sequence[str] | None) -> None:
    chosen = [s for s in protocol.subjects if subjects is None or s.name in subjects]
    anatomies = (any((s.anatomy, s.cortex, s.scalp, s.inner_skull, s.outer_skull)) for s in chosen)
    if not any(s.conditions for s in chosen) and not any(anatomies):
        raise ProtocolError(
            f"Protocol {protocol.name!r}: no condition of any subject and no anatomy, so nothing "
            "to port."
        )


def _plain(protocol: io.Protocol) -> io.Protocol:
    """Return a protocol without what a subclass adds: it goes to other processes."""
    fields = {f.name: getattr(protocol, f.name) for f in dataclasses.fields(io.Protocol)}
    return io.Protocol(**fields)


def _relative(file: Path, root: Path) -> str:
    text, above = file.as_posix(), f"{root.as_posix()}/"
    if not text.startswith(above):
        raise ProtocolError(f"{file}: not among the files of the protocol {root}.")
    return text.removeprefix(above)
