"""Names in FIF files that were written, against their rows and the object."""

from __future__ import annotations

from pathlib import Path

import mne
import numpy as np
import pytest

import mne_bstinv
from mne_bstinv.adapters.files import write_mne
from mne_bstinv.adapters.written import check_written
from mne_bstinv.errors import ConversionError


@pytest.fixture(scope="module")
def objects(sample_dir: Path) -> dict[str, object]:
    """One object of each kind with names."""
    study = mne_bstinv.load_study(sample_dir, condition="evoked")
    evoked = mne_bstinv.to_evoked(study.recordings, study.channels)
    cov = mne_bstinv.to_covariance(study.noise_cov, study.channels)
    forward = mne_bstinv.to_forward(study.head_model, study.channels, surface=study.cortex)
    raw = mne_bstinv.to_raw_array(study.recordings, study.channels)
    epochs = mne_bstinv.to_epochs([study.recordings], study.channels)
    for inst in (epochs, evoked, raw):
        inst.del_proj()
    evoked.set_eeg_reference(projection=True, verbose="error")
    operator = mne.minimum_norm.make_inverse_operator(evoked.info, forward, cov)
    return {
        "evoked": evoked, "covariance": cov, "forward": forward, "raw": raw, "epochs": epochs,
        "info": evoked.info, "inverse operator": operator, "source spaces": forward["src"],
    }  # fmt: skip


ENDINGS = {
    "evoked": "ave", "covariance": "cov", "forward": "fwd", "raw": "raw", "epochs": "epo",
    "info": "info", "inverse operator": "inv", "source spaces": "src",
}  # fmt: skip


@pytest.mark.parametrize("kind", ENDINGS)
@pytest.mark.parametrize("packed", ["", ".gz"])
def test_every_kind_is_checked(
    objects: dict[str, object], kind: str, packed: str, tmp_path: Path
) -> None:
    value = objects[kind]
    file = tmp_path / f"x-{ENDINGS[kind]}.fif{packed}"
    with mne.utils.use_log_level("error"):
        assert write_mne(file, value, kind) == (file,)
    if kind in ("forward", "source spaces"):
        return
    other = value.copy()
    if kind == "covariance":
        other["names"] = other["names"][1:]
    elif kind == "inverse operator":
        other["noise_cov"]["names"] = other["noise_cov"]["names"][::-1]
    elif kind == "info":
        mne.rename_channels(other, {other.ch_names[3]: "another"})
    else:
        other.drop_channels(other.ch_names[:1])
    with pytest.raises(ConversionError, match="MNE wrote"):
        check_written(file, kind, other)


def test_names_with_a_colon(objects: dict[str, object], tmp_path: Path) -> None:
    """MNE itself writes one name more than there are rows (69 of MEG)."""
    forward = objects["forward"].copy()
    odd, kept = "F:1", forward["sol"]["row_names"]
    names = [odd, *kept[1:]]
    forward["sol"] = {**forward["sol"], "row_names": names}
    forward["info"] = forward["info"].copy()
    mne.rename_channels(forward["info"], {kept[0]: odd})
    file = tmp_path / "x-fwd.fif"
    mne.write_forward_solution(file, forward, verbose="error")
    with pytest.raises(ConversionError, match=r"wrote 70 names .* 69 rows"):
        check_written(file, "forward", forward)
    with pytest.warns(RuntimeWarning, match="'F:1' → 'F_1'"):
        mne_bstinv.write_forward(file, forward, overwrite=True)
    found = mne.read_forward_solution(file, verbose="error")
    assert found["sol"]["row_names"] == ["F_1", *kept[1:]] == found["info"]["ch_names"]
    np.testing.assert_allclose(
        found["sol"]["data"], forward["sol"]["data"], rtol=1e-6, atol=1e-6 * 1e-6
    )
    assert forward["sol"]["row_names"] == names


def test_long_names_are_counted(tmp_path: Path) -> None:
    names = [f"A very long name of an electrode {i}" for i in range(3)]
    info = mne.create_info(names, 100.0, "eeg")
    file = tmp_path / "x-info.fif"
    info.save(file)
    check_written(file, "info", info)
    with pytest.raises(ConversionError, match="wrote 3 names"):
        check_written(file, "info", mne.create_info(names[:2], 100.0, "eeg"))
