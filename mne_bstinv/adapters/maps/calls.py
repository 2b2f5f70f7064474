"""What to call in MNE for Brainstorm's maps, one function a map; its source is what users run.

Everywhere ``stc`` is an estimate on all vertices of a cortex, ``src`` its source spaces, ``labels``
a label a scout, ``baseline`` first and last time in s, and ``rotation`` (3, 3) SCS → head.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import mne
import numpy as np
from scipy import sparse

from mne_bstinv._types import FloatArray
from mne_bstinv.adapters.anatomy import to_source_morph

__all__ = ["CALLS", "MapCall"]

_IMPORTS = ("import mne", "import numpy as np")


@dataclass(frozen=True, kw_only=True, eq=False)
class MapCall:
    """Calls of MNE that give a map of Brainstorm."""

    #: What computes the map.
    function: Callable[..., Any]
    #: Functions that it calls.
    helpers: Sequence[Callable[..., Any]] = ()
    #: What it imports beside MNE and NumPy.
    imports: Sequence[str] = ()

    @property
    def code(self) -> str:
        """The ready-to-run Python; the result is ``found``."""
        helpers = [f"\n\n{_plain(one)}" for one in self.helpers]
        gap = ["", ""] if helpers else [""]
        body = inspect.getsource(self.function).split('"""', 2)[2]
        lines = textwrap.dedent(body.strip("\n")).strip().splitlines()
        lines = [f"found ={line[6:]}" if line.startswith("return ") else line for line in lines]
        start = "\n".join([*_IMPORTS, *self.imports])
        return "\n".join([start, *helpers, *gap, *lines]) + "\n"


def _plain(function: Callable[..., Any]) -> str:
    """Return the source of a helper without annotations, whose names users need not import."""
    head, body = inspect.getsource(function).split(":\n", 1)
    return f"{re.sub(r': Any| -> .*', '', head)}:\n{body.rstrip()}"


def flipped_rows(stc: Any, labels: Any, src: Any) -> list[Any]:
    """Return the rows of each label, with the signs that Brainstorm gives them."""
    found = []
    for label in labels:
        rows = stc.in_label(label).data
        if len(rows) > 1 and not (rows > 0).all():
            signs = mne.label_sign_flip(label, src)
            if (signs < 0).sum() > (signs > 0).sum():  # most vertices keep theirs
                signs = -signs
            rows = np.where(signs == 0, 1, signs)[:, np.newaxis] * rows
        found.append(rows)
    return found


def first_component(rows: Any) -> Any:
    """Return the first principal component of rows whose mean is not removed."""
    centred = rows - rows.mean(axis=1, keepdims=True)
    weights = np.linalg.svd(centred, full_matrices=False)[0][:, 0]
    return (-weights if weights.sum() < 0 else weights) @ rows


def legacy_component(rows: Any) -> Any:
    """Return the first principal component with the sign of Brainstorm before 2023."""
    centred = rows - rows.mean(axis=1, keepdims=True)
    left, _, right = np.linalg.svd(centred, full_matrices=False)
    strongest = centred[np.abs(left[:, 0]).argmax()]
    signs = [np.sign(x[np.abs(x).argmax()]) for x in (right[0], strongest)]
    return signs[0] * signs[1] * (left[:, 0] @ rows)


def fast_rows(rows: Any) -> Any:
    """Return the 50 rows with the largest peak for their mean."""
    size = np.abs(rows)
    peaks = size.max(axis=1) / (size.mean(axis=1) + np.finfo(float).eps * size.min(axis=1))
    return rows if len(rows) <= 50 else rows[np.argsort(-peaks, kind="stable")[:50]]


def scout_mean(stc: Any, labels: Any, src: Any) -> FloatArray:
    """Return the mean of rows as they are."""
    return mne.extract_label_time_course(stc, labels, src, mode="mean")


def scout_mean_flip(stc: Any, labels: Any, src: Any) -> FloatArray:
    """Return the mean of flipped rows: MNE's or minus it, and of positive rows as they are."""
    signs = [mne.label_sign_flip(label, src) for label in labels]
    turn = np.array([-1 if (s < 0).sum() > (s > 0).sum() else 1 for s in signs])
    positive = np.array([(stc.in_label(label).data > 0).all() for label in labels])
    flipped = mne.extract_label_time_course(stc, labels, src, mode="mean_flip")
    series = mne.extract_label_time_course(stc, labels, src, mode="mean")
    return np.where(positive[:, np.newaxis], series, turn[:, np.newaxis] * flipped)


def scout_max(stc: Any, labels: Any, src: Any) -> FloatArray:
    """Return the value of largest size."""
    rows = flipped_rows(stc, labels, src)
    return np.array([r[np.abs(r).argmax(axis=0), np.arange(r.shape[1])] for r in rows])


