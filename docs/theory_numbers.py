"""Compute the numbers of the page on theory, from the embedded sample.

``python docs/theory_numbers.py`` writes ``docs/_generated/theory_numbers.txt``, from which the page
includes one part a section. The build of the documentation calls :func:`main`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from theory_figures import (
    DATUM,
    FOLDER,
    NANO,
    TWO_FIELDS,
    WEIGHT,
    Case,
    FloatArray,
    errors_of,
    kept,
    kernel_of,
    strongest,
    to_sensors,
    two_sources,
)

from mne_bstinv.inverse import InverseOptions, lambda2_from_brainstorm_snr, lambda2_from_snr

# Each function returns the Markdown of one part


def study_numbers(case: Case) -> str:
    """Say what the numbers are computed from."""
    types = case.result.channel_types
    return (
        f"{types.count('MEG GRAD')} planar gradiometers and {types.count('MEG MAG')} magnetometers "
        f"are in use (n = {len(types)}), and {case.result.n_sources} locations with fixed "
        f"orientations (m = {case.result.n_sources}); an average of "
        f"{case.study.recordings.effective_averages:g} trials; all options at their defaults."
    )


def posterior_numbers(case: Case) -> str:
    """Say how much the data narrow the prior of a source: by the diagonal of the resolution."""
    lead_field, prior = case.lead_field, case.result.lambda_
    bracket = prior * lead_field @ lead_field.T + np.eye(len(lead_field))
    kernel = prior * lead_field.T @ np.linalg.inv(bracket)
    left = np.sqrt(1 - np.einsum("mn,nm->m", kernel, lead_field))
    return (
        f"In the sample the standard deviation of a source, given the data, is {left.min():.2f} to "
        f"{left.max():.2f} of what it was before (median {np.median(left):.2f}): most of what a "
        "single source does stays unknown, whatever is measured."
    )


def cost_numbers(case: Case) -> str:
    """Say the two estimates of the figure of the cost."""
    (a, b), (c, d) = two_sources()
    return (
        f"In the figure, one sensor sees the sources with {TWO_FIELDS[0]:g} and {TWO_FIELDS[1]:g} "
        f"and measures {DATUM:g}. With the square the sources are {a:.2f} and {b:.2f}, in the "
        f"ratio of their fields; with the absolute value (same weight, {WEIGHT:g}) they "
        f"are {c:.2f} and {d:g}."
    )


def whitening_numbers(case: Case) -> str:
    """Compare W c W with the projector onto the kept directions, type by type."""
    plain = kernel_of(case.study, InverseOptions(measure="amplitude", noise_method="none"))
    types = np.array(case.result.channel_types)
    lines = [
        "| type | channels | rank kept | largest, smallest kept std | "
        "largest entry of W c W − E Eᵀ | of W c W − I |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for kind, rank in plain.ranks.items():
        block = np.ix_(types == kind, types == kind)
        w, c = plain.whitener[block], case.prepared.noise.cov[block]
        kept = np.linalg.eigh(w).eigenvectors[:, len(w) - rank :]  # sorted up, the others are null
        white = w @ c @ w
        rest, from_identity = white - kept @ kept.T, white - np.eye(len(w))
        std = plain.noise_std[kind]
        lines.append(
            f"| {kind} | {len(w)} | {rank} | {std[0]:.2g}, {std[rank - 1]:.2g} | "
            f"{np.abs(rest).max():.0e} | {np.abs(from_identity).max():.2g} |"
        )
    return "\n".join(lines)


def svd_numbers(case: Case) -> str:
    """Say how ill-posed the sample is."""
    s, factors = case.singular_values, kept(case.result.s2, 3.0)
    seen = s[: sum(case.result.ranks.values())]
    half = int((factors > 0.5).sum())
    return (
        f"In the sample the singular values fall from {s[0]:.2g} to {seen[-1]:.2g} per A·m, by a "
        f"factor of {s[0] / seen[-1]:,.0f} (the condition number of the kept subspace), over the "
        f"{len(seen)} directions that the whitener keeps. n is {len(s)}: the last "
        f"{len(s) - len(seen)}, which the figure leaves out, belong to directions that were "
        f"removed. At SNR 3, {half} directions are kept by more than half, and the sum of all "
        f"filter factors is {factors.sum():.1f}: so many numbers, and not "
        f"{case.result.n_sources}, are really "
        "determined by the data at each instant."
    )


def derivation_numbers(case: Case) -> str:
    """Compute the kernel in each form of the derivation, and compare with Brainstorm's."""
    stored = case.study.results["MN: MEG ALL(Constr) 2018"].imaging_kernel
    rows = {name: relative(kernel, stored) for name, kernel in kernel_forms(case).items()}
    lines = ["| form | relative difference to the kernel that Brainstorm stored |", "| --- | --- |"]
    return "\n".join(lines + [f"| {name} | {value:.0e} |" for name, value in rows.items()])


