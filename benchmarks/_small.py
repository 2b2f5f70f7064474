"""Protocols of many small conditions: sensors and recordings alone."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))
from port_studies import make_protocol


def small_protocol(root: Path, n_conditions: int) -> Path:
    """Write a protocol whose conditions are copies of the sample's, without results."""
    make_protocol(root, n_subjects=1, n_conditions=1)
    first = next((root / "data").glob("*/cond01"))
    for file in first.glob("*.mat"):
        if not file.name.startswith(("channel", "data", "brainstorm")):
            file.unlink()
    for number in range(2, n_conditions + 1):
        shutil.copytree(first, first.with_name(f"cond{number:02d}"))
    return root
