"""Every field of every kind of file, as the registry and the structures declare them."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pytest
from schema_samples import Place, changed, leaves, other_leaves, samples, structures, value_at
from scipy.sparse import csc_array

from mne_bstinv import conversion_report
from mne_bstinv.errors import SchemaError
from mne_bstinv.io.checks import Check
from mne_bstinv.io.kinds import Raw
from mne_bstinv.io.schema import from_mat, specs
from mne_bstinv.io.variable import Unreadable, Variable

#: Values that a field does not expect.
ODD = {
    "function handle": Variable(Unreadable("a function handle"), (1, 1), "function_handle"),
    "string object": Variable(Unreadable("an object of the MATLAB class string"), (1, 1), "string"),
    "cell": Variable([[1.0, "odd"], [2.0, 3.0]], (2, 2), "cell"),
    "struct": Variable({"odd": 1.0}, (1, 1), "struct"),
    "text": Variable("odd", (1, 3), "char"),
    "number": Variable(-7.5, (1, 1), "double"),
    "size": Variable(np.full((2, 7, 3), 1e20), (2, 7, 3), "double"),
    "sparse": Variable(csc_array(np.eye(3)), (3, 3), "sparse"),
    "NaN": Variable(np.full((5, 2), np.nan), (5, 2), "double"),
    "empty": Variable(np.zeros((0, 0)), (0, 0), "double"),
}

#: What goes with a field that is left out: names of transforms, what has its size.
WITH_IT = {
    "Channels.TransfEeg": [("transf_eeg_labels",)],
    "Channels.TransfMeg": [("transf_meg_labels",)],
    "Results.SourceDecompSa": [("source_decomp_va",)],
    "Recordings.F.events.times": [("link", "events", "channels"), ("link", "events", "notes")],
    "Recordings.Events.times": [("events", "channels"), ("events", "notes")],
    "Matrix.Events.times": [("events", "channels"), ("events", "notes")],
}

STRUCTURES = structures()


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    """Thousands of findings are not written to the log."""
    monkeypatch.setattr(logging.getLogger("mne_bstinv"), "disabled", True)


def cases(cls: type[Any]) -> Any:
    """Yield variables, the structure that they are read as, and each field that may be changed."""
    for variables, found in samples(cls):
        intact = from_mat(cls, variables, cls.__name__)
        assert not conversion_report(intact)
        for place in found:
            yield variables, intact, place


def attempt(cls: type[Any], variables: dict[str, Variable]) -> tuple[Any, str]:
    """The structure, or None and why it cannot be read."""
    try:
        return from_mat(cls, variables, "file.mat"), ""
    except SchemaError as error:
        return None, str(error)


def said(found: Any, place: Place) -> list[str]:
    """What the report says of a field."""
    return [f.reason for f in conversion_report(found) if f.field.startswith(place.words)]


@pytest.mark.parametrize("name", STRUCTURES)
def test_the_sample_has_every_field(name):
    """Else the tests below try less than they say."""
    cls, present = STRUCTURES[name], set()
    for variables, _ in samples(cls):
        for place, value in leaves(from_mat(cls, variables, name)):
            if value is not None and not (isinstance(value, tuple) and not value):
                present.add(place[0])
    assert present == {item.attribute for item in specs(cls)}


@pytest.mark.parametrize("name", STRUCTURES)
def test_an_odd_value_in_every_field(name):
    """An error that names it if the file means nothing without it; else all other fields."""
    cls, tried = STRUCTURES[name], 0
    for variables, intact, place in cases(cls):
        for odd, value in ODD.items():
            tried += 1
            found, error = attempt(cls, changed(variables, place, value))
            if found is None:
                assert place.costs is None, (place, odd, error)
                assert place.item.spec.name in error or "n_" in error, (place, odd, error)
                continue
            assert repr(found)
            costs = [] if place.costs is None else [place.costs]
            costs += [place.attributes, *WITH_IT.get(str(place), [])]
            costs += place.twins
            assert other_leaves(found, intact, *costs) == [], (place, odd)
    assert tried >= len(ODD) * len(specs(cls))


def worse(value: Any, where: Any) -> Any:
    """An array with one of its numbers replaced; of several arrays the last."""
    if isinstance(value, list):
        return [*value[:-1], worse(value[-1], where)]
    array = np.array(value, dtype=float)
    array.flat[-1] = where
    return array


#: Name of a check -> from a right value to one that fails it.
TRIPS = {
    "finite": lambda value: worse(value, np.nan),
    "not_nan": lambda value: worse(value, np.nan),
    "not_infinite": lambda value: worse(value, np.inf),
    "positive": lambda value: worse(value, -1),
    "not_negative": lambda value: worse(value, -1),
    "probabilities": lambda value: worse(value, 1.5),
    "increasing": lambda value: value[::-1],
    "span_or_increasing": lambda value: value[::-1],
    "ordered": lambda value: value[::-1],
    "forward": lambda value: value[::-1],
    "index": lambda value: worse(value, 0),
    "unique": lambda value: np.full(np.shape(value), 1.0),
    "one_of": lambda value: worse(value, 7),
    "rotation": lambda value: np.diag([1.0, 1, -1]),
    "transform": lambda value: _first(value, np.diag([1.0, 1, 0, 1])),
    "counted": lambda value: [*value, "one more"],
    "covariance": lambda value: value + np.array([[0, 9], [0, 0]]),
    "definite": lambda value: value + np.array([[0, 99], [99, 0]]),
}


def _first(value: Any, matrix: Any) -> Any:
    """The transforms, or rows of a label and a transform, with another first one."""
    first = [value[0][0], matrix] if isinstance(value[0], list) else matrix
    return [first, *value[1:]]


def variable(value: Any) -> Variable:
    shape = np.shape(value) if isinstance(value, np.ndarray) else (1, len(value))
    shape = shape if len(shape) > 1 else (1, *(shape or (1,)))
    return Variable(value, shape, "double" if isinstance(value, np.ndarray) else "cell")


@pytest.mark.parametrize("name", STRUCTURES)
def test_every_declared_check_is_tripped(name):
    """As an error, as a finding with the value left out, or as one with the value kept."""
    cls = STRUCTURES[name]
    for variables, intact, place in cases(cls):
        for check in place.item.spec.checks:
            wrong = variable(TRIPS[check.name](value_at(variables, place)))
            found, error = attempt(cls, changed(variables, place, wrong))
            if found is None:
                assert place.costs is None, (place, check.name, error)
                assert f"{place.words}: " in error
                continue
            assert check.keeps or place.costs is not None, (place, check.name)
            assert any(" found" in reason for reason in said(found, place)), (place, check.name)
            costs = [place.attributes, *WITH_IT.get(str(place), [])]
            costs += [] if place.costs is None else [place.costs]
            assert other_leaves(found, intact, *costs) == [], (place, check.name)


#: Checks that are one, but for how strict they are.
ALIKE = {
    "not_negative": "positive",
    "ordered": "increasing",
    "span_or_increasing": "increasing",
    "not_nan": "finite",
}

#: Fields of one name that are not one thing: transforms to MNI coordinates may scale and shear.
APART = {"Mri.NCS.R"}


def test_a_field_is_checked_in_one_way_wherever_it_is():
    """GridLoc of head models as of results, GoodChannel of results as of tests ..."""
    found: dict[str, dict[str, set[str]]] = {}
    for cls in STRUCTURES.values():
        for _, _, place in cases(cls):
            spec = place.item.spec
            if isinstance(spec.kind, Raw) or str(place) in APART:
                continue
            key = f"{spec.name} {type(spec.kind).__name__}"
            names = {ALIKE.get(check.name, check.name) for check in spec.checks}
            found.setdefault(key, {}).setdefault("+".join(sorted(names)), set()).add(str(place))
    assert {key: ways for key, ways in found.items() if len(ways) > 1} == {}


def test_every_check_has_a_value_that_trips_it():
    from mne_bstinv.io import checks

    made = {value.name for value in vars(checks).values() if isinstance(value, Check)}
    assert made <= set(TRIPS)
