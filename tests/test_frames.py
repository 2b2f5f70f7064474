from __future__ import annotations

import itertools

import mne
import numpy as np
import pytest

from mne_bstinv import io
from mne_bstinv.errors import FrameError
from mne_bstinv.frames import (
    fiducials_in_scs,
    head_from_fiducials,
    reorient_to_lia,
    scs_to_head,
    scs_to_surface_ras,
    surface_ras_to_ras,
    transform_points,
    voxels_to_surface_ras,
)

#: Nasion, left and right ear of a lopsided head in SCS, m: y = 0 at the nasion, ears on a line
#: through the origin that is not the y axis.
NAS = np.array([0.0975, 0.0, 0.0])
LPA = np.array([0.006, 0.075, 0.0])
RPA = np.array([-0.006, -0.075, 0.0])

#: Positions are tenths of a metre, so rounding is some 1e-17 m an operation.
ATOL = 1e-15


def rotation(seed):
    q, r = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    q = q * np.sign(np.diag(r))
    return q if np.linalg.det(q) > 0 else -q


def rigid(seed):
    matrix = np.eye(4)
    matrix[:3, :3] = rotation(seed)
    matrix[:3, 3] = np.random.default_rng(seed).normal(size=3) / 20
    return matrix


def channels(**fields):
    return io.Channels(channels=(), **fields)


def mri_of_head(voxsize=(1.0, 2.0, 3.0), shape=(11, 14, 9), vox2ras=None, **scs):
    transforms = () if vox2ras is None else (("vox2ras", np.array(vox2ras)),)
    return io.Mri(
        cube=np.zeros(shape, dtype=np.uint8),
        voxsize=np.array(voxsize),
        scs=io.SCS(**scs) if scs else None,
        init_transf=transforms,
    )


AGAIN = np.array([0.0, 0, 0.001])
HEAD_POINTS = io.HeadPoints(
    # the left ear was digitised twice, 2 mm apart around its position
    loc=np.stack([NAS, LPA + AGAIN, LPA - AGAIN, RPA, [0.0, 0, 0.1]], axis=1),
    label=("Nasion", "LPA", "lpa", "RPA", "1"),
    type=("CARDINAL", "Cardinal", "CARDINAL", "CARDINAL", "EXTRA"),
)
SCS_FIDUCIALS = io.SCS(nas=NAS, lpa=LPA, rpa=RPA)


def assert_cardinal(frame):
    """The definition of MNE's head frame: ears on the x axis, nasion on the y axis."""
    nas, lpa, rpa = transform_points(frame.matrix, np.stack([NAS, LPA, RPA]))
    np.testing.assert_allclose(nas[[0, 2]], 0, atol=ATOL)
    np.testing.assert_allclose(np.concatenate([lpa[1:], rpa[1:]]), 0, atol=ATOL)
    assert nas[1] > 0
    assert lpa[0] < 0 < rpa[0]
    np.testing.assert_allclose(frame.rotation @ frame.rotation.T, np.eye(3), atol=ATOL)
    assert np.linalg.det(frame.rotation) == pytest.approx(1, abs=ATOL)
    np.testing.assert_allclose(frame.inverse @ frame.matrix, np.eye(4), atol=ATOL)


@pytest.mark.parametrize(
    ("fields", "source"),
    [
        ({"scs": SCS_FIDUCIALS, "head_points": HEAD_POINTS}, "fiducials (SCS)"),
        ({"scs": io.SCS(nas=NAS, lpa=LPA), "head_points": HEAD_POINTS}, "cardinal head points"),
        ({"head_points": HEAD_POINTS}, "cardinal head points"),
        ({}, "fiducials of the MRI"),
    ],
)
def test_fiducials_define_the_head_frame(fields, source):
    # the MRI's own fiducials are the same points, in its millimetres
    to_scs = rigid(3)
    to_scs[:3, 3] *= 1000
    nas, lpa, rpa = transform_points(np.linalg.inv(to_scs), 1e3 * np.stack([NAS, LPA, RPA]))
    mri = mri_of_head(nas=nas, lpa=lpa, rpa=rpa, r=to_scs[:3, :3], t=to_scs[:3, 3])
    frame = scs_to_head(channels(**fields), mri)
    assert frame.source.startswith(source)
    assert not frame.assumed
    assert_cardinal(frame)


def test_the_fiducials_of_an_mri_without_r_and_t_define_scs_and_head():
    to_scs = rigid(4)
    to_scs[:3, 3] *= 1000
    nas, lpa, rpa = transform_points(np.linalg.inv(to_scs), 1e3 * np.stack([NAS, LPA, RPA]))
    (nasion, left, right), source = fiducials_in_scs(None, mri_of_head(nas=nas, lpa=lpa, rpa=rpa))
    assert source == "fiducials of the MRI"
    # the axes of SCS: origin between the ears, nasion on x, left ear at positive y, in the plane
    np.testing.assert_allclose(left, -right, atol=ATOL)
    np.testing.assert_allclose(nasion, [np.linalg.norm(NAS), 0, 0], atol=ATOL)
    assert left[1] > 0
    np.testing.assert_allclose(left[2], 0, atol=ATOL)
    assert_cardinal(scs_to_head(None, mri_of_head(nas=nas, lpa=lpa, rpa=rpa)))


