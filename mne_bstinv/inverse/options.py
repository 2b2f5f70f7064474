"""The options of the linear inverse, validated once, and their Brainstorm names."""

from __future__ import annotations

import difflib
import logging
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mne_bstinv._display import Displayed
from mne_bstinv.errors import OptionError

__all__ = ["FIELDS", "InverseOptions", "ignored_options"]

logger = logging.getLogger("mne_bstinv")

#: Measures of each method; the first is the method's default.
MEASURES: dict[str, tuple[str, ...]] = {
    "minnorm": ("amplitude", "dspm2018", "sloreta"),
    "gls": ("performance",),
    "lcmv": ("nai", "performance"),
}
ORIENTATIONS = ("fixed", "loose", "free")
NOISE_METHODS = ("none", "reg", "median", "diag", "shrink")
SNR_METHODS = ("fixed", "rms")
#: Numbers whose squares double precision holds.
_SMALLEST, _LARGEST = 1e-150, 1e150
_SQUARED = "above 0, from 1e-150 to 1e150"

#: What Brainstorm calls the computed function in a results file.
FUNCTIONS = {
    ("minnorm", "amplitude"): "mn",
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

#: Fields of Brainstorm's Options struct that are no options of the inverse, or its arrays.
_OTHER_FIELDS = (
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
class InverseOptions(Displayed):
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
    noise_method : 'none' | 'reg' | 'median' | 'diag' | 'shrink'
        How the noise covariance is regularised.
    noise_reg : float
        Ridge of ``reg``, between 0 and 1, as a fraction of the mean eigenvalue.
    snr_method : 'fixed' | 'rms'
        Set the prior source variance from an SNR, or from an RMS source amplitude.
    snr_fixed : float
        Amplitude SNR, for ``snr_method='fixed'``.
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

    method: str = "minnorm"
    measure: str | None = None
    source_orient: str | tuple[str, ...] = ("fixed",)
    loose: float | None = 0.2
    use_depth: bool = True
    weight_exp: float = 0.5
    weight_limit: float = 10.0
    noise_method: str = "reg"
    noise_reg: float = 0.1
    snr_method: str = "fixed"
    snr_fixed: float = 3.0
    snr_rms: float = 1e-6

    def __post_init__(self) -> None:
        checks: dict[str, Callable[[Any], Any]] = {
            "method": lambda v: _choice("InverseMethod", v, tuple(MEASURES)),
            "source_orient": _orientations,
            "loose": _loose,
            "use_depth": lambda v: _flag("UseDepth", v),
            "weight_exp": lambda v: _number("WeightExp", v, "between 0 and 1", _in_unit_interval),
            "weight_limit": lambda v: _number("WeightLimit", v, _SQUARED, _squared),
            "noise_method": lambda v: _choice("NoiseMethod", v, NOISE_METHODS),
            "noise_reg": lambda v: _number("NoiseReg", v, "between 0 and 1", _in_unit_interval),
            "snr_method": lambda v: _choice("SnrMethod", v, SNR_METHODS),
            "snr_fixed": lambda v: _number("SnrFixed", v, _SQUARED, _squared),
            "snr_rms": lambda v: _number("SnrRms", v, f"{_SQUARED} (A·m)", _squared),
        }
        for name, check in checks.items():
            object.__setattr__(self, name, check(getattr(self, name)))
        object.__setattr__(self, "measure", _measure(self.method, self.measure))

    @property
    def depth_weighting(self) -> bool:
        """Whether the depth weights are really used with this method and measure."""
        return self.use_depth and self.method == "minnorm" and self.measure != "sloreta"

    @property
    def function(self) -> str:
        """Brainstorm's name of the function: mn, dspm2018, sloreta, glsp or lcmvp."""
        return FUNCTIONS[self.method, str(self.measure)]

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
            ``'fixed'``, ``'loose'`` or ``'free'``.

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
    def from_brainstorm(cls, options: Mapping[str, Any]) -> InverseOptions:
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
            The validated options.

        Raises
        ------
        OptionError
            If a value is unknown or out of range.
        """
        given = {}
        for ours, theirs in FIELDS.items():
            value = _unwrap(options.get(theirs))
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
        out: dict[str, Any] = {theirs: getattr(self, ours) for ours, theirs in FIELDS.items()}
        out["SourceOrient"] = list(self.source_orient)
        out["UseDepth"] = float(self.use_depth)
        if self.loose is None:
            out["Loose"] = np.zeros((0, 0))
        return out


def ignored_options(options: Mapping[str, Any]) -> tuple[str, ...]:
    """Warn of fields that are no options; refuse those that look like a misspelt one.

    Parameters
    ----------
    options : mapping
        Options under their MATLAB names.

    Returns
    -------
    tuple of str
        A warning for each field that is ignored; they are logged too.

    Raises
    ------
    OptionError
        If a field looks like a misspelt option, or the options are no mapping.
    """
    if not isinstance(options, Mapping):
        raise OptionError(f"The options must be a mapping, found {type(options).__name__}.")
    known = {name.lower(): name for name in (*OPTION_FIELDS, *_OTHER_FIELDS)}
    warnings = []
    for name in options:
        if name in known.values():
            continue
        if name in FIELDS:
            raise OptionError(
                f"Unknown option {name!r}: in a mapping options have Brainstorm's names, here "
                f"{FIELDS[name]!r}. Or give InverseOptions({name}=…)."
            )
        close = difflib.get_close_matches(str(name).lower(), known, n=1, cutoff=0.8)
        if close:
            raise OptionError(f"Unknown option {name!r}. Did you mean {known[close[0]]!r}?")
        warnings.append(f"The field {name!r} of the options is no option of the inverse: ignored.")
        logger.warning(warnings[-1])
    return tuple(warnings)


def _unwrap(value: Any) -> Any:
    """Turn what a .mat file holds into a plain value; empty means absent."""
    if isinstance(value, np.ndarray):
        value = value.ravel().tolist()
    if isinstance(value, list | tuple):
        return None if not value else (value[0] if len(value) == 1 else tuple(value))
    return None if isinstance(value, str) and not value else value


def _choice(field: str, value: Any, choices: Iterable[str]) -> str:
    lowered = value.strip().lower() if isinstance(value, str) else value
    if lowered not in choices:
        raise OptionError(f"Unknown {field} {value!r}. Must be one of {', '.join(choices)}.")
    return str(lowered)


def _measure(method: str, measure: Any) -> str:
    choices = MEASURES[method]
    if measure is None:
        return choices[0]
    lowered = measure.strip().lower() if isinstance(measure, str) else measure
    if lowered not in choices:
        raise OptionError(
            f"Unknown InverseMeasure {measure!r} for InverseMethod {method!r}. "
            f"Must be one of {', '.join(choices)}."
        )
    return str(lowered)


def _orientations(value: Any) -> tuple[str, ...]:
    entries = (value,) if isinstance(value, str) else value
    if not isinstance(entries, list | tuple | np.ndarray) or len(entries) == 0:
        raise OptionError(
            f"SourceOrient must be one of {', '.join(ORIENTATIONS)}, or a list of them, "
            f"found {value!r}."
        )
    return tuple(_choice("SourceOrient", entry, ORIENTATIONS) for entry in entries)


def _number(field: str, value: Any, expected: str, valid: Callable[[float], bool]) -> float:
    is_number = isinstance(value, int | float | np.number) and not isinstance(
        value, np.complexfloating
    )
    if not (is_number and math.isfinite(value) and valid(float(value))):
        raise OptionError(f"{field} must be a number {expected}, found {value!r}.")
    return float(value)


def _loose(value: Any) -> float | None:
    if value is None:
        return None
    return _number("Loose", value, "strictly between 0 and 1, or empty", lambda x: 0 < x < 1)


def _flag(field: str, value: Any) -> bool:
    if not isinstance(value, bool | int | float | np.number | np.bool_) or value not in (0, 1):
        raise OptionError(f"{field} must be true or false (1 or 0), found {value!r}.")
    return bool(value)


def _squared(x: float) -> bool:
    return _SMALLEST <= x <= _LARGEST


def _in_unit_interval(x: float) -> bool:
    return 0 <= x <= 1
