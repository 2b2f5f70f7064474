"""MNE's own way to a kernel, with the settings that its user chose."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import mne
import numpy as np
from mne.io.constants import FIFF
from mne.proj import make_eeg_average_ref_proj, make_projector

from mne_bstinv._display import few
from mne_bstinv._types import BoolArray, FloatArray, IntArray
from mne_bstinv.adapters import _mne_private
from mne_bstinv.adapters.channel_names import is_available, match_channel_names
from mne_bstinv.adapters.equivalence.inputs import CommonInputs, Study, averages_of, common_inputs
from mne_bstinv.adapters.equivalence.kernels import operator_blocks
from mne_bstinv.adapters.equivalence.settings import MneSettings
from mne_bstinv.adapters.kept import kept_of
from mne_bstinv.adapters.recordings import to_covariance
from mne_bstinv.adapters.sensors import NO_SFREQ, is_reference, picked_info, to_info
from mne_bstinv.adapters.sources import to_lazy_forward, with_gain
from mne_bstinv.conversion import ConversionReport, conversion_report
from mne_bstinv.errors import ConversionError
from mne_bstinv.inverse.options import AnyOptions

__all__ = ["MneSide", "estimated_rank", "meg_and_electrodes", "mne_projector", "mne_side"]

#: Electrodes that MNE wants an average reference for.
_ELECTRODES = ("eeg", "seeg", "ecog")


@dataclass(frozen=True, kw_only=True, eq=False)
class MneSide:
    """The objects of an MNE user who starts from the same study.

    Parameters
    ----------
    common : CommonInputs
        The study and Brainstorm's study step.
    settings : MneSettings
        The settings.
    info : mne.Info
        The channels in use with their projections, the average reference of EEG among them.
    forward : mne.Forward
        The gain as the head model holds it, turned when it is asked for.
    noise_cov : mne.Covariance
        The covariance as the study holds it.
    nave : int
        Number of averages.
    reports : mapping of str to ConversionReport
        What the conversions dropped, assumed or derived.
    """

    common: CommonInputs
    settings: MneSettings
    info: mne.Info
    forward: Any
    noise_cov: mne.Covariance
    nave: int
    reports: Mapping[str, ConversionReport]

    def of_measure(self, options: AnyOptions, settings: MneSettings) -> MneSide:
        """Return the objects for another measure, which has no part in them.

        Parameters
        ----------
        options : InverseOptions | InverseOptions2009 | InverseOptions2016
            Brainstorm's options, which differ in the measure and its depth weights alone.
        settings : MneSettings
            MNE's settings, which differ in the method alone.

        Returns
        -------
        MneSide
            The same objects, the inverse operator among them if it was made.
        """
        prepared = replace(self.common.prepared, options=options)
        other = replace(self, common=replace(self.common, prepared=prepared), settings=settings)
        for name in ("inverse_operator", "noise_whitener"):
            if name in vars(self):
                vars(other)[name] = vars(self)[name]
        return other

    def projector(self, *, ssp: bool, reference: bool) -> FloatArray | None:
        """Return the operator of some of the projections.

        Parameters
        ----------
        ssp, reference : bool
            Whether to take the signal-space projections, and the average reference.

        Returns
        -------
        array, shape (n_channels, n_channels) | None
            The operator; ``None`` for neither.
        """
        if not (ssp or reference):
            return None
        return mne_projector(self.chosen(ssp=ssp, reference=reference), self.info["ch_names"])

    def chosen(self, *, ssp: bool, reference: bool) -> list[Any]:
        """Return some of the projections.

        Parameters
        ----------
        ssp, reference : bool
            Whether to take the signal-space projections, and the average reference.

        Returns
        -------
        list of mne.Projection
            Those projections.
        """
        return [p for p in self.info["projs"] if (reference if is_reference(p) else ssp)]

    def regularized(self) -> mne.Covariance:
        """Return the noise covariance as MNE regularises it.

        Returns
        -------
        mne.Covariance
            A new covariance, of the channels in use.
        """
        cov = _full(mne.pick_channels_cov(self.noise_cov, self.info["ch_names"], ordered=True))
        amount = self.settings.regularize
        if amount is None:
            return cov
        kinds = ("mag", "grad", "eeg", "seeg", "ecog")
        return mne.cov.regularize(
            cov, self.info, verbose="error", **dict.fromkeys(kinds, float(amount))
        )

    @cached_property
    def inverse_operator(self) -> Any:
        """The inverse operator that MNE makes.

        Its channels stand by type, the largest variances first. Their order has no meaning, but
        MNE decomposes the covariance of all MEG sensors at once, and of magnetometers among
        gradiometers the small eigenvalues drown in rounding: on 204 + 102 real sensors that costs
        1e-9 of the kernel in the order of the file, 4e-11 in this one.
        """
        settings = self.settings
        info = mne.pick_info(self.info, self._graded_order(), copy=True)
        names = info["ch_names"]
        forward = mne.pick_channels_forward(self.forward, names, ordered=True, verbose="error")
        forward = with_gain(forward)
        # locations that no channel sees have no depth weight: MNE divides by zero
        with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
            warnings.filterwarnings("ignore", message="The largest eigenvalue of")
            # bad channels of a projection: MNE renormalises, which is measured here
            warnings.filterwarnings("ignore", message="Projection vector")
            try:
                made = mne.minimum_norm.make_inverse_operator(
                    info,
                    forward,
                    self.regularized(),
                    loose=settings.loose,
                    fixed=settings.loose == 0,
                    depth=settings.depth.to_mne(),
                    rank=self._rank(),
                    use_cps=False,
                    verbose="error",
                )
            except ValueError as error:
                raise self._explained(error) from error
        # rounding, which dSPM and sLORETA would blow up to one: as large as they come
        leads = made["eigen_leads"]["data"]
        unseen = self._unseen[kept_of(self.forward)["order"]]
        leads[np.repeat(unseen, len(leads) // len(unseen))] = 0.0
        return made

    @property
    def _unseen(self) -> BoolArray:
        """Locations of the head model that no channel in use sees, shape (n_sources,)."""
        gain = self.common.prepared.regions[0].gain.array
        return ~gain.any(axis=0).reshape(-1, 3).any(axis=1)

    def _explained(self, error: ValueError) -> ValueError:
        """Say why MNE fails where it is known: the depth weight of a source without gain."""
        unseen = np.flatnonzero(self._unseen)
        if not unseen.size or self.settings.depth.exp == 0:
            return ConversionError(
                f"MNE refuses these settings: {error} Change what it objects to in mne_settings."
            )
        return ConversionError(
            f"MNE cannot weight depth here: {unseen.size} location(s), first {unseen[0] + 1} "
            f"(1-based), have no gain, and its weights become infinite ({error}). Leave these "
            "locations out of the head model, or compare with depth=None in the MNE settings."
        )

    @cached_property
    def noise_whitener(self) -> FloatArray:
        """Whitener (rank, n_channels) of the operator, channels as in Brainstorm's kernel."""
        noise = self.inverse_operator["noise_cov"]
        kept = noise["eig"] > 0
        rows = noise["eigvec"][kept] / np.sqrt(noise["eig"][kept])[:, None]
        return np.asarray(rows[:, match_channel_names(self.info["ch_names"], noise["names"])])

    def release(self) -> None:
        """Let go of the inverse operator, which is as large as a kernel; keep its whitener.

        It is made anew for another kernel.
        """
        if "inverse_operator" in vars(self):
            _ = self.noise_whitener
            del vars(self)["inverse_operator"]

    def _graded_order(self) -> IntArray:
        types = np.array(self.info.get_channel_types())
        variance = np.diag(self.common.prepared.noise.cov)
        mean = {kind: float(variance[types == kind].mean()) for kind in np.unique(types)}
        return np.argsort([-mean[kind] for kind in types], kind="stable")

    def _rank(self) -> dict[str, int] | None:
        return None if self.settings.rank is None else dict(self.settings.rank)

    def blocks(self) -> FloatArray:
        """Let MNE compute the kernel, and arrange it as Brainstorm would.

        Returns
        -------
        array, shape (n_sources, p, n_channels)
            The kernel with the averages of the settings; x, y, z in SCS unless fixed.
        """
        kept = kept_of(self.forward)
        prepared = self.common.prepared
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Projection vector")
            blocks = operator_blocks(
                self.inverse_operator,
                self.settings.lambda2,
                self.settings.method,
                order=kept["order"],
                rotation=np.asarray(kept["scs_to_head"])[:3, :3],
                names=prepared.channel_names,
                n_sources=prepared.n_sources,
            )
        scale = 1.0 if self.settings.method == "MNE" else np.sqrt(self.nave)
        return scale * blocks


