"""One declaration a field, and the engine that reads and writes by the declarations.

A field of a structure is declared where it is defined::

    gain: FloatArray = field(metadata=declare("Gain", Array("n_channels", "3*n_sources")))

The first argument is the MATLAB name, the second the kind of value (:mod:`mne_bstinv.io.kinds`)
with its shape in symbols. A symbol has one value in a whole file: the first field that names it
sets it and the others must agree.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np

from mne_bstinv import _display
from mne_bstinv._display import in_short
from mne_bstinv.errors import SchemaError
from mne_bstinv.io.context import Context
from mne_bstinv.io.raw import FrozenMap, freeze, freeze_variable, thaw
from mne_bstinv.io.variable import Variable

__all__ = [
    "Kind",
    "Spec",
    "Structure",
    "declare",
    "describe",
    "from_mat",
    "html_table",
    "specs",
    "to_mat",
]

S = TypeVar("S", bound="Structure")


class Kind(Protocol):
    """A kind of value: how it is read from MATLAB's value and written back."""

    @property
    def order(self) -> int:
        """Kinds with a small number are read first, since they set the symbols."""

    def read(self, variable: Variable, context: Context) -> Any:
        """Return the value of the structure's field; None if it is empty."""

    def write(self, value: Any, context: Context) -> Any:
        """Return what savemat writes; the value may be None."""


@dataclass(frozen=True, slots=True)
class Spec:
    """The declaration of one field.

    Parameters
    ----------
    name : str
        The MATLAB name.
    kind : Kind
        What values it takes.
    unit : str
        The unit, ``''`` for none.
    written : bool
        Whether an absent value is written (as an empty one); False leaves the field out.
    """

    name: str
    kind: Kind
    unit: str = ""
    written: bool = True


def declare(name: str, kind: Kind, *, unit: str = "", written: bool = True) -> dict[str, Spec]:
    """Declare a field of a :class:`Structure`, as ``metadata`` of :func:`dataclasses.field`.

    A field without a default is required: a file without it is refused.

    Parameters
    ----------
    name : str
        The MATLAB name.
    kind : Kind
        What values it takes.
    unit : str
        The unit.
    written : bool
        Whether to write it when it is absent.

    Returns
    -------
    dict
        The declaration, under the key ``"mat"``.
    """
    return {"mat": Spec(name, kind, unit, written)}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Structure:
    """Base of the structures: raw values of a file, read-only.

    Parameters
    ----------
    extra : mapping of str to object
        Fields of the file that no attribute stands for, by their MATLAB names.
    """

    #: Fields of the file that no attribute stands for, by their MATLAB names.
    extra: Mapping[str, Any] = dataclasses.field(default_factory=FrozenMap)

    #: What the conversion that made the structure lost; None if it was read from a file.
    _bstinv_report: Any = dataclasses.field(default=None, init=False)

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            frozen = _frozen(value)
            if frozen is not value:
                object.__setattr__(self, field.name, frozen)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} | {self._summary()}>"

    def _repr_html_(self) -> str:

        return html_table(self)

    def _summary(self) -> str:
        """Return the text of ``repr`` in one line."""
        names = (item.attribute for item in specs(type(self)))
        return ", ".join(name for name in names if getattr(self, name) is not None)

    def _faults(self) -> Sequence[str]:
        """Return what is wrong with the structure as a whole."""
        return ()


class Declared(NamedTuple):
    """An attribute with its declaration."""

    attribute: str
    spec: Spec
    required: bool


def specs(cls: type[Structure]) -> tuple[Declared, ...]:
    """Return the attributes of a structure class with their declarations."""
    key: Any = cls
    return _specs(key)


@cache
def _specs(cls: Any) -> tuple[Declared, ...]:
    return tuple(
        Declared(field.name, field.metadata["mat"], field.default is dataclasses.MISSING)
        for field in dataclasses.fields(cls)
        if field.metadata
    )


def from_mat(cls: type[S], variables: Mapping[str, Variable], place: str) -> S:
    """Build a structure from the variables of a file.

    Parameters
    ----------
    cls : type
        The class of the structure.
    variables : mapping of str to Variable
        The variables, by MATLAB name.
    place : str
        The file, for messages.

    Returns
    -------
    Structure
        The structure.

    Raises
    ------
    SchemaError
        With all faults of the file.
    """
    context = Context()
    result = parse(cls, unwrap(cls, variables), context)
    if not context.faults and result is not None:
        context.faults.extend(result._faults())
    if context.faults or result is None:
        raise SchemaError(place, context.faults)
    return result


