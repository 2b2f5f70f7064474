"""Files made of others: recomputed where they are, and told what they are where they cannot be."""

from __future__ import annotations

import dataclasses
import shutil

import numpy as np
import pytest

from mne_bstinv import io
from mne_bstinv.verification import find_files, verify

POST = "sources_post"
EVOKED = "data/Subject01/evoked"


@pytest.fixture
def study(data_dir, tmp_path):
    return shutil.copytree(data_dir / POST, tmp_path / POST)


def one(file, **options):
    (outcome,) = verify(file, **options)
    return outcome


def outcomes_of(protocol):
    return {o.file.name: o for o in verify(protocol) if o.is_derived}


def test_all_files_of_sources_post(data_dir):
    found = [o for o in verify(data_dir / POST) if o.is_derived]
    assert len(found) == 27 + 35 + 1
    without = [o for o in found if not o.status.startswith("equal")]
    # to Subject03 the meshes were fitted
    assert [(o.file.parts[-3], o.status) for o in without] == [("Subject03", "not comparable")] * 2
    assert all("cannot be matched by spheres" in o.reason for o in without)
    assert max(o.relative_difference for o in found if o.relative_difference is not None) < 1e-13
    assert all(o.parents for o in found if o not in without)


def test_all_files_of_misc(shared_dir):
    found = outcomes_of(shared_dir / "oracle" / "public" / "misc")
    assert len(found) == 29
    without = {name for name, o in found.items() if not o.status.startswith("equal")}
    assert without == {
        "matrix_sim_signals.mat",
        "matrix_sim_xyz.mat",
        "timefreq_trial001_hilbert_261126_1725.mat",
    }
    assert all(found[name].status == "not comparable" for name in without)
    equal = [o.relative_difference for name, o in found.items() if name not in without]
    assert max(equal) < 1e-11


def test_what_is_in_the_repository_of_misc(data_dir):
    found = outcomes_of(data_dir / "misc")
    assert {name for name, o in found.items() if not o.status.startswith("equal")} == {
        "matrix_sim_signals.mat",
        "matrix_sim_xyz.mat",
    }


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("results_MN_EEG_261126_1728_zscore.mat", "z-score, baseline -0.12 to -0.004 s"),
        ("results_MN_EEG_261126_1728_58V.mat", "projected map"),
        ("matrix_scout_261126_1728.mat", "scout time series, mean, signs flipped"),
        ("matrix_scout_261126_1729.mat", "scout time series, mean, signs as they are"),
        ("matrix_scout_261126_1743.mat", "scout time series, std, signs flipped, x, y, z by norm"),
    ],
)
def test_what_was_found_out_is_said(data_dir, name, how):
    assert one(data_dir / POST / EVOKED / name).options == how


def test_projected_absolute_values(data_dir):
    """That absolute values were projected is not stored."""
    folder = data_dir / POST / "data/Subject02/evoked"
    for tail, how in (("", "projected map"), ("_02", "projected map, of absolute values")):
        outcome = one(folder / f"results_MN_EEG_261126_1728_Subject01{tail}.mat")
        assert (outcome.status, outcome.options) == ("equal", how)


@pytest.mark.parametrize(
    "name",
    [
        "results_MN_EEG_261126_1728_zscore.mat",
        "results_norm_261126_1729.mat",
        "results_pcai_261126_1730.mat",
        "results_MN_EEG_261126_1728_ssmooth.mat",
        "matrix_scout_261126_1730.mat",
        "matrix_scout_pcaa_261126_1728.mat",
        "data_average_240101_1200_zscore.mat",
    ],
)
def test_a_changed_file_differs(study, name):
    file = study / EVOKED / name
    read, write, field = {
        "results": (io.read_results, io.write_results, "image_grid_amp"),
        "matrix": (io.read_matrix, io.write_matrix, "value"),
        "data": (io.read_recordings, io.write_recordings, "f"),
    }[name.split("_")[0]]
    structure = read(file)
    values = np.array(getattr(structure, field))
    values[0] += 0.01 * np.abs(values).max() * np.arange(values.shape[1])
    write(file, dataclasses.replace(structure, **{field: values}), overwrite=True)
    outcome = one(file)
    assert outcome.status == "differs"
    assert outcome.failed
    assert "computed from" in outcome.reason


def test_a_changed_flat_kernel_differs(study):
    file = study / EVOKED / "results_MN_EEG_KERNEL_pcaa_261126_1728.mat"
    results = io.read_results(file)
    kernel = 1.01 * results.imaging_kernel  # along the parent's directions, but not a unit vector
    io.write_results(file, dataclasses.replace(results, imaging_kernel=kernel), overwrite=True)
    assert one(file).status == "differs"


