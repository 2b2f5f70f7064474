"""The fields, classes and shapes of the files that Brainstorm wrote, learned from the files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Set
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io
from scipy.sparse import issparse

from mne_bstinv import io

#: Fields that Brainstorm fills in its own studies and that may be empty in those of MNE's objects.
MAY_BE_EMPTY = {"Curvature", "SulciMap", "Atlas.Scouts"}


def kind(file: Path) -> str | None:
    """Kind of a file, the two whose names are fixed included."""
    if file.name in ("brainstormstudy.mat", "brainstormsubject.mat"):
        return file.stem
    found = io.file_kind(file.name)
    # noise and data covariances are the same struct
    return {"ndatacov": "noisecov"}.get(found or "", found)


def fields(file: Path) -> Iterator[tuple[str, str, str]]:
    """Path, MATLAB class and form of all values of a file."""
    for name, value in scipy.io.loadmat(file).items():
        if not name.startswith("__"):
            yield from _walk(name, value)


def _walk(path: str, value: Any) -> Iterator[tuple[str, str, str]]:
    yield path, _matlab_class(value), _form(value)
    if not issparse(value) and value.dtype.names:
        for name in value.dtype.names:
            if not value.size:
                yield f"{path}.{name}", "none", "empty"
            for item in value[name].ravel():
                yield from _walk(f"{path}.{name}", item)


def _form(value: Any) -> str:
    if not issparse(value) and value.dtype.kind == "U":  # an array of strings, each a row of text
        return "row"
    if 0 in value.shape:
        return "empty"
    if value.shape == (1, 1):
        return "one"
    return "row" if value.shape[0] == 1 else "column" if value.shape[1] == 1 else "matrix"


#: In place of which forms a form is all right: one value may be any of the others.
FITS = {
    "empty": {"empty"},
    "one": {"one", "row", "column", "matrix"},
    "row": {"row", "matrix"},
    "column": {"column", "matrix"},
    "matrix": {"matrix"},
}


def _matlab_class(value: Any) -> str:
    if issparse(value):
        return "sparse"
    if value.dtype.names:
        return "struct"
    if value.dtype.kind == "O":
        return "cell"
    if value.dtype.kind == "U":
        return "char"
    return {"float64": "double", "float32": "single", "bool": "logical"}.get(
        value.dtype.name, value.dtype.name
    )


class Templates:
    """What the files of each kind hold.

    Parameters
    ----------
    *roots : Path
        Folders with Brainstorm's files.
    """

    def __init__(self, *roots: Path) -> None:
        self.seen: dict[str, dict[str, set[tuple[str, str]]]] = defaultdict(
            lambda: defaultdict(set)
        )
        self.always: dict[str, set[str]] = {}
        for root in roots:
            for file in sorted(root.rglob("*.mat")):
                self._learn(file)

    def _learn(self, file: Path) -> None:
        what = kind(file)
        if what is None:
            return
        present = set()
        for path, cls, form in fields(file):
            self.seen[what][path].add((cls, form))
            present.add(path)
        top = {path for path in present if "." not in path}
        self.always[what] = self.always.get(what, top) & top

    def faults(self, file: Path) -> list[str]:
        """What a file has otherwise than all of Brainstorm's."""
        what = kind(file)
        assert what in self.seen, file
        faults, present = [], set()
        known = self.seen[what]
        for path, cls, form in fields(file):
            present.add(path)
            if path not in known:
                faults.append(f"{file.name}: {path}: no field of Brainstorm's")
            elif cls != "none" and not {(cls, one) for one in FITS[form]} & known[path]:
                faults.append(f"{file.name}: {path}: {cls} {form}, not {sorted(known[path])}")
        missing = self.always[what] - present
        for struct in {path.rpartition(".")[0] for path in present if "." in path}:
            siblings = {p for p in known if p.rpartition(".")[0] == struct}
            missing |= {p for p in siblings - present if p not in OPTIONAL}
        return faults + [f"{file.name}: {path}: missing" for path in sorted(missing)]


#: Fields that some of Brainstorm's own files have and others of the same kind do not.
OPTIONAL = {"SCS.Origin", "Atlas.Scouts.GridRows"}


def equal(one: Any, other: Any) -> bool:
    """Whether two values of files are the same."""
    if issparse(one) or issparse(other):
        return (one != other).nnz == 0
    a, b = np.asarray(one), np.asarray(other)
    if a.shape != b.shape or a.dtype.names != b.dtype.names:
        return False
    if a.dtype.names:
        return all(equal(a[name], b[name]) for name in a.dtype.names)
    if a.dtype == object:
        return all(equal(x, y) for x, y in zip(a.ravel(), b.ravel(), strict=True))
    return np.array_equal(a, b)


def template_faults(
    templates: Templates, root: Path, *, may_be_empty: Set[str] = frozenset()
) -> list[str]:
    """Faults of all files below a folder, but for fields that may be empty."""
    return [
        fault
        for file in sorted(root.rglob("*.mat"))
        if file.name != "protocol.mat"
        for fault in templates.faults(file)
        if not (" empty, not " in fault and fault.split(": ")[1] in may_be_empty)
    ]
