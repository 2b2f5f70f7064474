"""Results ⇄ source estimates: order, frame, unit, and what neither side can hold."""

from __future__ import annotations

import dataclasses
import json

import mne
import numpy as np
import pytest
from inverse_twins import LOCAL, PUBLIC, relative, stored_results

from mne_bstinv import io
from mne_bstinv.adapters.operators.estimate_from_mne import from_source_estimate
from mne_bstinv.adapters.operators.estimate_to_mne import to_source_estimate
from mne_bstinv.adapters.sources.spaces_to_mne import to_source_spaces
from mne_bstinv.conversion import conversion_report
from mne_bstinv.errors import ConversionError
from mne_bstinv.frames import scs_to_head

#: Two rotations and a product in double precision.
TRIP = 1e-12

KINDS = {
    ("surface", False): mne.SourceEstimate,
    ("surface", True): mne.VectorSourceEstimate,
    ("volume", True): mne.VolVectorSourceEstimate,
    ("mixed", True): mne.MixedVectorSourceEstimate,
}


def convert(stored, **options):
    return to_source_estimate(
        stored.results, stored.recordings, channels=stored.channels, **stored.places, **options
    )


def check_round_trips(root):
    for stored in stored_results(root):
        stc = convert(stored)
        expected = stored.estimate()
        vector = stored.results.n_components != 1
        assert type(stc) is KINDS[stored.results.head_model_type or "surface", vector]
        back = from_source_estimate(stc)
        assert relative(back.image_grid_amp, expected) <= TRIP, stored.file.name
        assert back.imaging_kernel is None
        time = stored.results.time
        if time is not None:
            np.testing.assert_array_equal(back.time, time)
        for name in ("n_components", "function", "data_file", "head_model_file", "options"):
            assert getattr(back, name) == getattr(stored.results, name), name
        assert back.history[:-1] == stored.results.history
        check_places(stored, stc, expected)


def check_places(stored, stc, expected):
    """The value of each source is that of the location it is at, turned into head."""
    src = conversion_report(stc).kept["src"]
    rr = np.concatenate([s["rr"][s["vertno"]] for s in src])
    assert [list(v) for v in stc.vertices] == [list(s["vertno"]) for s in src]
    frame = scs_to_head(stored.channels, stored.mri).matrix
    places = stored.head_model.grid_loc @ frame[:3, :3].T + frame[:3, 3]
    function, p = stored.results.function, stored.results.n_components
    data = stc.data
    for source in range(0, len(rr), 7):
        location = int(np.argmin(np.linalg.norm(places - rr[source], axis=1)))
        assert np.linalg.norm(places[location] - rr[source]) < 1e-12
        if p == 1:
            np.testing.assert_allclose(data[source], expected[location], rtol=1e-12, equal_nan=True)
        if p == 3:
            block = expected[3 * location : 3 * location + 3]
            # scans and loose rows in local frames: lengths only
            lengths = [np.linalg.norm(x, axis=0) for x in (data[source], block)]
            np.testing.assert_allclose(*lengths, rtol=1e-10)
            if function == "mn":
                turned = frame[:3, :3] @ block
                np.testing.assert_allclose(
                    data[source], turned, rtol=0, atol=1e-12 * lengths[1].max()
                )


@pytest.mark.parametrize("name", PUBLIC)
def test_round_trip_of_every_public_result(data_dir, name):
    check_round_trips(data_dir / name)


def test_round_trip_of_the_sample(sample_dir):
    check_round_trips(sample_dir)


@pytest.mark.parametrize("name", LOCAL)
def test_round_trip_of_every_local_result(shared_dir, name):
    check_round_trips(shared_dir / "oracle" / "local" / name)


@pytest.fixture(scope="module")
def sample(sample_dir):
    return {s.results.comment: s for s in stored_results(sample_dir)}


@pytest.fixture
def dspm(sample):
    return sample["dSPM-unscaled: MEG ALL(Constr) 2018"]


@pytest.fixture
def free(sample):
    return sample["MN: EEG(Unconstr) 2018"]


