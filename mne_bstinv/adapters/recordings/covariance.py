"""Covariances: Brainstorm's ``noisecov_*.mat`` and ``ndatacov_*.mat`` ⇄ :class:`mne.Covariance`.

Brainstorm stores all channels of the channel file, zeros where nothing was computed; MNE stores
the channels that were, by name. Values and units are the same on both sides.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import mne
import numpy as np
from mne.utils import verbose

from mne_bstinv import io
from mne_bstinv._display import few
from mne_bstinv._types import FloatArray, IntArray, Verbose
from mne_bstinv.adapters.channel_names import match_channel_names, mne_names
from mne_bstinv.adapters.kept import keep, kept_of
from mne_bstinv.adapters.recordings.continuous import covariance_of
from mne_bstinv.adapters.recordings.noise_estimator import NOTHING_COUNTED, estimate, gather, span
from mne_bstinv.continuous import Reading
from mne_bstinv.conversion import Findings, converts
from mne_bstinv.errors import ConversionError, OptionError

__all__ = ["from_covariance", "noise_cov_from", "to_covariance", "with_moments"]

#: Degrees of freedom where nothing says how many; MNE needs an int.
_UNKNOWN_NFREE = 1

#: Asymmetry, relative to the standard deviations, that is rounding.
_ROUNDING = 1e-10


@converts
@verbose
def to_covariance(
    noise_cov: io.NoiseCov,
    channels: io.Channels,
    *,
    channel_flag: IntArray | Sequence[int] | None = None,
    projs: Sequence[mne.Projection] | None = None,
    verbose: Verbose = None,
) -> Any:
    """Convert a noise or data covariance to MNE.

    Parameters
    ----------
    noise_cov : NoiseCov
        Covariance of all channels, (n_channels, n_channels), T², (T/m)², V².
    channels : Channels
        Channel file: the names.
    channel_flag : array of int, shape (n_channels,) | None
        1 good, −1 bad: the bad ones that have a covariance become ``bads``.
    projs : sequence of mne.Projection | None
        Projections that the *recordings* of the covariance had gone through. MNE keeps them with
        a covariance for information. Projectors that Brainstorm applies on the fly are not among
        them: it computes covariances from the recordings as stored.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    mne.Covariance
        The channels that were computed (whose rows are not all zero), in the order of the channel
        file. A covariance without any value off the diagonal is one-dimensional, as MNE makes
        and reads diagonal ones, so that functions that treat them apart do so here too.

    Raises
    ------
    ConversionError
        If the covariance is not of these channels, holds NaN or infinity for some that have other
        values, or nothing but zeros and NaN.

    Notes
    -----
    ``nfree`` is nSamples − 1, Brainstorm's divisor. Where nSamples differs between channels
    (recordings with different bad channels), the smallest one counts. The report names
    the dropped channels; the whole structure (with nSamples and FourthMoment, which MNE has no
    place for) is kept as ``noise_cov``.
    """
    names = _check_pair(noise_cov, channels)
    findings = Findings()
    matrix = noise_cov.noise_cov
    known = np.where(np.isnan(matrix), 0.0, matrix)  # a row of NaN alone is none, as one of zeros
    computed = np.flatnonzero(known.any(axis=0) | known.any(axis=1))
    if computed.size == 0:
        raise ConversionError(
            "NoiseCov is zero for all channels: nothing was computed. "
            "Compute the noise covariance in Brainstorm."
        )
    missing = np.setdiff1d(np.arange(len(names)), computed)
    if missing.size:
        listed = ", ".join(names[i] for i in missing)
        nothing = "zeros" if np.isfinite(matrix).all() else "zeros or NaN"
        findings.dropped("NoiseCov", f"rows of {nothing}, no covariance was computed: {listed}")
    data = matrix[np.ix_(computed, computed)]
    _refuse_gaps(data, tuple(names[i] for i in computed))
    _report_asymmetry(data, findings)
    diagonal = np.diag(data)
    if len(data) > 1 and not (data - np.diag(diagonal)).any():
        data = diagonal.copy()
    if noise_cov.fourth_moment is not None:
        findings.dropped("FourthMoment", "MNE has no place for it; kept in the report")
    flags = np.ones(len(names)) if channel_flag is None else np.ravel(channel_flag)
    if flags.size != len(names):
        raise ConversionError(
            f"ChannelFlag has {flags.size} values, expected one for each of the {len(names)} "
            "channels of the channel file. Take both from one study."
        )
    keep(findings, noise_cov=noise_cov)
    covariance = mne.Covariance(
        data,
        [names[i] for i in computed],
        bads=[names[i] for i in computed if flags[i] < 0],
        projs=[] if projs is None else list(projs),
        nfree=_nfree(noise_cov, computed, findings),
    )
    return findings.attach(covariance, what="NoiseCov → Covariance")


@converts
@verbose
def from_covariance(
    cov: mne.Covariance, channels: io.Channels, *, verbose: Verbose = None
) -> io.NoiseCov:
    """Convert an MNE covariance to Brainstorm.

    Parameters
    ----------
    cov : mne.Covariance
        The covariance, full or diagonal.
    channels : Channels
        Channel file of the study: its channels, in its order, become rows and columns. Names are
        matched by rule (:func:`mne_bstinv.match_channel_names`).
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    NoiseCov
        Covariance of all channels of the channel file, zeros for those that ``cov`` does not
        have. nSamples, FourthMoment, Comment and History are those the covariance was converted
        from where its values are still the same; else those of ``with_moments``, nSamples
        from ``nfree`` + 1.

    Raises
    ------
    ConversionError
        If a channel of ``cov`` is not in the channel file; the message lists them.
    """
    findings = Findings()
    index = match_channel_names(cov["names"], channels.names)
    data = np.asarray(cov["data"], dtype=np.float64)
    matrix = np.zeros((len(channels), len(channels)))
    matrix[np.ix_(index, index)] = np.diag(data) if data.ndim == 1 else data
    if cov["projs"]:
        findings.dropped(
            "projs",
            f"{len(cov['projs'])} projections: Brainstorm's projectors are in channel files",
        )
    if cov["bads"]:
        findings.dropped(
            "bads", f"recordings hold bad channels, covariances do not: {', '.join(cov['bads'])}"
        )
    what = "Covariance → NoiseCov"
    kept = kept_of(cov).get("noise_cov")
    if isinstance(kept, io.NoiseCov) and np.array_equal(kept.noise_cov, matrix):
        return findings.attach(dataclasses.replace(kept, noise_cov=matrix), what=what)
    missing = np.setdiff1d(np.arange(len(channels)), index)
    if missing.size:
        listed = ", ".join(channels.names[i] for i in missing)
        findings.assumed("NoiseCov", f"zeros for the channels the covariance lacks: {listed}")
    if isinstance(kept, io.NoiseCov):
        if _holds(kept, matrix, index):
            return findings.attach(_part_of(kept, matrix, index), what=what)
        findings.dropped(
            "FourthMoment", "values or channels changed since the conversion from Brainstorm"
        )
    converted = io.NoiseCov(
        noise_cov=matrix,
        comment="Noise covariance",
        n_samples=_n_samples(cov.get("nfree"), findings),
    )
    return findings.attach(with_moments(converted, findings), what=what)


def _holds(kept: io.NoiseCov, matrix: FloatArray, index: IntArray) -> bool:
    """Tell whether a covariance is that of some channels of the one it was converted from."""
    pairs = np.ix_(index, index)
    same_file = kept.n_channels == len(matrix)
    return same_file and np.array_equal(kept.noise_cov[pairs], matrix[pairs])


def _part_of(kept: io.NoiseCov, matrix: FloatArray, index: IntArray) -> io.NoiseCov:
    """Return the covariance of some channels, with their moments and counts."""
    pairs = np.ix_(index, index)
    fourth, counts = kept.fourth_moment, kept.n_samples
    if fourth is not None:
        moments = np.zeros_like(fourth)
        moments[pairs] = fourth[pairs]
        fourth = moments
    if isinstance(counts, np.ndarray):
        numbers = np.full_like(counts, NOTHING_COUNTED)
        numbers[pairs] = counts[pairs]
        counts = numbers
    return dataclasses.replace(kept, noise_cov=matrix, fourth_moment=fourth, n_samples=counts)


def with_moments(cov: io.NoiseCov, findings: Findings) -> io.NoiseCov:
    r"""Fill in the fourth moments and numbers of samples that a covariance lacks.

    Brainstorm reads both of a data covariance without asking, in every inverse, and both of a
    noise covariance for its regularisation ``shrink``.

    Parameters
    ----------
    cov : NoiseCov
        The covariance.
    findings : Findings
        Takes what is assumed.

    Returns
    -------
    NoiseCov
        With FourthMoment and nSamples of every pair of channels, (n_channels, n_channels). Where
        they are unknown, FourthMoment is that of Gaussian signals of covariance C,
        :math:`M_{ij} = C_{ii} C_{jj} + 2 C_{ij}^2` (Isserlis 1918), and nSamples is 2, as
        Brainstorm writes where nothing was counted.
    """
    matrix = cov.noise_cov
    values: dict[str, Any] = {}
    if cov.n_samples is None:
        findings.assumed(
            "nSamples",
            "2: how many samples it was computed from is unknown. With so few NoiseMethod 'shrink' "
            "replaces the covariance by a multiple of the identity: use another.",
        )
    if cov.n_samples is None or np.size(cov.n_samples) == 1:
        count = NOTHING_COUNTED if cov.n_samples is None else float(np.ravel(cov.n_samples)[0])
        computed = matrix.any(axis=0)
        pairs = np.outer(computed, computed)
        values["n_samples"] = np.where(pairs, count, NOTHING_COUNTED)
    if cov.fourth_moment is None:
        findings.assumed(
            "FourthMoment",
            "that of Gaussian signals of this covariance: MNE-Python has none, and Brainstorm "
            "needs one. NoiseMethod 'shrink' shrinks as much as it would Gaussian signals.",
        )
        variances = np.diag(matrix)
        values["fourth_moment"] = np.outer(variances, variances) + 2 * matrix**2
    return dataclasses.replace(cov, **values)


@converts
@verbose
def noise_cov_from(
    inst: Any,
    *,
    channels: io.Channels | None = None,
    tmin: float | None = None,
    tmax: float | None = None,
    baseline: tuple[float | None, float | None] | None = None,
    offset: str = "block",
    projectors: bool = True,
    compensation: bool = True,
    verbose: Verbose = None,
) -> io.NoiseCov:
    r"""Compute a covariance from MNE data with Brainstorm's estimator.

    Parameters
    ----------
    inst : Raw | Epochs | Evoked | sequence of them
        The recordings. A Raw, an Evoked and each epoch of an Epochs count as one file.
    channels : Channels | None
        Channel file: gives rows, columns and types. ``None`` takes the channels of the first
        ``inst``.
    tmin, tmax : float | None
        Time window of the samples, in seconds of the times of each ``inst`` (of a Raw: from its
        start), both ends included and moved to the nearest sample; ``None`` is the end of the
        recording. For noise in epochs or averages give ``tmax=0.0``, which leaves the response
        out; :func:`mne_bstinv.export_study` and :func:`mne_bstinv.convert_file` do by default.
    baseline : tuple | None
        Time window over which the mean of each channel is taken, likewise. ``None`` takes the
        window of the samples: Brainstorm's rule for noise covariances. Its data covariances use
        the two different windows that their History names.
    offset : 'block' | 'all'
        Of a Raw: whether the mean is that of each block of 10,000 samples, or of all. Brainstorm
        calls it “block by block” and “globally”.
    projectors : bool
        Of a Raw: whether projectors that are not applied yet are, as Brainstorm does.
    compensation : bool
        Of a Raw: whether CTF data are compensated, as Brainstorm does.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    NoiseCov
        Covariance of all channels with FourthMoment and nSamples.

    Raises
    ------
    ConversionError
        If nothing is left to compute from, a window is outside of the recordings, or a channel
        of ``inst`` is not in the channel file.

    Notes
    -----
    With :math:`\tilde F_f` the samples of file :math:`f` in the window, minus the mean over the
    baseline of that file (and not over all files), and :math:`l_f` its effective number of
    averages (1 for a Raw and an epoch),

    .. math::

        C_{ij} = \frac{1}{N_{ij} - 1} \sum_f l_f \sum_t \tilde F_{f,it} \tilde F_{f,jt}
        \qquad
        M_{ij} = \frac{1}{N_{ij} - 1} \sum_f l_f \sum_t \tilde F_{f,it}^2 \tilde F_{f,jt}^2

    over the files where both channels are good (``inst.info['bads']``), :math:`N_{ij}` their
    samples (not weighted). Where nothing was counted, C and M are 0 and nSamples is 2. Channels of
    type MEG, EEG, ECOG and SEEG are computed, reference sensors and others are not.

    Of an Evoked that was converted from Brainstorm, :math:`l_f` is its Leff, else ``nave``.

    Samples in segments annotated as bad are left out. One Raw is read as Brainstorm reads a
    continuous file: in blocks of 10,000 samples, compensated and projected; of other data
    projections that are not applied stay so.
    """
    findings = Findings()
    if isinstance(inst, mne.io.BaseRaw):
        reading = Reading(projectors=projectors, compensation=compensation)
        estimated = covariance_of(
            inst, channels, (tmin, tmax), baseline,
            offset=offset, reading=reading, findings=findings,
        )  # fmt: skip
        names = tuple(inst.ch_names) if channels is None else channels.names
        start, end = float(inst.first_time), float(inst.times[-1])
        first = start + (0.0 if tmin is None else max(tmin, 0.0))
        last = start + (end if tmax is None else min(tmax, end))
        findings.derived(
            "NoiseCov",
            f"computed from [{first:g}, {last:g} s] of 1 recordings, less the means of "
            f"{'each block' if offset == 'block' else 'all blocks'}",
        )
        return _with_gaps(estimated, names, findings)
    if offset != "block" or not (projectors and compensation):
        raise OptionError(
            "offset, projectors and compensation: of one Raw only, without effect here. Leave them "
            "out."
        )
    files, names = gather(inst, channels, findings)
    estimated = estimate(files, len(names), tmin, tmax, baseline)
    empty = np.flatnonzero(~estimated.noise_cov.any(axis=0))
    if empty.size == len(names):
        raise ConversionError(
            "No covariance: no good MEG, EEG, ECOG or SEEG channel with samples. "
            "Check the bad channels and the types."
        )
    offset = "of the same times" if baseline is None else f"over [{span(files, baseline)}]"
    findings.derived(
        "NoiseCov",
        f"computed from [{span(files, (tmin, tmax))}] of {len(files)} recordings, less the means "
        f"{offset}",
    )
    return _with_gaps(estimated, names, findings)


def _with_gaps(estimated: io.NoiseCov, names: tuple[str, ...], findings: Findings) -> io.NoiseCov:
    """Name the channels that were not computed."""
    empty = np.flatnonzero(~estimated.noise_cov.any(axis=0))
    if empty.size:
        findings.assumed("NoiseCov", f"zeros: {', '.join(names[i] for i in empty)}")
    return findings.attach(estimated, what="recordings → NoiseCov")


def _check_pair(noise_cov: io.NoiseCov, channels: io.Channels) -> tuple[str, ...]:
    names, n = mne_names(channels), noise_cov.n_channels
    if len(names) != n:
        raise ConversionError(
            f"The covariance has {n} channels, the channel file {len(names)}: not of one study. "
            "Take all files from one study."
        )
    return names


def _refuse_gaps(data: FloatArray, names: tuple[str, ...]) -> None:
    """Refuse values that are not finite between channels (n, n) that have others."""
    invalid = np.flatnonzero(~np.isfinite(data).all(axis=0))
    if invalid.size:
        listed = few(names[i] for i in invalid)
        raise ConversionError(
            f"NoiseCov is not finite for {listed}. "
            "Mark these channels bad, or compute the covariance again."
        )


def _report_asymmetry(data: FloatArray, findings: Findings) -> None:
    std = np.sqrt(np.abs(np.diag(data)))
    relative = np.abs(data - data.T) / np.maximum(np.outer(std, std), np.finfo(float).tiny)
    if relative.max() > _ROUNDING:
        findings.assumed(
            "NoiseCov",
            f"not symmetric (by {relative.max():.2g} of the standard deviations): FIF files keep "
            "the lower triangle",
        )


def _nfree(noise_cov: io.NoiseCov, computed: IntArray, findings: Findings) -> int:
    samples = noise_cov.n_samples
    if samples is None:
        findings.assumed("nfree", f"nSamples is empty: {_UNKNOWN_NFREE} is taken")
        return _UNKNOWN_NFREE
    counts: FloatArray = np.asarray(samples, dtype=np.float64)
    if counts.size > 1:
        counts = np.diag(counts)[computed]
    smallest, largest = counts.min(), counts.max()
    if smallest != largest:
        findings.assumed(
            "nfree",
            f"nSamples runs from {smallest:g} to {largest:g} over the channels: the smallest is "
            "taken",
        )
    nfree = max(int(np.floor(smallest)) - 1, _UNKNOWN_NFREE)
    findings.derived("nfree", f"nSamples − 1 = {nfree}, Brainstorm's divisor")
    return nfree


def _n_samples(nfree: int | None, findings: Findings) -> float | None:
    # MNE's ways to say unknown: 0 from make_ad_hoc_cov, -1 from files; 1 is ours, see to_covariance
    if nfree is None or nfree <= _UNKNOWN_NFREE:
        return None
    findings.derived("nSamples", f"nfree + 1 = {nfree + 1} for all channels")
    return float(nfree + 1)