def kernel_forms(case: Case) -> dict[str, FloatArray]:
    """Return the same kernel by each formula of the page."""
    whitener, gain = case.result.whitener, case.oriented
    weighted, alpha, prior = case.lead_field, case.result.alpha, case.result.lambda_
    n = len(whitener)
    lambda2, covariance = 1 / prior, np.diag(alpha**2)
    white = whitener @ gain
    u, s, _ = np.linalg.svd(weighted)
    direct = (
        covariance @ white.T @ np.linalg.inv(white @ covariance @ white.T + lambda2 * np.eye(n))
    )
    by_svd = prior * weighted.T @ (u * (1 / (prior * s**2 + 1))) @ u.T
    first = (
        "$\\bar R\\, \\tilde G^\\top (\\tilde G \\bar R\\, \\tilde G^\\top + \\lambda^2 I)^{-1} W$"
    )
    return {
        first: direct @ whitener,
        "$Q\\, \\Lambda L^\\top U \\operatorname{diag}(1/(\\Lambda S^2 + 1))\\, U^\\top W$": (
            alpha[:, None] * by_svd @ whitener
        ),
        "{func}`~mne_bstinv.compute_kernel`": case.result.kernel,
    }


def relative(a: FloatArray, b: FloatArray) -> float:
    """Relative Frobenius difference."""
    return float(np.linalg.norm(a - b) / np.linalg.norm(b))


def regularisation_numbers(case: Case) -> str:
    """Say how much of the estimate is noise, with and without regularisation."""
    assumed = np.array([3.0, 1e6])
    noise, damped = errors_of(case, assumed, 3.0)
    both = np.sqrt(noise + damped)
    return (
        f"With sources drawn from the prior and data of SNR 3, the RMS error in the directions "
        f"that sensors see is {both[0]:.2f} of the RMS of the sources where the kernel assumes "
        f"SNR 3, and {both[1]:.0f} times the sources themselves where it assumes "
        f"SNR 10⁶, next to no regularisation. The minimum of the curve lies at the true SNR."
    )


def lambda_numbers(case: Case) -> str:
    """Say the regularisation of the sample in both conventions."""
    n, r = len(case.result.channel_types), sum(case.result.ranks.values())
    lambda2 = lambda2_from_brainstorm_snr(3.0, r, n)
    return (
        f"In the sample, n = {n} and r = {r}; with SnrFixed 3, "
        f"Λ = {case.result.lambda_:.3g} (A·m)², a source of √Λ = "
        f"{NANO * np.sqrt(case.result.lambda_):.2g} nA·m before depth weighting. "
        f"MNE needs lambda2 = {lambda2:.6f} for the same kernel; 1/SNR² is "
        f"{lambda2_from_snr(3.0):.6f}. After Maxwell filtering, with 70 directions left of 306 "
        f"channels, noise has the variance {70 / 306:.3f} per channel, and SnrFixed 3 means "
        f"{3 * np.sqrt(306 / 70):.2f} per direction."
    )


def orientation_numbers(case: Case) -> str:
    """Say how much less the sensors see of the weakest of three directions."""
    (region,) = case.prepared.regions
    white = (case.result.whitener @ region.gain.array).reshape(len(case.result.whitener), -1, 3)
    strengths = np.linalg.svd(white.transpose(1, 0, 2), compute_uv=False)
    ratio = np.median(strengths[:, 2] / strengths[:, 0])
    return (
        f"In the sample, the weakest of the three directions of a location gives "
        f"{100 * ratio:.1f} % of the whitened field of the strongest (median over locations): MEG "
        "hardly sees radial currents, and free orientations add that unknown."
    )


