"""What is asked of a cross-validation, refused where there is no such thing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import Any, TypeGuard

from mne_bstinv._verdicts import wrong_rtol
from mne_bstinv.adapters.equivalence import MneSettings
from mne_bstinv.errors import OptionError
from mne_bstinv.inverse import InverseOptions, InverseOptions2009, InverseOptions2016
from mne_bstinv.inverse.options import AnyOptions, ignored_options, options_class

__all__ = [
    "Asked",
    "named_settings",
    "options_from",
    "settings_from",
    "several_options",
]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What counts as equal, and how far an attribution goes."""

    #: Relative difference of kernels that counts as equal, where rounding does not allow more.
    rtol: float
    #: Orders of the conventions to average over: all, path, or how many; None goes by the limit.
    orders: str | int | None
    #: Active conventions up to which all orders are taken; None for what takes a minute or two.
    shapley_limit: int | None
    #: Whether bars show how far it is.
    progress: bool

    def __post_init__(self) -> None:
        if wrong := wrong_rtol(self.rtol):
            raise OptionError(wrong)
        orders = self.orders
        if _is_whole(orders) and orders > 0:
            object.__setattr__(self, "orders", int(orders))  # NumPy's are no int of Python
        elif not isinstance(orders, str | None) or orders not in (None, "all", "path"):
            raise OptionError(f"orders must be 'all', 'path', or how many, found {orders!r}.")
        limit = self.shapley_limit
        if not (limit is None or (_is_whole(limit) and limit >= 0)):
            raise OptionError(f"shapley_limit must be None or how many, found {limit!r}.")


def _is_whole(value: object) -> TypeGuard[int]:
    """Tell whether this is a whole number, of Python or NumPy."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def several_options(options: Any) -> Iterable[AnyOptions | Mapping[str, Any] | None]:
    """Refuse the options of one kernel where several are asked for."""
    if isinstance(options, Iterable) and not isinstance(options, Mapping | str):
        return options
    raise OptionError(
        f"options must be a list with the options of each kernel, found {type(options).__name__}. "
        "Put it into a list, or call cross_validate."
    )


def options_from(given: AnyOptions | Mapping[str, Any] | None) -> AnyOptions:
    """Return Brainstorm's options; of a mapping those of their MATLAB names, of None defaults."""
    if isinstance(given, InverseOptions | InverseOptions2009 | InverseOptions2016):
        return given
    given = {} if given is None else given
    of = options_class(given) if isinstance(given, Mapping) else InverseOptions
    ignored_options(given, of)  # refuses what is no mapping, and misspelt names
    return of.from_brainstorm(given)


def settings_from(
    given: MneSettings | Mapping[str, Any] | None, options: AnyOptions
) -> MneSettings:
    """Return MNE's settings; of a mapping the defaults for the options, but for what it says."""
    if isinstance(given, MneSettings):
        return given
    named = {} if given is None else named_settings(given, "mne_settings")
    return MneSettings.defaults_for(options, **named)


def named_settings(given: object, argument: str) -> dict[str, Any]:
    """Return settings of MNE by name; refuse what is no mapping, and misspelt names."""
    if not isinstance(given, Mapping):
        raise OptionError(
            f"{argument} must be MneSettings or a mapping of its fields, found "
            f"{type(given).__name__}."
        )
    known = MneSettings.__dataclass_fields__
    unknown = [name for name in given if name not in known]
    if unknown:
        raise OptionError(
            f"Unknown MNE settings {sorted(map(str, unknown))}. Must be of {', '.join(known)}."
        )
    return dict(given)
