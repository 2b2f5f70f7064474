"""Brainstorm's options in MNE-Python's terms: what it is told to compute the same kernel.

The translation of every convention is exact; where the definitions themselves differ (loose dSPM,
sLORETA with three components, scans with three components) the class says so. Source of the
translations: the algebra in :mod:`mne_bstinv.inverse.regularization`, MNE-Python's documentation
and source (BSD-3-Clause), and measurements on kernels that Brainstorm computed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.adapters.equivalence.equivalent import MneEquivalent
from mne_bstinv.adapters.equivalence.inputs import (
    CommonInputs,
    GathersStudy,
    Study,
    common_inputs,
    require_study,
)
from mne_bstinv.adapters.equivalence.mne_objects import (
    MneObjects,
    covariance_of,
    fixed_forward,
    minimum_norm_arguments,
    mne_objects,
    ranks_by_type,
    whitening_of_data,
)
from mne_bstinv.adapters.kept import kept_of
from mne_bstinv.adapters.operators import (
    METHODS,
    NOT_COMPARABLE,
    UP_TO_FACTOR,
    inverse_parameters,
    operator_of_prepared,
)
from mne_bstinv.adapters.sources import with_gain
from mne_bstinv.conversion import Findings
from mne_bstinv.errors import OptionError
from mne_bstinv.inverse import InverseOptions2009, compute_kernel
from mne_bstinv.inverse.options import AnyOptions

__all__ = ["equivalent_of", "mne_equivalent"]


#: Ratio of singular values of a location's gain beyond which MNE wants ``reduce_rank``; its own is
#: 1e6 of the whitened gain, with a margin for the whitening.
_BLIND = 1e4

_SCAN = (
    "the kernel is MNE's unit-gain LCMV filter times one number a location, the norm of its "
    "whitened gain"
)

_TOO_FEW = "make_lcmv takes free orientations of three channels or more"

_FREE_SCAN = (
    "Brainstorm's three rows are in the basis of the singular vectors of the whitened gain, whose "
    "signs and order are arbitrary; MNE's are along the axes. They span the same space where all "
    "three directions are seen: K = diag(SourceDecompSa) SourceDecompVa' times MNE's vector filter"
)


def mne_equivalent(
    options: AnyOptions | Mapping[str, Any] | None,
    study: Study | GathersStudy,
    *,
    data_types: str | Sequence[str] | None = None,
    good_channels: Sequence[int] | None = None,
    n_avg: int | None = None,
) -> MneEquivalent:
    """Translate Brainstorm's options into what MNE has to be told to compute the same kernel.

    Parameters
    ----------
    options : InverseOptions | InverseOptions2009 | InverseOptions2016 | mapping | None
        Brainstorm's options, as for :func:`mne_bstinv.compute_kernel`.
    study : StudyData | SampleStudy | StudyCondition
        The structures: ``head_model``, ``noise_cov``, ``channels``, and where present
        ``recordings`` (for the bad channels), ``cortex``, ``mri``, ``data_cov``.
    data_types : str | sequence of str | None
        Types of the channels to use; needed unless ``good_channels`` is given.
    good_channels : sequence of int | None
        0-based channels to use instead.
    n_avg : int | None
        Averages that the inverses of 2009 and 2016 divide the noise by; ``None`` takes those of the
        recordings. A kernel that several recordings share is of one sample: 1.

    Returns
    -------
    MneEquivalent
        Info, Forward, Covariance, the arguments, the class of parity and the factor.

    Raises
    ------
    ConversionError
        If the structures cannot be converted.
    InverseError
        If the inverse cannot be computed.
    OptionError
        If an option is unknown or out of range.

    Notes
    -----
    ===========================  ==========================================================
    Brainstorm                   MNE
    ===========================  ==========================================================
    projectors, reference        in the gain of ``forward`` and in ``noise_cov``
    NoiseMethod, NoiseReg, rank  ``noise_cov`` = pinv(W W') by sensor type, ``rank``
    SourceOrient, Loose          ``loose`` = 0, Loose², 1; ``use_cps=False``
    WeightExp, WeightLimit       ``depth``: exp = WeightExp, limit = WeightLimit^(1/WeightExp),
                                 ``combine_xyz='fro'``, ``limit_depth_chs=False``
    SnrFixed                     ``lambda2`` = (r/n) / SnrFixed²
    SnrRms                       ``lambda2`` = r / (t SnrRms²)
    Leff                         ``nave`` = 1
    nAvg (2009, 2016)            ``nave`` = nAvg
    Loose, WeightLimit of 2009   ``loose`` = Loose, limit = WeightLimit: as in MNE
    SNR of 2009                  ``lambda2`` = 1/SNR²: as in MNE
    ===========================  ==========================================================
    """
    study = require_study(study)
    return equivalent_of(study, common_inputs(study, options, data_types, good_channels, n_avg))


def equivalent_of(
    study: Study, common: CommonInputs, objects: MneObjects | None = None
) -> MneEquivalent:
    """Translate the options that the study step was run with, as :func:`mne_equivalent` does.

    Parameters
    ----------
    study : Study
        The structures.
    common : CommonInputs
        What the study step made of them.
    objects : MneObjects | None
        What :func:`mne_objects` makes of it, or of one that differs in the measure alone.

    Returns
    -------
    MneEquivalent
        Info, Forward, Covariance, the arguments, the class of parity and the factor.

    Raises
    ------
    ConversionError, InverseError, OptionError
        As :func:`mne_equivalent`.
    """
    prepared, scan = common.prepared, not common.prepared.options.is_minimum_norm
    if scan and isinstance(prepared.options, InverseOptions2009):
        raise OptionError(
            f"InverseMethod {prepared.options.method!r} of 2009 has no counterpart in MNE: choose "
            "wmne, dspm, sloreta or mnej."
        )
    objects = mne_objects(study, common) if objects is None else objects
    kept = kept_of(objects.forward)
    shared: dict[str, Any] = {
        "options": prepared.options,
        "info": objects.info,
        "noise_cov": objects.noise_cov,
        "nave": int(prepared.noise_averages),
        "order": kept["order"],
        "rotation": np.asarray(kept["scs_to_head"])[:3, :3],
        "channel_names": prepared.channel_names,
        "n_sources": prepared.n_sources,
    }
    if scan:
        return _scan_equivalent(study, common, objects, shared)
    twin = operator_of_prepared(
        prepared, common.head_model, study.channels, objects.all_info, Findings(),
        surface=common.surface, mri=common.mri, src=objects.forward["src"],
    )  # fmt: skip
    parameters = inverse_parameters(twin)
    arguments, no_call = minimum_norm_arguments(prepared, objects)
    return MneEquivalent(
        parity=parameters.parity,
        factor=parameters.factor,
        reason=parameters.reason,
        unturned=objects.forward,
        data_cov=None,
        arguments=arguments,
        lambda2=parameters.lambda2,
        method=METHODS[str(prepared.options.measure)],
        pick_ori=parameters.pick_ori,
        no_public_call=no_call,
        direct=twin,
        **shared,
    )


def _scan_equivalent(
    study: Study,
    common: CommonInputs,
    objects: MneObjects,
    shared: dict[str, Any],
) -> MneEquivalent:
    prepared = common.prepared
    fixed = all(region.orient == "fixed" for region in prepared.regions)
    parity, reason = NOT_COMPARABLE, f"{_FREE_SCAN}."
    factor: float | FloatArray = 1.0
    if fixed:
        parity, reason = UP_TO_FACTOR, f"gls, lcmv, fixed orientation: {_SCAN}."
        factor = _scan_factor(study, common)
    forward = with_gain(objects.forward)
    too_few = not fixed and forward["nchan"] < 3
    reason, no_call = (f"{_TOO_FEW}.", _TOO_FEW) if too_few else (reason, "")
    of_noise = prepared.options.method == "gls"
    data = objects.noise if of_noise else whitening_of_data(prepared, objects.noise)
    data_cov = covariance_of(data, prepared, objects.info)
    # unit-gain filters do not depend on the noise covariance, MNE only whitens with it: with the
    # data covariance in its place one rank holds for both
    shared["noise_cov"] = data_cov
    return MneEquivalent(
        parity=parity,
        factor=factor,
        reason=reason,
        unturned=fixed_forward(forward, prepared) if fixed else objects.forward,
        data_cov=data_cov,
        arguments={
            "reg": 0.0,
            "rank": ranks_by_type(data, objects.info),
            "pick_ori": None if fixed else "vector",
            "weight_norm": None,
            "depth": None,
            # a sphere is blind to the radial direction: MNE refuses to invert it
            "reduce_rank": not (fixed or too_few) and _has_blind_direction(forward),
        },
        lambda2=None,
        method="LCMV",
        pick_ori=None if fixed else "vector",
        no_public_call=no_call,
        **shared,
    )


def _has_blind_direction(forward: Any) -> bool:
    """Whether MNE finds a location of which no sensor sees some direction (its rule, 1e-6)."""
    gain = forward["sol"]["data"].T.reshape(-1, 3, forward["nchan"])
    strengths = np.linalg.svd(gain, compute_uv=False)
    return bool((strengths[:, 0] > _BLIND * strengths[:, 2]).any())


def _scan_factor(study: Study, common: CommonInputs) -> FloatArray:
    """Norm of the whitened gain of each location, with the sign that the kernel's row has."""
    prepared = common.prepared
    result = compute_kernel(
        common.head_model,
        study.noise_cov,
        study.channels,
        options=prepared.options,
        good_channels=prepared.channel_indices,
        data_cov=common.data_cov if prepared.options.method == "lcmv" else None,
        n_avg=prepared.noise_averages,
    )
    factor = np.full(prepared.n_sources, np.nan)
    norms, signs = result.source_decomp_sa, result.source_decomp_va
    if norms is not None and signs is not None:  # a scan has both
        factor[result.row_location] = np.ravel(norms) * np.ravel(signs)
    return factor
