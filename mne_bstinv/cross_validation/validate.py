"""One study through both toolboxes: told the same, each as it is set, and why they differ."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from mne_bstinv._log import warnings_silenced
from mne_bstinv._types import FloatArray
from mne_bstinv.adapters.equivalence import (
    GathersStudy,
    MneEquivalent,
    MneSettings,
    Study,
    default_data_types,
    equivalent_of,
    kernel_blocks,
    require_study,
    upper_types,
)
from mne_bstinv.compare import Comparison, Kernel, align_kernels, measures, rounding_bound
from mne_bstinv.compare.alignment import listed
from mne_bstinv.compare.comparison import compare_with_fields
from mne_bstinv.compare.pair import NotApplicable, Pair
from mne_bstinv.compare.peaks import Fields
from mne_bstinv.cross_validation.attribution import Attribution, Measures, attribute
from mne_bstinv.cross_validation.conventions import conventions_of
from mne_bstinv.cross_validation.distances import relative_distance
from mne_bstinv.cross_validation.engine import Engine, along_normals, mne_bound
from mne_bstinv.cross_validation.ingredients import Ingredients, gather, refuse_mixed
from mne_bstinv.cross_validation.noise import NOISE
from mne_bstinv.cross_validation.prior import DEPTH
from mne_bstinv.cross_validation.result import RTOL, CrossValidation
from mne_bstinv.cross_validation.separable import separable
from mne_bstinv.errors import OptionError
from mne_bstinv.inverse import (
    InverseOptions,
    InverseOptions2009,
    InverseOptions2016,
    InverseResult,
    compute_kernel,
)
from mne_bstinv.inverse.options import AnyOptions, ignored_options, options_class

__all__ = ["cross_validate"]

#: Largest tolerance: kernels that differ by half of themselves are not equal.
_MAX_RTOL = 0.5
#: Largest relative change of a kernel that may be rounding and is left out of an attribution: what
#: rounding allows is the worst case, and hides no cause that anybody would see.
_NEGLIGIBLE = 1e-6


#: Relative difference of the kernels of a step below which their peaks are the same.
_STEP_RTOL = 1e-9
#: Multiplications that Shapley values may cost: a minute or two on two cores.
_SHAPLEY_BUDGET = 5e11


def cross_validate(
    study: Study | GathersStudy,
    *,
    options: AnyOptions | Mapping[str, Any] | None = None,
    mne_settings: MneSettings | Mapping[str, Any] | None = None,
    data_types: str | Sequence[str] | None = None,
    good_channels: Sequence[int] | None = None,
    n_avg: int | None = None,
    shapley_limit: int | None = None,
    orders: str | int | None = None,
    rtol: float = RTOL,
    progress: bool = False,
) -> CrossValidation:
    """Compare Brainstorm's kernel with MNE's, and explain the difference.

    Parameters
    ----------
    study : StudyData | SampleStudy | StudyCondition
        The structures: ``head_model``, ``noise_cov``, ``channels``, and where present
        ``recordings``, ``cortex``, ``mri``. The head model is a surface or a volume. Of a
        condition, what its ``study_data()`` gathers: the current head model, and the first
        recordings that are not a bad trial.
    options : InverseOptions | InverseOptions2009 | InverseOptions2016 | mapping | None
        Brainstorm's options, whose class says the year of the inverse; ``None`` takes the defaults
        of :class:`~mne_bstinv.InverseOptions`. A mapping has their MATLAB names, of 2009 or 2018.
    mne_settings : MneSettings | mapping | None
        MNE's settings; a mapping changes some of those that ``None`` takes,
        ``MneSettings.defaults_for(options)``: the method of the same measure; ``loose`` 0, 0.2 or
        1 for fixed, loose or free; ``depth`` 0.8; ``lambda2`` 1/9; the noise covariance
        regularised by :func:`mne.cov.regularize` with 0.1, which MNE's tutorials do and
        :func:`mne.minimum_norm.make_inverse_operator` does not (``regularize=None``); ``nave`` 1.
    data_types : str | sequence of str | None
        Types of the channels to use; ``None`` takes MEG where there is any, else EEG.
    good_channels : sequence of int | None
        0-based channels to use instead of those that the recordings do not mark as bad, such as
        ``results.good_channel - 1``; needed where there are no recordings and some are bad.
    n_avg : int | None
        Averages that the inverses of 2009 and 2016 divide the noise covariance by; ``None`` takes
        those of the recordings. Of a kernel that several recordings share it is 1.
    shapley_limit : int | None
        Largest number of active conventions for Shapley values: they need 2^n kernels. ``None``
        takes as many as a minute or two allows on two cores.
    orders : 'all' | 'path' | int | None
        Orders of the conventions to average over, whatever ``shapley_limit`` says: all of them,
        none but the path, or so many, of which the mean is an estimate of the Shapley value.
    rtol : float
        Relative difference of kernels that counts as equal, from 0 to 0.5, where rounding does not
        allow more (:class:`~mne_bstinv.compare.RoundingBound`).
    progress : bool
        Show progress bars.

    Returns
    -------
    CrossValidation
        Kernels, differences, attribution, comparisons, reports. If the attribution is interrupted
        (Ctrl-C), it holds what was known by then: ``attribution.stopped``.

    Raises
    ------
    OptionError
        If options are unknown, or the two sides cannot be compared: a scan (``gls`` and its kin,
        ``lcmv``, ``mnej_p``), a mixed head model, different measures; or ``rtol`` or ``orders`` is
        out of range.
    ConversionError
        If the study cannot be converted to MNE.
    InverseError
        If the inverse cannot be computed.
    """
    _check(rtol, orders)
    study = require_study(study)
    refuse_mixed(study)  # before its options, one for each region, are asked for the one setting
    parsed = _options(options)
    settings = _settings(mne_settings, parsed)
    given = good_channels is None or data_types is not None
    types = default_data_types(study) if data_types is None else upper_types(data_types)
    ingredients = gather(study, parsed, settings, types, good_channels=good_channels, n_avg=n_avg)
    with warnings_silenced():  # the same conversions were reported when all was gathered
        equivalent = equivalent_of(study, ingredients.side.common)
    asked = {"shapley_limit": shapley_limit, "orders": orders, "progress": progress}
    return CrossValidation(
        study=study,
        name=study.name or type(study).__name__,
        data_types=types if given else _types_in_use(ingredients),
        options=parsed,
        settings=settings,
        equivalent=equivalent,
        along_normals=along_normals(ingredients),
        reports=ingredients.side.reports,
        averages=_averages(study),
        rtol=float(rtol),
        **_compared(study, ingredients, equivalent, float(rtol), asked),
    )


def _compared(
    study: Study,
    ingredients: Ingredients,
    equivalent: MneEquivalent,
    rtol: float,
    asked: dict[str, Any],
) -> dict[str, Any]:
    """Compute both kernels and what lies between: fields of a :class:`CrossValidation`."""
    result, own = _brainstorm(study, ingredients)
    unit = _unit(result)
    ours = _rows(ingredients, own if unit == 1 else own / unit)
    same = equivalent.blocks()
    # MNE's functions copy gains: before there is more beside them
    differences = relative_distance(same, own), _public_difference(equivalent, own)
    del own
    theirs = _rows(ingredients, ingredients.side.blocks())
    data, times, notes = _recordings(study, ingredients)
    engine = Engine(ingredients)
    everything = frozenset(c.key for c in conventions_of(ingredients.options.year))
    ends = engine.compute(frozenset()), engine.compute(everything)
    bounds = rounding_bound(result, study.noise_cov.noise_cov), mne_bound(ingredients, ends[1])
    allowed = max(rtol, *(bound.total for bound in bounds))
    describe = _Describer(ingredients, data, times, result.whitener, min(allowed, _MAX_RTOL))
    before = describe(theirs, ours, "MNE, as set")
    after = describe(
        _rows(ingredients, same if unit == 1 else same / unit), ours, "MNE, told the same"
    )
    del same
    describe.know(ends[0].blocks, ours)
    describe.know(ends[1].blocks, theirs)
    unchanged = max(rtol, min(allowed, _NEGLIGIBLE))
    return {
        "result": result,
        "brainstorm": ours,
        "mne": theirs,
        "ends": ends,
        "twin_difference": differences[0],
        "public_difference": differences[1],
        "attribution": _attributed(
            ingredients, engine, (ours, theirs), data, describe.step, unchanged, **asked
        ),
        "before": before,
        "after": after,
        "estimates": None if data is None else (ours @ data, theirs @ data),
        "times": times,
        "bounds": bounds,
        "notes": notes,
    }


def _brainstorm(study: Study, ingredients: Ingredients) -> tuple[InverseResult, FloatArray]:
    """Compute Brainstorm's kernel, and its blocks (n_sources, p, n_channels) in its own unit."""
    common = ingredients.side.common
    result = compute_kernel(
        common.head_model,
        study.noise_cov,
        study.channels,
        good_channels=common.prepared.channel_indices,
        options=ingredients.options,
        n_avg=ingredients.averages,
    )
    return result, kernel_blocks(result, common.head_model.grid_orient)


