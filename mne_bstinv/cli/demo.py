"""Verify the embedded sample, draw what one kernel makes of it, compare both toolboxes on it."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from scipy.sparse import csgraph

from mne_bstinv import io
from mne_bstinv._log import warnings_silenced
from mne_bstinv._temporary import writing
from mne_bstinv._types import FloatArray
from mne_bstinv.anatomy import edge_lengths
from mne_bstinv.cli import streams
from mne_bstinv.cli.verify import format_line, summary
from mne_bstinv.datasets import SampleStudy, SimulatedSource, load_sample, simulated_sources
from mne_bstinv.errors import OverwriteError, WriteError
from mne_bstinv.inverse import InverseOptions, compute_kernel
from mne_bstinv.plots import plot_estimate
from mne_bstinv.verification import find_results, verify

__all__ = ["TWINS", "add_arguments", "run"]

#: What does the same in Python.
TWINS = ("mne_bstinv.datasets.load_sample",)


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
    if args.out.is_file():
        raise WriteError(f"{args.out}: a file; --out is a folder. Choose another name.")
    for path in (target, page):
        if path.exists() and not args.overwrite:
            raise OverwriteError.of(path)
    with writing(args.out):
        args.out.mkdir(parents=True, exist_ok=True)
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
    found = [_found(source, estimate, sample) for source in simulated_sources()]
    print(f"   minimum norm of {sample.recordings.comment!r}, MEG, constrained orientations:")
    for _, text in found:
        print(f"   {text}")

    print("3. The figure:")
    figure = plot_estimate(
        estimate,
        _times(sample.recordings),
        sample.cortex.vertices,
        sample.cortex.faces - 1,
        quantity="source amplitude",
        unit="nA·m",
        locations=[vertex for vertex, _ in found],
        labels=[f"vertex {vertex + 1} (1-based)" for vertex, _ in found],
        instants=[source.latency for source in simulated_sources()],
        title="Sample study: minimum norm of an evoked response (MEG, constrained)",
    )
    figure.savefig(target, dpi=120)
    print(f"   {target}")

    print("4. Both toolboxes compared:")
    agree = _compare(sample, page, overwrite=args.overwrite)
    return int(any(outcome.failed for outcome in outcomes) or not agree)


def _compare(sample: SampleStudy, page: Path, *, overwrite: bool) -> bool:
    """Print the verdicts, write the report, and tell whether the toolboxes agree."""
    from mne_bstinv.cross_validation import cross_validate_each
    from mne_bstinv.report import write_report

    with warnings_silenced("mne"):  # what the conversions lose is in the report
        measures = ("amplitude", "dspm2018", "sloreta")
        validations = []
        for validation in cross_validate_each(
            sample,
            [InverseOptions(measure=measure) for measure in measures],
            data_types="MEG",
            shapley_limit=0,  # the mean over all orders would take some seconds a measure
        ):
            print(f"   {validation.verdict}")
            validations.append(validation)
        print(f"   {_NOTE}", flush=True)
        write_report(  # the figures of one measure take as long as all the numbers
            page,
            validations[0],
            load="datasets.load_sample()",
            notes=[_NOTE],
            overwrite=overwrite,
        )
    print(f"   The first of these, with figures: {page}")
    return all(validation.passed for validation in validations)


def _times(recordings: io.Recordings) -> FloatArray:
    return np.asarray(recordings.time, dtype=np.float64)


def _found(source: SimulatedSource, estimate: FloatArray, sample: SampleStudy) -> tuple[int, str]:
    """Return the strongest vertex (from 0) at the latency of a source, and how far it is off.

    The estimate, shape (n_vertices, n_times), is in nA·m.
    """
    times, vertices = _times(sample.recordings), np.asarray(sample.cortex.vertices)
    column = int(np.argmin(np.abs(times - source.latency)))
    vertex = int(np.argmax(np.abs(estimate[:, column])))
    distance = 1e3 * float(np.linalg.norm(vertices[vertex] - vertices[source.vertex]))
    mesh = edge_lengths(vertices, sample.cortex.faces - 1)
    edges = csgraph.shortest_path(mesh, unweighted=True, indices=source.vertex)[vertex]
    return vertex, (
        f"{1e3 * times[column]:.0f} ms: strongest at vertex {vertex + 1} (1-based), "
        f"{estimate[vertex, column]:+.2f} nA·m; simulated at vertex {source.vertex + 1}, "
        f"{source.region}: {distance:.1f} mm, {edges:.0f} edge(s) of the mesh away"
    )
