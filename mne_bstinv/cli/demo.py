"""Verify the embedded sample, draw what one kernel makes of it, compare both toolboxes on it."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from mne_bstinv import io
from mne_bstinv._log import warnings_silenced
from mne_bstinv._types import FloatArray
from mne_bstinv.anatomy import hemispheres
from mne_bstinv.cli import streams
from mne_bstinv.cli.verify import format_line, summary
from mne_bstinv.datasets import SampleStudy, load_sample
from mne_bstinv.errors import OverwriteError
from mne_bstinv.inverse import InverseOptions, compute_kernel
from mne_bstinv.plots import plot_estimate
from mne_bstinv.verification import find_results, verify

__all__ = ["add_arguments", "run"]


#: A·m → nA·m
NANO = 1e9
#: Why the causes may be others than those of the command that compares.
_NOTE = (
    "“alone, mean of both ends”: each convention switched by itself. mne-bstinv compare averages "
    "over all orders of them, which takes longer and may name others."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand."""
    parser.add_argument(
        "--out",
        type=streams.path,
        default=Path("demo"),
        help="folder for what it makes (default: demo)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace what is there")


def run(args: argparse.Namespace) -> int:
    """Run the demonstration: 0 if all kernels are Brainstorm's, and MNE's told the same, else 1."""
    target, page = args.out / "estimate.png", args.out / "report.html"
    for path in (target, page):
        if path.exists() and not args.overwrite:
            raise OverwriteError.of(path)
    sample = load_sample()
    print("1. The kernels that Brainstorm stored, recomputed from its files:")
    with warnings_silenced():
        outcomes = list(verify(find_results(sample.path)))
    for outcome in outcomes:
        print("   " + format_line(outcome, outcome.file.parent))
    print("   " + summary(outcomes))

    print("2. One kernel applied to the recordings:")
    result = compute_kernel(
        sample.head_model,
        sample.noise_cov,
        sample.channels,
        channel_flag=sample.recordings.channel_flag,
        data_types="MEG",
        options=InverseOptions(measure="amplitude"),
    )
    estimate = NANO * result.apply(np.asarray(sample.recordings.f))
    peaks = _peaks(estimate, sample.cortex, sample.recordings)
    print(f"   minimum norm of {sample.recordings.comment!r}, MEG, constrained orientations:")
    for peak in peaks:
        print(f"   {peak[1]}")

    print("3. The figure:")
    figure = plot_estimate(
        estimate,
        _times(sample.recordings),
        sample.cortex.vertices,
        sample.cortex.faces - 1,
        quantity="source amplitude",
        unit="nA·m",
        locations=[index for index, _ in peaks],
        labels=[text.split(":")[0] for _, text in peaks],
        title="Sample study: minimum norm of an evoked response (MEG, constrained)",
    )
    args.out.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, dpi=120)
    print(f"   {target}")

    print("4. Both toolboxes compared:")
    agree = _compare(sample, page, overwrite=args.overwrite)
    return int(any(outcome.failed for outcome in outcomes) or not agree)


def _compare(sample: SampleStudy, page: Path, *, overwrite: bool) -> bool:
    """Print the verdicts, write the report, and tell whether the toolboxes agree."""
    from mne_bstinv.cross_validation import cross_validate
    from mne_bstinv.report import write_report

    with warnings_silenced("mne"):  # what the conversions lose is in the report
        validations = [
            cross_validate(
                sample,
                options=InverseOptions(measure=measure),
                data_types="MEG",
                shapley_limit=0,  # the mean over all orders would take some seconds a measure
            )
            for measure in ("amplitude", "dspm2018", "sloreta")
        ]
        for validation in validations:
            print(f"   {validation.verdict}")
        print(f"   {_NOTE}")
        write_report(
            page,
            validations,
            load="datasets.load_sample()",
            notes=[_NOTE],
            overwrite=overwrite,
        )
    print(f"   {page}")
    return all(validation.passed for validation in validations)


def _times(recordings: io.Recordings) -> FloatArray:
    return np.asarray(recordings.time, dtype=np.float64)


def _peaks(
    estimate: FloatArray, cortex: io.Surface, recordings: io.Recordings
) -> list[tuple[int, str]]:
    """Find the strongest vertex and instant of each hemisphere, the strongest first."""
    times, (sides, _) = _times(recordings), hemispheres(cortex)
    found = []
    for side, name in (("lh", "left"), ("rh", "right")):
        inside = np.flatnonzero(sides == side)
        row, column = np.unravel_index(
            np.argmax(np.abs(estimate[inside])), (len(inside), len(times))
        )
        vertex = int(inside[row])
        x, y, z = 1e3 * cortex.vertices[vertex]
        text = (
            f"vertex {vertex + 1} (1-based), {name} hemisphere: peak "
            f"{estimate[vertex, column]:+.2f} nA·m at {1e3 * times[column]:.0f} ms, "
            f"position ({x:.1f}, {y:.1f}, {z:.1f}) mm in SCS"
        )
        found.append((abs(estimate[vertex, column]), vertex, text))
    return [(vertex, text) for _, vertex, text in sorted(found, reverse=True)]