@pytest.mark.parametrize("which", ["transf_meg", "transf_eeg"])
def test_the_stored_transform_comes_first_with_all_later_ones(which):
    device, head_to_scs, moved = rigid(1), rigid(2), rigid(5)
    fields = {
        which: (device, head_to_scs, moved),
        f"{which}_labels": (
            "neuromag_device=>neuromag_head",
            "neuromag_head=>scs",
            "refine registration: head points",
        ),
    }
    frame = scs_to_head(channels(**fields, scs=SCS_FIDUCIALS, head_points=HEAD_POINTS))
    assert "neuromag_head=>scs" in frame.source
    np.testing.assert_allclose(frame.matrix @ moved @ head_to_scs, np.eye(4), atol=ATOL)


def test_a_transform_of_the_sensors_comes_before_one_of_the_electrodes():
    fields = {
        "transf_meg": (rigid(1),),
        "transf_meg_labels": ("neuromag_head=>scs",),
        "transf_eeg": (rigid(2),),
        "transf_eeg_labels": ("neuromag_head=>scs",),
    }
    np.testing.assert_allclose(scs_to_head(channels(**fields)).inverse, rigid(1), atol=ATOL)


@pytest.mark.parametrize("known", [None, {}, {"scs": io.SCS(nas=NAS * np.nan, lpa=LPA, rpa=RPA)}])
def test_without_fiducials_the_frame_is_turned_and_marked_as_assumed(known):
    frame = scs_to_head(None if known is None else channels(**known))
    assert frame.assumed
    np.testing.assert_array_equal(transform_points(frame.matrix, np.array([1.0, 2, 3])), [-2, 1, 3])
    assert np.linalg.det(frame.rotation) == 1


@pytest.mark.parametrize(
    "points",
    [
        (NAS, NAS, NAS),
        (NAS, LPA, LPA),
        (LPA, LPA, RPA),
        (LPA + 3 * (RPA - LPA), LPA, RPA),
        (0 * NAS, 0 * LPA, 0 * RPA),
    ],
)
def test_fiducials_on_one_line_are_an_error(points):
    nas, lpa, rpa = points
    with pytest.raises(FrameError, match="lie on one line"):
        head_from_fiducials(nas, lpa, rpa)
    with pytest.raises(FrameError, match="lie on one line"):
        scs_to_head(channels(scs=io.SCS(nas=nas, lpa=lpa, rpa=rpa)))
    with pytest.raises(FrameError, match="lie on one line"):
        scs_to_head(None, mri_of_head(nas=nas, lpa=lpa, rpa=rpa))


@pytest.mark.parametrize("seed", range(3))
def test_the_head_frame_is_that_of_mne(seed):
    nas, lpa, rpa = transform_points(rigid(seed), np.stack([NAS, LPA, RPA]))
    expected = mne.transforms.get_ras_to_neuromag_trans(nas, lpa, rpa)
    np.testing.assert_allclose(head_from_fiducials(nas, lpa, rpa), expected, atol=ATOL)


def test_the_head_frame_of_the_sample_is_the_true_one(sample_dir):
    info = mne.io.read_info(sample_dir / "truth-info.fif", verbose="error")
    truth = {int(p["ident"]): p["r"] for p in info["dig"] if int(p["kind"]) == 1}
    condition = next(
        c for c in io.read_protocol(sample_dir).subject("Subject01").conditions if c.channel_file
    )
    stored = io.read_channels(condition.channel_file)
    (nas, lpa, rpa), _ = fiducials_in_scs(stored)
    frame = scs_to_head(stored)
    # FIF holds the truth in single precision: 0.1 m * 2**-24
    for ident, point in zip((2, 1, 3), (nas, lpa, rpa), strict=True):
        np.testing.assert_allclose(
            transform_points(frame.matrix, point), truth[ident], atol=2 * 0.1 * 2**-24
        )


#: All ways in which the axes of a volume can lie: which world axis each voxel axis follows, and
#: in which sense.
ORIENTATIONS = [
    (axes, signs)
    for axes in itertools.permutations(range(3))
    for signs in itertools.product((1, -1), repeat=3)
]


def oriented_mri(axes, signs, *, tilt=0.0):
    """An MRI whose voxel axis i follows the world axis axes[i], with vox2ras."""
    voxsize, shape = np.array([1.0, 2.0, 3.0]), (11, 14, 9)
    directions = np.zeros((3, 3))
    for voxel_axis, (world, sign) in enumerate(zip(axes, signs, strict=True)):
        directions[world, voxel_axis] = sign
    c, s = np.cos(tilt), np.sin(tilt)
    directions = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ directions
    vox2ras = np.eye(4)
    vox2ras[:3, :3] = directions * voxsize
    vox2ras[:3, 3] = [3.0, -5.0, 7.0]
    # SCS (mm) as an arbitrary rigid transform of Brainstorm's MRI coordinates; where these are
    # left-handed in the world, R is a rotation all the same
    to_scs = rigid(7)
    return mri_of_head(voxsize, shape, vox2ras, r=to_scs[:3, :3], t=1e3 * to_scs[:3, 3])


