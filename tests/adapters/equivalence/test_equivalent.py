"""What is handed to MNE gives Brainstorm's kernel, in the class that is stated."""

from __future__ import annotations

import dataclasses
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace

import mne
import numpy as np
import pytest
from inverse_twins import PUBLIC, one_of_each, stored_results
from small_sample import load_small_sample

from mne_bstinv import InverseOptions, compute_kernel, io
from mne_bstinv.adapters.equivalence import mne_equivalent
from mne_bstinv.adapters.equivalence.kernels import kernel_blocks
from mne_bstinv.errors import ConversionError, OptionError

#: Equality of double-precision kernels.
EXACT = 1e-9
#: What MNE's rounding of a fixed gain to single precision can cost: 2^-24 of each entry, times the
#: condition of the regularised system, at most n·SNR² ≈ 1e3 on these studies.
SINGLE = 2.0**-24 * 1e3

MEASURES = ("amplitude", "dspm2018", "sloreta")
ORIENTATIONS = ("fixed", "loose", "free")
NOISE_METHODS = ("none", "reg", "median", "diag", "shrink")
#: The classes that the two definitions leave, whatever the noise and the SNR.
CLASSES = {
    ("amplitude", "fixed"): "exact",
    ("amplitude", "loose"): "exact",
    ("amplitude", "free"): "exact",
    ("dspm2018", "fixed"): "exact",
    ("dspm2018", "loose"): "not comparable",
    ("dspm2018", "free"): "exact",
    ("sloreta", "fixed"): "equal up to a stated factor",
    ("sloreta", "loose"): "not comparable",
    ("sloreta", "free"): "not comparable",
}


@lru_cache(maxsize=1)
def sample():
    return load_small_sample()


def brainstorm(study, options, **channels):
    flag = study.recordings.channel_flag
    data_cov = study.data_cov if options.method == "lcmv" else None
    result = compute_kernel(
        study.head_model, study.noise_cov, study.channels, channel_flag=flag, options=options,
        data_cov=data_cov, **channels,
    )  # fmt: skip
    return kernel_blocks(result, study.head_model.grid_orient)


def relative(ours, theirs):
    assert ours.shape == theirs.shape
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
    difference = np.linalg.norm(np.nan_to_num(ours - theirs))
    return float(difference / np.linalg.norm(np.nan_to_num(theirs)))


@pytest.mark.parametrize(
    ("measure", "orient", "data_types"),
    [(*both, ("MEG", "EEG")) for both in CLASSES]
    + [("dspm2018", "fixed", "MEG"), ("dspm2018", "free", "EEG"), ("sloreta", "fixed", "MEG GRAD")],
    ids=str,
)
def test_each_measure_and_orientation_has_its_class(measure, orient, data_types):
    options = InverseOptions(measure=measure, source_orient=orient)
    equivalent = mne_equivalent(options, sample(), data_types=data_types)
    assert equivalent.parity == CLASSES[measure, orient]
    ours = brainstorm(sample(), options, data_types=data_types)
    twin, public = (relative(equivalent.blocks(route), ours) for route in ("twin", "public"))
    if equivalent.parity == "not comparable":
        assert twin > 0.05  # and the reason says why
        assert "Brainstorm" in equivalent.reason
        assert abs(twin - public) < EXACT
    else:
        assert twin <= EXACT
        assert public <= (SINGLE if orient == "fixed" else EXACT)
        assert bool(equivalent.reason) == (measure == "sloreta")


@pytest.mark.parametrize(
    ("noise", "snr", "orient", "data_types"),  # all pairs of values
    [
        (noise, ("fixed", "rms")[(i + j) % 2], orient, ("MEG", "EEG")[i % 2])
        for i, noise in enumerate(NOISE_METHODS)
        for j, orient in enumerate(ORIENTATIONS)
    ],
)
def test_noise_and_snr_methods_are_translated(noise, snr, orient, data_types):
    options = InverseOptions(source_orient=orient, noise_method=noise, snr_method=snr, snr_rms=3e-9)
    equivalent = mne_equivalent(options, sample(), data_types=data_types)
    ours = brainstorm(sample(), options, data_types=data_types)
    assert equivalent.parity == "exact"
    assert relative(equivalent.blocks(), ours) <= EXACT
    assert relative(equivalent.blocks("public"), ours) <= (SINGLE if orient == "fixed" else EXACT)


