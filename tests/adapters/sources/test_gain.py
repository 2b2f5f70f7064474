"""Gains on their way to a file: what MNE writes of them, and how often they are turned for it."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path
from typing import Any

import mne
import numpy as np
import pytest
from fif_bytes import timeless

from mne_bstinv import io
from mne_bstinv.adapters.sources import (
    gain,
    to_forward,
    to_lazy_forward,
    with_gain,
    write_forward,
)
from mne_bstinv.adapters.sources.gain import LazyGain, turned_gain
from mne_bstinv.conversion import conversion_report


def structures(root: Path) -> tuple[io.HeadModel, io.Channels, dict[str, Any]]:
    """A head model, its channels, and what its forward solution is made of besides."""
    protocol = io.read_protocol(root)
    subject = protocol.subjects[0]
    condition = next(c for c in subject.conditions if c.head_model_file is not None)
    head_model = io.read_head_model(condition.head_model_file)
    cortex = io.resolve(protocol, head_model.surface_file, "anat")
    others = {
        "surface": None if cortex is None else io.read_surface(cortex),
        "mri": None if subject.anatomy is None else io.read_mri(subject.anatomy),
    }
    return head_model, io.read_channels(condition.channel_file), others


@pytest.mark.parametrize("name", ["sample_small", "eeg_volume", "mixed", "eeg_surface"])
def test_a_file_has_the_bytes_that_mne_writes_of_an_array(
    data_dir: Path, name: str, tmp_path: Path
) -> None:
    head_model, channels, others = structures(data_dir / name)
    whole = to_forward(head_model, channels, **others)
    passing = to_lazy_forward(head_model, channels, **others)
    assert list(conversion_report(passing)) == list(conversion_report(whole))
    mne.write_forward_solution(tmp_path / "whole-fwd.fif", whole)
    write_forward(tmp_path / "passing-fwd.fif", passing)
    assert timeless(tmp_path / "passing-fwd.fif") == timeless(tmp_path / "whole-fwd.fif")


def test_rows_that_files_cannot_hold_are_left_out(data_dir: Path, tmp_path: Path) -> None:
    head_model, channels, others = structures(data_dir / "sample_small")
    kinds = [
        "SEEG" if c.type == "EEG" and i % 2 else c.type for i, c in enumerate(channels.channels)
    ]
    changed = zip(channels.channels, kinds, strict=True)
    channels = dataclasses.replace(
        channels, channels=tuple(dataclasses.replace(c, type=kind) for c, kind in changed)
    )
    for name, convert in (("whole", to_forward), ("passing", to_lazy_forward)):
        with pytest.warns(RuntimeWarning, match="hold MEG and EEG only; not written: "):
            write_forward(tmp_path / f"{name}-fwd.fif", convert(head_model, channels, **others))
    assert timeless(tmp_path / "passing-fwd.fif") == timeless(tmp_path / "whole-fwd.fif")


def test_each_number_is_turned_once_and_never_held(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head_model, channels, others = structures(data_dir / "sample_small")
    turn, sizes = gain._turned_pieces, []

    def counted(*arguments: Any) -> Any:
        for piece in turn(*arguments):
            sizes.append(piece.size)
            yield piece

    monkeypatch.setattr(gain, "_turned_pieces", counted)
    monkeypatch.setattr(gain, "_turn_into", None)
    forward = to_lazy_forward(head_model, channels, **others)
    assert sizes == []
    write_forward(tmp_path / "s-fwd.fif", forward)
    assert sum(sizes) == forward["nchan"] * 3 * forward["nsource"]
    assert max(sizes) < sum(sizes) / 4


def test_with_its_gain_it_is_what_mne_works_with(data_dir: Path) -> None:
    head_model, channels, others = structures(data_dir / "sample_small")
    whole = to_forward(head_model, channels, **others)
    found = with_gain(to_lazy_forward(head_model, channels, **others))
    assert mne.utils.object_diff(dict(found), dict(whole)) == ""
    assert found["_orig_sol"] is found["sol"]["data"], "held once"
    assert list(conversion_report(found)) == list(conversion_report(whole))
    fixed = mne.convert_forward_solution(whole, force_fixed=True, use_cps=False, verbose="error")
    assert with_gain(fixed) is fixed


@pytest.fixture(scope="module")
def both() -> tuple[np.ndarray, LazyGain]:
    """A gain that is turned, and one that will be."""
    rng = np.random.default_rng(0)
    rotation = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    stored = np.asfortranarray(rng.standard_normal((7, 900)))
    arguments = stored, np.array([4, 0, 6, 3]), rotation, rng.permutation(300)[:280]
    return turned_gain(*arguments), LazyGain(*arguments)


@pytest.mark.parametrize(
    "asked",
    [
        np.asarray,
        len,
        lambda a: a.copy().T[2:5],
        lambda a: a[[2, 0]].T,
        lambda a: np.array(a[np.array([1, 3]), :].T, dtype=">f4"),
        lambda a: a[1],
        lambda a: a[:, 3:8],
        lambda a: a[1, 5],
        lambda a: a.astype(np.float32),
        lambda a: np.multiply(copy.deepcopy(a), 2),
        lambda a: [*a.shape, *a.T.shape, a.size, a.ndim],
    ],
)
def test_whatever_is_asked_is_answered_as_by_an_array(both: Any, asked: Any) -> None:
    expected, found = (np.asarray(asked(value)) for value in both)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


def test_the_gain_in_memory_is_turned_as_it_is_said(both: Any) -> None:
    whole, passing = both
    stored, rotation, order = passing._of
    blocks = stored.reshape(7, -1, 3)[passing._rows][:, order] @ rotation.T
    np.testing.assert_allclose(whole, blocks.reshape(4, -1), rtol=1e-13, atol=1e-14)
