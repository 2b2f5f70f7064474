"""Read MATLAB 7.3 files: HDF5 with MATLAB's classes in attributes.

A variable or field is a dataset (numbers, text, a cell of references) or a group (a struct, a
sparse array). What MATLAB writes lies in the file itself; links and values that lead out of it are
refused. The values have the form they have from a MATLAB 5 file.

h5py reads the values, and :mod:`~mne_bstinv.io.hdf5_data` inflates the chunks. ``pymatreader`` does
not, although it would: of a chunk that inflates to less than it declares HDF5 leaves the rest of
the array as the memory was, which shows only where the chunk itself is inflated, so that every
large array would be inflated twice. Beside that it gives the dimensions in place of an empty entry
that is alone in its cell, HDF5's references in place of a cell in a cell, the entries of a cell of
rows and columns in one list, and the fields of a struct in another order each time.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
from h5py import h5a, h5d, h5g, h5l, h5o, h5r

from mne_bstinv.io import hdf5_data
from mne_bstinv.io import variable as form
from mne_bstinv.io.hdf5_data import Stored, address_of, opened
from mne_bstinv.io.hdf5_fields import FieldNames
from mne_bstinv.io.hdf5_links import refused_link
from mne_bstinv.io.hdf5_structure import Structures
from mne_bstinv.io.limits import MAX_DEPTH, max_elements
from mne_bstinv.io.variable import (
    TOO_MANY,
    DamageError,
    RefusalError,
    Unreadable,
    UnstoredError,
    Variable,
)

__all__ = ["names_in", "read"]

NUMBERS = {"double", "single", "unknown"}
INTEGERS = {"logical", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"}
#: Classes that other objects of HDF5 hold than the one at hand.
MISPLACED = {"cell", "struct", "char", *NUMBERS, *INTEGERS}

#: MATLAB's own limit is far above; NumPy 2.0 allows 64.
MAX_DIMENSIONS = 32

#: Letters of the name of a class; MATLAB's own limit is 63.
MAX_CLASS = 1000

Shape = tuple[int, ...]


class Node(NamedTuple):
    """What an object of the file holds, and how many arrays that is."""

    variable: Variable
    elements: int = 1


def read(path: Path, names: list[str] | None) -> dict[str, Variable]:
    """Return the variables of a file, or those of the given names."""
    with h5py.File(path, "r") as file, path.open("rb") as raw:
        reader = _Reader(file, Structures(raw, file.userblock_size))
        root = h5g.open(file.id, b"/")
        found = {}
        for name in reader.children(root):
            text = name.decode("utf-8", "replace")
            if not text.startswith("#") and (names is None or text in names):
                variable = reader.child(root, name, 1).variable
                found[text] = replace(variable, notes=reader.notes_taken())
    return found


def names_in(path: Path) -> list[str]:
    """Return the names of the variables of a file."""
    with h5py.File(path, "r") as file, path.open("rb") as raw:
        root = h5g.open(file.id, b"/")
        Structures(raw, file.userblock_size).check_group(address_of(root))
        found = (name.decode("utf-8", "replace") for name in root)
        return [name for name in found if not name.startswith("#")]


class _Reader:
    def __init__(self, file: h5py.File, structures: Structures) -> None:
        self.file = file.id
        self.structures = structures
        self.fields = FieldNames(structures)
        self.limit = max_elements(structures.size)
        #: What was read, by address: a hostile file may refer to one object any number of times.
        self.known: dict[int, Node] = {}
        #: The objects around the one that is read.
        self.around: set[int] = set()
        #: The variable and the fields that are read, and what was noted of the variable.
        self.place: list[str] = []
        self.notes: list[tuple[str, str]] = []

    def opened(self, dataset: h5d.DatasetID) -> Stored:
        """Return a dataset whose values can be read."""
        return opened(dataset, self.structures, self.note)

    def note(self, what: str) -> None:
        """Note what is not as it should be where the reader is."""
        self.notes.append((".".join(self.place), what))

    def notes_taken(self) -> tuple[tuple[str, str], ...]:
        """Return what was noted of a variable, for the next to begin with nothing."""
        notes, self.notes = tuple(dict.fromkeys(self.notes)), []
        return notes

    def children(self, group: h5g.GroupID) -> list[bytes]:
        """Return the names in a group, all of which must be in this file."""
        self.structures.check_group(address_of(group))
        names = list(group)
        for name in names:
            kind = group.links.get_info(name).type
            if kind != h5l.TYPE_HARD:
                raise refused_link(name.decode("utf-8", "replace"), kind)
        return names

    def child(self, group: h5g.GroupID, name: bytes, depth: int) -> Node:
        """Return what the object of a name in a group holds."""
        self.place.append(name.decode("utf-8", "replace"))
        try:
            return self.node(h5o.open(group, name), depth)
        except (DamageError, RefusalError) as error:
            error.inside(name.decode("utf-8", "replace"))
            raise
        except MemoryError:
            raise
        except Exception as error:
            damage = DamageError(f"HDF5 cannot read it ({error})")
            damage.inside(name.decode("utf-8", "replace"))
            raise damage from error
        finally:
            self.place.pop()

    def node(self, node: Any, depth: int) -> Node:
        """Return what a dataset or group holds."""
        address = address_of(node)
        found = self.known.get(address)
        if found is None:
            if address in self.around or depth > MAX_DEPTH:
                raise DamageError(f"cells and structs inside themselves, or {depth} deep")
            self.around.add(address)
            try:
                found = self._read(node, address, depth)
            except UnstoredError as error:
                found = Node(Variable(Unreadable(str(error)), (1, 1), "unknown"))
            self.around.discard(address)
            self.known[address] = found
        if found.elements > self.limit:
            raise DamageError(TOO_MANY)
        return found

    def _read(self, node: Any, address: int, depth: int) -> Node:
        if isinstance(node, h5g.GroupID):
            return self._group(node, address, depth)
        if isinstance(node, h5d.DatasetID):
            return self._dataset(self.opened(node), address, depth)
        return Node(Variable(Unreadable("a data type without values"), (1, 1), "unknown"))

    def _group(self, group: h5g.GroupID, address: int, depth: int) -> Node:
        kind = _class(group)
        if h5a.exists(group, b"MATLAB_sparse"):
            kind = "logical" if kind == "logical" else "sparse"
            return Node(Variable(*self._sparse(group), kind))
        if kind not in ("struct", "object", "unknown"):
            return Node(Variable(_foreign(kind, "a group"), (1, 1), kind))
        names = self._ordered(self.children(group), address)
        columns, shapes, elements = [], set(), 1
        for name in names:
            values, shape, count = self._column(group, name.encode(), depth)
            columns.append(values)
            shapes.add(shape)
            elements += count
        size = next(iter(shapes), (1, 1))
        if len(shapes) > 1:
            what = Unreadable("a struct array whose fields have different sizes")
            return Node(Variable(what, size, "struct"), elements)
        return Node(Variable(form.struct(names, columns, size), size, "struct"), elements)

    def _column(self, group: h5g.GroupID, name: bytes, depth: int) -> tuple[list[Any], Shape, int]:
        """Return the values of a field, their shape, and how many arrays they are."""
        child = h5o.open(group, name)
        if isinstance(child, h5d.DatasetID) and _is_column(child):
            return self._references(self.opened(child), depth)
        node = self.child(group, name, depth + 1)
        return [node.variable.value], (1, 1), node.elements

    def _ordered(self, present: list[bytes], address: int) -> list[str]:
        """Return the names of fields in MATLAB's order; if that is unknown, by the alphabet."""
        names = sorted(name.decode("utf-8") for name in present)
        known = self.fields.of(address)
        return names if known is None or sorted(known) != names else known

    def _dataset(self, stored: Stored, address: int, depth: int) -> Node:
        kind = _class(stored.dataset)
        if kind == "canonical empty":  # what all empty entries of cells refer to
            return Node(Variable(np.zeros(0), (0, 0), "double"))
        if h5a.exists(stored.dataset, b"MATLAB_empty"):
            return Node(self._empty(stored, address, kind))
        dtype, shape = stored.dtype, _shape(stored)
        if kind in ("cell", "unknown") and h5py.check_ref_dtype(dtype) is h5py.Reference:
            items, shape, elements = self._references(stored, depth)
            return Node(Variable(form.cell(items, shape), shape, "cell"), elements + 1)
        if kind not in (*NUMBERS, *INTEGERS, "char") or not _is_plain(dtype):
            return Node(Variable(_foreign(kind, f"data of type {dtype}"), shape, kind))
        if kind not in NUMBERS and dtype.kind not in "biu":
            return Node(Variable(_foreign(kind, f"data of type {dtype}"), shape, kind))
        flat = _complex(hdf5_data.values(stored)).ravel()  # reversed dimensions: by columns
        value = _text(flat, shape) if kind == "char" else form.numbers(flat, shape)
        return Node(Variable(value, shape, kind))

    def _references(self, stored: Stored, depth: int) -> tuple[list[Any], Shape, int]:
        """Return what references lead to, their shape, and how many arrays that is."""
        targets, places = hdf5_data.references(stored, self.limit)
        nodes = [self._target(reference, depth) for reference in targets]
        values = [node.variable.value for node in nodes]
        elements = sum(nodes[place].elements for place in places.tolist())
        return [values[place] for place in places.tolist()], _shape(stored), elements

    def _target(self, reference: h5r.Reference, depth: int) -> Node:
        """Return what a reference leads to."""
        target = h5r.dereference(reference, self.file) if reference else None
        if target is None:
            return Node(Variable(Unreadable("a reference to nothing")), 0)
        return self.node(target, depth + 1)

    def _empty(self, stored: Stored, address: int, kind: str) -> Variable:
        """Return the empty value of a dataset, which holds the dimensions."""
        size = math.prod(stored.shape)
        if size > MAX_DIMENSIONS or stored.dtype.kind not in "iu":
            raise DamageError(f"empty, with {size} dimensions of type {stored.dtype}")
        shape = tuple(int(size) for size in hdf5_data.values(stored).ravel())
        if math.prod(shape) != 0 or min(shape) < 0:
            raise DamageError(f"empty, with dimensions {shape}")
        if kind == "char":
            return Variable(form.NO_TEXT, shape, kind)
        if kind == "struct":
            return Variable({name: [] for name in self.fields.of(address) or []}, shape, kind)
        if kind == "cell":
            return Variable([], shape, kind)
        known = kind in NUMBERS or kind in INTEGERS
        return Variable(np.zeros(0) if known else _foreign(kind, "nothing"), shape, kind)

    def _sparse(self, group: h5g.GroupID) -> tuple[Any, tuple[int, int]]:
        names, parts = self.children(group), {}
        for name in (b"jc", b"ir", b"data"):
            part = h5o.open(group, name) if name in names else None
            if part is None:  # MATLAB leaves ir and data out where there is no entry
                parts[name] = np.zeros(0, np.int64)
            elif isinstance(part, h5d.DatasetID) and _is_plain(part.dtype):
                parts[name] = _complex(hdf5_data.values(self.opened(part))).ravel()
            else:
                raise DamageError(f"a sparse array without numbers in {name.decode()}")
        n_rows = _number(group, b"MATLAB_sparse")
        if n_rows is None or not parts[b"jc"].size:
            raise DamageError("a sparse array without a size")
        if {parts[b"jc"].dtype.kind, parts[b"ir"].dtype.kind} - {"i", "u"}:
            raise DamageError("a sparse array whose indices are no integers")
        shape = (n_rows, parts[b"jc"].size - 1)
        return form.sparse(parts[b"data"], parts[b"ir"], parts[b"jc"], shape), shape


