"""Compare two kernels by every metric of the table."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from mne_bstinv._display import Displayed, few, finite, html_table
from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv._verdicts import RTOL, wrong_rtol
from mne_bstinv.compare.alignment import Alignment, align_kernels, match_names
from mne_bstinv.compare.kernel import Kernel, unit_in_words
from mne_bstinv.compare.metrics import METRICS, Metric
from mne_bstinv.compare.pair import NotApplicable, Pair
from mne_bstinv.compare.peaks import Fields
from mne_bstinv.errors import ComparisonError
from mne_bstinv.inverse.result import InverseResult

__all__ = ["Comparison", "MetricValue", "compare_kernels", "compare_with_fields"]


@dataclass(frozen=True, kw_only=True, repr=False)
class MetricValue(Displayed):
    """What a metric says of two kernels.

    Parameters
    ----------
    metric : Metric
        The metric.
    value : float | None
        Its value in the metric's unit; ``None`` where it is not applicable.
    tolerance : float | None
        How far from perfect kernels that agree can be; ``None`` where there is no such rule.
    detail : str
        Where the value is found, or what it is made of.
    reason : str
        Why the metric is not applicable.
    passed : bool | None
        Whether the value is within the tolerance; ``None`` without a value or a tolerance.
    """

    metric: Metric
    value: float | None = None
    tolerance: float | None = None
    detail: str = ""
    reason: str = ""
    passed: bool | None = None

    def __str__(self) -> str:
        return " | ".join(cell for cell in self._cells() if cell)

    def _summary(self) -> str:
        return ", ".join(cell for cell in self._cells()[:4] if cell)

    def to_dict(self) -> dict[str, Any]:
        """Return the value as plain values, for JSON.

        Returns
        -------
        dict
            Label, unit, value, tolerance, passed, detail, reason; numbers that are not finite as
            ``None``.
        """
        return {
            "label": self.metric.label,
            "unit": self.metric.unit,
            "value": finite(self.value),
            "tolerance": finite(self.tolerance),
            "passed": self.passed,
            "detail": self.detail,
            "reason": self.reason,
        }

    def _cells(self) -> tuple[str, str, str, str, str]:
        """Label, value, tolerance, verdict and detail, as texts."""
        if self.value is None:
            return self.metric.label, "–", "", "", f"not applicable: {self.reason}"
        tolerance = "" if self.tolerance is None else f"± {self.tolerance:.2g}"
        verdict = {None: "", True: "agree", False: "differ"}[self.passed]
        return self.metric.label, _shown(self.value, self.metric), tolerance, verdict, self.detail


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """Two kernels compared: A with the reference B.

    Parameters
    ----------
    values : tuple of MetricValue
        Every metric of ``mne_bstinv.compare.METRICS``, in their order.
    notes : tuple of str
        What was reordered, left out or assumed.
    names : tuple of str
        Names of A and B.
    rtol : float
        Relative difference of coefficients that counts as agreement.
    locations : array of int, shape (n_locations,)
        0-based ids of the locations compared, as A has them.
    location_correlation : array, shape (n_locations,)
        Correlation about zero of each location's coefficients; NaN where both are zero.
    location_ratio : array, shape (n_locations,)
        Ratio of the norms of each location's coefficients, A to B; NaN where both are zero.
    n_left_out : int
        Locations left out because a kernel is NaN there.
    mismatches : tuple of str
        What speaks against agreement beside the metrics: another unit, locations that are NaN in
        one kernel only.
    """

    values: tuple[MetricValue, ...]
    notes: tuple[str, ...]
    names: tuple[str, str]
    rtol: float
    locations: IntArray
    location_correlation: FloatArray
    location_ratio: FloatArray
    n_left_out: int = 0
    mismatches: tuple[str, ...] = ()

    def __getitem__(self, key: str) -> MetricValue:
        for value in self.values:
            if value.metric.key == key:
                return value
        keys = ", ".join(value.metric.key for value in self.values)
        raise KeyError(f"There is no metric {key!r}. Must be one of {keys}.")

    def __iter__(self) -> Iterator[MetricValue]:
        return iter(self.values)

    def __len__(self) -> int:
        return len(self.values)

    @property
    def passed(self) -> bool:
        """Whether every metric with a tolerance is within it, and nothing else differs."""
        return not self.mismatches and all(value.passed is not False for value in self.values)

    def __repr__(self) -> str:
        differing = sum(value.passed is False for value in self.values)
        missing = sum(value.value is None for value in self.values)
        return (
            f"<Comparison | {self.names[0]} with {self.names[1]}, {len(self.locations)} locations, "
            f"{differing} of {len(self)} metrics differ, {missing} not applicable>"
        )

    def __str__(self) -> str:
        rows = [("metric", "value", "tolerance", "", ""), *(v._cells() for v in self.values)]
        widths = [max(len(row[i]) for row in rows) for i in range(4)]
        lines = [
            "  ".join([*(f"{c:<{w}}" for c, w in zip(row, widths, strict=False)), row[4]]).rstrip()
            for row in rows
        ]
        differ = [f"differ: {mismatch}" for mismatch in self.mismatches]
        notes = [f"note: {note}" for note in self.notes]
        return "\n".join([self._title(), *lines, *differ, *notes])

    def _repr_html_(self) -> str:
        head = ("metric", "value", "tolerance", "", "")
        table = html_table([v._cells() for v in self.values], head=head, title=self._title())
        notes = "".join(f"<li>{escape(note)}</li>" for note in self.notes)
        return f"{table}<ul>{notes}</ul>" if notes else table

    def _title(self) -> str:
        return (
            f"A = {self.names[0]}, B = {self.names[1]}: {len(self.locations)} locations, "
            f"{self.n_left_out} left out, rtol {self.rtol:g}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as plain values, for JSON.

        Returns
        -------
        dict
            The fields, metrics by their key; numbers that are not finite as ``None``.
        """
        return {
            "names": list(self.names),
            "rtol": self.rtol,
            "passed": self.passed,
            "metrics": {value.metric.key: value.to_dict() for value in self.values},
            "notes": list(self.notes),
            "locations": self.locations.tolist(),
            "location_correlation": [finite(x) for x in self.location_correlation.tolist()],
            "location_ratio": [finite(x) for x in self.location_ratio.tolist()],
            "n_left_out": self.n_left_out,
            "mismatches": list(self.mismatches),
        }


