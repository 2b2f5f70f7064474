"""An MRI that places nothing costs nothing else."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import mne
import numpy as np
import pytest

import mne_bstinv
from mne_bstinv import io
from mne_bstinv.conversion import hearing
from mne_bstinv.port import port_protocol


@pytest.fixture
def without(sample_dir: Path, tmp_path: Path) -> Path:
    """The sample without an MRI."""
    root = tmp_path / "p"
    shutil.copytree(sample_dir, root)
    next(root.glob("anat/*/subjectimage*.mat")).unlink()
    return root


@pytest.fixture(params=["no fiducials", "no cube", "damaged"])
def protocol(request: pytest.FixtureRequest, sample_dir: Path, without: Path) -> Path:
    """The sample with an MRI that cannot be used."""
    root = without.with_name("q")
    shutil.copytree(without, root)
    stored = next(sample_dir.glob("anat/*/subjectimage*.mat"))
    file = root / stored.relative_to(sample_dir)
    if request.param == "no fiducials":
        io.write_mri(file, dataclasses.replace(io.read_mri(stored), scs=None))
    elif request.param == "damaged":
        file.write_bytes(stored.read_bytes()[:5000])
    else:
        mri = dataclasses.replace(io.read_mri(stored), cube=np.zeros((0, 0, 0), np.uint8))
        io.write_mri(file, mri)
    return root


def test_all_is_as_without_an_mri(protocol: Path, without: Path) -> None:
    one, other = (
        mne_bstinv.read_protocol(root).condition("Subject01", "evoked")
        for root in (protocol, without)
    )
    with hearing() as heard:
        assert one.mri is None
    assert mne.utils.object_diff(dict(one.forward), dict(other.forward)) == ""
    assert mne.utils.object_diff(one.evokeds[0].info, other.evokeds[0].info) == ""
    (told,) = heard
    assert (told.severity, told.field) == ("dropped", "MRI")
    assert "subjectimage" in told.reason
    study = mne_bstinv.load_study(protocol, condition="evoked")
    assert study.mri is None
    assert any(f.field == "MRI" for f in study.reports["mri"])


def test_the_port_has_what_it_has_without(protocol: Path, without: Path, tmp_path: Path) -> None:
    found = []
    for root in (protocol, without):
        summary = port_protocol(root, tmp_path / f"out-{root.name}", n_jobs=1)
        assert not summary.failed
        out = tmp_path / f"out-{root.name}"
        found.append({p.relative_to(out).as_posix() for p in out.rglob("*.fif")})
    assert found[0] == found[1]
