"""What to hand to MNE-Python so that it computes Brainstorm's kernel.

The translation of every convention is exact; where the definitions themselves differ (loose dSPM,
sLORETA with three components, scans with three components) the class says so. Source of the
translations: the algebra in :mod:`mne_bstinv.inverse.regularization`, MNE-Python's documentation
and source (BSD-3-Clause), and measurements on kernels that Brainstorm computed.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import mne
import numpy as np

from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.adapters.channel_names import match_channel_names
from mne_bstinv.adapters.equivalence.code import beamformer_call, minimum_norm_call
from mne_bstinv.adapters.equivalence.inputs import (
    CommonInputs,
    GathersStudy,
    Study,
    common_inputs,
    require_study,
)
from mne_bstinv.adapters.equivalence.kernels import beamformer_blocks, operator_blocks
from mne_bstinv.adapters.equivalence.mne_objects import (
    MneObjects,
    copied,
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
    data_info,
    inverse_parameters,
    to_inverse_operator,
)
from mne_bstinv.adapters.sources import with_gain
from mne_bstinv.errors import ConversionError, OptionError
from mne_bstinv.inverse import InverseOptions2009, compute_kernel
from mne_bstinv.inverse.options import AnyOptions

__all__ = ["MneEquivalent", "equivalent_of", "mne_equivalent"]


#: Ratio of singular values of a location's gain beyond which MNE wants ``reduce_rank``; its own is
#: 1e6 of the whitened gain, with a margin for the whitening.
_BLIND = 1e4

_SCAN = (
    "the kernel is MNE's unit-gain LCMV filter times one number a location, the norm of its "
    "whitened gain"
)

_FREE_SCAN = (
    "Brainstorm's three rows are in the basis of the singular vectors of the whitened gain, whose "
    "signs and order are arbitrary; MNE's are along the axes. They span the same space where all "
    "three directions are seen: K = diag(SourceDecompSa) SourceDecompVa' times MNE's vector filter"
)


@dataclass(frozen=True, kw_only=True, eq=False)
class MneEquivalent:
    """Everything that MNE needs to compute Brainstorm's kernel, and how equal it will be.

    Parameters
    ----------
    options : InverseOptions | InverseOptions2009 | InverseOptions2016
        Brainstorm's options.
    parity : 'exact' | 'equal up to a stated factor' | 'not comparable'
        How far the two toolboxes agree when told the same.
    factor : float | array, shape (n_sources,)
        Brainstorm's estimate is this times MNE's: √Λ in A·m for sLORETA, a number a location for
        ``gls`` and ``lcmv``, else 1.
    reason : str
        Why not exact; empty if it is.
    info : mne.Info
        The channels of the kernel without bad ones; its only projections are average references
        (a vector of zeros where Brainstorm's whitener keeps a common potential: it satisfies
        MNE's checks and changes nothing).
    unturned : mne.Forward
        :attr:`forward` with a gain that is turned when it is asked for, and takes no memory before.
    noise_cov : mne.Covariance
        The regularised noise covariance of reduced rank, sensor types apart: pinv(W W'). For scans
        the same as ``data_cov``: unit-gain filters do not depend on it, MNE only whitens with it.
    data_cov : mne.Covariance | None
        For scans the covariance that Brainstorm whitens with: of the data for ``lcmv``, of the
        noise for ``gls``.
    arguments : mapping
        Further arguments of ``make_inverse_operator`` or ``make_lcmv``.
    lambda2 : float | None
        Regularisation for ``apply_inverse``; ``None`` for scans.
    method : str
        ``'MNE'``, ``'dSPM'``, ``'sLORETA'`` or ``'LCMV'``.
    pick_ori : str | None
        ``'vector'`` where there are three components a location.
    nave : int
        Averages to say: 1; in 2009 and 2016 those of the recordings. Brainstorm's dSPM maps are for
        one sample since 2018, unless its process "Scale averaged dSPM" multiplied them by √Leff.
    no_public_call : str
        Why ``make_inverse_operator`` cannot be told this; empty where it can. The operator of
        :meth:`twin` gives the kernel nevertheless.
    order : array of int, shape (n_used,)
        0-based location of the head model of each of MNE's sources.
    rotation : array, shape (3, 3)
        Rotation from SCS to head.
    channel_names : tuple of str
        Brainstorm's names of the kernel's channels.
    n_sources : int
        Locations of the head model.
    direct : mne.minimum_norm.InverseOperator | None
        The operator built directly, see :func:`~mne_bstinv.to_inverse_operator`.
    """

    options: AnyOptions
    parity: str
    factor: float | FloatArray
    reason: str
    info: mne.Info
    unturned: Any
    noise_cov: mne.Covariance
    data_cov: mne.Covariance | None
    arguments: Mapping[str, Any]
    lambda2: float | None
    method: str
    pick_ori: str | None
    nave: int
    no_public_call: str
    order: IntArray
    rotation: FloatArray
    channel_names: tuple[str, ...]
    n_sources: int
    direct: Any = None

    def __repr__(self) -> str:
        number = "" if self.lambda2 is None else f", lambda2 {self.lambda2:.6g}"
        return f"<MneEquivalent | {self.method}{number}, {self.parity}>"

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self))}</p><pre>{escape(self.code)}</pre>"

    @property
    def forward(self) -> Any:
        """The forward solution, made when it is asked for.

        Free-orientation gain, projected and referenced as Brainstorm does; of fixed orientation
        for scans that are. Double precision.
        """
        return with_gain(self.unturned)

    @property
    def code(self) -> str:
        """The ready-to-run Python: ``equivalent`` is this object, ``evoked`` the recordings."""
        return minimum_norm_call(self) if self.lambda2 is not None else beamformer_call(self)

    def make(self) -> Any:
        """Run the public call: ``make_inverse_operator``, or ``make_lcmv`` for scans.

        Returns
        -------
        mne.minimum_norm.InverseOperator | mne.beamformer.Beamformer
            What MNE made.

        Raises
        ------
        ConversionError
            If no public call can be told these options; the message says why.
        """
        if self.no_public_call:
            raise ConversionError(
                f"MNE's public functions cannot be told these options: {self.no_public_call}. "
                "Use twin(), the operator that is built directly."
            )
        arguments = copied(self.arguments)
        with warnings.catch_warnings():
            # the unregularised covariance of a noise method may span more than ten decades
            warnings.filterwarnings("ignore", message="The largest eigenvalue of", append=False)
            if self.lambda2 is None:
                return mne.beamformer.make_lcmv(
                    self.info, self.forward, self.data_cov, noise_cov=self.noise_cov,
                    verbose="error", **arguments,
                )  # fmt: skip
            return mne.minimum_norm.make_inverse_operator(
                self.info, self.forward, self.noise_cov, verbose="error", **arguments
            )

    def twin(self) -> Any:
        """Return the operator that is built directly, in double precision.

        Returns
        -------
        mne.minimum_norm.InverseOperator
            The operator of :func:`~mne_bstinv.to_inverse_operator`.

        Raises
        ------
        ConversionError
            If the options ask for a scan, which has no operator.
        """
        if self.direct is None:
            raise ConversionError(
                f"InverseMethod {self.options.method!r} is no minimum norm and has no operator: "
                "use make(), which returns MNE's LCMV filters."
            )
        return self.direct

    def prepare(self, evoked: Any) -> Any:
        """Return recordings as the operator wants them, unchanged in value.

        Parameters
        ----------
        evoked : mne.Evoked
            Recordings as Brainstorm's file stores them, with at least the kernel's channels.

        Returns
        -------
        mne.Evoked
            A copy of the kernel's channels with ``nave`` 1 and no projection but the average
            reference of :attr:`info`, not applied.

        Raises
        ------
        ConversionError
            If channels are missing.
        """
        picks = match_channel_names(self.info["ch_names"], evoked.ch_names)
        return mne.EvokedArray(
            evoked.data[picks],
            data_info(self.info, self.info["projs"], sfreq=evoked.info["sfreq"]),
            tmin=evoked.times[0],
            nave=self.nave,
            comment=evoked.comment,
            verbose="error",
        )

    def blocks(self, route: str = "twin", *, made: Any = None) -> FloatArray:
        """Let MNE compute the kernel, and arrange it as Brainstorm would.

        Parameters
        ----------
        route : 'twin' | 'public'
            With the operator built directly, or with the public call (for scans always).
        made : mne.minimum_norm.InverseOperator | mne.beamformer.Beamformer | None
            What :meth:`make` returned, not to be made anew.

        Returns
        -------
        array, shape (n_sources, p, n_channels)
            The kernel, the factor included; p is 1 where all locations are fixed, else 3: x, y, z
            in SCS.

        Raises
        ------
        ConversionError
            If there is no such route; the message says why.
        """
        if route not in ("twin", "public"):
            raise ConversionError(f"Unknown route {route!r}. Must be 'twin' or 'public'.")
        places: dict[str, Any] = {
            "order": self.order,
            "rotation": self.rotation,
            "names": self.channel_names,
            "n_sources": self.n_sources,
        }
        if self.lambda2 is None:
            filters = self.make() if made is None else made
            blocks = beamformer_blocks(filters, self.info, **places)
        else:
            operator = self.twin() if route == "twin" else made or self.make()
            blocks = operator_blocks(operator, self.lambda2, self.method, **places)
            if route == "public" and self.method != "MNE":  # of one sample
                blocks *= np.sqrt(self.nave)
        return np.asarray(self.factor).reshape(-1, 1, 1) * blocks


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
    twin = to_inverse_operator(
        common.head_model, study.noise_cov, study.channels, prepared.options,
        good_channels=prepared.channel_indices, surface=common.surface, mri=common.mri,
        info=objects.all_info, src=objects.forward["src"], n_avg=prepared.noise_averages,
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
            "reduce_rank": not fixed and _has_blind_direction(forward),
        },
        lambda2=None,
        method="LCMV",
        pick_ori=None if fixed else "vector",
        no_public_call="",
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
