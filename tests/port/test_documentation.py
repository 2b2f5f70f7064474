"""The Python of the page on ports runs."""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path

import mne
import numpy as np
import pytest

from mne_bstinv import datasets, io
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
    assert len(namespace["estimates"]) == 4
    for name, stc in namespace["estimates"].items():
        (file, *_) = sorted(namespace["folder"].glob(name.replace("-inv.fif", "-*[5c]")))
        assert_same(stc, mne.read_source_estimate(file))


@pytest.mark.parametrize(
    ("protocol", "n_same", "n_other"), [("eeg_shared", 10, 0), ("mixed", 3, 2)]
)
def test_the_function_gives_the_stored_estimate_for_each_operator(
    blocks, data_dir, tmp_path, capsys, protocol, n_same, n_other
):
    """Also of several recordings and several files of averages; where MNE cannot, it says so."""
    out = tmp_path / "out"
    port_protocol(data_dir / protocol, out)
    namespace: dict = {}
    exec(compile(blocks[0].split("folder = ")[0], "functions of block 0", "exec"), namespace)
    calls: list[bool] = []
    for file in out.rglob("*-inv.fif"):
        outputs = json.loads((file.parent / "port.json").read_text("utf-8"))["outputs"]
        operator = outputs[file.name]
        if operator["recordings"] is None:  # shared by conditions
            continue
        (stored,) = (
            io.read_results(data_dir / protocol / of) for of in operator["of"] if "/results_" in of
        )
        recordings = io.read_recordings(data_dir / protocol / operator["recordings"][0])
        expected = (
            stored.amplitudes
            if stored.imaging_kernel is None
            else stored.imaging_kernel @ recordings.f[stored.good_channel - 1]
        )
        with warnings.catch_warnings():
            # the channel file's reference may be of other channels; locations without a gain
            warnings.simplefilter("ignore", RuntimeWarning)
            stc = namespace["brainstorms_estimate"](file.parent, file.name)
        comparable = operator["parameters"]["parity"] != "not comparable"
        # the order of locations and axes is MNE's
        norm = np.linalg.norm(expected)
        assert abs(np.linalg.norm(stc.data) - norm) <= FIF * norm
        said = capsys.readouterr().out
        told = f"{file.name}: {operator['parameters']['reason']}\n"
        assert (told in said) != comparable
        calls.append(comparable)
    assert (sum(calls), len(calls) - sum(calls)) == (n_same, n_other)


def test_an_estimate_that_was_not_written_is_told(blocks, data_dir, tmp_path):
    port_protocol(data_dir / "mixed", tmp_path / "out", estimates="none")
    namespace: dict = {}
    exec(compile(blocks[0].split("folder = ")[0], "functions of block 0", "exec"), namespace)
    (file,) = (tmp_path / "out").rglob("*dSPM*-inv.fif")
    with pytest.raises(LookupError, match="not written: see --estimates"):
        namespace["brainstorms_estimate"](file.parent, file.name)


def assert_same(stc, stored):
    difference = np.linalg.norm(stc.data - stored.data)
    assert difference <= FIF * np.linalg.norm(stored.data)


def test_code_fits_a_window_of_usual_width():
    """Longer lines are cut off in the boxes of the page."""
    if not PAGE.is_file():
        pytest.skip("the documentation is not part of this copy")
    code = "".join(re.findall(r"```\w+\n(.*?)```", PAGE.read_text("utf-8"), flags=re.DOTALL))
    assert [line for line in code.splitlines() if len(line) >= 78] == []


def test_on_a_cluster_and_one_condition(blocks):
    compile(blocks[1], "block 1", "exec")  # there is no SLURM here
    namespace: dict = {}
    exec(compile(blocks[2], "block 2", "exec"), namespace)
    assert isinstance(namespace["inverse"], mne.minimum_norm.InverseOperator)
    assert namespace["stc"].data.shape[:2] == (1140, 3)
    exec(compile(blocks[3], "block 3", "exec"), namespace)
    difference = np.linalg.norm(namespace["same"].data - namespace["stc"].data)
    assert difference <= DOUBLE * np.linalg.norm(namespace["stc"].data)
    assert len(blocks) == 4


def test_the_average_reference_of_eeg(blocks):
    """MNE asks for the projector, and whether it is applied makes no difference."""
    namespace: dict = {}
    with_reference = blocks[2] + blocks[3]
    exec(compile(with_reference, "blocks", "exec"), namespace)
    evoked, say = namespace["evoked"], namespace["parameters"]
    # data with another reference
    eeg = mne.pick_types(evoked.info, meg=False, eeg=True)
    evoked.data[eeg] -= evoked.data[eeg[0]]
    same = say.factor * mne.minimum_norm.apply_inverse(
        evoked, namespace["inverse"], say.lambda2, say.method, pick_ori=say.pick_ori
    )
    assert np.abs(evoked.data[eeg].mean(axis=0)).max() > 0.1 * np.abs(evoked.data[eeg]).max()
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