@pytest.mark.parametrize(
    ("exponent", "limit"),
    [(0.0, 10.0), (0.5, 1.0), (0.5, 0.3), (0.8, 3.0), (1.0, 10.0), (0.004, 10.0), (0.5, 1e9)],
)
def test_depth_weighting_is_translated(exponent, limit):
    options = InverseOptions(source_orient="free", weight_exp=exponent, weight_limit=limit)
    equivalent = mne_equivalent(options, sample(), data_types="MEG")
    ours = brainstorm(sample(), options, data_types="MEG")
    assert relative(equivalent.blocks("public"), ours) <= EXACT


def test_the_code_runs_and_gives_the_estimate():
    study = sample()
    flag, recordings = study.recordings.channel_flag, study.recordings
    from mne_bstinv import to_evoked

    for measure, orient in (("amplitude", "fixed"), ("sloreta", "fixed"), ("amplitude", "free")):
        options = InverseOptions(measure=measure, source_orient=orient)
        equivalent = mne_equivalent(options, study, data_types="EEG")
        namespace = {"equivalent": equivalent, "evoked": to_evoked(recordings, study.channels)}
        with mne.use_log_level("error"):
            exec(compile(equivalent.code, "code", "exec"), namespace)
        stc = namespace["stc"]
        result = compute_kernel(
            study.head_model, study.noise_cov, study.channels, channel_flag=flag,
            data_types="EEG", options=options,
        )  # fmt: skip
        expected = result.apply(recordings.f)
        if orient == "free":
            vectors = expected.reshape(-1, 3, expected.shape[1])[equivalent.order]
            expected = equivalent.rotation @ vectors
        else:
            expected = expected[equivalent.order]
        assert relative(stc.data, expected) <= (SINGLE if orient == "fixed" else EXACT)
        assert stc.times[0] == pytest.approx(recordings.time[0], abs=1e-9)


# -- every protocol --------------------------------------------------------------------------------


def study_of(stored, data_cov):
    return SimpleNamespace(
        head_model=stored.head_model,
        noise_cov=stored.noise_cov,
        channels=stored.channels,
        recordings=stored.recordings,
        cortex=stored.surface,
        mri=stored.mri,
        data_cov=data_cov,
    )


def every_kernel(root: Path, choose=list) -> None:
    found = sorted(root.rglob("ndatacov*.mat"))
    data_cov = io.read_noise_cov(found[0]) if found else None
    for stored in choose(stored_results(root)):
        options = InverseOptions.from_brainstorm(stored.results.options)
        good = stored.results.good_channel - 1
        study = study_of(stored, data_cov)
        equivalent = mne_equivalent(options, study, good_channels=good)
        if equivalent.parity == "not comparable":
            assert equivalent.reason
            continue
        ours = brainstorm(study, options, good_channels=good)
        fixed = set(equivalent.options.source_orient) == {"fixed"}
        if options.method != "minnorm":
            assert equivalent.parity == "equal up to a stated factor"
            assert relative(equivalent.blocks(), ours) <= EXACT, stored.file
            continue
        assert relative(equivalent.blocks(), ours) <= EXACT, stored.file
        if equivalent.no_public_call:
            assert "mixed" in root.name
            with pytest.raises(ConversionError, match="one loose value for each kind"):
                equivalent.blocks("public")
            assert "equivalent.twin()" in equivalent.code
        else:
            public = relative(equivalent.blocks("public"), ours)
            assert public <= (SINGLE if fixed else EXACT), stored.file


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_kernel(name, data_dir):
    every_kernel(data_dir / name)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["meg_ctf", "meg_neuromag"])
