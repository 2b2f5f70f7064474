"""The kinds of Brainstorm's files: one row each, and nothing of them said elsewhere.

A new kind is a row here, and a module of this package with its structure, ``read_…`` and
``write_…``. Modules are imported when a file of their kind is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import PurePath
from typing import Any

from mne_bstinv.errors import BstInvError
from mne_bstinv.io import mat

__all__ = [
    "KINDS", "FileKind", "known_by_content", "known_by_name", "of_role", "row_in", "row_of",
    "row_of_content",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class FileKind:
    """A kind of file."""

    #: What :func:`~mne_bstinv.io.file_kind` returns.
    name: str
    #: What messages call such a file.
    label: str
    #: How such files are named.
    pattern: str
    #: Part of the name that tells the kind; empty where the whole name is fixed.
    tag: str = ""
    #: Further parts, of which one must be in the name too.
    also: tuple[str, ...] = ()
    #: Module of :mod:`mne_bstinv.io` with the structure; empty for kinds that are not read.
    module: str = ""
    #: Class of the structure.
    structure: str = ""
    #: End of the names of its functions: ``read_…``, ``write_…``.
    noun: str = ""
    #: Sets of variables, each of which tells the kind by the content.
    marks: tuple[frozenset[str], ...] = ()
    #: What a file of that content is called, if not ``label``: the name may tell more.
    by_content: str = ""
    #: What a study calls the structure, such as in :class:`mne_bstinv.StudyData`.
    role: str = ""
    #: The object of MNE-Python that does the same job.
    mne: str = ""

    @property
    def described(self) -> str:
        """The label with the names of such files, for messages."""
        return f"{self.label} ({self.pattern})"

    @property
    def reader(self) -> str:
        """Name of the function of :mod:`mne_bstinv.io` that reads such files."""
        return f"read_{self.noun}"

    @property
    def read(self) -> Callable[[Any], Any]:
        """The function that reads such a file."""
        return self._function(self.reader)

    @property
    def write(self) -> Callable[..., None]:
        """The function that writes such a file."""
        return self._function(f"write_{self.noun}")

    def _function(self, name: str) -> Any:
        return getattr(import_module(f"mne_bstinv.io.{self.module}"), name)


def _marks(*variables: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(names.split()) for names in variables)


def _surface(name: str, label: str, *also: str, pattern: str, role: str = "") -> FileKind:
    return FileKind(
        name=name, label=label, pattern=pattern, tag="_tess", also=also, module="surface",
        structure="Surface", noun="surface", marks=_marks("Vertices Faces"),
        by_content="surface", role=role,
        mne="mne.SourceSpaces",
    )  # fmt: skip


def _statistics(name: str, of: str) -> FileKind:
    return FileKind(
        name=name, label=f"test of {of}", pattern=f"{name}_*.mat", tag=f"_{name}",
        module="statistics", structure="Statistics", noun="statistics",
        marks=_marks("tmap pmap"), by_content="maps of a test",
    )  # fmt: skip


#: All kinds, in the order in which their tags are looked for in a name.
KINDS: dict[str, FileKind] = {
    row.name: row
    for row in (
        FileKind(
            name="data", label="recordings", pattern="data_*.mat", tag="_data",
            module="recordings", structure="Recordings", noun="recordings",
            marks=_marks("F ChannelFlag"), by_content="recordings file", role="recordings",
            mne="mne.Evoked",
        ),
        FileKind(
            name="results", label="results file", pattern="results_*.mat", tag="_results",
            module="results", structure="Results", noun="results",
            marks=_marks("ImagingKernel", "ImageGridAmp"), role="results",
            mne="mne.minimum_norm.InverseOperator",
        ),
        FileKind(
            name="channel", label="channel file", pattern="channel*.mat", tag="_channel",
            module="channels", structure="Channels", noun="channels", marks=_marks("Channel"),
            role="channels", mne="mne.Info",
        ),
        FileKind(
            name="headmodel", label="head model", pattern="headmodel_*.mat", tag="_headmodel",
            module="head_model", structure="HeadModel", noun="head_model", marks=_marks("Gain"),
            role="head_model", mne="mne.Forward",
        ),
        FileKind(
            name="noisecov", label="noise covariance", pattern="noisecov_*.mat", tag="_noisecov",
            module="covariance", structure="NoiseCov", noun="noise_cov",
            marks=_marks("NoiseCov"), by_content="noise or data covariance",
            role="noise_cov", mne="mne.Covariance",
        ),
        FileKind(
            name="ndatacov", label="data covariance", pattern="ndatacov_*.mat", tag="_ndatacov",
            module="covariance", structure="NoiseCov", noun="noise_cov",
            marks=_marks("NoiseCov"), by_content="noise or data covariance",
            role="data_cov", mne="mne.Covariance",
        ),
        _surface("cortex", "cortex", "_cortex", pattern="tess_cortex*.mat", role="cortex"),
        _surface("scalp", "scalp", "_scalp", "_head", "_skin", pattern="tess_head*.mat"),
        _surface("innerskull", "inner skull", "_innerskull", pattern="tess_innerskull*.mat"),
        _surface("outerskull", "outer skull", "_outerskull", pattern="tess_outerskull*.mat"),
        _surface("tess", "surface", pattern="tess_*.mat"),
        FileKind(
            name="subjectimage", label="MRI", pattern="subjectimage_*.mat", tag="_subjectimage",
            module="mri", structure="Mri", noun="mri", marks=_marks("Cube"), role="mri",
        ),
        FileKind(
            name="timefreq", label="time–frequency map", pattern="timefreq_*.mat",
            tag="_timefreq", module="timefreq", structure="TimeFreq", noun="timefreq",
            marks=_marks("TF"), mne="mne.time_frequency.AverageTFR",
        ),
        FileKind(
            name="matrix", label="signals", pattern="matrix_*.mat", tag="_matrix",
            module="matrix", structure="Matrix", noun="matrix", marks=_marks("Value Description"),
        ),
        FileKind(
            name="dipoles", label="dipoles", pattern="dipoles_*.mat", tag="_dipoles",
            module="dipoles", structure="Dipoles", noun="dipoles", marks=_marks("Dipole"),
            mne="mne.Dipole",
        ),
        _statistics("pdata", "recordings"),
        _statistics("presults", "sources"),
        _statistics("ptimefreq", "time–frequency maps"),
        _statistics("pmatrix", "signals"),
        FileKind(
            name="brainstormstudy", label="list of a study", pattern="brainstormstudy.mat",
            module="study", structure="Study", noun="study",
        ),
        FileKind(
            name="brainstormsubject", label="list of a subject", pattern="brainstormsubject.mat",
            module="study", structure="Subject", noun="subject",
        ),
    )
}  # fmt: skip


def known_by_name(name: str) -> FileKind | None:
    """Return the kind whose tags a file's name holds."""
    text = "_" + name.lower().replace(".", "_").replace("-", "_")
    for row in KINDS.values():
        if row.tag and row.tag in text and (not row.also or any(tag in text for tag in row.also)):
            return row
    return None


