"""
Choosing the SNR
================

A kernel needs a regularisation, and Brainstorm's default is an SNR of 3 whatever the data. Rules
that ask the data instead, on the sample: the response over the baseline, MNE-Python's
``estimate_snr``, the discrepancy principle, generalised cross-validation and the L-curve. They
differ widely; what to do is said at the end.
"""

# %%
# .. _noise-of-an-average:
#
# The SNR of which data?
# ----------------------
# It is the SNR of the data that the kernel is applied to, as a ratio of amplitudes, in whitened
# channels. The noise covariance is that of a single trial, and an average of N trials has noise
# that is smaller by √N; its SNR is larger by √N. In whitened data :math:`\tilde y = W y`, noise of
# the covariance of the file has the power 1 in each of the r directions that the whitener keeps.

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
# Response over baseline
# ----------------------
# What the response adds to the power of the baseline is signal. Brainstorm's SNR is per channel, of
# all n, the power above per direction that is kept: hence the root of r/n. Kernels do not know of
# averages, but need not: noise that is smaller by √N, and an SNR that is larger by √N, are one.

instant = int(np.argmax(power))
n = len(white)
by_baseline = np.sqrt((power[instant] / baseline - 1) * rank / n)
print(f"at {1e3 * times[instant]:.0f} ms: SNR {by_baseline:.2f}")

# %%
# MNE-Python's estimates
# ----------------------
# :func:`mne.minimum_norm.estimate_snr` has two outputs. The first is the root of the whitened
# power, with the noise in it, over the noise of an average of ``nave`` trials. The second is the
# largest regularisation with a residual that such noise could have (a χ² test): a discrepancy
# principle, as below. With ``nave = 1`` the first is the ratio to the noise of a *single trial*,
# and so no SNR of this average.

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
of_mne = {}
for nave in (1, evoked.nave):
    evoked.nave = nave
    ratio, by_residual = mne.minimum_norm.estimate_snr(evoked, operator, verbose=False)
    of_mne[nave] = ratio[instant], by_residual[instant]
    print(f"nave {nave:2}: {ratio[instant]:5.2f} by power, {by_residual[instant]:.2f} by residual")
by_mne, by_mne_residual = np.array(of_mne[evoked.nave]) * np.sqrt(rank / n)

# %%
# The amplitudes that the inverse sees
# ------------------------------------
# With the singular value decomposition :math:`L = U S V^\top`, a datum is taken apart into
# coefficients :math:`\beta_k = u_k^\top \tilde y`. Of each, the kernel keeps :math:`\Lambda
# s_k^2/(\Lambda s_k^2 + 1)`; what it leaves is the residual :math:`\beta_k / (\Lambda s_k^2 + 1)`.
# The rules below need no more than that.

gain = study.head_model.gain[result.channel_indices].reshape(n, -1, 3)
normals = study.head_model.grid_orient
normals = normals / np.linalg.norm(normals, axis=1, keepdims=True)
lead_field = result.whitener @ np.einsum("nmx,mx->nm", gain, normals) * result.alpha
left, s, _ = np.linalg.svd(lead_field)
s2 = s[:rank] ** 2
beta = left[:, :rank].T @ white[:, instant]

snr = np.geomspace(0.05, 1000, 500)
prior = snr**2 / (s2.sum() / n)  # Λ of each SNR: the mean is over all channels
damping = 1 / (prior[:, None] * s2 + 1)
residual = ((damping * beta) ** 2).sum(axis=1)
size = ((prior[:, None] * np.sqrt(s2) * damping * beta) ** 2).sum(axis=1)

# %%
# Discrepancy principle
# ---------------------
# The estimate should leave as much of the data unexplained as there is noise: choose the SNR where
# the residual has the power of the noise.

expected = rank * baseline
by_discrepancy = snr[np.argmin(np.abs(np.log(residual / expected)))]

# %%
# It is cautious by construction. An estimate follows a part of the noise, too: if sources and noise
# are what the model says, the mean residual *at the right SNR* is not all noise but the mean of
# :math:`1/(\Lambda s_k^2 + 1)` of it. To leave all of it, the rule has to damp more.

measured = int(np.argmin(np.abs(snr - by_baseline)))
print(f"at SNR {by_baseline:.2f}, residual over noise:")
print(f"  by the model {damping[measured].mean():.2f}, here {residual[measured] / expected:.2f}")

