"""A file of every kind, in memory, with every field that its structure declares."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import numpy as np
from scipy.sparse import csc_array, issparse

from mne_bstinv.io.kinds import Array, Raw, Scalar, Sparse, Vector
from mne_bstinv.io.registry import KINDS
from mne_bstinv.io.schema import Declared, Structure, specs
from mne_bstinv.io.text import ArrayCell, Nested, NestedArray, TextCell
from mne_bstinv.io.variable import Variable

#: Sizes that have to fit others; all others are 2.
SIZES = {"n_rows": 6, "n_times": 4, "n_vertices": 4, "n_faces": 4,
         "n_sources": 4, "n_tf_rows": 3, "n_tf_times": 4, "n_freqs": 2, "m": 2, "k": 2,
         "n_grid": 4}  # fmt: skip

TURN = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
RNG = np.random.default_rng(0)
SQUARE = RNG.standard_normal((2, 2))
#: Eight positions of a head, m.
POSITIONS = 0.09 * np.array(
    [[1, 0, 0.1], [0, 1, 0.2], [0, -1, 0.3], [0.2, 0.3, 1], [-1, 0, 0.4], [0, 0.6, 0.8],
     [0.6, 0, 0.8], [-0.6, 0.1, 0.8]]
)  # fmt: skip

#: Values by name or attribute, where their kind alone does not tell what is right.
VALUES: dict[str, Any] = {
    "NoiseCov": SQUARE @ SQUARE.T, "FourthMoment": SQUARE @ SQUARE.T, "R": TURN,
    "Faces": np.array([[1, 3, 2], [1, 2, 4], [1, 4, 3], [2, 3, 4]]),
    "nAvg": 2.0, "Leff": 2.0, "Status": 1.0, "nComponents": 3.0, "iAtlas": 1.0, "Index": 1.0,
    "Seed": 2.0, "UseDefaultAnat": 0.0, "UseDefaultChannel": 1.0, "sfreq": 100.0,
    "Radii": np.array([0.08, 0.09]),
    "GoodChannel": np.array([1.0, 2]), "CompMask": np.array([1.0, 0]),
    "epochs": np.array([1.0, 1]), "GridRows": np.array([1.0, 2]), "Vertices": np.array([1.0, 3]),
    "InitTransf": [["vox2ras", np.eye(4)], ["reg", np.eye(4)]],
    "Cube": np.ones((2, 3, 4)), "Voxsize": np.array([1.0, 1, 2]),
    "channels": [["a"], ["b", "c"]], "notes": ["x", "y"], "Description": ["x", "y"],
    "pmap": np.full((3, 4), 0.5), "tmap": np.ones((3, 4)), "df": np.ones((3, 4)),
    "SingVal": np.array([2.0, 1]), "nSamples": 100.0 * np.ones((2, 2)),
    "RowNames": ["x", "y", "z"], "RefRowNames": ["x", "y"], "Freqs": np.array([8.0, 12]),
    "TimeBands": [["a", "0, 1", "mean"], ["b", "1, 2", "mean"], ["c", "2, 3", "mean"],
                  ["d", "3, 4", "mean"]],
    "freq_bands": [["alpha", "8, 12", "mean"], ["beta", "15, 29", "mean"]],
    "image_grid_factors": [np.ones((6, 2)), np.ones((2, 4))],
    "TF": np.ones((3, 4, 2)), "History": [["1", "x", "y"], ["2", "x", "y"]],
    "times": np.array([0.5, 1.5]),
}  # fmt: skip
#: The same, of one structure.
OF_STRUCTURE: dict[tuple[str, str], Any] = {
    ("Event", "times"): np.array([[0.0, 1.0], [0.5, 1.5]]),
    ("Surface", "Vertices"): POSITIONS[:4],
    ("Dipole", "Time"): 0.5,
}


def structures() -> dict[str, type[Structure]]:
    """The structures of all kinds of files."""
    found = {row.structure: row.module for row in KINDS.values() if row.module}
    return {
        name: getattr(import_module(f"mne_bstinv.io.{module}"), name)
        for name, module in found.items()
    }


def inner_of(item: Declared) -> type[Structure] | None:
    """The structure inside a field; None if it holds none."""
    kind = item.spec.kind
    kind = getattr(kind, "struct", None) or getattr(kind, "structs", None) or kind
    return kind.cls if isinstance(kind, Nested | NestedArray) else None


def several(item: Declared) -> bool:
    """Whether a field holds an array of structs."""
    return isinstance(getattr(item.spec.kind, "structs", item.spec.kind), NestedArray)


def fields_of(cls: type[Structure], attribute: str = "") -> dict[str, Declared]:
    """The attributes that stand for each field: of several the first, or the one given."""
    found: dict[str, Declared] = {}
    for item in specs(cls):
        found.setdefault(item.spec.name, item)
        if item.attribute == attribute:
            found[item.spec.name] = item
    return found


def samples(cls: type[Structure]) -> Iterator[tuple[dict[str, Variable], list[Place]]]:
    """Yield variables of files with all fields, and the fields; once more for each other form."""
    first = fields_of(cls)
    others = [item.attribute for item in specs(cls) if item not in first.values()]
    for attribute in ("", *others):
        fields = fields_of(cls, attribute)
        variables = {name: _variable(cls, item) for name, item in fields.items()}
        chosen = [item for item in fields.values() if not attribute or item.attribute == attribute]
        yield variables, [place for item in chosen for place in places(cls, item)]


def _variable(cls: type[Structure], item: Declared) -> Variable:
    inner = inner_of(item)
    if inner is not None:
        one = {name: _value(inner, each) for name, each in fields_of(inner).items()}
        columns = {name: [value, value] for name, value in one.items()}
        return (
            Variable(columns, (1, 2), "struct")
            if several(item)
            else Variable(one, (1, 1), "struct")
        )
    value = _value(cls, item)
    if isinstance(value, dict):
        return Variable(value, (1, 1), "struct")
    if isinstance(value, list):
        rows = [len(row) for row in value if isinstance(row, list)]
        is_table = len(rows) == len(value) and len(set(rows)) == 1
        return Variable(value, (len(value), rows[0]) if is_table else (1, len(value)), "cell")
    shape = np.shape(value)
    if isinstance(value, str):
        return Variable(value, (1, len(value)), "char")
    if issparse(value):
        return Variable(value, value.shape, "sparse")
    return Variable(value, shape if len(shape) > 1 else (1, *(shape or (1,))), "double")


def _value(cls: type[Structure], item: Declared) -> Any:
    """What reading gives for a right value inside a struct."""
    inner, name = inner_of(item), item.spec.name
    if inner is not None:
        variable = _variable(cls, item)
        return variable.value
    if (cls.__name__, name) in OF_STRUCTURE:
        return OF_STRUCTURE[cls.__name__, name]
    if item.attribute in VALUES:
        return VALUES[item.attribute]
    if name in VALUES and not isinstance(item.spec.kind, Raw):
        return VALUES[name]
    return _by_kind(item.spec.kind, name)


def _size(symbol: Any) -> int:
    if isinstance(symbol, int):
        return symbol
    factor, _, name = str(symbol).rpartition("*")
    return int(factor or 1) * SIZES.get(name, 2)


def _by_kind(kind: Any, name: str) -> Any:
    array = getattr(kind, "array", None)
    if isinstance(kind, ArrayCell):
        return [np.eye(4), np.eye(4)]
    if isinstance(array, Array):
        kind = array
    if isinstance(kind, Array):
        return _numbers([_size(s) for s in kind.shape])
    if isinstance(kind, Sparse):
        return csc_array(np.eye(_size(kind.shape[0]), _size(kind.shape[1])))
    if isinstance(kind, Scalar):
        return 2.0
    if isinstance(kind, Vector):
        n = _size(kind.size)
        if name == "Time":
            return np.arange(n) / 100
        return POSITIONS[0].copy() if n == 3 and kind.dtype else np.ones(n)
    if isinstance(kind, TextCell):
        return [f"x{i}" for i in range(_size(kind.size))]
    return {"odd": 1.0} if isinstance(kind, Raw) else "text"


def _numbers(shape: list[int]) -> np.ndarray:
    if shape[-1] == 3:
        return POSITIONS[: shape[0]].copy()
    if shape[0] == 3:
        return POSITIONS[: shape[1]].T.copy()
    return RNG.standard_normal(shape)


@dataclasses.dataclass(frozen=True)
class Place:
    """A field of a file, perhaps inside structs."""

    cls: type[Structure]
    #: The fields on the way, the outermost first.
    items: tuple[Declared, ...]

    def __str__(self) -> str:
        return f"{self.cls.__name__}.{'.'.join(item.spec.name for item in self.items)}"

    @property
    def item(self) -> Declared:
        return self.items[-1]

    @property
    def attributes(self) -> tuple[str, ...]:
        return tuple(item.attribute for item in self.items)

    @property
    def twins(self) -> list[tuple[str, ...]]:
        """The attributes that stand for the same field."""
        cls = self.cls if len(self.items) == 1 else inner_of(self.items[-2])
        assert cls is not None
        same_name = (i for i in specs(cls) if i.spec.name == self.item.spec.name)
        return [(*self.attributes[:-1], item.attribute) for item in same_name]

    @property
    def words(self) -> str:
        """How messages call it: in the first element of arrays."""
        *outer, last = self.items
        names = [item.spec.name + "(1)" * several(item) for item in outer]
        return ".".join([*names, last.spec.name])

    @property
    def costs(self) -> tuple[str, ...] | None:
        """The attributes of what goes with it if it is odd; None if that is the file."""
        for depth in range(len(self.items), 0, -1):
            if not self._essential(depth - 1):
                return self.attributes[:depth]
        return None

    def _essential(self, depth: int) -> bool:
        cls = self.cls if depth == 0 else inner_of(self.items[depth - 1])
        name = self.items[depth].spec.name
        assert cls is not None
        return any(item.essential for item in specs(cls) if item.spec.name == name)


def places(cls: type[Structure], *items: Declared) -> Iterator[Place]:
    """Yield a field of a structure and those of the structures inside it."""
    yield Place(cls, items)
    inner = inner_of(items[-1])
    for item in () if inner is None else fields_of(inner).values():
        yield from places(cls, *items, item)


def value_at(variables: Mapping[str, Variable], place: Place) -> Any:
    """The value of a field, in the first element of arrays."""
    outer, *inner = place.items
    value: Any = variables[outer.spec.name].value
    for before, item in zip(place.items, inner, strict=False):
        value = value[item.spec.name]
        value = value[0] if several(before) else value
    return value


def changed(variables: Mapping[str, Variable], place: Place, odd: Variable) -> dict[str, Variable]:
    """The variables with another value in one field, in the first element of arrays."""
    outer, *inner = place.items
    if not inner:
        return {**variables, outer.spec.name: odd}
    before = variables[outer.spec.name]
    value = _replaced(before.value, place.items, odd.value)
    return {**variables, outer.spec.name: Variable(value, before.shape, before.matlab_class)}


def _replaced(value: Any, items: tuple[Declared, ...], odd: Any) -> Any:
    outer, item, *rest = items
    column = value[item.spec.name]
    first = column[0] if several(outer) else column
    new = odd if not rest else _replaced(first, items[1:], odd)
    return {**value, item.spec.name: [new, *column[1:]] if several(outer) else new}


def leaves(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield the values of a structure with their attributes and numbers of elements."""
    if isinstance(value, Structure):
        for field in dataclasses.fields(value):
            if field.init and field.name != "extra":
                yield from leaves(getattr(value, field.name), (*place, field.name))
    elif isinstance(value, tuple) and value and all(isinstance(v, Structure) for v in value):
        for number, one in enumerate(value):
            yield from leaves(one, (*place, number))
    else:
        yield place, value


def same(a: Any, b: Any) -> bool:
    """Whether two values of leaves are equal."""
    if issparse(a) or issparse(b):
        return issparse(a) and issparse(b) and (a != b).nnz == 0
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, Mapping) or isinstance(b, Mapping):
        return repr(a) == repr(b)
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return np.array_equal(np.asarray(a), np.asarray(b), equal_nan=False)
    return type(a) is type(b) and a == b


def other_leaves(a: Structure, b: Structure, *costs: tuple[str, ...]) -> list[tuple[Any, ...]]:
    """The places at which two structures differ, but for those that some fields cost."""

    def names(place: tuple[Any, ...]) -> tuple[str, ...]:
        return tuple(part for part in place if isinstance(part, str))

    def counts(place: tuple[Any, ...]) -> bool:
        return not any(names(place)[: len(cost)] == cost for cost in costs)

    mine, theirs = dict(leaves(a)), dict(leaves(b))
    every = [place for place in dict.fromkeys([*mine, *theirs]) if counts(place)]
    missing = object()
    return [p for p in every if not same(mine.get(p, missing), theirs.get(p, missing))]
