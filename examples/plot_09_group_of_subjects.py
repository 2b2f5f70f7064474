"""
A group of subjects: morph, average, cluster test
=================================================

Three subjects, two conditions: estimates are projected to a template as Brainstorm projects them,
averaged, and tested with MNE-Python. Of your protocol, :func:`mne_bstinv.port_protocol` writes the
morphs (``…_to_default_subject-morph.h5``) beside the estimates; here the sample study stands for
three subjects.
"""

# %%
# Three cortices with registered spheres
# --------------------------------------
# Brainstorm's projection looks for each vertex of the template where it is on the registered
# sphere of the subject. Cortices of three sizes stand for three people. Their spheres, which
# FreeSurfer would make, are here the directions from the middle of each hemisphere, turned a
# little. Brainstorm has the vertices of the left hemisphere before those of the right, the sample
# has them mixed: they are sorted first.

import tempfile
from pathlib import Path

import mne
import numpy as np
from scipy.spatial.transform import Rotation

import mne_bstinv as mb
from mne_bstinv import io

study = mb.datasets.load_sample()
sides, _ = mb.anatomy.hemispheres(study.cortex)
order = np.argsort(sides == "rh", kind="stable")
number = np.empty(len(order), dtype=int)
number[order] = np.arange(len(order))
n_left = int((sides == "lh").sum())
regions = (
    io.Scout(label="Cortex L", region="LU", vertices=np.arange(1, n_left + 1)),
    io.Scout(label="Cortex R", region="RU", vertices=np.arange(n_left + 1, len(order) + 1)),
)


def sphere_of(vertices):
    """Return where vertices of a hemisphere are on a sphere of 10 cm."""
    directions = vertices - vertices.mean(axis=0)
    return 0.1 * directions / np.linalg.norm(directions, axis=1, keepdims=True)


def cortex_of(name, size, degrees):
    """Return a cortex like that of the sample, of another size and with another sphere."""
    turn = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix()
    hemispheres = np.split(study.cortex.vertices[order], [n_left])
    sphere = np.concatenate([sphere_of(vertices) for vertices in hemispheres]) @ turn.T
    return io.Surface(
        comment=name,
        vertices=size * study.cortex.vertices[order],
        faces=number[study.cortex.faces - 1] + 1,
        atlas=(io.Atlas(name="Structures", scouts=regions),),
        reg={"Sphere": {"Vertices": sphere}},
    )


template = cortex_of("template", 1.0, (0, 0, 0))
subjects = {
    "S1": cortex_of("S1", 0.95, (6, 0, 3)),
    "S2": cortex_of("S2", 1.02, (0, -8, 0)),
    "S3": cortex_of("S3", 1.06, (-4, 4, 5)),
}

# %%
# Estimates of two conditions
# ---------------------------
# The stored kernel, applied to recordings with noise; in the second condition the response is a
# third larger. The sizes of the estimates are compared, as Brainstorm does after it has projected
# absolute values.

stored = study.results["MN: MEG ALL(Constr) 2018"]
response = study.recordings.f[stored.good_channel - 1]
times = study.recordings.time
vertices = [np.arange(n_left), np.arange(len(order) - n_left)]
rng = np.random.default_rng(0)


def estimate(subject, gain):
    """Return the estimate of a subject as MNE holds it."""
    noise = 0.2 * response.std(axis=1, keepdims=True) * rng.standard_normal(response.shape)
    values = np.abs(stored.imaging_kernel @ (gain * response + noise))[order]
    step = (times[-1] - times[0]) / (len(times) - 1)
    return mne.SourceEstimate(values, vertices, times[0], step, subject=subject)


estimates = {
    (subject, condition): estimate(subject, gain)
    for subject in subjects
    for condition, gain in (("standard", 1.0), ("deviant", 4 / 3))
}

# %%
# Morph
# -----
# :func:`mne_bstinv.to_source_morph` makes a ``SourceMorph`` with Brainstorm's weights, which
# MNE-Python saves, reads and applies like its own.

folder = Path(tempfile.mkdtemp())
morphs = {}
for subject, cortex in subjects.items():
    morph = mb.to_source_morph(cortex, template, subject_from=subject, subject_to="template")
    morph.save(folder / f"{subject}_to_template-morph.h5")
    morphs[subject] = mne.read_source_morph(folder / f"{subject}_to_template-morph.h5")
on_template = {
    (subject, condition): morphs[subject].apply(stc)
    for (subject, condition), stc in estimates.items()
}
by_brainstorm = mb.project_sources(estimates["S1", "standard"].data, subjects["S1"], template)
by_mne = on_template["S1", "standard"].data
difference = np.linalg.norm(by_mne - by_brainstorm) / np.linalg.norm(by_brainstorm)
print(f"relative difference from Brainstorm's projection {difference:.1e}")

# %%
# Average
# -------

averages = {
    condition: np.mean([on_template[subject, condition].data for subject in subjects], axis=0)
    for condition in ("standard", "deviant")
}
peak = int(averages["standard"].max(axis=1).argmax())
figure = mb.plot_time_courses(
    times,
    1e9 * averages["standard"][[peak]],
    1e9 * averages["deviant"][[peak]],
    labels=[f"vertex {peak + 1} of the template"],
    names=("standard", "deviant"),
    unit="nA·m",
    title="Averages of three subjects",
)

# %%
# Cluster test
# ------------
# Of three subjects no test can be significant: there are four ways to exchange the conditions. The
# calls for thirty are the same.

differences = np.array(
    [
        (on_template[subject, "deviant"].data - on_template[subject, "standard"].data).T
        for subject in subjects
    ]
)
adjacency = mne.spatial_tris_adjacency(template.faces - 1, verbose="error")
t_values, clusters, p_values, _ = mne.stats.spatio_temporal_cluster_1samp_test(
    differences, adjacency=adjacency, n_permutations="all", threshold=4.0, verbose="error"
)
largest = int(np.argmax([len(where) for where, _ in clusters]))
print(f"{len(clusters)} clusters, the largest with p = {p_values[largest]:.2f}")

# %%
# The t values on the template
# ----------------------------

moment = int(np.abs(t_values).mean(axis=1).argmax())
figure = mb.plots.plot_agreement(
    t_values[moment], template.vertices, template.faces - 1, label="t of deviant − standard"
)
