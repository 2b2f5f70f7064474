"""Lines of ``mne-bstinv verify``."""

from __future__ import annotations

from pathlib import Path

from mne_bstinv.cli.verify import format_line
from mne_bstinv.verification import Verification


def test_a_long_reason_is_written_once():
    folder = Path("p")
    reason = "The head model cannot be read, " + "for a reason that takes many words " * 3
    a, b = (
        Verification(file=folder / name, status="error", reason=reason)
        for name in ("results_a.mat", "results_b.mat")
    )
    assert format_line(a, folder, a.file).endswith(f"results_a.mat  – {' '.join(reason.split())}")
    assert format_line(b, folder, a.file).endswith("results_b.mat  – the same as of results_a.mat")
