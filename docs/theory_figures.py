"""Draw the figures and compute the numbers of the page on theory, from the embedded sample.

``python docs/theory_figures.py`` writes ``docs/_generated/theory_*.png`` and
``docs/_generated/theory_numbers.txt``, from which the page includes one part a section. The build
of the documentation calls :func:`main`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

import mne_bstinv as mb
from mne_bstinv.inverse import (
    InverseOptions,
    InverseResult,
    compute_kernel,
    lambda2_from_brainstorm_snr,
    lambda2_from_snr,
)
from mne_bstinv.inverse.orientation import unit_normals
from mne_bstinv.inverse.preparation import PreparedStudy, prepare_study
from mne_bstinv.plots.cortex_map import draw_map

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FloatArray = NDArray[np.float64]

FOLDER = Path(__file__).parent / "_generated"
#: A·m → nA·m
NANO = 1e9
BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"  # told apart with any colour vision


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """The sample's MEG, fixed orientations, minimum norm with the defaults, step by step."""

    study: mb.datasets.SampleStudy
    prepared: PreparedStudy
    result: InverseResult
    #: Gain along the normals (n_channels, n_sources), unwhitened and not weighted.
    oriented: FloatArray
    #: L = W G Q, shape (n_channels, n_sources).
    lead_field: FloatArray

    @classmethod
    def of_sample(cls) -> Case:
        """Compute all that the page shows once."""
        study = mb.datasets.load_sample()
        options = InverseOptions(measure="amplitude")
        result = kernel_of(study, options)
        prepared = prepare_study(
            study.head_model,
            study.noise_cov,
            study.channels,
            channel_flag=study.recordings.channel_flag,
            data_types="MEG",
            options=options,
        )
        (region,) = prepared.regions
        normals = unit_normals(region.grid_orient, result.n_sources)
        columns = region.gain.reshape(len(region.gain), -1, 3)
        oriented = np.einsum("nmx,mx->nm", columns, normals)
        return cls(
            study=study,
            prepared=prepared,
            result=result,
            oriented=oriented,
            lead_field=result.whitener @ (oriented * result.alpha),
        )

    @property
    def singular_values(self) -> FloatArray:
        """S, sorted down, in (A·m)⁻¹."""
        return np.sqrt(self.result.s2)

    @property
    def data(self) -> FloatArray:
        """Recordings of the channels in use."""
        return np.asarray(self.study.recordings.f)[self.result.channel_indices]


def kernel_of(study: mb.StudyData, options: object, *, n_avg: int = 1) -> InverseResult:
    """Compute a kernel of the sample's MEG."""
    return compute_kernel(
        study.head_model,
        study.noise_cov,
        study.channels,
        channel_flag=study.recordings.channel_flag,
        data_types="MEG",
        options=options,
        n_avg=n_avg,
    )


# Figures


def new_figure(height: float) -> Figure:
    """Make a figure 8 inches wide."""
    from matplotlib.figure import Figure

    return Figure(figsize=(8, height), layout="constrained")


def whitening(case: Case) -> Figure:
    """Show the noise covariance before and after whitening, as correlations of sensors."""
    plain = kernel_of(case.study, InverseOptions(measure="amplitude", noise_method="none"))
    by_type = np.argsort(np.array(plain.channel_types), kind="stable")
    block = np.ix_(by_type, by_type)
    covariance, whitener = case.prepared.noise.cov[block], plain.whitener[block]
    std = np.sqrt(np.diag(covariance))
    figure = new_figure(3.9)
    panels = figure.subplots(1, 3, width_ratios=(1.15, 1, 1))
    for kind, color in zip(plain.ranks, (BLUE, ORANGE), strict=True):
        values = plain.noise_std[kind]
        panels[0].semilogy(
            np.arange(1, len(values) + 1), values, "o", markersize=3, color=color, label=kind
        )
    panels[0].legend(frameon=False, loc="lower right")
    panels[0].set(xlabel="number", ylabel="standard deviation of the noise (T/m, T)")
    panels[0].set_title("standard deviations of $C_0$", fontsize=10)
    images = (covariance / np.outer(std, std), whitener @ covariance @ whitener)
    titles = ("$C_0$, as correlations", "$W C_0 W$")
    for axes, image, title in zip(panels[1:], images, titles, strict=True):
        shown = axes.imshow(image, vmin=-1, vmax=1, cmap="RdBu_r", interpolation="nearest")
        axes.set(xlabel="channel, by type")
        axes.set_title(title, fontsize=10)
    figure.colorbar(shown, ax=panels[1:], shrink=0.7)
    return figure


def singular_values(case: Case) -> Figure:
    """Show what is kept of each direction at two SNRs."""
    s2 = case.result.s2
    factors = [kept(s2, snr) for snr in (3.0, 1.0)]
    return mb.plot_singular_values(case.singular_values, *factors, names=("SNR 3", "SNR 1"))


