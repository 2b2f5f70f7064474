"""Which files are made of others, and which module computes them again."""

from __future__ import annotations

from pathlib import Path

from mne_bstinv import io
from mne_bstinv._verdicts import RTOL
from mne_bstinv.derived.dipoles import recompute_dipoles
from mne_bstinv.derived.library import Library, NotComparableError
from mne_bstinv.derived.outcome import Recomputed
from mne_bstinv.derived.recordings import is_derived_recording, recompute_recordings
from mne_bstinv.derived.results import recompute_results
from mne_bstinv.derived.scouts import recompute_scouts
from mne_bstinv.derived.statistics import recompute_statistics
from mne_bstinv.derived.timefreq import recompute_timefreq
from mne_bstinv.io.processing import derivation_of, steps_of
from mne_bstinv.studies.files import Studies

__all__ = ["derived_kind", "find_derived", "recompute_derived"]

#: Kinds of files that are always made of others → what they hold.
_ALWAYS = {
    "matrix": "signals",
    "dipoles": "dipoles",
    "timefreq": "time–frequency map",
    "pdata": "test of recordings",
    "presults": "test of sources",
    "ptimefreq": "test of time–frequency maps",
    "pmatrix": "test of signals",
}


def find_derived(path: Path, library: Library | None = None) -> list[Path]:
    """List the files at or below a path that are made of others, results left out.

    Parameters
    ----------
    path : Path
        A file, or any folder.
    library : Library | None
        Reads histories, and may have read them already.

    Returns
    -------
    list of Path
        Signals, dipoles, time–frequency maps, tests, and recordings whose history names a step;
        sorted.
    """
    library = library or Library(Studies())
    files = [path] if path.is_file() else sorted(path.rglob("*.mat"))
    return [
        file
        for file in files
        if io.file_kind(file.name) in _ALWAYS
        or (io.file_kind(file.name) == "data" and steps_of(library.history(file)))
    ]


def derived_kind(file: Path, library: Library | None = None) -> str | None:
    """Tell what a file is that was made of others.

    Parameters
    ----------
    file : Path
        The file.
    library : Library | None
        Reads it, and may have read it already.

    Returns
    -------
    str | None
        In words; None for what was not made of others.
    """
    library = library or Library(Studies())
    kind = io.file_kind(file.name) or ""
    if kind in _ALWAYS:
        return _ALWAYS[kind]
    if kind == "results":
        derivation = derivation_of(library.results(file))
        return None if derivation is None else derivation.what
    if kind == "data" and steps_of(library.history(file)):
        return "recordings made of others"
    return None


def recompute_derived(file: Path, library: Library | None = None, rtol: float = RTOL) -> Recomputed:
    """Compute a derived file again and compare.

    Parameters
    ----------
    file : Path
        The file.
    library : Library | None
        Reads it and the files it was made of, and may have read them already.
    rtol : float
        Difference at which the search for a parent, or for options that are not stored, ends.

    Returns
    -------
    Recomputed
        The relative difference, the parents, and what had to be found out.

    Raises
    ------
    NotComparableError
        If a file that is needed is missing, or a step is not computed here.
    BstInvError
        If a file is damaged, or arrays do not fit each other.
    """
    library = library or Library(Studies())
    kind = io.file_kind(file.name)
    if kind == "results":
        results = library.results(file)
        derivation = derivation_of(results)
        if derivation is None:
            raise NotComparableError("The results were not made of others.")
        return recompute_results(file, results, derivation, library, rtol)
    if kind == "data":
        recordings = library.recordings(file)
        if not is_derived_recording(recordings):
            raise NotComparableError("The recordings were not made of others.")
        return recompute_recordings(file, recordings, library, rtol)
    if kind == "matrix":
        return recompute_scouts(file, io.read_matrix(file), library, rtol)
    if kind == "dipoles":
        return recompute_dipoles(file, io.read_dipoles(file), library)
    if kind == "timefreq":
        return recompute_timefreq(file, io.read_timefreq(file), library, rtol)
    if kind in _ALWAYS:
        return recompute_statistics(file, io.read_statistics(file), library)
    raise NotComparableError("It is no file that is made of others.")