def _attributed(
    ingredients: Ingredients,
    engine: Engine,
    ends: tuple[FloatArray, FloatArray],
    data: FloatArray | None,
    measured: Measures,
    unchanged: float,
    *,
    shapley_limit: int | None,
    orders: str | int | None,
    progress: bool,
) -> Attribution:
    """Attribute the difference to the conventions that this study can separate."""
    path, joined = separable(conventions_of(ingredients.options.year), ingredients, engine)
    found = attribute(
        path,
        engine,
        ends=ends,
        data=data,
        measures=measured,
        families=(NOISE, DEPTH),
        orders=orders,
        shapley_limit=_shapley_limit(ingredients) if shapley_limit is None else shapley_limit,
        unchanged=unchanged,
        progress=progress,
    )
    return dataclasses.replace(found, notes=(*joined, *found.notes))


def _check(rtol: object, orders: object) -> None:
    """Refuse a tolerance out of range, and orders that are none."""
    if not (isinstance(rtol, int | float) and 0 <= rtol <= _MAX_RTOL):
        raise OptionError(f"rtol must be a number from 0 to {_MAX_RTOL}, found {rtol!r}.")
    number = isinstance(orders, int) and not isinstance(orders, bool) and orders > 0
    if not (number or orders in (None, "all", "path")):
        raise OptionError(f"orders must be 'all', 'path', or how many, found {orders!r}.")


