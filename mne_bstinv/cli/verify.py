"""Recompute the kernels below a path, and what was made of them, and compare both."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

from mne_bstinv._interruption import noted_interruption
from mne_bstinv._log import warnings_silenced
from mne_bstinv._verdicts import NOT_COMPARABLE
from mne_bstinv.cli import streams
from mne_bstinv.cli.arguments import add_n_jobs, add_rtol
from mne_bstinv.compare.stored import EQUALS
from mne_bstinv.errors import MissingFileError
from mne_bstinv.io.result_links import results_file
from mne_bstinv.verification import Verification, find_files, verify

__all__ = ["TWINS", "add_arguments", "run"]

#: Letters from which on a reason is not written again.
_LONG = 60

#: What does the same in Python.
TWINS = ("mne_bstinv.verify", "mne_bstinv.recompute")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand."""
    parser.add_argument("path", type=streams.path, help="a protocol, a folder in one, or a file")
    parser.add_argument("--json", action="store_true", help="print a JSON list instead of lines")
    add_rtol(parser, "largest relative Frobenius difference that counts as equal")
    parser.add_argument(
        "--inverse",
        nargs="+",
        metavar="FILE",
        type=Path,
        help="operators of MNE-Python (…-inv.fif) that kernels were exported from (default: the "
        "file that a kernel names)",
    )
    add_n_jobs(parser)
    parser.add_argument(
        "--strict",
        action="store_true",
        help="exit with 1 also if a kernel is not comparable",
    )


def run(args: argparse.Namespace) -> int:
    """Verify and print.

    Returns 0 if nothing differs and nothing failed (with ``--strict``: if all kernels are
    equal), else 1. What cannot be recomputed of what was made of kernels does not count. If it is
    interrupted, what was known by then is printed, and KeyboardInterrupt says of how many files.
    """
    args.path = results_file(args.path)
    files = find_files(args.path)
    if not files:
        raise MissingFileError(
            f"{args.path}: no results file (results_*.mat) in it, nor anything that was made of "
            "others, so nothing was verified. Give a protocol, a condition or a file."
        )
    folder = args.path if args.path.is_dir() else args.path.parent
    outcomes: list[Verification] = []
    firsts: dict[str, Path] = {}
    interrupted = False
    try:
        with (
            noted_interruption() as interruption,
            tqdm(total=len(files), unit="file", disable=args.json or None, file=sys.stderr) as bar,
        ):
            for outcome in _outcomes(files, args):
                outcomes.append(outcome)
                bar.update()
                if not args.json:
                    first = firsts.setdefault(outcome.reason, outcome.file)
                    tqdm.write(format_line(outcome, folder, first), file=sys.stdout)
                interruption.check()
    except KeyboardInterrupt:
        interrupted = True
    if args.json:
        print(streams.as_json([o.to_dict() for o in outcomes]))
    elif outcomes:
        print(summary(outcomes))
    if interrupted:
        raise KeyboardInterrupt(f"{len(outcomes)} of {len(files)} file(s) were verified")
    kernels = [o for o in outcomes if not o.is_derived]
    unequal = [o for o in kernels if o.status not in EQUALS]
    failed = any(o.failed for o in outcomes)
    for note in _notes(outcomes, args.inverse or [], strict=args.strict and not failed):
        print(f"mne-bstinv verify: {note}", file=sys.stderr)
    return int(failed or (args.strict and bool(unequal)))


def _notes(outcomes: list[Verification], operators: list[Path], *, strict: bool) -> Iterator[str]:
    """Say what the verdict may hide.

    That nothing was compared, or with none of the operators given, and why ``--strict`` fails.
    """
    told = [text for o in outcomes for text in (*map(str, o.parents), o.reason)]
    if operators and not any(str(path) in text for path in operators for text in told):
        yield "--inverse has no effect: no kernel here is of MNE-Python"
    n = sum(o.status == NOT_COMPARABLE for o in outcomes)
    if n == len(outcomes):
        yield f"nothing was verified: none of {n} file(s) is comparable, see the reasons"
    kernels = [o for o in outcomes if not o.is_derived]
    n = sum(o.status == NOT_COMPARABLE for o in kernels)
    if strict and n:
        of_all = f"{n} of {len(kernels)} results file(s)"
        yield f"--strict: exit code 1, since {of_all} cannot be compared"


def _outcomes(files: list[Path], args: argparse.Namespace) -> Iterator[Verification]:
    with warnings_silenced():  # what the inverse warns of is part of each outcome
        yield from verify(files, rtol=args.rtol, operators=args.inverse, n_jobs=args.n_jobs)


def format_line(outcome: Verification, folder: Path, first: Path | None = None) -> str:
    """Write an outcome in a line: status, relative difference, file, options and reason.

    A long reason is written once: ``first`` is the first file with it.
    """
    number = outcome.relative_difference
    shown = "       " if number is None else f"{number:7.1e}"
    parts = [f"{outcome.status:<16}", shown, str(outcome.file.relative_to(folder))]
    if outcome.options:
        parts.append(f"[{outcome.options}]")
    if len(outcome.reason) > _LONG and first is not None and first != outcome.file:
        parts.append(f"– the same as of {first.name}")
    elif outcome.reason:
        parts.append("– " + " ".join(outcome.reason.split()))
    return "  ".join(parts)


def summary(outcomes: list[Verification]) -> str:
    """Write the verdict: a sentence on kernels, and one on what was made of other files."""
    kernels = [o for o in outcomes if not o.is_derived]
    derived = [o for o in outcomes if o.is_derived]
    parts = [_counted("results file(s)", kernels)] if kernels else []
    parts += [_counted("derived file(s)", derived)] if derived else []
    return "\n".join(parts)


def _counted(what: str, outcomes: list[Verification]) -> str:
    counts = Counter(o.status for o in outcomes)
    listed = ", ".join(f"{count} {status}" for status, count in counts.most_common())
    differences = [o.relative_difference for o in outcomes if o.relative_difference is not None]
    largest = f"; largest relative difference {max(differences):.1e}" if differences else ""
    return f"{len(outcomes)} {what}: {listed}{largest}."
