"""The frames that three fiducials define."""

from __future__ import annotations

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.errors import FrameError
from mne_bstinv.frames.transform import FiducialsLike

__all__ = ["complete", "head_from_fiducials", "mri_to_scs"]


def complete(
    fiducials: FiducialsLike | None,
) -> tuple[FloatArray, FloatArray, FloatArray] | None:
    """Return nasion, left and right ear (3,) if all three are known."""
    if fiducials is None:
        return None
    points = [fiducials.nas, fiducials.lpa, fiducials.rpa]
    if any(p is None or np.size(p) != 3 or not np.isfinite(p).all() for p in points):
        return None
    nas, lpa, rpa = (np.ravel(np.asarray(p, dtype=np.float64)) for p in points)
    return nas, lpa, rpa


def head_from_fiducials(nas: FloatArray, lpa: FloatArray, rpa: FloatArray) -> FloatArray:
    """Transform from the frame of the fiducials to MNE's head frame.

    Parameters
    ----------
    nas, lpa, rpa : array, shape (3,)
        Nasion, left and right ear in any right-handed frame.

    Returns
    -------
    array, shape (4, 4)
        That frame → head.

    Raises
    ------
    FrameError
        If the three points lie on one line.
    """
    ears = rpa - lpa
    width = np.linalg.norm(ears)
    x = ears / width if width > 0 else ears
    origin = lpa + x * np.dot(nas - lpa, x)
    forward = nas - origin
    length = np.linalg.norm(forward)
    if not (width > 0 and length > 1e-6 * width):
        raise FrameError(
            f"The fiducials lie on one line: NAS {nas}, LPA {lpa}, RPA {rpa}; no frame follows. "
            "Set them in Brainstorm's MRI viewer, or in the digitised points."
        )
    y = forward / length
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([x, y, np.cross(x, y)])
    matrix[:3, 3] = -matrix[:3, :3] @ origin
    return matrix


def mri_to_scs(scs: FiducialsLike) -> FloatArray | None:
    """MRI coordinates → SCS (4, 4), in mm, from R and T, else from the fiducials, else None."""
    matrix = np.eye(4)
    if scs.r is not None and scs.t is not None:
        matrix[:3, :3], matrix[:3, 3] = scs.r, np.ravel(scs.t)
        return matrix
    points = complete(scs)
    if points is None:
        return None
    nas, lpa, rpa = points
    head_from_fiducials(nas, lpa, rpa)  # says what is wrong where they lie on one line
    origin = (lpa + rpa) / 2
    x = (nas - origin) / np.linalg.norm(nas - origin)
    z = np.cross(x, lpa - rpa)
    z /= np.linalg.norm(z)
    matrix[:3, :3] = np.stack([x, np.cross(z, x), z])
    matrix[:3, 3] = -matrix[:3, :3] @ origin
    return matrix
