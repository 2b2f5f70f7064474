"""Structures that are given to a function are of the kinds that it declares."""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from mne_bstinv.errors import ConversionError

__all__ = ["Declared", "declared_structures", "refuse_other_structures"]

#: Where structures are declared.
_STRUCTURES = "mne_bstinv.io."


class Declared(NamedTuple):
    """A parameter that takes structures."""

    #: Its place among the arguments; None if it is given by name alone.
    place: int | None
    name: str
    #: What it may be: structures, None, and the other classes of its annotation.
    kinds: tuple[type, ...]


def declared_structures(function: Callable[..., Any]) -> tuple[Declared, ...]:
    """Return the parameters that are annotated with classes, one of them a structure."""
    hints = typing.get_type_hints(inspect.unwrap(function))
    by_name = inspect.Parameter.KEYWORD_ONLY
    found = []
    for place, parameter in enumerate(inspect.signature(function).parameters.values()):
        kinds = _classes(hints.get(parameter.name))
        if any(_is_structure(kind) for kind in kinds):
            found.append(
                Declared(None if parameter.kind == by_name else place, parameter.name, kinds)
            )
    return tuple(found)


def refuse_other_structures(
    function: Callable[..., Any],
    declared: Sequence[Declared],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> None:
    """Refuse arguments of other kinds: exchanged ones, or the path of a file that is to be read."""
    for place, name, kinds in declared:
        if place is not None and place < len(args):
            value = args[place]
        elif name in kwargs:
            value = kwargs[name]
        else:
            continue
        if not isinstance(value, kinds):
            names = " or ".join(kind.__name__ for kind in kinds if kind is not type(None))
            raise ConversionError(
                f"{function.__name__}: {name} must be {names}, as mne_bstinv.io reads it from a "
                f"file, found {type(value).__name__}."
            )


def _classes(hint: Any) -> tuple[type, ...]:
    """Return the classes of an annotation; none if it is more than classes."""
    parts = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    return parts if all(isinstance(part, type) for part in parts) else ()


def _is_structure(kind: type) -> bool:
    return kind.__module__.startswith(_STRUCTURES) and dataclasses.is_dataclass(kind)
