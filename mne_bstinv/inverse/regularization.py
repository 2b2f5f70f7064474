r"""The weight of the prior against the data: Brainstorm's Λ, MNE's λ², and the way between them.

Both toolboxes compute K = R G' (G R G' + λ² C)⁻¹. With the whitener W of the noise covariance C
and L = W G R^½ this is R^½ L' (L L' + μ I)⁻¹ W, and all that the two conventions do is to choose μ
for a source covariance R whose scale nobody knows:

* **Brainstorm** leaves R as it is and chooses a prior source variance Λ, so that μ = 1/Λ. An SNR
  says that the whitened signal of a channel, trace(Λ L L')/n on average over *all* n channels, is
  SNR²:  Λ = SNR² n / t  with t = trace(L L').  An RMS source amplitude says Λ = RMS².
* **MNE** scales R so that trace(L L') = r, the number of non-zero eigenvalues of the noise
  covariance, and uses λ² = 1/SNR² on it. Undoing the scale, μ = λ² t / r.

Setting both μ equal translates one into the other::

    SNR given:   t / (n SNR²) = λ² t / r   →   λ² = (r / n) / SNR²,   SNR² = (r / n) / λ²
    RMS given:   1 / Λ        = λ² t / r   →   λ² = r / (t Λ),        Λ = r / (t λ²)

The naive λ² = 1/SNR² is right at full rank only; else it is n/r times too large.
An SNR is a ratio of amplitudes in these formulas: a ratio of powers is its square, and decibels
are 20 log₁₀ of it.
"""

from __future__ import annotations

import math

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.errors import InverseError, OptionError

__all__ = [
    "SNR_SCALES",
    "convert_snr",
    "lambda2_from_brainstorm_snr",
    "lambda2_from_prior",
    "lambda2_from_snr",
    "lambda_from_rms",
    "lambda_from_snr",
    "lambda_from_trace",
    "prior_from_lambda2",
    "snr_from_lambda2",
]

#: Ways to state a signal-to-noise ratio.
SNR_SCALES = ("amplitude", "power", "dB")


def lambda_from_snr(s2: FloatArray, snr: float) -> float:
    """Prior source variance that gives a signal-to-noise ratio in the whitened data.

    Λ = SNR² / mean(S²), where the mean runs over *all* n eigenvalues of L L', zeros included.
    With independent sources of variance Λ and unit noise, the expected signal power a channel is
    Λ·mean(S²) (Hämäläinen & Ilmoniemi 1994); it is set equal to SNR².

    Parameters
    ----------
    s2 : array, shape (n_channels,)
        Eigenvalues of L L', in (A·m)⁻².
    snr : float
        Signal-to-noise ratio, as a ratio of amplitudes.

    Returns
    -------
    float
        Λ in (A·m)².

    Raises
    ------
    InverseError
        If all eigenvalues are zero: no source is seen by any channel.
    """
    mean = float(np.mean(s2))
    if mean <= 0:
        raise InverseError(
            "The whitened lead field is zero: no channel sees any source. Check that the head "
            "model was computed for the channels in use (data types)."
        )
    return snr**2 / mean


def lambda_from_trace(snr: float, trace: float, n_channels: int) -> float:
    """Prior source variance from an SNR and the trace of L L': Λ = SNR² n / t.

    Parameters
    ----------
    snr : float
        Brainstorm's signal-to-noise ratio (SnrFixed), as a ratio of amplitudes.
    trace : float
        Trace t of L L' in (A·m)⁻², L with Brainstorm's depth and orientation factor.
    n_channels : int
        Number of channels n.

    Returns
    -------
    float
        Λ in (A·m)².

    Raises
    ------
    OptionError
        If a value is not above 0.
    """
    _require_positive(snr=snr, trace=trace, n_channels=n_channels)
    return snr**2 * n_channels / trace


def lambda_from_rms(rms: float) -> float:
    """Prior source variance from an RMS source amplitude: Λ = RMS².

    Parameters
    ----------
    rms : float
        Source amplitude in A·m.

    Returns
    -------
    float
        Λ in (A·m)².
    """
    return rms**2


def lambda2_from_snr(snr: float) -> float:
    """Give the λ² that MNE's manual gives for an SNR: 1/SNR².

    Parameters
    ----------
    snr : float
        Signal-to-noise ratio, as a ratio of amplitudes.

    Returns
    -------
    float
        Lambda2 (dimensionless), for a source covariance scaled to trace(L L') = r.

    Raises
    ------
    OptionError
        If the SNR is not above 0.
    """
    _require_positive(snr=snr)
    return 1 / snr**2


