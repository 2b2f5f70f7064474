"""
Take an MNE inverse back to Brainstorm
======================================

An inverse operator that MNE-Python computed, written as a results file that Brainstorm shows like
one of its own.
"""

# %%
# An operator of MNE
# ------------------
# It stands for one of yours, such as ``mne.minimum_norm.read_inverse_operator("subject-inv.fif")``.

import tempfile
from pathlib import Path

import mne
import numpy as np

import mne_bstinv as mb

study = mb.datasets.load_sample()
forward = mb.to_forward(study.head_model, study.channels, surface=study.cortex)
noise_cov = mb.to_covariance(study.noise_cov, study.channels)
evoked = mb.to_evoked(study.recordings, study.channels)
inverse = mne.minimum_norm.make_inverse_operator(
    evoked.copy().pick("meg").info, forward, noise_cov,
    loose=0, depth=0.8, fixed=True, rank="info", verbose="error",
)  # fmt: skip
print(inverse)

# %%
# As a kernel of Brainstorm
# -------------------------
# Rows come in the order of the head model's locations, in Brainstorm's frame.

results = mb.from_inverse_operator(
    inverse,
    lambda2=1 / 9,
    method="dSPM",
    channels=study.channels,
    head_model=study.head_model,
    comment="dSPM by MNE-Python",
    verbose="error",
)
results

# %%
# What did not fit the other format is in the report.

mb.conversion_report(results)

# %%
# Does it give the same estimate?
# -------------------------------
# Brainstorm multiplies the kernel with the recordings.

rows = results.good_channel - 1
by_brainstorm = results.imaging_kernel @ study.recordings.f[rows]
evoked.nave = 1  # Brainstorm's kernels know no averages
stc = mne.minimum_norm.apply_inverse(evoked, inverse, 1 / 9, "dSPM", verbose="error")
by_mne = np.empty_like(by_brainstorm)
by_mne[mb.source_order(inverse["src"])] = stc.data
difference = np.linalg.norm(by_brainstorm - by_mne) / np.linalg.norm(by_mne)
print(f"relative difference {difference:.1e}")
figure = mb.plot_estimate(
    by_brainstorm,
    study.recordings.time,
    study.cortex.vertices,
    study.cortex.faces - 1,
    quantity="dSPM",
    unit="standard deviations",
    title="MNE's inverse as Brainstorm applies it",
)

# %%
# Write it into a protocol
# ------------------------
# ``export_study`` writes the whole condition: channel file, recordings, head model, covariance,
# cortex and the kernel. Brainstorm opens the folder with *File > Load protocol > Load from folder*.

with tempfile.TemporaryDirectory() as scratch:
    exported = mb.export_study(
        Path(scratch) / "MyProtocol",
        evoked,
        subject="Subject01",
        condition="from_mne",
        forward=forward,
        noise_cov=noise_cov,
        estimations=mb.Estimation(of=inverse, lambda2=1 / 9, method="dSPM"),
    )
    for file in exported.written:
        print(file.relative_to(exported.root))
