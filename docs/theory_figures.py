"""Draw the figures of the page on theory, from the embedded sample.

``python docs/theory_figures.py`` writes ``docs/_generated/theory_*.png``. The build of the
documentation calls :func:`main`.
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
        columns = region.gain.array.reshape(region.gain.n_channels, -1, 3)
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
        r"square: $\Vert j \Vert^2$": first**2 + second**2,
        r"absolute value: $\Vert j \Vert_1$": np.abs(first) + np.abs(second),
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


def sensors(case: Case) -> Figure:
    """Show a measurement, columns of gain and lead field and a pattern on the magnetometers."""
    source = mb.datasets.simulated_sources()[1]
    instant = int(np.argmin(np.abs(np.asarray(case.study.recordings.time) - source.latency)))
    white = case.result.whitener @ (case.oriented * case.result.alpha)
    vectors = {
        f"$y$ at {1e3 * source.latency:.0f} ms (fT)": 1e15 * case.data[:, instant],
        f"$G$, location {source.vertex + 1} (fT/nA·m)": 1e6 * case.oriented[:, source.vertex],
        f"$L$, location {source.vertex + 1} (1/nA·m)": white[:, source.vertex] / NANO,
        "$u_1$": np.linalg.svd(white)[0][:, 0],
    }
    shown = np.array(case.result.channel_types) == "MEG MAG"
    across, up = from_above(case)[shown].T
    figure = new_figure(2.9)
    for axes, (title, values) in zip(figure.subplots(1, 4), vectors.items(), strict=True):
        largest = np.abs(values[shown]).max()
        points = axes.scatter(
            across, up, c=values[shown], s=90, cmap="RdBu_r", vmin=-largest, vmax=largest
        )
        points.set_edgecolor("0.5")
        axes.set_axis_off()
        axes.set(aspect="equal", xlim=(-2.2, 2.2), ylim=(-2.2, 2.2))
        axes.set_title(title, fontsize=9)
        figure.colorbar(points, ax=axes, orientation="horizontal", shrink=0.8)
    return figure


def from_above(case: Case) -> FloatArray:
    """Places of the channels in use, (n_channels, 2): to the right and to the nose.

    The angle from the vertex of the head is the distance from the centre.
    """
    channels = case.study.channels.channels
    used = [channels[int(i)].loc.mean(axis=1) for i in case.result.channel_indices]
    away = np.array(used) - np.asarray(case.study.cortex.vertices).mean(axis=0)
    angle = np.arccos(away[:, 2] / np.linalg.norm(away, axis=1))
    flat = away[:, :2] / np.linalg.norm(away[:, :2], axis=1, keepdims=True)
    return angle[:, None] * np.column_stack([-flat[:, 1], flat[:, 0]])


def measures(case: Case) -> Figure:
    """Show the second simulated source, and the maps of the three measures at its latency."""
    source = mb.datasets.simulated_sources()[1]
    cortex, recordings = case.study.cortex, case.study.recordings
    instant = int(np.argmin(np.abs(np.asarray(recordings.time) - source.latency)))
    truth = np.zeros(case.result.n_sources)
    truth[list(source.patch)] = source.amplitudes
    maps = {"simulated": truth}
    names = {"amplitude": "minimum norm", "dspm2018": "dSPM", "sloreta": "sLORETA"}
    for measure, name in names.items():
        kernel = kernel_of(case.study, InverseOptions(measure=measure)).kernel
        maps[name] = np.abs(kernel @ case.data[:, instant])
    figure = new_figure(8.4)
    for part, (name, values) in zip(figure.subfigures(4, 1), maps.items(), strict=True):
        relative_size = values / values.max()
        views = ("right", "back", "top")
        draw_map(
            part,
            relative_size,
            cortex.vertices,
            cortex.faces - 1,
            name,
            limits=(0.0, 1.0),
            views=views,
        )
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
    "theory_sensors": sensors,
    "theory_measures": measures,
}


def main(folder: Path) -> None:
    """Draw all figures of the page on theory.

    Parameters
    ----------
    folder : Path
        Where to; made if it does not exist. Files of the same names are replaced.
    """
    folder.mkdir(parents=True, exist_ok=True)
    case = Case.of_sample()
    for name, draw in FIGURES.items():
        draw(case).savefig(folder / f"{name}.png", dpi=110)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
