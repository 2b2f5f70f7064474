"""Projectors and CTF compensation: the two lists say the same."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import mne
import numpy as np
import pytest
from info_helpers import average_reference, channel_files, ctf, eeg, relative

from mne_bstinv.adapters._mne_private import unlocked
from mne_bstinv.adapters.sensors.from_mne import from_info
from mne_bstinv.adapters.sensors.to_mne import to_info
from mne_bstinv.conversion import conversion_report
from mne_bstinv.errors import ConversionError
from mne_bstinv.inverse.projectors import projection_operator
from mne_bstinv.io import Channel, Projector, read_channels


def ssp(n_channels: int = 5, n: int = 2, *, mask: Any = None, **fields: Any) -> Projector:
    rng = np.random.default_rng(n_channels + n)
    return Projector(
        comment=fields.pop("comment", "blink"),
        components=fields.pop("components", np.linalg.qr(rng.standard_normal((n_channels, n)))[0]),
        comp_mask=np.ones(n, int) if mask is None else np.array(mask),
        status=fields.pop("status", 1),
        method="SSP_pca",
        **fields,
    )


def projected(info: mne.Info) -> np.ndarray:
    """MNE's operator: what it makes of the identity."""
    raw = mne.io.RawArray(np.eye(len(info["chs"])), info, verbose="error")
    return raw.apply_proj(verbose="error").get_data()


def test_selected_components_one_by_one() -> None:
    projector = ssp(n=3, mask=[1, 0, 1])
    channels = eeg(projectors=(projector,))
    info = to_info(channels, sfreq=100.0)
    assert [p["desc"] for p in info["projs"]] == ["blink (component 1)", "blink (component 3)"]
    assert [p["active"] for p in info["projs"]] == [False, False]
    for projection, component in zip(info["projs"], (0, 2), strict=True):
        np.testing.assert_array_equal(
            projection["data"]["data"][0], projector.components[:, component]
        )
    assert [f.field for f in conversion_report(info).of("dropped")] == ["Projector(1) 'blink'"]
    expected = projection_operator(channels.projectors, 5)
    np.testing.assert_allclose(projected(info), expected, rtol=0, atol=1e-14)


def test_applied_ones_are_active() -> None:
    info = to_info(eeg(projectors=(ssp(n=1, status=2),)), sfreq=100.0)
    assert [p["active"] for p in info["projs"]] == [True]
    assert info["projs"][0]["desc"] == "blink"


@pytest.mark.parametrize(
    ("projector", "reason"),
    [
        (ssp(status=0), "Status is 0"),
        (dataclasses.replace(ssp(), method="ICA_jade", sing_val="ICA"), "ICA"),
        (Projector(components=np.diag([1.0, 1, 2, 1, 1]), status=1, method="REF"), "operator"),
        (average_reference(5, [0, 1, 2], status=0), "Status is 0"),
    ],
)
def test_not_expressible(projector: Projector, reason: str) -> None:
    channels = eeg(projectors=(projector,))
    info = to_info(channels, sfreq=100.0)
    assert info["projs"] == []
    told = conversion_report(info).of("dropped")
    assert len(told) == 1
    assert reason in told[0].reason
    assert from_info(info).projectors == channels.projectors


@pytest.mark.parametrize("referenced", [[0, 1, 2, 3, 4], [0, 2, 3]])
def test_average_reference(referenced: list[int]) -> None:
    channels = eeg(projectors=(average_reference(5, referenced),))
    info = to_info(channels, sfreq=100.0)
    projection = info["projs"][0]
    expected = mne.create_info(channels.names, 100.0, "eeg")
    expected["bads"] = [n for i, n in enumerate(channels.names) if i not in referenced]
    raw = mne.io.RawArray(np.eye(5), expected, verbose="error")
    wanted = raw.set_eeg_reference(projection=True, verbose="error").info["projs"][0]
    assert projection["kind"] == wanted["kind"]
    assert projection["desc"] == wanted["desc"]
    assert projection["data"]["col_names"] == wanted["data"]["col_names"]
    np.testing.assert_allclose(projection["data"]["data"], wanted["data"]["data"], rtol=1e-15)
    operator = channels.projectors[0].components
    np.testing.assert_allclose(projected(info), operator, rtol=0, atol=1e-15)
    back = from_info(info.copy()).projectors[0]
    assert (back.method, back.comp_mask, back.status) == ("REF", None, 1)
    np.testing.assert_allclose(back.components, operator, rtol=0, atol=1e-15)


