"""Projectors as one operator: what counts, in which order, and what is refused."""

from __future__ import annotations

import re

import numpy as np
import pytest
from inverse_problems import FakeProjector, orthogonal, readonly
from inverse_tolerances import backward_error

from mne_bstinv.errors import InverseError
from mne_bstinv.inverse.projectors import projection_operator

N = 6
#: Operators of norm one and products of a few of them, vectors of condition number below 10.
ATOL = 10 * backward_error(N)


def _vectors(seed: int, k: int, condition: float = 3.0):
    """Return vectors (N, k), neither orthogonal nor of unit length, of known condition number."""
    rng = np.random.default_rng(seed)
    left, right = orthogonal(rng, N)[:, :k], orthogonal(rng, k)
    return readonly(left @ np.diag(np.geomspace(5, 5 / condition, k)) @ right)


def _operator(seed: int):
    return readonly(orthogonal(np.random.default_rng(seed), N))


def _onto_complement(vectors):
    return np.eye(len(vectors)) - vectors @ np.linalg.inv(vectors.T @ vectors) @ vectors.T


def _check(projectors, expected):
    np.testing.assert_allclose(projection_operator(projectors, N), expected, rtol=0, atol=ATOL)


def test_no_projector():
    assert projection_operator([], N) is None


@pytest.mark.parametrize("kind", ["ssp", "ica", "operator"])
def test_ignored(kind):
    components = _operator(1)
    off = FakeProjector(components=components, comp_mask=np.ones(N), status=0, kind=kind)
    empty = FakeProjector(components=components, comp_mask=np.zeros(N), status=1, kind=kind)
    assert projection_operator([off, empty], N) is None
    v = _vectors(2, 1)
    on = FakeProjector(components=v, comp_mask=[1])
    _check([off, on, empty], _onto_complement(v))


def test_what_is_off_is_not_checked():
    wrong = FakeProjector(components=np.ones((N + 1, 1)), comp_mask=[1], status=0)
    assert projection_operator([wrong], N) is None


@pytest.mark.parametrize("status", [1, 2])
def test_ssp(status):
    v = _vectors(3, 2)
    _check([FakeProjector(components=v, comp_mask=[1, 1], status=status)], _onto_complement(v))


@pytest.mark.parametrize("shape", [(3,), (1, 3), (3, 1)])
def test_ssp_of_the_selected_components(shape):
    v = _vectors(4, 3)
    mask = np.reshape([1, 0, 1], shape)
    _check([FakeProjector(components=v, comp_mask=mask)], _onto_complement(v[:, [0, 2]]))


def test_ssp_of_all_entries_is_orthogonalised_together():
    v = _vectors(5, 3)
    entries = [
        FakeProjector(components=v[:, :1], comp_mask=[1]),
        FakeProjector(components=v[:, 1:], comp_mask=[1, 1], status=2),
    ]
    operator = projection_operator(entries, N)
    _check(entries, _onto_complement(v))
    product = _onto_complement(v[:, 1:]) @ _onto_complement(v[:, :1])
    assert np.abs(operator - product).max() > 0.01  # the vectors are not orthogonal


@pytest.mark.parametrize(("ratio", "kept"), [(0.0099, False), (0.0101, True)])
def test_ssp_below_one_hundredth_is_dropped(ratio, kept):
    u = np.linalg.qr(np.random.default_rng(6).normal(size=(N, 3)))[0]
    vectors = readonly(u * [7.0, 7.0 * ratio, 7.0 * ratio / 2])
    # the third is below in both cases; singular values fall, hence all after are too
    expected = _onto_complement(u[:, : 1 + kept])
    found = projection_operator([FakeProjector(components=vectors, comp_mask=[1, 1, 1])], N)
    # the vectors are orthogonal: rounding turns the second by eps / ratio
    np.testing.assert_allclose(found, expected, rtol=0, atol=ATOL / ratio)


def test_repeated_ssp_counts_once():
    v = _vectors(7, 1)
    one = FakeProjector(components=v, comp_mask=[1])
    _check([one, one], _onto_complement(v))


@pytest.mark.parametrize(("entry", "kept"), [(0.9e-15, False), (1.1e-15, True)])
def test_rounding_noise_of_ssp_vectors_is_zero(entry, kept):
    v = np.zeros((N, 1))
    v[0], v[3] = 1, entry
    operator = projection_operator([FakeProjector(components=readonly(v), comp_mask=[1])], N)
    assert (operator[3, 0] != 0) is np.bool_(kept)
    assert (operator[0, 3] != 0) is np.bool_(kept)


def test_ica():
    rng = np.random.default_rng(8)
    used = [0, 2, 3, 5]
    components = np.zeros((N, 3))
    components[used] = np.linalg.qr(rng.normal(size=(4, 3)))[0] @ np.diag([3, 2, 1]) + 0.1
    selected, rest = [0, 2], [1]
    entry = FakeProjector(components=readonly(components), comp_mask=[1, 0, 1], kind="ica")
    unmixing = components[used].T
    mixing = unmixing.T @ np.linalg.inv(unmixing @ unmixing.T)  # pinv of full row rank
    expected = np.eye(N)
    expected[np.ix_(used, used)] -= mixing[:, selected] @ unmixing[selected]
    _check([entry], expected)
    operator = projection_operator([entry], N)
    # what it is for: the selected activations vanish, the others do not change
    np.testing.assert_allclose(components.T[selected] @ operator, 0, atol=ATOL)
    np.testing.assert_allclose(components.T[rest] @ operator, components.T[rest], atol=ATOL)
    assert np.abs(operator - operator.T).max() > 0.01  # the projection is oblique