def scout_max_flat(stc: Any, labels: Any, src: Any) -> FloatArray:
    """Return the largest value of a map that is not negative."""
    return mne.extract_label_time_course(stc, labels, src, mode="max")


def scout_std(stc: Any, labels: Any, src: Any) -> FloatArray:
    """Return the standard deviation over the vertices."""
    rows = flipped_rows(stc, labels, src)
    return np.array([r.std(axis=0, ddof=1) if len(r) > 1 else 0 * r[0] for r in rows])


def scout_stderr(stc: Any, labels: Any, src: Any) -> FloatArray:
    """Return the standard error over the vertices."""
    rows = flipped_rows(stc, labels, src)
    spread = [r.std(axis=0, ddof=1) if len(r) > 1 else 0 * r[0] for r in rows]
    return np.array([s / len(r) ** 0.5 for s, r in zip(spread, rows, strict=True)])


def scout_power(stc: Any, labels: Any, src: Any) -> FloatArray:
    """Return the mean of the squares."""
    return mne.extract_label_time_course(stc**2, labels, src, mode="mean")


def scout_rms(stc: Any, labels: Any, src: Any) -> FloatArray:
    """Return the root of the mean of the squares."""
    return np.sqrt(mne.extract_label_time_course(stc**2, labels, src, mode="mean"))


def scout_mean_norm(stc: Any, labels: Any, src: Any) -> FloatArray:
    """Return the mean of the sizes."""
    return mne.extract_label_time_course(abs(stc), labels, src, mode="mean")


def scout_pca2023(stc: Any, labels: Any, src: Any) -> FloatArray:
    """Return the first principal component."""
    rows = flipped_rows(stc, labels, src)
    return np.array([first_component(r) / len(r) ** 0.5 for r in rows])


def scout_fastpca(stc: Any, labels: Any, src: Any) -> FloatArray:
    """Return the first principal component of at most 50 rows."""
    rows = flipped_rows(stc, labels, src)
    return np.array([first_component(fast_rows(r)) for r in rows])


def scout_pca(stc: Any, labels: Any, src: Any) -> FloatArray:
    """Return the first principal component as before 2023."""
    rows = flipped_rows(stc, labels, src)
    return np.array([legacy_component(r) for r in rows])


def scout_pca_flip(stc: Any, labels: Any, src: Any) -> FloatArray:
    """Return the component of rows without a mean over time: MNE's, scaled."""
    scale = []
    for rows in flipped_rows(stc, labels, src):
        s = np.linalg.svd(rows, compute_uv=False)
        scale.append(s[0] / np.linalg.norm(s))
    series = mne.extract_label_time_course(stc, labels, src, mode="pca_flip")
    signs = [mne.label_sign_flip(label, src) for label in labels]
    turn = np.array([-1 if (s < 0).sum() > (s > 0).sum() else 1 for s in signs])
    return (turn * scale)[:, np.newaxis] * series


def scout_stat(stc: Any, labels: Any, src: Any) -> FloatArray:
    """Return the mean of the values that are not 0."""
    rows = flipped_rows(stc, labels, src)
    return np.array([r.sum(axis=0) / (r != 0).sum(axis=0) for r in rows])


def scout_all(stc: Any, labels: Any, src: Any) -> FloatArray:
    """Return all rows, in MNE's order of vertices."""
    return np.concatenate(mne.extract_label_time_course(stc, labels, src, mode=None))


def scout_vector_mean(stc: Any, labels: Any, src: Any) -> FloatArray:
    """Return the norm of the mean vector."""
    return np.linalg.norm(mne.extract_label_time_course(stc, labels, src, mode="mean"), axis=1)


def baseline_bl(stc: Any, baseline: Any) -> FloatArray:
    """Return the values without the mean of the baseline."""
    return mne.baseline.rescale(stc.data, stc.times, baseline, mode="mean")


def baseline_zscore(stc: Any, baseline: Any) -> FloatArray:
    """Return z-scores: MNE's standard deviation is of n samples, Brainstorm's of n − 1."""
    n = ((stc.times >= baseline[0]) & (stc.times <= baseline[1])).sum()
    values = mne.baseline.rescale(stc.data, stc.times, baseline, mode="zscore")
    return np.sqrt((n - 1) / n) * values


def baseline_ersd(stc: Any, baseline: Any) -> FloatArray:
    """Return per cent: MNE's are a ratio."""
    return 100 * mne.baseline.rescale(stc.data, stc.times, baseline, mode="percent")


def baseline_divmean(stc: Any, baseline: Any) -> FloatArray:
    """Return the ratio to the mean of the baseline."""
    return mne.baseline.rescale(stc.data, stc.times, baseline, mode="ratio")


