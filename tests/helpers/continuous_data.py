"""The continuous recordings that Brainstorm read, imported and computed from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from mne_bstinv import io
from mne_bstinv.continuous import Recording, recording_of_bst

#: Agreement of two computations of the same sums in double precision.
RTOL = 1e-12


def load_run(folder: Path, name: str) -> Recording:
    """Return a run of a protocol with `.bst` files."""
    place = folder / "data" / "Subject01" / f"@raw{name}"
    (channels,) = place.glob("channel*.mat")
    link = io.read_recordings(place / f"data_0raw_{name}.mat").link
    return recording_of_bst(io.open_bst(place / f"{name}.bst"), io.read_channels(channels), link)


def facts(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "manifest.json").read_text())["facts"]


def assert_rows_equal(found: np.ndarray, expected: np.ndarray, rtol: float = RTOL) -> None:
    """Compare each row by its own scale: volts leak into tesla by the rounding of volts."""
    assert found.shape == expected.shape
    scale = np.abs(expected).max(axis=1, keepdims=True)
    worst = np.abs(found - expected) / np.where(scale > 0, scale, 1)
    assert worst.max() <= rtol, (worst.max(), int(worst.max(axis=1).argmax()))
