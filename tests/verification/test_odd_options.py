"""Options that no inverse, test or transform can have: said by the verdict, in our words."""

from __future__ import annotations

import dataclasses
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csc_array

from mne_bstinv import verify
from mne_bstinv.io.raw import FrozenMap
from mne_bstinv.io.registry import row_of

ODD = {
    "array": np.ones((2, 3)),
    "empty": np.zeros((0, 0)),
    "rows of a cell": ((1.0, "a"), (2.0,)),
    "struct": FrozenMap({"odd": 1.0}),
    "sparse": csc_array(np.eye(3)),
    "text": "odd",
}

#: A file, by protocol and name, and the options that are looked at to compute it again.
FILES = {
    ("eeg_shared", "results_sLORETA_EEG_KERNEL*"): (
        "InverseMethod InverseMeasure SourceOrient SnrMethod NoiseCovMat DataTypes ChannelTypes"
    ),
    ("sources_post", "results_dSPM-unscaled_EEG_*_scaled.mat"): "InverseMeasure SourceOrient",
    ("misc", "timefreq_trial001_morlet_*"): "MorletFc MorletFwhmTc RemoveEvoked",
    ("misc", "timefreq_fft_*"): "WindowFunction isRelativePSD PowerUnits",
    ("misc", "pdata_no_*"): "TestType TestTail isAvgTime isAbsolute",
}


@pytest.mark.parametrize(("protocol", "name"), FILES)
def test_odd_options(data_dir, tmp_path, protocol, name):
    root = shutil.copytree(data_dir / protocol, tmp_path / protocol)
    file: Path = min(root.rglob(name))
    row = row_of(file)
    intact = row.read(file)
    for option in FILES[protocol, name].split():
        for odd, value in ODD.items():
            options = FrozenMap({**intact.options, option: value})
            row.write(file, dataclasses.replace(intact, options=options), overwrite=True)
            (outcome,) = verify([file])
            foreign = re.match(r"[A-Z]\w+Error: ", outcome.reason)
            assert not foreign, (option, odd, outcome.reason)