def lambda2_from_brainstorm_snr(snr: float, rank: int, n_channels: int) -> float:
    """Give the λ² with which MNE computes Brainstorm's kernel: (r/n) / SNR².

    Parameters
    ----------
    snr : float
        Brainstorm's SnrFixed, as a ratio of amplitudes.
    rank : int
        Number r of non-zero eigenvalues of the noise covariance.
    n_channels : int
        Number of channels n.

    Returns
    -------
    float
        Lambda2 for MNE's ``apply_inverse``.

    Raises
    ------
    OptionError
        If a value is not above 0, or the rank exceeds the number of channels.
    """
    return _rank_ratio(rank, n_channels) * lambda2_from_snr(snr)


def snr_from_lambda2(lambda2: float, rank: int = 1, n_channels: int = 1) -> float:
    """Give the SnrFixed with which Brainstorm computes MNE's kernel: √((r/n) / λ²).

    Parameters
    ----------
    lambda2 : float
        MNE's λ².
    rank : int
        Number r of non-zero eigenvalues of the noise covariance.
    n_channels : int
        Number of channels n. With ``rank = n_channels`` (the defaults) the result is the SNR as
        MNE itself reads λ², 1/λ.

    Returns
    -------
    float
        Signal-to-noise ratio, as a ratio of amplitudes.

    Raises
    ------
    OptionError
        If a value is not above 0, or the rank exceeds the number of channels.
    """
    _require_positive(lambda2=lambda2)
    return math.sqrt(_rank_ratio(rank, n_channels) / lambda2)


def lambda2_from_prior(prior_variance: float, trace: float, rank: int) -> float:
    """Give MNE's λ² from Brainstorm's prior source variance: r / (t Λ).

    Parameters
    ----------
    prior_variance : float
        Λ in (A·m)²; RMS² where SnrMethod is ``rms``.
    trace : float
        Trace t of L L' in (A·m)⁻², L with Brainstorm's depth and orientation factor.
    rank : int
        Number r of non-zero eigenvalues of the noise covariance.

    Returns
    -------
    float
        Lambda2 for MNE's ``apply_inverse``.

    Raises
    ------
    OptionError
        If a value is not above 0.
    """
    _require_positive(prior_variance=prior_variance, trace=trace, rank=rank)
    return rank / (trace * prior_variance)


def prior_from_lambda2(lambda2: float, trace: float, rank: int) -> float:
    """Give Brainstorm's prior source variance from MNE's λ²: r / (t λ²).

    Parameters
    ----------
    lambda2 : float
        MNE's λ².
    trace : float
        Trace t of L L' in (A·m)⁻², L with Brainstorm's depth and orientation factor.
    rank : int
        Number r of non-zero eigenvalues of the noise covariance.

    Returns
    -------
    float
        Λ in (A·m)²; its root is the SnrRms in A·m.

    Raises
    ------
    OptionError
        If a value is not above 0.
    """
    return lambda2_from_prior(lambda2, trace, rank)  # the formula is its own inverse


def convert_snr(value: float, source: str, target: str = "amplitude") -> float:
    """Convert an SNR between a ratio of amplitudes, a ratio of powers, and decibels.

    Parameters
    ----------
    value : float
        The SNR; above 0, but for decibels.
    source, target : 'amplitude' | 'power' | 'dB'
        What it is, and what it shall become: power = amplitude², dB = 20 log₁₀(amplitude).

    Returns
    -------
    float
        The same SNR.

    Raises
    ------
    OptionError
        If a scale is unknown or the value is not possible on it.
    """
    for scale in (source, target):
        if scale not in SNR_SCALES:
            raise OptionError(
                f"Unknown scale of an SNR {scale!r}. Must be one of {', '.join(SNR_SCALES)}."
            )
    if source == "dB":
        if not math.isfinite(value):
            raise OptionError(f"An SNR in dB must be a finite number, found {value!r}.")
        amplitude = 10 ** (value / 20)
    else:
        _require_positive(snr=value)
        amplitude = math.sqrt(value) if source == "power" else value
    return {
        "amplitude": amplitude,
        "power": amplitude**2,
        "dB": 20 * math.log10(amplitude),
    }[target]


def _rank_ratio(rank: int, n_channels: int) -> float:
    _require_positive(rank=rank, n_channels=n_channels)
    if rank > n_channels:
        raise OptionError(
            f"The rank of a noise covariance is at most its number of channels, found rank {rank} "
            f"for {n_channels} channels."
        )
    return rank / n_channels


def _require_positive(**values: float) -> None:
    for name, value in values.items():
        if not (math.isfinite(value) and value > 0):
            raise OptionError(f"{name} must be a finite number above 0, found {value!r}.")
