"""Brainstorm's inverse as MNE's InverseOperator: the same estimates, and back."""

from __future__ import annotations

import dataclasses
import logging

import mne
import numpy as np
import pytest
from inverse_twins import LOCAL, PUBLIC, one_of_each, relative, stored_results
from mne.minimum_norm import (
    apply_inverse,
    apply_inverse_cov,
    apply_inverse_epochs,
    apply_inverse_raw,
    get_point_spread,
    make_inverse_operator,
    make_inverse_resolution_matrix,
    read_inverse_operator,
    write_inverse_operator,
)

from mne_bstinv import io
from mne_bstinv.adapters.operators.operator_from_mne import from_inverse_operator
from mne_bstinv.adapters.operators.operator_to_mne import to_inverse_operator
from mne_bstinv.adapters.operators.parameters import inverse_parameters
from mne_bstinv.adapters.sources.forward_to_mne import to_forward
from mne_bstinv.adapters.sources.spaces_to_mne import to_source_spaces
from mne_bstinv.conversion import conversion_report
from mne_bstinv.errors import ConversionError
from mne_bstinv.inverse import InverseOptions, compute_kernel
from mne_bstinv.verification import verify

#: The agreement asked for with kernels that Brainstorm stored.
TWIN = 1e-11
#: What the decomposition of L L' may cost an operator at most.
DECOMPOSED = 1e-10
#: What a whitener is known to: n·eps·cond(C), of the worst covariance of these studies (29
#: channels, standard deviations of 1286 to 1). Which digits are right is up to the linear algebra.
WHITENER = 29 * np.finfo(float).eps * 1286**2
#: FIF files hold decompositions in single precision: eps of float32 is 1.2e-7, and the whitener,
#: singular values and vectors each bring one rounding.
FIF = 1e-6


def unit_data(inv):
    """Unit data for an operator: its estimate is the kernel."""
    return mne.EvokedArray(np.eye(len(inv["info"]["ch_names"])), inv["info"], nave=1)


def kernel_through_mne(inv, parameters):
    return apply_inverse(
        unit_data(inv),
        inv,
        parameters.lambda2,
        parameters.method,
        pick_ori=parameters.pick_ori,
    ).data


def brainstorm_rows(stored, inv, values):
    """Rows in SCS from MNE's values, the long way round: location by location, from positions."""
    report = conversion_report(inv).kept
    to_head = report["scs_to_head"]
    rr = np.concatenate([s["rr"][s["vertno"]] for s in inv["src"]])
    places = stored.head_model.grid_loc @ to_head[:3, :3].T + to_head[:3, 3]
    where = [int(np.argmin(np.linalg.norm(rr - place, axis=1))) for place in places]
    if values.ndim == 2:
        return values[where]
    turned = np.einsum("ba,mbn->man", to_head[:3, :3], values[where])
    if stored.results.n_components == 3:
        return turned.reshape(-1, values.shape[-1])
    normals, rows = stored.head_model.grid_orient, []
    for scout in stored.head_model.grid_atlas.scouts:
        for location in scout.grid_rows - 1:
            block = turned[location]
            rows.append(normals[location] @ block if scout.region[2] == "C" else block)
    return np.vstack(rows)


def check_twins(root, choose=list):
    parities = set()
    for stored in choose(stored_results(root)):
        if stored.method != "minnorm":
            continue
        inv = stored.quick_operator()
        parameters = inverse_parameters(inv)
        kernel = parameters.factor * kernel_through_mne(inv, parameters)
        ours = brainstorm_rows(stored, inv, kernel)
        back = from_inverse_operator(inv, channels=stored.channels)
        assert relative(back.imaging_kernel, ours) < 1e-14
        check_structure(back, stored.results)
        theirs = stored.results.imaging_kernel
        if theirs is None:
            theirs = stored.results.amplitudes
            ours = ours @ stored.recordings.f[stored.results.good_channel - 1]
        difference = relative(ours, theirs)
        parities.add(parameters.parity)
        if parameters.parity == "not comparable":
            # a class of its own only if it is true: these differ by far more than rounding
            assert difference > 0.01, (stored.file.name, parameters)
            assert parameters.reason
        else:
            assert difference <= DECOMPOSED, (stored.file.name, parameters)
            assert (parameters.factor == 1) == (parameters.parity == "exact")
    return parities


