"""Compare Brainstorm's kernels of a study with MNE-Python's, and say what makes the difference.

Both kernels are computed. Of a results file the options are taken, and in passing the stored kernel
is verified: what the file stores is not what is compared.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from mne_bstinv._interruption import noted_interruption
from mne_bstinv._log import warnings_silenced
from mne_bstinv.cli import streams
from mne_bstinv.cli.arguments import add_rtol, add_study_choice, study_choice
from mne_bstinv.cli.compare_options import MEASURES, YEAR, mne_name
from mne_bstinv.cli.compare_plan import Plan, given_fields, plan_of
from mne_bstinv.cli.effects import refuse_unless
from mne_bstinv.studies import StudyData, load_study

__all__ = ["TWINS", "add_arguments", "run"]

#: What does the same in Python.
TWINS = ("mne_bstinv.cross_validate_each", "mne_bstinv.write_report")

#: Argument → the field of MneSettings that it sets.
_SETTINGS = {
    "mne_depth": "depth",
    "mne_loose": "loose",
    "mne_lambda2": "lambda2",
    "mne_regularize": "regularize",
    "nave": "nave",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand."""
    # a path only: the embedded sample is what mne-bstinv demo compares
    parser.add_argument(
        "study",
        type=streams.path,
        help="a protocol, a condition's folder or recordings (Brainstorm's default options are "
        "taken, and not those of results that are stored there), or a results file, whose own "
        "options are then taken",
    )
    add_study_choice(parser)
    parser.add_argument(
        "--methods",
        nargs="+",
        choices=tuple(MEASURES[YEAR]),
        help="default: all three; of a results file its own",
    )
    parser.add_argument(
        "--year",
        type=int,
        choices=tuple(MEASURES),
        help="Brainstorm's function for the inverse (default: 2018; of a results file its own)",
    )
    parser.add_argument("--data-types", nargs="+", metavar="TYPE", help="default: MEG, else EEG")
    _add_brainstorm(parser.add_argument_group("Brainstorm's options (default: Brainstorm's own)"))
    _add_mne(
        parser.add_argument_group(
            "MNE's settings",
            "The defaults are those of make_inverse_operator and apply_inverse, with three "
            "exceptions: the noise covariance is regularised first, as MNE's tutorials do; loose "
            "follows --orientation; nave is 1.",
        )
    )
    add_rtol(parser, "relative difference that counts as equal, where rounding does not allow more")
    parser.add_argument(
        "--orders",
        type=_orders,
        metavar="{all,path,N}",
        help="orders of the conventions that their effects are averaged over: all, none but the "
        "path, or so many (default: all if that takes a minute or two)",
    )
    parser.add_argument(
        "--html", type=streams.path, metavar="FILE", help="write the report as a page"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the page if it exists")
    parser.add_argument("--json", action="store_true", help="print a JSON list instead of text")


def _add_brainstorm(group: Any) -> None:
    # absent unless given: a results file has options of its own
    add = partial(group.add_argument, default=argparse.SUPPRESS)
    add(
        "--orientation",
        choices=("fixed", "loose", "free"),
        help="default: fixed, in a volume free; MNE's loose follows it",
    )
    add(
        "--noise-method",
        choices=("none", "reg", "median", "diag", "shrink"),
        help="NoiseMethod (default: reg; 2009 has none)",
    )
    add(
        "--noise-reg",
        type=float,
        help="NoiseReg, of 2009 gradreg, magreg, eegreg, … alike (default: 0.1)",
    )
    add("--snr", type=float, help="SnrFixed, amplitude (default: 3)")
    add("--weight-exp", type=float, help="WeightExp (default: 0.5)")
    add("--weight-limit", type=float, help="WeightLimit (default: 10)")
    add("--no-depth", dest="use_depth", action="store_false", help="UseDepth 0: no depth weights")
    add("--loose", type=float, help="Loose, an amplitude, of 2009 a variance (default: 0.2)")


def _add_mne(group: Any) -> None:
    add = partial(group.add_argument, default=argparse.SUPPRESS)  # None is a value
    number = _number_or("none", float)
    add("--mne-depth", type=number, help="exponent, or none (default: 0.8)")
    add(
        "--mne-loose",
        type=float,
        help="loose, a variance (default: 0, 0.2 or 1 where --orientation is fixed, loose or free; "
        "make_inverse_operator: 0.2 on a surface, 1 in a volume)",
    )
    add("--mne-lambda2", type=float, help="lambda2 (default: 1/9)")
    add(
        "--mne-regularize",
        type=number,
        help="of mne.cov.regularize, or none for the covariance as it is, which "
        "make_inverse_operator takes (default: 0.1)",
    )
    add(
        "--nave",
        type=_number_or("recordings", int),
        help="averages, or recordings for theirs, which apply_inverse takes (default: 1, which "
        "leaves them out)",
    )


def run(args: argparse.Namespace) -> int:
    """Compare and print.

    Returns 0 if the toolboxes agree when told the same (or cannot be compared) and the
    conventions explain the whole difference, for every method, and the stored kernel of a
    results file does not differ from what is computed of its files; else 1. If it is interrupted,
    what was known by then is printed, no page is drawn, and KeyboardInterrupt says what is missing.
    """
    from mne_bstinv.report.html import check_page

    refuse_unless(args.html is not None, "--html", {"--overwrite": args.overwrite})
    if args.html is not None:  # before the numbers are computed
        check_page(args.html, overwrite=args.overwrite)
    study = load_study(args.study, **study_choice(args))
    progress = not args.json and sys.stderr.isatty()
    plan = plan_of(args, study)
    with warnings_silenced("mne"):  # what they say is in the reports of the conversions
        settings = given_fields(args, _SETTINGS)
        how = {"rtol": args.rtol, "orders": args.orders, "progress": progress}
        validations, interrupted = _until_interrupted(_validations(study, plan, settings, how))
    try:
        with noted_interruption(deferred=True):  # what is known is printed in any case
            _print(validations, plan, args)
        if args.html is not None and not interrupted:
            _write_page(validations, plan, args, progress)
    except KeyboardInterrupt:
        interrupted = True
    if interrupted:
        raise KeyboardInterrupt(_missing(validations, plan, args.html))
    differs = plan.stored is not None and plan.stored.failed
    return int(differs or not all(v.passed for v in validations))


def _print(validations: list[Any], plan: Plan, args: argparse.Namespace) -> None:
    if args.json:
        extra = _as_dict(plan)
        print(streams.as_json([v.to_dict() | extra for v in validations]), flush=True)
    else:
        print("\n".join(_lines(validations, plan.note)), flush=True)


def _write_page(
    validations: list[Any], plan: Plan, args: argparse.Namespace, progress: bool
) -> None:
    """Write the page, which takes longer than the numbers, and say where it is."""
    from mne_bstinv.report.html import write_report

    with warnings_silenced("mne"):
        write_report(
            args.html,
            validations,
            load=_load_call(args),
            notes=[plan.note],
            overwrite=args.overwrite,
            progress=progress,
        )
    if not args.json:
        print(f"\nreport: {args.html}")


def _missing(validations: list[Any], plan: Plan, page: Path | None) -> str:
    """Say what an interruption left out."""
    names = [mne_name(options) for options in plan.options]
    compared, left = names[: len(validations)], names[len(validations) :]
    in_part = " (its attribution in part)" if validations[-1].attribution.stopped else ""
    parts = [f"compared: {', '.join(compared)}{in_part}"]
    parts += [f"not compared: {', '.join(left)}"] if left else []
    parts += [] if page is None else [f"{page} was not written"]
    return "; ".join(parts)


def _as_dict(plan: Plan) -> dict[str, Any]:
    stored = None if plan.stored is None else plan.stored.to_dict()
    return {"note": plan.note, "stored_kernel": stored}


def _until_interrupted(validations: Iterator[Any]) -> tuple[list[Any], bool]:
    """Collect until Ctrl-C is pressed, and say if it was; it goes on where there is nothing yet."""
    found = []
    try:
        with noted_interruption() as interruption:
            for validation in validations:
                found.append(validation)
                interruption.check()
                if validation.attribution.stopped:
                    return found, True
    except KeyboardInterrupt:
        if not found:
            raise
        return found, True
    return found, False


def _validations(
    study: StudyData, plan: Plan, settings: dict[str, Any], how: dict[str, Any]
) -> Iterator[Any]:
    from mne_bstinv.cross_validation import cross_validate_each

    found = cross_validate_each(
        study,
        plan.options,
        mne_settings=settings,
        data_types=plan.data_types,
        good_channels=plan.good_channels,
        n_avg=plan.n_avg,
        **how,
    )
    # nothing updates it while both kernels are computed, but it says that it has begun
    hidden = not how["progress"]
    bar = tqdm(plan.options, unit="kernel", disable=hidden, file=sys.stderr, leave=False)
    for options in bar:
        bar.set_description(f"comparing {options.measure}")
        yield next(found)


def _lines(validations: list[Any], note: str) -> Iterator[str]:
    """Yield the verdicts and the note first, then everything of each method."""
    yield from (v.verdict for v in validations)
    yield f"note: {note}"
    yield from dict.fromkeys(f"note: {text}" for v in validations for text in v.notes)
    for v in validations:
        # the first line is the verdict again
        yield f"\n{v}" if len(validations) > 1 else str(v).partition("\n")[2]


def _orders(text: str) -> str | int:
    """Return which orders: all, path, or a number of them."""
    if text in ("all", "path"):
        return text
    if not (text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"must be all, path or a number above 0, found {text!r}")
    return int(text)


def _number_or(word: str, number: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return a parser of numbers that takes a word for None."""

    def parse(text: str) -> Any:
        if text == word:
            return None
        try:
            return number(text)
        except ValueError:
            message = f"must be a number or {word}, found {text!r}"
            raise argparse.ArgumentTypeError(message) from None

    return parse


def _load_call(args: argparse.Namespace) -> str:
    """Write the call that loads the same study from any folder."""
    parts = [repr(str(args.study.resolve()))]
    chosen = study_choice(args).items()
    parts += [f"{name}={value!r}" for name, value in chosen if value is not None]
    return f"load_study({', '.join(parts)})"
