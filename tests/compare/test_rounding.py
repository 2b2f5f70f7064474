import numpy as np
import pytest

from mne_bstinv.compare.rounding import amplification


def test_rows_that_no_channel_sees_amplify_nothing():
    rng = np.random.default_rng(0)
    kernel, data = rng.normal(size=(6, 4)), rng.normal(size=(4, 5))
    seen = np.arange(6) != 2
    reach = 2 * np.linalg.norm(np.linalg.norm(kernel[seen], axis=0)[:, None] * data)
    expected = reach / np.linalg.norm(kernel[seen] @ data)
    assert expected > 1
    kernel[~seen] = np.nan
    assert amplification(kernel, data, kernel @ data) == pytest.approx(expected, rel=1e-12)
