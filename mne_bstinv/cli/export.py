"""Write MNE-Python's files as a condition of a Brainstorm protocol, new or existing."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mne_bstinv import io
from mne_bstinv._log import warnings_silenced
from mne_bstinv.cli import streams
from mne_bstinv.cli.arguments import add_dry_run, add_units
from mne_bstinv.cli.effects import refuse_ineffective_options, refuse_unless
from mne_bstinv.conversion import conversion_report
from mne_bstinv.errors import OptionError
from mne_bstinv.inverse import InverseOptions
from mne_bstinv.inverse.options import FIELDS

if TYPE_CHECKING:
    from mne_bstinv.export import ExportedStudy

__all__ = ["MISPLACED", "TWINS", "add_arguments", "run"]

#: What does the same in Python.
TWINS = ("mne_bstinv.export_study", "mne_bstinv.export_raw")

#: What to say of arguments that are none.
MISPLACED = (
    ". mne-bstinv export takes one folder, the protocol; files are given with --recordings, "
    "--forward … (see mne-bstinv export --help)"
)

#: What ``--compute`` takes → method and measure of the inverse.
_MEASURES = {
    "amplitude": ("minnorm", "amplitude"),
    "dspm2018": ("minnorm", "dspm2018"),
    "sloreta": ("minnorm", "sloreta"),
    "gls": ("gls", "performance"),
    "lcmv": ("lcmv", "nai"),
}
#: What ``--option`` takes: the other two options are what ``--compute`` says.
_OPTIONS = [name for name in FIELDS.values() if name not in ("InverseMethod", "InverseMeasure")]
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
    """Declare the arguments of the subcommand."""
    parser.add_argument(
        "protocol", type=streams.path, help="folder of the protocol, existing or new"
    )
    parser.add_argument("--subject", required=True, help="name of the subject")
    parser.add_argument(
        "--condition", help="name of the condition; a new one (of --raw alone: not needed)"
    )
    _add_files(parser)
    _add_times(parser.add_argument_group("times (s) of covariances that are computed from data"))
    parser.add_argument(
        "--labels",
        nargs="+",
        default=[],
        metavar="FILE",
        type=streams.path,
        help=".label files, or .annot files in the label folder of a FreeSurfer subject",
    )
    parser.add_argument(
        "--derived",
        nargs="+",
        default=[],
        metavar="FILE",
        type=Path,
        help="dipoles (.dip, .bdip, dipoles_*.mat) and signals (matrix_*.mat)",
    )
    parser.add_argument(
        "--region",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "CODE"),
        help="orientation constraint of a region of a mixed head model, such as: 'Cortex L' LSC "
        "(default: that of Brainstorm where it is known, else loose cortex, unconstrained volumes)",
    )
    _add_kernels(parser.add_argument_group("source estimations"))
    parser.add_argument(
        "--share-channels",
        action="store_true",
        help="let all conditions of a new subject share channel file, head model and covariances",
    )
    add_units(parser)
    parser.add_argument(
        "--overwrite", action="store_true", help="replace the condition if it exists"
    )
    add_dry_run(parser)
    parser.add_argument("--json", action="store_true", help="print JSON instead of lines")


def _add_files(parser: argparse.ArgumentParser) -> None:
    """Declare the files of MNE-Python."""
    parser.add_argument(
        "--raw",
        nargs="+",
        default=[],
        metavar="FILE",
        type=streams.path,
        help="continuous recordings of any format that MNE reads, each a condition @raw… with a "
        ".bst file, in which Brainstorm goes on",
    )
    parser.add_argument(
        "--recordings",
        nargs="+",
        default=[],
        metavar="FILE",
        type=streams.path,
        help="…-ave.fif, …-epo.fif, …-raw.fif",
    )
    for name, text in _FILES.items():
        parser.add_argument(f"--{name}", metavar="FILE", type=streams.path, help=text)


def _add_kernels(group: Any) -> None:
    group.add_argument(
        "--compute",
        nargs="+",
        default=[],
        choices=sorted(_MEASURES),
        help="compute Brainstorm's kernels of these measures",
    )
    group.add_argument("--data-types", nargs="+", metavar="TYPE", help="MEG, EEG …")
    group.add_argument(
        "--orient",
        choices=("fixed", "loose", "free"),
        help="default: fixed, in a volume free; the regions of a mixed model have their own",
    )
    group.add_argument("--snr", type=float, help="amplitude SNR (default: 3)")
    group.add_argument(
        "--option",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "VALUE"),
        help="any other option by Brainstorm's name, such as: NoiseMethod shrink",
    )
    group.add_argument("--inverse", metavar="FILE", type=streams.path, help="operator, …-inv.fif")
    group.add_argument(
        "--lambda2",
        type=float,
        help="regularisation of the operator (default, with --method: those of its own options, if "
        "it was made of Brainstorm's)",
    )
    group.add_argument("--method", choices=("MNE", "dSPM", "sLORETA", "eLORETA"))
    group.add_argument("--pick-ori", choices=("vector", "normal"))


def _add_times(group: Any) -> None:
    for kind, prefix in (("noise", "--"), ("data", "--data-")):
        of = f"of the {kind} covariance"
        end = ", but 0 for epochs and averages that begin before it" if kind == "noise" else ""
        group.add_argument(
            f"{prefix}tmin", type=float, help=f"first time {of} (default: of the recordings)"
        )
        group.add_argument(
            f"{prefix}tmax", type=float, help=f"last time {of} (default: of the recordings{end})"
        )
        group.add_argument(
            f"{prefix}baseline",
            nargs=2,
            type=float,
            metavar=("TMIN", "TMAX"),
            help=f"times of the means that are subtracted, {of} (default: the same times)",
        )


def _times(args: argparse.Namespace) -> dict[str, Any]:
    """Return the windows that were given, by the argument of export_study."""
    said: dict[str, Any] = {}
    for kind, prefix in (("noise", ""), ("data", "data_")):
        ends = getattr(args, f"{prefix}tmin"), getattr(args, f"{prefix}tmax")
        baseline = getattr(args, f"{prefix}baseline")
        said[f"{kind}_window"] = None if ends == (None, None) else ends
        said[f"{kind}_baseline"] = None if baseline is None else tuple(baseline)
    return said


def run(args: argparse.Namespace) -> int:
    """Export, print and return 0."""
    _refuse_idle(args)
    studies = []
    with warnings_silenced("mne"):  # what they say is in the report
        if args.condition is not None:
            _raws(args, dry_run=True)  # what is wrong with them is said before anything is written
            studies = [_study(args)]
        exported = _raws(args, dry_run=args.dry_run)
    return _tell([*exported, *studies], args)


def _raws(args: argparse.Namespace, *, dry_run: bool) -> list[ExportedStudy]:
    """Export the continuous recordings."""
    from mne_bstinv.export import export_raw

    return [
        export_raw(
            args.protocol, file, subject=args.subject, overwrite=args.overwrite, dry_run=dry_run
        )
        for file in args.raw
    ]


def _study(args: argparse.Namespace) -> ExportedStudy:
    """Export the condition."""
    from mne_bstinv.export import export_study
    from mne_bstinv.export.inputs import load

    files = {name.replace("-", "_"): getattr(args, name.replace("-", "_")) for name in _FILES}
    if args.compute:  # where the locations are decides which options have an effect
        files["forward"] = load(args.forward, "forward")
    return export_study(
        args.protocol,
        args.recordings,
        subject=args.subject,
        condition=args.condition,
        **files,
        **_times(args),
        labels=args.labels,
        derived=args.derived,
        regions=dict(args.region) or None,
        estimations=_estimations(args, _kind_of_locations(files["forward"])),
        share_channels=args.share_channels,
        units=args.units,
        overwrite=args.overwrite,
        dry_run=args.dry_run,
    )


def _tell(exported: Sequence[ExportedStudy], args: argparse.Namespace) -> int:
    """Print what was written (or would be), and what the formats could not take over."""
    if args.json:
        report = [finding for one in exported for finding in conversion_report(one)]
        result = {
            "protocol": str(exported[0].root),
            "dry_run": args.dry_run,
            "written": [name for one in exported for name in _written(one)],
            "findings": [vars(finding) for finding in dict.fromkeys(report)],
        }
        print(streams.as_json(result))
        return 0
    for one in exported:
        dry = " (dry run: nothing was written)" if args.dry_run else ""
        print(f"{one.root}: {one.subject}/{one.condition}{dry}")
        print("\n".join(f"  {name}" for name in _written(one)))
        if findings := conversion_report(one):
            print("What the formats could not take over as it was:")
            print("\n".join(f"  {finding}" for finding in findings))
    return 0


def _written(exported: ExportedStudy) -> list[str]:
    return [path.relative_to(exported.root).as_posix() for path in exported.written]


def _refuse_idle(args: argparse.Namespace) -> None:
    """Refuse what is about kernels and has none to be about."""
    of_compute = {
        "--data-types": args.data_types is not None,
        "--orient": args.orient is not None,
        "--snr": args.snr is not None,
        "--option": bool(args.option),
    }
    of_inverse = {
        "--lambda2": args.lambda2 is not None,
        "--method": args.method is not None,
        "--pick-ori": args.pick_ori is not None,
    }
    given = {f"--{name}": getattr(args, name.replace("-", "_")) is not None for name in _FILES}
    given |= {
        "--recordings": bool(args.recordings),
        "--labels": bool(args.labels),
        "--derived": bool(args.derived),
        "--compute": bool(args.compute),
        "--inverse": args.inverse is not None,
        "--share-channels": args.share_channels,
    }
    if args.condition is None and not args.raw:
        raise OptionError("--condition: needed, the name of the new condition, but for --raw.")
    refuse_unless(args.condition is not None, "--condition", given)
    refuse_unless(bool(args.compute), "--compute", of_compute)
    refuse_unless(args.inverse is not None, "--inverse", of_inverse)


def _kind_of_locations(forward: Any) -> str:
    """Tell whether locations are of a surface, a volume or both; of nothing, as of a surface."""
    if isinstance(forward, io.HeadModel):
        return forward.kind
    if forward is None or isinstance(forward, Path):  # a file: no kernel is computed
        return "surface"
    src = forward["src"]
    return "surface" if src.kind == "surface" else "volume" if len(src) == 1 else "mixed"


def _estimations(args: argparse.Namespace, kind: str) -> list[Any]:
    from mne_bstinv.export import Estimation

    given = [
        Estimation(of=options, data_types=args.data_types) for options in _computed(args, kind)
    ]
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


def _computed(args: argparse.Namespace, kind: str) -> list[InverseOptions]:
    """Return the options of the kernels to compute, all that was given in effect."""
    said, arguments = _said(args)
    said.setdefault("SourceOrient", "free" if kind == "volume" else "fixed")
    computed = []
    for name in args.compute:
        method, measure = _MEASURES[name]
        own = {"InverseMethod": method, "InverseMeasure": measure}
        computed.append(InverseOptions.from_brainstorm({**own, **said}))
    given = {ours: arguments[theirs] for ours, theirs in FIELDS.items() if theirs in arguments}
    refuse_ineffective_options(given, computed, mixed=kind == "mixed")
    return computed


def _said(args: argparse.Namespace) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the options that were given by Brainstorm's names, and the argument of each."""
    named = {"SourceOrient": ("--orient", args.orient), "SnrFixed": ("--snr", args.snr)}
    said = {name: value for name, (_, value) in named.items() if value is not None}
    arguments = {name: argument for name, (argument, _) in named.items() if name in said}
    for name, text in args.option:
        if name not in FIELDS.values():
            raise OptionError(f"Unknown option {name!r}. Must be one of {', '.join(_OPTIONS)}.")
        if name not in _OPTIONS:
            raise OptionError(
                f"--option {name} {text}: --compute says this already. Leave the option out."
            )
        if name in said:
            raise OptionError(
                f"--option {name} {text}: {arguments[name]} says {said[name]!r} already. Give it "
                "once."
            )
        said[name], arguments[name] = _value(text), f"--option {name}"
    return said, arguments


def _value(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text
