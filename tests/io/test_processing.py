"""What a history says was done to a file."""

from __future__ import annotations

import numpy as np
import pytest

from mne_bstinv import io
from mne_bstinv.io.processing import derivation_of, listed_files, steps_of, unit_of

#: What is computed, not made of other files.
ORIGINALS = ("_KERNEL_261126_1728.mat", "_KERNEL_261126_1729.mat", "results_MN_EEG_261126_1728.mat")


def history(*rows):
    return tuple(("01-Jan-2024 12:00:00", kind, text) for kind, text in rows)


def results(**fields):
    return io.Results(imaging_kernel=None, image_grid_amp=np.ones((2, 3)), **fields)


def test_every_derived_map_is_recognised(data_dir):
    files = sorted((data_dir / "sources_post" / "data").rglob("results_*.mat"))
    assert len(files) == 31
    for file in files:
        derivation = derivation_of(io.read_results(file))
        original = file.name.endswith(ORIGINALS)
        assert (derivation is None) == original, file
        assert original or (derivation.steps and all(s.kind != "process" for s in derivation.steps))


@pytest.mark.parametrize(
    "protocol", ["eeg_surface", "eeg_shared", "eeg_volume", "meg_eeg", "mixed"]
)
def test_no_result_of_an_inverse_is_taken_for_derived(data_dir, protocol):
    for file in (data_dir / protocol).rglob("results_*.mat"):
        assert derivation_of(io.read_results(file)) is None


@pytest.mark.parametrize(
    ("name", "what", "unit"),
    [
        ("MN_EEG_261126_1728_zscore", "z-score", "z"),
        ("MN_EEG_261126_1728_ersd", "event-related perturbation", "%"),
        ("MN_EEG_261126_1728_db", "scaled by the baseline", "dB"),
        ("MN_EEG_261126_1728_divmean", "scaled by the baseline", "1"),
        ("MN_EEG_261126_1728_contrast", "contrast with the baseline", "1"),
        ("MN_EEG_261126_1728_bl", "offset removed", ""),
        ("MN_EEG_261126_1728_abs_ssmooth", "smooth map", ""),
        ("dSPM-unscaled_EEG_261126_1728_scaled", "scaled dSPM", ""),
        ("norm_261126_1728", "flat map", ""),
        ("MN_EEG_261126_1728_58V", "projected map", ""),
    ],
)
def test_what_a_map_is_and_its_unit(data_dir, name, what, unit):
    (file,) = (data_dir / "sources_post").rglob(f"results_{name}.mat")
    derivation = derivation_of(io.read_results(file))
    assert (derivation.what, derivation.unit) == (what, unit)


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"function": "zscore"}, "z-score"),
        ({"display_units": "dB"}, "normalised map"),
        ({"comment": "MN: EEG | low(40Hz)"}, "processed map (low(40Hz))"),
        ({"z_score": {"mean": 1.0}}, "processed map (ZScore is set)"),
        ({"atlas": {"Name": "A"}}, "processed map (Atlas is set)"),
        ({"n_components": 1, "options": {"SourceOrient": ("free",)}}, "flat map"),
        ({"history": history(("process", "process_bandpass: 1-40 Hz"))}, "processed map"),
    ],
)
def test_what_tells_a_derived_map_without_its_steps(fields, what):
    assert derivation_of(results(**fields)).what == what


@pytest.mark.parametrize(
    "fields",
    [
        {"function": "mn", "n_components": 1, "options": {"SourceOrient": ("fixed",)}},
        {"n_components": 3, "options": {"SourceOrient": ("free",)}},
        {"n_components": 0, "options": {"SourceOrient": ("fixed", "free")}},
        {"history": history(("compute", "Source estimation: minnorm"), ("import_time", "[0, 1]"))},
    ],
)
def test_what_an_inverse_computed_is_not_derived(fields):
    assert derivation_of(results(**fields)) is None


def test_a_comment_does_not_make_a_kernel_derived():
    kernel = io.Results(imaging_kernel=np.ones((2, 3)), comment="MN | session 1")
    assert derivation_of(kernel) is None


def test_steps_in_their_order():
    steps = steps_of(
        history(
            ("import", "Import from: a.fif"),
            ("compute", "Source estimation: minnorm"),
            ("flat", "Convert unconstrained sources to a flat map with option: norm"),
            ("process", "process_baseline_norm: Absolute value"),
            ("process", "process_baseline_norm: Z-score transformation: [-120.5ms,-4ms]"),
            ("process", "process_ssmooth_surfstat: ssmooth 3.5 mm\n|---- pull/645"),
            ("project", "Project sources: S/a.mat => T/b.mat"),
            ("process", "process_source_dspmscale: Scaling by 2.83 (2 => 16)"),
            ("process", "process_resample: 100 Hz"),
        )
    )
    assert [step.kind for step in steps] == [
        "flat", "absolute", "baseline", "smooth", "project", "scale", "process",
    ]  # fmt: skip
    assert dict(steps[0].options) == {"method": "norm"}
    assert dict(steps[2].options) == {"method": "zscore", "window_ms": (-120.5, -4.0)}
    assert dict(steps[3].options) == {"fwhm": 0.0035, "before_2023": True}
    assert dict(steps[4].options) == {"source": "S/a.mat", "target": "T/b.mat"}
    assert dict(steps[5].options) == {"averages": 8.0}


def test_the_history_of_the_first_averaged_file_is_not_its_own():
    rows = history(
        ("average", "Average: Everything"),
        ("average", "History of the first file:"),
        ("process", "process_bandpass: 1-40 Hz"),
        ("average", "List of averaged files:"),
        ("average", " - S/c/data_trial001.mat"),
        ("average", " - S/c/data_trial002.mat"),
    )
    assert [step.kind for step in steps_of(rows)] == ["average"]
    assert listed_files(rows, " - ") == ["S/c/data_trial001.mat", "S/c/data_trial002.mat"]


def test_files_are_listed_by_what_is_before_them():
    rows = history(
        ("process", " - File: link|S/c/results_a.mat|S/c/data_b.mat"),
        ("compute", " - Average TF: S/c/data_1.mat\n - Average TF: S/c/data_2.mat\n"),
        ("compute", " - no file"),
    )
    assert listed_files(rows, " - File: ") == ["link|S/c/results_a.mat|S/c/data_b.mat"]
    assert listed_files(rows, " - Average TF: ") == ["S/c/data_1.mat", "S/c/data_2.mat"]


@pytest.mark.parametrize(
    ("fields", "unit"),
    [({"function": "zscore"}, "z"), ({"display_units": "pA.m"}, "pA.m"), ({"function": "mn"}, "")],
)
def test_units(fields, unit):
    assert unit_of(results(**fields)) == unit
