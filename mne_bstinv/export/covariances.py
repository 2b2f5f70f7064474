"""Covariances of a condition: converted, or computed of data with Brainstorm's estimator."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from mne_bstinv import io
from mne_bstinv.adapters.files import kind_of, of_channels
from mne_bstinv.adapters.recordings import (
    Window,
    from_covariance,
    noise_cov_from,
    noise_window,
    with_moments,
)
from mne_bstinv.conversion import Findings, tell_again
from mne_bstinv.errors import ConversionError

__all__ = ["ALL_TIMES", "Windows", "covariance_of"]


@dataclass(frozen=True, kw_only=True)
class Windows:
    """The times that a covariance is computed from, s."""

    #: Window of the samples, see :func:`mne_bstinv.noise_cov_from`.
    samples: Window | None = None
    #: Window of the means.
    baseline: Window | None = None


ALL_TIMES = Windows()


def covariance_of(
    value: Any, channels: io.Channels, kind: str, times: Windows, findings: Findings
) -> io.NoiseCov | None:
    """Convert a covariance, or compute it of data, with all that Brainstorm reads of one.

    Its kind is ``'noise'`` or ``'data'``.
    """
    _refuse_idle_times(value, kind, times)
    if value is None:
        return None
    if isinstance(value, io.NoiseCov):
        converted = tell_again(value)
    else:
        what = f"{kind} covariance"
        if isinstance(value, list):  # the averages of one file
            value = [of_channels(one, channels, what, findings) for one in value]
        else:
            value = of_channels(value, channels, what, findings)
        if kind_of(value) == "covariance":
            converted = from_covariance(value, channels)
        else:
            converted = _computed(value, channels, kind, times, findings)
    if kind == "data" and converted.comment == "Noise covariance":
        converted = dataclasses.replace(converted, comment="Data covariance")
    return with_moments(converted, findings)


def _refuse_idle_times(value: Any, kind: str, times: Windows) -> None:
    """Refuse times of a covariance that is not computed here."""
    options = "--tmin, --tmax" if kind == "noise" else "--data-tmin, --data-tmax"
    said = {
        f"{kind}_window ({options})": times.samples,
        f"{kind}_baseline (--{'' if kind == 'noise' else 'data-'}baseline)": times.baseline,
    }
    idle = [name for name, window in said.items() if window is not None]
    of_data = value is not None and not isinstance(value, io.NoiseCov)
    if idle and not (of_data and kind_of(value) != "covariance"):
        raise ConversionError(
            f"{' and '.join(idle)} without effect: no {kind} covariance is computed from data. "
            f"Leave it out, or give the data as {kind}_cov (--{kind}-cov)."
        )


def _computed(
    value: Any, channels: io.Channels, kind: str, times: Windows, findings: Findings
) -> io.NoiseCov:
    """Compute a covariance from data; that of noise from what is before 0 unless told."""
    window = times.samples or (None, None)
    if kind == "noise":
        window = noise_window(value, times.samples, findings)
    return noise_cov_from(
        value,
        channels=channels,
        tmin=window[0],
        tmax=window[1],
        baseline=times.baseline,
    )
