"""Time of a cross-validation, as a multiple of MNE's own way to one kernel, in one run.

Run ``python benchmarks/cross_validation.py`` (options: ``--folder FOLDER`` with the files of MNE's
sample subject, ``--repeats 5``). The unit is ``make_inverse_operator`` and ``apply_inverse`` on
unit data, with the same forward solution and covariance. A cross-validation computes two kernels in
each toolbox, one for each convention switched in turn and alone from both ends, and all metrics;
Shapley values (up to 2^n kernels more) are timed apart. Only the ratios mean anything.
"""

from __future__ import annotations

import argparse
import logging
import statistics
import time
from collections.abc import Callable

import mne

import mne_bstinv as mb
from mne_bstinv.adapters.equivalence.mne_side import mne_side
from mne_bstinv.cross_validation.engine import compute
from mne_bstinv.cross_validation.ingredients import gather


def median_time(function: Callable[[], object], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def ratios(study: mb.StudyData, orient: str, repeats: int) -> dict[str, float]:
    options = mb.InverseOptions(source_orient=orient)
    settings = mb.MneSettings.defaults_for(options)
    ingredients = gather(study, options, settings, "MEG")
    unit = median_time(lambda: mne_side(study, options, settings, "MEG").blocks(), repeats)
    calls: dict[str, Callable[[], object]] = {
        "one kernel of the engine": lambda: compute(ingredients, frozenset()),
        "cross_validate": lambda: mb.cross_validate(
            study, options=options, data_types="MEG", shapley_limit=0
        ),
        "with Shapley values": lambda: mb.cross_validate(study, options=options, data_types="MEG"),
    }
    return {name: median_time(call, repeats) / unit for name, call in calls.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", help="files of MNE's sample subject")
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    logging.getLogger("mne_bstinv").setLevel(logging.ERROR)
    mne.set_log_level("ERROR")
    studies = {"embedded sample": mb.datasets.load_sample()}
    if args.folder:
        studies["MNE's sample subject"] = mb.datasets.load_mne_sample(args.folder)
    for name, study in studies.items():
        for orient in ("fixed", "free"):
            found = ratios(study, orient, args.repeats)
            listed = ", ".join(f"{what} {ratio:.2g}" for what, ratio in found.items())
            print(f"{name}, {orient} (unit: MNE's kernel): {listed}")


if __name__ == "__main__":
    main()
