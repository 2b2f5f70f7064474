"""Kernels of MNE-Python's own operators, computed anew from the operators they came from."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from mne_bstinv import io
from mne_bstinv._data_types import data_types_of
from mne_bstinv._types import FloatArray
from mne_bstinv.compare.stored import DIFFERS, EQUAL
from mne_bstinv.conversion import carry, conversion_report
from mne_bstinv.derived.library import NotComparableError
from mne_bstinv.errors import BstInvError, ConversionError, MissingFileError
from mne_bstinv.io.processing import is_of_mne
from mne_bstinv.studies.files import Studies, StudyFiles
from mne_bstinv.verification.outcome import Verification

__all__ = ["Operators", "is_foreign", "verify_foreign"]

#: Half a unit in the last place of single precision, in which FIF files hold operators.
_SINGLE = 2.0**-24
#: Relative change of the weights at which MNE-Python stops to iterate for eLORETA.
_ELORETA = 1e-6
#: How many times more than one random rounding of an operator the two of a comparison may do.
_MARGIN = 10


@dataclass(frozen=True, kw_only=True)
class _Recomputed:
    """A stored kernel beside that of an operator."""

    #: Relative Frobenius difference.
    difference: float
    #: The operator: its file, or that it was given as an object.
    parent: str
    #: MNE's method.
    method: str
    #: Method, regularisation and channels.
    how: str
    #: Relative difference that rounding the operator to single precision makes.
    rounding: Callable[[], float]


def is_foreign(stored: io.Results) -> bool:
    """Tell whether MNE-Python's own operator computed a kernel."""
    return is_of_mne(stored.options)


def verify_foreign(
    stored: io.Results, file: Path, studies: Studies, rtol: float, operators: Operators
) -> Verification:
    """Compare a kernel of MNE-Python's with that of the operator it came from."""
    found = operators.recompute(stored, file, studies)
    bound = rtol
    if found.difference > rtol:
        iterated = _ELORETA if found.method == "eLORETA" else 0.0
        bound = max(rtol, _MARGIN * max(found.rounding(), iterated))
    same = found.difference <= bound
    rounded = same and found.difference > rtol
    return Verification(
        file=file,
        status=EQUAL if same else DIFFERS,
        relative_difference=found.difference,
        reason="" if same and not rounded
        else "an operator in single precision, as in FIF files" if rounded
        else f"it is not the kernel of {found.parent}",
        options=found.how,
        parents=(found.parent,),
        bound=bound,
        within_rounding=rounded,
    )  # fmt: skip


class Operators:
    """The operators, or files of them, that kernels may have come from.

    Where none are given, the file that a kernel names is tried.
    """

    def __init__(self, given: Sequence[Any] = ()) -> None:
        for one in given:
            if isinstance(one, str | os.PathLike) and not Path(one).is_file():
                raise MissingFileError(f"{one}: no such file of an operator. Check the path.")
        self._given = list(given)
        self._read: dict[Path, Any] = {}

    def recompute(self, stored: io.Results, file: Path, studies: Studies) -> _Recomputed:
        """Compute a kernel anew with the operator that agrees best.

        NotComparableError where none has the channels and locations of the kernel.
        """
        kernel = stored.imaging_kernel
        if kernel is None:
            raise NotComparableError("Computed by MNE-Python, and not a kernel but an estimate.")
        outcomes, reasons = [], []
        for name, operator in self._candidates(stored):
            kernel_of = partial(_kernel, stored, study=studies.of(file), studies=studies)
            try:
                again = kernel_of(operator)
            except BstInvError as error:
                reasons.append(f"{name}: {error}")
                continue
            if again.shape != kernel.shape:
                reasons.append(f"{name}: its kernel is {again.shape}, the stored {kernel.shape}")
                continue
            outcomes.append(
                _Recomputed(
                    difference=_apart(again, kernel),
                    parent=name,
                    method=str((stored.options or {}).get("InverseMeasure")),
                    how=_how(stored),
                    rounding=partial(_rounding, kernel_of, operator, again),
                )
            )
        if outcomes:
            return min(outcomes, key=lambda outcome: outcome.difference)
        if reasons:
            raise NotComparableError(
                f"Computed by MNE-Python, of another operator: {'; '.join(reasons)}"
            )
        raise NotComparableError(
            "Computed by MNE-Python: give the operator it came from (operators, --inverse FILE)."
        )

    def _candidates(self, stored: io.Results) -> Iterator[tuple[str, Any]]:
        """Yield the operators with their names, read when they are needed."""
        if self._given:
            for one in self._given:
                if isinstance(one, str | os.PathLike):
                    yield str(one), self._load(Path(one))
                else:
                    yield "the operator given", one
            return
        name = (stored.options or {}).get("OperatorFile")
        if isinstance(name, str) and Path(name).is_file():
            yield name, self._load(Path(name))

    def _load(self, path: Path) -> Any:
        from mne_bstinv.adapters.files import quiet, read_mne

        if path not in self._read:
            with quiet():
                self._read[path] = read_mne(path, "inverse operator")
        return self._read[path]


