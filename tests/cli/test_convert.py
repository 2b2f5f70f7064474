"""``mne-bstinv convert``: what the command adds to the function."""

from __future__ import annotations

import numpy as np

from mne_bstinv import io
from mne_bstinv.cli import main


def test_an_estimate_comes_back_with_its_source_space(sample_dir, tmp_path, capsys):
    """The companion ``--src`` is not the file to convert."""
    folder = sample_dir / "data" / "Subject01" / "evoked"
    results = next(folder.glob("results_MN_MEG*.mat"))
    channels = ["--channels", str(folder / "channel_vectorview306_acc1.mat")]
    estimate = tmp_path / "a-lh.stc"
    assert main(["convert", str(results), str(estimate)]) == 0
    assert (
        main(["convert", str(next(folder.glob("headmodel*.mat"))), str(tmp_path / "a-fwd.fif")])
        == 0
    )
    back = tmp_path / "results_back.mat"
    source = ["--src", str(tmp_path / "a-fwd.fif")]
    source += ["--head-model", str(next(folder.glob("headmodel*.mat")))]
    capsys.readouterr()
    assert main(["convert", str(estimate), str(back), *channels, *source]) == 2
    assert capsys.readouterr().err.startswith(
        "mne-bstinv convert: a-lh.stc does not say what its values are, and Brainstorm's results "
        "do: say it with --method (method), one of MNE, dSPM, sLORETA, eLORETA."
    )
    assert not back.exists()
    assert main(["convert", str(estimate), str(back), *channels, *source, "--method", "MNE"]) == 0
    capsys.readouterr()
    stored = io.read_results(results)
    recordings = io.read_recordings(next(folder.glob("data_*.mat")))
    expected = stored.imaging_kernel @ recordings.f[stored.good_channel - 1]
    found = io.read_results(back).amplitudes
    assert found.shape == expected.shape
    # .stc files are in single precision
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())


def test_impossible_regularisation_is_refused(sample_dir, tmp_path, capsys):
    folder = sample_dir / "data" / "Subject01" / "evoked"
    operator = tmp_path / "a-inv.fif"
    assert main(["convert", str(next(folder.glob("results_MN_MEG*.mat"))), str(operator)]) == 0
    target = tmp_path / "results_x_KERNEL.mat"
    given = ["--channels", str(folder / "channel_vectorview306_acc1.mat"),
             "--head-model", str(next(folder.glob("headmodel*.mat"))),
             "--lambda2", "-1", "--method", "MNE"]  # fmt: skip
    assert main(["convert", str(operator), str(target), *given]) == 2
    assert "lambda2 must be a finite number above 0, found -1.0" in capsys.readouterr().err
    assert not target.exists()
