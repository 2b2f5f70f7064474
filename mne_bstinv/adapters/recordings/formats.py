"""Which reader of MNE reads the files that Brainstorm links to: one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mne

from mne_bstinv import io
from mne_bstinv.errors import ConversionError, RecordingFileError

__all__ = ["BST", "FORMATS", "FileFormat", "check_format", "format_called"]

#: Brainstorm's own files, which have a reader of ours.
BST = "BST-BIN"


@dataclass(frozen=True, kw_only=True)
class FileFormat:
    """A format of files and the function that reads it."""

    #: What links call it.
    name: str
    #: Name of the function of :mod:`mne.io`.
    reader: str
    #: Whether the recording is a folder, in which the file of the link lies.
    is_folder: bool = False
    #: Ending of the file to give to the reader, if it is not that of the link.
    ending: str = ""
    #: Arguments of the reader.
    options: tuple[tuple[str, Any], ...] = ()

    def open(self, path: Path) -> Any:
        """Open the file, or folder, that a link names, as a Raw that is not loaded."""
        read: Callable[..., Any] = getattr(mne.io, self.reader)
        if self.is_folder and path.is_file():
            path = path.parent
        if self.ending and path.is_file():
            path = path.with_suffix(self.ending)
        if path.is_dir() and not self.is_folder:
            raise RecordingFileError(
                f"{path}: a folder found, a file of the format {self.name} expected. Link the file."
            )
        try:
            return read(path, preload=False, verbose="error", **dict(self.options))
        except Exception as error:  # readers raise a dozen types for files they cannot read
            raise RecordingFileError(
                f"{path}: mne.io.{self.reader} cannot read this file of the format {self.name}: "
                f"{error}"
            ) from error


def _row(name: str, reader: str, **values: Any) -> FileFormat:
    return FileFormat(name=name, reader=reader, **values)


#: The formats, by the names that links give them.
FORMATS: dict[str, FileFormat] = {
    row.name: row
    for row in (
        _row("FIF", "read_raw_fif", options=(("allow_maxshield", True),)),
        _row("CTF", "read_raw_ctf", is_folder=True),
        _row("CTF-CONTINUOUS", "read_raw_ctf", is_folder=True),
        _row("4D", "read_raw_bti", options=(("head_shape_fname", None),)),
        _row("KIT", "read_raw_kit"),
        _row("RICOH", "read_raw_kit"),
        _row("EEG-EDF", "read_raw_edf"),
        _row("EEG-BDF", "read_raw_bdf"),
        _row("EEG-GDF", "read_raw_gdf"),
        _row("EEG-BRAINAMP", "read_raw_brainvision", ending=".vhdr"),
        _row("EEG-EEGLAB", "read_raw_eeglab", ending=".set"),
        _row("EEG-EGI-RAW", "read_raw_egi"),
        _row("EEG-EGI-MFF", "read_raw_egi", is_folder=True),
        _row("EEG-NEUROSCAN-CNT", "read_raw_cnt"),
        _row("EEG-CURRY", "read_raw_curry"),
        _row("EEG-ANT-CNT", "read_raw_ant"),
        _row("EEG-NK", "read_raw_nihon"),
        _row("EEG-NEURALYNX", "read_raw_neuralynx", is_folder=True),
        _row("EEG-PERSYST", "read_raw_persyst", ending=".lay"),
        _row("EEG-NICOLET", "read_raw_nicolet"),
        _row("NIRS-SNIRF", "read_raw_snirf"),
        _row("EYELINK", "read_raw_eyelink"),
    )
}


def format_called(name: str, place: str) -> FileFormat:
    """Return the format that a link, ``place`` in messages, names in any case."""
    found = FORMATS.get(name.strip().upper())
    known = ", ".join([BST, *FORMATS])
    if found is None or not hasattr(mne.io, found.reader):
        why = "none" if found is None else f"none in this release ({mne.__version__})"
        raise ConversionError(
            f"{place}: F.format is {name!r}, for which MNE has no reader ({why}), expected one of "
            f"{known}. In Brainstorm, choose “Export raw > Brainstorm (.bst)” and link that file."
        )
    return found


def check_format(link: io.Link, place: Path) -> FileFormat | None:
    """Return the format of a link, None for Brainstorm's own; refuse what MNE has no reader for.

    Parameters
    ----------
    link : Link
        The link.
    place : pathlib.Path
        The file that holds it, for messages.

    Returns
    -------
    FileFormat | None
        The format.

    Raises
    ------
    ConversionError
        If MNE has no reader of it.
    """
    if link.format.strip().upper() == BST:
        return None
    return format_called(link.format, str(place))