def compare_kernels(
    a: Kernel | InverseResult,
    b: Kernel | InverseResult,
    *,
    data: FloatArray | None = None,
    times: FloatArray | None = None,
    data_names: Sequence[str] | None = None,
    rtol: float = RTOL,
) -> Comparison:
    """Compare two imaging kernels by every metric of ``mne_bstinv.compare.METRICS``.

    The kernels are aligned by the names of their channels and by their locations first
    (:func:`~mne_bstinv.compare.align_kernels`). A metric that lacks something, such as positions, a
    gain or recordings, is in the comparison as not applicable, with the reason.

    Parameters
    ----------
    a, b : Kernel | InverseResult
        The kernel and the reference it is compared with. A result of this package brings no
        positions and no gain: give them by ``Kernel.from_result``.
    data : array, shape (n_data, n_times) | None
        Recordings in SI units, such as the kernels are for.
    times : array, shape (n_times,) | None
        Times of the recordings in s.
    data_names : sequence of str | None
        Names of the rows of ``data``, which may be more channels than those of the kernels, in
        any order; ``None`` for the channels of ``a`` in its order.
    rtol : float
        Relative difference of coefficients that counts as agreement, from 0 to 0.5.

    Returns
    -------
    Comparison
        Value, tolerance and verdict of every metric.

    Raises
    ------
    ComparisonError
        If the kernels do not match, or recordings, times or tolerance are not usable.
    """
    return compare_with_fields(
        _as_kernel(a, "A"),
        _as_kernel(b, "B"),
        data=data,
        times=times,
        data_names=data_names,
        rtol=rtol,
    )


def compare_with_fields(
    kernel_a: Kernel,
    kernel_b: Kernel,
    *,
    data: FloatArray | None = None,
    times: FloatArray | None = None,
    data_names: Sequence[str] | None = None,
    rtol: float,
    fields: Fields | None = None,
) -> Comparison:
    """Compare two kernels of which point spreads of the same fields may be known already."""
    if wrong := wrong_rtol(rtol):
        raise ComparisonError(wrong)
    if kernel_a.name == kernel_b.name:  # messages and tables tell them apart by their names
        names = (f"{kernel_a.name} (A)", f"{kernel_b.name} (B)")
        kernel_a, kernel_b = (
            dataclasses.replace(k, name=n) for k, n in zip((kernel_a, kernel_b), names, strict=True)
        )
    notes: list[str] = []
    recordings = _parse_data(data, data_names, kernel_a, notes)
    sample_times = _parse_times(times, recordings)
    aligned = align_kernels(kernel_a, kernel_b)
    pair = Pair(
        a=aligned.a,
        b=aligned.b,
        rtol=rtol,
        data=recordings,
        times=sample_times,
        known_fields=fields,
    )
    return Comparison(
        values=tuple(_evaluate(metric, pair) for metric in METRICS),
        notes=(*aligned.notes, *notes, *pair.notes()),
        names=(kernel_a.name, kernel_b.name),
        rtol=float(rtol),
        locations=pair.a.locations,
        location_correlation=pair.correlation,
        location_ratio=pair.ratio,
        n_left_out=aligned.n_left_out,
        mismatches=_mismatches(aligned),
    )