#: Fields of two sources in one sensor, its datum, and the weight of the penalty: for the cost.
TWO_FIELDS, DATUM, WEIGHT = np.array([1.0, 0.6]), 1.0, 0.2


def two_sources() -> tuple[FloatArray, FloatArray]:
    """Return the estimates of two sources from one datum, by the square and by the absolute value.

    The second is on the axis of the stronger field: soft thresholding of its amplitude.
    """
    fields = TWO_FIELDS
    square = fields * DATUM / (fields @ fields + WEIGHT)
    strong = fields.max()
    alone = (strong * DATUM - WEIGHT / 2) / strong**2
    return square, np.where(fields == strong, max(alone, 0.0), 0.0)


def cost(case: Case) -> Figure:
    """Show the cost of two sources that one sensor sees, with either penalty."""
    first, second = np.meshgrid(np.linspace(-0.4, 1.4, 181), np.linspace(-0.4, 1.4, 181))
    misfit = (DATUM - TWO_FIELDS[0] * first - TWO_FIELDS[1] * second) ** 2
    penalties = {
        "square: ‖ j ‖²": first**2 + second**2,
        "absolute value: ‖ j ‖₁": np.abs(first) + np.abs(second),
    }
    figure = new_figure(3.9)
    panels = figure.subplots(1, 2, sharey=True)
    for axes, (title, penalty), best in zip(panels, penalties.items(), two_sources(), strict=True):
        total = misfit + WEIGHT * penalty
        levels = total.min() + np.geomspace(0.002, 1.5, 12)
        axes.contour(first, second, total, levels=levels, colors="0.6", linewidths=0.8)
        line = (DATUM - TWO_FIELDS[0] * first[0]) / TWO_FIELDS[1]
        axes.plot(first[0], line, "--", color=BLUE, label="fits the datum exactly")
        axes.plot(*best, "o", color=ORANGE, label="smallest cost")
        axes.axhline(0, color="0.85", linewidth=0.8, zorder=0)
        axes.axvline(0, color="0.85", linewidth=0.8, zorder=0)
        axes.set(xlabel="source 1", xlim=(-0.4, 1.4), ylim=(-0.4, 1.4), aspect="equal")
        axes.set_title(title, fontsize=10)
    panels[0].set_ylabel("source 2")
    panels[0].legend(frameon=False, loc="lower left", fontsize=8)
    return figure


def kept(s2: FloatArray, snr: float) -> FloatArray:
    """Filter factors Λ S² / (Λ S² + 1) for an SNR."""
    scaled = snr**2 * s2 / s2.mean()
    return scaled / (scaled + 1)


def errors_of(case: Case, assumed: FloatArray, true_snr: float) -> tuple[FloatArray, FloatArray]:
    """Compute the expected squared error in the directions that the sensors see.

    Weighted sources of variance Λ₀ (that of ``true_snr``) and unit noise, estimated with the Λ of
    each assumed SNR: error by noise and by damping, over the power of the sources in these
    directions.
    """
    mean = case.result.s2.mean()
    s = case.singular_values[: sum(case.result.ranks.values())]
    truth, prior = true_snr**2 / mean, assumed[:, None] ** 2 / mean
    noise = (prior * s / (prior * s**2 + 1)) ** 2
    damped = truth / (prior * s**2 + 1) ** 2
    return noise.sum(axis=1) / (len(s) * truth), damped.sum(axis=1) / (len(s) * truth)


def noise_amplification(case: Case) -> Figure:
    """Show the error of the estimate over the SNR that the kernel assumes."""
    assumed = np.geomspace(0.01, 1e6, 400)
    noise, damped = errors_of(case, assumed, 3.0)
    figure = new_figure(3.8)
    axes = figure.subplots()
    axes.loglog(assumed, np.sqrt(noise), color=ORANGE, label="noise, amplified")
    axes.loglog(assumed, np.sqrt(damped), "--", color=BLUE, label="signal that is damped away")
    axes.loglog(assumed, np.sqrt(noise + damped), color="black", label="both")
    axes.axvline(3, color="0.5", linestyle=":", label="SNR of the simulated data: 3")
    axes.set(
        xlabel="SNR that the kernel assumes (√Λ in other units)",
        ylabel="RMS error / RMS of the sources",
        ylim=(1e-2, None),
    )
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return figure


