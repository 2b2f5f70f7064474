"""The files at or below a path: which can be verified, and the outcome for each."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from itertools import chain, groupby
from pathlib import Path
from typing import Any

from mne_bstinv import io
from mne_bstinv._display import few
from mne_bstinv._log import warnings_silenced
from mne_bstinv._verdicts import NOT_COMPARABLE, RTOL, wrong_rtol
from mne_bstinv.compare.stored import DIFFERS, EQUAL, EQUAL_INVARIANTS
from mne_bstinv.derived import derived_kind, find_derived, recompute_derived
from mne_bstinv.derived.library import Library, NotComparableError
from mne_bstinv.derived.outcome import INVARIANTS
from mne_bstinv.errors import (
    BstInvError,
    MatFileError,
    MissingFileError,
    OptionError,
    ProtocolError,
)
from mne_bstinv.io.folders import Problems, listed, unlisted_below
from mne_bstinv.io.result_links import results_file
from mne_bstinv.studies.files import Studies
from mne_bstinv.studies.workers import deaf_workers, n_workers
from mne_bstinv.verification.ahead import expect
from mne_bstinv.verification.foreign import Operators
from mne_bstinv.verification.kernels import verify_kernel
from mne_bstinv.verification.outcome import ERROR, KERNEL, Verification
from mne_bstinv.verification.visited import Visited

__all__ = ["find_files", "find_results", "verify"]

logger = logging.getLogger("mne_bstinv")


def find_results(path: str | Path) -> list[Path]:
    """List the results files at or below a path.

    Parameters
    ----------
    path : path-like
        A results file, or any folder.

    Returns
    -------
    list of Path
        The files, sorted.

    Raises
    ------
    MissingFileError
        If the path does not exist.
    ProtocolError
        If a file is given that is no results file by its name.
    """
    path = results_file(path)
    if not path.exists():
        raise MissingFileError(f"{path}: no such file or folder. Check the path.")
    if path.is_file():
        if io.file_kind(path.name) != "results":
            raise ProtocolError(
                f"{path}: not a results file by its name, expected 'results_*.mat'. Give such a "
                "file, or a folder that holds some."
            )
        return [path]
    return sorted(f for f in path.rglob("*.mat") if io.file_kind(f.name) == "results")


def find_files(path: str | Path, library: Library | None = None) -> list[Path]:
    """List the files at or below a path that can be verified.

    Parameters
    ----------
    path : path-like
        A file, or any folder.
    library : Library | None
        Reads histories.

    Returns
    -------
    list of Path
        Results, and what is made of them and of recordings, sorted; and folders that cannot be
        listed, for :func:`mne_bstinv.verify` to say so.

    Raises
    ------
    MissingFileError
        If the path does not exist.
    ProtocolError
        If a file is given that cannot be verified, by its name.
    """
    path = results_file(path)
    library = library or Library(Studies())
    derived = find_derived(path, library) if path.exists() else []
    if path.is_file() and derived:
        return derived
    return sorted({*find_results(path), *derived, *unlisted_below(path)})


def verify(
    path: str | Path | Iterable[str | Path],
    *,
    rtol: float = RTOL,
    protocol: io.Protocol | None = None,
    operators: Any = None,
    n_jobs: int | None = 1,
) -> Iterator[Verification]:
    """Recompute and compare the files at or below a path, one after the other.

    Parameters
    ----------
    path : path-like | iterable of path-like
        A protocol, any folder or file in it, or a list of files: results, and what is made of
        them and of recordings (signals, dipoles, time–frequency maps, tests, averages).
    rtol : float
        Largest relative Frobenius difference that counts as equal, from 0 to 0.5.
    protocol : Protocol | None
        The protocol of the files, if it was read already; None reads it.
    operators : path-like | mne.minimum_norm.InverseOperator | sequence of them | None
        Operators of MNE-Python (``-inv.fif``) that kernels were exported from: each kernel that
        MNE-Python computed is compared with that of the operator which agrees best. ``None``
        takes the file that the kernel names, if it is still there.
    n_jobs : int | None
        Number of folders at a time, each in a process of its own; −1 for one a core, None for what
        ``joblib.parallel_config`` says, else 1.

    Yields
    ------
    Verification
        One outcome per file. Nothing is raised for a file that cannot be read or recomputed: its
        status is ``'error'`` or ``'not comparable'`` and the reason says why.

    Raises
    ------
    MissingFileError
        If the path, or a file of an operator, does not exist.
    OptionError
        If ``rtol`` is out of range, or ``n_jobs`` is 0, or negative and not −1.
    """
    if wrong := wrong_rtol(rtol):
        raise OptionError(wrong)
    studies = Studies(protocol)
    library = Library(studies)
    several = isinstance(operators, list | tuple)
    given = list(operators) if several else [] if operators is None else [operators]
    foreign, n = Operators(given), n_workers(n_jobs)
    files = (
        find_files(path, library) if isinstance(path, str | Path) else [Path(file) for file in path]
    )
    if n == 1 or len(files) < 2:
        yield from _verified(_read_ahead(files, library), library, rtol, foreign)
    else:
        yield from _verified_elsewhere(files, studies.of(files[0]).protocol, rtol, given, n)


#: Parts that the files are divided into for each process: with more of them the processes end
#: nearer together, but each is told of the whole protocol.
_PARTS = 8


def _verified_elsewhere(
    files: list[Path], protocol: io.Protocol | None, rtol: float, operators: list[Any], n_jobs: int
) -> Iterator[Verification]:
    """Yield the outcomes of files that processes share, in the order of the files."""
    from joblib import Parallel, delayed

    folders = [list(group) for _, group in groupby(files, key=lambda file: file.parent)]
    each = -(-len(folders) // (_PARTS * n_jobs))
    parts = [chain(*folders[i : i + each]) for i in range(0, len(folders), each)]
    check = delayed(_listed_outcomes)
    parallel = Parallel(n_jobs=n_jobs, return_as="generator", batch_size=1)
    with deaf_workers():
        found = parallel(check(list(part), protocol, rtol, operators) for part in parts)
    for outcomes in found:
        yield from outcomes


def _listed_outcomes(
    files: list[Path], protocol: io.Protocol | None, rtol: float, operators: list[Any]
) -> list[Verification]:
    with warnings_silenced():  # they are part of the outcomes
        library, foreign = Library(Studies(protocol)), Operators(operators)
        return list(_verified(files, library, rtol, foreign))


def _read_ahead(files: list[Path], library: Library) -> Iterator[Path]:
    """Yield files, while a thread reads what is large of each and of the next."""
    try:
        for i, file in enumerate(files):
            expect(files[i : i + 2], library)
            yield file
    finally:
        expect((), library)


def _verified(
    files: Iterable[Path], library: Library, rtol: float, foreign: Operators
) -> Iterator[Verification]:
    visited = Visited(library.studies)
    for file in files:
        kind = KERNEL
        try:
            _refuse_folder(file)
            kind = derived_kind(file, library) or KERNEL
            if kind == KERNEL:
                yield verify_kernel(library.results(file), file, visited, rtol, foreign)
            else:
                yield _verify_derived(file, library, rtol)
        except NotComparableError as error:
            yield Verification(file=file, status=NOT_COMPARABLE, reason=str(error), kind=kind)
        except Exception as error:  # one bad file must not end the others
            known = isinstance(error, BstInvError)
            logger.debug("verifying %s", file, exc_info=not known)
            reason = str(error) if known else f"{type(error).__name__}: {error}"
            yield Verification(file=file, status=ERROR, reason=reason, kind=kind)


def _refuse_folder(file: Path) -> None:
    """Say of a folder why its files are not verified."""
    problems = Problems()
    if file.is_dir():
        listed(file, problems)
        if problems:
            raise MatFileError(f"{problems[0]}. Check your rights there.")
        raise MatFileError(f"{file}: a folder, not a file. Restore the file, or move this away.")


def _verify_derived(file: Path, library: Library, rtol: float) -> Verification:
    found = recompute_derived(file, library, rtol)
    equal = EQUAL_INVARIANTS if found.compared == INVARIANTS else EQUAL
    same = found.difference <= rtol
    return Verification(
        file=file,
        status=equal if same else DIFFERS,
        relative_difference=found.difference,
        reason="" if same else f"computed from {few(found.parents, 2)}",
        options=", ".join(part for part in (found.kind, found.how) if part),
        kind=found.kind,
        parents=found.parents,
    )
