"""Exported studies are whole for Brainstorm: fields as in its own files, which fit together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mne
import numpy as np
import pytest
from export_studies import ported
from matlab_templates import MAY_BE_EMPTY, template_faults

from mne_bstinv import io
from mne_bstinv.export import Estimation, ExportedStudy, export_study
from mne_bstinv.inverse import InverseOptions
from mne_bstinv.verification import verify

WHERE = {"subject": "S", "condition": "c"}
SENSORS = ("MEG", "MEG GRAD", "MEG MAG", "EEG")
KERNELS = (
    InverseOptions(),
    InverseOptions(method="lcmv"),
    InverseOptions(method="gls"),
)


def trials_of(evoked: mne.Evoked, cov: mne.Covariance, n: int = 4) -> mne.EpochsArray:
    """Make trials of an average, with noise of a covariance."""
    evoked = evoked.copy().pick(cov.ch_names)
    values, vectors = np.linalg.eigh(np.diag(cov.data) if cov.data.ndim == 1 else cov.data)
    root = vectors * np.sqrt(np.maximum(values, 0))
    noise = root @ np.random.default_rng(0).standard_normal((n, len(root), len(evoked.times)))
    codes = np.arange(n) % 2 + 1
    events = np.column_stack([1000 * np.arange(n), np.zeros(n, int), codes])
    return mne.EpochsArray(
        evoked.data + noise, evoked.info, events, evoked.times[0], {"left": 1, "right": 2},
        proj=False,
    )  # fmt: skip


def of_sample(mne_sample: dict[str, Any]) -> dict[str, Any]:
    """MNE's own sample subject: an average, trials, both covariances."""
    objects = {name: mne_sample[name] for name in ("forward", "noise_cov", "trans")}
    epochs = trials_of(mne_sample["recordings"], objects["noise_cov"])
    data_cov = mne.compute_covariance(epochs, tmin=0.0, tmax=0.2)
    return objects | {"recordings": [mne_sample["recordings"], epochs], "data_cov": data_cov}


def of_protocol(root: Path) -> dict[str, Any]:
    """A ported protocol: its first condition with a head model, trials and a data covariance."""
    condition = next(one for one in ported(root, results=False) if "forward" in one.objects)
    objects = condition.objects_only()
    epochs = trials_of(objects["recordings"][0], objects["noise_cov"])
    objects["recordings"] = [*objects["recordings"], epochs]
    objects["data_cov"] = mne.compute_covariance(epochs, tmin=0.0)
    return objects


@pytest.mark.parametrize(
    "name", [pytest.param("sample", marks=pytest.mark.slow), "meg_eeg", "eeg_shared"]
)
def test_an_export_is_whole(name, templates, data_dir, tmp_path, request):
    if name == "sample":
        objects = of_sample(request.getfixturevalue("mne_sample"))
    else:
        objects = of_protocol(data_dir / name)
    types = sorted(set(objects["forward"]["info"].get_channel_types()))
    asked = ["MEG" if "grad" in types else "EEG"] + (["EEG"] if len(types) > 1 else [])
    study = export_study(
        tmp_path / "p",
        **objects,
        **WHERE,
        estimations=[Estimation(of=one, data_types=tuple(asked)) for one in KERNELS],
    )
    assert template_faults(templates, study.root, may_be_empty=MAY_BE_EMPTY) == []
    assert_fits_together(study)
    statuses = [one.status for one in verify(study.root)]
    assert sorted(statuses) == ["equal", "equal up to sign", "equal up to sign"]
    kinds = {io.file_kind(file.name) for file in study.written if file.suffix == ".mat"}
    assert {"channel", "headmodel", "noisecov", "ndatacov", "data", "results"} <= kinds


def assert_fits_together(study: ExportedStudy) -> None:
    """What Brainstorm indexes without asking is there, for every good channel."""
    channels = io.read_channels(study.channel_file)
    n = len(channels)
    recordings = [io.read_recordings(file) for file in study.recordings]
    flags = np.array([one.channel_flag for one in recordings])
    assert flags.shape == (len(recordings), n)
    assert all(one.f.shape == (n, one.time.size) for one in recordings)
    sensors = np.isin([kind.upper() for kind in channels.types], SENSORS)
    good = sensors & (flags == 1).any(axis=0)
    assert good.any()
    head_model = io.read_head_model(study.head_model_file)
    assert head_model.gain.shape == (n, 3 * len(head_model.grid_loc))
    assert np.isfinite(head_model.gain[good]).all()
    assert head_model.gain[good].any(axis=1).all()
    assert len(head_model.param) == n
    for file in (study.noise_cov_file, study.data_cov_file):
        cov = io.read_noise_cov(file)
        for matrix in (cov.noise_cov, cov.fourth_moment, cov.n_samples):
            assert matrix.shape == (n, n)
            assert np.isfinite(matrix).all()
        assert (np.diag(cov.noise_cov)[good] > 0).all()
        assert (np.diag(cov.fourth_moment)[good] > 0).all()
        assert cov.n_samples.min() >= 2
    data = study.root / "data"
    for file in study.results:
        results = io.read_results(file)
        used = results.good_channel - 1
        assert good[used].all()
        assert results.imaging_kernel.shape[1] == used.size
        noise = results.options["NoiseCovMat"]["NoiseCov"]
        assert np.shape(noise) == (used.size, used.size)
        assert (data / results.head_model_file).samefile(study.head_model_file)
        assert (study.root / "anat" / results.surface_file).is_file()
        assert results.time is None or results.data_file
