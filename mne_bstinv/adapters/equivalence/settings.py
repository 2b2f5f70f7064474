"""The settings of MNE-Python's minimum norm that a kernel depends on, in one place."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mne_bstinv._display import Displayed
from mne_bstinv.adapters.operators import METHODS
from mne_bstinv.errors import OptionError
from mne_bstinv.inverse.option_values import number
from mne_bstinv.inverse.options import AnyOptions

__all__ = ["DepthSettings", "MneSettings", "no_minimum_norm"]

#: The loose parameter that MNE takes by itself for each constraint of Brainstorm; truncated (2009)
#: is computed as loose.
_LOOSE = {"fixed": 0.0, "loose": 0.2, "truncated": 0.2, "free": 1.0}

#: Types of channels that MNE takes ranks of.
_RANKED = ("meg", "mag", "grad", "eeg", "seeg", "ecog")


def no_minimum_norm(options: AnyOptions) -> str:
    """Say why a method has no counterpart among MNE's minimum norms.

    Parameters
    ----------
    options : InverseOptions | InverseOptions2009 | InverseOptions2016
        Options of another method.

    Returns
    -------
    str
        The reason, and what to do.
    """
    start = f"InverseMethod {options.method!r} of {options.year} is no minimum norm: there is no "
    start += "path from it to MNE's minimum norm, which has no settings for it."
    if options.year == 2009:
        return f"{start} Choose wmne, dspm, sloreta or mnej."
    return f"{start} Choose minnorm; mne_equivalent compares gls and lcmv with make_lcmv."


def _or_none(parse: Callable[[str, Any], Any], field: str, value: Any) -> Any:
    """Parse a value that may be None."""
    return None if value is None else parse(field, value)


def _real(field: str, value: Any, expected: str, valid: Callable[[float], bool]) -> float:
    """Return a finite number of some range, of Python or NumPy; True and False are none."""
    given = math.nan if isinstance(value, bool | np.bool_) else value
    try:
        return number(field, given, expected, valid)
    except OptionError:
        raise OptionError(f"{field} must be a number {expected}, found {value!r}.") from None


def _fraction(field: str, value: Any) -> float:
    """Return a number between 0 and 1, both included."""
    return _real(field, value, "between 0 and 1", lambda x: 0 <= x <= 1)


def _count(field: str, value: Any) -> int:
    """Return a whole number above 0."""
    return int(_real(field, value, "above 0, a whole one", lambda x: x >= 1 and x.is_integer()))


def _ranks(field: str, value: Any) -> dict[str, int]:
    """Return ranks by types of channels, as MNE names them."""
    if not isinstance(value, Mapping) or not set(value) <= set(_RANKED):
        raise OptionError(
            f"{field} must be None or a mapping of types of channels ({', '.join(_RANKED)}) to "
            f"numbers, such as {{'meg': 64}}, found {value!r}."
        )
    return {kind: _count(f"{field} of {kind!r}", rank) for kind, rank in value.items()}


@dataclass(frozen=True, kw_only=True, repr=False)
class DepthSettings(Displayed):
    """The ``depth`` dictionary of :func:`mne.minimum_norm.make_inverse_operator`.

    Parameters
    ----------
    exp : float
        Exponent, between 0 and 1, on the inverse of the squared norm of the gain.
    limit : float | None
        Largest ratio of norms, before the exponent; ``None`` is no limit.
    combine_xyz : 'spectral' | 'fro'
        Norm of the three gain columns of a location.
    limit_depth_chs : bool
        Whether only gradiometers count where there are any (else magnetometers, else EEG), with
        the limit of MNE-C; ``False`` counts all channels.
    """

    exp: float = 0.8
    limit: float | None = 10.0
    combine_xyz: str = "spectral"
    limit_depth_chs: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "exp", _fraction("depth: exp", self.exp))
        if self.limit is not None and self.limit != math.inf:
            limit = _real("depth: limit", self.limit, "above 0, or None", lambda x: x > 0)
            object.__setattr__(self, "limit", limit)
        if self.combine_xyz not in ("spectral", "fro"):
            raise OptionError(
                f"depth: combine_xyz must be 'spectral' or 'fro', found {self.combine_xyz!r}."
            )
        if not isinstance(self.limit_depth_chs, bool):
            raise OptionError(
                "depth: limit_depth_chs must be True or False, found "
                f"{self.limit_depth_chs!r} ('whiten' has no counterpart in Brainstorm)."
            )

    @classmethod
    def parse(cls, depth: Any) -> DepthSettings:
        """Read what ``make_inverse_operator`` accepts as ``depth``.

        Parameters
        ----------
        depth : float | mapping | DepthSettings | None
            Exponent, or the dictionary; ``None`` is no depth weighting.

        Returns
        -------
        DepthSettings
            The settings, the exponent 0 for none.

        Raises
        ------
        OptionError
            If a value is unknown or out of range.
        """
        if isinstance(depth, DepthSettings):
            return depth
        if depth is None:
            return cls(exp=0.0)
        if isinstance(depth, Mapping):
            given = {k: v for k, v in depth.items() if k != "allow_fixed_depth"}
            unknown = set(given) - set(cls.__dataclass_fields__)
            if unknown:
                raise OptionError(
                    f"depth has unknown entries {sorted(unknown)}. Must be of "
                    f"{', '.join(cls.__dataclass_fields__)}."
                )
            if depth.get("allow_fixed_depth"):
                raise OptionError(
                    "depth: allow_fixed_depth=True weights by the fixed gain, which is not "
                    "supported here: give False."
                )
            return cls(**given)
        if isinstance(depth, bool) or not isinstance(depth, int | float | np.number):
            raise OptionError(f"depth must be a number, a mapping or None, found {depth!r}.")
        return cls(exp=float(depth))

    def to_mne(self) -> dict[str, Any] | None:
        """Return the argument for MNE.

        Returns
        -------
        dict | None
            ``depth`` of :func:`mne.minimum_norm.make_inverse_operator`.
        """
        if self.exp == 0:
            return None
        return {
            "exp": self.exp,
            "limit": self.limit,
            "combine_xyz": self.combine_xyz,
            "limit_depth_chs": self.limit_depth_chs,
            "allow_fixed_depth": False,
        }


@dataclass(frozen=True, kw_only=True, repr=False)
class MneSettings(Displayed):
    """How MNE-Python shall compute a minimum-norm kernel.

    The defaults are those of MNE's functions, with two exceptions: the noise covariance is
    regularised by :func:`mne.cov.regularize`, as MNE's tutorials do and
    :func:`mne.minimum_norm.make_inverse_operator` does not, and ``nave`` is 1.

    Parameters
    ----------
    method : 'MNE' | 'dSPM' | 'sLORETA'
        Method of ``apply_inverse``.
    loose : float
        Relative *variance* of the tangential components: 0 fixed, 1 free, between them loose.
    depth : float | mapping | DepthSettings | None
        Depth weighting; kept as :class:`DepthSettings`.
    lambda2 : float
        Regularisation of ``apply_inverse``: 1/SNR².
    regularize : float | None
        Amount given to :func:`mne.cov.regularize` for every channel type; ``None`` takes the
        covariance as it is.
    rank : mapping of str to int | None
        Rank by channel type (``meg``, ``eeg``); ``None`` lets MNE estimate it.
    nave : int | None
        Number of averages that the noise is scaled with; ``None`` takes that of the recordings,
        as ``apply_inverse`` does. 1 leaves averages out of the comparison: Brainstorm's kernels
        and dSPM maps know none.

    Raises
    ------
    OptionError
        If a value is unknown or out of range.
    """

    method: str = "dSPM"
    loose: float = 0.2
    depth: Any = field(default_factory=DepthSettings)
    lambda2: float = 1 / 9
    regularize: float | None = 0.1
    rank: Mapping[str, int] | None = None
    nave: int | None = 1

    def __post_init__(self) -> None:
        methods = tuple(dict.fromkeys(METHODS.values()))
        if self.method not in methods:
            raise OptionError(
                f"Unknown method {self.method!r}. Must be one of {', '.join(methods)} "
                "(eLORETA has no counterpart in Brainstorm)."
            )
        parsed = {
            "loose": _fraction("loose", self.loose),
            "lambda2": _real("lambda2", self.lambda2, "above 0", lambda x: x > 0),
            "regularize": _or_none(_fraction, "regularize", self.regularize),
            "rank": _or_none(_ranks, "rank", self.rank),
            "nave": _or_none(_count, "nave", self.nave),
            "depth": DepthSettings.parse(self.depth),
        }
        for name, value in parsed.items():
            object.__setattr__(self, name, value)

    @classmethod
    def defaults_for(cls, options: AnyOptions, **changes: Any) -> MneSettings:
        """Return the defaults, with the measure and orientation of Brainstorm's options.

        Parameters
        ----------
        options : InverseOptions | InverseOptions2009 | InverseOptions2016
            Brainstorm's options.
        **changes
            Settings that shall not be the defaults.

        Returns
        -------
        MneSettings
            The settings.

        Raises
        ------
        OptionError
            If the options ask for no minimum norm.
        """
        method = METHODS.get(str(options.measure))
        if not options.is_minimum_norm or method is None:
            raise OptionError(no_minimum_norm(options))
        start: dict[str, Any] = {
            "method": method,
            "loose": _LOOSE[options.orientation(0, 1)],
        }
        return cls(**(start | changes))

    @property
    def orientation(self) -> str:
        """Brainstorm's word for the orientation constraint."""
        return {0.0: "fixed", 1.0: "free"}.get(float(self.loose), "loose")
