"""The values of one HDF5 dataset, read only if all of them are stored in the file itself.

HDF5 follows a dataset into other files, fills what was never written with zeros, and leaves memory
undefined where a compressed chunk is shorter than it says. Here the first is refused before HDF5 is
asked for as much as the shape, the second bounded by what is stored and noted, and every chunk is
inflated to its size or refused.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from h5py import h5d, h5g, h5p, h5r, h5s, h5t, h5z

from mne_bstinv.io import limits
from mne_bstinv.io.hdf5_structure import Structures
from mne_bstinv.io.variable import TOO_MANY, DamageError, RefusalError, UnstoredError

__all__ = ["Stored", "address_of", "opened", "references", "values"]

LAYOUTS = {h5d.COMPACT, h5d.CONTIGUOUS, h5d.CHUNKED}

#: The bytes of a reference: an address.
ADDRESS = np.dtype("<u8")

Chunk = tuple[tuple[int, ...], int, int]


class Stored(NamedTuple):
    """A dataset whose values are in the file; its shape is (0,) if it has no space for any."""

    dataset: h5d.DatasetID
    layout: int
    plist: h5p.PropDCID
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    structures: Structures
    #: Takes what is no fault, but not as it should be.
    note: Callable[[str], None]


def address_of(node: Any) -> int:
    """Return the address of an object, for which HDF5 needs nothing but its header."""
    low, high = h5g.get_objinfo(node, b".", 0).objno
    return int(low | high << 32)


def opened(dataset: h5d.DatasetID, structures: Structures, note: Callable[[str], None]) -> Stored:
    """Return a dataset, if its values are in the file and its chunks can be listed."""
    plist = dataset.get_create_plist()
    layout = plist.get_layout()
    if layout not in LAYOUTS or plist.get_external_count():
        raise RefusalError("its values are in another file")
    if layout == h5d.CHUNKED:
        structures.check_chunks(address_of(dataset))
    shape = dataset.shape
    shape = (0,) if shape is None else shape
    return Stored(dataset, layout, plist, shape, dataset.dtype, structures, note)


def values(stored: Stored) -> np.ndarray[Any, Any]:
    """Return the array of a dataset, in the order of its dimensions in HDF5."""
    shape, dtype = stored.shape, stored.dtype
    if not _has_values(stored):
        return np.zeros(0, dtype)
    if stored.layout == h5d.CHUNKED:
        if not stored.dataset.get_type().equal(h5t.py_create(dtype, logical=True)):
            raise DamageError("numbers of a form that MATLAB does not write")
        return _chunked(stored, dtype)
    array = np.empty(shape, dtype)
    stored.dataset.read(h5s.ALL, h5s.ALL, array)
    return array


def references(stored: Stored, most: int) -> tuple[list[h5r.Reference], np.ndarray[Any, Any]]:
    """Return the different references in a dataset, and which of them each of its entries is.

    There may be ``most`` entries. Thousands of them may be one and the same, and only HDF5 can make
    references.
    """
    if not _has_values(stored):
        return [], np.zeros(0, np.intp)
    dataset, count = stored.dataset, math.prod(stored.shape)
    if count > most:
        raise DamageError(TOO_MANY)
    if stored.layout != h5d.COMPACT:
        first, places = _different(_addresses(stored))
        if len(first) < count:
            found, space = np.empty(len(first), stored.dtype), dataset.get_space()
            space.select_elements(np.transpose(np.unravel_index(first, stored.shape)))
            dataset.read(h5s.create_simple(found.shape), space, found)
            return found.tolist(), places
    found = np.empty(stored.shape, stored.dtype)
    dataset.read(h5s.ALL, h5s.ALL, found)
    return found.ravel().tolist(), np.arange(count)


def _different(addresses: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], ...]:
    """Return where each different address stands, and which of these each one is.

    ``np.unique`` finds both, too, in five times the memory of the addresses.
    """
    found = np.unique(addresses)
    places = np.searchsorted(found, addresses)
    first = np.empty(len(found), np.intp)
    first[places] = np.arange(len(places))
    return first, places


def _has_values(stored: Stored) -> bool:
    """Tell whether there are values, and refuse to make up those that are not stored."""
    if 0 in stored.shape:
        return False
    size = math.prod(stored.shape) * stored.dtype.itemsize
    n_bytes = stored.dataset.get_storage_size()
    if size > limits.expansion() * n_bytes:
        raise UnstoredError(
            f"an array of {size} bytes, of which {n_bytes} are stored (to read it nevertheless, "
            f"set the environment variable {limits.VARIABLE}, now {limits.expansion():g})"
        )
    if stored.layout != h5d.CHUNKED and n_bytes < size:
        raise UnstoredError(f"an array of {size} bytes, of which {n_bytes} are stored")
    return True


def _addresses(stored: Stored) -> np.ndarray[Any, Any]:
    """Return the addresses in a dataset of references."""
    if stored.layout == h5d.CHUNKED:
        return _chunked(stored, ADDRESS).ravel()
    start = stored.dataset.get_offset() - stored.structures.base
    size = math.prod(stored.shape) * ADDRESS.itemsize
    return np.frombuffer(stored.structures.read(start, size), ADDRESS)


def _chunked(stored: Stored, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    dataset, shape, chunk = stored.dataset, stored.shape, stored.plist.get_chunk()
    filters = [stored.plist.get_filter(index)[0] for index in range(stored.plist.get_nfilters())]
    if filters not in ([], [h5z.FILTER_DEFLATE], [h5z.FILTER_SHUFFLE, h5z.FILTER_DEFLATE]):
        raise DamageError(f"compressed by filters {filters}, which MATLAB does not use")
    size = math.prod(chunk) * dtype.itemsize
    chunks = _chunks(dataset)
    grid = [-(-n // step) for n, step in zip(shape, chunk, strict=True)]
    if len({offset for offset, _, _ in chunks}) != len(chunks):
        raise DamageError("two chunks at one place")
    fill, written = _fill_value(stored, dtype), 0
    array = np.empty(shape, dtype) if len(chunks) == math.prod(grid) else np.full(shape, fill)
    for offset, mask, n_bytes in chunks:
        if any(o % c or o >= n for o, c, n in zip(offset, chunk, shape, strict=True)):
            raise DamageError(f"a chunk at {offset}, outside {shape}")
        if size > limits.DEFLATE * n_bytes:
            raise DamageError(f"a chunk of {size} bytes, of which {n_bytes} are stored")
        data = dataset.read_direct_chunk(offset)[1]
        used = [f for i, f in enumerate(filters) if not mask >> i & 1]
        place = tuple(slice(o, o + c) for o, c in zip(offset, chunk, strict=True))
        part = array[place]
        block = _inflated(data, size, used, dtype).view(dtype)
        part[...] = block.reshape(chunk)[tuple(map(slice, part.shape))]
        written += part.size
    if written < array.size:
        stored.note(
            f"{array.size - written} of {array.size} values were never written to the file: they "
            f"are taken as {fill}"
        )
    return array


def _fill_value(stored: Stored, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """Return what stands where nothing was written: 0, unless the file says something else."""
    fill = np.zeros((), dtype)
    own = stored.plist.fill_value_defined() == h5d.FILL_VALUE_USER_DEFINED
    if own and stored.dtype == dtype:
        stored.plist.get_fill_value(fill)
    return fill


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
