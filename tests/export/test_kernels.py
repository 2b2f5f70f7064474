"""Kernels in results structures: what we write is what Brainstorm wrote."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from pathlib import Path

import mne
import numpy as np
import pytest
import scipy.io
from export_studies import LOCAL, PUBLIC
from matlab_templates import equal
from scipy.sparse import issparse

from mne_bstinv import io
from mne_bstinv.conversion import conversion_report
from mne_bstinv.export import Estimation, export_study
from mne_bstinv.export.kernels import complete_options, kernel_name, results_from_kernel
from mne_bstinv.io.schema import to_mat
from mne_bstinv.studies.files import Studies
from mne_bstinv.verification import find_results, recompute, verify

#: The agreement asked for with kernels that Brainstorm stored.
TWIN = 1e-11
#: What a whitener is known to: n·eps·cond(C), of the worst covariance of these studies (29
#: channels, standard deviations of 1286 to 1). Which digits are right is up to the linear algebra.
WHITENER = 29 * np.finfo(float).eps * 1286**2


def as_file(results: io.Results) -> dict:
    """The variables as scipy reads them from the file."""
    buffer = BytesIO()
    scipy.io.savemat(buffer, to_mat(results, "x"), oned_as="row", long_field_names=True)
    buffer.seek(0)
    return _variables(buffer)


def _variables(file) -> dict:
    read = scipy.io.loadmat(file)
    return {name: value for name, value in read.items() if not name.startswith("__")}


def faults(ours, theirs, path: str) -> list[str]:
    """Where values of files differ: class, shape, fields, text, or numbers by more than TWIN."""
    if issparse(ours) or issparse(theirs):
        return [] if equal(ours, theirs) else [path]
    if ours.dtype.names or theirs.dtype.names:
        if ours.shape != theirs.shape or set(ours.dtype.names or ()) != set(theirs.dtype.names):
            return [f"{path}: {ours.shape} {ours.dtype.names}, {theirs.shape} {theirs.dtype.names}"]
        return [
            fault
            for name in theirs.dtype.names
            for a, b in zip(ours[name].ravel(), theirs[name].ravel(), strict=True)
            for fault in faults(a, b, f"{path}.{name}")
        ]
    same_class = ours.dtype == theirs.dtype or ours.dtype.kind == theirs.dtype.kind == "U"
    if not same_class or ours.shape != theirs.shape:
        return [f"{path}: {ours.dtype} {ours.shape}, {theirs.dtype} {theirs.shape}"]
    if ours.dtype.kind in "OU":
        return [] if equal(ours, theirs) else [f"{path}: {ours}, {theirs}"]
    difference = np.linalg.norm(np.nan_to_num(ours - theirs))
    tolerance = WHITENER if path.endswith("Whitener") else TWIN
    close = difference <= tolerance * np.linalg.norm(np.nan_to_num(theirs))
    return [] if close else [f"{path}: differs by {difference}"]


def check_protocol(root: Path) -> int:
    protocol = io.read_protocol(root)
    studies, checked = Studies(protocol), 0
    for file in find_results(root):
        stored, study = io.read_results(file), studies.of(file)
        if stored.imaging_kernel is None:
            continue  # full results are converted from source estimates
        result = recompute(file, protocol=protocol)
        data_file = study.find(stored.data_file, "data")
        ours = results_from_kernel(
            result,
            head_model=studies.head_model(study.find(stored.head_model_file, "data")),
            noise_cov=studies.noise_cov(study.noise_cov_file),
            data_cov=None
            if study.data_cov_file is None
            else studies.noise_cov(study.data_cov_file),
            recordings=None if data_file is None else io.read_recordings(data_file),
            channel_flag=stored.channel_flag,
            data_file=stored.data_file,
            head_model_file=stored.head_model_file,
            comment=stored.comment,
        )
        assert file.name.startswith(kernel_name(ours) + "_")
        assert stored.comment.startswith(f"{ours.options['Comment']} 2018")
        left_out = {"History"}  # the time
        method, measure = result.options.method, result.options.measure
        if method != "minnorm":  # signs and bases are arbitrary
            left_out |= {"ImagingKernel", "SourceDecompVa"}
        if method != "minnorm" and result.n_components == 0:  # Brainstorm keeps the last region's
            left_out |= {"SourceDecompSa"}
        if "loose" in [region.orient for region in result.regions] and measure != "amplitude":
            left_out |= {"ImagingKernel"}
        theirs, mine = _variables(file), as_file(ours)
        assert set(mine) == set(theirs)
        found = [
            fault
            for name in sorted(set(theirs) - left_out - {"Options"})
            for fault in faults(mine[name], theirs[name], name)
        ]
        found += check_options(mine["Options"][0, 0], theirs["Options"][0, 0])
        assert found == [], file
        checked += 1
    return checked


def check_options(ours, theirs) -> list[str]:
    found = [] if set(ours.dtype.names) == set(theirs.dtype.names) else ["Options: fields"]
    for name in theirs.dtype.names:
        if name == "DataCovMat" and not ours[name].size:
            continue  # Brainstorm also stores one that the method does not use
        mine, stored = ours[name], theirs[name]
        if name == "NoiseCovMat" and "FourthMoment" not in stored.dtype.names:
            stored = stored[["Comment", "History", "NoiseCov"]]  # a covariance of a FIF file
            mine = mine[list(stored.dtype.names)]
        found += faults(mine, stored, f"Options.{name}")
    return found


@pytest.fixture
def _each_file_read_once(monkeypatch):
    """What all kernels of a study share is read for the first of them."""
    for name in ("read_channels", "read_head_model", "read_noise_cov"):
        monkeypatch.setattr(io, name, lru_cache(getattr(io, name)))


@pytest.mark.usefixtures("_each_file_read_once")
@pytest.mark.parametrize("name", PUBLIC)
def test_results_are_what_brainstorm_writes(data_dir, name):
    assert check_protocol(data_dir / name) > 0


def test_results_of_the_sample_are_what_brainstorm_writes(sample_dir):
    assert check_protocol(sample_dir) == 4


@pytest.mark.slow
@pytest.mark.usefixtures("_each_file_read_once")
@pytest.mark.parametrize("name", LOCAL)
def test_results_are_what_brainstorm_writes_for_real_sensors(shared_dir, name):
    assert check_protocol(shared_dir / "oracle" / "local" / name) > 0


def test_flags_default_to_those_of_the_recordings(sample_dir):
    file = find_results(sample_dir)[0]
    study = Studies().of(file)
    stored = io.read_results(file)
    recordings = io.read_recordings(study.find(stored.data_file, "data"))
    parts = {
        "head_model": io.read_head_model(study.find(stored.head_model_file, "data")),
        "noise_cov": io.read_noise_cov(study.noise_cov_file),
    }
    result = recompute(file)
    own = results_from_kernel(result, **parts, recordings=recordings)
    np.testing.assert_array_equal(own.channel_flag, recordings.channel_flag)
    assert (own.n_avg, own.leff) == (80, 80.0)
    shared = results_from_kernel(result, **parts)
    assert shared.channel_flag.min() == 1
    assert shared.time is None
    assert (shared.n_avg, shared.leff) == (1, 1.0)


def test_the_options_of_another_inverse_are_complete():
    options = complete_options({"InverseMethod": "mne-python", "NoiseCovMat": {"NoiseCov": 1.0}})
    assert options["InverseMethod"] == "mne-python"
    assert options["WeightExp"] is None
    assert options["NoiseMethod"] == ""
    assert set(options["NoiseCovMat"]) == {
        "Comment",
        "FourthMoment",
        "History",
        "NoiseCov",
        "nSamples",
    }


@pytest.mark.parametrize(
    ("nave", "function", "leff", "name"),
    [(1, "dspm2018", 1.0, "results_dSPM-unscaled"), (3, "dspm2018sc", 0.0, "results_dSPM_")],
)
def test_an_estimate_of_mne_says_whether_it_is_scaled_by_its_averages(
    mne_sample, tmp_path, nave, function, leff, name
):
    evoked = mne_sample["recordings"].copy().crop(0.0, 0.05)
    evoked.nave = nave
    operator = mne.minimum_norm.make_inverse_operator(
        evoked.info, mne_sample["forward"], mne_sample["noise_cov"], verbose="error"
    )
    maps = {
        method: mne.minimum_norm.apply_inverse(evoked, operator, 1 / 9, method, "normal")
        for method in ("MNE", "dSPM", "sLORETA")
    }
    study = export_study(
        tmp_path / "p",
        evoked,
        subject="S",
        condition="c",
        forward=mne_sample["forward"],
        noise_cov=mne_sample["noise_cov"],
        estimations=[Estimation(of=stc, method=method) for method, stc in maps.items()],
    )
    amplitude, dspm, sloreta = map(io.read_results, study.results)
    assert (dspm.function, dspm.leff, dspm.n_avg) == (function, leff, nave)
    assert study.results[1].name.startswith(name)
    assert "unscaled" not in dspm.comment
    np.testing.assert_array_equal(dspm.amplitudes, maps["dSPM"].data)
    for other in (amplitude, sloreta):
        assert (other.n_avg, other.leff) == (nave, nave)
    findings = [f for f in conversion_report(study) if f.field == "Function"]
    said = " ".join(f.reason for f in findings)
    assert ("scaled by √3" in said) == (nave == 3)
    assert "sLORETA is dimensionless" in said or nave == 1
    # none of them is a kernel that Brainstorm computed
    assert {one.status for one in verify(study.root)} == {"not comparable"}


def test_an_estimate_of_unknown_averages_is_said_to_be_scaled(mne_sample, tmp_path):
    evoked = mne_sample["recordings"].copy().crop(0.0, 0.05)
    operator = mne.minimum_norm.make_inverse_operator(
        evoked.info, mne_sample["forward"], mne_sample["noise_cov"], verbose="error"
    )
    stc = mne.minimum_norm.apply_inverse(evoked, operator, 1 / 9, "dSPM", "normal")
    study = export_study(
        tmp_path / "p",
        [evoked, evoked],
        subject="S",
        condition="c",
        forward=mne_sample["forward"],
        estimations=Estimation(of=stc, method="dSPM"),
    )
    (results,) = map(io.read_results, study.results)
    assert (results.function, results.leff) == ("dspm2018sc", 0.0)
    assumed = [f for f in conversion_report(study).of("assumed") if f.field == "Function"]
    assert "nothing says how many" in assumed[0].reason
