"""What the names of Brainstorm's files say."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from mne_bstinv.io import mat
from mne_bstinv.io.registry import known_by_name

__all__ = ["file_kind", "find_stored", "is_average", "is_block", "is_link", "normalise"]


def file_kind(name: str) -> str | None:
    """Return the kind of file that a name stands for.

    Parameters
    ----------
    name : str
        The file name, or a path that ends in it.

    Returns
    -------
    str or None
        ``'data'``, ``'results'``, ``'channel'``, ``'headmodel'``, ``'noisecov'``, ``'ndatacov'``,
        ``'cortex'``, ``'scalp'``, ``'innerskull'``, ``'outerskull'``, ``'tess'`` (any other
        surface), ``'subjectimage'``, ``'timefreq'``, ``'matrix'``, ``'dipoles'``, ``'pdata'``,
        ``'presults'``, ``'ptimefreq'``, ``'pmatrix'``; None for names that no kind has.
    """
    row = known_by_name(normalise(name).name)
    return None if row is None else row.name


def normalise(stored: str) -> PurePosixPath:
    """Return a path stored in a file, which may have the separators of any system."""
    return PurePosixPath(stored.replace("\\", "/").strip("/"))


def find_stored(folder: Path, stored: str) -> Path | None:
    """Return the file below ``folder`` that a stored path names, in any case; None if missing."""
    path = folder
    for part in normalise(stored).parts:
        if part == ".." or not path.is_dir():
            return None
        exact = path / part
        if not exact.exists():
            others = (child for child in path.iterdir() if child.name.lower() == part.lower())
            found = next(others, None)
            if found is None:
                return None
            exact = found
        path = exact
    return path if path.is_file() else None


#: Tag in the names of recordings that Brainstorm averaged.
_AVERAGE = "_average"

#: Name of a block that was imported of a continuous file.
_BLOCK = re.compile(r"data_block\d+\.mat")


def is_link(file: Path) -> bool:
    """Tell by the name whether recordings are a link to a continuous file.

    Parameters
    ----------
    file : Path
        The recordings.

    Returns
    -------
    bool
        Whether the name begins with ``data_0raw_``.
    """
    return file.name.lower().startswith("data_0raw_")


def is_block(file: Path) -> bool:
    """Tell by the name whether recordings are a block imported of a continuous file.

    Parameters
    ----------
    file : Path
        The recordings.

    Returns
    -------
    bool
        Whether the name is such as ``data_block001.mat``.
    """
    return _BLOCK.fullmatch(file.name.lower()) is not None


def is_average(file: Path, n_avg: int | None = None) -> bool:
    """Tell an average from a trial: by its name, else by the number of averages inside.

    Parameters
    ----------
    file : Path
        The recordings.
    n_avg : int | None
        nAvg, if the file was read already.

    Returns
    -------
    bool
        Whether it is an average.
    """
    if _AVERAGE in f"_{file.name.lower()}":
        return True
    if n_avg is None:
        variables = mat.read(file, ["nAvg"])
        value = variables["nAvg"].value if "nAvg" in variables else 1
        n_avg = int(value) if isinstance(value, int | float) else 1
    return n_avg > 1