def test_ica_channels_are_those_of_any_component():
    # the pseudo-inverse runs over channels that only a component that is kept uses
    components = np.zeros((N, 2))
    components[:3, 0] = [1.0, 2.0, -1.0]
    components[2:5, 1] = [1.0, 1.0, 2.0]
    entry = FakeProjector(components=readonly(components), comp_mask=[1, 0], kind="ica")
    unmixing = components[:5].T
    mixing = unmixing.T @ np.linalg.inv(unmixing @ unmixing.T)
    expected = np.eye(N)
    expected[:5, :5] -= np.outer(mixing[:, 0], unmixing[0])
    _check([entry], expected)


def test_ica_with_a_dependent_component():
    v = _vectors(9, 2)
    components = np.column_stack([v, v[:, 0]])  # unmixing of rank two
    entry = FakeProjector(components=readonly(components), comp_mask=[1, 0, 0], kind="ica")
    u, s, vh = np.linalg.svd(components.T)
    pinv = vh[:2].T @ np.diag(1 / s[:2]) @ u[:, :2].T
    _check([entry], np.eye(N) - np.outer(pinv[:, 0], components[:, 0]))


@pytest.mark.parametrize("mask", [None, [], np.zeros((0, 0))])
@pytest.mark.parametrize("kind", ["ssp", "ica", "operator"])
def test_without_a_mask_it_is_the_operator(kind, mask):
    operator = _operator(10)
    _check([FakeProjector(components=operator, comp_mask=mask, kind=kind)], operator)


def test_reference_with_a_mask_is_the_operator():
    operator = _operator(11)
    _check([FakeProjector(components=operator, comp_mask=[1], kind="operator")], operator)


def test_later_entries_stand_on_the_left():
    a, b, c = (_operator(seed) for seed in (12, 13, 14))
    entries = [
        FakeProjector(components=x, kind="operator", status=s) for x, s in ((a, 1), (b, 2), (c, 1))
    ]
    _check(entries, c @ b @ a)
    assert np.abs(c @ b @ a - a @ b @ c).max() > 0.1


@pytest.mark.parametrize("order", ["first", "middle"])
def test_ssp_takes_the_place_of_its_first_entry(order):
    v, a, b = _vectors(15, 2), _operator(16), _operator(17)
    first, second = (FakeProjector(components=v[:, i : i + 1], comp_mask=[1]) for i in range(2))
    op_a, op_b = (FakeProjector(components=x, kind="operator") for x in (a, b))
    p = _onto_complement(v)
    if order == "first":
        _check([first, op_a, second, op_b], b @ a @ p)
    else:
        _check([op_a, first, op_b, second], b @ p @ a)


def test_a_first_ssp_that_is_off_has_no_place():
    v, a = _vectors(18, 1), _operator(19)
    off = FakeProjector(components=_vectors(20, 1), comp_mask=[1], status=0)
    blank = FakeProjector(components=_vectors(21, 1), comp_mask=[0])
    on = FakeProjector(components=v, comp_mask=[1])
    op = FakeProjector(components=a, kind="operator")
    _check([off, blank, op, on], _onto_complement(v) @ a)


#: What to do with a projector that fits nothing.
AGAIN = " Compute the projector again, or remove it in Brainstorm."


@pytest.mark.parametrize(
    ("projector", "message"),
    [
        (
            FakeProjector(components=np.ones((N + 1, 1)), comp_mask=[1]),
            "Projector 2: Components has shape (7, 1), expected one row for each of the 6 "
            f"channels.{AGAIN}",
        ),
        (
            FakeProjector(components=None, comp_mask=[1]),
            f"Projector 2: Components has shape (), expected one row for each of the 6 "
            f"channels.{AGAIN}",
        ),
        (
            FakeProjector(components=np.ones(N), comp_mask=[1]),
            f"Projector 2: Components has shape (6,), expected one row for each of the 6 "
            f"channels.{AGAIN}",
        ),
        (
            FakeProjector(components=np.ones((N, 2)), comp_mask=[1, 1, 1]),
            f"Projector 2: CompMask has 3 flags for 2 components, expected one each.{AGAIN}",
        ),
        (
            FakeProjector(components=np.ones((N, 2)), comp_mask=[1], kind="ica"),
            f"Projector 2: CompMask has 1 flags for 2 components, expected one each.{AGAIN}",
        ),
        (
            FakeProjector(components=np.ones((N, 2))),
            "Projector 2: Components has shape (6, 2), expected an operator of shape (6, 6), since "
            "CompMask is empty or its method a reference.",
        ),
    ],
)
def test_refused(projector, message):
    good = FakeProjector(components=np.ones((N, 1)), comp_mask=[1])
    with pytest.raises(InverseError, match=f"^{re.escape(message)}$"):
        projection_operator([good, projector], N)


def test_reference_with_a_mask_that_is_not_square():
    reference = FakeProjector(components=np.ones((N, 2)), comp_mask=[1, 1], kind="operator")
    with pytest.raises(InverseError, match=re.escape("Projector 1: ")):
        projection_operator([reference], N)
