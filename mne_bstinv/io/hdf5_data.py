"""The values of one HDF5 dataset, read only if all of them are stored in the file itself.

HDF5 follows a dataset into other files, fills what was never written with zeros, and leaves memory
undefined where a compressed chunk is shorter than it says. Here the first is refused, the second
bounded by what is stored, and every chunk is inflated to its size or refused.
"""

from __future__ import annotations

import math
import zlib
from typing import Any

import numpy as np
from h5py import h5d, h5p, h5s, h5z

from mne_bstinv.io import limits
from mne_bstinv.io.variable import DamageError, RefusalError, UnstoredError

__all__ = ["shape_of", "values"]

LAYOUTS = {h5d.COMPACT, h5d.CONTIGUOUS, h5d.CHUNKED}

Chunk = tuple[tuple[int, ...], int, int]


def values(dataset: h5d.DatasetID) -> np.ndarray[Any, Any]:
    """Return the array of a dataset, in the order of its dimensions in HDF5."""
    plist = dataset.get_create_plist()
    layout = plist.get_layout()
    if plist.get_external_count() or layout not in LAYOUTS:
        raise RefusalError("its values are in another file")
    shape, dtype = shape_of(dataset), dataset.dtype
    if 0 in shape:
        return np.zeros(0, dtype)
    size, stored = math.prod(shape) * dtype.itemsize, dataset.get_storage_size()
    if size > limits.expansion() * stored:
        raise UnstoredError(
            f"an array of {size} bytes, of which {stored} are stored (to read it nevertheless, set "
            f"the environment variable {limits.VARIABLE}, now {limits.expansion():g})"
        )
    if layout == h5d.CHUNKED:
        return _chunked(dataset, plist)
    if stored < size:
        raise UnstoredError(f"an array of {size} bytes, of which {stored} are stored")
    return _read(dataset, shape, dtype)


def shape_of(dataset: h5d.DatasetID) -> tuple[int, ...]:
    """Return the shape of a dataset in HDF5; (0,) if it has no space for values."""
    shape = dataset.shape
    return (0,) if shape is None else shape


def _read(
    dataset: h5d.DatasetID, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> np.ndarray[Any, Any]:
    array = np.empty(shape, dtype)
    dataset.read(h5s.ALL, h5s.ALL, array)
    return array


def _chunked(dataset: h5d.DatasetID, plist: h5p.PropDCID) -> np.ndarray[Any, Any]:
    shape, dtype, chunk = dataset.shape, dataset.dtype, plist.get_chunk()
    filters = [plist.get_filter(index)[0] for index in range(plist.get_nfilters())]
    if filters not in ([], [h5z.FILTER_DEFLATE], [h5z.FILTER_SHUFFLE, h5z.FILTER_DEFLATE]):
        raise DamageError(f"compressed by filters {filters}, which MATLAB does not use")
    size = math.prod(chunk) * dtype.itemsize
    chunks = _chunks(dataset)
    grid = [-(-n // step) for n, step in zip(shape, chunk, strict=True)]
    if len({offset for offset, _, _ in chunks}) != len(chunks):
        raise DamageError("two chunks at one place")
    array = (np.empty if len(chunks) == math.prod(grid) else np.zeros)(shape, dtype)
    for offset, mask, n_bytes in chunks:
        if any(o % c or o >= n for o, c, n in zip(offset, chunk, shape, strict=True)):
            raise DamageError(f"a chunk at {offset}, outside {shape}")
        if size > limits.DEFLATE * n_bytes:
            raise DamageError(f"a chunk of {size} bytes, of which {n_bytes} are stored")
        data = dataset.read_direct_chunk(offset)[1]
        block = _inflated(
            data, size, [f for i, f in enumerate(filters) if not mask >> i & 1], dtype
        )
        if not dtype.hasobject:
            place = tuple(slice(o, o + c) for o, c in zip(offset, chunk, strict=True))
            part = array[place]
            part[...] = block.view(dtype).reshape(chunk)[tuple(map(slice, part.shape))]
    return (
        _read(dataset, shape, dtype) if dtype.hasobject else array
    )  # only HDF5 can make references


def _chunks(dataset: h5d.DatasetID) -> list[Chunk]:
    """Return offset, skipped filters and stored size of every chunk."""
    found: list[Chunk] = []

    def note(info: Any) -> None:
        found.append((tuple(info.chunk_offset), info.filter_mask, info.size))

    dataset.chunk_iter(note)
    return found


def _inflated(
    data: bytes, size: int, filters: list[int], dtype: np.dtype[Any]
) -> np.ndarray[Any, Any]:
    """Return the bytes of a chunk, which must be ``size``."""
    if h5z.FILTER_DEFLATE in filters:
        stream = zlib.decompressobj()
        data = stream.decompress(data, size + 1)
    if len(data) != size:
        raise DamageError(f"a chunk of {size} bytes that holds {len(data)}")
    block = np.frombuffer(data, np.uint8)
    if h5z.FILTER_SHUFFLE in filters:
        block = np.ascontiguousarray(block.reshape(dtype.itemsize, -1).T).ravel()
    return block