def test_average_of_other_types_is_told() -> None:
    types = ("ECOG",) * 5
    channels = eeg(projectors=(average_reference(5, [0, 1, 2]),))
    changed = [
        dataclasses.replace(c, type=t) for c, t in zip(channels.channels, types, strict=True)
    ]
    info = to_info(dataclasses.replace(channels, channels=tuple(changed)), sfreq=100.0)
    assert info["projs"] == []
    assert any("ecog" in f.reason for f in conversion_report(info).of("dropped"))


def test_reference_after_components_is_not_together() -> None:
    """Brainstorm multiplies, MNE projects jointly: told, with how much it is."""
    component = np.ones((5, 1)) / np.sqrt(5) + np.array([[0.3], [0], [0], [0], [-0.1]])
    oblique = ssp(n=1, components=component)
    channels = eeg(projectors=(oblique, average_reference(5, list(range(5)))))
    info = to_info(channels, sfreq=100.0)
    told = [f for f in conversion_report(info).of("derived") if f.field == "Projector"]
    assert len(told) == 1
    difference = np.abs(projected(info) - projection_operator(channels.projectors, 5)).max()
    assert float(told[0].reason.split()[-1]) == pytest.approx(difference, rel=0.05)


def test_reference_orthogonal_to_components_is_together() -> None:
    component = np.array([[1.0], [-1], [0], [0], [0]]) / np.sqrt(2)
    channels = eeg(
        projectors=(ssp(n=1, components=component), average_reference(5, list(range(5))))
    )
    info = to_info(channels, sfreq=100.0)
    assert not [f for f in conversion_report(info).of("derived") if f.field == "Projector"]
    np.testing.assert_allclose(
        projected(info), projection_operator(channels.projectors, 5), rtol=0, atol=1e-14
    )


def test_bad_channels_of_a_projector_are_told() -> None:
    channels = eeg(projectors=(ssp(),))
    flags = [1, 1, -1, 1, 1]
    told = conversion_report(to_info(channels, sfreq=100.0, channel_flag=flags)).of("derived")
    assert any(f.field == "Projector" and "renormalises" in f.reason for f in told)


def test_projector_of_other_channels_is_refused() -> None:
    with pytest.raises(
        ConversionError, match=r"Components is \(4, 2\), expected a row for each of the 5"
    ):
        to_info(eeg(projectors=(ssp(4),)), sfreq=100.0)
    with pytest.raises(ConversionError, match=r"CompMask is not of its Components"):
        to_info(eeg(projectors=(ssp(n=2, mask=[1, 1, 1]),)), sfreq=100.0)


def test_operators_equal_brainstorms(sample_dir: Path, data_dir: Path) -> None:
    tried = 0
    for fname in channel_files(sample_dir, data_dir):
        channels = read_channels(fname)
        if not channels.projectors or any(p.kind != "ssp" for p in channels.projectors):
            continue
        info = to_info(channels, sfreq=250.0)
        expected = projection_operator(channels.projectors, len(channels))
        if not any(p.status == 1 for p in channels.projectors):  # none acts on the fly
            continue
        np.testing.assert_allclose(projected(info), expected, rtol=0, atol=1e-14)
        tried += 1
    assert tried >= 2


def test_removed_projections_are_deselected() -> None:
    channels = eeg(projectors=(ssp(n=3), ssp(n=1, comment="heart")))
    info = to_info(channels, sfreq=100.0)
    with unlocked(info):
        info["projs"] = [p for p in info["projs"] if "component 2" not in p["desc"]][:2]
    back = from_info(info).projectors
    assert [p.comment for p in back] == ["blink"]
    assert back[0].comp_mask.tolist() == [1, 0, 1]


def test_applied_projections_are_status_2() -> None:
    info = to_info(eeg(projectors=(ssp(),)), sfreq=100.0)
    report = conversion_report(info)
    raw = mne.io.RawArray(np.zeros((5, 10)), info, verbose="error")
    applied = raw.apply_proj(verbose="error").info
    object.__setattr__(applied, "_bstinv_report", report)
    assert [p.status for p in from_info(applied).projectors] == [2]


