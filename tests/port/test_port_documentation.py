"""The Python of the page on ports runs."""

from __future__ import annotations

import re
from pathlib import Path

import mne
import numpy as np
import pytest

from mne_bstinv import datasets
from mne_bstinv.port import port_protocol

PAGE = Path(__file__).parents[2] / "docs" / "port.md"
#: Two computations in double precision, as when a stored kernel is verified.
DOUBLE = 1e-9
#: Single precision of FIF files, see test_port_convert.
FIF = 1e-6


@pytest.fixture(scope="module")
def blocks():
    if not PAGE.is_file():
        pytest.skip("the documentation is not part of this copy")
    return re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), flags=re.DOTALL)


def test_estimates_with_mne_alone(blocks, tmp_path, monkeypatch):
    port_protocol(datasets.sample_study(), tmp_path / "ported")
    monkeypatch.chdir(tmp_path)
    namespace: dict = {}
    exec(compile(blocks[0], "block 0", "exec"), namespace)
    name, folder = namespace["name"], namespace["folder"]
    assert namespace["say"]["parity"] != "not comparable"
    stored = mne.read_source_estimate(folder / name.replace("-inv.fif", "-stc.h5"))
    difference = np.linalg.norm(namespace["stc"].data - stored.data)
    assert difference <= FIF * np.linalg.norm(stored.data)


def test_on_a_cluster_and_one_condition(blocks):
    compile(blocks[1], "block 1", "exec")  # there is no SLURM here
    namespace: dict = {}
    exec(compile(blocks[2], "block 2", "exec"), namespace)
    assert isinstance(namespace["inverse"], mne.minimum_norm.InverseOperator)
    assert namespace["stc"].data.shape[:2] == (296, 3)
    exec(compile(blocks[3], "block 3", "exec"), namespace)
    difference = np.linalg.norm(namespace["same"].data - namespace["stc"].data)
    assert difference <= DOUBLE * np.linalg.norm(namespace["stc"].data)
    assert len(blocks) == 4


def test_the_average_reference_of_eeg(blocks):
    """MNE asks for the projector, and whether it is applied makes no difference."""
    namespace: dict = {}
    with_reference = blocks[2] + blocks[3]
    exec(compile(with_reference, "blocks", "exec"), namespace)
    evoked, same, say = namespace["evoked"], namespace["same"], namespace["parameters"]
    # the data of the sample have another reference
    data = evoked.copy().pick("eeg").data
    assert np.abs(data.mean(axis=0)).max() > 0.1 * np.abs(data).max()
    applied = say.factor * mne.minimum_norm.apply_inverse(
        evoked.apply_proj(), namespace["inverse"], say.lambda2, say.method, pick_ori=say.pick_ori
    )
    assert np.linalg.norm(applied.data - same.data) <= DOUBLE * np.linalg.norm(same.data)
    without = with_reference.replace("evoked.set_eeg_reference(projection=True)\n", "")
    with pytest.raises(ValueError, match=r"EEG average reference .* is mandatory for modeling"):
        exec(compile(without, "without", "exec"), {})
    changed = with_reference.replace("(projection=True)", "('average')")
    with pytest.raises(ValueError, match="Custom EEG reference is not allowed"):
        exec(compile(changed, "changed", "exec"), {})
