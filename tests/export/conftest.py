"""The sample study as MNE's objects."""

from __future__ import annotations

import mne
import numpy as np
import pytest
from export_studies import PUBLIC, ported
from matlab_templates import Templates


@pytest.fixture(autouse=True)
def _quiet_mne():
    """The log of MNE is not what these tests look at."""
    with mne.use_log_level("error"):
        yield


@pytest.fixture(scope="session")
def sample(sample_dir):
    """The condition of the sample study that holds an evoked response."""
    with mne.use_log_level("error"):
        return next(one for one in ported(sample_dir) if one.condition == "evoked")


@pytest.fixture(scope="session")
def sample_files(sample, tmp_path_factory):
    """The same objects in files of MNE: nothing is left of what their reports kept."""
    folder = tmp_path_factory.mktemp("fif")
    objects = sample.objects
    names = {"forward": "sample-fwd.fif", "noise_cov": "sample-cov.fif"}
    with mne.use_log_level("error"):
        objects["recordings"][0].save(folder / "sample-ave.fif")
        mne.write_forward_solution(folder / names["forward"], objects["forward"])
        mne.write_cov(folder / names["noise_cov"], objects["noise_cov"])
        mne.write_source_spaces(folder / "sample-src.fif", objects["forward"]["src"])
    return {name: folder / file for name, file in names.items()} | {
        "recordings": folder / "sample-ave.fif"
    }


@pytest.fixture(scope="session")
def mne_sample(shared_dir):
    """MNE's own sample subject, with a sphere model."""
    folder = shared_dir / "real" / "mne_sample"
    with mne.use_log_level("error"):
        evoked = mne.read_evokeds(folder / "test-ave.fif.gz", condition=0, proj=False)
        cov = mne.read_cov(folder / "test-cov.fif")
        src = mne.read_source_spaces(folder / "small-src.fif.gz")
        for part in src:  # the file holds kilometres: 0.16 mm from ear to ear
            part["rr"] = 1e3 * part["rr"]
        trans = mne.Transform("head", "mri", np.loadtxt(folder / "sample-audvis-raw-trans.txt"))
        sphere = mne.make_sphere_model((0.0, 0.0, 0.04), head_radius=0.1)
        picks = mne.pick_types(evoked.info, meg=True, eeg=True, exclude=[])
        info = mne.pick_info(evoked.info, picks)
        fwd = mne.make_forward_solution(info, trans, src, sphere, mindist=0.0)
    return {"recordings": evoked, "forward": fwd, "noise_cov": cov, "src": src, "trans": trans}


@pytest.fixture(scope="session")
def templates(data_dir, sample_dir):
    """What the files that Brainstorm wrote look like."""
    # the continuous ones for events of imported recordings
    return Templates(sample_dir, *(data_dir / name for name in (*PUBLIC, "continuous")))
