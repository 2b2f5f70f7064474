"""The options of the linear inverses of 2018 and 2016, and what takes those of any year."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from mne_bstinv._types import FloatArray
from mne_bstinv.errors import OptionError
from mne_bstinv.inverse import option_values as checks
from mne_bstinv.inverse.option_sets import OptionSet
from mne_bstinv.inverse.option_values import unwrapped
from mne_bstinv.inverse.options_2009 import METHODS_2009, InverseOptions2009
from mne_bstinv.inverse.regularization import lambda_from_rms

__all__ = [
    "FIELDS",
    "AnyOptions",
    "InverseOptions",
    "InverseOptions2016",
    "ignored_options",
    "options_class",
]

logger = logging.getLogger("mne_bstinv")

#: Measures of each method in 2018; the first is the method's default.
MEASURES: dict[str, tuple[str, ...]] = {
    "minnorm": ("amplitude", "dspm2018", "sloreta"),
    "gls": ("performance",),
    "lcmv": ("nai", "performance"),
}
#: The same in 2016.
MEASURES_2016: dict[str, tuple[str, ...]] = {
    "minnorm": ("amplitude", "dspm", "sloreta"),
    "gls": ("performance",),
    "lcmv": ("performance",),
}
ORIENTATIONS = ("fixed", "loose", "free")
NOISE_METHODS = ("none", "reg", "median", "diag", "shrink")
SNR_METHODS = ("fixed", "rms")

#: What Brainstorm calls the computed function in a results file.
FUNCTIONS = {
    ("minnorm", "amplitude"): "mn",
    ("minnorm", "dspm"): "dspm",
    ("minnorm", "dspm2018"): "dspm2018",
    ("minnorm", "sloreta"): "sloreta",
    ("gls", "performance"): "glsp",
    ("lcmv", "nai"): "lcmvp",
    ("lcmv", "performance"): "lcmvp",
}

#: Our name → Brainstorm's field.
FIELDS = {
    "method": "InverseMethod",
    "measure": "InverseMeasure",
    "source_orient": "SourceOrient",
    "loose": "Loose",
    "use_depth": "UseDepth",
    "weight_exp": "WeightExp",
    "weight_limit": "WeightLimit",
    "noise_method": "NoiseMethod",
    "noise_reg": "NoiseReg",
    "snr_method": "SnrMethod",
    "snr_rms": "SnrRms",
    "snr_fixed": "SnrFixed",
}

#: Brainstorm's names of all options, in the order in which it stores them.
OPTION_FIELDS = tuple(FIELDS.values())


@dataclass(frozen=True, kw_only=True, repr=False)
class LinearOptions(OptionSet):
    """The options that ``bst_inverse_linear`` has had since 2016."""

    names: ClassVar[Mapping[str, str]] = FIELDS
    #: Measures of each method; the first is the method's default.
    measures: ClassVar[Mapping[str, tuple[str, ...]]]

    method: str = "minnorm"
    noise_method: str = "reg"
    noise_reg: float = 0.1
    snr_method: str = "fixed"
    snr_rms: float = 1e-6

    def _checks(self) -> Mapping[str, Callable[[str, Any], Any]]:
        return {
            "method": lambda name, v: checks.choice(name, v, self.measures),
            "measure": self._measure,
            "source_orient": lambda _, v: checks.orientations(v, ORIENTATIONS),
            "loose": checks.loose_value,
            "use_depth": checks.flag,
            "weight_exp": checks.fraction,
            "weight_limit": checks.squared,
            "noise_method": lambda name, v: checks.choice(name, v, NOISE_METHODS),
            "noise_reg": checks.fraction,
            "snr_method": lambda name, v: checks.choice(name, v, SNR_METHODS),
            "snr_fixed": checks.squared,
            "snr_rms": lambda name, v: checks.squared(name, v, "(A·m)"),
        }

    def _measure(self, name: str, value: Any) -> str:
        choices = self.measures[self.method]
        if value is None:
            return choices[0]
        return checks.choice(name, value, choices, f" for {self.names['method']} {self.method!r}")

    @property
    def is_minimum_norm(self) -> bool:
        """Whether all sources are estimated together, rather than each location alone."""
        return self.method == "minnorm"

    @property
    def depth_weighting(self) -> bool:
        """Whether the depth weights are really used with this method and measure."""
        return self.use_depth and self.method == "minnorm" and self.measure != "sloreta"

    @property
    def function(self) -> str:
        """Brainstorm's name of the function: mn, dspm2018 (2016: dspm), sloreta, glsp or lcmvp."""
        return FUNCTIONS[self.method, str(self.measure)]

    @property
    def prior_rms(self) -> float | None:
        """RMS source amplitude in A·m where it is asked for; None where an SNR is."""
        return self.snr_rms if self.snr_method == "rms" else None

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
        """
        from_snr = super().prior_variance(s2)  # refuses an all-zero lead field
        return from_snr if self.prior_rms is None else lambda_from_rms(self.prior_rms)


@dataclass(frozen=True, kw_only=True, repr=False)
class InverseOptions(LinearOptions):
    """Options of ``bst_inverse_linear`` (2018).

    Parameters
    ----------
    method : 'minnorm' | 'gls' | 'lcmv'
        Minimum norm, generalised least squares scan, or LCMV beamformer.
    measure : str | None
        ``'amplitude'``, ``'dspm2018'`` or ``'sloreta'`` for ``minnorm``; ``'performance'`` for
        ``gls``; ``'nai'`` (or ``'performance'``, the same) for ``lcmv``. ``None`` takes the first.
    source_orient : str | tuple of str
        ``'fixed'``, ``'loose'`` or ``'free'``; one entry, or one a head model.
    loose : float | None
        Amplitude (not variance) of the tangential components relative to the normal one,
        strictly between 0 and 1. ``None`` where no location is loose.
    use_depth : bool
        Weight deep sources up. Ignored (off) for ``sloreta``, ``gls`` and ``lcmv``.
    weight_exp : float
        Exponent of the depth weighting, between 0 and 1, on the squared norm of the gain.
    weight_limit : float
        Largest depth weight, as a ratio of amplitudes.
    snr_fixed : float
        Amplitude SNR, for ``snr_method='fixed'``.
    noise_method : 'none' | 'reg' | 'median' | 'diag' | 'shrink'
        How the noise covariance is regularised.
    noise_reg : float
        Ridge of ``reg``, between 0 and 1, as a fraction of the mean eigenvalue.
    snr_method : 'fixed' | 'rms'
        Set the prior source variance from an SNR, or from an RMS source amplitude.
    snr_rms : float
        RMS source amplitude in A·m, for ``snr_method='rms'`` (Brainstorm's window shows nA·m).

    Raises
    ------
    OptionError
        If a value is unknown or out of range; the message names the value and the choices.

    Notes
    -----
    =================  ==================
    Brainstorm         here
    =================  ==================
    InverseMethod      method
    InverseMeasure     measure
    SourceOrient       source_orient
    Loose              loose
    UseDepth           use_depth
    WeightExp          weight_exp
    WeightLimit        weight_limit
    NoiseMethod        noise_method
    NoiseReg           noise_reg
    SnrMethod          snr_method
    SnrFixed           snr_fixed
    SnrRms             snr_rms
    =================  ==================
    """

    year: ClassVar[int] = 2018
    measures: ClassVar[Mapping[str, tuple[str, ...]]] = MEASURES


@dataclass(frozen=True, kw_only=True, repr=False)
class InverseOptions2016(LinearOptions):
    """Options of the linear inverse of 2016.

    Its fields are those of :class:`~mne_bstinv.InverseOptions`, with other measures; what it
    computes differs: the noise covariance is divided by the number of averages, the ridge of
    ``reg`` is a fraction of the *largest* eigenvalue and its root is added to the standard
    deviations, ``shrink`` takes one sensor type, mixed head models are refused.

    Parameters
    ----------
    method : 'minnorm' | 'gls' | 'lcmv'
        Minimum norm, generalised least squares scan, or LCMV beamformer.
    measure : str | None
        ``'amplitude'``, ``'dspm'`` or ``'sloreta'`` for ``minnorm``; ``'performance'`` for
        ``gls`` and ``lcmv``. ``None`` takes the first.
    source_orient : str | tuple of str
        ``'fixed'``, ``'loose'`` or ``'free'``.
    loose : float | None
        Amplitude (not variance) of the tangential components relative to the normal one,
        strictly between 0 and 1. ``None`` where no location is loose.
    use_depth : bool
        Weight deep sources up. Ignored (off) for ``sloreta``, ``gls`` and ``lcmv``.
    weight_exp : float
        Exponent of the depth weighting, between 0 and 1, on the squared norm of the gain.
    weight_limit : float
        Largest depth weight, as a ratio of amplitudes.
    snr_fixed : float
        Amplitude SNR, for ``snr_method='fixed'``.
    noise_method : 'none' | 'reg' | 'median' | 'diag' | 'shrink'
        How the noise covariance is regularised.
    noise_reg : float
        Ridge of ``reg``, between 0 and 1, as a fraction of the largest eigenvalue.
    snr_method : 'fixed' | 'rms'
        Set the prior source variance from an SNR, or from an RMS source amplitude.
    snr_rms : float
        RMS source amplitude in A·m, for ``snr_method='rms'`` (Brainstorm's window shows nA·m).

    Raises
    ------
    OptionError
        If a value is unknown or out of range; the message names the value and the choices.
    """

    year: ClassVar[int] = 2016
    measures: ClassVar[Mapping[str, tuple[str, ...]]] = MEASURES_2016


#: Options of the inverse of any year.
AnyOptions = InverseOptions | InverseOptions2009 | InverseOptions2016

#: Options that only the inverse of 2009 has, under their MATLAB names.
_ONLY_2009 = (set(InverseOptions2009.names.values()) - set(OPTION_FIELDS)) | {"fMRI"}


def options_class(options: Mapping[str, Any]) -> type[InverseOptions] | type[InverseOptions2009]:
    """Say of which year options under their MATLAB names are: 2009, else 2018.

    The options of 2016 have the names of those of 2018: what they mean has to be said, by
    :class:`InverseOptions2016`.
    """
    method = unwrapped(options.get("InverseMethod"))
    known = method.strip().lower() if isinstance(method, str) else None
    if known in METHODS_2009 and (known not in MEASURES or _ONLY_2009 & set(options)):
        return InverseOptions2009
    return InverseOptions


def ignored_options(
    options: Mapping[str, Any], of: type[OptionSet] = InverseOptions
) -> tuple[str, ...]:
    """Warn of fields that are no options, and log it; refuse those that look like a misspelt one.

    Options are under their MATLAB names, meant for the class ``of``; what is no mapping is refused,
    too. There is one warning for each field.
    """
    if not isinstance(options, Mapping):
        raise OptionError(f"The options must be a mapping, found {type(options).__name__}.")
    known = {name.lower(): name for name in (*of.names.values(), *of.other_names)}
    warnings = []
    for name in options:
        if name in known.values():
            continue
        if name in of.names:
            raise OptionError(
                f"Unknown option {name!r}: in a mapping options have Brainstorm's names, here "
                f"{of.names[name]!r}. Or give {of.__name__}({name}=…)."
            )
        close = difflib.get_close_matches(str(name).lower(), known, n=1, cutoff=0.8)
        if close:
            raise OptionError(f"Unknown option {name!r}. Did you mean {known[close[0]]!r}?")
        warnings.append(f"The field {name!r} of the options is no option of the inverse: ignored.")
        logger.warning(warnings[-1])
    return tuple(warnings)
