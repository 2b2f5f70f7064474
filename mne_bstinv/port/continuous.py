"""Continuous recordings become Raw: a piece at a time, in files of 2 GB at most."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from mne_bstinv import io
from mne_bstinv.conversion import Finding
from mne_bstinv.errors import BstInvError, ConversionError, MissingFileError, RecordingFileError
from mne_bstinv.io.filenames import is_link
from mne_bstinv.io.linked import find_linked
from mne_bstinv.port.manifest import DONE, read_manifest
from mne_bstinv.port.names import ENDINGS
from mne_bstinv.port.outputs import Outputs
from mne_bstinv.port.plan import CONDITION, Unit
from mne_bstinv.port.settings import Settings
from mne_bstinv.workflow import StudyCondition

__all__ = ["check_space", "convert_continuous", "originals"]

NOT_ASKED_FOR = "Continuous recordings were not asked for (raw='none', --raw none)."
#: What FIF files need beside the samples.
_MARGIN = 1.02
#: Bytes of a sample in single precision.
_SINGLE = 4


def originals(unit: Unit, settings: Settings) -> dict[str, Any]:
    """Return the state of the files behind the links of a unit: they are among its inputs.

    It is size and time of change by the name of the link, None for a file that is not found:
    they are too large for a hash each time.
    """
    if unit.kind != CONDITION or settings.raw == "none":
        return {}
    return {entry.file.name: _state(entry.file, settings) for entry in _links(unit)}


def _links(unit: Unit) -> list[io.RecordingsEntry]:
    return [entry for entry in unit.files.recordings if is_link(entry.file)]


def _state(link: Path, settings: Settings) -> Any:
    try:
        found = io.read_recordings(link).link
        if found is None:
            return None
        stat = find_linked(found, link, settings.raw_dir).stat()
    except (BstInvError, OSError):  # converting it says what is wrong
        return None
    return {"bytes": stat.st_size, "modified": stat.st_mtime_ns}


def check_space(units: Iterable[Unit], out: Path, settings: Settings) -> int:
    """Refuse continuous recordings that the disk has no room for; return the bytes needed."""
    if settings.raw == "none":
        return 0
    needed = sum(_bytes_of(unit, out, settings) for unit in units if unit.kind == CONDITION)
    place = next(folder for folder in (out, *out.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    if needed > free:
        raise RecordingFileError(
            f"{out}: the continuous recordings need {needed / 1e9:.2f} GB, and {free / 1e9:.2f} GB "
            "are free. Free some, choose another disk, or leave them out (raw='none', --raw none)."
        )
    return needed


def _bytes_of(unit: Unit, out: Path, settings: Settings) -> int:
    links = _links(unit)
    if not links:
        return 0
    try:
        before = read_manifest(out / unit.folder) or {}
    except BstInvError:
        before = {}
    if before.get("status") == DONE and before.get("originals") == originals(unit, settings):
        return 0
    return sum(int(_MARGIN * _SINGLE * _n_samples(entry.file)) for entry in links)


def _n_samples(link: Path) -> int:
    """Return the number of samples of all channels behind a link, 0 if it does not tell."""
    try:
        recordings = io.read_recordings(link)
    except BstInvError:
        return 0
    samples = None if recordings.link is None else recordings.link.samples
    flag = recordings.channel_flag
    if samples is None or flag is None:
        return 0
    return max(samples[1] - samples[0] + 1, 0) * len(flag)


def convert_continuous(
    entry: io.RecordingsEntry,
    recordings: io.Recordings,
    study: StudyCondition,
    settings: Settings,
    outputs: Outputs,
) -> None:
    """Write one recording, a link or an imported block, as a Raw."""
    from mne_bstinv.adapters.recordings import safe_by_default

    if settings.raw == "none":
        outputs.skip(entry.file, "recordings", NOT_ASKED_FOR)
        return
    reason = _why_not(recordings.link, entry.file, settings)
    if reason:
        outputs.skip(entry.file, "recordings", reason)
        return
    raw = study.raw_of(entry.file, settings.raw_dir)
    sources = [file for file in (entry.file, study.channel_file, study.anatomy.anatomy) if file]
    facts: dict[str, Any] = {
        "contents": [outputs.relative(entry.file)],
        "comment": [recordings.comment],
    }
    if recordings.link is None:
        raw = safe_by_default(raw)
    else:
        original = Path(raw.filenames[0])
        inside = original.is_relative_to(outputs.root)
        facts |= {
            "original": outputs.relative(original) if inside else str(original),
            "format": recordings.link.format,
        }
    label = _label(entry.file, study)
    with _bar(raw, settings):
        names = outputs.write(
            f"{'_bad' if entry.bad else ''}{label}{ENDINGS['raw']}", raw, "raw", sources, **facts
        )
    outputs.report(names[0], list(_moved(raw)))


def _why_not(link: io.Link | None, place: Path, settings: Settings) -> str:
    """Say why the file of a link cannot be read at all: it is not there, or MNE has no reader."""
    from mne_bstinv.adapters.recordings import check_format

    try:
        if link is not None:
            check_format(link, place)
            find_linked(link, place, settings.raw_dir)
    except (MissingFileError, ConversionError) as error:
        return " ".join(str(error).split())
    return ""


def _label(file: Path, study: StudyCondition) -> str:
    """Return what tells a recording from the others of its condition."""
    links = [entry.file for entry in study.recordings if is_link(entry.file)]
    if links == [file]:
        return ""
    return f"_{file.stem.removeprefix('data_0raw_').removeprefix('data_')}"


def _moved(raw: Any) -> Iterator[Finding]:
    """Name the annotations that are at another sample when their times are rounded, as in FIF."""
    sfreq, first = float(raw.info["sfreq"]), float(raw.first_time)
    onsets = np.asarray(raw.annotations.onset, dtype=np.float64)
    single = onsets.astype(np.float32).astype(np.float64)
    exact, rounded = (np.round((times - first) * sfreq) for times in (onsets, single))
    moved = np.flatnonzero(exact != rounded)
    if moved.size:
        yield Finding(
            "dropped",
            "annotations",
            f"FIF holds their times in single precision: {moved.size} of {len(onsets)} are up to "
            f"{int(np.abs(exact - rounded).max())} samples off; exact in the link",
        )


@contextmanager
def _bar(raw: Any, settings: Settings) -> Iterator[None]:
    """Show how much of a recording is written, where bars are shown at all."""
    from tqdm import tqdm

    total = _SINGLE * len(raw.ch_names) * raw.n_times
    hidden = None if settings.progress is None else not settings.progress
    if not hasattr(raw, "telling"):
        yield
        return
    with (
        tqdm(total=total, unit="B", unit_scale=True, disable=hidden, leave=False) as bar,
        raw.telling(bar.update),
    ):
        yield