def test_simulated_sources_are_found_in_both_hemispheres(sample, sample_dir):
    """Two focal sources, left at 120 ms and right at 170 ms; found by position, not by index."""
    facts = json.loads((sample_dir / "manifest.json").read_text())["facts"]
    stored = sample["MN: MEG ALL(Constr) 2018"]
    truth = stored.surface.vertices[np.array(facts["simulated_vertices"]) - 1]
    frame = scs_to_head(stored.channels, stored.mri).matrix
    truth = truth @ frame[:3, :3].T + frame[:3, 3]
    stc = convert(stored)
    src = conversion_report(stc).kept["src"]
    rr = [s["rr"][s["vertno"]] for s in src]
    # head x runs to the right
    for place, hemi, time in zip(truth, np.where(truth[:, 0] < 0, 0, 1), (0.12, 0.17), strict=True):
        part = stc.data[: len(rr[0])] if hemi == 0 else stc.data[len(rr[0]) :]
        peak = rr[hemi][np.abs(part[:, np.argmin(np.abs(stc.times - time))]).argmax()]
        assert np.linalg.norm(peak - place) < 0.03


def test_scalar_kernels_stay_factors(dspm):
    """Until the data are asked for, MNE holds kernel and sensor data: a change of both shows."""
    stc = convert(dspm)
    n_rows, n_times = stc.shape
    assert (n_rows, n_times) == dspm.estimate().shape
    # only a (kernel, data) pair is transformed without a warning that its data were multiplied out
    halved = stc.transform_data(lambda data: data / 2)
    assert relative(halved, stc.data / 2) < 1e-12
    with pytest.warns(RuntimeWarning, match="not accessing the data attribute"):
        stc.transform_data(lambda data: data / 2)


def test_dspm_is_scaled_on_request(dspm):
    assert dspm.recordings.effective_averages == 80
    plain, scaled = convert(dspm), convert(dspm, scale_leff=True)
    assert relative(scaled.data, np.sqrt(80) * plain.data) < 1e-14
    said = [[f.reason for f in conversion_report(s) if f.field == "Leff"] for s in (plain, scaled)]
    assert "scale_leff=True" in said[0][0]
    assert "× √Leff (Leff = 80)" in said[1][0]
    # the way back is the file's own scale
    assert relative(from_source_estimate(scaled).image_grid_amp, dspm.estimate()) < TRIP


def test_only_dspm_is_scaled(free):
    with pytest.raises(ConversionError, match="Only dspm2018 is scaled by √Leff"):
        convert(free, scale_leff=True)


def test_what_belongs_to_results_but_not_to_mne_is_reported(dspm):
    results = dataclasses.replace(dspm.results, std=np.ones(3), z_score={"mean": 1.0})
    stc = to_source_estimate(
        results, dspm.recordings, channels=dspm.channels, surface=dspm.surface, mri=dspm.mri
    )
    assert {f.field for f in conversion_report(stc).of("dropped")} == {"Std", "ZScore"}
    assert from_source_estimate(stc).z_score == results.z_score


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"recordings": None}, "needs recordings"),
        ({"recordings": "link"}, "a link to a continuous file"),
        ({"recordings": "short"}, "The recordings have 5 channels"),
        ({"surface": None}, "give it, or the head model"),
        ({"surface": "half"}, "The results have 296 rows, but 148 belong to 148 locations"),
        ({"good": None}, "no GoodChannel"),
        ({"time": "irregular"}, "Time is not regular"),
    ],
)
def test_wrong_pairs_are_refused(dspm, change, message):
    results, recordings, surface = dspm.results, dspm.recordings, dspm.surface
    ((what, how),) = change.items()
    if what == "recordings":
        recordings = {
            None: None,
            "link": dataclasses.replace(recordings, f=None, link={"a": 1}),
            "short": dataclasses.replace(recordings, f=recordings.f[:5]),
        }[how]
    if what == "surface":
        half = dataclasses.replace(
            surface,
            vertices=surface.vertices[:148],
            vert_normals=surface.vert_normals[:148],
            faces=surface.faces[(surface.faces <= 148).all(axis=1)],
            atlas=(),
        )
        surface = None if how is None else half
    if what == "good":
        results = dataclasses.replace(results, good_channel=None)
    if what == "time":
        recordings = dataclasses.replace(recordings, time=recordings.time**3)
    with pytest.raises(ConversionError, match=message):
        to_source_estimate(results, recordings, channels=dspm.channels, surface=surface)


