"""Every kernel of 2009 and 2016 that Brainstorm computed, recomputed and compared."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mne_bstinv import io
from mne_bstinv.errors import UnsupportedInverseError
from mne_bstinv.inverse import InverseOptions2009, InverseOptions2016, compute_kernel
from mne_bstinv.verification import find_results, recompute, verify

PROTOCOLS = ("inverse_old_meeg", "inverse_old_sphere", "inverse_old_mixed")
OPTIONS = {2009: InverseOptions2009, 2016: InverseOptions2016}

#: Two double precision computations of the same formulas.
RTOL = 1e-10
#: Loose of 2009, MEG and EEG together: Brainstorm takes the tangential columns from a singular
#: value decomposition of unwhitened gains, and loses eight digits of those of MEG.
RTOL_LOOSE = 1e-8

#: What Brainstorm ended in an error with, and our words for it.
REFUSED = {
    "2009 wmne truncated": "'truncated' with MEG in a single sphere",
    "2009 dspm truncated": "'truncated' with MEG in a single sphere",
    "2009 sloreta truncated": "'truncated' with MEG in a single sphere",
    "2016 shrink of several types": "'shrink' of 2016 takes one sensor type",
}


def _entries(data_dir, protocol):
    return json.loads((data_dir / protocol / "manifest.json").read_text())["results"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_verify(data_dir, protocol):
    listed = {e["file"]: e for e in _entries(data_dir, protocol) if e["file"]}
    outcomes = {
        o.file.relative_to(data_dir / protocol / "data").as_posix(): o
        for o in verify(data_dir / protocol)
    }
    assert set(outcomes) == set(listed)
    for file, entry in listed.items():
        outcome, tag = outcomes[file], entry["tag"]
        assert outcome.status == _expected_status(entry), (tag, outcome)
        orient = next(iter(entry["options"]["SourceOrient"]), "")
        together = entry["version"] == 2009 and "EEG" in entry["options"]["DataTypes"]
        loose = together and orient in ("loose", "truncated")
        assert outcome.relative_difference <= (RTOL_LOOSE if loose else RTOL), (tag, outcome)
        assert {"noise covariance", "whitener"} <= set(outcome.stages)
        # without regularisation the whitener holds the rounding of small eigenvalues
        assert max(outcome.stages.values()) <= 1e-9, (tag, outcome.stages)
        assert f", inverse of {entry['version']}" in outcome.options
        assert not outcome.reason, (tag, outcome.reason)


def _expected_status(entry) -> str:
    """What is unique of each output: rows, rows up to their sign, products of them."""
    options = entry["options"]
    orient = next(iter(options["SourceOrient"]), "")
    method = options["InverseMethod"]
    if method.endswith("_p") or (entry["version"] == 2016 and method in ("gls", "lcmv")):
        return "equal up to sign" if orient == "fixed" else "equal invariants"
    if entry["version"] == 2016 and orient == "loose" and options["InverseMeasure"] != "amplitude":
        return "equal invariants"
    return "equal"


def test_counts(data_dir):
    counts = {name: len(find_results(data_dir / name)) for name in PROTOCOLS}
    assert counts == {"inverse_old_meeg": 59, "inverse_old_sphere": 6, "inverse_old_mixed": 3}
    refused = {e["tag"] for name in PROTOCOLS for e in _entries(data_dir, name) if not e["file"]}
    assert refused == set(REFUSED)


@pytest.mark.parametrize("tag", REFUSED)
def test_what_brainstorm_ended_in_an_error_with_is_refused(data_dir, tag):
    protocol, entry = next(
        (name, e) for name in PROTOCOLS for e in _entries(data_dir, name) if e["tag"] == tag
    )
    assert entry["error"]
    data = data_dir / protocol / "data"
    manifest = json.loads((data_dir / protocol / "manifest.json").read_text())
    head_model = data / manifest["facts"]["headmodel"]
    folder = head_model.parent
    recordings = io.read_recordings(data / entry["data"])
    with pytest.raises(UnsupportedInverseError, match=REFUSED[tag]):
        compute_kernel(
            io.read_head_model(head_model),
            io.read_noise_cov(folder / "noisecov_full.mat"),
            io.read_channels(next(folder.glob("channel*.mat"))),
            channel_flag=recordings.channel_flag,
            data_types=entry["options"]["DataTypes"],
            options=OPTIONS[entry["version"]].from_brainstorm(entry["options"]),
            n_avg=recordings.n_avg,
        )


def test_good_channels_and_averages_are_those_of_the_recordings(data_dir):
    """From the recordings and the options alone, as Brainstorm's study step does it."""
    protocol = "inverse_old_meeg"
    data = data_dir / protocol / "data"
    entries = [e for e in _entries(data_dir, protocol) if e["file"] and not e.get("shared")]
    chosen = [e for e in entries if "loose MEG" in e["tag"] or "fixed MEG" in e["tag"]]
    assert len(chosen) == 12
    for entry in chosen:
        stored = io.read_results(data / entry["file"])
        head_model = data / stored.head_model_file
        recordings = io.read_recordings(data / entry["data"])
        assert recordings.n_avg == stored.n_avg == 12
        result = compute_kernel(
            io.read_head_model(head_model),
            io.read_noise_cov(head_model.parent / "noisecov_full.mat"),
            io.read_channels(next(head_model.parent.glob("channel*.mat"))),
            channel_flag=recordings.channel_flag,
            data_types=entry["options"]["DataTypes"],
            options=OPTIONS[entry["version"]].from_brainstorm(entry["options"]),
            n_avg=recordings.n_avg,
        )
        np.testing.assert_array_equal(result.channel_indices, stored.good_channel - 1)
        if entry["version"] == 2009 or "amplitude" in entry["tag"]:
            difference = np.linalg.norm(result.kernel - stored.imaging_kernel)
            assert difference <= RTOL * np.linalg.norm(stored.imaging_kernel), entry["tag"]


def test_shared_kernels_are_not_of_an_average(data_dir):
    (entry,) = [e for e in _entries(data_dir, "inverse_old_meeg") if e.get("shared")]
    file = data_dir / "inverse_old_meeg" / "data" / entry["file"]
    assert io.read_results(file).n_avg == 1
    assert recompute(file).noise_averages == 1


def test_mixed_rows_belong_to_the_stored_locations(data_dir):
    for file in find_results(data_dir / "inverse_old_mixed"):
        theirs = io.read_results(file).grid_atlas.grid2source
        ours = recompute(file).grid2source
        assert (ours != theirs.astype(bool)).nnz == 0


@pytest.mark.slow
def test_minimum_norm_of_2009_is_in_the_convention_of_mne(data_dir):
    """λ² = 1/SNR² with the source covariance scaled to trace = rank; that of 2016 is (r/n)/SNR²."""
    protocol = io.read_protocol(data_dir / "inverse_old_meeg")
    for file in find_results(protocol.root):
        result = recompute(file, protocol=protocol)
        if result.lambda2 is None or getattr(result.options, "snr_method", "fixed") == "rms":
            continue
        rank, n = result.rank, len(result.channel_types)
        share = 1 if result.options.year == 2009 else rank / n
        np.testing.assert_allclose(result.lambda2, share / result.options.snr_fixed**2, rtol=1e-12)
        np.testing.assert_allclose(result.trace_scale * result.s2.sum(), rank, rtol=1e-12)
