"""Objects that are a little odd: exported, whole for Brainstorm, verified, ported back, applied."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mne
import numpy as np
import pytest
from export_studies import ported
from matlab_templates import MAY_BE_EMPTY, template_faults

import mne_bstinv as mb
from mne_bstinv import io
from mne_bstinv.conversion import conversion_report
from mne_bstinv.export import Estimation, export_study
from mne_bstinv.inverse import InverseOptions

WHERE = {"subject": "S", "condition": "c"}
#: Single precision of FIF files.
SINGLE = 1e-6


@pytest.fixture(scope="module")
def objects(data_dir):
    """A condition with gradiometers, magnetometers and EEG, as objects without reports."""
    (one, *_) = ported(data_dir / "meg_eeg", results=False)
    given = one.objects_only()
    evoked = given["recordings"][0]
    clean = mne.EvokedArray(evoked.data, evoked.info.copy(), evoked.times[0], nave=evoked.nave)
    cov = given["noise_cov"]
    plain = mne.Covariance(cov.data.copy(), list(cov.ch_names), [], [], 100)
    return {"recordings": clean, "forward": given["forward"], "noise_cov": plain}


def trials(evoked: mne.Evoked, names: tuple[str, str], **how: Any) -> mne.EpochsArray:
    data = np.stack([evoked.data, 2 * evoked.data, evoked.data])
    events = np.column_stack([[0, 1000, 2000], [0, 0, 0], [1, 2, 1]])
    event_id = dict(zip(names, (1, 2), strict=True))
    return mne.EpochsArray(data, evoked.info, events, evoked.times[0], event_id, proj=False, **how)


def changed(given: dict[str, Any], **values: Any) -> dict[str, Any]:
    return {**given, **values}


def without_nfree(given: dict[str, Any]) -> dict[str, Any]:
    cov = given["noise_cov"].copy()
    del cov["nfree"]
    return changed(given, noise_cov=cov, data_cov=cov)


def of_eeg(given: dict[str, Any]) -> dict[str, Any]:
    cov, eeg = given["noise_cov"], given["recordings"].copy().pick("eeg")
    names = [name for name in cov.ch_names if name in eeg.ch_names]
    return changed(given, noise_cov=mne.pick_channels_cov(cov, names))


def with_bads(given: dict[str, Any]) -> dict[str, Any]:
    evoked = given["recordings"].copy()
    evoked.info["bads"] = [evoked.copy().pick(kind).ch_names[1] for kind in ("eeg", "grad")]
    return changed(given, recordings=evoked)


def projected(given: dict[str, Any]) -> dict[str, Any]:
    cov, evoked = given["noise_cov"].copy(), given["recordings"].copy().apply_proj()
    cov["projs"] = [proj.copy() for proj in evoked.info["projs"]]
    return changed(given, recordings=evoked, noise_cov=cov)


def of_raw(given: dict[str, Any]) -> dict[str, Any]:
    evoked = given["recordings"]
    raw = mne.io.RawArray(np.tile(evoked.data, 2), evoked.info)
    notes = mne.Annotations([0.1, 0.2, 0.15], [0.05, 0.0, 0.1], ["BAD_äh", "stim/1", "右"])
    return changed(given, recordings=raw.set_annotations(notes))


def reactions() -> Any:
    """Reaction times of three trials. MNE keeps metadata as a table of pandas, an optional one."""
    return pytest.importorskip("pandas").DataFrame({"rt": [1, 2, 3]})


ODD: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "EEG only": lambda given: changed(given, recordings=given["recordings"].copy().pick("eeg")),
    "forward solution without MEG": lambda given: changed(
        given, forward=mne.pick_types_forward(given["forward"], meg=False, eeg=True)
    ),
    "covariance of EEG": of_eeg,
    "bads": with_bads,
    "diagonal covariance": lambda given: changed(
        given, noise_cov=mne.make_ad_hoc_cov(given["recordings"].info)
    ),
    "covariance without nfree": without_nfree,
    "projected": projected,
    "own reference": lambda given: changed(
        given, recordings=given["recordings"].copy().set_eeg_reference("average", projection=False)
    ),
    "one sample": lambda given: changed(given, recordings=given["recordings"].copy().crop(0, 0)),
    "fixed forward solution": lambda given: changed(
        given,
        forward=mne.convert_forward_solution(given["forward"], surf_ori=True, force_fixed=True),
    ),
    "epochs with metadata": lambda given: changed(
        given, recordings=trials(given["recordings"], ("links; früh", "右"), metadata=reactions())
    ),
    "raw": of_raw,
}


@pytest.mark.parametrize("name", ODD)
def test_there_and_back(name: str, objects: dict[str, Any], templates: Any, tmp_path: Path) -> None:
    given = ODD[name](objects)
    study = export_study(
        tmp_path / "p",
        **given,
        **WHERE,
        estimations=Estimation(of=InverseOptions(measure="dspm2018"), data_types="EEG"),
    )
    may_be_empty = MAY_BE_EMPTY | {"Events.reactTimes", "Events.hedTags"}
    assert template_faults(templates, study.root, may_be_empty=may_be_empty) == []
    (outcome,) = mb.verify(study.root)
    assert outcome.status == "equal"
    report = mb.port_protocol(study.root, tmp_path / "o", estimates="none")
    assert report.success, str(report)
    (stc,) = mb.apply_ported(tmp_path / "o" / "S" / "c").values()
    stc = stc[0] if isinstance(stc, list) else stc
    results, recordings = io.read_results(study.results[0]), io.read_recordings(study.recordings[0])
    expected = np.linalg.norm(results.imaging_kernel @ recordings.f[results.good_channel - 1])
    assert abs(np.linalg.norm(stc.data) - expected) <= SINGLE * expected


# MNE renormalises a projection whose channels are bad, whenever it reads recordings that have both
@pytest.mark.filterwarnings("ignore:Projection vector")
def test_conditions_that_fif_files_cannot_hold_are_told(objects, tmp_path):
    """MNE writes what is not in Latin-1 as a code with a semicolon, and cannot read it again."""
    epochs = trials(objects["recordings"], ("links; früh", "右"))
    study = export_study(tmp_path / "p", epochs, **WHERE)
    back = mb.read_protocol(study.root).condition("S", "c").epochs
    assert list(back.event_id) == ["links, früh", "U+53F3"]
    told = [f.reason for f in conversion_report(back) if f.field == "Comment"]
    assert told == ["conditions of FIF files: 'links; früh' is 'links, früh', '右' is 'U+53F3'"]
    back.save(tmp_path / "x-epo.fif")
    assert mne.read_epochs(tmp_path / "x-epo.fif", proj=False).event_id == back.event_id


def test_a_block_is_a_raw_again(objects, tmp_path):
    study = export_study(tmp_path / "p", of_raw(objects)["recordings"], **WHERE)
    assert [file.name for file in study.recordings] == ["data_block001.mat"]
    (raw,) = mb.read_protocol(study.root).condition("S", "c").raws
    np.testing.assert_array_equal(raw.get_data(), np.tile(objects["recordings"].data, 2))
    assert set(raw.annotations.description) == {"BAD_äh", "stim/1", "右"}


def test_the_defaults_of_mne_give_the_estimate_of_a_block(objects, tmp_path):
    given = of_raw(objects)
    study = export_study(
        tmp_path / "p", **given, **WHERE, estimations=Estimation(
            of=InverseOptions(measure="dspm2018"), data_types="EEG"
        )
    )  # fmt: skip
    mb.port_protocol(study.root, tmp_path / "o", estimates="none")
    place = tmp_path / "o" / "S" / "c"
    (file,) = place.glob("*-inv.fif")
    inverse = mne.minimum_norm.read_inverse_operator(file)
    raw = mne.io.read_raw_fif(next(place.glob("*-raw.fif")))
    say = mb.inverse_parameters(inverse)
    stc = mne.minimum_norm.apply_inverse_raw(raw, inverse, say.lambda2, say.method)
    results, recordings = io.read_results(study.results[0]), io.read_recordings(study.recordings[0])
    expected = np.linalg.norm(results.imaging_kernel @ recordings.f[results.good_channel - 1])
    assert abs(np.linalg.norm(stc.data) - expected) <= SINGLE * expected


def test_a_projection_of_channels_that_are_gone_is_none(objects, tmp_path):
    evoked = objects["recordings"].copy().pick("mag")
    data = {"nrow": 1, "ncol": 2, "row_names": None, "col_names": ["X1", "X2"],
            "data": np.full((1, 2), 2**-0.5)}  # fmt: skip
    kinds = (1, int(mne.io.constants.FIFF.FIFFV_PROJ_ITEM_EEG_AVREF))
    with evoked.info._unlock():
        evoked.info["projs"] = [
            mne.Projection(active=False, data=data, desc=f"of kind {kind}", kind=kind)
            for kind in kinds
        ]
    study = export_study(tmp_path / "p", evoked, **WHERE)
    assert io.read_channels(study.channel_file).projectors == ()
    (told,) = [f.reason for f in conversion_report(study) if f.field == "info['projs']"]
    assert told.startswith("of kind 1, of kind 10: of channels that are not there")
