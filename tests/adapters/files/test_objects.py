"""What MNE checks of the sensors of objects, and what not again."""

from __future__ import annotations

import mne
import numpy as np
import pytest

from mne_bstinv import to_evoked, to_info
from mne_bstinv.adapters._mne_private import unchecked
from mne_bstinv.adapters.files import converted
from mne_bstinv.adapters.files.objects import info_of
from mne_bstinv.adapters.sensors import picked_info
from mne_bstinv.datasets import load_sample

#: A release of MNE that can leave its check out, as nobody but the conversions may ask it to.
CAN_SKIP = hasattr(mne.Info, "_skip_checks")


def broken(info):
    """Return an Info that MNE refuses."""
    info["chs"][0]["loc"] = np.zeros(3)
    return info


@pytest.mark.skipif(not CAN_SKIP, reason="this MNE checks each time")
def test_converted_sensors_are_checked_once():
    study = load_sample()
    info = broken(to_info(study.channels, sfreq=1000.0))
    assert len(picked_info(info, [1, 2])["chs"]) == 2
    evoked = to_evoked(study.recordings, study.channels)
    broken(evoked.info)
    for values in (evoked, [evoked]):
        with converted(values):
            mne.pick_info(evoked.info, [1])
        with pytest.raises(TypeError, match="loc"):
            mne.pick_info(evoked.info, [1])


def test_sensors_of_others_are_checked():
    info = mne.create_info(["a", "b"], 1000.0, "eeg")
    assert picked_info(info, [1])["ch_names"] == ["b"]
    with pytest.raises(TypeError, match="loc"):
        picked_info(broken(info), [1])
    with pytest.raises(TypeError, match="loc"), unchecked(info.copy()):
        mne.pick_info(info, [1])


def test_sensors_of_an_object():
    info = mne.create_info(["a"], 1000.0, "eeg")
    assert info_of(info) is info
    assert info_of(mne.Forward(info=info)) is info
    assert info_of(mne.EvokedArray(np.zeros((1, 2)), info))["ch_names"] == ["a"]
    assert info_of(mne.Transform("head", "mri")) is None
    with converted(None):
        pass
