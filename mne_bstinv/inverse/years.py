"""What the inverses of 2009, 2016 and 2018 do differently: one table.

Brainstorm has had three functions for the linear inverse, and studies hold kernels of all of them.
They are one formula, K = R L' (L R L' + C)⁻¹ in the whitened data, in the same stages; what differs
is listed here. A stage looks up the variant of its year and knows nothing else of years. Only the
whitener of 2009 is a stage of its own (:mod:`mne_bstinv.inverse.group_whitening`): its options are
others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["YEARS", "Conventions"]


@dataclass(frozen=True, kw_only=True)
class Conventions:
    """How the stages of one year's inverse are to be done."""

    #: Whether the noise covariance is divided by the number of averages of the recordings.
    averages_in_noise: bool
    #: Whether channels with an all-zero row in a covariance are refused.
    refuses_silent_channels: bool
    #: Methods that take one head model only, hence no mixed one.
    one_model: tuple[str, ...]
    #: Of which variance of a sensor type the ridge of the regularisation is a fraction.
    ridge: Literal["mean", "largest"]
    #: Whether the ridge is added to the variances, or its root to the standard deviations.
    ridge_added_to: Literal["variances", "deviations"]
    #: Whether ``shrink`` takes one sensor type only.
    shrinks_one_type: bool
    #: Depth weights: the exponent before the limit, each head model for itself; or the limit
    #: before the exponent, relative to the best seen location of all models.
    depth: Literal["exponent first", "limit first"]
    #: Whether normals are made unit vectors, or taken as they are stored.
    unit_normals: bool
    #: What ``loose`` is a ratio of, between a tangent and the normal.
    loose: Literal["amplitudes", "variances"]
    #: Tangential columns of loose: the gain; or what is left of it when the normal's column is
    #: taken out.
    tangents: Literal["plain", "decoupled"]
    #: Where the scale of the source covariance sits: in Λ = SNR² / mean(S²), the mean being over
    #: all n channels; or in the trace, which is made the rank r, with λ² = 1/SNR². The latter is
    #: the same as the mean over r.
    scale: Literal["Λ", "trace"]
    #: Up to which part of the largest, in single or double precision, the eigenvalues of a
    #: resolution block of sLORETA count as null.
    null_resolution: Literal["single", "double"]
    #: Measures whose rows the prior multiplies in the end, so that they are along x, y, z.
    prior_restored: tuple[str, ...]


_SCANS_2009 = ("gls", "gls_p", "glsr", "glsr_p", "mnej", "mnej_p")

#: Year of the function → its conventions.
YEARS = {
    2009: Conventions(
        averages_in_noise=True,
        refuses_silent_channels=False,
        one_model=_SCANS_2009,
        ridge="mean",
        ridge_added_to="variances",
        shrinks_one_type=False,
        depth="limit first",
        unit_normals=False,
        loose="variances",
        tangents="decoupled",
        scale="trace",
        null_resolution="double",
        prior_restored=("amplitude", "dspm", "sloreta"),
    ),
    2016: Conventions(
        averages_in_noise=True,
        refuses_silent_channels=False,
        one_model=("minnorm", "gls", "lcmv"),
        ridge="largest",
        ridge_added_to="deviations",
        shrinks_one_type=True,
        depth="exponent first",
        unit_normals=True,
        loose="amplitudes",
        tangents="plain",
        scale="Λ",
        null_resolution="single",
        prior_restored=("amplitude",),
    ),
    2018: Conventions(
        averages_in_noise=False,
        refuses_silent_channels=True,
        one_model=(),
        ridge="mean",
        ridge_added_to="variances",
        shrinks_one_type=False,
        depth="exponent first",
        unit_normals=True,
        loose="amplitudes",
        tangents="plain",
        scale="Λ",
        null_resolution="single",
        prior_restored=("amplitude",),
    ),
}
