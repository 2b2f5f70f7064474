"""Normalisation by a baseline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from mne_bstinv._types import FloatArray
from mne_bstinv.errors import MapError
from mne_bstinv.maps.arrays import as_map, choice, samples_between

__all__ = ["BASELINE_METHODS", "BASELINE_UNITS", "normalize_baseline"]

#: Formula of each method: values x, and m and s, mean and standard deviation over the baseline.
_FORMULAS: dict[str, Callable[[FloatArray, FloatArray, FloatArray], FloatArray]] = {
    "zscore": lambda x, m, s: (x - m) / s,
    "ersd": lambda x, m, s: (x - m) / m * 100,
    "bl": lambda x, m, s: x - m,
    "divmean": lambda x, m, s: x / m,
    "db": lambda x, m, s: 10 * np.log10(np.abs(x / m)),
    "contrast": lambda x, m, s: (x - m) / (x + m),
}
#: The methods, by Brainstorm's names.
BASELINE_METHODS = tuple(_FORMULAS)
#: The unit of a normalised map, where it is not the unit of the map before (``bl``).
BASELINE_UNITS = {"zscore": "z", "ersd": "%", "divmean": "", "db": "dB", "contrast": ""}


def normalize_baseline(
    values: ArrayLike,
    times: ArrayLike,
    baseline: Sequence[float | None] | None,
    method: Literal["zscore", "ersd", "bl", "divmean", "db", "contrast"] = "zscore",
) -> FloatArray:
    """Normalise each row by its baseline.

    Parameters
    ----------
    values : array, shape (n_rows, n_times) or (n_rows, n_times, n_freqs)
        Estimates, recordings or power: time is the second dimension. Of sources with three
        components each row is normalised alone; take norms first
        (:func:`~mne_bstinv.absolute_sources`) for Brainstorm's option "absolute values".
    times : array, shape (n_times,)
        Times in s.
    baseline : tuple of float | None
        First and last time of the baseline in s: the nearest samples, both included. None for all
        samples, None in it for the first or last.
    method : 'zscore' | 'ersd' | 'bl' | 'divmean' | 'db' | 'contrast'
        The formula, by Brainstorm's name; see the notes.

    Returns
    -------
    array, shape of values
        The normalised values: in standard deviations (``zscore``), per cent (``ersd``), dB
        (``db``), without a unit (``divmean``, ``contrast``), in the unit of the values (``bl``).

    Raises
    ------
    MapError
        If the values are no array of real numbers with as many samples as there are times.
    OptionError
        If the method is unknown or the baseline is wrong.

    Notes
    -----
    With m and s the mean and the standard deviation (divided by N − 1; exactly 0 becomes 1e-12)
    of the row over the baseline (specification):

    =========== =======================================
    method      values
    =========== =======================================
    zscore      (x − m) / s
    ersd        (x − m) / m · 100
    bl          x − m
    divmean     x / m
    db          10 · log10 abs(x / m)
    contrast    (x − m) / (x + m)
    =========== =======================================

    A mean of 0 gives infinite or undefined (NaN) values, as the formula says.

    Examples
    --------
    >>> import numpy as np
    >>> from mne_bstinv.maps import normalize_baseline
    >>> normalize_baseline([[1.0, 3.0, 8.0]], [-0.2, -0.1, 0.0], (-0.2, -0.1), "bl")
    array([[-1.,  1.,  6.]])
    """
    formula = _FORMULAS[choice(method, BASELINE_METHODS, "method")]
    array = _timed(values)
    samples = samples_between(times, baseline, array.shape[1], "baseline")
    before = array[:, samples]
    mean = before.mean(axis=1, keepdims=True)
    spread = before.std(axis=1, ddof=1, keepdims=True) if before.shape[1] > 1 else mean * 0
    spread = np.where(spread == 0, 1e-12, spread)
    with np.errstate(divide="ignore", invalid="ignore"):
        return formula(array, mean, spread)


def _timed(values: ArrayLike) -> FloatArray:
    """Return values with time as their second dimension as float64, or refuse them."""
    array = np.asarray(values)
    if array.ndim == 3 and array.dtype.kind in "fiub":
        return array.astype(np.float64, copy=False)
    if array.ndim > 3:
        raise MapError(f"values must have 2 or 3 dimensions, found shape {array.shape}.")
    return as_map(values)