def _class(node: Any) -> str:
    """Return the MATLAB class of a node."""
    if not h5a.exists(node, b"MATLAB_class"):
        return "unknown"
    attribute = h5a.open(node, b"MATLAB_class")
    dtype = attribute.dtype
    # HDF5 trusts variable lengths
    if dtype.kind != "S" or attribute.shape != () or dtype.itemsize > MAX_CLASS:
        raise DamageError("MATLAB_class that is no text of fixed length")
    value = np.empty((), dtype)
    attribute.read(value)
    return str(value.item().decode("utf-8", "replace"))


def _number(node: Any, name: bytes) -> int | None:
    """Return the number in an attribute; None if it is no number."""
    attribute = h5a.open(node, name)
    if attribute.dtype.kind not in "iu" or math.prod(attribute.shape) != 1:
        return None
    value = np.empty(attribute.shape, attribute.dtype)
    attribute.read(value)
    return int(value.item())


def _is_column(dataset: h5d.DatasetID) -> bool:
    """Tell the field of a struct array (bare references) from a cell."""
    kind = h5py.check_ref_dtype(dataset.dtype)
    return kind is h5py.Reference and not h5a.exists(dataset, b"MATLAB_class")


def _shape(stored: Stored) -> Shape:
    """Return the MATLAB shape of a dataset."""
    shape = tuple(reversed(stored.shape))
    return shape if len(shape) > 1 else (*(shape or (1,)), 1)


