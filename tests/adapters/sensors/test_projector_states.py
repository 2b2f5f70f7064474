"""What becomes of a projector by its state, in both directions: the table of the documentation."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import mne
import numpy as np
import pytest
from info_helpers import average_reference, eeg

from mne_bstinv import from_info, io, to_info
from mne_bstinv.adapters.recordings import pending_projections, safe_by_default
from mne_bstinv.conversion import conversion_report
from mne_bstinv.export import export_study
from mne_bstinv.inverse.projectors import projection_operator

PAGE = Path(__file__).parents[3] / "docs" / "mne_objects.md"
N = 5
REFERENCE = int(mne.io.constants.FIFF.FIFFV_PROJ_ITEM_EEG_AVREF)


def ssp(status: int, n: int = 2) -> io.Projector:
    values = np.random.default_rng(4).standard_normal((N, n))
    components = np.linalg.qr(values - values.mean(axis=0))[0]  # of referenced channels
    return io.Projector(
        comment="blink",
        components=components,
        comp_mask=np.ones(n, dtype=np.int64),
        status=status,
        sing_val=np.arange(n, 0, -1.0),
        method="SSP_pca",
    )


def ica(status: int) -> io.Projector:
    components = np.random.default_rng(5).standard_normal((N, 3))
    return io.Projector(
        comment="ica",
        components=components,
        comp_mask=np.array([1, 0, 0]),
        status=status,
        method="ICA_picard",
    )


def other(status: int) -> io.Projector:
    """Two channels referred to a third: an operator that is no average."""
    operator = np.eye(N)
    operator[:2, 2] = -1
    return io.Projector(comment="REF", components=operator, status=status, method="REF")


def reference(status: int) -> io.Projector:
    return average_reference(N, list(range(N)), status)


#: Kind, Status → the projections of MNE's Info (active or not), and those of a ported average.
STATES: list[tuple[Any, int, list[bool], list[bool]]] = [
    (ssp, 0, [], [False]),
    (ssp, 1, [False, False], [False]),
    (ssp, 2, [True, True], [True, True, False]),
    (ica, 0, [], [False]),
    (ica, 1, [], [False]),
    (ica, 2, [], [False]),
    (reference, 0, [], [False]),
    (reference, 1, [False], [False]),
    (reference, 2, [True], [True]),
    (other, 1, [], [False]),
    (other, 2, [], [False]),
]


@pytest.mark.parametrize(("make", "status", "active", "ported"), STATES)
def test_from_brainstorm(make: Any, status: int, active: list[bool], ported: list[bool]) -> None:
    channels = eeg(N, projectors=(make(status),))
    info = to_info(channels, sfreq=100.0)
    assert [proj["active"] for proj in info["projs"]] == active
    lost = [f for f in conversion_report(info).of("dropped") if f.field.startswith("Projector")]
    assert bool(lost) == (not active)
    # Brainstorm's inverse applies 1 and 2 to gain and covariance, and 0 not
    operator = projection_operator(channels.projectors, N)
    assert (operator is None) == (status == 0)
    if active:
        together = mne.io.RawArray(np.eye(N), to_info(eeg(N, projectors=(make(1),)), sfreq=1.0))
        np.testing.assert_allclose(together.apply_proj().get_data(), operator, rtol=0, atol=1e-14)
    # a ported average: what it went through, and the reference that MNE asks for, not applied
    data = np.random.default_rng(0).normal(size=(N, 3))
    evoked = mne.EvokedArray(data if operator is None else operator @ data, info)
    safe = safe_by_default(evoked.copy())
    assert [proj["active"] for proj in safe.info["projs"]] == ported
    assert sum(proj["kind"] == REFERENCE for proj in safe.info["projs"]) == 1
    assert pending_projections(safe) == []
    # and back: the entry that it was
    (back,) = from_info(info).projectors
    assert back.status == status
    np.testing.assert_array_equal(back.components, channels.projectors[0].components)


def test_an_average_that_was_not_projected_has_no_projection_that_mne_would_apply() -> None:
    """MNE applies all projections of a file together, where one is not applied yet."""
    info = to_info(eeg(N, projectors=(ssp(2),)), sfreq=100.0)
    evoked = mne.EvokedArray(np.random.default_rng(0).normal(size=(N, 3)), info)
    safe = safe_by_default(evoked.copy())
    assert [proj["kind"] for proj in safe.info["projs"]] == [REFERENCE]
    told = [f.reason for f in conversion_report(safe).of("derived") if f.field == "projs"]
    assert any("blink" in reason and "would apply them again" in reason for reason in told)
    applied = safe.copy().apply_proj()
    np.testing.assert_allclose(applied.data, evoked.data - evoked.data.mean(0), rtol=0, atol=1e-14)


@pytest.mark.parametrize("make", [ssp, reference])
def test_what_mne_applied_since_is_status_2(make: Any) -> None:
    info = to_info(eeg(N, projectors=(make(1),)), sfreq=100.0)
    evoked = mne.EvokedArray(np.random.default_rng(0).normal(size=(N, 3)), info, verbose="error")
    applied = evoked.apply_proj(verbose="error").info
    assert {entry.status for entry in from_info(applied).projectors} == {2}


def projections(n: int, *, active: bool, kind: int = 1) -> list[Any]:
    vectors = np.linalg.qr(np.random.default_rng(6).standard_normal((N, n)))[0].T
    if kind == REFERENCE:
        vectors = np.full((1, N), N**-0.5)
    data = {
        "nrow": len(vectors),
        "ncol": N,
        "row_names": None,
        "col_names": [f"E{i}" for i in range(1, N + 1)],
        "data": vectors,
    }
    return [mne.Projection(active=active, data=data, desc="PCA", kind=kind, explained_var=None)]


def of_mne(projs: list[Any]) -> Any:
    """Electrodes of MNE's own with projections."""
    info = mne.create_info([f"E{i}" for i in range(1, N + 1)], 100.0, "eeg")
    with info._unlock():
        info["projs"] = projs
    return info


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize(("active", "status"), [(False, 1), (True, 2)])
def test_from_mne(active: bool, status: int, n: int) -> None:
    info = of_mne(projections(n, active=active))
    found = from_info(info).projectors
    assert [entry.status for entry in found] == [status] * n
    # one entry a vector, each complete as Brainstorm's own of one vector is
    for entry, vector in zip(found, info["projs"][0]["data"]["data"], strict=True):
        assert entry.method == "SSP_mean"
        assert entry.comp_mask.tolist() == [1]
        np.testing.assert_array_equal(entry.components[:, 0], vector)
    operator = projection_operator(found, N)
    expected = np.eye(N) - info["projs"][0]["data"]["data"].T @ info["projs"][0]["data"]["data"]
    np.testing.assert_allclose(operator, expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize(("active", "status"), [(False, 1), (True, 2)])
def test_average_reference_from_mne(active: bool, status: int) -> None:
    (entry,) = from_info(of_mne(projections(1, active=active, kind=REFERENCE))).projectors
    assert (entry.method, entry.status) == ("REF", status)
    np.testing.assert_allclose(entry.components, np.eye(N) - 1 / N, rtol=0, atol=1e-15)


def test_a_projection_of_zeros_is_none() -> None:
    projs = projections(1, active=False, kind=REFERENCE)
    projs[0]["data"]["data"] = np.zeros((1, N))
    assert from_info(of_mne(projs)).projectors == ()


@pytest.mark.parametrize("active", [False, True])
def test_an_export_tells_what_its_recordings_have_not_gone_through(
    active: bool, tmp_path: Path
) -> None:
    info = of_mne([*projections(2, active=active), *projections(1, active=False, kind=REFERENCE)])
    evoked = mne.EvokedArray(np.random.default_rng(0).normal(size=(N, 3)), info, verbose="error")
    study = export_study(tmp_path / "p", evoked, subject="S", condition="c")
    told = [f for f in conversion_report(study).of("assumed") if f.field == "Projector.Status"]
    assert len(told) == (not active)
    statuses = [entry.status for entry in io.read_channels(study.channel_file).projectors]
    assert statuses == [2 if active else 1] * 2 + [1]
    np.testing.assert_array_equal(io.read_recordings(study.recordings[0]).f, evoked.data)


def test_the_table_names_every_state() -> None:
    if not PAGE.is_file():
        pytest.skip("the documentation is not part of this copy")
    section = PAGE.read_text("utf-8").split("## Projectors")[1].split("## ")[0]
    rows = [line.split("|")[1].strip() for line in section.splitlines() if line.startswith("| ")]
    said = "; ".join(rows)
    for words in ("Status 0", "Status 1, SSP", "Status 2, SSP", "Status 1 or 2, ICA"):
        assert words in said
    for words in ("Status 1, average reference", "Status 2, average reference", "other operator"):
        assert words in said
    assert re.search(r"not active; active; average EEG reference, not active; average EEG", said)
