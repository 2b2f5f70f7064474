"""The Python that computes a report anew."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from small_sample import load_small_sample

from mne_bstinv.adapters import MneSettings
from mne_bstinv.cross_validation import cross_validate
from mne_bstinv.inverse import InverseOptions2009
from mne_bstinv.report import reproduction_code


def run(code, **names):
    """Run the code and return its validation."""
    exec(compile(code, "report", "exec"), names)
    return names["validation"]


def same_numbers(found, expected):
    assert found.title == expected.title
    assert found.options == expected.options
    assert found.settings == expected.settings
    assert found.attribution.total == pytest.approx(expected.attribution.total, rel=1e-9)
    assert [s.shapley is None for s in found.attribution] == [
        s.shapley is None for s in expected.attribution
    ]
    np.testing.assert_allclose(found.brainstorm, expected.brainstorm, rtol=1e-9)


def test_by_the_call_that_loads_the_study(fixed, capsys, monkeypatch):
    monkeypatch.setattr("mne_bstinv.datasets.load_sample", load_small_sample)
    code = reproduction_code(fixed, load="datasets.load_sample()")
    assert "study = datasets.load_sample()\noptions = InverseOptions(measure='amplitude')\n" in code
    assert code.startswith("from mne_bstinv import InverseOptions, MneSettings, cross_validate, da")
    same_numbers(run(code), fixed)
    assert "\nMNE fixed MEG. Told the same: " in f"\n{capsys.readouterr().out}"  # after the log


def test_by_the_files_of_the_study(volume):
    code = reproduction_code(volume)
    assert f"head_model=io.read_head_model({str(volume.study.files['head_model'])!r})," in code
    same_numbers(run(code), volume)


def test_of_a_study_in_memory(statistical):
    study = statistical.study
    loose = SimpleNamespace(
        head_model=study.head_model, noise_cov=study.noise_cov, channels=study.channels,
        recordings=study.recordings, cortex=study.cortex, mri=study.mri,
    )  # fmt: skip
    made = dataclasses.replace(statistical, study=loose)
    code = reproduction_code(made)
    assert "# study: the structures of 'Subject01/evoked', which were made in memory" in code
    assert "snr_fixed=2.0" in code
    same_numbers(run(code, study=loose), statistical)


def test_of_another_year(fixed):
    """A kernel that is shared, hence of one sample, of recordings that are an average."""
    options = InverseOptions2009(method="dspm", source_orient="free", grad_reg=0.2)
    of_2009 = cross_validate(fixed.study, options=options, n_avg=1, shapley_limit=0)
    code = reproduction_code(of_2009, load="study")
    assert "options = InverseOptions2009(" in code
    assert "n_avg=1" in code
    same_numbers(run(code, study=fixed.study), of_2009)


def test_settings_are_written_as_they_are(fixed):
    settings = MneSettings(
        method="MNE", loose=np.float64(0.25), depth=None, rank={"meg": np.int64(60)}, nave=None
    )
    code = reproduction_code(dataclasses.replace(fixed, settings=settings), load="None")
    assert "    loose=0.25,\n" in code
    assert "    depth={'exp': 0.0, 'limit': 10.0, " in code
    assert "    rank={'meg': 60},\n    nave=None,\n" in code
    assert "datasets" not in code
