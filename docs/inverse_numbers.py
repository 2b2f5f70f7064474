"""Compute what the page on the three inverses says of the embedded sample.

``python docs/inverse_numbers.py`` writes ``docs/_generated/three_inverses.txt``, which the page
includes. The build of the documentation calls :func:`main`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from theory_figures import kernel_of
from theory_numbers import relative

import mne_bstinv as mb
from mne_bstinv.adapters.equivalence import kernel_blocks, mne_side

FOLDER = Path(__file__).parent / "_generated"
MNE = "MNE-Python"


def inverse(study: mb.StudyData, options: object, n_avg: int | None = None) -> mb.InverseResult:
    """Compute a kernel of the MEG channels, of the recordings' averages unless told others."""
    averages = study.recordings.n_avg if n_avg is None else n_avg
    return kernel_of(study, options, n_avg=averages)


def measured() -> dict[str, str]:
    """Compute the tables and sentences, by name."""
    study = mb.datasets.load_sample()
    results = {
        "2009": inverse(study, mb.InverseOptions2009()),
        "2016": inverse(study, mb.InverseOptions2016(measure="amplitude")),
        "2018": inverse(study, mb.InverseOptions(measure="amplitude")),
    }
    kernels = {year: result.kernel for year, result in results.items()}
    settings = mb.MneSettings(method="MNE", loose=0.0)
    side = mne_side(study, results["2018"].options, settings, "MEG")
    kernels[MNE] = side.blocks()[:, 0]
    return {
        "numbers": numbers(results, kernels, settings),
        "distances": distances(kernels),
        "steps": steps(study, results, kernels),
        "same": told_the_same(study, results["2009"]),
        "crossed": crossed(study, results),
    }


def numbers(
    results: dict[str, mb.InverseResult], kernels: dict[str, np.ndarray], settings: mb.MneSettings
) -> str:
    """Tabulate λ², Λ, ranks and the size of each kernel relative to that of 2018."""
    size = np.linalg.norm(kernels["2018"])
    lines = ["| | λ² | Λ, (A·m)² | rank, of channels | size |", "| --- | --: | --: | --: | --: |"]
    for name, kernel in kernels.items():
        n, ratio = kernel.shape[1], np.linalg.norm(kernel) / size
        if name in results:
            of = results[name]
            cells = f"{of.lambda2:.4f} | {of.lambda_:.3g} | {of.rank} of {n}"
        else:
            cells = f"{settings.lambda2:.4f} | – | estimated, of {n}"
        lines.append(f"| {name} | {cells} | {ratio:.3f} |")
    return "\n".join(lines)


def distances(kernels: dict[str, np.ndarray]) -> str:
    """Tabulate how far each kernel is from each other one."""
    lines = [f"| | {' | '.join(kernels)} |", "| --- |" + " --: |" * len(kernels)]
    for name, kernel in kernels.items():
        cells = [
            "" if other == name else f"{100 * relative(kernel, reference):.1f} %"
            for other, reference in kernels.items()
        ]
        lines.append(f"| {name} from | {' | '.join(cells)} |")
    return "\n".join(lines)


def steps(
    study: mb.StudyData, results: dict[str, mb.InverseResult], kernels: dict[str, np.ndarray]
) -> str:
    """Measure single conventions, each alone."""
    of_2018 = results["2018"]
    matched = inverse(study, snr_of_2009(of_2018)).kernel
    dspm = mb.InverseOptions2009(method="dspm")
    averages = study.recordings.n_avg
    many, one = (np.linalg.norm(inverse(study, dspm, n).kernel) for n in (averages, 1))
    # at the exponent 1/2 a limit of 100 before it is one of 10 after it, as in 2018
    unlimited = inverse(study, mb.InverseOptions2009(weight_limit=100.0)).kernel
    rows = {
        "Λ or trace: λ² = (r/n)/SNR² or 1/SNR² (2018)": relative(matched, kernels["2018"]),
        "variances or roots added: the ridge of 2016 in place of that of 2018": relative(
            kernels["2016"], kernels["2018"]
        ),
        "sensor types whitened together, as in 2009, in place of apart": relative(
            unlimited, matched
        ),
        "depth limited before the exponent or after it (2009)": relative(
            unlimited, kernels["2009"]
        ),
    }
    lines = ["| convention | moves the kernel by |", "| --- | --: |"]
    lines += [f"| {what} | {100 * value:.2g} % |" for what, value in rows.items()]
    lines.append(
        f"| noise over the {averages} averages, or of one sample | amplitudes by nothing, dSPM by "
        f"a factor of {many / one:.4g} = √{averages} |"
    )
    return "\n".join(lines)


def snr_of_2009(of_2018: mb.InverseResult) -> mb.InverseOptions:
    """Options of 2018 whose λ² is that of 2009: 1/SNR²."""
    ratio = of_2018.rank / len(of_2018.channel_types)
    return mb.InverseOptions(measure="amplitude", snr_fixed=of_2018.options.snr_fixed * ratio**0.5)


def told_the_same(study: mb.StudyData, result: mb.InverseResult) -> str:
    """Compare the kernel of 2009 with MNE's public functions."""
    equivalent = mb.mne_equivalent(result.options, study, data_types="MEG")
    ours = kernel_blocks(result, study.head_model.grid_orient)
    public, twin = (relative(equivalent.blocks(route), ours) for route in ("public", "twin"))
    depth = equivalent.arguments["depth"]
    return (
        "On the sample `make_inverse_operator` and `apply_inverse` with `loose=0`, `depth` of "
        f"exponent {depth['exp']:g} and limit {depth['limit']:g}, and `lambda2` = "
        f"{equivalent.lambda2:.4f} give the kernel of 2009 up to {public:.0e} (MNE rounds gains of "
        f"fixed orientation to single precision), the operator of `to_inverse_operator` up to "
        f"{twin:.0e}."
    )


def crossed(study: mb.StudyData, results: dict[str, mb.InverseResult]) -> str:
    """Cross-validate each year: told the same, as set, and where the difference comes from."""
    lines = [
        "| | MNE told the same | as set | most of it from | unexplained |",
        "| --- | --: | --: | --- | --: |",
    ]
    for year, result in results.items():
        found = mb.cross_validate(study, options=result.options, data_types="MEG", orders="path")
        path = found.attribution
        main = ", ".join(f"“{step.convention.label}”" for step in path.main[:3])
        lines.append(
            f"| {year} | {found.twin_difference:.0e} | {100 * path.total:.1f} % | {main} | "
            f"{path.remainder:.0e} |"
        )
    return "\n".join(lines)


def main(folder: Path) -> None:
    """Write the numbers into a folder, which is made if it does not exist."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = [f"<!-- {name} -->\n\n{text}\n\n<!-- end -->" for name, text in measured().items()]
    (folder / "three_inverses.txt").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
