"""From a cross-validation to its figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mne_bstinv import plots
from mne_bstinv._types import FloatArray
from mne_bstinv.cross_validation import CrossValidation
from mne_bstinv.report import quantities

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["FIGURES", "Drawing", "FigureOf", "draw", "figures_of"]

#: The sides, as all figures name them.
NAMES = ("Brainstorm", "MNE")
#: A·m → nA·m
NANO = 1e9
#: Scouts in the figure; the table has all.
SCOUTS_SHOWN = 4


@dataclass(frozen=True, kw_only=True)
class FigureOf:
    """Declaration of a figure."""

    title: str
    #: What it shows, in one or two sentences.
    caption: str
    #: From a cross-validation to the figure, or to the reason why there is none.
    function: Callable[[CrossValidation], Figure | str]


@dataclass(frozen=True, kw_only=True, eq=False)
class Drawing:
    """A figure of one cross-validation, or why there is none."""

    title: str
    caption: str
    figure: Figure | None
    #: Why there is none; empty where there is one.
    reason: str


def figures_of(validation: CrossValidation) -> dict[str, Figure]:
    """Draw every figure that applies to a cross-validation.

    Parameters
    ----------
    validation : CrossValidation
        What :func:`~mne_bstinv.cross_validate` returned.

    Returns
    -------
    dict of str to Figure
        By title. Left out is what does not apply: estimates without recordings, the fit of a
        statistical map (dSPM, sLORETA), weights without positions of sensors.
    """
    return {d.title: d.figure for d in draw(validation) if d.figure is not None}


def draw(validation: CrossValidation) -> Iterator[Drawing]:
    """Draw one figure after the other, or say why it does not apply."""
    for declared in FIGURES:
        made = declared.function(validation)
        yield Drawing(
            title=declared.title,
            caption=declared.caption,
            figure=None if isinstance(made, str) else made,
            reason=made if isinstance(made, str) else "",
        )


def _attribution(v: CrossValidation) -> Figure | str:
    steps = v.attribution.active
    if not v.attribution.steps:
        return "The attribution was interrupted."
    if not steps:
        return "The two sides do not differ in any convention."
    shapley = [np.nan if s.shapley is None else s.shapley for s in steps]
    return plots.plot_attribution(
        [s.convention.label for s in steps],
        np.array([s.increment for s in steps]),
        total=v.attribution.total,
        alone_from_a=np.array([s.alone_from_brainstorm for s in steps]),
        alone_from_b=np.array([s.alone_from_mne for s in steps]),
        shapley=None if np.isnan(shapley).all() else np.array(shapley),
        names=NAMES,
    )


def _singular_values(v: CrossValidation) -> Figure | str:
    first, last = v.ends
    return plots.plot_singular_values(
        *quantities.filter_factors(v), names=NAMES, ranks=(first.rank, last.rank)
    )


def _depth(v: CrossValidation) -> Figure | str:
    depth = quantities.depth_in_mm(v)
    if depth is None:
        return "The channel file holds no positions of the sensors in use."
    return plots.plot_depth_weights(depth, v.ends[0].alpha, v.ends[1].alpha, names=NAMES)


def _correlation(v: CrossValidation) -> Figure | str:
    return _on_locations(v, v.before.location_correlation, "correlation of the kernels' rows")


def _ratio(v: CrossValidation) -> Figure | str:
    label = "norm of the kernel's rows, MNE / Brainstorm"
    return _on_locations(v, v.before.location_ratio, label, ratio=True)


def _on_locations(
    v: CrossValidation, values: FloatArray, label: str, *, ratio: bool = False
) -> Figure:
    """Draw one number a location on the cortex if the locations are its vertices."""
    spread = quantities.on_all_locations(v, values)
    model, cortex = v.study.head_model, getattr(v.study, "cortex", None)
    if model.kind == "surface" and cortex is not None and len(cortex.vertices) == len(spread):
        faces = np.asarray(cortex.faces, dtype=np.int64) - 1
        return plots.plot_agreement(spread, cortex.vertices, faces, label=label, ratio=ratio)
    return plots.plot_agreement_points(spread, model.grid_loc, label=label, ratio=ratio)


def _kernels(v: CrossValidation) -> Figure | str:
    scale, unit = _unit(v)
    ours, theirs = quantities.kernels_per_noise(v)
    return plots.plot_kernels(
        scale * ours,
        scale * theirs,
        names=NAMES,
        unit=f"{unit} per noise SD",
        n_components=v.brainstorm.shape[1],
        correlations=quantities.on_all_locations(v, v.before.location_correlation),
    )


def _time_courses(v: CrossValidation) -> Figure | str:
    if v.estimates is None or v.times is None:
        return "The study has no recordings."
    chosen = quantities.peaks(v)
    if not chosen.size:
        return "The estimates are zero everywhere."
    scale, unit = _unit(v)
    ours, theirs = (scale * quantities.magnitudes(e)[chosen] for e in v.estimates)
    places = 1e3 * np.asarray(v.study.head_model.grid_loc)[chosen]
    labels = [
        f"location {i + 1} (1-based), ({x:.0f}, {y:.0f}, {z:.0f}) mm"
        for i, (x, y, z) in zip(chosen.tolist(), places, strict=True)
    ]
    return plots.plot_time_courses(v.times, ours, theirs, labels=labels, names=NAMES, unit=unit)


def _scouts(v: CrossValidation) -> Figure | str:
    found = v.scouts
    if isinstance(found, str):
        return found
    chosen = found.strongest(SCOUTS_SHOWN)
    scale, unit = _unit(v)
    return plots.plot_time_courses(
        found.times,
        scale * found.brainstorm[chosen],
        scale * found.mne[chosen],
        labels=[f"scout {found.names[i]}" for i in chosen],
        names=NAMES,
        unit=unit,
    )


def _sensor_fit(v: CrossValidation) -> Figure | str:
    if v.estimates is None or v.times is None:
        return "The study has no recordings."
    if v.settings.method != "MNE":
        return f"{v.settings.method} is a statistical map, which predicts no recordings."
    if v.along_normals:
        return "The sides are compared along the normals only, a part of one side's estimate."
    measured, ours, theirs = quantities.sensor_fits(v)
    return plots.plot_sensor_fit(
        v.times, measured, ours, theirs, v.result.channel_types, names=NAMES
    )


def _unit(v: CrossValidation) -> tuple[float, str]:
    """Return the factor and the unit that estimates are shown in; maps count in themselves."""
    return (NANO, "nA·m") if v.settings.method == "MNE" else (1.0, v.settings.method)


#: In the order of the report.
FIGURES = (
    FigureOf(
        title="What makes the difference",
        caption="From Brainstorm's kernel to MNE's, one convention switched after the other: each "
        "bar is what the step adds to the relative difference from Brainstorm's kernel. What a "
        "step does by itself, from either end and (where it was computed) as the mean over all "
        "orders, does not depend on the order.",
        function=_attribution,
    ),
    FigureOf(
        title="Singular values and filter factors",
        caption="Above, the singular values of Brainstorm's whitened and weighted gain. Below, how "
        "much of each direction either side keeps, with its own gain and regularisation.",
        function=_singular_values,
    ),
    FigureOf(
        title="Depth weights",
        caption="Standard deviation of the source prior under both rules; sensors are the nearest "
        "coil point or electrode.",
        function=_depth,
    ),
    FigureOf(
        title="Agreement: direction of the kernels",
        caption="Correlation of each location's kernel rows, MNE as set against Brainstorm: 1 "
        "where both point the same way, whatever the amplitude.",
        function=_correlation,
    ),
    FigureOf(
        title="Agreement: amplitude of the kernels",
        caption="Ratio of the norms of each location's kernel rows, MNE as set to Brainstorm: "
        "white where both are equal, red where MNE's are larger, blue where Brainstorm's are.",
        function=_ratio,
    ),
    FigureOf(
        title="Kernels against each other",
        caption="Every entry, times the standard deviation of its channel's noise so that sensors "
        "of all types can be compared, and how the rows of each location correlate.",
        function=_kernels,
    ),
    FigureOf(
        title="Time courses at the peaks",
        caption="The strongest locations of either side that are at least 3 cm apart "
        "(positions in SCS). Of three components the norm is shown.",
        function=_time_courses,
    ),
    FigureOf(
        title="Scouts: time series under both toolboxes",
        caption="The strongest scouts of the cortex's current atlas. Brainstorm: its kernel and "
        "its scout function mean, signs flipped. MNE: its kernel as set and "
        "extract_label_time_course, mode mean_flip, turned to Brainstorm's sign. Of three "
        "components the norm of the mean vector.",
        function=_scouts,
    ),
    FigureOf(
        title="Sensor-level fit",
        caption="Recordings as the kernels are applied to them (EEG with the average reference), "
        "and what either estimate predicts of them; what projectors remove cannot be predicted. "
        "The variance explained here is of each type of channel in its own unit; the metrics give "
        "that of all channels together, whitened.",
        function=_sensor_fit,
    ),
)
