"""Dipoles of Brainstorm and of MNE."""

from __future__ import annotations

import dataclasses

import mne
import numpy as np
import pytest

import mne_bstinv as mb
from mne_bstinv import io
from mne_bstinv.errors import ConversionError


@pytest.fixture(scope="module")
def blink(data_dir):
    return data_dir / "misc" / "data" / "Subject01" / "blink"


@pytest.fixture(scope="module")
def channels(blink):
    return io.read_channels(blink / "channel_vectorview306_acc1.mat")


@pytest.fixture(scope="module")
def dipoles(blink):
    return io.read_dipoles(blink / "dipoles_fit_03.mat")


def test_to_mne(dipoles, channels):
    dipole = mb.to_dipole(dipoles, channels)
    assert isinstance(dipole, mne.Dipole)
    assert len(dipole) == 51
    np.testing.assert_array_equal(dipole.times, dipoles.times)
    np.testing.assert_allclose(dipole.gof, 100 * dipoles.goodness)
    np.testing.assert_allclose(dipole.amplitude, np.linalg.norm(dipoles.amplitudes, axis=1))
    np.testing.assert_allclose(np.linalg.norm(dipole.ori, axis=1), 1)
    np.testing.assert_allclose(dipole.nfree, 31)
    assert dipole.name == "Group #1"
    # distances do not depend on the frame
    between = [np.linalg.norm(p[0] - p[10]) for p in (dipole.pos, dipoles.positions)]
    np.testing.assert_allclose(*between)


def test_positions_are_those_of_the_source_space(dipoles, channels, blink, data_dir):
    """A scan picks locations: the same as MNE has them."""
    model = io.read_head_model(blink / "headmodel_surf_eeg_3sphereberg_os_meg.mat")
    surface = io.read_surface(data_dir / "misc" / "anat" / model.surface_file)
    src = mb.to_source_spaces(model, channels=channels, surface=surface)
    places = np.concatenate([part["rr"][part["vertno"]] for part in src])
    dipole = mb.to_dipole(dipoles, channels)
    nearest = np.linalg.norm(dipole.pos[:, np.newaxis] - places, axis=2).min(axis=1)
    assert nearest.max() < 1e-12


def test_round_trip(dipoles, channels):
    back = mb.from_dipole(mb.to_dipole(dipoles, channels))
    np.testing.assert_allclose(back.positions, dipoles.positions, atol=1e-15)
    np.testing.assert_allclose(back.amplitudes, dipoles.amplitudes, rtol=1e-12)
    np.testing.assert_allclose(back.goodness, dipoles.goodness)
    assert [d.khi2 for d in back.dipole] == pytest.approx([d.khi2 for d in dipoles.dipole])
    assert (back.comment, back.data_file) == (dipoles.comment, dipoles.data_file)
    assert back.dipole_names == dipoles.dipole_names


def test_the_way_back_can_be_written(dipoles, channels, tmp_path):
    io.write_dipoles(tmp_path / "dipoles_back.mat", mb.from_dipole(mb.to_dipole(dipoles, channels)))
    found = io.read_dipoles(tmp_path / "dipoles_back.mat")
    np.testing.assert_allclose(found.positions, dipoles.positions, atol=1e-15)


def test_several_become_groups(dipoles, channels):
    one = mb.to_dipole(dipoles, channels)
    back = mb.from_dipole([one, one.copy().crop(0.0, 0.1)], channels)
    assert {d.index for d in back.dipole} == {1, 2}
    with pytest.raises(ConversionError, match="of 2 groups"):
        mb.to_dipole(back, channels)
    assert len(mb.to_dipole(back, channels, group=2)) == len(one.copy().crop(0.0, 0.1))
    with pytest.raises(ConversionError, match="no group 7"):
        mb.to_dipole(back, channels, group=7)


def test_dipoles_of_mne_alone(channels):
    dipole = mne.Dipole(times=[0.0, 0.1], pos=np.eye(3)[:2] / 10, amplitude=[1e-8, 2e-8],
                        ori=np.eye(3)[:2], gof=[50.0, 80.0])  # fmt: skip
    made = mb.from_dipole(dipole, channels)
    np.testing.assert_allclose(np.linalg.norm(made.amplitudes, axis=1), [1e-8, 2e-8])
    np.testing.assert_allclose(made.goodness, [0.5, 0.8])
    assert made.dipole[0].khi2 is None
    again = mb.to_dipole(made, channels)
    np.testing.assert_allclose(again.pos, dipole.pos, atol=1e-15)


def test_incomplete_dipoles_are_left_out(dipoles, channels):
    broken = dataclasses.replace(dipoles.dipole[0], loc=None)
    some = dataclasses.replace(dipoles, dipole=(broken, *dipoles.dipole[1:]))
    dipole = mb.to_dipole(some, channels)
    assert len(dipole) == 50
    assert "1 without position" in str(mb.conversion_report(dipole))
    with pytest.raises(ConversionError, match="No dipole"):
        mb.to_dipole(dataclasses.replace(dipoles, dipole=(broken,)), channels)


def test_a_moment_of_zero_has_no_direction(dipoles, channels):
    still = dataclasses.replace(dipoles.dipole[0], amplitude=np.zeros(3))
    dipole = mb.to_dipole(dataclasses.replace(dipoles, dipole=(still,)), channels)
    np.testing.assert_array_equal(dipole.ori, [[0, 0, 0]])


def test_what_is_no_dipole_is_refused(channels):
    for wrong, words in (([], r"mne\.Dipole"), (["a"], "Dipole, found list of str")):
        with pytest.raises(ConversionError, match=words):
            mb.from_dipole(wrong, channels)
