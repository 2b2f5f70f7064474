"""Export a continuous recording of MNE-Python to a Brainstorm protocol."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from mne_bstinv._display import Displayed
from mne_bstinv.adapters import ContinuousRecording, from_raw
from mne_bstinv.adapters.files import open_raw
from mne_bstinv.conversion import Findings, conversion_report, converts
from mne_bstinv.errors import ConversionError
from mne_bstinv.export import names
from mne_bstinv.export.folders import write_files
from mne_bstinv.export.index import read_index
from mne_bstinv.export.plan import Plan
from mne_bstinv.export.structures import StudyStructures
from mne_bstinv.export.study import ExportedStudy, exported_study
from mne_bstinv.export.target import find_target, place_anatomy
from mne_bstinv.io.mat import PathLike

__all__ = ["export_raw"]


@converts
def export_raw(
    protocol: PathLike,
    raw: Any,
    *,
    subject: str,
    name: str | None = None,
    overwrite: bool = False,
    dry_run: bool = False,
) -> ExportedStudy:
    """Write a continuous recording of MNE-Python into a Brainstorm protocol.

    It becomes a ``.bst`` file, Brainstorm's own format, and the link to it, in a condition of its
    own, ``@raw<name>``: Brainstorm opens it like any other continuous recording.

    Parameters
    ----------
    protocol : path-like
        Folder of the protocol, existing or new.
    raw : mne.io.Raw | path-like
        The recording, or a file of it: of any format that MNE reads, or a link of Brainstorm.
        Samples are read and written a piece at a time.
    subject : str
        Where to put it. An existing subject keeps its files; a condition must be new.
    name : str | None
        Name of the recording; ``None`` takes that of its file.
    overwrite : bool
        Replace the condition, with all that it holds.
    dry_run : bool
        Write nothing: ``written`` says what would be.

    Returns
    -------
    ExportedStudy
        What was written. Its report (:func:`mne_bstinv.conversion_report`) says what the format
        cannot hold.

    Raises
    ------
    ConversionError
        If it is no Raw.
    OverwriteError
        If the condition exists and ``overwrite`` is False.
    ProtocolError
        If the folder is no protocol, or a name cannot be that of a folder.
    RecordingFileError
        If a sample is beyond single precision, or a file cannot be written.
    """
    prepared = from_raw(_opened(raw), continuous=True, name=name)
    assert isinstance(prepared, ContinuousRecording)
    names.check_name(subject, "subject")
    names.check_name(prepared.name, "recording")
    root = Path(os.path.abspath(os.fspath(protocol)))  # noqa: PTH100 - links stay as they are
    target = find_target(
        root, subject, prepared.condition, share_channels=False, overwrite=overwrite
    )
    index = read_index(root / "data" / "protocol.mat")
    study = StudyStructures(channels=prepared.channels, recordings=[("link", prepared.recordings)])
    plan = Plan(target, study, place_anatomy(target, None, None, share_channels=False), [])
    files = plan.files(index, overwrite=overwrite)
    last = {path: files.pop(path) for path in ("data/protocol.mat",) if path in files}
    files[f"data/{target.folder}/{prepared.file_name}"] = prepared
    replaced = [f"data/{target.folder}"]
    written = write_files(root, files | last, replaced=replaced, dry_run=dry_run)
    findings = Findings()
    findings.include(conversion_report(prepared))
    return findings.attach(exported_study(plan, written), what="Raw → protocol", log=False)


def _opened(raw: Any) -> Any:
    if isinstance(raw, str | os.PathLike):
        return open_raw(Path(raw))
    if isinstance(raw, Displayed) or not hasattr(raw, "first_samp"):
        raise ConversionError(
            f"raw takes a Raw or a file of it, found {type(raw).__name__}. Epochs and averages are "
            "exported by export_study."
        )
    return raw
