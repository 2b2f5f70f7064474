"""
Choosing the SNR
================

A kernel needs a regularisation, and Brainstorm's default is an SNR of 3 whatever the data. Four
rules that ask the data instead, on the sample: the discrepancy principle, generalised
cross-validation, the L-curve, and MNE-Python's ``estimate_snr``.
"""

# %%
# The SNR of which data?
# ----------------------
# Of those that the kernel is applied to, as a ratio of amplitudes, in whitened channels. The
# noise covariance is that of a single trial, and an average of N trials has noise that is smaller
# by √N: the data decide, not the default. In whitened data :math:`\tilde y = W y`, noise of the
# covariance of the file has the power 1 in each of the r directions that the whitener keeps.

import mne
import numpy as np
from matplotlib import pyplot as plt

import mne_bstinv as mb

study = mb.datasets.load_sample()
# without a ridge, whitened noise has power 1
options = mb.InverseOptions(measure="amplitude", noise_method="none")
result = mb.compute_kernel(
    study.head_model,
    study.noise_cov,
    study.channels,
    channel_flag=study.recordings.channel_flag,
    data_types="MEG",
    options=options,
)
times = study.recordings.time
white = result.whitener @ study.recordings.f[result.channel_indices]
rank = sum(result.ranks.values())
power = (white**2).sum(axis=0) / rank  # per direction
baseline = power[times < 0].mean()
averages = study.recordings.effective_averages
print(f"noise of the average: {baseline:.4f} of a single trial's, 1/{1 / baseline:.0f} in power")
print(f"the file says that it is the mean of {averages:g} trials")

figure, axes = plt.subplots(figsize=(8, 3.4), layout="constrained")
axes.semilogy(1e3 * times, np.sqrt(power), label="data")
axes.axhline(1, color="0.4", linestyle="--", linewidth=1, label="noise of a single trial")
noise = np.sqrt(baseline)
axes.axhline(noise, color="C1", linewidth=1, label="noise of the average")
axes.set(xlabel="time (ms)", ylabel="amplitude of the whitened\ndata, per direction")
axes.legend(frameon=False)

# %%
# The amplitudes that the inverse sees
# ------------------------------------
# With the singular value decomposition :math:`L = U S V^\top`, a datum is taken apart into
# coefficients :math:`\beta_k = u_k^\top \tilde y`. Of each, the kernel keeps :math:`\Lambda
# s_k^2/(\Lambda s_k^2 + 1)`; what it leaves is the residual :math:`\beta_k / (\Lambda s_k^2 + 1)`.
# All rules below need no more than that.

gain = study.head_model.gain[result.channel_indices].reshape(len(white), -1, 3)
normals = study.head_model.grid_orient
normals = normals / np.linalg.norm(normals, axis=1, keepdims=True)
lead_field = result.whitener @ np.einsum("nmx,mx->nm", gain, normals) * result.alpha
left, s, _ = np.linalg.svd(lead_field)
s2 = s[:rank] ** 2
instant = int(np.argmax(power))
beta = left[:, :rank].T @ white[:, instant]

snr = np.geomspace(0.05, 1000, 500)
prior = snr**2 / (s2.sum() / len(white))  # Λ of each SNR: the mean is over all channels
damping = 1 / (prior[:, None] * s2 + 1)
residual = ((damping * beta) ** 2).sum(axis=1)
size = ((prior[:, None] * np.sqrt(s2) * damping * beta) ** 2).sum(axis=1)

# %%
# Discrepancy principle
# ---------------------
# The estimate should leave as much of the data unexplained as there is noise, and no less: choose
# the SNR where the residual has the power of the noise.

expected = rank * baseline
by_discrepancy = snr[np.argmin(np.abs(np.log(residual / expected)))]

# %%
# Generalised cross-validation
# ----------------------------
# How well would each channel be predicted from the others? This needs no noise level at all: the
# residual, over the square of the number of directions that are left free. Here the curve levels
# off instead of rising again (simulated data have no errors of the model to fit), so the least
# SNR within 1 % of the minimum is taken.

gcv = rank * residual / damping.sum(axis=1) ** 2
by_gcv = snr[np.flatnonzero(gcv <= 1.01 * gcv.min())[0]]

# %%
# L-curve
# -------
# The size of the estimate over its residual, both logarithmic: where the curve bends most, a
# better fit begins to be paid for with large sources.

x, y = np.log(residual), np.log(size)
dx, dy = np.gradient(x), np.gradient(y)
curvature = (dx * np.gradient(dy) - dy * np.gradient(dx)) / (dx**2 + dy**2) ** 1.5
corner = int(np.argmax(np.abs(curvature[5:-5]))) + 5
by_l_curve = snr[corner]

figure, (first, second) = plt.subplots(1, 2, figsize=(8, 3.4), layout="constrained")
first.loglog(snr, gcv / gcv.min(), label="cross-validation")
first.loglog(snr, residual / expected, label="residual / noise")
first.axhline(1, color="0.6", linewidth=0.8)
first.set(xlabel="SNR", ylabel="relative to its minimum, to the noise")
first.legend(frameon=False)
second.loglog(np.sqrt(residual), 1e9 * np.sqrt(size))
for value, name in ((3.0, "SNR 3"), (by_l_curve, "corner")):
    at = int(np.argmin(np.abs(snr - value)))
    second.plot(np.sqrt(residual[at]), 1e9 * np.sqrt(size[at]), "o", label=name)
second.set(xlabel="residual (noise std)", ylabel="size of the estimate (nA·m)")
second.legend(frameon=False)

# %%
# MNE-Python's estimate
# ---------------------
# :func:`mne.minimum_norm.estimate_snr` compares whitened data and their residuals at each
# instant. Its first output is the ratio of amplitudes above, over all channels.

operator = mb.to_inverse_operator(
    study.head_model,
    study.noise_cov,
    study.channels,
    options,
    data_types="MEG",
    channel_flag=study.recordings.channel_flag,
    surface=study.cortex,
)
evoked = mb.to_evoked(study.recordings, study.channels).pick("meg")
evoked.nave = 1
of_mne, _ = mne.minimum_norm.estimate_snr(evoked, operator, verbose=False)
print(f"MNE: {of_mne[instant]:.2f}; the root of the power above: {np.sqrt(power[instant]):.2f}")

# %%
# What they say
# -------------

print(f"at {1e3 * times[instant]:.0f} ms:")
for name, value in (
    ("default", 3.0),
    ("discrepancy", by_discrepancy),
    ("cross-validation", by_gcv),
    ("corner of the L-curve", by_l_curve),
):
    other = mb.InverseOptions(measure="amplitude", noise_method="none", snr_fixed=float(value))
    kernel = mb.compute_kernel(
        study.head_model,
        study.noise_cov,
        study.channels,
        channel_flag=study.recordings.channel_flag,
        data_types="MEG",
        options=other,
    )
    estimate = 1e9 * kernel.apply(study.recordings.f)
    peak, noise = np.abs(estimate[:, instant]).max(), estimate[:, times < 0].std(axis=1).max()
    print(f"{name:22} SNR {value:6.2f}: peak {peak:6.2f} nA·m, noise up to {noise:.2f} nA·m")

# %%
# The rules differ, and none is the truth: they ask different questions. What they have in common
# is that they look at the data, which a default does not. For one comparison between conditions
# or people, one SNR for all: otherwise the difference of regularisation is part of the result.
