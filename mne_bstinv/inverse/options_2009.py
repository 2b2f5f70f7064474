"""The options of the inverse of 2009, and their Brainstorm names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np

from mne_bstinv.errors import OptionError
from mne_bstinv.inverse import option_values as checks
from mne_bstinv.inverse.option_sets import OTHER_NAMES, OptionSet

__all__ = ["METHODS_2009", "RIDGES", "InverseOptions2009"]

#: Method → what its rows are; those of ``_p`` are projections, in standard deviations.
METHODS_2009 = {
    "wmne": "amplitude",
    "dspm": "dspm",
    "sloreta": "sloreta",
    "gls": "amplitude",
    "gls_p": "performance",
    "glsr": "amplitude",
    "glsr_p": "performance",
    "mnej": "amplitude",
    "mnej_p": "performance",
}
_MINIMUM_NORMS = ("wmne", "dspm", "sloreta", "mnej")
_ORIENTATIONS = ("fixed", "loose", "free", "truncated")

#: Our name → Brainstorm's field.
_FIELDS = {
    "method": "InverseMethod",
    "snr_fixed": "SNR",
    "diagonal_noise": "diagnoise",
    "source_orient": "SourceOrient",
    "loose": "loose",
    "use_depth": "depth",
    "weight_exp": "weightexp",
    "weight_limit": "weightlimit",
    "regularize_noise": "regnoise",
    "mag_reg": "magreg",
    "grad_reg": "gradreg",
    "eeg_reg": "eegreg",
    "ecog_reg": "ecogreg",
    "seeg_reg": "seegreg",
    "pca": "pca",
}
#: Weights from fMRI: written empty, and refused where they are set.
_FMRI = {"fMRI": np.zeros((0, 0)), "fMRIthresh": np.zeros((0, 0)), "fMRIoff": 0.1}

#: Sensor type → our name of the ridge of its variances.
_RIDGE_OF_TYPE = {
    "MEG MAG": "mag_reg",
    "MEG GRAD": "grad_reg",
    "MEG": "grad_reg",
    "EEG": "eeg_reg",
    "ECOG": "ecog_reg",
    "SEEG": "seeg_reg",
}
#: These names, each once.
RIDGES = tuple(dict.fromkeys(_RIDGE_OF_TYPE.values()))


@dataclass(frozen=True, kw_only=True, repr=False)
class InverseOptions2009(OptionSet):
    """Options of ``bst_wmne``, the minimum norm of 2009 and its relatives.

    Parameters
    ----------
    method : str
        ``'wmne'``, ``'dspm'``, ``'sloreta'``; the scans ``'gls'``, ``'glsr'`` (regularised),
        ``'mnej'`` (equal to ``'wmne'``), and with ``'_p'`` their projections in standard
        deviations.
    source_orient : str | tuple of str
        ``'fixed'``, ``'loose'``, ``'free'`` or ``'truncated'`` (which is computed as loose but for
        MEG in a single sphere, where Brainstorm ends in an error); one entry, or one a head model.
    loose : float | None
        *Variance* of the tangential components relative to the normal one, strictly between 0
        and 1. ``None`` where no location is loose.
    use_depth : bool
        Weight deep sources up. Brainstorm's window turns it off for ``'sloreta'``; the function
        does not.
    weight_exp : float
        Exponent of the depth weighting, on the variance; 0 or more.
    weight_limit : float
        Largest depth weight, as a ratio of amplitudes, before the exponent.
    snr_fixed : float
        Amplitude SNR; λ² = 1/SNR².
    diagonal_noise : bool
        Take the noise covariance as diagonal.
    regularize_noise : bool
        Add the ridges to the variances.
    mag_reg, grad_reg, eeg_reg, ecog_reg, seeg_reg : float
        Ridge of each sensor type as a fraction of the mean variance of its channels; ``grad_reg``
        is that of the type ``MEG`` too.
    pca : bool
        Whiten the kept rank only, rather than all directions.

    Attributes
    ----------
    measure : str
        What the rows are: ``'amplitude'``, ``'dspm'``, ``'sloreta'`` or ``'performance'``.

    Raises
    ------
    OptionError
        If a value is unknown or out of range; the message names the value and the choices.

    Notes
    -----
    =================================  =========================
    Brainstorm                         here
    =================================  =========================
    InverseMethod                      method
    SNR                                snr_fixed
    diagnoise                          diagonal_noise
    SourceOrient                       source_orient
    loose                              loose
    depth                              use_depth
    weightexp                          weight_exp
    weightlimit                        weight_limit
    regnoise                           regularize_noise
    gradreg, magreg, eegreg, …         grad_reg, mag_reg, …
    pca                                pca
    =================================  =========================
    """

    year: ClassVar[int] = 2009
    names: ClassVar[Mapping[str, str]] = _FIELDS
    other_names: ClassVar[tuple[str, ...]] = (*OTHER_NAMES, "NoiseCov", *_FMRI)

    method: str = "wmne"
    measure: str = field(init=False, default="amplitude")
    diagonal_noise: bool = False
    regularize_noise: bool = True
    mag_reg: float = 0.1
    grad_reg: float = 0.1
    eeg_reg: float = 0.1
    ecog_reg: float = 0.1
    seeg_reg: float = 0.1
    pca: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "measure", METHODS_2009[self.method])

    def _checks(self) -> Mapping[str, Callable[[str, Any], Any]]:
        return {
            "method": lambda name, v: checks.choice(name, v, METHODS_2009),
            "source_orient": lambda _, v: checks.orientations(v, _ORIENTATIONS),
            "loose": checks.loose_value,
            "use_depth": checks.flag,
            "weight_exp": checks.not_negative,
            "weight_limit": checks.squared,
            "snr_fixed": checks.squared,
            "diagonal_noise": checks.flag,
            "regularize_noise": checks.flag,
            **dict.fromkeys(RIDGES, checks.not_negative),
            "pca": checks.flag,
        }

    @property
    def is_minimum_norm(self) -> bool:
        """Whether all sources are estimated together, rather than each location alone."""
        return self.method in _MINIMUM_NORMS

    @property
    def depth_weighting(self) -> bool:
        """Whether the depth weights are really used: as asked, whatever the method."""
        return self.use_depth

    @property
    def function(self) -> str:
        """Brainstorm's name of the function, which is the method."""
        return self.method

    def ridge(self, channel_type: str) -> float:
        """Ridge of a sensor type, as a fraction of the mean variance of its channels.

        Parameters
        ----------
        channel_type : str
            The type, in any case.

        Returns
        -------
        float
            The fraction; 0 where the noise covariance is not regularised.
        """
        name = _RIDGE_OF_TYPE[channel_type.strip().upper()]
        return float(getattr(self, name)) if self.regularize_noise else 0.0

    @classmethod
    def from_brainstorm(cls, options: Mapping[str, Any]) -> Self:
        """Build from a mapping with MATLAB field names, such as ``Results.options``.

        Parameters
        ----------
        options : mapping
            Fields as in the table of the class. A missing or empty field takes the default
            (an empty ``loose`` stays empty); fields that are no option of the inverse
            (``NoiseCov``, ``Comment``, ...) are passed over.

        Returns
        -------
        InverseOptions2009
            The validated options.

        Raises
        ------
        OptionError
            If a value is unknown or out of range, or weights from fMRI are set: what they do is
            not known.
        """
        if checks.unwrapped(options.get("fMRI")) is not None:
            raise OptionError(
                "fMRI must be empty, found weights from fMRI: what Brainstorm's inverse of 2009 "
                "does with them is not known."
            )
        return super().from_brainstorm(options)

    def to_brainstorm(self) -> dict[str, Any]:
        """Return the options under their MATLAB field names.

        Returns
        -------
        dict
            Numbers as float, flags as 0.0 or 1.0, ``SourceOrient`` as a list (a cell), an
            absent ``loose`` as an empty array: what Brainstorm's Options struct holds.
        """
        return super().to_brainstorm() | _FMRI