def mne_side(
    study: Study,
    options: AnyOptions,
    settings: MneSettings,
    data_types: str | Sequence[str] | None,
    *,
    good_channels: Sequence[int] | None = None,
    n_avg: int | None = None,
) -> MneSide:
    """Convert a study as an MNE user would.

    Parameters
    ----------
    study : StudyData | SampleStudy
        The structures.
    options : InverseOptions | InverseOptions2009 | InverseOptions2016
        Brainstorm's options.
    settings : MneSettings
        MNE's settings.
    data_types : str | sequence of str | None
        Types of the channels to use.
    good_channels : sequence of int | None
        0-based channels to use instead.
    n_avg : int | None
        Averages that Brainstorm divides the noise by in 2009 and 2016; ``None`` takes those of the
        recordings.

    Returns
    -------
    MneSide
        The objects.

    Raises
    ------
    ConversionError
        If the study cannot be converted.
    """
    common = common_inputs(study, options, data_types, good_channels, n_avg)
    info = to_info(study.channels, sfreq=NO_SFREQ, channel_flag=common.channel_flag, mri=common.mri)
    forward = to_lazy_forward(
        common.head_model, study.channels, surface=common.surface, mri=common.mri, info=info
    )
    _require_gain(forward, common.prepared.channel_names)
    noise_cov = to_covariance(study.noise_cov, study.channels)
    _require_variance(noise_cov, common.prepared.channel_names)
    picks = match_channel_names(common.prepared.channel_names, info["ch_names"])
    picked = picked_info(info, picks)
    picked["bads"] = []
    return MneSide(
        common=common,
        settings=settings,
        info=_referenced(picked),
        forward=forward,
        noise_cov=noise_cov,
        nave=_nave(study, settings),
        reports={
            "channels → Info": conversion_report(info),
            "head model → Forward": conversion_report(forward),
            "noise covariance → Covariance": conversion_report(noise_cov),
        },
    )


