"""Anatomy: the transform to the MRI, and surfaces as a FreeSurfer subject."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mne
import numpy as np
from mne.utils import verbose

from mne_bstinv import io
from mne_bstinv._display import Displayed
from mne_bstinv._temporary import beside, named, writing
from mne_bstinv._types import Verbose
from mne_bstinv.adapters.anatomy.atlas_files import atlas_files
from mne_bstinv.adapters.anatomy.place import Place, volume_geometry
from mne_bstinv.adapters.anatomy.subject_files import (
    cortex_files,
    fiducial_files,
    mri_files,
    shell_files,
)
from mne_bstinv.adapters.frames import head_frame, mri_frame
from mne_bstinv.adapters.sources import cut_cortex
from mne_bstinv.conversion import Findings, converts
from mne_bstinv.errors import ConversionError, OverwriteError
from mne_bstinv.studies.units import in_metres

__all__ = ["SubjectFolder", "to_surfaces", "to_trans", "write_all"]


@dataclass(frozen=True, kw_only=True, eq=False)
class SubjectFolder(Displayed):
    """A FreeSurfer subject that was written.

    Parameters
    ----------
    subjects_dir : Path
        The folder of all subjects.
    subject : str
        Name of the subject.
    files : tuple of Path
        The files that were written.
    """

    subjects_dir: Path
    subject: str
    files: tuple[Path, ...]

    def __repr__(self) -> str:
        return f"<SubjectFolder | {self.subjects_dir / self.subject}, {len(self.files)} files>"


@converts
@verbose
def to_trans(
    channels: io.Channels | None,
    mri: io.Mri | None = None,
    *,
    verbose: Verbose = None,
) -> Any:
    """Make MNE's transform from the head to the MRI frame (``-trans.fif``).

    Parameters
    ----------
    channels : Channels | None
        The channel file, for the head frame; None to take it from the MRI's fiducials.
    mri : Mri | None
        The subject's MRI. Without it, MRI and head are the same frame and the transform is the
        identity.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    mne.Transform
        Head → MRI (surface RAS), metres. Its report says what was assumed.

    Raises
    ------
    FrameError
        If the fiducials lie on one line, or the MRI has no voxel size or no transform to SCS.
    """
    findings = Findings()
    channels = None if channels is None else in_metres(channels)
    mri = None if mri is None else in_metres(mri)
    to_head = head_frame(channels, mri, findings)
    scs_to_mri = mri_frame(channels, mri, findings)
    matrix = np.eye(4) if mri is None else scs_to_mri @ to_head.inverse
    trans = mne.Transform("head", "mri", matrix)
    return findings.attach(trans, what="channels and MRI → head–MRI transform")


@converts
@verbose
def to_surfaces(
    subjects_dir: str | os.PathLike[str],
    subject: str,
    *,
    cortex: io.Surface | None = None,
    scalp: io.Surface | None = None,
    inner_skull: io.Surface | None = None,
    outer_skull: io.Surface | None = None,
    mri: io.Mri | None = None,
    channels: io.Channels | None = None,
    overwrite: bool = False,
    verbose: Verbose = None,
) -> SubjectFolder:
    """Write surfaces, atlases and MRI as a FreeSurfer subject.

    The folder is good for :meth:`mne.SourceEstimate.plot`, :func:`mne.viz.plot_alignment`,
    :func:`mne.make_bem_model` and :func:`mne.read_labels_from_annot`; it does not hold what only
    FreeSurfer's segmentation knows. Vertices are numbered as in :func:`to_source_spaces`.

    Parameters
    ----------
    subjects_dir : path-like
        The folder of all subjects; made if it does not exist.
    subject : str
        Name of the subject: the folder in it.
    cortex : Surface | None
        Becomes ``surf/?h.white``, ``pial``, ``inflated``, ``curv``, ``sulc``, ``sphere`` (without
        a registration: spread out for pictures and lookups, not registered) and ``sphere.reg``
        where it has a registration; its atlases become ``label/?h.*.annot``, and scouts that
        overlap ``label/*-?h.label`` beside.
    scalp, inner_skull, outer_skull : Surface | None
        Become ``bem/outer_skin.surf``, ``bem/*-head.fif`` and ``-head-dense.fif`` (the same),
        ``bem/inner_skull.surf``,
        ``bem/outer_skull.surf``.
    mri : Mri | None
        Becomes ``mri/T1.mgz``, ``orig.mgz`` and ``brain.mgz`` (inside the inner skull, if that is
        given), ``bem/*-fiducials.fif`` and, where it knows MNI coordinates,
        ``mri/transforms/talairach.xfm``. Without it, MRI and head are the same frame.
    channels : Channels | None
        The channel file; only needed without an MRI or where it has no fiducials.
    overwrite : bool
        Replace files that exist.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    SubjectFolder
        What was written. Each file is written completely or not at all.

    Raises
    ------
    ConversionError
        If there is nothing to write, or the name of the subject is not that of a folder.
    OverwriteError
        If a file exists and ``overwrite`` is False; then nothing is written.
    WriteError
        If a file cannot be written; then none is.
    FrameError
        If the frame of the MRI is unknown, or positions are in no metres.
    """
    _check_name(subject)
    root = named(subjects_dir, "subjects_dir")
    findings = Findings()
    given = {"outer_skin": scalp, "inner_skull": inner_skull, "outer_skull": outer_skull}
    shells = {name: shell if shell is None else in_metres(shell) for name, shell in given.items()}
    cortex = None if cortex is None else in_metres(cortex)
    channels = None if channels is None else in_metres(channels)
    scs_to_mri = mri_frame(channels, mri, findings)
    geometry = None if mri is None else volume_geometry(mri, findings)
    place = Place(subject=subject, scs_to_mri=scs_to_mri, geometry=geometry)
    files = _files(cortex, shells, mri, place, findings)
    files |= fiducial_files(channels, mri, place)
    written = write_all(root / subject, files, overwrite=overwrite)
    folder = SubjectFolder(subjects_dir=root, subject=subject, files=written)
    return findings.attach(folder, what=f"anatomy → FreeSurfer subject {subject!r}")


def write_all(
    folder: Path, files: Mapping[str, bytes], *, overwrite: bool = False
) -> tuple[Path, ...]:
    """Write files, by path in a folder; if any exists and may not be replaced, write nothing."""
    paths = [folder / name for name in files]
    existing = [path for path in paths if path.exists()]
    if existing and not overwrite:
        raise OverwriteError.of(*existing)
    pending = [
        (beside(path), path, content) for path, content in zip(paths, files.values(), strict=True)
    ]
    try:
        for temporary, path, content in pending:
            with writing(path):
                temporary.parent.mkdir(parents=True, exist_ok=True)
                with temporary.open("xb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
        for temporary, path, _ in pending:
            with writing(path):
                temporary.replace(path)
    except BaseException:
        for temporary, _, _ in pending:
            with suppress(OSError):
                temporary.unlink()
        raise
    return tuple(paths)


def _check_name(subject: str) -> None:
    if not subject or subject in (".", "..") or Path(subject).name != subject:
        raise ConversionError(
            f"{subject!r} is not the name of a subject: expected the name of one folder, without "
            "separators."
        )


def _files(
    cortex: io.Surface | None,
    shells: Mapping[str, io.Surface | None],
    mri: io.Mri | None,
    place: Place,
    findings: Findings,
) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    if cortex is not None:
        hemispheres = cut_cortex(cortex, findings)
        files |= cortex_files(cortex, hemispheres, place, findings)
        files |= atlas_files(cortex, place, findings)
    for name, shell in shells.items():
        if shell is not None:
            files |= shell_files(name, shell, place, findings)
    if mri is not None:
        files |= mri_files(mri, shells["inner_skull"], place, findings)
    if not files:
        raise ConversionError("There is nothing to write: give a surface or an MRI.")
    return files
