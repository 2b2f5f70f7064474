"""The names by which Brainstorm calls a kernel applied to recordings: ``link|results|data``."""

from __future__ import annotations

import os
from pathlib import Path

from mne_bstinv.errors import MissingFileError
from mne_bstinv.io.folders import is_folder
from mne_bstinv.io.mat import PathLike
from mne_bstinv.io.stored_paths import find_stored

__all__ = ["is_result_link", "results_file", "split_link", "stored_results"]

_LINK = "link|"


def is_result_link(path: PathLike) -> bool:
    """Tell whether a text is such a name, perhaps with a folder of the protocol in front."""
    before, found, names = os.fspath(path).partition(_LINK)
    return bool(found) and names.count("|") == 1 and (not before or before[-1] in "/\\")


def split_link(path: PathLike) -> tuple[Path, Path]:
    """Return the results and the recordings that such a name stands for.

    Both are relative to the protocol's ``data``. The protocol is that of the folder in front, else
    of the current one; without any, a MissingFileError.
    """
    before, _, names = os.fspath(path).partition(_LINK)
    data = _data_of(Path(before or "."), path)
    results, recordings = (find_stored(data, name) for name in names.split("|"))
    for name, file in zip(names.split("|"), (results, recordings), strict=True):
        if file is None:
            raise MissingFileError(f"{os.fspath(path)}: {name} is not in {data}.")
    assert results is not None
    assert recordings is not None
    return results, recordings


def stored_results(stored: str) -> str:
    """Return the results that a stored name of this kind names; any other path as it is."""
    return stored.split("|")[1] if stored.startswith(_LINK) else stored


def results_file(path: PathLike) -> Path:
    """Return the results file of such a name; any other path as it is."""
    return split_link(path)[0] if is_result_link(path) else Path(path)


def _data_of(start: Path, path: PathLike) -> Path:
    for folder in (start.absolute(), *start.absolute().parents):
        if is_folder(folder / "anat") and is_folder(folder / "data"):
            return folder / "data"
    raise MissingFileError(
        f"{os.fspath(path)}: of which protocol? Write the folder of the protocol in front "
        "(PROTOCOL/link|…|…), or go there."
    )
