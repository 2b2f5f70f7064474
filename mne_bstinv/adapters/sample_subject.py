"""MNE-Python's ``sample`` subject, from the small files of MNE's own tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mne
import numpy as np
from mne.utils import verbose

from mne_bstinv._types import Verbose
from mne_bstinv.adapters._mne_private import unlocked
from mne_bstinv.conversion import Findings
from mne_bstinv.errors import MissingFileError
from mne_bstinv.io.mat import PathLike

__all__ = ["mne_sample_objects"]

#: The files in use: evoked responses, noise covariance, source spaces, head → MRI.
_FILES = ("test-ave.fif.gz", "test-cov.fif", "small-src.fif.gz", "sample-audvis-raw-trans.txt")
#: What ``mne.make_sphere_model('auto', 'auto', info)`` fits to the digitised head, rounded to mm.
_CENTRE = (-0.004, 0.016, 0.052)
#: Scalp (m). The fit is 0.091, which would leave nine locations outside of the innermost shell.
_RADIUS = 0.1
#: A cortex whose positions are all smaller (m) than this is not in metres.
_NO_CORTEX = 1e-3


@verbose
def mne_sample_objects(
    folder: PathLike, condition: int | str = 0, *, verbose: Verbose = None
) -> tuple[Any, Any, Any]:
    """Read MNE's sample subject and compute its forward solution with a sphere model.

    Parameters
    ----------
    folder : path-like
        The folder with the files, see :func:`mne_bstinv.datasets.fetch_mne_sample`.
    condition : int | str
        Which evoked response, by number or comment: ``'Left Auditory'``, ``'Right Auditory'``,
        ``'Left visual'``, ``'Right visual'``.
    verbose : bool | str | int | None
        Control verbosity of the logging output.

    Returns
    -------
    evoked : mne.Evoked
        The response of 376 channels, as stored: an average of few trials, no baseline
        correction, no projection applied.
    forward : mne.Forward
        Gain of 366 channels and 516 locations, free orientations. Its conversion report says
        what was changed and chosen.
    noise_cov : mne.Covariance
        Noise covariance of the 366 MEG and EEG channels.

    Raises
    ------
    MissingFileError
        If a file is not in the folder.

    Notes
    -----
    The positions in ``small-src.fif.gz`` are 1000 times too small for metres; they are multiplied
    by 1000. The cortex then lies where it should: 13 mm and more inside of the digitised scalp,
    42 mm and more from the sensors.

    The sphere's centre is the one fitted to the digitised head, its scalp has a radius of 0.1 m,
    so that all locations are inside of the innermost shell (0.09 m): they are 2 to 86 mm from the
    centre.
    """
    folder = Path(folder)
    missing = [name for name in _FILES if not (folder / name).is_file()]
    if missing:
        raise MissingFileError(
            f"{folder}: of MNE's sample subject there is no {', no '.join(missing)}. "
            "mne_bstinv.datasets.fetch_mne_sample(folder) downloads them."
        )
    evoked_file, cov_file, src_file, trans_file = (folder / name for name in _FILES)
    evoked = mne.read_evokeds(evoked_file, condition, proj=False)
    noise_cov = mne.read_cov(cov_file)
    findings = Findings()
    head_to_mri = mne.Transform("head", "mri", np.loadtxt(trans_file))
    mri_to_head = mne.transforms.invert_transform(head_to_mri)
    src = _source_spaces(src_file, mri_to_head, findings)
    forward = _forward(evoked.info, src, mri_to_head, findings)
    return evoked, findings.attach(forward, what="sample subject → Forward"), noise_cov


def _source_spaces(fname: Path, mri_to_head: Any, findings: Findings) -> Any:
    """Read the source spaces; return them in metres, in the head frame."""
    src = mne.read_source_spaces(fname)
    if max(np.abs(part["rr"]).max() for part in src) < _NO_CORTEX:
        for part in src:
            part["rr"] = 1000 * part["rr"]
            part["nearest_dist"] = 1000 * part["nearest_dist"]
        findings.derived(
            "rr",
            f"The positions in {fname.name} are 1000 times too small for metres: they were "
            "multiplied by 1000.",
        )
    return mne.SourceSpaces(
        [mne.transforms.transform_surface_to(part, "head", mri_to_head) for part in src]
    )


def _forward(info: mne.Info, src: Any, mri_to_head: Any, findings: Findings) -> Any:
    picks = mne.pick_types(info, meg=True, eeg=True, exclude=())
    sphere = mne.make_sphere_model(_CENTRE, head_radius=_RADIUS)
    # MNE compares the centre, which is in head, with positions in MRI to tell which sources are
    # inside of the sphere (tried: 1.13): the frames are kept equal here, and the true transform
    # is put in afterwards
    same = mne.Transform("head", "mri", np.eye(4))
    forward = mne.make_forward_solution(mne.pick_info(info, picks), same, src, sphere, mindist=0.0)
    forward["mri_head_t"] = mri_to_head
    with unlocked(forward["info"]):
        forward["info"]["mri_head_t"] = mri_to_head
    centre = ", ".join(f"{1000 * x:g}" for x in _CENTRE)
    findings.assumed(
        "bem",
        f"The head is a sphere: centre ({centre}) mm in head, scalp {1000 * _RADIUS:g} mm.",
    )
    return forward
