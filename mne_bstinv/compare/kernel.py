"""An imaging kernel as a comparison sees it, whoever computed it."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mne_bstinv._display import Displayed, few
from mne_bstinv._types import AnyArray, FloatArray, IntArray
from mne_bstinv.errors import ComparisonError, SchemaError
from mne_bstinv.inverse.result import InverseResult

__all__ = ["Kernel", "unit_in_words"]


#: Shape of each array field, in the sizes that channel_names, locations and n_components set.
_SHAPES = {
    "matrix": ("n_components · n_locations", "n_channels"),
    "positions": ("n_locations", "3"),
    "normals": ("n_locations", "3"),
    "gain": ("n_channels", "n_components · n_locations"),
    "whitener": ("n_whitened", "n_channels"),
}


def unit_in_words(unit: str) -> str:
    """Say in which unit something is: ``'in A·m'``; nothing is an unknown unit.

    ``'1'`` is none, and what follows it explains: ``'without unit (noise standard deviations)'``.
    """
    number, _, explained = unit.partition(" ")
    if number == "1":
        return f"without unit {explained}".rstrip()
    return f"in {unit or 'an unknown unit'}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Kernel(Displayed):
    """An imaging kernel with what a comparison needs to know of it.

    Parameters
    ----------
    matrix : array, shape (n_components * n_locations, n_channels)
        Estimate = matrix · recordings. The rows of a location follow each other. NaN marks a
        location without an estimate.
    channel_names : sequence of str, length n_channels
        Names of the columns.
    n_components : 1 | 3
        Rows a location.
    locations : array of int, shape (n_locations,)
        0-based ids of the locations, such as their numbers in the head model.
    positions : array, shape (n_locations, 3) | None
        Positions in m, in any one frame.
    normals : array, shape (n_locations, 3) | None
        Orientations of the cortex, in the frame of the positions.
    gain : array, shape (n_channels, n_components * n_locations) | None
        Lead field of the same channels. Column j is the field, in data units per A·m, of a unit
        source with the orientation of row j: along the normal (one component), x, y or z (three).
    whitener : array, shape (n_whitened, n_channels) | None
        Whitener of the noise: whitener · recordings has unit noise. It has a row a channel, or (of
        2009) as many as the rank.
    name : str
        What to call the kernel, such as ``'Brainstorm'``.
    unit : str
        Unit of the estimate, ``'A·m'`` for source amplitudes, ``'1'`` for maps without unit;
        empty where it is unknown.
    notes : tuple of str
        What the reader of a comparison has to know of this kernel.

    Raises
    ------
    SchemaError
        If the fields do not fit each other; the message lists all that do not.
    """

    matrix: FloatArray
    channel_names: tuple[str, ...]
    n_components: int
    locations: IntArray
    positions: FloatArray | None = None
    normals: FloatArray | None = None
    gain: FloatArray | None = None
    whitener: FloatArray | None = None
    name: str = "kernel"
    unit: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        faults: list[str] = []
        if self.n_components not in (1, 3):
            faults.append(f"n_components is {self.n_components!r}, expected 1 or 3.")
        fields: dict[str, Any] = {
            "channel_names": _parse_names(self.channel_names, faults),
            "locations": _parse_ids(self.locations, faults),
            "notes": tuple(self.notes),
        }
        if not faults:
            n_channels, n_locations = len(fields["channel_names"]), len(fields["locations"])
            sizes = {
                "3": 3,
                "n_channels": n_channels,
                "n_locations": n_locations,
                "n_whitened": next(iter(np.asarray(self.whitener).shape), n_channels),
                "n_components · n_locations": self.n_components * n_locations,
            }
            for field, symbols in _SHAPES.items():
                if field == "matrix" or getattr(self, field) is not None:
                    shape = tuple(sizes[symbol] for symbol in symbols)
                    fields[field] = _parse_array(field, getattr(self, field), shape, faults)
        if faults:
            raise SchemaError(f"Kernel {self.name!r}", faults)
        for field, value in fields.items():
            object.__setattr__(self, field, value)

    def __repr__(self) -> str:
        known = [f for f in ("positions", "normals", "gain", "whitener") if self._has(f)]
        return (
            f"<Kernel | {self.name}, {self.n_locations} locations × {self.n_components} "
            f"component(s), {self.n_channels} channels, unit {self.unit or 'unknown'}"
            f"{', with ' + ', '.join(known) if known else ''}>"
        )

    @property
    def n_locations(self) -> int:
        """Number of locations."""
        return len(self.locations)

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return len(self.channel_names)

    @property
    def blocks(self) -> FloatArray:
        """The matrix location by location, shape (n_locations, n_components, n_channels)."""
        return self.matrix.reshape(self.n_locations, self.n_components, self.n_channels)

    @classmethod
    def from_result(
        cls,
        result: InverseResult,
        *,
        gain: FloatArray | None = None,
        positions: FloatArray | None = None,
        normals: FloatArray | None = None,
        name: str = "mne_bstinv",
    ) -> Kernel:
        """Take the kernel that this package computed.

        Parameters
        ----------
        result : InverseResult
            The result; of one head model with one orientation constraint, with channel names.
        gain : array, shape (n_channels, n_rows) | None
            Lead field with the projectors and the reference of the inverse, a column a kernel
            row: see the class.
        positions : array, shape (n_sources, 3) | None
            Positions of all locations of the head model, in m.
        normals : array, shape (n_sources, 3) | None
            Orientations of all locations of the head model.
        name : str
            What to call the kernel.

        Returns
        -------
        Kernel
            Kernel and whitener of the result, and what is given.

        Raises
        ------
        ComparisonError
            If the head model is mixed, or the channels have no names.
        SchemaError
            If the shapes do not fit.
        """
        _refuse_unusable(result, name)
        locations = np.concatenate([region.locations for region in result.regions])
        return cls(
            matrix=result.kernel,
            channel_names=result.channel_names or (),
            n_components=result.n_components,
            locations=locations,
            positions=_of_locations("positions", positions, locations, result.n_sources, name),
            normals=_of_locations("normals", normals, locations, result.n_sources, name),
            gain=gain,
            whitener=result.whitener,
            name=name,
            unit=result.estimate_unit,
            notes=_arbitrary_rows(result, name),
        )

    def select(self, *, channels: IntArray, locations: IntArray) -> Kernel:
        """Take some channels and locations, in the order given.

        Parameters
        ----------
        channels : array of int, shape (n_selected_channels,)
            Positions in :attr:`channel_names`.
        locations : array of int, shape (n_selected_locations,)
            Positions in :attr:`locations`.

        Returns
        -------
        Kernel
            The selection; this kernel itself if nothing changes.
        """
        if np.array_equal(channels, np.arange(self.n_channels)) and np.array_equal(
            locations, np.arange(self.n_locations)
        ):
            return self
        p = self.n_components
        rows = (p * np.asarray(locations)[:, None] + np.arange(p)).ravel()
        index: dict[str, tuple[Any, ...]] = {
            "matrix": np.ix_(rows, channels),
            "positions": (locations,),
            "normals": (locations,),
            "gain": np.ix_(channels, rows),
            "whitener": np.ix_(channels, channels),
        }
        if self._whitens_rank:
            index["whitener"] = (slice(None), channels)
        arrays = {f: getattr(self, f)[i] for f, i in index.items() if self._has(f)}
        names = tuple(self.channel_names[i] for i in channels)
        return dataclasses.replace(
            self, channel_names=names, locations=self.locations[locations], **arrays
        )

    @property
    def _whitens_rank(self) -> bool:
        """Whether the rows of the whitener are no channels, but directions (2009)."""
        return self.whitener is not None and len(self.whitener) != self.n_channels

    def _has(self, field: str) -> bool:
        return getattr(self, field) is not None


def _parse_names(value: Sequence[str], faults: list[str]) -> tuple[str, ...]:
    several = isinstance(value, Iterable) and not isinstance(value, str)
    if not several or not all(isinstance(name, str) for name in value):
        faults.append(f"channel_names must be a sequence of text, found {value!r}.")
        return ()
    names = tuple(str(name) for name in value)
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        faults.append(f"channel_names holds {few(twice)} more than once.")
    if not names:
        faults.append("channel_names is empty, expected a name a column of the matrix.")
    return names


def _parse_ids(value: AnyArray, faults: list[str]) -> IntArray:
    ids = np.asarray(value)
    if ids.ndim != 1 or ids.size == 0 or ids.dtype.kind not in "iu":
        faults.append(
            f"locations has shape {ids.shape} and dtype {ids.dtype}, expected one whole number a "
            "location."
        )
        return np.zeros(0, dtype=np.int64)
    values, counts = np.unique(ids, return_counts=True)
    if values[0] < 0:
        faults.append(f"locations holds {values[0]}, expected 0-based ids.")
    if counts.max() > 1:
        faults.append(f"locations holds {values[counts.argmax()]} more than once.")
    return _read_only(ids.astype(np.int64))


def _parse_array(field: str, value: Any, shape: tuple[int, ...], faults: list[str]) -> FloatArray:
    array = np.asarray(value)
    if array.dtype.kind not in "iuf":
        faults.append(f"{field} must hold real numbers, found dtype {array.dtype}.")
    elif array.shape != shape:
        symbols = ", ".join(_SHAPES[field])
        faults.append(f"{field} has shape {array.shape}, expected {shape}: ({symbols}).")
    elif field == "matrix" and np.isinf(array).any():
        faults.append("matrix holds infinite values, which cannot be compared.")
    elif field != "matrix" and not np.isfinite(array).all():
        faults.append(f"{field} holds values that are not finite.")
    else:
        return _read_only(array.astype(np.float64, copy=False))
    return np.zeros(0)


def _read_only(array: AnyArray) -> AnyArray:
    """Return a view that cannot be written to; large arrays are not copied."""
    view = array.view()
    view.setflags(write=False)
    return view


def _refuse_unusable(result: InverseResult, name: str) -> None:
    if result.n_components == 0:
        found = ", ".join(f"{r.name or 'unnamed'} ({r.orient})" for r in result.regions)
        raise ComparisonError(
            f"Kernel {name!r} is of a mixed head model or of several ({found}): a location has 1 "
            "or 3 rows, and the metrics need one number. Build a Kernel for each region from its "
            "rows and locations (result.regions), and compare region by region."
        )
    if result.channel_names is None:
        raise ComparisonError(
            f"The result for kernel {name!r} was computed from plain arrays and has no channel "
            "names, by which kernels are aligned. Give them with "
            "dataclasses.replace(result, channel_names=(…))."
        )


def _of_locations(
    field: str, value: Any, locations: IntArray, n_sources: int, name: str
) -> FloatArray | None:
    if value is None:
        return None
    array = np.asarray(value)
    if array.shape != (n_sources, 3):
        raise SchemaError(
            f"Kernel {name!r}",
            [
                f"{field} has shape {array.shape}, expected {(n_sources, 3)}: all locations of "
                "the head model."
            ],
        )
    return array[locations]


def _arbitrary_rows(result: InverseResult, name: str) -> tuple[str, ...]:
    """Say where single rows depend on an arbitrary choice (:mod:`mne_bstinv.compare.stored`)."""
    options = result.options
    if options.measure in ("performance", "nai"):
        what = "signs of the rows" if result.n_components == 1 else "bases of the three rows"
        return (
            f"{name}: the {what} of {result.function} are arbitrary, those of singular vectors",
        )
    local = options.measure not in options.conventions.prior_restored
    if any(r.orient == "loose" for r in result.regions) and local:
        return (
            f"{name}: the three rows of {result.function} are along the normal and two arbitrary "
            "tangents, not x, y, z: correlations and signs depend on the tangents, ratios, angles "
            "and point spreads do not",
        )
    return ()