def test_a_head_model_takes_the_place_of_the_surface(free):
    stc = to_source_estimate(
        free.results, free.recordings, channels=free.channels, head_model=free.head_model
    )
    assert isinstance(stc, mne.VolVectorSourceEstimate)  # discrete: there are no triangles
    with_surface = convert(free)
    order = [conversion_report(s).kept["order"] for s in (stc, with_surface)]
    np.testing.assert_allclose(
        stc.data[np.argsort(order[0])], with_surface.data[np.argsort(order[1])], rtol=1e-13
    )


def test_part_of_an_estimate_leaves_zeros(free):
    stc = convert(free)
    label = mne.Label(stc.vertices[0][3:9], hemi="lh")
    part = stc.in_label(label)
    back = from_source_estimate(part, conversion_report(stc).kept["src"], channels=free.channels)
    blocks = back.image_grid_amp.reshape(-1, 3, back.image_grid_amp.shape[1])
    kept = np.flatnonzero(blocks.any(axis=(1, 2)))
    np.testing.assert_array_equal(kept, np.sort(conversion_report(stc).kept["order"][3:9]))
    assert relative(blocks[kept], free.estimate().reshape(blocks.shape)[kept]) < TRIP
    assert any("are not in the estimate" in f.reason for f in conversion_report(back))


def test_times_of_a_cropped_estimate(dspm):
    stc = convert(dspm).crop(0.1, 0.2)
    back = from_source_estimate(stc)
    time = dspm.recordings.time
    inside = (time > 0.0999) & (time < 0.2001)
    np.testing.assert_allclose(back.time, time[inside], rtol=0, atol=1e-12)
    assert relative(back.image_grid_amp, dspm.estimate()[:, inside]) < TRIP


def test_an_estimate_of_mne_becomes_results(free):
    """Nothing kept: source spaces and channel file say where the rows go."""
    made = convert(free)
    src = conversion_report(made).kept["src"]
    stc = mne.VectorSourceEstimate(made.data, made.vertices, made.tmin, made.tstep)
    back = from_source_estimate(
        stc,
        src,
        channels=free.channels,
        mri=free.mri,
        function="dspm2018",
        comment="mine",
        surface_file="Subject01/tess_cortex.mat",
    )
    assert relative(back.image_grid_amp, free.estimate()) < TRIP
    assert (back.function, back.comment, back.n_components) == ("dspm2018", "mine", 3)
    assert back.head_model_type == "surface"
    assert back.surface_file == "Subject01/tess_cortex.mat"
    assert len(conversion_report(back).of("assumed")) == 0
    anonymous = from_source_estimate(stc, src, channels=free.channels)
    assert {f.field for f in conversion_report(anonymous).of("assumed")} == {
        "Function",
        "SurfaceFile",
    }
    length = from_source_estimate(stc.magnitude(), src, channels=free.channels)
    assert length.n_components == 1
    expected = np.linalg.norm(free.estimate().reshape(-1, 3, len(stc.times)), axis=1)
    assert relative(length.image_grid_amp, expected) < TRIP


def test_results_can_be_written_and_read(free, tmp_path):
    back = from_source_estimate(convert(free))
    io.write_results(tmp_path / "results_mne.mat", back)
    again = io.read_results(tmp_path / "results_mne.mat")
    np.testing.assert_array_equal(again.image_grid_amp, back.image_grid_amp)
    assert again.history[-1] == back.history[-1]


