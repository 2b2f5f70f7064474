"""Where an export goes: what is at the place already, and what may be added to it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mne_bstinv import io
from mne_bstinv._temporary import check_folder_of
from mne_bstinv.errors import OverwriteError, ProtocolError
from mne_bstinv.export.anatomy import same_cortex, same_structure
from mne_bstinv.io.own_folders import DEFAULT_STUDY, DEFAULT_SUBJECT
from mne_bstinv.io.protocol import is_protocol

__all__ = ["Anatomy", "Target", "find_target", "place_anatomy"]


@dataclass(frozen=True, kw_only=True)
class Target:
    """The place of a condition."""

    #: The protocol.
    root: Path
    #: Name of the subject.
    subject: str
    #: Name of the condition.
    condition: str
    #: Whether the protocol exists.
    exists: bool
    #: The subject as it is, None for a new one.
    known: io.Subject | None
    #: Folder of channel file, head model and covariances relative to ``data``: of the
    #: condition, or the one that the subject's conditions share.
    shared: str

    @property
    def folder(self) -> str:
        """Folder of the condition, relative to ``data``."""
        return f"{self.subject}/{self.condition}"


@dataclass(frozen=True, kw_only=True)
class Anatomy:
    """The anatomy of a subject."""

    #: The content of ``brainstormsubject.mat``.
    subject: io.Subject
    #: Cortex of the head model, relative to ``anat``.
    surface_file: str | None
    #: Structures to write, by path relative to ``anat``.
    files: dict[str, Any]


def find_target(
    protocol: Path, subject: str, condition: str, *, share_channels: bool, overwrite: bool
) -> Target:
    """Look at the place of an export, and refuse one that cannot be written to.

    ``share_channels`` says whether the conditions of a new subject share channel file, head
    model and covariances, ``overwrite`` whether the condition may exist.
    """
    exists = is_protocol(protocol)
    if protocol.exists() and not exists and (protocol.is_file() or any(protocol.iterdir())):
        raise ProtocolError(
            f"{protocol}: exists and is no Brainstorm protocol (no 'anat' and 'data' in it). Give "
            "a protocol, or a folder that does not exist yet."
        )
    check_folder_of(protocol)
    for part in ("anat", "data"):
        _refuse_other_case(protocol / part, subject, "subject")
    _refuse_other_case(protocol / "data" / subject, condition, "condition")
    file = protocol / "anat" / subject / "brainstormsubject.mat"
    known = io.read_subject(file) if file.exists() else None
    folder = protocol / "data" / subject / condition
    if folder.exists() and not overwrite:
        raise OverwriteError(
            f"{folder}: the condition exists already; choose another name, or use overwrite=True "
            "(--overwrite) to replace all that it holds."
        )
    use = int(share_channels) if known is None else known.use_default_channel
    if known is not None and share_channels and use == 0:
        raise ProtocolError(
            f"{file}: UseDefaultChannel is 0, every condition of {subject!r} has a channel file of "
            "its own: export without share_channels (--share-channels)."
        )
    shared = {0: f"{subject}/{condition}", 1: f"{subject}/{DEFAULT_STUDY}", 2: DEFAULT_STUDY}
    return Target(
        root=protocol,
        subject=subject,
        condition=condition,
        exists=exists,
        known=known,
        shared=shared[use],
    )


def _refuse_other_case(folder: Path, name: str, what: str) -> None:
    """Refuse a name that is another one's but for capitals: one folder on many systems."""
    present = sorted(one.name for one in folder.iterdir()) if folder.is_dir() else []
    other = [one for one in present if one != name and one.casefold() == name.casefold()]
    if other and name not in present:
        raise ProtocolError(
            f"{folder / other[0]}: the {what} {other[0]!r} exists already, and {name!r} would be "
            "the same folder on systems that do not tell capital letters apart: write "
            f"{other[0]!r}, or choose another name."
        )


def place_anatomy(
    target: Target, cortex: io.Surface | None, mri: io.Mri | None, *, share_channels: bool
) -> Anatomy:
    """Say which files of the anatomy are to be written; those that are there are kept."""
    subject = target.known or io.Subject(use_default_channel=int(share_channels))
    own = DEFAULT_SUBJECT if subject.use_default_anat else target.subject
    files: dict[str, Any] = {}
    surface_file, anatomy = None, subject.anatomy
    present = target.root / "anat" / own
    if cortex is not None:
        surface_file = _present_cortex(present, own, cortex)
        if surface_file is None:
            _check_own(target, subject, "cortex")
            name = _free_name(present, "tess_cortex_pial_low")
            surface_file = f"{own}/{name}"
            files[surface_file] = cortex
    if mri is not None:
        anatomy = _present_mri(present, own, mri)
        if anatomy is None:
            _check_own(target, subject, "MRI")
            anatomy = f"{own}/subjectimage_T1.mat"
            files[anatomy] = mri
    if not subject.use_default_anat:
        subject = dataclasses.replace(
            subject, cortex=subject.cortex or surface_file, anatomy=subject.anatomy or anatomy
        )
    return Anatomy(subject=subject, surface_file=surface_file, files=files)


def _check_own(target: Target, subject: io.Subject, what: str) -> None:
    if subject.use_default_anat:
        raise ProtocolError(
            f"{target.root / 'anat' / target.subject}: the subject has the default anatomy "
            f"(UseDefaultAnat 1), whose {what} is not the one of this study: export to another "
            "subject."
        )


def _present_cortex(folder: Path, name: str, cortex: io.Surface) -> str | None:
    """Return the cortex of the subject that is the same, if there is one."""
    for file in _of_kind(folder, "cortex"):
        if same_cortex(io.read_surface(file), cortex):
            return f"{name}/{file.name}"
    return None


def _present_mri(folder: Path, name: str, mri: io.Mri) -> str | None:
    files = _of_kind(folder, "subjectimage")
    for file in files:
        if same_structure(io.read_mri(file), mri):
            return f"{name}/{file.name}"
    if files:
        raise OverwriteError(
            f"{files[0]}: the subject has another MRI, which says where its other files are; "
            "export to another subject, or without the MRI."
        )
    return None


def _of_kind(folder: Path, kind: str) -> list[Path]:
    if not folder.is_dir():
        return []
    return [file for file in sorted(folder.glob("*.mat")) if io.file_kind(file.name) == kind]


def _free_name(folder: Path, stem: str) -> str:
    number, name = 1, f"{stem}.mat"
    while (folder / name).exists():
        number += 1
        name = f"{stem}_{number:02d}.mat"
    return name