def check_structure(back, stored):
    """All that Brainstorm needs to show a kernel is as in its own file."""
    assert back.n_components == stored.n_components
    assert back.function == stored.function
    assert back.head_model_type == stored.head_model_type
    np.testing.assert_array_equal(back.good_channel, stored.good_channel)
    assert (back.n_avg, back.leff) == (1, 1.0)
    for name in ("grid_loc", "grid_orient"):
        ours, theirs = getattr(back, name), getattr(stored, name)
        assert (ours is None) == (theirs is None), name
        if theirs is not None:
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-15)
    if stored.grid_atlas is not None and stored.n_components == 0:
        ours, theirs = back.grid_atlas.grid2source, stored.grid_atlas.grid2source
        np.testing.assert_array_equal(ours.toarray(), theirs.toarray())
    if stored.whitener is not None:
        assert relative(back.whitener, stored.whitener) < WHITENER


@pytest.mark.parametrize("name", PUBLIC)
def test_twin_of_every_public_kernel(data_dir, name):
    parities = check_twins(data_dir / name)
    assert "exact" in parities
    assert ("equal up to a stated factor" in parities) == (name not in ("eeg_volume", "mixed"))


def test_twin_of_every_kernel_of_the_sample(sample_dir):
    check_twins(sample_dir)


@pytest.mark.parametrize("name", LOCAL)
def test_twins_of_local_kernels(shared_dir, name):
    check_twins(shared_dir / "oracle" / "local" / name, one_of_each)


def pick(data_dir, name, **options):
    """The first stored result with these options."""
    for stored in stored_results(data_dir / name):
        if all(stored.results.options[key] == value for key, value in options.items()):
            return stored
    raise LookupError(options)


def test_mixed_dspm_is_exact_where_it_is_comparable(data_dir):
    stored = pick(data_dir, "mixed", InverseMeasure="dspm2018")
    inv = stored.quick_operator()
    parameters = inverse_parameters(inv)
    assert parameters.parity == "not comparable"
    assert "loose orientation (the fixed and free regions are comparable)" in parameters.reason
    rows = brainstorm_rows(stored, inv, kernel_through_mne(inv, parameters))
    first, comparable = 0, {}
    for scout in stored.head_model.grid_atlas.scouts:
        last = first + len(scout.grid_rows) * (1 if scout.region[2] == "C" else 3)
        theirs = stored.results.imaging_kernel[first:last]
        comparable[scout.region[2]] = relative(rows[first:last], theirs)
        first = last
    assert comparable["C"] <= TWIN
    assert comparable["U"] <= TWIN
    assert comparable["L"] > 0.01


@pytest.mark.parametrize(
    ("options", "parity", "words"),
    [
        ({"InverseMeasure": "dspm2018", "SourceOrient": ("loose",)}, "not comparable", "after it"),
        ({"InverseMeasure": "sloreta", "SourceOrient": ("free",)}, "not comparable", "one scalar"),
        ({"InverseMeasure": "sloreta", "SourceOrient": ("fixed",)}, "equal up to", "√Λ"),
        ({"InverseMeasure": "dspm2018", "SourceOrient": ("free",)}, "exact", ""),
    ],
)  # fmt: skip
def test_parity_is_stated_and_reported(data_dir, options, parity, words):
    inv = pick(data_dir, "eeg_surface", InverseMethod="minnorm").operator(**options)
    parameters = inverse_parameters(inv)
    assert parameters.parity.startswith(parity)
    assert words in parameters.reason
    said = [f.reason for f in conversion_report(inv) if f.field == "InverseMeasure"]
    assert bool(said) == bool(words)
    assert all(words in reason for reason in said)
    (claim,) = (f.reason for f in conversion_report(inv) if f.field == "lambda2")
    assert {"exact": "gives Brainstorm's estimate.", "equal up to": "estimate up to a factor.",
            "not comparable": "which it does not give."}[parity] in claim  # fmt: skip


