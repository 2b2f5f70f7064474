"""The declared table of metrics: what is measured between two kernels, and when they agree.

A is compared with the reference B. All tolerances follow from one assumption: coefficients agree,
|A_rc − B_rc| ≤ ε |B_rc|, with ε the relative tolerance ``rtol`` and the rounding of a sum over a
location's coefficients. Kernels that agree so are within every tolerance; a metric outside its
tolerance shows that they do not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mne_bstinv._display import Displayed
from mne_bstinv.compare import measures
from mne_bstinv.compare.pair import Pair

__all__ = ["METRICS", "Metric"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Metric(Displayed):
    """Declaration of a metric.

    Parameters
    ----------
    key : str
        Short name.
    label : str
        What is measured, in words; A is the kernel compared, B the reference.
    unit : str
        Unit of the value; empty for pure numbers.
    better : 'lower' | 'higher' | 'near 0' | 'near 1'
        Which values are good.
    rule : str
        When kernels agree, in words; empty where the metric describes one kernel alone.
    reference : str
        Paper, or definition.
    function : callable
        Computes the value and a detail in words from a pair of kernels.
    perfect : float
        Value of equal kernels; without meaning where there is no tolerance.
    tolerance : callable | None
        Computes, from the pair, how far the value of kernels that agree can be from perfect.
    """

    key: str
    label: str
    unit: str
    better: str
    rule: str
    reference: str
    function: Callable[[Pair], measures.Measured]
    perfect: float = 0.0
    tolerance: Callable[[Pair], float] | None = None

    def __repr__(self) -> str:
        return f"<Metric | {self.key}: {self.label}>"


# sources of the formulas, and rules of agreement
_BJORCK = "Björck & Golub 1973, Mathematics of Computation; tolerance: Wedin 1972, BIT"
# of source j at location i: R_ij = |K_i G_j|
_HAUK = "Hauk, Stenroos & Treder 2022, NeuroImage 255"
_DISPERSION = (
    "definition: √(Σ_i |x_i − x_j|² R_ij² / Σ_i R_ij²), R_ij = |K_i G_j|; "
    f"Molins et al. 2008, NeuroImage 42; {_HAUK}"
)
_DISPLACEMENT = f"definition: |x_a − x_b|, where R_ij = |K_i G_j| is largest; {_HAUK}"
_LOCALISATION = f"definition: |x_p − x_j|, x_p where R_ij = |K_i G_j| is largest; {_HAUK}"
_CORRELATION = "definition: ⟨A_i, B_i⟩ / (|A_i| |B_i|), about zero"
_RATIO = "definition: |A_i| / |B_i|"
_TIME_COURSES = "definition: ⟨A_i Y, B_i Y⟩ / (|A_i Y| |B_i Y|), about zero"
_PEAK = "definition: largest norm over components, of all locations and times"
_PEAK_RULE = "none; peaks that ε can exchange are one"
_COSINE_RULE = "≥ √(1 − ε²)"
_RATIO_RULE = "within 1 ± ε"
_ANGLE_RULE = "sin θ ≤ ε |B_i| / (δ_i − ε |B_i|), δ_i the gap below B_i's last singular value"
_TIME_COURSE_RULE = "≥ √(1 − η²), η = ε |B_i / s| |s ∘ Y| / |B_i Y|, s the norms of B's columns"

#: All metrics, in the order of the report.
METRICS: tuple[Metric, ...] = (
    Metric(
        key="relative_difference",
        label="relative difference",
        unit="",
        better="lower",
        rule="≤ rtol",
        reference="definition: |A − B| / |B|, Frobenius norms",
        function=measures.relative_difference,
        tolerance=lambda pair: pair.rtol,
    ),
    Metric(
        key="relative_difference_channel",
        label="relative difference, worst channel",
        unit="",
        better="lower",
        rule="≤ rtol",
        reference="definition: |A_c − B_c| / |B_c| of a column; does not depend on units of data",
        function=measures.worst_channel,
        tolerance=lambda pair: pair.rtol,
    ),
    Metric(
        key="correlation_median",
        label="correlation of locations, median",
        unit="",
        better="higher",
        rule=_COSINE_RULE,
        reference=_CORRELATION,
        function=lambda pair: (measures.median(pair.correlation), ""),
        perfect=1.0,
        tolerance=measures.cosine_tolerance,
    ),
    Metric(
        key="correlation_p5",
        label="correlation of locations, 5th percentile",
        unit="",
        better="higher",
        rule=_COSINE_RULE,
        reference=_CORRELATION,
        function=lambda pair: (measures.low(pair.correlation), ""),
        perfect=1.0,
        tolerance=measures.cosine_tolerance,
    ),
    Metric(
        key="correlation_worst",
        label="correlation of locations, worst",
        unit="",
        better="higher",
        rule=_COSINE_RULE,
        reference=_CORRELATION,
        function=lambda pair: measures.worst(pair, pair.correlation, np.nanargmin),
        perfect=1.0,
        tolerance=measures.cosine_tolerance,
    ),
    Metric(
        key="amplitude_ratio_median",
        label="amplitude ratio A/B, median",
        unit="",
        better="near 1",
        rule=_RATIO_RULE,
        reference=_RATIO,
        function=lambda pair: (measures.median(pair.ratio), ""),
        perfect=1.0,
        tolerance=lambda pair: pair.change,
    ),
    Metric(
        key="amplitude_ratio_p5",
        label="amplitude ratio A/B, 5th percentile",
        unit="",
        better="near 1",
        rule=_RATIO_RULE,
        reference=_RATIO,
        function=lambda pair: (measures.low(pair.ratio), ""),
        perfect=1.0,
        tolerance=lambda pair: pair.change,
    ),
    Metric(
        key="amplitude_ratio_p95",
        label="amplitude ratio A/B, 95th percentile",
        unit="",
        better="near 1",
        rule=_RATIO_RULE,
        reference=_RATIO,
        function=lambda pair: (measures.high(pair.ratio), ""),
        perfect=1.0,
        tolerance=lambda pair: pair.change,
    ),
    Metric(
        key="sign_agreement",
        label="rows of equal sign",
        unit="",
        better="higher",
        rule="all",  # a·b ≥ (1 − ε) |b|² > 0 of every row
        reference="definition: fraction of rows with a positive inner product",
        function=measures.sign_agreement,
        perfect=1.0,
        tolerance=lambda pair: 0.0,
    ),
    Metric(
        key="subspace_angle_median",
        label="angle between subspaces, median",
        unit="°",
        better="lower",
        rule=_ANGLE_RULE,
        reference=_BJORCK,
        function=lambda pair: (measures.median(measures.angles(pair)), ""),
        # order statistics keep the order of two lists of which one is below the other
        tolerance=lambda pair: measures.median(measures.angle_bounds(pair)),
    ),
    Metric(
        key="subspace_angle_worst",
        label="angle between subspaces, worst",
        unit="°",
        better="lower",
        rule=_ANGLE_RULE,
        reference=_BJORCK,
        function=measures.worst_angle,
        tolerance=lambda pair: measures.largest(measures.angle_bounds(pair)),
    ),
    Metric(
        key="peak_displacement_median",
        label="displacement of the point spread's peak, median",
        unit="mm",
        better="lower",
        rule=_PEAK_RULE,
        reference=_DISPLACEMENT,
        function=lambda pair: (measures.median(measures.displacements(pair)), ""),
        tolerance=lambda pair: 0.0,
    ),
    Metric(
        key="peak_displacement_worst",
        label="displacement of the point spread's peak, worst",
        unit="mm",
        better="lower",
        rule=_PEAK_RULE,
        reference=_DISPLACEMENT,
        function=measures.worst_displacement,
        tolerance=lambda pair: 0.0,
    ),
    Metric(
        key="localisation_error_a",
        label="dipole localisation error of A, median",
        unit="mm",
        better="lower",
        rule="",
        reference=_LOCALISATION,
        function=lambda pair: measures.localisation_error(pair, pair.spreads.peak_a),
    ),
    Metric(
        key="localisation_error_b",
        label="dipole localisation error of B, median",
        unit="mm",
        better="lower",
        rule="",
        reference=_LOCALISATION,
        function=lambda pair: measures.localisation_error(pair, pair.spreads.peak_b),
    ),
    Metric(
        key="dispersion_difference",
        label="spatial dispersion, A − B, median",
        unit="mm",
        better="near 0",
        rule="≤ 2 D η / (1 − η), D the largest distance, η = ε |B / s| |s ∘ g_j| / |B g_j|",
        reference=_DISPERSION,
        function=measures.dispersion_difference,
        # a median of differences is within the median of their absolute values
        tolerance=measures.dispersion_tolerance,
    ),
    Metric(
        key="time_course_correlation_median",
        label="correlation of time courses, median",
        unit="",
        better="higher",
        rule=_TIME_COURSE_RULE,
        reference=_TIME_COURSES,
        function=lambda pair: (measures.median(pair.estimates.correlation), ""),
        perfect=1.0,
        tolerance=lambda pair: measures.median(pair.estimates.bound),
    ),
    Metric(
        key="time_course_correlation_p5",
        label="correlation of time courses, 5th percentile",
        unit="",
        better="higher",
        rule=_TIME_COURSE_RULE,
        reference=_TIME_COURSES,
        function=lambda pair: (measures.low(pair.estimates.correlation), ""),
        perfect=1.0,
        tolerance=lambda pair: measures.high(pair.estimates.bound),
    ),
    Metric(
        key="time_course_correlation_worst",
        label="correlation of time courses, worst",
        unit="",
        better="higher",
        rule=_TIME_COURSE_RULE,
        reference=_TIME_COURSES,
        function=lambda pair: measures.worst(pair, pair.estimates.correlation, np.nanargmin),
        perfect=1.0,
        tolerance=lambda pair: measures.largest(pair.estimates.bound),
    ),
    Metric(
        key="estimate_peak_distance",
        label="distance between the peaks of the estimates",
        unit="mm",
        better="lower",
        rule=_PEAK_RULE,
        reference=_PEAK,
        function=measures.peak_distance,
        tolerance=lambda pair: 0.0,
    ),
    Metric(
        key="estimate_latency_difference",
        label="latency of the peak of the estimate, A − B",
        unit="ms",
        better="near 0",
        rule=_PEAK_RULE,
        reference=_PEAK,
        function=measures.latency_difference,
        tolerance=lambda pair: 0.0,
    ),
    Metric(
        key="explained_variance_a",
        label="explained variance of the recordings by A",
        unit="",
        better="higher",
        rule="",
        reference="definition: 1 − |W (Y − G A Y)|² / |W Y|²",
        function=lambda pair: (pair.explained_a, measures.whitened(pair)),
    ),
    Metric(
        key="explained_variance_b",
        label="explained variance of the recordings by B",
        unit="",
        better="higher",
        rule="",
        reference="definition: 1 − |W (Y − G B Y)|² / |W Y|²",
        function=lambda pair: (pair.explained_b, measures.whitened(pair)),
    ),
    Metric(
        key="explained_variance_difference",
        label="explained variance of the recordings, A − B",
        unit="",
        better="near 0",
        rule="≤ 2 √(1 − EV_B) e + e², e = (2 ε + ε²) | |W| |G| |B| |Y| | / |W Y|",
        reference="definition: 1 − |W (Y − G K Y)|² / |W Y|²",
        function=measures.explained_difference,
        tolerance=measures.explained_tolerance,
    ),
)
