"""One study through both toolboxes: told the same, each as it is set, and why they differ."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from mne_bstinv._data_types import upper_types
from mne_bstinv._display import few
from mne_bstinv._types import FloatArray
from mne_bstinv._verdicts import MAX_RTOL, RTOL
from mne_bstinv.adapters.equivalence import (
    GathersStudy,
    MneEquivalent,
    MneSettings,
    Study,
    default_data_types,
    kernel_blocks,
    require_study,
    sloreta_unit,
)
from mne_bstinv.compare import rounding_bound
from mne_bstinv.cross_validation.asked import (
    Asked,
    options_from,
    settings_from,
    several_options,
)
from mne_bstinv.cross_validation.attribution import Attribution, attribute
from mne_bstinv.cross_validation.conventions import conventions_of
from mne_bstinv.cross_validation.describe import Describer
from mne_bstinv.cross_validation.distances import relative_distance
from mne_bstinv.cross_validation.engine import Engine, mne_bound
from mne_bstinv.cross_validation.ingredients import Ingredients, refuse_mixed
from mne_bstinv.cross_validation.moves import Measures
from mne_bstinv.cross_validation.noise import NOISE
from mne_bstinv.cross_validation.prior import DEPTH
from mne_bstinv.cross_validation.result import CrossValidation
from mne_bstinv.cross_validation.separable import separable
from mne_bstinv.cross_validation.shared import Shared
from mne_bstinv.inverse import InverseResult
from mne_bstinv.inverse.options import AnyOptions
from mne_bstinv.inverse.study import kernel_of

__all__ = ["cross_validate", "cross_validate_each"]

#: Largest relative change of a kernel that may be rounding and is left out of an attribution: what
#: rounding allows is the worst case, and hides no cause that anybody would see.
_NEGLIGIBLE = 1e-6
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
    found = cross_validate_each(
        study,
        [options],
        mne_settings=mne_settings,
        data_types=data_types,
        good_channels=good_channels,
        n_avg=n_avg,
        shapley_limit=shapley_limit,
        orders=orders,
        rtol=rtol,
        progress=progress,
    )
    return next(found)


def cross_validate_each(
    study: Study | GathersStudy,
    options: Iterable[AnyOptions | Mapping[str, Any] | None],
    *,
    mne_settings: MneSettings | Mapping[str, Any] | None = None,
    data_types: str | Sequence[str] | None = None,
    good_channels: Sequence[int] | None = None,
    n_avg: int | None = None,
    shapley_limit: int | None = None,
    orders: str | int | None = None,
    rtol: float = RTOL,
    progress: bool = False,
) -> Iterator[CrossValidation]:
    """Compare the kernels of several options with MNE's, such as those of several measures.

    The same as :func:`cross_validate` of each. What the measure has no part in is made once for
    options that differ in nothing else, one after the other: conversions, MNE's inverse operator,
    the noise, the depth weights.

    Parameters
    ----------
    study : StudyData | SampleStudy | StudyCondition
        The structures, as for :func:`cross_validate`.
    options : iterable
        Brainstorm's options, each as for :func:`cross_validate`.
    mne_settings : MneSettings | mapping | None
        MNE's settings for all of them, as for :func:`cross_validate`: a mapping changes the
        defaults for each; ``MneSettings`` have one method, and fit options of that measure.
    data_types : str | sequence of str | None
        Types of the channels to use; ``None`` takes MEG where there is any, else EEG.
    good_channels : sequence of int | None
        0-based channels to use instead of those that the recordings do not mark as bad.
    n_avg : int | None
        Averages that the inverses of 2009 and 2016 divide the noise covariance by.
    shapley_limit : int | None
        Largest number of active conventions for Shapley values.
    orders : 'all' | 'path' | int | None
        Orders of the conventions to average over.
    rtol : float
        Relative difference of kernels that counts as equal, from 0 to 0.5.
    progress : bool
        Show progress bars.

    Returns
    -------
    iterator of CrossValidation
        One for each entry of ``options``, in their order, each computed when it is asked for.

    Raises
    ------
    OptionError
        As :func:`cross_validate`.
    ConversionError
        If the study cannot be converted to MNE.
    InverseError
        If the inverse cannot be computed.

    Examples
    --------
    >>> import mne_bstinv as mb
    >>> measures = ("amplitude", "dspm2018", "sloreta")
    >>> options = [mb.InverseOptions(measure=measure) for measure in measures]
    >>> study = mb.datasets.load_sample()
    >>> found = mb.cross_validate_each(study, options, data_types="EEG", orders="path")
    >>> [validation.settings.method for validation in found]
    ['MNE', 'dSPM', 'sLORETA']
    """
    asked = Asked(rtol=rtol, orders=orders, shapley_limit=shapley_limit, progress=progress)
    study = require_study(study)
    refuse_mixed(study)  # before its options, one for each region, are asked for the one setting
    parsed = [options_from(given) for given in several_options(options)]
    wanted = [(o, settings_from(mne_settings, o)) for o in parsed]
    types = default_data_types(study) if data_types is None else upper_types(data_types)
    shared = Shared(study, types, {"good_channels": good_channels, "n_avg": n_avg})
    named = types if good_channels is None or data_types is not None else None
    return _each(shared, wanted, named, asked)


def _each(
    shared: Shared,
    wanted: Sequence[tuple[AnyOptions, MneSettings]],
    named: tuple[str, ...] | None,
    asked: Asked,
) -> Iterator[CrossValidation]:
    """Yield the cross-validations, named after these types; None: the channels' own."""
    for k, (options, settings) in enumerate(wanted, start=1):
        shared.more = k < len(wanted)
        ingredients = shared.ingredients(options, settings)
        equivalent = shared.equivalent(ingredients)
        study = shared.study
        yield CrossValidation(
            study=study,
            name=study.name or type(study).__name__,
            data_types=named or tuple(ingredients.types),
            options=options,
            settings=settings,
            equivalent=equivalent,
            along_normals=ingredients.along_normals,
            reports=ingredients.side.reports,
            averages=1.0 if study.recordings is None else study.recordings.effective_averages,
            rtol=float(asked.rtol),
            **_compared(shared, ingredients, equivalent, asked),
        )