def test_lambda2_is_the_one_of_the_specification(data_dir):
    """lambda2 = (r/n)/SNR²: of 30 referenced electrodes one dimension is null."""
    stored = pick(data_dir, "eeg_surface", InverseMethod="minnorm", SnrMethod="fixed")
    n = len(stored.results.good_channel)
    parameters = inverse_parameters(stored.operator(SnrFixed=5.0, NoiseMethod="reg"))
    assert parameters.lambda2 == pytest.approx((n - 1) / n / 25, rel=1e-15)
    assert parameters.method == "MNE"
    assert parameters.nave == 1


@pytest.mark.parametrize("method", ["gls", "lcmv"])
def test_scans_are_no_inverse_operators(data_dir, method):
    stored = pick(data_dir, "eeg_surface", InverseMethod=method)
    with pytest.raises(ConversionError, match=f"InverseMethod '{method}' is no minimum norm"):
        stored.operator()


def test_source_spaces_of_another_head_model_are_refused(data_dir):
    stored = pick(data_dir, "eeg_surface", InverseMethod="minnorm")
    moved = dataclasses.replace(stored.head_model, grid_loc=stored.head_model.grid_loc + 0.001)
    src = to_source_spaces(moved, channels=stored.channels)
    with pytest.raises(ConversionError, match=r"up to 1\.73 mm away from the 60 locations"):
        to_inverse_operator(
            stored.head_model,
            stored.noise_cov,
            stored.channels,
            stored.results.options,
            good_channels=stored.results.good_channel - 1,
            src=src,
        )


def test_source_spaces_that_lost_their_order_are_matched_by_place(data_dir, tmp_path):
    stored = pick(data_dir, "eeg_surface", SourceOrient=("free",), InverseMeasure="amplitude")
    inv = stored.quick_operator()
    fname = tmp_path / "small-src.fif"
    mne.write_source_spaces(fname, inv["src"])
    src = mne.read_source_spaces(fname)
    again = to_inverse_operator(
        stored.head_model,
        stored.noise_cov,
        stored.channels,
        stored.results.options,
        good_channels=stored.results.good_channel - 1,
        src=src,
    )
    np.testing.assert_array_equal(
        conversion_report(again).kept["order"], conversion_report(inv).kept["order"]
    )


def test_diagonal_noise_keeps_the_reference_of_the_data(data_dir):
    """With ``diag`` a common potential counts, in Brainstorm and in the operator."""
    stored = pick(data_dir, "eeg_surface", InverseMethod="minnorm")
    inv = stored.operator(NoiseMethod="diag", SourceOrient=("fixed",), InverseMeasure="amplitude")
    (proj,) = inv["projs"]
    assert not proj["data"]["data"].any()
    assert any("vector of zeros" in f.reason for f in conversion_report(inv))
    parameters = inverse_parameters(inv)
    assert (parameters.parity, parameters.proj) == ("exact", False)
    assert "read them with proj=False" in parameters.reason
    common = np.abs(kernel_through_mne(inv, inverse_parameters(inv)).sum(axis=1)).max()
    other = stored.operator(NoiseMethod="reg", SourceOrient=("fixed",), InverseMeasure="amplitude")
    assert other["projs"][0]["data"]["data"].any()
    assert inverse_parameters(other).proj
    removed = np.abs(kernel_through_mne(other, inverse_parameters(other)).sum(axis=1)).max()
    assert removed < 1e-9 * common


@pytest.fixture(scope="module")
def sample(sample_dir):
    return stored_results(sample_dir)


@pytest.fixture(params=["free", "fixed", "loose"])
def operator(sample, request):
    loose = {"Loose": 0.3} if request.param == "loose" else {}
    (stored, *_) = (s for s in sample if s.results.options["DataTypes"] == ("EEG",))
    return stored, stored.operator(SourceOrient=(request.param,), **loose)


