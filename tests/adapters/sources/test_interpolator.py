"""Volume source spaces: values at the voxels of the MRI, and what MNE makes of them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import mne
import numpy as np
import pytest
from scipy.interpolate import RegularGridInterpolator

import mne_bstinv as mb
from mne_bstinv import io
from mne_bstinv.adapters.sources.interpolator import trilinear
from mne_bstinv.conversion import conversion_report
from mne_bstinv.frames import scs_to_surface_ras, transform_points

SUBJECT = "Subject01"


def turned(angle: float, step: float, shift: object) -> np.ndarray:
    """From voxels to nodes: a turn about two axes, nodes ``step`` voxels apart."""
    c, s = np.cos(angle), np.sin(angle)
    matrix = np.eye(4)
    about_z = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    matrix[:3, :3] = about_z @ about_z[[2, 0, 1]][:, [2, 0, 1]] / step
    matrix[:3, 3] = shift
    return matrix


@pytest.mark.parametrize("angle", [0.0, 0.7])
def test_weights_are_trilinear(angle: float) -> None:
    rng = np.random.default_rng(0)
    nodes, voxels = (5, 4, 6), (14, 12, 15)
    to_nodes = turned(angle, 3.0, [0.3, -0.4, 0.2])
    used = rng.random(np.prod(nodes)) < 0.6
    values = rng.standard_normal(np.prod(nodes)) * used
    weights = trilinear(nodes, used.astype(int), voxels, to_nodes)
    assert weights.shape == (np.prod(voxels), np.prod(nodes))
    assert weights.dtype == np.float32
    assert not weights[:, ~used].nnz
    # beyond the outermost nodes values fall to 0 within a step
    axes = [np.arange(-1, n + 1) for n in nodes]
    padded = np.pad(values.reshape(nodes, order="F"), 1)
    expected = RegularGridInterpolator(axes, padded, bounds_error=False, fill_value=0.0)(
        transform_points(
            to_nodes, np.stack(np.unravel_index(np.arange(np.prod(voxels)), voxels, order="F"), 1)
        )
    )
    np.testing.assert_allclose(weights @ values, expected, rtol=0, atol=1e-6)


def test_no_node_in_use() -> None:
    assert trilinear((2, 2, 2), np.zeros(8, dtype=int), (3, 3, 3), np.eye(4)).nnz == 0


@pytest.fixture(scope="module")
def mri(sample_dir: Path) -> io.Mri:
    return io.read_mri(io.read_protocol(sample_dir).subject("Subject01").anatomy)


def ball(data_dir: Path, mri: io.Mri, axes: np.ndarray) -> mne.SourceSpaces:
    """Points 12 mm apart along axes, in an MRI."""
    protocol = mb.read_protocol(data_dir / "eeg_volume")
    entry = next(c for s in protocol.subjects for c in s.conditions if c.head_model_file)
    study = protocol.condition(entry.subject, entry.name)
    grid = np.stack(np.meshgrid(*[0.012 * np.arange(-4, 5)] * 3, indexing="ij"), -1).reshape(-1, 3)
    grid = grid[np.linalg.norm(grid, axis=1) < 0.045] @ axes
    model = dataclasses.replace(
        study.head_model,
        grid_loc=grid + np.array([0.0, 0.0, 0.05]),
        grid_orient=None,
        gain=np.zeros((len(study.head_model.gain), 3 * len(grid))),
    )
    return mb.to_source_spaces(model, None, mri, channels=study.channels, subject=SUBJECT)


@pytest.fixture(scope="module", params=["SCS", "the MRI"])
def src(request: pytest.FixtureRequest, data_dir: Path, mri: io.Mri) -> mne.SourceSpaces:
    """The ball along the axes of a frame."""
    turn = np.eye(3) if request.param == "SCS" else scs_to_surface_ras(mri).matrix[:3, :3]
    made = ball(data_dir, mri, turn)
    told = " ".join(f.reason for f in conversion_report(made))
    assert ("plot_3d" in told) is (request.param == "SCS")
    assert len({*mri.cube.shape}) == 3  # nothing may depend on a cube
    return made


@pytest.fixture(scope="module")
def stc(src: mne.SourceSpaces) -> mne.VolSourceEstimate:
    """Values that rise with the position in the MRI."""
    rr = mne.transforms.apply_trans(src[0]["src_mri_t"], _nodes(src))
    data = 50 + (rr @ [40.0, -70.0, 100.0])[:, np.newaxis]
    return mne.VolSourceEstimate(data, [src[0]["vertno"]], 0, 1, subject=SUBJECT)


def _nodes(src: mne.SourceSpaces) -> np.ndarray:
    return np.stack(np.unravel_index(src[0]["vertno"], src[0]["shape"], order="F"), 1)


def test_volumes_are_where_the_sources_are(src, stc, tmp_path) -> None:
    pytest.importorskip("nibabel")
    path = tmp_path / "x-src.fif"
    src.save(path)
    for spaces in (src, mne.read_source_spaces(path, verbose="error")):
        for fine in (False, True):
            image = stc.as_volume(spaces, mri_resolution=fine)
            values = np.asarray(image.dataobj)[..., 0]
            inside = np.stack(np.nonzero(values), 1)
            # the image is in scanner RAS, mm
            ras = transform_points(image.affine, inside)
            to_mri = np.linalg.inv(src[0]["mri_ras_t"]["trans"])
            rr = transform_points(to_mri, 1e-3 * ras)
            expected = 50 + rr @ [40.0, -70.0, 100.0]
            found = values[tuple(inside.T)]
            # less where the ball ends and a neighbour is missing
            assert (found < expected + 1e-3).all()
            centre = np.linalg.norm(rr - rr.mean(axis=0), axis=1) < 0.025
            assert centre.sum() > 20
            np.testing.assert_allclose(found[centre], expected[centre], rtol=1e-5)
    stc.save_as_volume(tmp_path / "x.nii.gz", src, mri_resolution=True)
    assert (tmp_path / "x.nii.gz").is_file()


def test_labels_of_an_atlas(data_dir, mri, tmp_path) -> None:
    """MNE takes atlases whose second and third side are equal, as those of FreeSurfer are."""
    pytest.importorskip("nibabel")
    parts = np.ones((80, 72, 72), dtype=np.int16)
    parts[40:] = 2
    atlas = dataclasses.replace(mri, cube=parts)
    mb.to_surfaces(tmp_path, SUBJECT, mri=atlas)
    src = ball(data_dir, atlas, np.eye(3))
    stc = mne.VolSourceEstimate(np.ones((src[0]["nuse"], 1)), [src[0]["vertno"]], 0, 1, SUBJECT)
    files = [tmp_path / SUBJECT / "mri" / "T1.mgz", {"one": 1, "two": 2, "none": 3}]
    for fine in (True, False):
        with mne.use_log_level("error"):
            found = mne.extract_label_time_course(
                [stc], files, src, mode="mean", mri_resolution=fine, allow_empty="ignore"
            )
        # at the resolution of the MRI most of each half is outside of the ball
        share = np.mean(src[0]["interpolator"].sum(axis=1)) if fine else 1.0
        assert found[0][:2].mean() == pytest.approx(share, rel=1e-5)
        assert (found[0][:2] > share / 2).all()
        assert found[0][2] == 0


def test_without_weights(data_dir: Path) -> None:
    protocol = mb.read_protocol(data_dir / "eeg_volume")
    entry = next(c for s in protocol.subjects for c in s.conditions if c.head_model_file)
    model = io.read_head_model(entry.head_model_file)
    channels = io.read_channels(entry.channel_file)
    bare = mb.to_source_spaces(model, channels=channels, add_interpolator=False)
    assert bare[0]["interpolator"] is None
    # without an MRI the grid is its own volume
    own = mb.to_source_spaces(model, channels=channels)[0]
    assert own["interpolator"].shape == (own["np"], own["np"])
    np.testing.assert_allclose(own["interpolator"].toarray(), np.diag(own["inuse"]), atol=1e-6)


@pytest.mark.slow
def test_a_morph_of_a_volume(src, stc, mri, sample_dir, tmp_path) -> None:
    pytest.importorskip("dipy")
    mb.to_surfaces(tmp_path, SUBJECT, mri=mri)
    mb.to_surfaces(tmp_path, "other", mri=mri)
    morph = mne.compute_source_morph(
        src, SUBJECT, "other", subjects_dir=tmp_path, zooms=12.0, niter_affine=(1, 1, 1),
        niter_sdr=(), verbose="error",
    )  # fmt: skip
    moved = morph.apply(stc, mri_resolution=True, output="nifti1")
    assert np.asarray(moved.dataobj).max() == pytest.approx(stc.data.max(), rel=0.2)
