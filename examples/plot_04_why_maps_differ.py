"""
Why do my maps differ?
======================

The same recordings, the same head model, "dSPM, SNR 3" in both toolboxes, and yet two maps. The
difference is not an error of either: the toolboxes follow different conventions. This example names
them and measures what each contributes.
"""

# %%
# One call
# --------
# :func:`~mne_bstinv.cross_validate` computes Brainstorm's kernel with the options, MNE's with
# settings that are usual there (here: ``loose=0``, ``depth=0.8``, ``lambda2=1/9``, ``nave=1``, and
# the noise covariance regularised by :func:`mne.cov.regularize` with 0.1), MNE's told the same as
# Brainstorm, and walks from one to the other, one convention at a time.

import numpy as np

import mne_bstinv as mb

study = mb.datasets.load_sample()
validation = mb.cross_validate(
    study, options=mb.InverseOptions(measure="dspm2018"), data_types="MEG", shapley_limit=0
)
validation

# %%
# How far apart are they?
# -----------------------
# The correlation of each location's weights over the channels: 1 where both kernels look at the
# same thing.

a, b = validation.brainstorm, validation.mne
norms = np.linalg.norm(a, axis=(1, 2)) * np.linalg.norm(b, axis=(1, 2))
figure = mb.plot_agreement(
    np.sum(a * b, axis=(1, 2)) / norms,
    study.cortex.vertices,
    study.cortex.faces - 1,
    label="correlation of the kernels' rows",
    title="Brainstorm's and MNE's dSPM, each as set above",
)

# %%
# What makes the difference
# -------------------------
# The sum grows step by step to the whole difference. A step depends on what was switched before it,
# so each convention is also switched alone, from either end. The verdict above names the two with
# the largest mean of both ends. (Without ``shapley_limit=0`` the mean over all orders is computed,
# which takes longer, and the verdict goes by that.) Conventions that both sides share here are left
# out.

steps = validation.attribution.active
figure = mb.plot_attribution(
    [step.convention.label for step in steps],
    np.array([step.increment for step in steps]),
    total=validation.attribution.total,
    alone_from_a=np.array([step.alone_from_brainstorm for step in steps]),
    alone_from_b=np.array([step.alone_from_mne for step in steps]),
    title="From Brainstorm's kernel to MNE's",
)

# %%
# In words, with the numbers as fractions of the kernel:

validation.attribution

# %%
# What is left
# ------------
# What no convention explains would stand here. It is rounding.

print(f"remainder {validation.attribution.remainder:.0e}")
print(f"MNE told the same against Brainstorm {validation.twin_difference:.0e}")

# %%
# On this study most comes from the noise between gradiometers and magnetometers, which Brainstorm
# drops from the covariance and MNE keeps. Which of the two fits your noise is a question about your
# noise; see :doc:`/cross_validation` for each convention and its translation.
