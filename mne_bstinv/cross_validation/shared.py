"""What is made of a study for one measure after the other: once, where they have it in common."""

from __future__ import annotations

from typing import Any

from mne_bstinv._log import warnings_silenced
from mne_bstinv.adapters.equivalence import (
    MneEquivalent,
    MneObjects,
    MneSettings,
    Study,
    equivalent_of,
    mne_objects,
)
from mne_bstinv.compare.peaks import Fields
from mne_bstinv.cross_validation.ingredients import Ingredients, gather
from mne_bstinv.inverse.options import AnyOptions

__all__ = ["Shared"]


class Shared:
    """A study and channels of it, with what the last measures were computed from.

    ``chosen``: further arguments of :func:`~mne_bstinv.cross_validation.ingredients.gather`. What
    only measures to come may ask for is kept while there are ``more``.
    """

    def __init__(self, study: Study, types: tuple[str, ...], chosen: dict[str, Any]) -> None:
        self.study, self.types = study, types
        self._chosen, self.more = chosen, False
        self._ingredients: Ingredients | None = None
        self._objects: MneObjects | None = None
        self._operator: tuple[Any, Any] | None = None
        #: The fields of unit sources by the number of components.
        self.fields: dict[int, Fields] = {}

    def ingredients(self, options: AnyOptions, settings: MneSettings) -> Ingredients:
        """Return what both kernels are computed from, with what is known of the last ones."""
        last = self._ingredients
        found = None if last is None else last.of_measure(options, settings)
        if found is None:
            self._ingredients = self._objects = self._operator = None
            self.fields.clear()
            found = gather(self.study, options, settings, self.types, **self._chosen)
        self._ingredients = found
        for fields in self.fields.values():
            fields.forget()
        return found

    def equivalent(self, ingredients: Ingredients) -> MneEquivalent:
        """Return what makes MNE compute Brainstorm's kernel."""
        common = ingredients.side.common
        with warnings_silenced():  # the same conversions were reported when all was gathered
            if self._objects is None:
                self._objects = mne_objects(self.study, common)
            return equivalent_of(self.study, common, self._objects)

    def made(self, equivalent: MneEquivalent) -> Any:
        """Return the operator of the public call, which most measures have in common."""
        if self._operator is None or self._operator[0] != equivalent.arguments:
            self._operator = None  # before there is another one beside it
            self._operator = equivalent.arguments, equivalent.make()
        operator = self._operator[1]
        if not self.more:
            self._operator = None
        return operator