def evoked_of(stored, inv, nave=1):
    """The stored recordings of the operator's channels, with the projector that MNE demands."""
    picks = [stored.channels.names.index(name) for name in inv["info"]["ch_names"]]
    info = inv["info"].copy()
    return mne.EvokedArray(stored.recordings.f[picks], info, tmin=-0.1, nave=nave)


def test_functions_of_mne_agree_with_each_other(operator):
    stored, inv = operator
    p = inverse_parameters(inv)
    evoked = evoked_of(stored, inv)
    arguments = (inv, p.lambda2, p.method)
    expected = apply_inverse(evoked, *arguments, pick_ori=p.pick_ori)
    raw = mne.io.RawArray(evoked.data, evoked.info)
    epochs = mne.EpochsArray(evoked.data[None], evoked.info, proj=False)
    (from_epochs,) = apply_inverse_epochs(epochs, *arguments, pick_ori=p.pick_ori)
    from_raw = apply_inverse_raw(raw, *arguments, pick_ori=p.pick_ori)
    # (K U)(data) against K (U data): two orders of multiplication of reference-free data
    for stc in (from_epochs, from_raw):
        assert relative(stc.data, expected.data) < 1e-11
    cov = mne.Covariance(evoked.data @ evoked.data.T, evoked.ch_names, [], [], nfree=1)
    power = apply_inverse_cov(cov, evoked.info, inv, 1, p.lambda2, p.method)
    axes = tuple(range(1, expected.data.ndim))
    assert relative(power.data[:, 0], (expected.data**2).sum(axis=axes)) < 1e-10
    label = mne.Label(expected.vertices[1][5:25], hemi="rh")
    part = apply_inverse(evoked, *arguments, pick_ori=p.pick_ori, label=label)
    first = len(expected.vertices[0]) + 5
    assert relative(part.data, expected.data[first : first + 20]) < 1e-12


def test_orientations_can_be_picked(operator):
    stored, inv = operator
    p = inverse_parameters(inv)
    evoked = evoked_of(stored, inv)
    if p.pick_ori is None:  # one row a source has one direction: the normal in head
        vector = apply_inverse(evoked, inv, p.lambda2, p.method, pick_ori="vector")
        scalar = apply_inverse(evoked, inv, p.lambda2, p.method)
        nn = np.concatenate([s["nn"][s["vertno"]] for s in inv["src"]])
        assert relative(vector.data, nn[:, :, None] * scalar.data[:, None]) < 1e-12
        return
    vector = apply_inverse(evoked, inv, p.lambda2, p.method, pick_ori="vector")
    length = apply_inverse(evoked, inv, p.lambda2, p.method)
    normal = apply_inverse(evoked, inv, p.lambda2, p.method, pick_ori="normal", use_cps=False)
    np.testing.assert_allclose(vector.magnitude().data, length.data, rtol=1e-12)
    nn = np.concatenate([s["nn"][s["vertno"]] for s in inv["src"]])
    along = np.einsum("ma,mat->mt", nn, vector.data)
    assert relative(normal.data, along) < 1e-12


def test_resolution_and_point_spread(operator):
    stored, inv = operator
    p = inverse_parameters(inv)
    fwd = to_forward(stored.head_model, stored.channels, **stored.places)
    if p.pick_ori is None:
        fwd = mne.convert_forward_solution(fwd, force_fixed=True, use_cps=False)
    resolution = make_inverse_resolution_matrix(fwd, inv, method=p.method, lambda2=p.lambda2)
    n = inv["nsource"] * (1 if p.pick_ori is None else 3)
    assert resolution.shape == (n, n)
    spread = get_point_spread(resolution, inv["src"], idx=[3], mode=None)
    assert spread.data.shape[0] == inv["nsource"]
    if p.pick_ori is None:
        names = inv["info"]["ch_names"]
        gain = mne.pick_channels_forward(fwd, names, ordered=True)["sol"]["data"]
        expected = kernel_through_mne(inv, p) @ gain
        assert relative(resolution, expected) < 1e-12


