"""Every kernel that Brainstorm computed on the protocols, recomputed and compared."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mne_bstinv import io
from mne_bstinv.errors import OptionError
from mne_bstinv.inverse import InverseOptions, compute_kernel
from mne_bstinv.verification import find_results, recompute, verify

#: The agreement asked for, between two double precision computations of the same formulas.
RTOL = 1e-9

PUBLIC = ("eeg_shared", "eeg_surface", "eeg_volume", "meg_eeg", "mixed")
LOCAL = ("eeg_surface", "eeg_volume", "meg_ctf", "meg_neuromag", "mixed")


#: How options are told in words.
_WORDS = {
    "mn": "minimum norm, amplitude",
    "dspm2018": "minimum norm, dSPM",
    "sloreta": "minimum norm, sLORETA",
    "glsp": "least squares scan",
    "lcmvp": "LCMV beamformer",
}
_NOISE = {
    "reg": "noise reg",
    "none": "noise as it is",
    "diag": "noise diagonal",
    "median": "noise floored",
    "shrink": "noise shrunk",
}


def _check(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    listed = {entry["file"]: entry for entry in manifest["results"] if entry.get("file")}
    outcomes = {
        outcome.file.relative_to(folder / "data").as_posix(): outcome
        for outcome in verify(folder, rtol=RTOL)
    }
    assert set(outcomes) == set(listed)
    for file, entry in listed.items():
        outcome = outcomes[file]
        if entry["tag"] == "gls_mixed":
            assert outcome.status == "not comparable"
            continue
        assert outcome.status.startswith("equal"), (entry["tag"], outcome)
        assert outcome.status == _expected_status(entry), entry["tag"]
        assert max(outcome.stages.values()) <= RTOL, (entry["tag"], outcome.stages)
        assert outcome.options.startswith(_WORDS[entry["function"]] + ", ")
        assert _NOISE[entry["noise_method_used"]] in outcome.options


def _expected_status(entry: dict) -> str:
    """The rule of each output, from what the manifest says of it."""
    orients = set(np.atleast_1d(entry["options"]["SourceOrient"]))
    if entry["function"] in ("glsp", "lcmvp"):
        return "equal invariants" if "free" in orients else "equal up to sign"
    mixed_with_loose = entry["nComponents"] == 0
    if ("loose" in orients or mixed_with_loose) and entry["function"] != "mn":
        return "equal invariants"
    return "equal"


@pytest.mark.parametrize("name", PUBLIC)
def test_public_protocol(data_dir, name):
    _check(data_dir / name)


def test_sample_study(sample_dir):
    _check(sample_dir)


@pytest.mark.parametrize("name", LOCAL)
def test_local_protocol(shared_dir, name):
    _check(shared_dir / "oracle" / "local" / name)


def test_every_public_kernel_is_found(data_dir):
    counts = {name: len(find_results(data_dir / name)) for name in PUBLIC}
    assert counts == {
        "eeg_shared": 12,
        "eeg_surface": 39,
        "eeg_volume": 5,
        "meg_eeg": 53,
        "mixed": 6,
    }


def test_fixed_orientation_on_a_volume_is_refused(data_dir):
    condition = io.read_protocol(data_dir / "eeg_volume").condition("Subject01", "oddball")
    with pytest.raises(OptionError, match=r"is a volume without orientations.*found 'fixed'"):
        compute_kernel(
            io.read_head_model(condition.head_model_file),
            io.read_noise_cov(condition.noise_cov_file),
            io.read_channels(condition.channel_file),
            channel_flag=io.read_recordings(condition.recordings[0].file).channel_flag,
            data_types="EEG",
            options=InverseOptions(source_orient="fixed"),
        )


def test_shared_kernel_leaves_out_what_is_bad_anywhere(data_dir):
    """A shared kernel takes as bad what is bad in a recording that is no bad trial."""
    protocol = io.read_protocol(data_dir / "eeg_shared")
    conditions = [protocol.condition("Subject01", name) for name in ("condA", "condB")]
    flags = {
        entry.file.name: (io.read_recordings(entry.file).channel_flag, entry.bad)
        for condition in conditions
        for entry in condition.recordings
    }
    bad = {name: set(np.flatnonzero(flag < 0)) for name, (flag, _) in flags.items()}
    usable = set.union(*(bad[name] for name, (_, is_bad) in flags.items() if not is_bad))
    everything = set.union(*bad.values())
    assert usable < everything
    folder = data_dir / "eeg_shared" / "data" / "Subject01" / "@default_study"
    stored = io.read_results(folder / "results_MN_EEG_KERNEL_261122_1233.mat")
    assert set(np.flatnonzero(stored.channel_flag < 0)) == usable


def test_mixed_rows_belong_to_the_stored_locations(data_dir):
    """Brainstorm's Grid2Source says which kernel row belongs to which location."""
    for file in find_results(data_dir / "mixed"):
        stored = io.read_results(file)
        ours = recompute(file).grid2source
        theirs = stored.grid_atlas.grid2source
        assert (ours != theirs.astype(bool)).nnz == 0
