"""
Read and verify a study
=======================

A Brainstorm protocol is a folder of MATLAB files. This example reads one, looks at what it holds,
computes every stored imaging kernel anew, and shows what the verdict says when a file was changed.
"""

# %%
# The protocol
# ------------
# The package ships with a small synthetic study. For a study of yours, give the folder that holds
# ``anat`` and ``data``.

import dataclasses
import shutil
import tempfile
from pathlib import Path

import numpy as np

import mne_bstinv as mb

folder = mb.datasets.sample_study()
protocol = mb.read_protocol(folder)
condition = protocol.condition("Subject01", "evoked")
print(protocol)
for entry in condition.results:
    print(entry.file.name)

# %%
# Structures
# ----------
# Each kind of file has its function. What it returns holds the raw values of the file, read-only;
# a notebook shows them as a table.

mb.read_head_model(condition.head_model_file)

# %%
# Verify
# ------
# :func:`~mne_bstinv.verify` takes the head model, the covariance, the channels and the options that
# belong to each kernel, computes the kernel, and compares it with the stored one. Files that were
# made of others, such as an average, are computed anew from these, if they are there: the trials of
# the average are not part of the sample.

for outcome in mb.verify(folder):
    if outcome.is_derived:
        print(f"{outcome.status}: {outcome.file.name}: {outcome.reason}")
    else:
        print(f"{outcome.status:8} {outcome.relative_difference:.1e}  {outcome.options}")

# %%
# When a kernel does not belong to its study any more
# ---------------------------------------------------
# In a copy of the protocol the noise covariance is replaced by one with noisier gradiometers, as
# if it had been computed again after the kernels. The MEG kernels differ now; that of the EEG does
# not depend on it. ``reason`` names the first intermediate that the file stores and that differs.

with tempfile.TemporaryDirectory() as scratch:
    copy = Path(shutil.copytree(folder, Path(scratch) / "protocol"))
    changed = mb.read_protocol(copy).condition("Subject01", "evoked")
    noise_cov = mb.read_noise_cov(changed.noise_cov_file)
    kinds = [channel.type for channel in mb.read_channels(changed.channel_file).channels]
    scale = np.where(np.array(kinds) == "MEG GRAD", 1.1, 1.0)
    noisier = dataclasses.replace(noise_cov, noise_cov=noise_cov.noise_cov * np.outer(scale, scale))
    mb.write_noise_cov(changed.noise_cov_file, noisier, overwrite=True)
    outcomes = [outcome for outcome in mb.verify(copy) if not outcome.is_derived]
for outcome in outcomes:
    print(f"{outcome.status:8} {outcome.relative_difference:.1e}  {outcome.options}")
print(outcomes[1].reason)

# %%
# On the command line the same is ``mne-bstinv verify FOLDER``: its exit code says whether all is
# well.

# %%
# What a kernel is worth looking at for
# -------------------------------------
# The kernel applied to the recordings, in nA·m.

study = mb.datasets.load_sample()
stored = study.results["MN: MEG ALL(Constr) 2018"]
good = stored.good_channel - 1
estimate = 1e9 * stored.imaging_kernel @ study.recordings.f[good]
figure = mb.plot_estimate(
    estimate,
    study.recordings.time,
    study.cortex.vertices,
    study.cortex.faces - 1,
    quantity="source amplitude",
    unit="nA·m",
    title="A stored kernel, applied to the recordings",
)