def baseline_db(stc: Any, baseline: Any) -> FloatArray:
    """Return dB: MNE's logarithm is not in dB."""
    return 10 * mne.baseline.rescale(stc.data, stc.times, baseline, mode="logratio")


def baseline_db_signed(stc: Any, baseline: Any) -> FloatArray:
    """Return the logarithm of the size of the ratio."""
    ratio = mne.baseline.rescale(stc.data, stc.times, baseline, mode="ratio")
    return 10 * np.log10(abs(ratio))


def baseline_contrast(stc: Any, baseline: Any) -> FloatArray:
    """Return the contrast to the mean of the baseline."""
    ratio = mne.baseline.rescale(stc.data, stc.times, baseline, mode="ratio")
    return (ratio - 1) / (ratio + 1)


def flat_norm(stc: Any) -> FloatArray:
    """Return the norm of three components."""
    return stc.magnitude().data


def flat_pca(stc: Any, baseline: Any, rotation: Any) -> FloatArray:
    """Return the component of largest variance about the mean of the baseline."""
    centred = stc.copy()
    centred.data = mne.baseline.rescale(stc.data, stc.times, baseline, mode="mean")
    directions = centred.project("pca")[1]
    signs = np.where((directions @ rotation).sum(axis=1, keepdims=True) < 0, -1, 1)
    return stc.project(signs * directions)[0].data


def flat_pca_about_zero(stc: Any, rotation: Any) -> FloatArray:
    """Return the component of largest variance about zero."""
    directions = stc.project("pca")[1]
    signs = np.where((directions @ rotation).sum(axis=1, keepdims=True) < 0, -1, 1)
    return stc.project(signs * directions)[0].data


def flat_pca_legacy(stc: Any, rotation: Any) -> FloatArray:
    """Return the component of largest variance about the mean over time, as before 2023."""
    return np.array([legacy_component(rotation.T @ rows) for rows in stc.data])  # in SCS


def smoothed(stc: Any, src: Any, passes: int) -> FloatArray:
    """Smooth: a pass is half the vertex and half the mean of its neighbours."""
    adjacency = sparse.csr_array(mne.spatial_src_adjacency(src), dtype=float)
    adjacency.setdiag(0)
    n_neighbours = np.maximum(adjacency.sum(axis=1), 1)
    data = stc.data
    for _ in range(passes):
        data = data / 2 + (adjacency @ data) / n_neighbours[:, np.newaxis] / 2
    return data


def projected(stc: Any, source: Any, target: Any) -> FloatArray:
    """Project by Brainstorm's weights; ``source`` and ``target`` are the cortices."""
    morph = to_source_morph(source, target, subject_from=stc.subject, subject_to="target")
    return morph.apply(stc).data


#: The calls by name.
CALLS: dict[str, MapCall] = {
    "mean": MapCall(function=scout_mean),
    "mean_flip": MapCall(function=scout_mean_flip),
    "max": MapCall(function=scout_max, helpers=(flipped_rows,)),
    "max_flat": MapCall(function=scout_max_flat),
    "std": MapCall(function=scout_std, helpers=(flipped_rows,)),
    "stderr": MapCall(function=scout_stderr, helpers=(flipped_rows,)),
    "power": MapCall(function=scout_power),
    "rms": MapCall(function=scout_rms),
    "mean_norm": MapCall(function=scout_mean_norm),
    "pca": MapCall(function=scout_pca, helpers=(flipped_rows, legacy_component)),
    "pca2023": MapCall(function=scout_pca2023, helpers=(flipped_rows, first_component)),
    "pca2023_centred": MapCall(function=scout_pca_flip, helpers=(flipped_rows,)),
    "fastpca": MapCall(function=scout_fastpca, helpers=(flipped_rows, first_component, fast_rows)),
    "stat": MapCall(function=scout_stat, helpers=(flipped_rows,)),
    "all": MapCall(function=scout_all),
    "vector_mean": MapCall(function=scout_vector_mean),
    "bl": MapCall(function=baseline_bl),
    "zscore": MapCall(function=baseline_zscore),
    "ersd": MapCall(function=baseline_ersd),
    "divmean": MapCall(function=baseline_divmean),
    "db": MapCall(function=baseline_db),
    "db_signed": MapCall(function=baseline_db_signed),
    "contrast": MapCall(function=baseline_contrast),
    "norm": MapCall(function=flat_norm),
    "pcaa": MapCall(function=flat_pca),
    "pcaa_about_zero": MapCall(function=flat_pca_about_zero),
    "flat_pca": MapCall(function=flat_pca_legacy, helpers=(legacy_component,)),
    "smoothing": MapCall(function=smoothed, imports=("from scipy import sparse",)),
    "projection": MapCall(function=projected, imports=("from mne_bstinv import to_source_morph",)),
}
