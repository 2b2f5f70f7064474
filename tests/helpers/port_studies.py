"""Protocols of many conditions, made of the sample, for the tests and the benchmark of the port."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np
from balls import ball
from small_sample import SMALL_SAMPLE

from mne_bstinv import io
from mne_bstinv.frames import scs_to_head
from mne_bstinv.inverse import compute_kernel


def make_protocol(root: Path, *, n_subjects: int, n_conditions: int) -> Path:
    """Write a protocol whose conditions are copies of the sample's, with the same noise."""
    sample = SMALL_SAMPLE
    (root / "data").mkdir(parents=True)
    for i in range(1, n_subjects + 1):
        subject = f"Subject{i:02d}"
        anat = shutil.copytree(sample / "anat" / "Subject01", root / "anat" / subject)
        _rename_anatomy(anat / "brainstormsubject.mat", subject)
        for j in range(1, n_conditions + 1):
            source = sample / "data" / "Subject01" / "evoked"
            folder = shutil.copytree(source, root / "data" / subject / f"cond{j:02d}")
            _rename(folder, subject)
    return root


def in_scs_order(values: np.ndarray, src, expected) -> np.ndarray:
    """Rows along x, y, z of SCS from MNE's values."""
    rotation, where = scs_to_head(expected.channels).rotation, source_rows(src, expected)
    if values.ndim == 2:
        return values[where]
    turned = np.einsum("ba,mbn->man", rotation, values[where])
    if expected.results.n_components == 3:
        return turned.reshape(-1, values.shape[-1])
    normals, rows = expected.head_model.grid_orient, []
    for scout in expected.head_model.grid_atlas.scouts:
        for location in scout.grid_rows - 1:
            block = turned[location]
            rows.append(normals[location] @ block if scout.region[2] == "C" else block)
    return np.vstack(rows)


def source_rows(src, expected) -> list[int]:
    """The source of each location of Brainstorm, by their positions."""
    frame = scs_to_head(expected.channels)
    rr = np.concatenate([part["rr"][part["vertno"]] for part in src])
    places = expected.head_model.grid_loc @ frame.rotation.T + frame.matrix[:3, 3]
    where = [int(np.argmin(np.linalg.norm(rr - place, axis=1))) for place in places]
    assert len(set(where)) == len(where)
    return where


def _rename(folder: Path, subject: str) -> None:
    """Let the files of a copied condition name each other instead of the originals."""
    here = f"{subject}/{folder.name}/"
    for file in folder.glob("results_*.mat"):
        results = io.read_results(file)
        renamed = dataclasses.replace(
            results,
            data_file=here + Path(results.data_file).name,
            head_model_file=here + Path(results.head_model_file).name,
            surface_file=f"{subject}/" + Path(results.surface_file).name,
        )
        io.write_results(file, renamed, overwrite=True)
    for file in folder.glob("headmodel_*.mat"):
        model = io.read_head_model(file)
        surface_file = f"{subject}/" + Path(model.surface_file).name
        io.write_head_model(
            file, dataclasses.replace(model, surface_file=surface_file), overwrite=True
        )


def _rename_anatomy(file: Path, subject: str) -> None:
    stored = io.read_subject(file)
    names = {
        field: f"{subject}/{Path(value).name}"
        for field in ("anatomy", "cortex", "scalp", "inner_skull", "outer_skull")
        if (value := getattr(stored, field))
    }
    io.write_subject(file, dataclasses.replace(stored, **names), overwrite=True)


def make_large_protocol(
    root: Path, *, n_conditions: int, n_sources: int = 15002, n_helmets: int = 2
) -> Path:
    """Write a protocol of a usual size: 270 channels, a cortex of two spheres, 2 kernels.

    The sensors are those of the sample, more than once. Gains are random; the kernels are those of
    this package, in files as Brainstorm writes them.
    """
    make_protocol(root, n_subjects=1, n_conditions=n_conditions)
    subject = root / "data" / "Subject01"
    cortex_file = next((root / "anat" / "Subject01").glob("tess_cortex*.mat"))
    cortex = _two_spheres(io.read_surface(cortex_file), n_sources)
    io.write_surface(cortex_file, cortex, overwrite=True)
    folders = sorted(folder for folder in subject.iterdir() if folder.name[0] == "c")
    for seed, folder in enumerate(folders):
        _add_helmets(folder, n_helmets)
        _enlarge(folder, cortex, seed)
    return root


