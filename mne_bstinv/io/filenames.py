"""What the names of Brainstorm's files say."""

from __future__ import annotations

import math
import re
from pathlib import Path

from mne_bstinv.io import mat
from mne_bstinv.io.registry import known_by_name
from mne_bstinv.io.stored_paths import normalise

__all__ = [
    "by_number", "file_kind",
    "is_average", "is_block", "is_continuous",
    "is_kernel", "is_label_volume", "is_link", "is_mri", "mri_rank", "stored_averages",
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


def by_number(name: str) -> tuple[list[str | int], str]:
    """Order names with numbers in them: trial 1000 after trial 999, whatever is padded."""
    parts: list[str | int] = [int(p) if p.isdecimal() else p for p in re.split(r"(\d+)", name)]
    return parts, name


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
