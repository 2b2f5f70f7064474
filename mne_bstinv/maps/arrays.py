"""The arrays that all maps are made of: rows of locations over time, checked once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from mne_bstinv._types import AnyArray, FloatArray, IntArray
from mne_bstinv.errors import MapError, OptionError
from mne_bstinv.inverse.regions import ScoutLike, mixed_regions

__all__ = [
    "RowGroup",
    "as_files",
    "as_map",
    "choice",
    "positive",
    "row_groups",
    "samples_between",
]


def as_map(values: ArrayLike, name: str = "values", *, complex_too: bool = False) -> AnyArray:
    """Return rows over time (n_rows, n_times) as float64 (or complex128), or refuse them."""
    try:
        array = np.asarray(values)
    except ValueError as error:  # rows of different lengths
        raise MapError(f"{name} must be a rectangular array: {error}.") from error
    kinds = "fiubc" if complex_too else "fiub"
    if array.ndim != 2 or array.dtype.kind not in kinds:
        numbers = "numbers" if complex_too else "real numbers"
        raise MapError(
            f"{name} must be an array (n_rows, n_times) of {numbers}, found shape {array.shape} "
            f"and type {array.dtype}."
        )
    wide = np.complex128 if array.dtype.kind == "c" else np.float64
    return array.astype(wide, copy=False)


def as_files(values: ArrayLike | Sequence[ArrayLike]) -> tuple[list[FloatArray], bool]:
    """Return the maps of one or several files, and whether they came as several.

    Several are a list or tuple of arrays (or an array of three dimensions); all have the same rows.
    """
    several = isinstance(values, list | tuple) and len(values) > 0 and np.ndim(values[0]) == 2
    several = several or getattr(values, "ndim", 0) == 3
    if not several:
        return [as_map(values)], False  # type: ignore[arg-type]
    files = [as_map(value, f"values[{i}]") for i, value in enumerate(values)]  # type: ignore[arg-type]
    rows = {len(file) for file in files}
    if len(rows) != 1:
        raise MapError(f"All files must have the same rows, found {sorted(rows)} rows.")
    return files, True


def choice(value: str, choices: Sequence[str], name: str) -> str:
    """Return a value that is one of the choices (any case), or refuse it."""
    lower = value.lower() if isinstance(value, str) else value
    if lower not in choices:
        raise OptionError(f"{name} must be one of {', '.join(choices)}, found {value!r}.")
    return lower


def positive(numbers: ArrayLike, name: str) -> FloatArray:
    """Return positive finite numbers as a vector, or refuse them."""
    array = np.asarray(numbers, dtype=np.float64).reshape(-1)
    if len(array) == 0 or not (np.isfinite(array).all() and (array > 0).all()):
        raise OptionError(f"{name} must hold positive numbers, found {numbers!r}.")
    return array


def samples_between(
    times: ArrayLike | None, bounds: Sequence[float | None] | None, n_times: int, name: str
) -> slice:
    """Return the samples from the one nearest to the first bound to the one nearest to the second.

    Both are included; no bounds stand for all samples, a bound None for the end. Of two samples
    at the same distance the first counts.
    """
    if bounds is None or len(bounds) == 0:
        return slice(0, n_times)
    if times is None:
        raise OptionError(f"{name} was given in seconds: times are needed too.")
    array = np.asarray(times, dtype=np.float64).reshape(-1)
    if len(array) != n_times:
        raise MapError(f"times must hold {n_times} samples as the values do, found {len(array)}.")
    if len(bounds) != 2:
        raise OptionError(f"{name} must be two times in seconds, found {bounds!r}.")
    start, stop = (
        end if bound is None else _nearest(array, bound, name)
        for bound, end in zip(bounds, (0, n_times - 1), strict=True)
    )
    if start > stop:
        raise OptionError(f"{name} must go forward in time, found {tuple(bounds)}.")
    return slice(start, stop + 1)


def _nearest(times: FloatArray, bound: float, name: str) -> int:
    if not np.isfinite(bound):
        raise OptionError(f"{name} must be finite times in seconds, found {bound}.")
    return int(np.argmin(np.abs(times - bound)))


@dataclass(frozen=True, kw_only=True, eq=False)
class RowGroup:
    """Rows of locations that have the same number of components."""

    #: The rows, location after location.
    rows: slice
    #: 1 or 3.
    n_components: int
    #: 0-based locations (n_locations,).
    locations: IntArray

    def split(self, values: AnyArray) -> AnyArray:
        """Return the group's rows as (n_locations, n_components, n_times)."""
        return values[self.rows].reshape(len(self.locations), self.n_components, values.shape[1])


def row_groups(
    n_rows: int, n_components: int, regions: Sequence[ScoutLike] | None = None
) -> list[RowGroup]:
    """Return which rows belong to which locations.

    With 0 components (a mixed model) the regions say it: those whose code ends with C have one
    row a location, those with U or L three, region after region.
    """
    if n_components in (1, 3):
        if n_rows % n_components:
            raise MapError(
                f"{n_rows} rows cannot hold {n_components} components a location: expected a "
                f"multiple of {n_components}."
            )
        locations = np.arange(n_rows // n_components)
        return [RowGroup(rows=slice(0, n_rows), n_components=n_components, locations=locations)]
    if n_components != 0:
        raise OptionError(f"n_components must be 1, 3, or 0 (mixed), found {n_components!r}.")
    if not regions:
        raise OptionError(
            "A mixed map (n_components=0) needs regions=: the scouts of the results' GridAtlas."
        )
    return _mixed_groups(n_rows, regions)


def _mixed_groups(n_rows: int, regions: Sequence[ScoutLike]) -> list[RowGroup]:
    rows = [np.ravel(r.grid_rows) for r in regions if r.grid_rows is not None]
    n_sources = max((int(row.max()) for row in rows if row.size), default=0)
    groups, start = [], 0
    for region in mixed_regions(regions, n_sources):
        n = 1 if region.orient == "fixed" else 3
        stop = start + n * len(region.locations)
        groups.append(RowGroup(rows=slice(start, stop), n_components=n, locations=region.locations))
        start = stop
    if start != n_rows:
        raise MapError(f"The regions stand for {start} rows, but the map has {n_rows}.")
    return groups
