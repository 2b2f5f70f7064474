"""What an odd field costs when its file is converted: nothing else, or an error of ours."""

from __future__ import annotations

import logging

import mne
import numpy as np
import pytest
from schema_samples import fields_of

from mne_bstinv import (
    io,
    to_covariance,
    to_evoked,
    to_info,
    to_labels,
    to_source_estimate,
    to_trans,
)
from mne_bstinv.errors import BstInvError
from mne_bstinv.io import mat
from mne_bstinv.io.schema import from_mat
from mne_bstinv.io.variable import Unreadable, Variable

ODD = {
    "function handle": Variable(Unreadable("a function handle"), (1, 1), "function_handle"),
    "struct": Variable({"odd": 1.0}, (1, 1), "struct"),
    "cell": Variable([[1.0, "odd"], [2.0, 3.0]], (2, 2), "cell"),
    "size": Variable(np.full((2, 7, 3), 1e20), (2, 7, 3), "double"),
}

#: Kind of file -> where it is, and a conversion; other structures of the study come second.
CONVERSIONS = {
    "channels": ("data/Subject01/evoked/channel*", lambda s, _: to_info(s, sfreq=100.0)),
    "noise_cov": ("data/Subject01/evoked/noisecov*", lambda s, o: to_covariance(s, o["channels"])),
    "recordings": ("data/Subject01/evoked/data*", lambda s, o: to_evoked(s, o["channels"])),
    "results": (
        "data/Subject01/evoked/results_MN_MEG*",
        lambda s, o: to_source_estimate(s, o["recordings"], surface=o["surface"]),
    ),
    "surface": ("anat/Subject01/tess_cortex*", lambda s, o: to_labels(s, channels=o["channels"])),
    "mri": ("anat/Subject01/subjectimage*", lambda s, o: to_trans(o["channels"], s)),
}


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    monkeypatch.setattr(logging.getLogger("mne_bstinv"), "disabled", True)
    with mne.use_log_level("error"):
        yield


@pytest.fixture(scope="module")
def files(sample_dir):
    return {kind: next(sample_dir.glob(pattern)) for kind, (pattern, _) in CONVERSIONS.items()}


@pytest.fixture(scope="module")
def others(files):
    return {kind: getattr(io, f"read_{kind}")(file) for kind, file in files.items()}


@pytest.mark.parametrize("kind", CONVERSIONS)
def test_conversions_with_odd_fields(files, others, kind):
    """Fields that are not essential, one odd value after the other."""
    _, convert = CONVERSIONS[kind]
    variables, cls = mat.read(files[kind]), type(others[kind])
    expected = type(convert(others[kind], others))
    converted = 0
    for name, item in fields_of(cls).items():
        for odd in () if item.essential else ODD.values():
            structure = from_mat(cls, {**variables, name: odd}, "file.mat")
            try:
                found = convert(structure, others)
            except BstInvError:
                continue
            converted += 1
            assert type(found) is expected
    assert converted >= len(ODD) * sum(not item.essential for item in fields_of(cls).values()) / 2
