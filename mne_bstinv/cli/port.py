"""Convert a whole protocol, or the zip that Brainstorm exports, to files of MNE-Python."""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress
from math import isfinite

from mne_bstinv.cli import streams
from mne_bstinv.cli.arguments import add_dry_run, add_n_jobs, add_rtol, add_units
from mne_bstinv.port import PortReport, port_protocol

__all__ = ["TWINS", "add_arguments", "run"]

#: What does the same in Python.
TWINS = ("mne_bstinv.port_protocol",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand."""
    parser.add_argument(
        "protocol",
        type=streams.path,
        help="the folder of a protocol, or a .zip that Brainstorm exported",
    )
    parser.add_argument("out", type=streams.path, help="folder of the output; run again to go on")
    _add_selection(parser)
    parser.add_argument(
        "--scale-leff",
        action="store_true",
        help="multiply dSPM estimates by the root of Leff, as Brainstorm's process 'Scale averaged "
        "dSPM' does (dspm2018sc)",
    )
    parser.add_argument("--verify", action="store_true", help="recompute the stored kernels too")
    add_rtol(parser, "largest relative difference that --verify takes for equal")
    add_n_jobs(parser)
    add_units(parser)
    parser.add_argument(
        "--overwrite", action="store_true", help="replace files that are of no earlier port"
    )
    add_dry_run(parser)
    parser.add_argument(
        "--max-size",
        type=_size,
        default=64.0,
        metavar="GIB",
        help="largest size of an extracted .zip (default: 64 GiB)",
    )


def _add_selection(parser: argparse.ArgumentParser) -> None:
    """Declare what chooses a part of the protocol."""
    parser.add_argument("--subject", action="append", help="port this subject (repeat for more)")
    parser.add_argument(
        "--condition", action="append", help="port this condition (repeat for more)"
    )
    parser.add_argument(
        "--data-types",
        nargs="+",
        metavar="TYPE",
        help="port only results computed of these types of channels, such as EEG, or MEG",
    )
    parser.add_argument(
        "--estimates",
        choices=("all", "averages", "none"),
        default="all",
        help="recordings to write source estimates of (default: all)",
    )
    parser.add_argument(
        "--raw",
        choices=("fif", "none"),
        default="fif",
        help="what continuous recordings become (default: fif, files of 2 GB at most)",
    )
    parser.add_argument(
        "--raw-dir",
        type=streams.path,
        metavar="FOLDER",
        help="where the original files of continuous recordings may be, if they moved",
    )


def run(args: argparse.Namespace) -> int:
    """Port and say what was done.

    Returns 0 if nothing failed, all folders could be listed and no verified kernel differs, else
    1. If it is interrupted, KeyboardInterrupt says how to go on.
    """
    try:
        report = _report(args)
    except KeyboardInterrupt:
        raise KeyboardInterrupt("run the same command again to go on") from None
    print(report, file=sys.stdout)
    return int(not report.success)


def _report(args: argparse.Namespace) -> PortReport:
    return port_protocol(
        args.protocol,
        args.out,
        subjects=args.subject,
        conditions=args.condition,
        data_types=args.data_types,
        estimates=args.estimates,
        raw=args.raw,
        raw_dir=args.raw_dir,
        scale_leff=args.scale_leff,
        verify=args.verify,
        rtol=args.rtol,
        n_jobs=args.n_jobs,
        units=args.units,
        overwrite=args.overwrite,
        max_bytes=int(args.max_size * 1024**3),
        progress=None,
        dry_run=args.dry_run,
    )


def _size(text: str) -> float:
    with suppress(ValueError):
        value = float(text)
        if value * 1024**3 >= 1 and isfinite(value):
            return value
    raise argparse.ArgumentTypeError(f"must be a positive number of GiB; found {text!r}")
