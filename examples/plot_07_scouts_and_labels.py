"""
Scouts and labels
=================

Brainstorm's scouts are regions of the cortex, MNE-Python's labels are, too. This example converts
them, extracts a time course in either toolbox's way, and goes back.
"""

# %%
# Scouts to labels
# ----------------
# A scout may lie in both hemispheres, a label may not: such a scout becomes two labels. Vertices of
# labels are numbered within their hemisphere, from 0.

import mne
import numpy as np

import mne_bstinv as mb

study = mb.datasets.load_sample()
print([scout.label for scout in study.cortex.atlas[0].scouts])
labels = mb.to_labels(
    study.cortex, "User scouts", subject="Subject01", channels=study.channels, mri=study.mri
)
for label in labels:
    print(label)

# %%
# Time courses
# ------------
# A stored kernel, converted to a ``SourceEstimate`` of MNE, and the mean of each label.

stored = study.results["MN: MEG ALL(Constr) 2018"]
src = mb.to_source_spaces(study.head_model, study.cortex, study.mri, channels=study.channels)
stc = mb.to_source_estimate(
    stored, study.recordings, "Subject01",
    channels=study.channels, surface=study.cortex, mri=study.mri, src=src,
)  # fmt: skip
by_mne = mne.extract_label_time_course(stc, labels, src, mode="mean", verbose="error")

# %%
# The same from Brainstorm's numbers: the rows of the scout's vertices, averaged. Both scouts
# lie in one hemisphere, so nothing is split.

names = [label.name for label in labels]
scouts = {scout.label: scout.vertices - 1 for scout in study.cortex.atlas[0].scouts}
estimate = stored.imaging_kernel @ study.recordings.f[stored.good_channel - 1]
shown = [(f"{name[:-2]}-{name[-1].lower()}h", name) for name in scouts]
a = np.array([estimate[scouts[scout]].mean(axis=0) for _, scout in shown])
b = np.array([by_mne[names.index(label)] for label, _ in shown])
print(f"relative difference {np.linalg.norm(a - b) / np.linalg.norm(a):.1e}")
figure = mb.plot_time_courses(
    study.recordings.time,
    1e9 * a,
    1e9 * b,
    labels=[scout for _, scout in shown],
    names=("Brainstorm's scout", "MNE's label"),
    unit="nA·m",
    title="Mean of two regions, signs as they are",
)

# %%
# The order of the sources may differ between the toolboxes, the numbers do not. Both means cancel
# sources of opposite walls of a sulcus; ``mode="mean_flip"`` of MNE and *sign flip* of Brainstorm
# prevent that, each by its own rule.

# %%
# Back
# ----
# Labels that came from scouts get their seeds, functions and regions back.

atlas = mb.from_labels(labels, study.cortex)
original = study.cortex.atlas[0]
for before, after in zip(original.scouts, atlas.scouts, strict=True):
    same = np.array_equal(before.vertices, after.vertices) and before.seed == after.seed
    print(f"{after.label:8} {after.region}  {'the same' if same else 'changed'}")
