"""Write a page on which the inverse of a study can be explored: sliders, spectrum, map."""

from __future__ import annotations

import argparse

from mne_bstinv.cli import streams
from mne_bstinv.explorer import write_explorer
from mne_bstinv.studies import load_study

__all__ = ["TWINS", "add_arguments", "run"]

#: What does the same in Python.
TWINS = ("mne_bstinv.write_explorer",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand."""
    parser.add_argument("study", type=streams.path, help="a condition's folder, or recordings")
    parser.add_argument("--out", type=streams.path, required=True, metavar="FILE", help="the page")
    parser.add_argument("--recordings", help="file name, path, or a part of the comment")
    parser.add_argument("--subject", help="name, where the path leaves several")
    parser.add_argument("--condition", help="name, where the path leaves several")
    parser.add_argument("--data-types", nargs="+", metavar="TYPE", help="default: MEG, else EEG")
    parser.add_argument("--overwrite", action="store_true", help="replace the page if it exists")


def run(args: argparse.Namespace) -> int:
    """Write the page; return 0."""
    study = load_study(
        args.study, recordings=args.recordings, subject=args.subject, condition=args.condition
    )
    page = write_explorer(args.out, study, data_types=args.data_types, overwrite=args.overwrite)
    print(page)
    return 0
