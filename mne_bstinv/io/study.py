"""Studies and subjects: ``brainstormstudy.mat``, ``brainstormsubject.mat``."""

from __future__ import annotations

from dataclasses import dataclass, field

from mne_bstinv.io import structure_files
from mne_bstinv.io.checks import one_of
from mne_bstinv.io.kinds import Scalar
from mne_bstinv.io.mat import PathLike
from mne_bstinv.io.schema import Structure, declare
from mne_bstinv.io.text import Text, TextCell

__all__ = ["Study", "Subject", "read_study", "read_subject", "write_study", "write_subject"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Study(Structure):
    """A condition of a subject."""

    #: ``'01-Jan-2024'``.
    date_of_study: str | None = field(default=None, metadata=declare("DateOfStudy", Text()))
    name: str = field(default="", metadata=declare("Name", Text()))
    #: File names of the recordings that are marked as bad.
    bad_trials: tuple[str, ...] = field(
        default=(), metadata=declare("BadTrials", TextCell(column=True))
    )

    def _summary(self) -> str:
        return f"{self.name}, {len(self.bad_trials)} bad trials"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Subject(Structure):
    """A subject: its default anatomy, and whether it shares anatomy and channels."""

    comments: str = field(default="", metadata=declare("Comments", Text()))
    #: File names relative to the protocol's ``anat``; None if there is none.
    anatomy: str | None = field(default=None, metadata=declare("Anatomy", Text()))
    cortex: str | None = field(default=None, metadata=declare("Cortex", Text()))
    scalp: str | None = field(default=None, metadata=declare("Scalp", Text()))
    inner_skull: str | None = field(default=None, metadata=declare("InnerSkull", Text()))
    outer_skull: str | None = field(default=None, metadata=declare("OuterSkull", Text()))
    fibers: str | None = field(default=None, metadata=declare("Fibers", Text()))
    fem: str | None = field(default=None, metadata=declare("FEM", Text()))
    #: 1: the anatomy of ``@default_subject``.
    use_default_anat: int = field(
        default=0, metadata=declare("UseDefaultAnat", Scalar(int), one_of(0, 1))
    )
    #: 0: a channel file in every condition; 1: one for the subject; 2: one for all subjects.
    use_default_channel: int = field(
        default=0, metadata=declare("UseDefaultChannel", Scalar(int), one_of(0, 1, 2))
    )

    def _summary(self) -> str:
        return f"anatomy {self.anatomy}, cortex {self.cortex}"


def read_study(fname: PathLike) -> Study:
    """Read the file of a condition.

    Parameters
    ----------
    fname : path-like
        The file, ``brainstormstudy.mat``.

    Returns
    -------
    Study
        The condition and its bad trials.

    Raises
    ------
    MissingFileError
        If the file does not exist.
    MatFileError
        If it is no MATLAB file, or damaged.
    SchemaError
        If a value has the wrong class; it lists all faults.
    """
    return structure_files.read(Study, fname)


def write_study(fname: PathLike, study: Study, *, overwrite: bool = False) -> None:
    """Write the file of a condition.

    Parameters
    ----------
    fname : path-like
        The file, ``brainstormstudy.mat``.
    study : Study
        The condition.
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    OverwriteError
        If the file exists and ``overwrite`` is False.
    MatFileError
        If the file cannot be written.
    SchemaError
        If a value has the wrong class.
    """
    structure_files.write(Study, fname, study, overwrite=overwrite)


def read_subject(fname: PathLike) -> Subject:
    """Read the file of a subject.

    Parameters
    ----------
    fname : path-like
        The file, ``brainstormsubject.mat``.

    Returns
    -------
    Subject
        The subject.

    Raises
    ------
    MissingFileError
        If the file does not exist.
    MatFileError
        If it is no MATLAB file, or damaged.
    SchemaError
        If a value has the wrong class; it lists all faults.
    """
    return structure_files.read(Subject, fname)


def write_subject(fname: PathLike, subject: Subject, *, overwrite: bool = False) -> None:
    """Write the file of a subject.

    Parameters
    ----------
    fname : path-like
        The file, ``brainstormsubject.mat``.
    subject : Subject
        The subject.
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    OverwriteError
        If the file exists and ``overwrite`` is False.
    MatFileError
        If the file cannot be written.
    SchemaError
        If a value has the wrong class.
    """
    structure_files.write(Subject, fname, subject, overwrite=overwrite)