def _kernel(stored: io.Results, inv: Any, study: StudyFiles, studies: Studies) -> FloatArray:
    """Compute the kernel (n_rows, n_good) of an operator with what the results file says."""
    from mne_bstinv.adapters import from_inverse_operator
    from mne_bstinv.adapters.files import quiet

    options = stored.options or {}
    lambda2, method = options.get("Lambda2"), options.get("InverseMeasure")
    if not isinstance(lambda2, int | float) or not isinstance(method, str):
        raise ConversionError("Options.Lambda2 and Options.InverseMeasure are not both there")
    model_file = study.find(stored.head_model_file, "data")
    channel_file = study.channel_file
    if channel_file is None:
        raise ConversionError(f"no channel file in {study.searched}")
    with quiet():
        again = from_inverse_operator(
            inv,
            float(lambda2),
            method,
            pick_ori=_orientation(stored, inv),
            channels=studies.channels(channel_file),
            head_model=None if model_file is None else studies.head_model(model_file),
        )
    assert again.imaging_kernel is not None
    good = stored.good_channel
    if good is None or not np.array_equal(again.good_channel, good):
        raise ConversionError("its channels are not those of the kernel (GoodChannel)")
    return again.imaging_kernel


def _rounding(kernel_of: Callable[[Any], FloatArray], inv: Any, kernel: FloatArray) -> float:
    """Relative Frobenius difference of a kernel to that of its operator in single precision."""
    return _apart(kernel_of(_rounded(inv)), kernel)


def _rounded(inv: Any) -> Any:
    """Return an operator whose decompositions are rounded as at random to single precision."""
    rng = np.random.default_rng(0)

    def rounded(values: FloatArray) -> FloatArray:
        return np.asarray(values * (1 + _SINGLE * rng.uniform(-1, 1, np.shape(values))))

    made = type(inv)(inv)
    made["noise_cov"] = noise = inv["noise_cov"].copy()
    noise["eigvec"], made["sing"] = rounded(noise["eigvec"]), rounded(inv["sing"])
    for name in ("eigen_fields", "eigen_leads", "source_cov"):
        made[name] = {**inv[name], "data": rounded(inv[name]["data"])}
    return carry(made, conversion_report(inv))


def _orientation(stored: io.Results, inv: Any) -> str | None:
    """Return the pick_ori that gives as many rows as the kernel has."""
    scalar = stored.n_components == 1
    if stored.n_components == 0 and stored.grid_atlas is not None:
        codes = {(scout.region or "")[2:3].upper() for scout in stored.grid_atlas.scouts}
        scalar = codes == {"C"}
    fixed = len(inv["eigen_leads"]["data"]) == int(inv["nsource"])
    return "normal" if scalar and not fixed else None


def _apart(ours: FloatArray, theirs: FloatArray) -> float:
    """Relative Frobenius difference; rows that are NaN in both are equal."""
    if not np.array_equal(np.isnan(ours), np.isnan(theirs)):
        return float("inf")
    size = np.linalg.norm(np.nan_to_num(theirs))
    difference = np.linalg.norm(np.nan_to_num(ours - theirs))
    return float(difference / size) if size > 0 else float("inf")


def _how(stored: io.Results) -> str:
    options = stored.options or {}
    listed = "+".join(data_types_of(options))
    return (
        f"MNE-Python {options.get('InverseMeasure')}, lambda2 {options.get('Lambda2'):g}, {listed}"
    )
