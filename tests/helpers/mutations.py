"""Small damages of files, as disks, cables and people with intentions make them."""

from __future__ import annotations

import random
import struct
import zlib

from mat5_bytes import MI

#: What is written over four bytes: codes, sizes and signs at the edges of what is allowed.
WORDS = (*range(24), 200, 255, 256, 46341, 65535, 10**6, 10**8, 2**31 - 1, 2**31, 2**32 - 8,
         2**32 - 1)  # fmt: skip

HEADER = 128


def flipped(data: bytes, rng: random.Random, start: int = 0) -> bytes:
    """Return bytes with one bit turned."""
    place = rng.randrange(start, len(data))
    return data[:place] + bytes([data[place] ^ 1 << rng.randrange(8)]) + data[place + 1 :]


def mutated(data: bytes, rng: random.Random, start: int = 0) -> bytes:
    """Return bytes with one damage: a bit, a word, bytes lost, added, repeated, or an early end."""
    place = rng.randrange(start, len(data) - 8)
    choice = rng.random()
    if choice < 0.3:
        return flipped(data, rng, start)
    if choice < 0.8:
        place = _number_at(data, rng, start)
        word = struct.pack("<I", rng.choice(WORDS))
        return data[:place] + word + data[place + 4 :]
    if choice < 0.85:
        return data[:place] + data[place + rng.choice([1, 4, 8, 64]) :]
    if choice < 0.9:
        return data[:place] + bytes(rng.choice([1, 4, 8, 64])) + data[place:]
    if choice < 0.95:
        other = rng.randrange(start, len(data) - 8)
        length = rng.choice([8, 16, 56, 128])
        return data[:place] + data[other : other + length] + data[place + length :]
    return data[:place]


def _number_at(data: bytes, rng: random.Random, start: int) -> int:
    """Return the place of four bytes, rather of a small number: sizes and codes are."""
    places = [start + 4 * rng.randrange((len(data) - start) // 4) for _ in range(30)]
    small = (p for p in places if 0 < int.from_bytes(data[p : p + 4], "little") < 5000)
    return next(small, places[0])


def mutated_inside(data: bytes, rng: random.Random) -> bytes:
    """Return a compressed MATLAB 5 file with a damage in what one variable is compressed from."""
    elements, start = [], HEADER
    while start + 8 <= len(data):
        kind, size = struct.unpack_from("<II", data, start)
        elements.append((kind, data[start + 8 : start + 8 + size]))
        start += 8 + size
    index = rng.randrange(len(elements))
    kind, body = elements[index]
    if kind == MI["COMPRESSED"]:
        elements[index] = kind, zlib.compress(mutated(zlib.decompress(body), rng))
    return data[:HEADER] + b"".join(struct.pack("<II", k, len(b)) + b for k, b in elements)


def redirected(data: bytes, rng: random.Random, start: int = 512) -> bytes:
    """Return an HDF5 file in which one address is that of something else."""
    addresses = [
        place
        for place in range(start, len(data) - 8, 8)
        if 96 <= int.from_bytes(data[place : place + 8], "little") < len(data)
    ]
    place, other = rng.sample(addresses, 2)
    return data[:place] + data[other : other + 8] + data[place + 8 :]
