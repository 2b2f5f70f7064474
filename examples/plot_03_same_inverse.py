"""
The same inverse in both toolboxes
==================================

MNE-Python can be told to compute exactly Brainstorm's kernel. This example translates Brainstorm's
options, runs MNE's public functions with them, and compares the two estimates.
"""

# %%
# Brainstorm's side
# -----------------

import mne
import numpy as np

import mne_bstinv as mb

study = mb.datasets.load_sample()
options = mb.InverseOptions(measure="dspm2018", source_orient="fixed", snr_fixed=3)
result = mb.compute_kernel(
    study.head_model,
    study.noise_cov,
    study.channels,
    channel_flag=study.recordings.channel_flag,
    data_types="EEG",
    options=options,
)
brainstorm = result.apply(study.recordings.f)
print(result)

# %%
# What MNE has to be told
# -----------------------
# The translation carries the objects to hand over, the class of parity, and the call as code.

equivalent = mb.mne_equivalent(options, study, data_types="EEG")
print(equivalent.parity)
print(equivalent.code)

# %%
# MNE's side
# ----------
# The public calls. MNE keeps the gain of fixed orientations in single precision, so the estimates
# agree to about seven digits here; ``twin()`` builds the operator in double precision.

evoked = equivalent.prepare(mb.to_evoked(study.recordings, study.channels))


def estimate(inverse: mne.minimum_norm.InverseOperator) -> np.ndarray:
    """Apply an operator, in Brainstorm's order of sources."""
    stc = mne.minimum_norm.apply_inverse(
        evoked,
        inverse,
        lambda2=equivalent.lambda2,
        method=equivalent.method,
        pick_ori=equivalent.pick_ori,
        verbose="error",
    )
    rows = np.empty_like(stc.data)
    rows[equivalent.order] = stc.data
    return equivalent.factor * rows


for name, inverse in (("public call", equivalent.make()), ("twin", equivalent.twin())):
    difference = np.linalg.norm(estimate(inverse) - brainstorm) / np.linalg.norm(brainstorm)
    print(f"{name}: relative difference {difference:.1e}")

# %%
# Both over time, at the four strongest locations
# -----------------------------------------------

mne_side = estimate(equivalent.twin())
strongest = np.argsort(-np.abs(brainstorm).max(axis=1))[:4]
figure = mb.plot_time_courses(
    study.recordings.time,
    brainstorm[strongest],
    mne_side[strongest],
    labels=[f"vertex {index + 1}" for index in strongest],
    names=("Brainstorm", "MNE, told the same"),
    unit="standard deviations",
    title="dSPM of the EEG, once by each toolbox",
)