def _foreign(kind: str, found: str) -> Unreadable:
    """Return what stands for a node of a class that has no form here, or of another content."""
    if kind in MISPLACED:
        return Unreadable(f"{found} in an array of class {kind}")
    if kind == "function_handle":
        return Unreadable("a function handle")
    return Unreadable(f"an object of the MATLAB class {kind}")


def _is_plain(dtype: np.dtype[Any]) -> bool:
    """Tell numbers, complex ones included, from what MATLAB does not write."""
    if dtype.names == ("real", "imag"):
        return dtype[0] == dtype[1] and dtype[0].kind in "iuf" and dtype.itemsize <= 16
    return dtype.kind in "biuf" and dtype.itemsize <= 8 and dtype.shape == ()


def _complex(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return native numbers of pairs of parts, or of other numbers."""
    if array.dtype.names is None:
        return array.astype(array.dtype.newbyteorder("="), copy=False)
    if array.dtype[0] in (np.float32, np.float64) and array.dtype.itemsize in (8, 16):
        return array.view(np.complex64 if array.dtype.itemsize == 8 else np.complex128)
    return form.complex_numbers(array["real"], array["imag"])


def _text(flat: np.ndarray[Any, Any], shape: Shape) -> Any:
    """Return the text of character codes."""
    try:
        found = "".join(map(chr, flat.tolist()))
    except (ValueError, OverflowError):
        return Unreadable("text with codes that are no characters")
    return form.text(found, len(found), shape)
