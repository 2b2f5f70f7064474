"""Cross-validations that all tests of the report share."""

from __future__ import annotations

import pytest
from small_sample import load_small_sample

from mne_bstinv import InverseOptions, load_study
from mne_bstinv.cross_validation import cross_validate
from mne_bstinv.report import write_report


@pytest.fixture(scope="package")
def sample():
    return load_small_sample()


@pytest.fixture(scope="package")
def fixed(sample):
    """Amplitudes along the normals, two types of sensors, one projector."""
    options = InverseOptions(measure="amplitude")
    return cross_validate(sample, options=options, data_types="MEG", shapley_limit=0)


@pytest.fixture(scope="package")
def statistical(sample):
    """A map of three components without unit, which has a factor and no public call."""
    options = InverseOptions(measure="sloreta", source_orient="free", snr_fixed=2.0)
    return cross_validate(sample, options=options, data_types="EEG", shapley_limit=0)


@pytest.fixture(scope="package")
def volume(data_dir):
    """Amplitudes of three components in a volume."""
    options = InverseOptions(measure="amplitude", source_orient="free")
    study = load_study(data_dir / "eeg_volume")
    return cross_validate(study, options=options, shapley_limit=9)


@pytest.fixture(scope="package")
def page_of_two(fixed, statistical, tmp_path_factory):
    """The text of a page with a section for each of two cross-validations."""
    target = tmp_path_factory.mktemp("report") / "two.html"
    write_report(target, (fixed, statistical))
    assert [file.name for file in target.parent.iterdir()] == ["two.html"]
    return target.read_text(encoding="utf-8")
