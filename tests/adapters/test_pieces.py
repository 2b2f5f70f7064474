"""FIF files whose large matrices are written a piece at a time: the bytes that MNE writes."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import mne
import numpy as np
import pytest
from fif_bytes import timeless
from mne.utils import object_diff

from mne_bstinv.adapters.pieces import write_inverse_operator
from mne_bstinv.workflow import read_protocol


@pytest.fixture(scope="module", params=["fixed", "free"])
def operator(request: pytest.FixtureRequest, data_dir: Path) -> Any:
    """An operator of each number of components, with columns of zeros."""
    condition = read_protocol(data_dir / "sample_small").condition("Subject01", "evoked")
    operator = condition.inverse_operator({"SourceOrient": request.param}, data_types="EEG")
    assert not operator["eigen_leads"]["data"].any(axis=0).all()
    return operator


def test_an_operator_has_the_bytes_that_mne_writes(operator: Any, tmp_path: Path) -> None:
    before = operator.copy()
    mne.minimum_norm.write_inverse_operator(tmp_path / "mne-inv.fif", operator)
    for name in ("ours-inv.fif", "ours-inv.fif.gz"):
        write_inverse_operator(tmp_path / name, operator)
    assert object_diff(dict(operator), dict(before)) == ""
    unpacked = tmp_path / "unpacked-inv.fif"
    unpacked.write_bytes(gzip.decompress((tmp_path / "ours-inv.fif.gz").read_bytes()))
    expected = timeless(tmp_path / "mne-inv.fif")
    assert timeless(tmp_path / "ours-inv.fif") == expected
    assert timeless(unpacked) == expected


def test_leads_in_other_layouts_and_precisions(operator: Any, tmp_path: Path) -> None:
    leads = operator["eigen_leads"]["data"]
    for number, array in enumerate((np.asfortranarray(leads), leads.astype(np.float32))):
        other = mne.minimum_norm.InverseOperator(
            {**operator, "eigen_leads": {**operator["eigen_leads"], "data": array}}
        )
        mne.minimum_norm.write_inverse_operator(tmp_path / f"mne{number}-inv.fif", other)
        write_inverse_operator(tmp_path / f"ours{number}-inv.fif", other)
        found, expected = (timeless(tmp_path / f"{who}{number}-inv.fif") for who in ("ours", "mne"))
        assert found == expected
