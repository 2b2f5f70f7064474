"""What a dry run sees that would fail, without reading large data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mne_bstinv import io
from mne_bstinv.errors import BstInvError
from mne_bstinv.io import mat
from mne_bstinv.io.filenames import is_kernel
from mne_bstinv.io.protocol_scan import why_no_results
from mne_bstinv.port.outputs import described
from mne_bstinv.port.plan import CONDITION, Unit
from mne_bstinv.port.settings import Settings

__all__ = ["NOT_SEEN", "foreseen"]

#: What is not looked at.
NOT_SEEN = (
    "a dry run does not look at the numbers in files, nor whether files fit together: what is "
    "wrong there fails when it is ported"
)


def foreseen(unit: Unit, settings: Settings) -> list[dict[str, str]]:
    """List what is wrong with the files of a unit, as its manifest would."""
    return [*_unreadable(unit), *_without_recordings(unit, settings)]


def _unreadable(unit: Unit) -> Iterator[dict[str, str]]:
    """Yield the files that are no MATLAB files, cut short, or hold no results by their names."""
    for name, file in unit.inputs().items():
        kind = io.file_kind(file.name) or ""
        try:
            variables = mat.names_in(file)
        except BstInvError as error:
            yield {"file": name, "what": kind, "reason": described(error)}
        else:
            if kind == "results" and (reason := why_no_results(file, variables)):
                yield {"file": name, "what": kind, "reason": reason}


def _without_recordings(unit: Unit, settings: Settings) -> Iterator[dict[str, str]]:
    """Yield the kernels whose recordings are gone, where estimates are asked for."""
    if unit.kind != CONDITION or settings.estimates == "none":
        return
    for entry in unit.files.results:
        lacking = is_kernel(entry.file) and not entry.shared and entry.data_file is None
        if lacking and (stored := _recordings_named(entry.file)):
            reason = f"{entry.file}: its recordings {stored} do not exist"
            name = entry.file.relative_to(unit.protocol.root).as_posix()
            yield {"file": name, "what": "results", "reason": reason}


def _recordings_named(file: Path) -> str:
    """Return the recordings that results name; nothing if that cannot be read."""
    try:
        stored = mat.read(file, ["DataFile"]).get("DataFile")
    except BstInvError:
        return ""
    return stored.value if stored is not None and isinstance(stored.value, str) else ""
