"""
Forward and covariance to MNE
=============================

Brainstorm's head model and noise covariance as MNE-Python's ``Forward`` and ``Covariance``, and an
inverse of MNE's own on them. Nothing is computed twice: the gain is Brainstorm's.
"""

# %%
# The structures of a study
# -------------------------

import mne
import numpy as np

import mne_bstinv as mb

study = mb.datasets.load_sample()
study

# %%
# Convert
# -------
# Coordinates go from Brainstorm's frame (SCS) to MNE's head frame, sources into MNE's order, left
# hemisphere first. The conversion says what it had to drop or to derive.

forward = mb.to_forward(study.head_model, study.channels, surface=study.cortex)
noise_cov = mb.to_covariance(study.noise_cov, study.channels)
evoked = mb.to_evoked(study.recordings, study.channels)
print(forward)
mb.conversion_report(forward)

# %%
# Do the frames agree? The sensors must lie around the cortex.

info = evoked.info
positions = {}
for channel, kind in zip(info["chs"], info.get_channel_types(), strict=True):
    if kind == "eeg":
        positions.setdefault(kind, []).append(channel["loc"][:3])
    elif kind in ("mag", "grad"):
        in_head = mne.transforms.apply_trans(info["dev_head_t"], channel["loc"][:3])
        positions.setdefault(kind, []).append(in_head)
figure = mb.plot_sensors(
    {kind: np.array(where) for kind, where in positions.items()},
    np.concatenate([part["rr"] for part in forward["src"]]),
    title="Sensors and cortex in MNE's head frame",
)

# %%
# An inverse of MNE
# -----------------
# The objects are ordinary ones; everything that MNE does with its own it does with these. The
# recordings get the average reference of the EEG that MNE asks for.

evoked.set_eeg_reference(projection=True, verbose="error")
inverse = mne.minimum_norm.make_inverse_operator(
    evoked.info, forward, noise_cov, loose=0.2, depth=0.8, rank="info", verbose="error"
)
stc = mne.minimum_norm.apply_inverse(evoked, inverse, lambda2=1 / 9, method="dSPM", verbose="error")
vertex, time = stc.get_peak(time_as_index=False, vert_as_index=True)
print(stc)
print(f"strongest at {1e3 * time:.0f} ms")

# %%
# :func:`~mne_bstinv.source_order` tells which of Brainstorm's vertices each source of MNE is: with
# it, the map can be drawn on Brainstorm's cortex.

order = mb.source_order(inverse["src"])
on_cortex = np.empty_like(stc.data)
on_cortex[order] = stc.data
figure = mb.plot_estimate(
    on_cortex,
    stc.times,
    study.cortex.vertices,
    study.cortex.faces - 1,
    quantity="dSPM",
    unit="standard deviations",
    title="MNE's dSPM on Brainstorm's head model",
)
