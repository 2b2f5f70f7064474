"""What is named as a file of Brainstorm and is none is told, and never opened."""

from __future__ import annotations

import os
import shutil

import pytest

from mne_bstinv import io
from mne_bstinv.errors import OverwriteError, ProtocolError
from mne_bstinv.port import port_protocol
from mne_bstinv.studies.choice import check_path
from mne_bstinv.verification import verify

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in this system")


@pytest.fixture
def spoilt(data_dir, tmp_path):
    """A protocol with a pipe, a folder and a dangling link for results, and a pipe for a cortex."""
    root = shutil.copytree(data_dir / "eeg_surface", tmp_path / "p")
    one, two, three = sorted(root.glob("data/*/*/results_*KERNEL*.mat"))[:3]
    cortex = io.read_protocol(root).subjects[0].cortex
    for file in (one, two, three, cortex):
        file.unlink()
    os.mkfifo(one)
    two.mkdir()
    three.symlink_to(tmp_path / "gone.mat")
    os.mkfifo(cortex)
    return root, (one, two, three, cortex)


def test_what_is_no_file_is_a_problem_with_the_reason(spoilt, tmp_path):
    root, (one, two, three, cortex) = spoilt
    problems = io.read_protocol(root).problems
    assert f"{one}: a pipe or device, not a file: nothing is made of it" in problems
    assert f"{two}: a folder, not a file: nothing is made of it" in problems
    assert f"{three}: a link to a file that does not exist: nothing is made of it" in problems
    assert f"{cortex}: a pipe or device, not a file: nothing is made of it" in problems
    said = str(port_protocol(root, tmp_path / "out", dry_run=True))
    assert [
        name for name in (one.name, two.name, three.name, cortex.name) if name not in said
    ] == []


def test_paths_that_are_no_files_are_refused_as_what_they_are(spoilt, tmp_path):
    _, (one, two, three, _) = spoilt
    with pytest.raises(ProtocolError, match="a pipe or device, not a file"):
        check_path(one)
    (outcome,) = verify([two])
    assert outcome.reason.endswith("a folder, not a file. Restore the file, or move this away.")
    with pytest.raises(OverwriteError, match="a link to a file that does not exist; the output is"):
        port_protocol(spoilt[0], three)
