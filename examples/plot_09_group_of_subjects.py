"""
A group of subjects: morph, average, cluster test
=================================================

Six subjects, two conditions: estimates are projected to a template as Brainstorm projects them,
averaged, tested with MNE-Python, and the test goes back to Brainstorm. Of your protocol,
:func:`mne_bstinv.port_protocol` writes the morphs (``…_to_default_subject-morph.h5``) beside the
estimates; here the sample study stands for six subjects.
"""

# %%
# Cortices with registered spheres
# --------------------------------
# Brainstorm's projection looks for each vertex of the template where it is on the registered
# sphere of the subject. Cortices of six sizes stand for six people. Their spheres, which
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
    "S4": cortex_of("S4", 0.98, (3, 5, -4)),
    "S5": cortex_of("S5", 1.03, (-5, -3, 0)),
    "S6": cortex_of("S6", 0.97, (0, 2, -6)),
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
    title=f"Averages of {len(subjects)} subjects",
)

# %%
# Cluster test
# ------------
# Of the first response, 70 to 130 ms. Six subjects have 32 ways to exchange the conditions, so no
# cluster can have a p far below 1/32; the calls for thirty subjects are the same.

window = (times > 0.07) & (times < 0.13)
differences = np.array(
    [
        (on_template[subject, "deviant"].data - on_template[subject, "standard"].data)[:, window].T
        for subject in subjects
    ]
)
adjacency = mne.spatial_tris_adjacency(template.faces - 1, verbose="error")
t_values, clusters, p_of_clusters, _ = mne.stats.spatio_temporal_cluster_1samp_test(
    differences, adjacency=adjacency, n_permutations="all", threshold=4.0, verbose="error"
)
largest = int(np.argmax([len(where) for where, _ in clusters]))
print(f"{len(clusters)} clusters, the largest with p = {p_of_clusters[largest]:.2f}")

# %%
# The t values of the clusters with p < 0.05, at the moment that has most of them; all else is grey.

p_values = np.ones_like(t_values)
for where, p in zip(clusters, p_of_clusters, strict=True):
    p_values[where] = p
significant = np.where(p_values < 0.05, t_values, np.nan)
moment = int(np.isfinite(significant).sum(axis=1).argmax())
figure = mb.plots.plot_agreement(
    significant[moment],
    template.vertices,
    template.faces - 1,
    label="t of deviant − standard",
    title=f"{1e3 * times[window][moment]:.0f} ms",
)

# %%
# Back to Brainstorm
# ------------------
# :func:`mne_bstinv.from_statistics` puts the values of MNE's hemispheres on the vertices of the
# cortex. In a folder of the protocol (``data/Group_analysis/…``) the file is shown as any test once
# the folder is reloaded. These p values are corrected already: choose no correction in the tab
# *Stat*.

step = on_template["S1", "standard"].tstep
place = {"vertices": vertices, "tmin": times[window][0], "tstep": step, "subject": "template"}
test = mb.from_statistics(
    mb.StatisticPair(
        statistic=mne.SourceEstimate(t_values.T, **place),
        p_values=mne.SourceEstimate(p_values.T, **place),
    ),
    surface=template,
    surface_file="@default_subject/tess_cortex_pial_low.mat",
    df=len(subjects) - 1,
    comment="deviant − standard, cluster test",
    verbose="error",
)
mb.write_statistics(folder / "presults_no_cluster.mat", test)
print(mb.read_statistics(folder / "presults_no_cluster.mat"))
print("the same values:", np.array_equal(test.tmap, t_values.T))
