"""What is given to a function is of the kinds that it declares.

Structures, objects of MNE, and sequences of them; text, paths, mappings, numbers and what is True
or False.
"""

from __future__ import annotations

import inspect
import os
import reprlib
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from functools import cache, wraps
from typing import Any, NamedTuple, ParamSpec, TypeVar

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.errors import ArgumentError

__all__ = ["DeclaredParameter", "checks_arguments", "declared_kinds", "numbers_in"]

T = TypeVar("T")
P = ParamSpec("P")

#: Where structures are declared, where MNE's objects are, and where pairs of these.
_STRUCTURES, _OBJECTS, _PAIRS = "mne_bstinv.io.", "mne.", "mne_bstinv.adapters.derived."

#: Plain classes that are declared, with those that are taken for them.
_PLAIN: dict[type, tuple[type, ...]] = {
    str: (str,),
    bool: (int,),
    int: (int,),
    float: (int, float),
    os.PathLike: (os.PathLike,),
    Mapping: (Mapping,),
    type(None): (type(None),),
}


class DeclaredParameter(NamedTuple):
    """A parameter whose annotation names classes that are known here."""

    #: Its place among the arguments; None if it is given by name alone.
    place: int | None
    name: str
    #: What it may be: all classes of its annotation.
    kinds: tuple[type, ...]
    #: What the items of a sequence may be; empty if it takes none.
    items: tuple[type, ...] = ()

    @property
    def of_files(self) -> bool:
        """Whether it takes structures that files hold, and no paths of these."""
        structures = (kind.__module__.startswith(_STRUCTURES) for kind in self.kinds + self.items)
        return any(structures) and os.PathLike not in self.kinds

    def takes(self, value: Any) -> bool:
        """Tell whether a value is of what is declared."""
        if isinstance(value, self.kinds) or self._takes_plain(value):
            return True
        several = isinstance(value, Sequence) and not isinstance(value, str | bytes)
        return bool(self.items) and several and all(isinstance(one, self.items) for one in value)

    def _takes_plain(self, value: Any) -> bool:
        """Tell so of a scalar, maybe of NumPy; whole numbers may be of any type."""
        if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
            value = value.item()
        taken = tuple(one for kind in self.kinds for one in _PLAIN.get(kind, ()))
        whole = isinstance(value, float) and value.is_integer()
        return isinstance(value, taken) or (whole and int in self.kinds)

    def expected(self) -> str:
        """Return what is declared, in words."""
        one = " or ".join(kind.__name__ for kind in self.kinds if kind is not type(None))
        each = " or ".join(kind.__name__ for kind in self.items)
        return " or ".join(filter(None, [one, f"a sequence of {each}" if each else ""]))


def checks_arguments(function: Callable[P, T]) -> Callable[P, T]:
    """Refuse arguments of other kinds: exchanged ones, or the path of a file that is to be read."""
    # late: annotations may name what is declared further down
    declared = cache(lambda: declared_kinds(function))

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        _refuse_others(function.__name__, declared(), args, kwargs)
        return function(*args, **kwargs)

    return call


def declared_kinds(function: Callable[..., Any]) -> tuple[DeclaredParameter, ...]:
    """Return the parameters that are annotated with classes that are known here."""
    hints = typing.get_type_hints(inspect.unwrap(function))
    by_name = inspect.Parameter.KEYWORD_ONLY
    found = []
    for place, parameter in enumerate(inspect.signature(function).parameters.values()):
        kinds, items = _classes(hints.get(parameter.name))
        if kinds + items and all(map(_is_known, kinds + items)):
            where = None if parameter.kind == by_name else place
            found.append(DeclaredParameter(where, parameter.name, kinds, items))
    return tuple(found)


def numbers_in(name: str, value: Any) -> FloatArray:
    """Return what an argument of this name holds as an array of real numbers, or refuse it."""
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ArgumentError(
            f"{name} must be an array of numbers, found {_named(value)}."
        ) from error


def _refuse_others(
    function: str,
    declared: Sequence[DeclaredParameter],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> None:
    for one in declared:
        if one.place is not None and one.place < len(args):
            value = args[one.place]
        elif one.name in kwargs:
            value = kwargs[one.name]
        else:
            continue
        if not one.takes(value):
            read = ", as mne_bstinv.io reads it from a file" if one.of_files else ""
            raise ArgumentError(
                f"{function}: {one.name} must be {one.expected()}{read}, found {_named(value)}."
            )


def _named(value: Any) -> str:
    """Return the class of a value, of a list those of its items too, or a plain value itself."""
    name = type(value).__name__
    if isinstance(value, bool | int | float | str | bytes):
        return f"{name} {reprlib.repr(value)}"
    if type(value) not in (list, tuple):
        return name
    return f"{name} of {', '.join(sorted({type(one).__name__ for one in value})) or 'nothing'}"


def _classes(hint: Any) -> tuple[tuple[type, ...], tuple[type, ...]]:
    """Return the classes of an annotation, and those of items; none if it is more than these."""
    kinds: list[type] = []
    items: list[Any] = []
    for part in _parts(hint):
        inner = typing.get_args(part)
        if isinstance(part, type) and not inner:
            kinds.append(part)
        elif typing.get_origin(part) in (Sequence, list) and inner:
            items += _parts(inner[0])
        elif typing.get_origin(part) in (os.PathLike, Mapping):
            kinds.append(typing.get_origin(part))
        else:
            return (), ()
    known = all(isinstance(item, type) for item in items)
    return (tuple(kinds), tuple(items)) if known else ((), ())


def _is_known(kind: type) -> bool:
    return kind in _PLAIN or kind.__module__.startswith((_STRUCTURES, _OBJECTS, _PAIRS))


def _parts(hint: Any) -> tuple[Any, ...]:
    return typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