def test_file_round_trip(operator, tmp_path):
    stored, inv = operator
    p = inverse_parameters(inv)
    fname = tmp_path / "brainstorm-inv.fif"
    write_inverse_operator(fname, inv)
    again = read_inverse_operator(fname)
    assert inverse_parameters(again) == p == inverse_parameters(inv.copy())
    evoked = evoked_of(stored, inv)
    one, two = (
        apply_inverse(evoked, o, p.lambda2, p.method, pick_ori=p.pick_ori) for o in (inv, again)
    )
    assert relative(two.data, one.data) < FIF
    # the file lost the order of the locations: the head model gives it back
    back = from_inverse_operator(again, channels=stored.channels, head_model=stored.head_model)
    assert relative(back.imaging_kernel, from_inverse_operator(inv).imaging_kernel) < FIF


@pytest.mark.parametrize("noise_method", ["reg", "diag"])
def test_intracranial_electrodes(data_dir, tmp_path, noise_method):
    """Each type has a reference of its own; SnrMethod rms states Λ itself."""
    stored = pick(data_dir, "eeg_surface", InverseMethod="minnorm")
    kinds = ("SEEG", "ECOG")
    channels = dataclasses.replace(
        stored.channels,
        channels=tuple(
            dataclasses.replace(c, type=kinds[i % 2] if c.type == "EEG" else c.type)
            for i, c in enumerate(stored.channels.channels)
        ),
    )
    wanted = InverseOptions(
        source_orient="loose", snr_method="rms", snr_rms=2e-9, noise_method=noise_method
    )
    study = (stored.head_model, stored.noise_cov, channels)
    good = {"good_channels": stored.results.good_channel - 1}
    inv = to_inverse_operator(*study, wanted, **good, surface=stored.surface)
    assert [proj["desc"] for proj in inv["projs"]] == [
        "Average SEEG reference",
        "Average ECOG reference",
    ]
    expected = compute_kernel(*study, options=wanted, **good)
    back = from_inverse_operator(inv, channels=channels)
    assert relative(back.imaging_kernel, expected.kernel) < TWIN
    fname = tmp_path / "intracranial-inv.fif"
    write_inverse_operator(fname, inv)
    again = from_inverse_operator(
        read_inverse_operator(fname), channels=channels, head_model=stored.head_model
    )
    assert relative(again.imaging_kernel, expected.kernel) < FIF


@pytest.mark.parametrize("measure", ["amplitude", "dspm2018", "sloreta"])
def test_locations_without_gain_are_nan_as_in_brainstorm(data_dir, measure):
    stored = pick(data_dir, "eeg_surface", InverseMethod="minnorm")
    gain = stored.head_model.gain.copy()
    gain[:, 30:33] = 0
    study = (
        dataclasses.replace(stored.head_model, gain=gain),
        stored.noise_cov,
        stored.channels,
    )
    good = {"good_channels": stored.results.good_channel - 1}
    options = InverseOptions(measure=measure)
    inv = to_inverse_operator(*study, options, **good, surface=stored.surface)
    back = from_inverse_operator(inv, channels=stored.channels)
    expected = compute_kernel(*study, options=options, **good).kernel
    assert np.isnan(expected).any() == (measure != "amplitude")
    assert relative(back.imaging_kernel, expected) < TWIN
    said = [f.reason for f in conversion_report(inv) if f.field == "Gain"]
    assert bool(said) == (measure != "amplitude")


def test_one_channel(data_dir):
    stored = pick(data_dir, "eeg_surface", InverseMethod="minnorm")
    study = (stored.head_model, stored.noise_cov, stored.channels)
    inv = to_inverse_operator(*study, good_channels=[3], surface=stored.surface)
    expected = compute_kernel(*study, good_channels=[3]).kernel
    back = from_inverse_operator(inv, channels=stored.channels)
    assert relative(back.imaging_kernel, expected) < TWIN


