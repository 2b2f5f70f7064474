"""The inverse called directly on arrays that are hard: 64 cases that Brainstorm computed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pymatreader import read_mat

from mne_bstinv.compare.stored import compare_with_stored
from mne_bstinv.errors import BstInvError
from mne_bstinv.inverse import bst_inverse_linear

FILE = Path(__file__).parents[1] / "data" / "edge_cases" / "edge_cases.mat"
CASES = read_mat(FILE)["Cases"]
NAMES = CASES["Name"]

#: What Brainstorm stops at, and our words for it.
REFUSED = {
    "zero_normal_fixed": r"GridOrient is zero or not finite at 1 of 7 locations \(1-based: 2\)",
    "dead_channel_diag": r"EEG channel\(s\) #3 have no variance",
    "loose_1_error": "Loose must be a number strictly between 0 and 1, or empty, found 1.0",
    "weightexp_error": "WeightExp must be a number between 0 and 1, found 1.2",
}


def _inputs(index: int) -> tuple[list[dict], dict]:
    model, options = CASES["HeadModel"][index], dict(CASES["OPTIONS"][index])
    if isinstance(model["Gain"], list):  # a struct array: several head models
        count = len(model["Gain"])
        return [{key: value[i] for key, value in model.items()} for i in range(count)], options
    return [model], options


@pytest.mark.parametrize("name", [name for name in NAMES if name not in REFUSED])
def test_case(name):
    index = NAMES.index(name)
    result = bst_inverse_linear(*_inputs(index))
    stored = CASES["ImagingKernel"][index]
    if name == "one_channel_fixed":  # Brainstorm stops by accident
        assert np.size(stored) == 0
        assert np.isfinite(result.kernel).all()
        return
    agreement = compare_with_stored(
        result,
        np.reshape(stored, result.kernel.shape),  # the reader squeezes one location
        stored_sa=_per_component(CASES["SourceDecompSa"][index], result),
    )
    assert agreement.status.startswith("equal"), agreement
    assert result.noise_method == CASES["NoiseMethodUsed"][index]
    assert result.n_components == CASES["nComponents"][index]
    assert result.function == CASES["FunctionName"][index]
    assert result.options.depth_weighting <= bool(CASES["UseDepthUsed"][index])
    for ours, theirs in (
        (result.whitener, CASES["Whitener"][index]),
        (result.data_whitener, CASES["DataWhitener"][index]),
        (result.source_decomp_sa, CASES["SourceDecompSa"][index]),
    ):
        if np.size(theirs):
            difference = np.linalg.norm(ours - np.reshape(theirs, ours.shape))
            assert difference <= 1e-9 * np.linalg.norm(theirs)


def _per_component(sa, result):
    return np.reshape(sa, result.source_decomp_sa.shape) if np.size(sa) else None


@pytest.mark.parametrize(("name", "message"), REFUSED.items())
def test_refused(name, message):
    index = NAMES.index(name)
    assert len(CASES["Error"][index]) > 0
    with pytest.raises(BstInvError, match=message):
        bst_inverse_linear(*_inputs(index))


def test_zero_gain_is_visible():
    """A location that no channel sees: NaN or zero rows, as Brainstorm leaves them."""
    for name in (n for n in NAMES if n.startswith("zero_gain") and "gls" not in n):
        index = NAMES.index(name)
        ours = bst_inverse_linear(*_inputs(index)).kernel
        np.testing.assert_array_equal(np.isnan(ours), np.isnan(CASES["ImagingKernel"][index]))
