"""The dicts that an MNE inverse operator consists of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mne
import numpy as np
from mne.io.constants import FIFF

from mne_bstinv._data_types import ELECTRODES, upper_types
from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.adapters import _mne_private
from mne_bstinv.adapters.operators.arrays import NoiseSpectrum, OperatorArrays
from mne_bstinv.adapters.sensors import NO_SFREQ, picked_info
from mne_bstinv.adapters.sources import MEAS_FILE
from mne_bstinv.conversion import Findings

__all__ = [
    "data_info",
    "noise_covariance",
    "operator_info",
    "reference_projections",
    "solution",
]

#: A whitener that keeps no more of a common potential than this fraction is reference-free.
_REFERENCE_FREE = 1e-9


def data_info(info: Any, projs: Sequence[Any], *, sfreq: float = NO_SFREQ) -> Any:
    """Make the Info of unit data; one read from a FIF file has lost what data need.

    Parameters
    ----------
    info : mne.Info
        Info of an operator or of recordings.
    projs : sequence of mne.Projection
        Projections that the data shall carry, not applied.
    sfreq : float
        Sampling frequency in Hz.

    Returns
    -------
    mne.Info
        A new Info without bad channels.
    """
    complete = complete_info(info)
    complete["bads"] = []
    with _mne_private.unlocked(complete):
        complete["sfreq"] = sfreq
        complete["projs"] = [mne.Projection(**proj) for proj in projs]
        complete["custom_ref_applied"] = 0
    return complete


def operator_info(
    info: mne.Info,
    picks: IntArray,
    projs: Sequence[mne.Projection],
    mri_head_t: Any,
    regions: str = "",
) -> mne.Info:
    """Make the Info of an operator: its channels, its projections, where it comes from.

    Parameters
    ----------
    info : mne.Info
        Info of (at least) the operator's channels.
    picks : array of int
        Their positions, in the operator's order.
    projs : sequence of mne.Projection
        Projections of the operator; those of the Info are none of its.
    mri_head_t : mne.Transform
        MRI → head.
    regions : str
        What names the regions of a mixed head model.

    Returns
    -------
    mne.Info
        A new Info.
    """
    picked = picked_info(info, picks)
    picked["bads"] = []
    with _mne_private.unlocked(picked):
        picked["projs"] = [mne.Projection(**proj) for proj in projs]
        picked["custom_ref_applied"] = int(FIFF.FIFFV_MNE_CUSTOM_REF_OFF)
        # what forward and inverse operators note of their origin; writing to FIF needs it
        picked.update(mri_file="", mri_id=None, meas_id=None, working_dir="", command_line="",
                      mri_head_t=mri_head_t, **{MEAS_FILE: regions})  # fmt: skip
    return picked


def reference_projections(
    whitener: FloatArray, types: Sequence[str], names: Sequence[str], findings: Findings
) -> list[mne.Projection]:
    """Make the average reference projections that MNE demands of electrodes.

    Where the whitener removes a common potential itself the projection is the true one and
    changes nothing. Where it does not (``diag``, ``shrink`` of full rank, a single electrode) the
    vector is zero: it satisfies MNE's checks, and the data are used as they are, as Brainstorm
    does.

    Parameters
    ----------
    whitener : array, shape (n_channels, n_channels)
        Brainstorm's whitener.
    types, names : sequence of str
        Type and name of each channel.
    findings : Findings
        Where to note zero vectors.

    Returns
    -------
    list of mne.Projection
        One for each type of electrode present.
    """
    upper = np.array(upper_types(types))
    projections = []
    for kind in ELECTRODES:
        index = np.flatnonzero(upper == kind)
        if index.size == 0:
            continue
        common = np.linalg.norm(whitener[:, index].sum(axis=1)) / np.sqrt(index.size)
        free = common <= _REFERENCE_FREE * np.linalg.norm(whitener[:, index], 2)
        if not free:
            findings.derived(
                "projs",
                f"The average reference projection of {kind} is a vector of zeros: Brainstorm's "
                "whitener keeps a common potential. Data must come in the reference of the "
                "recordings file.",
            )
        size = 1 / np.sqrt(index.size) if free else 0.0
        data = {
            "nrow": 1,
            "ncol": index.size,
            "row_names": None,
            "col_names": [names[i] for i in index.tolist()],
            "data": np.full((1, index.size), size),
        }
        projections.append(
            mne.Projection(
                active=False,
                data=data,
                desc=f"Average {kind} reference",
                kind=int(FIFF.FIFFV_PROJ_ITEM_EEG_AVREF),
                explained_var=None,
            )
        )
    return projections


def noise_covariance(
    noise: NoiseSpectrum, names: Sequence[str], n_samples: float | None, method: str
) -> mne.Covariance:
    """Make MNE's noise covariance with its decomposition.

    It is 2-D even where diagonal: of a 1-D one MNE overwrites the decomposition.
    """
    return mne.Covariance(
        noise.cov,
        list(names),
        bads=[],
        projs=[],
        nfree=max(int(n_samples or 1), 1),
        eig=noise.eig.copy(),
        eigvec=noise.eigvec.copy(),
        method=method,
    )


def solution(arrays: OperatorArrays, names: Sequence[str]) -> dict[str, Any]:
    """Make the decomposition's entries of an inverse operator."""
    fields, leads = arrays.eigen_fields, arrays.eigen_leads
    free = arrays.n_components == 3
    return {
        "eigen_fields": {"data": fields, "nrow": len(fields), "ncol": fields.shape[1],
                         "row_names": [], "col_names": list(names)},
        "eigen_leads": {"data": leads, "nrow": len(leads), "ncol": leads.shape[1],
                        "row_names": [], "col_names": []},
        "sing": arrays.sing,
        "eigen_leads_weighted": False,
        "source_cov": _prior(int(FIFF.FIFFV_MNE_SOURCE_COV), arrays.source_var),
        "depth_prior": _prior(int(FIFF.FIFFV_MNE_DEPTH_PRIOR_COV), arrays.depth),
        "orient_prior": _prior(int(FIFF.FIFFV_MNE_ORIENT_PRIOR_COV), arrays.orient_prior),
        "fmri_prior": None,
        "source_ori": int(FIFF.FIFFV_MNE_FREE_ORI if free else FIFF.FIFFV_MNE_FIXED_ORI),
        "source_nn": arrays.source_nn,
        "nsource": len(leads) // arrays.n_components,
        "nchan": fields.shape[1],
        "nave": 1.0,
        "units": "Am",
    }  # fmt: skip


def _prior(kind: int, data: FloatArray) -> dict[str, Any]:
    """Make a diagonal covariance of the sources, variances (n_rows,), of one of FIFF's kinds."""
    return {"data": data, "kind": kind, "bads": [], "diag": True, "names": [], "eig": None,
            "eigvec": None, "dim": data.size, "nfree": 1, "projs": []}  # fmt: skip


def complete_info(info: Any) -> Any:
    """Add the entries that an operator's Info lacks."""
    complete = info.copy()
    with _mne_private.unlocked(complete):
        for key, value in mne.create_info([], NO_SFREQ).items():
            complete.setdefault(key, value)
    return complete