def test_mixed_estimates_have_their_parts(data_dir):
    stored = next(s for s in stored_results(data_dir / "mixed") if s.results.function == "mn")
    stc = convert(stored)
    assert isinstance(stc.surface(), mne.VectorSourceEstimate)
    assert isinstance(stc.volume(), mne.VolVectorSourceEstimate)
    src = conversion_report(stc).kept["src"]
    scalar = mne.MixedSourceEstimate(stc.magnitude().data, stc.vertices, stc.tmin, stc.tstep)
    back = from_source_estimate(scalar, src, channels=stored.channels)
    assert {scout.region[2] for scout in back.grid_atlas.scouts} == {"C"}
    assert back.image_grid_amp.shape[0] == stored.head_model.n_sources
    # what constrained regions cannot hold is said, not dropped in silence
    rng = np.random.default_rng(0)
    stc.data[:] = rng.normal(size=stc.data.shape)
    lossy = from_source_estimate(stc)
    assert any("not along the normal is lost" in f.reason for f in conversion_report(lossy))


def test_foreign_objects_are_refused(free):
    stc = convert(free)
    src = conversion_report(stc).kept["src"]
    bare = mne.VectorSourceEstimate(stc.data, stc.vertices, stc.tmin, stc.tstep)
    with pytest.raises(ConversionError, match="source spaces of the estimate are unknown"):
        from_source_estimate(bare)
    shifted = mne.VectorSourceEstimate(stc.data, [v + 1 for v in stc.vertices], stc.tmin, stc.tstep)
    with pytest.raises(ConversionError, match="vertices that are not in use"):
        from_source_estimate(shifted, src, channels=free.channels)
    volume = to_source_spaces(free.head_model, channels=free.channels)
    with pytest.raises(ConversionError, match="2 lists of vertices"):
        from_source_estimate(bare, volume, channels=free.channels)
    complex_ = mne.SourceEstimate(stc.data[:, 0] * 1j, stc.vertices, stc.tmin, stc.tstep)
    with pytest.raises(ConversionError, match="is complex"):
        from_source_estimate(complex_, src, channels=free.channels)


def test_files_of_mne(dspm, free, tmp_path):
    """`.stc` files hold single precision, HDF5 files everything."""
    stc = convert(dspm)
    stc.save(tmp_path / "dspm")
    again = mne.read_source_estimate(tmp_path / "dspm")
    back = from_source_estimate(
        again, conversion_report(stc).kept["src"], channels=dspm.channels, function="dspm2018"
    )
    assert relative(back.image_grid_amp, dspm.estimate()) < np.finfo(np.float32).eps
    np.testing.assert_allclose(back.time, dspm.recordings.time, rtol=0, atol=1e-7)
    pytest.importorskip("h5io")
    vector = convert(free)
    vector.save(tmp_path / "free-stc.h5")
    again = mne.read_source_estimate(tmp_path / "free-stc.h5")
    back = from_source_estimate(
        again, conversion_report(vector).kept["src"], channels=free.channels, mri=free.mri
    )
    assert relative(back.image_grid_amp, free.estimate()) < TRIP


def test_inputs_are_not_changed(free):
    before = free.recordings.f.copy()
    stc = convert(free)
    data = stc.data.copy()
    from_source_estimate(stc)
    np.testing.assert_array_equal(stc.data, data)
    np.testing.assert_array_equal(free.recordings.f, before)
    assert not free.results.imaging_kernel.flags.writeable


def test_bad_channels_of_the_kernel_are_a_finding_and_nan_an_error(data_dir):
    everything = stored_results(data_dir / "eeg_surface")
    stored = next(s for s in everything if s.results.imaging_kernel is not None)
    first = int(stored.results.good_channel[0])
    flag = np.ones(len(stored.recordings.f), dtype=int)
    flag[first - 1] = -1
    marked = dataclasses.replace(stored.recordings, channel_flag=flag)
    stc = convert(dataclasses.replace(stored, recordings=marked))
    findings = [f for f in conversion_report(stc) if f.field == "ChannelFlag"]
    assert [f.severity for f in findings] == ["assumed"]
    assert f"mark 1 of the kernel's channels as bad (1-based: {first})" in findings[0].reason
    values = np.array(stored.recordings.f)
    values[first - 1, 0] = np.nan
    broken = dataclasses.replace(stored.recordings, f=values)
    with pytest.raises(ConversionError, match=rf"not finite in 1 of .* \(1-based: {first}\)"):
        convert(dataclasses.replace(stored, recordings=broken))
