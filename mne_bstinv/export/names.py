"""Names of subjects, conditions and files, as Brainstorm forms them."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from datetime import datetime

from mne_bstinv import io
from mne_bstinv.errors import ProtocolError
from mne_bstinv.io.text import history_row

__all__ = [
    "channel_file",
    "check_name",
    "data_file",
    "derived_file",
    "head_model_file",
    "results_file",
    "study_date",
    "unique_comment",
]

_NAME = re.compile(r"[A-Za-z0-9][\w.+-]*", re.ASCII)
_TRIAL = re.compile(r"\s*\(#(\d+)\)\s*$")
_KINDS = {"surface": "surf", "volume": "vol", "mixed": "mix"}


def check_name(name: str, what: str) -> None:
    """Refuse what cannot be the folder of a subject or a condition."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ProtocolError(
            f"{name!r} cannot be the name of a {what}: it is the name of a folder and takes "
            "letters, digits, '_', '-', '+' and '.', the first a letter or a digit."
        )


def study_date() -> str:
    """Return the date of today as studies hold it, such as ``'01-Jan-2024'``."""
    return history_row("", "")[0].split()[0]


def channel_file(channels: io.Channels) -> str:
    """Name the channel file: by the system where Brainstorm has a name of its own."""
    types = {channel.type.upper() for channel in channels.channels}
    if types & {"MEG GRAD", "MEG MAG"}:
        return "channel_vectorview306_acc1.mat"
    if any(channel.comment.startswith("CTF") for channel in channels.channels):
        return "channel_ctf_acc1.mat"
    return "channel.mat"


def head_model_file(head_model: io.HeadModel) -> str:
    """Name the head model by kind of grid and methods: ``'headmodel_surf_os_meg.mat'``."""
    methods = (
        head_model.ecog_method,
        head_model.seeg_method,
        head_model.eeg_method,
        head_model.nirs_method,
        head_model.meg_method,
    )
    parts = dict.fromkeys(_slug(method) for method in methods if method)
    return "_".join(["headmodel", _KINDS[head_model.kind], *parts]) + ".mat"


def data_file(kind: str, recordings: io.Recordings, taken: Container[str]) -> str:
    """Name recordings: averages by the time of now, trials by condition and number."""
    if kind == "evoked":
        return _numbered("data_average_" + f"{datetime.now():%y%m%d}", taken)
    if kind == "link" and recordings.link is not None:
        return f"data_0raw_{recordings.link.base_name.rpartition('.')[0]}.mat"
    if kind == "raw":
        return _counted("data_block", taken)
    return _counted(f"data_{_slug(_TRIAL.sub('', recordings.comment)) or 'unnamed'}_trial", taken)


def derived_file(value: io.Dipoles | io.Matrix, taken: Container[str]) -> str:
    """Name dipoles, scouts and other signals by the time of now."""
    stem = "matrix" if isinstance(value, io.Matrix) else "dipoles"
    if isinstance(value, io.Matrix) and value.atlas is not None:
        stem += "_scout"
    return _numbered(f"{stem}_{datetime.now():%y%m%d}", taken)


def results_file(stem: str, taken: Container[str]) -> str:
    """Name results: the time of now, the last number counted up where that is in use."""
    return _numbered(f"{stem}_{datetime.now():%y%m%d}", taken)


def unique_comment(comment: str, taken: Sequence[str]) -> str:
    """Give a comment that is in use a number, ``_02``, ``_03`` ..., as Brainstorm does."""
    number, unique = 1, comment
    while unique in taken:
        number += 1
        unique = f"{comment}_{number:02d}"
    return unique


def _numbered(stem: str, taken: Container[str]) -> str:
    number = int(f"{datetime.now():%H%M}")
    while (name := f"{stem}_{number:04d}.mat") in taken:
        number += 1
    return name


def _counted(stem: str, taken: Container[str]) -> str:
    number = 1
    while (name := f"{stem}{number:03d}.mat") in taken:
        number += 1
    return name


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9-]+", "_", text).strip("_")
