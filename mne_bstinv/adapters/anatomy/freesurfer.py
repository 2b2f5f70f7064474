"""FreeSurfer's file formats, which are public and small, as bytes."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.errors import ConversionError

__all__ = [
    "VolumeGeometry",
    "annotation",
    "curvature",
    "geometry",
    "label",
    "linear_transform",
    "read_annotation",
    "read_linear_transform",
    "stores",
    "volume",
]


#: Voxel classes of MGH files.
_MGH_TYPES = {np.dtype("uint8"): 0, np.dtype("int32"): 1, np.dtype("float32"): 3,
              np.dtype("int16"): 4}  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class VolumeGeometry:
    """The volume whose surface RAS a mesh is in."""

    #: Number of voxels along each axis.
    shape: tuple[int, int, int]
    #: 0-based voxels → scanner RAS, mm, shape (4, 4).
    affine: FloatArray

    @property
    def size(self) -> FloatArray:
        """Size of a voxel (3,), mm."""
        return np.asarray(np.linalg.norm(self.affine[:3, :3], axis=0))

    @property
    def directions(self) -> FloatArray:
        """Scanner RAS of the three axes, as columns (3, 3)."""
        return np.asarray(self.affine[:3, :3] / self.size)

    @property
    def centre(self) -> FloatArray:
        """Scanner RAS of the middle (3,), mm."""
        return np.asarray((self.affine @ [*(np.array(self.shape) / 2), 1])[:3])


def geometry(
    vertices: FloatArray, tris: IntArray, *, comment: str, of: VolumeGeometry | None = None
) -> bytes:
    """Write a mesh (``lh.white``): vertices (n, 3) in surface RAS, mm, and 0-based triangles."""
    head = b"\xff\xff\xfe" + comment.replace("\n", " ").encode() + b"\n\n"
    sizes = struct.pack(">ii", len(vertices), len(tris))
    mesh = head + sizes + vertices.astype(">f4").tobytes() + tris.astype(">i4").tobytes()
    return mesh if of is None else mesh + _volume_info(of)


def _volume_info(of: VolumeGeometry) -> bytes:
    """Return the tag of the volume at the end of a mesh's file."""
    rows = {
        "voxelsize": of.size,
        "xras  ": of.directions[:, 0],
        "yras  ": of.directions[:, 1],
        "zras  ": of.directions[:, 2],
        "cras  ": of.centre,
    }
    lines = [
        "valid = 1  # volume info valid",
        "filename = ../mri/orig.mgz",
        "volume = " + " ".join(map(str, of.shape)),
        *(f"{name} = " + " ".join(f"{x:.10g}" for x in values) for name, values in rows.items()),
    ]
    return struct.pack(">iii", 2, 0, 20) + "\n".join([*lines, ""]).encode()


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


def read_annotation(path: Path) -> list[tuple[str, IntArray, tuple[int, int, int]]]:
    """Read a parcellation: name, 0-based vertices and colour (0 to 255) of parts."""
    try:
        values, table = _annotation(path.read_bytes())
    except (struct.error, ValueError, IndexError) as error:
        raise ConversionError(
            f"{path}: no parcellation of FreeSurfer, or a damaged one: {error}. Copy it again."
        ) from error
    return [
        (name, values[values[:, 1] == red + (green << 8) + (blue << 16), 0], (red, green, blue))
        for name, (red, green, blue) in table
    ]


def _annotation(content: bytes) -> tuple[IntArray, list[tuple[str, tuple[int, int, int]]]]:
    """Return vertices with their values (n, 2), and the names and colours of the table."""
    (n_vertices,) = struct.unpack_from(">i", content)
    values = np.frombuffer(content, ">i4", 2 * n_vertices, 4).reshape(-1, 2).astype(np.int64)
    place = 4 + 8 * n_vertices
    has_table, version = struct.unpack_from(">ii", content, place)
    if has_table != 1 or version != -2:
        raise ValueError("a table of colours of version 2 expected")
    _, n_text = struct.unpack_from(">ii", content, place + 8)
    place += 16 + n_text
    (n_entries,) = struct.unpack_from(">i", content, place)
    place += 4
    table = []
    for _ in range(n_entries):
        _, n_text = struct.unpack_from(">ii", content, place)
        name = content[place + 8 : place + 8 + n_text].rstrip(b"\0").decode("utf-8", "replace")
        red, green, blue, _ = struct.unpack_from(">4i", content, place + 8 + n_text)
        table.append((name, (red, green, blue)))
        place += 24 + n_text
    return values, table


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
    nx, ny, nz, n_frames = (*cube.shape, 1)[:4]
    of = VolumeGeometry(shape=(nx, ny, nz), affine=affine)
    head = struct.pack(">7ih", 1, nx, ny, nz, n_frames, _MGH_TYPES[native], 0, 1)
    head += struct.pack(">15f", *of.size, *of.directions.T.ravel(), *of.centre)
    voxels = cube.astype(native.newbyteorder(">")).tobytes(order="F")
    return gzip.compress(head.ljust(284, b"\0") + voxels, compresslevel=6, mtime=0)


def linear_transform(matrix: FloatArray) -> bytes:
    """Write a linear transform (4, 4) between frames in mm (``talairach.xfm``)."""
    rows = [" ".join(f"{x:.12g}" for x in row) for row in matrix[:3]]
    lines = [
        "MNI Transform File",
        "% created by mne_bstinv",
        "",
        "Transform_Type = Linear;",
        "Linear_Transform =",
        *rows[:2],
        f"{rows[2]};",
        "",
    ]
    return "\n".join(lines).encode()


def read_linear_transform(path: Path) -> FloatArray:
    """Read a linear transform (4, 4) between frames in mm; ConversionError where there is none."""
    text = path.read_text("utf-8", errors="replace")
    _, found, behind = text.partition("Linear_Transform")
    words = behind.partition("=")[2].partition(";")[0].split()
    try:
        numbers = np.array([float(word) for word in words])
    except ValueError:
        numbers = np.zeros(0)
    if not found or numbers.size != 12 or not np.isfinite(numbers).all():
        raise ConversionError(
            f"{path}: no linear transform: 3 rows of 4 numbers after 'Linear_Transform =' expected."
        )
    matrix = np.eye(4)
    matrix[:3] = numbers.reshape(3, 4)
    return matrix


def _text(text: str) -> bytes:
    encoded = text.encode() + b"\0"
    return struct.pack(">i", len(encoded)) + encoded
