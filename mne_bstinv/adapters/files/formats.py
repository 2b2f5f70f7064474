"""MNE's files in and out, by the kind of object that they hold."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from shutil import rmtree
from typing import Any

import mne
import numpy as np
from mne.utils import verbose

from mne_bstinv._temporary import beside, check_folder_of, writing
from mne_bstinv._types import Verbose
from mne_bstinv.adapters.anatomy import read_mesh, read_parcellation, write_contents
from mne_bstinv.adapters.files.endings import MNE_ENDINGS, estimate_ending, mne_kind
from mne_bstinv.adapters.files.fif import check_fif, content_of, in_words, is_fif
from mne_bstinv.adapters.files.objects import info_of
from mne_bstinv.adapters.pieces import write_inverse_operator
from mne_bstinv.adapters.recordings import read_raw_brainstorm
from mne_bstinv.adapters.sources import write_forward
from mne_bstinv.adapters.written import check_written
from mne_bstinv.errors import (
    BstInvError,
    ConversionError,
    MissingFileError,
    OverwriteError,
    RecordingFileError,
)
from mne_bstinv.io.mat import PathLike

__all__ = ["open_raw", "quiet", "read_mne", "write_mne", "write_new"]


def quiet() -> AbstractContextManager[Any]:
    """Keep MNE's log to errors, for code that reports in its own way.

    Returns
    -------
    context manager
        While it is entered, MNE logs errors alone.
    """
    context: AbstractContextManager[Any] = mne.utils.use_log_level("ERROR")
    return context


@verbose
def read_mne(fname: PathLike, kind: str | None = None, *, verbose: Verbose = None) -> Any:
    """Read a file of MNE.

    Parameters
    ----------
    fname : path-like
        The file.
    kind : str | None
        What it holds, see :func:`mne_kind`; None goes by its name.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    object
        The object; a list of :class:`mne.Evoked` for ``'evoked'``, a list of
        :class:`mne.Label` for ``'labels'``, a mesh for ``'surface'``, the path itself for
        ``'mri'``.

    Raises
    ------
    MissingFileError
        If the file does not exist.
    ConversionError
        If the name says nothing of the kind, or MNE cannot read the file as one of that kind:
        it is a folder, empty, no FIF file, truncated, or holds something else.
    """
    path = Path(fname)
    kind = mne_kind(path) if kind is None else kind
    if kind is None or kind not in _READERS:
        endings = ", ".join(sorted({ending for ending in MNE_ENDINGS if "_" not in ending}))
        raise ConversionError(
            f"{path}: what it holds is not clear from its name. Let it end in one of: {endings}."
        )
    if not path.exists() and not path.with_name(f"{path.name}-lh.stc").exists():
        raise MissingFileError(f"{path}: no such file. Check the path.")
    if is_fif(path):
        check_fif(path, kind)
    try:
        return _whole(_READERS[kind](path))
    except BstInvError:
        raise
    except Exception as error:  # MNE raises all sorts, and plain Exception, for a broken file
        found = content_of(path) if is_fif(path) else ""
        if found and found != kind:
            raise ConversionError(
                f"{path}: it holds {in_words(found)}; {in_words(kind)} expected by its name. "
                "Give another file, or a name that says what it holds."
            ) from error
        raise ConversionError(
            f"{path}: MNE cannot read {in_words(kind)} from it: {error}. It is damaged or holds "
            "something else: check the name, or copy the file again."
        ) from error


def _whole(value: Any) -> Any:
    """Return what was read, if what MNE's readers take as it is can be: channels and triangles."""
    if isinstance(value, list) and not isinstance(value, mne.SourceSpaces):
        return [_whole(one) for one in value]
    parts = value if isinstance(value, dict) else {}
    info = info_of(value)
    for index in range(0 if info is None else len(info["chs"])):
        mne.channel_type(info, index)
    for space in value if isinstance(value, mne.SourceSpaces) else parts.get("src", ()):
        for name in ("vertno", "tris", "use_tris"):
            found = space.get(name)
            if found is None or not np.size(found):
                continue
            if not 0 <= np.min(found) <= np.max(found) < space["np"]:
                raise ValueError(f"{name} names vertices beyond the {space['np']} of its surface")
    return value


