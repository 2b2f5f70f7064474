"""The releases that results are noted with."""

from __future__ import annotations

from mne_bstinv import __version__
from mne_bstinv._versions import versions


def test_versions() -> None:
    found = versions()
    assert {"python", "mne", "mne-bstinv", "numpy", "scipy"} == set(found)
    assert found["mne-bstinv"] == __version__
