"""
Port a protocol
===============

A whole Brainstorm protocol as files of MNE-Python, in one call: anatomy, recordings, forward
solutions, covariances, inverse operators and source estimates.
"""

# %%
# One call
# --------
# The sample study stands for a protocol of yours: give the folder that holds ``anat`` and ``data``,
# or the ``.zip`` that Brainstorm exports. ``verify=True`` also computes each stored kernel anew.

import shutil
import tempfile
from pathlib import Path

import mne
import numpy as np

import mne_bstinv as mb

out = Path(tempfile.mkdtemp()) / "ported"
report = mb.port_protocol(mb.datasets.sample_study(), out, verify=True)
print(report)
report

# %%
# What was written
# ----------------

for file in sorted(out.rglob("*")):
    if file.is_file() and file.suffix in (".fif", ".stc", ".h5"):
        print(f"{file.stat().st_size / 1024:8.0f} KiB  {file.relative_to(out)}")

# %%
# Again
# -----
# A second call does what is missing, failed or changed: here, nothing.

again = mb.port_protocol(mb.datasets.sample_study(), out, verify=True)
print(f"{len(again.done)} units converted, {len(again.kept)} up to date")

# %%
# What was lost or assumed, and whether the kernels are right
# -----------------------------------------------------------
# Each unit has a manifest with its inputs and outputs, the stored kernels verified, and what the
# conversions dropped, assumed or derived. ``port.html`` in the folder shows all of them.

manifest = next(unit for unit in report.units if unit["condition"] == "evoked")
for outcome in manifest["verification"]:
    print(f"{outcome['status']}  {Path(outcome['file']).name}")
for name, findings in manifest["reports"].items():
    for finding in findings:
        if finding["severity"] in ("dropped", "assumed"):
            print(f"{name}: {finding['severity']}: {finding['field']}")

# %%
# The files are MNE's
# -------------------
# An operator knows with which arguments MNE gives Brainstorm's estimate, and whether it does: where
# ``parity`` is ``'not comparable'`` MNE has no method for it, and the ported estimate is the one to
# use. The manifest names the recordings that the operator is for, and the file that holds them.
# Applied to these, the operator gives the ported source estimate.

folder, outputs = out / manifest["folder"], manifest["outputs"]
name = next(name for name in outputs if "_MN_MEG" in name and name.endswith("-inv.fif"))
inverse = mne.minimum_norm.read_inverse_operator(folder / name, verbose="error")
parameters = mb.inverse_parameters(inverse)
print(parameters)
if parameters.parity == "not comparable":
    raise RuntimeError(f"{name}: {parameters.reason}")

(recordings,) = outputs[name]["recordings"]
file = next(n for n, output in outputs.items() if recordings in output.get("contents", ()))
index = outputs[file]["contents"].index(recordings)
evoked = mne.read_evokeds(folder / file, index, proj=False, verbose="error")
evoked.nave = parameters.nave
applied = mne.minimum_norm.apply_inverse(
    evoked, inverse, parameters.lambda2, parameters.method, verbose="error"
)
stored = mne.read_source_estimate(folder / name.replace("-inv.fif", "-lh.stc"))
strongest = np.argsort(-np.abs(stored.data).max(axis=1))[:3]
figure = mb.plot_time_courses(
    stored.times,
    1e9 * stored.data[strongest],
    1e9 * applied.data[strongest],
    labels=[f"source {index + 1}" for index in strongest],
    names=("ported estimate", "ported operator, applied"),
    unit="nA·m",
    title="Minimum norm of the MEG, from the ported files",
)
shutil.rmtree(out.parent)
