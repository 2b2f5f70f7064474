"""Port a whole protocol: resumable, in parallel, one bad condition not stopping the rest."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import ExitStack, contextmanager
from inspect import signature
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mne_bstinv import _temporary, io
from mne_bstinv._data_types import upper_types
from mne_bstinv._verdicts import RTOL
from mne_bstinv._versions import versions
from mne_bstinv.conversion import ConversionReport, carry, converts
from mne_bstinv.errors import OptionError, ProtocolError
from mne_bstinv.io.linked import folder_of_originals
from mne_bstinv.io.mat import PathLike
from mne_bstinv.port.archive import MAX_BYTES, extract_protocol
from mne_bstinv.port.continuous import check_space
from mne_bstinv.port.locks import WORK_FOLDER, locked, remove_left_over, staging
from mne_bstinv.port.manifest import (
    DONE,
    FAILED,
    FORMAT,
    MANIFEST,
    read_manifest,
    write_json,
    write_text,
)
from mne_bstinv.port.overview import can_be_shown, overview_html
from mne_bstinv.port.places import (
    check_apart,
    check_folder,
    check_output,
    find_root,
    left_of_earlier,
    removed_if_refused,
    unlisted_of,
)
from mne_bstinv.port.plan import Unit, plan
from mne_bstinv.port.settings import Settings
from mne_bstinv.port.summary import PortReport
from mne_bstinv.port.surroundings import end_with
from mne_bstinv.port.unit import planned_unit, port_unit
from mne_bstinv.studies.asked import asked_names
from mne_bstinv.studies.workers import deaf_workers, n_workers

__all__ = ["OVERVIEW", "port_protocol"]

logger = logging.getLogger("mne_bstinv")

OVERVIEW = "port.html"


@converts
def port_protocol(
    protocol: PathLike,
    out: PathLike,
    *,
    subjects: str | Sequence[str] | None = None,
    conditions: str | Sequence[str] | None = None,
    data_types: str | Sequence[str] | None = None,
    estimates: str = "all",
    raw: str = "fif",
    raw_dir: PathLike | None = None,
    scale_leff: bool = False,
    verify: bool = False,
    rtol: float = RTOL,
    n_jobs: int | None = None,
    units: str | None = None,
    overwrite: bool = False,
    max_bytes: int = MAX_BYTES,
    progress: bool | None = False,
    dry_run: bool = False,
) -> PortReport:
    """Convert a whole Brainstorm protocol to files of MNE-Python.

    Run again, it does what is missing, failed, or of inputs or outputs that changed (by SHA-256).
    It may be interrupted at any moment: until it ends, the manifest of the whole says that it is
    running, and the manifests of the units alone hold.

    Parameters
    ----------
    protocol : path-like
        The folder of a protocol, with ``anat`` and ``data`` in it, or the ``.zip`` that Brainstorm
        exports.
    out : path-like
        Folder of the output, outside of the protocol; made if it does not exist.
    subjects, conditions : str | sequence of str | None
        Names to port; None for all. What earlier runs made of others stays.
    data_types : str | sequence of str | None
        Port only results computed of these types of channels alone, such as ``'EEG'`` or
        ``('MEG GRAD', 'MEG MAG')``; ``'MEG'`` stands for both of these too. Recordings keep all
        channels. None for all results.
    estimates : 'all' | 'averages' | 'none'
        Recordings to write source estimates of.
    raw : 'fif' | 'none'
        What continuous recordings become: files that MNE reads, with their events as annotations,
        a piece at a time and split at 2 GB; or nothing. The manifests say where the originals were.
    raw_dir : path-like | None
        A folder in which the original files of continuous recordings are, if they are not beside
        their links: searched before the places that the links name.
    scale_leff : bool
        Multiply estimates of dspm2018 by √Leff, so that averages have unit variance too, as
        Brainstorm's process "Scale averaged dSPM" does, and nothing else in Brainstorm. False
        writes kernel × recordings, like all other measures.
    verify : bool
        Recompute the stored kernels and put the result into the manifests.
    rtol : float
        Largest relative Frobenius difference that counts as equal, for ``verify``; from 0
        to 0.5.
    n_jobs : int | None
        Number of conditions at a time; −1 for one a core, other negative ones are refused. None
        takes what
        ``joblib.parallel_config`` says, else 1. Each worker then uses one BLAS thread.
    units : 'm' | 'cm' | 'mm' | 'km' | None
        The unit of positions that are in no metres by their size, as some programs write them;
        None refuses them.
    overwrite : bool
        Replace files in the way that are of no earlier port, and the port of another protocol.
    max_bytes : int
        Most bytes that a ``.zip`` may hold when extracted.
    progress : bool | None
        Show a progress bar; None if the output is a terminal.
    dry_run : bool
        Write nothing: say which units would be converted, and which are up to date. An archive is
        extracted to the system's folder for temporary files.

    Returns
    -------
    PortReport
        What was done, kept and what failed, for each unit; in a dry run, what would be. Its report
        (:func:`mne_bstinv.conversion_report`) holds all that the conversions dropped, assumed or
        derived, this time or before.

    Raises
    ------
    ProtocolError
        If there is no protocol, or not one alone; if the path is inside a protocol, or the output
        is; if there is no such subject or condition, or the archive is refused.
    OverwriteError
        If the output is a file, or holds the port of another protocol and ``overwrite`` is False.
    OptionError
        If an option is unknown, or an empty list is given for all.
    MissingFileError
        If there is no folder ``raw_dir``.
    RecordingFileError
        If the disk has no room for the continuous recordings; nothing is written then.
    WriteError
        If the disk is full, or the output may not be written to, so that nothing can be said of
        the whole; a run after that goes on.
    """
    settings = Settings(
        data_types=None if data_types is None else upper_types(data_types),
        estimates=estimates,
        raw=raw,
        raw_dir=folder_of_originals(raw_dir),
        scale_leff=scale_leff,
        verify=verify,
        rtol=rtol,
        units=units,
        overwrite=overwrite,
        blas_threads=None if n_workers(n_jobs) == 1 else 1,
        progress=progress if n_workers(n_jobs) == 1 else False,
    )
    if not max_bytes >= 1:
        raise OptionError(f"max_bytes must be a positive number of bytes, found {max_bytes!r}.")
    source, out = Path(protocol).absolute(), _temporary.named(out, "out").absolute()
    check_folder(out)
    with removed_if_refused(out), _opened(source, out, max_bytes, dry_run=dry_run) as found:
        check_output(found, out, overwrite=overwrite)
        wanted = asked_names(found, subjects, conditions)
        parts = plan(found, subjects=wanted[0], conditions=wanted[1])
        unlisted = unlisted_of(found, *wanted)
        if not source.is_file():  # what is extracted is inside the output
            check_apart(found, out, [unit.folder for unit in parts])
        needed = check_space(parts, out, settings)
        if dry_run:
            return PortReport(
                out=out,
                units=tuple(planned_unit(unit, out, settings) for unit in parts),
                problems=(*_problems(found), *_left(found, out, plan(found))),
                unlisted=unlisted,
                needed_bytes=needed,
            )
        if needed:
            logger.info("%s: the continuous recordings need %.2f GB.", out, needed / 1e9)
        with _temporary.writing(out):
            _begin(found, source, out, parts)
        manifests = tuple(_run(parts, out, settings, n_jobs, progress))
        with _temporary.writing(out):
            whole = _finish(found, source, out)
    problems = tuple(whole["protocol"]["problems"])
    report = PortReport(out=out, units=manifests, problems=problems, unlisted=unlisted)
    return carry(report, ConversionReport(report.findings))


@contextmanager
def _opened(source: Path, out: Path, max_bytes: int, *, dry_run: bool) -> Iterator[io.Protocol]:
    """Read the protocol; of an archive, what is extracted is gone afterwards."""
    with ExitStack() as stack:
        if source.is_file() and source.suffix.lower() == ".zip":
            if dry_run:
                folder = Path(stack.enter_context(TemporaryDirectory()))
            else:
                out.mkdir(parents=True, exist_ok=True)
                remove_left_over(out)
                folder = stack.enter_context(staging(out))
            source = extract_protocol(source, folder, max_bytes=max_bytes)
        yield io.read_protocol(find_root(source, out))


def _begin(protocol: io.Protocol, source: Path, out: Path, units: Iterable[Unit]) -> None:
    """Say that a port is running: until it ends the manifests of the units alone hold."""
    out.mkdir(parents=True, exist_ok=True)
    remove_left_over(out)
    folders = [out, *(out / unit.folder for unit in units)]
    _temporary.remove_left_over(f for f in folders if f.resolve().is_relative_to(out.resolve()))
    with locked(out / WORK_FOLDER / "commit.lock"):
        write_json(out / MANIFEST, {**_whole(protocol, source), "status": "running", "units": []})
        (out / OVERVIEW).unlink(missing_ok=True)


def _finish(protocol: io.Protocol, source: Path, out: Path) -> dict[str, Any]:
    """Write the manifest of the whole and the overview, of all units that are there."""
    with locked(out / WORK_FOLDER / "commit.lock"):
        every = plan(protocol)
        found = (_manifest_of(out / unit.folder) for unit in every)
        units = [manifest for manifest in found if manifest is not None]
        others = {unit.folder: unit.other_files() for unit in every}
        complete = len(units) == len(every) and all(u["status"] == DONE for u in units)
        complete = complete and not protocol.unlisted
        failed = any(u["status"] == FAILED for u in units)
        status = DONE if complete else FAILED if failed else "partial"
        whole = {**_whole(protocol, source), "status": status, "units": units}
        whole["protocol"]["problems"] += _left(protocol, out, every)
        whole["other_files"] = {folder: files for folder, files in others.items() if files}
        write_json(out / MANIFEST, whole)
        write_text(out / OVERVIEW, overview_html(whole))
    return whole


def _manifest_of(folder: Path) -> dict[str, Any] | None:
    try:
        found = read_manifest(folder)
    except ProtocolError:  # a file of somebody else: the unit has failed and said so
        return None
    return found if found is not None and can_be_shown(found) else None


def _whole(protocol: io.Protocol, source: Path) -> dict[str, Any]:
    path = str(source)
    return {
        "format": FORMAT,
        "kind": "protocol",
        "protocol": {"name": protocol.name, "path": path, "problems": _problems(protocol)},
        "versions": versions(),
    }


def _problems(protocol: io.Protocol) -> list[str]:
    # an archive is extracted to a place that is of no use afterwards
    return [problem.replace(str(protocol.root), protocol.name) for problem in protocol.problems]


def _left(protocol: io.Protocol, out: Path, every: Iterable[Unit]) -> list[str]:
    """Name what earlier runs made of other units; what cannot be listed may still be there."""
    folders = {unit.folder for unit in every}
    return [] if protocol.unlisted else left_of_earlier(out, folders)


def _run(
    units: Sequence[Unit], out: Path, settings: Settings, n_jobs: int | None, progress: bool | None
) -> Iterator[dict[str, Any]]:
    """Yield the manifests of the units as they are finished."""
    from joblib import Parallel, delayed
    from tqdm import tqdm

    alone = n_workers(n_jobs) == 1  # workers are as busy as the processors already
    tasks = (
        delayed(_port_unit)(unit, out, settings, os.getpid(), units[i : i + 2] if alone else ())
        for i, unit in enumerate(units)
    )
    parallel = Parallel(
        n_jobs=n_jobs, return_as="generator_unordered", batch_size=1, **_ended_with_this_process()
    )
    pending = {unit.folder: unit for unit in units}
    with tqdm(total=len(units), unit="unit", disable=_bar_disabled(progress)) as bar:
        try:
            with deaf_workers():
                found = parallel(tasks)
            for manifest in _closing(found):
                pending.pop(manifest["folder"], None)
                bar.set_postfix_str(manifest["title"])
                bar.update()
                yield manifest
        except BrokenExecutor as error:
            # a worker that was killed takes the others with it: say so of all that is left
            for unit in pending.values():
                yield _lost(unit, str(error))


def _ended_with_this_process() -> dict[str, Any]:
    """Have workers of joblib's own backend look from their start whether this process is alive."""
    from joblib.parallel import Parallel, get_active_backend

    takes_more = any(p.kind is p.VAR_KEYWORD for p in signature(Parallel).parameters.values())
    is_loky = takes_more and type(get_active_backend()[0]).__name__ == "LokyBackend"
    return {"initializer": end_with, "initargs": (os.getpid(),)} if is_loky else {}


def _port_unit(
    unit: Unit, out: Path, settings: Settings, parent: int, coming: Sequence[Unit]
) -> dict[str, Any]:
    """Port a unit in a process that does not outlive the one that asked for it."""
    end_with(parent)
    return port_unit(unit, out, settings, coming)


def _closing(results: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Stop the workers if the loop is left early."""
    try:
        yield from results
    finally:
        close = getattr(results, "close", None)
        if close is not None:
            close()


def _lost(unit: Unit, reason: str) -> dict[str, Any]:
    first = reason.split(". ")[0]
    text = f"The worker process ended ({first}): run again, with fewer jobs if memory was short."
    return {
        "kind": unit.kind, "title": unit.title, "folder": unit.folder, "status": FAILED,
        "errors": [{"file": "", "what": unit.kind, "reason": text}], "outputs": {},
        "verification": None, "kept": False,
    }  # fmt: skip


def _bar_disabled(progress: bool | None) -> bool | None:
    return None if progress is None else not progress
