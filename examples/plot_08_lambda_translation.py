"""
λ translation
=============

"SNR = 3" does not say how much a kernel is regularised: Brainstorm and MNE-Python turn the number
into different ones. This example draws the translation and what it does to the kernel.
"""

# %%
# Two rules
# ---------
# With n channels and rank r of the noise covariance, MNE-Python needs
# :math:`\lambda^2 = (r/n) / \mathrm{SNR}^2` for Brainstorm's kernel of an SNR, and calls
# :math:`\lambda^2 = 1 / \mathrm{SNR}^2` that SNR itself: :ref:`why <lambda>`.

import numpy as np
from matplotlib import pyplot as plt

import mne_bstinv as mb
from mne_bstinv.inverse import lambda2_from_brainstorm_snr, lambda2_from_snr, snr_from_lambda2

for rank in (306, 200, 70):
    same = lambda2_from_brainstorm_snr(3, rank=rank, n_channels=306)
    print(
        f"306 channels, rank {rank:3}: Brainstorm's SNR 3 is MNE's lambda2 {same:.4f}, "
        f"which MNE calls an SNR of {snr_from_lambda2(same):.2f}"
    )

# %%
# With full rank there is no difference. Signal-space projection takes a few dimensions away,
# Maxwell filtering most of them.

snr = np.geomspace(0.5, 10, 100)
figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
axes.loglog(snr, [lambda2_from_snr(value) for value in snr], "k", label="MNE")
for rank, style in ((200, "--"), (70, ":")):
    values = [lambda2_from_brainstorm_snr(value, rank=rank, n_channels=306) for value in snr]
    axes.loglog(snr, values, style, label=f"Brainstorm, rank {rank} of 306")
axes.set(xlabel="SNR (ratio of amplitudes)", ylabel="lambda2")
axes.legend()

# %%
# What it keeps of each singular value
# ------------------------------------
# The eigenvalues are an intermediate of the result. Here are the filters of SNR 3 and of SNR 1.

study = mb.datasets.load_sample()


def kernel(**changes: float) -> mb.InverseResult:
    """Compute the minimum norm of the MEG."""
    return mb.compute_kernel(
        study.head_model,
        study.noise_cov,
        study.channels,
        channel_flag=study.recordings.channel_flag,
        data_types="MEG",
        options=mb.InverseOptions(measure="amplitude", **changes),
    )


usual, smoother = kernel(snr_fixed=3), kernel(snr_fixed=1)
filters = [
    result.lambda_ * result.s2 / (result.lambda_ * result.s2 + 1) for result in (usual, smoother)
]
figure = mb.plot_singular_values(
    np.sqrt(usual.s2),
    *filters,
    names=("SNR 3", "SNR 1"),
    title="What the regularisation keeps, MEG of the sample study",
)

# %%
# What it does to the estimate
# ----------------------------
# At the instant of each simulated source: with a smaller SNR the map shrinks and widens. Its peak
# stays where it is here, at both instants. It need not: not all places shrink alike, and where two
# are nearly as strong, or two instants, the other one can come first.

times, vertices = study.recordings.time, study.cortex.vertices
for source in mb.datasets.simulated_sources():
    instant = int(np.argmin(np.abs(times - source.latency)))
    print(f"{1e3 * times[instant]:.0f} ms, simulated at vertex {source.vertex + 1}:")
    for name, result in (("SNR 3", usual), ("SNR 1", smoother)):
        size = 1e9 * np.abs(result.apply(study.recordings.f)[:, instant])
        peak = int(size.argmax())
        away = 1e3 * np.linalg.norm(vertices[peak] - vertices[source.vertex])
        wide = np.sum(size > 0.5 * size[peak])
        print(
            f"  {name}: Λ = {result.lambda_:.2e} (A·m)², peak {size[peak]:.2f} nA·m at vertex "
            f"{peak + 1}, {away:.0f} mm away; {wide} vertices above half of it"
        )

# %%
# ``mne-bstinv lambda --snr 3 --channels 306 --rank 70`` prints the translation.
