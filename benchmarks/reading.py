"""Time of reading a head model beside ``pymatreader.read_mat`` alone, in one run.

Run ``python benchmarks/reading.py`` (options: ``--locations 15000 --repeats 7``). A gain of 306
channels is written as MATLAB v6 (uncompressed), v7 (compressed) and v7.3 (HDF5); each is read in
turn by :func:`mne_bstinv.read_head_model` and by pymatreader. Only the ratio means anything.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pymatreader
import scipy.io

from mne_bstinv import read_head_model

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from helpers_mat73 import twin_73


def variables(n_sources: int) -> dict:
    """Head model of 306 channels, random numbers."""
    rng = np.random.default_rng(0)
    return {
        "Gain": np.asfortranarray(rng.standard_normal((306, 3 * n_sources))),
        "GridLoc": rng.standard_normal((n_sources, 3)),
        "GridOrient": rng.standard_normal((n_sources, 3)),
        "HeadModelType": "surface",
        "Comment": "benchmark",
    }


def seconds(function, path: Path) -> float:
    start = time.perf_counter()
    function(path)
    return time.perf_counter() - start


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--locations", type=int, default=15000)
    parser.add_argument("--repeats", type=int, default=7)
    args = parser.parse_args()
    content = variables(args.locations)
    with tempfile.TemporaryDirectory() as folder:
        for version in ("v6", "v7", "v7.3"):
            path = Path(folder) / f"headmodel_{version}.mat"
            if version == "v7.3":
                twin_73(Path(folder) / "headmodel_v6.mat", path)
            else:
                scipy.io.savemat(path, content, do_compression=version == "v7")
            ours, alone = [], []
            for _ in range(args.repeats + 1):  # the first warms up
                ours.append(seconds(read_head_model, path))
                alone.append(seconds(pymatreader.read_mat, path))
            ratio = np.median(np.array(ours[1:]) / np.array(alone[1:]))
            print(f"{version:5s} {np.median(ours[1:]):6.3f} s  {ratio:4.2f} × pymatreader alone")


if __name__ == "__main__":
    main()
