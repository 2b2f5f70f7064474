"""Projectors and the average reference, applied to gain and covariances."""

from __future__ import annotations

import numpy as np
import pytest
from inverse_studies import reference_operator
from inverse_tolerances import EPS

from mne_bstinv.errors import InverseError
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
    found = project_gain(gain, good, projection, reference, list("abcde"))
    expected = reference @ (projection[:4, :4] @ gain[:4])[good]
    np.testing.assert_allclose(found, expected, rtol=0, atol=50 * EPS)


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
