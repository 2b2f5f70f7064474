"""Convert one file of Brainstorm to one of MNE-Python, or back; names say what files hold."""

from __future__ import annotations

import argparse

from mne_bstinv._log import warnings_silenced
from mne_bstinv.cli import streams
from mne_bstinv.cli.arguments import add_units

__all__ = ["TWINS", "add_arguments", "run"]

#: What does the same in Python.
TWINS = ("mne_bstinv.convert_file",)

_COMPANIONS = {
    "channels": "channel file",
    "head-model": "head model",
    "noise-cov": "noise covariance",
    "recordings": "recordings",
    "cortex": "cortex",
    "mri": "MRI",
    "src": "source spaces: …-fwd.fif, …-src.fif or …-inv.fif",
    "trans": "head-MRI transform",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand."""
    # names of their own: --src is a companion
    parser.add_argument(
        "source",
        type=streams.path,
        metavar="SRC",
        help="the file to convert: headmodel_*.mat, …-fwd.fif …",
    )
    parser.add_argument(
        "target",
        type=streams.path,
        metavar="DST",
        help="the file to write; its name says what it holds",
    )
    for name, text in _COMPANIONS.items():
        parser.add_argument(
            f"--{name}",
            metavar="FILE",
            type=streams.path,
            help=f"{text}, where it is not found beside the files or in their protocol",
        )
    parser.add_argument(
        "--item", type=int, help="which of several evoked responses or epochs, from 0"
    )
    _add_operator(parser)
    _add_times(parser)
    parser.add_argument(
        "--scale-leff",
        action="store_true",
        help="multiply dspm2018 by the square root of Leff, as Brainstorm's process 'Scale "
        "averaged dSPM' does (dspm2018sc)",
    )
    parser.add_argument(
        "--raw-dir",
        type=streams.path,
        metavar="FOLDER",
        help="where the file of a link (data_0raw_*.mat) may be, if it moved",
    )
    parser.add_argument(
        "--atlas",
        metavar="NAME",
        help="atlas whose scouts are converted (default: the current one), or that labels become "
        "(default: the name of their file)",
    )
    add_units(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace the file if it exists")


def _add_operator(parser: argparse.ArgumentParser) -> None:
    """Declare how an operator is applied."""
    parser.add_argument(
        "--lambda2",
        type=float,
        help="regularisation of an operator (default, with --method: those of its own options, if "
        "it was made of Brainstorm's)",
    )
    parser.add_argument(
        "--method",
        choices=("MNE", "dSPM", "sLORETA", "eLORETA"),
        help="method of an operator; what the values of a source estimate are (needed for these)",
    )
    parser.add_argument(
        "--pick-ori", choices=("vector", "normal"), help="orientation of an operator's rows"
    )


def _add_times(parser: argparse.ArgumentParser) -> None:
    """Declare the windows of a covariance that is computed from data."""
    parser.add_argument(
        "--tmin", type=float, help="first time (s) of a noise covariance that is computed from data"
    )
    parser.add_argument(
        "--tmax",
        type=float,
        help="last time (s) of the same (default: 0 for epochs and averages that begin before it)",
    )
    parser.add_argument(
        "--baseline",
        nargs=2,
        type=float,
        metavar=("TMIN", "TMAX"),
        help="times (s) of the means of the same (default: those of the covariance)",
    )


def run(args: argparse.Namespace) -> int:
    """Convert, print and return 0."""
    from mne_bstinv.conversion_files import convert_file

    given = {name.replace("-", "_"): getattr(args, name.replace("-", "_")) for name in _COMPANIONS}
    with warnings_silenced("mne"):  # what they say is in the report
        converted = convert_file(
            args.source,
            args.target,
            companions={name: path for name, path in given.items() if path is not None},
            item=args.item,
            lambda2=args.lambda2,
            method=args.method,
            pick_ori=args.pick_ori,
            tmin=args.tmin,
            tmax=args.tmax,
            baseline=None if args.baseline is None else tuple(args.baseline),
            scale_leff=args.scale_leff,
            raw_dir=args.raw_dir,
            atlas=args.atlas,
            units=args.units,
            overwrite=args.overwrite,
        )
    for file in converted.files:
        print(file)
    for name, path in converted.companions.items():
        print(f"  with {name.replace('_', ' ')}: {path}")
    for finding in converted.report:
        print(f"  {finding}")
    return 0