def test_new_projections_are_added() -> None:
    info = to_info(eeg(projectors=(ssp(),)), sfreq=100.0)
    data = {
        "nrow": 2,
        "ncol": 2,
        "row_names": None,
        "col_names": ["E4", "E2"],
        "data": np.array([[1.0, 2], [3, 4]]),
    }
    with unlocked(info):
        info["projs"] = [*info["projs"], mne.Projection(data=data, desc="new", active=True)]
    new = from_info(info).projectors[-2:]
    expected = np.zeros((5, 2))
    expected[[3, 1]] = [[1, 3], [2, 4]]
    for number, entry in enumerate(new):  # one a vector, as where Brainstorm reads FIF files
        assert (entry.status, entry.kind) == (2, "ssp")
        assert entry.comment == f"new (component {number + 1})"
        np.testing.assert_array_equal(entry.components, expected[:, [number]])


def test_compensation() -> None:
    channels = ctf()
    info = to_info(channels, sfreq=100.0)
    comp = info["comps"][0]
    assert comp["kind"] == 3
    assert comp["data"]["row_names"] == ["M0", "M1", "M2", "M3"]
    assert comp["data"]["col_names"] == ["B1", "R2", "B3", "O4"]
    np.testing.assert_array_equal(comp["data"]["data"], channels.meg_ref_coef)
    raw = mne.io.RawArray(np.eye(9), info, verbose="error")
    assert raw.compensation_grade == 3
    uncompensated = raw.apply_gradient_compensation(0, verbose="error").get_data()
    # MEG = uncompensated − C·references
    np.testing.assert_allclose(
        uncompensated[4:8, :4], channels.meg_ref_coef, rtol=1e-10, atol=1e-12
    )
    assert [f.field for f in conversion_report(info).of("assumed")].count("MegRefCoef") == 1


def test_compensation_of_other_channels_is_refused() -> None:
    channels = dataclasses.replace(ctf(), meg_ref_coef=np.ones((4, 3)))
    with pytest.raises(ConversionError, match=r"MegRefCoef is \(4, 3\).* 4 MEG .* 4 references"):
        to_info(channels, sfreq=100.0)


def test_uncompensated_channels_have_no_coefficients() -> None:
    info = to_info(ctf(), sfreq=100.0)
    with unlocked(info):
        for ch in info["chs"]:
            ch["coil_type"] = int(ch["coil_type"]) & 0xFFFF
    back = from_info(info)
    assert back.meg_ref_coef is None
    assert any(f.field == "info['comps']" for f in conversion_report(back).of("dropped"))


def test_incomplete_compensation_is_left_out_and_told() -> None:
    def told(info: mne.Info) -> list[str]:
        channels = from_info(info)
        assert channels.meg_ref_coef is None
        found = conversion_report(channels).of("dropped")
        return [f.reason for f in found if f.field == "MegRefCoef"]

    info = to_info(ctf(), sfreq=100.0)
    with unlocked(info):
        comps, info["comps"] = info["comps"], []
    (reason,) = told(info)
    assert "info['comps'] has none of grade 3" in reason
    with unlocked(info):
        info["comps"] = comps
        info["chs"][4]["coil_type"] = 5001
    with pytest.raises(ConversionError, match="compensated differently"):
        from_info(info)
    with unlocked(info):
        info["chs"][4]["coil_type"] = info["chs"][5]["coil_type"]
        info["comps"][0]["data"]["row_names"][0] = "gone"
    (reason,) = told(info)
    assert "there is no M0 for it" in reason


def test_empty_compensation_is_none() -> None:
    channels = dataclasses.replace(ctf(), meg_ref_coef=np.zeros((0, 0)))
    info = to_info(channels, sfreq=100.0)
    assert info["comps"] == []
    assert relative(from_info(info).meg_ref_coef, None) == 0


def test_misc_channels_do_not_count_for_compensation() -> None:
    channels = ctf()
    more = dataclasses.replace(channels, channels=(Channel(name="x"), *channels.channels))
    assert to_info(more, sfreq=100.0)["comps"][0]["data"]["nrow"] == 4
