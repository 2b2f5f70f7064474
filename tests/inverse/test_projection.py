"""Projectors and the average reference, applied to gain and covariances."""

from __future__ import annotations

import numpy as np
import pytest
from inverse_studies import reference_operator
from inverse_tolerances import EPS

from mne_bstinv.errors import InverseError
from mne_bstinv.inverse import projection as module
from mne_bstinv.inverse.projection import average_reference, project_gain


@pytest.mark.parametrize(
    "types",
    [
        ["EEG", "EEG", "eeg"],
        ["MEG", "EEG", "SEEG", "EEG", "ECOG", "SEEG", "SEEG"],
        ["ECOG", "MEG MAG", "ECOG", "EEG"],
        ["ecog ", "Ecog"],
    ],
)
def test_average_reference_operator(types):
    found = average_reference(types)
    np.testing.assert_allclose(
        found, reference_operator([t.strip() for t in types]), rtol=0, atol=2 * EPS
    )


@pytest.mark.parametrize(
    "types", [["MEG", "MEG GRAD"], ["EEG"], ["EEG", "SEEG", "ECOG"], ["MEG", "EEG"]]
)
def test_no_average_reference_of_fewer_than_two(types):
    assert average_reference(types) is None


def test_gain_is_projected_selected_and_referenced_without_what_was_not_computed():
    rng = np.random.default_rng(0)
    gain, projection = rng.standard_normal((5, 12)), rng.standard_normal((5, 5))
    gain[4] = np.nan  # not computed, and not mixed into the others
    projection[:4, 4] = 0
    good, reference = np.array([0, 2, 3]), rng.standard_normal((3, 3))
    found = project_gain(gain, good, projection, reference, list("abcde")).array
    expected = reference @ (projection[:4, :4] @ gain[:4])[good]
    np.testing.assert_allclose(found, expected, rtol=0, atol=50 * EPS)


#: Two types of channels, whose gains are of sizes as far apart as those of MEG and EEG.
N, SIZES = 32, np.repeat([1e-7, 1.0], [16, 16])


def vectors_of_two_types(rng):
    """Two vectors of the first type and one of the second, orthonormal."""
    vectors = np.zeros((N, 3))
    vectors[:16, :2] = np.linalg.qr(rng.standard_normal((16, 2)))[0]
    vectors[16:, 2] = rng.standard_normal(16)
    vectors[16:, 2] /= np.linalg.norm(vectors[16:, 2])
    return vectors


@pytest.mark.parametrize("referenced", [False, True])
def test_few_vectors_are_taken_out_as_their_operator_does(referenced, monkeypatch):
    """Also with channels that were not computed, and each type to the rounding of its own size."""
    rng = np.random.default_rng(1)
    gain = SIZES[:, None] * rng.standard_normal((N, 60))
    vectors = vectors_of_two_types(rng)
    projection = np.eye(N) - vectors @ vectors.T
    gain[[3, 20]] = np.nan
    good = np.setdiff1d(np.arange(N), [3, 7, 20, 25])
    reference = average_reference(np.where(good < 16, "MEG", "EEG")) if referenced else None
    monkeypatch.setattr(module, "_multiplied", None)  # what dense operators need
    found = project_gain(gain, good, projection, reference, [""] * N).array
    expected = (projection @ np.nan_to_num(gain))[good]
    expected = reference @ expected if referenced else expected
    error = np.abs(found - expected) / SIZES[good, None]
    np.testing.assert_array_less(error, 100 * EPS)


@pytest.mark.parametrize(
    "good",
    [
        np.arange(N),
        np.arange(N)[::-1],  # as a file may list them
        np.arange(5, 29),
        np.arange(0, N, 2),
        np.r_[20:30, 2:9],
    ],
    ids=["all", "backwards", "a run", "every other", "runs"],
)
def test_channels_are_those_asked_for_in_their_order(good):
    rng = np.random.default_rng(3)
    gain, vectors = rng.standard_normal((N, 1539)), vectors_of_two_types(rng)
    projection = np.eye(N) - vectors @ vectors.T
    expected = (projection @ gain)[good]
    found = project_gain(np.asfortranarray(gain), good, projection, None, [""] * N).array
    np.testing.assert_allclose(found, expected, rtol=0, atol=100 * EPS)
    reference = average_reference(["EEG"] * good.size)
    found = project_gain(gain, good, projection, reference, [""] * N).array
    np.testing.assert_allclose(found, reference @ expected, rtol=0, atol=100 * EPS)


@pytest.mark.parametrize("fault", ["oblique", "scaled", "added", "nan", "many"])
def test_what_takes_no_few_vectors_out_stays_an_operator(fault):
    rng = np.random.default_rng(2)
    vectors = vectors_of_two_types(rng)
    operator = np.eye(N) - vectors @ vectors.T
    if fault == "oblique":
        operator[0, 1] += 1e-12
    elif fault == "scaled":
        operator[4, 4] *= 2
    elif fault == "added":  # between the types
        operator[0, 20] = operator[20, 0] = 1e-12
    elif fault == "nan":
        operator[0, 20] = np.nan
    else:
        vectors = np.linalg.qr(rng.standard_normal((N, N // 2)))[0]
        operator = np.eye(N) - vectors @ vectors.T
    assert module._few_vectors(operator) is None
    gain, good = rng.standard_normal((N, 6)), np.arange(N - 1)
    found = project_gain(gain, good, operator, None, [""] * N).array
    np.testing.assert_allclose(found, (operator @ gain)[good], rtol=0, atol=100 * EPS)


@pytest.mark.parametrize("order", ["C", "F"])
def test_channels_in_use_have_the_columns_of_a_location_beside_each_other(order):
    gain = np.array(np.random.default_rng(0).standard_normal((6, 9)), order=order)
    good = np.array([0, 1, 3, 5])
    found = project_gain(gain, good, None, None, list("abcdef")).array
    np.testing.assert_array_equal(found, gain[good])
    assert found.T.flags.c_contiguous
    whole = project_gain(gain, np.arange(6), None, None, list("abcdef")).array
    assert np.shares_memory(whole, gain)  # nothing is copied


def test_gain_that_is_not_computed_for_a_channel_or_a_location_is_refused():
    gain = np.ones((3, 12))
    gain[1] = np.nan
    with pytest.raises(InverseError, match=r"not finite for channel\(s\) in use: b\."):
        project_gain(gain, np.array([0, 1]), None, None, list("abc"))
    gain[:, 3:6] = np.nan
    gain[1] = 1.0
    gain[1, 3] = np.inf
    with pytest.raises(InverseError, match=r"at 1 location\(s\) \(1-based: 2\)"):
        project_gain(gain, np.array([0, 1]), None, None, list("abc"))