def known_by_content(variables: Iterable[str]) -> list[tuple[FileKind, frozenset[str]]]:
    """Return the kinds that the variables of a file tell, each with those that tell it."""
    present = set(variables)
    first = {row.name: next((m for m in row.marks if m <= present), None) for row in KINDS.values()}
    return [(KINDS[name], mark) for name, mark in first.items() if mark is not None]


def row_of_content(file: PurePath) -> FileKind | None:
    """Return the kind of a ``.mat`` file of another name by its variables; None if none is clear.

    Exports are renamed: ``Cortex.mat``, ``Gain.mat``. A struct around the variables counts too.
    """
    if file.suffix.lower() != ".mat":
        return None
    try:
        names = mat.names_in(file)
        if len(names) == 1 and not known_by_content(names):
            value = mat.read(file)[names[0]].value
            names = list(value) if isinstance(value, dict) else names
    except BstInvError:
        return None
    rows = [row for row, _ in known_by_content(names)]
    if len({row.by_content or row.label for row in rows}) != 1:
        return None
    return KINDS["tess"] if rows[0].module == "surface" else rows[0]


def row_of(file: PurePath) -> FileKind | None:
    """Return the kind of a ``.mat`` file by its name, those with a fixed name included."""
    if file.suffix.lower() != ".mat":
        return None
    fixed = KINDS.get(file.stem.lower())
    return fixed if fixed is not None and not fixed.tag else known_by_name(file.name)


def row_in(file: PurePath) -> FileKind | None:
    """Return the kind of a file that is there: by its name, unless its variables are of another.

    ``datacov.mat`` is named like recordings, and holds a covariance.
    """
    named = row_of(file)
    if named is not None:
        try:
            present = set(mat.names_in(file))
        except BstInvError:  # reading it says what is wrong
            return named
        if not named.marks or any(mark <= present for mark in named.marks):
            return named
    return row_of_content(file) or named


def of_role(role: str) -> FileKind:
    """Return the kind of what a study calls ``role``."""
    return next(row for row in KINDS.values() if row.role == role)
