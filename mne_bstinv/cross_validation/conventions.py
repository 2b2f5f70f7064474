"""The conventions in which the two toolboxes differ, one row each: the path of an attribution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mne_bstinv._display import Displayed

__all__ = ["CONVENTIONS", "Convention", "conventions_of", "join"]

_SUFFIX = " (not separable)"
#: How many of the conventions that are not separable a label names.
_NAMED = 3


@dataclass(frozen=True, kw_only=True, repr=False)
class Convention(Displayed):
    """One choice that the two toolboxes make differently.

    Parameters
    ----------
    key : str
        Short name.
    label : str
        Name in tables and figures.
    brainstorm, mne : str
        What each toolbox does.
    parts : tuple of str
        Keys of the conventions that are switched together, where they cannot be separated; empty
        for a single one.
    """

    key: str
    label: str
    brainstorm: str
    mne: str
    parts: tuple[str, ...] = ()

    def _summary(self) -> str:
        return f"{self.key}: {self.label}"

    @property
    def keys(self) -> frozenset[str]:
        """Keys of the single conventions that are switched."""
        return frozenset(self.parts or (self.key,))


def join(path: Sequence[Convention], members: Sequence[Convention]) -> tuple[Convention, ...]:
    """Make one convention of two or more of a path that are switched together.

    It stands in the place of the first of them; its label says that they are not separable.
    """
    joined = Convention(
        key="+".join(m.key for m in members),
        label=_listed([m.label.removesuffix(_SUFFIX) for m in members]) + _SUFFIX,
        brainstorm="; ".join(m.brainstorm for m in members),
        mne="; ".join(m.mne for m in members),
        parts=tuple(key for m in members for key in (m.parts or (m.key,))),
    )
    first, *others = members
    return tuple(joined if c is first else c for c in path if c not in others)


def _listed(labels: Sequence[str]) -> str:
    """List labels, the first three by name."""
    if len(labels) > _NAMED:
        return f"{', '.join(labels[:_NAMED])} and {len(labels) - _NAMED} more"
    return " and ".join([", ".join(labels[:-1]), labels[-1]])


#: In the order in which a path goes from Brainstorm's settings to MNE's; Brainstorm's are of 2018.
CONVENTIONS = (
    Convention(
        key="snr",
        label="SNR value or rule",
        brainstorm="SnrFixed, or the source amplitude SnrRms",
        mne="1/λ of lambda2",
    ),
    Convention(
        key="rank_factor",
        label="Λ or trace (λ rank factor)",
        brainstorm="Λ from the mean over all n channels",
        mne="source covariance scaled to the rank r",
    ),
    Convention(
        key="orientation",
        label="orientation constraint",
        brainstorm="SourceOrient",
        mne="fixed, loose or free by the value of loose",
    ),
    Convention(
        key="normals",
        label="length of normals",
        brainstorm="unit vectors",
        mne="unit vectors",
    ),
    Convention(
        key="depth_norm",
        label="depth: norm and channels",
        brainstorm="Frobenius norm of the projected gain, all channels",
        mne="combine_xyz and limit_depth_chs of the gain as given",
    ),
    Convention(
        key="depth_exponent",
        label="depth: exponent",
        brainstorm="WeightExp (none for sLORETA)",
        mne="exp",
    ),
    Convention(
        key="depth_limit",
        label="depth: limit",
        brainstorm="WeightLimit, after the exponent",
        mne="limit, before the exponent",
    ),
    Convention(
        key="loose",
        label="loose",
        brainstorm="Loose multiplies tangential amplitudes",
        mne="loose multiplies tangential variances",
    ),
    Convention(
        key="tangents",
        label="tangents of loose",
        brainstorm="the gain along them",
        mne="the gain along them",
    ),
    Convention(
        key="cross_types",
        label="noise between sensor types",
        brainstorm="dropped",
        mne="kept between magnetometers and gradiometers",
    ),
    Convention(
        key="roots",
        label="variance or roots added",
        brainstorm="the ridge is added to variances",
        mne="the ridge is added to variances",
    ),
    Convention(
        key="regularization",
        label="noise regularisation",
        brainstorm="NoiseMethod; mean over all eigenvalues of a type",
        mne="mne.cov.regularize; mean over the kept subspace",
    ),
    Convention(
        key="rank",
        label="rank rule",
        brainstorm="standard deviations above single precision",
        mne="mne.compute_rank, MEG sensors together",
    ),
    Convention(
        key="projectors",
        label="projectors",
        brainstorm="all channels of the file, on gain and covariance only",
        mne="channels in use, renormalised, on the data too",
    ),
    Convention(
        key="reference",
        label="EEG reference",
        brainstorm="average reference of gain and covariance",
        mne="average-reference projector, on the data too",
    ),
    Convention(
        key="averaging",
        label="averaging",
        brainstorm="kernel of one sample, whatever was averaged",
        mne="dSPM and sLORETA × √nave",
    ),
    Convention(
        key="normalization",
        label="measure normalisation",
        brainstorm="before the prior goes back in; sLORETA by the 3 × 3 block",
        mne="after the prior; one number per location",
    ),
    Convention(
        key="precision",
        label="arithmetic",
        brainstorm="double precision, sensor types apart",
        mne="fixed gain in single precision; all MEG sensors in one eigendecomposition",
    ),
)

#: What the inverses of other years do otherwise, by the key of the convention.
_OF_YEARS: dict[int, dict[str, dict[str, str]]] = {
    2009: {
        "snr": {"brainstorm": "SNR"},
        "rank_factor": {"brainstorm": "source covariance scaled to the rank r, as in MNE"},
        "normals": {"brainstorm": "of the length that they are stored with"},
        "depth_exponent": {"brainstorm": "weightexp, whatever the method"},
        "depth_limit": {"brainstorm": "weightlimit, before the exponent"},
        "loose": {"brainstorm": "loose multiplies tangential variances, as in MNE"},
        "tangents": {"brainstorm": "the normal's field is taken out of theirs"},
        "cross_types": {"brainstorm": "kept between magnetometers and gradiometers, as in MNE"},
        "regularization": {
            "brainstorm": "gradreg, magreg, eegreg: of the mean variance of a type's channels"
        },
        "rank": {"brainstorm": "variances above single precision, MEG sensors together"},
        "averaging": {
            "label": "nAvg in the covariance",
            "brainstorm": "noise covariance divided by nAvg",
        },
        "normalization": {
            "brainstorm": "dSPM after the prior, as in MNE; sLORETA by the 3 × 3 block, then times "
            "the prior"
        },
        "precision": {"brainstorm": "double precision"},
    },
    2016: {
        "roots": {"brainstorm": "the root of the ridge is added to standard deviations"},
        "regularization": {
            "brainstorm": "NoiseMethod, of the covariance over nAvg; the largest eigenvalue of a "
            "type"
        },
        "averaging": {
            "label": "nAvg in the covariance",
            "brainstorm": "noise covariance divided by nAvg",
        },
    },
}
#: Conventions that only the inverses of these years have otherwise than MNE.
_ONLY = {"normals": (2009,), "tangents": (2009,), "roots": (2016,)}


def conventions_of(year: int) -> tuple[Convention, ...]:
    """List the conventions in which the inverse of a year may differ from MNE's, in path order."""
    changes = _OF_YEARS.get(year, {})
    return tuple(
        _with_texts(convention, **changes.get(convention.key, {}))
        for convention in CONVENTIONS
        if year in _ONLY.get(convention.key, (year,))
    )


def _with_texts(convention: Convention, label: str = "", brainstorm: str = "") -> Convention:
    """Change what a convention is called and what Brainstorm does, where that is given."""
    return replace(
        convention,
        label=label or convention.label,
        brainstorm=brainstorm or convention.brainstorm,
    )