def test_inputs_are_not_changed(sample):
    stored = sample[0]
    src = to_source_spaces(stored.head_model, channels=stored.channels, **stored.places)
    before = {
        id(s): {k: np.copy(v) for k, v in s.items() if isinstance(v, np.ndarray)} for s in src
    }
    inv = to_inverse_operator(
        stored.head_model,
        stored.noise_cov,
        stored.channels,
        stored.results.options,
        good_channels=stored.results.good_channel - 1,
        src=src,
        **stored.places,
    )
    state = {key: np.copy(inv["noise_cov"][key]) for key in ("data", "eig", "eigvec")}
    from_inverse_operator(inv)
    for key, value in state.items():
        np.testing.assert_array_equal(inv["noise_cov"][key], value)
    for s in src:
        for key, value in before[id(s)].items():
            np.testing.assert_array_equal(s[key], value)


def test_averages_do_not_change_brainstorms_amplitude_but_mnes_dspm(sample):
    stored = next(s for s in sample if s.results.function == "dspm2018")
    inv = stored.operator()
    p = inverse_parameters(inv)
    one, eighty = (
        apply_inverse(evoked_of(stored, inv, nave=n), inv, p.lambda2, "dSPM") for n in (1, 80)
    )
    # what Brainstorm's √Leff does afterwards, MNE's nave does inside
    assert relative(np.sqrt(80) * one.data, eighty.data) < 1e-12
    back = from_inverse_operator(inv, p.lambda2, "dSPM", nave=80)
    assert (back.n_avg, back.leff) == (80, 80.0)
    assert relative(back.imaging_kernel, stored.results.imaging_kernel) < TWIN


def test_only_half_of_the_arguments_is_refused(sample):
    inv = sample[0].operator()
    with pytest.raises(ConversionError, match=r"both lambda2 and method .*, or neither"):
        from_inverse_operator(inv, 1 / 9)
    with pytest.raises(ConversionError, match="Unknown method 'dspm'"):
        from_inverse_operator(inv, 1 / 9, "dspm")


def test_orientations_that_an_operator_does_not_have_are_refused(sample):
    """MNE would fail at reshaping the normals."""
    fixed = next(s for s in sample if s.results.n_components == 1).operator()
    words = r"pick_ori='normal' \(--pick-ori\) takes .* and this is one of fixed orientation: "
    with pytest.raises(ConversionError, match=words):
        from_inverse_operator(fixed, pick_ori="normal")
    with pytest.raises(ConversionError, match="or 'normal', found 'Normal'"):
        from_inverse_operator(fixed, pick_ori="Normal")


def test_an_operator_without_the_average_reference_is_refused_in_words(sample):
    """MNE makes one of EEG all the same, and refuses to apply it."""
    inv = next(s for s in sample if s.results.options["DataTypes"] == ("EEG",)).operator()
    inv["projs"] = []
    with pytest.raises(ConversionError, match="cannot apply the operator: EEG average reference"):
        from_inverse_operator(inv, 1 / 9, "MNE")


def test_a_recomputable_kernel_is_recomputed_in_its_study(sample, tmp_path):
    """With Brainstorm's options the kernel is Brainstorm's: verification finds it equal."""
    stored = sample[0]
    back = from_inverse_operator(
        stored.operator(),
        channels=stored.channels,
        head_model_file=stored.results.head_model_file,
        surface_file=stored.results.surface_file,
        data_file=stored.results.data_file,
    )
    for part in (stored.file.parent.glob("*.mat"), [stored.file.parents[3] / "anat"]):
        for file in part:
            if file.is_file() and io.file_kind(file.name) != "results":
                (tmp_path / file.name).symlink_to(file)
    fname = tmp_path / "results_MN_KERNEL_1.mat"
    io.write_results(fname, back)
    (outcome,) = verify(fname)
    assert outcome.status == "equal", outcome


