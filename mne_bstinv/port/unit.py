"""One unit in one process: see whether it is up to date, convert it, put it in its place."""

from __future__ import annotations

import logging
import re
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path, PurePosixPath
from typing import Any

from mne_bstinv._temporary import writing
from mne_bstinv._versions import versions
from mne_bstinv.conversion import hearing
from mne_bstinv.errors import ProtocolError
from mne_bstinv.port.ahead import large_files
from mne_bstinv.port.continuous import originals
from mne_bstinv.port.convert import convert_unit
from mne_bstinv.port.foreseen import foreseen
from mne_bstinv.port.locks import WORK_FOLDER, locked, staging
from mne_bstinv.port.manifest import (
    DONE,
    FAILED,
    FORMAT,
    MANIFEST,
    PLANNED,
    check_inside,
    commit,
    content_of,
    hash_file,
    read_manifest,
    write_json,
)
from mne_bstinv.port.outputs import FULL, Outputs, described
from mne_bstinv.port.overview import can_be_shown
from mne_bstinv.port.places import check_listed
from mne_bstinv.port.plan import CONDITION, SHARED, Unit
from mne_bstinv.port.settings import Settings
from mne_bstinv.port.surroundings import surroundings
from mne_bstinv.studies.units import converting
from mne_bstinv.verification import verify
from mne_bstinv.workflow.store import Read, Store

__all__ = ["planned_unit", "port_unit"]

logger = logging.getLogger("mne_bstinv")

#: Of what a thread read and may need for the next unit. joblib takes a worker that grew by 300 MB
#: for one that leaks, and starts another.
_KEPT_BYTES = 200_000_000


class _Local(threading.local):
    """The store of each thread: MNE's objects are not made for several.

    Files are known by content: conditions often hold copies of one channel file or head model.
    """

    def __init__(self) -> None:
        self.store = Store(_KEPT_BYTES, content_of)


_LOCAL = _Local()


def port_unit(
    unit: Unit, out: Path, settings: Settings, coming: Sequence[Unit] = ()
) -> dict[str, Any]:
    """Bring a unit up to date; return its manifest, and whether all was ``kept``.

    Nothing is raised for what goes wrong with the unit: its manifest says it. With it go the
    ``other_files``, of which nothing is made: what is added of these does not change the unit.
    The large files of the units that are ``coming``, this one and the next, are read by a thread.
    """
    manifest = _brought_up_to_date(unit, out, settings, coming)
    return {**manifest, "other_files": unit.other_files()}


def _brought_up_to_date(
    unit: Unit, out: Path, settings: Settings, coming: Sequence[Unit]
) -> dict[str, Any]:
    folder = out / PurePosixPath(unit.folder)
    started = time.perf_counter()
    before: Mapping[str, Any] = {}
    expect = partial(_expect, out=out, settings=settings)
    try:
        with surroundings(settings.blas_threads):
            before = read_manifest(folder) or {}
            check_listed(unit)
            if before.get("status") != DONE:
                expect(coming)
            files = unit.inputs()
            inputs = {name: hash_file(file) for name, file in files.items()}
            if _up_to_date(before, unit, inputs, folder, settings):
                return {**before, **_head(unit), "kept": True}
            expect(coming)
            with writing(folder, FULL), staging(out) as staged:
                manifest = _converted(unit, staged, files, inputs, settings, started)
                target = staged / folder.name
                commit(out, folder, target, manifest, overwrite=settings.overwrite)
                return {**manifest, "kept": False}
    except Exception as error:  # one bad unit must not end the others
        logger.debug("%s", unit.title, exc_info=True)
        return _failed(unit, out, before, error, started)
    except BaseException:
        coming = ()
        raise
    finally:
        expect(coming[1:])
        _LOCAL.store.trim()


def _expect(units: Sequence[Unit], out: Path, settings: Settings) -> None:
    """Let a thread read the large files of units that turn out to be converted."""
    reads: list[Read] = []
    for unit in units:
        reads += large_files(unit, cache(partial(_is_to_be_converted, unit, out, settings)))
    _LOCAL.store.expect(reads)


def planned_unit(unit: Unit, out: Path, settings: Settings) -> dict[str, Any]:
    """Say what :func:`port_unit` would do: ``kept`` if the unit is up to date. Writes nothing."""
    folder = out / PurePosixPath(unit.folder)
    manifest = {**_head(unit), "status": PLANNED, "errors": [], "outputs": {}}
    try:
        before = read_manifest(folder) or {}
        check_listed(unit)
        inputs = {name: hash_file(file) for name, file in unit.inputs().items()}
        kept = _up_to_date(before, unit, inputs, folder, settings)
        if not kept and (errors := foreseen(unit, settings)):
            manifest |= {"status": FAILED, "errors": errors}
        return {**manifest, "inputs": inputs, "verification": None, "kept": kept}
    except Exception as error:  # as when it is ported
        errors = [{"file": "", "what": unit.kind, "reason": described(error)}]
        return {**manifest, "status": FAILED, "errors": errors, "verification": None, "kept": False}


def _is_to_be_converted(unit: Unit, out: Path, settings: Settings) -> bool:
    folder = out / PurePosixPath(unit.folder)
    before = read_manifest(folder) or {}
    if before.get("status") != DONE:
        return True
    inputs = {name: hash_file(file) for name, file in unit.inputs().items()}
    return not _up_to_date(before, unit, inputs, folder, settings)


