"""Arguments that several subcommands take."""

from __future__ import annotations

import argparse

from mne_bstinv.studies.units import UNITS

__all__ = ["add_dry_run", "add_units"]


def add_dry_run(parser: argparse.ArgumentParser) -> None:
    """Declare ``--dry-run``."""
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be written, and write nothing"
    )


def add_units(parser: argparse.ArgumentParser) -> None:
    """Declare ``--units``."""
    parser.add_argument(
        "--units",
        choices=sorted(UNITS),
        help="the unit of positions that are in no metres by their size (default: refuse them)",
    )
