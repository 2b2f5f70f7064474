"""Whether an inverse operator gives the kernel that Brainstorm stored with its options."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from mne_bstinv import io
from mne_bstinv._data_types import data_types_of
from mne_bstinv._types import FloatArray
from mne_bstinv.adapters.kept import keep, kept_of
from mne_bstinv.adapters.operators.arrays import NoiseSpectrum
from mne_bstinv.adapters.operators.operator_to_mne import to_inverse_operator
from mne_bstinv.adapters.operators.parameters import (
    NOT_COMPARABLE,
    for_averages,
    inverse_parameters,
    with_parameters,
)
from mne_bstinv.adapters.operators.rows import layout_of_results
from mne_bstinv.conversion import Findings, attach_with_parts, converts
from mne_bstinv.errors import ConversionError
from mne_bstinv.inverse.origin import origin_of_results
from mne_bstinv.io.processing import derivation_of

__all__ = ["SAME_KERNEL", "checked_operator", "operator_of_results", "why_no_operator"]


#: Relative difference of kernels up to which an operator is that of a stored kernel: what FIF files
#: of operators keep (single precision), of whiteners of any usual condition.
SAME_KERNEL = 1e-6

#: Sensor vectors that kernels are compared on. Kernels that differ give other estimates of any
#: vector but by a chance that four rule out.
_N_PROBES = 4


def why_no_operator(results: io.Results) -> str:
    """Say why results have no inverse operator.

    Parameters
    ----------
    results : Results
        The results.

    Returns
    -------
    str
        The reason; empty for minimum norms of Brainstorm's linear inverse.
    """
    derivation, origin = derivation_of(results), origin_of_results(results)
    if derivation is not None:
        return f"It was made of other results ({derivation.what}): no operator gives it."
    if not origin.years:
        return f"It is {origin.kind}, not of Brainstorm's linear inverse: {origin.reason}."
    options = origin.options(results.options or {})
    if options.is_minimum_norm:
        return ""
    return f"{options.method!r} is no minimum norm, and MNE's InverseOperator holds nothing else."


@converts
def operator_of_results(
    results: io.Results,
    head_model: io.HeadModel,
    noise_cov: io.NoiseCov,
    channels: io.Channels,
    **others: Any,
) -> Any:
    """Build the operator of a stored kernel, and compare it with the kernel.

    Parameters
    ----------
    results : Results
        The results: their options, channels and flags.
    head_model : HeadModel
        Their head model.
    noise_cov : NoiseCov
        Noise covariance of all channels.
    channels : Channels
        Channel file.
    **others : object
        What else :func:`~mne_bstinv.to_inverse_operator` takes.

    Returns
    -------
    mne.minimum_norm.InverseOperator
        The operator, as :func:`checked_operator` returns it.

    Raises
    ------
    ConversionError
        If the results were made of others (no operator gives a z-score or a flat map), or by
        something else than Brainstorm's linear inverse.
    """
    derivation = derivation_of(results)
    if derivation is not None:
        raise ConversionError(
            f"The results {results.comment!r} were made of others ({derivation.what}): no inverse "
            "operator gives them. Convert the kernel that they were made of, or convert these to "
            "a source estimate."
        )
    origin = origin_of_results(results)
    if not origin.years:
        raise ConversionError(
            f"The results {results.comment!r} are {origin.kind} ({origin.reason}): no options of a "
            "linear inverse, so no inverse operator. Convert them to a source estimate."
        )
    good = results.good_channel
    operator = to_inverse_operator(
        head_model,
        noise_cov,
        channels,
        origin.options(results.options or {}),
        channel_flag=results.channel_flag,
        data_types=data_types_of(results.options) or None if good is None else None,
        good_channels=None if good is None else good - 1,
        n_avg=max(results.n_avg, 1),
        **others,
    )
    return checked_operator(operator, results, head_model)


@converts
def checked_operator(inv: Any, results: io.Results, head_model: io.HeadModel) -> Any:
    """Compare an operator with the stored kernel whose options it was made of.

    An operator is made of the covariance, head model and channels that the study holds now. Where
    one of them was replaced after Brainstorm had computed the kernel, it is another operator.

    Parameters
    ----------
    inv : mne.minimum_norm.InverseOperator
        What :func:`~mne_bstinv.to_inverse_operator` made; its report is replaced.
    results : Results
        The results with the kernel.
    head_model : HeadModel
        The head model of both.

    Returns
    -------
    mne.minimum_norm.InverseOperator
        The same operator. Its report keeps ``kernel_difference``, the relative difference of the
        estimates of random sensor vectors (None where there is no kernel, or MNE has no method for
        it), before a FIF file rounds the operator to single precision. Where that is above
        ``SAME_KERNEL``, :func:`~mne_bstinv.inverse_parameters` say ``'not comparable'`` with the
        reason, also after FIF files.
    """
    findings, parameters = Findings(), inverse_parameters(inv)
    difference = None
    if parameters.parity != NOT_COMPARABLE and results.imaging_kernel is not None:
        difference = _difference(inv, results, head_model, findings)
        if difference > SAME_KERNEL:
            reason = (
                f"The operator differs by {difference:.2g} from the kernel that the results file "
                "holds: the covariance, head model, projectors or channels of the study have "
                "changed since it was computed. Compute it again in Brainstorm."
            )
            findings.dropped("ImagingKernel", reason)
            changed = dataclasses.replace(parameters, parity=NOT_COMPARABLE, reason=reason)
            inv = with_parameters(inv, changed)
        else:
            findings.derived(
                "ImagingKernel",
                f"The operator gives the stored kernel up to {difference:.1e} in double precision "
                "(FIF files hold single precision).",
            )
    keep(findings, kernel_difference=difference)
    return attach_with_parts(findings, inv, [inv], what="results → InverseOperator")


def _difference(
    inv: Any, results: io.Results, head_model: io.HeadModel, findings: Findings
) -> float:
    kept, kernel = kept_of(inv), results.imaging_kernel
    assert kernel is not None
    noise = _noise(inv)
    white = np.random.default_rng(0).standard_normal((kernel.shape[1], _N_PROBES))
    # coloured like the noise, or channels of small numbers would count for nothing
    probes = noise.eigvec.T @ (np.sqrt(noise.eig)[:, None] * white)
    layout = layout_of_results(results, head_model.n_sources, head_model.grid_orient, findings)
    theirs = layout.to_head(kernel @ probes, kept["order"], kept["scs_to_head"][:3, :3])
    ours = _estimates(inv, probes)
    seen = np.isfinite(ours) & np.isfinite(theirs)  # a location that no channel sees is NaN
    return float(np.linalg.norm((ours - theirs)[seen]) / np.linalg.norm(theirs[seen]))


def _noise(inv: Any) -> NoiseSpectrum:
    return NoiseSpectrum(eig=inv["noise_cov"]["eig"], eigvec=inv["noise_cov"]["eigvec"])


def _estimates(inv: Any, data: FloatArray) -> FloatArray:
    """Estimates (n_sources[, 3], k) in head, as MNE computes them: √R V s / (s² + λ²) U' W data.

    dSPM and sLORETA divide a location by the norm of its rows of √R V w, with w = s / (s² + λ²)
    and s / (s² + λ²) · √(1 + s² / λ²) (the manual of MNE-Python, "The minimum-norm estimates").
    """
    parameters = inverse_parameters(inv)
    inv = for_averages(inv, 1)
    sing, fields, leads = inv["sing"], inv["eigen_fields"]["data"], inv["eigen_leads"]["data"]
    weights = sing / (sing**2 + parameters.lambda2)
    std = np.sqrt(inv["source_cov"]["data"])[:, None]
    p = 3 if parameters.pick_ori == "vector" else 1
    values = std * (leads @ (weights[:, None] * (fields @ (_noise(inv).whitener @ data))))
    values = parameters.factor * values.reshape(-1, p, data.shape[1])
    if parameters.method != "MNE":
        if parameters.method == "sLORETA":
            weights = weights * np.sqrt(1 + sing**2 / parameters.lambda2)
        power = (std[:, 0] ** 2 * (leads**2 @ weights**2)).reshape(-1, p).sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            values = values / np.sqrt(power)[:, None, None]
    if p == 1:
        return values[:, 0]
    return inv["source_nn"].reshape(-1, 3, 3).transpose(0, 2, 1) @ values