def _types_in_use(ingredients: Ingredients) -> tuple[str, ...]:
    return tuple(dict.fromkeys(t.strip().upper() for t in ingredients.prepared.channel_types))


def _shapley_limit(ingredients: Ingredients) -> int:
    """Bound the multiplications: a kernel takes about rows × channels² of them."""
    n_channels, n_columns = ingredients.prepared.regions[0].gain.shape
    return max(int(math.log2(_SHAPLEY_BUDGET / (n_columns * n_channels**2))), 0)


def _options(options: AnyOptions | Mapping[str, Any] | None) -> AnyOptions:
    if isinstance(options, InverseOptions | InverseOptions2009 | InverseOptions2016):
        return options
    given = {} if options is None else options
    of = options_class(given) if isinstance(given, Mapping) else InverseOptions
    ignored_options(given, of)  # refuses what is no mapping, and misspelt names
    return of.from_brainstorm(given)


def _settings(settings: MneSettings | Mapping[str, Any] | None, options: AnyOptions) -> MneSettings:
    if isinstance(settings, MneSettings):
        return settings
    if settings is not None and not isinstance(settings, Mapping):
        raise OptionError(
            "mne_settings must be MneSettings or a mapping of its fields, found "
            f"{type(settings).__name__}."
        )
    unknown = set(settings or {}) - set(MneSettings.__dataclass_fields__)
    if unknown:
        raise OptionError(
            f"Unknown MNE settings {sorted(unknown)}. Must be of "
            f"{', '.join(MneSettings.__dataclass_fields__)}."
        )
    return MneSettings.defaults_for(options, **dict(settings or {}))


def _unit(result: InverseResult) -> float:
    """√Λ for sLORETA, which makes Brainstorm's dimensionless like MNE's."""
    if result.options.measure == "sloreta" and result.lambda_ is not None:
        return float(np.sqrt(result.lambda_))
    return 1.0


def _rows(ingredients: Ingredients, blocks: FloatArray) -> FloatArray:
    """Take the rows that are compared: along the normals where one side is fixed only."""
    if along_normals(ingredients) and blocks.shape[1] == 3:
        return ingredients.on_normals(blocks)
    return blocks


def _public_difference(equivalent: MneEquivalent, own: FloatArray) -> float | None:
    if equivalent.no_public_call:
        return None
    return relative_distance(equivalent.blocks("public"), own)