def _compared(
    shared: Shared, ingredients: Ingredients, equivalent: MneEquivalent, asked: Asked
) -> dict[str, Any]:
    """Compute both kernels and what lies between: fields of a :class:`CrossValidation`."""
    study = shared.study
    result, own = _brainstorm(ingredients)
    ours = _rows(ingredients, _in_mne_unit(own, result))
    same = equivalent.blocks()
    # MNE's functions copy gains: before there is more beside them
    differences = relative_distance(same, own), _public_difference(shared, equivalent, own)
    del own
    theirs = _rows(ingredients, ingredients.side.blocks())
    if not shared.more:
        ingredients.side.release()
    data, times, notes = _recordings(study, ingredients)
    engine = Engine(ingredients, data)
    everything = frozenset(c.key for c in conventions_of(ingredients.options.year))
    last = engine.compute(everything)
    ends = engine.compute(frozenset()), last  # of which all kernels are that change one convention
    bounds = rounding_bound(result, study.noise_cov.noise_cov), mne_bound(ingredients, ends[1])
    # of the kernels as set, what rounding allows at worst would make one of all their peaks
    unchanged = max(asked.rtol, min(max(bound.total for bound in bounds), _NEGLIGIBLE))
    tolerated = max(asked.rtol, min(bounds[0].total, MAX_RTOL))
    describe = Describer(ingredients, data, times, result.whitener, shared.fields)
    before = describe(theirs, ours, "MNE, as set", unchanged)
    same = _rows(ingredients, _in_mne_unit(same, result))
    after = describe(same, ours, "MNE, told the same", tolerated)
    del same
    describe.know(ends[0].blocks, ours)
    describe.know(ends[1].blocks, theirs)
    return {
        "result": result,
        "brainstorm": ours,
        "mne": theirs,
        "ends": ends,
        "twin_difference": differences[0],
        "public_difference": differences[1],
        "attribution": _attributed(
            ingredients, engine, (ours, theirs), describe.step, unchanged, asked
        ),
        "before": before,
        "after": after,
        "data": data,
        "times": times,
        "bounds": bounds,
        "notes": notes,
    }


def _brainstorm(ingredients: Ingredients) -> tuple[InverseResult, FloatArray]:
    """Compute Brainstorm's kernel, and its blocks (n_sources, p, n_channels) in its own unit."""
    result = kernel_of(ingredients.prepared)
    return result, kernel_blocks(result, ingredients.side.common.head_model.grid_orient)


def _attributed(
    ingredients: Ingredients,
    engine: Engine,
    ends: tuple[FloatArray, FloatArray],
    measured: Measures,
    unchanged: float,
    asked: Asked,
) -> Attribution:
    """Attribute the difference to the conventions that this study can separate."""
    limit = asked.shapley_limit
    path, joined = separable(conventions_of(ingredients.options.year), ingredients, engine)
    found = attribute(
        path,
        engine,
        ends=ends,
        measures=measured,
        families=(NOISE, DEPTH),
        orders=asked.orders,
        shapley_limit=_shapley_limit(ingredients) if limit is None else limit,
        unchanged=unchanged,
        progress=asked.progress,
    )
    return dataclasses.replace(found, notes=(*joined, *found.notes))


def _shapley_limit(ingredients: Ingredients) -> int:
    """Bound the multiplications: a kernel takes about rows × channels² of them."""
    n_channels, n_columns = ingredients.prepared.regions[0].gain.shape
    return max(int(math.log2(_SHAPLEY_BUDGET / (n_columns * n_channels**2))), 0)


def _in_mne_unit(blocks: FloatArray, result: InverseResult) -> FloatArray:
    """Make Brainstorm's sLORETA dimensionless like MNE's, by √Λ; others are in one unit."""
    unit = sloreta_unit(result)
    return blocks if unit == 1 else blocks / unit


def _rows(ingredients: Ingredients, blocks: FloatArray) -> FloatArray:
    """Take the rows that are compared: along the normals where one side is fixed only."""
    if ingredients.along_normals and blocks.shape[1] == 3:
        return ingredients.on_normals(blocks)
    return blocks


def _public_difference(shared: Shared, equivalent: MneEquivalent, own: FloatArray) -> float | None:
    if equivalent.no_public_call:
        return None
    made = shared.made(equivalent)
    return relative_distance(equivalent.blocks("public", made=made), own)


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
            f"The recordings mark {len(bad)} of the kernel's channels as bad: {few(bad)}. The "
            "estimates take them as they are stored."
        )
    data = np.asarray(recordings.f, dtype=np.float64)[used]
    broken = [n for n, row in zip(names, data, strict=True) if not np.isfinite(row).all()]
    if broken:
        notes.append(
            f"The recordings hold values that are not finite in {few(broken)}: nothing is said "
            "of estimates."
        )
        return None, None, tuple(notes)
    return data, np.asarray(recordings.time, dtype=np.float64), tuple(notes)