@verbose
def write_mne(
    fname: PathLike, value: Any, kind: str, *, overwrite: bool = False, verbose: Verbose = None
) -> tuple[Path, ...]:
    """Write an object of MNE: completely, or not at all.

    Parameters
    ----------
    fname : path-like
        The file. Source estimates on surfaces are two files, ``-lh.stc`` and ``-rh.stc``.
    value : object
        The object.
    kind : str
        What it is, see :func:`mne_kind`.
    overwrite : bool
        Replace existing files.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    tuple of Path
        The files.

    Raises
    ------
    ConversionError
        If MNE cannot write the object to a file of that name.
    MissingFileError
        If the folder does not exist.
    OverwriteError
        If a file exists and ``overwrite`` is False.
    WriteError
        If the disk is full, or the folder may not be written to.
    """
    path = Path(fname)
    check_folder_of(path)
    # MNE goes by the ending: the name stays, in a folder of its own until it is complete
    temporary = beside(path)
    try:
        with writing(path):
            temporary.mkdir()
            made = write_new(temporary / path.name, value, kind)
            targets = tuple(path.with_name(file.name) for file in made)
            existing = [target for target in targets if target.exists()]
            if existing and not overwrite:
                raise OverwriteError.of(*existing)
            for file, target in zip(made, targets, strict=True):
                file.replace(target)
    finally:
        rmtree(temporary, ignore_errors=True)
    return targets


def open_raw(path: Path) -> Any:
    """Open a continuous recording without loading it.

    Parameters
    ----------
    path : Path
        A file, or folder, of any format that MNE recognises by its name; or a link or ``.bst``
        file of Brainstorm.

    Returns
    -------
    mne.io.Raw
        The recording.

    Raises
    ------
    MissingFileError
        If the file does not exist.
    RecordingFileError
        If MNE cannot read it.
    """
    if not path.exists():
        raise MissingFileError(f"{path}: no such file. Check the path.")
    if path.suffix.lower() in (".bst", ".mat"):
        return read_raw_brainstorm(path)
    try:
        return mne.io.read_raw(path, preload=False, verbose="error")
    except Exception as error:  # readers raise a dozen types for files they cannot read
        raise RecordingFileError(
            f"{path}: MNE cannot read it as a continuous recording: {error}"
        ) from error


def write_new(path: Path, value: Any, kind: str) -> tuple[Path, ...]:
    """Write an object of MNE into a folder of unfinished files; an error may leave parts.

    Parameters
    ----------
    path : Path
        A file that does not exist.
    value : object
        The object.
    kind : str
        What it is, see :func:`mne_kind`.

    Returns
    -------
    tuple of Path
        The files: two for an estimate on a surface, several where MNE splits a large one.

    Raises
    ------
    ConversionError
        If MNE cannot write the object to a file of that name, or the names in the file are not
        those of the rows.
    """
    before = set(path.parent.iterdir())
    try:
        _WRITERS[kind](path, value)
    except ConversionError:
        raise
    except (ValueError, ImportError) as error:
        raise ConversionError(
            f"{path.name}: MNE cannot write it: {error}. Change what it objects to, or choose "
            "another format."
        ) from error
    made = tuple(sorted(set(path.parent.iterdir()) - before))
    for file in filter(is_fif, made):
        check_written(file, kind, value)
    return made


def _read_labels(path: Path) -> list[Any]:
    if path.suffix.lower() == ".label":
        return [mne.read_label(path)]
    return list(read_parcellation(path))


