"""A small protocol to port, and one port of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mne_bstinv.port import port_protocol


@pytest.fixture
def protocol(data_dir: Path, tmp_path: Path) -> Path:
    """A writable copy of a protocol: two conditions that share all but their recordings."""
    return shutil.copytree(data_dir / "eeg_shared", tmp_path / "eeg_shared")


@pytest.fixture(scope="session")
def ported_once(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Output of that protocol with verified kernels; not to be changed."""
    out = tmp_path_factory.mktemp("ported") / "out"
    assert port_protocol(data_dir / "eeg_shared", out, verify=True).success
    return out


@pytest.fixture
def ported(ported_once: Path, tmp_path: Path) -> Path:
    """A writable copy of that output."""
    return shutil.copytree(ported_once, tmp_path / "out")
