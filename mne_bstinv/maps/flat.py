"""Flat maps: three components of a location made one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from mne_bstinv._display import Displayed
from mne_bstinv._types import FloatArray
from mne_bstinv.errors import MapError, OptionError
from mne_bstinv.inverse.regions import ScoutLike
from mne_bstinv.maps.arrays import RowGroup, as_files, as_map, choice, row_groups
from mne_bstinv.maps.components import (
    covariances_of_window,
    first_directions,
    legacy_component,
    power_kept,
    towards,
)

__all__ = [
    "FlatDirections",
    "absolute_sources",
    "apply_directions",
    "flat_directions",
    "flatten_sources",
]

_METHODS = ("norm", "pca", "pcaa", "pcai")

Regions = Sequence[ScoutLike]
Window = Sequence[float | None]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class FlatDirections(Displayed):
    """The direction of each location that a principal component analysis chose."""

    #: One array a file, (n_free, 3): unit vectors x, y, z of the locations with three components,
    #: in the order of their rows; NaN where the estimates are not finite.
    directions: tuple[FloatArray, ...]
    #: What part of the variance over the window the directions hold: one number for ``pcaa``,
    #: one a file for ``pcai``.
    power_kept: tuple[float, ...]

    def _summary(self) -> str:
        kept = ", ".join(f"{100 * part:.1f} %" for part in self.power_kept)
        return f"{len(self.directions[0])} locations, {kept} of the power kept"


def flatten_sources(
    values: ArrayLike | Sequence[ArrayLike],
    n_components: int,
    method: Literal["norm", "pca", "pcaa", "pcai"] = "norm",
    *,
    regions: Regions | None = None,
    times: ArrayLike | None = None,
    window: Window | None = None,
    baseline: Window | None = None,
    remove_dc: bool = True,
) -> FloatArray | list[FloatArray]:
    """Make one row of the three rows of each location.

    Parameters
    ----------
    values : array, shape (n_rows, n_times) | sequence of array
        The estimates: rows 3i, 3i+1, 3i+2 are x, y, z of location i. Several files (one
        subject's, in the order of their names, as Brainstorm sorts them) share their reference
        direction under ``'pcaa'`` and ``'pcai'``; the other methods treat each alone. A kernel is
        multiplied with its recordings first.
    n_components : int
        Rows a location: 3, or 0 for a mixed model.
    method : 'norm' | 'pca' | 'pcaa' | 'pcai'
        ``'norm'``: √(x² + y² + z²). ``'pcaa'``: the first principal component of the mean, over
        the files, of each location's covariance. ``'pcai'``: the one of each file's own
        covariance, turned towards that reference. ``'pca'``: the first principal component of the
        whole time, as Brainstorm had it before 2023. No mean is removed from what is returned.
    regions : sequence of Scout | None
        The regions of a mixed model (``results.grid_atlas.scouts``): locations of constrained
        regions keep their row.
    times : array, shape (n_times,) | None
        Times in s; needed for windows.
    window : tuple of float | None
        First and last time of the covariances in s (the nearest samples, both included); None for
        all samples. ``'pcaa'`` and ``'pcai'`` only.
    baseline : tuple of float | None
        The window in s whose mean is removed before the covariances; None for all samples.
    remove_dc : bool
        Whether to remove that mean (Brainstorm's ``RemoveDcOffset``: ``'file'`` or ``'none'``).

    Returns
    -------
    array, shape (n_locations, n_times) | list of array
        The flat map, in the unit of the values; a list if several files were given.

    Raises
    ------
    MapError
        If the values are no arrays of real numbers whose rows fit the components.
    OptionError
        If the method is unknown, the locations have one component already, or a window is wrong.

    Notes
    -----
    The conventions are Brainstorm's (specification). Results of its process have one component
    (``nComponents`` 1; 0 stays 0, with regions that end in C).

    Examples
    --------
    >>> import numpy as np
    >>> from mne_bstinv.maps import flatten_sources
    >>> flatten_sources(np.array([[3.0, 0.0], [4.0, 0.0], [0.0, 2.0]]), 3)
    array([[5., 2.]])
    """
    method_ = choice(method, _METHODS, "method")
    files, several = as_files(values)
    groups = _free_groups(len(files[0]), n_components, regions)
    if method_ in ("pcaa", "pcai"):
        found = flat_directions(
            files,
            n_components,
            method_,  # type: ignore[arg-type]
            regions=regions,
            times=times,
            window=window,
            baseline=baseline,
            remove_dc=remove_dc,
        )
        flat = [
            _along(file, groups, directions)
            for file, directions in zip(files, found.directions, strict=True)
        ]
    else:
        reduce = _norms if method_ == "norm" else _legacy_components
        flat = [_reduced(file, groups, reduce) for file in files]
    return flat if several else flat[0]


def flat_directions(
    values: ArrayLike | Sequence[ArrayLike],
    n_components: int,
    method: Literal["pcaa", "pcai"] = "pcaa",
    *,
    regions: Regions | None = None,
    times: ArrayLike | None = None,
    window: Window | None = None,
    baseline: Window | None = None,
    remove_dc: bool = True,
) -> FlatDirections:
    """Find the direction of largest variance of each location.

    Parameters
    ----------
    values : array, shape (n_rows, n_times) | sequence of array
        The estimates of one or several files; see :func:`mne_bstinv.flatten_sources`.
    n_components : int
        Rows a location: 3, or 0 for a mixed model.
    method : 'pcaa' | 'pcai'
        One direction for all files, or one for each.
    regions : sequence of Scout | None
        The regions of a mixed model.
    times : array, shape (n_times,) | None
        Times in s; needed for windows.
    window : tuple of float | None
        First and last time of the covariances in s; None for all samples.
    baseline : tuple of float | None
        The window in s whose mean is removed; None for all samples.
    remove_dc : bool
        Whether to remove that mean.

    Returns
    -------
    FlatDirections
        Unit vectors, an array a file, and the part of the power that they keep.

    Raises
    ------
    MapError
        If the values are no arrays of real numbers whose rows fit the components.
    OptionError
        If the method is unknown, the locations have one component already, or a window is wrong.

    Notes
    -----
    The covariance of a location's three rows x is Σ (x − m)(x − m)' / (N − 1) over the N samples
    of ``window``, m the mean over ``baseline``. The reference is the first eigenvector of the mean
    of the files' covariances, with the sign that makes the sum of its elements positive.
    (Specification.)
    """
    choice(method, ("pcaa", "pcai"), "method")
    files, _ = as_files(values)
    groups = _free_groups(len(files[0]), n_components, regions)
    covariances = [
        covariances_of_window(
            _free_parts(file, groups),
            times=times,
            window=window,
            baseline=baseline,
            remove_dc=remove_dc,
        )
        for file in files
    ]
    mean = np.mean(covariances, axis=0)
    reference = first_directions(mean)
    if method == "pcaa":
        return FlatDirections(directions=(reference,) * len(files), power_kept=(power_kept(mean),))
    own = tuple(towards(first_directions(cov), reference) for cov in covariances)
    return FlatDirections(directions=own, power_kept=tuple(map(power_kept, covariances)))


def apply_directions(
    values: ArrayLike,
    directions: ArrayLike,
    n_components: int = 3,
    *,
    regions: Regions | None = None,
) -> FloatArray:
    """Project the three rows of each location on one direction.

    Parameters
    ----------
    values : array, shape (n_rows, n_columns)
        Estimates, or an imaging kernel: the kernel of the flat map is the flat kernel.
    directions : array, shape (n_free, 3)
        The direction of each location of three components, such as those of
        ``flat_directions``.
    n_components : int
        Rows a location: 3, or 0 for a mixed model.
    regions : sequence of Scout | None
        The regions of a mixed model.

    Returns
    -------
    array, shape (n_locations, n_columns)
        The flat map or kernel.

    Raises
    ------
    MapError
        If the arrays do not fit each other.
    OptionError
        If the locations have one component already.
    """
    array = as_map(values)
    groups = _free_groups(len(array), n_components, regions)
    vectors = as_map(directions, "directions")
    n_free = sum(len(group.locations) for group in groups if group.n_components == 3)
    if vectors.shape != (n_free, 3):
        raise MapError(f"directions must have the shape ({n_free}, 3), found {vectors.shape}.")
    return _along(array, groups, vectors)


def absolute_sources(
    values: ArrayLike, n_components: int = 1, *, regions: Regions | None = None
) -> FloatArray:
    """Take absolute values of a map: of three components the norm.

    Parameters
    ----------
    values : array, shape (n_rows, n_times)
        The estimates.
    n_components : int
        Rows a location: 1, 3, or 0 for a mixed model.
    regions : sequence of Scout | None
        The regions of a mixed model.

    Returns
    -------
    array, shape (n_locations, n_times)
        The absolute values, in the unit of the values.

    Raises
    ------
    MapError
        If the values are no array of real numbers whose rows fit the components.
    OptionError
        If the number of components is wrong.
    """
    array = as_map(values)
    groups = row_groups(len(array), n_components, regions)
    return np.abs(_reduced(array, groups, _norms))


def _free_groups(n_rows: int, n_components: int, regions: Regions | None) -> list[RowGroup]:
    groups = row_groups(n_rows, n_components, regions)
    if all(group.n_components == 1 for group in groups):
        raise OptionError("The map has one component a location: it is flat already.")
    return groups


def _free_parts(values: FloatArray, groups: Sequence[RowGroup]) -> FloatArray:
    """Return the locations of three components, (n_free, 3, n_times)."""
    return np.concatenate([group.split(values) for group in groups if group.n_components == 3])


def _reduced(
    values: FloatArray, groups: Sequence[RowGroup], reduce: Callable[[FloatArray], FloatArray]
) -> FloatArray:
    """Reduce (n_locations, 3, n_times) of free groups to a row a location; others keep theirs."""
    return np.concatenate(
        [
            values[group.rows] if group.n_components == 1 else reduce(group.split(values))
            for group in groups
        ]
    )


def _along(values: FloatArray, groups: Sequence[RowGroup], directions: FloatArray) -> FloatArray:
    left = iter(directions)

    def projected(parts: FloatArray) -> FloatArray:
        own = np.array([next(left) for _ in range(len(parts))])
        return np.einsum("lc,lct->lt", own, parts)

    return _reduced(values, groups, projected)


def _norms(parts: FloatArray) -> FloatArray:
    return np.sqrt((parts**2).sum(axis=1))


def _legacy_components(parts: FloatArray) -> FloatArray:
    """Components (n_locations, n_times); NaN where the estimates are not finite."""
    flat = np.full((len(parts), parts.shape[2]), np.nan)
    for location in np.flatnonzero(np.isfinite(parts).all(axis=(1, 2))):
        flat[location] = legacy_component(parts[location])
    return flat
