"""Time of a kernel of 2009 and of 2016 over that of 2018, in one run.

Run ``python benchmarks/inverse_years.py`` (options: ``--locations 15000 --repeats 5 --json``): the
same random gain and covariance of 306 channels as in ``kernel.py``, each measure that all years
have, and the scans. The three are computed one after the other in each repeat; the ratios are
medians over repeats, after one that warms up. Processor time of one thread is counted, so that
what else the machine does changes little.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # to be set before NumPy is imported

import numpy as np
from _page import publish_table
from kernel import ORIENTATIONS, make_study

from mne_bstinv import bst_inverse_linear, bst_inverse_linear_2016, bst_wmne

#: Name → what the options of 2009, 2016 and 2018 call it.
MEASURES = {
    "amplitude": (
        {"InverseMethod": "wmne"},
        {"InverseMeasure": "amplitude"},
        {"InverseMeasure": "amplitude"},
    ),
    "dspm": (
        {"InverseMethod": "dspm"},
        {"InverseMeasure": "dspm"},
        {"InverseMeasure": "dspm2018"},
    ),
    "sloreta": (
        {"InverseMethod": "sloreta", "depth": 0},
        {"InverseMeasure": "sloreta"},
        {"InverseMeasure": "sloreta"},
    ),
    "gls": (
        {"InverseMethod": "gls_p"},
        {"InverseMethod": "gls"},
        {"InverseMethod": "gls"},
    ),
}
YEARS = (2009, 2016, 2018)
FUNCTIONS: tuple[Callable, ...] = (bst_wmne, bst_inverse_linear_2016, bst_inverse_linear)


def timed(call: Callable) -> float:
    """Processor time of a call, in seconds."""
    start = time.process_time()
    call()
    return time.process_time() - start


def compare(n_sources: int, orient: str, measure: str, repeats: int) -> dict:
    """Median ratios of one combination."""
    head_model, options = make_study(n_sources)
    calls = [
        partial(function, head_model, options | {"SourceOrient": orient} | own)
        for function, own in zip(FUNCTIONS, MEASURES[measure], strict=True)
    ]
    seconds = np.array([[timed(call) for call in calls] for _ in range(repeats + 1)])[1:]
    ratios = np.median(seconds / seconds[:, [2]], axis=0)
    return {
        "locations": n_sources,
        "orientation": orient,
        "measure": measure,
        "seconds_2018": float(np.median(seconds[:, 2])),
        "times_2018": {str(y): float(r) for y, r in zip(YEARS[:2], ratios[:2], strict=True)},
    }


def main() -> None:
    """Print the table (and JSON with ``--json``)."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--locations", type=int, default=15000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--page", action="store_true", help="write the table into the page")
    args = parser.parse_args()
    rows = []
    for orient in ORIENTATIONS:
        for measure in MEASURES:
            rows.append(compare(args.locations, orient, measure, args.repeats))
            row = rows[-1]
            print(
                f"{row['locations']:6d} {orient:6s} {measure:10s} {row['seconds_2018']:7.3f} s  "
                + "  ".join(f"{y} {r:5.2f} × 2018" for y, r in row["times_2018"].items()),
                file=sys.stderr if args.json else sys.stdout,
                flush=True,
            )
    if args.json:
        print(json.dumps(rows, indent=1))
    if args.page:
        head = ("locations", "orientation", "measure", *(f"{y}, times 2018" for y in YEARS[:2]))
        publish_table("inverse_years", head, map(_cells, rows))


def _cells(row: dict) -> tuple[str, ...]:
    ratios = (f"{ratio:.2f}" for ratio in row["times_2018"].values())
    return str(row["locations"]), row["orientation"], row["measure"], *ratios


if __name__ == "__main__":
    main()