def mne_projector(projs: Sequence[Any], names: Sequence[str]) -> FloatArray:
    """Return the operator of projections on some channels.

    Parameters
    ----------
    projs : sequence of mne.Projection
        The projections, applied already or not.
    names : sequence of str
        The channels: the vectors are restricted to them and normalised there.

    Returns
    -------
    array, shape (n_channels, n_channels)
        The operator; the identity where no projection touches the channels.

    Raises
    ------
    ConversionError
        If the projections leave nothing.
    """
    with warnings.catch_warnings():
        # vectors that lose channels are renormalised: a difference that is measured, not hidden
        warnings.filterwarnings("ignore", message="Projection vector")
        try:
            operator, _, _ = make_projector(list(projs), list(names))
        except RuntimeError as error:  # as many projectors as channels
            raise ConversionError(
                f"MNE's projectors leave nothing of the {len(names)} channel(s) in use ({error}) "
                "Use more channels, or other data types."
            ) from error
    return np.asarray(operator, dtype=np.float64)


def meg_and_electrodes(info: Any) -> dict[str, IntArray]:
    """Group the channels as MNE whitens them: MEG together, each type of electrode apart.

    Parameters
    ----------
    info : mne.Info
        The channels.

    Returns
    -------
    dict of str to array of int
        Positions of ``meg``, ``eeg``, ``seeg``, ``ecog``: those that there are.
    """
    kinds = np.array(["meg" if t in ("mag", "grad") else t for t in info.get_channel_types()])
    return {str(kind): np.flatnonzero(kinds == kind) for kind in dict.fromkeys(kinds.tolist())}


