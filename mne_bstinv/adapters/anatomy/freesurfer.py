"""FreeSurfer's file formats, which are public and small, as bytes."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mne_bstinv._types import FloatArray, IntArray

__all__ = ["annotation", "curvature", "geometry", "label", "stores", "volume"]


#: Voxel classes of MGH files.
_MGH_TYPES = {np.dtype("uint8"): 0, np.dtype("int32"): 1, np.dtype("float32"): 3,
              np.dtype("int16"): 4}  # fmt: skip


def geometry(vertices: FloatArray, tris: IntArray, *, comment: str) -> bytes:
    """Write a mesh (``lh.white``): vertices (n, 3) in surface RAS, mm, and 0-based triangles."""
    head = b"\xff\xff\xfe" + comment.replace("\n", " ").encode() + b"\n\n"
    sizes = struct.pack(">ii", len(vertices), len(tris))
    return head + sizes + vertices.astype(">f4").tobytes() + tris.astype(">i4").tobytes()


def curvature(values: FloatArray, n_tris: int) -> bytes:
    """Write one number a vertex, (n_vertices,), of a mesh of ``n_tris`` triangles (``lh.curv``)."""
    return (
        b"\xff\xff\xff"
        + struct.pack(">iii", len(values), n_tris, 1)
        + np.asarray(values).astype(">f4").tobytes()
    )


def annotation(
    parts: Sequence[tuple[str, IntArray, tuple[int, int, int]]], n_vertices: int
) -> bytes:
    """Write a parcellation (``lh.aparc.annot``): name, vertices and colour (0 to 255) of parts."""
    values = np.zeros((n_vertices, 2), dtype=">i4")
    values[:, 0] = np.arange(n_vertices)
    # vertices in no part have the value of no entry; -1 would be shifted to one by readers
    entries = b""
    for number, (name, vertices, (red, green, blue)) in enumerate(parts):
        values[vertices, 1] = red + (green << 8) + (blue << 16)
        entries += struct.pack(">i", number) + _text(name)
        entries += struct.pack(">iiii", red, green, blue, 0)
    table = struct.pack(">iii", 1, -2, len(parts)) + _text("mne_bstinv")
    return (
        struct.pack(">i", n_vertices)
        + values.tobytes()
        + table
        + struct.pack(">i", len(parts))
        + entries
    )


def label(vertices: IntArray, positions: FloatArray, *, subject: str) -> bytes:
    """Write a label (``lh.V1.label``): 0-based vertices and their surface RAS (n, 3), mm."""
    rows = [
        f"{vertex} {x:.6f} {y:.6f} {z:.6f} 1.000000"
        for vertex, (x, y, z) in zip(vertices, positions, strict=True)
    ]
    head = f"#!ascii label , from subject {subject} vox2ras=TkReg"
    return "\n".join([head, str(len(rows)), *rows, ""]).encode()


def stores(dtype: np.dtype[Any]) -> bool:
    """Say whether MGH files have a class of voxels."""
    return dtype.newbyteorder("=") in _MGH_TYPES


def volume(cube: NDArray[np.generic], affine: FloatArray) -> bytes:
    """Write voxels (nx, ny, nz[, n_frames]) with 0-based voxels → scanner RAS (4, 4), mm."""
    native = cube.dtype.newbyteorder("=")
    shape = (*cube.shape, 1)[:4]
    size = np.linalg.norm(affine[:3, :3], axis=0)
    centre = affine @ [*(np.array(shape[:3]) / 2), 1]
    head = struct.pack(">7ih", 1, *shape, _MGH_TYPES[native], 0, 1)
    head += struct.pack(">15f", *size, *(affine[:3, :3] / size).T.ravel(), *centre[:3])
    voxels = cube.astype(native.newbyteorder(">")).tobytes(order="F")
    return gzip.compress(head.ljust(284, b"\0") + voxels, compresslevel=6, mtime=0)


def _text(text: str) -> bytes:
    encoded = text.encode() + b"\0"
    return struct.pack(">i", len(encoded)) + encoded
