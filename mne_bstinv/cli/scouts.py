"""Extract scout time series of all source maps of a protocol into one table."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mne_bstinv._log import warnings_silenced
from mne_bstinv.cli.arguments import add_n_jobs
from mne_bstinv.derived import extract_scouts
from mne_bstinv.errors import OptionError, OverwriteError
from mne_bstinv.maps.scout_functions import SCOUT_FUNCTIONS

__all__ = ["TWINS", "add_arguments", "run"]

#: What does the same in Python.
TWINS = ("mne_bstinv.extract_scouts",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand."""
    parser.add_argument("protocol", type=Path, help="the folder of a protocol")
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        help="file to write: .csv, .parquet or .mat (signals of Brainstorm, which shows them where "
        "the name is matrix_*.mat, in the folder of a condition)",
    )
    parser.add_argument("--atlas", help="name of the atlas (default: the current one)")
    parser.add_argument(
        "--scout", action="append", default=[], help="this scout alone (repeat for more)"
    )
    parser.add_argument(
        "--function",
        choices=(*SCOUT_FUNCTIONS, "own"),
        default="mean",
        help="how a scout is aggregated; own: as each scout says (default: mean)",
    )
    parser.add_argument("--no-flip", action="store_true", help="do not flip signs")
    parser.add_argument(
        "--free",
        choices=("norm", "pca", "xyz"),
        default="norm",
        help="what becomes of three components (default: norm)",
    )
    parser.add_argument("--results", help="only results with this in their comment or file name")
    parser.add_argument(
        "--recordings",
        choices=("averages", "all"),
        default="averages",
        help="recordings that shared kernels are applied to (default: averages)",
    )
    parser.add_argument("--subject", action="append", help="this subject (repeat for more)")
    parser.add_argument("--condition", action="append", help="this condition (repeat for more)")
    add_n_jobs(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace the file")


def run(args: argparse.Namespace) -> int:
    """Extract and write; return 0 if all maps gave their scouts, else 1."""
    if args.out.suffix.lower() not in (".csv", ".parquet", ".mat"):
        raise OptionError(f"{args.out}: let it end in .csv, .parquet or .mat.")
    if args.out.exists() and not args.overwrite:
        raise OverwriteError.of(args.out)
    with warnings_silenced():
        table = extract_scouts(
            args.protocol,
            atlas=args.atlas,
            scouts=args.scout,
            function=None if args.function == "own" else args.function,
            flip=not args.no_flip,
            free=args.free,
            results=args.results,
            recordings=args.recordings,
            subjects=args.subject,
            conditions=args.condition,
            n_jobs=args.n_jobs,
        )
    for problem in table.problems:
        print(f"mne-bstinv scouts: {problem}", file=sys.stderr)
    if not table.series:
        raise OptionError(f"{args.protocol}: no map gave a scout, so nothing was written.")
    table.save(args.out, overwrite=args.overwrite)
    rows = sum(len(one.names) for one in table.series)
    print(f"{args.out}: {rows} time series of {len(table.series)} maps")
    return int(bool(table.problems))
