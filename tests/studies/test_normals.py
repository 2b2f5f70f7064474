"""A study whose GridOrient and VertNormals are empty gives one kernel, whichever door is taken."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

import mne_bstinv as mb
from mne_bstinv import io
from mne_bstinv.conversion import Findings
from mne_bstinv.studies.normals import with_normals

PROTOCOL = "eeg_surface"


@pytest.fixture(scope="module")
def study(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A protocol whose head model and cortex hold no normals."""
    root = tmp_path_factory.mktemp("normals") / PROTOCOL
    shutil.copytree(data_dir / PROTOCOL, root)
    for file in root.rglob("headmodel*.mat"):
        model = dataclasses.replace(io.read_head_model(file), grid_orient=None)
        io.write_head_model(file, model, overwrite=True)
    for file in root.rglob("tess_cortex*.mat"):
        surface = dataclasses.replace(io.read_surface(file), vert_normals=None)
        io.write_surface(file, surface, overwrite=True)
    return root


@pytest.fixture(scope="module")
def stored(study: Path) -> Path:
    """A kernel of it with fixed orientations."""
    return next(
        file
        for file in sorted(study.rglob("results_MN_*KERNEL*.mat"))
        if io.read_results(file).options["SourceOrient"] == ("fixed",)
    )


def by_recompute(stored: Path) -> np.ndarray:
    return mb.recompute(stored).kernel


def by_load_study(stored: Path) -> np.ndarray:
    study, results = mb.load_study(stored), io.read_results(stored)
    return mb.compute_kernel(
        study.head_model,
        study.noise_cov,
        study.channels,
        good_channels=results.good_channel - 1,
        options=mb.InverseOptions.from_brainstorm(results.options),
    ).kernel


def by_operator_of_condition(stored: Path) -> np.ndarray:
    protocol = mb.read_protocol(stored.parents[3])
    condition = protocol.condition(*stored.parent.relative_to(protocol.data).parts)
    inv = condition.inverse_operator(stored)
    return mb.from_inverse_operator(inv, head_model=condition.head_model).imaging_kernel


def by_operator(stored: Path) -> np.ndarray:
    study, results = mb.load_study(stored), io.read_results(stored)
    bare = io.read_head_model(study.files["head_model"])
    inv = mb.to_inverse_operator(
        bare,
        study.noise_cov,
        study.channels,
        mb.InverseOptions.from_brainstorm(results.options),
        good_channels=results.good_channel - 1,
        surface=study.cortex,
    )
    return mb.from_inverse_operator(inv, head_model=study.head_model).imaging_kernel


DOORS = [by_recompute, by_load_study, by_operator, by_operator_of_condition]


@pytest.mark.parametrize("door", DOORS)
def test_every_door_gives_the_kernel_of_the_triangles_normals(
    door: Callable[[Path], np.ndarray], stored: Path
) -> None:
    study, results = mb.load_study(stored), io.read_results(stored)
    faces = np.asarray(study.cortex.faces, dtype=np.int64) - 1
    normals = mb.anatomy.vertex_normals(study.cortex.vertices, faces)
    expected = mb.compute_kernel(
        dataclasses.replace(study.head_model, grid_orient=normals),
        study.noise_cov,
        study.channels,
        good_channels=results.good_channel - 1,
        options=mb.InverseOptions.from_brainstorm(results.options),
    ).kernel
    kernel = door(stored)
    # MNE's operators are whitened and multiplied anew: rounding, 1e-12 in all studies measured
    assert_allclose(kernel, expected, rtol=0, atol=1e-11 * np.abs(expected).max())


def test_verify_recomputes_all_kernels_of_a_study_without_normals(study: Path) -> None:
    found = {one.status for one in mb.verify(study)}
    # the normals of the triangles are those that Brainstorm stored, up to their rounding
    assert "error" not in found
    assert "not comparable" not in found


def test_the_normals_of_a_surface_elsewhere_are_not_taken(study: Path) -> None:
    model = io.read_head_model(next(study.rglob("headmodel*.mat")))
    cortex = io.read_surface(next(study.rglob("tess_cortex*.mat")))
    moved = dataclasses.replace(cortex, vertices=np.asarray(cortex.vertices) + 1e-3)
    assert with_normals(model, moved, Findings()) is model
