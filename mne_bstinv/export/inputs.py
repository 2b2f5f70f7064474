"""What an export is given: objects, or files that are read here, of MNE or of Brainstorm."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mne_bstinv import io
from mne_bstinv._display import Displayed
from mne_bstinv.adapters import LabelList, LabelTimeCourses
from mne_bstinv.adapters.files import kind_of, mne_kind, read_mne
from mne_bstinv.adapters.kept import kept_of
from mne_bstinv.adapters.operators import remember_file
from mne_bstinv.errors import ConversionError
from mne_bstinv.inverse import InverseOptions
from mne_bstinv.io.registry import KINDS

__all__ = ["Estimation", "estimations_of", "is_lcmv", "load", "load_many"]

#: Kinds of Brainstorm's files that an export takes.
_KINDS = (
    "channel",
    "data",
    "headmodel",
    "noisecov",
    "ndatacov",
    "results",
    "subjectimage",
    "cortex",
    "dipoles",
    "matrix",
)

#: What an argument takes: kinds of MNE's objects, and Brainstorm's structures.
_ACCEPTED: Mapping[str, tuple[tuple[str, ...], tuple[Any, ...]]] = {
    "recordings": (("evoked", "epochs", "raw"), (io.Recordings,)),
    "info": (("info", "evoked", "epochs", "raw"), (io.Channels,)),
    "forward": (("forward",), (io.HeadModel,)),
    "noise_cov": (("covariance", "evoked", "epochs", "raw"), (io.NoiseCov,)),
    "data_cov": (("covariance", "evoked", "epochs", "raw"), (io.NoiseCov,)),
    "src": (("source spaces",), (io.Surface,)),
    "trans": (("trans",), ()),
    "labels": (("labels",), (io.Atlas,)),
    "mri": ((), (io.Mri, Path)),
    "derived": (("dipole",), (LabelTimeCourses, io.Dipoles, io.Matrix)),
    "estimations": (
        ("inverse operator", "source estimate"),
        (io.Results, InverseOptions, Mapping),
    ),
}


#: Kinds of which a file may hold several.
_SEVERAL = {"evoked", "labels"}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Estimation(Displayed):
    """A source estimation to store with a study.

    Parameters
    ----------
    of : InverseOptions | mapping | InverseOperator | SourceEstimate | Results | path-like
        What to store. Options: the kernel is computed with them, as Brainstorm's inverse of 2018
        does, and stored as Brainstorm stores it. An operator: its kernel. A source estimate: the
        estimate. Results: as they are, with the files of the new study.
    recordings : int | None
        The recordings it belongs to, 0-based. ``None``: of all recordings of the condition (a
        shared kernel); of the only ones, for a source estimate.
    data_types : str | sequence of str | None
        With options: ``MEG``, ``EEG`` ...; may be None where the head model has one modality.
    lambda2 : float | None
        With an operator, see :func:`mne_bstinv.from_inverse_operator`.
    method : str | None
        The same; with a source estimate, what its values are: needed unless it was converted from
        Brainstorm.
    pick_ori : str | None
        The same.
    comment : str | None
        Name in Brainstorm; None for the usual one.
    """

    of: Any
    recordings: int | None = None
    data_types: Any = None
    lambda2: float | None = None
    method: str | None = None
    pick_ori: str | None = None
    comment: str | None = None


def load(value: Any, argument: str) -> Any:
    """Return an object, read from its file where a file is given (but for an MRI of FreeSurfer)."""
    if value is None:
        return None
    given, where = value, ""
    if isinstance(value, str | os.PathLike):
        value, where = _read(Path(value), argument), f"{os.fspath(value)}: "
    kinds, classes = _ACCEPTED[argument]
    # files may hold several of these; source spaces are a list too, but one object
    several = isinstance(value, list) and kind_of(value) is None and _SEVERAL & {*kinds}
    for one in value if several else [value]:
        if not isinstance(one, classes) and kind_of(one) not in kinds:
            names = [*kinds, *(cls.__name__ for cls in classes)]
            raise ConversionError(
                f"{where}{argument} takes {', '.join(names)} (an object or a file), found "
                f"{type(one).__name__ if given is value else kind_of(one) or type(one).__name__}."
            )
    return value


def load_many(value: Any, argument: str) -> list[Any]:
    """Return a list of objects, those of files included."""
    if value is None:
        return []
    if isinstance(value, LabelList):  # it has a report of its own
        return value
    several = isinstance(value, Iterable) and not (
        isinstance(value, str | os.PathLike | Mapping) or kind_of(value)
    )
    found: list[Any] = []
    for one in value if several else [value]:
        loaded = load(one, argument)
        found += loaded if isinstance(loaded, list) else [loaded]  # a file may hold several
    return found


def estimations_of(value: Any) -> list[Estimation]:
    """Return estimations with their objects read; refuse fields that have no effect."""
    if value is None:
        return []
    several = isinstance(value, list | tuple)
    found = []
    for one in value if several else [value]:
        estimation = one if isinstance(one, Estimation) else Estimation(of=one)
        loaded = load(estimation.of, "estimations")
        if kind_of(loaded) == "inverse operator" and loaded is not estimation.of:
            remember_file(loaded, Path(estimation.of))
        fields = {name: getattr(estimation, name) for name in Estimation.__dataclass_fields__}
        found.append(Estimation(**{**fields, "of": loaded}))
        _refuse_idle(found[-1])
    return found


def is_lcmv(estimation: Estimation) -> bool:
    """Tell whether an estimation (read; of options or results) needs the data covariance."""
    of = estimation.of.options or {} if isinstance(estimation.of, io.Results) else estimation.of
    method = getattr(of, "method", None) if not isinstance(of, Mapping) else of.get("InverseMethod")
    return isinstance(method, str) and method.lower() == "lcmv"


def _refuse_idle(estimation: Estimation) -> None:
    """Refuse fields that have no effect with what is to be stored."""
    of, what = estimation.of, kind_of(estimation.of)
    used: dict[str | None, tuple[str, ...]] = {
        "inverse operator": ("lambda2", "method", "pick_ori"),
        "source estimate": ("method",),
        "results": (),
    }
    what = "results" if isinstance(of, io.Results) else what or "options"
    idle = [
        name
        for name in ("data_types", "lambda2", "method", "pick_ori")
        if getattr(estimation, name) is not None and name not in used.get(what, ("data_types",))
    ]
    if idle:
        raise ConversionError(
            f"{' and '.join(idle)} of an Estimation of {what}: without effect. Leave it out."
        )
    own = what == "inverse operator" and estimation.lambda2 is None
    if own and isinstance(kept_of(of).get("options"), InverseOptions):
        idle = [name for name in ("method", "pick_ori") if getattr(estimation, name) is not None]
        if idle:
            raise ConversionError(
                f"{' and '.join(idle)} of an Estimation without lambda2: without effect, since the "
                "operator has Brainstorm's options, and their kernel is stored. Leave it out, or "
                "give lambda2 and method."
            )


def _read(path: Path, argument: str) -> Any:
    if path.suffix.lower() == ".mat":
        kind = io.file_kind(path.name)
        if kind not in _KINDS:
            raise ConversionError(
                f"{path}: no Brainstorm file by its name. Its name must be that of one of: "
                f"{', '.join(_KINDS)} (.mat)."
            )
        return KINDS[kind].read(path)
    if argument == "mri":
        return path  # FreeSurfer's: read when the sensors say where it is
    if argument == "trans" and mne_kind(path) is None:
        return read_mne(path, "trans")
    return read_mne(path)
