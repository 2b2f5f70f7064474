"""Files of other programs that links lead to."""

from __future__ import annotations

import numpy as np
import pymatreader
import pytest
import scipy.io
from helpers_mat73 import twin_73

from mne_bstinv.adapters.recordings.formats import FORMATS


@pytest.mark.parametrize("version", ["v6", "v7.3"])
def test_eeglab_files_need_pymatreader(tmp_path, monkeypatch, version):
    """Why the package requires it: MNE reads them by it."""
    samples = np.random.default_rng(0).standard_normal((3, 200)).astype("f4")
    nothing = np.zeros((0, 0))
    names = np.array([[("Cz",), ("Pz",), ("Oz",)]], dtype=[("labels", object)])
    content = {
        "setname": "x", "trials": 1.0, "nbchan": 3.0, "pnts": 200.0, "srate": 100.0, "xmin": 0.0,
        "xmax": 1.99, "data": samples, "chanlocs": names,
        "chaninfo": {"nosedir": "+X", "nodatchans": nothing},
        "event": nothing, "epoch": nothing, "icawinv": nothing, "urevent": nothing,
    }  # fmt: skip
    file = tmp_path / "a.set"
    scipy.io.savemat(file, {"EEG": content}, appendmat=False)
    if version == "v7.3":
        twin_73(file, tmp_path / "b.set")
        file = tmp_path / "b.set"
    read, original = [], pymatreader.read_mat
    monkeypatch.setattr(
        pymatreader, "read_mat", lambda *a, **k: read.append(a) or original(*a, **k)
    )
    raw = FORMATS["EEG-EEGLAB"].open(file)
    np.testing.assert_allclose(raw.get_data() * 1e6, samples, rtol=1e-6)
    assert raw.ch_names == ["Cz", "Pz", "Oz"]
    assert read
