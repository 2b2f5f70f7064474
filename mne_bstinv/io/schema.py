"""One declaration a field, and the engine that reads and writes by the declarations.

A field of a structure is declared where it is defined::

    gain: FloatArray = field(metadata=declare("Gain", Array("n_channels", "3*n_sources")))

The first argument is the MATLAB name, the second the kind of value (:mod:`mne_bstinv.io.kinds`)
with its shape in symbols. A symbol has one value in a whole file: the first field that names it
sets it and the others must agree. Further conditions are declared as ``checks``
(:mod:`mne_bstinv.io.checks`).

A field is essential to its structure, or it is not. What is wrong with an essential one is a fault
of the file. Any other that cannot be understood is left out with a finding, and what the file
holds there is kept among the ``extra`` fields, to be written back.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np

from mne_bstinv import _display
from mne_bstinv._display import in_short
from mne_bstinv.conversion import Finding, Findings
from mne_bstinv.errors import SchemaError
from mne_bstinv.io.checks import Check
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
    "understood",
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
    """The declaration of one field."""

    #: The MATLAB name.
    name: str
    #: What values it takes.
    kind: Kind
    #: The unit, empty for none.
    unit: str = ""
    #: Whether an absent value is written (as an empty one), else left out.
    written: bool = True
    #: Whether a value that cannot be understood is a fault of the file: the structure means
    #: something else without it.
    essential: bool = False
    #: What the value must be beside its kind.
    checks: tuple[Check, ...] = ()


def declare(
    name: str,
    kind: Kind,
    *checks: Check,
    unit: str = "",
    written: bool = True,
    essential: bool = False,
) -> dict[str, Spec]:
    """Declare a field of a :class:`Structure`, as ``metadata`` of :func:`dataclasses.field`.

    The arguments are those of :class:`Spec`. A field without a default is required: a file without
    it is refused. It is essential too. The declaration is under the key ``"mat"``.
    """
    return {"mat": Spec(name, kind, unit, written, essential, checks)}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Structure:
    """Base of the structures: raw values of a file, read-only.

    Parameters
    ----------
    extra : mapping of str to object
        Fields of the file that no attribute stands for, or that could not be understood, by their
        MATLAB names.
    """

    #: Fields of the file that no attribute stands for, or that could not be understood, by their
    #: MATLAB names.
    extra: Mapping[str, Any] = dataclasses.field(default_factory=FrozenMap)

    #: What reading it left out or took for something else, or the conversion that made it lost.
    _bstinv_report: Any = dataclasses.field(default=None, init=False)

    #: Whether all that is geometry was found to be in the units of its fields; of a copy with
    #: other values that is to be found again.
    _in_metres: bool = dataclasses.field(default=False, init=False)

    def __post_init__(self) -> None:
        for name in _form(type(self)).attributes:
            value = getattr(self, name)
            if type(value) in _READ_ONLY:
                continue
            frozen = _frozen(value)
            if frozen is not value:
                object.__setattr__(self, name, frozen)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} | {' '.join(self._summary().split(chr(10)))}>"

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

    @property
    def essential(self) -> bool:
        """Whether a value that cannot be understood is a fault."""
        return self.required or self.spec.essential

    @property
    def rank(self) -> tuple[bool, int]:
        """What is read first sets the symbols: what is essential, then by its kind."""
        return not self.essential, self.spec.kind.order


def specs(cls: type[Structure]) -> tuple[Declared, ...]:
    """Return the attributes of a structure class with their declarations."""
    return _form(cls).declared


class _Form(NamedTuple):
    """What is asked of a class for each of its structures."""

    #: Names of all attributes.
    attributes: tuple[str, ...]
    #: Those with declarations, as they are defined.
    declared: tuple[Declared, ...]
    #: The same, as they are read and written.
    ranked: tuple[Declared, ...]
    #: The MATLAB names that are declared.
    names: frozenset[str]


def _form(cls: type[Structure]) -> _Form:
    key: Any = cls
    return _form_of(key)


@cache
def _form_of(cls: Any) -> _Form:
    fields = dataclasses.fields(cls)
    declared = tuple(
        Declared(field.name, field.metadata["mat"], field.default is dataclasses.MISSING)
        for field in fields
        if field.metadata
    )
    return _Form(
        tuple(field.name for field in fields),
        declared,
        tuple(sorted(declared, key=lambda item: item.rank)),
        frozenset(item.spec.name for item in declared),
    )


def from_mat(cls: type[S], variables: Mapping[str, Variable], place: str) -> S:
    """Build a structure from the variables of the file at ``place``, or say all its faults.

    Its report (:func:`mne_bstinv.conversion_report`) says what was left out because it could not be
    understood, and what was taken for something else.
    """
    context = Context()
    for place_of, note in (note for variable in variables.values() for note in variable.notes):
        context.findings.assumed(place_of, note)
    result = parse(cls, unwrap(cls, variables, context), context)
    if not context.faults and result is not None:
        context.faults.extend(result._faults())
    if context.faults or result is None:
        raise SchemaError(place, context.faults)
    findings = _gathered(context.findings.report)
    return findings.attach(result, what=place) if findings.report else result


def _gathered(findings: Iterable[Finding]) -> Findings:
    """Return findings, with one for all elements of an array of which the same is said."""
    alike: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in findings:
        key = (finding.severity, re.sub(r"\(\d+\)", "()", finding.field), finding.reason)
        alike.setdefault(key, []).append(finding)
    gathered = Findings()
    for first, *more in alike.values():
        name = f"{first.field} and {len(more)} more" if more else first.field
        getattr(gathered, first.severity)(name, first.reason)
    return gathered


def to_mat(structure: Structure, place: str) -> dict[str, Any]:
    """Return the variables, by MATLAB name, of the file of a structure, ready for savemat."""
    context = Context()
    context.faults.extend(structure._faults())
    variables = build(structure, context)
    if context.faults:
        raise SchemaError(place, context.faults)
    return variables


def unwrap(
    cls: type[Structure], variables: Mapping[str, Variable], context: Context
) -> Mapping[str, Variable]:
    """Return the fields of the struct that is the variable of an export, beside stray ones."""
    declared = _form(cls).names
    required = {item.spec.name for item in specs(cls) if item.required}
    if declared & set(variables):
        return variables
    structs = {
        name: variable.value
        for name, variable in variables.items()
        if isinstance(variable.value, Mapping) and variable.shape == (1, 1)
    }
    fitting = [n for n, v in structs.items() if declared & set(v) and required <= set(v)]
    if len(fitting) != 1:
        return variables
    (name,) = fitting
    context.findings.derived(name, "the fields of this struct are taken for the variables")
    others = {other: value for other, value in variables.items() if other != name}
    return others | {field: Variable(value) for field, value in structs[name].items()}


def parse(cls: type[S], variables: Mapping[str, Variable], context: Context) -> S | None:
    """Build a structure; None if that is impossible (the faults say why)."""
    values: dict[str, Any] = {}
    left_out: dict[str, Any] = {}
    n_faults = len(context.faults)
    form = _form(cls)
    for item in form.ranked:
        name = item.spec.name
        attempt = context.attempt(name)
        if name not in variables:
            if item.required:
                context.faults.append(f"{attempt.path}: is missing, but required")
            continue
        value = understood(item.spec, variables[name], attempt)
        if not attempt.faults:
            context.accept(attempt)
            if value is not None:
                values[item.attribute] = value
            elif item.required:
                context.faults.append(f"{attempt.path}: is empty, but required")
        elif item.essential:
            context.faults.extend(attempt.faults)
        else:
            left_out[name] = freeze_variable(variables[name])
            for fault in attempt.faults:
                place, _, reason = fault.partition(": ")
                left = f"left out of {cls.__name__}, kept as the file has it"
                context.findings.dropped(place, f"{reason}; {left}")
    if len(context.faults) > n_faults:
        return None
    extra = {name: freeze_variable(v) for name, v in variables.items() if name not in form.names}
    result = cls(extra=FrozenMap(extra | left_out), **values)
    faults = result._faults() if context.path else ()  # of a file as a whole: from_mat
    context.faults.extend(f"{context.path}: {fault}" for fault in faults)
    return None if faults else result


def understood(spec: Spec, variable: Variable, context: Context) -> Any:
    """Return the value of a field, with faults if it is not what the field declares."""
    value = spec.kind.read(variable, context)
    if value is None or context.faults:
        return value
    for check in spec.checks:
        found = check.fault(value, context)
        if found and check.keeps:
            context.findings.assumed(context.path, f"{found}; taken as it is")
        elif found:
            context.faults.append(f"{context.path}: {found}")
            break  # the others may take it for granted
    return value


def build(structure: Structure, context: Context) -> dict[str, Any]:
    """Return the fields of a structure as savemat takes them."""
    built: dict[str, Any] = {}
    declared = specs(type(structure))
    for item in _form(type(structure)).ranked:
        value, spec = getattr(structure, item.attribute), item.spec
        if value is None and (spec.name in built or not spec.written):
            continue  # two attributes may stand for one field, at most one of them is set
        field = context.at(spec.name)
        built[spec.name] = spec.kind.write(value, field)
        if value is not None:
            faults = (check.fault(value, field) for check in spec.checks if not check.keeps)
            context.faults.extend(f"{field.path}: {fault}" for fault in faults if fault)
    names = dict.fromkeys(item.spec.name for item in declared)
    fields = {name: built[name] for name in names if name in built}
    absent = {item.spec.name for item in declared if not is_set(structure, item.attribute)}
    kept = {n: v for n, v in structure.extra.items() if n not in names or n in absent}
    return fields | {name: thaw(value) for name, value in kept.items()}


def is_set(structure: Structure, attribute: str) -> bool:
    """Tell whether an attribute has another value than the default for nothing."""
    value = getattr(structure, attribute)
    default = next(f.default for f in dataclasses.fields(structure) if f.name == attribute)
    return not (value is default or (isinstance(value, str | tuple) and value == default))


#: Types of most values, with which nothing is to be done.
_READ_ONLY = frozenset({str, tuple, float, int, bool, FrozenMap, type(None)})


def _frozen(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.flags.writeable:
        view = value.view()
        view.flags.writeable = False
        return view
    if isinstance(value, dict):
        return freeze(value)
    return tuple(value) if isinstance(value, list) else value


def describe(structure: Structure) -> list[dict[str, str]]:
    """Describe each field that is not absent, then those that the package does not know.

    A row has ``field`` (the MATLAB name), ``value`` (in short) and ``unit``.
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
    """Write the description as an HTML table with a row a field."""
    rows = [(row["field"], row["value"], row["unit"]) for row in describe(structure)]
    return _display.html_table(rows, title=repr(structure))
