"""Flat maps: recomputed from what Brainstorm stored, and the rules of the edges."""

from __future__ import annotations

import re

import numpy as np
import pytest

from mne_bstinv.errors import MapError, OptionError
from mne_bstinv.io import Scout
from mne_bstinv.maps import (
    absolute_sources,
    apply_directions,
    flat_directions,
    flatten_sources,
)

RNG = np.random.default_rng(1)
VALUES = RNG.normal(size=(12, 40))
TIMES = np.linspace(-0.1, 0.1, 40)
#: Two constrained locations, one loose, one free: 2 + 3 + 3 rows.
REGIONS = (
    Scout(label="a", region="LSC", grid_rows=np.array([1, 2])),
    Scout(label="b", region="RSL", grid_rows=np.array([3])),
    Scout(label="x", region="LXU"),
    Scout(label="c", region="LVU", grid_rows=np.array([4])),
)


@pytest.mark.processes("sources_post", "process_source_flat")
def test_flat_maps_are_recomputed(case, difference):
    files = [case.estimates(name) for name in case.inputs]
    method = case.options["method"]
    method = case.options["pcaedit"]["Method"] if method == "pca" else method
    flat = flatten_sources(
        [values for _, values, _ in files], 3, method, times=files[0][2].time, **case.window
    )
    for found, name in zip(flat, case.outputs, strict=True):
        assert difference(found, case.estimates(name)[1]) < 1e-13


@pytest.mark.processes("sources_post", "process_source_flat")
def test_the_power_that_is_kept_is_what_the_history_says(case):
    method = case.options.get("pcaedit", {}).get("Method", "")
    if method not in ("pcaa", "pcai"):
        return
    files = [case.estimates(name) for name in case.inputs]
    directions = flat_directions(
        [values for _, values, _ in files], 3, method, times=files[0][2].time, **case.window
    )
    kept = dict(zip(case.outputs, directions.power_kept * len(files), strict=False))
    for name, part in kept.items():
        text = " ".join(row[2] for row in case.estimates(name)[0].history)
        (stored,) = re.findall(r"([\d.]+)% of signal power kept", text)
        assert f"{100 * part:.1f}" == stored


@pytest.mark.processes("sources_post", "process_source_flat")
def test_directions_of_estimates_make_the_flat_kernel(case, difference):
    flat = case.estimates(case.outputs[0])[0]
    if not flat.is_kernel:
        return
    method = case.options["pcaedit"]["Method"]
    files = [case.estimates(name) for name in case.inputs]
    found = flat_directions(
        [values for _, values, _ in files], 3, method, times=files[0][2].time, **case.window
    )
    kernel = apply_directions(files[0][0].imaging_kernel, found.directions[0])
    assert difference(kernel, flat.imaging_kernel) < 1e-13


@pytest.mark.processes("sources_post", "process_absolute")
def test_absolute_values_are_recomputed(case, difference):
    results, values, _ = case.estimates(case.inputs[0])
    found = absolute_sources(values, results.n_components)
    assert difference(found, case.estimates(case.outputs[0])[1]) < 1e-14


def test_norm_of_three_rows():
    flat = flatten_sources([[3.0, 0], [4, 0], [0, 2], [1, 1], [2, 2], [2, 2]], 3)
    np.testing.assert_array_equal(flat, [[5, 2], [3, 3]])


def test_a_location_is_flattened_alone():
    both = flatten_sources(VALUES, 3, "pca")
    alone = np.concatenate([flatten_sources(VALUES[i : i + 3], 3, "pca") for i in range(0, 12, 3)])
    np.testing.assert_array_equal(both, alone)


@pytest.mark.parametrize("method", ["pcaa", "pcai"])
def test_one_file_is_its_own_reference(method):
    found = flat_directions(VALUES, 3, method, times=TIMES, remove_dc=False)
    (directions,) = found.directions
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1)
    assert (directions.sum(axis=1) >= 0).all()
    cov = np.array([part @ part.T for part in VALUES.reshape(4, 3, 40)])
    kept = np.linalg.eigvalsh(cov)[:, -1].sum() / np.trace(cov, axis1=1, axis2=2).sum()
    np.testing.assert_allclose(found.power_kept, [kept])
    flat = flatten_sources(VALUES, 3, method, remove_dc=False)
    np.testing.assert_allclose(flat, np.einsum("lc,lct->lt", directions, VALUES.reshape(4, 3, 40)))