def _add_helmets(folder: Path, n: int) -> None:
    """Repeat all sensors n times, with noise of their own."""

    def renewed(pattern: str, read, write, change) -> None:
        for file in folder.glob(pattern):
            structure = read(file)
            write(file, dataclasses.replace(structure, **change(structure)), overwrite=True)

    def block(matrix: np.ndarray) -> np.ndarray:
        return np.kron(np.eye(n), matrix)

    renewed("channel*.mat", io.read_channels, io.write_channels, lambda channels: {
        "channels": tuple(
            dataclasses.replace(channel, name=f"{channel.name}{'x' * i}")
            for i in range(n) for channel in channels.channels
        ),
        "projectors": tuple(
            dataclasses.replace(projector, components=np.tile(projector.components, (n, 1)))
            for projector in channels.projectors
        ),
    })  # fmt: skip
    renewed("noisecov*.mat", io.read_noise_cov, io.write_noise_cov, lambda cov: {
        "noise_cov": block(cov.noise_cov),
        "fourth_moment": block(cov.fourth_moment),
        "n_samples": np.tile(cov.n_samples, (n, n)),
    })  # fmt: skip
    renewed("headmodel*.mat", io.read_head_model, io.write_head_model, lambda model: {
        "gain": np.tile(model.gain, (n, 1)),
    })  # fmt: skip
    renewed("data_*.mat", io.read_recordings, io.write_recordings, lambda recordings: {
        "f": np.tile(recordings.f, (n, 1)),
        "channel_flag": np.tile(recordings.channel_flag, n),
    })  # fmt: skip
    renewed("results_*.mat", io.read_results, io.write_results, lambda results: {
        "good_channel": np.concatenate(
            [results.good_channel + i * len(results.channel_flag) for i in range(n)]
        ),
        "channel_flag": np.tile(results.channel_flag, n),
        "whitener": block(results.whitener),
        "imaging_kernel": np.tile(results.imaging_kernel, (1, n)) / n,
    })  # fmt: skip


def _enlarge(folder: Path, cortex: io.Surface, seed: int) -> None:
    channels = io.read_channels(next(folder.glob("channel*.mat")))
    noise_cov = io.read_noise_cov(next(folder.glob("noisecov*.mat")))
    head_model_file = next(folder.glob("headmodel_*.mat"))
    small = io.read_head_model(head_model_file)
    gain = np.full((len(channels), 3 * len(cortex.vertices)), np.nan)
    seen = np.isfinite(small.gain).all(axis=1)
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(small.gain.shape[1], gain.shape[1])) / small.gain.shape[1] ** 0.5
    gain[seen] = small.gain[seen] @ mixing
    gain[seen] *= 1 + 0.1 * rng.normal(size=gain[seen].shape)  # no two sensors are the same
    model = dataclasses.replace(
        small, gain=gain, grid_loc=cortex.vertices, grid_orient=cortex.vert_normals
    )
    io.write_head_model(head_model_file, model, overwrite=True)
    for file in sorted(folder.glob("results_*.mat")):
        stored = io.read_results(file)
        if stored.n_components != 1 or "dSPM" in stored.comment:
            file.unlink()
            continue
        result = compute_kernel(
            model, noise_cov, channels, channel_flag=stored.channel_flag,
            good_channels=stored.good_channel - 1, options=stored.options,
        )  # fmt: skip
        renewed = dataclasses.replace(stored, imaging_kernel=result.kernel)
        io.write_results(file, renewed, overwrite=True)


def _two_spheres(like: io.Surface, n_sources: int) -> io.Surface:
    """Return two spheres with about the given number of vertices, the left one first."""
    points = n_sources // 2
    vertices, tris = [], []
    for i, side in enumerate((1, -1)):
        places, faces = ball(points, radius=0.03, centre=(0.0, 0.035 * side, 0.05))
        vertices.append(places)
        tris.append(faces + i * points)
    outwards = np.tile(ball(points, radius=1)[0], (2, 1))
    n_vertices = 2 * points
    scouts = [
        dataclasses.replace(scout, vertices=np.arange(points) + 1 + i * points, seed=1 + i * points)
        for i, scout in enumerate(
            next(atlas for atlas in like.atlas if atlas.name == "Structures").scouts
        )
    ]
    atlas = next(atlas for atlas in like.atlas if atlas.name == "Structures")
    return dataclasses.replace(
        like, vertices=np.vstack(vertices), faces=np.vstack(tris) + 1,
        vert_normals=outwards, vert_conn=None, curvature=None, sulci_map=None,
        tess2mri_interp=None, reg=None, i_atlas=1,
        atlas=(dataclasses.replace(atlas, scouts=tuple(scouts)),),
        comment=f"cortex_{n_vertices}V",
    )  # fmt: skip