def test_kernels_of_real_sensors(name, shared_dir):
    every_kernel(shared_dir / "oracle" / "local" / name, one_of_each)


# -- scans -----------------------------------------------------------------------------------------


def test_a_scan_is_lcmv_times_the_norm_of_the_whitened_gain():
    options = InverseOptions(method="gls")
    equivalent = mne_equivalent(options, sample(), data_types="MEG")
    assert (equivalent.method, equivalent.lambda2) == ("LCMV", None)
    result = compute_kernel(
        sample().head_model, sample().noise_cov, sample().channels, data_types="MEG",
        channel_flag=sample().recordings.channel_flag, options=options,
    )  # fmt: skip
    np.testing.assert_allclose(np.abs(equivalent.factor), result.source_decomp_sa[0], rtol=1e-12)
    assert "make_lcmv" in equivalent.code
    with pytest.raises(ConversionError, match="'gls' is no minimum norm and has no operator"):
        equivalent.twin()
    free = mne_equivalent(
        dataclasses.replace(options, source_orient="free"), sample(), data_types="MEG"
    )
    assert free.parity == "not comparable"
    assert "They span the same space" in free.reason


def test_what_the_reason_of_a_free_scan_says_is_true():
    """K = diag(SourceDecompSa) SourceDecompVa' times MNE's vector filter."""
    options = InverseOptions(method="gls", source_orient="free")
    equivalent = mne_equivalent(options, sample(), data_types="EEG")
    result = compute_kernel(
        sample().head_model, sample().noise_cov, sample().channels, data_types="EEG",
        channel_flag=sample().recordings.channel_flag, options=options,
    )  # fmt: skip
    m = result.n_sources
    sa, va = result.source_decomp_sa, result.source_decomp_va.reshape(3, m, 3).transpose(1, 0, 2)
    theirs = sa.T[:, :, None] * (va.transpose(0, 2, 1) @ equivalent.blocks("public"))
    assert relative(theirs, result.kernel.reshape(m, 3, -1)) <= EXACT


def test_free_scans_of_few_channels_have_no_call():
    """MNE wants a location's field in three directions."""
    good = np.flatnonzero(sample().recordings.channel_flag > 0)
    kind = np.array(sample().channels.types)
    few = good[kind[good] == "EEG"]
    options = InverseOptions(method="gls", source_orient="free")
    for count, refused in ((1, True), (2, True), (3, False)):
        equivalent = mne_equivalent(options, sample(), good_channels=few[:count])
        assert equivalent.parity == "not comparable"
        assert ("three channels or more" in equivalent.reason) is refused
        assert ("make_lcmv(" not in equivalent.code) is refused
        if refused:
            with pytest.raises(ConversionError, match=r"three channels or more\.$"):
                equivalent.make()
        else:
            assert np.isfinite(equivalent.blocks()).all()


# -- refusals --------------------------------------------------------------------------------------


def test_what_is_missing_is_named():
    with pytest.raises(ConversionError, match=r"The study has no head_model: .* found dict"):
        mne_equivalent(None, {}, data_types="MEG")
    with pytest.raises(OptionError, match="Unknown NoiseMethod 'regu'"):
        mne_equivalent({"NoiseMethod": "regu"}, sample(), data_types="MEG")
    equivalent = mne_equivalent(None, sample(), data_types="MEG")
    with pytest.raises(ConversionError, match=r"Unknown route 'direct'\. Must be"):
        equivalent.blocks("direct")
    assert equivalent.options.measure == "dspm2018"  # Brainstorm's default in the study step
    assert repr(equivalent).startswith("<MneEquivalent | dSPM, lambda2 0.109")
    assert "make_inverse_operator" in equivalent._repr_html_()


def test_recordings_without_the_channels_are_refused():
    equivalent = mne_equivalent(None, sample(), data_types="MEG")
    info = mne.create_info(["A", "B"], 100.0, "eeg")
    evoked = mne.EvokedArray(np.zeros((2, 3)), info, verbose="error")
    with pytest.raises(ConversionError, match="MEG 0"):
        equivalent.prepare(evoked)