def test_own_directions_turn_towards_the_reference():
    files = [VALUES, -2 * VALUES + RNG.normal(size=VALUES.shape)]
    (reference, _), own = (
        flat_directions(files, 3, method).directions for method in ("pcaa", "pcai")
    )
    for directions in own:
        assert ((directions * reference).sum(axis=1) >= 0).all()


def test_windows_are_the_nearest_samples():
    whole = flatten_sources(VALUES[:, 10:31], 3, "pcaa", remove_dc=False)
    cut = flatten_sources(
        VALUES, 3, "pcaa", times=TIMES, window=(TIMES[10] + 1e-4, TIMES[30] - 1e-4), remove_dc=False
    )
    np.testing.assert_allclose(cut[:, 10:31], whole, rtol=1e-12)


@pytest.mark.parametrize("method", ["norm", "pca", "pcaa", "pcai"])
def test_mixed_maps_keep_constrained_rows(method):
    values = VALUES[:8]
    flat = flatten_sources(values, 0, method, regions=REGIONS)
    np.testing.assert_array_equal(flat[:2], values[:2])
    np.testing.assert_allclose(flat[2:], flatten_sources(values[2:], 3, method))


def test_absolute_values_of_all_components():
    np.testing.assert_array_equal(absolute_sources([[-1.0, 2.0]]), [[1, 2]])
    np.testing.assert_array_equal(absolute_sources(VALUES, 3), flatten_sources(VALUES, 3))
    mixed = absolute_sources(VALUES[:8], 0, regions=REGIONS)
    np.testing.assert_array_equal(mixed[:2], np.abs(VALUES[:2]))


@pytest.mark.parametrize("method", ["norm", "pca", "pcaa", "pcai"])
def test_a_location_without_estimates_costs_no_other(method):
    """The dSPM of a location without gain is NaN."""
    values = VALUES.copy()
    values[3:6] = np.nan
    flat = flatten_sources(values, 3, method)
    assert np.isnan(flat[1]).all()
    rest = np.delete(np.arange(12), [3, 4, 5])
    np.testing.assert_allclose(flat[[0, 2, 3]], flatten_sources(values[rest], 3, method))


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((VALUES, 1), OptionError, "flat already"),
        ((VALUES[:11], 3), MapError, "11 rows"),
        ((VALUES, 2), OptionError, "n_components"),
        ((VALUES, 0), OptionError, "regions"),
        ((VALUES, 3, "median"), OptionError, "norm, pca, pcaa, pcai"),
        ((VALUES[0], 3), MapError, "shape"),
        ((VALUES.astype(str), 3), MapError, "real numbers"),
        (([[1.0, 2.0], [1.0]], 3), MapError, "rectangular"),
        (([VALUES, VALUES[:9]], 3), MapError, "same rows"),
    ],
)
def test_wrong_arrays_are_refused(arguments, error, words):
    with pytest.raises(error, match=words):
        flatten_sources(*arguments)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"window": (0, 0.1)}, OptionError, "times are needed"),
        ({"window": (0.1, 0), "times": TIMES}, OptionError, "forward"),
        ({"window": (0, np.nan), "times": TIMES}, OptionError, "finite"),
        ({"window": (0, 0), "times": TIMES}, MapError, "2 samples"),
        ({"baseline": (0,), "times": TIMES}, OptionError, "two times"),
        ({"window": (0, 0.1), "times": TIMES[1:]}, MapError, "40 samples"),
    ],
)
def test_wrong_windows_are_refused(options, error, words):
    with pytest.raises(error, match=words):
        flatten_sources(VALUES, 3, "pcaa", **options)


def test_regions_that_do_not_fit_are_refused():
    with pytest.raises(MapError, match="8 rows"):
        flatten_sources(VALUES[:9], 0, regions=REGIONS)


@pytest.mark.parametrize("shape", [(4, 2), (3, 3)])
def test_directions_that_do_not_fit_are_refused(shape):
    with pytest.raises(MapError, match=re.escape("(4, 3)")):
        apply_directions(VALUES, np.ones(shape))