def _recordings(
    study: Study, ingredients: Ingredients
) -> tuple[FloatArray | None, FloatArray | None, tuple[str, ...]]:
    """Return data (n_channels, n_times), times in s, and what to know of the recordings."""
    recordings = study.recordings
    if recordings is None:
        return None, None, ("No recordings: nothing is said of estimates.",)
    file = study.files.get("recordings")
    name = f"{recordings.comment!r}" + (f" ({file.name})" if file is not None else "")
    if recordings.f is None:
        link = f"The recordings {name} are a link: nothing is said of estimates."
        return None, None, (link,)
    used, names = ingredients.prepared.channel_indices, ingredients.prepared.channel_names
    notes = [f"The recordings are {name}."]
    flag = recordings.channel_flag
    bad = [] if flag is None else [n for n, i in zip(names, used, strict=True) if flag[i] < 0]
    if bad:
        notes.append(
            f"The recordings mark {len(bad)} of the kernel's channels as bad: {listed(bad)}. The "
            "estimates take them as they are stored."
        )
    data = np.asarray(recordings.f, dtype=np.float64)[used]
    broken = [n for n, row in zip(names, data, strict=True) if not np.isfinite(row).all()]
    if broken:
        notes.append(
            f"The recordings hold values that are not finite in {listed(broken)}: nothing is said "
            "of estimates."
        )
        return None, None, tuple(notes)
    return data, np.asarray(recordings.time, dtype=np.float64), tuple(notes)


def _averages(study: Study) -> float:
    if study.recordings is None:
        return 1.0
    return float(study.recordings.leff or study.recordings.n_avg or 1)


class _Describer:
    """Compares kernels of this study by the declared metrics."""

    def __init__(
        self,
        ingredients: Ingredients,
        data: FloatArray | None,
        times: FloatArray | None,
        whitener: FloatArray,
        rtol: float,
    ) -> None:
        self._whitener, self._rtol = whitener, rtol
        self._ingredients, self._data, self._times = ingredients, data, times
        self._positions = np.asarray(ingredients.side.common.head_model.grid_loc)
        self._fields: dict[int, Fields] = {}

    def __call__(self, ours: FloatArray, theirs: FloatArray, name: str) -> Comparison:
        """Compare two kernels (n_sources, p, n_channels) by every metric."""
        a, b = self._kernel(ours, name), self._kernel(theirs, "Brainstorm")
        return compare_with_fields(
            a,
            b,
            data=self._data,
            times=self._times,
            rtol=self._rtol,
            fields=self._fields_of(a.n_components),
        )

    def know(self, blocks: FloatArray, other: FloatArray) -> None:
        """Take the peaks under a kernel for those of another that agrees with it."""
        if not np.isnan(blocks).any():
            self._fields_of(blocks.shape[1]).agree(blocks, other, _STEP_RTOL, keep=True)

    def step(self, after: FloatArray, before: FloatArray) -> dict[str, float | None]:
        """Measure what the table of the attribution shows of a step, and no more."""
        aligned = align_kernels(self._kernel(after, "after"), self._kernel(before, "before"))
        pair = Pair(
            a=aligned.a,
            b=aligned.b,
            rtol=_STEP_RTOL,
            known_fields=self._fields_of(aligned.a.n_components),
        )
        found: dict[str, float | None] = {
            "row_correlation": float(np.nanmean(pair.correlation)),
            "amplitude_ratio": None,
            "peak_displacement": None,
        }
        with suppress(NotApplicable):
            found["amplitude_ratio"] = measures.median(pair.ratio)
        with suppress(NotApplicable):
            found["peak_displacement"] = measures.median(measures.displacements(pair))
        return found

    def _fields_of(self, p: int) -> Fields:
        """Return the gain, shape (n_channels, p * n_sources), with what is known of its peaks."""
        if p not in self._fields:
            along = self._ingredients.on_normals if p == 1 else None
            rows = self._ingredients.operated[False, False].rows(along)
            gain = rows.reshape(-1, rows.shape[2]).T
            self._fields[p] = Fields(np.ascontiguousarray(gain, dtype=np.float64), p)
        return self._fields[p]

    def _kernel(self, blocks: FloatArray, name: str) -> Kernel:
        prepared, p = self._ingredients.prepared, blocks.shape[1]
        measure = self._ingredients.settings.method
        return Kernel(
            matrix=blocks.reshape(-1, blocks.shape[2]),
            channel_names=prepared.channel_names,
            n_components=p,
            locations=np.arange(len(blocks)),
            positions=self._positions,
            normals=self._ingredients.normals,
            gain=self._fields_of(p).gain,
            whitener=self._whitener,
            name=name,
            unit="A·m" if measure == "MNE" else "1",
        )