def to_mat(structure: Structure, place: str) -> dict[str, Any]:
    """Return the variables of the file that holds a structure, ready for savemat.

    Parameters
    ----------
    structure : Structure
        The structure.
    place : str
        The file, for messages.

    Returns
    -------
    dict of str to object
        The variables, by MATLAB name.

    Raises
    ------
    SchemaError
        If the values are not what the fields declare.
    """
    context = Context()
    context.faults.extend(structure._faults())
    variables = build(structure, context)
    if context.faults:
        raise SchemaError(place, context.faults)
    return variables


def unwrap(cls: type[Structure], variables: Mapping[str, Variable]) -> Mapping[str, Variable]:
    """Return the fields of the struct that is the only variable of an export."""
    declared = {item.spec.name for item in specs(cls)}
    if len(variables) != 1 or declared & set(variables):
        return variables
    (variable,) = variables.values()
    if not isinstance(variable.value, Mapping) or variable.shape != (1, 1):
        return variables
    found = set(variable.value)
    if not declared & found or {i.spec.name for i in specs(cls) if i.required} - found:
        return variables
    return {name: Variable(value) for name, value in variable.value.items()}


def parse(cls: type[S], variables: Mapping[str, Variable], context: Context) -> S | None:
    """Build a structure; None if that is impossible (the faults say why)."""
    values: dict[str, Any] = {}
    n_faults = len(context.faults)
    for attribute, spec, required in sorted(specs(cls), key=lambda item: item.spec.kind.order):
        field = context.at(spec.name)
        known = len(context.faults)
        value = spec.kind.read(variables[spec.name], field) if spec.name in variables else None
        if value is not None:
            values[attribute] = value
        elif required and len(context.faults) == known:
            state = "is empty" if spec.name in variables else "is missing"
            context.faults.append(f"{field.path}: {state}, but required")
    if len(context.faults) > n_faults:
        return None
    declared = {item.spec.name for item in specs(cls)}
    extra = {name: freeze_variable(v) for name, v in variables.items() if name not in declared}
    return cls(extra=FrozenMap(extra), **values)


def build(structure: Structure, context: Context) -> dict[str, Any]:
    """Return the fields of a structure as savemat takes them."""
    built: dict[str, Any] = {}
    declared = specs(type(structure))
    for attribute, spec, _ in sorted(declared, key=lambda item: item.spec.kind.order):
        value = getattr(structure, attribute)
        if value is None and (spec.name in built or not spec.written):
            continue  # two attributes may stand for one field, at most one of them is set
        built[spec.name] = spec.kind.write(value, context.at(spec.name))
    names = dict.fromkeys(item.spec.name for item in declared)
    return {name: built[name] for name in names if name in built} | {
        name: thaw(value) for name, value in structure.extra.items()
    }


def _frozen(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.flags.writeable:
        view = value.view()
        view.flags.writeable = False
        return view
    if isinstance(value, dict):
        return freeze(value)
    return tuple(value) if isinstance(value, list) else value


def describe(structure: Structure) -> list[dict[str, str]]:
    """Describe each field of a structure.

    Parameters
    ----------
    structure : Structure
        Any structure of :mod:`mne_bstinv.io`.

    Returns
    -------
    list of dict
        ``field`` (the MATLAB name), ``value`` (in short) and ``unit`` of each field that is not
        absent; then the fields that the package does not know.
    """
    rows = [
        {"field": spec.name, "value": in_short(value), "unit": spec.unit}
        for attribute, spec, _ in specs(type(structure))
        if (value := getattr(structure, attribute)) is not None
    ]
    return rows + [
        {"field": name, "value": in_short(value), "unit": "(kept as it is)"}
        for name, value in structure.extra.items()
    ]


def html_table(structure: Structure) -> str:
    """Write the description as an HTML table.

    Parameters
    ----------
    structure : Structure
        Any structure of :mod:`mne_bstinv.io`.

    Returns
    -------
    str
        A table with a row a field.
    """
    rows = [(row["field"], row["value"], row["unit"]) for row in describe(structure)]
    return _display.html_table(rows, title=repr(structure))