@pytest.mark.parametrize("reread", [False, True])
def test_mnes_own_operator_on_a_mixed_model(data_dir, tmp_path, reread):
    """Vectors everywhere: regions say what the rows are, and the maps of Brainstorm are there."""
    stored = pick(data_dir, "mixed", InverseMeasure="amplitude")
    fwd = to_forward(stored.head_model, stored.channels, **stored.places)
    ours = stored.quick_operator()
    evoked = unit_data(ours)
    cov = mne.Covariance(np.eye(len(evoked.ch_names)), evoked.ch_names, [], [], nfree=1)
    inv = make_inverse_operator(evoked.info, fwd, cov, loose=1.0)
    if reread:
        write_inverse_operator(tmp_path / "mixed-inv.fif", inv)
        inv = read_inverse_operator(tmp_path / "mixed-inv.fif")
    back = from_inverse_operator(inv, 1 / 9, "MNE", channels=stored.channels)
    n = stored.head_model.n_sources
    assert back.n_components == 0
    assert back.imaging_kernel.shape == (3 * n, len(stored.results.good_channel))
    assert {scout.region[2] for scout in back.grid_atlas.scouts} == {"U"}
    # every location has three rows, in the order of the regions
    maps = back.grid_atlas.grid2source.toarray()
    np.testing.assert_array_equal(maps.sum(axis=0), np.full(n, 3))
    np.testing.assert_array_equal(maps.sum(axis=1), np.ones(3 * n))
    where = maps @ back.grid_loc
    to_head = conversion_report(ours).kept["scs_to_head"]
    vectors = apply_inverse(evoked, inv, 1 / 9, "MNE", pick_ori="vector").data
    rr = np.concatenate([s["rr"][s["vertno"]] for s in inv["src"]])
    for row in range(0, 3 * n, 3 * 10):
        place = to_head[:3, :3] @ where[row] + to_head[:3, 3]
        source = int(np.argmin(np.linalg.norm(rr - place, axis=1)))
        turned = to_head[:3, :3].T @ vectors[source]
        assert relative(back.imaging_kernel[row : row + 3], turned) < FIF


# The real sensors, covariance and source space of MNE's sample subject.


@pytest.fixture(scope="module")
def mne_sample(shared_dir):
    folder = shared_dir / "real" / "mne_sample"
    # the file has no name for its first condition's baseline; nothing else is asked of it
    evoked = mne.read_evokeds(folder / "test-ave.fif.gz", condition=0, proj=False, verbose="error")
    cov = mne.read_cov(folder / "test-cov.fif", verbose="error")
    src = mne.read_source_spaces(folder / "small-src.fif.gz", verbose="error")
    matrix = np.loadtxt(folder / "sample-audvis-raw-trans.txt")
    trans = mne.Transform("head", "mri", matrix)
    sphere = mne.make_sphere_model((0.0, 0.0, 0.04), head_radius=0.1, verbose="error")
    info = mne.pick_info(evoked.info, mne.pick_types(evoked.info, meg=True, eeg=True, exclude=[]))
    fwd = mne.make_forward_solution(info, trans, src, sphere, mindist=0.0, verbose="error")
    return evoked, cov, fwd


