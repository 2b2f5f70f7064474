"""Names of files, subjects and comments."""

from __future__ import annotations

import re

import numpy as np
import pytest
from export_studies import PUBLIC

from mne_bstinv import io
from mne_bstinv.errors import ProtocolError
from mne_bstinv.export import names


@pytest.mark.parametrize("name", ["Subject01", "a.b-c+d_2", "0"])
def test_names_of_folders(name):
    names.check_name(name, "subject")


@pytest.mark.parametrize("name", ["", "@intra", "a/b", "a\\b", "..", ".hidden", "a b", "ä", None])
def test_other_names_are_refused(name):
    with pytest.raises(ProtocolError, match="cannot be the name of a condition: it is the name of"):
        names.check_name(name, "condition")


def test_the_date_of_a_study():
    assert re.fullmatch(r"\d\d-[A-Z][a-z]{2}-\d{4}", names.study_date())


@pytest.mark.parametrize(
    ("kind", "methods", "expected"),
    [
        ("surface", {"eeg_method": "eeg_3sphereberg", "meg_method": "os_meg"},
         "headmodel_surf_eeg_3sphereberg_os_meg.mat"),
        ("volume", {"eeg_method": "eeg_3sphereberg"}, "headmodel_vol_eeg_3sphereberg.mat"),
        ("mixed", {"meg_method": "mne", "eeg_method": "mne"}, "headmodel_mix_mne.mat"),
        (None, {"meg_method": "a method/b"}, "headmodel_surf_a_method_b.mat"),
    ],
)  # fmt: skip
def test_head_models(kind, methods, expected):
    model = io.HeadModel(
        gain=np.zeros((1, 3)), grid_loc=np.zeros((1, 3)), head_model_type=kind, **methods
    )
    assert names.head_model_file(model) == expected
    assert io.file_kind(expected) == "headmodel"


def test_channel_files_have_the_names_of_brainstorms(data_dir):
    for file in (file for name in PUBLIC for file in (data_dir / name).rglob("channel*.mat")):
        assert names.channel_file(io.read_channels(file)) == (
            "channel_vectorview306_acc1.mat" if "meg_eeg" in file.parts else "channel.mat"
        )
    ctf = io.Channel(name="MLC11", type="MEG", comment="CTF axial gradiometer size = 18.00  mm")
    assert names.channel_file(io.Channels(channels=(ctf,))) == "channel_ctf_acc1.mat"


def test_recordings():
    def file(kind, comment, taken):
        return names.data_file(kind, io.Recordings(f=np.zeros((1, 1)), comment=comment), taken)

    first = file("evoked", "Avg", set())
    assert re.fullmatch(r"data_average_\d{6}_\d{4}\.mat", first)
    second = file("evoked", "Avg", {first})
    assert int(second[-8:-4]) == int(first[-8:-4]) + 1
    assert file("raw", "Raw", set()) == "data_block001.mat"
    assert file("epochs", "left/easy (#7)", set()) == "data_left_easy_trial001.mat"
    assert file("epochs", "", {"data_unnamed_trial001.mat"}) == "data_unnamed_trial002.mat"
    # whatever the condition is called, it stays a recordings file
    assert io.file_kind(file("epochs", "results of channel", set())) == "data"


def test_results_count_up_where_the_minute_is_taken():
    taken = set()
    for _ in range(3):
        taken.add(names.results_file("results_MN_EEG_KERNEL", taken))
    numbers = sorted(int(name[-8:-4]) for name in taken)
    assert numbers == list(range(numbers[0], numbers[0] + 3))
    assert {io.file_kind(name) for name in taken} == {"results"}


def test_comments_are_numbered_as_brainstorm_does():
    taken = []
    for _ in range(3):
        taken.append(names.unique_comment("MN: EEG(Constr) 2018", taken))
    assert taken == [
        "MN: EEG(Constr) 2018",
        "MN: EEG(Constr) 2018_02",
        "MN: EEG(Constr) 2018_03",
    ]
