"""Structures and objects of MNE that are given to a function are of the kinds that it declares."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from functools import cache, wraps
from typing import Any, NamedTuple, ParamSpec, TypeVar

from mne_bstinv.errors import ConversionError

__all__ = ["Declared", "checks_arguments", "declared_kinds"]

T = TypeVar("T")
P = ParamSpec("P")

#: Where structures are declared, and where MNE's objects are.
_STRUCTURES, _OBJECTS = "mne_bstinv.io.", "mne."


class Declared(NamedTuple):
    """A parameter that takes structures or objects of MNE."""

    #: Its place among the arguments; None if it is given by name alone.
    place: int | None
    name: str
    #: What it may be: all classes of its annotation.
    kinds: tuple[type, ...]


def checks_arguments(function: Callable[P, T]) -> Callable[P, T]:
    """Refuse arguments of other kinds: exchanged ones, or the path of a file that is to be read."""
    # late: annotations may name what is declared further down
    declared = cache(lambda: declared_kinds(function))

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        _refuse_others(function.__name__, declared(), args, kwargs)
        return function(*args, **kwargs)

    return call


def declared_kinds(function: Callable[..., Any]) -> tuple[Declared, ...]:
    """Return the parameters that are annotated with classes, one of them of either kind."""
    hints = typing.get_type_hints(inspect.unwrap(function))
    by_name = inspect.Parameter.KEYWORD_ONLY
    found = []
    for place, parameter in enumerate(inspect.signature(function).parameters.values()):
        kinds = _classes(hints.get(parameter.name))
        if any(kind.__module__.startswith((_STRUCTURES, _OBJECTS)) for kind in kinds):
            found.append(
                Declared(None if parameter.kind == by_name else place, parameter.name, kinds)
            )
    return tuple(found)


def _refuse_others(
    function: str, declared: Sequence[Declared], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> None:
    for place, name, kinds in declared:
        if place is not None and place < len(args):
            value = args[place]
        elif name in kwargs:
            value = kwargs[name]
        else:
            continue
        if not isinstance(value, kinds):
            names = " or ".join(kind.__name__ for kind in kinds if kind is not type(None))
            stored = any(kind.__module__.startswith(_STRUCTURES) for kind in kinds)
            read = ", as mne_bstinv.io reads it from a file" if stored else ""
            raise ConversionError(
                f"{function}: {name} must be {names}{read}, found {type(value).__name__}."
            )


def _classes(hint: Any) -> tuple[type, ...]:
    """Return the classes of an annotation; none if it is more than classes."""
    parts = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    return parts if all(isinstance(part, type) for part in parts) else ()