def test_a_kernel_that_was_computed_again_is_not_the_parent(study):
    """Its date is another: the map is not of it."""
    (study / EVOKED / "results_MN_EEG_KERNEL_261126_1728.mat").unlink()
    outcome = one(study / EVOKED / "results_MN_EEG_261126_1728_zscore.mat")
    assert outcome.status == "not comparable"
    assert "are not in the protocol" in outcome.reason
    assert outcome.kind == "z-score"


def test_recordings_that_are_missing_are_named(study):
    (study / EVOKED / "data_average_240101_1200.mat").unlink()
    outcome = one(study / EVOKED / "results_norm_261126_1728.mat")
    assert outcome.status == "not comparable"
    assert "data_average_240101_1200.mat" in outcome.reason


def test_a_step_that_is_not_known_is_named(study):
    file = study / EVOKED / "results_MN_EEG_261126_1728_zscore.mat"
    results = io.read_results(file)
    row = ("01-Jan-2027 00:00:00", "process", "process_bandpass: Band-pass filter [1 Hz, 40 Hz]")
    changed = dataclasses.replace(results, history=(*results.history, row))
    io.write_results(file, changed, overwrite=True)
    outcome = one(file)
    assert outcome.status == "not comparable"
    assert "process_bandpass" in outcome.reason
    # what was made of it afterwards can be
    more = ("01-Jan-2027 00:00:01", "process", "process_absolute: Absolute values")
    made = dataclasses.replace(
        changed, history=(*changed.history, more), image_grid_amp=np.abs(results.image_grid_amp)
    )
    io.write_results(file.with_name("results_MN_EEG_261126_1728_zscore_band_abs.mat"), made)
    outcome = one(file.with_name("results_MN_EEG_261126_1728_zscore_band_abs.mat"))
    assert (outcome.status, outcome.parents) == ("equal", (file.name,))


def test_an_average_of_maps(study):
    names = ["results_norm_261126_1728.mat", "results_MN_EEG_261126_1728_abs.mat"]
    maps = [io.read_results(study / EVOKED / name) for name in names]
    rows = [("average", "Average: Everything"), ("average", "List of averaged files:")]
    rows += [("average", f" - Subject01/evoked/{name}") for name in names]
    mean = dataclasses.replace(
        maps[0],
        image_grid_amp=(maps[0].image_grid_amp + maps[1].image_grid_amp) / 2,
        history=tuple(("01-Jan-2027 00:00:00", *row) for row in rows),
        comment="Avg: norm",
    )
    file = study / EVOKED / "results_average_270101_0000.mat"
    io.write_results(file, mean)
    outcome = one(file)
    assert (outcome.status, outcome.kind) == ("equal", "average of files")
    assert len(outcome.parents) == 2


def test_windows_that_are_shown_alike_are_tried(study):
    """A history has whole milliseconds; at 5000 samples a second several samples are one."""
    folder = study / EVOKED
    recordings = io.read_recordings(folder / "data_average_240101_1200.mat")
    times = -0.01 + np.arange(len(recordings.time)) / 5000
    fast = dataclasses.replace(recordings, time=times)
    io.write_recordings(folder / "data_average_240101_1200.mat", fast, overwrite=True)
    kernel = io.read_results(folder / "results_MN_EEG_KERNEL_261126_1728.mat")
    values = kernel.imaging_kernel @ fast.f[kernel.good_channel - 1]
    before = values[:, 1:31]  # -9.8 to -4 ms
    stored = io.read_results(folder / "results_MN_EEG_261126_1728_zscore.mat")
    text = "process_baseline_norm: DC offset correction: [-10ms,-4ms]"
    changed = dataclasses.replace(
        stored,
        image_grid_amp=values - before.mean(axis=1, keepdims=True),
        history=(stored.history[0], ("26-Nov-2026 17:28:23", "process", text)),
        function="mn",
        display_units=None,
        time=times,
    )
    file = folder / "results_MN_EEG_261126_1728_zscore.mat"
    io.write_results(file, changed, overwrite=True)
    outcome = one(file)
    assert outcome.status == "equal"
    assert "baseline -0.0098 to -0.004 s" in outcome.options