def scs_of_voxel(mri, voxel):
    """Brainstorm's convention: MRI coordinates are 1-based voxels times their size."""
    return 1e-3 * (mri.scs.r @ ((np.array(voxel) + 1) * mri.voxsize) + np.ravel(mri.scs.t))


def surface_ras_of_voxel(mri, voxel):
    """FreeSurfer's convention, by turning an actual cube: left, inferior, anterior.

    The centre (index n / 2 along each axis) is the origin; x runs against the first axis, y along
    the third, z against the second.
    """
    marked = np.zeros(mri.cube.shape, dtype=bool)
    marked[tuple(voxel)] = True
    world = np.array([np.argmax(np.abs(column)) for column in mri.vox2ras[:3, :3].T])
    sense = np.array([np.sign(c[w]) for c, w in zip(mri.vox2ras[:3, :3].T, world, strict=True)])
    left_right, front_back, up_down = (int(np.flatnonzero(world == i)[0]) for i in range(3))
    order = [left_right, up_down, front_back]
    turned = marked.transpose(order)
    for axis, (source, wanted) in enumerate(zip(order, (-1, -1, 1), strict=True)):
        if sense[source] != wanted:
            turned = np.flip(turned, axis)
    i, j, k = np.argwhere(turned)[0] - np.array(turned.shape) / 2
    dx, dy, dz = mri.voxsize[order]
    return 1e-3 * np.array([-dx * i, dz * k, -dy * j])


@pytest.mark.parametrize(("axes", "signs"), ORIENTATIONS)
def test_surface_ras_of_a_volume_in_any_orientation(axes, signs):
    mri = oriented_mri(axes, signs)
    frame = scs_to_surface_ras(mri)
    assert not frame.assumed
    for voxel in ((0, 0, 0), (2, 9, 4), (10, 13, 8)):
        np.testing.assert_allclose(
            transform_points(frame.matrix, scs_of_voxel(mri, voxel)),
            surface_ras_of_voxel(mri, voxel),
            atol=ATOL,
        )


@pytest.mark.parametrize(("axes", "signs"), ORIENTATIONS[::5])
@pytest.mark.parametrize("tilt", [0.0, 0.3])
def test_voxels_surface_ras_and_scanner_ras_agree(axes, signs, tilt):
    mri = oriented_mri(axes, signs, tilt=tilt)
    to_surface_ras, shape = voxels_to_surface_ras(mri)
    order, flips = reorient_to_lia(mri)
    assert shape == tuple(np.array(mri.cube.shape)[order])
    voxel = np.array([2, 9, 4])
    turned = voxel[order]
    turned = np.where(flips, np.array(shape) - 1 - turned, turned)
    in_surface_ras = transform_points(scs_to_surface_ras(mri).matrix, scs_of_voxel(mri, voxel))
    np.testing.assert_allclose(
        transform_points(to_surface_ras.matrix, turned), in_surface_ras, atol=ATOL
    )
    to_scanner = surface_ras_to_ras(mri)
    np.testing.assert_allclose(
        transform_points(to_scanner.matrix, in_surface_ras),
        1e-3 * transform_points(mri.vox2ras, voxel),
        atol=ATOL,
    )
    if tilt == 0:  # the axes are those of the scanner: nothing but a shift is left
        np.testing.assert_allclose(to_scanner.rotation, np.eye(3), atol=ATOL)


def test_a_volume_without_vox2ras_is_taken_to_run_right_front_up():
    bare = mri_of_head(r=np.eye(3), t=np.zeros(3))
    same = mri_of_head(r=np.eye(3), t=np.zeros(3), vox2ras=np.diag([1.0, 2, 3, 1]))
    frame = scs_to_surface_ras(bare)
    assert frame.assumed
    assert "no vox2ras" in frame.source
    np.testing.assert_array_equal(frame.matrix, scs_to_surface_ras(same).matrix)
    assert surface_ras_to_ras(bare).assumed
    np.testing.assert_array_equal(surface_ras_to_ras(bare).matrix, np.eye(4))


def test_the_frame_of_an_mri_needs_voxel_size_and_scs():
    with pytest.raises(FrameError, match="no Voxsize"):
        scs_to_surface_ras(io.Mri(cube=np.zeros((2, 2, 2)), scs=SCS_FIDUCIALS))
    with pytest.raises(FrameError, match="no Voxsize"):
        voxels_to_surface_ras(io.Mri(cube=np.zeros((2, 2, 2))))
    for mri in (mri_of_head(), mri_of_head(nas=NAS, lpa=LPA)):
        with pytest.raises(FrameError, match="neither R and T nor all three fiducials"):
            scs_to_surface_ras(mri)
