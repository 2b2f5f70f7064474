"""Write MNE-Python's files as a condition of a Brainstorm protocol, new or existing."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from mne_bstinv._log import warnings_silenced
from mne_bstinv.conversion import conversion_report
from mne_bstinv.errors import OptionError
from mne_bstinv.inverse import InverseOptions

__all__ = ["add_arguments", "run"]

#: What ``--compute`` takes → method and measure of the inverse.
_MEASURES = {
    "amplitude": ("minnorm", "amplitude"),
    "dspm2018": ("minnorm", "dspm2018"),
    "sloreta": ("minnorm", "sloreta"),
    "gls": ("gls", "performance"),
    "lcmv": ("lcmv", "nai"),
}
#: Options → their help; all name one file.
_FILES = {
    "info": "sensors and fiducials, where they are not in the recordings",
    "forward": "forward solution, …-fwd.fif",
    "noise-cov": "noise covariance, …-cov.fif; or data (…-epo.fif, …-raw.fif …) to compute it from",
    "data-cov": "data covariance, the same",
    "src": "source spaces, …-src.fif, where there is no forward solution",
    "trans": "head-MRI transform, …-trans.fif, for source spaces in the MRI frame and an MRI",
    "mri": "the subject's MRI: subjectimage_*.mat, or T1.mgz of FreeSurfer",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The subcommand's parser.
    """
    parser.add_argument("protocol", type=Path, help="folder of the protocol, existing or new")
    parser.add_argument("--subject", required=True, help="name of the subject")
    parser.add_argument("--condition", required=True, help="name of the condition; a new one")
    parser.add_argument(
        "--recordings",
        nargs="+",
        default=[],
        metavar="FILE",
        type=Path,
        help="…-ave.fif, …-epo.fif, …-raw.fif",
    )
    for name, text in _FILES.items():
        parser.add_argument(f"--{name}", metavar="FILE", type=Path, help=text)
    parser.add_argument(
        "--labels",
        nargs="+",
        default=[],
        metavar="FILE",
        type=Path,
        help=".label files, or .annot files in the label folder of a FreeSurfer subject",
    )
    kernels = parser.add_argument_group("source estimations")
    kernels.add_argument(
        "--compute",
        nargs="+",
        default=[],
        choices=sorted(_MEASURES),
        help="compute Brainstorm's kernels of these measures",
    )
    kernels.add_argument("--data-types", nargs="+", metavar="TYPE", help="MEG, EEG …")
    kernels.add_argument("--orient", choices=("fixed", "loose", "free"), default="fixed")
    kernels.add_argument("--snr", type=float, default=3.0, help="amplitude SNR (default: 3)")
    kernels.add_argument(
        "--option",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "VALUE"),
        help="any other option by Brainstorm's name, such as: NoiseMethod shrink",
    )
    kernels.add_argument("--inverse", metavar="FILE", type=Path, help="operator, …-inv.fif")
    kernels.add_argument("--lambda2", type=float, help="regularisation of the operator")
    kernels.add_argument("--method", choices=("MNE", "dSPM", "sLORETA", "eLORETA"))
    kernels.add_argument("--pick-ori", choices=("vector", "normal"))
    parser.add_argument(
        "--share-channels",
        action="store_true",
        help="let all conditions of a new subject share channel file, head model and covariances",
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace the condition if it exists"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of lines")


def run(args: argparse.Namespace) -> int:
    """Export and print.

    Parameters
    ----------
    args : argparse.Namespace
        The parsed arguments.

    Returns
    -------
    int
        0.
    """
    from mne_bstinv.export import export_study

    estimations = _estimations(args)
    with warnings_silenced("mne"):  # what they say is in the report
        exported = export_study(
            args.protocol,
            args.recordings,
            subject=args.subject,
            condition=args.condition,
            **{name.replace("-", "_"): getattr(args, name.replace("-", "_")) for name in _FILES},
            labels=args.labels,
            estimations=estimations,
            share_channels=args.share_channels,
            overwrite=args.overwrite,
        )
    written = [path.relative_to(exported.root).as_posix() for path in exported.written]
    report = conversion_report(exported)
    if args.json:
        findings = [vars(finding) for finding in report]
        result = {"protocol": str(exported.root), "written": written, "findings": findings}
        print(json.dumps(result, indent=1, ensure_ascii=False))
        return 0
    print(f"{exported.root}: {exported.subject}/{exported.condition}")
    print("\n".join(f"  {name}" for name in written))
    if report:
        print("What the formats could not take over as it was:")
        print("\n".join(f"  {finding}" for finding in report))
    return 0


def _estimations(args: argparse.Namespace) -> list[Any]:
    from mne_bstinv.export import Estimation

    given: list[Any] = []
    for name in args.compute:
        method, measure = _MEASURES[name]
        options = {
            "InverseMethod": method,
            "InverseMeasure": measure,
            "SourceOrient": args.orient,
            "SnrFixed": args.snr,
            **{option: _value(text) for option, text in args.option},
        }
        known = InverseOptions().to_brainstorm()
        unknown = [option for option in options if option not in known]
        if unknown:
            raise OptionError(f"Unknown option {unknown[0]!r}. Must be one of {', '.join(known)}.")
        checked = InverseOptions.from_brainstorm(options)
        given.append(Estimation(of=checked, data_types=args.data_types))
    if args.inverse is not None:
        given.append(
            Estimation(
                of=args.inverse,
                lambda2=args.lambda2,
                method=args.method,
                pick_ori=args.pick_ori,
            )
        )
    return given


def _value(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text
