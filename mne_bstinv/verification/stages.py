"""The intermediates that a file stores beside its kernel: where a mismatch begins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mne_bstinv import io
from mne_bstinv._verdicts import NOT_COMPARABLE
from mne_bstinv.compare.stored import DIFFERS, Agreement
from mne_bstinv.inverse import InverseOptions2009, InverseResult
from mne_bstinv.io.values import is_empty

__all__ = ["explain", "rounded", "stage_differences"]


def stage_differences(stored: io.Results, result: InverseResult) -> dict[str, float]:
    """Return the relative Frobenius differences of the intermediates that the file stores."""
    options = stored.options or {}
    old = isinstance(result.options, InverseOptions2009)
    noise = options.get("NoiseCov") if old else _cov_of(options.get("NoiseCovMat"))
    whiteners: tuple[Any, Any] = (result.whitener, stored.whitener)
    if old and stored.whitener is not None:  # the rows have any sign
        whiteners = tuple(w.T @ w for w in whiteners)
    pairs: dict[str, tuple[Any, Any]] = {
        "noise covariance": (result.noise_cov, noise),
        "data covariance": (result.data_cov, _cov_of(options.get("DataCovMat"))),
        "whitener": whiteners,
        "data whitener": (result.data_whitener, stored.data_whitener),
        "singular values": (result.source_decomp_sa, stored.source_decomp_sa),
    }
    return {
        name: _relative_difference(ours, theirs)
        for name, (ours, theirs) in pairs.items()
        if ours is not None and not is_empty(theirs)
    }


def _cov_of(struct: Any) -> Any:
    return struct.get("NoiseCov") if isinstance(struct, Mapping) else None


def _relative_difference(ours: np.ndarray, stored: Any) -> float:
    theirs = np.atleast_1d(stored if isinstance(stored, np.ndarray | int | float) else ())
    if theirs.dtype.kind not in "biufc" or ours.size != theirs.size:
        return float("inf")
    theirs = theirs.reshape(ours.shape)
    size = np.linalg.norm(theirs)
    known = size > 0 and np.isfinite(size)
    return float(np.linalg.norm(ours - theirs) / size) if known else float("inf")


def explain(agreement: Agreement, stages: Mapping[str, float], rtol: float) -> str:
    """Say where a mismatch begins: at the first intermediate that is not the stored one."""
    changed = [(name, value) for name, value in stages.items() if not value <= rtol]
    if agreement.status == NOT_COMPARABLE:
        return agreement.reason
    if agreement.status == DIFFERS:
        cause = "covariance and whitener agree where they are stored"
        if changed:
            name, value = changed[0]
            cause = (
                f"the mismatch begins at the {name} (relative difference {value:.1e}): was it "
                "changed since?"
            )
    elif changed:
        name, value = changed[0]
        cause = f"the {name} is not the stored one (relative difference {value:.1e})"
    else:
        cause = ""
    return "; ".join(text for text in (agreement.reason, cause) if text)


def rounded(agreement: Agreement) -> str:
    """State the bound where the verdict is not plain by the tolerance that was asked for."""
    number, bound = agreement.relative_difference, agreement.bound
    if number is None or bound is None or number <= agreement.rtol:
        return ""
    if agreement.within_rounding:
        return f"equal within rounding: {number:.1e}, bound {bound:.0e}"
    return f"bound {bound:.0e}"
