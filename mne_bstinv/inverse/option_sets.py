"""What the options of the inverses of all years have in common, and their Brainstorm names."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from mne_bstinv._display import Displayed
from mne_bstinv._types import FloatArray
from mne_bstinv.errors import OptionError
from mne_bstinv.inverse.option_values import unwrapped
from mne_bstinv.inverse.regularization import lambda_from_snr
from mne_bstinv.inverse.years import YEARS, Conventions

__all__ = ["OTHER_NAMES", "OptionSet"]

#: Fields of Brainstorm's Options struct that are no options of the inverse, or its arrays.
OTHER_NAMES = (
    "NoiseCovMat",
    "DataCovMat",
    "ChannelTypes",
    "Comment",
    "ComputeKernel",
    "DataTypes",
    "DisplayMessages",
    "FunctionName",
)


@dataclass(frozen=True, kw_only=True, repr=False)
class OptionSet(Displayed):
    """Options of the linear inverse of some year: what all years have in common.

    Use one of its classes: :class:`~mne_bstinv.InverseOptions` (2018),
    :class:`~mne_bstinv.InverseOptions2016`, :class:`~mne_bstinv.InverseOptions2009`.

    Parameters
    ----------
    method : str
        Method, of those of the year.
    measure : str | None
        What the rows are: ``'amplitude'``, a normalised map, ``'performance'``.
    source_orient : str | tuple of str
        Orientation constraint; one entry, or one a head model.
    loose : float | None
        Weight of the tangential components; ``None`` where no location is loose.
    use_depth : bool
        Weight deep sources up.
    weight_exp : float
        Exponent of the depth weighting.
    weight_limit : float
        Largest depth weight, as a ratio of amplitudes.
    snr_fixed : float
        Amplitude SNR.
    """

    #: The year of the function that these options are of.
    year: ClassVar[int]
    #: Our name → Brainstorm's field.
    names: ClassVar[Mapping[str, str]]
    #: Fields of the year's Options struct that are no options here.
    other_names: ClassVar[tuple[str, ...]] = OTHER_NAMES

    method: str
    measure: str | None = None
    source_orient: str | tuple[str, ...] = ("fixed",)
    loose: float | None = 0.2
    use_depth: bool = True
    weight_exp: float = 0.5
    weight_limit: float = 10.0
    snr_fixed: float = 3.0

    def __post_init__(self) -> None:
        for name, check in self._checks().items():
            value = check(self.names[name], getattr(self, name))
            object.__setattr__(self, name, value)

    @abstractmethod
    def _checks(self) -> Mapping[str, Callable[[str, Any], Any]]:
        """Return for each option the function of Brainstorm's name and value that cleans it."""

    @property
    @abstractmethod
    def is_minimum_norm(self) -> bool:
        """Whether all sources are estimated together, rather than each location alone."""

    @property
    @abstractmethod
    def function(self) -> str:
        """Brainstorm's name of the function, as results files hold it."""

    @property
    @abstractmethod
    def depth_weighting(self) -> bool:
        """Whether the depth weights are really used with this method and measure."""

    @property
    def conventions(self) -> Conventions:
        """What the inverse of this year does differently from the others."""
        return YEARS[self.year]

    @property
    def tangential(self) -> float | None:
        """Amplitude of the tangential components relative to the normal one, whatever loose is."""
        if self.loose is None or self.conventions.loose == "amplitudes":
            return self.loose
        return math.sqrt(self.loose)

    @property
    def prior_rms(self) -> float | None:
        """RMS source amplitude in A·m where it is asked for; None where an SNR is."""
        return None

    def prior_variance(self, s2: FloatArray) -> float:
        """Prior source variance Λ that these options ask for.

        Parameters
        ----------
        s2 : array, shape (n,)
            All eigenvalues of L L' in (A·m)⁻², one a row of the whitener.

        Returns
        -------
        float
            Λ in (A·m)².

        Raises
        ------
        InverseError
            If all eigenvalues are zero: no source is seen by any channel.
        """
        return lambda_from_snr(s2, self.snr_fixed)

    def orientation(self, index: int, n_models: int) -> str:
        """Orientation constraint of one of several head models.

        Parameters
        ----------
        index : int
            The head model, 0-based.
        n_models : int
            How many there are.

        Returns
        -------
        str
            ``'fixed'``, ``'loose'`` or ``'free'`` (2009 also ``'truncated'``).

        Raises
        ------
        OptionError
            If there is neither one orientation nor one a head model.
        """
        if len(self.source_orient) not in (1, n_models):
            raise OptionError(
                f"SourceOrient has {len(self.source_orient)} entries for {n_models} head "
                "model(s). Give one entry, or one a head model."
            )
        return self.source_orient[index if len(self.source_orient) > 1 else 0]

    @classmethod
    def from_brainstorm(cls, options: Mapping[str, Any]) -> Self:
        """Build from a mapping with MATLAB field names, such as ``Results.options``.

        Parameters
        ----------
        options : mapping
            Fields as in the table of the class. A missing or empty field takes the default
            (an empty ``Loose`` stays empty); fields that are no option of the inverse
            (``NoiseCovMat``, ``Comment``, ...) are passed over.

        Returns
        -------
        InverseOptions
            The validated options, of the class this is called on.

        Raises
        ------
        OptionError
            If a value is unknown or out of range.
        """
        given = {}
        for ours, theirs in cls.names.items():
            value = unwrapped(options.get(theirs))
            if value is not None:
                given[ours] = value
            elif ours == "loose" and theirs in options:
                given[ours] = None
        return cls(**given)

    def to_brainstorm(self) -> dict[str, Any]:
        """Return the options under their MATLAB field names.

        Returns
        -------
        dict
            Numbers as float, flags as 0.0 or 1.0, ``SourceOrient`` as a list (a cell), an
            absent ``Loose`` as an empty array: what Brainstorm's Options struct holds.
        """
        out: dict[str, Any] = {}
        for ours, theirs in self.names.items():
            value = getattr(self, ours)
            out[theirs] = float(value) if isinstance(value, bool) else value
        out["SourceOrient"] = list(self.source_orient)
        if self.loose is None:
            out[self.names["loose"]] = np.zeros((0, 0))
        return out
