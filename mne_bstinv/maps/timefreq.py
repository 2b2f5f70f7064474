"""Time–frequency maps: measures of complex coefficients, of sources, over files."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from mne_bstinv._types import AnyArray, FloatArray
from mne_bstinv.errors import MapError
from mne_bstinv.maps.arrays import as_map, choice

__all__ = ["average_timefreq", "measured", "source_timefreq"]


def measured(coefficients: ArrayLike, measure: str, n_components: int = 1) -> AnyArray:
    """Take the power or the magnitude of complex coefficients.

    Parameters
    ----------
    coefficients : array of complex, shape (n_rows, ...)
        The coefficients.
    measure : 'none' | 'power' | 'magnitude'
        What to take; ``'none'`` leaves complex numbers.
    n_components : int
        Rows a location: the measures of three components are added up.

    Returns
    -------
    array, shape (n_rows / n_components, ...)
        The measure.

    Raises
    ------
    MapError
        If the rows cannot hold the components.
    OptionError
        If the measure is unknown.
    """
    name = choice(measure, ("none", "power", "magnitude"), "measure")
    array = np.asarray(coefficients)
    if array.ndim < 1 or len(array) % n_components:
        raise MapError(f"{array.shape} rows cannot hold {n_components} components a location.")
    if name != "none":
        size = np.abs(array)
        array = size**2 if name == "power" else size
    if n_components == 1:
        return array
    return array.reshape(-1, n_components, *array.shape[1:]).sum(axis=1)


def source_timefreq(
    kernel: ArrayLike, coefficients: ArrayLike, measure: str = "power", n_components: int = 1
) -> AnyArray:
    """Make the time–frequency map of sources from that of the sensors.

    Parameters
    ----------
    kernel : array, shape (n_rows, n_channels)
        The imaging kernel.
    coefficients : array of complex, shape (n_channels, n_times, n_freqs)
        Coefficients of the kernel's channels (of a file with ``KERNEL`` in its name: its ``TF``).
    measure : 'none' | 'power' | 'magnitude'
        What to take of the estimates.
    n_components : int
        Rows a location: the measures of three components are added up.

    Returns
    -------
    array, shape (n_locations, n_times, n_freqs)
        The map.

    Raises
    ------
    MapError
        If the kernel does not fit the coefficients.
    OptionError
        If the measure is unknown.
    """
    matrix = as_map(kernel, "kernel")
    array = np.asarray(coefficients)
    if array.ndim < 2 or array.shape[0] != matrix.shape[1]:
        raise MapError(
            f"The kernel has {matrix.shape[1]} channels, the coefficients the shape {array.shape}."
        )
    return measured(np.tensordot(matrix, array, axes=1), measure, n_components)


def average_timefreq(
    maps: Sequence[ArrayLike],
    n_avg: ArrayLike | None = None,
    good: ArrayLike | None = None,
) -> tuple[AnyArray, FloatArray]:
    """Average time–frequency maps of several files.

    Parameters
    ----------
    maps : sequence of array, each of shape (n_rows, ...)
        The maps.
    n_avg : array, shape (n_files,) | None
        Averages in each file, which weight it; 1 by default.
    good : array of bool, shape (n_files, n_rows) | None
        Whether a row is good in a file; all by default.

    Returns
    -------
    mean : array, shape (n_rows, ...)
        Σ maps · n_avg / Σ n_avg, over the files in which the row is good; NaN for rows that are
        bad in all.
    total : array, shape (n_rows,)
        Σ n_avg of each row.

    Raises
    ------
    MapError
        If there is no map, or shapes differ.
    """
    arrays = [np.asarray(one) for one in maps]
    if len({one.shape for one in arrays}) != 1:
        raise MapError(f"Maps of one shape are needed, found {[one.shape for one in arrays]}.")
    n_rows = arrays[0].shape[0]
    weights = np.ones(len(arrays)) if n_avg is None else np.asarray(n_avg, dtype=np.float64)
    usable = np.ones((len(arrays), n_rows)) if good is None else np.asarray(good, dtype=np.float64)
    if weights.shape != (len(arrays),) or usable.shape != (len(arrays), n_rows):
        raise MapError(f"n_avg must have {len(arrays)} entries, good ({len(arrays)}, {n_rows}).")
    share = usable * weights[:, np.newaxis]
    total = share.sum(axis=0)
    wide = (slice(None),) + (np.newaxis,) * (arrays[0].ndim - 1)
    summed = np.zeros_like(arrays[0], dtype=np.result_type(arrays[0], np.float64))
    for one, part in zip(arrays, share, strict=True):
        # what is bad does not count, whatever it holds
        summed += np.where(part[wide] > 0, one, 0) * part[wide]
    with np.errstate(invalid="ignore", divide="ignore"):
        return summed / total[wide], total
