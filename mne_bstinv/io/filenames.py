"""What the names of Brainstorm's files say."""

from __future__ import annotations

import math
import os
import re
import stat
import unicodedata
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from mne_bstinv.errors import OptionError
from mne_bstinv.io import mat
from mne_bstinv.io.mat import PathLike
from mne_bstinv.io.registry import known_by_name

__all__ = [
    "Problems", "by_number", "file_kind", "find_stored", "folded",
    "is_average", "is_block", "is_continuous", "is_folder",
    "is_kernel", "is_label_volume", "is_link", "is_mri", "listed", "listed_files", "mri_rank",
    "named", "normalise", "spelled_as", "stored_averages", "unlisted_below", "why_no_file",
]  # fmt: skip


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


def named(path: PathLike, what: str) -> Path:
    """Return the path of a folder to write to; an empty name would be the current one."""
    if not os.fspath(path).strip():
        raise OptionError(f"{what} is an empty name. Write '.' for the current folder.")
    return Path(path)


def folded(name: str) -> str:
    """Write the name of a file as names are compared: in any case and any form of Unicode.

    Folders from macOS hold letters and their accents apart, what is stored or typed does not.
    """
    return unicodedata.normalize("NFC", name.casefold())


def spelled_as(name: str, known: Iterable[str]) -> str:
    """Return the one of some names that differs from a name in the form of Unicode at most.

    The name itself where there is none.
    """
    one = unicodedata.normalize("NFC", name)
    same = [other for other in known if unicodedata.normalize("NFC", other) == one]
    return name if name in same or not same else same[0]


def find_stored(folder: Path, stored: str) -> Path | None:
    """Return the file below ``folder`` that a stored path names, as :func:`folded`, or None."""
    try:
        path = folder
        for part in normalise(stored).parts:
            if part == ".." or not path.is_dir():
                return None
            exact = path / part
            if not exact.exists():
                others = (one for one in path.iterdir() if folded(one.name) == folded(part))
                found = next(others, None)
                if found is None:
                    return None
                exact = found
            path = exact
        return path if path.is_file() else None
    except (OSError, ValueError):  # too long for a name, a folder without permission, NUL
        return None


#: What the names of volumes say that are no anatomical MRI: atlases, CT, PET, tissues, maps.
_NO_MRI = ("_volatlas", "_volct", "_volpet", "_aseg", "_aparc", "_tissues", "_atlas", "_labels",
           "_ct", "_pet", "_mask", "_seg")  # fmt: skip


def is_label_volume(stored: str) -> bool:
    """Tell by the name whether a volume is one of labels, a CT or a PET, and no MRI."""
    text = f"_{normalise(stored).stem.lower()}_".replace("-", "_").replace(".", "_")
    return any(f"{tag}_" in text for tag in _NO_MRI) or "_volatlas" in text


def is_mri(name: str) -> bool:
    """Tell by the name whether a volume may be an anatomical MRI."""
    return not is_label_volume(name)


def mri_rank(name: str) -> tuple[int, str]:
    """Order MRIs: those whose name says T1 first, then MRI, then by name."""
    text = name.lower().removeprefix("subjectimage")
    return next((i for i, tag in enumerate(("t1", "mri")) if tag in text), 2), name


class Problems(list[str]):
    """What could not be read or found, one sentence each."""

    def __init__(self) -> None:
        super().__init__()
        #: Folders that cannot be listed: nothing is known of what is in them.
        self.unlisted: list[Path] = []


def listed(folder: Path, problems: Problems) -> list[Path]:
    """Return what a folder holds, by name; nothing, and a problem, if it cannot be listed."""
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        problems.append(f"{folder}: cannot be listed: {error.strerror}")
        problems.unlisted.append(folder)
        return []


def by_number(name: str) -> tuple[list[str | int], str]:
    """Order names with numbers in them: trial 1000 after trial 999, whatever is padded."""
    parts: list[str | int] = [int(p) if p.isdecimal() else p for p in re.split(r"(\d+)", name)]
    return parts, name


def listed_files(folder: Path, problems: Problems) -> list[Path]:
    """Return the files that a folder holds, by name; a problem for each that is named as one only.

    What is no file is a folder called ``….mat``, a link to nothing, a pipe (which is not opened).
    """
    found: list[Path] = []
    for path in listed(folder, problems):
        why = why_no_file(path)
        if not why:
            found.append(path)
        elif not path.name.startswith(".") and (path.suffix == ".mat" or not is_folder(path)):
            problems.append(f"{path}: {why}: nothing is made of it")
    return found


def why_no_file(path: Path) -> str:
    """Say why a path that a folder lists is no file; nothing if it is one."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return "a link to a file that does not exist"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if stat.S_ISDIR(mode):
        return "a folder, not a file"
    return "" if stat.S_ISREG(mode) else "a pipe or device, not a file"


def unlisted_below(folder: Path) -> list[Path]:
    """Return the folders at or below one that cannot be listed; none of a file."""
    found: list[Path] = []
    if folder.is_dir():
        for _ in os.walk(folder, onerror=lambda error: found.append(Path(error.filename))):
            pass
    return found


def is_folder(path: Path) -> bool:
    """Tell whether a path is a folder; what cannot be asked for is none."""
    try:
        return path.is_dir()
    except OSError:
        return False


#: Tag in the names of recordings that Brainstorm averaged.
_AVERAGE = "_average"

#: Name of a block that was imported of a continuous file.
_BLOCK = re.compile(r"data_block\d+\.mat")


def is_kernel(file: Path) -> bool:
    """Tell a kernel from full results as Brainstorm does: by its name."""
    return "_kernel" in file.name.lower()


def is_link(file: Path) -> bool:
    """Tell by the name (``data_0raw_*``) whether recordings are a link to a continuous file."""
    return file.name.lower().startswith("data_0raw_")


def is_block(file: Path) -> bool:
    """Tell by the name (``data_block001.mat``) if recordings are a block of a continuous file."""
    return _BLOCK.fullmatch(file.name.lower()) is not None


def is_continuous(file: Path) -> bool:
    """Tell by the name if recordings are continuous: a link, or a block imported of a file."""
    return is_link(file) or is_block(file)


def is_average(file: Path, n_avg: int | None = None) -> bool:
    """Tell an average from a trial: by its name, else by the number of averages inside (nAvg)."""
    if _AVERAGE in f"_{file.name.lower()}":
        return True
    return (stored_averages(file) if n_avg is None else n_avg) > 1


def stored_averages(file: Path) -> int:
    """Return how many trials recordings are the average of (nAvg); 1 where that cannot be."""
    variables = mat.read(file, ["nAvg"])
    value = variables["nAvg"].value if "nAvg" in variables else 1
    return int(value) if isinstance(value, int | float) and 1 <= value < math.inf else 1