def _mismatches(aligned: Alignment) -> tuple[str, ...]:
    a, b = aligned.a, aligned.b
    found = []
    if a.unit != b.unit:
        units = (f"{k.name} {unit_in_words(k.unit)}" for k in (a, b))
        found.append(f"the units ({', '.join(units)}): so may amplitudes")
    if aligned.n_one_sided:
        found.append(f"{aligned.n_one_sided} location(s) are NaN in one kernel only")
    return tuple(found)


def _as_kernel(kernel: Kernel | InverseResult, name: str) -> Kernel:
    if isinstance(kernel, Kernel):
        return kernel
    if isinstance(kernel, InverseResult):
        return Kernel.from_result(kernel, name=name)
    raise ComparisonError(
        f"Kernel {name} is a {type(kernel).__name__}, expected a Kernel or an InverseResult."
    )


def _parse_data(
    data: FloatArray | None, names: Sequence[str] | None, kernel: Kernel, notes: list[str]
) -> FloatArray | None:
    """Return the recordings of the kernel's channels, in its order."""
    if data is None:
        if names is not None:
            raise ComparisonError(
                "data_names are given without data. Give data, or leave data_names out."
            )
        return None
    array = np.asarray(data)
    n_rows = kernel.n_channels if names is None else len(names)
    of = f"the channels of {kernel.name}" if names is None else "data_names"
    if array.dtype.kind not in "iuf" or array.ndim != 2 or array.shape[1] == 0:
        raise ComparisonError(
            f"data has shape {array.shape} and dtype {array.dtype}, expected real numbers, "
            "channels × times."
        )
    if len(array) != n_rows:
        raise ComparisonError(f"data has {len(array)} rows, expected {n_rows}: {of}.")
    if names is not None:
        array = array[_rows_of(kernel, list(names), notes)]
    if not np.isfinite(array).all():
        bad = np.flatnonzero(~np.isfinite(array).all(axis=1))
        where = few(kernel.channel_names[i] for i in bad)
        raise ComparisonError(
            f"data holds values that are not finite in {bad.size} row(s): {where}. Mend them, or "
            "compare without these channels (Kernel.select)."
        )
    return array.astype(np.float64, copy=False)


def _rows_of(kernel: Kernel, names: list[str], notes: list[str]) -> IntArray:
    if not all(isinstance(name, str) for name in names):
        raise ComparisonError(f"data_names must hold texts, found {few(map(repr, names))}.")
    if len(set(names)) != len(names):
        raise ComparisonError("data_names holds a name more than once. Make the names unique.")
    found = match_names(kernel.channel_names, names)
    missing = [n for n, i in zip(kernel.channel_names, found, strict=True) if i < 0]
    if missing:
        raise ComparisonError(
            f"{len(missing)} channel(s) of {kernel.name} are missing in data_names: "
            f"{few(missing)}. Give data of all of its channels."
        )
    if len(names) > len(found):
        notes.append(f"{len(names) - len(found)} channel(s) of the recordings are in no kernel")
    return found


def _parse_times(times: FloatArray | None, data: FloatArray | None) -> FloatArray | None:
    if times is None:
        return None
    if data is None:
        raise ComparisonError("times are given without data. Give data, or leave times out.")
    array = np.asarray(times)
    expected = (data.shape[1],)
    if array.dtype.kind not in "iuf" or array.shape != expected or not np.isfinite(array).all():
        raise ComparisonError(
            f"times has shape {array.shape} and dtype {array.dtype}, expected finite numbers of "
            f"shape {expected}: one a column of data."
        )
    return array.astype(np.float64, copy=False)


def _evaluate(metric: Metric, pair: Pair) -> MetricValue:
    try:
        value, detail = metric.function(pair)
        tolerance = None if metric.tolerance is None else metric.tolerance(pair)
    except NotApplicable as missing:
        return MetricValue(metric=metric, reason=str(missing))
    passed = None if tolerance is None else bool(abs(value - metric.perfect) <= tolerance)
    return MetricValue(
        metric=metric, value=value, tolerance=tolerance, detail=detail, passed=passed
    )


def _shown(value: float, metric: Metric) -> str:
    """Show a number; one that is close to one by its distance, which six digits would hide."""
    distance = value - 1
    if metric.perfect == 1 and 0 < abs(distance) < 1e-4:
        return f"1 {'−' if distance < 0 else '+'} {abs(distance):.2g}"
    return f"{value:.6g} {metric.unit}".rstrip()
