"""Arguments that several subcommands take."""

from __future__ import annotations

import argparse
from contextlib import suppress

from mne_bstinv._verdicts import MAX_RTOL, RTOL, wrong_rtol
from mne_bstinv.studies.units import UNITS

__all__ = [
    "add_dry_run",
    "add_n_jobs",
    "add_rtol",
    "add_study_choice",
    "add_units",
    "study_choice",
]

#: What chooses recordings where the path of a study leaves several, as load_study calls it.
_CHOICE = {
    "recordings": "file name, path, or a part of the comment",
    "subject": "name, where the path leaves several",
    "condition": "name, where the path leaves several",
}


def add_dry_run(parser: argparse.ArgumentParser) -> None:
    """Declare ``--dry-run``."""
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be written, and write nothing"
    )


def add_n_jobs(parser: argparse.ArgumentParser) -> None:
    """Declare ``--n-jobs``."""
    parser.add_argument(
        "--n-jobs",
        type=_n_jobs,
        default=1,
        metavar="N",
        help="conditions at a time; -1 for one a core",
    )


def add_rtol(parser: argparse.ArgumentParser, text: str) -> None:
    """Declare ``--rtol``; the text says what it is of."""
    default = f"{RTOL:.0e}".replace("e-0", "e-")
    parser.add_argument(
        "--rtol", type=_tolerance, default=RTOL, help=f"{text} (default: {default})"
    )


def add_study_choice(parser: argparse.ArgumentParser) -> None:
    """Declare ``--recordings``, ``--subject`` and ``--condition``."""
    for name, text in _CHOICE.items():
        parser.add_argument(f"--{name}", help=text)


def study_choice(args: argparse.Namespace) -> dict[str, str | None]:
    """Return them as arguments of :func:`~mne_bstinv.load_study`."""
    return {name: getattr(args, name) for name in _CHOICE}


def add_units(parser: argparse.ArgumentParser) -> None:
    """Declare ``--units``."""
    parser.add_argument(
        "--units",
        choices=sorted(UNITS),
        help="the unit of positions that are in no metres by their size (default: refuse them)",
    )


def _tolerance(text: str) -> float:
    """Return what may count as equal: relative differences of what has nothing in common are 1."""
    with suppress(ValueError):
        value = float(text)
        if not wrong_rtol(value):
            return value
    raise argparse.ArgumentTypeError(f"must be a number from 0 to {MAX_RTOL}, found {text!r}")


def _n_jobs(text: str) -> int:
    with suppress(ValueError):
        value = int(text)
        if value >= 1 or value == -1:
            return value
    raise argparse.ArgumentTypeError(
        f"must be a positive number of conditions, or -1 for one a core; found {text!r}"
    )