# %%
# Generalised cross-validation
# ----------------------------
# How well would each channel be predicted from the others? This needs no noise level at all: the
# residual, over the square of the number of directions that are left free. Here the curve levels
# off instead of rising again: the data were simulated with the head model that inverts them, and
# next to the noise of a single trial there is hardly any noise to fit. So it sets no upper limit;
# the least SNR within 1 % of the minimum is taken.

gcv = rank * residual / damping.sum(axis=1) ** 2
by_gcv = snr[np.flatnonzero(gcv <= 1.01 * gcv.min())[0]]

# %%
# L-curve
# -------
# The size of the estimate over its residual, both logarithmic. Towards large SNRs the curve goes
# left and up. At the corner of an L it goes left first and then up (a right turn, seen on the way):
# there a better fit begins to be paid for with large sources. The corner is where it turns most in
# *this* sense, so the sign of the curvature counts. A curve that nowhere turns right has no corner,
# and the rule has no answer.

x, y = np.log(residual), np.log(size)
dx, dy = np.gradient(x), np.gradient(y)
turn_right = (dy * np.gradient(dx) - dx * np.gradient(dy)) / (dx**2 + dy**2) ** 1.5
inner = turn_right[5:-5]  # the differences at the ends are one-sided
corner = int(np.argmax(inner)) + 5 if inner.max() > 0 else None
print("L-curve:", "no corner" if corner is None else f"corner at SNR {snr[corner]:.2f}")

figure, (first, second) = plt.subplots(1, 2, figsize=(8, 3.4), layout="constrained")
first.loglog(snr, gcv / gcv.min(), label="cross-validation / its minimum")
first.loglog(snr, residual / expected, label="residual / noise")
first.axhline(1, color="0.6", linewidth=0.8)
first.set(xlabel="SNR", ylabel="ratio")
first.legend(frameon=False)
second.loglog(np.sqrt(residual), 1e9 * np.sqrt(size))
marked = {"default": 3.0, "discrepancy": by_discrepancy, "response/baseline": by_baseline}
for name, value in marked.items():
    at = int(np.argmin(np.abs(snr - value)))
    label = f"SNR {value:.3g} ({name})"
    second.plot(np.sqrt(residual[at]), 1e9 * np.sqrt(size[at]), "o", label=label)
second.set(xlabel="residual (noise std)", ylabel="size of the estimate (nA·m)")
second.legend(frameon=False, fontsize=8)

# %%
# What they say
# -------------
# The sources of the sample were simulated, so the error of each map can be told: the norm of what
# is wrong, over the norm of the truth.

source, _ = mb.datasets.simulated_sources()  # the earlier
truth = np.zeros(result.n_sources)
truth[list(source.patch)] = 1e9 * np.asarray(source.amplitudes)

rules = {
    "default": 3.0,
    "response over baseline": by_baseline,
    "MNE, by power": by_mne,
    "MNE, by residual": by_mne_residual,
    "discrepancy": by_discrepancy,
    "cross-validation": by_gcv,
    "corner of the L-curve": None if corner is None else snr[corner],
}
print(f"at {1e3 * times[instant]:.0f} ms          SNR   peak, noise (nA·m)   error")
for name, value in rules.items():
    if value is None:
        print(f"{name:22}  none")
        continue
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
    error = np.linalg.norm(estimate[:, instant] - truth) / np.linalg.norm(truth)
    print(f"{name:22} {value:6.2f}  {peak:6.2f}, {noise:4.2f}           {error:.3f}")

# %%
# What to do
# ----------
# #. **Measure** the response over the baseline, or take MNE's first output with the right ``nave``.
#    It is an upper limit: it takes the head model, the noise covariance and the prior for true.
# #. **Take the smaller** of that and the default of 3. Single trials and continuous recordings can
#    have less than 3; a good average has far more, and there 3 is cautious: errors of the model act
#    like noise that no baseline shows.
# #. **Look at the result once more** at the other value. Here the error hardly changes between 3
#    and the measured SNR; a finding that comes and goes in this range is one of the regularisation.
# #. **One SNR for all** conditions and people that are compared: otherwise the difference of
#    regularisation is part of the result.
#
# The residual is a check of the model: if at the *measured* SNR it is well above the noise, then
# the head model, the covariance or the sources are not what the kernel takes them for.