@pytest.mark.parametrize(
    ("loose", "method", "pick_ori", "components", "function"),
    [
        (0.2, "dSPM", None, 3, "dspm2018"),
        (1.0, "MNE", None, 3, "mn"),
        (0.2, "MNE", "normal", 1, "mn"),
        (0.0, "sLORETA", None, 1, "sloreta"),
        (0.0, "eLORETA", None, 1, "mn"),
    ],
)
def test_mnes_own_operator_becomes_a_kernel(
    mne_sample, tmp_path, loose, method, pick_ori, components, function
):
    evoked, cov, fwd = mne_sample
    inv = make_inverse_operator(
        evoked.info, fwd, cov, loose=loose, fixed=loose == 0, verbose="error"
    )
    lambda2 = 1 / 9
    back = from_inverse_operator(
        inv, lambda2, method, pick_ori=pick_ori, nave=evoked.nave, info=evoked.info
    )
    assert back.n_components == components
    assert back.function == function
    report = conversion_report(back)
    channels, grid = report.kept["channels"], report.kept["grid"]
    unaveraged = evoked.copy()
    unaveraged.nave = 1
    stc = apply_inverse(
        unaveraged,
        inv,
        lambda2,
        method,
        pick_ori=pick_ori or (components == 3 and "vector") or None,
    )
    names = [channels.names[i - 1] for i in back.good_channel]
    data = evoked.data[[evoked.ch_names.index(name) for name in names]]
    ours = back.imaging_kernel @ data
    # K is projected once by MNE and the data not: the same product in another order
    lengths = np.linalg.norm(ours.reshape(-1, components, ours.shape[1]), axis=1)
    theirs = stc.data if components == 1 else stc.magnitude().data
    assert relative(lengths, np.abs(theirs)) < 1e-9
    folded = [f.reason for f in report if f.field == "projs"]
    assert any("PCA-v1" in reason for reason in folded)
    assert any("Average EEG reference" in reason for reason in folded)
    assert grid.surface.vertices.shape == (516, 3)
    fname = tmp_path / "results_MNE_KERNEL_1.mat"
    io.write_results(fname, back)
    again = io.read_results(fname)
    np.testing.assert_array_equal(again.imaging_kernel, back.imaging_kernel)
    assert again.options["InverseMethod"] == "mne-python"


def test_rows_of_mnes_own_operator_are_in_scs(mne_sample):
    """A free row triple turned by the fiducials' rotation is MNE's vector in head."""
    evoked, cov, fwd = mne_sample
    inv = make_inverse_operator(evoked.info, fwd, cov, loose=1.0, verbose="error")
    back = from_inverse_operator(inv, 1 / 9, "MNE", info=evoked.info)
    grid = conversion_report(back).kept["grid"]
    rr = np.concatenate([s["rr"][s["vertno"]] for s in inv["src"]])[np.argsort(grid.order)]
    # the rotation from head to SCS from positions alone (Kabsch)
    a, b = rr - rr.mean(axis=0), grid.grid_loc - grid.grid_loc.mean(axis=0)
    u, _, vt = np.linalg.svd(a.T @ b)
    rotation = (u @ vt).T
    names = list(inv["noise_cov"]["names"])
    info = mne.pick_info(evoked.info, [evoked.ch_names.index(name) for name in names])
    unit = mne.EvokedArray(np.eye(len(names)), info, nave=1)
    kernel = apply_inverse(unit, inv, 1 / 9, "MNE", pick_ori="vector").data
    kernel = np.einsum("ab,mbn->man", rotation, kernel[np.argsort(grid.order)])
    channels = conversion_report(back).kept["channels"]
    columns = [names.index(channels.names[i - 1]) for i in back.good_channel]
    ours = back.imaging_kernel.reshape(kernel.shape[0], 3, -1)
    assert relative(ours, kernel[..., columns]) < 1e-12


def test_without_fiducials_the_frame_is_a_reported_guess(mne_sample):
    evoked, cov, fwd = mne_sample
    inv = make_inverse_operator(evoked.info, fwd, cov, loose=1.0, verbose="error")
    back = from_inverse_operator(inv, 1 / 9, "MNE")
    assert any("no fiducials" in f.reason for f in conversion_report(back).of("assumed"))
    known = from_inverse_operator(inv, 1 / 9, "MNE", info=evoked.info)
    assert not any("no fiducials" in f.reason for f in conversion_report(known))


def test_foreign_operators_have_no_parameters_of_brainstorm(mne_sample):
    evoked, cov, fwd = mne_sample
    inv = make_inverse_operator(evoked.info, fwd, cov, verbose="error")
    with pytest.raises(ConversionError, match="not made from Brainstorm's options"):
        inverse_parameters(inv)


def test_findings_are_logged_once(sample, caplog):
    stored = next(s for s in sample if s.results.function == "dspm2018")
    with caplog.at_level(logging.INFO, logger="mne_bstinv"):
        inv = stored.operator()
    for finding in conversion_report(inv):
        said = [r for r in caplog.records if r.getMessage().endswith(str(finding))]
        assert len(said) == 1, str(finding)
