"""Measure every combination of options and write ``docs/parity.md``.

``python docs/make_parity.py [FOLDER]``: the folder holds the files of MNE's sample subject
(``mne_bstinv.datasets.fetch_mne_sample``); without it they are downloaded. Takes some minutes.
"""

from __future__ import annotations

import dataclasses
import logging
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import mne
import numpy as np

import mne_bstinv as mb
from mne_bstinv.cross_validation import (
    ParityRow,
    option_combinations,
    parity_table,
)

PAGE = Path(__file__).parent / "parity.md"

HEAD = """# Known differences: parity of all options

Every combination of Brainstorm's options, of the inverses of 2018, 2016 and 2009
([](three_inverses.md)), measured on two studies: the class of parity, the
relative difference (Frobenius norm) between Brainstorm's kernel and that of MNE *before*
translation, and after it. Before translation MNE is told the same measure and orientation (`loose`
0, 0.2, 1), `depth` 0.8, `lambda2` 1/9, `nave` 1, and the noise covariance is regularised by
`mne.cov.regularize` with 0.1, which `make_inverse_operator` by itself does not do. After it: with
the `InverseOperator` that is built *directly*, and with the *public* call
(`make_inverse_operator` or `make_lcmv`). [Cross-validation](cross_validation.md) explains the
classes.

*SNR 3* and *10 nA·m* are the two SNR methods, `fixed` and `rms`. The public call rounds the gain of
fixed orientations to single precision (`convert_forward_solution`): that is the floor of about 1e-7
to 1e-4 of these rows. sLORETA is compared before translation without its factor √Λ.

The inverses of 2016 and 2009 divide the noise covariance by the averages of the recordings:
{averages} of the embedded sample, {mne_averages} of MNE's. The noise of 2009 is *reg* by the ridges
of the sensor types, and *none* without them; *all directions* are whitened, and not the rank alone,
without principal components (`pca` 0); *diag* is a diagonal covariance. Its scans have no
counterpart in MNE-Python, and its loose orientations no public call. A dash in place of a class:
the study does not allow the options.

This page is written by `docs/make_parity.py`, with MNE-Python {mne}.
"""

STUDIES = {
    "The embedded sample, MEG": "46 planar gradiometers and 22 magnetometers in use, projectors on "
    "the fly and a bad channel, 1140 locations. The data covariance is that of the noise plus that "
    "of the evoked response.",
    "MNE's sample subject, MEG": "204 planar gradiometers and 102 magnetometers, 516 locations, "
    "a sphere forward. Its covariance has no fourth moments, which `shrink` needs, and there is no "
    "data covariance.",
}


#: The newest first, which most kernels are of.
YEARS = (2018, 2016, 2009)


def main(folder: str | None) -> None:
    """Measure both studies and write the page."""
    logging.getLogger("mne_bstinv").setLevel(logging.ERROR)
    mne.set_log_level("ERROR")
    studies = (with_data_cov(mb.datasets.load_sample()), mb.datasets.load_mne_sample(folder))
    own, theirs = (int(study.recordings.n_avg) if study.recordings else 1 for study in studies)
    lines = [HEAD.format(mne=mne.__version__, averages=own, mne_averages=theirs)]
    for (title, text), study in zip(STUDIES.items(), studies, strict=True):
        lines.append(f"## {title}\n\n{text}\n")
        scans = study.data_cov is not None
        for year in YEARS:
            options = option_combinations(scans=scans, year=year)
            rows = parity_table(study, options, data_types="MEG")
            lines += [f"### {year}\n", *minimum_norm(rows), *scan_rows(rows)]
    PAGE.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


def with_data_cov(study: mb.StudyData) -> mb.StudyData:
    """Give the sample a data covariance: that of its noise and its evoked response."""
    response = np.asarray(study.recordings.f)
    signal = response @ response.T / response.shape[1]
    flags = np.outer(*[np.diag(study.noise_cov.noise_cov) > 0] * 2)  # channels with a covariance
    cov = study.noise_cov.noise_cov + np.where(flags, signal, 0.0)
    return dataclasses.replace(study, data_cov=dataclasses.replace(study.noise_cov, noise_cov=cov))


def minimum_norm(rows: list[ParityRow]) -> Iterator[str]:
    """Write a line a measure, orientation and noise method, both SNR methods beside each other."""
    names = ("before", "direct", "public")
    found = [row for row in rows if row.options.is_minimum_norm]
    amplitudes = any(row.options.prior_rms is not None for row in found)
    methods = ("SNR 3", "10 nA·m") if amplitudes else ("SNR 3",)
    columns = [f"{snr}: {name}" for snr in methods for name in names]
    yield "| measure | orientation | noise | class | " + " | ".join(columns) + " |"
    yield "| --- | --- | --- | --- | " + " | ".join(["--:"] * len(columns)) + " |"

    def key(row: ParityRow) -> tuple[str, str, str]:
        o = row.options
        return str(o.measure), o.source_orient[0], row.noise

    for labels, pair in groupby(found, key):
        both = list(pair)
        numbers = [shown(x) for r in both for x in (r.before, r.twin, r.public)]
        yield f"| {' | '.join(labels)} | {both[0].parity or '–'} | {' | '.join(numbers)} |"
    yield ""


def scan_rows(rows: list[ParityRow]) -> Iterator[str]:
    """Write the scans, a line each."""
    scans = [r for r in rows if not r.options.is_minimum_norm]
    if not scans:
        return
    yield "| scan | orientation | noise | class | `make_lcmv` |"
    yield "| --- | --- | --- | --- | --: |"
    for row in scans:
        o = row.options
        labels = (o.method, o.source_orient[0], row.noise, row.parity or "–")
        yield f"| {' | '.join(labels)} | {shown(row.public)} |"
    yield ""


def shown(value: float | None) -> str:
    """Write a relative difference."""
    if value is None:
        return "–"
    return f"{value:.3f}" if value >= 1e-3 else f"{value:.0e}"


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
