"""Struct arrays: elements of one form are made as the first, and as each would be parsed."""

from __future__ import annotations

import numpy as np
import pytest

from mne_bstinv import io
from mne_bstinv.io import struct_arrays
from mne_bstinv.io.context import Context
from mne_bstinv.io.schema import parse
from mne_bstinv.io.struct_arrays import parse_elements
from mne_bstinv.io.variable import Variable

N = 6


def place(name, index, context):
    return context.element(index)


def columns(**changes):
    """Return the fields of electrodes, with other values of some."""
    found = {
        "Name": [f"E{number}" for number in range(N)],
        "Type": ["EEG"] * N,
        "Comment": ["", "of plastic", *[""] * (N - 2)],
        "Group": [np.zeros((0, 0))] * N,
        "Loc": [np.full(3, number / 100) for number in range(N)],
        "Orient": [np.zeros(0)] * N,
        "Weight": [1.0] * N,
        "Extra": [np.uint8([number]) for number in range(N)],
    }
    return found | {name: [*found[name][:-1], value] for name, value in changes.items()}


def one_by_one(fields, context):
    rows = zip(*fields.values(), strict=True)
    return tuple(
        parse(
            io.Channel,
            {name: Variable(value) for name, value in zip(fields, row, strict=True)},
            context.element(index),
        )
        for index, row in enumerate(rows)
    )


def plain(structure):
    if structure is None:
        return None
    values = [getattr(structure, name) for name in ("name", "comment", "type", "group")]
    arrays = [structure.loc, structure.orient, structure.weight]
    assert not any(array.flags.writeable for array in arrays if array is not None)
    values += [None if a is None else (a.dtype, a.shape, a.tobytes()) for a in arrays]
    return [*values, {name: repr(value) for name, value in structure.extra.items()}]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"Name": ""},
        {"Name": 3.0},  # a fault
        {"Group": "left"},
        {"Group": ["left", "right"]},  # left out, with a finding
        {"Loc": np.ones((3, 2))},
        {"Loc": np.ones(4)},  # a fault
        {"Loc": np.full(3, np.nan)},  # kept, with a finding
        {"Loc": np.ones(3, np.float32)},
        {"Loc": np.array(list("abc"))},  # a fault
        {"Orient": np.ones((3, 2))},  # of more points than there are: a fault
        {"Weight": np.array([1, 2], np.uint8)},
        {"Weight": 1j},  # a fault
    ],
)
def test_as_each_element_alone(changes):
    fields = columns(**changes)
    alone, together = (Context("Channel") for _ in range(2))
    expected = one_by_one(fields, alone)
    found = parse_elements(io.Channel, fields, together, place)
    assert [plain(one) for one in found] == [plain(one) for one in expected]
    assert together.faults == alone.faults
    assert together.findings.report.findings == alone.findings.report.findings


def test_only_the_first_of_a_form_is_parsed(monkeypatch):
    parsed = []

    def counting(cls, variables, context):
        parsed.append(context.path)
        return parse(cls, variables, context)

    monkeypatch.setattr(struct_arrays, "parse", counting)
    parse_elements(io.Channel, columns(), Context("Channel"), place)
    assert parsed == ["Channel(1)", "Channel(2)"]


def test_what_is_known_outside_holds_inside():
    context = Context("Channel", sizes={"k": (2, "F")})
    parse_elements(io.Channel, columns(), context, place)
    assert len(context.faults) == N
    assert context.faults[0].startswith("Channel(1).Loc: shape")
    assert context.sizes == {"k": (2, "F")}
