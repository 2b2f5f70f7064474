"""Struct arrays: a structure for each element, thousands of which are of a few forms.

An element of a form that is new is parsed, which says all that is wrong or odd. Where nothing was,
what it was made of is remembered for its form (the types and shapes of its values), and the next
of this form is made so too. What their numbers must be is asked of all of them at once. If a number
is not as it must be, all elements are parsed, so that it is said where.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import numpy as np

from mne_bstinv.io.context import Context
from mne_bstinv.io.raw import FrozenMap, freeze
from mne_bstinv.io.schema import Declared, Structure, parse, specs
from mne_bstinv.io.values import is_empty
from mne_bstinv.io.variable import Variable

__all__ = ["parse_elements"]

S = TypeVar("S", bound=Structure)

#: What each element is parsed in, by its name and position in a context.
Place = Callable[[Any, int, Context], Context]

#: How to make an element: position of a value, attribute, and shape (None: it stays as it is).
Recipe = list[tuple[int, str, tuple[int, ...] | None]]

NO_EXTRA = FrozenMap()


def parse_elements(
    cls: type[S], columns: Mapping[str, Sequence[Any]], context: Context, place: Place
) -> tuple[S | None, ...]:
    """Build a structure of each element, given the values of all in each field.

    One is None where that is impossible (the faults say why). What is known in the contexts of the
    places must be the same for all.
    """
    elements = _Elements(cls, columns, place)
    attempt = context.attempt()
    found = elements.alike(attempt) if elements.simple else None
    if found is None:
        attempt = context.attempt()
        found = [elements.parsed(row, index, attempt) for index, row in elements.rows()]
    context.accept(attempt)
    context.faults.extend(attempt.faults)
    return tuple(found)


class _Elements(Generic[S]):
    """The elements of a struct array."""

    def __init__(self, cls: type[S], columns: Mapping[str, Sequence[Any]], place: Place) -> None:
        self.cls, self.columns, self.place = cls, columns, place
        self.names = list(columns)
        declared = {item.spec.name: item for item in specs(cls)}
        #: Position and declaration of the values that the structure knows, and the others.
        self.known = [(at, declared[n]) for at, n in enumerate(columns) if n in declared]
        self.extra = [(at, n) for at, n in enumerate(columns) if n not in declared]

    @property
    def simple(self) -> bool:
        """Whether the form of an element and its numbers are all that it depends on."""
        return all(_is_simple(item) for _, item in self.known)

    def rows(self) -> enumerate[tuple[Any, ...]]:
        """Return the numbers and values of the elements."""
        return enumerate(zip(*self.columns.values(), strict=True))

    def parsed(self, row: tuple[Any, ...], index: int, context: Context) -> S | None:
        """Parse an element."""
        variables = {n: Variable(value) for n, value in zip(self.names, row, strict=True)}
        name = variables["Name"].value if "Name" in variables else None
        return parse(self.cls, variables, self.place(name, index, context))

    def alike(self, context: Context) -> list[S | None] | None:
        """Make each element as the first of its form; None where a value is not as it must be."""
        recipes: dict[Any, Recipe | None] = {}
        made: list[S] = []
        found: list[S | None] = []
        for index, row in self.rows():
            form = tuple([_form(row[at]) for at, _ in self.known])
            recipe = recipes.get(form)
            if recipe is None:
                one = context.attempt()
                element = self.parsed(row, index, one)
                if form not in recipes:
                    recipes[form] = self.learnt(row, element, one)
                context.accept(one)
                context.faults.extend(one.faults)
            else:
                element = self.made(row, recipe)
                made.append(element)
            found.append(element)
        return found if self.are_right(made, context) else None

    def learnt(self, row: tuple[Any, ...], element: S | None, context: Context) -> Recipe | None:
        """Return how an element was made, None if anything was wrong or odd."""
        if element is None or context.faults or context.findings.report:
            return None
        recipe: Recipe = []
        for at, item in self.known:
            value, raw = getattr(element, item.attribute), row[at]
            if is_empty(raw):
                continue
            if _form(raw) is None:
                return None
            recipe.append((at, item.attribute, getattr(value, "shape", None)))
        return recipe

    def made(self, row: tuple[Any, ...], recipe: Recipe) -> S:
        """Make an element as the first of its form was."""
        values = {
            attribute: row[at] if shape is None else _numbers(row[at], shape)
            for at, attribute, shape in recipe
        }
        extra = FrozenMap({n: freeze(row[at]) for at, n in self.extra}) if self.extra else NO_EXTRA
        return self.cls(extra=extra, **values)

    def are_right(self, elements: list[S], context: Context) -> bool:
        """Tell whether elements are what their checks ask for."""
        if any(element._faults() for element in elements):
            return False
        for _, item in self.known:
            values = [getattr(one, item.attribute) for one in elements] if item.spec.checks else []
            numbers = [value.ravel("K") for value in values if value is not None]
            together = np.concatenate(numbers) if numbers else np.empty(0)
            if any(check.fault(together, context) for check in item.spec.checks):
                return False
        return True


def _is_simple(item: Declared) -> bool:
    of_each = all(check.of_each for check in item.spec.checks)
    return of_each and bool(getattr(item.spec.kind, "by_form", False))


def _form(value: Any) -> Any:
    """Return what tells how a value is read, beside its numbers or letters; None for others."""
    kind = type(value)
    if kind is str:
        return bool(value)
    if kind is np.ndarray:
        return (value.dtype.char, value.shape) if value.dtype.kind in "biuf" else None
    return kind if kind in (float, int, bool) else None


def _numbers(value: Any, shape: tuple[int, ...]) -> Any:
    array = np.asarray(value, np.float64).reshape(shape)
    array.flags.writeable = False
    return array
