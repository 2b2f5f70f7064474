"""Regular time axes."""

from __future__ import annotations

import numpy as np

from mne_bstinv.conversion import Findings
from mne_bstinv.errors import ConversionError
from mne_bstinv.io.values import FloatArray

__all__ = ["same_times", "sampling_frequency"]

#: Irregularity of Time that is rounding: a fraction of the sampling period.
_IRREGULAR = 1e-3
#: Distance (fraction) to a whole number of Hz that is rounding.
_WHOLE = 1e-9


def sampling_frequency(
    time: FloatArray | None, n_times: int, sfreq: float | None, findings: Findings
) -> float:
    """Return the sampling frequency of a time axis.

    Parameters
    ----------
    time : array, shape (n_times,) | None
        Time of each sample, s.
    n_times : int
        Number of samples.
    sfreq : float | None
        Sampling frequency of an Info it must agree with, Hz.
    findings : Findings
        Takes what is assumed.

    Returns
    -------
    float
        Sampling frequency, Hz.

    Raises
    ------
    ConversionError
        If Time is absent, of another length or irregular, or does not agree with ``sfreq``.
    """
    if time is None or len(time) != n_times:
        found = "is empty" if time is None else f"has {len(time)} values"
        raise ConversionError(
            f"Time {found}, expected one for each of the {n_times} samples of F. Import the "
            "recordings again, or mend Time."
        )
    if n_times == 1:
        used = 1000.0 if sfreq is None else sfreq
        findings.assumed("Time", f"one sample has no sampling frequency: {used:g} Hz is taken")
        return used
    period = (time[-1] - time[0]) / (n_times - 1)
    regular = time[0] + period * np.arange(n_times)
    if not period > 0 or np.abs(time - regular).max() > _IRREGULAR * period:
        steps = np.diff(time)
        raise ConversionError(
            f"Time is not regular (steps of {steps.min():.6g} to {steps.max():.6g} s), and MNE has "
            "one sampling frequency: resample the recordings first."
        )
    found_sfreq = float(1 / period)
    if abs(found_sfreq - round(found_sfreq)) <= _WHOLE * found_sfreq:
        found_sfreq = float(round(found_sfreq))
    if sfreq is None:
        return found_sfreq
    # the last sample may be off by the same fraction of a sample
    if abs(sfreq - found_sfreq) * (n_times - 1) > _IRREGULAR * found_sfreq:
        raise ConversionError(
            f"Time has a sampling frequency of {found_sfreq:.9g} Hz, the given Info {sfreq:.9g} "
            "Hz. Give the Info of these recordings, or none."
        )
    return float(sfreq)


def same_times(first: FloatArray | None, second: FloatArray | None) -> bool:
    """Tell whether two regular time axes are the same but for rounding."""
    if first is None or second is None or len(first) != len(second):
        return False
    if len(first) < 2:
        return bool(np.allclose(first, second, rtol=0, atol=1e-9))
    period = abs(first[-1] - first[0]) / (len(first) - 1)
    return bool(np.abs(first - second).max() <= _IRREGULAR * period)
