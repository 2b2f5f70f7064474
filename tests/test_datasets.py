from __future__ import annotations

import numpy as np

from mne_bstinv.datasets import load_sample, sample_study


def test_the_sample_is_a_protocol_inside_the_package():
    path = sample_study()
    assert (path / "anat").is_dir()
    assert (path / "data").is_dir()
    assert path.parents[1].name == "mne_bstinv"


def test_the_objects_are_of_one_study():
    sample = load_sample()
    n = len(sample.channels)
    assert n == 135
    assert sample.head_model.gain.shape == (n, 3 * 296)
    assert sample.noise_cov.noise_cov.shape == (n, n)
    assert sample.recordings.f.shape == (n, 100)
    assert sample.recordings.effective_averages == 80
    np.testing.assert_array_equal(sample.cortex.vertices, sample.head_model.grid_loc)
    assert sorted(sample.results) == [
        "MN: EEG(Unconstr) 2018",
        "MN: MEG ALL(Constr) 2018",
        "dSPM-unscaled: MEG ALL(Constr) 2018",
        "sLORETA: EEG(Constr) 2018",
    ]
    assert "135 channels, 296 locations, 4 kernels" in repr(sample)
