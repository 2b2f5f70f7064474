"""Compute what the page on data says of the embedded sample's sources.

``python docs/sample_numbers.py`` writes ``docs/_generated/sample_sources.txt``, which the page
includes. The build of the documentation calls :func:`main`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import mne_bstinv as mb
from mne_bstinv.datasets import SampleStudy, SimulatedSource, load_sample, simulated_sources

FOLDER = Path(__file__).parent / "_generated"


def sources_table() -> str:
    """Tabulate how far the maximum of each stored kernel is from the simulated sources."""
    sample, sources = load_sample(), simulated_sources()
    heads = [f"{1e3 * s.latency:.0f} ms: vertex {s.vertex + 1}, {s.region}, found" for s in sources]
    lines = [f"| kernel | {' | '.join(heads)} |", "| --- |" + " --: |" * len(heads)]
    for name, stored in sample.results.items():
        found = [f"{distance(sample, stored, source):.1f} mm away" for source in sources]
        lines.append(f"| {name} | {' | '.join(found)} |")
    return "\n".join(lines) + "\n"


def distance(sample: SampleStudy, stored: mb.io.Results, source: SimulatedSource) -> float:
    """Distance (mm) of the largest amplitude at the latency of a source from the source."""
    recordings, vertices = sample.recordings, np.asarray(sample.cortex.vertices)
    column = int(np.argmin(np.abs(np.asarray(recordings.time) - source.latency)))
    estimate = stored.imaging_kernel @ recordings.f[stored.good_channel - 1, column]
    strength = np.linalg.norm(estimate.reshape(len(vertices), -1), axis=1)
    found = vertices[strength.argmax()]
    return 1e3 * float(np.linalg.norm(found - vertices[source.vertex]))


def main(folder: Path) -> None:
    """Write the table into a folder, which is made if it does not exist."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sample_sources.txt").write_text(sources_table(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
