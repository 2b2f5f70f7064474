"""The prior source variance Λ that balances data against noise.

The whitened lead field L has L L' = U diag(S²) U'. With independent sources of variance Λ and
unit noise, the expected signal power a channel is Λ·mean(S²); it is set equal to SNR².
"""

from __future__ import annotations

import numpy as np

from mne_bstinv.errors import InverseError
from mne_bstinv.inverse._types import FloatArray

__all__ = ["lambda_from_rms", "lambda_from_snr"]


def lambda_from_snr(s2: FloatArray, snr: float) -> float:
    """Prior source variance that gives a signal-to-noise ratio in the whitened data.

    Λ = SNR² / mean(S²), where the mean runs over *all* n eigenvalues of L L', zeros included.

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
        raise InverseError("The whitened lead field is zero: no channel sees any source.")
    return snr**2 / mean


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