def _up_to_date(
    before: Mapping[str, Any],
    unit: Unit,
    inputs: Mapping[str, str],
    folder: Path,
    settings: Settings,
) -> bool:
    """Tell whether what an earlier run wrote is what this one would write.

    It was finished without errors, of the same inputs (by SHA-256) and settings, and all
    outputs are as they were written.
    """
    if before.get("status") != DONE or before.get("inputs") != dict(inputs):
        return False
    if not can_be_shown(before) or "errors" not in before:
        return False
    if before.get("settings") != _settings(settings) or before.get("facts") != unit.facts():
        return False
    if before.get("originals", {}) != originals(unit, settings):
        return False
    unverified = before.get("verification") is None or before.get("rtol") != settings.rtol
    if settings.verify and unverified and unit.kind in (SHARED, CONDITION):
        return False
    for name, output in before.get("outputs", {}).items():
        file = folder / name
        if output is None or not file.is_file() or file.stat().st_size != output.get("bytes"):
            return False
        if hash_file(file) != output.get("sha256"):
            return False
    return True


def _converted(
    unit: Unit,
    staged: Path,
    files: Mapping[str, Path],
    inputs: Mapping[str, str],
    settings: Settings,
    started: float,
) -> dict[str, Any]:
    """Convert into the staging folder and return the manifest to be."""
    target = staged / PurePosixPath(unit.folder).name
    target.mkdir()
    before = originals(unit, settings)
    with (
        Outputs(target, unit.stem, unit.protocol.root) as outputs,
        hearing() as heard,
        converting(settings.units),
    ):
        convert_unit(unit, settings, _LOCAL.store, outputs)
    outputs.report_rest(heard)
    verification = _verified(unit, settings) if settings.verify else None
    changed = [name for name, file in files.items() if hash_file(file) != inputs[name]]
    changed += [name for name, state in originals(unit, settings).items() if before[name] != state]
    if changed:
        raise ProtocolError(f"{changed[0]} changed while it was being converted: run again.")
    return {
        **_head(unit),
        "status": FAILED if outputs.errors else DONE,
        "settings": _settings(settings),
        "facts": unit.facts(),
        "originals": before,
        "inputs": dict(inputs),
        "outputs": outputs.files,
        "reports": outputs.reports,
        "skipped": outputs.skipped,
        "errors": outputs.errors,
        "verification": verification,
        "rtol": settings.rtol if settings.verify else None,
        "peak_memory_bytes": _peak_memory(),
        **_when(started),
    }


def _failed(
    unit: Unit, out: Path, before: Mapping[str, Any], error: Exception, started: float
) -> dict[str, Any]:
    """Note that nothing could be converted; files of an earlier run stay, and stay listed."""
    folder = out / PurePosixPath(unit.folder)
    manifest: dict[str, Any] = {
        **_head(unit),
        **{name: before.get(name, {}) for name in ("facts", "inputs", "outputs", "reports")},
        "status": FAILED,
        "skipped": [],
        "errors": [{"file": "", "what": unit.kind, "reason": described(error)}],
        "verification": None,
        **_when(started),
    }
    try:
        check_inside(out, folder)
        with locked(out / WORK_FOLDER / "commit.lock"):
            # what is no manifest of ours is not replaced; one that lists files of before and
            # after, since this run had begun to replace them, knows more than the one of before
            now = read_manifest(folder) or {}
            manifest["outputs"] = {**manifest["outputs"], **(now.get("outputs") or {})}
            write_json(folder / MANIFEST, manifest)
    except (OSError, ProtocolError) as problem:
        logger.error("%s: %s", folder / MANIFEST, problem)
    return {**manifest, "kept": False}


def _head(unit: Unit) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "kind": unit.kind,
        "title": unit.title,
        "protocol": unit.protocol.name,
        "subject": unit.subject,
        "condition": unit.condition,
        "mne_subject": unit.mne_subject,
        "folder": unit.folder,
        "shared": unit.shared,
    }


def _when(started: float) -> dict[str, Any]:
    return {
        "versions": versions(),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(time.perf_counter() - started, 3),
    }


def _settings(settings: Settings) -> dict[str, Any]:
    types = settings.data_types
    return {
        "data_types": None if types is None else sorted(types),
        "estimates": settings.estimates,
        "raw": settings.raw,
        "scale_leff": settings.scale_leff,
        **({} if settings.units is None else {"units": settings.units}),
    }


def _verified(unit: Unit, settings: Settings) -> list[dict[str, Any]] | None:
    """Recompute the kernels that are stored in the unit's own folder."""
    if unit.kind not in (SHARED, CONDITION):
        return None
    files = [e.file for e in unit.files.results if e.file.parent == unit.files.folder]
    root = unit.protocol.root
    outcomes = []
    for outcome in verify(files, rtol=settings.rtol, protocol=unit.protocol):
        file = outcome.file.relative_to(root).as_posix()
        outcomes.append({**outcome.to_dict(), "file": file})
    return outcomes


def _peak_memory() -> int | None:
    """Peak memory of this process since it started, in bytes, where the system tells."""
    if sys.platform == "win32":  # pragma: no cover
        return None
    status = Path("/proc/self/status")
    text = status.read_text("ascii", "replace") if status.is_file() else ""
    if high := re.search(r"VmHWM:\s*(\d+) kB", text):
        return 1024 * int(high[1])  # what getrusage says begins with the peak of the parent here
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
