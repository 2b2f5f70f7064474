"""Which file of a study a path stored in another names."""

from __future__ import annotations

import pytest

from mne_bstinv import io
from mne_bstinv.studies.files import find_file


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "data" / "Subject01" / "rest" / "results_MN.mat"
    file.parent.mkdir(parents=True)
    (tmp_path / "anat").mkdir()
    file.touch()
    return file


@pytest.mark.parametrize("name", ["results_MN.mat", "RESULTS_mn.mat"])
@pytest.mark.parametrize("form", ["{}", "link|{}|Subject01/rest/data_average.mat"])
@pytest.mark.parametrize("separator", ["/", "\\"])
def test_in_a_protocol_and_in_a_folder_outside_of_any(file, name, form, separator):
    stored = form.format(separator.join(["Subject01", "rest", name]))
    protocol = io.read_protocol(file)
    assert find_file(stored, file.parent.parent, protocol) == file
    assert find_file(stored, file.parent.parent, None) is None
    assert find_file(stored, file.parent, None) == file


@pytest.mark.parametrize("stored", [None, "", "..", "a/..", "a\0b", "Subject01/rest/results_x.mat"])
def test_what_names_no_file(file, stored):
    assert find_file(stored, file.parent, None) is None
    assert find_file(stored, file.parent, io.read_protocol(file)) is None
