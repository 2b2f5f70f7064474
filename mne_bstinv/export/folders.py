"""Write many files into a protocol: all of them, or none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from shutil import rmtree
from typing import Any

from tqdm import tqdm

from mne_bstinv import io
from mne_bstinv._temporary import backup_beside, beside, remove_left_over, writing
from mne_bstinv.adapters import ContinuousRecording
from mne_bstinv.errors import MatFileError, RecordingFileError
from mne_bstinv.io import mat

__all__ = ["write_files"]

_WRITERS: tuple[tuple[Any, Callable[..., None]], ...] = (
    (ContinuousRecording, lambda path, recording: recording.write_samples(path)),
    (io.Channels, io.write_channels),
    (io.Dipoles, io.write_dipoles),
    (io.HeadModel, io.write_head_model),
    (io.Matrix, io.write_matrix),
    (io.Mri, io.write_mri),
    (io.NoiseCov, io.write_noise_cov),
    (io.Recordings, io.write_recordings),
    (io.Results, io.write_results),
    (io.Study, io.write_study),
    (io.Subject, io.write_subject),
    (io.Surface, io.write_surface),
)


def write_files(
    root: Path, files: Mapping[str, Any], *, replaced: Sequence[str] = (), dry_run: bool = False
) -> tuple[Path, ...]:
    """Write structures, by path in a protocol, so that an interruption leaves nothing half-written.

    A folder that does not exist yet is written under another name beside its place and renamed
    when it is complete, and so are single files in folders that exist; they are put in place in
    their order. What was renamed is taken back if a later step fails. The ``replaced`` folders
    are replaced as a whole if they exist. A dry run returns the paths and writes nothing.
    """
    if dry_run:
        return tuple(root / name for name in files)
    units: dict[str, dict[str, Any]] = {}
    for name, value in files.items():
        units.setdefault(_unit_of(root, name, replaced), {})[name] = value
    pending: list[tuple[Path, Path]] = []
    remove_left_over(_folders_of(root, files))
    try:
        with tqdm(total=len(files), unit="file", disable=None, leave=False) as bar:
            for unit, content in units.items():
                place = root / unit if unit else root
                temporary = beside(place)
                pending.append((temporary, place))
                for name, value in content.items():
                    inside = PurePosixPath(name).relative_to(unit) if unit else name
                    target = temporary if str(inside) == "." else temporary / inside
                    with _in_its_place(temporary, place):
                        target.parent.mkdir(parents=True, exist_ok=True)
                        _write(target, value)
                    bar.update()
        with writing(root):
            _put_in_place(pending)
    finally:
        for temporary, _ in pending:
            _remove(temporary)
    return tuple(root / name for name in files)


def _folders_of(root: Path, files: Mapping[str, Any]) -> set[Path]:
    """Return the folders in which an export that was killed may have left something."""
    inside = (parent for name in files for parent in PurePosixPath(name).parents)
    return {root.parent, *(root / parent for parent in inside)}


def _unit_of(root: Path, name: str, replaced: Sequence[str]) -> str:
    """Return the folder to write as a whole, or the file itself; ``''`` is the protocol."""
    if not root.exists():
        return ""
    for folder in reversed(PurePosixPath(name).parents):
        path = folder.as_posix()
        if path != "." and (path in replaced or not (root / path).exists()):
            return path
    return name


@contextmanager
def _in_its_place(temporary: Path, place: Path) -> Iterator[None]:
    """Raise what goes wrong as an error that names the place, not what is written beside it."""
    try:
        with writing(place):
            yield
    except (MatFileError, RecordingFileError) as error:
        raise type(error)(str(error).replace(str(temporary), str(place))) from error


def _write(path: Path, value: Any) -> None:
    if isinstance(value, Mapping):
        mat.write(path, value)
        return
    writer = next(write for cls, write in _WRITERS if isinstance(value, cls))
    writer(path, value)


def _put_in_place(pending: Sequence[tuple[Path, Path]]) -> None:
    # noted before it is done, so that an interruption between the two is taken back as well
    steps: list[tuple[Path, Path | None]] = []
    try:
        for temporary, place in pending:
            backup = None
            if place.exists():
                backup = backup_beside(place)
            steps.append((place, backup))
            if backup is not None:
                place.replace(backup)
            temporary.replace(place)
    except BaseException:
        for place, backup in reversed(steps):
            if backup is None:
                _remove(place)
            elif backup.exists():
                _remove(place)
                with suppress(OSError):  # the others are to be taken back all the same
                    backup.replace(place)
        raise
    for _, backup in steps:
        if backup is not None:
            _remove(backup)


def _remove(path: Path) -> None:
    with suppress(OSError):
        if path.is_dir():
            rmtree(path)
        elif path.exists():
            path.unlink()