def one_row(case: Case) -> Figure:
    """Show one row of the kernel, and the time course that it makes."""
    estimate = NANO * case.result.kernel @ case.data
    location = strongest(estimate)
    # weights for whitened data, to have all sensor types on one axis
    row = case.result.kernel[location] @ np.linalg.pinv(case.result.whitener, rcond=1e-12)
    times = 1e3 * np.asarray(case.study.recordings.time)
    instant = int(np.argmax(np.abs(estimate[location])))
    figure = new_figure(5)
    above, below = figure.subplots(2, 1)
    colors = [BLUE if kind == "MEG GRAD" else ORANGE for kind in case.result.channel_types]
    above.bar(np.arange(1, len(row) + 1), NANO * row, color=colors)
    above.set(
        xlabel="channel (blue: planar gradiometers, orange: magnetometers)",
        ylabel="weight\n(nA·m per noise std)",
    )
    above.set_title(f"row {location + 1} of the kernel, for whitened data", fontsize=10)
    below.plot(times, estimate[location], color="black")
    below.plot(times[instant], estimate[location, instant], "o", color=ORANGE)
    below.set(xlabel="time (ms)", ylabel="amplitude (nA·m)")
    below.set_title(f"this row times the data: location {location + 1}", fontsize=10)
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def strongest(estimate: FloatArray) -> int:
    """Return the location of the largest amplitude."""
    return int(np.abs(estimate).max(axis=1).argmax())


def one_map(case: Case) -> Figure:
    """Show all rows at one instant, on the cortex."""
    cortex = case.study.cortex
    return mb.plot_estimate(
        NANO * case.result.kernel @ case.data,
        np.asarray(case.study.recordings.time),
        cortex.vertices,
        cortex.faces - 1,
        quantity="source amplitude",
        unit="nA·m",
    )


def depth(case: Case) -> Figure:
    """Show depth weights of two exponents."""
    other = kernel_of(case.study, InverseOptions(measure="amplitude", weight_exp=0.8))
    return mb.plot_depth_weights(
        1e3 * to_sensors(case),
        case.result.alpha,
        other.alpha,
        names=("WeightExp 0.5", "WeightExp 0.8"),
    )


def to_sensors(case: Case) -> FloatArray:
    """Distance of each location to the nearest sensor in use, in m."""
    channels = case.study.channels
    used = [channels.channels[int(i)] for i in case.result.channel_indices]
    sensors = np.array([channel.loc.mean(axis=1) for channel in used])
    apart = np.asarray(case.study.head_model.grid_loc)[:, None] - sensors
    return np.linalg.norm(apart, axis=2).min(axis=1)


def point_spread(case: Case) -> Figure:
    """Show the column and the row of the resolution matrix of the strongest location."""
    cortex = case.study.cortex
    location = strongest(case.result.kernel @ case.data)
    resolution = case.result.kernel @ case.oriented
    parts = {
        "point spread:\nwhat its source gives elsewhere": resolution[:, location],
        "cross-talk:\nwhat others give to its estimate": resolution[location],
    }
    figure = new_figure(5.4)
    halves = figure.subfigures(2, 1)
    for half, (label, values) in zip(halves, parts.items(), strict=True):
        relative_size = np.abs(values) / np.abs(values).max()
        draw_map(half, relative_size, cortex.vertices, cortex.faces - 1, label, limits=(0.0, 1.0))
    return figure


FIGURES = {
    "theory_cost": cost,
    "theory_whitening": whitening,
    "theory_singular_values": singular_values,
    "theory_noise_amplification": noise_amplification,
    "theory_one_row": one_row,
    "theory_map": one_map,
    "theory_depth": depth,
    "theory_point_spread": point_spread,
}


# Numbers: each function returns the Markdown of one part


def study_numbers(case: Case) -> str:
    """Say what the numbers are computed from."""
    types = case.result.channel_types
    return (
        f"{types.count('MEG GRAD')} planar gradiometers and {types.count('MEG MAG')} magnetometers "
        f"are in use (n = {len(types)}), and {case.result.n_sources} locations with fixed "
        f"orientations (m = {case.result.n_sources}); an average of "
        f"{case.study.recordings.effective_averages:g} trials; all options at their defaults."
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
        f"{len(seen)} directions that the whitener keeps. n is {len(s)}: what the figure shows "
        f"beyond number {len(seen)} belongs to directions that were removed, and is rounding. At "
        f"SNR 3, {half} directions are kept by more than half, and the sum of all filter factors "
        f"is {factors.sum():.1f}: so many numbers, and not {case.result.n_sources}, are really "
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
    white = (case.result.whitener @ region.gain).reshape(len(region.gain), -1, 3)
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
    """Draw all figures and write all numbers of the page on theory.

    Parameters
    ----------
    folder : Path
        Where to; made if it does not exist. Files of the same names are replaced.
    """
    folder.mkdir(parents=True, exist_ok=True)
    case = Case.of_sample()
    for name, draw in FIGURES.items():
        draw(case).savefig(folder / f"{name}.png", dpi=110)
    parts = [f"<!-- {name} -->\n\n{write(case)}\n\n" for name, write in NUMBERS.items()]
    text = "".join(parts) + "<!-- end -->\n"
    (folder / "theory_numbers.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
