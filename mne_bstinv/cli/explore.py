"""Write a page on which the inverse of a study can be explored: sliders, spectrum, map."""

from __future__ import annotations

import argparse

from mne_bstinv.cli import streams
from mne_bstinv.cli.arguments import add_study_choice, study_choice
from mne_bstinv.explorer import write_explorer
from mne_bstinv.studies import load_study

__all__ = ["TWINS", "add_arguments", "run"]

#: What does the same in Python.
TWINS = ("mne_bstinv.write_explorer",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand."""
    parser.add_argument("study", type=streams.path, help="a condition's folder, or recordings")
    parser.add_argument("--out", type=streams.path, required=True, metavar="FILE", help="the page")
    add_study_choice(parser)
    parser.add_argument("--data-types", nargs="+", metavar="TYPE", help="default: MEG, else EEG")
    parser.add_argument("--overwrite", action="store_true", help="replace the page if it exists")


def run(args: argparse.Namespace) -> int:
    """Write the page; return 0."""
    study = load_study(args.study, **study_choice(args))
    page = write_explorer(args.out, study, data_types=args.data_types, overwrite=args.overwrite)
    print(page)
    return 0