def _write_raw(path: Path, raw: Any) -> None:
    """Write a Raw, in pieces of 2 GB at most, in the precision that its samples have."""
    if not -(2**31) <= raw.first_samp <= raw.last_samp < 2**31:
        raise ConversionError(
            f"{path}: samples {raw.first_samp} to {raw.last_samp} found, numbers within ±2^31 "
            "expected, what FIF files can hold. Let the recording begin at a smaller time."
        )
    raw.save(path, fmt="double" if raw.orig_format == "double" else "single", split_size="2GB")


def _write_estimate(path: Path, stc: Any) -> None:
    if path.suffix.lower() == ".h5":
        stc.save(path, ftype="h5")
        return
    if isinstance(stc, mne.VectorSourceEstimate | mne.VolVectorSourceEstimate):
        raise ConversionError(
            f"{path.name}: stc files hold one value per location, this estimate three: choose a "
            "name that ends with -stc.h5."
        )
    own, name = estimate_ending(stc), path.name
    written = ("-lh.stc", "-rh.stc") if own == "-lh.stc" else (own,)
    if name.endswith(("-lh.stc", "-rh.stc", "-vl.stc")) and not name.endswith(written):
        raise ConversionError(
            f"{name}: such files hold another kind of estimate: choose a name that ends with {own}."
        )
    for ending in (*written, ".stc"):
        name = name.removesuffix(ending)
    stc.save(path.with_name(name), ftype="stc")


def _write_table(path: Path, columns: Any) -> None:
    """Write the columns of a table (a DataFrame, or arrays by name) as comma-separated values."""
    names = list(columns)
    rows = zip(*(np.asarray(columns[name]).tolist() for name in names), strict=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows(rows)


def _write_dipole(path: Path, dipole: Any) -> None:
    """Save a dipole; older MNE writes binary files only of dipoles with limits of confidence."""
    try:
        dipole.save(path)
    except AttributeError:
        unknown = np.zeros(len(dipole.times))
        limited = dipole.copy()
        limited.conf = dict.fromkeys(("vol", "depth", "long", "trans", "qlong", "qtrans"), unknown)
        limited.save(path, overwrite=True)


_READERS: Mapping[str, Callable[[Path], Any]] = {
    # as stored: a projection that is applied cannot be taken back
    "evoked": lambda path: mne.read_evokeds(path, proj=False),
    "epochs": lambda path: mne.read_epochs(path, proj=False),
    # samples of what is not packed are read when they are needed
    "raw": lambda path: mne.io.read_raw_fif(path, preload=path.suffix == ".gz"),
    "forward": mne.read_forward_solution,
    "covariance": mne.read_cov,
    "source spaces": mne.read_source_spaces,
    "trans": mne.read_trans,
    "inverse operator": mne.minimum_norm.read_inverse_operator,
    "info": mne.io.read_info,
    "source estimate": mne.read_source_estimate,
    "labels": _read_labels,
    "surface": read_mesh,
    "mri": lambda path: path,
    "dipole": mne.read_dipole,
    "tfr": mne.time_frequency.read_tfrs,
    "spectrum": mne.time_frequency.read_spectrum,
    "morph": mne.read_source_morph,
}


_WRITERS: Mapping[str, Callable[[Path, Any], Any]] = {
    # one Evoked, or a list
    "evoked": mne.write_evokeds,
    # double precision: nothing of what Brainstorm stores is lost (Evoked have single only)
    "epochs": lambda path, value: value.save(path, fmt="double"),
    "raw": _write_raw,
    "forward": write_forward,
    "covariance": mne.write_cov,
    "source spaces": mne.write_source_spaces,
    "trans": mne.write_trans,
    "inverse operator": write_inverse_operator,
    "info": mne.io.write_info,
    "source estimate": _write_estimate,
    "labels": write_contents,
    "surface": write_contents,
    "mri": write_contents,
    "dipole": _write_dipole,
    "tfr": mne.time_frequency.write_tfrs,
    "spectrum": lambda path, value: value.save(path),
    "morph": lambda path, value: value.save(path),
    "table": _write_table,
}
