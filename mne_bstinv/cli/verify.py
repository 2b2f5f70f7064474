"""Recompute every stored imaging kernel below a path and compare it with the stored one."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

from mne_bstinv._log import warnings_silenced
from mne_bstinv.compare.stored import NOT_COMPARABLE
from mne_bstinv.errors import MissingFileError
from mne_bstinv.verification import Verification, find_results, verify

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The subcommand's parser.
    """
    parser.add_argument("path", type=Path, help="a protocol, a folder in one, or a results file")
    parser.add_argument("--json", action="store_true", help="print a JSON list instead of lines")
    parser.add_argument(
        "--rtol",
        type=_tolerance,
        default=1e-9,
        help="largest relative Frobenius difference that counts as equal (default: 1e-9)",
    )
    parser.add_argument(
        "--strict",
        action="store_true",
        help="exit with 1 also if a file is not comparable",
    )


def run(args: argparse.Namespace) -> int:
    """Verify and print.

    Parameters
    ----------
    args : argparse.Namespace
        The parsed arguments.

    Returns
    -------
    int
        0 if nothing differs and nothing failed (with ``--strict``: if all are equal), else 1.

    Raises
    ------
    MissingFileError
        If there is no results file.
    """
    files = find_results(args.path)
    if not files:
        raise MissingFileError(
            f"{args.path}: no results file (results_*.mat) in it, so nothing was verified. Give a "
            "protocol, a condition or a results file."
        )
    folder = args.path if args.path.is_dir() else args.path.parent
    outcomes: list[Verification] = []
    with tqdm(
        total=len(files), unit="kernel", disable=None if not args.json else True, file=sys.stderr
    ) as bar:
        for outcome in _outcomes(files, args.rtol):
            outcomes.append(outcome)
            bar.update()
            if not args.json:
                tqdm.write(format_line(outcome, folder), file=sys.stdout)
    if args.json:
        print(json.dumps([o.to_dict() for o in outcomes], indent=1, ensure_ascii=False))
    else:
        print(summary(outcomes))
    unequal = [o for o in outcomes if not o.status.startswith("equal")]
    failed = any(o.failed for o in outcomes)
    for note in _notes(outcomes, strict=args.strict and not failed):
        print(f"mne-bstinv verify: {note}", file=sys.stderr)
    return int(bool(unequal) if args.strict else failed)


def _notes(outcomes: list[Verification], *, strict: bool) -> Iterator[str]:
    """Say what the verdict may hide: that nothing was compared, and why ``--strict`` fails."""
    n = sum(o.status == NOT_COMPARABLE for o in outcomes)
    if n == len(outcomes):
        yield f"nothing was verified: none of {n} results file(s) is comparable, see the reasons"
    if strict and n:
        of_all = f"{n} of {len(outcomes)} results file(s)"
        yield f"--strict: exit code 1, since {of_all} cannot be compared"


def _outcomes(files: list[Path], rtol: float) -> Iterator[Verification]:
    with warnings_silenced():  # what the inverse warns of is part of each outcome
        yield from verify(files, rtol=rtol)


def format_line(outcome: Verification, folder: Path) -> str:
    """Write one outcome in one line.

    Parameters
    ----------
    outcome : Verification
        The outcome.
    folder : Path
        What the file name is shown relative to.

    Returns
    -------
    str
        Status, relative difference, file, options and reason.
    """
    number = outcome.relative_difference
    shown = "       " if number is None else f"{number:7.1e}"
    parts = [f"{outcome.status:<16}", shown, str(outcome.file.relative_to(folder))]
    if outcome.options:
        parts.append(f"[{outcome.options}]")
    if outcome.reason:
        parts.append("– " + " ".join(outcome.reason.split()))
    return "  ".join(parts)


def summary(outcomes: list[Verification]) -> str:
    """Write the verdict in one sentence.

    Parameters
    ----------
    outcomes : list of Verification
        All outcomes, at least one.

    Returns
    -------
    str
        The sentence.
    """
    counts = Counter(o.status for o in outcomes)
    listed = ", ".join(f"{count} {status}" for status, count in counts.most_common())
    differences = [o.relative_difference for o in outcomes if o.relative_difference is not None]
    largest = f"; largest relative difference {max(differences):.1e}" if differences else ""
    return f"{len(outcomes)} results file(s): {listed}{largest}."


def _tolerance(text: str) -> float:
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"must lie between 0 and 1, found {text}")
    return value