def test_a_scout_whose_sign_is_undecided_may_have_either(study):
    """Two vertices with opposite normals: the sign is the one of a singular vector."""
    file = study / EVOKED / "matrix_scout_261126_1728.mat"
    stored = io.read_matrix(file)
    cortex = io.read_surface(study / "anat" / stored.surface_file)
    normals = cortex.vert_normals
    pair = np.unravel_index((normals @ normals.T).argmin(), (len(normals),) * 2)
    scout = dataclasses.replace(stored.atlas.scouts[0], vertices=np.sort(pair) + 1)
    kernel = io.read_results(study / EVOKED / "results_MN_EEG_KERNEL_261126_1728.mat")
    recordings = io.read_recordings(study / EVOKED / "data_average_240101_1200.mat")
    values = (kernel.imaging_kernel @ recordings.f[kernel.good_channel - 1])[np.sort(pair)]
    for sign in (1, -1):
        series = sign * (values[:1] - values[1:]) / 2
        atlas = dataclasses.replace(stored.atlas, scouts=(scout, *stored.atlas.scouts[1:]))
        changed = dataclasses.replace(
            stored, atlas=atlas, value=np.concatenate([series, stored.value[1:]])
        )
        io.write_matrix(file, changed, overwrite=True)
        assert one(file).status == "equal"
    series = (values[:1] + values[1:]) / 2
    io.write_matrix(
        file,
        dataclasses.replace(changed, value=np.concatenate([series, stored.value[1:]])),
        overwrite=True,
    )
    assert one(file).status == "differs"


def test_other_signals_are_not_scouts(data_dir):
    outcome = one(data_dir / "misc/data/Subject01/blink/matrix_sim_xyz.mat")
    assert outcome.status == "not comparable"
    assert "not extracted from scouts" in outcome.reason


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"options": {"TestType": "ttest_paired"}}, "'ttest_paired' is not computed here"),
        ({"options": {}}, "A test that is not named (Options.TestType) is not computed here"),
        ({"options": {"TestType": "ttest_onesample", "isAvgTime": 1.0}}, "averages over time"),
        ({"correction": "fdr"}, "corrected (fdr)"),
        ({"type": "timefreq"}, "'timefreq' files"),
    ],
)
def test_tests_that_are_not_computed_here(data_dir, tmp_path, changes, words):
    study = shutil.copytree(data_dir / "misc", tmp_path / "misc")
    (file,) = study.rglob("pdata_no_*.mat")
    io.write_statistics(
        file, dataclasses.replace(io.read_statistics(file), **changes), overwrite=True
    )
    outcome = one(file)
    assert outcome.status == "not comparable"
    assert words in outcome.reason


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"method": "hilbert"}, "band-pass filter"),
        ({"ref_row_names": ("a",)}, "pairs"),
        ({"data_type": "cluster"}, "'cluster'"),
        ({"data_file": None}, "does not name the file"),
        ({"row_names": ("odd",)}, "no channel 'odd'"),
        ({"history": (("d", "process", "process_baseline_norm: other"),)}, "processed afterwards"),
    ],
)
def test_maps_that_are_not_computed_here(data_dir, tmp_path, changes, words):
    study = shutil.copytree(data_dir / "misc", tmp_path / "misc")
    (file,) = study.rglob("timefreq_trial001_morlet_*.mat")
    changed = dataclasses.replace(io.read_timefreq(file), **changes)
    io.write_timefreq(file, changed, overwrite=True)
    outcome = one(file)
    assert outcome.status == "not comparable"
    assert words in outcome.reason


def test_spectra_with_another_overlap(data_dir, tmp_path):
    """The overlap of the windows is not stored."""
    from mne_bstinv.maps import psd_welch

    study = shutil.copytree(data_dir / "misc", tmp_path / "misc")
    (file,) = study.rglob("timefreq_fft_*.mat")
    stored = io.read_timefreq(file)
    _, kernel, data = stored.data_file.split("|")
    results = io.read_results(study / "data" / kernel)
    recordings = io.read_recordings(study / "data" / data)
    spectrum = psd_welch(
        recordings.f[results.good_channel - 1], 250.0, 0.2, 75, kernel=results.imaging_kernel
    )
    changed = dataclasses.replace(
        stored, tf=spectrum.power[:, np.newaxis], freqs=spectrum.freqs, method="psd"
    )
    io.write_timefreq(file, changed, overwrite=True)
    outcome = one(file)
    assert outcome.status == "equal"
    assert "overlap 75 %" in outcome.options


def test_files_are_found(data_dir):
    folder = data_dir / "misc" / "data" / "Subject01" / "blink"
    names = {file.name for file in find_files(folder)}
    assert "dipoles_fit.mat" in names
    assert "data_blink_average_261126_1725.mat" in names
    assert "data_blink_trial001.mat" not in names
    assert find_files(folder / "dipoles_fit.mat") == [folder / "dipoles_fit.mat"]
