from __future__ import annotations

import json
import tomllib
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from mne_bstinv import __version__
from mne_bstinv.cli import main, sys_info


def hide(monkeypatch, *names):
    """Let packages look as if they were not installed."""

    def version(name):
        if name in names:
            raise metadata.PackageNotFoundError(name)
        return metadata.version(name)

    monkeypatch.setattr(sys_info, "version", version)


def test_json(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("MNE_BSTINV_DATA", str(tmp_path))
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert main(["sys-info", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["mne-bstinv"] == __version__
    assert found["required"]["numpy"] == np.__version__
    assert found["data"] == {
        "MNE_BSTINV_DATA": str(tmp_path),
        "folder": str(tmp_path / "mne_sample"),
    }
    assert found["threads"]["OMP_NUM_THREADS"] == "2"
    assert "blas" in found["blas"].lower() or "mkl" in found["blas"].lower()


def test_the_required_packages_are_those_of_the_project():
    pyproject = Path(__file__).parents[2] / "pyproject.toml"
    if not pyproject.is_file():
        pytest.skip("pyproject.toml is not part of this copy")
    listed = tomllib.loads(pyproject.read_text("utf-8"))["project"]["dependencies"]
    assert sorted(sys_info.system()["required"]) == sorted(e.split(">=")[0] for e in listed)


def test_no_package_is_both_required_and_optional():
    found = sys_info.system()
    assert set(found["required"]) & set(found["optional"]) == set()
    assert "h5io" in found["required"]


def test_lines(capsys, monkeypatch):
    monkeypatch.delenv("MNE_BSTINV_DATA", raising=False)
    assert main(["sys-info"]) == 0
    out = capsys.readouterr().out
    assert f"mne-bstinv   {__version__}\n" in out
    assert ", the default\n" in out
    assert f"  scipy          {metadata.version('scipy')}\n" in out


def test_a_missing_optional_package_is_named_with_its_purpose(capsys, monkeypatch):
    hide(monkeypatch, "nibabel")
    assert main(["sys-info"]) == 0
    line = "  nibabel        not installed: reads FreeSurfer's volumes and surfaces\n"
    assert line in capsys.readouterr().out


def test_a_missing_required_package_fails(capsys, monkeypatch):
    hide(monkeypatch, "h5io")
    assert main(["sys-info"]) == 1
    assert "  h5io           not installed\n" in capsys.readouterr().out


def test_without_metadata_blas_and_pooch(capsys, monkeypatch):
    def missing(*names):
        raise metadata.PackageNotFoundError(*names)

    def no_pooch(name):
        raise ImportError(name)

    monkeypatch.setattr(sys_info, "requires", missing)
    monkeypatch.setattr(np, "show_config", lambda mode: {})
    monkeypatch.setattr(sys_info, "download_folder", no_pooch)
    assert main(["sys-info"]) == 0
    out = capsys.readouterr().out
    assert "BLAS         unknown, as NumPy was built\n" in out
    assert "data         unknown" in out