def estimated_rank(cov: FloatArray, info: Any, index: IntArray) -> int:
    """Let MNE estimate the rank of a covariance that is projected already.

    Parameters
    ----------
    cov : array, shape (n, n)
        Projected covariance of some channels.
    info : mne.Info
        All channels; its projections count as in MNE's estimate.
    index : array of int, shape (n,)
        0-based channels of the covariance.

    Returns
    -------
    int
        Their rank.
    """
    part = mne.pick_info(info, index, copy=True)
    block = mne.Covariance(cov, part["ch_names"], [], [], 1)
    return int(sum(mne.compute_rank(block, rank=None, info=part, verbose="error").values()))


def _require_gain(forward: Any, names: Sequence[str]) -> None:
    """Refuse channels that a Forward cannot hold: Brainstorm computes with a gain of zeros."""
    kept = kept_of(forward)
    present = {kept["channel_names"][i] for i in kept["rows"]}
    missing = [name for name in names if name not in present]
    if missing:
        raise ConversionError(
            f"The gain of channel(s) in use is zero: {few(missing)}. MNE has no gain for "
            "them: mark them bad, or leave them out with good_channels."
        )


def _require_variance(noise_cov: mne.Covariance, names: Sequence[str]) -> None:
    """Refuse channels that MNE's covariance lacks: before 2018 Brainstorm computes with zeros."""
    missing = [name for name in names if not is_available(name, noise_cov["names"])]
    if missing:
        raise ConversionError(
            f"The noise covariance of channel(s) in use is zero: {few(missing)} (bad when it was "
            "computed). MNE has no variance for them: mark them bad, or leave them out with "
            "good_channels."
        )


def _full(cov: mne.Covariance) -> mne.Covariance:
    """Write a diagonal covariance out: mne.cov.regularize takes no other."""
    data = np.diag(cov["data"]) if cov["data"].ndim == 1 else cov["data"]
    return mne.Covariance(data, cov["names"], bads=[], projs=cov["projs"], nfree=cov["nfree"])


def _referenced(info: mne.Info) -> mne.Info:
    """Have the average reference of all electrodes of a type in use, which MNE demands."""
    types = info.get_channel_types()
    complete = info.copy()
    with _mne_private.unlocked(complete):
        complete["custom_ref_applied"] = FIFF.FIFFV_MNE_CUSTOM_REF_OFF
        for kind in _ELECTRODES:
            names = {n for n, t in zip(info["ch_names"], types, strict=True) if t == kind}
            references = [p for p in complete["projs"] if is_reference(p)]
            covered = {n for p in references for n in p["data"]["col_names"]}
            if names - covered:
                # one that lacks some of them would not do, and with another it would count twice
                kept = [p for p in complete["projs"] if not _covers_some(p, names)]
                made = make_eeg_average_ref_proj(info, False, ch_type=kind, verbose="error")
                complete["projs"] = [*kept, made]
    return complete


def _covers_some(proj: Any, names: set[str]) -> bool:
    return is_reference(proj) and bool(names & set(proj["data"]["col_names"]))


def _nave(study: Study, settings: MneSettings) -> int:
    if settings.nave is not None:
        return int(settings.nave)
    if study.recordings is None:
        raise ConversionError(
            "nave=None takes that of the recordings, and the study has none. Give a number, or a "
            "study with recordings."
        )
    return averages_of(study)
