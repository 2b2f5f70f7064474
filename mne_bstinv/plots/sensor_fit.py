"""What two estimates explain of the recordings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.plots.arguments import Arguments
from mne_bstinv.plots.style import SIDES, bare, legend_below, line_style, new_figure, not_shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_sensor_fit"]


@dataclass(frozen=True)
class _Kind:
    """How channels of a type are drawn: their name, the unit shown, and how many it has of SI."""

    name: str
    unit: str
    scale: float


_GRADIOMETERS = _Kind("planar gradiometers", "fT/cm", 1e13)
_MAGNETOMETERS = _Kind("magnetometers", "fT", 1e15)
#: By Brainstorm's and by MNE's names of types, in small letters.
_KINDS = {
    "meg grad": _GRADIOMETERS,
    "grad": _GRADIOMETERS,
    "meg mag": _MAGNETOMETERS,
    "mag": _MAGNETOMETERS,
    "meg": _Kind("MEG channels", "fT", 1e15),
    "eeg": _Kind("EEG channels", "µV", 1e6),
    "seeg": _Kind("SEEG channels", "µV", 1e6),
    "ecog": _Kind("ECoG channels", "µV", 1e6),
}


def plot_sensor_fit(
    times: FloatArray,
    measured: FloatArray,
    fit_a: FloatArray,
    fit_b: FloatArray,
    channel_types: Sequence[str],
    *,
    names: Sequence[str],
    title: str = "",
) -> Figure:
    """Draw the recordings and what two estimates predict of them, for each type of channel.

    The root mean square over the channels of a type is drawn; of EEG with the average as its
    reference this is the global field power [1]_. The explained variance is
    1 − Σ (y − ŷ)² / Σ y² over the channels of the type and all times, of the recordings in their
    own unit: that of all types together needs a whitener.

    Parameters
    ----------
    times : array, shape (n_times,)
        Times in s.
    measured : array, shape (n_channels, n_times)
        Recordings in SI units: T, T/m or V.
    fit_a, fit_b : array, shape (n_channels, n_times)
        What the estimates of both sides predict of the recordings, in the same units.
    channel_types : sequence of str, length n_channels
        Types of the channels as Brainstorm names them (``'MEG GRAD'``, ``'MEG MAG'``, ``'MEG'``,
        ``'EEG'``, ``'SEEG'``, ``'ECOG'``) or MNE (``'grad'``, ``'mag'``, ``'eeg'`` ...). ``'MEG'``
        and ``'mag'`` are in T, gradiometers in T/m.
    names : sequence of str, length 2
        The two sides.
    title : str
        Title of the figure.

    Returns
    -------
    Figure
        Recordings and fits on the left, residuals on the right, a row a type. Channels that are
        not finite somewhere are left out and counted.

    Raises
    ------
    SchemaError
        If the arrays do not have these shapes, or a type is unknown.

    References
    ----------
    .. [1] Lehmann and Skrandies, Electroencephalography and Clinical Neurophysiology 48, 609-621
           (1980).
    """
    given = Arguments("plot_sensor_fit")
    times = given.array("times", times, "n_times", finite=True)
    data = [
        given.array(name, values, "n_channels n_times")
        for name, values in (("measured", measured), ("fit_a", fit_a), ("fit_b", fit_b))
    ]
    types = [
        text.strip().lower() for text in given.texts("channel_types", channel_types, "n_channels")
    ]
    sides = given.pair(names)
    unknown = sorted(set(types) - set(_KINDS))
    if unknown:
        given.fault(
            f"channel_types holds {', '.join(map(repr, unknown))}, expected some of "
            f"{', '.join(_KINDS)} (capital letters do not matter)."
        )
    given.check()
    return _draw(1e3 * times, np.stack(data), types, sides, title)


def _draw(
    milliseconds: FloatArray,
    data: FloatArray,
    types: list[str],
    sides: tuple[str, str],
    title: str,
) -> Figure:
    kinds = list(dict.fromkeys(_KINDS[of] for of in types))
    figure = new_figure(0.5 + 2.9 * len(kinds), title)
    parts: Any = figure.subfigures(len(kinds), 1, squeeze=False)
    for part, kind in zip(parts[:, 0], kinds, strict=True):
        picks = [number for number, of in enumerate(types) if _KINDS[of] == kind]
        _draw_kind(part, milliseconds, data[:, picks], kind, sides)
    return figure


def _draw_kind(
    figure: Any, milliseconds: FloatArray, data: FloatArray, kind: _Kind, sides: tuple[str, str]
) -> None:
    """Draw one type of channel; data are (recordings and both fits, channels, times)."""
    complete = np.isfinite(data).all(axis=(0, 2))
    missing = not_shown(complete, "channels", "left out: not finite")
    figure.suptitle(f"{complete.size} {kind.name}" + (f" ({missing})" if missing else ""))
    left, right = figure.subplots(1, 2, sharey=True)
    data = kind.scale * data[:, complete]
    if complete.any():
        _draw_lines(left, right, milliseconds, data, sides)
        legend_below(figure, left)
    left.set_ylabel(f"RMS over channels ({kind.unit})")
    for axes, title in ((left, "recordings and fits"), (right, "residuals")):
        axes.set(xlabel="time (ms)", ylim=(0, None))
        axes.set_title(title, fontsize=10)
        bare(axes)


def _draw_lines(
    left: Any, right: Any, milliseconds: FloatArray, data: FloatArray, sides: tuple[str, str]
) -> None:
    recordings = data[0]
    look = line_style({"color": "black", "marker": "D"}, len(milliseconds))
    left.plot(milliseconds, _rms(recordings), label="recordings", **look)
    for fit, name, side in zip(data[1:], sides, SIDES, strict=True):
        look = line_style(side, len(milliseconds))
        label = f"{name} ({_explained(recordings, fit)})"
        left.plot(milliseconds, _rms(fit), label=label, **look)
        right.plot(milliseconds, _rms(recordings - fit), **look)


def _rms(values: FloatArray) -> FloatArray:
    return np.sqrt(np.mean(values**2, axis=0))


def _explained(measured: FloatArray, fit: FloatArray) -> str:
    size = float(np.sum(measured**2))
    if size == 0:
        return "recordings are zero"
    explained = 1 - float(np.sum((measured - fit) ** 2)) / size
    return f"explains {100 * explained:.2f} % of the variance, not whitened".replace("-", "−", 1)