def depth_numbers(case: Case) -> str:
    """Say the range of the depth weights."""
    alpha, far = case.result.alpha, 1e3 * to_sensors(case)
    return (
        f"In the sample the weights go from {alpha.min():.2f} to {alpha.max():.2f}; the locations "
        f"are {far.min():.0f} to {far.max():.0f} mm from the nearest sensor."
    )


def measure_numbers(case: Case) -> str:
    """Tabulate where each measure puts noiseless dipoles, and its noise."""
    positions = 1e3 * np.asarray(case.study.head_model.grid_loc)
    lines = [
        "| measure | median | 95 % | largest | std of the estimate of noise |",
        "| --- | --- | --- | --- | --- |",
    ]
    for measure, unit in (("amplitude", " nA·m"), ("dspm2018", ""), ("sloreta", " nA·m")):
        result = kernel_of(case.study, InverseOptions(measure=measure))
        spread = np.abs(result.kernel @ case.oriented)
        away = np.linalg.norm(positions[spread.argmax(axis=0)] - positions, axis=1)
        # noise with the covariance C that W stands for is white after W
        white = result.kernel @ np.linalg.pinv(result.whitener, rcond=1e-12)
        std = np.linalg.norm(white, axis=1) * (NANO if unit else 1)
        lines.append(
            f"| `{measure}` | {np.median(away):.1f} mm | {np.percentile(away, 95):.1f} mm | "
            f"{away.max():.1f} mm | {std.min():.3g} to {std.max():.3g}{unit} |"
        )
    return "\n".join(lines) + "\n\n" + dspm_of_file_noise(case)


def dspm_of_file_noise(case: Case) -> str:
    """Say the standard deviation of dSPM for noise that has the covariance of the file."""
    kernel = kernel_of(case.study, InverseOptions(measure="dspm2018")).kernel
    std = np.sqrt(np.einsum("mn,nk,mk->m", kernel, case.prepared.noise.cov, kernel))
    return (
        f"For noise with the covariance $C_0$ of the file, with what is between the sensor types "
        f"and without the ridge, `dspm2018` has a standard deviation of {std.min():.2f} to "
        f"{std.max():.2f}."
    )


def scan_numbers(case: Case) -> str:
    """Say that a scan has unit noise."""
    options = InverseOptions(method="gls", measure="performance", noise_method="none")
    result = kernel_of(case.study, options)
    types = np.array(case.result.channel_types)
    block = np.where(types[:, None] == types, case.prepared.noise.cov, 0.0)
    variance = np.einsum("mn,nk,mk->m", result.kernel, block, result.kernel)
    return (
        f"In the sample, with noise method `none`, the variance of a row on the noise covariance "
        f"is 1 for all {len(variance)} locations "
        f"(largest deviation {np.abs(variance - 1).max():.0e})."
    )


def row_numbers(case: Case) -> str:
    """Say which row the figure shows."""
    estimate = NANO * case.result.kernel @ case.data
    location = strongest(estimate)
    instant = int(np.argmax(np.abs(estimate[location])))
    time = 1e3 * np.asarray(case.study.recordings.time)[instant]
    return (
        f"In the sample, row {location + 1} of the kernel times the data is the time course of "
        f"location {location + 1}; at {time:.0f} ms it is {estimate[location, instant]:+.2f} nA·m."
    )


NUMBERS = {
    "study": study_numbers,
    "posterior": posterior_numbers,
    "cost": cost_numbers,
    "whitening": whitening_numbers,
    "svd": svd_numbers,
    "derivation": derivation_numbers,
    "regularisation": regularisation_numbers,
    "lambda": lambda_numbers,
    "orientation": orientation_numbers,
    "depth": depth_numbers,
    "measures": measure_numbers,
    "scan": scan_numbers,
    "row": row_numbers,
}


def main(folder: Path) -> None:
    """Write all numbers of the page on theory.

    Parameters
    ----------
    folder : Path
        Where to; made if it does not exist.
    """
    folder.mkdir(parents=True, exist_ok=True)
    case = Case.of_sample()
    parts = [f"<!-- {name} -->\n\n{write(case)}\n\n" for name, write in NUMBERS.items()]
    text = "".join(parts) + "<!-- end -->\n"
    (folder / "theory_numbers.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
