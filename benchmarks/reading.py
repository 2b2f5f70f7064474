"""Time of reading MATLAB files beside ``pymatreader.read_mat`` alone, in one run.

Run ``python benchmarks/reading.py`` (options: ``--locations 15000 --repeats 7``). A gain of 306
channels is written as MATLAB v6 (uncompressed), v7 (compressed) and v7.3 (HDF5); the files of the
sample study, which hold many small values, are v7 and written as v7.3. Each is read in turn by
mne_bstinv and by pymatreader. Only the ratio means anything.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pymatreader
import scipy.io
from _page import publish

from mne_bstinv.datasets import sample_study
from mne_bstinv.io import mat

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))
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


def seconds(function: Callable, files: list[Path]) -> float:
    """Processor time of this process: what others do on the machine does not count."""
    start = time.process_time()
    for file in files:
        function(file)
    return time.process_time() - start


def report(name: str, files: list[Path], repeats: int) -> tuple[str, float, str]:
    """Print and return the ratio for some files."""
    ours, alone = [], []
    for _ in range(repeats + 1):  # the first warms up
        ours.append(seconds(mat.read, files))
        alone.append(seconds(pymatreader.read_mat, files))
    ratio = np.median(np.array(ours[1:]) / np.array(alone[1:]))
    print(f"{name:26s} {np.median(ours[1:]):6.3f} s  {ratio:4.2f} × pymatreader alone")
    return name, float(ratio), "pymatreader"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--locations", type=int, default=15000)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--page", action="store_true", help="write the table into the page")
    args = parser.parse_args()
    warnings.simplefilter("ignore")  # pymatreader's, of SciPy's sparse matrices
    content, rows = variables(args.locations), []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for version in ("v6", "v7", "v7.3"):
            file = folder / f"headmodel_{version}.mat"
            if version == "v7.3":
                twin_73(folder / "headmodel_v6.mat", file)
            else:
                scipy.io.savemat(file, content, do_compression=version == "v7")
            name = f"head model, {args.locations} locations, {version}"
            rows.append(report(name, [file], args.repeats))
        files = sorted(sample_study().rglob("*.mat"))
        rows.append(report("sample study, v7", files, args.repeats))
        twins = [folder / f"{index}.mat" for index in range(len(files))]
        for file, twin in zip(files, twins, strict=True):
            twin_73(file, twin)
        rows.append(report("sample study, v7.3", twins, args.repeats))
    if args.page:
        publish("reading", rows)


if __name__ == "__main__":
    main()
